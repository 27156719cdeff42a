"""Functions on the chunks of lazy arrays: element by element, or with some dimensions whole.

What is computed in a chunk are tgrad's own kernels on NumPy, so that values are those of the CPU to the bit.
The functions travel to the workers of a cluster: those of rows by the rows' names.

Note [Repeated numbers]
    Gradients begin as one number for all elements, as those of a sum and of a mean do.  Cut into chunks
    such an array would be made, sent to workers, and kept in memory until it is used.  So where others say
    what the shape is, elementwise functions are given what is repeated, and the number alone of an array
    that is filled with it.
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
from tgrad.backends.threads import alone

REPEATED = 1 << 16
"""Bytes up to which what is repeated becomes a part of a function."""


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
        with alone():
            return self.function(*given, **self.keywords)

    def __reduce__(self) -> Any:
        keywords = {name: _packed(value) for name, value in self.keywords.items()}
        return _work, (type(self), self.function, list(map(_packed, self.args)), keywords)


def _work(kind: type[Work], function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Work:
    return kind(function, list(map(_unpacked, args)), {n: _unpacked(value) for n, value in keywords.items()})


class Named:
    """Stands for a dtype, or a type of tensors on the CPU, on its way to a worker."""

    def __init__(self, name: str, of_tensors: bool) -> None:
        self.name = name
        self.of_tensors = of_tensors


def _packed(value: Any) -> Any:
    kind = type(value).__name__
    if kind == "TensorType":
        return Named(value.dtype.name, True)
    return Named(value.name, False) if kind == "dtype" and hasattr(value, "is_differentiable") else value


def _unpacked(value: Any) -> Any:
    if type(value) is not Named:
        return value
    import_module("tgrad")
    dtype = getattr(import_module("tgrad.core.dtype"), value.name + ("_" if value.name == "bool" else ""))
    return import_module("tgrad.core.device").tensor_type(dtype) if value.of_tensors else dtype


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
    """An elementwise function on chunks of the lazy arrays among its arguments, which are broadcast.

    ValueError where the shapes don't broadcast.
    """
    given, arrays = split(args)
    shape = numpy.broadcast_shapes(*[array.shape for array in arrays])
    given, arrays = _unrepeated(given, arrays, shape)
    work = Elementwise(function, given, keywords or {})
    sample = work(*[tiny(array) for array in arrays])
    indices = tuple(range(len(shape)))[::-1]
    pairs = [x for array in arrays for x in (array.graph, tuple(range(array.ndim))[::-1])]
    return several(work, indices, pairs, sample)


def _unrepeated(given: list[Any], arrays: list[Lazy], shape: tuple[int, ...]) -> tuple[list[Any], list[Lazy]]:
    """The arguments with what is repeated in the places of arrays: Note [Repeated numbers]."""
    cores = [_core(array) for array in arrays]
    left = [array for array, core in zip(arrays, cores, strict=True) if core is None]
    if len(left) == len(arrays) or not left:
        return given, arrays
    if numpy.broadcast_shapes(*[array.shape for array in left]) != shape:
        return given, arrays
    places = iter(range(len(left)))
    return [
        (Hole(next(places)) if cores[x.number] is None else cores[x.number]) if type(x) is Hole else x
        for x in given
    ], left


def _core(array: Lazy) -> Any:
    """A NumPy array that is the same as this one once it is broadcast; None where there is none."""
    data = array.data
    if type(data) is numpy.ndarray:
        if 0 not in data.strides or not data.size:
            return None
        core = data[tuple([slice(0, 1) if step == 0 else slice(None) for step in data.strides])]
        return core.copy() if core.nbytes <= REPEATED else None
    value = getattr(data, "number", None)
    return None if value is None else numpy.full((1,) * data.ndim, value, data.dtype)


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


# ---------------------------------------------------------------- rows

LONGEST = 1 << 30
"""Bytes up to which a dimension is brought into one chunk."""

Row = Callable[..., Any]


def sample(op: Any, args: Sequence[Any], keywords: dict[str, Any], keep: Sequence[int] = ()) -> Any:
    """The row's result for tiny arrays: for its dtype, and to have its errors raised."""
    given = [tiny(x, keep) if type(x) is Lazy else x for x in args]
    with numpy.errstate(all="ignore"):
        return op.forward(numpy_, *given, **keywords)


def given(op: Any, args: Sequence[Any], keywords: dict[str, Any]) -> dict[str, Any]:
    """A row's arguments by name."""
    found = {p.name: p.default for p in op.parameters}
    found.update(zip([p.name for p in op.parameters], args, strict=False))
    found.update(keywords)
    return found


def axes_of(dim: Any, ndim: int) -> tuple[int, ...]:
    """The dimensions that a reduction is over; all for None and for an empty tuple."""
    if dim is None or dim == ():
        return tuple(range(ndim))
    dims = dim if isinstance(dim, tuple) else (dim,)
    return tuple(sorted({d % ndim for d in dims})) if ndim else ()


def restored(array: Lazy, axes: Sequence[int], ndim: int, keepdim: bool) -> Lazy:
    """What a reduction gave, with the dimensions that it removed."""
    if keepdim or array.ndim == ndim:
        return array
    left = iter(array.shape)
    return array.reshape([1 if d in axes else next(left) for d in range(ndim)])


def in_one(array: Any, dim: int) -> Any:
    """A Dask array with one chunk along a dimension."""
    if not array.ndim or len(array.chunks[dim]) == 1:
        return array
    return array.rechunk({d: -1 if d == dim else "auto" for d in range(array.ndim)})
