"""softmax, log_softmax and their derivatives.

Along the last dimension PyTorch keeps one running sum for each lane of a vector of 64 bytes, and
adds what fills no vector to the first lanes; of 16 lanes (float32) it adds the upper half to the
lower one until one is left, 8 (float64) it adds in order; then it multiplies by the reciprocal of
the sum.  Along other dimensions it adds up in order, and divides.  (So does the kernel for
processors with AVX-512.)  Results differ in the last places for 5 % to 15 % of elements, as the
exponentials do.

Note [Many rows]
    PyTorch's exponentials along the last dimension of float32 are off by a few units in the last
    place, so that more than half of the results differ whatever is done here.  From `_MANY`
    elements on rows are therefore computed with NumPy's own exponentials of float32 and BLAS's
    sums, whose results are as often the same, in blocks that stay in the cache, over threads.

Note [Few elements]
    What belongs to a single row has no dimension here: NumPy takes three times as long for an array of
    one element beside a vector.  Many rows of few elements are turned to columns first: NumPy's loops
    then run along these, and add them in order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy
from numpy import add, float32, float64, maximum, multiply, subtract

from tgrad.backends.in_double import exp, log
from tgrad.backends.narrow import is_narrow, wide
from tgrad.backends.rows import over_rows, row_starts, row_sums

Array: TypeAlias = Any  # an ndarray

_MANY: Final = 1 << 13
_TALL: Final = 32
"""So many rows are sooner turned to columns than gone through one by one."""


def is_long(x: Array, axis: int) -> bool:
    """Whether an array is worked on by blocks of rows: Note [Many rows]."""
    return x.size >= _MANY and axis in (-1, x.ndim - 1) and x.dtype in (float32, float64)


def _by_rows(function: Callable[..., Any], *arrays: Array) -> Array:
    """An array like the last of these that the function makes, given blocks of rows of all and of it."""
    given = [numpy.ascontiguousarray(array) for array in arrays]
    result = numpy.empty_like(given[-1])
    over_rows(function, *(array.reshape(-1, array.shape[-1]) for array in (*given, result)))
    return result


def softmax(x: Array, axis: int, safe: bool = False) -> Array:
    """exp(x - max) / its sum along the axis, for floats; `safe` makes 0 of rows that are all -inf."""
    if x.ndim == 0 or x.size == 0:
        return numpy.exp(subtract(x, x))
    x = numpy.ascontiguousarray(x)
    if is_long(x, axis):
        return _by_rows(_softmax_rows_safe if safe else _softmax_rows, x)
    shape, last = x.shape, axis in (-1, x.ndim - 1)
    turned = x.size >= _TALL and last and _is_tall(x)
    if turned:
        x, axis = _columns(x), 0
    largest = _largest(x, axis)
    powers = exp(subtract(x, largest))
    total = _total(powers, axis)
    if last:
        powers *= x.dtype.type(1) / total
    else:
        powers /= total
    if safe:
        _without_hidden(powers, largest)
    return _rows(powers, shape) if turned else powers


def _is_tall(x: Array) -> bool:
    """Whether there are many rows of few elements: Note [Few elements]."""
    size = x.shape[-1]
    return bool(x.size >= _TALL * size and size * x.itemsize < 64)


def _columns(x: Array) -> Array:
    return x.reshape(-1, x.shape[-1]).T.copy()


def _rows(columns: Array, shape: tuple[int, ...]) -> Array:
    return columns.T.copy().reshape(shape)


def _largest(x: Array, axis: int) -> Array:
    """The largest elements along the axis, kept as one element unless there are no others."""
    return x[x.argmax()] if x.ndim == 1 else maximum.reduce(x, axis=axis, keepdims=True)


def _largest_of_rows(x: Array) -> Array:
    """The same for the rows of a block: by their places, which NumPy finds in a third of the time."""
    return x.take(x.argmax(axis=1) + row_starts((len(x),), x.shape[1]))[:, None]


def _softmax_rows(x: Array, result: Array) -> Array:
    largest = _largest_of_rows(x)
    numpy.exp(subtract(x, largest, out=result), out=result)
    result *= numpy.divide(x.dtype.type(1), row_sums(result))
    return largest


def _softmax_rows_safe(x: Array, result: Array) -> None:
    _without_hidden(result, _softmax_rows(x, result))


def _without_hidden(result: Array, largest: Array) -> Array:
    hidden = largest == -math.inf
    if hidden.any():
        numpy.copyto(result, 0, where=hidden)
    return result


def log_softmax(x: Array, axis: int) -> Array:
    """x - max - log(sum(exp(x - max))) along the axis, for floats."""
    if x.ndim == 0 or x.size == 0:
        return subtract(x, x)
    own = x.dtype
    x = numpy.ascontiguousarray(wide(x))
    if is_long(x, axis) and x.dtype == own:
        return _by_rows(_log_softmax_rows, x)
    shape, last = x.shape, axis in (-1, x.ndim - 1)
    turned = x.size >= _TALL and last and _is_tall(x)
    if turned:
        x, axis = _columns(x), 0
    shifted = subtract(x, _largest(x, axis))
    total = _total(exp(shifted), axis)
    rounds = last and is_narrow(own)  # PyTorch rounds the sum to 16 bits, and its logarithm
    logs = wide(log(wide(total.astype(own))).astype(own)) if rounds else log(total)
    subtract(shifted, logs, out=shifted)
    result = _rows(shifted, shape) if turned else shifted
    return result if x.dtype == own else result.astype(own)


def _log_softmax_rows(x: Array, result: Array) -> None:
    subtract(x, _largest_of_rows(x), out=result)
    result -= log(row_sums(numpy.exp(result)))


def softmax_back(g: Array, p: Array, axis: int) -> Array:
    """The derivative of softmax: p * (g - sum(g * p))."""
    if is_long(p, axis) and g.dtype == p.dtype:
        return _by_rows(_softmax_back_rows, g, p)
    return (g - (_total(g * p, axis) if p.ndim else g * p)) * p


def _softmax_back_rows(g: Array, p: Array, result: Array) -> None:
    subtract(g, numpy.vecdot(g, p)[:, None], out=result)
    result *= p


def log_softmax_back(g: Array, logs: Array, axis: int) -> Array:
    """The derivative of log_softmax: g - p * sum(g)."""
    if is_long(logs, axis) and g.dtype == logs.dtype:
        return _by_rows(_log_softmax_back_rows, g, logs)
    return g - exp(logs) * (_total(g, axis) if logs.ndim else g)


def _log_softmax_back_rows(g: Array, logs: Array, result: Array) -> None:
    numpy.exp(logs, out=result)
    subtract(g, multiply(result, row_sums(g), out=result), out=result)


def _total(powers: Array, axis: int) -> Array:
    """The sums along the axis, kept as one element unless it is the only axis."""
    ndim, size = powers.ndim, powers.shape[axis]
    if ndim == 1 and 0 < size < 64 // powers.itemsize:
        return add.accumulate(powers)[-1]
    if powers.size == 0:
        return add.reduce(powers, axis=axis, keepdims=True)
    if axis % ndim != ndim - 1:
        if size < 8 or axis % ndim == 0:
            return add.reduce(numpy.ascontiguousarray(powers), axis=axis, keepdims=True)
        return add.accumulate(powers, axis=axis).take([-1], axis=axis)
    lanes = 64 // powers.itemsize
    if size < lanes and powers.size >= _TALL * size:
        return add.reduce(_columns(powers), 0).reshape(*powers.shape[:-1], 1)
    if size < lanes:
        return add.accumulate(powers, axis=-1)[..., -1:]
    whole = size // lanes * lanes
    table = powers[..., :whole].reshape(*powers.shape[:-1], whole // lanes, lanes)
    sums = add.reduce(table, axis=-2)
    if whole < size:
        sums[..., : size - whole] += powers[..., whole:]
    if lanes == 8:
        return add.accumulate(sums, axis=-1)[..., -1:]
    while lanes > 1:
        lanes //= 2
        sums = sums[..., :lanes] + sums[..., lanes:]
    return sums
