"""Which global names a piece of compiled code reads, and which it assigns.

Read from the instructions themselves: a code object's own list of names (`co_names`) holds the
names of attributes as well.
"""

from __future__ import annotations

from opcode import EXTENDED_ARG, opmap
from types import CodeType
from typing import NamedTuple

_READ_NAME, _READ_GLOBAL = opmap["LOAD_NAME"], opmap["LOAD_GLOBAL"]
_WRITES = (opmap["STORE_NAME"], opmap["STORE_GLOBAL"])
_CALLS = frozenset(number for name, number in opmap.items() if name.startswith("CALL"))


class Mentions(NamedTuple):
    """The global names of one statement."""

    reads: frozenset[str]
    """Those that it may read before it assigns them."""
    reads_later: frozenset[str]
    """Those that functions may read that it makes."""
    assigns: frozenset[str]
    """Those that it, or a function that it makes, may assign."""
    calls: bool
    """Whether it may run functions."""


def mentions(code: CodeType) -> Mentions:
    """The global names of a statement's code and of the functions in it."""
    reads, assigns = _accesses(code)
    later: set[str] = set()
    assigned = set(assigns)
    pending = _functions_in(code)
    while pending:
        function = pending.pop()
        more = _accesses(function)
        later |= more[0]
        assigned |= more[1]
        pending += _functions_in(function)
    calls = not _CALLS.isdisjoint(code.co_code[::2])
    later -= assigns
    return Mentions(frozenset(reads), frozenset(later), frozenset(assigned), calls)


def _functions_in(code: CodeType) -> list[CodeType]:
    return [const for const in code.co_consts if isinstance(const, CodeType)]


def _accesses(code: CodeType) -> tuple[set[str], set[str]]:
    """The global names read by instructions before any that assigns them, and those assigned."""
    reads: set[str] = set()
    assigns: set[str] = set()
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
            continue
        if name not in assigns:
            reads.add(name)
    return reads, assigns
