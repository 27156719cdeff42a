"""LAPACK's drivers, as NumPy has them, called without what `numpy.linalg` does before and after.

For a matrix of four rows the public functions take five times as long as LAPACK.  The routines that
they call are NumPy's own business (`numpy.linalg._umath_linalg`), so that nothing is taken for granted:
where one isn't found under its name, or a matrix of the results begins with NaN, as all do that LAPACK
gave up on, the public function is called and says what is the matter.

Like these the routines compute in double precision; results are rounded to the dtype of the
arguments.  Matrices come stored column by column, as LAPACK gives them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy
from numpy import linalg

try:
    from numpy.linalg import _umath_linalg as _routines
except ImportError:  # another NumPy
    _routines = None  # type: ignore[assignment]

Array: TypeAlias = Any  # an ndarray

_WORK: Final = {"f": "d", "d": "d", "F": "D", "D": "D"}
"""The type in which LAPACK is to compute, by the character of a dtype."""

_MASKED: Final = 64
"""Up to so many rows it is kept which elements of a matrix are below the diagonal."""


def by_columns(a: Array) -> Array:
    """The same matrices, stored column by column."""
    return numpy.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2)


@lru_cache
def _routine(name: str, pattern: str, char: str) -> Callable[..., Any] | None:
    """A routine for a dtype; `pattern` is its signature, with T for the type and d for real results."""
    found, work = getattr(_routines, name, None), _WORK.get(char)
    if found is None or work is None:
        return None
    signature = pattern.replace("T", work)

    def routine(*arrays: Array) -> Any:
        return found(*arrays, signature=signature)

    return routine


def matrices(shape: tuple[int, ...], dtype: Any) -> Array:
    """Room for matrices stored column by column."""
    if len(shape) == 2:
        return numpy.empty(shape, dtype, "F")
    return numpy.empty((*shape[:-2], shape[-1], shape[-2]), dtype).swapaxes(-1, -2)


def _given_up(result: Array, end: int = 0) -> bool:
    """Whether LAPACK gave up on a matrix, or else had to do with NaN: by the first or last element."""
    if not result.size:
        return False
    if result.ndim == 2:
        element = result.item(end)
        return bool(element != element)
    elements = result[..., end, end]
    return bool((elements != elements).any())


def inverse(a: Array) -> Array:
    """The inverses.  LinAlgError if one doesn't exist."""
    routine = _routine("inv", "T->T", a.dtype.char)
    if routine is not None:
        result = matrices(a.shape, a.dtype)
        routine(a, result)
        if not _given_up(result):
            return result
    return by_columns(linalg.inv(a))


def solve(a: Array, b: Array, result: Array | None = None) -> Array:
    """x with a x = b, written to `result` if there is one.  LinAlgError if a matrix has no inverse."""
    if result is None:
        batch = a.shape[:-2]
        if batch != b.shape[:-2]:
            batch = numpy.broadcast_shapes(batch, b.shape[:-2])
        result = matrices((*batch, *b.shape[-2:]), a.dtype)
    routine = _routine("solve", "TT->T", a.dtype.char)
    if routine is not None:
        routine(a, b, result)
        if not _given_up(result):
            return result
    result[...] = linalg.solve(a, b)
    return result


def cholesky(a: Array) -> Array:
    """L with L L' = a, from the lower triangles.  LinAlgError if a matrix isn't positive definite.

    Some LAPACKs take NaN for positive.  Then all pivots after it are NaN, too.
    """
    routine = _routine("cholesky_lo", "T->T", a.dtype.char)
    if routine is None:
        result = by_columns(linalg.cholesky(a))
    else:
        result = matrices(a.shape, a.dtype)
        routine(a, result)
    if _given_up(result, -1):
        raise linalg.LinAlgError("Matrix is not positive definite")
    return result


def eigh(a: Array, uplo: Any = "L") -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors, from the lower or the upper triangles."""
    routine = _routine("eigh_lo" if uplo == "L" else "eigh_up", "T->dT", a.dtype.char)
    if routine is not None:
        vectors = matrices(a.shape, a.dtype)
        values = numpy.empty(a.shape[:-1], a.real.dtype)
        routine(a, values, vectors)
        if not _given_up(vectors):
            return values, vectors
    values, vectors = linalg.eigh(a, uplo)
    return values, by_columns(vectors)


def eigvalsh(a: Array, uplo: Any = "L") -> Array:
    """Eigenvalues alone."""
    routine = _routine("eigvalsh_lo" if uplo == "L" else "eigvalsh_up", "T->d", a.dtype.char)
    if routine is not None:
        values = numpy.empty(a.shape[:-1], a.real.dtype)
        routine(a, values)
        if not _given_up(values[..., None]):
            return values
    return linalg.eigvalsh(a, uplo)


def singular_values(a: Array) -> Array:
    """The singular values alone."""
    routine = _routine("svd", "T->d", a.dtype.char)
    if routine is not None:
        values = numpy.empty((*a.shape[:-2], min(a.shape[-2:])), a.real.dtype)
        routine(a, values)
        if not _given_up(values[..., None]):
            return values
    return linalg.svd(a, compute_uv=False)


def svd(a: Array, full: bool) -> tuple[Array, Array, Array]:
    """U, S, V' with a = U S V'."""
    routine = _routine("svd_f" if full else "svd_s", "T->TdT", a.dtype.char)
    if routine is not None:
        batch, (m, n) = a.shape[:-2], a.shape[-2:]
        size = min(m, n)
        u = matrices((*batch, m, m if full else size), a.dtype)
        v = matrices((*batch, n if full else size, n), a.dtype)
        values = numpy.empty((*batch, size), a.real.dtype)
        routine(a, u, values, v)
        if not _given_up(u) and not _given_up(v):
            return u, values, v
    u, values, v = linalg.svd(a, full)
    return by_columns(u), values, by_columns(v)


def qr(a: Array, mode: Any = "reduced") -> tuple[Array | None, Array]:
    """Q and R, `reduced` or `complete`; or for the mode "r" R alone."""
    char = a.dtype.char
    m, n = a.shape[-2:]
    whole = mode == "complete" and m > n
    first = _routine("qr_r_raw", "T->T", char)
    second = _routine("qr_complete" if whole else "qr_reduced", "TT->T", char)
    if first is None or second is None:
        if mode == "r":
            return None, by_columns(linalg.qr(a, mode))
        parts = linalg.qr(a, mode)
        return by_columns(parts[0]), by_columns(parts[1])
    packed = numpy.array(a.swapaxes(-1, -2), _WORK[char], order="C").swapaxes(-1, -2)
    factors = first(packed)
    rows = m if whole else min(m, n)
    q: Array | None = None
    if mode != "r":
        q = matrices((*a.shape[:-1], rows), a.dtype)
        second(packed, factors, q)
    r = numpy.zeros((*a.shape[:-2], n, rows), a.dtype).swapaxes(-1, -2)
    numpy.copyto(r, packed[..., :rows, :], where=triangle(rows, n, False), casting="same_kind")
    return q, r


def triangle(rows: int, columns: int, lower: bool) -> Array:
    """Which elements belong to a triangle, with the diagonal."""
    return (_kept_triangle if rows <= _MASKED >= columns else _triangle)(rows, columns, lower)


def _triangle(rows: int, columns: int, lower: bool) -> Array:
    compare = numpy.greater_equal if lower else numpy.less_equal
    return compare.outer(numpy.arange(rows), numpy.arange(columns))


_kept_triangle: Final = lru_cache(_triangle)


def det(a: Array) -> Array:
    """The determinants."""
    routine = _routine("det", "T->T", a.dtype.char)
    return linalg.det(a) if routine is None else numpy.asarray(routine(a)).astype(a.dtype, copy=False)


def slogdet(a: Array) -> tuple[Array, Array]:
    """The determinants' signs, and the logarithms of their absolute values."""
    routine = _routine("slogdet", "T->Td", a.dtype.char)
    if routine is None:
        return linalg.slogdet(a)
    sign, log = routine(a)
    return numpy.asarray(sign).astype(a.dtype, copy=False), numpy.asarray(log).astype(
        a.real.dtype, copy=False
    )
