"""Pairs of normal numbers from pairs of uniform ones, in the blocks of 16 that PyTorch makes.

In float32 PyTorch takes logarithm, sine and cosine from vector code after S. Moshier's Cephes
library (J. Pommier's and G. Garberoglio's versions).  The polynomials and the order of operations
are repeated here, fused multiply-adds included, so that the numbers agree to the bit.
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

import numpy
from numpy import float32, float64, int32

from tgrad.backends.fused import fma

Array: TypeAlias = Any  # an ndarray

_BLOCKS_AT_A_TIME: Final = 1024  # keeps the temporary arrays in the processor's cache


def _constants(*values: float) -> tuple[Any, ...]:
    return tuple(float32(value) for value in values)


_LOG: Final = _constants(
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)
_LN2_LOW, _LN2_HIGH = _constants(-2.12194440e-4, 0.693359375)
_SQRT_HALF: Final = float32(0.707106781186547524)
_QUARTER_PI: Final = _constants(-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)
_FOUR_OVER_PI: Final = float32(1.27323954473516)
_SIN: Final = _constants(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_COS: Final = _constants(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_ONE: Final = float32(1)
_HALF: Final = float32(0.5)


def _fma(a: Any, b: Any, c: Any) -> Array:
    return fma(a, b, c, float32)


def _log(x: Array) -> Array:
    """The natural logarithm of positive float32 numbers."""
    bits = numpy.maximum(x, float32(2.0**-126)).view(int32)
    exponent = ((bits >> 23) - 126).astype(float32)
    x = (bits & int32(0x007FFFFF) | int32(0x3F000000)).view(float32)
    small = x < _SQRT_HALF
    exponent -= small
    x = numpy.where(small, x - _ONE + x, x - _ONE)
    square = x * x
    y = _fma(_LOG[0], x, _LOG[1])
    for coefficient in _LOG[2:]:
        y = _fma(y, x, coefficient)
    y = _fma(y * x, square, exponent * _LN2_LOW) - square * _HALF
    return _fma(exponent, _LN2_HIGH, x + y)


def _sin_cos(x: Array) -> tuple[Array, Array]:
    """Sine and cosine of float32 numbers from 0 to 2 pi."""
    octant = (x * _FOUR_OVER_PI).astype(int32) + int32(1) & ~int32(1)
    y = octant.astype(float32)
    for part in _QUARTER_PI:
        x = _fma(y, part, x)
    square = x * x
    cosine = _fma(_fma(_COS[0], square, _COS[1]), square, _COS[2]) * square
    cosine = _fma(cosine, square, -(square * _HALF)) + _ONE
    sine = _fma(_fma(_SIN[0], square, _SIN[1]), square, _SIN[2]) * square
    sine = _fma(sine, x, x)
    swapped = octant & 2 != 0
    sine, cosine = numpy.where(swapped, cosine, sine), numpy.where(swapped, sine, cosine)
    numpy.negative(sine, out=sine, where=octant & 4 != 0)
    numpy.negative(cosine, out=cosine, where=octant + 2 & 4 != 0)
    return sine, cosine


def box_muller(blocks: Array, mean: float, std: float) -> Array:
    """Uniform numbers to normal ones of that mean and standard deviation: float32 or float64,
    shape (n, 16); the first eight of a block give the radius, the others the angle.

    G. Box and M. Muller, Ann. Math. Stat. 29, 1958.
    """
    if blocks.dtype == float64:
        return _box_muller_double(blocks, mean, std)
    if len(blocks) > _BLOCKS_AT_A_TIME:
        result = numpy.empty_like(blocks)
        for begin in range(0, len(blocks), _BLOCKS_AT_A_TIME):
            part = slice(begin, begin + _BLOCKS_AT_A_TIME)
            result[part] = box_muller(blocks[part], mean, std)
        return result
    radius = numpy.sqrt(float32(-2) * _log(_ONE - blocks[:, :8]))
    sine, cosine = _sin_cos(float32(2 * math.pi) * blocks[:, 8:])
    return _scaled(numpy.concatenate((radius * cosine, radius * sine), axis=1), mean, std)


def _box_muller_double(blocks: Array, mean: float, std: float) -> Array:
    # The C library's logarithm, sine and cosine, as in PyTorch; NumPy's can be another one.
    first = (1.0 - blocks[:, :8]).ravel().tolist()
    angles = (2 * math.pi * blocks[:, 8:]).ravel().tolist()
    logarithm = numpy.array(list(map(math.log, first))).reshape(-1, 8)
    cosine = numpy.array(list(map(math.cos, angles))).reshape(-1, 8)
    sine = numpy.array(list(map(math.sin, angles))).reshape(-1, 8)
    radius = numpy.sqrt(-2.0 * logarithm)
    return _scaled(numpy.concatenate((radius * cosine, radius * sine), axis=1), mean, std)


def _scaled(numbers: Array, mean: float, std: float) -> Array:
    dtype = numbers.dtype.type
    if mean == 0 and std == 1:
        return numbers + dtype(0)  # a product with 1 and a sum with 0: only -0 is changed
    return fma(numbers, dtype(std), dtype(mean), dtype)
