"""Commands that look at what there is and change nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tgrad.shell import table
from tgrad.shell.registry import CommandError, command, none_left
from tgrad.source import Source

if TYPE_CHECKING:
    from tgrad.shell.loop import Shell

PATHS_SHOWN = 3
"""How many names of the same memory are listed."""


@command("who", ":who [PART]", "lists names with their dtype, shape and size, and where they were made")
def who(shell: Shell, argument: str) -> None:
    """With an argument, only names that have it in them."""
    from tgrad.display.numbers import size_text
    from tgrad.runtime.inventory import entries

    rows = [
        (
            each.name, each.kind, "yes" if each.requires_grad else "",
            "" if each.size is None else size_text(each.size), each.place,
        )
        for each in entries(shell.session)
        if argument in each.name
    ]  # fmt: skip
    if not rows:
        raise CommandError(f"no name has {argument!r} in it" if argument else "nothing is defined yet")
    table.draw(shell.console, ("name", "value", "grad", "size", "made at"), rows, "size")


@command("grads", ":grads", "lists gradients: norm, ratio to the value, how often added to and where")
def grads(shell: Shell, argument: str) -> None:
    """Every tensor that has a gradient, by the way that leads to it."""
    none_left(argument, ":grads")
    from tgrad.display.numbers import short
    from tgrad.runtime.inventory import gradients

    rows, log = [], shell.journal
    for each in gradients(shell.session):
        times, places = (0, []) if log is None else log.gradients.of(each.tensor)
        rows.append(
            (
                each.path,
                str(list(each.shape)),
                short(each.norm),
                "" if each.ratio is None else short(each.ratio),
                f"{times}x" if times else "",
                ", ".join(places),
                each.flaw,
            )
        )
    if not rows:
        raise CommandError("no tensor has a gradient; call backward() on a loss")
    table.draw(
        shell.console,
        ("name", "shape", "norm", "/ value", "added", "by", "flaw"),
        rows,
        "norm added",
    )


@command("mem", ":mem", "lists memory: tensors, gradients, what graphs keep; shared memory counts once")
def mem(shell: Shell, argument: str) -> None:
    """The largest first, and a sum for each kind."""
    none_left(argument, ":mem")
    from tgrad.display.numbers import size_text
    from tgrad.runtime.inventory import memory

    pieces = memory(shell.session)
    rows = []
    for each in pieces:
        more = len(each.paths) - PATHS_SHOWN
        names = ", ".join(each.paths[:PATHS_SHOWN]) + (f" and {more} more" if more > 0 else "")
        rows.append((names, size_text(each.size), each.what))
    for what in dict.fromkeys(each.what for each in pieces):
        total = sum(each.size for each in pieces if each.what == what)
        rows.append(("all", size_text(total), what))
    if not rows:
        raise CommandError("there are no tensors")
    table.draw(shell.console, ("name", "size", "what"), rows, "size")


@command("last", ":last", "shows the last value in full, in a pager on a terminal")
def last(shell: Shell, argument: str) -> None:
    """The value that `_` stands for, with every element."""
    none_left(argument, ":last")
    names = shell.session.builtins.names
    if "_" not in names:
        raise CommandError("no value was shown yet")
    from tgrad.runtime.values import full_text

    page(shell, full_text(names["_"]))


def page(shell: Shell, text: str) -> None:
    """Show a text in the user's pager if it is longer than the terminal, else write it."""
    words = (os.environ.get("PAGER") or "less").split()
    few = text.count("\n") < shell.console.height
    on_terminal = shell.output is None and sys.stdout is not None and sys.stdout.isatty()
    if few or not on_terminal or shutil.which(words[0]) is None:
        shell.write(text)
        return
    subprocess.run(words, input=text, text=True, check=False)


@command("graph", ":graph [EXPR]", "draws the graph of derivatives of a value, by default of loss or _")
def graph(shell: Shell, argument: str) -> None:
    """As `graph(EXPR)`."""
    if not argument:
        argument = "loss" if "loss" in shell.session.names else "_"
    shell.session.run(Source("<graph>", f"graph({argument});"), show=True)
