"""Special functions of arrays: error functions, and products with logarithms.

Formula numbers here and in `gamma`, `bessel` and `polynomials` are those of the NIST Digital Library of
Mathematical Functions (DLMF, dlmf.nist.gov).  Errors are a few units in the last place, but for
neighbourhoods of zeros; where PyTorch computes in single precision so do these.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tgrad.backends.choice import where
from tgrad.backends.precision import Array, doubled, horner, native, piecewise

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
    return x * horner(_ERF_P, square) / horner(_ERF_Q, square)


def _erfcx_positive(x: Array) -> Array:
    """exp(x**2) erfc(x) where x >= 0.47."""
    middle = x <= 4
    return piecewise(x, (middle, _erfcx_middle), (~middle, _erfcx_far))


def _erfcx_middle(x: Array) -> Array:
    return horner(_MIDDLE_P, x) / horner(_MIDDLE_Q, x)


def _erfcx_far(x: Array) -> Array:
    inverse = 1 / (x * x)
    far = inverse * horner(_FAR_P, inverse) / horner(_FAR_Q, inverse)
    return (1 / math.sqrt(math.pi) - far) / x


def _exp_minus_square(x: Array) -> Array:
    """exp(-x**2), with the square's rounding error taken into account."""
    head = np.trunc(x * 16) / 16
    return np.exp(-head * head) * np.exp(-(x - head) * (x + head))


def _erfc_positive(x: Array) -> Array:
    """erfc where x >= 0.47, and of NaN."""
    middle = x <= 4
    return piecewise(x, (middle, _erfc_middle), (~middle, _erfc_far))


def _erfc_middle(x: Array) -> Array:
    return _exp_minus_square(x) * _erfcx_middle(x)


def _erfc_far(x: Array) -> Array:
    product = _exp_minus_square(np.minimum(x, 28)) * _erfcx_far(x)
    return where(x > 28, 0.0, where(np.isnan(x), x, product))


def _erfc(x: Array) -> Array:
    near = np.abs(x) < 0.47
    return piecewise(x, (near, lambda x: 1 - _erf_near(x)), (~near, _erfc_outside))


def _erfc_outside(x: Array) -> Array:
    tail = _erfc_positive(np.abs(x))
    return where(x < 0, 2 - tail, tail)


def _erf(x: Array) -> Array:
    near = np.abs(x) < 0.47
    return piecewise(x, (near, _erf_near), (~near, lambda x: np.copysign(1 - _erfc_positive(np.abs(x)), x)))


def _erfcx(x: Array) -> Array:
    near = np.abs(x) < 0.47
    far = ~near
    return piecewise(
        x,
        (near, lambda x: np.exp(x * x) * (1 - _erf_near(x))),
        (far & ~(x < 0), _erfcx_positive),
        (far & (x < 0), lambda x: 2 * np.exp(x * x) - _erfcx_positive(-x)),
    )


def _erfinv(y: Array) -> Array:
    """Halley's iteration from S. Winitzki's estimate (2008), on erfc where y is near 1."""
    size = np.abs(y)
    central = size < 0.5
    x = piecewise(
        size,
        (central, lambda size: _halley(size, lambda x: _erf(x) - size)),
        (~central, lambda size: _halley(size, lambda x: (1 - size) - _erfc(x))),
    )
    x = where(size == 1, np.inf, where(size > 1, np.nan, where(size == 0, 0.0, x)))
    return np.copysign(x, y)


def _halley(size: Array, off_at: Callable[[Array], Array]) -> Array:
    log = np.log1p(-size * size)
    middle = 2 / (math.pi * 0.147) + log / 2
    x = np.sqrt(np.sqrt(middle * middle - log / 0.147) - middle)
    for _ in range(3):
        step = off_at(x) / (2 / math.sqrt(math.pi) * np.exp(-x * x))
        x = x - step / (1 + x * step)
    return x


def _ndtri(p: Array) -> Array:
    """The normal quantile, from the error function or, near the ends, from its complement."""
    outer = np.minimum(p, 1 - p) < 0.2
    central = ~outer
    x = piecewise(p, (outer, _quantile_near_ends), (central, lambda p: _erfinv(2 * p - 1)))
    x = x * math.sqrt(2)
    x = where(p == 0, -np.inf, where(p == 1, np.inf, x))
    return where((p < 0) | (p > 1), np.nan, x)


def _quantile_near_ends(p: Array) -> Array:
    """The solution of log erfc(x) = log(2 p) or log(2 - 2 p), by Newton."""
    goal = np.log(2 * np.minimum(p, 1 - p))
    x = np.sqrt(np.maximum(-goal - 0.5 * np.log(np.maximum(-goal, 1) * math.pi), 0))
    for _ in range(8):
        scaled = _erfcx(x)
        x = x + (np.log(scaled) - x * x - goal) * scaled * (math.sqrt(math.pi) / 2)
    return where(p < 0.5, -x, x)


def _erfcx_typed(x: Array) -> Array:
    """`_erfcx`, where the exponential of a negative number's square is that of the rounded square."""
    result = _erfcx(x.astype(np.float64)).astype(x.dtype)
    if x.dtype == np.float64:
        return result
    size = np.maximum(-x, 0)
    grown = 2 * np.exp((size * size).astype(np.float64)).astype(x.dtype)
    return where(x < 0, grown - _erfcx(-x.astype(np.float64)).astype(x.dtype), result)


def _log_ndtr(x: Array) -> Array:
    scaled = x * x.dtype.type(math.sqrt(0.5))
    wide = scaled.astype(np.float64)
    lower = np.log(_erfcx_typed(-scaled) / 2) - scaled * scaled
    upper = np.log1p(-(_erfc(wide).astype(x.dtype)) / 2)
    return where(x < -1, lower, upper)


# ------------------------------------------------------------------------- products with logarithms


def _with_log(log: Callable[[Array], Array]) -> Callable[[Array, Array], Array]:
    """x log(y), and 0 where x is 0, unless y is nan; logarithm and product are rounded to the dtype."""

    def product(x: Array, y: Array) -> Array:
        logarithm = log(y.astype(np.float64)).astype(y.dtype)
        result = where(x == 0, y.dtype.type(0), x * logarithm)
        return where(np.isnan(y), y, result)

    return product


def _entr(x: Array) -> Array:
    result = where(x > 0, -x * np.log(x), where(x == 0, 0.0, -np.inf))
    return where(np.isnan(x), x, result)


erf, erfc, erfinv, erfcx = doubled(_erf), doubled(_erfc), doubled(_erfinv), native(_erfcx_typed)
ndtri, log_ndtr = doubled(_ndtri), native(_log_ndtr)
xlogy, xlog1py, entr = native(_with_log(np.log)), native(_with_log(np.log1p)), doubled(_entr)
