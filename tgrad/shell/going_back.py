"""`:undo`, `:redo`, `:reset`, `:history`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tgrad.shell.registry import CommandError, command, none_left
from tgrad.shell.steps import first_line

if TYPE_CHECKING:
    from tgrad.runtime.journal import Journal, Went
    from tgrad.shell.loop import Input, Shell

LISTED = 20
"""How many entries `:history` lists without an argument."""


@command("undo", ":undo", "takes the last input back: names, tensors, gradients, random numbers")
def undo(shell: Shell, argument: str) -> None:
    """What the input wrote to the screen and to files stays."""
    none_left(argument, ":undo")
    went = _journal(shell).undo()
    if went is None:
        raise CommandError("there is nothing to undo")
    for each in reversed(shell.inputs):
        if each.text == went.text and each.number not in shell.undone:
            shell.undone.add(each.number)
            shell.forget_result(each.number)
            break
    _tell(shell, "undone", went)


@command("redo", ":redo", "does again what :undo took back")
def redo(shell: Shell, argument: str) -> None:
    """The state comes back; nothing is run again."""
    none_left(argument, ":redo")
    went = _journal(shell).redo()
    if went is None:
        raise CommandError("there is nothing to redo")
    for each in shell.inputs:
        if each.text == went.text and each.number in shell.undone:
            shell.undone.discard(each.number)
            shell.remember_result(each.number)
            break
    _tell(shell, "done again", went)


def _tell(shell: Shell, what: str, went: Went) -> None:
    shell.write(f"{what}: {first_line(went.text)}")
    for sentence in went.sentences():
        shell.write(f"  {sentence}")


@command("reset", ":reset", "begins anew: no names, and the random numbers as at the start")
def reset(shell: Shell, argument: str) -> None:
    """Everything is as it was before the first input; `:undo` takes that back."""
    from tgrad.runtime.session import Result

    none_left(argument, ":reset")
    journal = _journal(shell)
    journal.reset(":reset")
    shell.inputs.append(_input(shell, ":reset", Result()))
    shell.write("everything is as at the start; :undo brings it back")


def _input(shell: Shell, text: str, result: object) -> Input:
    from tgrad.shell.loop import Input

    return Input(shell.next_number, text, result)  # type: ignore[arg-type]


def _journal(shell: Shell) -> Journal:
    if shell.journal is None:
        raise CommandError("the states before inputs couldn't be kept")
    return shell.journal


@command("history", ":history [TEXT]", "lists the last entries, or those with a text in them")
def history(shell: Shell, argument: str) -> None:
    """The newest last; a number says how many."""
    entries = shell.history.entries
    if argument.isdigit():
        entries = entries[-int(argument) :] if int(argument) else []
    elif argument:
        entries = [entry for entry in entries if argument in entry]
    else:
        entries = entries[-LISTED:]
    if not entries:
        raise CommandError(f"no entry has {argument!r} in it" if argument else "nothing was entered yet")
    width = len(str(len(entries)))
    for number, entry in enumerate(entries, 1):
        first, *rest = entry.split("\n")
        shell.console.draw(
            [
                [("index", f"{number:>{width}}  "), ("source", first)],
                *[[("index", " " * (width + 2)), ("source", line)] for line in rest],
            ]
        )
