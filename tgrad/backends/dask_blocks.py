"""Functions on the chunks of lazy arrays: element by element, or with some dimensions whole.

What is computed in a chunk are tgrad's own kernels on NumPy, so that values are those of the CPU to the bit.
The functions travel to the workers of a cluster: those of rows by the rows' names.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

import dask.array
import numpy

from tgrad.backends import numpy_
from tgrad.backends.dask_arrays import Lazy
from tgrad.backends.narrow import rounded, wide


class Hole:
    """Stands for an array among the arguments of a function."""

    def __init__(self, number: int) -> None:
        self.number = number


class Work:
    """A function of some of its arguments, the others being given; NumPy warns of nothing in it."""

    def __init__(self, function: Callable[..., Any], args: Sequence[Any], keywords: dict[str, Any]) -> None:
        self.function = function
        self.args = args
        self.keywords = keywords

    def __call__(self, *arrays: Any) -> Any:
        given = [arrays[a.number] if type(a) is Hole else a for a in self.args]
        with numpy.errstate(all="ignore"):
            return self.function(*given, **self.keywords)


class Elementwise(Work):
    """The same for functions whose result has the shape that the arrays are broadcast to."""

    def __call__(self, *arrays: Any) -> Any:
        found = super().__call__(*arrays)
        shape = numpy.broadcast_shapes(*[array.shape for array in arrays])
        if type(found) is tuple:
            return tuple([_whole(part, shape) for part in found])
        return _whole(found, shape)


def _whole(found: Any, shape: tuple[int, ...]) -> Any:
    found = numpy.asarray(found)
    return found if found.shape == shape else numpy.broadcast_to(found, shape)


class Forward:
    """A row's forward on NumPy, for a narrow dtype or any other."""

    def __init__(self, op: Any, narrow: Any = None) -> None:
        self.op = op
        self.narrow = narrow

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        if self.narrow is None:
            return self.op.forward(numpy_, *args, **keywords)
        given = [wide(x) for x in args]
        options = {name: wide(x) for name, x in keywords.items()}
        return rounded(self.op.forward(numpy_, *given, **options), self.narrow)

    def __reduce__(self) -> Any:
        return _forward, (self.op.name, self.narrow)


def _forward(name: str, narrow: Any) -> Forward:
    return Forward(row(name), narrow)


def row(name: str) -> Any:
    """A row by its name."""
    import_module("tgrad.ops.install").install()
    return import_module("tgrad.ops.table").TABLE[name]


class Formulas:
    """The gradients of a row's operands, as its formulas give them for NumPy's arrays."""

    def __init__(self, op: Any, wanted: Sequence[bool]) -> None:
        self.op = op
        self.edges = [True if w else None for w in wanted]
        self.number = list(wanted).index(True)

    def __call__(self, g: Any, *saved: Any) -> Any:
        derivative = import_module("tgrad.ops.derivative")
        tensor = import_module("tgrad.core.gradients").wrapped
        node = derivative.node_classes(self.op)[0]
        inner = node()
        inner.saved = tuple([tensor(x) if type(x) is numpy.ndarray else x for x in saved])
        inner.versions = None
        return node.raw(inner, g, self.edges)[self.number]

    def __reduce__(self) -> Any:
        return _formulas, (self.op.name, [edge is not None for edge in self.edges])


def _formulas(name: str, wanted: Sequence[bool]) -> Formulas:
    return Formulas(row(name), wanted)


# ---------------------------------------------------------------- arrays


def split(args: Sequence[Any]) -> tuple[list[Any], list[Lazy]]:
    """Arguments with holes in the places of arrays of this device, and these arrays."""
    arrays: list[Lazy] = []
    given = []
    for value in args:
        if type(value) is Lazy:
            given.append(Hole(len(arrays)))
            arrays.append(value)
        else:
            given.append(value)
    return given, arrays


def tiny(array: Lazy, keep: Sequence[int] = ()) -> Any:
    """A NumPy array of ones with few elements, and as many dimensions as a lazy one.

    Dimensions of size 0 and 1, and those to keep, have their size; others 2.
    """
    kept = {dim % max(array.ndim, 1) for dim in keep}
    shape = [n if dim in kept else min(n, 2) for dim, n in enumerate(array.shape)]
    return numpy.ones(shape, array.dtype)


def elementwise(
    function: Callable[..., Any], args: Sequence[Any], keywords: dict[str, Any] | None = None
) -> Any:
    """An elementwise function on chunks of the lazy arrays among its arguments, broadcast; a tuple of several.

    ValueError where the shapes don't broadcast.
    """
    given, arrays = split(args)
    shape = numpy.broadcast_shapes(*[array.shape for array in arrays])
    work = Elementwise(function, given, keywords or {})
    sample = work(*[tiny(array) for array in arrays])
    indices = tuple(range(len(shape)))[::-1]
    pairs = [x for array in arrays for x in (array.graph, tuple(range(array.ndim))[::-1])]
    return several(work, indices, pairs, sample)


def several(work: Any, out: tuple[int, ...], pairs: Sequence[Any], sample: Any, **options: Any) -> Any:
    """`blockwise`, for functions with one result or a tuple of them, whose dtypes are those of a sample's."""
    if type(sample) is not tuple:
        return Lazy(blockwise(work, out, pairs, sample.dtype, **options))
    whole = dask.array.blockwise(
        work, out, *pairs, dtype=object, meta=numpy.empty((0,) * len(out), object), **options
    )
    return tuple(
        Lazy(blockwise(partial(_part, number), out, (whole, out), part.dtype))
        for number, part in enumerate(sample)
    )


def _part(number: int, parts: Any) -> Any:
    return operator.getitem(parts, number)


def blockwise(work: Any, out: tuple[int, ...], pairs: Sequence[Any], dtype: Any, **options: Any) -> Any:
    """`dask.array.blockwise` with a function of known dtype, which isn't tried out."""
    return dask.array.blockwise(
        work, out, *pairs, dtype=dtype, meta=numpy.empty((0,) * len(out), dtype), **options
    )


def whole(array: Any, dims: Sequence[int]) -> Any:
    """A Dask array with one chunk along some dimensions."""
    wanted = {dim: -1 for dim in dims if array.ndim and len(array.chunks[dim]) > 1}
    return array.rechunk(wanted) if wanted else array
