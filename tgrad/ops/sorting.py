"""Rows: sorting, selecting by rank, searching in sorted sequences, and sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy

from tgrad.backends import selection
from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import DimensionError, DTypeError, ShapeError, StateError
from tgrad.ops.dimensions import numel, wrap_dim
from tgrad.ops.reduce import unsupported
from tgrad.ops.reduce_formulas import chosen_back, spread_evenly
from tgrad.ops.table import Rule, composite, operator, promoted

CHOSEN: dict[str, Any] = {"result": (None, dtypes.int64), "fields": ("values", "indices")}
"""The settings of rows that choose elements along a dimension."""


def _chosen(input: Any, indices: Any, axis: int, keepdim: bool) -> tuple[Any, Any]:
    """The elements at indices that are kept as an axis of one element, and the indices."""
    values = numpy.take_along_axis(input, indices, axis)
    if keepdim:
        return values, indices
    return values.squeeze(axis), indices.squeeze(axis)


def _alone(input: Any) -> tuple[Any, Any]:
    """The only element of a 0-dimensional array and its index."""
    return input.copy(), numpy.zeros((), numpy.int64)


# ---------------------------------------------------------------- sorting


def _indices(input: Any, dim: int, descending: bool, stable: bool) -> tuple[Any, int]:
    if input.dtype.kind == "c":
        raise DTypeError(" Sort does not support complex dtypes on CPU")
    axis = wrap_dim(dim, input.ndim)
    if input.ndim == 0:
        return numpy.zeros((), numpy.int64), 0
    return _laid_out(input, selection.argsort(input, axis, descending, stable)), axis


def _laid_out(input: Any, result: Any) -> Any:
    """A result in memory like the input, as PyTorch leaves sorted tensors."""
    if input.flags.c_contiguous or 0 in input.strides:
        return result
    copy = numpy.empty_like(input, dtype=result.dtype)
    copy[...] = result
    return copy


def _sort(input: Any, dim: int, descending: bool, stable: bool) -> tuple[Any, Any]:
    indices, axis = _indices(input, dim, descending, stable)
    if input.ndim == 0:
        return input.copy(), indices
    return _laid_out(input, numpy.take_along_axis(input, indices, axis)), indices


operator(
    "sort.stable",
    lambda xp, input, *, stable, dim=-1, descending=False: _sort(input, dim, descending, bool(stable)),
    input=lambda o, g, input_shape, dim, indices: chosen_back(o, g, input_shape, dim, True, indices),
    index=1, kinds={"stable": "bool?"},
    doc="The elements in order along a dimension, equal ones as they were.", **CHOSEN,
)  # fmt: skip
operator(
    "sort", lambda xp, input, dim=-1, descending=False: _sort(input, dim, descending, False),
    input=lambda o, g, input_shape, dim, indices: chosen_back(o, g, input_shape, dim, True, indices),
    doc="The elements in order along a dimension, and where they were; NaN is the largest.",
    **CHOSEN,
)  # fmt: skip
operator(
    "argsort", lambda xp, input, dim=-1, descending=False: _indices(input, dim, descending, False)[0],
    result=dtypes.int64, differentiable=False, out=False,
    doc="The indices that put a dimension in order.",
)  # fmt: skip
operator(
    "argsort.stable",
    lambda xp, input, *, stable, dim=-1, descending=False: _indices(
        input, dim, descending, stable
    )[0],
    result=dtypes.int64, differentiable=False,
    doc="The indices that put a dimension in order, equal elements as they were.",
)  # fmt: skip
composite("msort", lambda o, input: o.sort(input, 0)[0], doc="Sorted along the first dimension.")

# ---------------------------------------------------------------- selecting


def _topk(input: Any, k: int, dim: int, largest: bool, ordered: bool) -> tuple[Any, Any]:
    axis = wrap_dim(dim, input.ndim)
    size = input.shape[axis] if input.ndim else 1
    if not 0 <= k <= size:
        raise StateError("selected index k out of range")
    if input.dtype.kind == "c":
        raise DTypeError(" topk does not support complex dtypes on CPU")
    if input.dtype.kind == "b":
        raise DTypeError("topk does not support bool dtypes on CPU")
    if input.ndim == 0:
        return _alone(input)
    indices = selection.topk(input, k, axis, largest, ordered)
    return numpy.take_along_axis(input, indices, axis), indices


operator(
    "topk",
    lambda xp, input, k, dim=-1, largest=True, sorted=True: _topk(input, k, dim, largest, sorted),
    input=lambda o, g, input_shape, dim, indices: chosen_back(o, g, input_shape, dim, True, indices),
    doc="The k largest (or smallest) elements along a dimension, and their indices.", **CHOSEN,
)  # fmt: skip


def _nonempty(name: str, input: Any, dim: int) -> int:
    axis = wrap_dim(dim, input.ndim)
    if input.ndim and input.shape[axis] == 0:
        raise DimensionError(f"{name}(): Expected reduction dim {axis} to have non-zero size.")
    return axis


def _kthvalue(input: Any, k: int, dim: int, keepdim: bool) -> tuple[Any, Any]:
    axis = _nonempty("kthvalue", input, dim)
    if not 1 <= k <= (input.shape[axis] if input.ndim else 1):
        raise StateError(f"kthvalue(): selected number k out of range for dimension {axis}")
    if input.dtype.kind in "cb":
        raise unsupported("kthvalue_cpu", input)
    if input.ndim == 0:
        return _alone(input)
    return _chosen(input, selection.kthvalue(input, k, axis), axis, keepdim)


def _picked(name: str, choose: Callable[[Any, int], Any], refused: str) -> Callable[..., Any]:
    def forward(xp: Any, input: Any, dim: int = -1, keepdim: bool = False) -> tuple[Any, Any]:
        axis = _nonempty(name.removeprefix("nan"), input, dim)
        if input.dtype.kind in refused:
            raise unsupported("mode_cpu" if name == "mode" else "median_out", input)
        if input.ndim == 0:
            return _alone(input)
        return _chosen(input, choose(input, axis), axis, keepdim)

    return forward


operator(
    "kthvalue", lambda xp, input, k, dim=-1, keepdim=False: _kthvalue(input, k, dim, keepdim),
    input=lambda o, g, input_shape, dim, keepdim, indices: chosen_back(
        o, g, input_shape, dim, keepdim, indices
    ),
    doc="The k-th smallest elements along a dimension, and their indices.", **CHOSEN,
)  # fmt: skip

operator(
    "mode", _picked("mode", selection.mode, "c"),
    input=lambda o, g, input_shape, dim, keepdim, indices: chosen_back(
        o, g, input_shape, dim, keepdim, indices
    ),
    doc="The most frequent elements along a dimension, and an index of each.", **CHOSEN,
)  # fmt: skip


def _median(input: Any, skip_nan: bool) -> Any:
    if input.dtype.kind in "cb":
        raise unsupported("median_cpu", input)
    flat = input.reshape(-1)
    if flat.size == 0:
        if input.dtype.kind == "f":
            return numpy.full((), numpy.nan, input.dtype)
        return numpy.full((), numpy.iinfo(input.dtype).min, input.dtype)
    return flat[selection.median(flat, 0, skip_nan)[0]]


for _name, _skips in (("median", False), ("nanmedian", True)):
    _doc = "the lower one of two" + (", NaN left out." if _skips else "; NaN if there is one.")
    operator(
        _name,
        (lambda xp, input: _median(input, True)) if _skips else lambda xp, input: _median(input, False),
        input=lambda o, g, input, out: spread_evenly(o, g, input, out), out=False,
        doc=f"The median of all elements, {_doc}",
    )  # fmt: skip
    _along = _picked(
        _name,
        (lambda array, axis: selection.median(array, axis, True))
        if _skips else lambda array, axis: selection.median(array, axis, False),
        "cb",
    )  # fmt: skip
    operator(
        f"{_name}.dim",
        (lambda forward: lambda xp, input, dim, keepdim=False: forward(xp, input, dim, keepdim))(_along),
        input=lambda o, g, input_shape, dim, keepdim, indices: chosen_back(
            o, g, input_shape, dim, keepdim, indices
        ),
        index=1, doc=f"Medians along a dimension, {_doc}", **CHOSEN,
    )  # fmt: skip

# ---------------------------------------------------------------- searching


def _check_sequences(sequence: Any, input: Any, right: bool, side: Any, sorter: Any) -> bool:
    name = "torch.searchsorted()"
    if side is not None and side not in ("left", "right"):
        raise StateError(f"{name}: side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise StateError(
            f"{name}: side and right can't be set to opposites, got side of left while right was True"
        )
    if sequence.ndim > 1 and input.ndim == 0:
        raise ShapeError(
            f"{name}: input value can be a scalar only when boundaries tensor dimension is 1, but we got "
            f"boundaries tensor dim({sequence.ndim}) and input value's dim(0) numel(1)"
        )
    if sorter is not None and sorter.dtype != numpy.int64:
        dtype = dtypes.from_numpy(sorter.dtype)
        raise DTypeError(
            f"{name}: sorter must be a tensor of long dtype but got dtype "
            f"{'?' if dtype is None else dtype.title}"
        )
    if sorter is not None and sorter.shape != sequence.shape:
        raise ShapeError(
            f"{name}: boundary and sorter must have the same size, but got boundary tensor "
            f"{list(sequence.shape)}and got sorter tensor {list(sorter.shape)}"
        )
    if sequence.ndim == 0:
        raise ShapeError(
            f"{name}: boundaries tensor should have positive dimension, but got 0 dimension"
        )
    if sequence.ndim > 1 and sequence.shape[:-1] != input.shape[:-1]:
        raise ShapeError(
            f"{name}: boundaries tensor should be 1 dimension or the first N-1 dimensions of "
            "boundaries tensor and input value tensor must match, but we got boundaries tensor "
            f"{list(sequence.shape)} and input value tensor {list(input.shape)}"
        )
    if sorter is not None and sorter.size and not 0 <= sorter.min() <= sorter.max() < sequence.shape[-1]:
        raise ShapeError(f"{name}: sorter index out of range")
    return right or side == "right"


def _searched(sequence: Any, input: Any, right: bool, side: Any, sorter: Any) -> Any:
    """Where the values would go into the sorted sequence, or into each of several."""
    right = _check_sequences(sequence, input, right, side, sorter)
    if sequence.dtype.kind in "bc":
        raise unsupported("searchsorted_out_cpu", sequence)
    which: Any = "right" if right else "left"
    if sorter is not None:
        sequence = numpy.take_along_axis(sequence, sorter, -1)
    if sequence.ndim == 1:
        return numpy.asarray(numpy.searchsorted(sequence, input, which)).astype(numpy.int64)
    count = numel(sequence.shape[:-1])
    rows = sequence.reshape(count, sequence.shape[-1])
    values = input.reshape(count, input.shape[-1])
    found = [numpy.searchsorted(row, value, which) for row, value in zip(rows, values, strict=True)]
    return numpy.array(found, numpy.int64).reshape(input.shape)


_common = Rule("promoted", "never", promoted.decide)

operator(
    "searchsorted.places",
    lambda xp, sequence, input, right, side, sorter: _searched(
        sequence, xp.asarray(input), right, side, sorter
    ),
    kinds={"sequence": "tensor", "input": "operand", "sorter": "index?"}, dtype=_common,
    result=dtypes.int64, differentiable=False, function=False, method=False, out=False,
    doc="The places at which values would go into a sorted sequence.",
)  # fmt: skip


def _narrow(o: Any, places: Any, small: bool) -> Any:
    return o.to_copy(places, dtypes.int32) if small else places


def _searchsorted(
    o: Any, sorted_sequence: Any, input: Any, *, out_int32: bool = False, right: bool = False,
    side: str | None = None, sorter: Any = None,
) -> Any:  # fmt: skip
    return _narrow(o, o.searchsorted_places(sorted_sequence, input, right, side, sorter), out_int32)


def _bucketize(
    o: Any, input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False
) -> Any:
    if boundaries.ndim != 1:
        raise ShapeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return _narrow(o, o.searchsorted_places(boundaries, input, right, None, None), out_int32)


for _label, _kind in (("", "tensor"), (".Scalar", "scalar")):
    composite(
        f"searchsorted{_label}", _searchsorted, method=False,
        kinds={
            "sorted_sequence": "tensor", "input": _kind, "out_int32": "bool", "right": "bool",
            "side": "str?", "sorter": "index?",
        },
        doc="The places at which values would go into a sorted sequence.",
    )  # fmt: skip
    composite(
        f"bucketize{_label}", _bucketize, method=False,
        kinds={"input": _kind, "boundaries": "tensor", "out_int32": "bool", "right": "bool"},
        doc="The number of the interval between boundaries that each value is in.",
    )  # fmt: skip


def _isin(xp: Any, elements: Any, tests: Any, invert: bool) -> Any:
    return numpy.isin(xp.asarray(elements), xp.asarray(tests), invert=invert)


def check_isin(elements: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False) -> None:
    """Raise PyTorch's error for dtypes without an order."""
    for value in (elements, test_elements):
        if isinstance(value, Tensor) and value._type.dtype in (dtypes.bool_, *_COMPLEX):
            raise DTypeError(f"Unsupported input type encountered for isin(): {value._type.dtype.title}")


_COMPLEX: Final = (dtypes.complex64, dtypes.complex128)


operator(
    "isin",
    lambda xp, elements, test_elements, *, assume_unique=False, invert=False: _isin(
        xp, elements, test_elements, invert
    ),
    kinds={"elements": "tensor", "test_elements": "tensor", "assume_unique": "bool",
           "invert": "bool"},
    check=check_isin, dtype=_common, result=dtypes.bool_, differentiable=False, method=False,
    doc="Whether each element is one of the test elements.",
)  # fmt: skip
operator(
    "isin.Scalar_Tensor",
    lambda xp, element, test_elements, *, assume_unique=False, invert=False: _isin(
        xp, element, test_elements, invert
    ),
    kinds={"element": "scalar", "test_elements": "tensor", "assume_unique": "bool",
           "invert": "bool"},
    check=check_isin, dtype=_common, result=dtypes.bool_, differentiable=False, method=False,
    doc="Whether the number is one of the test elements.",
)  # fmt: skip
operator(
    "isin.Tensor_Scalar",
    lambda xp, elements, test_element, *, assume_unique=False, invert=False: _isin(
        xp, elements, test_element, invert
    ),
    kinds={"elements": "tensor", "test_element": "scalar", "assume_unique": "bool",
           "invert": "bool"},
    check=check_isin, dtype=_common, result=dtypes.bool_, differentiable=False, method=False,
    doc="Whether each element is the number.",
)  # fmt: skip
