"""softmax and log_softmax, with their sums in PyTorch's order.

Along the last dimension PyTorch keeps one running sum for each lane of a vector of 64 bytes, and
adds what fills no vector to the first lanes; of 16 lanes (float32) it adds the upper half to the
lower one until one is left, 8 (float64) it adds in order; then it multiplies by the reciprocal of
the sum.  Along other dimensions it adds up in order, and divides.  (So does the kernel for
processors with AVX-512.)

Results differ in the last places for 5 % to 15 % of elements, as the exponentials do.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy
from numpy import add, float16, float32, float64, maximum, multiply, subtract

Array: TypeAlias = Any  # an ndarray


def softmax(x: Array, axis: int) -> Array:
    """exp(x - max) / its sum along the axis, for floats; float16 is rounded at the end only."""
    if x.dtype == float16:
        return softmax(x.astype(float32), axis).astype(float16)
    if x.ndim == 0 or x.size == 0:
        return numpy.ones_like(x)
    powers = _exp(subtract(x, maximum.reduce(x, axis=axis, keepdims=True)))
    total, last = _total(powers, axis)
    if last:
        return multiply(powers, numpy.divide(x.dtype.type(1), total))
    return numpy.divide(powers, total)


def log_softmax(x: Array, axis: int) -> Array:
    """x - max - log(sum(exp(x - max))) along the axis, for floats."""
    if x.dtype == float16:
        return log_softmax(x.astype(float32), axis).astype(float16)
    if x.ndim == 0 or x.size == 0:
        return subtract(x, x)
    shifted = subtract(x, maximum.reduce(x, axis=axis, keepdims=True))
    total, _ = _total(_exp(shifted), axis)
    if total.dtype == float32:
        return subtract(shifted, numpy.log(total.astype(float64)).astype(float32))
    return subtract(shifted, numpy.log(total))


def _exp(x: Array) -> Array:
    if x.dtype == float32:
        return numpy.exp(x.astype(float64)).astype(float32)
    return numpy.exp(x)


def _total(powers: Array, axis: int) -> tuple[Array, bool]:
    """The sums along the axis, kept as one element, and whether it is the last axis."""
    ndim, size = powers.ndim, powers.shape[axis]
    if axis % ndim != ndim - 1:
        if size < 8 or axis % ndim == 0:
            return add.reduce(numpy.ascontiguousarray(powers), axis=axis, keepdims=True), False
        return add.accumulate(powers, axis=axis).take([-1], axis=axis), False
    lanes = 64 // powers.itemsize
    if size < lanes:
        return add.accumulate(powers, axis=-1)[..., -1:], True
    whole = size // lanes * lanes
    table = powers[..., :whole].reshape(*powers.shape[:-1], whole // lanes, lanes)
    sums = add.reduce(table, axis=-2)
    if whole < size:
        sums[..., : size - whole] += powers[..., whole:]
    if lanes == 8:
        return add.accumulate(sums, axis=-1)[..., -1:], True
    while lanes > 1:
        lanes //= 2
        sums = sums[..., :lanes] + sums[..., lanes:]
    return sums, True
