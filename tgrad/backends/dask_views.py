"""Views of arrays on `dask`: the steps of which they are made, and the rows that are views."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Final

import dask.array
import numpy

from tgrad.backends import numpy_
from tgrad.backends.dask_arrays import SMALL, Data, Lazy, Step, filled, refused, sizes

Shape = tuple[int, ...]


class Piece(Step):
    """Indices and slices."""

    def __init__(self, index: tuple[Any, ...]) -> None:
        self.index = index

    def forth(self, data: Data) -> Data:
        """The piece."""
        found = data[self.index]
        return numpy.asarray(found) if not isinstance(found, dask.array.Array) else found

    def back(self, data: Data, piece: Data) -> Data:
        """A copy with another piece."""
        whole = data.copy()
        whole[self.index] = piece
        return whole


class Turned(Step):
    """The dimensions in another order."""

    def __init__(self, order: Shape) -> None:
        self.order = order

    def forth(self, data: Data) -> Data:
        """The dimensions in the order."""
        return data.transpose(self.order)

    def back(self, data: Data, piece: Data) -> Data:
        """The dimensions in the order that they had."""
        return piece.transpose([self.order.index(dim) for dim in range(len(self.order))])


class Shaped(Step):
    """Another shape."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def forth(self, data: Data) -> Data:
        """The shape."""
        return reshaped(data, self.shape)

    def back(self, data: Data, piece: Data) -> Data:
        """The shape that it had."""
        return reshaped(piece, data.shape)


class Repeated(Step):
    """Dimensions of size 1, and new ones in front, repeated."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def forth(self, data: Data) -> Data:
        """The repeated array; lazy if it is large."""
        if type(data) is numpy.ndarray:
            count = data.itemsize
            for size in self.shape:
                count *= size
            if count <= SMALL:
                return numpy.broadcast_to(data, self.shape)
            if data.size == 1:
                return filled(self.shape, data.reshape(())[()], data.dtype)
            data = dask.array.from_array(data, chunks=-1, name=False)
        return dask.array.broadcast_to(data, self.shape, _repeated_chunks(data, self.shape))


def _repeated_chunks(data: Any, shape: Shape) -> tuple[Any, ...]:
    """The chunks of a repeated array: its own where it isn't repeated."""
    chunks = sizes(shape, data.dtype)
    extra = len(shape) - data.ndim
    return tuple(
        chunks[dim] if dim < extra or data.shape[dim - extra] != size else data.chunks[dim - extra]
        for dim, size in enumerate(shape)
    )


class Diagonal(Step):
    """The diagonal of two dimensions."""

    def __init__(self, offset: int, first: int, second: int) -> None:
        self.given = (offset, first, second)

    def forth(self, data: Data) -> Data:
        """The diagonal."""
        if type(data) is numpy.ndarray:
            return data.diagonal(*self.given)
        return dask.array.diagonal(data, *self.given)

    def back(self, data: Data, piece: Data) -> Data:
        """A copy with another diagonal: of a matrix."""
        offset, first, second = self.given
        if data.ndim != 2 or (first, second) != (0, 1):
            raise refused("a diagonal of batches, written to,")
        rows = dask.array.arange(data.shape[0]).reshape(-1, 1)
        on = dask.array.arange(data.shape[1]) - rows == offset
        along = dask.array.pad(dask.array.asarray(piece), (0, max(data.shape)), "constant")
        start = max(-offset, 0)
        lines = dask.array.pad(along, (start, 0), "constant")[: data.shape[0]].reshape(-1, 1)
        return dask.array.where(on, lines, data).astype(data.dtype)


def reshaped(data: Data, shape: Shape) -> Data:
    """An array in another shape."""
    if type(data) is numpy.ndarray:
        return data.reshape(shape)
    if data.shape == shape:
        return data
    if 0 in shape:
        return dask.array.zeros(shape, dtype=data.dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about chunks that get larger
        try:
            return data.reshape(shape)
        except NotImplementedError:  # it isn't merging and splitting of dimensions alone
            return data.reshape(-1).reshape(shape)


def piece_of(shape: Shape, index: Any) -> Step:
    """The step for an index of numbers, slices, None and `...`; refused for others."""
    parts = list(index) if isinstance(index, tuple) else [index]
    used = sum(part is not None and part is not ... for part in parts)
    if used > len(shape):
        raise IndexError(f"too many indices for array of dimension {len(shape)}")
    if ... in parts:
        at = parts.index(...)
        parts[at : at + 1] = [slice(None)] * (len(shape) - used)
    else:
        parts += [slice(None)] * (len(shape) - used)
    if None in parts:
        rest = [part for part in parts if part is not None]
        if any(part != slice(None) for part in rest):
            raise refused("an index with None among numbers")
        left = iter(shape)
        return Shaped(tuple(1 if part is None else next(left) for part in parts))
    found: list[Any] = []
    for part, size in zip(parts, shape, strict=True):
        if isinstance(part, slice):
            found.append(part)
            continue
        try:
            place = operator.index(part)
        except TypeError:
            raise refused("picking elements by a tensor") from None
        if not -size <= place < size:
            raise IndexError(f"index {place} is out of bounds for axis with size {size}")
        found.append(place % size)
    return Piece(tuple(found))


# ---------------------------------------------------------------- rows


def likeness(array: Lazy) -> Any:
    """A NumPy array of a lazy one's shape and dtype, only to be looked at: there is no memory behind it."""
    return numpy.lib.stride_tricks.as_strided(numpy.empty(1, array.dtype), array.shape, array.strides)


def steps(op: Any, input: Lazy, *args: Any, **keywords: Any) -> list[Step]:
    """The steps from an array to the views that a row makes of it; raises the row's errors."""
    given = {p.name: p.default for p in op.parameters[1:]}
    given.update(zip([p.name for p in op.parameters[1:]], args, strict=False))
    given.update(keywords)
    make = _STEPS.get(op.name)
    if make is None:
        raise refused(f"'{op.public}'")
    made = op.forward(numpy_, likeness(input), *args, **keywords)
    return make(input, made, **given)


def _at(input: Lazy, dim: int, part: Any) -> Step:
    dim %= input.ndim
    return Piece((slice(None),) * dim + (part,))


def _selected(input: Lazy, made: Any, dim: int, index: int) -> list[Step]:
    return [_at(input, dim, index % input.shape[dim])]


def _sliced(input: Lazy, made: Any, dim: int, start: Any, end: Any, step: int) -> list[Step]:
    return [_at(input, dim, slice(start, end, step))]


def _unbound(input: Lazy, made: Any, dim: int) -> list[Step]:
    return [_at(input, dim, index) for index in range(len(made))]


def _parts(input: Lazy, made: Any, dim: int, **options: Any) -> list[Step]:
    found, start = [], 0
    for part in made:
        stop = start + part.shape[dim]
        found.append(_at(input, dim, slice(start, stop)))
        start = stop
    return found


def _shaped(input: Lazy, made: Any, **options: Any) -> list[Step]:
    return [Shaped(made.shape)]


def _turned(input: Lazy, made: Any, dim0: int = -1, dim1: int = -2, dims: Sequence[int] = ()) -> list[Step]:
    order = list(range(input.ndim))
    if dims:
        order = [dim % input.ndim for dim in dims]
    elif input.ndim > 1:
        order[dim0], order[dim1] = order[dim1], order[dim0]
    return [Turned(tuple(order))]


_STEPS: Final[dict[str, Callable[..., list[Step]]]] = {
    "_select": _selected,
    "select": _selected,
    "slice": _sliced,
    "unbind": _unbound,
    "_split": _parts,
    "split_with_sizes": _parts,
    "expand": lambda input, made, **options: [Repeated(made.shape)],
    "permute": _turned,
    "transpose": _turned,
    "t": _turned,
    "diagonal": lambda input, made, offset, dim1, dim2: [
        Diagonal(offset, dim1 % input.ndim, dim2 % input.ndim)
    ],
    **dict.fromkeys(
        ("alias", "view", "reshape_alias", "squeeze", "squeeze.dim", "squeeze.dims", "unsqueeze"), _shaped
    ),
}
"""For each row that is a view its steps, given the input, views of a likeness, and the row's parameters."""
SEVERAL: Final = frozenset(("unbind", "_split", "split_with_sizes"))
