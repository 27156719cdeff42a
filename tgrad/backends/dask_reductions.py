"""Sums, extremes and products of lazy arrays: results for each chunk, joined as a tree.

Sums of chunks are joined in double precision and rounded once.  A sum in one chunk is the CPU's to the bit;
one over several is rounded otherwise than a sum in one piece, by as little as the order of additions changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask.array
import numpy

from tgrad.backends import products, sums
from tgrad.backends.dask_arrays import Lazy
from tgrad.backends.dask_blocks import blockwise, elementwise
from tgrad.backends.narrow import is_narrow
from tgrad.backends.threads import alone

Axes = tuple[int, ...] | None


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(sorted(a % ndim for a in given))


class Joined:
    """A function of a chunk and its axes, or of several chunks' results."""

    def __init__(self, function: Callable[..., Any], before: Any = None, after: Any = None) -> None:
        self.function = function
        self.before = before
        self.after = after

    def __call__(self, array: Any, axis: Any = None, keepdims: bool = False) -> Any:
        with alone():
            if self.before is not None:
                array = array.astype(self.before)
            found = numpy.asarray(self.function(array, axis, keepdims))
            return found if self.after is None else found.astype(self.after)


def _sum(array: Any, axis: Any, keepdims: bool) -> Any:
    axes = None if axis is None or len(axis) == array.ndim else tuple(axis)
    return sums.sum(array, axes, keepdims)


def _native(function: Callable[..., Any]) -> Callable[..., Any]:
    def reduced(array: Any, axis: Any, keepdims: bool) -> Any:
        return function(array, axis=axis, keepdims=keepdims)

    return reduced


class Native:
    """A reduction of NumPy's, by its name."""

    def __init__(self, name: str, **options: Any) -> None:
        self.name = name
        self.options = options

    def __call__(self, array: Any, axis: Any, keepdims: bool) -> Any:
        return getattr(numpy, self.name)(array, axis=axis, keepdims=keepdims, **self.options)


def joined(
    input: Lazy, axis: Any, keepdims: bool, dtype: Any, chunk: Callable[..., Any], join: Callable[..., Any],
    between: Any = None,
) -> Lazy:  # fmt: skip
    """A reduction: `chunk` for each chunk, `join` for several results, which are of the dtype `between`."""
    graph = input.graph
    axes = _axes(axis, graph.ndim)
    between = dtype if between is None else between
    if {len(graph.chunks[a]) for a in axes} <= {1}:
        between = dtype
    wider = numpy.float32 if is_narrow(graph.dtype) else None
    found = dask.array.reduction(
        graph, Joined(chunk, wider, between), Joined(join, None, dtype), axes, keepdims, dtype,
        combine=Joined(join, None, between), concatenate=True, meta=numpy.empty((0,) * graph.ndim, dtype),
    )  # fmt: skip
    return Lazy(found)


def _between(dtype: Any) -> Any:
    kind = numpy.dtype(dtype)
    if kind.kind == "c":
        return numpy.dtype("complex128")
    return numpy.dtype("float64") if kind.kind in "fV" else kind


def sum(input: Lazy, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Lazy:
    """Sums."""
    kind = numpy.dtype(dtype or (input.dtype if input.dtype.kind in "fcV" else "int64"))
    return joined(input, axis, keepdims, kind, _sum, _sum, _between(kind))


def mean(input: Lazy, axis: Any = None, keepdims: bool = False) -> Lazy:
    """Means: sums, divided in double precision."""
    total = joined(input, axis, keepdims, _between(input.dtype), _sum, _sum)
    count = input.size // max(total.size, 1) if total.size else 0
    for a in _axes(axis, input.ndim) if not total.size else ():
        count = (count or 1) * input.shape[a]
    return elementwise(Divided(count, input.dtype), (total,))  # type: ignore[no-any-return]


class Divided:
    """Division by a number, and conversion."""

    def __init__(self, by: Any, dtype: Any) -> None:
        self.by = by
        self.dtype = dtype

    def __call__(self, array: Any) -> Any:
        return (array / numpy.float64(self.by)).astype(self.dtype)


def _extreme(name: str) -> Callable[..., Lazy]:
    def function(input: Lazy, axis: Any = None, keepdims: bool = False) -> Lazy:
        return joined(input, axis, keepdims, input.dtype, Native(name), Native(name))

    return function


amax, amin = _extreme("max"), _extreme("min")


def _truth(name: str) -> Callable[..., Lazy]:
    def function(input: Lazy, axis: Any = None, keepdims: bool = False) -> Lazy:
        return joined(input, axis, keepdims, numpy.dtype(bool), Native(name), Native(name))

    return function


any, all = _truth("any"), _truth("all")


def prod(input: Lazy, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Lazy:
    """Products."""
    kind = numpy.dtype(dtype or (input.dtype if input.dtype.kind in "fcV" else "int64"))
    return joined(input, axis, keepdims, kind, Native("prod"), Native("prod"))


def count_nonzero(input: Lazy, axis: Any = None, keepdims: bool = False) -> Lazy:
    """How many elements aren't 0."""
    kind = numpy.dtype("int64")
    return joined(input, axis, keepdims, kind, Native("count_nonzero"), Native("sum"))


def place(input: Lazy, axis: int | None, keepdims: bool, largest: bool) -> Lazy:
    """The index of the first extreme element."""
    function = dask.array.argmax if largest else dask.array.argmin
    return Lazy(function(input.graph, axis=axis, keepdims=keepdims).astype("int64"))


# ---------------------------------------------------------------- products


class Product:
    """The product of two chunks, with the dimension over which it sums kept, of size 1."""

    def __init__(self, kept: int) -> None:
        self.kept = kept

    def __call__(self, a: Any, b: Any) -> Any:
        with alone():
            return numpy.expand_dims(products.matmul(a, b), self.kept)


def matmul(a: Lazy, b: Lazy) -> Lazy:
    """The product of two matrices, of batches of matrices, or with vectors."""
    if a.ndim == 1 and b.ndim == 1:
        return matmul(a.reshape(1, -1), b.reshape(-1, 1)).reshape(())
    if a.ndim == 1:
        return matmul(a.reshape(1, -1), b).reshape((*b.shape[:-2], b.shape[-1]))
    if b.ndim == 1:
        return matmul(a, b.reshape(-1, 1)).reshape(a.shape[:-1])
    ndim = max(a.ndim, b.ndim)
    batch = tuple(range(ndim - 2))
    row, column, inner = ndim, ndim + 1, ndim + 2
    pairs = (
        a.graph, (*batch[ndim - a.ndim :], row, inner), b.graph, (*batch[ndim - b.ndim :], inner, column)
    )  # fmt: skip
    parts = blockwise(
        Product(ndim - 1), (*batch, row, inner, column), pairs, a.dtype, adjust_chunks={inner: lambda n: 1}
    )
    return sum(Lazy(parts), ndim - 1, dtype=a.dtype)


def dot(a: Lazy, b: Lazy) -> Lazy:
    """The inner product of two vectors."""
    return matmul(a, b)
