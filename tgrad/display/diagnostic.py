"""Draws a diagnostic: the places, what is underlined in them, the labels, the hint, the sentence.

    train.tg:7:9
      7 | loss = (X @ W + b).mean()
        |         ~ ^ ~
        |  X: float32[3, 4], line 2    W: float32[5, 6], line 3
      inner sizes differ: 4 and 5
    RuntimeError: mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)

The layout is the same in colour and without.  The last lines are the error's kind and sentence,
word for word, never cut or wrapped.
"""

from __future__ import annotations

from collections.abc import Iterator

from tgrad.display.cells import ELLIPSIS, lay_out, text_width, window
from tgrad.display.console import Console, Segment
from tgrad.runtime.diagnostic import Diagnostic, Label, Mark, Place

Row = list[Segment]

MOST_ROWS = 6
"""A failing expression over more lines than these is shown without its middle."""

LABEL_GAP = "    "


def draw(diagnostic: Diagnostic, console: Console) -> None:
    """Draw a diagnostic on a console."""
    console.draw(list(layout(diagnostic, console.width)))


def layout(diagnostic: Diagnostic, width: int) -> Iterator[Row]:
    """The lines of a diagnostic, in styled pieces."""
    places = [*diagnostic.places, *diagnostic.related]
    digits = len(str(max((place.span.end_line for place in places), default=0)))
    for place in diagnostic.places:
        yield from _place(place, digits, width)
        if place.left_out:
            calls = "call" if place.left_out == 1 else "calls"
            yield [("title", f"  ... {place.left_out} more {calls} ...")]
    for place in diagnostic.related:
        yield from _place(place, digits, width)
    for note in diagnostic.notes:
        yield from _remark("note", note, width)
    if diagnostic.hint:
        yield from _remark("hint", diagnostic.hint, width)
    yield from _sentence(diagnostic)


def _remark(style: str, text: str, width: int) -> Iterator[Row]:
    """A note or a hint, indented and broken between words."""
    for line in text.split("\n"):
        row = " "
        for word in line.rstrip().split(" "):
            if row.strip() and text_width(row) + 1 + text_width(word) > width:
                yield [(style, row)]
                row = " "
            row = f"{row} {word}"
        yield [(style, row.rstrip())]


def _sentence(diagnostic: Diagnostic) -> Iterator[Row]:
    first, *rest = diagnostic.message.split("\n")
    if not diagnostic.message:
        yield [("kind", diagnostic.kind)]
        return
    yield [("kind", diagnostic.kind), ("plain", ": "), ("message", first)]
    yield from ([("message", line)] for line in rest)


def _place(place: Place, digits: int, width: int) -> Iterator[Row]:
    row: Row = [("place", f"{place.source.name}:{place.span.line}:{place.span.column + 1}")]
    if place.title:
        row.append(("title", f", {place.title}"))
    yield row
    numbers = range(place.span.line, place.span.end_line + 1)
    room = width - digits - 5
    for number in _without_middle(numbers):
        if number is None:
            yield [("gutter", f"  {'':{digits}} | "), ("title", ELLIPSIS)]
            continue
        text = place.source.line(number)
        if not text.strip() and number != place.span.line:
            continue
        note = place.note if number == place.span.end_line else None
        yield from _line(place, number, text, f"  {number:>{digits}} | ", room, note)
    if place.labels:
        yield from _labels(place.labels, f"  {'':{digits}} | ", room)


def _without_middle(numbers: range) -> list[int | None]:
    if len(numbers) <= MOST_ROWS:
        return list(numbers)
    return [*numbers[: MOST_ROWS - 2], None, numbers[-1]]


def _line(
    place: Place, number: int, text: str, gutter: str, room: int, note: str | None
) -> Iterator[Row]:
    """A source line and, below it, what is underlined in it."""
    line = lay_out(text)
    marks = [(_on_line(mark, number, text), mark.primary) for mark in place.marks]
    seen = [(stretch, primary) for stretch, primary in marks if stretch is not None]
    focus = [s for s, primary in seen if primary] + [s for s, primary in seen if not primary]
    start, end = window(line, focus, room)
    before = ELLIPSIS if start > 0 else ""
    after = ELLIPSIS if end < len(line.pieces) else ""
    shown = before + "".join(line.pieces[start:end]) + after
    yield [("gutter", gutter), ("source", shown.rstrip())]
    if not seen:
        return
    offset = len(before) - line.column(start)
    limit = line.column(end) + offset if after else room
    below = ["plain"] * (room + 1)
    for (low, high), primary in sorted(seen, key=lambda each: each[1]):
        first = max(line.column(low) + offset, 0)
        last = min(max(line.column(high) + offset, first + 1), max(limit, first + 1))
        for column in range(first, min(last, len(below))):
            below[column] = "primary" if primary else "operand"
    row = _underline(below)
    if note:
        row.append(("note", f" {note}"))
    yield [("gutter", f"{'':{len(gutter) - 2}}| "), *row]


def _on_line(mark: Mark, number: int, text: str) -> tuple[int, int] | None:
    """The characters of a line that a mark covers, without the blanks at the line's ends."""
    span = mark.span
    if not span.line <= number <= span.end_line:
        return None
    start = span.column if number == span.line else len(text) - len(text.lstrip())
    end = span.end_column if number == span.end_line else len(text.rstrip())
    if end <= start and number != span.line:
        return None
    return start, max(end, start)


def _underline(below: list[str]) -> Row:
    signs = {"plain": " ", "operand": "~", "primary": "^"}
    row: Row = []
    for style in below:
        if row and row[-1][0] == style:
            row[-1] = (style, row[-1][1] + signs[style])
        else:
            row.append((style, signs[style]))
    if row and row[-1][0] == "plain":
        row.pop()
    return row


def _labels(labels: tuple[Label, ...], gutter: str, room: int) -> Iterator[Row]:
    """The labels side by side if they fit, else each on a line of its own."""
    rows = [_label(label) for label in labels]
    wide = sum(text_width("".join(text for _, text in row)) for row in rows)
    if wide + len(LABEL_GAP) * (len(rows) - 1) + 1 <= room:
        together: Row = [("gutter", gutter), ("plain", " ")]
        for index, row in enumerate(rows):
            if index:
                together.append(("plain", LABEL_GAP))
            together.extend(row)
        yield together
        return
    for row in rows:
        yield [("gutter", gutter), ("plain", " "), *row]


def _label(label: Label) -> Row:
    row: Row = [("name", label.name), ("plain", ": "), ("value", label.text)]
    if label.where:
        row.append(("where", f", {label.where}"))
    return row
