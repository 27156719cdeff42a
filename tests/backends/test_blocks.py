"""Large arrays are reduced, scanned and sorted in blocks: the results are those of the direct way."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from tgrad.backends import folds, ordering, reductions, scans, selection, sums, threads, variances

SHAPES = [
    (40000,),
    (33000, 1),
    (1, 33000),
    (300, 130),
    (130, 300),
    (2, 20001),
    (20001, 2),
    (9, 70, 64),
    (5000, 3, 2),
]
SPECIAL = (numpy.nan, numpy.inf, -numpy.inf, 0.0, -0.0)


@pytest.fixture(params=[1, 2])
def count(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The number of threads that work."""
    monkeypatch.setattr(threads, "count", request.param)
    monkeypatch.setattr(folds, "HEAVY", 1 << 16)
    return int(request.param)


def numbers(shape: tuple[int, ...], dtype: str, special: bool = False) -> Any:
    """Numbers of all signs near 1, at random."""
    draw = numpy.random.default_rng(sum(shape))
    values = draw.standard_normal(shape)
    if special:
        for value in SPECIAL:
            values[draw.random(shape) < 0.02] = value
    return values.astype(dtype)


def layouts(array: Any) -> list[Any]:
    """The array, transposed, backwards, and every second element of its last axis."""
    return [array, array.T, array[::-1], array[..., ::2]]


def directly(monkeypatch: pytest.MonkeyPatch, compute: Any) -> Any:
    """What is computed if no array counts as large."""
    with monkeypatch.context() as patch:
        for module in (folds, reductions, scans, variances):
            if hasattr(module, "LARGE"):
                patch.setattr(module, "LARGE", 1 << 60)
        patch.setattr(ordering, "FEW", 1 << 60)
        return compute()


def same(found: Any, wanted: Any) -> None:
    assert found.dtype == wanted.dtype
    assert found.shape == wanted.shape
    numpy.testing.assert_array_equal(found, wanted)


REDUCTIONS = {
    "sum": sums.sum,
    "mean": sums.mean,
    "prod": lambda x, axis: reductions.prod(x, axis[0] if axis else None),
    "norm": lambda x, axis: reductions.vector_norm(x, 2, axis, False),
    "norm1": lambda x, axis: reductions.vector_norm(x, 1, axis, True),
    "var": lambda x, axis: variances.variance(x, axis, 1, False, False, True)[0],
    "std": lambda x, axis: variances.variance(x, axis, 0, True, True, True)[0],
    "largest": lambda x, axis: folds.spread(numpy.maximum, x, axis),
    "smallest": lambda x, axis: folds.spread(numpy.minimum, x, axis, True),
}


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_reductions(name: str, shape: tuple[int, ...], count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    reduce = REDUCTIONS[name]
    for dtype in ("float32", "float64"):
        plain = numbers(shape, dtype)
        plain = 1 + plain / 1000 if name == "prod" else plain + 1
        for array in layouts(plain) + layouts(numbers(shape, dtype, True)):
            for axis in (None, (0,), (array.ndim - 1,)):
                with numpy.errstate(all="ignore"):
                    wanted = directly(monkeypatch, lambda a=array, x=axis: reduce(a, x))
                    same(reduce(array, axis), wanted)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_whole_numbers(dtype: str, shape: tuple[int, ...], count: int) -> None:
    for array in layouts((numbers(shape, "float64") * 3).astype(dtype)):
        for axis in (None, (0,), (array.ndim - 1,)):
            same(sums.sum(array, axis), numpy.add.reduce(array, axis=axis, dtype="int64", out=...))
            same(folds.spread(numpy.maximum, array, axis), numpy.maximum.reduce(array, axis=axis, out=...))


@pytest.mark.parametrize(
    "shape", [(1, 1, 40000, 2), (1, 2000, 16, 8), (700, 1, 31, 4), (40, 9, 16, 8), (3, 1, 9000, 3)]
)
@pytest.mark.parametrize("ufunc", [numpy.add, numpy.multiply])
def test_rows_are_taken_in_order(ufunc: Any, shape: tuple[int, ...], count: int) -> None:
    table = 1 + numbers(shape, "float32") / 100
    wanted = table[:, :, 0].copy()
    for row in range(1, shape[2]):
        wanted = ufunc(wanted, table[:, :, row])
    same(folds.fold(ufunc, table), wanted)


def test_nothing_to_reduce() -> None:
    assert folds.fold(numpy.add, numpy.zeros((3, 4, 0, 2))).tolist() == numpy.zeros((3, 4, 2)).tolist()
    assert folds.spread(numpy.add, numpy.zeros((0, 5)), (0,)).tolist() == [0.0] * 5
    with pytest.raises(ValueError, match="zero-size"):
        folds.spread(numpy.maximum, numpy.zeros((0, 5)), (0,))


def test_variances_that_rounding_leaves_in_doubt_are_made_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = []
    exact = variances._welford
    monkeypatch.setattr(variances, "_welford", lambda wide: rows.append(len(wide)) or exact(wide))
    array = (1e6 + numbers((300, 100), "float64") / 8).astype("float32")
    found = variances.variance(array, (1,), 1, False, False, True)[0]
    assert rows  # far from 0 the bounds are wide
    same(found, (exact(array.astype("float64"))[0] / 99).astype("float32"))


@pytest.mark.parametrize("ufunc", [numpy.add, numpy.multiply, numpy.maximum, numpy.logaddexp])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_scans(ufunc: Any, shape: tuple[int, ...], count: int) -> None:
    for dtype in ("float32", "float64"):
        wide = "float64" if ufunc in (numpy.add, numpy.multiply, numpy.logaddexp) else dtype
        for array in [*layouts(numbers(shape, dtype)), numbers(shape, dtype, True)]:
            for axis in range(array.ndim):
                with numpy.errstate(all="ignore"):
                    wanted = ufunc.accumulate(array, axis=axis, dtype=wide).astype(dtype)
                    found = scans.running(ufunc, array, axis, numpy.dtype(wide))
                assert found.flags.c_contiguous
                same(found, wanted)


def test_scans_of_whole_numbers(count: int) -> None:
    for shape in SHAPES:
        array = (numbers(shape, "float64") * 1000).astype("int64")
        for axis in range(array.ndim):
            same(scans.scan(numpy.add, array, axis), numpy.add.accumulate(array, axis=axis))


DTYPES = ["float32", "float64", "int64", "int32", "uint8", "uint64", "bool"]


def kinds(shape: tuple[int, ...], dtype: str) -> list[Any]:
    """Arrays with few equal elements and with many."""
    if dtype[0] == "f":
        return [numbers(shape, dtype, True), numpy.round(numbers(shape, dtype, True) * 4)]
    with numpy.errstate(all="ignore"):
        wide = numbers(shape, "float64") * (2.0**62 if dtype.endswith("64") else 100)
        return [wide.astype(dtype), (numbers(shape, "float64") * 4).astype(dtype)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("descending", [False, True])
def test_stable_order(dtype: str, descending: bool, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for shape in [(1025,), (70000,), (40, 30), (3, 700), (700, 3), (7, 11, 40), (1, 1025)]:
        for plain in kinds(shape, dtype):
            for array in layouts(plain):
                for axis in range(array.ndim):
                    wanted = directly(
                        monkeypatch,
                        lambda a=array, x=axis: ordering.stable_order(a, x, descending),
                    )
                    same(ordering.stable_order(array, axis, descending), wanted)


@pytest.mark.parametrize("dtype", DTYPES)
def test_places(dtype: str, count: int) -> None:
    for shape in [(1, 1), (1, 5000), (40, 30), (3, 70000)]:
        for array in kinds(shape, dtype):
            keys = ordering.keys_of(array, False)
            order = array.argsort(axis=1, kind="stable")
            for rank in {0, shape[1] // 2, shape[1] - 1}:
                place, alone = ordering.place_of_rank(keys, rank)
                assert place.tolist() == order[:, rank].tolist()
                wanted = numpy.take_along_axis(keys, place[:, None], 1)
                assert alone.tolist() == ((keys == wanted).sum(1) == 1).tolist()
                places, sure = ordering.first_places(keys, rank + 1)
                assert places[sure].tolist() == order[sure, : rank + 1].tolist()


def test_first_of_many_equal_ones_are_those_of_the_whole_algorithm() -> None:
    keys = numpy.random.default_rng(1).integers(0, 50, 2000)
    for k in (1, 7, 31):
        items = list(range(len(keys)))
        less = lambda a, b: keys[a] < keys[b]  # noqa: E731
        selection.partial_sort(items, 0, k, len(keys), less)
        assert selection._first_sorted(keys, k, less) == items[:k]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("ufunc", [numpy.maximum, numpy.minimum])
def test_running_extremes_and_their_places(monkeypatch: pytest.MonkeyPatch, ufunc: Any, dtype: str) -> None:
    for shape in SHAPES:
        for array in layouts(numpy.round(numbers(shape, "float64", dtype[0] == "f") * 2).astype(dtype)):
            for axis in range(array.ndim):
                found = scans.extremes_so_far(ufunc, array, axis)
                wanted = directly(monkeypatch, lambda a=array, i=axis: scans.extremes_so_far(ufunc, a, i))
                for one, other in zip(found, wanted, strict=True):
                    same(one, other)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_short_rows_are_added_in_order(dtype: str) -> None:
    for shape in [(1, 1, 9000, 8), (1, 700, 16, 32), (900, 1, 16, 16), (60, 30, 9, 16), (200, 1, 125, 8)]:
        table = numbers(shape, dtype)
        for given in (table, table[:, :, ::2], table.swapaxes(0, 1)):
            wanted = given[:, :, 0] + 0.0
            for row in range(1, given.shape[2]):
                wanted = wanted + given[:, :, row]
            same(folds.fold(numpy.add, given), wanted.astype(dtype))


@pytest.mark.parametrize("shape", [(70000,), (1, 270001), (300, 1003), (3, 70021), (20001, 9), (5000, 8)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_norms_of_rows_in_blocks(monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], dtype: str) -> None:
    array = numbers(shape, dtype)
    axes = (array.ndim - 1,)
    found = reductions.vector_norm(array, 2.0, axes, False)
    monkeypatch.setattr(reductions, "BUFFER", 1 << 60)
    same(found, directly(monkeypatch, lambda: reductions.vector_norm(array, 2.0, axes, False)))
