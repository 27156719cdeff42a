"""Bessel functions of orders 0 and 1 and Airy's function, by Chebyshev series.

Single precision is computed in single precision, as PyTorch does: the phase of an oscillation and the
argument of an exponential are rounded there, which shows far from 0.  PyTorch's own `bessel_j0`,
`bessel_j1`, `bessel_y0`, `bessel_y1` (for x between 3 and 20) and `airy_ai` (between -10 and -2) are off
by up to 1e-6; these aren't.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from tgrad.backends import bessel_series as series
from tgrad.backends.fused import fma
from tgrad.backends.precision import Array, native, rounded

Series: TypeAlias = tuple[float, ...]


def chebyshev(coefficients: Series, twice: Array) -> Array:
    """The sum of c(k) T(k, t) for 2 t, by Clenshaw's recurrence; the constant term counts half."""
    kind = twice.dtype.type
    before = before_that = np.zeros_like(twice)
    current = np.zeros_like(twice)
    for c in coefficients:
        before_that, before = before, current
        current = fma(twice, before, -before_that, twice.dtype) + kind(c)
    return (current - before_that) * kind(0.5)


# ------------------------------------------------------------------------- modified functions


def _scaled_i(order: int, size: Array) -> Array:
    """exp(-x) I(x) for x >= 0."""
    near: Series = series.I1_NEAR if order else series.I0_NEAR
    far: Series = series.I1_FAR if order else series.I0_FAR
    if size.dtype == np.float32 and order:
        near, far = near[-17:], far[-7:]
    low, high = np.minimum(size, 8), np.maximum(size, 8)
    small = chebyshev(near, low / 2 - 2)
    if order:
        small = small * low
    return np.where(size <= 8, small, chebyshev(far, 32 / high - 2) / np.sqrt(high))


def _i(order: int, scaled: bool) -> Callable[[Array], Array]:
    def function(x: Array) -> Array:
        size = np.abs(x)
        result = _scaled_i(order, size)
        if not scaled:
            result = rounded(np.exp, size) * result
        return np.copysign(result, x) if order else result

    return native(function)


def _k(order: int, scaled: bool) -> Callable[[Array], Array]:
    def function(x: Array) -> Array:
        near, far = (series.K0_NEAR, series.K0_FAR) if order == 0 else (series.K1_NEAR, series.K1_FAR)
        low, high = np.clip(x, np.finfo(x.dtype).smallest_subnormal, 2), np.maximum(x, 2)
        size = _scaled_i(order, low) * rounded(np.exp, low)
        smooth = chebyshev(near, low * low - 2)
        wave = rounded(np.log, low / 2) * size
        small = wave + smooth / low if order else smooth - wave
        large = chebyshev(far, 8 / high - 2) / np.sqrt(high)
        if scaled:
            small = small * rounded(np.exp, low)
        else:
            large = large * rounded(np.exp, -high)
        result = np.where(x <= 2, small, large)
        return np.where(x == 0, np.inf, np.where(x < 0, np.nan, result))

    return native(function)


# ------------------------------------------------------------------------- oscillating functions


def _near(order: int, x: Array) -> Array:
    """J(x) where 0 <= x <= 5."""
    kind = x.dtype.type
    first, second = series.J0_ZEROS if order == 0 else series.J1_ZEROS
    square = x * x
    smooth = chebyshev(series.J0_NEAR if order == 0 else series.J1_NEAR, square * kind(0.16) - 2)
    result = (square - kind(first)) * (square - kind(second)) * smooth
    if order:
        return result * x
    return np.where(x < 1e-5, 1 - square / 4, result)


def _far(order: int, x: Array) -> tuple[Array, Array]:
    """J(x) and Y(x) where x > 5, by Hankel's expansion (DLMF 10.17.3)."""
    kind = x.dtype.type
    inverse = 5 / x
    t = 4 * (inverse * inverse) - 2
    p = chebyshev(series.J0_P if order == 0 else series.J1_P, t)
    q = chebyshev(series.J0_Q if order == 0 else series.J1_Q, t) * inverse
    angle = x - kind((2 * order + 1) * math.pi / 4)
    scale = kind(math.sqrt(2 / math.pi)) / np.sqrt(x)
    cosine, sine = rounded(np.cos, angle), rounded(np.sin, angle)
    return (p * cosine - q * sine) * scale, (p * sine + q * cosine) * scale


def _j(order: int) -> Callable[[Array], Array]:
    def function(x: Array) -> Array:
        size = np.abs(x)
        near, far = _near(order, np.minimum(size, 5)), _far(order, np.maximum(size, 5))[0]
        result: Array = np.where(size <= 5, near, far)
        return np.where(x < 0, -result, result) if order else result

    return native(function)


def _y(order: int) -> Callable[[Array], Array]:
    def function(x: Array) -> Array:
        kind = x.dtype.type
        low = np.clip(x, np.finfo(x.dtype).smallest_subnormal, 5)
        smooth = chebyshev(series.Y0_NEAR if order == 0 else series.Y1_NEAR, low * low * kind(0.16) - 2)
        wave = rounded(np.log, low) * _near(order, low)
        part = kind(2 / math.pi)
        near = low * smooth + part * (wave - 1 / low) if order else smooth + part * wave
        result = np.where(x <= 5, near, _far(order, np.maximum(x, 5))[1])
        return np.where(x == 0, -np.inf, np.where(x < 0, np.nan, result))

    return native(function)


def _spherical_j0(x: Array) -> Array:
    wide = x.astype(np.float64)
    small = 1 - wide * wide / 6 * (1 - wide * wide / 20)
    result = np.where(np.abs(x) < 1e-2, small, np.sin(wide) / wide)
    return np.where(np.isinf(x), 0.0, result).astype(x.dtype)


# ------------------------------------------------------------------------- Airy's function


def _airy_near(x: Array) -> Array:
    """Maclaurin's series (DLMF 9.4.1), for -2.1 < x < 2.1."""
    cube = x * x * x
    even, odd = np.ones_like(x), x.copy()
    first, second = even.copy(), odd.copy()
    for k in range(1, 16):
        even = even * cube / ((3 * k - 1) * (3 * k))
        odd = odd * cube / ((3 * k) * (3 * k + 1))
        first, second = first + even, second + odd
    return 0.355028053887817239 * first - 0.258819403792806798 * second


def _airy_right(x: Array) -> Array:
    """sqrt(x / 3) K(1/3, z) / pi with z = 2/3 x**(3/2) (DLMF 9.6.1), K by the trapezoidal rule for
    10.32.9, and by 10.40.2 from z = 30."""
    z = 2 * x * np.sqrt(x) / 3
    step = 1 / 16
    total = np.full_like(x, 0.5 * step)
    near = np.minimum(z, 30)
    for k in range(1, 75):
        t = k * step
        total = total + step * math.cosh(t / 3) * np.exp(-2 * near * math.sinh(t / 2) ** 2)
    far = np.maximum(z, 30)
    part = rest = np.ones_like(x)
    for k in range(1, 22):
        part = part * (4 / 9 - (2 * k - 1) ** 2) / (8 * k * far)
        rest = rest + part
    scaled = np.where(z < 30, total, rest * np.sqrt(math.pi / (2 * far)))
    return np.sqrt(x / 3) / math.pi * np.exp(-z) * scaled


def _airy_left(x: Array) -> Array:
    """Ai(-x) for x > 2.1 (DLMF 9.7.9)."""
    kind = x.dtype.type
    z = 2 * x * np.sqrt(x) / 3
    t = 8 / z - 2
    angle = z + kind(math.pi / 4)
    wave = chebyshev(series.AI_P, t) * np.sin(angle) - chebyshev(series.AI_Q, t) * np.cos(angle)
    return wave / np.sqrt(kind(math.pi) * np.sqrt(x))


def _airy(x: Array) -> Array:
    wide = x.astype(np.float64)
    left, near = _airy_left(np.maximum(-x, 2.1)), _airy_near(np.clip(wide, -2.1, 2.1))
    result: Array = np.where(x < -2.1, left, near)
    result = np.where(wide > 2.1, _airy_right(np.clip(wide, 2.1, 110)), result)
    result = np.where(wide > 103.892, 0.0, result)
    return np.where(np.isfinite(wide), result, np.nan).astype(x.dtype)


i0, i1, i0e, i1e = _i(0, False), _i(1, False), _i(0, True), _i(1, True)
k0, k1, k0e, k1e = _k(0, False), _k(1, False), _k(0, True), _k(1, True)
j0, j1, y0, y1 = _j(0), _j(1), _y(0), _y(1)
spherical_j0, airy_ai = native(_spherical_j0), native(_airy)
