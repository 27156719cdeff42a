"""Running sums of float32 by way of integers, where no sum in double is rounded.

`numpy.add.accumulate` waits for each sum of floats to come back from memory before it adds the next
element; for integers it doesn't.  Floats are multiples of a power of 2, the last place of the smallest
one.  Where all sums, counted in it, are integers that a double can hold, the additions in double round
nothing, in whatever order, and the integers are the same sums.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy
from numpy import float32, float64, int32, int64, uint32

Array: TypeAlias = Any  # an ndarray

BLOCK: Final = 1 << 15
"""So many elements are added up before what they give is looked at."""

_MOST: Final = 31
"""So many blocks are added up as they are, at most, before the next attempt with integers."""

_FURTHEST: Final = 100
"""Powers of 2 by which float32 are scaled: neither they nor sums leave the range of normal numbers."""


def running_sums(rows: Array, results: Array) -> None:
    """Running sums along rows of float32, made in double and rounded; both arrays are contiguous.

    Where integers wouldn't do, ever more blocks are added up as they are before the next attempt.
    """
    count, size = rows.shape
    many = max(1, BLOCK // size)
    refused = left = 0
    for row in range(0, count, many):
        before = 0.0
        for start in range(0, size, BLOCK):
            place = slice(row, row + many), slice(start, start + BLOCK)
            part, result = rows[place], results[place]
            last = None if left else _by_integers(part, before, result)
            if last is None:
                if left:
                    left -= 1
                else:
                    refused = left = min(2 * refused + 1, _MOST)
                last = _as_they_are(part, before, result)
            before = last


def _by_integers(part: Array, before: float, result: Array) -> float | None:
    """The sums of a block, from what came `before` on, a number that isn't 0 for a single row only.

    Returns the last sum; or None where a sum in double may be rounded, and leaves the result alone.
    """
    exponent = _last_place(part, before)
    if exponent is None:
        return None
    integers = numpy.multiply(part, float32(2.0**-exponent)).astype(int64)
    integers[0, 0] += int(before * 2.0**-exponent)
    numpy.add.accumulate(integers, axis=1, out=integers)
    if not _are_doubles(integers):
        return None
    numpy.multiply(integers.astype(float32), float32(2.0**exponent), out=result)
    return float(integers[-1, -1]) * 2.0**exponent


def _as_they_are(part: Array, before: float, result: Array) -> float:
    """What `_by_integers` gives, one addition in double after the other."""
    wide = part.astype(float64)
    wide[0, 0] += before
    numpy.add.accumulate(wide, axis=1, out=wide)
    result[...] = wide
    return float(wide[-1, -1])


def _last_place(part: Array, before: float) -> int | None:
    """The exponent of a power of 2 that goes into all the numbers; None where sums could outgrow 63 bits."""
    sizes = part.view(int32) & 0x7FFFFFFF
    largest = int(sizes.max()) >> 23
    sizes -= 1  # zeros, which every power goes into, are the largest ones now
    smallest = (int(sizes.view(uint32).min()) + 1) >> 23
    if largest == 255 or smallest > largest or not numpy.isfinite(before):
        return None
    exponent = max(smallest, 1) - 150
    if before:
        exponent = min(exponent, 1 - before.as_integer_ratio()[1].bit_length())
    bits = largest - 126 - exponent + part.shape[1].bit_length()
    if bits > 61 or abs(before) * 2.0**-exponent >= 2.0**61 or not -_FURTHEST <= exponent <= _FURTHEST:
        return None
    return exponent


def _are_doubles(integers: Array) -> bool:
    """Whether a double can hold each of the integers."""
    if max(int(integers.max()), -int(integers.min())) <= 1 << 53:
        return True
    return bool((integers.astype(float64).astype(int64) == integers).all())
