"""How wide text is on a terminal, and the part of a line that fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

TAB = 4
"""Tab stops in shown source lines are this far apart."""

ELLIPSIS = "..."


class Line(NamedTuple):
    """A source line laid out in cells; `starts[i]` is the column of character `i`."""

    pieces: tuple[str, ...]
    starts: tuple[int, ...]
    """One more than there are pieces: the last is the width of the whole."""

    def column(self, character: int) -> int:
        """The cell column at which a character stands; beyond the end, as if blanks followed."""
        last = len(self.pieces)
        if character <= last:
            return self.starts[character]
        return self.starts[last] + character - last

    @property
    def width(self) -> int:
        """The number of cells of the whole line."""
        return self.starts[-1]


def lay_out(text: str) -> Line:
    """Lay a source line out: tabs become blanks, control characters a visible mark."""
    if text.isascii() and text.isprintable():
        return Line(tuple(text), tuple(range(len(text) + 1)))
    pieces: list[str] = []
    starts = [0]
    joined = False
    for character in text:
        if character == "\t":
            piece = " " * (TAB - starts[-1] % TAB)
            cells = len(piece)
        elif ord(character) < 32 or 127 <= ord(character) < 160:
            piece, cells = "?", 1
        else:
            piece, cells = character, 0 if joined else _cells(character)
        joined = character == "\N{ZERO WIDTH JOINER}"
        if character == "\N{VARIATION SELECTOR-16}" and len(starts) > 1:
            cells = max(0, 2 - (starts[-1] - starts[-2]))  # an emoji in place of a narrow sign
        pieces.append(piece)
        starts.append(starts[-1] + cells)
    return Line(tuple(pieces), tuple(starts))


def text_width(text: str) -> int:
    """The number of cells that a text takes."""
    return lay_out(text).width


def clip(text: str, width: int) -> str:
    """A text, cut at its end if it is wider than `width` cells."""
    line = lay_out(text)
    if line.width <= width:
        return "".join(line.pieces)
    end = 0
    while line.column(end + 1) <= width - len(ELLIPSIS):
        end += 1
    return "".join(line.pieces[:end]) + ELLIPSIS


def window(line: Line, focus: Sequence[tuple[int, int]], width: int) -> tuple[int, int]:
    """The characters [start, end) of a line to show so that they fit into `width` cells.

    `focus` are stretches of characters that should be seen, the most important first.  Room for the
    ellipses at a cut end is left.
    """
    count = len(line.pieces)
    if line.width <= width:
        return 0, count
    start, end = _clip(focus[0] if focus else (0, 0), count)
    room = max(width - 2 * len(ELLIPSIS), 1)
    for low, high in focus[1:]:
        low, high = _clip((min(low, start), max(high, end)), count)
        if line.column(high) - line.column(low) <= room:
            start, end = low, high
    while end > start + 1 and line.column(end) - line.column(start) > room:
        end -= 1
    grew = True
    while grew:
        grew = False
        if start > 0 and line.column(end) - line.column(start - 1) <= room:
            start, grew = start - 1, True
        if end < count and line.column(end + 1) - line.column(start) <= room:
            end, grew = end + 1, True
    return start, end


def _clip(stretch: tuple[int, int], count: int) -> tuple[int, int]:
    return min(stretch[0], count), min(stretch[1], count)


def _cells(character: str) -> int:
    if character < "\u0300":
        return 0 if character == "\N{SOFT HYPHEN}" else 1
    import unicodedata

    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
