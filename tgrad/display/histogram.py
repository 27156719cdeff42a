"""A histogram in a few characters."""

from __future__ import annotations

import numpy as np

from tgrad.display.look import Look
from tgrad.display.numbers import short
from tgrad.display.statistics import Statistics

BARS = " ▁▂▃▄▅▆▇█"
ASCII_BARS = " .:-=+*#@"
BINS = 10
FEWEST = 5
"""Fewer elements than these have no histogram."""


def counts(statistics: Statistics, bins: int) -> list[int]:
    """How many elements of the sample are in each of equally wide bins from the lowest to the highest."""
    low, high = float(statistics.low), float(statistics.high)
    if not low < high or not statistics.sample.size:
        return []
    scaled = statistics.sample / 2 - low / 2  # halves: the whole range may be beyond float64
    places = (scaled * (bins / (high / 2 - low / 2))).clip(0, bins - 1).astype(np.intp)
    found: list[int] = np.bincount(places, minlength=bins).tolist()
    found[0], found[-1] = max(found[0], 1), max(found[-1], 1)  # the sample may lack the ends
    return found


def tiny(statistics: Statistics, look: Look, bins: int = BINS) -> str:
    """The histogram as one character for each bin; a bin with anything in it is seen.

    Empty for so few elements that the range says as much, and where all are equal.
    """
    if statistics.finite < FEWEST:
        return ""
    if statistics.whole and statistics.high - statistics.low < bins:
        bins = int(statistics.high - statistics.low) + 1
    found = counts(statistics, bins)
    if not found:
        return ""
    bars = look.glyph(BARS, ASCII_BARS)
    most, steps = max(found), len(bars) - 1
    left, right = look.glyph("▕", "|"), look.glyph("▏", "|")
    return left + "".join(bars[-(-count * steps // most)] for count in found) + right


def in_words(statistics: Statistics) -> str:
    """Where the middle half of the elements is."""
    low, high = np.percentile(statistics.sample, [25, 75]).tolist()
    return f"half of them from {short(low)} to {short(high)}"
