"""PyTorch's random numbers: the Mersenne Twister stream of its CPU generator, and distributions.

PyTorch's generator is MT19937, seeded with the low 32 bits of the seed by Knuth's recurrence
(M. Matsumoto and T. Nishimura, "Mersenne Twister", ACM TOMACS 8, 1998).  Every distribution takes
32 or 64 bits of that one stream for each of its elements, in order; the functions below take the
same bits and transform them in the same precision, so that seeded programs give PyTorch's numbers.

All functions return a new contiguous array of the given shape.  An in-place form fills its tensor
in the order of the strides, which `fill` does.

Exactness, against PyTorch 2.13 on a CPU with AVX2: every function agrees to the bit in float32,
float64, float16 and bfloat16, but for multinomial draws with weights of 16 bits and where keys tie.
(On Intel's processors PyTorch takes Bernoulli draws with a number for p, and exponential ones, from another
generator of Intel's library, seeded from this one; that isn't followed.)
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

import numpy
from numpy import float32, float64, ndarray

from tgrad.backends.fused import fma
from tgrad.backends.narrow import finfo, is_floating, is_narrow
from tgrad.core.gaussian import box_muller
from tgrad.core.generator import DEFAULT_SEED, Generator, default_generator

__all__ = [
    "DEFAULT_SEED",
    "Generator",
    "bernoulli",
    "cauchy",
    "default_generator",
    "exponential",
    "fill",
    "geometric",
    "log_normal",
    "multinomial",
    "normal",
    "poisson",
    "randint",
    "random_full",
    "randperm",
    "uniform",
]

Array: TypeAlias = Any  # an ndarray
Shape: TypeAlias = tuple[int, ...]


def _size(shape: Shape) -> int:
    return math.prod(shape)


def _rounded(numbers: Array, dtype: Any) -> Array:
    """Double precision numbers in the dtype; to 16 bits they go by way of float32."""
    if dtype == float32:
        return numbers.astype(float32)
    if is_narrow(numpy.dtype(dtype)):
        numbers = numbers.astype(float32)
    return numbers.astype(dtype, copy=False)


def fill(target: Array, values: Array) -> None:
    """Write values, in the order they were drawn, into an array with any strides.

    PyTorch goes through a tensor along its smallest stride first, whatever the order of its axes.
    """
    if target.flags.c_contiguous:
        target.reshape(-1)[:] = values.reshape(-1)
        return
    shape, strides = target.shape, target.strides
    order = list(range(target.ndim - 1, -1, -1))
    for i in range(1, len(order)):
        moving = i
        for other in range(i - 1, -1, -1):
            a, b = order[other], order[moving]
            if strides[a] == 0 or strides[b] == 0:
                continue
            if strides[a] > strides[b] or (strides[a] == strides[b] and shape[a] > shape[b]):
                order[other], order[moving] = b, a
                moving = other
            elif strides[a] < strides[b]:
                break
    view = target.transpose(order[::-1])
    view[...] = values.reshape(view.shape)


# ----------------------------------------------------------------------------- uniform numbers


def uniform(
    generator: Generator, shape: Shape, dtype: Any = float32, low: float = 0.0, high: float = 1.0
) -> Array:
    """Numbers from [low, high), equally likely.

    float64 takes the low 53 of 64 bits, float32 the low 24 of 32; 16 bits are float32 rounded, where
    what comes out as `high` is replaced by `low`.
    """
    count = _size(shape)
    numbers = _uniform64(generator, count) if dtype == float64 else _uniform32(generator, count)
    if low != 0.0 or high != 1.0:
        kind = numbers.dtype.type
        start, stop = kind(low), kind(high)
        numbers = fma(numbers, stop - start, start, kind)
    if numbers.dtype == dtype:
        return numbers.reshape(shape)
    element = numpy.dtype(dtype)
    if is_narrow(element):
        numbers = numbers.astype(element)
        numbers[numbers >= element.type(high)] = element.type(low)
    return numbers.reshape(shape)


def _uniform32(generator: Generator, count: int) -> Array:
    numbers = (generator.bits32(count) & _LOW24).astype(float32)
    numbers *= _UNIT24
    return numbers


_LOW24: Final = numpy.array((1 << 24) - 1, numpy.uint32)
_UNIT24: Final = numpy.array(2.0**-24, float32)


def _uniform64(generator: Generator, count: int) -> Array:
    halves = generator.bits32(2 * count).reshape(count, 2)
    high = (halves[:, 0] & numpy.uint32((1 << 21) - 1)) * 2.0**-21
    return high + halves[:, 1] * 2.0**-53  # exact: 21 and 32 bits that don't overlap


def _list64(generator: Generator, count: int) -> list[float]:
    """The same as a list."""
    if count > _FEW:
        return _uniform64(generator, count).tolist()  # type: ignore[no-any-return]
    draw = generator.draw()
    return [((draw(32) & 0x1FFFFF) << 32 | draw(32)) * 2.0**-53 for _ in range(count)]


_FEW: Final = 32
"""Up to so many numbers are made by Python one by one."""


# ------------------------------------------------------------------------------ normal numbers


def normal(
    generator: Generator,
    shape: Shape,
    dtype: Any = float32,
    mean: float = 0.0,
    std: float = 1.0,
    *,
    contiguous: bool = True,
) -> Array:
    """Normally distributed numbers.

    Fewer than 16 numbers, or any for a tensor that isn't contiguous, are made in pairs in double
    precision, and a second number that is left over is the next call's first.  From 16 on they are
    made in blocks of 16 in the precision of the dtype (16 bits in float32); where the last block
    isn't full the last 16 numbers are made anew.
    """
    count = _size(shape)
    if count < 16 or not contiguous:
        numbers = _normal_pairs(generator, count, mean, std)
        return _rounded(numbers, dtype).reshape(shape)
    whole = count // 16 * 16
    if is_narrow(numpy.dtype(dtype)):
        numbers = _uniform32(generator, whole)
        left_over = numbers[:0] if whole == count else numpy.zeros(count - whole, float32)
        numbers = numpy.concatenate((numbers, left_over))
    else:
        numbers = uniform(generator, (count,), dtype)
    numbers[:whole] = box_muller(numbers[:whole].reshape(-1, 16), mean, std).reshape(-1)
    if whole != count:
        last = _uniform64(generator, 16) if dtype == float64 else _uniform32(generator, 16)
        numbers[count - 16 :] = box_muller(last.reshape(1, 16), mean, std)[0]
    return numbers.astype(dtype, copy=False).reshape(shape)


def _normal_pairs(generator: Generator, count: int, mean: float, std: float) -> Array:
    """Normal numbers in double precision, with the spare one of an odd count."""
    numbers: list[float] = []
    if count and generator.spare is not None:
        numbers.append(generator.spare)
        generator.spare = None
    missing = count - len(numbers)
    draws = _list64(generator, missing + missing % 2)
    for u1, u2 in zip(draws[::2], draws[1::2], strict=True):
        radius = math.sqrt(-2.0 * math.log1p(-u2))
        angle = 2.0 * math.pi * u1
        numbers.append(radius * math.cos(angle))
        numbers.append(radius * math.sin(angle))
    if len(numbers) > count:
        generator.spare = numbers.pop()
    result = numpy.array(numbers, float64)
    if mean == 0 and std == 1:
        return result
    return fma(result, float64(std), float64(mean), float64)


# ------------------------------------------------------------------------------------ integers


def randint(
    generator: Generator, shape: Shape, low: int, high: int, dtype: Any = numpy.int64
) -> Array:
    """Integers from low to high - 1: remainders of 32 bits, or of 64 for ranges from 2**28 on."""
    count = _size(shape)
    extent = high - low
    bits = generator.bits64(count) if extent >= 1 << 28 else generator.bits32(count)
    numbers = bits % bits.dtype.type(extent)
    return (numbers.astype(numpy.int64) + low).astype(dtype, copy=False).reshape(shape)


def random_full(generator: Generator, shape: Shape, dtype: Any = numpy.int64) -> Array:
    """What `random_()` draws: integers from 0 to the dtype's largest, for floats to 2**digits."""
    kind = numpy.dtype(dtype)
    wide = kind.itemsize == 8
    bits = generator.bits64(_size(shape)) if wide else generator.bits32(_size(shape))
    if is_floating(kind):
        extent = (1 << finfo(kind).nmant + 1) + 1
    else:
        extent = 2 if kind.kind == "b" else int(numpy.iinfo(kind).max) + 1
    return (bits % bits.dtype.type(extent)).astype(kind).reshape(shape)


def randperm(generator: Generator, count: int, dtype: Any = numpy.int64) -> Array:
    """A permutation of 0 to count - 1 (R. Durstenfeld's shuffle, CACM 7, 1964, from the front)."""
    order = list(range(count))
    draws = generator.bits32(max(count - 1, 0))
    offsets = (draws % numpy.arange(count, count - len(draws), -1, dtype=numpy.uint32)).tolist()
    for i, offset in enumerate(offsets):
        if offset:
            order[i], order[i + offset] = order[i + offset], order[i]
    return numpy.array(order, dtype)


# ------------------------------------------------------------------------- other distributions


def bernoulli(generator: Generator, shape: Shape, p: Any, dtype: Any = float32) -> Array:
    """1 with probability p, else 0; p is a number or an array that broadcasts to the shape.

    A number and a float64 array are compared with double precision draws, other arrays with
    float32's.
    """
    if isinstance(p, ndarray) and p.dtype != float64:
        draws = _uniform32(generator, _size(shape))
    else:
        draws = _uniform64(generator, _size(shape))
    return (draws.reshape(shape) < p).astype(dtype)


def exponential(
    generator: Generator, shape: Shape, dtype: Any = float32, rate: float = 1.0
) -> Array:
    """Exponentially distributed numbers, -log(1 - u) / rate."""
    draws = (-_uniform64(generator, _size(shape))).tolist()
    numbers = numpy.array(list(map(math.log1p, draws)), float64)
    return _rounded(-1.0 / rate * numbers, dtype).reshape(shape)


def geometric(generator: Generator, shape: Shape, p: float, dtype: Any = float32) -> Array:
    """The number of trials up to the first success of probability p."""
    draws = _uniform64(generator, _size(shape)).tolist()
    base = math.log(1.0 - p)
    numbers = [math.ceil(math.log(u) / base) if u else math.inf for u in draws]
    return numpy.array(numbers, float64).astype(dtype).reshape(shape)


def cauchy(
    generator: Generator,
    shape: Shape,
    dtype: Any = float32,
    median: float = 0.0,
    sigma: float = 1.0,
) -> Array:
    """Numbers of a Cauchy distribution, median + sigma * tan(pi * (u - 1/2))."""
    draws = (math.pi * (_uniform64(generator, _size(shape)) - 0.5)).tolist()
    numbers = numpy.array(list(map(math.tan, draws)), float64)
    return _rounded(fma(numbers, float64(sigma), float64(median), float64), dtype).reshape(shape)


def log_normal(
    generator: Generator, shape: Shape, dtype: Any = float32, mean: float = 1.0, std: float = 2.0
) -> Array:
    """e raised to normal numbers, which are made in pairs whatever their number."""
    numbers = _normal_pairs(generator, _size(shape), mean, std).tolist()
    return _rounded(numpy.array(list(map(math.exp, numbers)), float64), dtype).reshape(shape)


def poisson(generator: Generator, rates: Array) -> Array:
    """Poisson distributed whole numbers with these rates, in their dtype and shape.

    Small rates multiply uniform numbers (D. Knuth); from 10 on W. Hoermann's transformed rejection
    (Insurance: Mathematics and Economics 12, 1993).
    """
    numbers = [_poisson(generator, rate) for rate in rates.reshape(-1).tolist()]
    return numpy.array(numbers, rates.dtype).reshape(rates.shape)


def _poisson(generator: Generator, rate: Any) -> Any:
    if rate == 0:
        return 0
    if rate < 10:
        limit = math.exp(-rate)
        count, product = 0, 1.0
        while True:
            product *= float(_uniform64(generator, 1)[0])
            if product <= limit:
                return count
            count += 1
    root, log_rate = math.sqrt(rate), math.log(rate)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = _uniform64(generator, 2).tolist()
        u -= 0.5
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= v_r:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        accept = math.log(v) + math.log(inverse_alpha) - math.log(a / (us * us) + b)
        if accept <= -rate + k * log_rate - math.lgamma(k + 1):
            return k


def multinomial(
    generator: Generator, weights: Array, count: int, replacement: bool = False
) -> Array:
    """Indices drawn with probabilities in proportion to the last axis of the weights, int64."""
    rows = weights.reshape(-1, weights.shape[-1])
    if not replacement or count == 1:
        # The largest of weight / exponential numbers (P. Efraimidis and P. Spirakis, 2006).
        keys = rows / exponential(generator, rows.shape, weights.dtype.type)
        if count == 1:
            chosen = keys.argmax(axis=1)[:, None]
        else:
            chosen = numpy.argsort(-keys, axis=1, kind="stable")[:, :count]
    else:
        steps = numpy.add.accumulate(rows, axis=1)
        steps = steps / steps[:, -1:]
        steps[:, -1] = 1
        draws = _uniform64(generator, len(rows) * count).reshape(len(rows), count)
        chosen = numpy.stack(
            [numpy.searchsorted(s, d, side="left") for s, d in zip(steps, draws, strict=True)]
        )
    return chosen.astype(numpy.int64).reshape(*weights.shape[:-1], count)
