"""A stream to draw on: how wide it is, and whether it takes colours.

rich is imported when something is drawn in colour, and not before.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from tgrad.display.look import TRUE_COLOR, Look
from tgrad.display.theme import STYLES

Segment = tuple[str, str]
"""A style's name and the text in it; in place of a name a style in rich's words will do."""

WIDTH_WITHOUT_TERMINAL = 120
HEIGHT_WITHOUT_TERMINAL = 40
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


def number_of_colors(environment: Mapping[str, str]) -> int:
    """How many colours a terminal has that shows colours at all."""
    if environment.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        return TRUE_COLOR
    terminal = environment.get("TERM", "")
    if terminal.endswith("-direct") or terminal == "xterm-kitty":
        return TRUE_COLOR
    return 256 if "256color" in terminal else 16


def shows_glyphs(stream: Stream, environment: Mapping[str, str]) -> bool:
    """Can block and braille characters be written: to a terminal whose encoding has them?"""
    encoding = getattr(getattr(stream, "stream", stream), "encoding", None) or "ascii"
    try:
        "▀⠿█".encode(encoding)
    except (LookupError, UnicodeError):
        return False
    return stream.isatty() and environment.get("TERM") != "dumb" and not _ascii_locale(environment)


def _ascii_locale(environment: Mapping[str, str]) -> bool:
    """Has the user chosen the locale C?  Python writes UTF-8 all the same, and sets LC_CTYPE to say so."""
    named = {name: environment.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")}
    if named["LC_CTYPE"] == "C.UTF-8":
        named["LC_CTYPE"] = ""
    return (named["LC_ALL"] or named["LC_CTYPE"] or named["LANG"]) in {"C", "POSIX"}


class Console:
    """Writes styled lines to one stream."""

    def __init__(
        self,
        stream: Stream,
        *,
        color: bool = False,
        width: int | None = None,
        plain: bool = False,
    ) -> None:
        self._stream = stream
        self._color = color
        self._width = width
        self._plain = plain

    @classmethod
    def on(cls, stream: Stream, choice: str = "auto", *, plain: bool = False) -> Console:
        """A console for a stream of this process, coloured as the user wants it.

        With `plain`, drawings say in words what colours and glyphs would say.
        """
        return cls(stream, color=wants_color(choice, stream.isatty(), os.environ), plain=plain)

    @property
    def color(self) -> bool:
        """Are the lines coloured?"""
        return self._color

    @property
    def colors(self) -> int:
        """The number of colours: 0 where there are none."""
        return number_of_colors(os.environ) if self._color else 0

    @property
    def unicode(self) -> bool:
        """May drawings use signs outside of ASCII?"""
        return shows_glyphs(self._stream, os.environ)

    @property
    def height(self) -> int:
        """The number of lines that are seen at once."""
        lines = os.environ.get("LINES", "")
        if lines.isdigit() and int(lines) > 0:
            return int(lines)
        if self._stream.isatty():
            with suppress(OSError):
                return os.get_terminal_size(2).lines or HEIGHT_WITHOUT_TERMINAL
        return HEIGHT_WITHOUT_TERMINAL

    def look(self, precision: int | None = None) -> Look:
        """What a drawing on this console may use."""
        return Look(self.width, self.height, self.colors, self.unicode, self._plain, precision)

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
        self._stream.write("".join(self.painted(line) + "\n" for line in lines))
        self._stream.flush()

    def painted(self, line: Sequence[Segment]) -> str:
        """The text of a line, with the terminal's codes for colours if there are any."""
        if not self._color:
            return "".join(text for _, text in line)
        from rich.color import ColorSystem
        from rich.style import Style

        colors = self.colors
        system = (
            ColorSystem.TRUECOLOR if colors > 256
            else ColorSystem.EIGHT_BIT if colors > 16
            else ColorSystem.STANDARD
        )  # fmt: skip
        return "".join(
            Style.parse(STYLES.get(style, style)).render(text, color_system=system) for style, text in line
        )
