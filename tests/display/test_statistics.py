"""Statistics of arrays of all types and layouts, against NumPy's own functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tgrad.display.histogram import counts, tiny
from tgrad.display.look import Look
from tgrad.display.statistics import BLOCK, SAMPLE, blocks, statistics

SIZE = 3 * BLOCK + 17


def numbers(dtype: str) -> Any:
    """More elements than fit into a block, some of them 0."""
    values = np.sin(np.arange(SIZE)) * 100
    values[::7] = 0
    if dtype == "bool":
        return values > 0
    if dtype == "uint8":
        return np.abs(values).astype(dtype)
    return values.astype(dtype)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int64", "uint8", "bool"])
@pytest.mark.parametrize("layout", ["flat", "transposed", "every second", "reversed", "expanded"])
def test_agrees_with_numpy(dtype: str, layout: str) -> None:
    array = numbers(dtype)
    if layout == "transposed":
        array = array[: SIZE // 5 * 5].reshape(5, -1).T
    elif layout == "every second":
        array = array[: SIZE // 4 * 4].reshape(4, -1)[:, ::2]
    elif layout == "reversed":
        array = array[::-1]
    elif layout == "expanded":
        array = np.broadcast_to(array[:1000], (70, 1000))
    found = statistics(array)
    wide = array.astype(np.float64)
    assert (found.count, found.finite, found.nans, found.infs) == (array.size, array.size, 0, 0)
    assert (found.low, found.high) == (array.min(), array.max())
    assert found.zeros == np.count_nonzero(array == 0)
    assert found.mean == pytest.approx(wide.mean(), rel=1e-12, abs=1e-12)
    assert found.deviation == pytest.approx(wide.std(ddof=1), rel=1e-6)
    assert found.whole == bool((np.rint(wide) == wide).all())
    assert len(found.sample) == SAMPLE


def test_mean_large_beside_deviation() -> None:
    array = (1e6 + np.arange(SIZE) % 2).astype(np.float32)
    assert statistics(array).deviation == pytest.approx(0.5, rel=1e-5)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_squares_beyond_the_range_of_the_type(scale: float) -> None:
    array = (np.arange(10) * scale).astype(np.float32)
    assert statistics(array).deviation == pytest.approx(array.astype(np.float64).std(ddof=1), rel=1e-6)


def test_not_finite() -> None:
    array = np.ones((3, SIZE), np.float32)
    array[1, 5] = array[2, 0] = np.nan
    array[2, 7] = -np.inf
    for view in (array, np.asfortranarray(array), np.repeat(array, 2, axis=1)[:, ::2]):
        found = statistics(view)
        assert (found.nans, found.infs, found.first_nan, found.first_inf) == (2, 1, (1, 5), (2, 7))
        assert (found.low, found.high, found.mean, found.deviation) == (1, 1, 1, 0)


def test_nothing_finite() -> None:
    found = statistics(np.full((2, 2), np.nan))
    assert (found.finite, found.first_nan, found.constant) == (0, (0, 0), False)


def test_complex_numbers_by_their_absolute_values() -> None:
    found = statistics(np.array([3 + 4j, 0, complex(np.nan, 1), complex(np.inf, np.nan), complex(1, np.inf)]))
    assert (found.low, found.high, found.mean, found.zeros) == (0, 5, 2.5, 1)
    assert (found.nans, found.infs, found.first_nan, found.first_inf) == (2, 1, (2,), (4,))
    assert found.whole
    assert not statistics(np.array([3 + 4j, 0.6 + 0.8j])).whole


def test_integers_beyond_float64() -> None:
    array = np.array([2**63 - 1, -(2**63), 2**53 + 1])
    found = statistics(array)
    assert (found.low, found.high) == (-(2**63), 2**63 - 1)


def test_empty_and_single() -> None:
    assert statistics(np.empty((0, 3))).count == 0
    found = statistics(np.array(2.5))
    assert (found.count, found.low, found.high, found.constant) == (1, 2.5, 2.5, False)


@pytest.mark.parametrize("order", ["K", "C"])
def test_blocks_are_small_and_whole(order: str) -> None:
    array = np.arange(6 * BLOCK).reshape(6, BLOCK).T[:, ::2]
    pieces = [block.copy() for block in blocks(array, order)]
    assert max(map(len, pieces)) <= BLOCK
    assert sorted(np.concatenate(pieces)) == sorted(array.reshape(-1))
    if order == "C":
        assert (np.concatenate(pieces) == array.reshape(-1)).all()


def test_contiguous_memory_is_not_copied() -> None:
    array = np.zeros((300, 1000))
    assert all(np.shares_memory(block, array) for block in blocks(array))
    assert all(np.shares_memory(block, array) for block in blocks(array.T))


def test_histogram_shows_every_bin_that_has_something_in_it() -> None:
    found = statistics(np.array([0.0] * 1000 + [9.5]))
    assert counts(found, 10) == [1000, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert tiny(found, Look()) == "▕█        ▁▏"
    assert tiny(found, Look(unicode=False)) == "|@        .|"


def test_histogram_of_few_whole_numbers_has_a_bin_for_each() -> None:
    assert tiny(statistics(np.array([1, 2, 2, 3, 3, 3])), Look(unicode=False)) == "|-*@|"


def test_histogram_of_the_whole_range() -> None:
    array = np.linspace(-1, 1, 1000) * 1.7e308
    assert counts(statistics(array), 10) == [100] * 10
