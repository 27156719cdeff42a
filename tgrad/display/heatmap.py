"""A matrix as a picture: two pixels in a half block, or a sign for each where colours are few."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tgrad.display.console import Segment
from tgrad.display.look import Look
from tgrad.display.numbers import short
from tgrad.display.palette import Scale, scale_of, shades, signs
from tgrad.display.sampling import Reduced, block_means
from tgrad.display.statistics import Array

Row = list[Segment]

LARGEST_PIXEL = 4
"""Small matrices are drawn with pixels of up to so many columns."""

NOT_FINITE = "bold magenta"
MOST_UNEQUAL = 4
"""A matrix whose sides differ by more is stretched to the space that there is."""
LEGEND = 16
"""Columns of the legend's bar."""


def half_blocks(look: Look) -> bool:
    """Does the terminal show enough colours for a picture of half blocks?"""
    return look.unicode and look.color >= 256


class Canvas:
    """How a matrix of some size is brought into a space of some columns and lines."""

    def __init__(self, shape: tuple[int, ...], width: int, lines: int, look: Look) -> None:
        self._half = half_blocks(look)
        self._down = 2 if self._half else 1
        self._across = 1
        self.block = self._block(shape, width, lines * self._down)
        """How many rows and columns of the matrix a pixel stands for."""
        self.rows, self.columns = (-(-size // b) for size, b in zip(shape, self.block, strict=True))
        self.repeat = 1
        if self.block == (1, 1):
            self._enlarge(width, lines)
        self.width = self.columns * self._across
        self.lines = -(-self.rows * self.repeat // self._down)

    def _block(self, shape: tuple[int, ...], width: int, height: int) -> tuple[int, int]:
        """The block for a pixel.

        Where neither side is much longer than the other, the picture keeps their ratio; a sign is
        half as wide as it is high, and a half block is square.
        """
        rows, columns = shape
        down, across = -(-rows // height), -(-columns // width)
        if (down, across) == (1, 1) or max(rows, columns) > MOST_UNEQUAL * min(rows, columns):
            return down, across
        ratio = 1 if self._half else 2
        down = max(down, across * ratio)
        return down, max(across, down // ratio)

    def _enlarge(self, width: int, lines: int) -> None:
        """Draw a small matrix with large pixels, which are square."""
        square = 1 if self._half else 2
        large = min(width // (square * self.columns), lines * self._down // self.rows)
        if large:
            self.repeat = min(large, LARGEST_PIXEL if self._half else LARGEST_PIXEL // 2)
            self._across = square * self.repeat

    def notes(self, look: Look) -> list[str]:
        """What a pixel stands for where it isn't one element."""
        down, across = self.block
        return [] if down == across == 1 else [f"each cell the mean of {down}{look.glyph('×', 'x')}{across}"]

    def reduce(self, matrix: Array) -> Reduced:
        """The matrix as the pixels that there is room for."""
        return block_means(matrix, *self.block)

    def draw(self, pixels: Reduced, scale: Scale, look: Look) -> list[Row]:
        """The lines of the picture, each `width` columns wide."""
        if self._half:
            return list(self._blocks(pixels, scale, look))
        return list(self._signs(pixels, scale, look))

    def _blocks(self, pixels: Reduced, scale: Scale, look: Look) -> Iterator[Row]:
        colors = shades(scale, look)
        levels = scale.levels(pixels.means, len(colors))
        marked = pixels.marked.tolist()
        tall = [row for row in range(len(levels)) for _ in range(self.repeat)]
        for first, second in zip(tall[::2], [*tall[1::2], None], strict=False):
            row: Row = []
            for column in range(self.columns):
                bad = marked[first][column] or (second is not None and marked[second][column])
                top = colors[levels[first][column]]
                if bad:
                    style, sign = NOT_FINITE, look.glyph("×", "x")
                elif second is None:
                    style, sign = top, "▀"
                else:
                    style, sign = f"{top} on {colors[levels[second][column]]}", "▀"
                _append(row, style, sign * self._across)
            yield row

    def _signs(self, pixels: Reduced, scale: Scale, look: Look) -> Iterator[Row]:
        ramp = signs(scale, look)
        levels = scale.levels(pixels.means, len(ramp))
        for line, marks in zip(levels, pixels.marked.tolist(), strict=True):
            row: Row = []
            for level, bad in zip(line, marks, strict=True):
                style, sign = ("wrong", look.glyph("×", "x")) if bad else ramp[level]
                _append(row, style, sign * self._across)
            yield from [row] * self.repeat


def _append(row: Row, style: str, text: str) -> None:
    if row and row[-1][0] == style:
        row[-1] = (style, row[-1][1] + text)
    else:
        row.append((style, text))


def heat_map(matrix: Array, look: Look, lines: int) -> list[Row]:
    """One matrix with its legend."""
    canvas = Canvas(matrix.shape, look.width, lines, look)
    pixels = canvas.reduce(matrix)
    scale = scale_of([pixels.means])
    legends = legend(scale, look, bool(pixels.marked.any()), canvas.notes(look))
    return [*canvas.draw(pixels, scale, look), *legends]


def legend(scale: Scale, look: Look, marked: bool, notes: list[str]) -> list[Row]:
    """The range as a bar of its colours, what crosses mean, and notes."""
    row: Row = [("index", f"{short(scale.low)} "), *_bar(scale, look), ("index", f" {short(scale.high)}")]
    rows = [row]
    crosses = [f"{look.glyph('×', 'x')} NaN or Inf"] if marked else []
    for note in [*notes, *crosses]:
        text = f"   {note}"
        if sum(len(each) for _, each in rows[-1]) + len(text) > look.width:
            rows.append([])
            text = note
        rows[-1].append(("index", text))
    return rows


def _bar(scale: Scale, look: Look) -> Row:
    row: Row = []
    values = np.linspace(scale.low, scale.high, LEGEND)
    if half_blocks(look):
        colors = shades(scale, look)
        for level in scale.levels(values, len(colors)):
            _append(row, colors[level], "█")
        return row
    ramp = signs(scale, look)
    edge = "" if look.color and look.unicode else "|"
    _append(row, "index", edge)
    for level in scale.levels(values, len(ramp)):
        _append(row, *ramp[level])
    _append(row, "index", edge)
    return [segment for segment in row if segment[1]]
