"""`:run`, `:load`, `:save`, `:edit`, and the program that is run at the start."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgrad.shell.registry import CommandError, command
from tgrad.shell.steps import step
from tgrad.source import Source, Span

if TYPE_CHECKING:
    from tgrad.runtime.diagnostic import Diagnostic
    from tgrad.runtime.output import Reporter
    from tgrad.runtime.session import Result, Session
    from tgrad.shell.loop import Input, Shell


@command("run", ":run FILE", "runs a program in this session")
def run(shell: Shell, argument: str) -> None:
    """Its names are there afterwards; its expressions aren't shown, as with `tgrad FILE`."""
    path = _path(argument, ":run FILE")
    source = Source(str(argument), read_text(path))
    step(shell, source.text, lambda: shell.session.run(source))


@command("load", ":load FILE", "puts a file's text at the prompt, to be edited and run")
def load(shell: Shell, argument: str) -> None:
    """Nothing is run."""
    offer(shell, read_text(_path(argument, ":load FILE")))


@command("save", ":save FILE", "writes the statements that ran, in order, with the seed")
def save(shell: Shell, argument: str) -> None:
    """Running the file gives the same state.  What failed or was undone is left out."""
    path = _path(argument, ":save FILE")
    text, left_out = saved_text(shell)
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise CommandError(f"can't write {argument}: {error.strerror}") from None
    more = f"; {left_out} that failed left out" if left_out else ""
    shell.write(f"saved in {argument}{more}")


@command("edit", ":edit [NAME]", "opens the last input, or a function of yours, in $EDITOR")
def edit(shell: Shell, argument: str) -> None:
    """What the editor leaves is put at the prompt."""
    if argument:
        text = function_text(shell.session, argument)
    else:
        earlier = [each.text for each in shell.inputs if each.text != ":reset"]
        text = earlier[-1] if earlier else ""
    offer(shell, edited(text))


# ---------------------------------------------------------------- texts


def _path(argument: str, usage: str) -> Path:
    if not argument:
        raise CommandError(f"the name of a file is missing: {usage}")
    return Path(argument).expanduser()


def read_text(path: Path) -> str:
    """A file's text; CommandError if it isn't there or isn't text."""
    from tgrad.runtime.hints import closest

    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        folder = path.parent
        names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
        meant = closest(path.name, names)
        more = f"; did you mean {meant}?" if meant else ""
        raise CommandError(f"no such file: {path}{more}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path} isn't text in UTF-8") from None
    except OSError as error:
        raise CommandError(f"can't read {path}: {error.strerror}") from None


def offer(shell: Shell, text: str) -> None:
    """Put a text at the next prompt."""
    from tgrad.shell.loop import able_terminal

    if not text.strip():
        raise CommandError("there is no text")
    if shell.input is None and not able_terminal():
        raise CommandError("this terminal has no editable prompt; :run FILE runs a file")
    shell.draft = text.rstrip("\n")


def edited(text: str) -> str:
    """What the user makes of a text in an editor."""
    words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    descriptor, name = tempfile.mkstemp(suffix=".tg")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        done = subprocess.run([*words, name], check=False)
        if done.returncode:
            raise CommandError(f"{words[0]} ended with {done.returncode}; nothing is changed")
        return Path(name).read_text("utf-8")
    except OSError as error:
        raise CommandError(f"can't open {words[0]}: {error.strerror}; set EDITOR") from None
    finally:
        os.unlink(name)


def function_text(session: Session, name: str) -> str:
    """The statement that defines a function of the program's."""
    value = session.names.get(name)
    code = getattr(getattr(value, "__wrapped__", value), "__code__", None)
    source = None if code is None else session._sources.get(code.co_filename)
    if code is None or source is None:
        raise CommandError(f"{name} is no function of yours")
    for statement in session.compile(source).statements:
        span = statement.span
        if span.line <= code.co_firstlineno <= span.end_line:
            return piece(source, span)
    raise CommandError(f"the text of {name} is lost")


def piece(source: Source, span: Span) -> str:
    """The text of a span."""
    lines = source.lines[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column]
    lines[0] = lines[0][span.column :]
    return "\n".join(lines)


# ---------------------------------------------------------------- what is saved


def saved_text(shell: Shell) -> tuple[str, int]:
    """The program that gives the session's state, and how many inputs failed in part or whole."""
    texts: list[str] = []
    failed = 0
    for each in shell.inputs:
        if each.number in shell.undone or each.result.exit_code == INTERRUPTED:
            continue
        if each.text == ":reset":
            texts, failed = [], 0
            continue
        text = each.text
        if each.result.diagnostic is not None:
            text = part_that_ran(shell.session, each)
            failed += 1
        if text.strip():
            texts.append(text.rstrip("\n"))
    seed = None if shell.journal is None else shell.journal.seed
    head = ["# Saved from a session of tgrad."]
    if seed is not None:
        head.append(f"torch.manual_seed({seed})")
    # `:reset` goes back to the first input; the start-up program is before it.
    return "\n".join([*head, *shell.startup, *texts]) + "\n", failed


INTERRUPTED = 130


def part_that_ran(session: Session, entry: Input) -> str:
    """Of an input that failed, the statements before the one that did."""
    name = f"<input {entry.number}>"
    started = [
        source
        for _, source in session._executed
        if source.text == entry.text and (source.name == name or source.name[:1] != "<")
    ]
    if len(started) < 2:
        return ""
    source = started[-1]
    statements = session.compile(source, show=True).statements
    end = statements[min(len(started), len(statements)) - 2].span
    return piece(source, Span(1, 0, end.end_line, end.end_column))


# ---------------------------------------------------------------- the start


def run_startup(shell: Shell, path: Path | None) -> Result | None:
    """Run the user's start-up program, if there is one; what is wrong with it is told in a line."""
    if path is None or not path.exists():
        return None
    try:
        source = Source(str(path), read_text(path))
    except CommandError as error:
        shell.write(f"start-up program: {error}")
        return None
    if shell.journal is not None:
        shell.journal.note_seed()
    session, reporter = shell.session, shell.session._reporter
    session._reporter = _Quiet(reporter)
    try:
        result = session.run(source)
    finally:
        session._reporter = reporter
    shell.startup.append(source.text.rstrip("\n"))
    if (fault := result.diagnostic) is not None:
        line = f":{fault.places[-1].span.line}" if fault.places else ""
        shell.write(f"start-up program: {path}{line}: {fault.last_line}")
    return result


class _Quiet:
    """A reporter that leaves out the drawing of errors, which would fill the first screen."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reporter, name)

    def error(self, diagnostic: Diagnostic) -> None:
        """Nothing: the fault is told in one line."""
