"""Highlighting: pieces of lines, open strings, and faults."""

from __future__ import annotations

import pytest
from driving import ENTER, Driven
from prompt_toolkit.document import Document

from tgrad.shell.highlight import Highlighter, InputLexer, OpenString
from tgrad.shell.theme import style


def styled(text: str) -> list[tuple[str, str]]:
    """The pieces of a line that aren't blank."""
    return [piece for piece in Highlighter().line(text, None)[0] if piece[1].strip()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1.5", [("name", "x"), ("operator", "="), ("number", "1.5")]),
        ("if True:", [("keyword", "if"), ("constant", "True"), ("operator", ":")]),
        (
            "def f(a):",
            [("keyword", "def"), ("definition", "f"), ("operator", "("), ("name", "a"), ("operator", ")"),
             ("operator", ":")],
        ),
        ("x.sum", [("name", "x"), ("operator", "."), ("attribute", "sum")]),
        ("sum(", [("call", "sum"), ("operator", "(")]),
        ("sum  # all", [("name", "sum"), ("comment", "# all")]),
        ("a ~= b", [("name", "a"), ("operator", "~="), ("name", "b")]),
        ("no_grad:", [("keyword", "no_grad"), ("operator", ":")]),
        ("no_grad = 1", [("name", "no_grad"), ("operator", "="), ("number", "1")]),
        ("'a' + 'open", [("string", "'a'"), ("operator", "+"), ("string", " 'open")]),
        ("f'{x}!'", [("string", "f'"), ("string", "{"), ("name", "x"), ("string", "}!'")]),
        ("x ? 1", [("name", "x"), ("error", "?"), ("number", "1")]),
    ],
)  # fmt: skip
def test_pieces(text: str, expected: list[tuple[str, str]]) -> None:
    assert [
        (kind, piece.lstrip(" ") if kind == "error" else piece) for kind, piece in styled(text)
    ] == expected


@pytest.mark.parametrize(
    "text", ["x = '''a", "¤ ° \x00 f'{", 'f"""{a', "  \\", "'\\", "0x 1__2 ''' \"", "\ud800"]
)
def test_nothing_is_lost(text: str) -> None:
    assert "".join(piece for _, piece in Highlighter().line(text, None)[0]) == text


def test_strings_of_several_lines() -> None:
    highlighter = Highlighter()
    assert highlighter.line("s = '''a", None)[1] == OpenString("'''", False)
    pieces, opened = highlighter.line("b''' + 1", OpenString("'''", False))
    assert opened is None
    assert pieces == [("string", "b'''"), ("", " "), ("operator", "+"), ("", " "), ("number", "1")]
    assert highlighter.line("plain", OpenString("'''", False)) == (
        [("string", "plain")],
        OpenString("'''", False),
    )


def test_an_edit_above_changes_the_lines_below() -> None:
    lexer = InputLexer()
    assert lexer.lex_document(Document("a\nb"))(1) == [("class:name", "b")]
    assert lexer.lex_document(Document("'''a\nb"))(1) == [("class:string", "b")]
    assert lexer.lex_document(Document("a\nb"))(1) == [("class:name", "b")]
    assert lexer.lex_document(Document("a\nb"))(7) == []


def test_a_fault_leaves_the_line_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr(Highlighter, "line", broken)
    assert InputLexer().lex_document(Document("x = 1"))(0) == [("", "x = 1")]
    assert Driven("x = 1", ENTER, "x", ENTER).shown == "1\n"


def test_a_fault_of_the_completer_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from tgrad.shell import completer

    def broken(*_: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr(completer, "make_completer", broken)
    assert Driven("1.", "\t", ENTER).shown == "1.0\n"


def test_themes() -> None:
    keyword = "class:keyword"
    assert style("dark", True).get_attrs_for_style_str(keyword).color == "ansibrightmagenta"
    assert style("light", True).get_attrs_for_style_str(keyword).color == "ansimagenta"
    assert style("dark", False).get_attrs_for_style_str(keyword).color == ""
