"""On which line a name was last assigned, read from the compiled code.

Nothing is recorded while a program runs.  What is found is exact for straight code; where branches
or loops leave several possibilities, all of them are given.
"""

from __future__ import annotations

import dis
from collections.abc import Sequence
from types import CodeType
from typing import NamedTuple

from tgrad.source import Source

STORES = frozenset({"STORE_NAME", "STORE_GLOBAL", "STORE_FAST", "STORE_DEREF"})
BRANCHES = ("if ", "elif ", "else", "while ", "try", "except", "finally")

MOST_LINES = 2
"""More possibilities than these explain nothing."""


class Assigned(NamedTuple):
    """The lines where a name may have been assigned last, and the source they are in."""

    source: Source | None
    lines: tuple[int, ...]

    def text(self, here: Source) -> str | None:
        """`line 3`, `line 3 or 7`; with the source's name when it isn't `here`."""
        if not self.lines or self.source is None or len(self.lines) > MOST_LINES:
            return None
        if len(self.source.lines) == 1:
            return None if self.source is here else self.source.name
        words = " or ".join(str(line) for line in self.lines)
        return f"line {words}" if self.source is here else f"{self.source.name}:{words}"


class _Store(NamedTuple):
    offset: int
    line: int


def locals_of(code: CodeType) -> frozenset[str]:
    """The names that belong to a function's own scope."""
    if not code.co_flags & 0x2:  # CO_NEWLOCALS: a function, not a module's code
        return frozenset()
    return frozenset((*code.co_varnames, *code.co_cellvars))


def arguments_of(code: CodeType) -> frozenset[str]:
    """The names of a function's arguments."""
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & 0x4) + bool(code.co_flags & 0x8)  # *args and **kwargs
    return frozenset(code.co_varnames[:count])


def lost_names(code: CodeType, instruction: int) -> frozenset[str]:
    """Names of comprehensions around an instruction, whose values are gone after an error.

    From Python 3.12 on a comprehension has no frame of its own; its names are put aside when it
    begins, by an instruction that stands at the place of the whole comprehension, and are back
    when it ends.
    """
    steps = list(dis.get_instructions(code))
    inner = next((s.positions for s in steps if s.offset == instruction), None)
    return frozenset(
        step.argval
        for step in steps
        if step.opname == "LOAD_FAST_AND_CLEAR" and _contains(step.positions, inner)
    )


def _contains(outer: dis.Positions | None, inner: dis.Positions | None) -> bool:
    if outer is None or inner is None:
        return False
    ends = [*_ends(outer), *_ends(inner)]
    known = [end for end in ends if end is not None]
    return len(known) == len(ends) and known[0] <= known[2] and known[3] <= known[1]


def _ends(at: dis.Positions) -> list[tuple[int, int] | None]:
    lines, columns = (at.lineno, at.end_lineno), (at.col_offset, at.end_col_offset)
    return [
        None if line is None or column is None else (line, column)
        for line, column in zip(lines, columns, strict=True)
    ]


def in_code(code: CodeType, instruction: int, name: str, source: Source) -> Assigned:
    """Where `name` was last assigned within the code that is at `instruction`."""
    return Assigned(source, _within(code, instruction, name, source)[0])


def in_statements(
    name: str, code: CodeType, instruction: int, executed: Sequence[tuple[CodeType, Source]]
) -> Assigned:
    """Where a global was last assigned, seen from an instruction of the newest statement."""
    lines: tuple[int, ...] = ()
    where: Source | None = None
    for statement, source in reversed(executed):
        if where is not None and source is not where:
            break
        if statement is code:
            found, definite = _within(code, instruction, name, source)
        else:
            found, definite = _anywhere(statement, name, source)
        if found:
            where = source
            lines = (*found, *(line for line in lines if line not in found))
        if definite:
            break
    return Assigned(where, tuple(sorted(lines)))


def _within(
    code: CodeType, instruction: int, name: str, source: Source
) -> tuple[tuple[int, ...], bool]:
    """Lines that may have assigned `name` before `instruction`; whether one of them surely did."""
    stores = _stores(code, name)
    before = [store for store in stores if store.offset < instruction]
    sure = before[-1:] if before else []
    if not (sure and _dominates(source, sure[0].line, _line_at(code, instruction))):
        sure = []
    # What comes later in a loop was run in the round before, unless something sure comes between.
    loops = [
        (start, end)
        for start, end in _loops(code)
        if start <= instruction < end and not (sure and sure[0].offset >= start)
    ]
    again = [
        store
        for store in stores
        if store.offset > instruction and any(store.offset < end for _, end in loops)
    ]
    found = {store.line for store in (*(sure or before), *again)}
    return tuple(sorted(found)), bool(sure)


def _anywhere(code: CodeType, name: str, source: Source) -> tuple[tuple[int, ...], bool]:
    """Lines of a finished statement that assign `name`; whether one of them surely has."""
    stores = _stores(code, name)
    if not stores:
        inner = [const for const in code.co_consts if isinstance(const, CodeType)]
        found = {s.line for each in inner for s in _stores(each, name, ("STORE_GLOBAL",))}
        return tuple(sorted(found)), False
    last = stores[-1].line
    text = source.line(last)
    if text[:1] not in {" ", "\t"} and not text.startswith(BRANCHES):
        return (last,), True
    return tuple(sorted({store.line for store in stores})), False


def _stores(
    code: CodeType, name: str, operations: frozenset[str] | tuple[str, ...] = STORES
) -> list[_Store]:
    return [
        _Store(step.offset, step.positions.lineno)
        for step in dis.get_instructions(code)
        if _stores_name(step, name, operations)
        and step.positions is not None
        and step.positions.lineno is not None
    ]


def _stores_name(
    step: dis.Instruction, name: str, operations: frozenset[str] | tuple[str, ...]
) -> bool:
    if step.opname in operations:
        return bool(step.argval == name)
    # From Python 3.13 on two instructions on locals may be one.
    if step.opname == "STORE_FAST_STORE_FAST":
        return name in step.argval
    return step.opname == "STORE_FAST_LOAD_FAST" and bool(step.argval[0] == name)


def _loops(code: CodeType) -> list[tuple[int, int]]:
    """The stretches of code that are run again and again."""
    return [
        (step.argval, step.offset)
        for step in dis.get_instructions(code)
        if step.opname.startswith("JUMP_BACKWARD")
    ]


def _line_at(code: CodeType, instruction: int) -> int:
    positions = list(code.co_positions())
    line = positions[instruction // 2][0] if instruction // 2 < len(positions) else None
    return line or code.co_firstlineno


def _dominates(source: Source, line: int, here: int) -> bool:
    """Is it certain that `line` was run before `here`?

    It is when no line between them stands further left: then the block of `line` is still open.
    """
    if line > here:
        return False
    depth = _indent(source.line(line))
    between = (source.line(number) for number in range(line + 1, here + 1))
    return all(
        _indent(text) >= depth
        for text in between
        if text.strip() and not text.lstrip().startswith("#")
    )


def _indent(text: str) -> int:
    expanded = text.expandtabs()
    return len(expanded) - len(expanded.lstrip())
