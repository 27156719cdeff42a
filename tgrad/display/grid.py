"""The elements of an array in aligned columns, cut evenly over the axes to what fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

import numpy as np

from tgrad.display.console import Segment
from tgrad.display.look import Look
from tgrad.display.numbers import cells
from tgrad.display.statistics import Array

Row = list[Segment]

INDENT = 2
GAP = 2
MOST_FLAT_LINES = 8
"""One dimension is shown on so many lines at most."""


def grid(array: Array, look: Look, lines: int) -> list[Row]:
    """The rows of an array, none wider than `look.width`, on about `lines` lines; none if it is empty."""
    if not array.size:
        return []
    if array.ndim == 0:
        return [_row([(" " * INDENT, "plain"), _styled(_numbers(array)[0], cells(_numbers(array))[0])])]
    if array.ndim == 1:
        return _flat(array, look, max(1, min(lines, MOST_FLAT_LINES)))
    return _Table(array, look, max(1, lines)).rows()


def _numbers(array: Array) -> list[Any]:
    """The elements as Python's numbers."""
    if array.dtype.kind not in "biufc":  # bfloat16, whose elements aren't Python's
        array = array.astype(np.float32)
    found: list[Any] = array.reshape(-1).tolist()
    return found


def _styled(value: Any, text: str) -> tuple[str, str]:
    if isinstance(value, (int, bool)):
        return text, "number" if value else "zero"
    fine = isfinite(abs(value))
    return text, ("number" if value else "zero") if fine else "wrong"


def _row(pieces: Sequence[tuple[str, str]]) -> Row:
    """Pieces of text with their styles as segments; neighbours of one style are joined."""
    row: Row = []
    for text, style in pieces:
        if not text:
            continue
        blank = not text.strip()
        if row and (row[-1][0] == style or blank):
            row[-1] = (row[-1][0], row[-1][1] + text)
        else:
            row.append(("plain" if blank else style, text))
    while row and not row[-1][1].strip():
        row.pop()
    if row:
        row[-1] = (row[-1][0], row[-1][1].rstrip())
    return row


def _flat(array: Array, look: Look, lines: int) -> list[Row]:
    """One dimension, broken into lines that begin with the index of their first element."""
    count = array.size
    per_line = max(1, (look.width - INDENT) // (1 + GAP))
    while True:
        starts = list(range(0, count, per_line)) if count <= per_line * lines else []
        if not starts:
            last = (count - 1) // per_line
            starts = [i * per_line for i in _picked(last + 1, max(lines - 1, 1)) if i is not None]
        pieces = [array[start : start + per_line] for start in starts]
        values = _numbers(np.concatenate(pieces))
        texts = cells(values, look.precision)
        wide = len(texts[0]) + GAP
        gutter = 0 if len(starts) == 1 and count <= per_line else len(f"[{starts[-1]}]") + INDENT - GAP
        room = look.width - max(gutter, 0) - (INDENT - GAP)
        fits = max(1, room // wide)
        fits = fits // 10 * 10 if fits >= 10 else 5 if fits >= 5 else fits
        if count <= room // wide:
            fits = room // wide
        if fits >= per_line:
            break
        per_line = fits
    rows = []
    place = 0
    for number, (start, piece) in enumerate(zip(starts, pieces, strict=True)):
        if number and start != starts[number - 1] + per_line:
            rows.append([("index", f"{look.glyph('⋮', ':'):>{max(gutter, INDENT + 1)}}")])
        label = f"[{start}]" if gutter else ""
        line = [(f"{label:>{gutter}}", "index")]
        for i in range(place, place + piece.size):
            line += [(" " * GAP, "plain"), _styled(values[i], texts[i])]
        place += piece.size
        rows.append(_row(line))
    return rows


def _picked(size: int, count: int) -> list[int | None]:
    """`count` of the indices of an axis, half at each end; None stands for what is left out."""
    if size <= count:
        return list(range(size))
    head, tail = (count + 1) // 2, count // 2
    return [*range(head), None, *range(size - tail, size)]


def balanced(shape: Sequence[int], lines: int) -> list[int]:
    """How many indices of each axis but the last to show so that all fits on `lines` lines.

    The axis of which most is shown is cut first, so what is left is spread evenly.
    """
    counts = [min(size, lines) for size in shape]
    while _lines(shape, counts) > lines and max(counts) > 1:
        # Where two axes show equally many, the outer one is cut, since its slices take more lines; but
        # both its ends stay to be seen as long as an inner axis has more than one.
        most = max(counts)
        axes = [axis for axis, count in enumerate(counts) if count == most]
        counts[axes[0 if most > 2 else -1]] -= 1
    for axis, size in enumerate(shape):  # cutting a whole slice may have left room
        while counts[axis] < size and _lines(shape, _one_more(counts, axis)) <= lines:
            counts = _one_more(counts, axis)
    return counts


def _one_more(counts: list[int], axis: int) -> list[int]:
    return [count + (place == axis) for place, count in enumerate(counts)]


def _lines(shape: Sequence[int], counts: Sequence[int]) -> int:
    """The lines that are needed for so many indices of each axis."""
    needed = 0
    for axis in reversed(range(len(shape))):
        each = 1 if axis == len(shape) - 1 else needed + (axis == len(shape) - 2)
        needed = counts[axis] * each + (counts[axis] < shape[axis])
    return needed


class _Table:
    """An array of two dimensions or more: slices below each other, each a table."""

    def __init__(self, array: Array, look: Look, lines: int) -> None:
        self._look = look
        self._gap: Row = [("index", f"{' ' * INDENT}{look.glyph('⋮', ':')}")]
        *outer, self._width = array.shape
        self._labelled = array.shape[-2] > lines or look.width < INDENT + self._width * (1 + GAP)
        counts = balanced(outer, max(1, lines - self._labelled))
        self._axes = [_picked(size, count) for size, count in zip(outer, counts, strict=True)]
        self._labelled = self._labelled or None in self._axes[-1]
        digits = len(str(array.shape[-2] - 1))
        self._gutter = INDENT + digits if self._labelled else INDENT - GAP
        self._choose_columns(array)

    def _choose_columns(self, array: Array) -> None:
        """Take as many columns as fit, which depends on how wide the numbers in them are."""
        most = max(1, (self._look.width - self._gutter) // (1 + GAP))
        while True:
            columns = _picked(self._width, most)
            cut = None in columns
            if cut and not self._labelled:
                self._labelled, self._gutter = True, INDENT + len(str(array.shape[-2] - 1))
            kept = [[i for i in axis if i is not None] for axis in [*self._axes, columns]]
            values = _numbers(array[np.ix_(*kept)])
            texts = cells(values, self._look.precision)
            cell = max(len(texts[0]), len(str(self._width - 1)) if self._labelled else 0)
            gap = GAP + len(self._look.glyph("⋯", "..")) if cut else 0
            fits = (self._look.width - self._gutter - gap) // (cell + GAP)
            if len(kept[-1]) <= fits or most == 1:
                break
            most = max(1, min(most - 1, fits))
        self._columns, self._cell = columns, cell
        self._cells = iter(list(zip(values, texts, strict=True)))

    def rows(self) -> list[Row]:
        """All lines."""
        rows: list[Row] = []
        for row in self._slices((), self._axes):
            if not (rows and row == rows[-1] == self._gap):  # one mark for several axes that end here
                rows.append(row)
        if self._labelled and None in self._columns:
            rows.insert(0, self._column_numbers())
        return rows

    def _column_numbers(self) -> Row:
        pieces = [(" " * self._gutter, "plain")]
        for column in self._columns:
            text = self._look.glyph("⋯", "..") if column is None else str(column).rjust(self._cell)
            pieces.append((" " * GAP + text, "index"))
        return _row(pieces)

    def _slices(self, index: tuple[int, ...], axes: Sequence[list[int | None]]) -> Iterator[Row]:
        if len(axes) == 1:
            if index:
                yield [("index", f"{' ' * INDENT}[{', '.join(map(str, index))}]")]
            for number in axes[0]:
                yield self._row(number)
            return
        for number in axes[0]:
            if number is None:
                yield self._gap
            else:
                yield from self._slices((*index, number), axes[1:])

    def _row(self, number: int | None) -> Row:
        look = self._look
        label = look.glyph("⋮", ":") if number is None else str(number)
        pieces = [(label.rjust(self._gutter) if self._labelled else " " * self._gutter, "index")]
        for column in self._columns:
            pieces.append((" " * GAP, "plain"))
            if number is None:
                sign = look.glyph("⋱", "..") if column is None else look.glyph("⋮", ":")
                pieces.append((sign if column is None else sign.rjust(self._cell), "index"))
            elif column is None:
                pieces.append((look.glyph("⋯", ".."), "index"))
            else:
                value, text = next(self._cells)
                text, style = _styled(value, text)
                pieces.append((text.rjust(self._cell), style))
        return _row(pieces)
