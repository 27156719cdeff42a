"""Kernels on another array library: the same results, and nothing taken to or from it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest

import tgrad
from tests.devices import strict
from tgrad.backends import cupy_, numpy_
from tgrad.backends.library import Library

PACKAGE = Path(tgrad.__file__).parent
ROWS = [path for part in ("ops", "core", "optim") for path in (PACKAGE / part).glob("*.py")]
LIBRARY: Library = cupy_.library(strict.CUPY)


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, module in strict.modules().items():
        monkeypatch.setitem(sys.modules, name, module)


def names_used() -> set[str]:
    """The functions of the array library that rows use, all of them."""
    found: set[str] = set()
    for path in ROWS:
        found.update(re.findall(r"\bxp\.([A-Za-z_]\w*)", path.read_text("utf-8")))
    return found - {"NAME", "name"}  # in comments


@pytest.mark.parametrize("name", sorted(names_used()))
def test_each_name_that_rows_use_is_there(name: str) -> None:
    assert hasattr(numpy_, name)
    assert hasattr(LIBRARY.file("numpy_"), name)


def numbers(shape: tuple[int, ...], dtype: str = "float32", seed: int = 1) -> numpy.ndarray:
    rng = numpy.random.default_rng(seed)
    if dtype.startswith("complex"):
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    if dtype[0] in "iu":
        return rng.integers(0, 4, shape).astype(dtype)
    return (rng.standard_normal(shape) * 2).astype(dtype)


ONE = [
    "xp.exp(a)", "xp.exp2(a)", "xp.expm1(a)", "xp.log(abs(a))", "xp.log2(abs(a))", "xp.log10(abs(a))",
    "xp.log1p(abs(a))", "xp.sin(a)", "xp.cos(a)", "xp.tan(a)", "xp.asin(a / 9)", "xp.acos(a / 9)",
    "xp.atan(a)", "xp.sinh(a)", "xp.cosh(a)", "xp.tanh(a)", "xp.asinh(a)", "xp.acosh(abs(a) + 1)",
    "xp.atanh(a / 9)", "xp.sqrt(abs(a))", "xp.rsqrt(abs(a))", "xp.sigmoid(a)", "xp.erf(a)",
    "xp.erfc(a)", "xp.erfinv(a / 9)", "xp.lgamma(a)", "xp.digamma(a)", "xp.arctan2(a, b)",
    "xp.logaddexp(a, b)", "xp.logaddexp2(a, b)", "xp.at_least(a, 0.5)", "xp.at_most(a, 0)",
    "xp.between(a, -0.5, 0.5)", "xp.fma(a, b, a)", "xp.one_minus_square(a)", "xp.round(a)",
    "xp.power(a, 2)", "xp.power(a, 0.5)", "xp.power(abs(a), b)", "xp.power(abs(a), 1.7)",
    "xp.where(a > b, a, b)", "xp.where(a > 0, a, 0.0)", "xp.floor_divide(a, b)", "xp.fmod(a, b)",
    "xp.remainder(a, b)", "xp.cast(a, numpy.int64)", "xp.cast(a, numpy.float16)", "xp.sum(a)",
    "xp.sum(a, (0,))", "xp.sum(a, (1,))", "xp.sum(a, (0, 1), True)", "xp.mean(a)", "xp.mean(a, (0,))",
    "xp.nansum(a)", "xp.matmul(a, b.T)", "xp.matmul(a[None], b.T)", "xp.dot(a[0], b[0])",
    "xp.softmax(a, 1)", "xp.log_softmax(a, 0)", "xp.softmax_back(a, b, 1)",
    "xp.log_softmax_back(a, b, 1)", "xp.copysign(a, b)", "xp.hypot(a, b)", "xp.nextafter(a, b)",
    "xp.isfinite(a)", "xp.sign(a)", "xp.signbit(a)", "xp.maximum(a, b)",
]  # fmt: skip
LARGE = [
    "xp.exp(a)", "xp.sin(a)", "xp.sum(a)", "xp.sum(a, (0,))", "xp.sum(a, (1,))", "xp.mean(a)",
    "xp.where(a > b, a, b)",
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("expression", ONE)
def test_small_kernels(expression: str, dtype: str) -> None:
    check(expression, dtype, (3, 5))


@pytest.mark.parametrize("expression", LARGE)
def test_large_kernels(expression: str) -> None:
    check(expression, "float32", (300, 401))


def test_files_import_each_other_on_the_same_library() -> None:
    numpy_on_it = LIBRARY.file("numpy_")
    assert numpy_on_it.sum is LIBRARY.file("sums").sum
    assert numpy_on_it.sum is not numpy_.sum
    assert numpy_on_it.linear is LIBRARY.file("linear")
    assert numpy_on_it.exp(strict.made(numbers((2,)))).dtype == numpy.float32


def test_files_about_the_process_are_shared() -> None:
    from tgrad.backends import threads

    assert LIBRARY.file("threads") is threads


def test_functions_that_keep_their_results_keep_them_apart() -> None:
    from tgrad.ops import nn_pooling

    kept = LIBRARY.counterpart(nn_pooling._sliding)
    assert kept() is LIBRARY.file("sliding") is not nn_pooling._sliding()
    assert LIBRARY.counterpart(nn_pooling._sliding) is kept


def test_a_function_of_the_librarys_own_takes_the_place_of_a_kernel() -> None:
    own = Library("own", cupy_.Names(strict.CUPY, {}), {"sums": {"sum": lambda *arguments: "own"}})
    assert own.file("numpy_").sum(strict.made(numbers((2,)))) == "own"


def test_the_stand_in_refuses_what_cupy_refuses() -> None:
    array, other = strict.made(numbers((2,))), numbers((2,))
    for wrong in (
        lambda: numpy.asarray(array), lambda: numpy.add(array, array), lambda: array + other,
        lambda: other + array, lambda: strict.CUPY.maximum(array, other),
        lambda: strict.CUPY.sum(array, initial=0), lambda: array.__setitem__(0, other[:1]),
    ):  # fmt: skip
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(AttributeError):
        strict.CUPY.vecdot  # noqa: B018
    assert type(strict.CUPY.sum(array)) is type(array[0]) is strict.Array


def check(expression: str, dtype: str, shape: tuple[int, ...]) -> None:
    """Compare an expression of arrays a and b on both libraries."""
    a, b = numbers(shape, dtype), numbers(shape, dtype, 2)
    with numpy.errstate(all="ignore"):
        expected = numpy.asarray(eval(expression, {"xp": numpy_, "numpy": numpy, "a": a, "b": b}))
        names: dict[str, Any] = {"xp": LIBRARY.file("numpy_"), "numpy": numpy}
        names.update(a=strict.made(a), b=strict.made(b))
        before = strict.Counts.transfers
        found = eval(expression, names)
    assert type(found) is strict.Array
    assert strict.Counts.transfers == before
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    scale = numpy.abs(expected[numpy.isfinite(expected)]).max(initial=1.0)  # sums are added in any order
    relative = 1e-5 if dtype == "float32" else 1e-12
    numpy.testing.assert_allclose(found._a, expected, rtol=relative, atol=1e-6 * scale)
