"""Sine and cosine of many float32 numbers, in double precision.

NumPy's tangent of doubles is computed with vectors where the processor has them (AVX-512), its sine and
cosine one by one; from the tangent of half the angle both follow with a division:

    sin x = 2 t / (1 + t t)        cos x = (1 - t t) / (1 + t t)        t = tan(x / 2)

(M. Abramowitz, I. Stegun, Handbook of Mathematical Functions, 4.3.24 and 4.3.25.)  What is lost is a few
of the 29 digits that are rounded away afterwards: of 10**8 random numbers up to 10**4 in float32 none
had another sine or cosine than with `numpy.sin` and `numpy.cos` in double precision, or in extended
precision.  Near the zeros of the cosine the error grows to 10**-8 of the result, less than a quarter of
what float32 can show.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, TypeAlias

import numpy
from numpy import add, divide, multiply, subtract

from tgrad.backends.constants import ONE

Array: TypeAlias = Any  # an ndarray of float64

MANY: Final = 200
"""From so many elements on several operations are quicker than a function that takes them one by one."""

_HALF: Final = numpy.array(0.5)
_ONE: Final = ONE[numpy.dtype(numpy.float64)]


@cache
def _quick_tangent() -> bool:
    """Whether NumPy has a tangent for this processor's vectors; known from NumPy 2.1 on."""
    try:
        from numpy.lib.introspect import opt_func_info

        kinds: Any = opt_func_info(func_name="^tan$", signature="float64")
        used = kinds["tan"]["dd"]["current"]
    except (ImportError, KeyError, RuntimeError):
        return False
    return not used.startswith("baseline")


def sine(x: Array) -> Array:
    """The sine, written over x."""
    if not _quick_tangent():
        return numpy.sin(x, out=x)
    multiply(x, _HALF, x)
    numpy.tan(x, x)
    square = multiply(x, x)
    add(square, _ONE, square)
    add(x, x, x)
    return divide(x, square, x)


def cosine(x: Array) -> Array:
    """The cosine, written over x."""
    if not _quick_tangent():
        return numpy.cos(x, out=x)
    multiply(x, _HALF, x)
    numpy.tan(x, x)
    square = multiply(x, x, x)
    above = subtract(_ONE, square)
    add(square, _ONE, square)
    return divide(above, square, square)
