"""Work on the rows of large arrays: blocks of rows that stay in the cache, over threads.

Note [Rows and buffers]
    Where an operand is broadcast along rows that are shorter than its buffer, NumPy copies it into
    the buffer first, which takes longer than the arithmetic.  With a buffer that is shorter than
    the rows it reads the operand where it lies.  The size is one of a thread's settings.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy

from tgrad.backends import threads

Array: TypeAlias = Any  # an ndarray

_BLOCK: Final = 1 << 17
"""About how many elements a block of rows has: several such arrays of float32 outgrow a core's own
cache, but for smaller blocks the calls themselves, with Python's lock held, take as long as the work."""

_KEPT: Final = 1 << 14
"""Up to which size rows of ones and the beginnings of rows are kept."""

_BUFFER: Final = 512
"""The size of the buffer for longer rows: Note [Rows and buffers]."""


def over_rows(function: Callable[..., Any], *tables: Any) -> None:
    """Call a function with the same block of rows of each table, until all rows are done.

    A table is an array whose first dimension counts rows, or a range of their numbers.
    """
    first = tables[0]
    rows = len(first)
    if not rows:
        return
    block = max(1, _BLOCK * rows // max(first.size, 1))
    is_long = first.shape[-1] >= _BUFFER
    if rows <= block and not is_long:
        function(*tables)
        return

    def part(start: int, stop: int) -> None:
        function(*(table[start:stop] for table in tables))

    def unbuffered(start: int, stop: int) -> None:
        before = numpy.setbufsize(_BUFFER)
        try:
            part(start, stop)
        finally:
            numpy.setbufsize(before)

    threads.each(unbuffered if is_long else part, rows, block)


def row_sums(x: Array) -> Array:
    """The sum along the last dimension, which is kept."""
    return numpy.vecdot(x, ones(x.shape[-1], x.dtype))[..., None]


def ones(size: int, dtype: Any) -> Array:
    """Ones, which make sums of BLAS's products."""
    return _ones(size, dtype) if size <= _KEPT else numpy.ones(size, dtype)


@lru_cache(16)
def _ones(size: int, dtype: Any) -> Array:
    """They are asked for again and again; long ones aren't kept."""
    return numpy.ones(size, dtype)


def row_starts(shape: tuple[int, ...], size: int) -> Array:
    """Where in a flat array rows of this size begin, one for each place of the shape; read only."""
    rows = shape[0] if len(shape) == 1 else math.prod(shape)
    return _starts(shape, size) if rows <= _KEPT else _starts.__wrapped__(shape, size)


@lru_cache(16)
def _starts(shape: tuple[int, ...], size: int) -> Array:
    return numpy.arange(0, math.prod(shape) * size, size).reshape(shape)


def channel_sums(x: Array) -> Array:
    """The sum of each channel of (N, C, *sizes): along the sizes, then over the samples."""
    if x.ndim == 2:
        return numpy.add.reduce(x, axis=0)
    rows = numpy.ascontiguousarray(x).reshape(*x.shape[:2], math.prod(x.shape[2:]))
    return numpy.add.reduce(row_sums(rows)[..., 0], axis=0)


def class_places(shape: tuple[int, ...], classes: Array) -> tuple[Array, ...]:
    """The index of each target's class; classes are in dimension 1, or in the only one."""
    if len(shape) == 1:
        return (classes,)
    ndim = classes.ndim
    first, *others = [
        numpy.arange(n).reshape(-1, *(1,) * (ndim - 1 - i)) for i, n in enumerate(classes.shape)
    ]
    return (first, classes, *others)


def pick_classes(table: Array, classes: Array) -> Array:
    """From each row of a table the element of its class."""
    return table.take(classes + row_starts(classes.shape, table.shape[1]))


def put_classes(shape: tuple[int, ...], classes: Array, values: Array, dtype: Any) -> Array:
    """Zeros, and in each row, which runs along the last dimension, a value at its class."""
    result = numpy.zeros(shape, dtype)
    result.put(classes + row_starts(classes.shape, shape[-1]), values)
    return result
