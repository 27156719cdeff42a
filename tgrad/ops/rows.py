"""The table of rows, whose files are read when a row of theirs is first asked for.

What names there are, and in which file, is known from an index (`row_index.py`) that is made of the
files themselves:

    python -m tgrad.ops.index_rows      writes it anew; a test checks that it is current

So a program pays for the files of the operators that it uses, and not for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from tgrad.ops.row_index import ATTRIBUTES, ROWS

if TYPE_CHECKING:
    from tgrad.ops.table import Op

FILLING, FUNCTION, INPLACE, METHOD = 1, 2, 4, 8
"""The bits of a head's flags."""


class Head(NamedTuple):
    """What is known of a row before its file is read."""

    name: str
    file: str
    """A module of `tgrad.ops`; "" for a row that isn't in the index."""
    public: str
    module: str
    flags: int
    symbol: str | None
    aliases: tuple[str, ...]
    fields: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The public name and its aliases."""
        return (self.public, *self.aliases)


def head_of(op: Op, file: str = "") -> Head:
    """The head of a row."""
    flags = FILLING * (op.family == "filling") | FUNCTION * op.function
    flags |= INPLACE * op.inplace | METHOD * op.method
    return Head(op.name, file, op.public, op.module, flags, op.symbol, op.aliases, op.fields)


def public_name(name: str) -> str:
    """The name that calls of a row are written with: without the overload's name."""
    if "." in name:
        name = name[: name.index(".")]
    return name.removeprefix("functional_")


def names_in_index() -> set[str]:
    """The names that rows have as methods of tensors or as functions of `torch`; reads no row."""
    found = {name for names in ATTRIBUTES.values() for name in names}
    for rows in ROWS.values():
        for name, module, flags, _, aliases, _ in rows:
            if module == "torch" and flags & (FUNCTION | METHOD):
                names = [public_name(name), *(alias for alias in aliases if "." not in alias)]
                found.update(names)
                if flags & INPLACE and flags & METHOD:
                    found.update([f"{name}_" for name in names])
    return found


class Table(dict[str, Any]):
    """Every row by its name, in the order of the index: that in which calls are matched to overloads."""

    def __init__(self, index: Mapping[str, tuple[tuple[Any, ...], ...]]) -> None:
        super().__init__()
        self.heads: dict[str, Head] = {}
        self.keys_of_formulas: dict[str, str] = {}
        """The names of the rows by those that they have in formulas."""
        self._overloads: dict[tuple[str, str], list[str]] = {}
        for file, rows in index.items():
            for row in rows:
                self._enter(Head._make((row[0], file, public_name(row[0]), *row[1:])))

    def _enter(self, head: Head) -> None:
        name = head.name
        self.heads[name] = head
        self.keys_of_formulas[name.replace(".", "_")] = name
        self._overloads.setdefault((head.public, head.module), []).append(name)

    def overloads(self, public: str, module: str = "torch") -> list[Op]:
        """The rows of one public name, in the order in which calls are matched to them."""
        return [self[name] for name in self._overloads.get((public, module), ())]

    def of_key(self, key: str) -> Op | None:
        """The row that formulas call by this name: `sum_dim` for "sum.dim"."""
        name = self.keys_of_formulas.get(key)
        return None if name is None else self[name]

    def __missing__(self, name: str) -> Op:
        import_module(f"tgrad.ops.{self.heads[name].file}")
        row: Op | None = dict.get(self, name)
        if row is None:
            raise LookupError(f"{name}: the index of rows isn't current; run python -m tgrad.ops.index_rows")
        return row

    def __setitem__(self, name: str, op: Op) -> None:
        if name not in self.heads:
            self._enter(head_of(op))
        super().__setitem__(name, op)

    def __contains__(self, name: object) -> bool:
        return name in self.heads

    def get(self, name: str, default: Any = None) -> Any:
        """As for any dictionary; reads the file."""
        return self[name] if name in self.heads else default

    def __iter__(self) -> Iterator[str]:
        return iter(self.heads)

    def __len__(self) -> int:
        return len(self.heads)

    def keys(self) -> Any:
        """All names; reads nothing."""
        return self.heads.keys()

    def values(self) -> Any:
        """All rows; reads every file."""
        return [self[name] for name in self.heads]

    def items(self) -> Any:
        """All names and rows; reads every file."""
        return [(name, self[name]) for name in self.heads]
