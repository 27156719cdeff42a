"""`track(steps)`: a loop whose progress is shown, at no measurable cost for each step.

    for step in track(range(5000), "training", show="loss"):
        ...

The clock is looked at after `MOST_AT_ONCE` fast steps or after one slow one, and the bar is drawn
anew `EVERY` seconds at the most.  Without a screen the loop runs over the steps themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from types import FrameType
from typing import Any

from tgrad.runtime.screen import Bar, Screen

EVERY = 0.1
"""Seconds between two drawings of a bar."""

FAST = 0.001
"""Seconds: steps faster than this are counted in groups."""

MOST_AT_ONCE = 16
"""So many steps are run at most without looking at the clock; one of them may suddenly be slow."""


class Track:
    """What `track` returns: goes through the steps as often as one likes, each time with a bar."""

    __slots__ = ("_label", "_screen", "_show", "_steps", "_total")

    def __init__(
        self, steps: Iterable[Any], label: str, total: int | None, show: str | None, screen: Screen
    ) -> None:
        self._steps = steps
        self._label = label
        self._total = total
        self._show = show
        self._screen = screen

    def __len__(self) -> int:
        return len(self._steps)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        if self._screen.bar is None:
            return iter(self._steps)
        total = _length(self._steps) if self._total is None else self._total
        return _watched(iter(self._steps), self._screen.bar(self._label, total, self._show), self._show)

    def __repr__(self) -> str:
        return f"track({self._steps!r})"


def tracker(screen: Screen) -> Callable[..., Track]:
    """The builtin `track` of a session that draws on `screen`."""

    def track(
        steps: Iterable[Any], label: str = "", *, total: int | None = None, show: str | None = None
    ) -> Track:
        """Go through `steps` and show how far the loop is: rate, time left, number of steps.

        `label` stands before the bar, `total` is the number of steps where `steps` has no length,
        `show` the name of a variable (such as "loss") whose value is shown beside the bar.
        On anything but a terminal it is the plain loop.  Raises TypeError if `steps` can't be gone
        through.
        """
        if not hasattr(steps, "__iter__") and not hasattr(steps, "__getitem__"):
            raise TypeError(f"'{type(steps).__name__}' object is not iterable")
        if not isinstance(label, str):
            raise TypeError(f"label must be a str, not {type(label).__name__}")
        return Track(steps, label, total, show, screen)

    return track


def _watched(steps: Iterator[Any], bar: Bar, show: str | None) -> Iterator[Any]:
    """The steps one by one; the bar is told of them now and then, and of the end in any case.

    A loop that is left by `break` or by an error drops this generator, which closes the bar.
    """
    count, check, stride = 0, 1, 1
    value: object = None
    checked = drawn = perf_counter()
    try:
        for step in steps:
            yield step
            count += 1
            if count < check:
                continue
            now = perf_counter()
            fast = now - checked < FAST * stride
            stride = min(stride * 2, MOST_AT_ONCE) if fast else 1
            check, checked = count + stride, now
            if now - drawn >= EVERY:
                drawn = now
                value = _variable(sys._getframe(1), show)
                bar.update(count, value)
        value = _variable(sys._getframe(1), show)
    finally:
        bar.close(count, value)


def _variable(frame: FrameType, name: str | None) -> object:
    """The value that a name has where the loop stands; a tensor of one number is the number."""
    if name is None:
        return None
    value: Any = frame.f_locals.get(name, frame.f_globals.get(name))
    if hasattr(value, "detach") and value.numel() == 1:
        return value.detach().item()
    return value


def _length(steps: Iterable[Any]) -> int | None:
    try:
        return len(steps)  # type: ignore[arg-type]
    except TypeError:
        return None
