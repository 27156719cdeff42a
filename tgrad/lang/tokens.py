"""Tokens in parallel lists, and what is told from them as a whole."""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

from tgrad.lang.characters import ScanError

RESERVED = frozenset({"class", "async", "await"})
"""Words of Python that tgrad keeps from being names."""

Row = tuple[str, str, int, int, int, int, int]
"""One token: kind, text, offset, line, column, end line, end column."""


class FString(NamedTuple):
    """An f-string that is being read."""

    quote: str
    raw: bool
    offset: int
    end: int
    """Where its opening quotes end."""


class Bracket(NamedTuple):
    """An open bracket: its sign, its token, where it stands."""

    sign: str
    token: int
    offset: int
    fstring: FString | None = None
    """The f-string of which this brace opens a field."""
    in_format: bool = False
    """Whether that field stands in the format of another: the inner one of `{x:{width}}`."""


class Tokens:
    """Token by token in parallel lists; columns in UTF-8 bytes, offsets in characters."""

    def __init__(self, text: str, rows: list[Row]) -> None:
        self.text = text
        self.kinds = [row[0] for row in rows]
        self.texts = [row[1] for row in rows]
        self.offsets = [row[2] for row in rows]
        self.lines = [row[3] for row in rows]
        self.columns = [row[4] for row in rows]
        self.end_lines = [row[5] for row in rows]
        self.end_columns = [row[6] for row in rows]
        self.open: list[Bracket] = []
        """Brackets that the text leaves open."""
        self.error: ScanError | None = None


def soft_words(tokens: Tokens) -> None:
    """Tells `param NAME :` and `no_grad :` at the start of a statement, and `with (` of several."""
    kinds, texts = tokens.kinds, tokens.texts
    before = "_NEWLINE"
    for index, kind in enumerate(kinds):
        if kind == "NAME":
            if before in _STATEMENT_START:
                if texts[index] == "no_grad" and kinds[index + 1] == "COLON":
                    kinds[index] = "NO_GRAD"
                elif texts[index] == "param" and kinds[index + 1 : index + 3] == ["NAME", "COLON"]:
                    kinds[index] = "PARAM"
        elif kind == "LEFT_PARENTHESIS" and before == "WITH" and _opens_items(kinds, index):
            kinds[index] = "WITH_PARENTHESIS"
        before = kind


_STATEMENT_START = frozenset({"_NEWLINE", "_INDENT", "_DEDENT", "SEMICOLON"})
_OPENING = frozenset({"LEFT_PARENTHESIS", "LEFT_BRACKET", "LEFT_BRACE", "FIELD_START"})
_CLOSING_KINDS = frozenset({"RIGHT_PARENTHESIS", "RIGHT_BRACKET", "RIGHT_BRACE", "FIELD_END"})


def _opens_items(kinds: list[str], index: int) -> bool:
    """Whether the parenthesis after `with` holds the items, not a value."""
    depth = 0
    comma = alias = False
    for at in range(index, len(kinds)):
        kind = kinds[at]
        if kind in _OPENING:
            depth += 1
        elif kind in _CLOSING_KINDS:
            depth -= 1
            if depth == 0:
                return (comma or alias) and kinds[at + 1] == "COLON"
        elif depth == 1:
            comma = comma or kind == "COMMA"
            alias = alias or kind == "AS"
    return alias


def columns_in_bytes(tokens: Tokens) -> None:
    """Turns the columns of lines with non-ASCII characters into UTF-8 bytes."""
    lines = tokens.text.split("\n")
    offsets: dict[int, list[int]] = {}
    for numbers, columns in (
        (tokens.lines, tokens.columns),
        (tokens.end_lines, tokens.end_columns),
    ):
        for index, number in enumerate(numbers):
            line = lines[number - 1]
            if not line.isascii():
                if number not in offsets:
                    sizes = (len(character.encode("utf-8", "replace")) for character in line)
                    offsets[number] = [0, *accumulate(sizes)]
                columns[index] = offsets[number][columns[index]]
