"""Evenly spaced numbers as PyTorch computes them: arange, linspace, logspace.

PyTorch counts in vectors: the first element of a vector is computed from its index and the others
from that element, which shows in the last bit.
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

import numpy
from numpy import float32, float64

from tgrad.backends import sums
from tgrad.backends.fused import fma
from tgrad.backends.geometry import GRAIN
from tgrad.backends.narrow import is_floating, is_narrow

Array: TypeAlias = Any  # an ndarray

_EXACT: Final = 1 << 62
"""NumPy takes whole numbers below this as they are."""
_LANES: Final = {"float64": 4, "float32": 8, "float16": 16, "bfloat16": 16}


def arange(start: Any, end: Any = None, step: Any = 1, dtype: Any = numpy.int64) -> Array:
    """Numbers from start up to (not including) end in the dtype; signs are the caller's to check.

    The count is ceil((end - start) / step), in double precision or, if all are int, exactly.  To
    int64 the arguments are converted first.
    """
    kind = numpy.dtype(dtype)
    if end is None:
        start, end = 0, start
    if kind == numpy.int64:
        start, end, step = int(start), int(end), int(step)
        if step == 1 and -_EXACT < start <= end < _EXACT:
            return numpy.arange(start, end, dtype=kind)
    if isinstance(start, int) and isinstance(end, int) and isinstance(step, int):
        count = -((start - end) // step)
    else:
        count = math.ceil((float(end) - float(start)) / float(step))
    count = max(count, 0)
    if not is_floating(kind):
        return (int(start) + int(step) * numpy.arange(count)).astype(kind)
    return _fractions(start, step, count, kind)


@numpy.errstate(all="ignore")
def _fractions(start: Any, step: Any, count: int, kind: Any) -> Array:
    """The numbers of `arange` in a floating point dtype."""
    accumulate: Any = float32 if is_narrow(kind) else float64
    first, increment = accumulate(start), accumulate(step)
    indices = numpy.arange(count, dtype=accumulate)
    numbers: Array = fma(increment, indices, first, accumulate).astype(kind)
    lanes = _LANES[kind.name]
    offsets = numpy.arange(lanes, dtype=accumulate)
    for begin, stop in _parts(count):
        vectors = (stop - begin) // (2 * lanes) * 2
        table = numbers[begin : begin + vectors * lanes].reshape(vectors, lanes)
        heads = table[:, :1].astype(accumulate)
        table[...] = fma(increment, offsets, heads, accumulate)
    return numbers


def _parts(count: int) -> list[tuple[int, int]]:
    """The ranges that PyTorch's threads take; see Note [Threads] in `tgrad.backends.sums`."""
    workers = max(min(sums.threads, -(-count // GRAIN)), 1)
    chunk = max(-(-count // workers), 1)
    return [(begin, min(begin + chunk, count)) for begin in range(0, count, chunk)]


@numpy.errstate(all="ignore")
def linspace(start: float, end: float, steps: int, dtype: Any) -> Array:
    """`steps` numbers from start to end, both included; counted from the nearer end."""
    kind = numpy.dtype(dtype)
    gap: Any
    wide: Any
    if steps < 2:
        return numpy.full(steps, start).astype(kind)
    index = numpy.arange(steps)
    lower = index < steps // 2
    distance = numpy.where(lower, index, steps - 1 - index)
    if is_narrow(kind):
        first, last = kind.type(start), kind.type(end)
        gap = kind.type(kind.type(last - first) / kind.type(steps - 1))
        away = gap * distance.astype(kind)
        return numpy.where(lower, first + away, last - away)
    if kind.kind == "c":
        return _linspace_complex(start, end, steps, kind)
    if not is_floating(kind):
        start, end = int(start), int(end)
        gap = (float64(end) - float64(start)) / (steps - 1)
        wide = float64
    else:
        wide = kind.type
        start, end = wide(start), wide(end)
        gap = (end - start) / wide(steps - 1)
    signed = numpy.where(lower, gap, -gap)
    nearer = numpy.where(lower, wide(start), wide(end))
    return fma(signed, distance.astype(wide), nearer, wide).astype(kind)


def _linspace_complex(start: complex, end: complex, steps: int, kind: Any) -> Array:
    index = numpy.arange(steps)
    first, last = kind.type(start), kind.type(end)
    gap = (last - first) / kind.type(steps - 1)
    lower = first + gap * index.astype(kind)
    upper = last - gap * (steps - 1 - index).astype(kind)
    return numpy.where(index < steps // 2, lower, upper)


@numpy.errstate(all="ignore")
def logspace(start: float, end: float, steps: int, base: float, dtype: Any) -> Array:
    """base to the power of evenly spaced exponents from start to end.

    Exact for float64; a float32 can be one unit off in the last place.
    """
    kind = numpy.dtype(dtype)
    if steps == 1:
        return numpy.array([float(base) ** start]).astype(kind)
    first, last = float(kind.type(start)), float(kind.type(end))
    gap = (last - first) / max(steps - 1, 1)
    index = numpy.arange(steps, dtype=float64)
    exponents = numpy.where(index < steps // 2, first + gap * index, last - gap * (steps - 1 - index))
    powers = [float(base) ** exponent for exponent in exponents.tolist()]
    return numpy.array(powers, float64).astype(kind)
