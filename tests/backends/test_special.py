"""Special functions against Python's own, exact series and identities."""

import math
from fractions import Fraction

import numpy as np
import pytest

from tgrad.backends import bessel, gamma, special


def ulps(values, exact):
    """The largest distance in units in the last place."""
    return np.max(np.abs(values - exact) / np.spacing(np.abs(exact)))


def test_error_functions_are_pythons():
    x = np.linspace(-6, 6, 2001)
    assert ulps(special.erf(x), np.array([math.erf(v) for v in x])) <= 4
    x = np.linspace(-6, 26, 2001)
    assert ulps(special.erfc(x), np.array([math.erfc(v) for v in x])) <= 8


def test_lgamma_is_pythons():
    x = np.concatenate([np.linspace(0.01, 0.9, 300), np.linspace(2.2, 170, 2000)])
    exact = np.array([math.lgamma(v) for v in x])
    assert np.all(np.abs(gamma.lgamma(x) - exact) <= 1e-15 * np.maximum(1, exact))
    assert gamma.lgamma(np.array([1.0, 2.0])).tolist() == [0.0, 0.0]
    assert gamma.lgamma(np.array([0.0, -1.0, -7.0, math.inf])).tolist() == [math.inf] * 4


def test_inverses():
    p = np.concatenate([np.linspace(0.001, 0.999, 999), [1e-300, 1e-20, 1e-5]])
    quantiles = special.ndtri(p)
    back = np.array([0.5 * math.erfc(-q / math.sqrt(2)) for q in quantiles])
    assert np.all(np.abs(back - p) <= 2e-15 * p * np.maximum(1, quantiles**2))
    y = np.linspace(-0.999, 0.999, 999)
    assert np.allclose([math.erf(v) for v in special.erfinv(y)], y, rtol=1e-15, atol=1e-16)


def test_digamma_and_zeta_at_known_points():
    digamma = gamma.digamma(np.array([1.0, 0.5, 10.0]))
    known = [-gamma.EULER, -gamma.EULER - 2 * math.log(2),
             sum(1 / k for k in range(1, 10)) - gamma.EULER]  # fmt: skip
    assert np.allclose(digamma, known, rtol=1e-15, atol=0)
    zeta = gamma.zeta(np.array([2.0, 4.0]), np.array([1.0, 1.0]))
    assert np.allclose(zeta, [math.pi**2 / 6, math.pi**4 / 90], rtol=1e-15, atol=0)
    third = gamma.polygamma(2, np.array([1.0]))
    assert np.allclose(third, -2 * 1.2020569031595942854, rtol=1e-15, atol=0)


@pytest.mark.parametrize("a", [0.1, 1.0, 7.5, 25.0, 300.0])
def test_incomplete_gamma_functions(a):
    x = np.linspace(0.05, 3, 60) * a
    lower, upper = (f(np.full_like(x, a), x) for f in (gamma.gammainc, gamma.gammaincc))
    assert np.allclose(lower + upper, 1, rtol=0, atol=4e-16)
    next_lower = gamma.gammainc(np.full_like(x, a + 1), x)
    step = np.exp(a * np.log(x) - x - math.lgamma(a + 1))
    assert np.allclose(lower - next_lower, step, rtol=1e-11, atol=1e-15)


def series(order, x, sign):
    """J (sign -1) or I (sign 1) by the power series in exact arithmetic."""
    x = Fraction(x)
    term = (x / 2) ** order
    total = term
    for k in range(1, 120):
        term = term * sign * x * x / 4 / (k * (k + order))
        total += term
    return float(total)


@pytest.mark.parametrize("order", [0, 1])
def test_bessel_functions_of_the_first_kind(order):
    x = np.array([0.01, 0.7, 2.5, 8.25, 17.5, 24.75, 25.25, 31.0])
    exact = np.array([series(order, v, -1) for v in x])
    assert np.max(np.abs((bessel.j0, bessel.j1)[order](x) - exact)) <= 4e-16
    exact = np.array([series(order, v, 1) for v in x])
    assert ulps((bessel.i0, bessel.i1)[order](x), exact) <= 32


def test_wronskians():
    x = np.linspace(0.05, 60, 500)
    wronskian = bessel.j1(x) * bessel.y0(x) - bessel.j0(x) * bessel.y1(x)
    assert np.allclose(wronskian, 2 / (math.pi * x), rtol=1e-13, atol=0)
    modified = bessel.i0e(x) * bessel.k1e(x) + bessel.i1e(x) * bessel.k0e(x)
    assert np.allclose(modified, 1 / x, rtol=1e-14, atol=0)


def test_single_precision_is_the_rounded_double():
    x = np.linspace(0.1, 5, 50).astype(np.float32)
    for function in (special.erf, gamma.lgamma, special.ndtri):
        assert function(x).dtype == np.float32
        assert np.array_equal(function(x), function(x.astype(float)).astype(np.float32), equal_nan=True)


def test_single_precision_is_computed_in_single_precision():
    """As in PyTorch: the results are near the rounded doubles, and not all of them equal."""
    x = np.linspace(0.1, 5, 50).astype(np.float32)
    for function in (gamma.digamma, bessel.i0e, bessel.j0, bessel.k1):
        single, double = function(x), function(x.astype(float)).astype(np.float32)
        assert single.dtype == np.float32
        assert np.allclose(single, double, rtol=3e-6, atol=3e-7)
        assert not np.array_equal(single, double)


def test_order_in_memory_and_empty_arrays():
    assert special.erf(np.ones((2, 3)).T).strides == np.ones((2, 3)).T.strides
    assert special.erf(np.ones((0, 3), np.float32)).shape == (0, 3)
