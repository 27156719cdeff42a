"""Functions of one element that compute float32 in double precision and round once."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy
from numpy import abs, add, divide, float32, float64, isinf, isnan, maximum, negative, subtract

from tgrad.backends import circles, fused
from tgrad.backends.choice import where
from tgrad.backends.constants import ONE
from tgrad.backends.narrow import is_narrow

SINGLE: Final = numpy.dtype(numpy.float32)
DOUBLE: Final = numpy.dtype(numpy.float64)


def _in_double(ufunc: Any, wide: Any = None) -> Any:
    """The function for floats, computing float32 in double precision and rounding once.

    `wide(x)`, which may write over x, is the function in double precision for arrays of float32 that
    aren't small.
    """

    def function(x: Any) -> Any:
        kind = x.dtype
        if kind == SINGLE:
            if wide is None or x.size < circles.MANY:
                return ufunc(x.astype(DOUBLE)).astype(SINGLE)
            return wide(x.astype(DOUBLE)).astype(SINGLE)
        if is_narrow(kind):
            return ufunc(x.astype(SINGLE)).astype(kind)
        return ufunc(x)

    def into(x: Any, out: Any) -> None:
        if x.dtype == float32:
            doubled = x.astype(float64)
            out[...] = wide(doubled) if wide is not None else ufunc(doubled, out=doubled)
        else:
            ufunc(x, out=out)

    function.__name__ = function.__qualname__ = ufunc.__name__
    function.__doc__ = f"`numpy.{ufunc.__name__}`; float32 is computed in double and rounded once."
    function.into = into  # type: ignore[attr-defined]  # the same into an array that is there
    return function


exp = _in_double(numpy.exp)
exp2 = _in_double(numpy.exp2)
expm1 = _in_double(numpy.expm1)
log = _in_double(numpy.log)
log2 = _in_double(numpy.log2)
log10 = _in_double(numpy.log10)
log1p = _in_double(numpy.log1p)
sin = _in_double(numpy.sin, circles.sine)
cos = _in_double(numpy.cos, circles.cosine)
tan = _in_double(numpy.tan)
arcsin = asin = _in_double(numpy.arcsin)
arccos = acos = _in_double(numpy.arccos)
arctan = atan = _in_double(numpy.arctan)
sinh = _in_double(numpy.sinh)
cosh = _in_double(numpy.cosh)
tanh = _in_double(numpy.tanh)
arcsinh = asinh = _in_double(numpy.arcsinh)
arccosh = acosh = _in_double(numpy.arccosh)
arctanh = atanh = _in_double(numpy.arctanh)
sqrt = numpy.sqrt


def arctan2(y: Any, x: Any) -> Any:
    """The angle of the point (x, y); float32 is computed in double and rounded once."""
    if y.dtype == float32:
        return numpy.arctan2(y.astype(float64), x.astype(float64)).astype(float32)
    return numpy.arctan2(y, x)


atan2 = arctan2


def logaddexp(a: Any, b: Any) -> Any:
    """log(exp(a) + exp(b)) as PyTorch has it, rounded after each step: the larger and log(1 + exp(-gap))."""
    if numpy.result_type(a, b).kind != "f":
        return numpy.logaddexp(a, b)
    return _of_infinities(a, b, add(maximum(a, b), log1p(exp(negative(abs(subtract(a, b)))))))


def logaddexp2(a: Any, b: Any) -> Any:
    """log2(2**a + 2**b), in the same way; the factor and the sum are one operation."""
    if numpy.result_type(a, b).kind != "f":
        return numpy.logaddexp2(a, b)
    more = log1p(exp2(negative(abs(subtract(a, b)))))
    factor = more.dtype.type(1 / math.log(2))
    return _of_infinities(a, b, fused.fma(more, factor, maximum(a, b), more.dtype))


def _of_infinities(a: Any, b: Any, result: Any) -> Any:
    """The result, or equal infinities themselves, which have no gap."""
    if isnan(result).any():
        return where(isinf(a) & (a == b), a, result)
    return result


def rsqrt(x: Any) -> Any:
    """1 / sqrt(x), rounded after each step."""
    return divide(ONE[x.dtype], numpy.sqrt(x))


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), rounded after each step."""
    one = ONE[x.dtype]
    if x.ndim and x.dtype == SINGLE:  # the same with fewer arrays
        wide = negative(x).astype(DOUBLE)
        powers = numpy.exp(wide, wide).astype(SINGLE)
        return divide(one, add(one, powers, powers), powers)
    return divide(one, add(one, exp(negative(x))))
