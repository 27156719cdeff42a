"""The prompt where a terminal can do nothing but show lines: TERM=dumb, or output into a file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from tgrad.runtime.output import Output
from tgrad.shell.paste import without_prompts

PROMPT, CONTINUATION = "tgrad> ", "  ...> "


class PlainPrompt:
    """Reads a statement line by line, with `read` in the place of Python's `input`."""

    def __init__(
        self,
        output: Output,
        complete: Callable[[str], bool],
        read: Callable[[str], str] | None = None,
    ) -> None:
        self._output = output
        self._complete = complete
        self._read = read or _terminal_reader()

    def read(self) -> str:
        """The next statement.

        Raises:
            EOFError: there is no more input.
        """
        lines: list[str] = []
        while True:
            try:
                lines.append(self._read(CONTINUATION if lines else PROMPT))
            except EOFError:
                self._output.write("\n")
                raise
            except KeyboardInterrupt:
                self._output.write("\n")
                lines = []
                continue
            text = without_prompts("\n".join(lines))
            if not text.strip():
                lines = []
            elif not _in_block(lines) and self._complete(text):
                return text


def _in_block(lines: list[str]) -> bool:
    """After the indented lines of a block an empty line ends it: more of them may follow."""
    return len(lines) > 1 and lines[-1][:1] in {" ", "\t"} and bool(lines[-1].strip())


def _terminal_reader() -> Callable[[str], str]:
    """Python's own line reader, with editing and history where the system has them."""
    with suppress(ImportError):
        import readline  # noqa: F401
    return input
