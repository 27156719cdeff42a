"""Copies in another order: the same as NumPy's, at sizes around a block."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from tgrad.backends import moved, threads

SHAPES = [
    (0, 4),
    (5, 6),
    (64, 64),
    (65, 130),
    (130, 63),
    (3, 50_000),
    (50_000, 3),
    (2, 3, 70, 66),
    (400, 400),
]


@pytest.fixture(params=[1, 2], autouse=True)
def workers(request: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(threads, "count", request.param)


def given(shape: tuple[int, ...], order: Any = "C") -> Any:
    return numpy.array(numpy.random.default_rng(2).integers(-2, 3, shape), numpy.float32, order=order)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_triangle(shape: tuple[int, ...], order: Any) -> None:
    array = given(shape, order)
    for diagonal in (-600, -65, -1, 0, 1, 64, 600):
        lower, upper = moved.triangle(array, diagonal, True), moved.triangle(array, diagonal, False)
        assert numpy.array_equal(lower, numpy.tril(array, diagonal))
        assert numpy.array_equal(upper, numpy.triu(array, diagonal))
        assert lower.flags.c_contiguous


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_repeated(shape: tuple[int, ...], order: Any) -> None:
    array = given(shape, order)
    for repeats in ((1,) * len(shape), (2,) * len(shape), (2, 3) + (1,) * len(shape), (0,) * len(shape)):
        found = moved.repeated(array, repeats)
        assert numpy.array_equal(found, numpy.tile(array, repeats))
        assert found.flags.c_contiguous


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_nonzero(shape: tuple[int, ...], order: Any) -> None:
    array = given(shape, order)
    assert numpy.array_equal(moved.nonzero(array), numpy.array(array.nonzero()))


@pytest.mark.parametrize("size", [1, 1 << 17, (1 << 17) + 1, 300_000])
def test_reversed(size: int) -> None:
    array = given((size,))
    assert numpy.array_equal(moved.row_by_row(array[::-1]), array[::-1])


@pytest.mark.parametrize("shape", [(3, 5), (70_000, 1), (400, 400), (1, 150_000)])
@pytest.mark.parametrize("times", [0, 1, 2, 16, 17])
def test_each_element_repeated(shape: tuple[int, ...], times: int) -> None:
    array = given(shape)
    wide = numpy.broadcast_to(array[..., None], (*shape, times))
    assert numpy.array_equal(moved.row_by_row(wide), wide)
    assert numpy.array_equal(moved.row_by_row(array.T), array.T)
