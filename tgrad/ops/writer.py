"""The text of a function that is made of a row, and what such texts have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tgrad.ops.table import Op, Parameter, signature


class Writer:
    """Lines of Python text and the names that they refer to."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}

    def add(self, text: str, depth: int = 1) -> None:
        """Add lines, indented by `depth` more levels."""
        indent = "    " * depth
        self.lines.extend(indent + line for line in text.splitlines())

    def compile(self, name: str, label: str) -> Callable[..., Any]:
        """The function `name` that the lines define."""
        code = compile("\n".join(self.lines), f"<tgrad {label}>", "exec")
        exec(code, self.names)
        function: Callable[..., Any] = self.names[name]
        return function


def promoting(op: Op) -> list[Parameter]:
    """The parameters that decide the dtype and are converted to it."""
    return [p for p in op.parameters if p.kind in ("tensor", "operand", "scalar")]


def sources_of(op: Op) -> list[Parameter]:
    """The parameters that gradients flow to."""
    return [p for p in op.parameters if p.kind in ("tensor", "operand")]


def formula_names(formula: Any) -> list[str]:
    """What a formula needs after `(o, g)`."""
    return [] if formula is None else [name for name, _, _ in signature(formula)[2:]]


def is_tensor(op: Op, name: str) -> bool:
    if name == "out" or name in op.fields:
        return True
    return any(p.name == name and p.kind in ("tensor", "operand", "index") for p in op.parameters)
