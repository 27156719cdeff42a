"""Colours and signs for numbers: which one stands for a value between the lowest and the highest.

Values on both sides of 0 go from blue over white to red, 0 in the middle; others go from dark violet
over green to yellow.  Both are told apart by people with any of the usual kinds of colour blindness, and
the second also by its brightness alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tgrad.display.look import TRUE_COLOR, Look
from tgrad.display.statistics import Array

DIVERGING = ("1f5fae", "4f93cd", "a6cbe5", "f2f2f2", "f5b899", "de6e52", "b3202f")
SEQUENTIAL = ("440154", "3b518b", "21908d", "5dc963", "fde725")

DIVERGING_OF_256 = (25, 32, 74, 117, 153, 189, 255, 224, 217, 210, 203, 160, 124)
SEQUENTIAL_OF_256 = (53, 54, 25, 31, 36, 78, 114, 155, 226)
"""The same on terminals with 256 colours, chosen by eye: nearest colours would jump to and fro."""

DIVERGING_SIGNS = "%=-.+*#"
"""Without colours: minus signs for negative numbers, plus signs for positive ones, heavier further out."""
SEQUENTIAL_SIGNS = " .:-=+*#%@"
SHADES = " ░▒▓█"

LEVELS = 65
"""So many shades are told apart; odd, so that 0 has a shade of its own."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The range that colours are spread over."""

    low: float
    high: float

    @property
    def diverging(self) -> bool:
        """Are there values on both sides of 0?"""
        return self.low < 0 < self.high

    @property
    def anchors(self) -> tuple[str, ...]:
        """Colours at equal distances, between which the others lie."""
        return DIVERGING if self.diverging else SEQUENTIAL

    def levels(self, values: Array, count: int) -> list[Any]:
        """For each value a level from 0 to `count - 1`; NaN gets 0."""
        if self.diverging:
            reach = max(-self.low, self.high)
            low, high = -reach, reach
        else:
            low, high = self.low, self.high
        if not low < high:
            return np.full(values.shape, count // 2).tolist()
        with np.errstate(all="ignore"):
            part = (np.nan_to_num(values) / 2 - low / 2) / (high / 2 - low / 2)
        found: list[Any] = np.rint(part.clip(0, 1) * (count - 1)).astype(int).tolist()
        return found


def scale_of(values: Sequence[Array]) -> Scale:
    """The scale of all finite values together."""
    finite = [part[np.isfinite(part)] for part in values]
    lows = [float(part.min()) for part in finite if part.size]
    highs = [float(part.max()) for part in finite if part.size]
    return Scale(min(lows, default=0.0), max(highs, default=0.0))


def shades(scale: Scale, look: Look) -> list[str]:
    """The colours of all levels, in rich's words."""
    if look.color < TRUE_COLOR:
        return [f"color({n})" for n in (DIVERGING_OF_256 if scale.diverging else SEQUENTIAL_OF_256)]
    anchors = np.array([_parts(text) for text in scale.anchors])
    places = np.linspace(0, len(anchors) - 1, LEVELS)
    channels = [np.interp(places, range(len(anchors)), anchors[:, i]) for i in range(3)]
    return [f"#{round(r):02x}{round(g):02x}{round(b):02x}" for r, g, b in zip(*channels, strict=True)]


def _parts(text: str) -> tuple[int, int, int]:
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:], 16)


def signs(scale: Scale, look: Look) -> list[tuple[str, str]]:
    """Signs with their styles, from the lowest level to the highest, for terminals with few colours."""
    if look.color and look.unicode:
        if scale.diverging:
            down = [("low", shade) for shade in SHADES[:0:-1]]
            return [*down, ("plain", " "), *[("high", shade) for shade in SHADES[1:]]]
        return [("high", shade) for shade in SHADES]
    if scale.diverging:
        styles = ["low"] * 3 + ["zero"] + ["high"] * 3
        return list(zip(styles, DIVERGING_SIGNS, strict=True))
    return [("plain", sign) for sign in (SHADES if look.unicode else SEQUENTIAL_SIGNS)]
