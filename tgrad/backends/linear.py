"""Kernels of linear algebra on batches of matrices: NumPy's LAPACK, and what NumPy doesn't have.

Matrices are the last two dimensions.  What may fail gives a code for each matrix, as LAPACK does: 0,
or where it failed.  `tgrad.backends.factors` has the triangular decompositions.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy
from numpy.linalg import LinAlgError as LinAlgError
from numpy.linalg import eig, eigvals

from tgrad.backends import lapack
from tgrad.backends.factors import lu, permuted, solve_triangular, zero_pivot
from tgrad.backends.lapack import by_columns, det, eigh, eigvalsh, qr, singular_values, slogdet, svd

Array: TypeAlias = Any  # an ndarray

_CONDITION: Final = 1e-2
"""How near to the inverse of the smallest step a condition number may come."""

__all__ = [
    "LinAlgError", "by_columns", "cholesky", "cofactor", "cofactor_back", "det", "eig", "eigh",
    "eigvals", "eigvalsh", "inverse", "mirrored", "qr", "singular_values", "slogdet", "solve", "svd",
]  # fmt: skip


def mirrored(a: Array) -> Array:
    """The conjugate transpose of each matrix."""
    return a.swapaxes(-1, -2).conj()


def mirrored_triangle(a: Array, upper: bool) -> Array:
    """One triangle of square matrices, with the diagonal, and its mirror image in place of the other."""
    across = a.swapaxes(-1, -2)
    n = a.shape[-1]
    return numpy.where(lapack.triangle(n, n, not upper), a, across.conj() if a.dtype.kind == "c" else across)


def _no_codes(a: Array) -> Array:
    return numpy.zeros(a.shape[:-2], numpy.int32)


def inverse(a: Array) -> tuple[Array, Array]:
    """The inverses, and the places of zero pivots; such a matrix has an inverse of infinities."""
    codes = _no_codes(a)
    try:
        return lapack.inverse(a), codes
    except LinAlgError:
        pass
    result = numpy.empty(a.shape, a.dtype)
    for i in numpy.ndindex(a.shape[:-2]):
        try:
            result[i] = lapack.inverse(a[i])
        except LinAlgError:
            result[i], codes[i] = numpy.inf, zero_pivot(lu(a[i])[0])
    return by_columns(result), codes


def solve(a: Array, b: Array) -> tuple[Array, Array]:
    """x with a x = b, and the places of zero pivots, by which the solution is divided."""
    try:
        x = lapack.solve(a, b)
        return x, _no_codes(x)
    except LinAlgError:
        pass
    factors, pivots = lu(a)
    unit = solve_triangular(factors, permuted(b, pivots), False, True)
    codes = numpy.broadcast_to(zero_pivot(factors), unit.shape[:-2]).astype(numpy.int32)
    return solve_triangular(factors, unit, True, False), codes


def cholesky(a: Array, upper: bool) -> tuple[Array, Array]:
    """L with L L' = a, from the lower triangle, or its conjugate transpose, from the upper one.

    The codes are the orders of the first minors that aren't positive; from there on the result is
    what the columns before have left of the matrix.
    """
    lower = mirrored(a) if upper else a
    codes = _no_codes(a)
    try:
        result = lapack.cholesky(lower)
    except LinAlgError:
        result = numpy.tril(lower)
        for i in numpy.ndindex(a.shape[:-2]):
            codes[i] = _partial_cholesky(result[i])
        result = by_columns(result)
    return (by_columns(mirrored(result)) if upper else result), codes


def _partial_cholesky(a: Array) -> int:
    """The decomposition in place, column by column, until a pivot isn't positive."""
    for k in range(len(a)):
        row = a[k, :k]
        pivot = a[k, k].real - (row * row.conj()).real.sum()
        if not pivot > 0:
            a[k, k] = pivot
            return k + 1
        a[k, k] = numpy.sqrt(pivot)
        a[k + 1 :, k] = (a[k + 1 :, k] - a[k + 1 :, :k] @ row.conj()) / a[k, k]
    return 0


def cofactor(a: Array) -> Array:
    """The derivative of the determinant: det(a) times the inverse transpose, also where that is 0 / 0.

    By the inverse where that is exact enough, else from a = U S V: det(U V) U diag(products of all S
    but one) V, conjugated.
    """
    n = a.shape[-1]
    if n == 0:
        return a.copy()
    across = _inverse_across(a)
    if across is not None:
        return numpy.asarray(det(a)[..., None, None] * across).astype(a.dtype)
    u, s, v = svd(a, True)
    others = numpy.stack([numpy.prod(numpy.delete(s, i, -1), axis=-1) for i in range(n)], axis=-1)
    signs = det(numpy.matmul(u, v))[..., None, None]
    return (signs * numpy.matmul(u * others[..., None, :], v).conj()).astype(a.dtype)


def _inverse_across(a: Array) -> Array | None:
    """The transposed inverses, if all matrices are far from singular ones."""
    try:
        inverse = lapack.inverse(a)
    except LinAlgError:
        return None
    condition = numpy.linalg.norm(a, axis=(-2, -1)) * numpy.linalg.norm(inverse, axis=(-2, -1))
    limit = _CONDITION / numpy.finfo(a.dtype).eps
    return inverse.swapaxes(-1, -2) if (condition < limit).all() else None


def cofactor_back(g: Array, a: Array) -> Array:
    """The derivative of the cofactors, applied to g; for real matrices, singular ones too.

    In the basis of the singular vectors of a the cofactor i, i depends on all other diagonal entries
    and i, j on j, i alone, by the products of all singular values but the i-th and j-th.
    """
    n = a.shape[-1]
    u, s, v = svd(a, True)
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
