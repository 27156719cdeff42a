"""What a call in a program calls: the operator's rows, or the function, found without calling it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tgrad.runtime import scope
from tgrad.runtime.classes import ClassView
from tgrad.runtime.modules import Namespace, loaded_names

if TYPE_CHECKING:
    from tgrad.ops.reference import Description
    from tgrad.ops.table import Op
    from tgrad.runtime.session import Session


class Callee(NamedTuple):
    """What is called."""

    name: str
    module: str
    rows: tuple[Op, ...]
    """The rows of an operator; none for anything else."""
    method: bool
    value: Any
    """The function or class itself where it is known, else UNKNOWN."""

    @property
    def title(self) -> str:
        """How it is written: `torch.sin`, `Tensor.sum`, `step`."""
        owner = "Tensor" if self.method else self.module
        return f"{owner}.{self.name}" if owner else self.name


@cache
def _rows() -> dict[tuple[str, str], list[str]]:
    """What the rows of every name in every module of operators are called."""
    from tgrad.ops.reference import names_of
    from tgrad.ops.table import TABLE

    found: dict[tuple[str, str], list[str]] = {}
    for head in TABLE.heads.values():
        for name in dict.fromkeys(names_of(head)):
            found.setdefault((head.module, name), []).append(head.name)
    return found


def rows_of(name: str, module: str = "torch") -> tuple[Op, ...]:
    """The rows behind a name of a module; none before the operators are loaded."""
    if "tgrad.ops.namespace" not in sys.modules:
        return ()
    from tgrad.ops.table import TABLE

    return tuple(TABLE[row] for row in _rows().get((module, name), ()))


def description(name: str, module: str = "torch") -> Description | None:
    """What the source of an operator's rows says; the first one of a file takes some milliseconds."""
    from tgrad.ops.reference import describe

    return describe(name, module)


def method_rows(name: str) -> tuple[Op, ...]:
    """The rows behind a method of tensors, its in-place form as well."""
    rows = tuple(op for op in rows_of(name) if op.method)
    if not rows and name.endswith("_"):
        rows = tuple(op for op in rows_of(name[:-1]) if op.inplace)
    return rows


def find(session: Session, path: Sequence[str]) -> Callee | None:
    """What `a.b.c(` calls; None where only running the program could tell."""
    *owner_path, name = path
    if not owner_path:
        return _of_name(session, name)
    owner = scope.value_of(session, owner_path)
    if owner is scope.UNKNOWN or scope.is_tensor(owner):
        rows = method_rows(name) if owner is not scope.UNKNOWN or owner_path == [""] else ()
        return Callee(name, "", rows, True, scope.UNKNOWN) if rows else None
    if isinstance(owner, Namespace):
        return _of_module(owner, name)
    value = scope.attribute(owner, name)
    if value is scope.UNKNOWN:
        value = getattr(type(owner), name, scope.UNKNOWN)
    return None if value is scope.UNKNOWN else Callee(name, "", (), False, value)


def _of_name(session: Session, name: str) -> Callee | None:
    value = scope.value_of(session, [name])
    if value is scope.UNKNOWN:
        return None
    home = _home(session, name, value)
    if home is not None:
        return _of_module(home, getattr(value, "__name__", name))
    return Callee(name, "", (), False, value)


def _home(session: Session, name: str, value: Any) -> Any:
    """The module of operators that a name was imported from, or is a name of without prefix."""
    torch = scope.torch(session)
    if torch is None or not callable(value):
        return None
    modules = [torch, *(loaded_names(torch).get(part) for part in ("special", "linalg", "fft"))]
    functional = scope.attribute(scope.attribute(torch, "nn"), "functional")
    own = getattr(value, "__name__", name)
    for module in (*modules, functional):
        is_row = isinstance(module, Namespace) and rows_of(own, module.__name__)
        if is_row and scope.attribute(module, own) is value:
            return module
    return None


def _of_module(module: Namespace, name: str) -> Callee | None:
    value = scope.attribute(module, name)
    if value is scope.UNKNOWN:
        return None
    path = module.__name__
    rows = rows_of(name, path)
    if not rows and callable(value) and not isinstance(value, ClassView):
        rows = rows_of(name)  # F.conv2d does what torch.conv2d does
    return Callee(name, path, tuple(op for op in rows if op.function), False, value)


def signatures(callee: Callee) -> list[list[tuple[str, str]]]:
    """The parameters of each overload, with their defaults as text ("" where there is none)."""
    if not callee.rows:
        return [parameters] if (parameters := scope.parameters(callee.value)) else []
    from tgrad.ops.reference import parameters_of

    found = []
    for op in callee.rows:
        if op.listed or len(callee.rows) == 1:
            listed = [pair for pair in parameters_of(op) if pair[0][0] != "_"]
            found.append(listed[1:] if callee.method else listed)
    return [each for i, each in enumerate(found) if each not in found[:i]]


def keywords(callee: Callee) -> list[tuple[str, str]]:
    """The keywords that a call can have, with their defaults."""
    from tgrad.ops.reference import has_out

    found: dict[str, str] = {}
    for overload in signatures(callee):
        for name, default in overload:
            if name.isidentifier():
                found.setdefault(name, default)
    if not callee.method and any(has_out(op) for op in callee.rows):
        found.setdefault("out", "None")
    return list(found.items())
