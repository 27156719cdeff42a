"""Variances as PyTorch makes them, computed in double precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy
from numpy import float32, float64

from tgrad.backends import sums
from tgrad.backends.folds import BUFFER, LARGE
from tgrad.backends.reductions import axes_last, shaped
from tgrad.backends.threads import each

Array: TypeAlias = Any  # an ndarray
Axes = tuple[int, ...] | None

WELFORD_STEPS: Final = 2048
"""Up to this many elements a variance in float64 is made step by step, as PyTorch makes it."""


def variance(
    array: Array, axes: Axes, correction: float, keepdims: bool, root: bool, everything: bool
) -> tuple[Array, Array]:
    """Variance (or its root) and mean over the axes, computed in double precision.

    `everything` says that PyTorch's two-pass kernel for a single result is meant; otherwise the mean
    and the sum of squares are updated element by element (B. Welford, Technometrics 4, 1962).
    The variance of complex numbers is the sum of those of the parts, and real.
    """
    if array.dtype.kind == "c":
        real, mean_real = variance(array.real, axes, correction, keepdims, False, everything)
        imag, mean_imag = variance(array.imag, axes, correction, keepdims, False, everything)
        total = real + imag
        return numpy.sqrt(total) if root else total, (mean_real + 1j * mean_imag).astype(array.dtype)
    rows, shape = axes_last(array, axes)
    size = rows.shape[-1]
    rows = rows.reshape(math.prod(shape), size)
    alone = len(rows) == 1
    single = everything and alone
    degrees = max(size - correction, 0.0)

    def exactly(rows: Array) -> tuple[Array, Array]:
        """The variances (or roots) and means as PyTorch makes them, in double precision."""
        wide = rows.astype(float64, copy=False)
        if size == 0:
            squares = mean = numpy.full(len(wide), numpy.nan)
        elif single or size > WELFORD_STEPS:
            mean = _double_mean(array, axes, wide, alone)
            squares = _squares_in_order(wide, mean)
        else:
            squares, mean = _welford(wide)
        if degrees >= 1:
            result = squares / degrees
        else:
            with numpy.errstate(all="ignore"):
                result = squares / degrees
        return numpy.sqrt(result) if root else result, mean

    if everything and rows.dtype == float32 and rows.size >= LARGE and size > 1:
        given = _double_mean(array, axes, rows, True) if single else None
        result = _rounded_alike(rows, given, degrees, root, exactly)
        return shaped(result, shape, axes, array.ndim, keepdims), result
    result, mean = exactly(rows)
    parts = [shaped(part.astype(array.dtype), shape, axes, array.ndim, keepdims) for part in (result, mean)]
    return parts[0], parts[1]


def _double_mean(array: Array, axes: Axes, wide: Array, alone: bool) -> Array:
    if alone:
        return sums.mean(array, axes).reshape(1).astype(float64)
    return numpy.add.reduce(wide, axis=1) / wide.shape[1]


def _rounded_alike(
    rows: Array,
    given: Array | None,
    degrees: float,
    root: bool,
    exactly: Callable[[Array], tuple[Array, Array]],
) -> Array:
    """The variances (or roots) of rows of float32, quickly where the order of additions can't matter.

    Sums in double precision differ by a few units, which nearly always vanish when the result is
    rounded to float32.  Where the bounds (T. Chan, G. Golub, R. LeVeque, The American Statistician 37,
    1983) don't round to the same number, or aren't numbers, the variance is made `exactly`.
    """
    count, size = rows.shape
    squares, means = numpy.empty(count), numpy.empty(count)
    axis = 0 if count > 1 and abs(rows.strides[0]) < abs(rows.strides[1]) else 1

    def work(start: int, stop: int) -> None:
        part = rows[start:stop]
        wide = (part if axis else part.T).astype(float64, "C")
        mean = means[start:stop] = numpy.add.reduce(wide, axis=axis) / size if given is None else given
        wide -= mean if axis == 0 else mean[:, None]
        squares[start:stop] = numpy.add.reduce(numpy.multiply(wide, wide, out=wide), axis=axis)

    if count == 1 and given is not None:
        squares[0], means[0] = _squares_about(rows[0], given[0]), 0.0
    else:
        each(work, count, max(1, BUFFER // (8 * size)))
    with numpy.errstate(all="ignore"):
        variances = squares / degrees
        eps = numpy.finfo(float64).eps
        if given is None:
            unsure = 4 * size * eps * (1 + numpy.sqrt(size * means * means / squares))
        else:  # the same squares are added: half a unit for each addition in order, few for those in pairs
            unsure = (size / 2 + 64) * eps
        low, high = variances * (1 - unsure), variances * (1 + unsure)
        if root:
            low, high = numpy.sqrt(low), numpy.sqrt(high)
        result, other = low.astype(float32), high.astype(float32)
    doubtful = numpy.flatnonzero(~(result == other))
    if len(doubtful):
        result[doubtful] = exactly(rows[doubtful])[0]
    return result


def _squares_about(row: Array, mean: Any) -> Any:
    """The sum of squared differences from a number, in double precision."""
    step = BUFFER // 8
    parts = numpy.empty(-(-len(row) // step))

    def work(start: int, stop: int) -> None:
        wide = row[start:stop].astype(float64)
        wide -= mean
        parts[start // step] = numpy.add.reduce(numpy.multiply(wide, wide, out=wide))

    each(work, len(row), step)
    return numpy.add.reduce(parts)


def _squares_in_order(wide: Array, mean: Array) -> Array:
    """The sums of squared differences of rows from their means, one after the other, in blocks."""
    count, size = wide.shape
    total = numpy.zeros(count)
    step = max(256, BUFFER // (8 * max(count, 1)))
    for start in range(0, size, step):
        squares = (wide[:, start : start + step] - mean[:, None]) ** 2
        squares[:, 0] += total
        total = numpy.add.accumulate(squares, axis=1, out=squares)[:, -1]
    return total


def _welford(wide: Array) -> tuple[Array, Array]:
    mean = numpy.zeros(len(wide))
    squares = numpy.zeros(len(wide))
    for number, column in enumerate(wide.T, 1):
        delta = column - mean
        mean = mean + delta / number
        squares = squares + delta * (column - mean)
    return squares, mean
