"""Equations with triangular matrices: blocks by LAPACK, and row by row where that may not be."""

from __future__ import annotations

import numpy
import pytest

from tgrad.backends import factors


def _by_rows(a: numpy.ndarray, b: numpy.ndarray, upper: bool, unit: bool) -> numpy.ndarray:
    """The same equation by plain substitution."""
    n = a.shape[-1]
    x = numpy.zeros(b.shape, numpy.result_type(a, b))
    for i in reversed(range(n)) if upper else range(n):
        known = slice(i + 1, n) if upper else slice(0, i)
        row = b[i] - (a[i, known, None] * x[known]).sum(0)
        x[i] = row if unit else row / a[i, i]
    return x


@pytest.mark.parametrize("dtype", [numpy.float32, numpy.float64, numpy.complex128])
@pytest.mark.parametrize("unit", [False, True])
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 130])
def test_substitution(n: int, upper: bool, unit: bool, dtype: type) -> None:
    random = numpy.random.default_rng(n)
    a = (random.standard_normal((n, n)) / n + numpy.eye(n)).astype(dtype)
    b = random.standard_normal((n, 3)).astype(dtype)
    expected = _by_rows(a, b, upper, unit)
    other = numpy.tril(numpy.full(a.shape, numpy.nan), -1)  # what doesn't count
    a = a + (other if upper else other.T).astype(dtype)
    if unit:
        a[range(n), range(n)] = numpy.inf
    result = factors.solve_triangular(a, b, upper, unit)
    assert result.dtype == dtype
    numpy.testing.assert_allclose(result, expected, rtol=2e-4 if dtype == numpy.float32 else 1e-11)


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("place", [0, 3, 70])
@pytest.mark.parametrize("value", [0.0, numpy.inf, numpy.nan, 1e-310])
def test_special_numbers_on_the_diagonal(value: float, place: int, upper: bool) -> None:
    a = numpy.eye(80) + numpy.full((80, 80), 0.01)
    a[place, place] = value
    b = numpy.arange(160.0).reshape(80, 2) + 1
    with numpy.errstate(all="ignore"):
        result = factors.solve_triangular(a, b, upper, False)
        numpy.testing.assert_allclose(result, _by_rows(a, b, upper, False), rtol=1e-9)


def test_special_numbers_on_the_right() -> None:
    a = numpy.array([[2.0, 1.0], [0.0, 4.0]])
    b = numpy.array([[1.0, numpy.inf], [numpy.nan, 8.0]])
    result = factors.solve_triangular(a, b, True, False)
    numpy.testing.assert_array_equal(result, [[numpy.nan, numpy.inf], [numpy.nan, 2.0]])


def test_batches_and_empty_ones() -> None:
    a = numpy.stack([numpy.eye(3) * 2, numpy.eye(3) * 4])[:, None]
    b = numpy.ones((5, 3, 2))
    result = factors.solve_triangular(a, b, False, False)
    assert result.shape == (2, 5, 3, 2)
    assert (result[0] == 0.5).all()
    assert (result[1] == 0.25).all()
    assert factors.solve_triangular(a[:0], b, True, False).shape == (0, 5, 3, 2)
    assert factors.solve_triangular(numpy.eye(3), numpy.ones((3, 0)), True, False).shape == (3, 0)
