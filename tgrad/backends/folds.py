"""Reductions of large arrays: strictly in order, or in any order on several threads.

Note [Rows are added in order]
    `numpy.add.reduce` adds pairwise along the axis with the smallest stride and strictly in order
    along any other.  Each reduction here therefore has an inner axis, of at least two elements and
    of a smaller stride, that isn't reduced.

Note [Short rows]
    NumPy calls its inner loop once for each row, which takes as long as adding a hundred numbers.
    `einsum` walks through short rows in bare C, in the order of the strides, and adds each to what is
    there, at first 0: that is how short rows are added up.  For other functions they are first copied,
    block by block, to a buffer in which those that are joined at the same step lie side by side.  A row
    counts as a single element of that copy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy

from tgrad.backends.threads import each

Array: TypeAlias = Any  # an ndarray
Axes: TypeAlias = tuple[int, ...] | int | None

LARGE: Final = 16384
"""From this many elements on, work is done block by block."""

BUFFER: Final = 1 << 18
"""The size of a block in bytes: what stays in a processor's own cache."""

QUICK: Final = 1 << 22
"""So many bytes are read before another thread could have begun."""

HEAVY: Final = 1 << 23
"""From this many bytes on, threads share what is made of many short calls: note on `in_parts`."""

LONG: Final = 1024
"""Rows of this many bytes need no copy: Note [Short rows]."""


def in_parts(work: Callable[[int, int], None], total: int, block: int, size: int) -> None:
    """`each`, but on this thread alone where less than `HEAVY` bytes are worked on.

    Threads that make many short calls wait for Python's lock more than they gain.
    """
    if size >= HEAVY:
        each(work, total, block)
        return
    for start in range(0, total, block):
        work(start, min(start + block, total))


def fold(ufunc: Any, table: Array) -> Array:
    """The reduction over axis 2 of (planes, blocks, rows, columns...), one row after the other.

    The columns lie side by side.  Rows are two elements or more.
    """
    planes, blocks, rows = table.shape[:3]
    if table.size < LARGE or 0 in table.shape:
        return ufunc.reduce(table, axis=2)
    rest = table.shape[3:]
    if planes == 1:  # what is in front is divided into blocks
        return fold(ufunc, table.swapaxes(0, 1)).swapaxes(0, 1) if blocks > 1 else _fold_one(ufunc, table)
    table = table.reshape(planes, blocks, rows, -1)
    width = table.shape[3]
    result = numpy.empty((planes, blocks, *rest), table.dtype)
    flat = result.reshape(planes, blocks, width)
    step = max(1, BUFFER // (blocks * min(rows, 16) * width * table.itemsize))

    if _added_in_place(ufunc, table):
        step = max(step, -(-planes // 4))

        def work(start: int, stop: int) -> None:
            numpy.einsum("pbrc->pbc", table[start:stop], out=flat[start:stop])

    elif width * table.itemsize >= LONG or rows == 1:

        def work(start: int, stop: int) -> None:
            ufunc.reduce(table[start:stop], axis=2, out=flat[start:stop])

    else:
        units = _units(table)

        def work(start: int, stop: int) -> None:
            _fold_copied(ufunc, units[start:stop], flat[start:stop])

    in_parts(work, planes, step, table.nbytes)
    return result


def _fold_one(ufunc: Any, table: Array) -> Array:
    """`fold` for a single plane of a single block: only columns can be shared among threads."""
    rows = table.shape[2]
    columns = table.reshape(rows, -1)
    width = columns.shape[1]
    if _added_in_place(ufunc, columns):
        return numpy.einsum("rc->c", columns).reshape(1, 1, *table.shape[3:])
    if table.nbytes < HEAVY:
        return ufunc.reduce(table, axis=2)
    result = numpy.empty(width, table.dtype)

    def work(start: int, stop: int) -> None:
        ufunc.reduce(columns[:, start:stop], axis=0, out=result[start:stop])

    in_parts(work, width, max(LONG // table.itemsize, -(-width // 8)), table.nbytes)
    return result.reshape(1, 1, *table.shape[3:])


def _added_in_place(ufunc: Any, table: Array) -> bool:
    """Whether rows are short floats to be added, the elements of each side by side: Note [Short rows].

    Many sums of very short rows are made faster by way of a buffer.
    """
    *others, last = table.strides
    width = table.shape[-1] * table.itemsize
    return (
        ufunc is numpy.add
        and table.dtype.char in "fd"
        and (64 <= width < LONG or table.ndim == 2)
        and last == table.itemsize < min(others)
    )


def _units(table: Array) -> Array:
    """The rows of a table as single elements."""
    if table.strides[-1] != table.itemsize and table.shape[-1] > 1:
        table = numpy.ascontiguousarray(table)
    return table.view(f"V{table.shape[-1] * table.itemsize}")[..., 0]


def _fold_copied(ufunc: Any, units: Array, result: Array) -> None:
    """Reduce over the last axis of rows taken as elements, by way of a buffer."""
    planes, blocks, rows = units.shape
    step = max(2, BUFFER // (planes * blocks * units.itemsize))
    buffer = numpy.empty((min(step, rows) + 1, planes, blocks), units.dtype)
    numbers = buffer.view(result.dtype).reshape(len(buffer), -1)
    target = result.reshape(-1)
    for start in range(0, rows, step):
        stop = min(start + step, rows)
        buffer[1 : stop - start + 1] = units[..., start:stop].transpose(2, 0, 1)
        numbers[0] = target  # what the rows before gave
        ufunc.reduce(numbers[start == 0 : stop - start + 1], axis=0, out=target)


def spread(ufunc: Any, array: Array, axes: Axes = None, keepdims: bool = False, dtype: Any = None) -> Array:
    """`ufunc.reduce` for what gives the same in any order: extremes, sums of whole numbers, truth."""
    if array.size < LARGE:
        return ufunc.reduce(array, axis=axes, dtype=dtype, keepdims=keepdims, out=...)
    ndim = array.ndim
    given = range(ndim) if axes is None else (axes,) if isinstance(axes, int) else axes
    reduced = tuple([axis % ndim for axis in given])
    kind = ufunc.resolve_dtypes((None, array.dtype, None), reduction=True)[2] if dtype is None else dtype

    def reduce(part: Array) -> Array:
        return ufunc.reduce(part, axis=reduced, dtype=dtype, keepdims=True)

    result = by_parts(reduce, array, reduced, kind, ufunc, QUICK)
    return result if keepdims else result.squeeze(reduced)


def by_parts(
    reduce: Callable[[Array], Array],
    array: Array,
    reduced: tuple[int, ...],
    dtype: Any,
    again: Any = None,
    least: int = BUFFER,
) -> Array:
    """What `reduce` makes of an array, with 1 for the reduced axes; threads share an axis.

    That is one with long strides.  Where it is a reduced one, `again`, a ufunc, reduces what the parts
    give; without `again` it is another one.  No part has less than `least` bytes.
    """
    shape = array.shape
    axes = [axis for axis in range(array.ndim) if shape[axis] >= 8 and (again or axis not in reduced)]
    if not axes:
        return reduce(array)
    shared = max(axes, key=lambda axis: abs(array.strides[axis]))
    whole = shared in reduced
    size = shape[shared]
    share = -(-size // max(1, min(8, array.nbytes // least)))
    result_shape = [1 if axis in reduced else length for axis, length in enumerate(shape)]
    if whole:
        result_shape[shared] = -(-size // share)
    result = numpy.empty(result_shape, dtype)
    lead = (slice(None),) * shared

    def work(start: int, stop: int) -> None:
        place = slice(start // share, start // share + 1) if whole else slice(start, stop)
        result[(*lead, place)] = reduce(array[(*lead, slice(start, stop))])

    each(work, size, share)
    return again.reduce(result, axis=shared, keepdims=True) if whole else result
