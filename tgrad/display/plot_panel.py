"""One panel of a plot: title, legend, canvas, axes with ticks."""

from __future__ import annotations

from typing import Any

import numpy

from tgrad.display.cells import text_width
from tgrad.display.console import Segment
from tgrad.display.look import Look
from tgrad.display.plot_axes import Scale, ticks, x_scale, y_scale
from tgrad.display.plot_canvas import Canvas, cell
from tgrad.display.plot_data import Panel, Series

Line = list[Segment]

CYCLE = 6
"""So many styles `series1`, `series2`, ... there are."""

SIGNS, ASCII_SIGNS = "•×+○■▲", "*xo+#@"

COLORS = {
    **dict.fromkeys(("b", "blue", "tab:blue", "C0"), "series1"),
    **dict.fromkeys(("orange", "tab:orange", "C1", "y", "yellow"), "series2"),
    **dict.fromkeys(("m", "magenta", "purple", "tab:purple", "C4", "pink", "tab:pink", "C6"), "series3"),
    **dict.fromkeys(("c", "cyan", "tab:cyan", "C9"), "series4"),
    **dict.fromkeys(("r", "red", "tab:red", "C3"), "series5"),
    **dict.fromkeys(("g", "green", "tab:green", "C2"), "series6"),
    **dict.fromkeys(("k", "black", "w", "white"), "plain"),
    **dict.fromkeys(("gray", "grey", "tab:gray", "C7", "lightgray", "0.5"), "tick"),
}
"""Styles for colours by matplotlib's names; any other gets the next of the cycle."""


def panel_rows(panel: Panel, look: Look) -> list[Line]:
    """A panel as lines, in the width and height of `look`."""
    width = look.width
    head = [centered(panel.title, width, "place")] if panel.title else []
    if panel.legend:
        head += legend_rows(panel, look)
    if panel.y_label:
        head.append([("tick", fitted(panel.y_label, width))])
    foot = [centered(panel.x_label, width, "tick")] if panel.x_label else []
    framing = 2 if panel.framed else 0
    height = max(look.height - len(head) - len(foot) - framing, 3)
    vertical = y_scale(panel)
    most = max(2, height // (2 if height < 9 else 3))
    marks = _rows_of(ticks(vertical, most, panel.y_ticks), height)
    gutter = max((text_width(label) for label in marks.values()), default=0) if panel.framed else 0
    gutter = min(gutter, width // 3)
    canvas = Canvas(max(width - gutter - framing // 2, 4), height, look.unicode)
    horizontal = x_scale(panel)
    across = _columns_of(panel, horizontal, canvas.width)
    _fill(canvas, panel, look, (horizontal, vertical), (across, marks))
    if not panel.framed:
        return [*head, *canvas.rows(), *foot]
    body = [
        [("tick", fitted(marks.get(row, ""), gutter).rjust(gutter)),
         ("axis", look.glyph("┤", "+") if row in marks else look.glyph("│", "|")), *line]
        for row, line in enumerate(canvas.rows())
    ]  # fmt: skip
    return [*head, *body, *_bottom(across, gutter, canvas.width, look), *foot]


def _rows_of(found: list[tuple[float, str]], height: int) -> dict[int, str]:
    """Labels of the vertical axis by the row they stand in."""
    return {cell(1 - place, height): label for place, label in reversed(found)}


def _columns_of(panel: Panel, scale: Scale, width: int) -> dict[int, str]:
    """Labels of the horizontal axis by the column of their tick, as many as fit side by side."""
    for most in range(max(2, width // 6), 1, -1):
        found = ticks(scale, most, panel.x_ticks)
        spread = {cell(place, width): label for place, label in found}
        if panel.x_ticks is not None or _apart(spread, width):
            return spread
    return {cell(place, width): label for place, label in ticks(scale, 1, None)}


def _apart(labels: dict[int, str], width: int) -> bool:
    end = -2
    for column in sorted(labels):
        start, stop = _stretch(column, labels[column], width)
        if start < end + 2:
            return False
        end = stop
    return True


def _stretch(column: int, label: str, width: int) -> tuple[int, int]:
    """The columns of a label that stands centered below its tick, as far as the edges let it."""
    size = text_width(label)
    start = max(0, min(column - size // 2, width - size))
    return start, start + size


def _bottom(labels: dict[int, str], gutter: int, width: int, look: Look) -> list[Line]:
    """The horizontal axis and the labels below it; labels in the way of others are left out."""
    bar, tick = look.glyph("─", "-"), look.glyph("┬", "+")
    axis = "".join(tick if column in labels else bar for column in range(width))
    text, end = "", -1
    for column in sorted(labels):
        label = fitted(labels[column], width)
        start, stop = _stretch(column, label, width)
        if start > end:
            text += " " * (start - text_width(text)) + label
            end = stop
    return [
        [("plain", " " * gutter), ("axis", look.glyph("└", "+") + axis)],
        [("tick", (" " * (gutter + 1) + text).rstrip())],
    ]


def series_styles(panel: Panel) -> list[str]:
    """A style for each series: the colour that was asked for, or the next of the cycle."""
    styles: list[str] = []
    number = 0
    for series in panel.series:
        style = COLORS.get(series.color)
        if style is None and series.color.startswith("#") and len(series.color) == 7:
            style = series.color
        if style is None:
            style = f"series{number % CYCLE + 1}"
            number += 1
        styles.append(style)
    return styles


def series_signs(panel: Panel, look: Look) -> list[str]:
    """What each series is drawn with: a sign, or nothing for a line of braille dots."""
    signs = SIGNS if look.unicode else ASCII_SIGNS
    lines = sum(series.kind in ("line", "points") for series in panel.series)
    dotted = look.unicode and (look.color > 0 or lines == 1)
    chosen: list[str] = []
    number = 0
    for series in panel.series:
        if series.kind in ("boxes", "lying"):
            chosen.append(look.glyph("█", "#"))
        elif series.kind == "line" and dotted:
            chosen.append("")
        else:
            chosen.append(signs[0 if look.color else number % len(signs)])
            number += 1
    return chosen


def legend_rows(panel: Panel, look: Look) -> list[Line]:
    """The labels of the series, each after a piece of what it is drawn with."""
    rows: list[Line] = [[]]
    used = 0
    entries = zip(panel.series, series_styles(panel), series_signs(panel, look), strict=True)
    for series, style, sign in entries:
        if not series.label or series.label.startswith("_"):
            continue
        piece = sign * 2 if series.kind != "points" and sign else sign or "⠒⠒"
        label = fitted(series.label, look.width - len(piece) - 1)
        size = len(piece) + 1 + text_width(label)
        if used and used + 3 + size > look.width:
            rows.append([])
            used = 0
        if used:
            rows[-1].append(("plain", "   "))
            used += 3
        rows[-1] += [(style, piece), ("plain", f" {label}")]
        used += size
    return [row for row in rows if row]


def _fill(
    canvas: Canvas, panel: Panel, look: Look, scales: tuple[Scale, Scale], marks: tuple[Any, Any]
) -> None:
    """Everything inside of the axes, the grid below all else."""
    horizontal, vertical = scales
    if panel.grid:
        dot = look.glyph("·", ".")
        for row in range(canvas.height):
            for column in range(canvas.width):
                if (row in marks[1] and column % 2 == 0) or (column in marks[0] and row % 2 == 0):
                    canvas.put(column, row, dot, "axis")
    for series, style, sign in zip(
        panel.series, series_styles(panel), series_signs(panel, look), strict=True
    ):
        _add(canvas, series, horizontal, vertical, style, sign)
    for rule in panel.rules:
        place = float((horizontal if rule.vertical else vertical).places([rule.position])[0])
        _rule(canvas, place, rule.vertical, COLORS.get(rule.color, "axis"), look)


def _add(canvas: Canvas, series: Series, across: Scale, down: Scale, style: str, sign: str) -> None:
    x, y = across.places(series.x), 1 - down.places(series.y)
    if series.kind == "line":
        canvas.line(x, y, style, sign)
    elif series.kind == "points":
        canvas.points(x, y, style, sign)
    else:
        x_end, y_end = across.places(series.x_end), 1 - down.places(series.y_end)
        x, y = _from_edge(x, across, 0.0), _from_edge(y, down, 1.0)
        draw = canvas.bar if series.kind == "boxes" else canvas.lying_bar
        for corners in zip(x.tolist(), x_end.tolist(), y.tolist(), y_end.tolist(), strict=True):
            draw(*corners, style)


def _from_edge(places: Any, scale: Scale, edge: float) -> Any:
    """Where bars begin: zero has no place on a logarithmic scale, its edge stands for it."""
    return numpy.where(numpy.isnan(places), edge, places) if scale.log else places


def _rule(canvas: Canvas, place: float, vertical: bool, style: str, look: Look) -> None:
    if not 0 <= place <= 1:
        return
    if vertical:
        for row in range(canvas.height):
            canvas.put(cell(place, canvas.width), row, look.glyph("│", "|"), style, only_blank=True)
        return
    for column in range(canvas.width):
        row = cell(1 - place, canvas.height)
        canvas.put(column, row, look.glyph("─", "-"), style, only_blank=True)


def fitted(text: str, width: int) -> str:
    """A text in at most so many columns."""
    if text_width(text) <= width:
        return text
    while text and text_width(text) > width - 3:
        text = text[:-1]
    return f"{text}..."[: max(width, 0)]


def centered(text: str, width: int, style: str) -> Line:
    """A text in the middle of a line."""
    text = fitted(text, width)
    return [(style, " " * ((width - text_width(text)) // 2) + text)]
