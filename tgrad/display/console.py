"""A stream to draw on: how wide it is, and whether it takes colours.

rich is imported when something is drawn in colour, and not before.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Protocol

from tgrad.display.theme import STYLES

Segment = tuple[str, str]
"""A style's name and the text in it."""

WIDTH_WITHOUT_TERMINAL = 120
NARROWEST = 40


class Stream(Protocol):
    """What a console writes to."""

    def write(self, text: str, /) -> int: ...
    def flush(self) -> None: ...
    def isatty(self) -> bool: ...


def wants_color(choice: str, terminal: bool, environment: Mapping[str, str]) -> bool:
    """Should a stream be coloured?

    `choice` is the command line's auto, always or never.  For auto the conventions count, in this
    order: NO_COLOR, FORCE_COLOR (each when not empty), TERM=dumb, and whether it is a terminal.
    """
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return terminal and environment.get("TERM") != "dumb"


class Console:
    """Writes styled lines to one stream."""

    def __init__(self, stream: Stream, *, color: bool = False, width: int | None = None) -> None:
        self._stream = stream
        self._color = color
        self._width = width

    @classmethod
    def on(cls, stream: Stream, choice: str = "auto") -> Console:
        """A console for a stream of this process, coloured as the user wants it."""
        return cls(stream, color=wants_color(choice, stream.isatty(), os.environ))

    @property
    def color(self) -> bool:
        """Are the lines coloured?"""
        return self._color

    @property
    def width(self) -> int:
        """The number of columns to draw in."""
        if self._width is not None:
            return self._width
        columns = os.environ.get("COLUMNS", "")
        if columns.isdigit() and int(columns) > 0:
            return max(int(columns), NARROWEST)
        if self._stream.isatty():
            try:
                return max(os.get_terminal_size(2).columns, NARROWEST)
            except OSError:
                pass
        return WIDTH_WITHOUT_TERMINAL

    def draw(self, lines: Sequence[Sequence[Segment]]) -> None:
        """Write the lines at once, so that nothing else comes between them."""
        paint = _colored if self._color else _plain
        self._stream.write("".join(paint(line) + "\n" for line in lines))
        self._stream.flush()


def _plain(line: Sequence[Segment]) -> str:
    return "".join(text for _, text in line)


def _colored(line: Sequence[Segment]) -> str:
    from rich.color import ColorSystem
    from rich.style import Style

    return "".join(
        Style.parse(STYLES[style]).render(text, color_system=ColorSystem.STANDARD)
        for style, text in line
    )
