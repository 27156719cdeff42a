"""Sums of few elements: the same bits as the loops that all sizes take."""

from __future__ import annotations

import numpy
import pytest

from tgrad.backends import sums


def numbers(shape: tuple[int, ...], dtype: str, seed: int = 5) -> numpy.ndarray:
    rng = numpy.random.default_rng(seed)
    return (rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 4, shape)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("size", range(1, 70))
def test_a_vector_is_added_as_one_of_two_rows(dtype: str, size: int) -> None:
    rows = numbers((2, size), dtype)
    both = sums.sum(rows, (1,))
    for row, expected in zip(rows, both, strict=True):
        for axis in (None, (0,), (-1,)):
            for keepdims in (False, True):
                found = sums.sum(row, axis, keepdims)
                assert found.shape == ((1,) if keepdims else ())
                assert found.tobytes() == expected.tobytes()


def test_no_element_and_negative_zero() -> None:
    for size in range(10):
        found = sums.sum(numpy.full(size, -0.0, "float32"), (0,), True)
        assert found.tobytes() == numpy.zeros(1, "float32").tobytes()
