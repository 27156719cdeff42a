"""Numbers that kernels need, as 0-dimensional arrays: NumPy takes those in half the time of a Python number.

They have the dtype of the array that they meet, as a Python number would be given it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy

Array: TypeAlias = Any  # an ndarray


class Constant(dict[Any, Any]):
    """NumPy dtype -> one number as an array of that dtype, which can't be written to."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def __missing__(self, dtype: Any) -> Array:
        array = numpy.array(self._number, dtype)
        array.flags.writeable = False
        self[dtype] = array
        return array


class Numbers(dict[Any, Any]):
    """Python numbers as arrays of a dtype, which can't be written to.

    Zeros are made anew each time, since 0.0 and -0.0 are one key.  Numbers stay what they are where
    the dtype is None (narrow floats are computed with in float32), and where they may be too large for it.
    """

    def __init__(self, dtype: Any, make: Callable[[Any, Any], Any] = numpy.asarray) -> None:
        super().__init__()
        self._dtype = dtype
        self._make = make

    def __missing__(self, number: Any) -> Any:
        if self._dtype is None or type(number) is complex or not -2147483648 <= number <= 2147483647:
            return number
        array = self._make(number, self._dtype)
        array.flags.writeable = False
        if number:
            if len(self) >= _MOST:
                self.clear()
            self[number] = array
        return array


class _ByDtype(dict[Any, Numbers]):
    def __missing__(self, dtype: Any) -> Numbers:
        found = self[dtype] = Numbers(dtype)
        return found


def kept(number: Any, dtype: Any) -> Any:
    """A Python number as an array of a floating dtype; itself where the dtype may not hold it."""
    return _KEPT[dtype][number]


def stored(number: Any, dtype: Any) -> Any:
    """A number in a dtype, as it is written into arrays of that dtype."""
    return numpy.asarray(number).astype(dtype)


class _ByCode(dict[str, Numbers]):
    def __missing__(self, code: str) -> Numbers:
        dtype = numpy.dtype(code)
        narrow = dtype.itemsize == 2 and dtype.kind in "fV"
        found = self[code] = Numbers(None if narrow else dtype)
        return found


BY_CODE: Final = _ByCode()
"""Code of a NumPy dtype (`array.dtype.char`) -> Python numbers as arrays of that dtype."""

_KEPT: Final = _ByDtype()
_MOST: Final = 256

ZERO: Final = Constant(0)
ONE: Final = Constant(1)
