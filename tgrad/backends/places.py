"""Elements read and written at the places that checked indices name, block by block.

`take` doesn't look for indices out of range in its mode "wrap", and it lets go of Python's lock.  An
index along a dimension is counted as a place among all elements, for a part of it at a time, which
stays in a processor's cache.
"""

from __future__ import annotations

import math
import operator
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
    if index.size <= BLOCK:  # a few calls are quicker than one operation on other numbers
        return bool(index.item(index.argmin()) >= low and index.item(index.argmax()) < high)
    if low < 0 and within(index, 0, high):  # as nearly all are: no copy
        return True
    if low:
        index = index - low
    # As unsigned numbers negative ones are the largest.
    return bool(spread(numpy.maximum, index.view(_UNSIGNED[index.itemsize])) < high - low)


def outside(index: Array, low: int, high: int) -> int | None:
    """The first entry of an index below `low` or as large as `high`; None if there is none."""
    if within(index, low, high):
        return None
    return int(index[(index < low) | (index >= high)][0])


put: Final = operator.setitem
"""target[places] = values, for places that are known to be there; of several for one the last stays."""

put_checked: Final = operator.setitem
"""The same, but IndexError if a place isn't there."""


def _by_parts(
    flat: Array,
    shape: Sequence[int],
    dim: int,
    index: Array,
    act: Callable[[Array, Array, int, int], Any],
    shared: bool = True,
) -> None:
    """`act(elements, places, start, stop)` for ranges of an index along a dimension, in order.

    `flat` has all elements of the shape as a vector.  The places, which have the shape of a range, count
    row by row in `elements`, a part of that vector.  They may be the index itself.  Threads share the
    ranges if that is allowed.
    """
    rows = len(index)
    block = min(rows, max(1, BLOCK * rows // index.size))
    step, row = math.prod(shape[dim + 1 :]), math.prod(shape[1:])
    own = _places_of_zeros((block, *index.shape[1:]), dim, shape) if index.ndim > 1 else None

    def work(start: int, stop: int) -> None:
        places = index[start:stop]
        if step > 1:
            places = numpy.multiply(places, step, dtype=numpy.intp)
        if own is not None:
            places = numpy.add(places, own[: stop - start], out=places if step > 1 else None)
        act(flat[start * row :] if dim else flat, places, start, stop)

    if shared:
        each(work, rows, block)
        return
    for start in range(0, rows, block):
        work(start, min(start + block, rows))


def _places_of_zeros(sizes: Sequence[int], dim: int, shape: Sequence[int]) -> Array:
    """What an index of such sizes names in a shape if all its entries are 0."""
    places: Any = 0
    for d, size in enumerate(sizes):
        steps = numpy.arange(size if d != dim else 1) * math.prod(shape[d + 1 :])
        places = places + steps.reshape((-1,) + (1,) * (len(sizes) - d - 1))
    return numpy.ascontiguousarray(numpy.broadcast_to(places, sizes))


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
    result = numpy.empty(index.shape, array.dtype)

    def act(elements: Array, places: Array, start: int, stop: int) -> None:
        elements.take(places, None, result[start:stop], "wrap")

    _by_parts(array.reshape(-1), array.shape, dim, index, act)
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
    """`act(elements, places, values)` on elements as a vector, for parts of an index in order.

    `values` has the index's shape.
    """
    flat = target.reshape(-1)

    def on_part(elements: Array, places: Array, start: int, stop: int) -> None:
        act(elements, places.reshape(-1), values[start:stop].reshape(-1))

    _by_parts(flat, target.shape, dim, index, on_part, dim > 0)
    if not numpy.may_share_memory(flat, target):
        target[...] = flat.reshape(target.shape)
