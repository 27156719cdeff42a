"""Bounds: the larger or the smaller of an array and a number; of zeros of unlike signs as in PyTorch."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy
from numpy import maximum, minimum, ndarray

from tgrad.backends.constants import ZERO, kept


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
def _filled(kind: Any, number: bytes) -> Any:
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
