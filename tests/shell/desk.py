"""A shell without a terminal, for tests of what it does with inputs and commands."""

from __future__ import annotations

import io
from pathlib import Path

from tgrad.core.generator import default_generator
from tgrad.display.console import Console
from tgrad.runtime.diagnostic import Diagnostic
from tgrad.runtime.output import Output, TextReporter
from tgrad.runtime.session import Session
from tgrad.shell.history import HistoryFile
from tgrad.shell.loop import Shell
from tgrad.shell.settings import Settings


class Desk:
    """A shell that writes to memory; `desk("x = 1")` runs an input and returns what was written."""

    def __init__(self, width: int = 100, history: Path | None = None) -> None:
        default_generator.seed()  # as in a new process, nothing was drawn from it
        self.stream = io.StringIO()
        output = Output(self.stream)

        def failed(diagnostic: Diagnostic) -> None:
            output.write(f"{diagnostic.kind}: {diagnostic.message}\n")

        self.session = Session(TextReporter(output, output, failed))
        self.shell = Shell(
            self.session,
            Settings(),
            input=object(),
            console=Console(output, width=width),
            history=HistoryFile(history),
        )

    def __call__(self, text: str) -> str:
        start = len(self.stream.getvalue())
        self.shell.execute(text)
        return self.stream.getvalue()[start:]
