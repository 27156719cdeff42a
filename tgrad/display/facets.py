"""An array of more than two dimensions as small pictures of its matrices, all on one scale."""

from __future__ import annotations

from itertools import islice, product
from math import prod

from tgrad.display.console import Segment
from tgrad.display.heatmap import Canvas, legend
from tgrad.display.look import Look
from tgrad.display.palette import scale_of
from tgrad.display.statistics import Array

Row = list[Segment]

GAP = 2
WEIGHT = 0.85
"""Twice as many pictures count for almost as much as pictures of twice as many pixels."""


def facets(array: Array, look: Look, lines: int) -> list[Row]:
    """Pictures of `array[i]` or `array[i, j]`, side by side and below each other, with a legend.

    Four dimensions keep their order: the first goes down, the second across.
    """
    outer, inner = array.shape[:-2], array.shape[-2:]
    across, down, canvas = _arrangement(outer, inner, look, lines)
    indices = list(islice(product(*map(range, outer)), across * down))
    pixels = [canvas.reduce(array[index]) for index in indices]
    scale = scale_of([each.means for each in pixels])
    cell = _cell(canvas, outer, across)
    rows: list[Row] = []
    for start in range(0, len(indices), across):
        titles = [_title(index).ljust(cell + GAP) for index in indices[start : start + across]]
        pictures = [canvas.draw(each, scale, look) for each in pixels[start : start + across]]
        rows.append([("index", "".join(titles).rstrip())])
        rows += [_beside(list(parts), canvas.width, cell) for parts in zip(*pictures, strict=True)]
    notes = canvas.notes(look)
    if (hidden := prod(outer) - len(indices)) > 0:
        notes.append(f"{hidden:,} more not shown")
    marked = any(each.marked.any() for each in pixels)
    return [*rows, *legend(scale, look, marked, notes)]


def _title(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]"


def _cell(canvas: Canvas, outer: tuple[int, ...], across: int) -> int:
    """Columns for each picture: as many as its title needs at least."""
    return max(canvas.width, len(_title(tuple(size - 1 for size in outer))) if across > 1 else 0)


def _arrangement(
    outer: tuple[int, ...], inner: tuple[int, ...], look: Look, lines: int
) -> tuple[int, int, Canvas]:
    """How many pictures stand side by side, how many below each other, and how large they are.

    Many pictures and large ones are both good, and all of them are better still; of all
    arrangements the best compromise is taken.
    """
    count = prod(outer)
    title = len(_title(tuple(size - 1 for size in outer)))
    most = max(1, min(count, (look.width + GAP) // (title + GAP)))
    choices = range(1, most + 1)
    if len(outer) == 2 and outer[1] <= most:
        choices = range(outer[1], outer[1] + 1)
    best, found = (-1.0, 0), (1, 1, Canvas(inner, look.width, max(1, lines - 1), look))
    for across in choices:
        width = (look.width - GAP * (across - 1)) // across
        for down in range(1, max(1, min(-(-count // across), lines // 2)) + 1):
            canvas = Canvas(inner, width, max(1, lines // down - 1), look)
            pixels = canvas.rows * canvas.columns * canvas.repeat
            bonus = 2 if across * down >= count else 1
            score = (bonus * min(count, across * down) ** WEIGHT * pixels, -down * canvas.lines)
            if score > best:
                best, found = score, (across, down, canvas)
    return found


def _beside(pictures: list[Row], width: int, cell: int) -> Row:
    row: Row = []
    for number, picture in enumerate(pictures):
        if number:
            row.append(("plain", " " * (cell - width + GAP)))
        row += picture
    return row
