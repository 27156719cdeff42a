"""Elements read and written at the places that checked indices name, block by block.

`take` doesn't look for indices out of range in its mode "wrap", and it lets go of Python's lock.  An
index along a dimension is counted as a place among all elements, for a part of it at a time, which
stays in a processor's cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import numpy

from tgrad.backends.folds import spread
from tgrad.backends.threads import each

Array: TypeAlias = Any  # an ndarray

BLOCK: Final = 1 << 16
"""So many elements are moved at a time."""

_UNSIGNED: Final = {1: numpy.uint8, 2: numpy.uint16, 4: numpy.uint32, 8: numpy.uint64}


def within(index: Array, low: int, high: int) -> bool:
    """Whether no entry of an index is below `low`, or as large as `high`."""
    if index.size == 0:
        return True
    if low < 0 and within(index, 0, high):  # as nearly all are: no copy
        return True
    if low:
        index = index - low
    # As unsigned numbers negative ones are the largest.
    return bool(spread(numpy.maximum, index.view(_UNSIGNED[index.itemsize])) < high - low)


def linear(index: Array, dim: int, shape: Sequence[int], start: int = 0) -> Array:
    """The places of an index along a dimension in a shape, counted row by row.

    Its entries are positions in `dim`; their own position, to which `start` is added in the first
    dimension, tells those in the others.  It may be the index itself.
    """
    step = math.prod(shape[dim + 1 :])
    places = index if step == 1 else numpy.multiply(index, step, dtype=numpy.intp)
    for d, size in enumerate(index.shape):
        if d != dim and (size > 1 or start):
            begin = 0 if d else start
            steps = numpy.arange(begin, begin + size) * math.prod(shape[d + 1 :])
            own = None if places is index else places
            places = numpy.add(places, steps.reshape((-1,) + (1,) * (index.ndim - d - 1)), out=own)
    return places


def taken(array: Array, index: Array, axis: int = 0) -> Array:
    """The slices of an axis that a vector lists, stored row by row; negative numbers count from the end."""
    array = numpy.ascontiguousarray(array)
    shape = (*array.shape[:axis], len(index), *array.shape[axis + 1 :])
    result = numpy.empty(shape, array.dtype)
    if result.size == 0:
        return result

    def work(start: int, stop: int) -> None:
        if axis:
            array[start:stop].take(index, axis, result[start:stop], "wrap")
        else:
            array.take(index[start:stop], 0, result[start:stop], "wrap")

    each(work, len(result), max(1, BLOCK * len(result) // result.size))
    return result


def gathered(array: Array, dim: int, index: Array) -> Array:
    """The elements at an index along a dimension, in the index's shape."""
    array = numpy.ascontiguousarray(array)
    flat = array.reshape(-1)
    result = numpy.empty(index.shape, array.dtype)

    def work(start: int, stop: int) -> None:
        flat.take(linear(index[start:stop], dim, array.shape, start), None, result[start:stop], "wrap")

    each(work, len(index), max(1, BLOCK * len(index) // index.size))
    return result


def picked(array: Array, indices: Sequence[Array]) -> Array:
    """array[indices] for a contiguous array and integers for its first dimensions.

    IndexError if one is out of range, ValueError if their shapes don't go together.
    """
    sizes = array.shape[: len(indices)]
    negative = [not within(index, 0, size) for index, size in zip(indices, sizes, strict=True)]
    for index, size, below in zip(indices, sizes, negative, strict=True):
        if below and not within(index, -size, size):
            raise IndexError
    vectors = [index.reshape(-1) for index in numpy.broadcast_arrays(*indices)]
    shape = numpy.broadcast_shapes(*[index.shape for index in indices])
    rest = array.shape[len(indices) :]
    rows = array.reshape(math.prod(sizes), *rest)
    result = numpy.empty((math.prod(shape), *rest), array.dtype)

    def work(start: int, stop: int) -> None:
        places: Any = 0
        for vector, size, below in zip(vectors, sizes, negative, strict=True):
            part = vector[start:stop]
            if below:
                part = numpy.where(part < 0, part + size, part)
            places = places * size + part if len(vectors) > 1 else part
        rows.take(places, 0, result[start:stop], "wrap")

    each(work, len(result), max(1, BLOCK * len(result) // max(1, result.size)))
    return result.reshape(*shape, *rest)


def row_numbers(indices: Sequence[Array], sizes: Sequence[int]) -> Array:
    """Indices of dimensions, of one shape, as numbers of rows; IndexError if one is out of range."""
    numbers: Any = None
    for index, size in zip(indices, sizes, strict=True):
        if not within(index, 0, size):
            if not within(index, -size, size):
                raise IndexError
            index = numpy.where(index < 0, index + size, index)
        index = index.astype(numpy.intp, copy=False)
        numbers = index if numbers is None else numbers * size + index
    return numbers


def at_places(
    target: Array, dim: int, index: Array, values: Array, act: Callable[[Array, Array, Array], Any]
) -> None:
    """`act(elements, places, values)` on all elements as a vector, for parts of an index in order.

    `values` has the index's shape.  Parts are shared among threads where they reach other elements.
    """
    flat = target.reshape(-1)

    def work(start: int, stop: int) -> None:
        places = linear(index[start:stop], dim, target.shape, start).reshape(-1)
        act(flat, places, values[start:stop].reshape(-1))

    rows = len(index)
    block = max(1, BLOCK * rows // index.size)
    if dim:
        each(work, rows, block)
    else:
        for start in range(0, rows, block):
            work(start, min(start + block, rows))
    if not numpy.may_share_memory(flat, target):
        target[...] = flat.reshape(target.shape)
