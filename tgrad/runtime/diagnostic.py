"""An error as plain data: what `tgrad.runtime.trace` makes and `tgrad.display.diagnostic` draws."""

from __future__ import annotations

from typing import NamedTuple

from tgrad.source import Source, Span

EXIT_ERROR, EXIT_USAGE, EXIT_SYNTAX, EXIT_ASSERTION = 1, 2, 3, 4
EXIT_DENIED, EXIT_LIMIT, EXIT_INTERRUPTED, EXIT_BROKEN_PIPE = 5, 6, 130, 141


class Mark(NamedTuple):
    """A stretch to underline: the failing operator or name, or one of its operands."""

    span: Span
    primary: bool


class Label(NamedTuple):
    """What a name stood for: its dtype and shape, and where it was assigned."""

    name: str
    text: str
    where: str | None


class Place(NamedTuple):
    """A piece of source to show, with what is underlined in it."""

    source: Source
    span: Span
    marks: tuple[Mark, ...] = ()
    labels: tuple[Label, ...] = ()
    title: str | None = None
    note: str | None = None
    left_out: int = 0
    """So many calls between this place and the next are left out."""


class Diagnostic(NamedTuple):
    """An error as plain data; the last place is where it happened, those before it led there."""

    kind: str
    message: str
    exit_code: int
    places: tuple[Place, ...] = ()
    related: tuple[Place, ...] = ()
    notes: tuple[str, ...] = ()
    hint: str | None = None

    @property
    def last_line(self) -> str:
        """`RuntimeError: the sentence`, what an error always ends with."""
        return f"{self.kind}: {self.message}" if self.message else self.kind
