"""What tensors that share memory have in common."""

from __future__ import annotations

from typing import Any


class Storage:
    """The memory of a tensor and of its views, and how often it was written to.

    A tensor gets its storage when the first view of it is made or when it is first written to;
    until then it has none, which stands for version 0.
    """

    __slots__ = ("array", "version")

    def __init__(self, array: Any) -> None:
        self.array = array
        """The array for which the memory was made: its first element is the storage's first."""
        self.version = 0
        """Raised by one whenever the memory is written to in place."""
