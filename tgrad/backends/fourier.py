"""Discrete Fourier transforms of arrays over several axes, scaled whatever their direction.

NumPy's transforms keep single precision.  `numpy.fft` is looked up when a transform runs: NumPy loads
it at that moment, and most programs never do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy

UNSCALED: Final = 0
BY_ROOT: Final = 1
BY_COUNT: Final = 2
"""What a transform is divided by: nothing, the square root of the number of points, or the number."""

_FORWARD: Final = ("backward", "ortho", "forward")
_INVERSE: Final = ("forward", "ortho", "backward")
"""NumPy's name of each scale, which it gives by the direction in which the scale is applied."""


def complex_to_complex(array: Any, axes: Sequence[int], scale: int, inverse: bool) -> Any:
    """The transform of complex numbers."""
    if not axes:
        return array.copy()
    if inverse:
        return numpy.fft.ifftn(array, axes=axes, norm=_INVERSE[scale])
    return numpy.fft.fftn(array, axes=axes, norm=_FORWARD[scale])


def real_to_complex(array: Any, axes: Sequence[int], scale: int, half: bool) -> Any:
    """The forward transform of real numbers; with `half` without what symmetry gives in the last axis."""
    if half:
        return numpy.fft.rfftn(array, axes=axes, norm=_FORWARD[scale])
    return numpy.fft.fftn(array, axes=axes, norm=_FORWARD[scale])


def complex_to_real(array: Any, axes: Sequence[int], scale: int, last: int) -> Any:
    """The inverse transform of a symmetric spectrum with `last` points, half of which are there."""
    sizes = [array.shape[axis] for axis in axes[:-1]]
    return numpy.fft.irfftn(array, s=(*sizes, last), axes=axes, norm=_INVERSE[scale])
