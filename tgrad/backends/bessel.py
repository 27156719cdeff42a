"""Bessel functions of orders 0 and 1, in double precision; see `tgrad.backends.special`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tgrad.backends.special import EULER, doubled

Array = Any

def _scaled_i(order: int, x: Array) -> Array:
    """exp(-abs(x)) I(order, x) for order 0 or 1: DLMF 10.25.2 up to 30, then 10.40.1."""
    size = np.abs(x)
    small = np.minimum(size, 30)
    square = small * small / 4
    term = np.exp(-small) * (small / 2) ** order
    series = term.copy()
    for k in range(1, 75):
        term = term * square / (k * (k + order))
        series = series + term
    large = np.maximum(size, 30)
    part = np.ones_like(x)
    total = part.copy()
    for k in range(1, 22):
        part = -part * (4 * order * order - (2 * k - 1) ** 2) / (8 * k * large)
        total = total + part
    result = np.where(size <= 30, series, total / np.sqrt(2 * math.pi * large))
    return np.copysign(result, x) if order else result


def _i0(x: Array) -> Array:
    return np.exp(np.abs(x) / 2) * _scaled_i(0, x) * np.exp(np.abs(x) / 2)


def _i1(x: Array) -> Array:
    return np.exp(np.abs(x) / 2) * _scaled_i(1, x) * np.exp(np.abs(x) / 2)


def _scaled_k(order: int, x: Array) -> Array:
    """exp(x) K(order, x) for order 0 or 1: DLMF 10.31.1 below 1, the trapezoidal rule for the
    integral 10.32.9 above, 10.40.2 from 30."""
    low = np.clip(x, 1e-300, 1)
    square = low * low / 4
    log = np.log(low / 2) + EULER
    term = np.ones_like(x)
    harmonic = 0.0
    if order == 0:
        small = -log * term
        for k in range(1, 14):
            term = term * square / (k * k)
            harmonic += 1 / k
            small = small + term * (harmonic - log)
    else:
        small = 1 / low
        term = low / 2
        for k in range(14):
            small = small + term * (log - harmonic - 0.5 / (k + 1))
            harmonic += 1 / (k + 1)
            term = term * square / ((k + 1) * (k + 2))
    high = np.maximum(x, 1)
    step = 1 / 16
    large = np.full_like(x, 0.5 * step)
    for k in range(1, 75):
        t = k * step
        large = large + step * math.cosh(order * t) * np.exp(-2 * high * math.sinh(t / 2) ** 2)
    far = np.maximum(x, 30)
    part = np.ones_like(x)
    total = part.copy()
    for k in range(1, 22):
        part = part * (4 * order * order - (2 * k - 1) ** 2) / (8 * k * far)
        total = total + part
    large = np.where(x < 30, large, total * np.sqrt(math.pi / (2 * far)))
    result = np.where(x < 1, small * np.exp(low), large)
    result = np.where(x == 0, np.inf, np.where(x < 0, np.nan, result))
    return np.where(np.isnan(x), x, result)


def _bessel_orders(x: Array) -> tuple[Array, Array, Array, Array]:
    """J0, J1, Y0 and Y1 for 0 < x <= 25, by Miller's recurrence and Neumann's series (DLMF 3.6,
    10.12.4, 10.8.3)."""
    top = 80
    after, current = np.zeros_like(x), np.full_like(x, 1e-280)
    orders: list[Array] = [current]
    for n in range(top, 0, -1):
        after, current = current, 2 * n / x * current - after
        big = np.abs(current) > 1e250
        if big.any():
            scale = np.where(big, 1e-250, 1.0)
            after, current = after * scale, current * scale
            orders = [value * scale for value in orders]
        orders.append(current)
    orders.reverse()
    norm = orders[0].copy()
    for n in range(2, top, 2):
        norm = norm + 2 * orders[n]
    j = [value / norm for value in orders]
    log = np.log(x / 2) + EULER
    y0: Array = log * j[0]
    y1: Array = log * j[1] - j[0] / x
    for k in range(1, top // 2 - 1):
        y0 = y0 - 2 * (-1) ** k * j[2 * k] / k
        y1 = y1 + (-1) ** k * (j[2 * k - 1] - j[2 * k + 1]) / k
    return j[0], j[1], y0 * 2 / math.pi, y1 * 2 / math.pi


def _hankel(order: int, x: Array) -> tuple[Array, Array]:
    """J and Y of order 0 or 1 for x >= 25 by Hankel's expansion (DLMF 10.17.3)."""
    p, q, term = np.zeros_like(x), np.zeros_like(x), np.ones_like(x)
    for k in range(20):
        sign = (-1) ** (k // 2)
        if k % 2:
            q = q + sign * term
        else:
            p = p + sign * term
        term = term * (4 * order * order - (2 * k + 1) ** 2) / ((k + 1) * 8 * x)
    cosine, sine = np.cos(x), np.sin(x)
    if order == 0:
        c, s = cosine + sine, sine - cosine
    else:
        c, s = sine - cosine, -(cosine + sine)
    scale = 1 / np.sqrt(math.pi * x)
    return scale * (p * c - q * s), scale * (p * s + q * c)


def _bessel(kind: int, order: int) -> Callable[[Array], Array]:
    """J (kind 0) or Y (kind 1) of order 0 or 1."""

    def bessel(x: Array) -> Array:
        size = np.abs(x)
        near = _bessel_orders(np.clip(size, 1e-8, 25))[2 * kind + order]
        far = _hankel(order, np.maximum(size, 25))[kind]
        result: Array = np.where(size <= 25, near, far)
        if kind:
            tiny = -2 / (math.pi * x) if order else (np.log(x / 2) + EULER) * 2 / math.pi
            result = np.where(size < 1e-8, tiny, result)
            result = np.where(x == 0, -np.inf, np.where(x < 0, np.nan, result))
        else:
            result = np.where(size < 1e-8, size / 2 if order else 1.0, result)
            result = np.copysign(1.0, x) * result if order else result
        return np.where(np.isfinite(x), result, np.nan)

    return bessel


def _spherical_j0(x: Array) -> Array:
    small = 1 - x * x / 6 * (1 - x * x / 20)
    result = np.where(np.abs(x) < 1e-2, small, np.sin(x) / x)
    return np.where(np.isinf(x), 0.0, result)


def _scaled(function: Callable[[int, Array], Array], order: int) -> Callable[..., Array]:
    return doubled(lambda x: function(order, x))


def _k(order: int) -> Callable[..., Array]:
    return doubled(lambda x: _scaled_k(order, x) * np.exp(-x))


i0, i1 = doubled(_i0), doubled(_i1)
i0e, i1e = _scaled(_scaled_i, 0), _scaled(_scaled_i, 1)
k0e, k1e = _scaled(_scaled_k, 0), _scaled(_scaled_k, 1)
k0, k1 = _k(0), _k(1)
j0, j1 = doubled(_bessel(0, 0)), doubled(_bessel(0, 1))
y0, y1 = doubled(_bessel(1, 0)), doubled(_bessel(1, 1))
spherical_j0 = doubled(_spherical_j0)
