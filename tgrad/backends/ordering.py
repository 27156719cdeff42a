"""Sorting and selecting along the last axis by whole numbers that stand for the elements.

Note [Keys]
    A key is an integer that is smaller where the element comes first.  The bits of a floating point
    number are one already, but for the order of negative numbers, the two zeros, which are equal, and
    NaN, which is the largest whatever its bits.  NumPy sorts and partitions integers with the
    processor's vector instructions, and has no quick stable sort; so a key and the element's place are
    put into one number of 64 bits where they fit, and these are all different.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy

from tgrad.backends.folds import spread
from tgrad.backends.threads import each

Array: TypeAlias = Any  # an ndarray

FEW: Final = 1024
"""Up to this many elements NumPy's stable sort is as quick."""

BLOCK: Final = 1 << 16
"""How many elements a thread takes at a time."""


def has_keys(dtype: Any) -> bool:
    """Whether the elements can be compared by keys."""
    return dtype.kind in "biu" or dtype in (numpy.float32, numpy.float64)


def keys_of(array: Array, descending: bool) -> Array:
    """Signed integers in the elements' order: Note [Keys]."""
    dtype = array.dtype
    if dtype.kind == "b":
        keys = array.astype(numpy.int8)
    elif dtype.kind == "u":
        keys = array.astype(f"i{min(8, 2 * dtype.itemsize)}")
        if dtype.itemsize == 8:
            keys ^= numpy.int64(-(1 << 63))
    elif dtype.kind == "i":
        keys = array if descending else array.copy()
    else:
        keys = _float_keys(array)
    return ~keys if descending else keys


def _float_keys(array: Array) -> Array:
    bits = 8 * array.itemsize
    keys = (array + array.dtype.type(0)).view(f"i{array.itemsize}")  # -0 + 0 is 0
    keys ^= (keys >> (bits - 1)) & ((1 << (bits - 1)) - 1)
    missing = array != array
    if missing.any():
        keys[missing] = (1 << (bits - 1)) - 1
    return keys


def stable_order(array: Array, axis: int, descending: bool) -> Array:
    """Indices that sort along the axis, equal elements as they were; NaN is the largest."""
    size = array.shape[axis]
    if array.size <= FEW or not has_keys(array.dtype):
        if descending:
            backwards = numpy.flip(array, axis).argsort(axis, kind="stable")
            return size - 1 - numpy.flip(backwards, axis)
        return array.argsort(axis, kind="stable")
    moved = numpy.moveaxis(array, axis, -1)
    order = numpy.empty(moved.shape, numpy.int64)
    rows, result = moved.reshape(-1, size), order.reshape(-1, size)

    def work(start: int, stop: int) -> None:
        _order_rows(keys_of(rows[start:stop], descending), result[start:stop])

    each(work, len(rows), max(1, BLOCK // size))
    return numpy.ascontiguousarray(numpy.moveaxis(order, -1, axis))


def _order_rows(keys: Array, result: Array) -> None:
    size = keys.shape[1]
    place_bits = (size - 1).bit_length()
    if 8 * keys.itemsize + place_bits <= 64:
        lowest, bits = -(1 << (8 * keys.itemsize - 1)), 8 * keys.itemsize
    else:
        lowest, highest = int(keys.min()), int(keys.max())
        bits = (highest - lowest).bit_length()
    if bits + place_bits <= 64:
        wide = keys.astype(numpy.int64)
        wide -= lowest
        _sort_packed(wide.view(numpy.uint64), place_bits, result)
        return
    result[...] = keys.argsort(axis=1)  # not stable
    values = numpy.take_along_axis(keys, result, 1)
    new = values[:, 1:] != values[:, :-1]
    if not new.all():
        ranks = numpy.zeros(keys.shape, numpy.uint64)
        numpy.add.accumulate(new, axis=1, dtype=numpy.uint64, out=ranks[:, 1:])
        ranks <<= numpy.uint64(place_bits)
        ranks |= result.view(numpy.uint64)
        ranks.sort(axis=1)
        _unpack(ranks, place_bits, result)


def _sort_packed(keys: Array, place_bits: int, result: Array) -> None:
    keys <<= numpy.uint64(place_bits)
    keys |= numpy.arange(keys.shape[1], dtype=numpy.uint64)
    keys.sort(axis=1)
    _unpack(keys, place_bits, result)


def _unpack(packed: Array, place_bits: int, result: Array) -> None:
    numpy.bitwise_and(packed, numpy.uint64((1 << place_bits) - 1), out=result.view(numpy.uint64))


def places_by_counting(numbers: Array) -> tuple[Array, Array, Array] | None:
    """The different ones of many whole numbers in order, each one's place among them, and their counts.

    None where they are few, or spread over a much larger range.
    """
    if numbers.size <= FEW or numbers.dtype.kind not in "iu":
        return None
    lowest, highest = int(spread(numpy.minimum, numbers)), int(spread(numpy.maximum, numbers))
    if highest - lowest > 4 * numbers.size:
        return None
    low = numbers.dtype.type(lowest)
    steps = numpy.subtract(numbers, low, dtype=numbers.dtype if numbers.dtype.itemsize == 8 else numpy.int64)
    steps = steps.astype(numpy.int64, copy=False)
    counts = numpy.bincount(steps)
    taken = numpy.flatnonzero(counts)
    ranks = numpy.empty(len(counts), numpy.int64)
    ranks[taken] = numpy.arange(len(taken))
    return taken.astype(numbers.dtype) + low, ranks.take(steps), counts[taken]


def first_places(keys: Array, count: int) -> tuple[Array, Array]:
    """The places of the `count` smallest keys of each row, in order, and for which rows they are sure.

    They are sure where these keys, and the next one, are all different.
    """
    rows, size = keys.shape
    last = min(count, size - 1)
    if keys.size <= FEW:
        order = keys.argsort(axis=1, kind="stable")[:, : last + 1]
        values = numpy.take_along_axis(keys, order, 1)
        return order[:, :count], (values[:, 1:] != values[:, :-1]).all(1)
    lowest = numpy.partition(keys, last, axis=1)[:, : last + 1]
    lowest.sort(axis=1)
    sure = (lowest[:, 1:] != lowest[:, :-1]).all(1)
    chosen = keys <= lowest[:, count - 1 : count]
    if not sure.all():
        chosen[~sure] = numpy.arange(size) < count
    found = numpy.flatnonzero(chosen).reshape(rows, count) - numpy.arange(0, rows * size, size)[:, None]
    order = numpy.take_along_axis(keys, found, 1).argsort(axis=1)
    return numpy.take_along_axis(found, order, 1), sure


def place_of_rank(keys: Array, rank: int) -> tuple[Array, Array]:
    """The place that a stable sort gives a rank in each row, and whether no other key equals that one."""
    value = numpy.partition(keys, rank, axis=1)[:, rank : rank + 1]
    equal = keys == value
    alone = numpy.add.reduce(equal, axis=1) == 1
    place = equal.argmax(axis=1)
    if not alone.all():
        several = numpy.flatnonzero(~alone)
        before = numpy.count_nonzero(keys[several] < value[several], axis=1)
        running = numpy.add.accumulate(equal[several], axis=1, dtype=numpy.int64)
        place[several] = (running > (rank - before)[:, None]).argmax(axis=1)
    return place, alone


def by_rows(function: Any, rows: Array, *results: Array) -> None:
    """`function(part of the rows)` gives parts of the results; threads share the rows."""
    if rows.size <= BLOCK:
        for result, whole in zip(results, function(rows), strict=True):
            result[...] = whole
        return

    def work(start: int, stop: int) -> None:
        for result, part in zip(results, function(rows[start:stop]), strict=True):
            result[start:stop] = part

    each(work, len(rows), max(1, BLOCK // max(rows.shape[1], 1)))
