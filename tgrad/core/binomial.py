"""Binomial draws: how many of a number of trials succeed, as PyTorch draws them."""

from __future__ import annotations

import math
from typing import Any

from numpy import float64

from tgrad.core.generator import Generator
from tgrad.core.random import uniform

Array = Any


def binomial(generator: Generator, counts: Array, probabilities: Array) -> Array:
    """Binomially distributed whole numbers, in the arguments' dtype; both are of one shape."""
    result = counts.copy()
    flat = result.reshape(-1)
    for place, (count, p) in enumerate(zip(counts.flat, probabilities.flat, strict=True)):
        flat[place] = draw(generator, count, p)
    return flat.reshape(counts.shape)


def draw(generator: Generator, count: Any, p: Any) -> float:
    """One draw: short ones by waiting times, long ones by rejection."""
    if count <= 0 or p <= 0:
        return 0
    if p >= 1:
        return float(count)
    if math.isnan(count) or math.isnan(p):
        return math.nan
    if p > 0.5:
        return float(count) - draw(generator, count, 1 - p)
    way = _by_rejection if count * p >= 10 else _by_waiting  # the product is rounded to the dtype
    return way(generator, float(count), float(p))


def _next(generator: Generator) -> float:
    return float(uniform(generator, (1,), float64)[0])


def _by_waiting(generator: Generator, count: float, p: float) -> int:
    """Waits for successes, a geometrically distributed number of trials each, until the trials are over."""
    log_failure = math.log1p(-p)
    trials, successes = 0, 0
    while True:
        number = _next(generator)
        trials += math.ceil(math.log(number) / log_failure) if number else math.inf  # type: ignore[assignment]
        if trials > count:
            return successes
        successes += 1


def _by_rejection(generator: Generator, count: float, p: float) -> float:
    """Hoermann's transformed rejection with squeeze (J. Stat. Comput. Simul. 46, 1993, algorithm BTRS)."""
    deviation = math.sqrt(count * p * (1 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    centre, squeeze = count * p + 0.5, 0.92 - 4.2 / b
    odds, alpha = p / (1 - p), (2.83 + 5.1 / b) * deviation
    mode = math.floor((count + 1) * p)
    while True:
        u, v = _next(generator) - 0.5, _next(generator)
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + centre)
        if us >= 0.07 and v <= squeeze:
            return k
        if k < 0 or k > count:
            continue
        v = math.log(v * alpha / (a / (us * us) + b))
        bound = (
            (mode + 0.5) * math.log((mode + 1) / (odds * (count - mode + 1)))
            + (count + 1) * math.log((count - mode + 1) / (count - k + 1))
            + (k + 0.5) * math.log(odds * (count - k + 1) / (k + 1))
            + _tail(mode) + _tail(count - mode) - _tail(k) - _tail(count - k)
        )  # fmt: skip
        if v <= bound:
            return k


def _tail(k: float) -> float:
    """log(k!) less Stirling's formula for it (DLMF 5.11.1)."""
    n = k + 1
    if k <= 9:
        return math.lgamma(n) - (0.5 * math.log(2 * math.pi) + (k + 0.5) * math.log(n) - n)
    square = n * n
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / n
