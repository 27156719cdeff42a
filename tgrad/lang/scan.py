"""Text -> tokens: lines and blocks, brackets, strings and f-strings.

The terminals' patterns come from the grammar.  What no pattern can say is done here, by Python's
own rules: indentation becomes _INDENT and _DEDENT, line ends inside of brackets vanish, and the
parts of an f-string are cut.
"""

from __future__ import annotations

import re

from tgrad.lang.characters import ScanError, normal_name, odd_sign
from tgrad.lang.layout import Layout
from tgrad.lang.tables import Tables
from tgrad.lang.tokens import (
    RESERVED,
    Bracket,
    FString,
    Tokens,
    columns_in_bytes,
    soft_words,
)

ERROR = "$ERROR"
"""The kind of the last token when the text goes wrong there; `Tokens.error` says how."""

MAX_BRACKETS = 200
_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Scanner(Layout):
    """Reads one text.  `Scanner(tables).scan(text)` never raises for what a text holds."""

    def __init__(self, tables: Tables) -> None:
        self._match = token_pattern(tables).match
        self._literals = tables.literals

    def scan(self, text: str) -> Tokens:
        """The tokens of `text`, whose line ends are LF.  Stops at the first error."""
        self._start(text)
        error = None
        try:
            self._check_characters()
            self._read()
        except ScanError as found:
            error = found
            self.line = self.text.count("\n", 0, found.start) + 1
            self.line_start = self.text.rfind("\n", 0, found.start) + 1
            self._add(ERROR, "", found.start, found.start)
        tokens = Tokens(self.text, self.rows)
        tokens.error = error
        tokens.open = self.brackets
        soft_words(tokens)
        if not text.isascii():
            columns_in_bytes(tokens)
        return tokens

    def _check_characters(self) -> None:
        nul = self.text.find("\0")
        if nul >= 0:
            self.line = self.text.count("\n", 0, nul) + 1
            raise ScanError("a program cannot contain a null character", nul, nul + 1)
        if not self.text.isascii():
            lone = re.search("[\ud800-\udfff]", self.text)
            if lone:
                raise ScanError(
                    f"invalid character U+{ord(lone[0]):04X}: half of a pair (surrogate)",
                    *lone.span(),
                )

    # -- the loop

    def _read(self) -> None:
        match, literals, add = self._match, self._literals, self.rows.append
        text, size = self.text, self.size
        position = self._line_begin(1 if text.startswith("\ufeff") else 0)
        while position < size:
            found = match(text, position)
            if found is None:
                position = self._odd(position)
                continue
            kind = found.lastgroup or ""
            start, end = found.span(kind)
            word = found[kind]
            if kind == "NAME":
                kind = literals.get(word, "NAME")
                if not word.isascii():
                    word = normal_name(word, start)
                elif kind == "NAME" and word in RESERVED:
                    kind = "RESERVED"
            elif kind == "SIGN":
                kind = literals.get(word, "AUGMENTED")
                if word in "()[]{}" or self.brackets:
                    position = self._sign(kind, word, start, end)
                    continue
            elif kind == "END_OF_LINE":
                position = self._end_of_line(start, end)
                continue
            else:
                position = self._literal(kind, word, start, end)
                continue
            begin = self.line_start
            add((kind, word, start, self.line, start - begin, self.line, end - begin))
            position = end
        self._end()

    # -- signs and brackets

    def _sign(self, kind: str, sign: str, start: int, end: int) -> int:
        """A bracket, or any sign inside of brackets."""
        brackets = self.brackets
        if sign in "([{":
            if len(brackets) >= MAX_BRACKETS:
                raise ScanError("too many brackets inside of each other", start, end)
            brackets.append(Bracket(sign, len(self.rows), start))
        elif brackets and brackets[-1].fstring:
            return self._field_sign(brackets[-1], kind, sign, start, end)
        elif sign in ")]}":
            if not brackets:
                raise ScanError(f"'{sign}' closes no bracket", start, end)
            opening = brackets[-1]
            if _CLOSING[opening.sign] != sign:
                raise self._mismatch(opening, sign, start, end)
            brackets.pop()
        self._add(kind, sign, start, end)
        return end

    def _mismatch(self, opening: Bracket, sign: str, start: int, end: int) -> ScanError:
        error = ScanError(
            f"'{sign}' does not match '{opening.sign}'"
            + (
                f" on line {self.text.count(chr(10), 0, opening.offset) + 1}"
                if self.text.find("\n", opening.offset, start) >= 0
                else ""
            ),
            start,
            end,
        )
        error.note = (opening.offset, opening.offset + 1, f"this '{opening.sign}' is still open")
        return error

    def _field_sign(self, bracket: Bracket, kind: str, sign: str, start: int, end: int) -> int:
        """A sign directly inside of a field of an f-string, where `= ! : }` have their meaning."""
        fstring = bracket.fstring
        assert fstring
        if sign == "}":
            self._add("FIELD_END", sign, start, end)
            self.brackets.pop()
            return self._fstring_text(fstring, end, bracket.in_format)
        if sign in ")]":
            raise self._mismatch(bracket, sign, start, end)
        if sign in (":", ":="):
            self._add("FIELD_COLON", ":", start, start + 1)
            return self._fstring_text(fstring, start + 1, True)
        if sign == "=":
            debug = _SPACE_AND_LINES.match(self.text, end)
            assert debug
            if self.text[debug.end() : debug.end() + 1] in ("}", ":", "!") and (
                self.text[debug.end() : debug.end() + 2] != "!="
            ):
                self._add_long(
                    "FIELD_EQUAL", self.text[bracket.offset + 1 : debug.end()], start, debug.end()
                )
                return debug.end()
        self._add(kind, sign, start, end)
        return end

    # -- numbers, strings, and what is none

    def _literal(self, kind: str, text: str, start: int, end: int) -> int:
        if kind == "FSTRING_START":
            fstring = FString(text.lstrip("fFrR"), "r" in text.lower(), start, end)
            self._add(kind, text, start, end)
            return self._fstring_text(fstring, end, False)
        if kind == "STRING":
            self._add_long(kind, text, start, end)
        elif kind == "CONTINUATION":
            self.line += 1
            self.line_start = end
            if end >= self.size:
                error = ScanError("the text ends after a backslash", start, start + 1)
                error.incomplete = True
                raise error
        else:
            self._check_number(start, end)
            self._add(kind, text, start, end)
        return end

    def _check_number(self, start: int, end: int) -> None:
        follows = _WORD.match(self.text, end)
        if follows and follows[0] not in _AFTER_NUMBER and _goes_on(follows[0]):
            whole = _NUMBER_LIKE.match(self.text, start)
            text = whole[0] if whole else self.text[start : follows.end()]
            raise ScanError(
                f"'{text[:40]}' is no number, and a name cannot begin with a digit",
                start,
                start + len(text),
            )

    # -- f-strings

    def _fstring_text(self, fstring: FString, begin: int, in_format: bool) -> int:
        """Reads text from `begin` up to a field, or to the end of the f-string or of the format."""
        text, quote, position = self.text, fstring.quote, begin
        stops = _FSTRING_STOP_LONG if len(quote) == 3 else _FSTRING_STOP
        while True:
            found = stops.search(text, position)
            if found is None or found.start() >= self.size:
                raise self._unterminated(fstring.offset, fstring.end, quote, True)
            stop, start = found[0], found.start()
            if stop[0] == "\\":
                position = self._after_backslash(fstring, start)
            elif stop == "\n":
                raise self._unterminated(fstring.offset, fstring.end, quote, True)
            elif stop[0] in "'\"":
                if stop == quote:
                    return self._fstring_end(fstring, begin, start, in_format)
                position = start + 1
            elif not in_format and text.startswith(stop * 2, start):
                position = start + 2
            elif stop == "{":
                self._fstring_piece(fstring, begin, start)
                self._sign_of_field(fstring, start, in_format)
                return start + 1
            elif in_format:
                self._fstring_piece(fstring, begin, start)
                self._add("FIELD_END", "}", start, start + 1)
                begin = position = start + 1
                in_format = self.brackets.pop().in_format
            else:
                raise ScanError(
                    "a single '}' in an f-string",
                    start,
                    start + 1,
                    "Write '}}' for the sign itself.",
                )

    def _after_backslash(self, fstring: FString, start: int) -> int:
        """Where reading goes on: behind what the backslash at `start` takes with it."""
        follows = self.text[start + 1 : start + 2]
        if follows in ("{", "}"):
            return start + 1
        if follows == "N" and not fstring.raw and self.text.startswith("{", start + 2):
            close = self.text.find("}", start + 2)
            return close + 1 if close > 0 else start + 3
        return start + 2

    def _fstring_piece(self, fstring: FString, begin: int, end: int) -> None:
        if end > begin:
            kind = "FSTRING_RAW_TEXT" if fstring.raw else "FSTRING_TEXT"
            self._add_long(kind, self.text[begin:end], begin, end)

    def _sign_of_field(self, fstring: FString, start: int, in_format: bool) -> None:
        if len(self.brackets) >= MAX_BRACKETS:
            raise ScanError("too many brackets inside of each other", start, start + 1)
        self.brackets.append(Bracket("{", len(self.rows), start, fstring, in_format))
        self._add("FIELD_START", "{", start, start + 1)

    def _fstring_end(self, fstring: FString, begin: int, start: int, in_format: bool) -> int:
        if in_format:
            opening = self.brackets[-1].offset
            raise ScanError("a field of this f-string has no closing '}'", opening, opening + 1)
        self._fstring_piece(fstring, begin, start)
        end = start + len(fstring.quote)
        self._add("FSTRING_END", fstring.quote, start, end)
        return end

    # -- what no pattern matches

    def _unterminated(self, start: int, end: int, quote: str, fstring: bool) -> ScanError:
        what = "f-string" if fstring else "string"
        if len(quote) == 3:
            error = ScanError(f"this {what} is never closed: {quote} is missing", start, end)
            error.incomplete = True
            return error
        return ScanError(
            f"this {what} is not closed on its line: {quote} is missing",
            start,
            end,
            f"Use {quote * 3} for a text of several lines.",
        )

    def _odd(self, position: int) -> int:
        """At something that begins no token: a conversion in a field, or else an error."""
        text = self.text
        space = _SPACE.match(text, position)
        assert space
        start = space.end()
        sign = text[start]
        if sign == "!" and self.brackets and self.brackets[-1].fstring:
            found = _CONVERSION.match(text, start)
            if found:
                self._add("CONVERSION", found[1], start, found.end())
                return found.end()
            raise ScanError(
                "after '!' in a field of an f-string stands r, s or a", start, start + 1
            )
        opening = _QUOTES.match(text, start)
        if opening:
            if self.brackets and self.brackets[-1].fstring:
                brace = self.brackets[-1].offset
                raise ScanError("a field of this f-string has no closing '}'", brace, brace + 1)
            raise self._unterminated(start, opening.end(), opening[1], False)
        raise odd_sign(sign, start)


_SPACE = re.compile(r"[ \t\f]*")
_SPACE_AND_LINES = re.compile(r"[ \t\f\n]*")
_WORD = re.compile(r"\d+|\.(?=\d)|[^\x00-@\[-\^`\{-\x7f]+")
_NUMBER_LIKE = re.compile(r"[0-9.][\w.]*")
_AFTER_NUMBER = frozenset({"and", "else", "for", "if", "in", "is", "not", "or"})
_CONVERSION = re.compile(r"!([rsa])(?![a-zA-Z0-9_])")
_QUOTES = re.compile(r"""[a-zA-Z]{0,2}(\"\"\"|'''|"|')""")
_FSTRING_STOP = re.compile(r"""[\\\n{}"']""")
_FSTRING_STOP_LONG = re.compile(r"""[\\{}]|\"\"\"|'''""")


def _goes_on(text: str) -> bool:
    """Whether what follows a number directly looks as if it should belong to it."""
    return text == "." or f"a{text[0]}".isidentifier()


def token_pattern(tables: Tables) -> re.Pattern[str]:
    """One pattern for every token: a group for each terminal with a pattern, one for all signs."""
    words = [text for text in tables.literals if not text.isidentifier()]
    augmented = dict(tables.patterns)["AUGMENTED"]
    signs = "|".join(re.escape(text) for text in sorted(words, key=len, reverse=True))
    groups = [
        f"(?P<{name}>{pattern})"
        for name, pattern in tables.patterns
        if name not in ("COMMENT", "AUGMENTED")
    ]
    groups.append(f"(?P<SIGN>{augmented}|{signs})")
    groups.append(r"(?P<END_OF_LINE>(?:#[^\n]*)?\n)")
    groups.append(r"(?P<CONTINUATION>\\\n)")
    return re.compile(r"[ \t\f]*(?:" + "|".join(groups) + ")")
