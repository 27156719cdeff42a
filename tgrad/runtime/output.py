"""Where a program's output goes: text to a stream, and what becomes of a shown value."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from tgrad.lang import Statement
    from tgrad.runtime.diagnostic import Diagnostic


BUG_NOTE = "this looks like a mistake in tgrad itself: please report it with the program"
"""Stands with an error that no program should be able to cause."""


class OutputClosed(BaseException):
    """Whoever read the output went away (`tgrad file | head -1`).

    It is no `Exception`, so that a program can't catch it and write on for ever.
    """


class Output:
    """A text stream that raises `OutputClosed` where a plain one raises `BrokenPipeError`."""

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = stream
        self.before: Callable[[str], None] | None = None
        """Called with each text before it is written: whoever draws on the terminal makes room."""

    def write(self, text: str) -> int:
        """Write `text`; a stream that isn't there (closed before the start) swallows it."""
        if self.stream is None:
            return len(text)
        if self.before is not None:
            self.before(text)
        try:
            return self.stream.write(text)
        except BrokenPipeError:
            raise OutputClosed from None

    def flush(self) -> None:
        """Hand everything written so far to the reader."""
        if self.stream is None:
            return
        try:
            self.stream.flush()
        except BrokenPipeError:
            raise OutputClosed from None

    def isatty(self) -> bool:
        """Is a terminal at the other end?"""
        return self.stream is not None and self.stream.isatty()


class TextStream(Protocol):
    """What `print` needs of a stream."""

    def write(self, text: str, /) -> int: ...
    def flush(self) -> None: ...
    def isatty(self) -> bool: ...


class Reporter(Protocol):
    """What a session tells the outside while a program runs."""

    @property
    def output(self) -> TextStream:
        """The stream that the program's `print` writes to."""

    def statement_begins(self, number: int, statement: Statement) -> None:
        """A top-level statement is about to run; `number` counts them from 1."""

    def value(self, value: object) -> None:
        """A value other than None is shown."""

    def statement_ends(self) -> None:
        """A top-level statement has been run."""

    def warning(self, text: str, category: str, place: str, line: int | None) -> None:
        """The program was warned, for the first time at this place."""

    def error(self, diagnostic: Diagnostic) -> None:
        """The program has ended in an error."""


class TextReporter:
    """Shows values as Python's interactive prompt does, and draws errors through `draw`."""

    def __init__(self, output: Output, errors: Output, draw: DrawDiagnostic) -> None:
        self._output = output
        self._errors = errors
        self._draw = draw

    @property
    def output(self) -> Output:
        """The stream that the program's `print` writes to."""
        return self._output

    def statement_begins(self, number: int, statement: Statement) -> None:
        """Values are written without saying which statement they are from."""

    def value(self, value: object) -> None:
        """Write the value's text on a line of its own."""
        self._output.write(f"{value!r}\n")

    def statement_ends(self) -> None:
        """Let a reader see what the statement wrote."""
        self._output.flush()

    def warning(self, text: str, category: str, place: str, line: int | None) -> None:
        """Write one line to the error stream."""
        self._output.flush()
        self._errors.write(warning_line(text, category, place, line))
        self._errors.flush()

    def error(self, diagnostic: Diagnostic) -> None:
        """Draw the error on the error stream, below everything written so far."""
        with suppress(OSError):  # the error may be that nothing can be written
            self._output.flush()
        self._draw(diagnostic)


def warning_line(text: str, category: str, place: str, line: int | None) -> str:
    """A warning in one line."""
    where = place if line is None else f"{place}:{line}"
    return f"{where}: {category}: {text}\n"


class DrawDiagnostic(Protocol):
    """Draws a diagnostic; `tgrad.display` has the implementation."""

    def __call__(self, diagnostic: Diagnostic) -> None: ...
