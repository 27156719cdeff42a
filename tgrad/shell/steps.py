"""What commands run counts as an input: it has a number, can be undone, and is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tgrad.shell.loop import Input

if TYPE_CHECKING:
    from tgrad.runtime.session import Result
    from tgrad.shell.loop import Shell

LONGEST = 50


def step(shell: Shell, text: str, run: Callable[[], Result]) -> Result:
    """Run something as an input with this text."""
    number, journal = shell.next_number, shell.journal
    if journal is not None:
        journal.begin(text)
    result = run()
    if journal is not None:
        shell._after(journal, result)
    shell.inputs.append(Input(number, text, result))
    if result.left:
        shell.leave(result.exit_code)
    return result


def first_line(text: str) -> str:
    """An input in one short line."""
    line, more, _ = text.strip().partition("\n")
    return line[:LONGEST] + (" ..." if more or len(line) > LONGEST else "")
