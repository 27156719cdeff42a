"""A plain prompt: reads a statement, runs it, shows its value, until there is no more input."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from tgrad.runtime.output import Output
from tgrad.runtime.session import Session
from tgrad.source import Source

PROMPT, CONTINUATION = "tgrad> ", "  ...> "


class Loop:
    """Reads statements from a terminal and runs them in one session."""

    def __init__(
        self, session: Session, output: Output, read: Callable[[str], str] | None = None
    ) -> None:
        self._session = session
        self._output = output
        self._read = read or _terminal_reader()
        self._inputs = 0

    def run(self) -> int:
        """Read and run until the end of the input or `exit()`; returns the exit code."""
        lines: list[str] = []
        while True:
            try:
                lines.append(self._read(CONTINUATION if lines else PROMPT))
            except EOFError:
                self._output.write("\n")
                return 0
            except KeyboardInterrupt:
                self._output.write("\n")
                lines = []
                continue
            if not any(line.strip() for line in lines):
                lines = []
                continue
            if _in_block(lines):
                continue
            text = "\n".join(lines)
            result = self._session.run(
                Source(f"<input {self._inputs + 1}>", text), show=True, more=True
            )
            if result.left:
                return result.exit_code
            if not result.incomplete:
                self._inputs += 1
                lines = []


def _in_block(lines: list[str]) -> bool:
    """After the indented lines of a block an empty line ends it: more of them may follow."""
    return len(lines) > 1 and lines[-1][:1] in {" ", "\t"} and bool(lines[-1].strip())


def _terminal_reader() -> Callable[[str], str]:
    """Python's own line reader, with editing and history where the system has them."""
    with suppress(ImportError):
        import readline  # noqa: F401
    return input
