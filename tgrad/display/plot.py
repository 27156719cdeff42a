"""A figure of matplotlib as lines of text: what `plt.show()` draws on a terminal.

Drawn by the project itself: a library for this has to bear any numbers (a NaN too), to stay within
forty columns and within ASCII, and to leave colours and streams to the console.
"""

from __future__ import annotations

from typing import Any

from tgrad.display.cells import text_width
from tgrad.display.console import Console, Segment
from tgrad.display.look import Look
from tgrad.display.plot_calls import read_panel
from tgrad.display.plot_data import Panel
from tgrad.display.plot_image import picture_rows
from tgrad.display.plot_panel import centered, panel_rows
from tgrad.display.plot_words import panel_words
from tgrad.runtime.figures import Axes, Figure

Line = list[Segment]

COLUMNS_PER_INCH = 16
LINES_PER_COLUMN = 0.42
"""Of a panel as high as wide; a character is about twice as high as wide."""

NARROWEST_PANEL = 30
LOWEST_PANEL = 8
GAP = 2
"""Columns between panels."""


def draw(figure: Figure, console: Console) -> None:
    """Draw a figure; if that fails, say so: a drawing never ends a program."""
    try:
        lines = figure_lines(figure, console.look())
    except Exception as error:
        lines = [[("note", f"this figure can't be drawn as text: {type(error).__name__}: {error}")]]
    console.draw(lines)


def figure_lines(figure: Figure, look: Look) -> list[Line]:
    """A figure as lines that are at most `look.width` wide."""
    inches = figure._options.get("figsize") or (6.4, 4.8)
    grid = _grid(figure._axes)
    width = min(look.width, max(round(inches[0] * COLUMNS_PER_INCH), NARROWEST_PANEL))
    columns = max(len(row) for row in grid) if grid else 1
    columns = max(1, min(columns, (width + GAP) // (NARROWEST_PANEL + GAP)))
    shelves = [row[start : start + columns] for row in grid for start in range(0, len(row), columns)]
    wanted = round(width * inches[1] / inches[0] * LINES_PER_COLUMN / max(len(grid), 1))
    height = max(LOWEST_PANEL, min(wanted, (look.height - 2) // max(len(shelves), 1)))
    lines: list[Line] = [centered(text, width, "title") for text in _titles(figure)]
    for shelf in shelves:
        wide = (width - GAP * (columns - 1)) // columns
        blocks = [panel_lines(panel, look.within(wide, height)) for panel in shelf]
        lines.extend(_beside(blocks, wide))
    left_out = sorted({name for row in grid for panel in row for name in panel.left_out})
    if left_out:
        lines.append([("note", f"not drawn as text: {', '.join(left_out)}")])
    return lines


def _titles(figure: Figure) -> list[str]:
    """What stands above the whole figure."""
    return [str(call.arguments[0]) for call in figure._calls if call.name == "suptitle" and call.arguments]


def _grid(axes: list[Axes]) -> list[list[Panel]]:
    """The panels in rows; axes in the same place (twins) share a panel."""
    panels: dict[tuple[int, int], Panel] = {}
    for index, each in enumerate(axes):
        place = _position(each._place, index)
        panel = read_panel(each._calls)
        if place in panels:
            _join(panels[place], panel)
        else:
            panels[place] = panel
    rows = sorted({row for row, _ in panels})
    return [[panels[place] for place in sorted(panels) if place[0] == row] for row in rows]


def _position(place: tuple[Any, ...], index: int) -> tuple[int, int]:
    if len(place) != 3:
        return index, 0  # placed freely: one below the other
    _, columns, number = place
    first = number[0] if isinstance(number, (tuple, list)) else number
    row, column = divmod(int(first) - 1, int(columns))
    return row, column


def _join(panel: Panel, twin: Panel) -> None:
    panel.series += twin.series
    panel.rules += twin.rules
    panel.legend = panel.legend or twin.legend
    panel.y_label = ", ".join(filter(None, (panel.y_label, twin.y_label)))
    panel.left_out += twin.left_out


def panel_lines(panel: Panel, look: Look) -> list[Line]:
    """One panel as lines."""
    if look.plain:
        return panel_words(panel, look.width)
    if panel.picture is not None:
        return picture_rows(panel, look)
    return panel_rows(panel, look)


def _beside(blocks: list[list[Line]], width: int) -> list[Line]:
    """Blocks next to each other, each so wide, the lower ones filled up."""
    if len(blocks) == 1:
        return blocks[0]
    lines: list[Line] = []
    for row in range(max(map(len, blocks))):
        line: Line = []
        for index, block in enumerate(blocks):
            part = block[row] if row < len(block) else []
            line.extend(part)
            if index < len(blocks) - 1:
                used = sum(text_width(text) for _, text in part)
                line.append(("plain", " " * (width - used + GAP)))
        lines.append(line)
    return lines
