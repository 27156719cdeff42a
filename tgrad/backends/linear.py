"""Kernels of linear algebra on batches of matrices: NumPy's LAPACK, and what NumPy doesn't have.

Matrices are the last two dimensions.  Errors of LAPACK come out as NumPy's LinAlgError; the caller
knows how to name them.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy
from numpy.linalg import (
    LinAlgError as LinAlgError,
)
from numpy.linalg import (
    cholesky as _cholesky,
)
from numpy.linalg import det, eig, eigvalsh, inv, slogdet, solve, svd
from numpy.linalg import (
    eigh as _eigh,
)
from numpy.linalg import (
    qr as _qr,
)

Array: TypeAlias = Any  # an ndarray

__all__ = [
    "LinAlgError", "by_columns", "cholesky", "cofactor", "cofactor_back", "det", "eig", "eigh",
    "eigvalsh", "inv", "lu", "matrix_exp", "permutation", "qr", "slogdet", "solve",
    "solve_triangular", "svd",
]  # fmt: skip


def mirrored(a: Array) -> Array:
    """The conjugate transpose of each matrix."""
    return a.swapaxes(-1, -2).conj()


def cholesky(a: Array, upper: bool) -> Array:
    """L with L L' = a, from the lower triangle; or its conjugate transpose, from the upper one."""
    return mirrored(_cholesky(mirrored(a))) if upper else by_columns(_cholesky(a))


def eigh(a: Array, uplo: Any = "L") -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors, from the lower or the upper triangle."""
    values, vectors = _eigh(a, uplo)
    return values, vectors


def qr(a: Array, mode: Any = "reduced") -> Any:
    """Q and R, or R alone for the mode "r"."""
    return _qr(a, mode)


def cofactor(a: Array) -> Array:
    """The derivative of the determinant: det(a) times the inverse transpose, also where that is 0 / 0.

    From a = U S V: det(U V) U diag(products of all S but one) V, conjugated.
    """
    n = a.shape[-1]
    if n == 0:
        return a.copy()
    u, s, v = svd(a)
    others = numpy.stack(
        [numpy.prod(numpy.delete(s, i, -1), axis=-1) for i in range(n)], axis=-1
    )
    signs = det(numpy.matmul(u, v))[..., None, None]
    return (signs * numpy.matmul(u * others[..., None, :], v).conj()).astype(a.dtype)


def cofactor_back(g: Array, a: Array) -> Array:
    """The derivative of the cofactors, applied to g; for real matrices, singular ones too.

    In the basis of the singular vectors of a the cofactor i, i depends on all other diagonal entries
    and i, j on j, i alone, by the products of all singular values but the i-th and j-th.
    """
    n = a.shape[-1]
    u, s, v = svd(a)
    signs = det(numpy.matmul(u, v))[..., None, None]
    pairs = numpy.zeros((*s.shape, n), s.dtype)
    for i in range(n):
        for j in range(n):
            if i != j:
                pairs[..., i, j] = numpy.prod(numpy.delete(s, (i, j), -1), axis=-1)
    inner = numpy.matmul(numpy.matmul(u.swapaxes(-1, -2), g), v.swapaxes(-1, -2))
    turned = -(inner * pairs).swapaxes(-1, -2)
    sums = numpy.matmul(pairs, numpy.diagonal(inner, 0, -2, -1)[..., None])[..., 0]
    index = numpy.arange(n)
    turned[..., index, index] = sums
    return (signs * numpy.matmul(numpy.matmul(u, turned), v)).astype(a.dtype)


def by_columns(a: Array) -> Array:
    """The same matrices, stored column by column, as LAPACK gives its results."""
    return numpy.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2)


def lu(a: Array) -> tuple[Array, Array]:
    """L and U in one matrix, and the rows that were exchanged (counted from 1), by partial pivoting."""
    a = a.copy()
    m, n = a.shape[-2:]
    size = min(m, n)
    flat = a.reshape(-1, m, n)
    pivots = numpy.empty((len(flat), size), numpy.int32)
    batch = numpy.arange(len(flat))
    for k in range(size):
        if not len(flat):
            break
        row = k + numpy.argmax(numpy.abs(flat[:, k:, k]), axis=1)
        pivots[:, k] = row + 1
        kept = flat[batch, k].copy()
        flat[batch, k] = flat[batch, row]
        flat[batch, row] = kept
        pivot = flat[:, k, k][:, None]
        usable = pivot != 0
        factors = numpy.where(usable, flat[:, k + 1 :, k] / numpy.where(usable, pivot, 1), 0)
        flat[:, k + 1 :, k] = numpy.where(usable, factors, flat[:, k + 1 :, k])
        flat[:, k + 1 :, k + 1 :] -= factors[:, :, None] * flat[:, None, k, k + 1 :]
    return by_columns(flat.reshape(a.shape)), pivots.reshape(*a.shape[:-2], size)


def permutation(pivots: Array, rows: int, dtype: Any) -> Array:
    """The matrix P with a = P L U, from the exchanged rows."""
    flat = pivots.reshape(-1, pivots.shape[-1])
    result = numpy.zeros((len(flat), rows, rows), dtype)
    for number, exchanges in enumerate(flat):
        order = numpy.arange(rows)
        for k, other in enumerate(exchanges):
            order[k], order[other - 1] = order[other - 1], order[k]
        result[number, order, numpy.arange(rows)] = 1
    return result.reshape(*pivots.shape[:-1], rows, rows)


def solve_triangular(a: Array, b: Array, upper: bool, unit: bool) -> Array:
    """x with a x = b, where only one triangle of a counts; row by row."""
    n = a.shape[-1]
    batch = numpy.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    x = numpy.empty((*batch, *b.shape[-2:]), numpy.result_type(a, b))
    for i in reversed(range(n)) if upper else range(n):
        known = slice(i + 1, n) if upper else slice(0, i)
        row = b[..., i, :]
        if known.start < known.stop:
            row = row - numpy.matmul(a[..., i, None, known], x[..., known, :])[..., 0, :]
        x[..., i, :] = row if unit else row / a[..., i, i][..., None]
    return by_columns(x)


_DEGREE = 18
"""Terms of the series; with a norm of at most 1 the rest is below the precision of float64."""


def matrix_exp(a: Array) -> Array:
    """The exponential of each matrix, by its Taylor series after scaling, and squaring.

    N. Higham, Functions of Matrices, section 10.3.
    """
    n = a.shape[-1]
    if a.size == 0:
        return a.copy()
    wide = numpy.result_type(a.dtype, numpy.float64)
    x = a.astype(wide)
    norm = float(numpy.abs(x).sum(axis=-2).max())
    if not math.isfinite(norm):
        return numpy.full_like(a, numpy.nan)
    halvings = max(0, math.ceil(math.log2(norm))) if norm > 0 else 0
    x = x / 2.0**halvings
    identity = numpy.broadcast_to(numpy.eye(n, dtype=wide), x.shape)
    result = identity + x / _DEGREE
    for k in range(_DEGREE - 1, 0, -1):
        result = identity + numpy.matmul(x, result) / k
    for _ in range(halvings):
        result = numpy.matmul(result, result)
    return result.astype(a.dtype)
