"""The builtins of a program: Python's harmless ones, torch's names, and what lowered code calls.

A program's globals have a `__builtins__` of their own, this dict, so nothing else of Python's is in
reach.  Names that begin with a dot can't be spelled by programs; the lowering writes them.  Neither
can names with two underscores at both ends but `__name__`.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

from tgrad.errors import NotAvailableError
from tgrad.runtime import closeness, declarations, reflection
from tgrad.runtime.access import NO_ACCESS, Access, file_builtins
from tgrad.runtime.attributes import attribute_names
from tgrad.runtime.classes import isinstance_builtin, issubclass_builtin, type_builtin
from tgrad.runtime.modules import Modules, torch_modules
from tgrad.runtime.output import TextStream

__all__ = ["Builtins", "attribute_names", "program_builtins"]

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


class Builtins(dict[str, Any]):
    """The dict behind `__builtins__`: torch's names without prefix join it when they are used.

    Where Python has a builtin of the same name, Python's counts, or none if programs don't have it.
    """

    def __init__(self, modules: Modules) -> None:
        super().__init__()
        self._modules = modules
        self._python = frozenset(vars(builtins))

    def __missing__(self, name: str) -> Any:
        if name in self._python or name.startswith((".", "_")):
            raise KeyError(name)
        torch = self._modules.import_module("torch", False)
        try:
            value = torch if name == "torch" else getattr(torch, name)
        except AttributeError:
            raise KeyError(name) from None
        self[name] = value
        return value

    def all_names(self) -> frozenset[str]:
        """Every name that a program can use without having defined it."""
        torch = self._modules.names_of("torch")
        return frozenset(self) | {"torch"} | (torch - self._python)


def program_builtins(
    *,
    output: TextStream,
    show: Callable[[Any], None],
    parameter: Callable[[str, Callable[[], Any]], Any],
    access: Access = NO_ACCESS,
    modules: Modules | None = None,
) -> Builtins:
    """The dict that is `__builtins__` for a program.

    `output` is the stream that `print` writes to, `show` gets the value of an expression that is to
    be shown, `parameter` the name and default of a `param`; `access` says which files `read`,
    `load` and `save` may touch; `modules` are the session's modules if someone else needs them too.
    """
    if modules is None:
        modules = Modules(access.writable)
    torch = torch_modules()["torch"]
    names = Builtins(modules)
    names.update({name: getattr(builtins, name) for name in (PLAIN + EXCEPTIONS).split()})
    names.update(
        {
            "__name__": "__main__",
            # For NumPy's compiled code, which imports parts of itself in the name of whoever calls
            # it. No program can spell this.
            "__import__": builtins.__import__,
            "print": printer(output),
            "type": type_builtin(),
            "isinstance": isinstance_builtin,
            "issubclass": issubclass_builtin,
            "getattr": reflection.getattr_builtin,
            "hasattr": reflection.hasattr_builtin,
            "setattr": reflection.setattr_builtin,
            "exit": leave,
            "quit": leave,
        }
    )
    names.update(file_builtins(access, lambda array: torch["tensor"](array)))
    names.update(
        {
            ".show": show,
            ".param": parameter,
            ".no_grad": torch["no_grad"],
            ".close": closeness.close,
            ".assert_close": closeness.assert_close,
            ".check": declarations.check,
            ".missing": reflection.missing,
            ".format": reflection.read_format,
            ".import_module": modules.import_module,
            ".import_from": modules.import_from,
            ".Exception": Exception,
        }
    )
    return names


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
