"""Adding to places that may be the same: one after the other, in the order of the indices.

`numpy.add.at` is fast for one-dimensional arrays only, so short rows are spelt out as single elements;
long ones are added one at a time.
"""

from __future__ import annotations

from typing import Any, Final

import numpy

Array = Any

WIDE: Final = 256
"""Rows of so many elements are added in less time than their elements' places are counted."""


def add_rows(target: Array, index: Array, values: Array) -> None:
    """target[index[i]] += values[i] for each i in order, repeated indices included.

    `index` has one dimension and no negative entries; `values` has its size in front of the
    dimensions of a row of `target`.
    """
    width = values[0].size if len(index) else 0
    if width == 0:
        return
    if target.dtype == numpy.bool_:
        numpy.logical_or.at(target, index, values)
        return
    if width > 1 and not _repeats(index, len(target)):
        target[index] += values
        return
    if width >= WIDE and values.dtype == target.dtype:
        for place, row in zip(index.tolist(), values, strict=True):
            sums = target[place]
            numpy.add(sums, row, out=sums)
        return
    flat = target.reshape(-1)
    if width > 1:
        index = (index[:, None] * width + numpy.arange(width)).reshape(-1)
    numpy.add.at(flat, index, values.reshape(-1))
    if not numpy.shares_memory(flat, target):
        target[...] = flat.reshape(target.shape)


multiply_at: Final = numpy.multiply.at
maximum_at: Final = numpy.maximum.at
minimum_at: Final = numpy.minimum.at


def read_where(array: Array, mask: Array) -> Array:
    """array[mask] for a mask of the array's shape; elements are taken from a vector sooner."""
    if array.size < 256:
        return array[mask]
    return array.reshape(-1).compress(mask.reshape(-1))


def write_where(array: Array, mask: Array, values: Array) -> None:
    """array[mask] = values for a mask of the array's shape and as many values in one dimension."""
    if array.flags.c_contiguous:
        array.reshape(-1)[numpy.flatnonzero(mask)] = values
    else:
        array[mask] = values


def _repeats(index: Array, size: int) -> bool:
    """Whether an index occurs twice."""
    if len(index) < 2:
        return False
    if len(index) > size:
        return True
    if size <= 8 * len(index):
        return bool(numpy.bincount(index).max() > 1)
    ordered = numpy.sort(index)
    return bool((ordered[1:] == ordered[:-1]).any())
