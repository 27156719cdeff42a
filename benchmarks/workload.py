"""What is measured: a program for tgrad and PyTorch, and functions for other peers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Work = Callable[[], Any]
"""One piece of work; returns its result as nested lists or numbers of Python."""


@dataclass(frozen=True)
class Workload:
    """A piece of work that every peer does in its own way.

    tgrad and PyTorch run the same text: `program` defines a function `work()`, which is timed and
    returns the tensors to compare.  The other peers have Python functions in `peers`, which take
    the case's settings as keywords and return a function without parameters.
    """

    name: str
    group: str
    program: str
    cases: tuple[Mapping[str, Any], ...] = ({},)
    """The settings of each case; the program finds them as names."""

    peers: Mapping[str, Callable[..., Work]] = field(default_factory=dict)
    aim: float | Callable[[Mapping[str, Any]], float] | None = None
    """The largest ratio to PyTorch's time that we are content with."""

    bound: Callable[[Mapping[str, Any]], float | None] | None = None
    """The largest ratio to the time of the peer named bound, by case; None for cases without."""

    tolerance: float = 1e-5
    """By how much results may differ from PyTorch's, relative to the largest element."""

    gathered: bool = False
    """Whether a table shows one geometric mean in place of the cases."""

    memory: bool = False
    """Whether the peak memory of each case is measured, too."""

    def text(self, case: Mapping[str, Any]) -> str:
        """The program of a case."""
        settings = "".join(f"{name} = {value!r}\n" for name, value in case.items())
        return f"{settings}{self.program}"

    def label(self, case: Mapping[str, Any]) -> str:
        """The case in words."""
        return " ".join(str(value) for value in case.values())

    def aims(self, case: Mapping[str, Any]) -> dict[str, float]:
        """For each peer the largest ratio to its time that we are content with."""
        found = {"torch": self.aim(case) if callable(self.aim) else self.aim}
        if self.bound is not None:
            found["bound"] = self.bound(case)
        return {peer: aim for peer, aim in found.items() if aim is not None}
