"""The parser's tables: made from the grammar by Lark, kept as JSON.

`grammar/tgrad.lark` is the only definition of the syntax.  Lark reads it and computes the LALR(1)
tables; that takes a third of a second, so the tables are shipped beside this module, with the text of
the grammar that they were made of.  As long as it is the same, Lark is not even imported.  When the
grammar was edited, the tables are made anew and kept in a private folder of the user.

    python -m tgrad.lang.generate        writes parser_tables.py; a test checks that it is current

They are a module since Python reads its own kind of file three times as fast as JSON.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, NamedTuple

FORMAT = 2
END = "$END"


class Rule(NamedTuple):
    """One production, as the parser's loop needs it.

    `method` names the lowering's method; "" passes the only part on, "+" starts or extends the
    list of a repetition.  `keep` has (index, splice) for the parts that reach the method.
    """

    left: str
    length: int
    method: str
    keep: tuple[tuple[int, bool], ...]


class Tables(NamedTuple):
    """LALR(1) tables and words.  `actions[state][terminal]` is n > 0: shift and go to state n - 1;
    n < 0: reduce by rule -n - 1.  `gotos[state][nonterminal]` is the state after a reduction."""

    start: int
    accept: int
    actions: list[dict[str, int]]
    gotos: list[dict[str, int]]
    rules: list[Rule]
    patterns: list[tuple[str, str]]
    literals: dict[str, str]
    mistakes: dict[str, str]
    chains: dict[tuple[int, int, str], int]
    """What the parser has learned about chains of reductions; it begins empty."""


def grammar_text() -> str:
    """The grammar: beside the package in a checkout, inside of it when installed from a wheel."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for folder in (package, os.path.dirname(package)):
        with suppress(FileNotFoundError), open(f"{folder}/grammar/tgrad.lark", encoding="utf-8") as file:
            return file.read()
    raise FileNotFoundError("tgrad.lark")


def load() -> Tables:
    """The tables for the grammar as it is now: shipped, else cached, else made."""
    grammar = grammar_text()
    if (data := shipped()).get("grammar") != grammar:
        data = _cached(grammar)
    return unpack(data)


def shipped() -> dict[str, Any]:
    """The tables that are part of the package."""
    from tgrad.lang.parser_tables import DATA

    return DATA


def _cached(grammar: str) -> dict[str, Any]:
    """The tables of a grammar that was edited.

    They are kept as JSON, which cannot run anything when it is read.
    """
    import json

    from tgrad.lang import private

    name = f"tables-{private.digest(str(FORMAT).encode(), grammar.encode()).hex()[:32]}.json"
    kept = private.read(name)
    if kept is not None:
        found: dict[str, Any] = json.loads(kept)
        return found
    data = build(grammar)
    private.write(name, json.dumps(data).encode())
    return data


def build(grammar: str) -> dict[str, Any]:
    """The tables as JSON data.  Needs Lark.  Raises ValueError when the grammar has a conflict."""
    from tgrad.lang.generate import generate

    return generate(grammar)


def unpack(data: dict[str, Any]) -> Tables:
    """Tables from their JSON form, in which equal rows are kept once."""
    action_rows, goto_rows = data["action_rows"], data["goto_rows"]
    return Tables(
        data["start"],
        data["accept"],
        [action_rows[row] for row in data["actions"]],
        [goto_rows[row] for row in data["gotos"]],
        [
            Rule(left, length, method, tuple((index, bool(splice)) for index, splice in keep))
            for left, length, method, keep in data["rules"]
        ],
        [(name, pattern) for name, pattern in data["patterns"]],
        data["literals"],
        data["mistakes"],
        {},
    )
