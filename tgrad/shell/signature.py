"""The call that the cursor is in: its parameters, what it does, and its derivative, as text beside the input.

Derivatives are read from the source of the rows, which takes longer than a key press may: a thread does
it, and the text has it when it is next asked for.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from prompt_toolkit.application import get_app_or_none
from prompt_toolkit.document import Document

from tgrad.runtime import callee
from tgrad.runtime.callee import Callee
from tgrad.runtime.formulas import readable
from tgrad.shell import cursor, warm

if TYPE_CHECKING:
    from tgrad.ops.reference import Description

Text = list[tuple[str, str]]
"""Formatted text of prompt_toolkit: classes and pieces."""

MOST_OVERLOADS: Final = 3
LONGEST: Final = 160

_descriptions: dict[tuple[str, str], Description | None] = {}
_asked: set[tuple[str, str]] = set()
_reading = threading.Lock()


def signature_text(shell: Any, document: Document) -> Text | None:
    """What to say about the call at the cursor, or None; a line for each overload, then two more."""
    try:
        text = document.text_before_cursor
        if text.startswith(":") or "(" not in text or not warm.ready():
            return None
        call = cursor.read(text).call
        target = None if call is None else callee.find(shell.session, call.path)
        return None if target is None or call is None else _text(target, call)
    except Exception:  # typing goes on without
        if os.environ.get("TGRAD_DEBUG"):
            raise
        return None


def _text(target: Callee, call: cursor.Call) -> Text | None:
    overloads = callee.signatures(target)
    if not overloads:
        return None
    lines = [_signature(target, overload, call) for overload in _fitting(overloads, call)]
    about = _about(target)
    if about:
        lines.append([("", about)])
    derivative = _derivative(target)
    if derivative:
        lines.append([("class:constant", derivative)])
    text: Text = []
    for number, line in enumerate(lines):
        text += [("", "\n")] if number else []
        text += line
    return text


def _fitting(overloads: list[list[tuple[str, str]]], call: cursor.Call) -> list[list[tuple[str, str]]]:
    """The overloads that could still be meant, a few at most."""
    fitting = [
        each for each in overloads
        if call.used <= {name for name, _ in each} and call.number < max(len(each), 1)
    ]  # fmt: skip
    return (fitting or overloads)[:MOST_OVERLOADS]


def _signature(target: Callee, overload: list[tuple[str, str]], call: cursor.Call) -> Text:
    current = _current(overload, call)
    pieces: Text = [("class:call", target.title), ("class:live", "(")]
    length = len(target.title) + 1
    for number, (name, default) in enumerate(overload):
        text = f"{name}={default}" if default else name
        if length + len(text) > LONGEST:
            pieces.append(("class:live", ", ..."))
            break
        pieces.append(("class:live", ", " if number else ""))
        style = "class:live bold" if number == current else "class:live"
        pieces.append((style, text))
        length += len(text) + 2
    return [*(piece for piece in pieces if piece[1]), ("class:live", ")")]


def _current(overload: list[tuple[str, str]], call: cursor.Call) -> int:
    """Which parameter the argument at the cursor is for; -1 if none."""
    names = [name for name, _ in overload]
    if call.keyword:
        return names.index(call.keyword) if call.keyword in names else -1
    marker = next((i for i, name in enumerate(names) if name[0] == "*"), len(names))
    return call.number if call.number < marker else -1


def _about(target: Callee) -> str:
    if target.rows:
        from tgrad.shell.completer import first_sentence

        return first_sentence(target.rows)
    value = getattr(target.value, "_class", target.value)
    doc = (getattr(value, "__doc__", None) or "").strip().partition("\n")[0]
    return "" if len(doc) > LONGEST else doc.rstrip(".")


def _derivative(target: Callee) -> str:
    """`gradient of input: g * cos(input)`, once it has been read."""
    found = described(target)
    if found is None:
        return ""
    if not found.derivatives:
        return found.remark if found.remark.startswith("no derivative") else ""
    text = "gradient of " + "; of ".join(
        f"{name}: {readable(formula)}" for name, formula in found.derivatives
    )
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def described(target: Callee) -> Description | None:
    """What the rows' source says; None until a thread has read it."""
    if not target.rows:
        return None
    op = target.rows[0]
    key = (op.public, op.module)
    if key not in _descriptions and key not in _asked:
        _asked.add(key)
        threading.Thread(target=_read, args=(key, _redraw()), daemon=True).start()
    return _descriptions.get(key)


def _redraw() -> Callable[[], object] | None:
    """How to draw the prompt again from another thread."""
    app = get_app_or_none()
    return None if app is None else app.invalidate


def _read(key: tuple[str, str], redraw: Callable[[], object] | None) -> None:
    with _reading:
        try:
            _descriptions[key] = callee.description(*key)
        except Exception:  # without its source, an operator has no formula to show
            _descriptions[key] = None
    if redraw is not None:
        redraw()


def wait_for_descriptions() -> None:
    """Return when what was asked for is read; tests need it."""
    while any(key not in _descriptions for key in _asked):
        with _reading:
            pass
