"""LAPACK called directly: what NumPy's public functions give, their errors, the way without routines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest

from tgrad.backends import factors, lapack, linear

SHAPES = [(0, 0), (1, 1), (2, 2), (4, 4), (65, 65), (3, 4, 4), (0, 3, 3), (2, 0, 0), (2, 3, 5, 5)]
WIDE = [(5, 3), (3, 5), (2, 3, 6), (2, 6, 3), (0, 2, 3), (70, 66)]
LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "rows": numpy.ascontiguousarray,
    "columns": lapack.by_columns,
    "reversed": lambda a: a[..., ::-1, ::-1],
    "spread": lambda a: numpy.repeat(a, 2, -1)[..., ::2],
}


def _made(shape: tuple[int, ...], dtype: str, layout: str) -> Any:
    random = numpy.random.default_rng(sum(shape))
    a = random.standard_normal(shape)
    if dtype in "FD":
        a = a + 1j * random.standard_normal(shape)
    return LAYOUTS[layout](a.astype(dtype))


def _same(result: Any, expected: Any, matrices: bool = True) -> None:
    result, expected = numpy.asarray(result), numpy.asarray(expected)
    assert result.dtype == expected.dtype
    numpy.testing.assert_array_equal(result, expected)
    if matrices and result.size:
        assert result.swapaxes(-1, -2).flags.c_contiguous


@pytest.fixture(params=["routines", "public"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """With NumPy's routines, and as if they had other names."""
    lapack._routine.cache_clear()
    if request.param == "public":
        monkeypatch.setattr(lapack, "_routines", None)
    with numpy.errstate(all="ignore"):  # as kernels are called
        yield request.param
    lapack._routine.cache_clear()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", "fdFD")
@pytest.mark.parametrize("shape", SHAPES)
def test_square(shape: tuple[int, ...], dtype: str, layout: str, way: str) -> None:
    a = _made(shape, dtype, layout)
    before = a.copy()
    _same(lapack.inverse(a), numpy.linalg.inv(a))
    for b in (a, a[..., :1], a[..., :2]):
        _same(lapack.solve(a, b), numpy.linalg.solve(a, b))
    across = a.swapaxes(-1, -2).conj()
    positive = (a @ across + 9 * numpy.eye(shape[-1])).astype(dtype)
    _same(lapack.cholesky(positive), numpy.linalg.cholesky(positive))
    uplo: Any
    for uplo in "LU":
        values, vectors = lapack.eigh(a, uplo)
        expected = numpy.linalg.eigh(a, uplo)
        _same(values, expected[0], False)
        _same(vectors, expected[1])
        _same(lapack.eigvalsh(a, uplo), numpy.linalg.eigvalsh(a, uplo), False)
    _same(lapack.det(a), numpy.linalg.det(a), False)
    for one, other in zip(lapack.slogdet(a), numpy.linalg.slogdet(a), strict=True):
        _same(one, other, False)
    numpy.testing.assert_array_equal(a, before)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", "fdFD")
@pytest.mark.parametrize("shape", WIDE + SHAPES[:4])
def test_rectangles(shape: tuple[int, ...], dtype: str, layout: str, way: str) -> None:
    a = _made(shape, dtype, layout)
    before = a.copy()
    mode: Any
    for mode in ("reduced", "complete"):
        for one, other in zip(lapack.qr(a, mode), numpy.linalg.qr(a, mode), strict=True):
            _same(one, other)
    none, r = lapack.qr(a, "r")
    assert none is None
    _same(r, numpy.linalg.qr(a, "r"))
    for full in (False, True):
        for part, (one, other) in enumerate(zip(lapack.svd(a, full), numpy.linalg.svd(a, full), strict=True)):
            _same(one, other, part != 1)
    _same(lapack.singular_values(a), numpy.linalg.svd(a, compute_uv=False), False)
    numpy.testing.assert_array_equal(a, before)


def test_batches_of_one_side(way: str) -> None:
    a, b = _made((3, 4, 4), "d", "rows"), _made((4, 2), "d", "rows")
    _same(lapack.solve(a, b), numpy.linalg.solve(a, b))
    _same(
        lapack.solve(a[0], _made((3, 4, 2), "d", "rows")),
        numpy.linalg.solve(a[0], _made((3, 4, 2), "d", "rows")),
    )


@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_lapack_gives_up_on(place: int, way: str) -> None:
    a = numpy.stack([numpy.eye(4)] * 3)
    a[place, 3, 3] = 0
    for function in (lapack.inverse, lapack.cholesky, lambda a: lapack.solve(a, a)):
        for matrices in (a, a[place]):
            with pytest.raises(numpy.linalg.LinAlgError):
                function(matrices)
    inverses, codes = linear.inverse(a)
    assert codes.tolist() == [4 if i == place else 0 for i in range(3)]
    assert numpy.isinf(inverses[place]).all()
    a[place, 2, 2], a[place, 3, 3] = -1, 1
    assert linear.cholesky(a, False)[1].tolist() == [3 if i == place else 0 for i in range(3)]


@pytest.mark.parametrize("at", [(0, 0), (2, 1), (3, 3)])
def test_nan(at: tuple[int, int], way: str) -> None:
    a = numpy.eye(4)
    a[at] = numpy.nan
    assert linear.cholesky(a, False)[1] == at[0] + 1
    assert numpy.isnan(lapack.solve(numpy.eye(4) * numpy.nan, numpy.ones((4, 1)))).all()


def test_infinite_start_is_no_failure(way: str) -> None:
    tiny = numpy.diag([1e-310, 1.0])
    assert lapack.inverse(tiny)[0, 0] == numpy.inf


# ---------------------------------------------------------------- triangles


@pytest.mark.parametrize("dtype", "fdFD")
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize(
    "shape", [(0, 0), (1, 1), (7, 7), (32, 32), (33, 33), (100, 100), (3, 40, 40), (0, 40, 40)]
)
def test_inverse_of_triangle(shape: tuple[int, ...], upper: bool, dtype: str) -> None:
    n = shape[-1]
    a = _made(shape, dtype, "rows") / max(n, 1) + numpy.eye(n).astype(dtype)
    a = (numpy.triu(a) if upper else numpy.tril(a)).astype(dtype)
    result = factors.inverse_of_triangle(a, upper)
    assert result.dtype == a.dtype
    eye = numpy.broadcast_to(numpy.eye(n), shape)
    numpy.testing.assert_allclose(a @ result, eye, atol=1e-4 if dtype in "fF" else 1e-12)
    numpy.testing.assert_array_equal(numpy.tril(result, -1) if upper else numpy.triu(result, 1), 0)


@pytest.mark.parametrize("n", [3, 50])
def test_triangle_without_inverse(n: int) -> None:
    a = numpy.eye(n)
    a[n - 1, n - 1] = 0
    with numpy.errstate(all="ignore"):
        result = factors.inverse_of_triangle(a, True)
    assert numpy.isinf(result[n - 1, n - 1])


@pytest.mark.parametrize("dtype", "fD")
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (4, 4), (2, 70, 70)])
def test_mirrored_triangle(shape: tuple[int, ...], upper: bool, dtype: str) -> None:
    a = _made(shape, dtype, "rows")
    kept, strict = (numpy.triu(a), numpy.triu(a, 1)) if upper else (numpy.tril(a), numpy.tril(a, -1))
    result = linear.mirrored_triangle(a, upper)
    assert result.dtype == a.dtype
    numpy.testing.assert_array_equal(result, kept + strict.swapaxes(-1, -2).conj())


# ---------------------------------------------------------------- LU


@pytest.mark.parametrize("dtype", "fdD")
@pytest.mark.parametrize(
    "shape", [(1, 1), (4, 4), (31, 31), (33, 33), (70, 70), (70, 40), (40, 70), (2, 33, 33)]
)
def test_lu(shape: tuple[int, ...], dtype: str) -> None:
    a = _made(shape, dtype, "rows")
    packed, pivots = factors.lu(a)
    k = min(shape[-2:])
    lower = numpy.tril(packed, -1)[..., :k] + numpy.eye(shape[-2], k)
    upper = numpy.triu(packed)[..., :k, :]
    order = factors.permutation(pivots, shape[-2], a.dtype)
    numpy.testing.assert_allclose(order @ lower @ upper, a, atol=2e-4 if dtype == "f" else 1e-11)
    one = numpy.stack([factors.lu(each)[1] for each in a.reshape(-1, *shape[-2:])])
    numpy.testing.assert_array_equal(one.reshape(pivots.shape), pivots)
    assert (numpy.abs(lower) <= 1.5).all()


def test_lu_of_singular_matrices() -> None:
    a = numpy.ones((40, 40))
    packed, _ = factors.lu(a)
    assert factors.zero_pivot(packed) == 2
    numpy.testing.assert_array_equal(packed[1:, 1:], 0)


@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("batch", [(), (3,), (0,)])
def test_lu_solve(batch: tuple[int, ...], adjoint: bool) -> None:
    a, b = _made((*batch, 5, 5), "D", "rows"), _made((*batch, 5, 2), "D", "rows")
    x = factors.lu_solve(*factors.lu(a), b, adjoint)
    numpy.testing.assert_allclose((a.swapaxes(-1, -2).conj() if adjoint else a) @ x, b, atol=1e-10)


def test_exponentials_of_a_batch_are_those_of_each() -> None:
    from tgrad.backends.matrix_exp import matrix_exp

    a = _made((6, 3, 3), "d", "rows") * numpy.array([1e-9, 0.1, 1, 7, 8, 300])[:, None, None]
    a[1, 0, 0] = numpy.nan
    with numpy.errstate(all="ignore"):
        numpy.testing.assert_array_equal(matrix_exp(a), numpy.stack([matrix_exp(each) for each in a]))


@pytest.mark.parametrize("exponent", [0.0, -2.0, -4.9, -5.1, -8.0])
def test_ranks_of_least_squares(exponent: float) -> None:
    """Whether the singular values are looked at or not, the rank is the number of those that count."""
    import tgrad

    values = numpy.array([1.0, 0.5, 10.0**exponent])
    left, right = (numpy.linalg.qr(_made((n, 3), "d", "rows"))[0] for n in (6, 3))
    a, b = tgrad.from_numpy((left * values) @ right.T), tgrad.ones(6, 1, dtype=tgrad.float64)
    for driver in ("gelsy", "gelsd"):
        found = tgrad.linalg.lstsq(a, b, rcond=1e-5, driver=driver)
        assert found.rank.item() == (values > 1e-5).sum()
    assert found.singular_values.shape == (3,)
