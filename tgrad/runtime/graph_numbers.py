"""A few words on the numbers of a tensor, for a look at a graph."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

MOST_NUMBERS = 6
"""So many numbers of a value are kept for a look at it."""

MOST_SUMMED = 1_000_000
"""Ranges of values with more elements than this aren't worked out."""

AT_A_TIME = 1 << 16
"""So many numbers are added up at a time, to go without a large copy."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """A few words on the numbers of a tensor."""

    first: tuple[str, ...]
    """The first of them, as text."""
    count: int
    low: float | None
    high: float | None
    mean: float | None


def norm_of(array: Any) -> float:
    """The Euclidean length, added up in float64."""
    import numpy

    with numpy.errstate(all="ignore"):
        flat = array.reshape(-1)
        total = 0.0
        for start in range(0, flat.size, AT_A_TIME):
            part = flat[start : start + AT_A_TIME]
            for real in (part.real, part.imag) if part.dtype.kind == "c" else (part,):
                wide = real.astype(numpy.float64)
                total += float(numpy.dot(wide, wide))
    return math.sqrt(total) if total >= 0 else math.nan


def numbers_of(array: Any) -> Numbers:
    """A few words on an array's numbers."""
    import numpy

    first = tuple([_short(value) for value in array.flat[:MOST_NUMBERS].tolist()])
    if array.size == 0 or array.size > MOST_SUMMED or array.dtype.kind in "cb":
        return Numbers(first, int(array.size), None, None, None)
    with numpy.errstate(all="ignore"):
        wide = array.astype(numpy.float64, copy=False)
        return Numbers(first, int(array.size), float(wide.min()), float(wide.max()), float(wide.mean()))


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, (float, complex)) else str(value)
