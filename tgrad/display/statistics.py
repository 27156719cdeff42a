"""What there is to say about an array, from one pass over it in blocks; nothing is copied as a whole.

Means and sums of squares of blocks are combined by the formulas of Chan, Golub and LeVeque (Updating
formulae and a pairwise algorithm for computing sample variances, 1979), which don't cancel where the
mean is large beside the deviation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf, isfinite, nan, sqrt
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

BLOCK = 1 << 16
"""So many elements are looked at together: they stay in the processor's cache."""

SAMPLE = 1 << 14
"""A histogram is made of at most so many elements."""

GOLDEN = 0.6180339887498949
"""Multiples of the golden ratio, taken modulo 1, are spread evenly and have no period."""


@dataclass(slots=True)
class Statistics:
    """Counts, limits and moments of an array.

    Of complex numbers, `low`, `high`, `mean` and `deviation` are those of the absolute values.
    """

    count: int = 0
    finite: int = 0
    nans: int = 0
    infs: int = 0
    zeros: int = 0
    low: Any = inf
    high: Any = -inf
    mean: float = 0.0
    squares: float = 0.0
    """The sum of the squared distances from the mean."""
    whole: bool = True
    """Are all finite elements whole numbers?"""
    first_nan: tuple[int, ...] | None = None
    first_inf: tuple[int, ...] | None = None
    sample: Array = field(default_factory=lambda: np.empty(0))
    """Finite elements, evenly chosen, in float64."""

    @property
    def deviation(self) -> float:
        """The standard deviation with divisor n - 1, as `x.std()`; NaN where it can't be told."""
        if self.finite < 2:
            return nan
        if self.squares == 0 and self.low != self.high:
            return nan  # smaller than float64 can say
        return sqrt(self.squares / (self.finite - 1)) if self.squares >= 0 else nan

    @property
    def constant(self) -> bool:
        """Are there several elements, all the same?"""
        return self.count > 1 and self.finite == self.count and bool(self.low == self.high)

    def add(self, count: int, low: Any, high: Any, mean: float, squares: float) -> None:
        """Take in a block of finite elements."""
        total = self.finite + count
        distance = mean - self.mean
        self.squares += squares + distance * distance * (self.finite / total) * count
        self.mean += distance * (count / total)
        self.finite = total
        self.low, self.high = min(self.low, low), max(self.high, high)


def statistics(array: Array) -> Statistics:
    """Look at an array once, whatever its shape, strides and type."""
    result = Statistics(count=array.size)
    if not array.size:
        return result
    add = _adder(array.dtype)
    with np.errstate(all="ignore"):
        for block in blocks(array):
            add(result, block)
        if result.nans:
            result.first_nan = _first(array, np.isnan)
        if result.infs:
            result.first_inf = _first(array, _infinite)
        result.sample = _sample(array)
    return result


def blocks(array: Array, order: Any = "K") -> Iterator[Array]:
    """The elements as flat pieces of at most `BLOCK`; in order "K", as they lie in memory."""
    flat = None
    if array.flags.c_contiguous:
        flat = array.reshape(-1)
    elif order == "K" and array.flags.f_contiguous:
        flat = array.T.reshape(-1)
    if flat is not None:
        for start in range(0, flat.size, BLOCK):
            yield flat[start : start + BLOCK]
        return
    pieces: Any = np.nditer(array, flags=("external_loop", "buffered"), order=order, buffersize=BLOCK)
    yield from pieces


def _adder(dtype: Any) -> Callable[[Statistics, Array], None]:
    if dtype.kind == "c":
        return _add_complex
    if dtype.kind in "biu":
        return _add_integers
    return _add_floats


def _add_floats(result: Statistics, block: Array) -> None:
    if block.itemsize < 4 or block.dtype.kind != "f":  # float16 and bfloat16 have no fast loops
        block = block.astype(np.float32)
    low, high = float(block.min()), float(block.max())
    if not (isfinite(low) and isfinite(high)):
        block = _finite_part(result, block)
        if not block.size:
            return
        low, high = float(block.min()), float(block.max())
    if low <= 0 <= high:
        result.zeros += int(np.count_nonzero(block == 0))
    if result.whole:
        result.whole = _whole(block[:64]) and _whole(block)
    mean, squares = _moments(block)
    result.add(block.size, low, high, mean, squares)


def _finite_part(result: Statistics, block: Array) -> Array:
    nans = int(np.count_nonzero(np.isnan(block)))
    part: Array = block[np.isfinite(block)]
    result.nans += nans
    result.infs += block.size - part.size - nans
    return part


def _whole(block: Array) -> bool:
    return bool((np.rint(block) == block).all())


def _moments(block: Array) -> tuple[float, float]:
    """The mean, and the sum of squared distances from it."""
    mean = float(block.sum(dtype=np.float64)) / block.size
    center = block.dtype.type(mean)
    distances = block - center
    squares = _sum_of_squares(distances)
    if not isfinite(squares) or squares < 1e-30:  # float32 is too narrow for the squares
        distances = block.astype(np.float64) - mean
        return mean, _sum_of_squares(distances)
    return mean, max(squares - block.size * (mean - float(center)) ** 2, 0.0)


def _sum_of_squares(values: Array) -> float:
    """Without BLAS, whose threads take longer to wake than a block takes."""
    return float(np.einsum("i,i->", values, values))


def _add_integers(result: Statistics, block: Array) -> None:
    low, high = block.min().item(), block.max().item()
    result.zeros += block.size - int(np.count_nonzero(block))
    mean = float(block.sum(dtype=np.float64)) / block.size
    distances = block.astype(np.float64)
    distances -= mean
    result.add(block.size, low, high, mean, _sum_of_squares(distances))


def _add_complex(result: Statistics, block: Array) -> None:
    whole = result.whole
    nans = np.isnan(block)
    infinite = _infinite(block)
    result.nans += int(np.count_nonzero(nans))
    result.infs += int(np.count_nonzero(infinite))
    block = block[~(nans | infinite)]
    if block.size:
        _add_floats(result, np.abs(block))
        result.whole = whole and _whole(block.real) and _whole(block.imag)


def _infinite(block: Array) -> Array:
    """Where an element is infinite; a complex number with a part that is NaN counts as NaN."""
    found: Array = np.isinf(block) & ~np.isnan(block)
    return found


def _first(array: Array, test: Callable[[Array], Array]) -> tuple[int, ...] | None:
    """The index of the first element, in the order of the indices, that passes a test."""
    seen = 0
    for block in blocks(array, "C"):
        found = test(block)
        if found.any():
            index = np.unravel_index(seen + int(found.argmax()), array.shape)
            return tuple(int(i) for i in index)
        seen += block.size
    return None


def _sample(array: Array) -> Array:
    """Some of the finite elements, as float64."""
    if array.size <= SAMPLE:
        chosen = array.reshape(-1)
    else:
        places = (np.arange(SAMPLE) * GOLDEN) % 1.0
        indices = (places * array.size).astype(np.intp)
        chosen = array.reshape(-1)[indices] if array.flags.c_contiguous else array.flat[indices]
    values = np.abs(chosen) if chosen.dtype.kind == "c" else chosen
    values = values.astype(np.float64)
    finite: Array = values[np.isfinite(values)]
    return finite
