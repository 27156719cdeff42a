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

from typing import Any, Final, TypeAlias

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
    may_share_memory,
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
from tgrad.backends import fused
from tgrad.backends.bounds import at_least, at_most, between
from tgrad.backends.choice import where, where_any
from tgrad.backends.constants import ONE, ZERO, kept
from tgrad.backends.in_double import (
    DOUBLE,
    SINGLE,
    acos,
    acosh,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    exp,
    exp2,
    expm1,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logaddexp2,
    rsqrt,
    sigmoid,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)
from tgrad.backends.large import change_in_blocks, derivatives, in_blocks, large_sum, over
from tgrad.backends.narrow import finfo, is_narrow
from tgrad.backends.powers import power
from tgrad.backends.products import dot, matmul, scaled_product
from tgrad.backends.ranges import arange, linspace, logspace
from tgrad.backends.remainders import floor_divide, fmod
from tgrad.backends.sums import mean, nansum, sum

Array: TypeAlias = Any  # an ndarray


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
    "within": "places",
}
"""Functions whose modules are loaded when they are first used."""


_FAMILIES: Final = frozenset((
    "bessel", "factors", "gamma", "linear", "moved", "normalization", "places", "polynomials", "special",
))  # fmt: skip
"""Modules of kernels that rows reach through this one, `xp.linear.solve`; loaded when they are first used."""


def __getattr__(name: str) -> Any:
    if name in _FAMILIES:
        found = _file(name)
    elif name in _LATER:
        found = getattr(_file(_LATER[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def _file(name: str) -> Any:
    """Another file of kernels, on the array library that this one is on (`tgrad.backends.library`)."""
    return getattr(__import__("tgrad.backends", fromlist=[name]), name)


def writes_over(name: str) -> bool:
    """Whether the function of this name writes into an array given as `out`, in the array's dtype."""
    return type(globals().get(name)) is numpy.ufunc


if backends.silent:
    numpy.seterr(all="ignore")


def relu_back(g: Any, result: Any) -> Any:
    """The gradient where a result isn't 0 or below."""
    return where(less_equal(result, ZERO[result.dtype]), 0, g)


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


def one_minus_square(x: Any) -> Any:
    """1 - x * x for floats, rounded once."""
    kind = x.dtype
    if kind == SINGLE:
        wide = x.astype(DOUBLE)
        return subtract(ONE[DOUBLE], multiply(wide, wide)).astype(SINGLE)
    return fma(negative(x), x, ONE[kind])


def holds(condition: Any) -> bool:
    """Whether a condition on operands' values holds for all elements; lazy libraries look later."""
    return bool(condition.all())


def round(x: Any) -> Any:
    """To the nearest whole number, halves to the even one."""
    return rint(x)


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
    if x.dtype == DOUBLE and to == float16:  # by way of float32, as PyTorch rounds it
        x = x.astype(SINGLE)
    return x.astype(to)
