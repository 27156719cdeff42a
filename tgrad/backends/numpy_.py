# ruff: noqa: F401  (the imported names are the point of the module)
"""The array library that operators are written in, with NumPy beneath: `xp` in `tgrad.ops`.

Names are NumPy's.  What PyTorch computes in another order, another precision or with another rule
for special cases is replaced here, so that a row can say `xp.exp(input)` and get PyTorch's numbers.

Exactness, against PyTorch 2.13 on a CPU with AVX2:

- arithmetic, comparisons, rounding, conversions, sums, means, arange, linspace: equal to the bit;
- exp, log, sin, tanh and their kin in float32 are computed in double and rounded once.  PyTorch's
  vector functions differ from that in the last place for 0.01 % (tanh), 0.1 % (log2, log10), 1 %
  (exp, log1p, expm1), 5 % (sin, cos), 8 % (log, the inverse functions) or 18 % (tan) of arguments;
  NumPy's own in 10 to 50 %.  float64 differs by one unit in 0.1 % (sin, cos, log) to 20 % (tanh);
- sqrt is rounded correctly here; PyTorch's is one unit off for one float32 in five;
- products of small float32 matrices: equal to the bit, see `tgrad.backends.products`;
- powers that aren't special cases: 2 % of float32 and 6 % of float64 are one unit off.

Kernels may return NumPy scalars for 0-dimensional arguments; the call path makes arrays of them.
"""

from __future__ import annotations

import math
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

import numpy
from numpy import (
    abs,
    absolute,
    add,
    all,
    amax,
    amin,
    any,
    argmax,
    argmin,
    argsort,
    argwhere,
    array,
    asarray,
    ascontiguousarray,
    atleast_1d,
    atleast_2d,
    bincount,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    bool_,
    broadcast_arrays,
    broadcast_shapes,
    broadcast_to,
    ceil,
    clip,
    complex64,
    complex128,
    concatenate,
    conj,
    conjugate,
    copysign,
    copyto,
    count_nonzero,
    cumprod,
    deg2rad,
    diag,
    diagonal,
    diff,
    divide,
    dtype,
    e,
    empty,
    empty_like,
    equal,
    errstate,
    expand_dims,
    eye,
    flatnonzero,
    flip,
    float16,
    float32,
    float64,
    floor,
    fmax,
    fmin,
    frexp,
    full,
    full_like,
    gcd,
    greater,
    greater_equal,
    heaviside,
    hypot,
    identity,
    iinfo,
    imag,
    inf,
    int8,
    int16,
    int32,
    int64,
    invert,
    isfinite,
    isinf,
    isnan,
    isneginf,
    isposinf,
    kron,
    lcm,
    ldexp,
    left_shift,
    less,
    less_equal,
    lexsort,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    meshgrid,
    minimum,
    moveaxis,
    multiply,
    nan,
    nan_to_num,
    ndarray,
    negative,
    nextafter,
    nonzero,
    not_equal,
    ones,
    ones_like,
    outer,
    pad,
    partition,
    pi,
    positive,
    put_along_axis,
    rad2deg,
    ravel,
    real,
    reciprocal,
    remainder,
    repeat,
    reshape,
    right_shift,
    rint,
    roll,
    rot90,
    searchsorted,
    sign,
    signbit,
    sort,
    spacing,
    split,
    square,
    squeeze,
    stack,
    subtract,
    swapaxes,
    take,
    take_along_axis,
    tensordot,
    tile,
    trace,
    transpose,
    tri,
    tril,
    triu,
    true_divide,
    trunc,
    uint8,
    uint16,
    uint32,
    uint64,
    unique,
    unravel_index,
    zeros,
    zeros_like,
)

from tgrad import backends
from tgrad.backends import circles, fused
from tgrad.backends.choice import where
from tgrad.backends.constants import ONE, ZERO, kept
from tgrad.backends.large import change_in_blocks, derivatives, in_blocks, large_sum, over
from tgrad.backends.narrow import finfo, is_narrow
from tgrad.backends.products import dot, matmul, scaled_product
from tgrad.backends.ranges import arange, linspace, logspace
from tgrad.backends.remainders import floor_divide, fmod
from tgrad.backends.sums import mean, nansum, sum

Array = ndarray[Any, Any]


_LATER: Final = {
    "digamma": "gamma",
    "erf": "special",
    "erfc": "special",
    "erfinv": "special",
    "lgamma": "gamma",
    "log_softmax": "softmax",
    "log_softmax_back": "softmax",
    "softmax": "softmax",
    "softmax_back": "softmax",
}
"""Functions whose modules are loaded when they are first used."""


_FAMILIES: Final = frozenset(("factors", "linear"))
"""Modules of kernels that rows reach through this one, `xp.linear.solve`; loaded when they are first used."""


def __getattr__(name: str) -> Any:
    if name in _FAMILIES:
        found = import_module(f"tgrad.backends.{name}")
    elif name in _LATER:
        found = getattr(import_module(f"tgrad.backends.{_LATER[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def writes_over(name: str) -> bool:
    """Whether the function of this name writes into an array given as `out`, in the array's dtype."""
    return type(globals().get(name)) is numpy.ufunc


if backends.silent:
    numpy.seterr(all="ignore")


# ------------------------------------------------------------------- functions of one element


_SINGLE: Final = dtype(float32)
_DOUBLE: Final = dtype(float64)


def _in_double(ufunc: Any, wide: Any = None) -> Any:
    """The function for floats, computing float32 in double precision and rounding once.

    `wide(x)`, which may write over x, is the function in double precision for arrays of float32 that
    aren't small.
    """

    def function(x: Any) -> Any:
        kind = x.dtype
        if kind == _SINGLE:
            if wide is None or x.size < circles.MANY:
                return ufunc(x.astype(_DOUBLE)).astype(_SINGLE)
            return wide(x.astype(_DOUBLE)).astype(_SINGLE)
        if is_narrow(kind):
            return ufunc(x.astype(_SINGLE)).astype(kind)
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
    if x.ndim and x.dtype == _SINGLE:  # the same with fewer arrays
        wide = negative(x).astype(_DOUBLE)
        powers = numpy.exp(wide, wide).astype(_SINGLE)
        return divide(one, add(one, powers, powers), powers)
    return divide(one, add(one, exp(negative(x))))


def relu_back(g: Any, result: Any) -> Any:
    """The gradient where a result isn't 0 or below."""
    return where(less_equal(result, ZERO[result.dtype]), 0, g)


def one_minus_square(x: Any) -> Any:
    """1 - x * x for floats, rounded once."""
    kind = x.dtype
    if kind == _SINGLE:
        wide = x.astype(_DOUBLE)
        return subtract(ONE[_DOUBLE], multiply(wide, wide)).astype(_SINGLE)
    return fma(negative(x), x, ONE[kind])


def at_least(x: Any, bound: Any) -> Any:
    """The larger of two; of -0.0 and 0.0 the array's, as in PyTorch: NumPy takes its second argument.

    NumPy has vectors for the maximum of two arrays, not for that of a number and an array.
    """
    return maximum(bound if type(bound) is ndarray else _as_bound(x, bound), x)


def _as_bound(x: Any, bound: Any) -> Any:
    """A number as NumPy is quickest with it."""
    if x.dtype.kind != "f":
        return bound
    if x.size < _MANY or not x.flags.c_contiguous:
        return ZERO[x.dtype] if type(bound) is int and not bound else kept(bound, x.dtype)
    if x.size > _FILLED:
        return numpy.full(x.shape, bound, x.dtype)
    return _filled(x.dtype, x.dtype.type(bound).tobytes())[: x.size].reshape(x.shape)


@lru_cache(8)
def _filled(kind: Any, number: bytes) -> Array:
    """A number, which is given by its bits, again and again."""
    filled = numpy.empty(_FILLED, kind)
    filled[...] = numpy.frombuffer(number, kind)[0]
    filled.flags.writeable = False
    return filled


def at_most(x: Any, bound: Any) -> Any:
    """The smaller of two, as `at_least`."""
    return minimum(bound if type(bound) is ndarray else _as_bound(x, bound), x)


def between(x: Any, low: Any, high: Any) -> Any:
    """The array between two numbers of its dtype; of zeros of unlike signs the bound's."""
    if x.size < _MANY or x.dtype.kind != "f":
        return minimum(maximum(x, low), high)
    found = maximum(x, _as_bound(x, low))
    return minimum(found, _as_bound(x, high), out=found)


def _at_least_into(x: Any, bound: Any, out: Any) -> None:
    maximum(bound if type(bound) is ndarray else _as_bound(x, bound), x, out=out)


def _at_most_into(x: Any, bound: Any, out: Any) -> None:
    minimum(bound if type(bound) is ndarray else _as_bound(x, bound), x, out=out)


at_least.into = _at_least_into  # type: ignore[attr-defined]  # the same into an array that is there
at_most.into = _at_most_into  # type: ignore[attr-defined]

_MANY: Final = 1024
_FILLED: Final = 1 << 16


def fma(a: Any, b: Any, c: Any) -> Any:
    """a * b + c in the dtype of b, an array: float32 and float64 are rounded once, others twice.

    PyTorch's kernels fuse where a product is added: `add` and `sub` with alpha are
    fma(alpha, other, input), `addcmul` fma(value * tensor1, tensor2, input), `lerp`
    fma(weight, end - input, input); the derivative of tanh is g * fma(-out, out, 1).
    """
    kind = b.dtype
    if kind in (float32, float64):
        return fused.fma(a, b, c, kind)
    return add(multiply(a, b), c)


def round(x: Any) -> Any:
    """To the nearest whole number, halves to the even one."""
    return rint(x)


# --------------------------------------------------------------------------------------- powers


def power(base: Any, exponent: Any) -> Any:
    """base ** exponent for arrays of one dtype, or an array and a Python number.

    A Python number 2, 3, 1/2, -1/2, -1 or -2 is a product, a root or their reciprocal, as in
    PyTorch.  Complex powers are exp(y log x), of 0 too.  Integers wrap around; to a negative power an
    integer is 0, or 1 or -1 for these.
    """
    if type(exponent) is not ndarray and not isinstance(exponent, numpy.generic):
        special = _SPECIAL_POWERS.get(exponent)
        kind = base.dtype.kind
        if special is not None and (kind in "fc" or exponent >= 0):
            return special(base)
        exponent = base.dtype.type(exponent)
    if base.dtype == _SINGLE:
        return numpy.power(base.astype(_DOUBLE), exponent.astype(_DOUBLE)).astype(_SINGLE)
    if base.dtype.kind in "iu":
        return _integer_power(base, asarray(exponent))
    if base.dtype.kind == "c":
        return numpy.exp(exponent * numpy.log(base))
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


def _integer_power(base: Array, exponent: Array) -> Any:
    if exponent.dtype.kind == "u" or not (exponent < 0).any():
        return numpy.power(base, exponent)
    powers = numpy.power(base, maximum(exponent, 0))
    sign_of_odd = where(bitwise_and(exponent, 1) == 1, base, 1)
    units = where(base == 1, 1, where(base == -1, sign_of_odd, 0))
    return where(exponent < 0, units, powers).astype(powers.dtype)


# ---------------------------------------------------------------- division of whole numbers, casts


def cast(x: Array, to: Any) -> Array:
    """The array in another dtype, always a copy, with PyTorch's (the machine's) conversions.

    A float outside the range of an integer dtype gives what the CPU gives, no error or warning.
    """
    if x.dtype.kind == "c" and numpy.dtype(to).kind not in "cb":
        x = x.real
    if backends.silent or x.dtype.kind not in "fcV":
        return _converted(x, to)
    with errstate(all="ignore"):
        return _converted(x, to)


def _converted(x: Array, to: Any) -> Array:
    if x.dtype == _DOUBLE and to == float16:  # by way of float32, as PyTorch rounds it
        x = x.astype(_SINGLE)
    return x.astype(to)
