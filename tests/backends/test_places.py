"""Elements moved block by block: the same as one after the other, at sizes around a block."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from tgrad.backends import places, threads


@pytest.fixture(params=[1, 2])
def workers(request: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(threads, "count", request.param)


SHAPES = [(7, 5), (1, 70_000), (70_000, 1), (300, 301), (3, 25_000), (40, 50, 60)]


def given(shape: tuple[int, ...], dim: int, cut: int) -> tuple[Any, Any]:
    random = numpy.random.default_rng(3)
    wanted = [size if d == dim else max(1, size - cut) for d, size in enumerate(shape)]
    return random.normal(size=shape), random.integers(0, shape[dim], wanted)


@pytest.mark.usefixtures("workers")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cut", [0, 2])
def test_gathered(shape: tuple[int, ...], cut: int) -> None:
    for dim in range(len(shape)):
        array, index = given(shape, dim, cut)
        reached = array[tuple(slice(None) if d == dim else slice(n) for d, n in enumerate(index.shape))]
        wanted = numpy.take_along_axis(reached, index, dim)
        for source in (array, numpy.asfortranarray(array)):
            for kind in (numpy.int64, numpy.int32):
                assert numpy.array_equal(places.gathered(source, dim, index.astype(kind)), wanted)


@pytest.mark.usefixtures("workers")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_added_in_order(shape: tuple[int, ...], order: Any) -> None:
    for dim in range(len(shape)):
        array, index = given(shape, dim, 1)
        values = numpy.random.default_rng(4).normal(size=index.shape)
        wanted = array.copy()
        grid = list(numpy.indices(index.shape, sparse=True))
        grid[dim] = index
        numpy.add.at(wanted, tuple(grid), values)
        target = numpy.array(array, order=order)
        places.at_places(target, dim, index, values, numpy.add.at)
        assert numpy.array_equal(target, wanted)


@pytest.mark.usefixtures("workers")
@pytest.mark.parametrize("shape", SHAPES)
def test_taken(shape: tuple[int, ...]) -> None:
    for axis in range(len(shape)):
        array, index = given(shape, axis, 0)
        listed = index.reshape(-1)[:500] - shape[axis] // 2
        for source in (array, numpy.asfortranarray(array)):
            assert numpy.array_equal(places.taken(source, listed, axis), array.take(listed, axis))
        assert places.taken(array, listed[:0], axis).size == 0


@pytest.mark.usefixtures("workers")
@pytest.mark.parametrize("count", [0, 1, 65_536, 65_537, 140_000])
def test_picked(count: int) -> None:
    random = numpy.random.default_rng(5)
    array = random.normal(size=(30, 40, 2))
    first, second = random.integers(-30, 30, count), random.integers(-40, 40, (3, 1))
    for indices in ((first,), (first, second), (abs(first) % 30, second), (second % 30, first % 40)):
        assert numpy.array_equal(places.picked(array, indices), array[indices])


@pytest.mark.parametrize("wrong", [30, -31])
def test_picked_out_of_range(wrong: int) -> None:
    array = numpy.zeros((30, 40))
    with pytest.raises(IndexError):
        places.picked(array, (numpy.array([0, wrong]), numpy.array([0, 1])))
    with pytest.raises(ValueError, match="broadcast"):
        places.picked(array, (numpy.array([0, 1]), numpy.array([0, 1, 2])))
