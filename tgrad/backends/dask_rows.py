"""The rows that have a form of their own on lazy arrays; elementwise ones and views need none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import dask.array
import numpy

from tgrad.backends import dask_reductions as reductions
from tgrad.backends.dask_arrays import Lazy, refused
from tgrad.backends.dask_batches import BATCHES
from tgrad.backends.dask_blocks import (
    LONGEST,
    Forward,
    Hole,
    Row,
    Work,
    axes_of,
    blockwise,
    elementwise,
    given,
    in_one,
    sample,
    several,
    split,
)
from tgrad.backends.dask_losses import LOSSES
from tgrad.backends.dask_names import call, full, full_like
from tgrad.backends.dask_shapes import SHAPES

# ---------------------------------------------------------------- reductions


def reduction(function: Callable[..., Lazy]) -> Row:
    """A row `(input, dim, keepdim)` of a function `(input, axes, keepdims)`."""

    def row(op: Any, *args: Any, **keywords: Any) -> Any:
        found = sample(op, args, keywords)
        options = given(op, args, keywords)
        input = options["input"]
        axes = axes_of(options.get("dim"), input.ndim)
        result = function(input, axes, options.get("keepdim") is True)
        return result.astype(numpy.asarray(found).dtype, copy=False)

    return row


def _vector_norm(
    op: Any, input: Lazy, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    found = numpy.asarray(sample(op, (input, ord, dim, keepdim), {"dtype": dtype}))
    axes = axes_of(dim, input.ndim)
    size = call("absolute", input)
    if math.isinf(ord):
        result = (reductions.amax if ord > 0 else reductions.amin)(size, axes, keepdim)
    elif ord == 0:
        result = reductions.count_nonzero(input, axes, keepdim)
    elif ord == 1:
        result = reductions.sum(size, axes, keepdim)
    else:
        wide = size.astype("float64", copy=False)
        powers = call("multiply", wide, wide) if ord == 2 else call("power", wide, float(ord))
        total = reductions.sum(powers, axes, keepdim)
        result = call("sqrt", total) if ord == 2 else call("power", total, 1.0 / ord)
    return result.astype(found.dtype, copy=False)


def _logsumexp(op: Any, input: Lazy, dim: Any, keepdim: bool = False) -> Any:
    found = numpy.asarray(sample(op, (input, dim, keepdim), {}))
    axes = axes_of(dim, input.ndim)
    if not input.size:
        empty = reductions.sum(call("exp", input), axes, keepdim)
        return call("log", empty).astype(found.dtype, copy=False)
    most = reductions.amax(input.real, axes, True)
    most = call("where", call("isinf", most), most.dtype.type(0), most)
    total = reductions.sum(call("exp", call("subtract", input, most)), axes, True)
    result = call("add", call("log", total), most)
    if not keepdim:
        result = result.squeeze(axes)
    return result.astype(found.dtype, copy=False)


def _spread(root: bool, both: bool) -> Row:
    def row(op: Any, input: Lazy, dim: Any = None, *, correction: Any = None, keepdim: bool = False) -> Any:
        sample(op, (input, dim), {"correction": correction, "keepdim": keepdim})
        axes = axes_of(dim, input.ndim)
        real = input.real.dtype
        count = math.prod(input.shape[a] for a in axes)
        degrees = max(count - (1 if correction is None else correction), 0)
        kind = "complex128" if real != input.dtype else "float64"
        found = Lazy(dask.array.var(input.graph, axis=axes, keepdims=keepdim, dtype=kind)).real
        found = call("divide", call("multiply", found, numpy.float64(count)), numpy.float64(degrees))
        found = (call("sqrt", found) if root else found).astype(real, copy=False)
        return (found, reductions.mean(input, axes, keepdim)) if both else found

    return row


def _extreme_along(largest: bool) -> Row:
    def row(op: Any, input: Lazy, dim: int, keepdim: bool = False) -> Any:
        sample(op, (input, dim, keepdim), {})
        if not input.ndim:
            return input.copy(), full((), 0, "int64")
        function = reductions.amax if largest else reductions.amin
        return function(input, dim, keepdim), reductions.place(input, dim % input.ndim, keepdim, largest)

    return row


def _aminmax(op: Any, input: Lazy, *, dim: Any = None, keepdim: bool = False) -> Any:
    sample(op, (input,), {"dim": dim, "keepdim": keepdim})
    axes = axes_of(dim, input.ndim)
    return reductions.amin(input, axes, keepdim), reductions.amax(input, axes, keepdim)


def _place(largest: bool) -> Row:
    def row(op: Any, input: Lazy, dim: Any = None, keepdim: bool = False) -> Any:
        sample(op, (input, dim, keepdim), {})
        if not input.ndim:
            return full((), 0, "int64")
        if dim is None:
            found = reductions.place(input.reshape(-1), 0, False, largest)
            return found.reshape((1,) * input.ndim) if keepdim else found
        return reductions.place(input, dim % input.ndim, keepdim, largest)

    return row


def _truth(name: str) -> Row:
    function = reduction(getattr(reductions, name))

    def row(op: Any, *args: Any, **keywords: Any) -> Any:
        options = given(op, args, keywords)
        if options.get("dim") == ():
            return call("not_equal", options["input"], 0)
        return function(op, *args, **keywords)

    return row


def _nansum(input: Lazy, axes: Any, keepdim: bool) -> Lazy:
    if input.dtype.kind in "fV":
        input = call("where", call("isnan", input), input.dtype.type(0), input)
    return reductions.sum(input, axes, keepdim, dtype=input.dtype)


# ---------------------------------------------------------------- along a dimension


def along(op: Any, *args: Any, **keywords: Any) -> Any:
    """A row that works along one dimension, which is brought into one chunk, by its own kernel."""
    options = given(op, args, keywords)
    holes, arrays = split(args)
    first = arrays[0]
    dim = options["dim"]
    found = sample(op, args, keywords, () if dim is None else (dim,))
    at = dim % first.ndim if first.ndim else 0
    if first.ndim and first.shape[at] * first.itemsize > LONGEST:
        raise refused(f"'{op.public}' along a dimension of {first.shape[at]} elements")
    pairs: list[Any] = []
    for number, array in enumerate(arrays):
        rest = [n for d, n in enumerate(array.shape) if d != at]
        if array.ndim != first.ndim or rest != [n for d, n in enumerate(first.shape) if d != at]:
            raise refused(f"'{op.public}' of tensors that differ in other dimensions than {at}")
        labels = [first.ndim + 1 + number if d == at else d for d in range(array.ndim)]
        pairs += [in_one(array.graph, at), labels]
    part = found[0] if isinstance(found, tuple) else found
    ndim = numpy.ndim(part)
    out = [d for d in range(first.ndim) if d != at]
    new = {}
    if ndim == first.ndim and ndim:
        out.insert(at, first.ndim)
        new = {first.ndim: part.shape[at]}
    result = tuple(map(numpy.asarray, found)) if isinstance(found, tuple) else numpy.asarray(found)
    return several(
        Work(Forward(op), holes, keywords), tuple(out), pairs, result, new_axes=new, concatenate=True
    )


class Put:
    """`put_chosen` in a chunk, which has its own size in all dimensions but one."""

    def __init__(self, forward: Forward, dim: int, size: int) -> None:
        self.forward = forward
        self.dim = dim
        self.size = size

    def __call__(self, input: Any, indices: Any) -> Any:
        shape = list(input.shape)
        shape[self.dim] = self.size
        return self.forward(input, indices, tuple(shape), self.dim)


def _put_chosen(op: Any, input: Lazy, indices: Lazy, size: Sequence[int], dim: int) -> Lazy:
    if not size:
        return input.copy()
    at = dim % len(size)
    labels = [[len(size) + number if d == at else d for d in range(len(size))] for number in (0, 1, 2)]
    pairs = (in_one(input.graph, at), labels[0], in_one(indices.graph, at), labels[1])
    work = Work(Put(Forward(op), at, size[at]), (Hole(0), Hole(1)), {})
    return Lazy(
        blockwise(
            work, tuple(labels[2]), pairs, input.dtype, new_axes={labels[2][at]: size[at]}, concatenate=True
        )
    )


def _cumulative(name: str) -> Row:
    def row(op: Any, input: Lazy, dim: int, *, dtype: Any = None) -> Any:
        found = sample(op, (input, dim), {"dtype": dtype})
        if not input.ndim:
            return input.copy()
        if len(input.graph.chunks[dim]) == 1:
            return along(op, input, dim, dtype=dtype)
        return Lazy(getattr(dask.array, name)(input.graph, axis=dim, dtype=found.dtype))

    return row


def _addr(op: Any, input: Lazy, vec1: Lazy, vec2: Lazy, **factors: Any) -> Any:
    return elementwise(Addr(Forward(op), factors), (input, vec1.reshape(-1, 1), vec2))


class Addr:
    """`addr` in a chunk, whose first vector has become a column."""

    def __init__(self, forward: Forward, factors: dict[str, Any]) -> None:
        self.forward = forward
        self.factors = factors

    def __call__(self, input: Any, column: Any, row: Any) -> Any:
        return self.forward(input, column[:, 0], row, **self.factors)


def _in_one_piece(op: Any, input: Lazy, *args: Any, **keywords: Any) -> Any:
    """A row on an array in one chunk."""
    if input.nbytes > LONGEST:
        raise refused(f"'{op.public}' of {input.size} elements")
    found = sample(op, (input, *args), keywords)
    work = Work(Forward(op), (Hole(0), *args), keywords)
    graph = input.graph.rechunk(-1) if input.ndim else input.graph
    pairs = (graph, tuple(range(input.ndim)))
    return Lazy(blockwise(work, (), pairs, numpy.asarray(found).dtype, concatenate=True))


ROWS: Final[dict[str, Row]] = {
    "max": reduction(reductions.amax), "min": reduction(reductions.amin),
    "amax": reduction(reductions.amax), "amin": reduction(reductions.amin),
    "max.dim": _extreme_along(True), "min.dim": _extreme_along(False),
    "argmax": _place(True), "argmin": _place(False),
    "aminmax": _aminmax,
    **{f"any{end}": _truth("any") for end in ("", ".dim", ".int")},
    **{f"all{end}": _truth("all") for end in ("", ".dim", ".int")},
    "prod": reduction(reductions.prod), "prod.dim": reduction(reductions.prod),
    "nansum": reduction(_nansum),
    **dict.fromkeys(("count_nonzero", "count_nonzero.dims"), reduction(reductions.count_nonzero)),
    "logsumexp": _logsumexp, "linalg_vector_norm": _vector_norm,
    "var.correction": _spread(False, False), "std.correction": _spread(True, False),
    "var_mean.correction": _spread(False, True), "std_mean.correction": _spread(True, True),
    "cumsum": _cumulative("cumsum"), "cumprod": _cumulative("cumprod"),
    **dict.fromkeys(
        ("_softmax", "_log_softmax", "_softmax_backward_data", "_log_softmax_backward_data", "_safe_softmax",
         "glu", "cummax", "cummin", "logcumsumexp", "sort", "sort.stable", "argsort", "argsort.stable",
         "topk", "kthvalue", "mode", "median.dim", "nanmedian.dim", "gather"), along,
    ),
    "put_chosen": _put_chosen,
    "addr": _addr, "median": _in_one_piece, "nanmedian": _in_one_piece,
    **SHAPES,
    "zero_gradient": lambda op, input: full_like(input, 0), "_zero": lambda op, input: full_like(input, 0),
    **LOSSES, **BATCHES,
    "trace": lambda op, input: reductions.sum(Lazy(dask.array.diagonal(input.graph)), dtype=input.dtype),
}  # fmt: skip
"""By a row's name what computes it, given the row and its arguments."""

BY_ELEMENT: Final = frozenset(("_mul_number", "_add_number", "_div_number", "_zeros_of", "_constant"))
"""Rows that are elementwise on arrays, and don't say so."""

COMPOSED: Final = frozenset((
    "sum", "sum.dim", "mean", "mean.dim", "_fill_number", "_fill_tensor", "fill", "fill.tensor", "_copy",
    "mm", "bmm", "mv", "dot", "vdot", "addmm", "addmv", "addbmm", "baddbmm", "_unsafe_view", "_squeeze_first",
    "unsafe_view", "conj_copy",
))  # fmt: skip
"""Rows whose forwards are made of other functions that arrays of this device have."""
