"""Sums, products, ranges and functions against what PyTorch computed, to the bit."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden" / "numerics"))
import numeric_cases as cases

import tgrad.backends.numpy_ as xp
from tgrad.backends import sums


def sum_of(case, kernel):
    array = cases.viewed(cases.noise(case["seed"], case["shape"], case["dtype"]), case["steps"])
    axis = None if case["axis"] is None else tuple(case["axis"])
    return cases.digest(kernel(array, axis, case["keepdims"]))


SUMS = cases.load("sums")


@pytest.mark.parametrize("part", range(10))
def test_sums_are_added_in_pytorchs_order(part):
    for case in SUMS[part::10]:
        assert sum_of(case, xp.sum) == case["sum"], case


def test_means_are_pytorchs():
    for case in SUMS:
        assert sum_of(case, xp.mean) == case["mean"], case


def test_numpys_order_of_additions_is_another():
    """The recorded sums tell orders apart: NumPy's own sums are not the same."""
    other = [
        sum_of(case, lambda x, axis, keep: x.sum(axis=axis, keepdims=keep)) != case["sum"]
        for case in SUMS
    ]
    assert sum(other) > len(SUMS) // 3


def test_a_plan_is_made_once_for_a_geometry():
    array = numpy.ones((40, 50), "float32")
    sums._PLANS.clear()
    for _ in range(3):
        xp.sum(array, (0,))
    assert len(sums._PLANS) == 1


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int64"])
def test_integers_are_summed_as_int64(dtype):
    total = xp.sum(numpy.array([[1, 0], [1, 1]], dtype), (0,))
    assert (total.dtype, total.tolist()) == (numpy.dtype("int64"), [2, 1])


def test_integer_sums_wrap_around():
    assert xp.sum(numpy.array([2**63 - 1, 1])).item() == -(2**63)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_the_sum_of_nothing_is_zero(shape):
    assert xp.sum(numpy.empty(shape, "float32")).item() == 0.0


def test_a_sum_over_no_axis_is_the_array():
    array = numpy.array([1.5, -2.0], "float32")
    assert xp.sum(array, ()).tolist() == [1.5, -2.0]


@pytest.mark.parametrize("size", [1, 3, 6, 40])
def test_the_sum_of_negative_zeros_is_zero(size):
    total = xp.sum(numpy.full(size, -0.0, "float32"))
    assert (total.item(), bool(numpy.signbit(total))) == (0.0, False)


def test_sums_are_arrays():
    for axis in (None, (0,), (0, 1)):
        assert isinstance(xp.sum(numpy.ones((2, 3), "float32"), axis), numpy.ndarray)


def test_the_sum_without_nan():
    array = numpy.array([[1.0, float("nan")], [2.0, 3.0]], "float32")
    assert xp.nansum(array, (1,)).tolist() == [1.0, 5.0]


def test_threads_change_the_last_bits_of_long_sums(monkeypatch):
    array = cases.noise(5, [100_000], "float32")
    two = xp.sum(array)
    monkeypatch.setattr(sums, "threads", 1)
    assert xp.sum(array) != two


def test_small_products_are_added_in_pytorchs_order():
    for case in cases.load("products"):
        assert cases.digest(xp.matmul(*cases.operands(case))) == case["product"], case


@pytest.mark.parametrize("dtype", ["int64", "uint8", "float16", "float64", "complex64"])
def test_products_of_nothing_are_zeros(dtype):
    product = xp.matmul(numpy.ones((2, 0), dtype), numpy.ones((0, 3), dtype))
    assert (product.dtype.name, product.tolist()) == (dtype, [[0] * 3] * 2)


def test_integer_products_wrap_around():
    a = numpy.full((1, 2), 200, "uint8")
    assert xp.matmul(a, a.T).tolist() == [[200 * 200 * 2 % 256]]


def test_float16_products_are_rounded_once():
    a = numpy.array([[2048.0, 1.0, 1.0]], "float16")
    assert xp.matmul(a, numpy.ones((3, 1), "float16")).tolist() == [[2050.0]]


def test_ranges_are_pytorchs():
    for case in cases.load("ranges"):
        result = getattr(xp, case["name"])(*case["args"], dtype=numpy.dtype(case["dtype"]))
        assert cases.digest(result) == case["result"], case


@pytest.mark.parametrize("case", cases.load("functions"), ids=lambda case: case["name"])
def test_functions_are_within_one_unit_in_the_last_place(case):
    argument = numpy.array(case["argument"], "int32").view("float32")
    with numpy.errstate(all="ignore"):
        result = getattr(xp, case["name"])(argument)
    assert result.dtype == numpy.float32
    assert abs(result.view("int32") - numpy.array(case["result"], "int64")).max() <= 1


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [(2, 9.0), (3, 27.0), (0.5, 3**0.5), (-1, 1 / 3), (-2, 1 / 9), (-0.5, 1 / 3**0.5), (0, 1.0)],
)
def test_special_powers(exponent, expected):
    assert xp.power(numpy.array([3.0]), exponent).tolist() == [expected]


def test_integers_to_negative_powers():
    base = numpy.array([1, -1, -1, 2, -3])
    exponent = numpy.array([-3, -2, -3, -1, -2])
    assert xp.power(base, exponent).tolist() == [1, 1, -1, 0, 0]


def test_integer_powers_wrap_around():
    assert xp.power(numpy.array([200], "uint8"), 2).tolist() == [200 * 200 % 256]


def test_conversions_are_the_processors():
    with numpy.errstate(all="ignore"):
        whole = xp.cast(numpy.array([numpy.nan, numpy.inf, -1.5, 3e9]), numpy.int64)
        truth = xp.cast(numpy.array([numpy.nan, 0.0, -0.0, 0.1]), numpy.bool_)
    assert whole.tolist() == [-(2**63), -(2**63), -1, 3_000_000_000]
    assert truth.tolist() == [True, False, False, True]


def test_complex_numbers_lose_their_imaginary_part_without_a_warning():
    assert xp.cast(numpy.array([1.5 + 2j]), numpy.float32).tolist() == [1.5]


@pytest.mark.parametrize(
    ("name", "argument", "expected"),
    [
        ("erf", 0.5, 0.5204998778130465),
        ("erfc", 3.0, 2.209049699858544e-05),
        ("erfinv", 0.5, 0.4769362762044699),
        ("erfinv", 1.0, float("inf")),
        ("lgamma", 5.0, 3.1780538303479458),
        ("lgamma", -2.0, float("inf")),
        ("digamma", 1.0, -0.5772156649015329),
        ("digamma", 0.0, float("-inf")),
    ],
)
def test_special_functions(name, argument, expected):
    result = getattr(xp, name)(numpy.array([argument]))
    assert result.tolist() == [pytest.approx(expected, rel=1e-15)]


@pytest.mark.parametrize("name", ["digamma", "erfinv"])
def test_special_functions_outside_of_their_range(name):
    assert numpy.isnan(getattr(xp, name)(numpy.array([-2.0]))).all()


@pytest.mark.parametrize("shape", [(5,), (4, 3), (3, 40), (2, 17, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_is_exp_of_log_softmax(shape, dtype):
    x = cases.noise(1, list(shape), dtype)
    for axis in range(len(shape)):
        wide = numpy.exp(x.astype("float64") - x.max(axis, keepdims=True))
        expected = wide / wide.sum(axis, keepdims=True)
        result = xp.softmax(x, axis)
        assert result.dtype == x.dtype
        assert result == pytest.approx(expected, rel=1e-6)
        assert numpy.exp(xp.log_softmax(x, axis)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("dtype", "bits"), [("float32", 24), ("float64", 53)])
def test_a_fused_product_and_sum_is_rounded_once(dtype, bits):
    tiny = 2.0 ** (1 - bits)
    a = numpy.array([1 + tiny], dtype)
    assert xp.fma(a, a, -numpy.array([1 + 2 * tiny], dtype)).tolist() == [tiny * tiny]
    assert (a * a - numpy.array([1 + 2 * tiny], dtype)).tolist() == [0.0]


def test_other_dtypes_are_not_fused():
    a = numpy.array([3, 200], "uint8")
    assert xp.fma(a, a, a).tolist() == [12, (200 * 200 + 200) % 256]
