"""The line under the input: what the expression would give, as soon as the typing pauses.

Nothing is worked out while a key is being handled.  When the text has been the same for a moment, the event
loop works the line out in its idle time, within `tgrad.runtime.preview`'s limit, and has it drawn.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import Any, Final
from weakref import WeakKeyDictionary

from prompt_toolkit.application import get_app_or_none
from prompt_toolkit.document import Document

from tgrad.shell import warm

Text = list[tuple[str, str]]

PAUSE: Final = 0.05
"""Seconds without typing after which the line is worked out."""


class LiveLine:
    """The line of one shell: the last text it was worked out for, and what it says."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._key: tuple[str, int] | None = None
        self._said: Text | None = None
        self._waiting: Any = None

    def line(self, text: str, inputs: int) -> Text | None:
        """What is known about a text; if nothing, it is worked out when the typing pauses."""
        key = (text, inputs)
        if key == self._key:
            return self._said
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if not _has_preview(text) or not warm.ready():
            return None
        loop = _running_loop()
        if loop is None:
            return self.work_out(key)
        self._waiting = loop.call_later(PAUSE, self._later, key)
        return None

    def _later(self, key: tuple[str, int]) -> None:
        self._waiting = None
        app = get_app_or_none()
        if app is not None and app.current_buffer.text != key[0]:
            return  # typing went on
        if self.work_out(key) is not None and app is not None:
            app.invalidate()

    def work_out(self, key: tuple[str, int]) -> Text | None:
        """The line for a text, kept until there is another text."""
        from tgrad.runtime.preview import preview

        found = preview(self._session, key[0])
        self._key = key
        self._said = None
        if found is not None:
            style = "class:live.error" if found.error else "class:live"
            self._said = [(style, found.text)]
        return self._said


def _has_preview(text: str) -> bool:
    return bool(text.strip()) and not text.lstrip().startswith((":", "#")) and not text.rstrip().endswith("?")


def _running_loop() -> Any:
    with suppress(RuntimeError):
        return asyncio.get_running_loop()
    return None


_lines: WeakKeyDictionary[Any, LiveLine] = WeakKeyDictionary()


def bottom_line(shell: Any, document: Document) -> Text | None:
    """The line under the input as formatted text; None where there is nothing to say, or not yet."""
    try:
        session = shell.session
        if session not in _lines:
            _lines[session] = LiveLine(session)
        return _lines[session].line(document.text, len(getattr(shell, "inputs", ())))
    except Exception:  # typing goes on without
        if os.environ.get("TGRAD_DEBUG"):
            raise
        return None
