"""What becomes of a value at the prompt: drawn, or PyTorch's text, as the settings want it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tgrad.runtime.output import DrawDiagnostic, Output, TextReporter

if TYPE_CHECKING:
    from tgrad.display.console import Console
    from tgrad.lang import Statement
    from tgrad.shell.settings import Settings

_PLAIN = (bool, int, float, complex, str, bytes, type(None))
"""Kinds of values whose text says everything."""


class ShellReporter(TextReporter):
    """Shows values with `tgrad.display.values`; a fault in a drawing leaves PyTorch's text."""

    def __init__(
        self, output: Output, errors: Output, draw: DrawDiagnostic, console: Console, settings: Settings
    ) -> None:
        super().__init__(output, errors, draw)
        self.console = console
        self.settings = settings
        self.plain = False
        self._name: str | None = None

    def statement_begins(self, number: int, statement: Statement) -> None:
        """A value that is shown by its name alone is drawn with it."""
        self._name = statement.name

    def value(self, value: object) -> None:
        """Draw a value, or write its text on a line of its own."""
        if not self.settings.echo:
            return
        if self.settings.repr != "rich" or isinstance(value, _PLAIN) or not self._drawn(value):
            super().value(value)

    def _drawn(self, value: object) -> bool:
        try:
            from tgrad.display.values import lines_of

            look = self.console.look(self.settings.precision)._replace(plain=self.plain)
            lines = lines_of(value, look, self._name)
        except Exception as fault:
            return _fault(fault)
        if not lines:
            return False
        self.console.draw(lines)
        return True


def _fault(fault: Exception) -> bool:
    """Nothing was drawn; whoever looks for the reason finds it with TGRAD_DEBUG."""
    import os

    if os.environ.get("TGRAD_DEBUG"):
        print(f"display: {type(fault).__name__}: {fault}", file=sys.stderr)
    return False
