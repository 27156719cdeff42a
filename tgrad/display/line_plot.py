"""A row of numbers as a line: in braille dots, or in stars where there are none."""

from __future__ import annotations

from math import isnan

import numpy as np

from tgrad.display.console import Segment
from tgrad.display.look import Look
from tgrad.display.numbers import short
from tgrad.display.sampling import Envelope, envelope
from tgrad.display.statistics import Array, Statistics

Row = list[Segment]

MOST_ROWS = 10
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of a braille character's dots, by row and column."""
BLANK = 0x2800
"""The braille character without dots; a blank is written instead, which is in every font."""


def line_plot(array: Array, seen: Statistics, look: Look) -> list[Row]:
    """One dimension drawn over its indices, with the range at the left and the indices below."""
    low, high = float(seen.low), float(seen.high)
    rows = max(3, min(MOST_ROWS, look.height - 8))
    labels = _labels(low, high, rows)
    gutter = max(map(len, labels)) + 2
    across, down = (2, 4) if look.unicode else (1, 1)
    columns = max(8, look.width - gutter - 1)
    found = envelope(array, columns * across)
    canvas = _canvas(found, low, high, rows * down, columns * across, array.size)
    drawn = _braille(canvas) if look.unicode else ["".join(" *"[dot] for dot in row) for row in canvas]
    lines: list[Row] = []
    for label, text in zip(labels, drawn, strict=True):
        edge = look.glyph("┤", "|") if label else look.glyph("│", "|")
        line: Row = [("index", f"{label:>{gutter - 1}}{edge}")]
        if text.strip():
            line.append(("histogram", text.rstrip()))
        lines.append(line)
    if found.marked.any():
        lines.append(_marks(found.marked, array.size, gutter, columns, look))
    first, last = "0", str(array.size - 1)
    axis = look.glyph("╰", "+") + look.glyph("─", "-") * columns
    return [
        *lines,
        [("index", " " * (gutter - 1) + axis)],
        [("index", f"{' ' * gutter}{first}{last:>{columns - len(first)}}")],
    ]


def _labels(low: float, high: float, rows: int) -> list[str]:
    """What stands at the left: the highest, the lowest, and 0 where it has a row of its own."""
    labels = [""] * rows
    if low < 0 < high:
        labels[round(high / 2 / (high / 2 - low / 2) * (rows - 1))] = "0"
    labels[0], labels[-1] = short(high), short(low)
    if low == high:
        labels = [""] * rows
        labels[rows // 2] = short(low)
    return labels


def _column(piece: int, pieces: int, columns: int) -> int:
    """Where a piece is drawn; the first at the left end, the last at the right."""
    return piece * (columns - 1) // (pieces - 1) if pieces > 1 else 0


def _canvas(found: Envelope, low: float, high: float, rows: int, columns: int, count: int) -> Array:
    """The dots: each piece from its lowest to its highest, joined with the next one by a line."""
    canvas = np.zeros((rows, columns), int)
    reach = high / 2 - low / 2
    pieces = len(found.low)

    def height(value: float) -> int:
        return rows // 2 if not reach else round((high / 2 - value / 2) / reach * (rows - 1))

    before: tuple[int, int, int] | None = None
    for piece in range(pieces):
        if isnan(found.low[piece]):
            before = None
            continue
        x = _column(piece, pieces, columns)
        top, bottom = height(found.high[piece]), height(found.low[piece])
        canvas[top : bottom + 1, x] = 1
        if before is not None and not found.marked[piece - 1 : piece + 1].any():
            _join(canvas, before, (x, top, bottom))
        before = (x, top, bottom)
    return canvas


def _join(canvas: Array, left: tuple[int, int, int], right: tuple[int, int, int]) -> None:
    """A line between two stretches (column, top, bottom), where these don't overlap."""
    (x, top, bottom), (end, end_top, end_bottom) = left, right
    start_y = bottom if end_top > bottom else top if end_bottom < top else max(top, end_top)
    end_y = end_top if end_top > bottom else end_bottom if end_bottom < top else start_y
    steps = max(abs(end - x), abs(end_y - start_y), 1)
    for step in range(1, steps):
        row = start_y + round((end_y - start_y) * step / steps)
        canvas[row, x + round((end - x) * step / steps)] = 1


def _braille(canvas: Array) -> list[str]:
    """Four rows and two columns of dots in each character."""
    rows, columns = canvas.shape[0] // 4, canvas.shape[1] // 2
    blocks = canvas.reshape(rows, 4, columns, 2)
    codes = BLANK + np.einsum("rdcs,ds->rc", blocks, np.array(DOTS))
    codes[codes == BLANK] = ord(" ")
    return ["".join(map(chr, row)) for row in codes.tolist()]


def _marks(marked: Array, count: int, gutter: int, columns: int, look: Look) -> Row:
    """A cross below each column with elements that aren't finite."""
    below = [" "] * columns
    across = 2 if look.unicode else 1
    for piece in np.flatnonzero(marked).tolist():
        below[_column(piece, len(marked), columns * across) // across] = look.glyph("×", "x")
    return [("index", " " * (gutter - 1) + look.glyph("│", "|")), ("wrong", "".join(below).rstrip())]
