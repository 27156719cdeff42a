"""Numbers that kernels need, as 0-dimensional arrays: NumPy takes those in half the time of a Python number.

They have the dtype of the array that they meet, as a Python number would be given it.
"""

from __future__ import annotations

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


def kept(number: Any, dtype: Any) -> Any:
    """A Python number as an array of a floating dtype; itself where the dtype may not hold it.

    Zeros are made anew each time, since 0.0 and -0.0 are one key.
    """
    array = _KEPT.get((dtype, number))
    if array is None:
        if type(number) is complex or not -2147483648 <= number <= 2147483647:
            return number
        array = numpy.array(number, dtype)
        array.flags.writeable = False
        if number:
            if len(_KEPT) >= _MOST:
                _KEPT.clear()
            _KEPT[dtype, number] = array
    return array


_KEPT: Final[dict[tuple[Any, Any], Array]] = {}
_MOST: Final = 256

ZERO: Final = Constant(0)
ONE: Final = Constant(1)
