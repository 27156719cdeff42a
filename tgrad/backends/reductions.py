"""Reductions and scans that NumPy computes otherwise than PyTorch, or not at all.

`axis` is a number from 0 on, or a tuple of them or None for all; 0-dimensional arrays count as having
one axis of one element.  Results have the array's dtype unless said otherwise.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy
from numpy import float32, float64

from tgrad.backends import sums
from tgrad.backends.folds import BUFFER, LARGE, by_parts, fold, spread
from tgrad.backends.fused import fma
from tgrad.backends.geometry import GRAIN
from tgrad.backends.threads import each

Array: TypeAlias = Any  # an ndarray
Axes = tuple[int, ...] | None


# ------------------------------------------------------------------------------ the geometry


def axes_last(array: Array, axes: Axes) -> tuple[Array, tuple[int, ...]]:
    """An array whose last axis runs over the given axes, and the shape of the other ones.

    The axes are taken in the order of their strides, as PyTorch's loops take them.
    """
    if axes is None and array.flags.c_contiguous:
        return array.reshape(-1), ()
    ndim = array.ndim
    reduced = tuple(range(ndim)) if axes is None else tuple(sorted(axes))
    if len(reduced) > 1 and not array.flags.c_contiguous and 0 not in array.strides:
        reduced = tuple(sorted(reduced, key=lambda a: -abs(array.strides[a])))
    kept = tuple(a for a in range(ndim) if a not in reduced)
    shape = tuple(array.shape[a] for a in kept)
    count = 1
    for a in reduced:
        count *= array.shape[a]
    return array.transpose(kept + reduced).reshape(*shape, count), shape


def with_ones(shape: tuple[int, ...], axes: Axes, ndim: int) -> tuple[int, ...]:
    """The shape of a reduction's result with the reduced axes kept as 1."""
    if axes is None:
        return (1,) * ndim
    rest = iter(shape)
    return tuple(1 if a in axes else next(rest) for a in range(ndim))


def shaped(result: Array, shape: tuple[int, ...], axes: Axes, ndim: int, keepdims: bool) -> Array:
    return result.reshape(with_ones(shape, axes, ndim) if keepdims else shape)


# -------------------------------------------------------------------------- extreme elements


def extremes(array: Array, axis: int, keepdims: bool, largest: bool) -> tuple[Array, Array]:
    """The largest or smallest elements along an axis and their first indices; NaN wins."""
    if array.ndim == 0:
        return array.copy(), numpy.zeros((), numpy.int64)
    indices = place_of(array, axis, True, largest)
    if array.ndim == 2:
        others = numpy.arange(array.shape[1 - axis])
        chosen = indices.reshape(-1)
        found = array[chosen, others] if axis == 0 else array[others, chosen]
        return (found.reshape(indices.shape), indices) if keepdims else (found, chosen)
    found = numpy.take_along_axis(array, indices, axis)
    if keepdims:
        return found, indices
    return found.squeeze(axis), indices.squeeze(axis)


def place_of(array: Array, axis: int | None, keepdims: bool, largest: bool) -> Array:
    """The (first) index of the largest or smallest element of all, or along an axis."""
    if axis is None or array.size < LARGE:
        return array.argmax(axis, keepdims=keepdims) if largest else array.argmin(axis, keepdims=keepdims)
    find = numpy.argmax if largest else numpy.argmin
    found = by_parts(lambda part: find(part, axis, keepdims=True), array, (axis,), numpy.int64)
    return found if keepdims else found.squeeze(axis)


# ---------------------------------------------------------------------------------- products


def prod(array: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """The product along one axis, or of everything, in PyTorch's order of multiplications.

    Along elements that lie side by side PyTorch multiplies four vectors of 32 bytes at a time; across
    them it goes in order.  bool and integers give int64.
    """
    dtype = array.dtype
    if dtype.kind in "biu":
        return spread(numpy.multiply, array, axis if array.ndim else None, keepdims, numpy.int64)
    axes = None if axis is None or array.ndim == 0 else (axis,)
    few = dtype.char in "fd" and array.nbytes < 128 and (axes is None or array.ndim == 1)
    if few and array.flags.c_contiguous:  # one after the other
        return numpy.multiply.reduce(array, None, out=..., keepdims=keepdims)
    if axes is None and array.size > GRAIN and sums.threads > 1 and array.flags.c_contiguous:
        return _prod_of_threads(array, keepdims)
    rows, shape = axes_last(array, axes)
    size = rows.shape[-1]
    if size == 0:
        return shaped(numpy.ones(shape, dtype), shape, axes, array.ndim, keepdims)
    rows = rows.reshape(-1, size)
    lanes = 4 * (32 // array.itemsize)
    inner = axes is None or array.strides[axes[0]] == array.itemsize
    if inner and size >= lanes:
        result = _prod_by_lanes(rows, lanes)
    elif dtype.kind == "c" and not inner and len(rows) >= lanes:
        whole = len(rows) // lanes * lanes
        result = numpy.concatenate((_in_turn(rows[:whole].T), _in_turn_fused(rows[whole:].T)))
    else:
        result = _in_turn_fused(rows.T) if dtype.kind == "c" else _in_turn(rows.T)
    return shaped(numpy.ascontiguousarray(result), shape, axes, array.ndim, keepdims)


def _prod_of_threads(array: Array, keepdims: bool) -> Array:
    """The product of everything, of which each of PyTorch's threads takes a range."""
    flat = array.reshape(-1)
    workers = min(sums.threads, -(-flat.size // GRAIN))
    chunk = -(-flat.size // workers)
    products = numpy.ones(-(-flat.size // chunk), array.dtype)
    lanes = 4 * (32 // array.itemsize)

    def work(start: int, stop: int) -> None:
        products[start // chunk] = _prod_by_lanes(flat[None, start:stop], lanes)[0]

    each(work, flat.size, chunk)
    result = _in_turn(products[:, None])
    return result.reshape((1,) * array.ndim if keepdims else ())


def _in_turn(factors: Array) -> Array:
    """The products over the first axis, one factor after the other."""
    if factors.dtype.kind == "c":  # `reduce` rounds these otherwise
        last: Array = numpy.multiply.accumulate(factors, axis=0)[-1]
        return last
    return _down(numpy.multiply, factors)


def _middle(parts: Array) -> Array:
    """The products over axis 1 of (rows, vectors, lanes), one vector after the other."""
    if parts.dtype.kind == "c":
        last: Array = numpy.multiply.accumulate(parts, axis=1)[:, -1]
        return last
    return fold(numpy.multiply, parts[:, None])[:, 0]


def _in_turn_fused(factors: Array) -> Array:
    """`_in_turn` for complex numbers, where the compiler fused multiply and add."""
    total = factors[0]
    for factor in factors[1:]:
        total = fused_product(total, factor)
    return total


def fused_product(x: Array, y: Array) -> Array:
    """x * y for complex numbers, with one rounding less in each part."""
    kind = float32 if x.dtype == numpy.complex64 else float64
    result = numpy.empty_like(x)
    result.real = fma(x.real, y.real, -(x.imag * y.imag), kind)
    result.imag = fma(x.real, y.imag, x.imag * y.real, kind)
    return result


def _prod_by_lanes(rows: Array, lanes: int) -> Array:
    """Rows of at least `lanes` elements: so many running products, then those, then what is left."""
    count, size = rows.shape
    whole = size // lanes * lanes
    parts = rows[:, :whole].reshape(count, whole // lanes, lanes)
    products = _middle(parts).reshape(count, 4, lanes // 4)
    vector = (products[:, 0] * products[:, 1]) * (products[:, 2] * products[:, 3])
    left_over = numpy.concatenate((vector, rows[:, whole:]), axis=1).T
    return _in_turn_fused(left_over) if rows.dtype.kind == "c" else _in_turn(left_over)


# ------------------------------------------------------------------------------------- norms


def vector_norm(array: Array, p: float, axes: Axes, keepdims: bool) -> Array:
    """(sum of |x| ** p) ** (1 / p) over the axes; p may be 0 and infinite; real for complex numbers."""
    if p == 2 and array.dtype.kind == "f" and _side_by_side(array, axes):
        rows, shape = axes_last(array, axes)
        root = _root_of_squares(rows.reshape(math.prod(shape), rows.shape[-1]))
        return shaped(root, shape, axes, array.ndim, keepdims)
    magnitudes = numpy.abs(array)
    rows, shape = axes_last(magnitudes, axes)
    if p == numpy.inf or p == -numpy.inf:
        result = numpy.maximum.reduce(rows, axis=-1) if p > 0 else numpy.minimum.reduce(rows, axis=-1)
    else:
        result = _power_norm(rows, p)
    return shaped(result.astype(magnitudes.dtype), shape, axes, array.ndim, keepdims)


def _side_by_side(array: Array, axes: Axes) -> bool:
    """Whether the elements that are reduced together lie side by side."""
    if axes is None and array.flags.c_contiguous:
        return bool(array.size > 1)
    step = array.itemsize
    for axis in sorted(range(array.ndim) if axes is None else axes, key=lambda a: array.strides[a]):
        if array.shape[axis] != 1:
            if array.strides[axis] != step:
                return False
            step *= array.shape[axis]
    return bool(step > array.itemsize)


def _root_of_squares(rows: Array) -> Array:
    """The 2-norm as PyTorch makes it of a contiguous row: in lanes, then what is left over.

    Of that, the compiler made groups of four products; where none is full it fuses multiply and add.
    """
    count, size = rows.shape
    if size < 4 and rows.dtype == float32:
        return numpy.sqrt(_fused_squares(rows))
    lanes = 32 // rows.itemsize
    whole = size // lanes * lanes
    total = numpy.zeros(count, rows.dtype)
    if whole:
        sums = _squares_by_lanes(rows[:, :whole].reshape(count, -1, lanes))
        total = numpy.add.accumulate(sums, axis=1)[:, -1]
    grouped = whole + (size - whole) // 4 * 4
    for column in range(whole, grouped):
        total = total + rows[:, column] * rows[:, column]
    for column in range(grouped, size):
        total = fma(rows[:, column], rows[:, column], total, rows.dtype.type)
    return numpy.sqrt(total)


def _squares_by_lanes(table: Array) -> Array:
    """Sums of squares over axis 1 of (rows, vectors, lanes), one vector after the other.

    Blocks are copied so that the vectors of a step lie side by side, and squared there.
    """
    count, vectors, lanes = table.shape
    size = lanes * table.itemsize
    units = table.view(f"V{size}")[..., 0]
    sums = numpy.zeros((count, lanes), table.dtype)
    step = min(vectors, BUFFER // size)
    many = min(count, BUFFER // (step * size))
    buffer = numpy.empty((step + 1, many), units.dtype)
    numbers = buffer.view(table.dtype).reshape(step + 1, many * lanes)
    for row in range(0, count, many):
        total = sums[row : row + many].reshape(-1)
        for start in range(0, vectors, step):
            part = units[row : row + many, start : start + step].T
            buffer[1 : len(part) + 1, : part.shape[1]] = part
            squares = numbers[: len(part) + 1, : len(total)]
            numpy.multiply(squares[1:], squares[1:], out=squares[1:])
            squares[0] = total
            total[...] = fold(numpy.add, squares[None, None])[0, 0]
    return sums


def _fused_squares(rows: Array) -> Array:
    """Sums of squares of rows of up to three float32, as `fma` makes them one after the other."""
    squares = numpy.square(rows, dtype=float64).T
    total = squares[0].astype(float32)
    for square in squares[1:]:
        total = (square + total).astype(float32)
    return total


def _power_norm(rows: Array, p: float) -> Array:
    if p == 0:
        return (rows != 0).sum(-1).astype(rows.dtype)
    if p == 1:
        return _in_order(rows)
    if p == 2:
        return numpy.sqrt(_in_order(rows * rows))
    inverse = float(rows.dtype.type(1.0 / p))
    return _powers(_in_order(_powers(rows, float(rows.dtype.type(p)))), inverse)


def _powers(array: Array, p: float) -> Array:
    """Elements to the power p, each by the C library's function."""
    flat = numpy.array([_power(x, p) for x in array.reshape(-1).tolist()], float64)
    return flat.astype(array.dtype).reshape(array.shape)


def _power(x: float, p: float) -> float:
    try:
        return math.pow(x, p)
    except (ValueError, OverflowError):  # 0 to a negative power, or too large
        return math.inf


def _in_order(rows: Array) -> Array:
    """Sums along the last axis, one element after the other."""
    if rows.shape[-1] == 0:
        return numpy.zeros(rows.shape[:-1], rows.dtype)
    shape = rows.shape
    return _down(numpy.add, rows.reshape(-1, shape[-1]).T).reshape(shape[:-1])


def _down(ufunc: Any, table: Array) -> Array:
    """The reduction of (rows, columns) over the rows, one after the other."""
    rows, columns = table.shape
    if columns == 1 or rows == 1:
        last: Array = ufunc.accumulate(table, axis=0)[-1]
        return last
    if abs(table.strides[0]) > abs(table.strides[1]) > 0:  # else NumPy would take the other order
        return fold(ufunc, table[None, None])[0, 0]
    if table.size < LARGE or table.strides[0] != table.itemsize:
        return fold(ufunc, numpy.ascontiguousarray(table)[None, None])[0, 0]
    return fold(ufunc, table.T[:, None, :, None])[:, 0, 0]
