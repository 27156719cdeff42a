"""What each piece of an input is, line by line, with the grammar's own terminals.

A line's pieces depend on its text and on the string that is open at its beginning, and on nothing
else.  So an edit in the middle of ten thousand lines reads one line anew, and lines that nobody looks
at aren't read at all but for their strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import Lexer

from tgrad.lang.program import tables
from tgrad.lang.scan import token_pattern
from tgrad.lang.tokens import RESERVED

Piece = tuple[str, str]
"""A style class without its prefix, and a piece of text."""

CONSTANTS = frozenset({"True", "False", "None"})
SOFT_WORDS = frozenset({"param", "no_grad"})
MEMORY = 20_000
"""So many lines are remembered."""


class OpenString(NamedTuple):
    """A string that a line leaves open."""

    quote: str
    fields: bool
    """Whether it is an f-string."""


class Highlighter:
    """Cuts lines into pieces; made once, since it learns the grammar's terminals."""

    def __init__(self) -> None:
        grammar = tables()
        self._match = token_pattern(grammar).match
        self._words = {word for word in grammar.literals if word.isidentifier()} | RESERVED
        self._known: dict[tuple[str, OpenString | None], tuple[list[Piece], OpenString | None]] = {}

    def left_open(self, text: str, opened: OpenString | None) -> OpenString | None:
        """The string that a line leaves open; most lines needn't be cut for that."""
        if opened is None and '"""' not in text and "'''" not in text:
            return None
        return self.line(text, opened)[1]

    def line(self, text: str, opened: OpenString | None) -> tuple[list[Piece], OpenString | None]:
        """The pieces of a line, which begins inside of `opened`, and the string it leaves open."""
        key = (text, opened)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MEMORY:
                self._known.clear()
            pieces: list[Piece] = []
            opened = self._cut(text, opened, pieces)
            found = self._known[key] = (pieces, opened)
        return found

    def _cut(self, text: str, opened: OpenString | None, pieces: list[Piece]) -> OpenString | None:
        position = 0
        if opened:
            position, opened = self._string(text, 0, opened, pieces)
        line, before, size = text + "\n", "", len(text)
        while position < size:
            found = self._match(line, position)
            if found is None:
                position, opened = self._unmatched(text, position, pieces)
                continue
            kind = found.lastgroup or ""
            start, end = found.span(kind)
            if start > position:
                pieces.append(("", text[position:start]))
            if kind == "END_OF_LINE":
                pieces.append(("comment", text[start:]))
                break
            if kind == "FSTRING_START":
                pieces.append(("string", text[start:end]))
                position, opened = self._string(text, end, OpenString(_quote(text[start:end]), True), pieces)
                continue
            word = text[start : min(end, size)]
            pieces.append((self._style(kind, word, before, line[end : end + 2]), word))
            before, position = word, end
        return opened

    def _style(self, kind: str, word: str, before: str, after: str) -> str:
        """The style of a token between two others."""
        if kind != "NAME":
            return {"STRING": "string", "SIGN": "operator", "CONTINUATION": "operator"}.get(kind, "number")
        if before == ".":
            return "attribute"
        if word in self._words:
            return "constant" if word in CONSTANTS else "keyword"
        if before == "def":
            return "definition"
        if word in SOFT_WORDS and not before and _AFTER_SOFT_WORD.match(after):
            return "keyword"
        return "call" if after[:1] == "(" else "name"

    def _unmatched(self, text: str, position: int, pieces: list[Piece]) -> tuple[int, OpenString | None]:
        """At what begins no token: a string that isn't closed on its line, or an odd character."""
        found = _OPENING.match(text, position)
        if not found:
            blank = _BLANKS.match(text, position)
            end = max(blank.end() if blank else position, position + 1)
            pieces.append(("" if text[position:end].isspace() else "error", text[position:end]))
            return end, None
        pieces.append(("string", text[position:]))
        quote = found[1]
        return len(text), OpenString(quote, False) if len(quote) == 3 else None

    def _string(
        self, text: str, position: int, string: OpenString, pieces: list[Piece]
    ) -> tuple[int, OpenString | None]:
        """The rest of a string up to its end, or the end of the line; fields of f-strings are code."""
        stops = _STOPS[string]
        begin = position
        while (found := stops.search(text, position)) is not None:
            if found[0] == string.quote:
                pieces.append(("string", text[begin : found.end()]))
                return found.end(), None
            if found[0] == "{":
                pieces.append(("string", text[begin : found.end()]))
                end = _field_end(text, found.end())
                self._cut(text[found.end() : end], None, pieces)
                begin = position = end
            else:
                position = found.end()
        if begin < len(text):
            pieces.append(("string", text[begin:]))
        return len(text), string if len(string.quote) == 3 else None


_OPENING = re.compile(r"""[ \t\f]*[a-zA-Z]{0,2}(\"\"\"|'''|"|')""")
_BLANKS = re.compile(r"[ \t\f]*")
_AFTER_SOFT_WORD = re.compile(r":| \w")
_QUOTES = ('"""', "'''", '"', "'")
_STOPS = {
    OpenString(quote, fields): re.compile(rf"\\.|{quote}" + (r"|\{\{|\{" if fields else ""))
    for quote in _QUOTES
    for fields in (False, True)
}


def _quote(opening: str) -> str:
    return opening.lstrip("fFrR")


def _field_end(text: str, position: int) -> int:
    """Where the field that begins at `position` is closed, or the line ends."""
    depth = 0
    for index in range(position, len(text)):
        sign = text[index]
        if sign in "([{":
            depth += 1
        elif sign in ")]}":
            if sign == "}" and depth == 0:
                return index
            depth -= 1
    return len(text)


class InputLexer(Lexer):
    """Colours an input.  A fault leaves the line as it is."""

    def __init__(self) -> None:
        self._highlighter: Highlighter | None = None
        self._lines: list[str] = []
        self._opened: list[OpenString | None] = [None]
        """What is open at the beginning of each line, as far as lines were read."""

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """A function that gives the pieces of a line of the document."""
        lines = list(document.lines)
        self._keep_common(lines)

        def pieces_of(number: int) -> StyleAndTextTuples:
            if not 0 <= number < len(lines):
                return []
            text = lines[number]
            if not text:
                return []
            try:
                pieces = self._pieces(lines, number)
                return [(f"class:{style}" if style else "", piece) for style, piece in pieces]
            except Exception:
                return [("", text)]

        return pieces_of

    def _keep_common(self, lines: list[str]) -> None:
        """Forget what was read behind the first line that has changed."""
        read = len(self._opened)
        same = next(
            (n for n, (old, new) in enumerate(zip(self._lines, lines, strict=False)) if old != new),
            min(len(self._lines), len(lines)),
        )
        del self._opened[min(same + 1, read) :]
        self._lines = lines

    def _pieces(self, lines: list[str], number: int) -> Iterator[Piece]:
        if self._highlighter is None:
            self._highlighter = Highlighter()
        if lines is not self._lines:
            self._keep_common(lines)
        left_open = self._highlighter.left_open
        while len(self._opened) <= number:
            at = len(self._opened) - 1
            self._opened.append(left_open(lines[at], self._opened[at]))
        return iter(self._highlighter.line(lines[number], self._opened[number])[0])
