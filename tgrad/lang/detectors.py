"""Mistakes that are told by the tokens around the place, each a function in one of two lists.

A detector looks at a `Place` and gives a `Mistake`, or None if it is none of its kind.  The first
that answers wins: particular ones come before general ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tgrad.lang.place import CLOSING, LAYOUT, VALUE_END, VALUE_START, Place


class Mistake(NamedTuple):
    """What is wrong: a sentence, the token that it is about (None: the unexpected one), a hint."""

    message: str
    token: int | None = None
    hint: str | None = None
    notes: tuple[tuple[int, str], ...] = ()


Detector = Callable[[Place], "Mistake | None"]

_HEADERS = {
    "IF": "if",
    "ELIF": "elif",
    "ELSE": "else",
    "WHILE": "while",
    "FOR": "for",
    "TRY": "try",
    "EXCEPT": "except",
    "FINALLY": "finally",
    "WITH": "with",
    "DEF": "def",
    "LAMBDA": "lambda",
}

_RESERVED = {
    "class": (
        "tgrad has no classes",
        "Use functions, and dicts or tuples for what belongs together.",
    ),
    "async": ("tgrad has no `async`", "Programs run one statement after the other."),
    "await": ("tgrad has no `await`", "Programs run one statement after the other."),
}

_WORDS_OF_PYTHON = {
    "match": ("tgrad has no `match` statement", "Use `if`, `elif` and `else`."),
    "type": ("tgrad has no `type` statement", None),
    "exec": ("tgrad has no `exec`", None),
    "print": ("the values to print stand in parentheses: `print(...)`", None),
    "elseif": ("`elseif` is written `elif`", None),
    "elsif": ("`elsif` is written `elif`", None),
    "function": ("a function begins with `def`: `def f(x):`", None),
    "func": ("a function begins with `def`: `def f(x):`", None),
    "fn": ("a function begins with `def`: `def f(x):`", None),
    "let": ("a variable is made by assigning to it: `x = 1`", None),
    "var": ("a variable is made by assigning to it: `x = 1`", None),
    "const": ("a variable is made by assigning to it: `x = 1`", None),
    "local": ("a variable is made by assigning to it: `x = 1`", None),
    "foreach": ("`foreach` is written `for x in values:`", None),
    "unless": ("`unless x` is written `if not x:`", None),
    "until": ("`until x` is written `while not x:`", None),
    "switch": ("tgrad has no `switch`", "Use `if`, `elif` and `else`."),
    "throw": ("`throw` is written `raise`", None),
    "catch": ("`catch` is written `except`", None),
    "echo": ("`echo` is written `print(...)`", None),
    "param": ("a parameter has a name, a type and a default: `param lr: float = 0.01`", None),
}

_PAIRS = {
    ("AMPERSAND", "AMPERSAND"): "`&&` is written `and`",
    ("BAR", "BAR"): "`||` is written `or`",
    ("EQUAL", "ASSIGN"): "`===` is written `==`",
    ("NOT_EQUAL", "ASSIGN"): "`!==` is written `!=`",
    ("LESS", "GREATER"): "`<>` is written `!=`",
    ("ASSIGN", "GREATER"): "`=>` is written `>=`",
    ("ASSIGN", "LESS"): "`=<` is written `<=`",
    ("ELSE", "IF"): "`else if` is written `elif`",
    ("COLON", "COLON"): "`::` means nothing here",
    ("EXCEPT", "STAR"): "tgrad has no `except*`",
}


def _reserved(place: Place) -> Mistake | None:
    if place.kind == "RESERVED":
        message, hint = _RESERVED[place.text]
        return Mistake(message, hint=hint)
    return None


def _pair(place: Place) -> Mistake | None:
    message = _PAIRS.get((place.before, place.kind))
    if message is None or (not _adjacent(place) and place.before != "ELSE"):
        return None
    return Mistake(message, token=place.index - 1)


def _adjacent(place: Place) -> bool:
    offsets = place.tokens.offsets
    return offsets[place.index - 1] + len(place.before_text) == offsets[place.index]


def _increment(place: Place) -> Mistake | None:
    kinds = place.tokens.kinds
    for kind, sign in (("PLUS", "+"), ("MINUS", "-")):
        if kinds[max(0, place.index - 2) : place.index] == [kind, kind] and (
            place.kind in LAYOUT or place.kind in CLOSING or place.kind == "SEMICOLON"
        ):
            return Mistake(f"`x{sign}{sign}` is written `x {sign}= 1`", token=place.index - 2)
    return None


def _word_of_python(place: Place) -> Mistake | None:
    """`print x`, `match x:`: a name that begins the statement, and goes on as none could."""
    if place.first_kind != "NAME" or place.first_text not in _WORDS_OF_PYTHON:
        return None
    follows = place.first + 1 == place.index and (
        place.kind in VALUE_START or place.kind in ("STAR", "NOT")
    )
    block = place.before == "COLON" and place.kind == "_NEWLINE" and not place.brackets
    if not (follows or (block and place.first_text in ("match", "switch", "catch", "until"))):
        return None
    message, hint = _WORDS_OF_PYTHON[place.first_text]
    return Mistake(message, token=place.first, hint=hint)


def _assign_for_equal(place: Place) -> Mistake | None:
    if place.kind != "ASSIGN":
        return None
    if place.before in _keywords(place) and place.first == place.index - 1:
        return None
    header = _HEADERS.get(place.first_kind)
    if header in ("if", "elif", "while") and not place.brackets:
        return Mistake(f"`=` in the condition of `{header}`: to compare, write `==`")
    if place.first_kind in ("ASSERT", "RETURN"):
        return Mistake("`=` assigns a name: to compare, write `==`")
    if place.brackets and place.before in VALUE_END:
        opening = place.tokens.kinds[place.brackets[-1]]
        if opening == "LEFT_PARENTHESIS" and place.before != "NAME":
            return Mistake(
                "only a name can stand before `=` here",
                hint="To compare, write `==`; an argument's name has no dots or brackets.",
            )
        if opening == "LEFT_BRACE":
            return Mistake("`=` cannot stand here", hint="In a dict, write `key: value`.")
        return Mistake("`=` cannot stand inside of an expression: to compare, write `==`")
    return None


def _walrus(place: Place) -> Mistake | None:
    if place.kind == "WALRUS" and not place.brackets:
        return Mistake("`:=` stands only inside of expressions", hint="To assign, write `=`.")
    if place.kind == "WALRUS" and place.before in VALUE_END and place.before != "NAME":
        return Mistake("only a name can stand before `:=`")
    if place.kind == "WALRUS" and place.tokens.kinds[place.index - 2] == "DOT":
        return Mistake("only a name can stand before `:=`")
    return None


def _missing_colon(place: Place) -> Mistake | None:
    header = _HEADERS.get(place.first_kind)
    if place.kind == "_NEWLINE" and header and "COLON" in place.accepted and not place.brackets:
        return Mistake(f"':' is missing at the end of `{header}`")
    return None


def _clause_without_head(place: Place) -> Mistake | None:
    if place.first != place.index:
        return None
    heads = {
        "ELSE": "`else` belongs to no `if`, `for`, `while` or `try`",
        "ELIF": "`elif` belongs to no `if`",
        "EXCEPT": "`except` belongs to no `try`",
        "FINALLY": "`finally` belongs to no `try`",
    }
    message = heads.get(place.kind)
    if message is None:
        return None
    return Mistake(message, hint="It stands directly below its block, indented as its head.")


def _try_alone(place: Place) -> Mistake | None:
    if place.accepted == {"EXCEPT", "FINALLY"}:
        return Mistake("after the block of `try` stands `except` or `finally`")
    return None


def _decorated_nothing(place: Place) -> Mistake | None:
    if place.accepted == {"DEF", "AT"}:
        return Mistake("after a decorator stands the function that it is for")
    return None


def _parameter_in_block(place: Place) -> Mistake | None:
    if place.kind == "PARAM":
        return Mistake("`param` stands outside of blocks only")
    return None


def _comma_for_parentheses(place: Place) -> Mistake | None:
    if place.kind != "COMMA" or place.brackets:
        return None
    if place.first_kind == "EXCEPT":
        return Mistake("several types stand in parentheses: `except (A, B):`")
    if place.first_kind == "RAISE":
        return Mistake("the message stands in parentheses: `raise ValueError(message)`")
    return None


def _for_without_in(place: Place) -> Mistake | None:
    if place.first_kind != "FOR" or place.brackets or "IN" not in place.accepted:
        return None
    if "IN" in place.tokens.kinds[place.first : place.index]:
        return None
    return Mistake("after `for` stand a name, `in` and the values: `for x in values:`")


def _clause_in_line(place: Place) -> Mistake | None:
    """`if a: b else: c` on one line."""
    if place.kind not in ("ELSE", "ELIF", "EXCEPT", "FINALLY") or place.brackets:
        return None
    kinds = place.tokens.kinds[place.first : place.index]
    if place.first_kind in _HEADERS and "COLON" in kinds:
        word = _HEADERS[place.kind]
        return Mistake(f"`{word}` begins a line of its own")
    return None


def _relative_import(place: Place) -> Mistake | None:
    if (
        place.before == "FROM"
        and place.kind in ("DOT", "ELLIPSIS")
        and (place.first_kind == "FROM")
    ):
        return Mistake("there are no packages to import from by their place")
    return None


def _key_in_set(place: Place) -> Mistake | None:
    inside = place.tokens.kinds[place.brackets[-1] : place.index] if place.brackets else []
    if place.kind == "COLON" and inside[:1] == ["LEFT_BRACE"] and "COLON" not in inside:
        return Mistake("a set has no keys: either all elements are `key: value`, or none")
    return None


def _empty_field(place: Place) -> Mistake | None:
    if place.before == "FIELD_START" and place.kind in (
        "FIELD_END",
        "FIELD_COLON",
        "FIELD_EQUAL",
        "CONVERSION",
    ):
        return Mistake("a field of this f-string has no expression", token=place.index - 1)
    return None


def _lambda_in_field(place: Place) -> Mistake | None:
    inside = place.tokens.kinds[place.brackets[-1] : place.index] if place.brackets else []
    if inside[:1] == ["FIELD_START"] and "LAMBDA" in inside:
        return Mistake("a lambda in a field of an f-string stands in parentheses")
    return None


def _generator_argument(place: Place) -> Mistake | None:
    """`f(a, x for x in y)` and `f(x for x in y, a)`."""
    if place.kind in ("FOR", "COMMA") and place.brackets:
        inner = place.tokens.kinds[place.brackets[-1] + 1 : place.index]
        if place.tokens.kinds[place.brackets[-1]] == "LEFT_PARENTHESIS" and (
            ("FOR" in inner and place.kind == "COMMA") or place.kind == "FOR"
        ):
            return Mistake("a generator among other values stands in parentheses of its own")
    return None


def _keyword_as_name(place: Place) -> Mistake | None:
    words = _keywords(place)
    if place.kind in words and "NAME" in place.accepted and place.kind not in ("FOR", "IF"):
        word = words[place.kind]
        if place.accepted <= {"NAME", "LEFT_PARENTHESIS", "STAR"}:
            return Mistake(f"`{word}` is a word of the language and cannot be a name")
    alone = place.first == place.index - 1 and place.before in words
    if alone and place.kind in ("ASSIGN", "AUGMENTED"):
        word = words[place.before]
        return Mistake(
            f"`{word}` is a word of the language and cannot be a name", token=place.index - 1
        )
    return None


def _keywords(place: Place) -> dict[str, str]:
    return {kind: text for text, kind in place.tables.literals.items() if text.isidentifier()}


# -- general


def _misspelled_word(place: Place) -> Mistake | None:
    """`whlie x:`, `retrun x`, `esle:`"""
    if place.first_kind != "NAME":
        return None
    follows = place.index == place.first + 1 and place.kind in VALUE_START | {"NOT"}
    clause = place.index == place.first + 2 and place.before == "COLON"
    if not (follows or clause):
        return None
    from difflib import get_close_matches

    words = ("else", "try", "finally") if clause else tuple(_keywords(place).values())
    matches = get_close_matches(place.first_text, words, 1, 0.7)
    if not matches:
        return None
    return Mistake(
        f"'{place.first_text}' is no word of the language",
        token=place.first,
        hint=f"Did you mean `{matches[0]}`?",
    )


def _missing_value(place: Place) -> Mistake | None:
    """An expression should begin here, and something else stands here."""
    if not {"NAME", "INTEGER"} <= place.accepted or place.before in LAYOUT:
        return None
    words = _keywords(place)
    if place.kind in words:
        return Mistake(f"`{words[place.kind]}` is a word of the language and no value")
    behind = place.shown(place.index - 1)
    if place.kind in LAYOUT:
        return Mistake(f"something is missing after {behind}", token=place.index)
    return Mistake(f"a value is missing between {behind} and {place.shown(place.index)}")


def _missing_comma(place: Place) -> Mistake | None:
    if place.kind not in VALUE_START or place.before not in VALUE_END:
        return None
    behind, here = place.shown(place.index - 1), place.shown(place.index)
    if place.brackets and "COMMA" in place.accepted:
        return Mistake(f"a comma or an operator is missing between {behind} and {here}")
    header = _HEADERS.get(place.first_kind)
    if header and "COLON" in place.accepted:
        return Mistake(f"':' or an operator is missing between {behind} and {here}")
    return Mistake(f"an operator is missing between {behind} and {here}")


def _missing_colon_before(place: Place) -> Mistake | None:
    header = _HEADERS.get(place.first_kind)
    if header and "COLON" in place.accepted and not place.brackets:
        return Mistake(f"':' is missing before {place.shown(place.index)}")
    return None


DETECTORS: tuple[Detector, ...] = (
    _reserved,
    _pair,
    _increment,
    _word_of_python,
    _assign_for_equal,
    _walrus,
    _missing_colon,
    _try_alone,
    _decorated_nothing,
    _clause_without_head,
    _parameter_in_block,
    _comma_for_parentheses,
    _for_without_in,
    _clause_in_line,
    _relative_import,
    _key_in_set,
    _empty_field,
    _lambda_in_field,
    _generator_argument,
    _keyword_as_name,
)

GENERAL: tuple[Detector, ...] = (
    _misspelled_word,
    _missing_comma,
    _missing_value,
    _missing_colon_before,
)
