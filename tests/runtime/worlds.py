"""Runs programs in a world of their own, without a command line."""

from __future__ import annotations

import io
from typing import Any

from tgrad.lang import compile_program
from tgrad.runtime.access import NO_ACCESS, Access
from tgrad.runtime.attributes import AttributeNames
from tgrad.runtime.builtins import program_builtins
from tgrad.source import Source


class World:
    """The names of one program, and what it printed and showed."""

    def __init__(self, access: Access = NO_ACCESS, **arguments: Any) -> None:
        self.output = io.StringIO()
        self.shown: list[Any] = []
        self.arguments = arguments
        self.builtins = program_builtins(
            output=self.output, show=self._show, parameter=self._parameter, access=access
        )
        self.names: dict[str, Any] = {"__builtins__": self.builtins.names, "__name__": "__main__"}

    def _show(self, value: Any) -> None:
        if value is not None:
            self.shown.append(value)

    def _parameter(self, name: str, default: Any) -> Any:
        return self.arguments[name] if name in self.arguments else default()

    def run(self, text: str) -> dict[str, Any]:
        """Compile and run a program; errors come out as they are."""
        program = compile_program(Source("<test>", text), attributes=AttributeNames(), show=True)
        doubtful = self.builtins.prepare([each.code for each in program.statements], self.names)
        for number, statement in enumerate(program.statements):
            if doubtful:
                self.builtins.prepare_statement(doubtful[number], self.names)
            exec(statement.code, self.names)
        return self.names


def run(text: str, **arguments: Any) -> World:
    """Run a program in a new world."""
    world = World(**arguments)
    world.run(text)
    return world


def printed(text: str, **arguments: Any) -> str:
    """What a program prints."""
    return run(text, **arguments).output.getvalue()
