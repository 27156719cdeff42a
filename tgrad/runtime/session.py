"""A program's world: its names, what it shows, and how it ends.

    session = Session(reporter)
    result = session.run(Source("<command>", "x = 2; x * 3"), show=True)

A session has no state outside of itself.  The same session runs any number of sources, one after
the other, in the same names; the shell does so with every input.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

from tgrad.errors import ArgumentError, ArgumentValueError, ProgramError
from tgrad.runtime.output import BUG_NOTE, OutputClosed, Reporter
from tgrad.runtime.screen import Screen
from tgrad.source import Source

if TYPE_CHECKING:
    from tgrad.lang import Program
    from tgrad.runtime.access import Access
    from tgrad.runtime.diagnostic import Diagnostic
    from tgrad.runtime.frames import World


Boundary = Callable[[], AbstractContextManager[None]]


class Result(NamedTuple):
    """How a run ended: the exit code, what went wrong if something did, the last value shown."""

    exit_code: int = 0
    diagnostic: Diagnostic | None = None
    value: object = None
    left: bool = False
    """True when the program asked to leave, by `exit()`."""

    incomplete: bool = False
    """True when nothing was run because more text could still make a program of it."""


class Session:
    """The names of a program, and running source in them."""

    def __init__(
        self,
        reporter: Reporter,
        *,
        access: Access | None = None,
        boundary: Boundary = nullcontext,
        debug: bool = False,
        screen: Screen | None = None,
        keep: bool = True,
    ) -> None:
        """Make a session with nothing in it.

        `access` says which files programs may touch, `boundary` makes the context that each run
        takes place in (such as `tgrad.runtime.limits.limited`), `debug` shows Python's own
        traceback above each error, `screen` is what figures and progress bars are drawn on, `keep` allows
        long programs to be kept compiled in the user's cache.
        """
        from tgrad.runtime.access import NO_ACCESS
        from tgrad.runtime.attributes import AttributeNames
        from tgrad.runtime.builtins import program_builtins

        self._reporter = reporter
        self._boundary = boundary
        self._debug = debug
        self._keep = keep
        self.screen = screen or Screen()
        """What the session's programs draw on; its functions may be exchanged at any time."""
        self._attributes = AttributeNames()
        self._sources: dict[str, Source] = {}
        self._executed: list[tuple[CodeType, Source]] = []
        self._warned: set[tuple[str, str, str, int | None]] = set()
        self._value: object = None
        self._types: dict[str, str] = {}
        self.arguments: Mapping[str, object] = {}
        """Values for the `param` declarations, by name; a parameter not in it has its default."""
        self.builtins = program_builtins(
            output=reporter.output,
            show=self._show,
            parameter=self._parameter,
            access=access or NO_ACCESS,
            screen=self.screen,
            sources=self._sources.get,
        )
        self.names: dict[str, Any] = {"__builtins__": self.builtins.names, "__name__": "__main__"}

    def run(self, source: Source, *, show: bool = False, more: bool = False) -> Result:
        """Compile a source as a whole, then run its statements in order.

        With `show` the values of bare expressions are shown.  Errors end up in the result and with
        the reporter.  With `more`, the text can be continued: where it is merely incomplete, the
        result says so and nothing is reported.
        """
        try:
            program = self.compile(source, show=show)
        except Exception as error:
            if more and isinstance(error, ProgramError) and error.details.get("incomplete"):
                return Result(incomplete=True)
            return self.report(error)
        return self.execute(program)

    def compile(self, source: Source, *, show: bool = False) -> Program:
        """Compile a source for this session.

        Raises:
            ProgramError: the text isn't a program of the language.
        """
        from tgrad.lang.kept import compiled

        self._sources[source.name] = source
        with self._warnings():
            try:
                return compiled(source, attributes=self._attributes, show=show, keep=self._keep)
            except ProgramError:
                raise
            except Exception as error:
                error.add_note(BUG_NOTE)
                raise

    def execute(self, program: Program) -> Result:
        """Run a compiled program in the session's names."""
        self._value = None
        self._types.update({each.name: each.type for each in program.parameters})
        try:
            with self._warnings(), self._boundary():
                codes = [statement.code for statement in program.statements]
                doubtful = self.builtins.prepare(codes, self.names)
                for number, statement in enumerate(program.statements, 1):
                    if doubtful:
                        self.builtins.prepare_statement(doubtful[number - 1], self.names)
                    self._reporter.statement_begins(number, statement)
                    self._executed.append((statement.code, program.source))
                    exec(statement.code, self.names)
                    self._reporter.statement_ends()
        except SystemExit as leaving:
            return self._leave(leaving)
        except OutputClosed:
            raise
        except BaseException as error:
            self._finish()
            return self.report(error)
        finally:
            self._finish()
        return Result(value=self._value)

    def _finish(self) -> None:
        if self.screen.finish is not None:
            self.screen.finish()

    def seed(self, number: int) -> None:
        """Seed the random numbers, as `torch.manual_seed(number)` does."""
        from tgrad.core.random import default_generator

        default_generator.manual_seed(number)

    def use_device(self, device: str) -> None:
        """Let tensors be made on a device; TensorError where it isn't there.

        The device begins to work at once: what its driver takes for itself counts for no program.
        """
        from tgrad.core.modes import use_device

        use_device(device)

    def report(self, error: BaseException) -> Result:
        """Explain an error and hand it to the reporter."""
        from tgrad.runtime import trace

        if self._debug:
            import traceback

            traceback.print_exception(error)
        try:
            diagnostic = trace.diagnose(error, self.world())
        except Exception as mistake:  # the error itself matters more than its explanation
            if self._debug:
                raise
            diagnostic = trace.plain(error, mistake)
        self._reporter.error(diagnostic)
        return Result(diagnostic.exit_code, diagnostic, self._value)

    def world(self) -> World:
        """What explains the errors of this session."""
        from tgrad.runtime.frames import World

        return World(self.names, self._sources, self._executed, self.builtins.all_names)

    def _show(self, value: object) -> None:
        """Show a value as Python's prompt would: not None; the last one shown is `_`."""
        if value is None:
            return
        self._reporter.value(value)
        self.builtins.names["_"] = self._value = value

    def _parameter(self, name: str, default: Callable[[], object] | None) -> object:
        """The value of `param name: type = default`.

        Raises:
            ArgumentValueError: it wasn't given and has no default.
            ArgumentError: the default isn't of its type.
        """
        if name in self.arguments:
            return self.arguments[name]
        if default is None:
            raise ArgumentValueError(
                f"the parameter '{name}' has no default and wasn't given",
                hint=f"give it on the command line: --{name} value",
            )
        value, kind = default(), self._types.get(name, "")
        if kind == "float" and type(value) is int:
            return float(value)
        if type(value).__name__ != kind:
            given = type(value).__name__
            raise ArgumentError(
                f"the parameter '{name}' is declared as {kind} and its default is of type {given}"
            )
        return value

    def _leave(self, leaving: SystemExit) -> Result:
        """What `exit(code)` means, as in Python: a text goes to the error stream and means 1."""
        code = leaving.code
        if code is None or isinstance(code, int):
            return Result((code or 0) & 0xFF, left=True)
        self._reporter.output.flush()
        if sys.stderr is not None:
            print(code, file=sys.stderr)
        return Result(1, left=True)

    @contextmanager
    def _warnings(self) -> Iterator[None]:
        """Hand warnings to the reporter, each once for the place in the program it comes from."""
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning):
                warnings.simplefilter("ignore", category)
            # As in Python, a program hears of what it does itself, and not of what libraries do.
            warnings.filterwarnings("always", category=DeprecationWarning, module="__main__")
            warnings.showwarning = self._warn
            yield

    def _warn(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: object = None,
        line: str | None = None,
    ) -> None:
        from tgrad.runtime.frames import innermost_place

        place, at = "tgrad", None
        if (found := innermost_place(sys._getframe(1), self.world())) is not None:
            place, at = found[0].name, found[1]
        elif filename in self._sources:
            place, at = filename, lineno
        text = " ".join(str(message).split("\n"))
        seen = (text, category.__name__, place, at)
        if seen not in self._warned:
            self._warned.add(seen)
            self._reporter.warning(text, category.__name__, place, at)
