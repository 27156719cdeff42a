"""The axes of a plot in the terminal: limits, round ticks and their labels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, isfinite, log10
from typing import Any

import numpy

from tgrad.display.plot_data import Panel, Ticks

Array = Any


@dataclass(frozen=True, slots=True)
class Scale:
    """How the values of one axis become places from 0 to 1."""

    low: float
    high: float
    """The ends; of a logarithmic scale, their logarithms."""
    log: bool = False

    def places(self, values: Array) -> Array:
        """Where values lie between the ends; NaN for what has no place."""
        values = numpy.asarray(values, float)
        with numpy.errstate(all="ignore"):
            if self.log:
                values = numpy.where(values > 0, numpy.log10(numpy.where(values > 0, values, 1)), numpy.nan)
            places = (values / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return numpy.where(numpy.isfinite(places), places, numpy.nan)


def x_scale(panel: Panel) -> Scale:
    """The scale of the horizontal axis."""
    found = [part for each in panel.series for part in (each.x, each.x_end) if part is not None]
    found += [numpy.array([rule.position]) for rule in panel.rules if rule.vertical]
    return _scale(found, panel.x_limits, panel.x_log)


def y_scale(panel: Panel) -> Scale:
    """The scale of the vertical axis."""
    found = [part for each in panel.series for part in (each.y, each.y_end) if part is not None]
    found += [numpy.array([rule.position]) for rule in panel.rules if not rule.vertical]
    return _scale(found, panel.y_limits, panel.y_log)


def _scale(found: list[Array], limits: tuple[float | None, float | None], log: bool) -> Scale:
    values = numpy.concatenate([numpy.ravel(part) for part in found]) if found else numpy.array([])
    values = values[numpy.isfinite(values) & ((values > 0) | (not log))]
    if log:
        values = numpy.log10(values)
        limits = tuple(None if end is None or end <= 0 else log10(end) for end in limits)  # type: ignore[assignment]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    low = low if limits[0] is None or not isfinite(limits[0]) else limits[0]
    high = high if limits[1] is None or not isfinite(limits[1]) else limits[1]
    if low == high:
        margin = abs(low) * 0.05 or 0.5
        low, high = low - margin, high + margin
    return Scale(low, high, log)


def ticks(scale: Scale, most: int, given: Ticks | None) -> list[tuple[float, str]]:
    """Places from 0 to 1 and labels of at most so many ticks, or of the ones that were asked for."""
    if given is not None:
        positions, names = given
        labels = names or _labels(positions)
        pairs = zip(scale.places(positions).tolist(), labels, strict=False)
        return [(place, label) for place, label in pairs if -0.001 <= place <= 1.001]
    if scale.log:
        return _decades(scale, most)
    positions = round_positions(scale.low, scale.high, most)
    return list(zip(scale.places(positions).tolist(), _labels(positions), strict=True))


def round_positions(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten between two ends, at most so many."""
    low, high = min(low, high), max(low, high)
    span = high / max(most, 1) - low / max(most, 1)
    if not isfinite(span) or span <= 0:
        return [low]
    power = floor(log10(span))
    for factor in (1, 2, 5, 10, 20, 50):
        step = factor * 10.0**power
        if not step or not isfinite(step):
            break
        first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
        if last - first + 1 <= most:
            digits = max(0, -floor(log10(step)))
            return [round(number * step, digits) + 0.0 for number in range(first, last + 1)]
    return [low]


def _labels(positions: list[float]) -> list[str]:
    """Equally many digits after the point for all, or exponents where these are shorter."""
    gaps = [abs(b - a) for a, b in pairwise(positions) if b != a]
    step = min(gaps, default=abs(positions[0]) if positions else 1.0) or 1.0
    digits = max(0, -floor(log10(step) + 1e-9))
    while digits < 4 and any(abs(round(each, digits) - each) > 1e-3 * step for each in positions):
        digits += 1
    largest = max(map(abs, positions), default=0.0)
    if digits > 4 or largest >= 1e6:
        return [_exponent(f"{position:.6g}") for position in positions]
    return [f"{position + 0.0:.{digits}f}" for position in positions]


def _exponent(text: str) -> str:
    digits, mark, power = text.partition("e")
    return f"{digits}e{int(power)}" if mark else text


def _decades(scale: Scale, most: int) -> list[tuple[float, str]]:
    low, high = min(scale.low, scale.high), max(scale.low, scale.high)
    first, last = ceil(low - 1e-9), floor(high + 1e-9)
    if last - first < 1:  # less than a decade apart: 1, 2, 5
        powers = range(floor(low), ceil(high) + 1)
        values = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
        values = [value for value in values if low - 1e-9 <= log10(value) <= high + 1e-9]
    else:
        step = max(1, ceil((last - first + 1) / max(most, 1)))
        values = [10.0**power for power in range(first, last + 1, step)]
    return [(float(scale.places([value])[0]), _exponent(f"{value:g}")) for value in values]
