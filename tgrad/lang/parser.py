"""The loop of the LALR(1) parser: tokens in, calls of the lowering's methods out.

No tree is built.  A reduction calls the method that the grammar names, with the place of what it
covers and the values of its parts; the value of a token is its text.  The loop does not recurse,
however deep a program nests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from tgrad.lang.tables import END, Tables
from tgrad.lang.tokens import Tokens


class At(TypedDict):
    """Where something stands, as Python's `ast` has it: lines from 1, columns in UTF-8 bytes."""

    lineno: int
    col_offset: int
    end_lineno: int
    end_col_offset: int


class UnexpectedTokenError(Exception):
    """A token that cannot stand where it stands."""

    def __init__(self, states: list[int], token: int) -> None:
        super().__init__(token)
        self.states = states
        self.token = token


class Parser:
    """Runs the tables over tokens, calling the methods of one lowering."""

    def __init__(self, tables: Tables, lowering: object) -> None:
        self._tables = tables
        self._methods: list[Callable[..., Any] | None] = [
            getattr(lowering, rule.method) if rule.method not in ("", "+") else None
            for rule in tables.rules
        ]
        self._names = [rule.method for rule in tables.rules]
        self._plain = [
            len(rule.keep) == rule.length and not any(splice for _, splice in rule.keep)
            for rule in tables.rules
        ]

    def parse(self, tokens: Tokens) -> Any:
        """The value of the program.  Raises UnexpectedTokenError, and what the lowering raises."""
        tables = self._tables
        actions, accept = tables.actions, tables.accept
        kinds, texts = tokens.kinds, tokens.texts
        names, chains = self._names, tables.chains
        states = [tables.start]
        values: list[Any] = []
        starts: list[int] = []
        for index, kind in enumerate(kinds):
            while True:
                action = actions[states[-1]].get(kind)
                if action is None:
                    self._flush(states, values, starts, tokens, index)
                    raise UnexpectedTokenError(states, index)
                if action > 0:
                    states.append(action - 1)
                    values.append(texts[index])
                    starts.append(index)
                    break
                if not names[-1 - action]:
                    key = (states[-2], states[-1], kind)
                    states[-1] = chains.get(key) or self._chain(key)
                    continue
                self._reduce(-1 - action, states, values, starts, tokens, index)
                if states[-1] == accept and kind == END:
                    return values[-1]
        raise AssertionError("tokens without an end")

    def _chain(self, key: tuple[int, int, str]) -> int:
        """The state that a chain of reductions by rules that only pass on a part ends in.

        A name is a primary is a power is a factor ... is an expression: such chains are walked
        once, and then known by where they begin and the token that follows.
        """
        below, state, kind = key
        while True:
            action = self._tables.actions[state].get(kind, 0)
            if action >= 0 or self._names[-1 - action]:
                break
            state = self._tables.gotos[below][self._tables.rules[-1 - action].left]
        self._tables.chains[key] = state
        return state

    def _reduce(
        self,
        number: int,
        states: list[int],
        values: list[Any],
        starts: list[int],
        tokens: Tokens,
        index: int,
    ) -> None:
        """Replaces the parts on top of the stacks by the value of the rule's left side."""
        tables = self._tables
        left, length, method, keep = tables.rules[number]
        if not method:
            states[-1] = tables.gotos[states[-2]][left]
            return
        if length:
            parts = values[-length:]
            start = starts[-length]
            del values[-length:], states[-length:], starts[-length:]
        else:
            parts, start = [], index
        if method == "+":
            values.append(_repeated(parts, keep))
        else:
            if not self._plain[number]:
                parts = _kept(parts, keep)
            at: At = {
                "lineno": tokens.lines[start],
                "col_offset": tokens.columns[start],
                "end_lineno": tokens.end_lines[index - 1],
                "end_col_offset": tokens.end_columns[index - 1],
            }
            call = self._methods[number]
            assert call
            values.append(call(at, *parts))
        starts.append(start)
        states.append(tables.gotos[states[-1]][left])

    def _flush(
        self,
        states: list[int],
        values: list[Any],
        starts: list[int],
        tokens: Tokens,
        index: int,
    ) -> None:
        """Finishes the statements before an error, so that what is wrong in them is told first."""
        if index == 0 or tokens.kinds[index - 1] not in ("_NEWLINE", "_DEDENT"):
            return
        at_error = list(states)
        while (action := self._tables.actions[states[-1]].get(END)) is not None and action < 0:
            self._reduce(-1 - action, states, values, starts, tokens, index)
            if states[-1] == self._tables.accept:
                break
        states[:] = at_error


def _repeated(parts: list[Any], keep: tuple[tuple[int, bool], ...]) -> list[Any]:
    first, splice = keep[0]
    if splice:
        collected: list[Any] = parts[first]
        collected.extend(parts[index] for index, _ in keep[1:])
        return collected
    return [parts[index] for index, _ in keep]


def _kept(parts: list[Any], keep: tuple[tuple[int, bool], ...]) -> list[Any]:
    kept: list[Any] = []
    for index, splice in keep:
        if splice:
            kept.extend(parts[index])
        else:
            kept.append(parts[index])
    return kept
