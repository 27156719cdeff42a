"""The builtins of a program: Python's harmless ones, torch's names, and what lowered code calls.

A program's globals have a `__builtins__` of their own, so nothing else of Python's is in
reach.  Names that begin with a dot can't be spelled by programs; the lowering writes them.  Neither
can names with two underscores at both ends but `__name__`.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import suppress
from types import CodeType
from typing import Any

from tgrad.errors import NotAvailableError
from tgrad.runtime.access import NO_ACCESS, Access, file_builtins
from tgrad.runtime.mentions import mentions
from tgrad.runtime.modules import Modules, torch_modules
from tgrad.runtime.output import TextStream
from tgrad.runtime.screen import Screen
from tgrad.source import Source

PLAIN = """
    abs all any ascii bin bool bytes callable chr complex dict divmod enumerate filter float format
    frozenset hash hex id int iter len list map max min next object oct ord pow range repr reversed
    round set slice sorted str sum tuple zip NotImplemented Ellipsis
"""
"""Python's builtins that programs get as they are."""

EXCEPTIONS = """
    ArithmeticError AssertionError AttributeError BufferError EOFError Exception FileExistsError
    FileNotFoundError FloatingPointError ImportError IndexError IndentationError KeyError
    KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError NotImplementedError
    OSError IOError OverflowError PermissionError RecursionError ReferenceError RuntimeError
    StopIteration SyntaxError SystemExit TimeoutError TypeError UnboundLocalError UnicodeDecodeError
    UnicodeEncodeError UnicodeError ValueError ZeroDivisionError Warning DeprecationWarning
    FutureWarning ImportWarning RuntimeWarning SyntaxWarning UserWarning
"""
"""Exception classes. `BaseException` is missing, so that no program can catch a limit."""


class Builtins:
    """What programs can name without having defined it.

    `names` is the dict behind `__builtins__`.  It is a plain one, since Python reads builtins at
    full speed only from a plain dict; so names that aren't in it from the start, such as torch's
    names without prefix, are put in when a program mentions them, before it runs.
    Where Python has a builtin of the same name, Python's counts, or none if programs don't have it.
    """

    def __init__(self, modules: Modules, names: dict[str, Any], makers: dict[str, Callable[[], Any]]) -> None:
        self.names = names
        self._modules = modules
        self._makers = makers
        self._python = frozenset(vars(builtins))

    def prepare(self, statements: Sequence[CodeType], defined: Container[str]) -> Sequence[frozenset[str]]:
        """Put in what a program's statements mention; `defined` are the names that exist already.

        torch's names are looked up (which loads the operators) if a name is mentioned that the
        program doesn't assign itself.  Otherwise the names are returned that each statement may read
        before they are assigned: see `prepare_statement`.
        """
        found = [mentions(code) for code in statements]
        reads = {name for each in found for name in (*each.reads, *each.reads_later)}
        self._make(reads)
        assigned = {name for each in found for name in each.assigns}
        unknown = set(self._unknown(reads))
        if any(name not in defined and name not in assigned for name in unknown):
            self._add(unknown)
            return ()
        deleted = {name for each in found for name in each.deletes}
        doubtful: list[frozenset[str]] = []
        later: set[str] = set()
        sure: set[str] = set()
        for each in found:
            later |= (each.reads_later & unknown) - sure
            here = (each.reads & unknown) - sure
            doubtful.append(here | later if each.calls else here)
            sure |= each.surely - deleted
            later -= each.surely - deleted
        return doubtful

    def prepare_statement(self, reads: frozenset[str], defined: Container[str]) -> None:
        """Put in torch's names that a statement reads because the program didn't assign them.

        So it is where an assignment to such a name stands behind a condition that didn't hold.
        """
        missing = [name for name in reads if name not in defined]
        if missing and self._unknown(missing):
            self._add(missing)

    def all_names(self) -> frozenset[str]:
        """Every name that a program can use without having defined it."""
        torch = self._modules.names_of("torch")
        return frozenset(self.names) | frozenset(self._makers) | {"torch"} | (torch - self._python)

    def _make(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.names and name in self._makers:
                self.names[name] = self._makers[name]()

    def _unknown(self, names: Iterable[str]) -> list[str]:
        """Of `names`, those that only torch could still have."""
        return [
            name
            for name in names
            if name not in self.names and name not in self._python and name[0] not in "._"
        ]

    def _add(self, names: Iterable[str]) -> None:
        torch = self._modules.import_module("torch", False)
        for name in names:
            with suppress(AttributeError):
                self.names[name] = torch if name == "torch" else getattr(torch, name)


def program_builtins(
    *,
    output: TextStream,
    show: Callable[[Any], None],
    parameter: Callable[[str, Callable[[], Any]], Any],
    access: Access = NO_ACCESS,
    modules: Modules | None = None,
    screen: Screen | None = None,
    sources: Callable[[str], Source | None] = lambda name: None,
) -> Builtins:
    """What a program can name.

    `output` is the stream that `print` writes to, `show` gets the value of an expression that is to
    be shown, `parameter` the name and default of a `param`; `access` says which files `read`,
    `load` and `save` may touch; `modules` are the session's modules if someone else needs them too.
    """
    if modules is None:
        modules = Modules(access.writable, screen)
    names = {name: getattr(builtins, name) for name in (PLAIN + EXCEPTIONS).split()}
    names |= {
        "__name__": "__main__",
        # For NumPy's compiled code, which imports parts of itself in the name of whoever calls
        # it. No program can spell this.
        "__import__": builtins.__import__,
        "print": printer(output),
        "exit": leave,
        "quit": leave,
        ".show": show,
        ".param": parameter,
        ".import_module": modules.import_module,
        ".import_from": modules.import_from,
        ".Exception": Exception,
    }
    makers = {name: _maker(*place) for name, place in ELSEWHERE.items()}
    makers |= {
        "type": lambda: _runtime("classes").type_builtin(),
        ".missing": lambda: _runtime("reflection").missing_reader(),
        ".no_grad": lambda: torch_modules()["torch"]["no_grad"],
        "read": lambda: file_builtins(access, _tensor)["read"],
        "load": lambda: file_builtins(access, _tensor)["load"],
        "show": lambda: _runtime("screen").shower(screen or Screen()),
        "track": lambda: _runtime("progress").tracker(screen or Screen()),
        "graph": lambda: _runtime("graphs").grapher(screen or Screen(), access.writable, sources),
        "save": lambda: file_builtins(access, _tensor)["save"],
    }
    return Builtins(modules, names, makers)


def _runtime(module: str) -> Any:
    """A module of `tgrad.runtime`, imported now."""
    from importlib import import_module

    return import_module(f"tgrad.runtime.{module}")


def _maker(module: str, name: str) -> Callable[[], Any]:
    return lambda: getattr(_runtime(module), name)


def _tensor(array: Any, device: Any = None) -> Any:
    return torch_modules()["torch"]["tensor"](array, device=device)


ELSEWHERE = {
    "isinstance": ("classes", "isinstance_builtin"),
    "issubclass": ("classes", "issubclass_builtin"),
    "getattr": ("reflection", "getattr_builtin"),
    "hasattr": ("reflection", "hasattr_builtin"),
    "setattr": ("reflection", "setattr_builtin"),
    ".close": ("closeness", "close"),
    ".assert_close": ("closeness", "assert_close"),
    ".check": ("declarations", "check"),
    ".format": ("reflection", "read_format"),
    ".class": ("classes", "class_of"),
    ".attributes": ("reflection", "Attributes"),
}
"""Functions by the module of `tgrad.runtime` that has them, loaded when a program mentions them."""


def printer(output: TextStream) -> Callable[..., None]:
    """`print` to a program's output stream."""

    def print(
        *values: object,
        sep: str | None = " ",
        end: str | None = "\n",
        file: object = None,
        flush: bool = False,
    ) -> None:
        """Write the text of each value, with `sep` between them and `end` after the last."""
        if file is not None:
            raise NotAvailableError("print(file=...): a program writes to its own output only")
        for name, text in (("sep", sep), ("end", end)):
            if text is not None and not isinstance(text, str):
                kind = type(text).__name__
                raise TypeError(f"{name} must be None or a string, not {kind}")
        line = (" " if sep is None else sep).join([str(value) for value in values])
        output.write(line + ("\n" if end is None else end))
        if flush:
            output.flush()

    return print


def leave(code: object = None) -> None:
    """End the program, with an exit code or with a last message."""
    raise SystemExit(code)
