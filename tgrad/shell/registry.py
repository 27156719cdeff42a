"""The table of the shell's commands: a decorated function is a command, and nothing else says so.

Dispatch, `:help`, completion and "did you mean" read the table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tgrad.shell.loop import Shell

Run = Callable[[Any, str], None]


class CommandError(Exception):
    """A command can't be carried out; the message is what the user is told."""


class Command:
    """A command of the shell: `command(shell, argument)` carries it out."""

    def __init__(self, name: str, usage: str, help: str, run: Run) -> None:
        self.name, self.usage, self.help, self.run = name, usage, help, run

    def __call__(self, shell: Shell, argument: str) -> None:
        """Carry it out; what stands in its way is told in one line."""
        try:
            self.run(shell, argument)
        except CommandError as error:
            shell.write(str(error))


COMMANDS: dict[str, Command] = {}
"""All commands by name."""


def command(name: str, usage: str, help: str) -> Callable[[Run], Run]:
    """Makes a function a command.  `usage` is what is typed, `help` one sentence on what it does."""

    def register(run: Run) -> Run:
        COMMANDS[name] = Command(name, usage, help, run)
        return run

    return register


def find(name: str) -> Run:
    """The command of a name, or of the only one that begins so; else one that says what is wrong."""
    if name in COMMANDS:
        return COMMANDS[name]
    fitting = [each for each in COMMANDS if name and each.startswith(name)]
    if len(fitting) == 1:
        return COMMANDS[fitting[0]]
    return _refusal(name, fitting)


def _refusal(name: str, fitting: list[str]) -> Run:
    from tgrad.runtime.hints import closest

    if not name:
        sentence = "a command's name follows the colon; :help lists them"
    elif fitting:
        sentence = f":{name} may be " + " or ".join(f":{each}" for each in fitting)
    elif meant := closest(name, COMMANDS):
        sentence = f"there is no command :{name}; did you mean :{meant}?"
    else:
        sentence = f"there is no command :{name}; :help lists them"
    return lambda shell, argument: shell.write(sentence)


def none_left(argument: str, usage: str) -> None:
    """Raise CommandError if a command that takes no argument was given one."""
    if argument:
        raise CommandError(f"{usage} takes nothing after it")
