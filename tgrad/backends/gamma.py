"""Gamma functions of arrays and their relatives; see `tgrad.backends.special`."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import numpy as np

from tgrad.backends.choice import where
from tgrad.backends.precision import Array, doubled, horner, native, piecewise

EULER = 0.5772156649015328606


@cache
def bernoulli(count: int) -> tuple[Fraction, ...]:
    """The Bernoulli numbers B(2), B(4), ..., by the recurrence DLMF 24.5.3."""
    numbers = [Fraction(1)]
    for m in range(1, 2 * count + 1):
        total = sum((math.comb(m + 1, k) * numbers[k] for k in range(m)), Fraction(0))
        numbers.append(-total / (m + 1))
    return tuple(numbers[2::2])


@cache
def _zeta_minus_one() -> tuple[float, ...]:
    """zeta(k) - 1 for k = 2, ..., 31, by Euler and Maclaurin's formula (DLMF 25.2.9)."""
    values = []
    for k in range(2, 32):
        n = 12
        total = sum(float(j) ** -k for j in range(n - 1, 1, -1))
        total += n ** (1.0 - k) / (k - 1) + 0.5 * n ** -float(k)
        factor = k * float(n) ** (-k - 1)
        for j, b in enumerate(bernoulli(8), 1):
            total += float(b) / math.factorial(2 * j) * factor
            factor *= (k + 2 * j - 1) * (k + 2 * j) / (n * n)
        values.append(total)
    return tuple(values)


def _lgamma_near_two(w: Array) -> Array:
    """log gamma(2 + w) where abs(w) <= 1/2 (DLMF 5.7.3)."""
    total = np.zeros_like(w)
    values = _zeta_minus_one()
    for k in range(len(values) + 1, 1, -1):
        total = (total + values[k - 2] * (-1) ** k / k) * w
    return (total + (1 - EULER)) * w


def stirling_rest(x: Array) -> Array:
    """log gamma(x) less the leading terms of Stirling's series, for x >= 10 (DLMF 5.11.1)."""
    inverse = 1 / (x * x)
    terms = tuple(float(b / (2 * k * (2 * k - 1))) for k, b in enumerate(bernoulli(10), 1))
    return horner(terms[::-1], inverse) / x


def _lgamma_positive(x: Array) -> Array:
    large = ~(x < 10)
    low, middle = x < 0.5, x < 1.5
    return piecewise(
        x,
        (large, _lgamma_large),
        (low, lambda x: _lgamma_near_two(np.maximum(x, 0)) - np.log(x) - np.log1p(x)),
        (middle & ~low, lambda x: _lgamma_near_two(x - 1) - np.log(x)),
        (~(large | middle), _lgamma_reduced),
    )


def _lgamma_large(x: Array) -> Array:
    return (x - 0.5) * np.log(x) - x + 0.5 * math.log(2 * math.pi) + stirling_rest(x)


def _lgamma_reduced(x: Array) -> Array:
    """log gamma(x) for 1.5 <= x < 10, by the recurrence."""
    product = np.ones_like(x)
    for _ in range(8):
        high = x > 2.5
        if not high.any():
            break
        x = where(high, x - 1, x)
        product = where(high, product * x, product)
    return _lgamma_near_two(x - 2) + np.log(product)


def _lgamma(x: Array) -> Array:
    """By the series at 2, the recurrence, Stirling's series and reflection (DLMF 5.5.3)."""
    above = x > 0
    result = piecewise(x, (above, _lgamma_positive), (~above, _lgamma_reflected))
    tiny = np.abs(x) < 1e-17
    if tiny.any():
        result = where(tiny & (x != 0), -np.log(np.abs(x)), result)
    return where(np.isinf(x), np.inf, where(np.isnan(x), x, result))


def _lgamma_reflected(x: Array) -> Array:
    sine = np.abs(np.sin(math.pi * (x - np.round(x))))
    return where(x == np.floor(x), np.inf, np.log(math.pi / sine) - _lgamma_positive(1 - x))


def _digamma(x: Array) -> Array:
    """The recurrence up to 10, then DLMF 5.11.2; reflection (5.5.4) below 0, in double precision."""
    negative = x < 0
    cotangent = math.pi / np.tan(math.pi * (x - np.trunc(x)).astype(np.float64))
    shift = where(negative, cotangent.astype(x.dtype), x.dtype.type(0))
    y = where(negative, 1 - x, x)
    result = np.zeros_like(x)
    for _ in range(10):
        small = y < 10
        result = where(small, result - 1 / y, result)
        y = where(small, y + 1, y)
    ten = y == 10
    at_ten = result + x.dtype.type(2.25175258906672110764)
    inverse = 1 / (y * y)
    terms = tuple(float(b / (2 * k)) for k, b in enumerate(bernoulli(7), 1))
    rest = where(y < 1e17, inverse * horner(terms[::-1], inverse), 0.0)
    logarithm = np.log(y.astype(np.float64)).astype(x.dtype)
    result = where(ten, at_ten, result + logarithm - x.dtype.type(0.5) / y - rest) - shift
    result = where(negative & (x == np.floor(x)), np.nan, result)
    return where(x == 0, np.copysign(np.inf, -x), result)


def _trigamma(x: Array) -> Array:
    """The recurrence, then DLMF 5.15.8; reflection (5.15.6) below 1/2."""
    low = x < 0.5
    pi = x.dtype.type(math.pi)
    sine = np.sin((pi * x).astype(np.float64)).astype(x.dtype)
    result = where(low, -(pi * pi) / (sine * sine), x.dtype.type(0))
    y = where(low, 1 - x, x)
    for _ in range(6):
        result = result + 1 / (y * y)
        y = y + 1
    inverse = 1 / (y * y)
    result = result + (1 + 1 / (2 * y) + inverse * (1 / 6 - inverse * (1 / 30 - inverse * (1 / 42)))) / y
    return where(low, -result, result)


def _zeta_of_positive(s: Array, q: Array) -> Array:
    """Hurwitz's zeta function for s > 1 and q > 0 by Euler and Maclaurin's formula (DLMF 25.11.5)."""
    total = np.zeros_like(q)
    base = q.copy()
    for _ in range(12):
        total = total + base**-s
        base = base + 1
    total = total + base ** (1 - s) / (s - 1) + 0.5 * base**-s
    factor = s * base ** (-s - 1)
    for j, b in enumerate(bernoulli(12), 1):
        term = float(b) / math.factorial(2 * j) * factor
        total = total + where(np.isfinite(term), term, 0.0)
        factor = factor * (s + 2 * j - 1) * (s + 2 * j) / (base * base)
    return total


def _zeta(s: Array, q: Array) -> Array:
    """Hurwitz's zeta function.

    For whole s and negative q = -(f + m - 1), 0 < f < 1, the first m terms of its sum are, up to their
    sign, the difference of its values at f and f + m.
    """
    negative = q < 0
    part = where(negative, -q - np.floor(-q), 0.5)
    count = where(negative, np.floor(-q) + 1, 1.0)
    total = _zeta_of_positive(s, where(negative, 1 - part, np.abs(q)))
    if negative.any():
        sign = where(s % 2 == 0, 1.0, -1.0)
        first = sign * (_zeta_of_positive(s, part) - _zeta_of_positive(s, part + count))
        total = where(negative, total + first, total)
    total = where(np.isinf(s) | np.isinf(q), np.nan, total)
    total = where(s == 1, np.inf, where(s < 1, np.nan, total))
    whole = q == np.floor(q)
    below = where(whole, np.inf, where(s == np.floor(s), total, np.nan))
    return where((s > 1) & (q <= 0), below, total)


def polygamma(n: int, x: Array) -> Array:
    """The n-th derivative of digamma (DLMF 5.15.1)."""
    if n == 0:
        return digamma(x)
    if n == 1:
        return trigamma(x)

    def of(value: Array) -> Array:
        kind = value.dtype.type
        factorial = kind(math.exp(kind(_lgamma(np.array(n + 1.0)))))
        return kind(1 if n % 2 else -1) * factorial * zeta(np.full_like(value, n + 1), value)

    return native(of)(x)


def _log1p_less(x: Array) -> Array:
    """log(1 + x) - x, by its series near 0."""
    ratio = x / (2 + x)
    square = ratio * ratio
    series = np.zeros_like(x)
    for k in range(14, 0, -1):
        series = (series + 2 / (2 * k + 1)) * square
    return where(np.abs(x) < 0.4, ratio * series - x * ratio, np.log1p(x) - x)


def _gamma_factor(a: Array, x: Array) -> Array:
    """x**a exp(-x) / gamma(a), without cancellation for large a."""
    small = np.exp(a * np.log(x) - x - _lgamma(a))
    wide = np.maximum(a, 10)
    large = np.exp(wide * _log1p_less((x - wide) / wide) - stirling_rest(wide)) * np.sqrt(
        wide / (2 * math.pi)
    )
    return where(a < 10, small, large)


def _incomplete_gamma(a: Array, x: Array) -> tuple[Array, Array]:
    """P(a, x) and Q(a, x), from the lower one below x = a + 1 and from the upper one above."""
    low = x < a + 1
    part = np.empty_like(x)
    for chosen, function in ((low, _lower_series), (~low, _upper_fraction)):
        if chosen.any():
            part[chosen] = function(a[chosen], x[chosen])
    part *= _gamma_factor(a, x)
    return where(low, part, 1 - part), where(low, 1 - part, part)


def _lower_series(a: Array, x: Array) -> Array:
    """P(a, x) without its factor, by the series DLMF 8.11.4."""
    term = 1 / a
    series = term.copy()
    for k in range(1, 3000):
        term = term * x / (a + k)
        series = series + term
        if not (term > series * 1e-17).any():
            break
    return series


def _upper_fraction(a: Array, x: Array) -> Array:
    """Q(a, x) without its factor, by Legendre's continued fraction (DLMF 8.9.2, by Lentz's method)."""
    b = x + 1 - a
    c = np.full_like(x, 1e300)
    d = 1 / b
    fraction = d.copy()
    for k in range(1, 3000):
        numerator = -k * (k - a)
        b = b + 2
        d = 1 / (numerator * d + b)
        c = b + numerator / c
        change = c * d
        fraction = fraction * change
        if not (np.abs(change - 1) > 3e-16).any():
            break
    return fraction


def _gamma_edges(a: Array, x: Array, inner: Array, at_zero: float) -> Array:
    """The values at the ends of the domain; nan outside of it."""
    bad = (x < 0) | (a < 0) | np.isnan(x) | np.isnan(a)
    result = where(np.isinf(x), 1 - at_zero, inner)
    result = where(np.isinf(a), where(np.isinf(x), np.nan, at_zero), result)
    result = where(x == 0, at_zero, result)
    result = where(a == 0, where(x > 0, 1 - at_zero, np.nan), result)
    return where(bad, np.nan, result)


def _ordinary(a: Array, x: Array) -> tuple[Array, Array]:
    """Arguments inside of the domain: others are replaced by 1."""
    inside = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    return where(inside, a, 1.0), where(inside, x, 1.0)


def _gammainc(a: Array, x: Array) -> Array:
    return _gamma_edges(a, x, _incomplete_gamma(*_ordinary(a, x))[0], 0.0)


def _gammaincc(a: Array, x: Array) -> Array:
    return _gamma_edges(a, x, _incomplete_gamma(*_ordinary(a, x))[1], 1.0)


lgamma, zeta = doubled(_lgamma), doubled(_zeta)
digamma, trigamma = native(_digamma), native(_trigamma)
gammainc, gammaincc = doubled(_gammainc), doubled(_gammaincc)
