"""The loop of the LALR(1) parser: tokens in, calls of the lowering's methods out.

No tree is built.  A reduction calls the method that the grammar names, with the place of what it
covers and the values of its parts; the value of a token is its text.  The loop does not recurse,
however deep a program nests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypedDict

from tgrad.lang.tables import END, Rule, Tables
from tgrad.lang.tokens import Tokens


class At(TypedDict):
    """Where something stands, as Python's `ast` has it: lines from 1, columns in UTF-8 bytes."""

    lineno: int
    col_offset: int
    end_lineno: int
    end_col_offset: int


_Stacks = tuple[list[int], list[Any], list[int]]
"""States, values, and the tokens that the values begin with."""

_Keep = tuple[tuple[int, bool], ...]
_Prepared = tuple[str, int, Callable[..., Any] | None, _Keep | None]


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
        # In reverse, so that the action of a reduction, -1 for rule 0, is an index from the end.
        self._rules = [_prepared(rule, lowering) for rule in reversed(tables.rules)]

    def parse(self, tokens: Tokens) -> Any:
        """The value of the program.  Raises UnexpectedTokenError, and what the lowering raises."""
        stacks: _Stacks = [self._tables.start], [], []
        try:
            return self._run(tokens.kinds, 0, tokens, stacks)
        except UnexpectedTokenError as error:
            self._flush(error.token, tokens, stacks)
            raise

    def _run(self, kinds: Sequence[str], begin: int, tokens: Tokens, stacks: _Stacks) -> Any:
        """Shift and reduce from token `begin` on, whose kinds are given; returns at the end."""
        tables, rules = self._tables, self._rules
        actions, gotos, accept, chains = tables.actions, tables.gotos, tables.accept, tables.chains
        texts, lines, columns = tokens.texts, tokens.lines, tokens.columns
        end_lines, end_columns = tokens.end_lines, tokens.end_columns
        states, values, starts = stacks
        for index, kind in enumerate(kinds, begin):
            while True:
                action = actions[states[-1]].get(kind)
                if action is None:
                    raise UnexpectedTokenError(states, index)
                if action > 0:
                    states.append(action - 1)
                    values.append(texts[index])
                    starts.append(index)
                    break
                left, length, call, keep = rules[action]
                if not length:
                    parts, start = [], index
                elif call is None and keep is None:
                    key = (states[-2], states[-1], kind)
                    states[-1] = chains.get(key) or self._chain(key)
                    continue
                else:
                    parts, start = values[-length:], starts[-length]
                    del values[-length:], states[-length:], starts[-length:]
                if call is None:
                    values.append(_repeated(parts, keep or ()))
                else:
                    at: At = {
                        "lineno": lines[start], "col_offset": columns[start],
                        "end_lineno": end_lines[index - 1], "end_col_offset": end_columns[index - 1],
                    }  # fmt: skip
                    values.append(call(at, *(parts if keep is None else _kept(parts, keep))))
                starts.append(start)
                states.append(gotos[states[-1]][left])
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
            if action >= 0 or self._tables.rules[-1 - action].method:
                break
            state = self._tables.gotos[below][self._tables.rules[-1 - action].left]
        self._tables.chains[key] = state
        return state

    def _flush(self, index: int, tokens: Tokens, stacks: _Stacks) -> None:
        """Finishes the statements before an error, so that what is wrong in them is told first."""
        if index == 0 or tokens.kinds[index - 1] not in ("_NEWLINE", "_DEDENT"):
            return
        states = stacks[0]
        at_error = list(states)
        with suppress(UnexpectedTokenError):
            self._run((END,), index, tokens, stacks)
        states[:] = at_error


def _prepared(rule: Rule, lowering: object) -> _Prepared:
    """A rule as the loop needs it: its method, and which parts to keep where it isn't all of them.

    A rule that passes on its only part has neither; one of a repetition has no method.
    """
    left, length, method, keep = rule
    if method == "+":
        return left, length, None, keep
    plain = len(keep) == length and not any(splice for _, splice in keep)
    call = getattr(lowering, method) if method else None
    return left, length, call, None if plain or not method else keep


def _repeated(parts: list[Any], keep: _Keep) -> list[Any]:
    first, splice = keep[0]
    if splice:
        collected: list[Any] = parts[first]
        collected.extend(parts[index] for index, _ in keep[1:])
        return collected
    return [parts[index] for index, _ in keep]


def _kept(parts: list[Any], keep: _Keep) -> list[Any]:
    kept: list[Any] = []
    for index, splice in keep:
        if splice:
            kept.extend(parts[index])
        else:
            kept.append(parts[index])
    return kept
