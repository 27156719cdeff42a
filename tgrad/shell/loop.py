"""The shell: reads an input, runs it in one session, keeps what it gave.

The shell's other parts plug in here and are loaded when they are first needed: the prompt
(`prompt`, or `plain` where a terminal can't do it), commands, undo.  A part that is missing or
fails takes nothing with it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tgrad.runtime.output import Output, OutputClosed
from tgrad.source import Source

if TYPE_CHECKING:
    from tgrad.display.console import Console
    from tgrad.lang import Program
    from tgrad.runtime.journal import Journal
    from tgrad.runtime.session import Result, Session
    from tgrad.shell.history import HistoryFile
    from tgrad.shell.settings import Settings

EXIT_INTERRUPTED = 130

KEPT_RESULTS = 1000
"""So many results keep their names `_1`, `_2`, ...; older ones are let go of."""


class Input(NamedTuple):
    """An input that ran: its number, its text, and how it ended."""

    number: int
    text: str
    result: Result


class Prompt(Protocol):
    """Where inputs come from."""

    def read(self) -> str:
        """The next input.  Raises EOFError when there is none."""


class Shell:
    """Inputs and results of one session.

    `input` and `output` are prompt_toolkit's, for tests; without them the process's terminal is
    used.  `console` is what commands draw on.
    """

    def __init__(
        self,
        session: Session,
        settings: Settings,
        *,
        input: Any = None,
        output: Any = None,
        console: Console | None = None,
        plain: bool = False,
        history: HistoryFile | None = None,
    ) -> None:
        self.session = session
        self.settings = settings
        self.plain = plain
        self.inputs: list[Input] = []
        self.undone: set[int] = set()
        """The numbers of the inputs that `:undo` took back."""
        self.startup: list[str] = []
        """The texts of programs that ran before the first input."""
        self.draws_figures: tuple[Any] | None = None
        """What drew figures before `:set plots` had them written to files."""
        self.draft = ""
        """A text that the next prompt begins with, to be edited."""
        self.exit_code: int | None = None
        """Set when the shell is to be left."""
        self.input, self.output = input, output
        self._console = console
        self._history = history
        self._results: list[tuple[str, object]] = []
        self._journal: Journal | None = None
        self._journals = True
        self._compiled: tuple[Source, Program] | None = None

    @property
    def console(self) -> Console:
        """What the shell and its commands draw on."""
        if self._console is None:
            from tgrad.display.console import Console

            self._console = Console.on(Output(sys.stdout))
        return self._console

    @property
    def history(self) -> HistoryFile:
        """The entries of this session and of earlier ones."""
        if self._history is None:
            from tgrad.shell.history import HistoryFile, history_path

            self._history = HistoryFile(history_path())
        return self._history

    @property
    def journal(self) -> Journal | None:
        """The states of the session before its inputs; None where they can't be kept."""
        if self._journal is None and self._journals:
            try:
                from tgrad.runtime.journal import Journal

                self._journal = Journal(self.session)
            except Exception:
                self._journals = False
        return self._journal

    @property
    def next_number(self) -> int:
        """The number of the next input; its result will be `_` and this number."""
        return len(self.inputs) + 1

    def run(self, prompt: Prompt | None = None) -> int:
        """Read and run inputs until the end of the input, `exit()` or `:quit`; returns the exit code."""
        from tgrad.shell.plain import PlainPrompt

        prompt = prompt or self._prompt()
        while self.exit_code is None:
            try:
                text = prompt.read()
            except EOFError:
                return 0
            except KeyboardInterrupt:
                continue
            except Exception as fault:
                if isinstance(prompt, PlainPrompt) or os.environ.get("TGRAD_DEBUG"):
                    raise
                self.write(f"the prompt failed, and a plain one goes on: {type(fault).__name__}: {fault}")
                prompt = self._plain_prompt()
                continue
            self._execute_guarded(text)
        return self.exit_code

    def _execute_guarded(self, text: str) -> None:
        """Run an input; what goes wrong in the shell itself is told, and the session goes on."""
        try:
            self.execute(text)
        except KeyboardInterrupt:
            self.write("KeyboardInterrupt")
        except Exception as fault:
            if os.environ.get("TGRAD_DEBUG"):
                raise
            self.write(f"the shell failed at this input: {type(fault).__name__}: {fault}")

    def leave(self, code: int = 0) -> None:
        """Leave the shell once the input at hand is done."""
        self.exit_code = code

    def execute(self, text: str) -> Result | None:
        """Run an input: statements, `:command argument`, or `name?`.  None for commands."""
        if not text.strip():
            return None
        command = as_command(text)
        if command is not None:
            self._command(command)
            return None
        return self._statements(text)

    def complete(self, text: str) -> bool:
        """Whether an input can run as it is; one with a mistake in it can, and says so then."""
        if as_command(text) is not None:
            return True
        from tgrad.errors import ProgramError

        source = self._source(text)
        try:
            self._compiled = (source, self.session.compile(source, show=True))
        except ProgramError as error:
            return not error.details.get("incomplete")
        except Exception:
            return True  # running it reports what is wrong
        return True

    def write(self, text: str) -> None:
        """Write a line of the shell's own."""
        self.console.draw([[("plain", text)]])

    # -- statements

    def _statements(self, text: str) -> Result:
        number, source = self.next_number, self._source(text)
        known, self._compiled = self._compiled, None
        journal = self.journal
        if journal is not None:
            journal.begin(text)
        if known and known[0] == source:
            result = self.session.execute(known[1])
        else:
            result = self.session.run(source, show=True)
        if journal is not None:
            self._after(journal, result)
        self.inputs.append(Input(number, text, result))
        if result.left:
            self.leave(result.exit_code)
        elif result.value is not None and result.diagnostic is None:
            self._keep(number, result.value)
        return result

    def _after(self, journal: Journal, result: Result) -> None:
        """Let the journal see what the input did; an interrupted one is as if it had never run."""
        if result.exit_code != EXIT_INTERRUPTED:
            journal.end()
            return
        lost = journal.rollback().lost
        self.write(f"not put back: {', '.join(lost)}" if lost else "every variable is as before the input")

    def _source(self, text: str) -> Source:
        return Source(f"<input {self.next_number}>", text)

    def _keep(self, number: int, value: object) -> None:
        """Give a result its names: `__` and `___` are those before `_`, `_3` is that of input 3."""
        names = self.session.builtins.names
        name = f"_{number}"
        names[name] = value
        self._results.append((name, value))
        for depth, (_, older) in enumerate(reversed(self._results[-3:]), 1):
            names["_" * depth] = older
        if len(self._results) > KEPT_RESULTS:
            names.pop(self._results.pop(0)[0], None)

    def forget_result(self, number: int) -> None:
        """Leave the result of an input out of those that `__` and `___` will stand for."""
        self._results = [(name, value) for name, value in self._results if name != f"_{number}"]

    def remember_result(self, number: int) -> None:
        """Count the result of an input, if it has one, among the earlier ones again."""
        name, names = f"_{number}", self.session.builtins.names
        if name in names:
            self._results.append((name, names[name]))

    # -- commands

    def _command(self, line: str) -> None:
        name, _, argument = line.strip().partition(" ")
        try:
            from tgrad.shell.commands import find

            command: Callable[[Shell, str], object] | None = find(name)
        except ImportError:
            command = None
        if command is None:
            self.write(f"there is no command :{name}; :help lists them")
            return
        try:
            command(self, argument.strip())
        except (OutputClosed, EOFError):
            raise
        except Exception as fault:
            if os.environ.get("TGRAD_DEBUG"):
                raise
            self.write(f":{name} failed: {type(fault).__name__}: {fault}")

    # -- where inputs come from

    def _prompt(self) -> Prompt:
        if self.input is not None or able_terminal():
            try:
                from tgrad.shell.prompt import TerminalPrompt

                return TerminalPrompt(self)
            except ImportError:
                pass
        return self._plain_prompt()

    def _plain_prompt(self) -> Prompt:
        from tgrad.shell.plain import PlainPrompt

        return PlainPrompt(Output(sys.stdout), self.complete)


def as_command(text: str) -> str | None:
    """The command in an input, without its colon; `name?` asks for help.  None for statements."""
    words = text.strip()
    if words.startswith(":"):
        return words[1:]
    asked = re.fullmatch(r"\?{0,2}([\w.]+)\?{1,2}", words)
    return f"help {asked[1]}" if asked else None


def able_terminal() -> bool:
    """Whether the terminal can move its cursor."""
    able = os.environ.get("TERM", "") not in ("", "dumb", "unknown") or sys.platform == "win32"
    return able and all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
