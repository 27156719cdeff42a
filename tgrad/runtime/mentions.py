"""Which global names a piece of compiled code reads, and which it assigns.

Read from the instructions themselves: a code object's own list of names (`co_names`) holds the
names of attributes as well.
"""

from __future__ import annotations

from opcode import EXTENDED_ARG, hasjabs, hasjrel, opmap
from types import CodeType
from typing import NamedTuple

_READ_NAME, _READ_GLOBAL = opmap["LOAD_NAME"], opmap["LOAD_GLOBAL"]
_WRITES = (opmap["STORE_NAME"], opmap["STORE_GLOBAL"])
_DELETES = (opmap["DELETE_NAME"], opmap["DELETE_GLOBAL"])
_JUMPS = frozenset((*hasjabs, *hasjrel))
_CALLS = frozenset(number for name, number in opmap.items() if name.startswith("CALL"))


class Mentions(NamedTuple):
    """The global names of one statement."""

    reads: frozenset[str]
    """Those that it may read before it assigns them."""
    reads_later: frozenset[str]
    """Those that functions may read that it makes."""
    assigns: frozenset[str]
    """Those that it, or a function that it makes, may assign."""
    surely: frozenset[str]
    """Of those it assigns, the ones that it does assign if it is run to its end."""
    deletes: frozenset[str]
    """Those that it, or a function that it makes, may delete."""
    calls: bool
    """Whether it may run functions."""


def mentions(code: CodeType) -> Mentions:
    """The global names of a statement's code and of the functions in it."""
    reads, assigns, deletes = _accesses(code)
    later: set[str] = set()
    assigned = set(assigns)
    pending = _functions_in(code)
    while pending:
        function = pending.pop()
        more = _accesses(function)
        later |= more[0]
        assigned |= more[1]
        deletes |= more[2]
        pending += _functions_in(function)
    operations = code.co_code[::2]
    later -= assigns
    straight = _JUMPS.isdisjoint(operations) and not code.co_exceptiontable
    return Mentions(
        frozenset(reads), frozenset(later), frozenset(assigned), frozenset(assigns if straight else ()),
        frozenset(deletes), not _CALLS.isdisjoint(operations),
    )  # fmt: skip


def _functions_in(code: CodeType) -> list[CodeType]:
    return [const for const in code.co_consts if isinstance(const, CodeType)]


def _accesses(code: CodeType) -> tuple[set[str], set[str], set[str]]:
    """The global names read by instructions before any that assigns them, those assigned, those deleted."""
    reads: set[str] = set()
    assigns: set[str] = set()
    deletes: set[str] = set()
    names, instructions, high = code.co_names, code.co_code, 0
    for at in range(0, len(instructions), 2):
        operation, argument = instructions[at], instructions[at + 1] | high
        high = argument << 8 if operation == EXTENDED_ARG else 0
        if operation == _READ_NAME:
            name = names[argument]
        elif operation == _READ_GLOBAL:
            name = names[argument >> 1]  # the lowest bit isn't part of the number
        else:
            if operation in _WRITES:
                assigns.add(names[argument])
            elif operation in _DELETES:
                deletes.add(names[argument])
            continue
        if name not in assigns:
            reads.add(name)
    return reads, assigns, deletes
