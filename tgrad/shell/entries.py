"""The history at the prompt: recalled, searched, and suggested while an input is typed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from typing import TYPE_CHECKING

from prompt_toolkit.application import get_app
from prompt_toolkit.auto_suggest import AutoSuggest, Suggestion
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.history import History
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput

if TYPE_CHECKING:
    from tgrad.shell.history import HistoryFile
    from tgrad.shell.loop import Shell

SEARCHED = 5000
"""So many entries, the newest, are looked through for a suggestion."""


class Entries(History):
    """A shell's history in prompt_toolkit's form. The prompt itself adds the entries."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell

    async def load(self) -> AsyncGenerator[str, None]:
        """The entries, newest first."""
        for entry in reversed(self._shell.history.entries):
            yield entry

    def get_strings(self) -> list[str]:
        """The entries, oldest first."""
        return self._shell.history.entries

    def load_history_strings(self) -> Iterable[str]:
        """The entries, newest first."""
        return reversed(self._shell.history.entries)

    def store_string(self, string: str) -> None:
        """Nothing: entries are added when they are handed over."""


class Suggestions(AutoSuggest):
    """Suggests how the line went on the last time."""

    def __init__(self, shell: Shell, longest: int) -> None:
        self._shell = shell
        self._longest = longest

    def get_suggestion(self, buffer: Buffer, document: Document) -> Suggestion | None:
        """The rest of the newest entry, or line of one, that begins with what was typed."""
        if len(document.text) > self._longest:
            return None
        try:
            rest = suggestion(document.text, self._shell.history)
        except Exception:
            return None
        return Suggestion(rest) if rest else None


def suggestion(text: str, history: HistoryFile) -> str:
    """The rest of the line in the newest entry that begins with `text`, else with its last line."""
    line = text.rpartition("\n")[2]
    if not line.strip():
        return ""
    newest = history.entries[: -SEARCHED - 1 : -1]
    for entry in newest:
        if entry.startswith(text) and (rest := entry[len(text) :].partition("\n")[0]):
            return rest
    if line == text:
        return ""
    for entry in newest:
        if line in entry:
            for old in entry.split("\n"):
                if old.startswith(line) and len(old) > len(line):
                    return old[len(line) :]
    return ""


class SuggestionText(Processor):
    """Draws the suggestion behind what was typed; without colours it says which key takes it."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """The last line with the suggestion behind it, while the cursor stands at its end."""
        given = transformation_input
        buffer = given.buffer_control.buffer
        if (
            given.lineno != given.document.line_count - 1
            or not buffer.suggestion
            or not given.document.is_cursor_at_the_end
            or get_app().is_done
        ):
            return Transformation(given.fragments)
        rest = buffer.suggestion.text
        if not self._shell.console.color:
            rest = f"  [Right: {rest}]"
        return Transformation([*given.fragments, ("class:auto-suggestion", rest)])
