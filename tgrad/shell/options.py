"""`:set`: looking at the settings, changing and keeping them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tgrad.shell import settings as file
from tgrad.shell import table
from tgrad.shell.registry import CommandError, command

if TYPE_CHECKING:
    from tgrad.shell.loop import Shell


@command("set", ":set [NAME VALUE] [--save]", "shows the settings, changes one, or keeps them in a file")
def set_(shell: Shell, argument: str) -> None:
    """`:set`, `:set repr torch`, `:set precision=6`, `:set --save`."""
    words = argument.replace("=", " ").split()
    keep = "--save" in words
    words = [word for word in words if word != "--save"]
    if len(words) == 1:
        _one(shell, words[0])
    elif words:
        _change(shell, words[0], argument.replace("--save", "").replace("=", " ").split(None, 1)[1].strip())
    if keep:
        _keep(shell)
    elif not words:
        _list(shell)


def _list(shell: Shell) -> None:
    rows = [
        (name, file.word_of(getattr(shell.settings, name)), known.help) for name, known in file.KNOWN.items()
    ]
    table.draw(shell.console, ("setting", "value", ""), rows)


def _one(shell: Shell, name: str) -> None:
    if name not in file.KNOWN:
        _change(shell, name, "")
    known = file.KNOWN[name]
    value = file.word_of(getattr(shell.settings, name))
    shell.write(f"{name} is {value}: {known.help}; it takes {known.wants}")


def _change(shell: Shell, name: str, word: str) -> None:
    try:
        file.change(shell.settings, name, word)
    except file.SettingError as error:
        raise CommandError(str(error)) from None
    apply(shell, name)


def apply(shell: Shell, name: str) -> None:
    """Let a setting take effect outside of the shell's own parts."""
    if name == "precision":
        from tgrad.runtime.inventory import set_precision

        set_precision(shell.settings.precision)
    elif name == "undo" and shell.journal is not None:
        shell.journal.limit = shell.settings.undo * 2**20
    elif name == "plots":
        _draw_into(shell, shell.settings.plots)


def apply_all(shell: Shell) -> None:
    """Let the settings that aren't the usual ones take effect."""
    usual = file.Settings()
    for name in file.KNOWN:
        if getattr(shell.settings, name) != getattr(usual, name):
            apply(shell, name)


def _draw_into(shell: Shell, folder: str | None) -> None:
    """Write figures into a folder as well as drawing them, or no longer."""
    screen = shell.session.screen
    if shell.draws_figures is None:
        shell.draws_figures = (screen.figure,)
    (screen.figure,) = shell.draws_figures
    if folder is not None:
        from tgrad.runtime.figure_files import FigureFiles

        FigureFiles(folder).add_to(screen)


def _keep(shell: Shell) -> None:
    path = file.settings_path()
    if path is None:
        raise CommandError("there is no folder for the settings: HOME isn't set")
    try:
        file.save(shell.settings, path)
    except OSError as error:
        raise CommandError(f"can't write {path}: {error.strerror}") from None
    shell.write(f"saved in {path}")
