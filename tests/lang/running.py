"""Running compiled programs with small stand-ins for the runtime's helpers."""

from __future__ import annotations

import builtins
import contextlib
import math
import re
from typing import Any

from tgrad.errors import ProgramError
from tgrad.lang import Program, compile_program
from tgrad.source import Source


def compiled(text: str, *, show: bool = False, attributes: set[str] | None = None) -> Program:
    """A program, by default one that may read every attribute it names."""
    allowed = re.findall(r"\w+", text) if attributes is None else attributes
    return compile_program(Source("test.tg", text), attributes=frozenset(allowed), show=show)


def failure(text: str, **options: Any) -> ProgramError:
    """The error that a text gives."""
    try:
        compiled(text, **options)
    except ProgramError as error:
        return error
    raise AssertionError(f"this should not compile: {text!r}")


def marked(error: ProgramError) -> str:
    """The piece of the text that an error points at."""
    span = error.span
    lines = error.source.lines[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column]
    lines[0] = lines[0][span.column :]
    return "\n".join(lines)


class World:
    """The names of a program, and what its helpers were called with."""

    def __init__(self, **arguments: Any) -> None:
        self.shown: list[Any] = []
        self.events: list[Any] = []
        self.arguments = arguments
        self.names: dict[str, Any] = {
            "__name__": "__main__",
            ".show": self.shown.append,
            ".no_grad": self._no_grad,
            ".param": self._param,
            ".close": lambda a, b: math.isclose(a, b, rel_tol=1e-3),
            ".assert_close": self._assert_close,
            ".check": self._check,
            ".import_module": lambda name, root: ("module", name, root),
            ".import_from": lambda module, name: ("from", module, name),
            ".missing": self._missing,
            ".attributes": lambda value: Refusing(self, value),
            ".format": lambda value: value.format,
            ".Exception": Exception,
        }

    def run(self, text: str, **options: Any) -> World:
        for statement in compiled(text, **options).statements:
            exec(statement.code, self.names)
        return self

    def __getitem__(self, name: str) -> Any:
        return self.names[name]

    @contextlib.contextmanager
    def _no_grad(self) -> Any:
        self.events.append("no_grad")
        yield
        self.events.append("grad")

    def _param(self, name: str, thunk: Any) -> Any:
        return self.arguments[name] if name in self.arguments else thunk()

    def _assert_close(self, a: Any, b: Any, message: Any) -> None:
        if not math.isclose(a, b, rel_tol=1e-3):
            raise AssertionError(message() if message else None)

    def _check(self, value: Any, dtype: Any, dims: Any, name: str) -> Any:
        self.events.append((value, dtype, dims, name))
        return value

    def _missing(self, value: Any, name: str) -> Any:
        kind = builtins.type(value).__name__
        raise AttributeError(f"'{kind}' object has no attribute '{name}'")


class Refusing:
    """What `.attributes` gives: here, nothing can be assigned to."""

    def __init__(self, world: World, value: Any) -> None:
        self.world = world
        self.value = value

    def __getitem__(self, name: str) -> Any:
        return self.world._missing(self.value, name)

    def __setitem__(self, name: str, new: Any) -> None:
        self.world._missing(self.value, name)

    def __delitem__(self, name: str) -> None:
        self.world._missing(self.value, name)
