"""The place of a syntax error: what was read, what stands there, what could stand there."""

from __future__ import annotations

from functools import cached_property

from tgrad.lang.parser import UnexpectedTokenError
from tgrad.lang.tables import END, Tables
from tgrad.lang.tokens import Tokens
from tgrad.source import Source, Span

LAYOUT = frozenset({"_NEWLINE", "_INDENT", "_DEDENT", END})
OPENING = frozenset(
    {"LEFT_PARENTHESIS", "LEFT_BRACKET", "LEFT_BRACE", "FIELD_START", "WITH_PARENTHESIS"}
)
CLOSING = frozenset({"RIGHT_PARENTHESIS", "RIGHT_BRACKET", "RIGHT_BRACE", "FIELD_END"})
VALUE_START = frozenset(
    {"NAME", "INTEGER", "FLOAT", "IMAGINARY", "STRING", "FSTRING_START", "ELLIPSIS", "NONE"}
    | {"TRUE", "FALSE", "LAMBDA", "LEFT_PARENTHESIS", "LEFT_BRACKET", "LEFT_BRACE", "TILDE"}
)
VALUE_END = frozenset(
    {"NAME", "INTEGER", "FLOAT", "IMAGINARY", "STRING", "FSTRING_END", "ELLIPSIS", "NONE"}
    | {"TRUE", "FALSE", "RIGHT_PARENTHESIS", "RIGHT_BRACKET", "RIGHT_BRACE"}
)

_NAMES = {
    "NAME": "a name",
    "INTEGER": "a number",
    "FLOAT": "a number",
    "IMAGINARY": "a number",
    "STRING": "a string",
    "FSTRING_START": "an f-string",
    "FSTRING_TEXT": "text",
    "FSTRING_RAW_TEXT": "text",
    "FSTRING_END": "the end of the f-string",
    "FIELD_START": "'{'",
    "FIELD_END": "'}'",
    "FIELD_EQUAL": "'='",
    "FIELD_COLON": "':'",
    "CONVERSION": "a conversion such as !r",
    "AUGMENTED": "an assignment such as '+='",
    "PARAM": "'param'",
    "NO_GRAD": "'no_grad'",
    "WITH_PARENTHESIS": "'('",
    "RESERVED": "a reserved word",
    "_NEWLINE": "the end of the line",
    "_INDENT": "an indented block",
    "_DEDENT": "the end of the block",
    END: "the end of the program",
}


def human_name(kind: str, tables: Tables) -> str:
    """What a terminal is called in a message."""
    if kind in _NAMES:
        return _NAMES[kind]
    for text, name in tables.literals.items():
        if name == kind:
            return f"'{text}'"
    raise KeyError(kind)


class Place:
    """One unexpected token and what is around it."""

    def __init__(
        self, source: Source, tables: Tables, tokens: Tokens, unexpected: UnexpectedTokenError
    ) -> None:
        self.source = source
        self.tables = tables
        self.tokens = tokens
        self.states = unexpected.states
        self.index = unexpected.token
        self.kind = tokens.kinds[self.index]
        self.text = tokens.texts[self.index]
        self.before = tokens.kinds[self.index - 1] if self.index else "_NEWLINE"
        self.before_text = tokens.texts[self.index - 1] if self.index else ""

    @property
    def state(self) -> int:
        return self.states[-1]

    @cached_property
    def first(self) -> int:
        """The token that begins the statement."""
        index = self.index
        while index > 0 and not (
            self.tokens.kinds[index - 1] in LAYOUT
            or (self.tokens.kinds[index - 1] == "SEMICOLON" and not self.brackets)
        ):
            index -= 1
        return index

    @property
    def first_kind(self) -> str:
        return self.tokens.kinds[self.first]

    @property
    def first_text(self) -> str:
        return self.tokens.texts[self.first]

    @cached_property
    def brackets(self) -> list[int]:
        """The tokens that open the brackets around the place."""
        opened: list[int] = []
        for index in range(self.index):
            kind = self.tokens.kinds[index]
            if kind in OPENING:
                opened.append(index)
            elif kind in CLOSING and opened:
                opened.pop()
        return opened

    @cached_property
    def accepted(self) -> frozenset[str]:
        """The kinds of tokens with which the program could go on here."""
        return frozenset(kind for kind in self.tables.actions[self.state] if self.accepts(kind))

    def accepts(self, kind: str) -> bool:
        """Whether a token of this kind could stand here, after the reductions that it asks for."""
        states = list(self.states)
        while True:
            action = self.tables.actions[states[-1]].get(kind)
            if action is None:
                return False
            if action > 0:
                return True
            rule = self.tables.rules[-1 - action]
            if rule.length:
                del states[-rule.length :]
            states.append(self.tables.gotos[states[-1]][rule.left])
            if states[-1] == self.tables.accept:
                return kind == END

    def span_of(self, index: int) -> Span:
        """The span of a token; of one without extent, the character behind the token before it."""
        tokens = self.tokens
        if tokens.kinds[index] in LAYOUT:
            line, column = tokens.end_lines[index], tokens.end_columns[index]
            if tokens.kinds[index] == "_INDENT":
                line, column = tokens.lines[index], tokens.columns[index]
            span = self.source.span_of_bytes(line, column, line, column)
            return Span(span.line, span.column, span.line, span.column + 1)
        return self.source.span_of_bytes(
            tokens.lines[index],
            tokens.columns[index],
            tokens.end_lines[index],
            tokens.end_columns[index],
        )

    def shown(self, index: int) -> str:
        """A token as a message names it: its text, or what it is."""
        kind, text = self.tokens.kinds[index], self.tokens.texts[index]
        if kind in LAYOUT or not text or kind in ("FSTRING_TEXT", "FSTRING_RAW_TEXT"):
            return human_name(kind, self.tables)
        if kind == "STRING":
            return text if len(text) < 20 and "\n" not in text else "a string"
        if kind in ("FIELD_EQUAL", "CONVERSION"):
            return human_name(kind, self.tables)
        return f"'{text}'" if "\n" not in text else human_name(kind, self.tables)
