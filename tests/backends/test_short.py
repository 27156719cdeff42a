"""Sums of few elements: the same bits as the loops that all sizes take."""

from __future__ import annotations

import numpy
import pytest

from tgrad.backends import numpy_, products, reductions, softmax, sums
from tgrad.backends import rows as row_places
from tgrad.backends.fused import fma
from tgrad.backends.variances import variance
from tgrad.ops import nn_loss_classes, reduce
from tgrad.ops import variance as variance_rows
from tgrad.ops.nn_loss_classes import cascade


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


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_a_longer_vector_is_added_as_one_of_two_rows(dtype: str) -> None:
    """On both sides of the sizes from which on blocks have blocks of their own, and between."""
    for size in (127, 128, 500, 511, 512, 513, 1000, 4097, 8191, 8192, 8220, 9000, 20000):
        rows = numbers((2, size), dtype, size)
        expected = sums.sum(rows, (1,))
        assert numpy.array([sums.sum(row) for row in rows]).tobytes() == expected.tobytes(), size


def test_no_element_and_negative_zero() -> None:
    for size in (*range(10), 64, 600, 1000):
        found = sums.sum(numpy.full(size, -0.0, "float32"), (0,), True)
        assert found.tobytes() == numpy.zeros(1, "float32").tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", range(8))
def test_products_of_few_terms(rows: int, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same as the loops for any number of terms, whatever the layouts; also for zeros and NaN."""
    pairs = []
    for inner in range(1, 5):
        a = numbers((rows, inner), dtype, rows)
        a[:1, :1] = numpy.nan
        a[1:2] = -0.0
        for columns in range(14):
            b = numbers((inner, columns), dtype, columns)
            for right in (b, numpy.asfortranarray(b), abs(b[::-1])):
                pairs += [(a, right), (numpy.asfortranarray(a), right)]
        pairs += [(a, b[:, 0]), (numpy.asfortranarray(a), b[:, 0]), (abs(b[:, 1]), b[:, 2]), (a[:, 0], a)]
    pairs = [(a, b) for a, b in pairs if a.shape[-1] == len(b)]
    found = [numpy.asarray(products.matmul(a, b)) for a, b in pairs]
    monkeypatch.setattr(products, "_FEW", {})
    monkeypatch.setattr(products, "_PLAIN", False)
    for (a, b), result in zip(pairs, found, strict=True):
        expected = numpy.asarray(products.matmul(a, b))
        assert result.shape == expected.shape
        assert result.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("inner", [1, 2, 4, 7, 8, 12, 16, 33])
def test_products_by_numpys_own_loop(inner: int, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bits as from an array of all products, for batches, too."""
    pairs = []
    for rows in (1, 3, 4, 8, 9):
        a = numbers((rows, inner), dtype, rows)
        a[:1, :1] = numpy.inf
        for columns in (1, 3, 4, 8, 11, 17):
            b = numbers((inner, columns), dtype, columns)
            b[-1:, -1:] = numpy.nan
            for left in (a, numpy.asfortranarray(a)):
                pairs += [(left, b), (left, numpy.asfortranarray(b)), (left, b[:, 0])]
            pairs += [(numbers((5, rows, inner), dtype), b[None].repeat(5, 0))]
            pairs += [(numbers((5, 1, inner), dtype), numbers((5, inner, 1), dtype, 7))]
    found = [products.matmul(a, b) for a, b in pairs]
    monkeypatch.setattr(products, "_PLAIN", False)
    for (a, b), result in zip(pairs, found, strict=True):
        expected = products.matmul(a, b)
        assert result.shape == expected.shape
        assert result.flags.c_contiguous == expected.flags.c_contiguous
        assert result.tobytes() == expected.tobytes()


def test_numpys_own_loop_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops that add in another order, or round once for each product and sum, are told from plain ones."""

    def in_double(a: numpy.ndarray, b: numpy.ndarray) -> numpy.ndarray:
        return (a.astype("float64") * b).sum(-1).astype(a.dtype)

    def fused(a: numpy.ndarray, b: numpy.ndarray) -> numpy.ndarray:
        total = numpy.zeros(len(a), a.dtype)
        for x, y in zip(a.T, b, strict=True):
            total = fma(x, y, total, a.dtype.type)
        return total

    def in_pairs(a: numpy.ndarray, b: numpy.ndarray) -> numpy.ndarray:
        terms = a * b
        return terms[:, ::2].cumsum(1)[:, -1] + terms[:, 1::2].cumsum(1)[:, -1]

    for loop in (in_double, fused, in_pairs):
        monkeypatch.setattr(products, "vecdot", loop)
        assert not products._loops_are_plain()
    monkeypatch.setattr(products, "vecdot", lambda a, b: (a * b).cumsum(1)[:, -1])
    assert products._loops_are_plain()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", range(1, 40))
def test_products_and_norms_of_few_elements_are_those_of_rows(size: int, dtype: str) -> None:
    rows = numbers((2, size), dtype)
    rows[1, -1] = -0.0
    products_of_rows = reductions.prod(rows, 1)
    norms = reductions.vector_norm(rows, 2, (1,), False)
    for number, row in enumerate(rows):
        for axis in (None, 0):
            assert reductions.prod(row, axis).tobytes() == products_of_rows[number].tobytes()
            assert reductions.prod(row, axis, True).shape == (1,)
        assert reductions.vector_norm(row, 2, None, False).tobytes() == norms[number].tobytes()


@pytest.mark.parametrize("size", range(1, 4))
def test_the_norm_of_three_elements_is_fused(size: int) -> None:
    for seed in range(50):
        row = numbers((size,), "float32", seed)
        total = numpy.float32(0)
        for x in row:
            total = fma(x, x, total, numpy.float32)
        assert reductions.vector_norm(row, 2, None, False).tobytes() == numpy.sqrt(total).tobytes()


def test_the_mean_loss_of_few_rows_is_added_from_the_second_on() -> None:
    for size in range(1, 12):
        values = numbers((size,), "float32", size)
        total = numpy.float32(0)
        for value in values[1:]:
            total = total + value
        assert numpy.asarray(cascade(numpy, values)).tobytes() == (total + values[0]).tobytes()


def test_few_elements_that_do_not_lie_in_one_line() -> None:
    """Two rows of two elements are two sums, which are then added."""
    rows = numpy.zeros((2, 4), "float32")[:, :2]
    rows[...] = [[1, 2**-24], [-1, 2**-24]]
    rows[0, 0], rows[1, 0] = 2**24, 1
    rows[0, 1], rows[1, 1] = 1, 1
    for axis in (None, (0, 1)):
        found = sums.sum(rows, axis)
        expected = (rows[0, 0] + rows[0, 1]) + (rows[1, 0] + rows[1, 1])
        assert found.tobytes() == expected.tobytes() == numpy.float32(2**24 + 2).tobytes()
        assert sums.sum(rows.copy(), axis) == 2**24


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 15, 16, 17, 33])
def test_softmax_of_a_vector_and_of_few_rows(size: int, dtype: str) -> None:
    """Many rows of few elements are turned to columns; a vector and few rows aren't."""
    count = 100
    table = numbers((count, size), dtype)
    table[0, 0], table[1, -1], table[2, 0] = numpy.nan, -numpy.inf, numpy.inf
    gradient = numbers((count, size), dtype, 3)
    functions = (
        lambda x, g: softmax.softmax(x, x.ndim - 1),
        lambda x, g: softmax.softmax(x, -1, True),
        lambda x, g: softmax.log_softmax(x, -1),
        lambda x, g: softmax.softmax_back(g, x, -1),
        lambda x, g: softmax.log_softmax_back(g, -abs(x), -1),
    )
    for function in functions:
        with numpy.errstate(all="ignore"):
            expected = function(table, gradient)
            few = function(table[:5], gradient[:5])
            assert expected.flags.c_contiguous
            assert few.flags.c_contiguous
            numpy.testing.assert_array_equal(few, expected[:5])
            for number in range(5):
                vector = function(table[number], gradient[number])
                numpy.testing.assert_array_equal(vector, expected[number])


def test_places_of_many_rows_are_not_kept() -> None:
    before = row_places._starts.cache_info().currsize
    assert row_places.row_starts((row_places._KEPT + 1,), 3)[-1] == 3 * row_places._KEPT
    assert row_places._starts.cache_info().currsize == before


@pytest.mark.parametrize("reduction", [nn_loss_classes.NONE, nn_loss_classes.MEAN, nn_loss_classes.SUM])
@pytest.mark.parametrize("count", [1, 2, 8, 9, 40])
def test_losses_of_rows_that_count_alike(count: int, reduction: int) -> None:
    """The same bits as with a weight of 1 for each class."""
    table = numbers((count, 4), "float32", count)
    table[0, 0] = -0.0
    target = numpy.arange(count) * 3 % 4
    ones = numpy.ones(4, "float32")
    gradient = numbers((count,), "float32") if reduction == nn_loss_classes.NONE else numpy.float32(0.3)
    for classes in (target, target.astype("uint8")):
        found, expected = (
            nn_loss_classes._nll_kernel(numpy_, table, classes, weight, reduction, -100)
            for weight in (None, ones)
        )
        assert numpy.asarray(found).tobytes() == numpy.asarray(expected).tobytes()
        found, expected = (
            nn_loss_classes._nll_back_kernel(numpy_, gradient, classes, weight, (count, 4), reduction, -100)
            for weight in (None, ones)
        )
        numpy.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("special", [None, 0.0, -0.0, numpy.nan, numpy.inf])
@pytest.mark.parametrize("size", range(1, 10))
@numpy.errstate(all="ignore")
def test_all_of_few_elements(size: int, special: float | None, dtype: str) -> None:
    """Extremes, products, variances and norms: the same bits as from the kernels for all sizes."""
    for seed in range(5):
        x = numbers((size,), dtype, seed)
        if special is not None:
            x[seed % size], x[-1] = special, -special
        pairs = [
            (reduce._extreme(numpy_, x, "max"), numpy.maximum.reduce(x)),
            (reduce._extreme(numpy_, x, "min"), numpy.minimum.reduce(x)),
            (reduce._product(numpy_, x), reductions.prod(x)),
            (variance_rows._norm(numpy_, x, 2.0), reductions.vector_norm(x, 2.0, None, False)),
        ]
        for correction in (0, 1, 2.5, size):
            for root in (False, True):
                found = variance_rows._spread_of(x, None, correction, False, root)
                pairs.append((found, variance(x, None, correction, False, root, True)[0]))
        for found, expected in pairs:
            assert found.dtype == expected.dtype
            if not (numpy.isnan(found) and numpy.isnan(expected)):
                assert found.tobytes() == expected.tobytes()
