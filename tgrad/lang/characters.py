"""Characters that a program should not hold, and names written with letters beyond ASCII."""

from __future__ import annotations

import keyword


class ScanError(Exception):
    """What is wrong, and between which offsets of the text."""

    def __init__(self, message: str, start: int, end: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
        self.hint = hint
        self.note: tuple[int, int, str] | None = None
        self.incomplete = False


_LOOK_ALIKES = {
    "\u201c": '"',
    "\u201d": '"',
    "\u201e": '"',
    "\u00ab": '"',
    "\u00bb": '"',
    "\u2018": "'",
    "\u2019": "'",
    "\u201a": "'",
    "\u00b4": "'",
    "\u2010": "-",
    "\u2012": "-",
    "\u2013": "-",
    "\u2014": "-",
    "\u2212": "-",
    "\u00d7": "*",
    "\u22c5": "*",
    "\u00b7": "*",
    "\u00f7": "/",
    "\u2264": "<=",
    "\u2265": ">=",
    "\u2260": "!=",
    "\u2248": "~=",
    "\u2192": "->",
    "\u2227": "and",
    "\u2228": "or",
    "\u00ac": "not",
    "\u2208": "in",
    "\u3001": ",",
    "\u3002": ".",
    "\u3010": "[",
    "\u3011": "]",
    "\u300c": '"',
    "\u300d": '"',
}
_HINTS = {
    "!": "Write `not x` for the opposite of x, and `a != b` for unequal.",
    "?": "Write `a if condition else b` to choose between two values.",
    "$": "A name consists of letters, digits and underscores.",
    "`": "Write `repr(x)` for the text of a value.",
}


def odd_sign(sign: str, start: int) -> ScanError:
    """The error for a character that begins no token."""
    if sign == "\\":
        return ScanError(
            "after a backslash that continues the line nothing else may stand on it",
            start,
            start + 1,
        )
    return ScanError(f"{_shown(sign)} is no sign of the language", start, start + 1, _hint(sign))


def normal_name(word: str, start: int) -> str:
    """A name in Unicode's normal form NFKC, in which names are compared.

    Raises ScanError where the word is no name, because one of its characters is no letter.
    """
    import unicodedata

    for index, character in enumerate(word):
        if not ("a" + character if index else character).isidentifier():
            raise odd_sign(character, start + index)
    name = unicodedata.normalize("NFKC", word)
    if keyword.iskeyword(name) or not name.isidentifier():
        raise ScanError(
            f"'{word}' is '{name}' in other letters, which cannot be a name",
            start,
            start + len(word),
        )
    return name


def _shown(sign: str) -> str:
    code = f"U+{ord(sign):04X}"
    if not sign.isprintable() or sign.isspace():
        return f"the invisible character {code}"
    return f"'{sign}'" if sign.isascii() else f"'{sign}' ({code})"


def _hint(sign: str) -> str | None:
    if sign.isascii():
        return _HINTS.get(sign)
    if sign.isspace():
        return "Write an ordinary space."
    if not sign.isprintable():
        return "Remove it."
    import unicodedata

    plain = _LOOK_ALIKES.get(sign) or unicodedata.normalize("NFKC", sign)
    if plain.isascii() and plain != sign:
        return f"Write {plain} instead."
    return None
