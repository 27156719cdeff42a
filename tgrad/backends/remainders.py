"""Remainders and quotients rounded down, of many floating point numbers.

NumPy takes them one by one.  Here they come from a division, a product and a difference of whole blocks,
which are exact where quotients are small, as they usually are; other blocks are left to NumPy.

Note [Remainders]
    For float32 everything is done in double.  Two quotients of 24-bit numbers that are below 2**24, one of
    them whole, differ by more than the division's rounding, so the quotient's whole part q is right, and
    q * b and a - q * b are exact.  In float64 q may be too large by one where the quotient was rounded
    up to it, and q * b has an error, which is computed by halves of b (T. Dekker, Numer. Math. 18, 1971):
    a - q * b less that error is exact, since its result is a number of 53 bits.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy
from numpy import float32, float64, ndarray

from tgrad.backends.choice import where
from tgrad.backends.fused import halves

Array: TypeAlias = Any  # an ndarray, or a number

MANY: Final = 1024
"""From so many elements on several operations are quicker than a loop."""
_BITS: Final[dict[Any, Any]] = {
    numpy.dtype(float32): (numpy.dtype(numpy.int32), numpy.int32(-(1 << 31))),
    numpy.dtype(float64): (numpy.dtype(numpy.int64), numpy.int64(-(1 << 63))),
}
"""Integers of the same size, and the one that has the sign's bit alone."""


def fmod(a: Array, b: Array) -> Array:
    """`numpy.fmod`."""
    arrays = _many(a, b)
    found = None if arrays is None else _remainder(*arrays)
    return numpy.fmod(a, b) if found is None else found


def floor_divide(a: Array, b: Array) -> Array:
    """`numpy.floor_divide`, in its steps."""
    arrays = _many(a, b)
    rest = None if arrays is None else _remainder(*arrays)
    if arrays is None or rest is None:
        return numpy.floor_divide(a, b)
    a, b = arrays
    quotient = numpy.subtract(a, rest)
    numpy.divide(quotient, b, out=quotient)
    unlike = numpy.less(b, 0) != numpy.less(rest, 0)
    unlike &= rest != 0
    numpy.subtract(quotient, unlike, out=quotient)
    down = numpy.floor(quotient)
    numpy.add(down, numpy.subtract(quotient, down) > 0.5, out=down)
    nothing = quotient == 0
    if nothing.any():
        kind, sign = _BITS[a.dtype]
        signed = ((a.view(kind) ^ b.view(kind)) & sign).view(a.dtype)
        down = where(nothing, signed, down)
    return down


def _many(a: Array, b: Array) -> tuple[Array, Array] | None:
    """Both as arrays of one floating dtype, of many elements; None if they aren't."""
    first = a if type(a) is ndarray and (type(b) is not ndarray or a.size >= b.size) else b
    if type(first) is not ndarray or first.size < MANY or first.dtype not in _BITS:
        return None
    kind = first.dtype
    for value in (a, b):
        if isinstance(value, ndarray | numpy.generic) and value.dtype != kind:
            return None
    return numpy.asarray(a, kind), numpy.asarray(b, kind)


def _remainder(a: Array, b: Array) -> Array | None:
    """What is left of a, with its sign; None if that can't be told: Note [Remainders]."""
    rest = _in_double(a, b) if a.dtype == float32 else _in_halves(a, b)
    if rest is None or not rest.max() < numpy.inf:
        return None
    kind, sign = _BITS[rest.dtype]
    bits = rest.view(kind)
    numpy.bitwise_or(bits, numpy.bitwise_and(a.view(kind), sign), out=bits)  # -0 of what is negative
    return rest


def _whole(a: Array, b: Array, limit: float) -> Array | None:
    """The quotient without its fraction; None if one isn't below the limit."""
    quotient = numpy.divide(a, b)
    numpy.trunc(quotient, out=quotient)
    return quotient if quotient.max() < limit and quotient.min() > -limit else None


def _in_double(a: Array, b: Array) -> Array | None:
    x, y = a.astype(float64), b.astype(float64)
    quotient = _whole(x, y, 2.0**24)
    if quotient is None:
        return None
    numpy.multiply(quotient, y, out=quotient)
    return numpy.subtract(x, quotient, out=quotient).astype(float32)


def _in_halves(a: Array, b: Array) -> Array | None:
    quotient = _whole(a, b, 2.0**26)
    if quotient is None:
        return None
    product = numpy.multiply(quotient, b)
    high, low = halves(b)
    error = numpy.multiply(quotient, high)
    numpy.subtract(error, product, out=error)
    numpy.add(error, numpy.multiply(quotient, low, out=quotient), out=error)
    rest = numpy.subtract(a, product, out=product)
    numpy.subtract(rest, error, out=rest)
    unlike = numpy.less(rest, 0) != numpy.less(a, 0)
    unlike &= rest != 0
    if unlike.any():
        return where(unlike, rest + numpy.copysign(b, a), rest)
    return rest
