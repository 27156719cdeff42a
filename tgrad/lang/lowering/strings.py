"""Strings and f-strings: prefixes, escapes, implicit concatenation, fields."""

from __future__ import annotations

import ast
import re
from typing import Any

from tgrad.lang.lowering.base import Base
from tgrad.lang.parser import At

_ESCAPE = re.compile(
    r"\\(\n|[\\'\"abfnrtv]|[0-7]{1,3}|x[0-9a-fA-F]{2}|N\{[^}]*\}"
    r"|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[xuUN]|.)",
    re.DOTALL,
)
_BYTES_ESCAPE = re.compile(r"\\(\n|[\\'\"abfnrtv]|[0-7]{1,3}|x[0-9a-fA-F]{2}|x|.)", re.DOTALL)
_SIMPLE = {
    "\n": "",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
_CONVERSIONS = {"s": 115, "r": 114, "a": 97}
_DIGITS = {"x": 2, "u": 4, "U": 8}

Piece = ast.Constant | ast.FormattedValue


class Strings(Base):
    """Methods for the grammar's section "Strings"."""

    def strings(self, at: At, *parts: Any) -> ast.expr:
        """Strings that follow each other, as one."""
        if len(parts) == 1 and isinstance(parts[0], ast.Constant):
            return parts[0]
        plain = [part for part in parts if isinstance(part, ast.Constant)]
        with_bytes = [part for part in plain if isinstance(part.value, bytes)]
        if with_bytes and len(with_bytes) < len(parts):
            self.fail("bytes and text cannot be joined", at)
        if len(plain) == len(parts):
            empty: Any = b"" if with_bytes else ""
            joined = empty.join(part.value for part in plain)
            return ast.Constant(joined, kind=plain[0].kind, **at)
        pieces: list[Any] = []
        for part in parts:
            pieces.extend([part] if isinstance(part, ast.Constant) else part)
        return ast.JoinedStr(_merged(pieces), **at)

    def string(self, at: At, text: str) -> ast.Constant:
        """One string without fields."""
        quote_at = min(index for index in (text.find("'"), text.find('"')) if index >= 0)
        prefix = text[:quote_at].lower()
        quotes = 3 if text[quote_at : quote_at + 3] in ("'''", '"""') else 1
        body = text[quote_at + quotes : -quotes]
        if "b" in prefix:
            return ast.Constant(self._bytes(body, "r" in prefix, at), **at)
        if "\\" in body and "r" not in prefix:
            body = self._unescaped(body, at)
        return ast.Constant(body, kind="u" if prefix == "u" else None, **at)

    def fstring(self, at: At, opening: str, *rest: Any) -> list[Piece]:
        """One f-string; its last part is the closing quotes."""
        return _flat(rest[:-1])

    def fstring_text(self, at: At, text: str) -> list[Piece]:
        if "\\" in text:
            text = self._unescaped(text, at)
        return [ast.Constant(_braces(text), **at)]

    def fstring_raw_text(self, at: At, text: str) -> list[Piece]:
        return [ast.Constant(_braces(text), **at)]

    def fstring_format(self, at: At, colon: str, *parts: Any) -> ast.JoinedStr:
        return ast.JoinedStr(_merged(_flat(parts)), **at)

    def field(self, at: At, opening: str, value: ast.expr, *rest: Any) -> list[Piece]:
        """One field.  `rest` is what is there of: text of `=`, conversion, format, `}`."""
        shown = None
        conversion = -1
        format_spec = None
        for part in rest[:-1]:
            if isinstance(part, ast.JoinedStr):
                format_spec = part
            elif part in _CONVERSIONS:
                conversion = _CONVERSIONS[part]
            else:
                shown = part
        if shown is not None and conversion < 0 and format_spec is None:
            conversion = _CONVERSIONS["r"]
        piece = ast.FormattedValue(value, conversion, format_spec, **at)
        if shown is None:
            return [piece]
        return [ast.Constant(shown, **at), piece]

    # -- escapes

    def _unescaped(self, text: str, at: At) -> str:
        return _ESCAPE.sub(lambda found: self._escape(found[0], found[1], at), text)

    def _escape(self, whole: str, escape: str, at: At) -> str:
        first = escape[0]
        if escape in _SIMPLE:
            return _SIMPLE[escape]
        if first in "01234567":
            return chr(int(escape, 8))
        if first in _DIGITS:
            if len(escape) == 1:
                self.fail(f"after {whole} stand {_DIGITS[first]} hexadecimal digits", at)
            number = int(escape[1:], 16)
            if number > 0x10FFFF:
                self.fail(f"there is no character {whole}", at)
            return chr(number)
        if first == "N":
            return self._named_character(whole, at)
        return whole

    def _named_character(self, whole: str, at: At) -> str:
        import unicodedata

        try:
            return unicodedata.lookup(whole[3:-1])
        except KeyError:
            self.fail(f"there is no character named {whole}", at)

    def _bytes(self, body: str, raw: bool, at: At) -> bytes:
        if not body.isascii():
            self.fail("bytes can hold only ASCII characters", at, r"Write others as \x and digits.")
        if not raw and "\\" in body:
            body = _BYTES_ESCAPE.sub(lambda found: self._byte(found[0], found[1], at), body)
        return body.encode("latin-1")

    def _byte(self, whole: str, escape: str, at: At) -> str:
        if escape in _SIMPLE:
            return _SIMPLE[escape]
        if escape[0] in "01234567":
            return chr(int(escape, 8) & 0xFF)
        if escape[0] == "x":
            if len(escape) == 1:
                self.fail(f"after {whole} stand 2 hexadecimal digits", at)
            return chr(int(escape[1:], 16))
        return whole


def _braces(text: str) -> str:
    return text.replace("{{", "{").replace("}}", "}")


def _flat(parts: Any) -> list[Piece]:
    return [piece for part in parts for piece in part]


def _merged(pieces: list[Any]) -> list[ast.expr]:
    """The pieces, with texts that follow each other as one, and empty texts left out."""
    merged: list[Any] = []
    for piece in pieces:
        if isinstance(piece, ast.Constant):
            if not piece.value:
                continue
            if merged and isinstance(merged[-1], ast.Constant):
                before: Any = merged[-1]
                before.value += piece.value
                before.end_lineno = piece.end_lineno
                before.end_col_offset = piece.end_col_offset
                continue
        merged.append(piece)
    return merged
