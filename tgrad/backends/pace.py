"""How long work on arrays takes: whether it is worth dividing.

Note [Light work]
    An array that stays in the cache is computed quicker as a whole than in blocks, by one thread; half a
    millisecond of work is done quicker in blocks by two.  How long something takes is known from the
    last time, or else it is taken to be light.  The results are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any, ClassVar, Final

from numpy import ndarray

WHOLE: Final = 1 << 20
"""Arrays of fewer bytes stay in the cache as they are: they are divided only to be shared among threads."""
WORTH: float = 3e-4
"""So many seconds of work are worth another thread, which waits for Python's lock to begin."""
MOST: Final = 1000
"""So many kernels and formulas are remembered, and then forgotten."""


class Pace:
    """How long a kernel, or formulas, take for arrays of a dtype: Note [Light work]."""

    __slots__ = ("begun", "key", "nbytes", "size")
    known: ClassVar[dict[Any, float]] = {}
    """Seconds for an element, as it was the last time."""

    def __init__(self, function: Any, values: Sequence[Any]) -> None:
        largest = max([value for value in values if type(value) is ndarray], key=lambda array: array.size)
        self.key = function, largest.dtype
        self.size: int = largest.size
        self.nbytes: int = largest.nbytes
        self.begun = perf_counter()

    def is_light(self) -> bool:
        """Whether the arrays are better left whole."""
        return self.nbytes < WHOLE and self.known.get(self.key, 0.0) * self.size < 2 * WORTH

    def note(self, part: float = 1.0) -> float:
        """Remember how long a part of the work has taken; the seconds that all of it takes."""
        seconds = (perf_counter() - self.begun) / part
        if len(self.known) > MOST:
            self.known.clear()
        self.known[self.key] = seconds / self.size
        return seconds

    def rest_is_short(self, part: float) -> bool:
        """Whether, now that a part of the work is done, what is left isn't worth another thread."""
        return self.note(part) * (1 - part) < WORTH
