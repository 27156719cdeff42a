"""Running sums by way of integers are those that are made in double, one after the other."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from tgrad.backends import exact_sums, folds, scans

SIZE = 5 * exact_sums.BLOCK + 77
DRAW = numpy.random.default_rng(0)
NORMAL = DRAW.standard_normal(SIZE)
KINDS = {
    "normal": NORMAL,
    "uniform, of 24 bits": DRAW.integers(0, 1 << 24, SIZE) / (1 << 24),
    "uniform": DRAW.random(SIZE),
    "integers": numpy.round(NORMAL * 1000),
    "zeros between": numpy.where(NORMAL > 1, NORMAL, 0),
    "zeros": numpy.zeros(SIZE),
    "of all sizes": numpy.exp(NORMAL * 20),
    "too small to scale": NORMAL * 1e-38,
    "subnormal": NORMAL * 1e-41,
    "too large to scale": NORMAL * 1e36,
    "overflow": NORMAL * 1e38 + 1e38,
    "one infinite": numpy.where(numpy.arange(SIZE) == 70000, numpy.inf, NORMAL),
    "one nan": numpy.where(numpy.arange(SIZE) == 70000, numpy.nan, NORMAL),
    "one large": numpy.where(numpy.arange(SIZE) == 70000, 1e9, NORMAL),
    "one tiny": numpy.where(numpy.arange(SIZE) == 70000, 1e-12, NORMAL),
    "crossing zero": NORMAL - NORMAL.mean(),
}


def in_double(rows: Any) -> Any:
    with numpy.errstate(all="ignore"):
        return numpy.add.accumulate(rows, axis=-1, dtype=numpy.float64).astype(numpy.float32)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, SIZE), (3, SIZE // 3), (SIZE // 7, 7), (SIZE, 1)])
def test_the_sums_are_those_in_double(kind: str, shape: tuple[int, int]) -> None:
    with numpy.errstate(all="ignore"):
        rows = KINDS[kind][: shape[0] * shape[1]].reshape(shape).astype(numpy.float32)
    found = numpy.empty_like(rows)
    with numpy.errstate(all="ignore"):
        exact_sums.running_sums(rows, found)
    assert numpy.array_equal(found, in_double(rows), equal_nan=True)


def test_a_sum_that_double_rounds_is_not_made_of_integers() -> None:
    """From 2 ** 10 to 2 ** -43 there are 54 bits: the last one is lost."""
    rows = numpy.zeros((1, 100), numpy.float32)
    rows[0, :3] = 2.0**10, 2.0**-20 + 2.0**-43, -(2.0**10)
    found = numpy.empty_like(rows)
    assert exact_sums._by_integers(rows, 0.0, found) is None
    exact_sums.running_sums(rows, found)
    assert (found[0, 2:] == 2.0**-20).all()
    rows[0, 1] = 2.0**-20 + 2.0**-42  # 53 bits are kept
    assert exact_sums._by_integers(rows, 0.0, found) == 2.0**-20 + 2.0**-42


def test_what_came_before_has_a_smaller_last_place() -> None:
    rows = numpy.ones((1, 40), numpy.float32)
    found = numpy.empty_like(rows)
    assert exact_sums._by_integers(rows, 2.0**-20, found) == 40 + 2.0**-20
    assert exact_sums._by_integers(rows, 2.0**60, found) is None
    assert exact_sums._by_integers(rows, numpy.inf, found) is None


def test_long_scans_take_this_way(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = NORMAL[: 4 * folds.LARGE].astype(numpy.float32)
    called: list[tuple[int, ...]] = []

    def noted(rows: Any, results: Any) -> None:
        called.append(rows.shape)
        exact_sums.running_sums(rows, results)

    monkeypatch.setattr(scans, "running_sums", noted)
    for array in (rows, rows[::2], rows.reshape(4, -1)):
        assert numpy.array_equal(scans.scan(numpy.add, array, array.ndim - 1), in_double(array))
    assert called == [(1, rows.size), (1, rows.size // 2), (4, folds.LARGE)]
