"""`show(x)`: what a value looks like, as numbers, a line, a heat map, or several."""

from __future__ import annotations

from typing import Any

import numpy as np

from tgrad.core.tensor import Tensor
from tgrad.display.console import Console, Segment, Stream
from tgrad.display.facets import facets
from tgrad.display.header import flags, type_text, value_facts, wrapped
from tgrad.display.heatmap import heat_map
from tgrad.display.line_plot import line_plot
from tgrad.display.look import Look
from tgrad.display.numbers import short
from tgrad.display.statistics import Array, Statistics, statistics
from tgrad.display.values import array_of, is_array, lines_of

Row = list[Segment]

FEW_IN_A_ROW, FEW = 8, 36
"""Up to so many numbers, in one dimension or in all, are shown as numbers."""

LINES_AROUND = 6
MOST_LINES = 30


def picture(value: Any, look: Look, name: str | None = None) -> list[Row]:
    """The lines that `show` writes for a value."""
    if isinstance(value, (list, tuple)):
        numbers = _numbers(value)
        if numbers is not None and not _is_small(numbers):
            value = numbers
        elif value and all(is_array(part) for part in value):
            inner = look.within(look.width, max(look.height // len(value), 10))
            pictures = [picture(part, inner, f"{name or ''}[{i}]") for i, part in enumerate(value)]
            return [row for rows in pictures for row in rows]
    if not is_array(value):
        return lines_of(value, look, name)
    array = array_of(value)
    seen = statistics(array)
    if _is_small(array) or seen.constant or not seen.finite or look.plain:
        detached = value.detach() if isinstance(value, Tensor) else value
        return [*lines_of(detached, look, name), *(_extremes(array, seen, look) if look.plain else [])]
    return [*_title(value, seen, look, name), *_draw(array, seen, look)]


def _numbers(value: Any) -> Array | None:
    """A list of numbers, or of equally long lists of them, as an array."""
    if not value or any(is_array(part) for part in value):
        return None
    try:
        array = np.asarray(value)
    except ValueError:  # lists of different lengths
        return None
    return array if array.dtype.kind in "biufc" else None


def _is_small(array: Array) -> bool:
    return array.size <= (FEW_IN_A_ROW if array.ndim <= 1 else FEW)


def _title(value: Any, seen: Statistics, look: Look, name: str | None) -> list[Row]:
    first: Row = [("name", name), ("plain", "  ")] if name else []
    first.append(("type", type_text(value)))
    return wrapped([first, *value_facts(seen, value, look), *flags(seen, value)], look)


def _draw(array: Array, seen: Statistics, look: Look) -> list[Row]:
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    lines = max(4, min(look.height - LINES_AROUND, MOST_LINES))
    if array.ndim == 1:
        return line_plot(array, seen, look)
    if array.ndim == 2:
        return heat_map(array, look, lines)
    return facets(array, look, lines)


def _extremes(array: Array, seen: Statistics, look: Look) -> list[Row]:
    """In words: where the smallest and the largest element are."""
    if not seen.finite or seen.constant or seen.count < 2 or seen.finite < seen.count:
        return []
    sizes = np.abs(array) if array.dtype.kind == "c" else array
    places = [np.unravel_index(int(find(sizes)), array.shape) for find in (np.argmin, np.argmax)]
    low, high = (f"[{', '.join(str(int(i)) for i in place)}]" for place in places)
    return [
        *wrapped([[("fact", f"smallest {short(seen.low)} at {low}")]], look),
        *wrapped([[("fact", f"largest {short(seen.high)} at {high}")]], look),
    ]


def shower(stream: Stream, color: str = "auto", *, plain: bool = False) -> Any:
    """The function `show` for a stream: the program's output."""

    def show(value: Any, *, name: str | None = None) -> None:
        """Draw a value: numbers when it is small, a line, a heat map, or a map for each matrix in it."""
        console = Console.on(stream, color, plain=plain)
        console.draw(picture(value, console.look(), name))

    return show


def show(value: Any, *, name: str | None = None) -> None:
    """`tgrad.show`: the same on Python's standard output."""
    import sys

    shower(sys.stdout)(value, name=name)
