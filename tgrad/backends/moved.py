"""Large copies in another order: reversed, repeated, of a triangle; and where elements aren't zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy

from tgrad.backends.threads import each

Array: TypeAlias = Any  # an ndarray

BLOCK: Final = 1 << 17
"""So many elements are copied at a time."""

BAND: Final = 64
"""So many rows of a triangle are copied at a time: the part where they differ stays small."""

FEW: Final = 16
"""Up to so many repetitions of an element are written one by one."""


def copy(target: Array, source: Array) -> None:
    """target[...] = source, for arrays of one shape that share no memory."""
    if target.size <= BLOCK:
        target[...] = source
        return
    axis = max(range(target.ndim), key=target.shape.__getitem__)
    lead = (slice(None),) * axis
    size = target.shape[axis]
    times = target.shape[-1] if source.strides[-1] == 0 else 0

    def work(start: int, stop: int) -> None:
        part = (*lead, slice(start, stop))
        if axis < target.ndim - 1 and 0 < times <= FEW:  # NumPy's loop would be as short
            for number in range(times):
                target[part][..., number] = source[part][..., 0]
        else:
            target[part] = source[part]

    each(work, size, max(1, BLOCK * size // target.size))


def row_by_row(source: Array) -> Array:
    """A copy stored row by row."""
    result = numpy.empty(source.shape, source.dtype)
    copy(result, source)
    return result


def repeated(array: Array, repeats: Sequence[int]) -> Array:
    """The array several times in each dimension, stored row by row; there may be more repeats."""
    shape = (1,) * (len(repeats) - array.ndim) + array.shape
    table = array.reshape([part for size in shape for part in (1, size)])
    parts = [part for pair in zip(repeats, shape, strict=True) for part in pair]
    result = row_by_row(numpy.broadcast_to(table, parts))
    return result.reshape([times * size for times, size in zip(repeats, shape, strict=True)])


def triangle(array: Array, diagonal: int, lower: bool) -> Array:
    """Matrices with zeros above (if `lower`) or below a diagonal, stored row by row."""
    result = numpy.zeros(array.shape, array.dtype)
    rows, columns = array.shape[-2:]

    def work(start: int, stop: int) -> None:
        begin = min(max(start + diagonal + lower, 0), columns)
        end = min(max(stop + diagonal - 1 + lower, 0), columns)
        source, target = array[..., start:stop, :], result[..., start:stop, :]
        whole = slice(0, begin) if lower else slice(end, columns)
        target[..., whole] = source[..., whole]
        ends = numpy.arange(start + diagonal, stop + diagonal)[:, None]
        places = numpy.arange(begin, end)
        kept = places <= ends if lower else places >= ends
        numpy.copyto(target[..., begin:end], source[..., begin:end], where=kept)

    each(work, rows, BAND)
    return result


def nonzero(array: Array) -> Array:
    """The indices of the elements that aren't zero, one column for each of them."""
    if array.ndim < 2 or not array.flags.c_contiguous:
        return numpy.array(array.nonzero(), numpy.int64)
    rest = numpy.flatnonzero(array)
    found = numpy.empty((array.ndim, len(rest)), numpy.int64)
    for dim in range(array.ndim - 1):
        below = math.prod(array.shape[dim + 1 :])
        numpy.floor_divide(rest, max(below, 1), out=found[dim])
        rest -= found[dim] * below
    found[-1] = rest
    return found
