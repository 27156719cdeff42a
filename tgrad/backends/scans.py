"""Running sums, products and extremes, in the order of an axis.

`numpy.add.accumulate` waits at each element for the one before it to be written to memory.  Where
there are many sequences side by side, all of them make a step at a time here, in a buffer that holds
some steps.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy
from numpy import float64

from tgrad.backends.exact_sums import running_sums
from tgrad.backends.folds import BUFFER, LARGE
from tgrad.backends.reductions import fused_product

Array: TypeAlias = Any  # an ndarray

MANY: Final = 128
"""So many sequences make a step together sooner than one after the other."""

TILE: Final = 256
"""So many sequences that lie apart go to the buffer at a time: what is read with them stays in the cache."""

WIDE: Final[dict[str, Any]] = {"f": float64, "F": numpy.complex128}
"""The dtypes in which PyTorch's running sums and products of others, by character, are made."""


def scan(ufunc: Any, array: Array, axis: int) -> Array:
    """Running sums or products in the order of the axis; float32 in double."""
    dtype = array.dtype
    if array.ndim and dtype.kind == "c" and ufunc is numpy.multiply:
        return _running_products(array.astype(WIDE.get(dtype.char, dtype)), axis).astype(dtype)
    return running(ufunc, array, axis, WIDE.get(dtype.char, dtype))


def running(ufunc: Any, array: Array, axis: int, wide: Any) -> Array:
    """`ufunc.accumulate` along an axis, computed in the dtype `wide`; stored row by row."""
    if array.ndim == 0:
        return array.copy()
    dtype = array.dtype
    if array.size < LARGE:
        found = ufunc.accumulate(numpy.ascontiguousarray(array), axis=axis, dtype=wide)
        return found if wide == dtype else found.astype(dtype)
    result = numpy.empty(array.shape, dtype)
    steps = numpy.moveaxis(array, axis, 0)
    results = numpy.moveaxis(result, axis, 0)
    sequences = array.size // max(len(steps), 1)
    quick = ufunc is numpy.add and dtype.kind in "iu" and axis == array.ndim - 1
    if sequences >= MANY and len(steps) > 1 and ufunc is not numpy.logaddexp and not quick:
        _together(ufunc, steps, results, wide)
    elif ufunc is numpy.add and wide is float64 and dtype.char == "f" and axis == array.ndim - 1:
        size = len(steps)
        running_sums(numpy.ascontiguousarray(array).reshape(-1, size), result.reshape(-1, size))
    else:  # on this thread alone: `accumulate` keeps Python's lock
        _one_by_one(ufunc, numpy.ascontiguousarray(array), result, axis, wide)
    return result


def extremes_so_far(ufunc: Any, array: Array, axis: int) -> tuple[Array, Array]:
    """Running extremes (`ufunc` is maximum or minimum) and the last index of each; NaN stays."""
    array = numpy.ascontiguousarray(array)
    values = running(ufunc, array, axis, array.dtype)
    hit = array == values
    if array.dtype.kind == "f":
        hit |= array != array
    size = array.shape[axis]
    if axis == array.ndim - 1 and array.size >= LARGE:
        found = numpy.flatnonzero(hit)  # the first of each sequence is among them
        places = numpy.repeat(found % size, numpy.diff(found, append=hit.size)).reshape(array.shape)
    else:
        numbers = numpy.arange(size).reshape(-1, *(1,) * (array.ndim - 1 - axis))
        places = running(numpy.maximum, numpy.where(hit, numbers, 0), axis, numbers.dtype)
    return of_places(values, array, places, axis), places


def of_places(values: Array, array: Array, places: Array, axis: int) -> Array:
    """Extremes so far as they stand at their places: of equal zeros the last one, whatever its sign."""
    return numpy.take_along_axis(array, places, axis) if (values == 0).any() else values


def _one_by_one(ufunc: Any, array: Array, result: Array, axis: int, wide: Any) -> None:
    if wide == result.dtype:
        ufunc.accumulate(array, axis=axis, out=result)
    else:
        result[...] = ufunc.accumulate(array, axis=axis, dtype=wide)


def _together(ufunc: Any, steps: Array, results: Array, wide: Any) -> None:
    """All sequences, a step at a time; steps and results lie along the first axis."""
    count = len(steps)
    rest = steps.shape[1:]
    width = results[0].size
    block = max(2, min(count, 2 * BUFFER // (width * numpy.dtype(wide).itemsize)))
    buffer = numpy.empty((block + 1, *rest), wide)
    lines = list(buffer.reshape(block + 1, width))
    tile = TILE if abs(steps.strides[0]) < abs(steps.strides[-1]) else width
    for start in range(0, count, block):
        size = min(block, count - start)
        for first in range(0, rest[0], tile):
            part = slice(first, first + tile)
            buffer[1 : size + 1, part] = steps[start : start + size, part]
        before = lines[0 if start else 1]
        for line in lines[1 if start else 2 : size + 1]:
            ufunc(before, line, out=line)
            before = line
        results[start : start + size] = buffer[1 : size + 1]
        lines[0][...] = before


def _running_products(array: Array, axis: int) -> Array:
    result = numpy.ascontiguousarray(array)
    rows = numpy.moveaxis(result, axis, 0)
    for number in range(1, len(rows)):
        rows[number] = fused_product(rows[number - 1], rows[number])
    return result
