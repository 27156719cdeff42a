"""Powers, with PyTorch's special cases."""

from __future__ import annotations

from typing import Any, Final

import numpy
from numpy import bitwise_and, divide, maximum, multiply, ndarray

from tgrad.backends.choice import where
from tgrad.backends.in_double import DOUBLE, SINGLE


def power(base: Any, exponent: Any) -> Any:
    """base ** exponent for arrays of one dtype, or an array and a Python number.

    A Python number 2, 3, 1/2, -1/2, -1 or -2 is a product, a root or their reciprocal, as in
    PyTorch.  Complex powers are exp(y log x), of 0 too.  Integers wrap around; to a negative power an
    integer is 0, or 1 or -1 for these.
    """
    cls = type(exponent)
    if cls is int or cls is float or not (cls is ndarray or isinstance(exponent, numpy.generic)):
        special = _SPECIAL_POWERS.get(exponent)
        if special is not None and (exponent >= 0 or base.dtype.kind in "fc"):
            return special(base)
        exponent = base.dtype.type(exponent)
    if base.dtype.kind in "iu":
        return integer_power(base, numpy.asarray(exponent))
    if base.dtype.kind == "c":
        return numpy.exp(exponent * numpy.log(base))
    return floating_power(base, exponent)


def floating_power(base: Any, exponent: Any) -> Any:
    """base ** exponent of real floating numbers; float32 is computed in double and rounded once."""
    if base.dtype == SINGLE:
        return numpy.power(base.astype(DOUBLE), exponent.astype(DOUBLE)).astype(SINGLE)
    return numpy.power(base, exponent)


_SPECIAL_POWERS: Final[dict[float, Any]] = {
    0: numpy.ones_like,
    1: numpy.copy,
    2: lambda x: multiply(x, x),
    3: lambda x: multiply(multiply(x, x), x),
    0.5: numpy.sqrt,
    -0.5: lambda x: divide(x.dtype.type(1), numpy.sqrt(x)),
    -1: lambda x: divide(x.dtype.type(1), x),
    -2: lambda x: divide(x.dtype.type(1), multiply(x, x)),
}


def integer_power(base: Any, exponent: Any) -> Any:
    """base ** exponent of integers; to a negative power 0, or 1 or -1 for these."""
    if exponent.dtype.kind == "u" or not (exponent < 0).any():
        return numpy.power(base, exponent)
    powers = numpy.power(base, maximum(exponent, 0))
    sign_of_odd = where(bitwise_and(exponent, 1) == 1, base, 1)
    units = where(base == 1, 1, where(base == -1, sign_of_odd, 0))
    return where(exponent < 0, units, powers).astype(powers.dtype)
