"""How far a new line is indented, from the tokens of the text before it."""

from __future__ import annotations

import re

WIDTH = 4
SHORTER = re.compile(r"(?:if|elif|for|while|try|except|with|else)\b")
"""What begins a block that `else:`, `except:` and their like continue."""

_LEAVES = re.compile(r"(?:return|break|continue|pass|raise)\b")


def next_indent(text: str) -> int:
    """The indentation of the line that follows `text`."""
    line = text.rpartition("\n")[2]
    tokens = _tokens(_last_statement(text))
    own = len(line) - len(line.lstrip(" "))
    if tokens is None:
        return own
    kinds, brackets = tokens
    if brackets:
        sign_line = text.count("\n") - brackets[-1]
        opened = text.split("\n")[sign_line]
        return len(opened) - len(opened.lstrip(" ")) + WIDTH
    if _last_sign(kinds) == "COLON":
        start = _first_line_of_statement(text)
        return len(start) - len(start.lstrip(" ")) + WIDTH
    if _LEAVES.match(line.lstrip()):
        return max(own - WIDTH, 0)
    return own


def _last_sign(kinds: list[str]) -> str:
    """The kind of the last token that is written, not told from the layout."""
    return next((kind for kind in reversed(kinds) if kind[0] not in "_$"), "")


def in_block(text: str) -> bool:
    """Whether the last statement has a block, to which another line may be added."""
    tokens = _tokens(_last_statement(text))
    return tokens is not None and not tokens[1] and "_INDENT" in tokens[0]


def _last_statement(text: str) -> str:
    """The text from its last line on that isn't indented and isn't blank.

    Most statements begin so; those that don't (a text of several lines, a bracket closed at the
    margin) are read from a line too low, and give a plainer indentation.
    """
    begin = len(text)
    while begin > 0:
        begin = text.rfind("\n", 0, begin) + 1
        if text[begin : begin + 1] not in ("", " ", "\t", "\n", ")", "]", "}"):
            return text[begin:]
        begin -= 1
    return text


def _tokens(text: str) -> tuple[list[str], list[int]] | None:
    """The kinds of the tokens, and where brackets are left open; None inside of an open string."""
    from tgrad.lang.program import tables
    from tgrad.lang.scan import Scanner

    found = Scanner(tables()).scan(text)
    if found.error is not None and not found.open:
        return None
    lines = text.count("\n")
    return found.kinds, [lines - text.count("\n", 0, bracket.offset) for bracket in found.open]


def _first_line_of_statement(text: str) -> str:
    """The line on which the statement begins that ends with the text: a header may have several."""
    lines = text.split("\n")
    for number in range(len(lines) - 1, -1, -1):
        tokens = _tokens("\n".join(lines[number:]).strip())
        if tokens is not None and lines[number].strip() and SHORT_HEADER.match(lines[number].lstrip()):
            return lines[number]
    return lines[-1]


SHORT_HEADER = re.compile(r"(?:if|elif|else|for|while|def|with|try|except|finally|no_grad|class)\b")
