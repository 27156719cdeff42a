"""Rows: histograms of one and of several dimensions, and counts of whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from tgrad.backends import ranges
from tgrad.backends.narrow import finfo, is_floating
from tgrad.backends.scatter import add_rows
from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ArgumentError, DTypeError, ShapeError, StateError
from tgrad.ops.arguments import ACCEPT, REFUSED
from tgrad.ops.dimensions import numel
from tgrad.ops.reduce import unsupported
from tgrad.ops.table import Rule, composite, operator
from tgrad.ops.transfer import for_arrays_of

# ---------------------------------------------------------------- edges and places


def _check_finite(first: Any, last: Any, name: str) -> None:
    if not (numpy.isfinite(first) and numpy.isfinite(last)):
        raise StateError(f"{name} [{float(first):g}, {float(last):g}] is not finite")


def _check_bins(bins: int, dim: int = 0) -> None:
    if bins <= 0:
        raise StateError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension {dim}")


def _bounds_of_one(input: Any, low: float, high: float) -> tuple[Any, Any]:
    """The range of `histc`: that of the data where none is given."""
    kind = input.dtype.type
    first, last = kind(low), kind(high)
    if first == last and input.size:
        limits = finfo(kind)
        first = numpy.minimum(input.min(), limits.max)
        last = numpy.maximum(input.max(), limits.min)
    _check_finite(first, last, "torch.histc: range of")
    if first == last:
        first, last = first - kind(1), last + kind(1)
    if not first < last:
        raise StateError("torch.histc: max must be larger than min")
    return first, last


def _bounds(column: Any, given: Sequence[float] | None, dim: int) -> tuple[float, float]:
    """The range of `histogram` and `histogramdd` in one dimension of the data."""
    if given is not None:
        first, last = float(given[0]), float(given[1])
    elif column.size:
        first, last = float(column.min()), float(column.max())
    else:
        first, last = 0.0, 1.0
    _check_finite(first, last, f"torch.histogramdd: dimension {dim}'s range")
    if first > last:
        raise StateError(
            f"torch.histogramdd: min should not exceed max, but got min {first:g} max {last:g} for "
            f"dimension {dim}"
        )
    return (first - 0.5, last + 0.5) if first == last else (first, last)


def _places(values: Any, edges: Any, first: Any, last: Any, bins: int, search: str) -> Any:
    """The bin of each value between first and last; the last bin takes its right edge as well.

    `search`: by the value alone ("none"), with a look at the bins beside it ("near"), among all ("all").
    """
    if search == "all":
        places = numpy.searchsorted(edges, values, "right") - 1
    else:
        places = ((values - first) * values.dtype.type(bins) / (last - first)).astype(numpy.int64)
        if search == "near":
            lowest = numpy.maximum(places - 1, 0)
            highest = numpy.minimum(places + 2, bins + 1)
            exact = numpy.searchsorted(edges, values, "right")
            places = numpy.clip(exact, lowest, highest) - 1
    return numpy.minimum(places, bins - 1)


# ---------------------------------------------------------------- one dimension, between two numbers


def _histc(xp: Any, input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    if not is_floating(input.dtype):
        raise unsupported("histogram_cpu", input)
    _check_bins(bins)
    flat = input.reshape(-1)
    first, last = _bounds_of_one(flat, min, max)
    values = flat[(flat >= first) & (flat <= last)]
    counts = numpy.zeros(bins, flat.dtype)
    add_rows(counts, _places(values, None, first, last, bins, "none"), numpy.ones_like(values))
    return counts


operator(
    "histc", _histc, kinds={"bins": "int", "min": "number", "max": "number"}, differentiable=False,
    narrow=True,
    doc="Counts of elements in equal bins between min and max (of the data if both are 0).",
)  # fmt: skip

# ---------------------------------------------------------------- any number of dimensions


def _c_name(array: Any) -> str:
    dtype = dtypes.from_numpy(array.dtype)
    return "?" if dtype is None else dtype.c_name


def _check_table(input: Any, weight: Any) -> None:
    """Raise PyTorch's errors for the points, in rows, and their weights."""
    if weight is None:
        return
    if input.shape[:-1] != weight.shape:
        raise ShapeError(
            "torch.histogramdd: if weight tensor is provided it should have the same shape as the input "
            f"tensor excluding its innermost dimension, but got input with shape {list(input.shape)} and "
            f"weight with shape {list(weight.shape)}"
        )
    if input.dtype != weight.dtype:
        raise DTypeError(
            "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have "
            f"the same dtype, but got input({_c_name(input)}), and "
            f"weight({_c_name(weight)})"
        )


def _check_edges(input: Any, edges: Sequence[Any]) -> None:
    """Raise PyTorch's errors for edges of the bins."""
    count = input.shape[-1]
    if len(edges) != count:
        raise ShapeError(
            f"torch.histogramdd: expected {count} sequences of bin edges for a {count}-dimensional "
            f"histogram but got {len(edges)}"
        )
    for dim, row in enumerate(edges):
        if row.dtype != input.dtype:
            raise DTypeError(
                "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input "
                f"with dtype {_c_name(input)} and bins for dimension {dim} with dtype "
                f"{_c_name(row)}"
            )
        if row.ndim != 1:
            raise ShapeError(
                f"torch.histogramdd: bins tensor should have one dimension, but got {row.ndim} dimensions in "
                f"the bins tensor for dimension {dim}"
            )
        if not row.size:
            raise ShapeError(
                "torch.histogramdd: bins tensor should have at least 1 element, but got 0 elements in the "
                f"bins tensor for dimension {dim}"
            )
        _check_bins(row.size - 1, dim)


def _equal_bins(input: Any, bins: Sequence[int], span: Sequence[float] | None) -> list[Any]:
    """The edges of bins of one size in each dimension."""
    count = input.shape[-1]
    if len(bins) != count:
        raise ShapeError(
            "histogramdd: The size of bins must be equal to the innermost dimension of the input."
        )
    if span is not None and len(span) != 2 * count:
        raise ShapeError(
            f"torch.histogramdd: for a {count}-dimensional histogram range should have {2 * count} elements, "
            f"but got {len(span)}"
        )
    for dim, number in enumerate(bins):
        _check_bins(number, dim)
    found = []
    for dim, number in enumerate(bins):
        column = input[..., dim].reshape(-1)
        first, last = _bounds(column, None if span is None else span[2 * dim : 2 * dim + 2], dim)
        found.append(ranges.linspace(first, last, number + 1, input.dtype))
    return found


def _counted(xp: Any, input: Any, weight: Any, edges: Sequence[Any], search: str, density: bool) -> Any:
    """The sums of the points' weights in each bin."""
    points = input.reshape(numel(input.shape[:-1]), len(edges))
    weights = numpy.ones(len(points), input.dtype) if weight is None else weight.reshape(-1)
    inside = numpy.ones(len(points), bool)
    for dim, row in enumerate(edges):
        inside &= (points[:, dim] >= row[0]) & (points[:, dim] <= row[-1])
    points, weights = points[inside], weights[inside]
    shape = tuple([len(row) - 1 for row in edges])
    counts = numpy.zeros(shape, input.dtype)
    if edges:
        places = [
            _places(points[:, dim], row, row[0], row[-1], len(row) - 1, search)
            for dim, row in enumerate(edges)
        ]
        add_rows(counts.reshape(-1), numpy.ravel_multi_index(places, shape), weights)
    if density:
        counts = counts / xp.sum(counts)
        for dim, row in enumerate(edges):
            counts = counts / numpy.diff(row).reshape([-1 if d == dim else 1 for d in range(len(edges))])
    return counts.astype(input.dtype)


def _histogram(
    xp: Any, input: Any, edges: Any, bins: int, span: Any, weight: Any, density: bool
) -> tuple[Any, Any]:
    if input.dtype.kind != "f":
        raise unsupported("histogramdd", input)
    table = input.reshape(-1, 1)
    flat = None if weight is None else weight.reshape(-1)
    _check_table(table, flat)
    if edges is None:
        (row,) = _equal_bins(table, (bins,), span)
        return _counted(xp, table, flat, [row], "near", density), row
    _check_edges(table, [edges])
    return _counted(xp, table, flat, [edges], "all", density), edges.copy()


PARTS: dict[str, Any] = {"fields": ("hist", "bin_edges"), "differentiable": False}

operator(
    "histogram.bins_tensor",
    lambda xp, input, bins, *, weight=None, density=False: _histogram(
        xp, input, bins, 0, None, weight, density
    ),
    kinds={"bins": "index", "weight": "index?", "density": "bool"},
    doc="Counts of elements between given edges, and the edges.", **PARTS,
)  # fmt: skip
operator(
    "histogram",
    lambda xp, input, bins=100, *, range=None, weight=None, density=False: _histogram(
        xp, input, None, bins, range, weight, density
    ),
    kinds={"bins": "int", "weight": "index?", "density": "bool"},
    doc="Counts of elements in equal bins, and the edges of these.", **PARTS,
)  # fmt: skip


def histogramdd(
    o: Any, input: Any, bins: Any, range: Any = None, weight: Any = None, density: bool = False
) -> Any:
    """A histogram of points, which are the rows of the last dimension, and the edges of its bins."""
    array, xp = input._array, input._type.xp
    if array.ndim < 2:
        raise ShapeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    if array.dtype.kind != "f":
        raise unsupported("histogramdd", array)
    weights = None if weight is None else weight._array
    _check_table(array, weights)
    if isinstance(bins, (tuple, list)) and bins and isinstance(bins[0], Tensor):
        edges, search = [row._array for row in bins], "all"
        _check_edges(array, edges)
    else:
        numbers = ACCEPT["ints"][0](bins)
        if numbers is REFUSED:
            raise ArgumentError(
                "histogramdd() received an invalid combination of arguments: bins must be an int, or a tuple "
                f"of ints or Tensors, not {type(bins).__name__}"
            )
        numbers = numbers * array.shape[-1] if isinstance(bins, int) else numbers
        edges, search = for_arrays_of(input._type, _equal_bins)(array, numbers, range), "near"
    from tgrad.ops.named import return_type

    counted = for_arrays_of(input._type, _counted)
    hist = new_tensor(counted(xp, array, weights, edges, search, density), input._type)
    rows = tuple([new_tensor(row.copy(), input._type) for row in edges])
    return return_type("histogramdd", ("hist", "bin_edges"))((hist, rows))


composite(
    "histogramdd", histogramdd, method=False, out=False,
    kinds={"bins": "any", "range": "any", "weight": "tensor?", "density": "bool"},
    doc="Counts of points in boxes, and the edges of these in each dimension.",
)  # fmt: skip

# ---------------------------------------------------------------- whole numbers


def _bincount(input: Any, weights: Any, minlength: int) -> Any:
    if input.dtype.kind not in "iu":
        raise unsupported("bincount_cpu", input)
    if minlength < 0:
        raise StateError("minlength should be >= 0")
    if input.ndim != 1 or (input.size and input.min() < 0):
        raise StateError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and weights.shape != input.shape:
        raise ShapeError("weights should be 1-d and have the same length as input")
    size = max(int(input.max()) + 1 if input.size else 0, minlength)
    if weights is None:
        return numpy.bincount(input, minlength=size).astype(numpy.int64)
    kind = numpy.float32 if weights.dtype == numpy.float32 else numpy.float64
    counts = numpy.zeros(size, kind)
    add_rows(counts, input.astype(numpy.int64), weights.astype(kind))
    return counts


operator(
    "bincount.counts", lambda xp, input, minlength: _bincount(input, None, minlength),
    kinds={"minlength": "int"}, result=dtypes.int64, differentiable=False, function=False,
    method=False, out=False, doc="How often each whole number occurs.",
)  # fmt: skip
operator(
    "bincount.sums", lambda xp, weights, input, minlength: _bincount(input, weights, minlength),
    kinds={"weights": "tensor", "input": "index", "minlength": "int"},
    dtype=Rule(
        "float32 for float32 weights, else float64", "never",
        lambda operands, dtype: (
            dtypes.float32 if operands[0].dtype is dtypes.float32 else dtypes.float64
        ),
    ),
    differentiable=False, function=False, method=False, out=False,
    doc="The sum of the weights of each whole number.",
)  # fmt: skip
composite(
    "bincount",
    lambda o, input, weights=None, minlength=0: (
        o.bincount_counts(input, minlength) if weights is None
        else o.bincount_sums(weights, input, minlength)
    ),
    kinds={"weights": "tensor?", "minlength": "int"}, out=False,
    doc="How often each whole number occurs, or the sum of its weights.",
)  # fmt: skip
