"""Reductions of a few elements, all of them to one.

To set up a reduction takes NumPy as long as three operations on few elements; running results
(`accumulate`) take hardly longer than one of these, and the last of them is the reduction in order.
A Python number is a double: an operation on two of them takes a tenth of an operation on arrays.
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

from numpy import float32

Array: TypeAlias = Any  # an ndarray

FEW: Final = 8
"""Up to so many elements all orders that NumPy takes for extremes are one."""


def is_few(array: Array, most: int = FEW) -> bool:
    """Whether there are some elements, but few, floats of 32 or 64 bits that lie side by side."""
    return 0 < array.size <= most and array.dtype.char in "fd" and bool(array.flags.c_contiguous)


def reduced(ufunc: Any, array: Array, most: int = FEW) -> Any:
    """The reduction of a vector of floats, one element after the other; None unless they are few."""
    if array.ndim == 1 and 0 < array.size <= most and array.dtype.char in "fd":
        return ufunc.accumulate(array)[-1]
    return None


def variance(array: Array, mean: Any, degrees: float, root: bool) -> Any:
    """The sum of squared differences from a mean over the degrees of freedom, or the root of that."""
    center, total = float(mean), 0.0
    for x in array.reshape(-1).tolist():
        difference = x - center
        total += difference * difference
    result = total / degrees
    return array.dtype.type(math.sqrt(result) if root else result)


def norm(array: Array) -> Any:
    """The 2-norm of float32, each square added with a single rounding, as by fused multiply-add."""
    total = 0.0
    for x in array.reshape(-1).tolist():
        total = float(float32(x * x + total))
    return float32(math.sqrt(total))
