"""Matrix products, with small ones in the order of additions that PyTorch's library has.

PyTorch leaves products to Intel's MKL, NumPy to OpenBLAS, and they add up in different orders.
What MKL does for small matrices was found by probing (which summands meet first can be told from
sums with one huge pair) and is repeated here:

- few columns (fewer than 12) or few rows (fewer than 4): products are rounded, then added in order,
  see `_plain`; where the right operand is transposed, along rows, see `_rows_by_rows`;
- larger float32 results with a short inner size: fused multiply-add in order, see `_fused`;
- a row-major matrix times a vector, and dot products: lanes of 16 bytes, see `_matrix_vector` and
  `dot`.

The results agree to the bit for these (not always where the right operand is transposed, nor in
batches), on the processors for which MKL takes that path.  The rest comes from NumPy: it is as
exact, but can differ in the last bits.

Note [Plain loops]
    `numpy.vecdot` leaves vectors to BLAS, but not those whose elements lie in memory in reverse: for
    them it has a loop of its own, which rounds each product and adds it to the sum.  That is what
    `_in_order` needs, without an array of all products.  Where NumPy was compiled to fuse the two
    (`_loops_are_plain`), that array is made.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy
from numpy import add, float16, float32, float64, multiply, vecdot

Array: TypeAlias = Any  # an ndarray

LIMIT: Final = 1 << 15
"""Products of more multiplications than this are left to NumPy."""

_FEW: Final = {"f": 4, "d": 2}
"""Fewer terms than this, by the dtype's character, fill no vector of 16 bytes."""

_BATCH_LIMIT: Final = 400  # PyTorch multiplies smaller matrices of a batch itself

_FUSED_STEPS: Final = 16  # the largest inner size for which fused multiply-add is worth its time


def matmul(a: Array, b: Array) -> Array:
    """a @ b, stored row by row, for arrays of one dtype with one or more dimensions whose sizes fit.

    float16 is added up in float32 and rounded once; integers wrap around.
    """
    dtype = a.dtype
    if a.shape[-1] < _FEW.get(dtype.char, 0) and a.size < 64 and b.size < 24:
        result = _few_terms(a, b)
        if result is not None:
            return result
    if dtype == float16:
        return matmul(a.astype(float32), b.astype(float32)).astype(float16)
    # For the gradient of a sum, which has strides of 0, NumPy's product would be a loop without BLAS.
    if 0 in a.strides:
        a = numpy.ascontiguousarray(a)
    if 0 in b.strides:
        b = numpy.ascontiguousarray(b)
    work = a.size * b.shape[-1] if b.ndim > 1 else a.size
    if work > LIMIT or not work or (dtype != float32 and dtype != float64):
        return _library_product(a, b)
    if a.ndim + b.ndim < 4 and max(a.ndim, b.ndim) < 3:
        if a.ndim == 2:
            return _matrix_vector(a, b)
        return _matrix_vector(b.T, a) if b.ndim == 2 else _dot(a, b)
    if a.ndim == 1 or b.ndim == 1:
        return _library_product(a, b)
    if a.ndim == 2 and b.ndim == 2:
        return _matrices(a, b)
    if a.ndim == b.ndim == 3 and work >= _BATCH_LIMIT * len(a):
        if len(a) == 1:
            return _matrices(a[0], b[0])[None]
        return numpy.stack([_matrices(a[i], b[i]) for i in range(len(a))])
    return _in_order(a, b)


def _library_product(a: Array, b: Array) -> Array:
    result = numpy.matmul(a, b)
    # NumPy's product of two matrices stored by columns is stored by columns.
    return result if result.ndim < 2 or result.flags.c_contiguous else result.copy(order="C")


def dot(a: Array, b: Array) -> Array:
    """The inner product of two vectors of one size and dtype."""
    if 0 < a.size < _FEW.get(a.dtype.char, 0):
        return add.accumulate(multiply(a, b))[-1] + 0.0  # the sum of -0.0 is 0.0
    return matmul(a, b)


def _few_terms(a: Array, b: Array) -> Array | None:
    """The product of two matrices or vectors for sums of so few terms that all orders below are one:
    rounded products are added one after the other, from 0 on.  None for batches.

    (For 12 columns see `_matrices`.)
    """
    rank = a.ndim
    if b.ndim == 2 and rank == 2:
        return _in_order(a, b)
    if b.ndim == rank == 1 and b.size:
        return dot(a, b)
    if b.ndim == 1 and rank <= 2:
        if _PLAIN:
            return vecdot(a, _reversed_in_memory(b))
        return add.reduce(multiply(a, b), -1, out=..., initial=0)  # so few are added in order
    return None


def _matrices(a: Array, b: Array) -> Array:
    rows, inner = a.shape
    columns = b.shape[1]
    if inner == 1:
        return multiply(a, b) + a.dtype.type(0)
    if columns == 1 and rows > 1:
        return _matrix_vector(a, b[:, 0])[:, None]
    if rows == 1 and columns > 1:
        return _matrix_vector(b.T, a[0])[None]
    if rows >= 4 and columns >= 12:
        fused = inner <= _FUSED_STEPS and a.dtype == float32
        return _fused(a, b) if fused else _library_product(a, b)
    lanes = 16 // a.itemsize
    if inner >= lanes and _is_transposed(b) and not _is_transposed(a):
        return _rows_by_rows(a, b.T)
    return _plain(a, b)


def _is_transposed(matrix: Array) -> bool:
    return bool(matrix.strides[0] == matrix.itemsize != matrix.strides[1])


def _in_order(a: Array, b: Array) -> Array:
    """Rounded products, added in order: Note [Plain loops]."""
    if _PLAIN:
        if b.ndim == 2 == a.ndim:
            return vecdot(a[:, None], _reversed_in_memory(b).T)
        columns = b[..., ::-1, :].copy()[..., ::-1, :].swapaxes(-1, -2)
        return vecdot(a[..., None, :], columns[..., None, :, :])
    if b.shape[-1] == 1:
        terms = multiply(a, numpy.swapaxes(b, -1, -2))
        return add.accumulate(terms, axis=-1)[..., -1:] + terms.dtype.type(0)
    return add.reduce(multiply(a[..., None], b[..., None, :, :], order="C"), axis=-2, initial=0)


def _reversed_in_memory(array: Array) -> Array:
    """A copy whose first axis has a negative stride."""
    return array[::-1].copy()[::-1]


def _loops_are_plain() -> bool:
    """Whether NumPy's own loop for dot products adds rounded products in order: Note [Plain loops]."""
    for kind in (float32, float64):
        step = numpy.finfo(kind).eps
        a, b = numpy.full((2, 40), step / 2, kind), numpy.ones(40, kind)
        a[0], a[0, :2], b[1] = 0, (-1 - 2 * step, 1 + step), 1 + step  # 0 if products are rounded
        a[1, :2] = 1, 0  # 1 if no two of the others meet before they are added to it
        if vecdot(a, _reversed_in_memory(b)).tolist() != [0, 1]:
            return False
    return True


_PLAIN: Final = _loops_are_plain()


def _down(terms: Array) -> Array:
    """Sums along the first axis, one after the other."""
    total = terms[0] + terms.dtype.type(0)
    for row in range(1, len(terms)):
        total = total + terms[row]
    return total


def _plain(a: Array, b: Array) -> Array:
    """Rounded products, added in order, but for those first elements of a row of the result that
    lie before a boundary of 16 bytes: see `_by_fours`."""
    result = _in_order(a, b)
    columns = b.shape[1]
    lanes = 16 // b.itemsize
    if columns % lanes and columns > lanes and len(b) >= 8:
        for row in range(1, len(a)):
            early = -row * columns % lanes
            if early and columns - early >= lanes:
                terms = multiply(a[row, :, None], b[:, :early])
                result[row, :early] = _by_fours(terms)
    return result


def _by_fours(terms: Array) -> Array:
    """Sums along the first axis where every other four terms are added up before they are added."""
    total = terms[0]
    size = len(terms)
    for begin in range(0, size, 8):
        for row in range(max(begin, 1), min(begin + 4, size)):
            total = total + terms[row]
        if begin + 8 <= size:
            t = terms[begin + 4 : begin + 8]
            total = total + (((t[0] + t[1]) + t[2]) + t[3])
        else:
            for row in range(begin + 4, size):
                total = total + terms[row]
    return total


def _rows_by_rows(a: Array, b: Array) -> Array:
    """Dot products of rows: by lanes for whole groups of four columns of the result, by eights for
    the others."""
    rows, size = a.shape
    columns = len(b)
    lanes = 16 // a.itemsize
    if _PLAIN and size % lanes == columns % 4 == 0:
        return _by_whole_lanes(a, b, lanes)
    terms = multiply(a[:, None], b)
    result = numpy.empty((rows, columns), terms.dtype)
    grouped = columns // 4 * 4
    step = lanes if size % lanes else 1
    for row in range(step if grouped else 0):
        # Lanes begin at a boundary of 16 bytes, which differs from row to row.
        result[row::step, :grouped] = _by_lanes(terms[row::step, :grouped], -row * size % lanes)
    if grouped < columns:
        result[:, grouped:] = _by_eights(terms[:, grouped:])
    return result


def _by_whole_lanes(a: Array, b: Array, width: int) -> Array:
    """Dot products of rows that fill whole vectors, by lanes: `_by_lanes` without an array of products."""
    left = a.reshape(len(a), -1, width).transpose(2, 0, 1)
    right = _reversed_in_memory(b.reshape(len(b), -1, width).transpose(1, 2, 0)).transpose(1, 2, 0)
    return _pairwise(vecdot(left[:, :, None], right[:, None]).transpose(1, 2, 0))


def _by_lanes(terms: Array, early: int) -> Array:
    """Sums along the last axis: `early` terms to the first lane, then vectors, then the rest."""
    width = 16 // terms.itemsize
    vectors = (terms.shape[-1] - early) // width
    if vectors == 0:
        return _tail(numpy.zeros(terms.shape[:-1], terms.dtype), terms)
    last = early + width * vectors
    lanes = terms[..., early:last].reshape(*terms.shape[:-1], vectors, width)
    if early:
        lanes[..., 0, 0] += _tail(terms[..., 0], terms[..., 1:early])
    total = _pairwise(add.reduce(lanes, axis=-2))
    return _tail(total, terms[..., last:])


def _by_eights(terms: Array) -> Array:
    vectors = terms.shape[-1] // 8
    if vectors == 0:
        return _tail(numpy.zeros(terms.shape[:-1], terms.dtype), terms)
    lanes = add.reduce(terms[..., : 8 * vectors].reshape(*terms.shape[:-1], vectors, 8), axis=-2)
    if terms.itemsize == 8:
        halves = lanes[..., [0, 1, 4, 5]] + lanes[..., [2, 3, 6, 7]]
        total = _pairwise(halves)
    else:
        total = _pairwise(lanes[..., :4] + lanes[..., 4:])
    return _tail(total, terms[..., 8 * vectors :])


def _pairwise(lanes: Array) -> Array:
    if lanes.shape[-1] == 2:
        return lanes[..., 0] + lanes[..., 1]
    return (lanes[..., 0] + lanes[..., 2]) + (lanes[..., 1] + lanes[..., 3])


def _tail(total: Array, terms: Array) -> Array:
    for term in range(terms.shape[-1]):
        total = total + terms[..., term]
    return total


def _fused(a: Array, b: Array) -> Array:
    """Fused multiply-add in order; rows that fill no block of four are added plainly."""
    rows = len(a)
    odd = rows % 4 if rows < 12 and b.shape[1] > 16 and len(b) > 4 else 0
    wide = b.astype(float64)
    column = a[: rows - odd, :, None].astype(float64)
    total = (column[:, 0] * wide[0]).astype(float32)
    for step in range(1, len(wide)):
        total = (column[:, step] * wide[step] + total).astype(float32)
    if odd:
        return numpy.concatenate((total, _plain(a[rows - odd :], b)))
    return total


def _matrix_vector(a: Array, x: Array) -> Array:
    """Each row of the matrix times the vector; a row-major matrix by groups of four rows."""
    rows, size = a.shape
    item = a.itemsize
    if size > 16 // item and a.strides[1] == item != a.strides[0]:
        terms = multiply(a, x)
        grouped = rows // 4 * 4
        if grouped == rows:
            return _grouped_rows(terms)
        if grouped == 0:
            return _single_rows(terms)
        parts = (_grouped_rows(terms[:grouped]), _single_rows(terms[grouped:]))
        return numpy.concatenate(parts)
    terms = multiply(a.T, x[:, None])
    if rows == 1 or terms.strides[0] < terms.strides[1]:
        return _down(terms)
    return add.reduce(terms, axis=0, initial=0)


def _grouped_rows(terms: Array) -> Array:
    """Sums of rows in lanes; so many terms first that whole vectors are left."""
    early = (terms.shape[1] - 1) % (16 // terms.itemsize) + 1
    return _by_lanes(terms, early)


def _single_rows(terms: Array) -> Array:
    """Sums of up to three rows by lanes, after one vector of terms that go to the first lane.

    Two vectors take turns, but for the second row."""
    rows, size = terms.shape
    width = 16 // terms.itemsize
    steps = (size - width) // 8
    if steps < 1:
        return _tail(terms[:, 0] + terms.dtype.type(0), terms[:, 1:])
    last = width + 8 * steps
    lanes = terms[:, width:last].reshape(rows, steps, 8)
    lanes[:, 0, 0] += _tail(terms[:, 0], terms[:, 1:width])
    sums = add.reduce(lanes, axis=1).reshape(rows, 8 // width, width)
    if width == 4:
        total = _pairwise(sums[:, 0] + sums[:, 1])
    else:
        total = _pairwise((sums[:, 0] + sums[:, 1]) + (sums[:, 2] + sums[:, 3]))
    if rows > 1:
        total[1] = _pairwise(add.reduce(lanes[1].reshape(-1, width), axis=0))
        if width == 2:
            sums = add.reduce(lanes[0].reshape(-1, 4), axis=0)
            total[0] = _pairwise(sums[:2] + sums[2:])
    return _tail(total, terms[:, last:])


def _dot(a: Array, b: Array) -> Array:
    """The sum of products of two vectors: four vectors of lanes, the rest to the first lane."""
    terms = multiply(a, b)
    size = len(terms)
    width = 16 // terms.itemsize
    if size < width:
        return _tail(numpy.zeros((), terms.dtype), terms)
    sums = numpy.zeros((4, width), terms.dtype)
    unrolled = 4 * width
    whole = size // unrolled * unrolled
    if whole:
        add.reduce(terms[:whole].reshape(-1, unrolled), axis=0, out=sums.reshape(unrolled))
    vectors = (size - whole) // width
    for vector in range(vectors):
        begin = whole + width * vector
        sums[vector % 2 if width == 4 else 0] += terms[begin : begin + width]
    for term in terms[whole + width * vectors :]:
        sums[0, 0] += term
    return numpy.asarray(_pairwise(add.reduce(sums, axis=0)))


def scaled_product(a: Array, b: Array, scale: float = 1, bias: Array | None = None) -> Array:
    """a @ b * scale + bias in BLAS's order of additions, for batches of matrices."""
    result = numpy.matmul(a, b)
    if scale != 1:
        result *= a.dtype.type(scale)
    if bias is not None:
        result += bias
    return result
