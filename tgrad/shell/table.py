"""Tables of text that fit the console: what doesn't fit beside the rest goes below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tgrad.display.console import Console, Segment

GAP = 2
Row = Sequence[str]


def draw(console: Console, head: Row, rows: Sequence[Row], right: str = "") -> None:
    """Draw a table.

    `right` names the columns that are aligned to the right.  Where the console is too narrow, the
    last columns go to lines of their own below each row.
    """
    console.draw(lines(console.width, head, rows, right.split()))


def lines(width: int, head: Row, rows: Sequence[Row], right: Sequence[str] = ()) -> list[list[Segment]]:
    """The table in styled lines; a column with nothing in it is left out."""
    from tgrad.display.cells import text_width

    filled = [column for column in range(len(head)) if any(row[column] for row in rows)]
    head = [head[column] for column in filled]
    rows = [[row[column] for column in filled] for row in rows]
    widths = [max(text_width(row[column]) for row in (head, *rows)) for column in range(len(head))]
    beside = len(head)
    while beside > 2 and sum(widths[:beside]) + GAP * (beside - 1) > width:
        beside -= 1
    found = [_line("title", head[:beside], head, widths, right)]
    for row in rows:
        found.append(_line("", row[:beside], head, widths, right))
        below = [f"{head[i]} {row[i]}".strip() for i in range(beside, len(head)) if row[i]]
        found += [[("title", line)] for line in wrapped(below, width)]
    return [clipped(line, width) for line in found]


def _line(style: str, cells: Row, head: Row, widths: Sequence[int], right: Sequence[str]) -> list[Segment]:
    from tgrad.display.cells import text_width

    found: list[Segment] = []
    for index, text in enumerate(cells):
        space = " " * (widths[index] - text_width(text))
        padded = space + text if head[index] in right else text + space
        found.append((style or ("name" if index == 0 else "value"), padded + " " * GAP))
    while found and not found[-1][1].strip():
        found.pop()
    name, text = found[-1]
    return [*found[:-1], (name, text.rstrip())]


def wrapped(parts: Sequence[str], width: int, indent: str = "  ") -> list[str]:
    """Pieces of text in lines no wider than `width`, with commas between them."""
    found: list[str] = []
    for part in parts:
        if found and len(found[-1]) + 2 + len(part) <= width:
            found[-1] += ", " + part
        else:
            found.append(indent + part)
    return found


def clipped(line: list[Segment], width: int) -> list[Segment]:
    """A line that ends with dots where it is too long."""
    if sum(len(text) for _, text in line) <= width:
        return line
    kept: list[Segment] = []
    room = width - 3
    for style, text in line:
        kept.append((style, text[:room]))
        room -= len(text)
        if room <= 0:
            break
    return [*kept, ("title", "...")]


def time_text(seconds: float) -> str:
    """A time for people: `85 ns`, `1.20 us`, `3.4 s`.  ASCII, so that every terminal has it."""
    for unit, factor in (("ns", 1e9), ("us", 1e6), ("ms", 1e3)):
        if seconds * factor < 999.5:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"
