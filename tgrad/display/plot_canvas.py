"""A canvas of characters: lines as braille dots, points as signs, bars as blocks.

Everything is clipped to the canvas, and what isn't finite is left out: a canvas never fails.
"""

from __future__ import annotations

from typing import Any

import numpy

from tgrad.display.console import Segment

Array = Any

DOTS_ACROSS, DOTS_DOWN = 2, 4
"""A character of braille has so many dots."""

_BITS = numpy.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])

RISING = " ▁▂▃▄▅▆▇█"
GROWING = " ▏▎▍▌▋▊▉█"

BLANK = " "

CHUNK = 20_000
"""Points of a line that are drawn in one go; more would take much memory."""

FAR = 1e9
"""Dots beyond the canvas: further off than this doesn't change what is seen of a line."""


class Canvas:
    """Characters in rows, each in a style; later drawings cover earlier ones."""

    def __init__(self, width: int, height: int, unicode: bool = True) -> None:
        self.width = width
        self.height = height
        self._unicode = unicode
        self._characters = numpy.full((height, width), BLANK, dtype="<U1")
        self._styles = numpy.full((height, width), "plain", dtype=object)

    def put(self, column: int, row: int, sign: str, style: str, only_blank: bool = False) -> None:
        """One character; outside of the canvas nothing happens."""
        if not (0 <= column < self.width and 0 <= row < self.height):
            return
        if only_blank and self._characters[row, column] != BLANK:
            return
        self._characters[row, column] = sign
        self._styles[row, column] = style

    def line(self, x: Array, y: Array, style: str, sign: str = "") -> None:
        """A line through points in parts of the canvas: x from 0 to 1 rightwards, y downwards.

        A value that isn't finite breaks the line.  With `sign` the line is made of it, instead of
        braille dots.
        """
        across, down = (1, 1) if sign else (DOTS_ACROSS, DOTS_DOWN)
        columns, rows = self.width * across, self.height * down
        x, y = _thinned(_within(x, columns), _within(y, rows), columns)
        dots = numpy.zeros((rows, columns), dtype=bool)
        for start in range(0, max(len(x) - 1, 1), CHUNK):
            spots_x, spots_y = _spots(
                x[start : start + CHUNK + 1], y[start : start + CHUNK + 1], columns, rows
            )
            dots[spots_y, spots_x] = True
        self._stamp(dots, across, down, style, sign)

    def points(self, x: Array, y: Array, style: str, sign: str) -> None:
        """A sign at each point, in parts of the canvas."""
        seen = numpy.isfinite(x) & numpy.isfinite(y)
        seen[seen] = (numpy.abs(x[seen] - 0.5) <= 0.5) & (numpy.abs(y[seen] - 0.5) <= 0.5)
        columns = _nearest(_within(x[seen], self.width))
        rows = _nearest(_within(y[seen], self.height))
        dots = numpy.zeros((self.height, self.width), dtype=bool)
        dots[rows, columns] = True
        self._stamp(dots, 1, 1, style, sign)

    def _stamp(self, dots: Array, across: int, down: int, style: str, sign: str) -> None:
        cells = dots.reshape(self.height, down, self.width, across).transpose(0, 2, 1, 3)
        touched = cells.any(axis=(2, 3))
        if sign:
            self._characters[touched] = sign
        else:
            codes = (cells * _BITS).sum(axis=(2, 3)).astype(int)
            before = self._codes()
            merged = numpy.where(before > 0, before | codes, codes)
            self._characters[touched] = [chr(0x2800 + code) for code in merged[touched]]
        self._styles[touched] = style

    def _codes(self) -> Array:
        """The dots that are set in each cell; 0 where there is another sign."""
        points = self._characters.view(numpy.uint32).astype(int).reshape(self._characters.shape)
        return numpy.where((points >= 0x2800) & (points < 0x2900), points - 0x2800, 0)

    def bar(self, left: float, right: float, base: float, top: float, style: str) -> None:
        """A vertical bar; all in parts of the canvas, `base` and `top` downwards."""
        if not numpy.isfinite([left, right, base, top]).all():
            return
        columns = _covered(left, right, self.width)
        upper, lower = (min(max(end, 0.0), 1.0) * self.height for end in sorted((top, base)))
        for row in range(int(upper), min(self.height, int(numpy.ceil(lower)))):
            part = min(row + 1.0, lower) - max(float(row), upper)
            sign = self._part(RISING, part if lower > row + 0.99 else round(part))
            for column in columns if sign != BLANK else ():
                self.put(column, row, sign, style)

    def lying_bar(self, left: float, right: float, upper: float, lower: float, style: str) -> None:
        """A horizontal bar; all in parts of the canvas."""
        if not numpy.isfinite([left, right, upper, lower]).all():
            return
        start, end = (min(max(edge, 0.0), 1.0) * self.width for edge in sorted((left, right)))
        for column in range(int(start), min(self.width, int(numpy.ceil(end)))):
            part = min(column + 1.0, end) - max(float(column), start)
            sign = self._part(GROWING, part if start < column + 0.01 else round(part))
            for row in _covered(min(upper, lower), max(upper, lower), self.height) if sign != BLANK else ():
                self.put(column, row, sign, style)

    def _part(self, blocks: str, part: float) -> str:
        if not self._unicode:
            return "#" if part >= 0.5 else BLANK
        return blocks[round(part * 8)]

    def rows(self) -> list[list[Segment]]:
        """The canvas as lines, neighbours of one style together."""
        lines: list[list[Segment]] = []
        for characters, styles in zip(self._characters.tolist(), self._styles.tolist(), strict=True):
            line: list[Segment] = []
            for sign, style in zip(characters, styles, strict=True):
                style = "plain" if sign == BLANK else style
                if line and line[-1][0] == style:
                    line[-1] = (style, line[-1][1] + sign)
                else:
                    line.append((style, sign))
            lines.append(line)
        return lines


def cell(place: float, count: int) -> int:
    """Which of so many cells has a place from 0 to 1; a tick stands where a line goes through."""
    return int(_nearest(_within(numpy.array(place), count)))


def _nearest(cells: Array) -> Array:
    """The nearest whole numbers; halves go up, so that a line halfway between dots has no gaps."""
    return numpy.floor(cells + 0.5).astype(int)


def _within(places: Array, count: int) -> Array:
    """Places from 0 to 1 as numbers of cells, whole numbers being the middles; others go beyond."""
    cells = places * count - 0.5
    return numpy.where(numpy.abs(places - 0.5) <= 0.5, numpy.clip(cells, 0, count - 1), cells)


def _covered(low: float, high: float, count: int) -> range:
    """The cells that a stretch covers, at least one where it touches the canvas."""
    if high < 0 or low > 1:
        return range(0)
    start = min(max(round(low * count), 0), count - 1)
    return range(start, min(max(round(high * count), start + 1), count))


def _thinned(x: Array, y: Array, columns: int) -> tuple[Array, Array]:
    """A line of many points that runs rightwards, as its first, lowest, highest and last in each column."""
    if len(x) <= 8 * columns or not (numpy.isfinite(x).all() and numpy.isfinite(y).all()):
        return x, y
    places = _nearest(numpy.clip(x, -1, columns))
    steps = numpy.diff(places)
    if (steps < 0).any():
        return x, y
    starts = numpy.append(0, numpy.flatnonzero(steps) + 1)
    ends = numpy.append(starts[1:], len(x)) - 1
    lows, highs = numpy.minimum.reduceat(y, starts), numpy.maximum.reduceat(y, starts)
    return (
        numpy.repeat(places[starts], 4),
        numpy.column_stack([y[starts], lows, highs, y[ends]]).ravel(),
    )


def _spots(x: Array, y: Array, columns: int, rows: int) -> tuple[Array, Array]:
    """The dots of a line, as whole coordinates inside of the canvas."""
    x, y = (numpy.where(numpy.isfinite(z), numpy.clip(z, -FAR, FAR), numpy.nan) for z in (x, y))
    if len(x) == 1:
        x, y = numpy.repeat(x, 2), numpy.repeat(y, 2)
    whole = numpy.isfinite(x) & numpy.isfinite(y)
    both = whole[:-1] & whole[1:]
    alone = whole & ~numpy.r_[both, False] & ~numpy.r_[False, both]
    starts = numpy.column_stack([x[:-1][both], y[:-1][both]])
    ends = numpy.column_stack([x[1:][both], y[1:][both]])
    single = numpy.column_stack([x[alone], y[alone]])
    starts, ends = numpy.concatenate([starts, single]), numpy.concatenate([ends, single])
    starts, ends = _clipped(starts, ends, numpy.array([columns - 1, rows - 1]))
    counts = numpy.ceil(numpy.abs(ends - starts).max(axis=1, initial=0)).astype(int) + 1
    first = numpy.repeat(numpy.cumsum(counts) - counts, counts)
    number = numpy.arange(counts.sum()) - first
    part = (number / numpy.repeat(numpy.maximum(counts - 1, 1), counts))[:, None]
    spots = numpy.repeat(starts, counts, axis=0)
    spots = _nearest(spots + part * (numpy.repeat(ends, counts, axis=0) - spots))
    return spots[:, 0], spots[:, 1]


def _clipped(starts: Array, ends: Array, size: Array) -> tuple[Array, Array]:
    """The parts of line segments inside of a rectangle from (0, 0), by Liang and Barsky's method."""
    step = ends - starts
    with numpy.errstate(divide="ignore", invalid="ignore", over="ignore"):
        low, high = -starts / step, (size - starts) / step
    enter, leave = numpy.minimum(low, high), numpy.maximum(low, high)
    still = step == 0
    inside = ((starts >= 0) & (starts <= size)) | ~still
    enter = numpy.where(still, 0.0, enter).max(axis=1, initial=0.0)[:, None]
    leave = numpy.where(still, 1.0, leave).min(axis=1, initial=1.0)[:, None]
    seen = (enter <= leave)[:, 0] & inside.all(axis=1)
    clipped = starts + enter * step, starts + leave * step
    return (
        numpy.clip(clipped[0][seen], 0, size),
        numpy.clip(clipped[1][seen], 0, size),
    )
