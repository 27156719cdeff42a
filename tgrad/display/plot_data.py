"""What a plot shows: panels of series, rules and pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

Array = Any
Ticks = tuple[list[float], list[str] | None]


@dataclass(slots=True)
class Series:
    """Something drawn over the axes: a line, points, or boxes such as the bars of a histogram."""

    kind: str
    """`line`, `points`, `boxes` (vertical bars) or `lying` (horizontal bars)."""
    x: Array
    y: Array
    label: str = ""
    color: str = ""
    """In matplotlib's words; empty for the next colour of the cycle."""
    x_end: Array = None
    y_end: Array = None
    """Of boxes, the other corner."""


class Rule(NamedTuple):
    """A straight line across the whole panel."""

    vertical: bool
    position: float
    color: str


class Picture(NamedTuple):
    """What `imshow` shows: numbers in rows, or colours as the last of three dimensions."""

    values: Array
    low: float | None
    high: float | None
    colormap: str
    upwards: bool
    """Is the first row the lowest?"""


@dataclass(slots=True)
class Panel:
    """One pair of axes and all that is drawn on it."""

    title: str = ""
    x_label: str = ""
    y_label: str = ""
    series: list[Series] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    picture: Picture | None = None
    x_limits: tuple[float | None, float | None] = (None, None)
    y_limits: tuple[float | None, float | None] = (None, None)
    x_log: bool = False
    y_log: bool = False
    x_ticks: Ticks | None = None
    y_ticks: Ticks | None = None
    legend: bool = False
    grid: bool = False
    framed: bool = True
    left_out: list[str] = field(default_factory=list)
