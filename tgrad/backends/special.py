"""Special functions of arrays: gamma and error functions, polynomials and their relatives.

Everything is computed in double precision and rounded once to the dtype of the argument.  Formula
numbers are those of the NIST Digital Library of Mathematical Functions (DLMF, dlmf.nist.gov).
Errors are a few units in the last place of a double, but for neighbourhoods of zeros.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

Array = Any

EULER = 0.5772156649015328606


def doubled(function: Callable[..., Array]) -> Callable[..., Array]:
    """Compute in float64, whatever the floating dtype of the arrays, and round the result."""

    def rounded(*arrays: Array) -> Array:
        dtype = arrays[-1].dtype
        with np.errstate(all="ignore"):
            wide = np.broadcast_arrays(*(np.asarray(a).astype(np.float64) for a in arrays))
            result = function(*wide)
        if len(arrays) > 1:
            return result.astype(dtype)
        rounded_result = np.empty_like(arrays[0])  # in the same order in memory
        np.copyto(rounded_result, result, casting="unsafe")
        return rounded_result

    rounded.__name__ = rounded.__qualname__ = function.__name__
    rounded.__doc__ = function.__doc__
    return rounded


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """The value of a polynomial whose highest coefficient comes first (Horner)."""
    total = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total = total * x + coefficient
    return total


@cache
def bernoulli(count: int) -> tuple[Fraction, ...]:
    """The Bernoulli numbers B(2), B(4), ..., by the recurrence DLMF 24.5.3."""
    numbers = [Fraction(1)]
    for m in range(1, 2 * count + 1):
        total = sum((math.comb(m + 1, k) * numbers[k] for k in range(m)), Fraction(0))
        numbers.append(-total / (m + 1))
    return tuple(numbers[2 :: 2])


# ------------------------------------------------------------------------- error functions

# Rational approximations by W. J. Cody, Math. Comp. 23 (1969), pages 631-637.
_ERF_P = (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2,
          3.77485237685302021e2, 3.20937758913846947e3)  # fmt: skip
_ERF_Q = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3,
          2.84423683343917062e3)  # fmt: skip
_MIDDLE_P = (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594,
             6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2,
             1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3)  # fmt: skip
_MIDDLE_Q = (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2,
             1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3,
             3.43936767414372164e3, 1.23033935480374942e3)  # fmt: skip
_FAR_P = (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1,
          1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4)  # fmt: skip
_FAR_Q = (1.0, 2.56852019228982242, 1.87295284992346047, 5.27905102951428412e-1,
          6.05183413124413191e-2, 2.33520497626869185e-3)  # fmt: skip


def _erf_near(x: Array) -> Array:
    """erf where abs(x) < 0.47."""
    square = x * x
    return x * _polynomial(_ERF_P, square) / _polynomial(_ERF_Q, square)


def _erfcx_positive(x: Array) -> Array:
    """exp(x**2) erfc(x) where x >= 0.47."""
    middle = _polynomial(_MIDDLE_P, x) / _polynomial(_MIDDLE_Q, x)
    inverse = 1 / (x * x)
    far = inverse * _polynomial(_FAR_P, inverse) / _polynomial(_FAR_Q, inverse)
    return np.where(x <= 4, middle, (1 / math.sqrt(math.pi) - far) / x)


def _exp_minus_square(x: Array) -> Array:
    """exp(-x**2), with the square's rounding error taken into account."""
    head = np.trunc(x * 16) / 16
    return np.exp(-head * head) * np.exp(-(x - head) * (x + head))


def _erfc(x: Array) -> Array:
    size = np.abs(x)
    tail = np.where(size > 28, 0.0, _exp_minus_square(np.minimum(size, 28)) *
                    _erfcx_positive(np.maximum(size, 0.4)))
    far = np.where(x < 0, 2 - tail, tail)
    return np.where(size < 0.47, 1 - _erf_near(x), np.where(np.isnan(x), x, far))


def _erf(x: Array) -> Array:
    size = np.abs(x)
    return np.where(size < 0.47, _erf_near(x), np.copysign(1 - _erfc(size), x))


def _erfcx(x: Array) -> Array:
    near = np.exp(x * x) * (1 - _erf_near(x))
    positive = _erfcx_positive(np.maximum(x, 0.4))
    negative = 2 * np.exp(x * x) - _erfcx_positive(np.maximum(-x, 0.4))
    far = np.where(x < 0, negative, positive)
    return np.where(np.abs(x) < 0.47, near, np.where(np.isnan(x), x, far))


def _erfinv(y: Array) -> Array:
    """Halley's iteration from S. Winitzki's estimate (2008), on erfc where y is near 1."""
    size = np.abs(y)
    log = np.log1p(-size * size)
    middle = 2 / (math.pi * 0.147) + log / 2
    x = np.sqrt(np.sqrt(middle * middle - log / 0.147) - middle)
    for _ in range(3):
        off = np.where(size < 0.5, _erf(x) - size, (1 - size) - _erfc(x))
        step = off / (2 / math.sqrt(math.pi) * np.exp(-x * x))
        x = x - step / (1 + x * step)
    x = np.where(size == 1, np.inf, np.where(size > 1, np.nan, np.where(size == 0, 0.0, x)))
    return np.copysign(x, y)


def _ndtri(p: Array) -> Array:
    """The normal quantile: -sqrt(2) times the solution of log erfc(x) = log(2 p), by Newton."""
    tail = np.minimum(p, 1 - p)
    goal = np.log(2 * tail)
    x = np.sqrt(np.maximum(-goal - 0.5 * np.log(np.maximum(-goal, 1) * math.pi), 0))
    for _ in range(8):
        scaled = _erfcx(x)
        x = x + (np.log(scaled) - x * x - goal) * scaled * (math.sqrt(math.pi) / 2)
    central = _erfinv(2 * p - 1)
    x = np.where(tail < 0.2, np.where(p < 0.5, -x, x), central) * math.sqrt(2)
    x = np.where(p == 0, -np.inf, np.where(p == 1, np.inf, x))
    return np.where((p < 0) | (p > 1), np.nan, x)


def _log_ndtr(x: Array) -> Array:
    scaled = x * math.sqrt(0.5)
    lower = np.log(_erfcx(-scaled) / 2) - scaled * scaled
    return np.where(x < -1, lower, np.log1p(-_erfc(scaled) / 2))


# ------------------------------------------------------------------------- gamma functions


@cache
def _zeta_minus_one() -> tuple[float, ...]:
    """zeta(k) - 1 for k = 2, ..., 31, by Euler and Maclaurin's formula (DLMF 25.2.9)."""
    values = []
    for k in range(2, 32):
        n = 12
        total = sum(float(j) ** -k for j in range(n - 1, 1, -1))
        total += n ** (1.0 - k) / (k - 1) + 0.5 * n**-float(k)
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
    terms = tuple(
        float(b / (2 * k * (2 * k - 1))) for k, b in enumerate(bernoulli(10), 1)
    )
    return _polynomial(terms[::-1], inverse) / x


def _lgamma_positive(x: Array) -> Array:
    large = (x - 0.5) * np.log(x) - x + 0.5 * math.log(2 * math.pi) + stirling_rest(
        np.maximum(x, 10)
    )
    reduced = np.where(x < 10, x, 2.0)
    product = np.ones_like(x)
    for _ in range(8):
        high = reduced > 2.5
        reduced = np.where(high, reduced - 1, reduced)
        product = np.where(high, product * reduced, product)
    near_two = _lgamma_near_two(np.clip(reduced, 1.5, 2.5) - 2) + np.log(product)
    near_one = _lgamma_near_two(np.clip(x - 1, -0.5, 0.5)) - np.log(x)
    near_zero = _lgamma_near_two(np.clip(x, 0, 0.5) - 0) - np.log(x) - np.log1p(x)
    result = np.where(x < 1.5, np.where(x < 0.5, near_zero, near_one), near_two)
    return np.where(x < 10, result, large)


def _lgamma(x: Array) -> Array:
    """By the series at 2, the recurrence, Stirling's series and reflection (DLMF 5.5.3)."""
    positive = _lgamma_positive(np.where(x > 0, x, 1 - x))
    sine = np.abs(np.sin(math.pi * (x - np.round(x))))
    reflected = np.log(math.pi / sine) - positive
    result = np.where(x > 0, positive, np.where(x == np.floor(x), np.inf, reflected))
    return np.where(np.isinf(x), np.inf, np.where(np.isnan(x), x, result))


def _digamma(x: Array) -> Array:
    """The recurrence up to 10, then DLMF 5.11.2; reflection (5.5.4) below 0."""
    negative = x < 0
    shift = np.where(negative, math.pi / np.tan(math.pi * (x - np.trunc(x))), 0.0)
    y = np.where(negative, 1 - x, x)
    result = -shift
    for _ in range(10):
        small = y < 10
        result = np.where(small, result - 1 / y, result)
        y = np.where(small, y + 1, y)
    inverse = 1 / (y * y)
    terms = tuple(float(b / (2 * k)) for k, b in enumerate(bernoulli(7), 1))
    rest = np.where(y < 1e17, inverse * _polynomial(terms[::-1], inverse), 0.0)
    result = result + np.log(y) - 0.5 / y - rest
    result = np.where(negative & (x == np.floor(x)), np.nan, result)
    return np.where(x == 0, np.copysign(np.inf, -x), result)


def _trigamma(x: Array) -> Array:
    """The recurrence, then DLMF 5.15.8; reflection (5.15.6) below 1/2."""
    low = x < 0.5
    sine = np.sin(math.pi * x)
    result = np.where(low, -math.pi * math.pi / (sine * sine), 0.0)
    y = np.where(low, 1 - x, x)
    for _ in range(6):
        result = result + 1 / (y * y)
        y = y + 1
    inverse = 1 / (y * y)
    result = result + (
        1 + 1 / (2 * y) + inverse * (1 / 6 - inverse * (1 / 30 - inverse * (1 / 42)))
    ) / y
    return np.where(low, -result, result)


def _zeta(s: Array, q: Array) -> Array:
    """Hurwitz's zeta function by Euler and Maclaurin's formula (DLMF 25.11.5)."""
    total = np.zeros_like(q)
    base = q.copy()
    for _ in range(12):
        total = total + base**-s
        base = base + 1
    total = total + base ** (1 - s) / (s - 1) + 0.5 * base**-s
    factor = s * base ** (-s - 1)
    for j, b in enumerate(bernoulli(12), 1):
        term = float(b) / math.factorial(2 * j) * factor
        total = total + np.where(np.isfinite(term), term, 0.0)
        factor = factor * (s + 2 * j - 1) * (s + 2 * j) / (base * base)
    total = np.where(s == 1, np.inf, np.where(s < 1, np.nan, total))
    whole = q == np.floor(q)
    below = np.where(whole, np.inf, np.where(s == np.floor(s), total, np.nan))
    return np.where((s > 1) & (q <= 0), below, total)


def polygamma(n: int, x: Array) -> Array:
    """The n-th derivative of digamma (DLMF 5.15.1)."""
    if n == 0:
        return digamma(x)
    if n == 1:
        return trigamma(x)
    sign = 1.0 if n % 2 else -1.0

    def of(value: Array) -> Array:
        order = np.full_like(value, n + 1.0)
        return sign * math.factorial(n) * _zeta(order, value)

    return doubled(of)(x)


def _log1p_less(x: Array) -> Array:
    """log(1 + x) - x, by its series near 0."""
    ratio = x / (2 + x)
    square = ratio * ratio
    series = np.zeros_like(x)
    for k in range(14, 0, -1):
        series = (series + 2 / (2 * k + 1)) * square
    return np.where(np.abs(x) < 0.4, ratio * series - x * ratio, np.log1p(x) - x)


def _gamma_factor(a: Array, x: Array) -> Array:
    """x**a exp(-x) / gamma(a), without cancellation for large a."""
    small = np.exp(a * np.log(x) - x - _lgamma(a))
    wide = np.maximum(a, 10)
    large = np.exp(wide * _log1p_less((x - wide) / wide) - stirling_rest(wide)) * np.sqrt(
        wide / (2 * math.pi)
    )
    return np.where(a < 10, small, large)


def _incomplete_gamma(a: Array, x: Array) -> tuple[Array, Array]:
    """P(a, x) and Q(a, x), by the series DLMF 8.11.4 below x = a + 1 and Legendre's continued
    fraction (8.9.2, evaluated by Lentz's method) above."""
    factor = _gamma_factor(a, x)
    low = x < a + 1
    y = np.where(low, x, 0.0)
    term = 1 / a
    series = term.copy()
    for k in range(1, 3000):
        term = term * y / (a + k)
        series = series + term
        if not (term > series * 1e-17).any():
            break
    z = np.where(low, a + 2, x)
    b = z + 1 - a
    c = np.full_like(z, 1e300)
    d = 1 / b
    fraction = d.copy()
    for k in range(1, 3000):
        numerator = -k * (k - a)
        b = b + 2
        d = 1 / (numerator * d + b)
        c = b + numerator / c
        change = c * d
        fraction = fraction * change
        if not (np.abs(change - 1) > 1e-16).any():
            break
    lower, upper = factor * series, factor * fraction
    return np.where(low, lower, 1 - upper), np.where(low, 1 - lower, upper)


def _gamma_edges(a: Array, x: Array, inner: Array, at_zero: float) -> Array:
    """The values at the ends of the domain; nan outside of it."""
    bad = (x < 0) | (a < 0) | np.isnan(x) | np.isnan(a)
    result = np.where(np.isinf(x), 1 - at_zero, inner)
    result = np.where(np.isinf(a), np.where(np.isinf(x), np.nan, at_zero), result)
    result = np.where(x == 0, at_zero, result)
    result = np.where(a == 0, np.where(x > 0, 1 - at_zero, np.nan), result)
    return np.where(bad, np.nan, result)


def _ordinary(a: Array, x: Array) -> tuple[Array, Array]:
    """Arguments inside of the domain: others are replaced by 1."""
    inside = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    return np.where(inside, a, 1.0), np.where(inside, x, 1.0)


def _gammainc(a: Array, x: Array) -> Array:
    return _gamma_edges(a, x, _incomplete_gamma(*_ordinary(a, x))[0], 0.0)


def _gammaincc(a: Array, x: Array) -> Array:
    return _gamma_edges(a, x, _incomplete_gamma(*_ordinary(a, x))[1], 1.0)


# ------------------------------------------------------------------------- products with logarithms


def _with_log(log: Callable[[Array], Array]) -> Callable[[Array, Array], Array]:
    """x log(y), and 0 where x is 0, unless y is nan."""

    def product(x: Array, y: Array) -> Array:
        result = np.where(x == 0, 0.0, x * log(y))
        return np.where(np.isnan(y), np.nan, result)

    return product


def _entr(x: Array) -> Array:
    result = np.where(x > 0, -x * np.log(x), np.where(x == 0, 0.0, -np.inf))
    return np.where(np.isnan(x), x, result)


# ------------------------------------------------------------------------- orthogonal polynomials


def polynomial(
    first: Callable[[Array], Array], recurrence: Callable[[int, Array, Array, Array], Array]
) -> Callable[[Array, Array], Array]:
    """P(n, x) from P(0) = 1, P(1) and the recurrence `(k, x, P(k), P(k - 1)) -> P(k + 1)`; 0 for
    negative n (DLMF 18.9)."""

    def value(x: Array, n: Array) -> Array:
        degree = np.trunc(n)
        before, current = np.ones_like(x), first(x)
        result = np.where(degree == 0, before, np.where(degree == 1, current, 0.0))
        top = int(np.nanmax(degree, initial=0, where=np.isfinite(degree)))
        for k in range(1, top):
            before, current = current, recurrence(k, x, current, before)
            result = np.where(degree == k + 1, current, result)
        return np.where(np.isnan(x), x, result)

    return doubled(value)


erf, erfc, erfcx, erfinv = (doubled(f) for f in (_erf, _erfc, _erfcx, _erfinv))
ndtri, log_ndtr = doubled(_ndtri), doubled(_log_ndtr)
lgamma, digamma, trigamma, zeta = (doubled(f) for f in (_lgamma, _digamma, _trigamma, _zeta))
gammainc, gammaincc = doubled(_gammainc), doubled(_gammaincc)
xlogy, xlog1py, entr = doubled(_with_log(np.log)), doubled(_with_log(np.log1p)), doubled(_entr)


def _chebyshev(slope: float, shift: float, scale: float = 1, offset: float = 0) -> Any:
    """Chebyshev polynomials: P(1) = slope t + shift where t = scale x + offset."""
    return polynomial(
        lambda x: slope * (scale * x + offset) + shift,
        lambda k, x, current, before: 2 * (scale * x + offset) * current - before,
    )


chebyshev_polynomial_t, chebyshev_polynomial_u = _chebyshev(1, 0), _chebyshev(2, 0)
chebyshev_polynomial_v, chebyshev_polynomial_w = _chebyshev(2, -1), _chebyshev(2, 1)
shifted_chebyshev_polynomial_t = _chebyshev(1, 0, 2, -1)
shifted_chebyshev_polynomial_u = _chebyshev(2, 0, 2, -1)
shifted_chebyshev_polynomial_v = _chebyshev(2, -1, 2, -1)
shifted_chebyshev_polynomial_w = _chebyshev(2, 1, 2, -1)
hermite_polynomial_h = polynomial(lambda x: 2 * x, lambda k, x, c, b: 2 * x * c - 2 * k * b)
hermite_polynomial_he = polynomial(lambda x: x, lambda k, x, c, b: x * c - k * b)
laguerre_polynomial_l = polynomial(
    lambda x: 1 - x, lambda k, x, c, b: ((2 * k + 1 - x) * c - k * b) / (k + 1)
)
legendre_polynomial_p = polynomial(
    lambda x: x, lambda k, x, c, b: ((2 * k + 1) * x * c - k * b) / (k + 1)
)
