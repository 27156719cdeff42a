"""Triangular decompositions of batches of matrices, and equations with their factors.

NumPy keeps LAPACK's routines for these to itself, so they are written out here: a loop over rows or
columns, each step on the whole batch where the steps are the same for all matrices.
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

import numpy

from tgrad.backends import lapack
from tgrad.backends.lapack import by_columns as by_columns

Array: TypeAlias = Any  # an ndarray


# ---------------------------------------------------------------- LU


def lu(a: Array) -> tuple[Array, Array]:
    """L and U in one matrix, and the rows that were exchanged (counted from 1), by partial pivoting."""
    m, n = a.shape[-2:]
    size = min(m, n)
    flat = a.reshape(math.prod(a.shape[:-2]), m, n).copy()
    pivots = numpy.empty((len(flat), size), numpy.int32)
    if len(flat) == 1:
        _lu_one(flat[0], pivots[0])
    else:
        _lu_all(flat, pivots)
    return by_columns(flat.reshape(a.shape)), pivots.reshape(*a.shape[:-2], size)


def _lu_all(flat: Array, pivots: Array) -> None:
    """The decomposition of many matrices, in place, each step on all of them."""
    batch = numpy.arange(len(flat))
    for k in range(pivots.shape[1] if len(flat) else 0):
        row = k + numpy.argmax(_sizes(flat[:, k:, k]), axis=1)
        pivots[:, k] = row + 1
        kept = flat[batch, k].copy()
        flat[batch, k] = flat[batch, row]
        flat[batch, row] = kept
        pivot = flat[:, k, k][:, None]
        usable = pivot != 0
        factors = numpy.where(usable, flat[:, k + 1 :, k] / numpy.where(usable, pivot, 1), 0)
        flat[:, k + 1 :, k] = numpy.where(usable, factors, flat[:, k + 1 :, k])
        flat[:, k + 1 :, k + 1 :] -= factors[:, :, None] * flat[:, None, k, k + 1 :]


def _lu_one(a: Array, pivots: Array) -> None:
    """The decomposition of one matrix, in place; what is right of a few columns follows by a product."""
    size = len(pivots)
    for start in range(0, size, _PANEL):
        stop = min(start + _PANEL, size)
        panel = a[start:, start:stop]
        for k in range(stop - start):
            row = k + int(_sizes(panel[k:, k]).argmax())
            pivots[start + k] = start + row + 1
            if row != k:
                a[[start + k, start + row]] = a[[start + row, start + k]]
            pivot = panel[k, k]
            if pivot != 0:
                below = panel[k + 1 :, k]
                below /= pivot
                panel[k + 1 :, k + 1 :] -= below[:, None] * panel[k, k + 1 :]
        if stop < a.shape[1]:
            right = a[start:stop, stop:]
            right[...] = solve_triangular(a[start:stop, start:stop], right, False, True)
            a[stop:, stop:] -= numpy.matmul(a[stop:, start:stop], right)


_PANEL: Final = 32


def _sizes(a: Array) -> Array:
    """How large LAPACK takes elements to be when it looks for the largest."""
    return numpy.abs(a.real) + numpy.abs(a.imag) if a.dtype.kind == "c" else numpy.abs(a)


def zero_pivot(factors: Array) -> Any:
    """For each matrix the place, from 1, of the first zero on the diagonal of U; 0 if there is none."""
    zeros = numpy.diagonal(factors, 0, -2, -1) == 0
    if not zeros.shape[-1]:
        return numpy.zeros(zeros.shape[:-1], numpy.int32)
    return numpy.where(zeros.any(-1), zeros.argmax(-1) + 1, 0).astype(numpy.int32)


def order_of(pivots: Array, rows: int) -> Array:
    """Where the exchanges of rows have brought each row from: the matrix P has ones at order[i], i."""
    if pivots.ndim == 1:
        order = list(range(rows))
        for k, other in enumerate(pivots.tolist()):
            order[k], order[other - 1] = order[other - 1], order[k]
        return numpy.array(order, numpy.int64)
    flat = pivots.reshape(math.prod(pivots.shape[:-1]), pivots.shape[-1])
    orders = numpy.tile(numpy.arange(rows), (len(flat), 1))
    batch = numpy.arange(len(flat))
    for k in range(flat.shape[1]):
        other = flat[:, k] - 1
        kept = orders[batch, other]
        orders[batch, other] = orders[:, k]
        orders[:, k] = kept
    return orders.reshape(*pivots.shape[:-1], rows)


def permutation(pivots: Array, rows: int, dtype: Any) -> Array:
    """The matrix P with a = P L U, from the exchanged rows."""
    order = order_of(pivots, rows)
    return (numpy.arange(rows)[:, None] == order[..., None, :]).astype(dtype)


def permuted(b: Array, pivots: Array, back: bool = False) -> Array:
    """The rows of b in the order of P' b, or of P b."""
    order = order_of(pivots, b.shape[-2])
    if back:
        order = numpy.argsort(order, axis=-1)
    if order.ndim == 1:
        return b.take(order, -2)
    batch = numpy.broadcast_shapes(order.shape[:-1], b.shape[:-2])
    b = numpy.broadcast_to(b, (*batch, *b.shape[-2:]))
    index = numpy.broadcast_to(order, (*batch, order.shape[-1]))[..., None]
    return numpy.take_along_axis(b, index, -2)


def lu_solve(factors: Array, pivots: Array, b: Array, adjoint: bool) -> Array:
    """x with P L U x = b; or with the conjugate transpose of the matrix."""
    if not adjoint:
        inner = solve_triangular(factors, permuted(b, pivots), False, True)
        return solve_triangular(factors, inner, True, False)
    across = factors.swapaxes(-1, -2).conj()
    inner = solve_triangular(across, b, False, False)
    return by_columns(permuted(solve_triangular(across, inner, True, True), pivots, back=True))


def solve_triangular(a: Array, b: Array, upper: bool, unit: bool) -> Array:
    """x with a x = b, where only one triangle of a counts; in blocks of rows, stored by columns."""
    n = a.shape[-1]
    batch = numpy.broadcast_shapes(a.shape[:-2], b.shape[:-2]) if a.ndim + b.ndim > 4 else ()
    x = lapack.matrices((*batch, *b.shape[-2:]), a.dtype)
    if n <= _ROWS:
        _solve_block(a, b, x, upper, unit)
        return x
    starts = range(0, n, _ROWS)
    for start in reversed(starts) if upper else starts:
        rows = slice(start, min(start + _ROWS, n))
        known = slice(rows.stop, n) if upper else slice(0, start)
        right = b[..., rows, :]
        if known.start < known.stop:  # one product for what all rows of the block need
            right = right - numpy.matmul(a[..., rows, known], x[..., known, :])
        _solve_block(a[..., rows, rows], right, x[..., rows, :], upper, unit)
    return x


_ROWS: Final = 64


def _solve_block(a: Array, b: Array, x: Array, upper: bool, unit: bool) -> None:
    """One block by LAPACK, written to x; row by row if divisions by zero or infinities are part of it.

    Gauss's elimination finds nothing to exchange or to subtract in an upper triangular matrix, and
    goes on to the substitution that is wanted.  A lower one is an upper one read from its end.
    """
    matrix, right, result = a, b, x
    if not upper:
        matrix, right, result = a[..., ::-1, ::-1], b[..., ::-1, :], x[..., ::-1, :]
    n = a.shape[-1]
    matrix = numpy.where(lapack.triangle(n, n, False), matrix, 0)
    if unit:
        places = numpy.arange(n)
        matrix[..., places, places] = 1
    try:
        lapack.solve(matrix, right, result)
        if numpy.isfinite(result).all():
            return
    except numpy.linalg.LinAlgError:
        pass
    _solve_rows(a, b, x, upper, unit)


def inverse_of_triangle(a: Array, upper: bool) -> Array:
    """The inverses of triangular matrices, whose other triangle is zeros; with infinities where one has none.

    Blocks on the diagonal are inverted by LAPACK, as `_solve_block` has it, and neighbours joined:
    [[A, B], [0, C]] has the inverse [[A^-1, -A^-1 B C^-1], [0, C^-1]].
    """
    n = a.shape[-1]
    if not upper:
        return inverse_of_triangle(a.swapaxes(-1, -2), True).swapaxes(-1, -2)
    if n <= _BLOCK:
        try:
            return lapack.inverse(a)
        except numpy.linalg.LinAlgError:
            x = lapack.matrices(a.shape, a.dtype)
            _solve_rows(a, numpy.broadcast_to(numpy.eye(n, dtype=a.dtype), a.shape), x, True, False)
            return x
    half = n // 2
    x = numpy.zeros(a.shape, a.dtype)
    first = x[..., :half, :half] = inverse_of_triangle(a[..., :half, :half], True)
    last = x[..., half:, half:] = inverse_of_triangle(a[..., half:, half:], True)
    numpy.matmul(numpy.matmul(-first, a[..., :half, half:]), last, out=x[..., :half, half:])
    return x


_BLOCK: Final = 32


def _solve_rows(a: Array, b: Array, x: Array, upper: bool, unit: bool) -> None:
    """The same row by row, for any numbers."""
    n = a.shape[-1]
    for i in reversed(range(n)) if upper else range(n):
        known = slice(i + 1, n) if upper else slice(0, i)
        row = b[..., i, :]
        if known.start < known.stop:
            row = row - numpy.matmul(a[..., i, None, known], x[..., known, :])[..., 0, :]
        x[..., i, :] = row if unit else row / a[..., i, i][..., None]


# ---------------------------------------------------------------- L D L'

_ALPHA: Final = (1 + math.sqrt(17)) / 8
"""From which size on, by the largest entry beside it, a diagonal entry is a pivot by itself."""


def ldl(a: Array, hermitian: bool) -> tuple[Array, Array, Array]:
    """L and D of a = L D L', in one matrix, the exchanged rows, and the codes, from lower triangles.

    D has blocks of one or two rows; those of two are marked by negative pivots.  J. Bunch, L. Kaufman,
    Some stable methods for calculating inertia and solving symmetric linear systems, 1977.
    """
    result = numpy.array(a, order="C")
    pivots = numpy.zeros(a.shape[:-1], numpy.int32)
    codes = numpy.zeros(a.shape[:-2], numpy.int32)
    for i in numpy.ndindex(a.shape[:-2]):
        codes[i] = _ldl_one(result[i], pivots[i], hermitian and a.dtype.kind == "c")
    return by_columns(numpy.tril(result)), pivots, codes


def _ldl_one(a: Array, pivots: Array, hermitian: bool) -> int:
    n, k, code = len(a), 0, 0
    while k < n:
        size, place, empty = _ldl_pivot(a, k, hermitian)
        if empty:
            code = code or k + 1
            pivots[k], k = k + 1, k + 1
            continue
        end = k + size - 1
        if place != end:
            _exchange(a, end, place, k, hermitian)
        if hermitian:
            a[range(k, end + 1), range(k, end + 1)] = a.diagonal()[k : end + 1].real
        pivots[k : end + 1] = place + 1 if size == 1 else -(place + 1)
        block = a[k : end + 1, k : end + 1].copy()
        if size == 2:
            block[0, 1] = block[1, 0].conj() if hermitian else block[1, 0]
        below = a[end + 1 :, k : end + 1]
        factors = numpy.matmul(below, lapack.inverse(block))
        across = below.conj() if hermitian else below
        a[end + 1 :, end + 1 :] -= numpy.tril(numpy.matmul(factors, across.T))
        a[end + 1 :, k : end + 1] = factors
        k += size
    return code


def _ldl_pivot(a: Array, k: int, hermitian: bool) -> tuple[int, int, bool]:
    """The size of the next block of D, the row to exchange with its last, whether the column is empty."""
    own = abs(a[k, k].real) if hermitian else _sizes(a[k, k])
    column = _sizes(a[k + 1 :, k])
    largest = column.max() if column.size else column.dtype.type(0)
    if max(own, largest) == 0 or own != own:
        return 1, k, True
    if own >= _ALPHA * largest:
        return 1, k, False
    row = k + 1 + int(column.argmax())
    beside = numpy.concatenate([_sizes(a[row, k:row]), _sizes(a[row + 1 :, row])]).max()
    if own >= _ALPHA * largest * (largest / beside):
        return 1, k, False
    there = abs(a[row, row].real) if hermitian else _sizes(a[row, row])
    return (1, row, False) if there >= _ALPHA * beside else (2, row, False)


def _exchange(a: Array, i: int, j: int, start: int, hermitian: bool) -> None:
    """Exchange rows and columns i < j of a matrix of which the lower triangle counts."""
    a[j + 1 :, [i, j]] = a[j + 1 :, [j, i]]
    between = a[i + 1 : j, i].copy()
    a[i + 1 : j, i] = a[j, i + 1 : j].conj() if hermitian else a[j, i + 1 : j]
    a[j, i + 1 : j] = between.conj() if hermitian else between
    if hermitian:
        a[j, i] = a[j, i].conj()
    a[i, i], a[j, j] = a[j, j], a[i, i]
    a[[i, j], start:i] = a[[j, i], start:i]


def ldl_solve(factors: Array, pivots: Array, b: Array, hermitian: bool) -> Array:
    """x with L D L' x = b."""
    batch = numpy.broadcast_shapes(factors.shape[:-2], b.shape[:-2])
    factors = numpy.broadcast_to(factors, (*batch, *factors.shape[-2:]))
    pivots = numpy.broadcast_to(pivots, (*batch, pivots.shape[-1]))
    x = numpy.array(numpy.broadcast_to(b, (*batch, *b.shape[-2:])), order="C")
    for i in numpy.ndindex(batch):
        _ldl_solve_one(factors[i], pivots[i], x[i], hermitian and factors.dtype.kind == "c")
    return by_columns(x)


def _ldl_solve_one(a: Array, pivots: Array, x: Array, hermitian: bool) -> None:
    n, k = len(a), 0
    blocks = []
    while k < n:
        size = 1 if pivots[k] > 0 else 2
        end, place = k + size - 1, abs(int(pivots[k])) - 1
        x[[end, place]] = x[[place, end]]
        x[end + 1 :] -= numpy.matmul(a[end + 1 :, k : end + 1], x[k : end + 1])
        blocks.append((k, end, place))
        block = a[k : end + 1, k : end + 1].copy()
        if size == 2:
            block[0, 1] = block[1, 0].conj() if hermitian else block[1, 0]
        x[k : end + 1] = lapack.solve(block, x[k : end + 1])
        k += size
    for k, end, place in reversed(blocks):
        below = a[end + 1 :, k : end + 1]
        x[k : end + 1] -= numpy.matmul((below.conj() if hermitian else below).T, x[end + 1 :])
        x[[end, place]] = x[[place, end]]


# ---------------------------------------------------------------- reflectors


def reflectors(a: Array) -> tuple[Array, Array]:
    """R, and below it the vectors of the reflections of a QR decomposition; and their factors tau."""
    m, n = a.shape[-2:]
    if not a.size:
        return by_columns(a.copy()), numpy.zeros((*a.shape[:-2], min(m, n)), a.dtype)
    vectors, tau = numpy.linalg.qr(a, "raw")
    return by_columns(vectors.swapaxes(-1, -2)), tau


def reflect(vectors: Array, tau: Array, c: Array, adjoint: bool) -> Array:
    """Q c, or Q' c, for Q the product of the reflections 1 - tau v v'."""
    c = numpy.array(numpy.broadcast_to(c, (*vectors.shape[:-2], *c.shape[-2:])), vectors.dtype)
    count = tau.shape[-1]
    for i in range(count) if adjoint else reversed(range(count)):
        v = numpy.array(vectors[..., i:, i : i + 1])
        v[..., 0, 0] = 1
        factor = tau[..., i, None, None]
        inner = numpy.matmul(v.swapaxes(-1, -2).conj(), c[..., i:, :])
        c[..., i:, :] -= (factor.conj() if adjoint else factor) * numpy.matmul(v, inner)
    return c
