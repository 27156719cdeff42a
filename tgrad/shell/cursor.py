"""What stands before the cursor: the word, the names and dots before it, the call that it is in.

The language's own scanner reads the text; of a long one, only the end.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from tgrad.lang.program import tables
from tgrad.lang.scan import ERROR, Scanner
from tgrad.lang.tokens import Tokens

MOST_CHARACTERS: Final = 4000
"""So much text before the cursor is looked at."""


class Call(NamedTuple):
    """A call whose closing bracket is still to come."""

    path: tuple[str, ...]
    """The names of what is called: `("torch", "sin")`."""
    number: int
    """How many arguments stand before the cursor's."""
    keyword: str
    """The name of the keyword argument that the cursor is in."""
    used: frozenset[str]
    """The keywords that the call has already."""
    offset: int
    """Where the opening bracket is."""


class Place(NamedTuple):
    """Where the cursor is."""

    kind: str
    """"name", "attribute", "dtype", "string", "import", "member" (of a module, to import) or "nothing"."""
    word: str
    """The beginning of the word, or of the string's text, that stands before the cursor."""
    path: tuple[str, ...] = ()
    """For an attribute: the names before its dot; ("",) for a value that only running would tell."""
    call: Call | None = None


class _Reader:
    """Tokens without line ends, with what stands before any of them."""

    def __init__(self, tokens: Tokens) -> None:
        self.text = tokens.text
        kept = [
            i for i, kind in enumerate(tokens.kinds)
            if kind not in ("_NEWLINE", "_INDENT", "_DEDENT", "$END", ERROR)
        ]  # fmt: skip
        self.kinds = [tokens.kinds[i] for i in kept]
        self.texts = [tokens.texts[i] for i in kept]
        self.offsets = [tokens.offsets[i] for i in kept]
        self.open = [kept.index(bracket.token) for bracket in tokens.open if bracket.token in kept]

    def path_before(self, end: int) -> tuple[str, ...]:
        """The dotted names that end before token `end`; ("",) if something else stands there."""
        names: list[str] = []
        at = end - 1
        while at >= 0 and self.is_word(at):
            names.append(self.texts[at])
            if at == 0 or self.kinds[at - 1] != "DOT":
                return tuple(reversed(names))
            at -= 2
        if not names and at >= 0 and self.kinds[at] in ("STRING", "FSTRING_END"):
            return ('""',)
        return ("",) if at >= 0 else ()

    def begins_line(self, at: int) -> bool:
        """Is the token the first of its line?"""
        offset = self.offsets[at]
        return not self.text[self.text.rfind("\n", 0, offset) + 1 : offset].strip()

    def is_word(self, at: int) -> bool:
        """Is the token a name, or a word of the language after a dot?"""
        return self.kinds[at] in ("NAME", "NO_GRAD", "PARAM")


@cache
def _scanner() -> Scanner:
    return Scanner(tables())


def read(text: str) -> Place:
    """The place at the end of a text."""
    if len(text) > MOST_CHARACTERS:
        cut = text.find("\n", len(text) - MOST_CHARACTERS)
        text = text[cut + 1 :] if cut >= 0 else text[-MOST_CHARACTERS:]
    tokens = _scanner().scan(text)
    reader = _Reader(tokens)
    call = _call(reader)
    if tokens.error is not None and tokens.kinds[-1] == ERROR:
        start = tokens.error.start
        quote = text[start : start + 1]
        inside = quote in ("'", '"') and not text.startswith(quote * 3, start)
        return Place("string", text[start + 1 :], (), call) if inside else Place("nothing", "")
    if _in_comment(text, tokens):
        return Place("nothing", "")
    return _place(text, reader, call)


def _in_comment(text: str, tokens: Tokens) -> bool:
    """Does a comment end the text?  It leaves no token."""
    last_line = text.rfind("\n") + 1
    ends = [
        o + len(t)
        for k, t, o in zip(tokens.kinds, tokens.texts, tokens.offsets, strict=True)
        if k[:1] not in "_$"
    ]
    return "#" in text[max([last_line, *ends]) :]


def _place(text: str, reader: _Reader, call: Call | None) -> Place:
    kinds, texts, count = reader.kinds, reader.texts, len(reader.kinds)
    word = ""
    if count and (texts[-1][:1].isalpha() or texts[-1][:1] == "_") and text.endswith(texts[-1]):
        word, count = texts[-1], count - 1
    if not count or (not word and not reader.open and not text[text.rfind("\n") + 1 :].strip()):
        return Place("name", word)
    before = kinds[count - 1]
    if before in ("INTEGER", "FLOAT", "IMAGINARY") and not word:
        return Place("nothing", "")
    if before == "DOT":
        return Place("attribute", word, reader.path_before(count - 1), call)
    if before == "FROM" or (before == "IMPORT" and not _imports_from(reader, count)):
        return Place("import", word)
    if before == "IMPORT":
        return Place("member", word, reader.path_before(count - 1), call)
    if _wants_dtype(reader, count):
        return Place("dtype", word, (), call)
    return Place("name", word, (), call)


def _imports_from(reader: _Reader, count: int) -> bool:
    path = reader.path_before(count - 1)
    first = count - 1 - (2 * len(path) - 1)
    return bool(path) and path != ("",) and first > 0 and reader.kinds[first - 1] == "FROM"


def _wants_dtype(reader: _Reader, count: int) -> bool:
    """After `dtype=`, and in the annotation of a name."""
    kinds, texts = reader.kinds, reader.texts
    if count >= 2 and kinds[count - 1] == "ASSIGN" and texts[count - 2] == "dtype":
        return True
    if kinds[count - 1] != "COLON" or count < 2 or not reader.is_word(count - 2):
        return False
    if reader.open:
        opening = reader.open[-1]
        return texts[opening] == "(" and opening >= 2 and kinds[opening - 2] == "DEF"
    return count == 2 or kinds[count - 3] in ("PARAM", "SEMICOLON") or reader.begins_line(count - 2)


def _call(reader: _Reader) -> Call | None:
    """The innermost open bracket that belongs to a call."""
    for opening in reversed(reader.open):
        if reader.texts[opening] == "(" and opening > 0 and reader.is_word(opening - 1):
            if opening >= 2 and reader.kinds[opening - 2] == "DEF":
                return None
            return _arguments(reader, opening)
        if reader.texts[opening] == "{":
            return None
    return None


def _arguments(reader: _Reader, opening: int) -> Call:
    number, keyword, depth = 0, "", 0
    used: set[str] = set()
    for at in range(opening + 1, len(reader.kinds)):
        text = reader.texts[at]
        if text in ("(", "[", "{"):
            depth += 1
        elif text in (")", "]", "}"):
            depth -= 1
        elif depth == 0 and text == ",":
            number, keyword = number + 1, ""
        elif depth == 0 and text == "=" and reader.is_word(at - 1):
            keyword = reader.texts[at - 1]
            used.add(keyword)
    return Call(reader.path_before(opening), number, keyword, frozenset(used), reader.offsets[opening])
