"""Evenly spaced numbers on `dask`: functions of `tgrad.backends.ranges`, each chunk counted by itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import dask.array
import numpy

from tgrad.backends import chunks, dask_arrays, ranges
from tgrad.backends.dask_arrays import Lazy

Array = Any


def arange(start: Any, end: Any = None, step: Any = 1, dtype: Any = numpy.int64) -> Lazy:
    """Numbers from start up to (not including) end; a long one's fractions may differ in their last bit."""
    kind = numpy.dtype(dtype)
    if end is None:
        start, end = 0, start
    if kind == numpy.int64:
        start, end, step = int(start), int(end), int(step)
    whole = kind.kind in "iu" and all(isinstance(x, int) for x in (start, end, step))
    count = -((start - end) // step) if whole else math.ceil((float(end) - float(start)) / float(step))
    if _at_once(count, kind):
        return Lazy(ranges.arange(start, end, step, kind))
    return _counted(_arange, count, kind, start, step)


def linspace(start: Any, end: Any, steps: int, dtype: Any) -> Lazy:
    """`steps` numbers from start to end, both included; a long one's may differ in their last bit."""
    kind = numpy.dtype(dtype)
    if steps < 2 or kind.kind == "c" or _at_once(steps, kind):
        return Lazy(ranges.linspace(start, end, steps, kind))
    return _counted(_linspace, steps, kind, float(start), float(end), steps)


def _at_once(count: int, kind: Any) -> bool:
    return bool(chunks.wanted() == "auto" and count * kind.itemsize <= dask_arrays.SMALL)


def _counted(function: Callable[..., Array], count: int, kind: Any, *rest: Any) -> Lazy:
    """An array of chunks that `function(first, stop, dtype, *rest)` gives."""
    sizes = dask_arrays.sizes((max(count, 0),), kind)
    name = f"{function.__name__[1:]}-{dask.base.tokenize(kind, sizes, *rest)}"
    return Lazy(
        dask.array.map_blocks(
            _block, function=function, rest=rest, kind=kind, dtype=kind, chunks=sizes,
            meta=numpy.empty(0, kind), name=name,
        )
    )  # fmt: skip


def _block(function: Any, rest: Any, kind: Any, block_info: Any = None) -> Array:
    ((first, stop),) = block_info[None]["array-location"]
    return function(int(first), int(stop), kind, *rest)


def _arange(first: int, stop: int, kind: Any, start: Any, step: Any) -> Array:
    index = numpy.arange(first, stop, dtype=numpy.int64 if kind.kind in "iu" else numpy.float64)
    if kind.kind in "iu":
        start, step = int(start), int(step)
    return (start + index * step).astype(kind, copy=False)


def _linspace(first: int, stop: int, kind: Any, start: float, end: float, steps: int) -> Array:
    index = numpy.arange(first, stop, dtype=numpy.float64)
    gap = (end - start) / (steps - 1)
    lower = index < steps // 2
    return numpy.where(lower, start + gap * index, end - gap * (steps - 1 - index)).astype(kind)
