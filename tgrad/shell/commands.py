"""The commands of the shell, all in one table.  Importing this reads in the modules that have them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tgrad.shell import files, going_back, inspection, options, table, timing
from tgrad.shell.registry import COMMANDS, Command, CommandError, command, find, none_left

if TYPE_CHECKING:
    from tgrad.shell.loop import Shell

__all__ = ["COMMANDS", "Command", "CommandError", "command", "find"]

LOADED = (files, going_back, inspection, options, timing)


@command("help", ":help [NAME]", "explains a name or a command, or lists what there is")
def help(shell: Shell, argument: str) -> None:
    """`:help`, `:help sin`, `:help :who`; `sin?` is the same."""
    try:
        from tgrad.display.help import help_text

        lines = help_text(argument, shell, commands=COMMANDS)
    except Exception as fault:
        if os.environ.get("TGRAD_DEBUG"):
            raise
        shell.write(f"the help page failed ({type(fault).__name__}: {fault}); these are the commands:")
        rows = [(each.usage, each.help) for each in COMMANDS.values()]
        table.draw(shell.console, ("command", "what it does"), rows)
    else:
        shell.console.draw(lines)


@command("quit", ":quit", "leaves the shell")
def quit(shell: Shell, argument: str) -> None:
    """As Ctrl-D."""
    none_left(argument, ":quit")
    shell.leave()
