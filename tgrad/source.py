"""Where a piece of a program stands.

A `Source` is a named text; a `Span` is a stretch of it.  Everything that points at a program (syntax
errors, run-time errors, the origin of a graph node) does it with a span.

Lines count from 1, columns from 0 in characters (not bytes), the end is exclusive.  Python's own
positions count columns in UTF-8 bytes: `Source.span_of_bytes` converts.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple


class Span(NamedTuple):
    """A stretch of a source text: (line, column) up to, not including, (end_line, end_column)."""

    line: int
    column: int
    end_line: int
    end_column: int


class Source:
    """A program's text and the name it goes by in messages: a path, `<stdin>`, `<command>`."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    def __repr__(self) -> str:
        return f"Source(name={self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Source) and (self.name, self.text) == (other.name, other.text)

    def __hash__(self) -> int:
        return hash((self.name, self.text))

    @cached_property
    def lines(self) -> list[str]:
        """The text's lines without their line ends (only LF, CRLF and CR end a line)."""
        return self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def line(self, number: int) -> str:
        """Line `number` (from 1), or an empty string where there is no such line."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def span_of_bytes(self, line: int, column: int, end_line: int, end_column: int) -> Span:
        """The span for a position whose columns count UTF-8 bytes, as Python's positions do."""
        return Span(
            line, self._characters(line, column), end_line, self._characters(end_line, end_column)
        )

    def _characters(self, line: int, byte_column: int) -> int:
        text = self.line(line)
        if text.isascii():
            return min(byte_column, len(text))
        return len(text.encode("utf-8")[:byte_column].decode("utf-8", "replace"))
