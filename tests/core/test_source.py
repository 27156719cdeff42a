"""Sources and spans: lines, and columns counted in bytes against columns counted in characters."""

from __future__ import annotations

import ast

import pytest

from tgrad.source import Source, Span


def source(text: str) -> Source:
    return Source("example.tg", text)


def cut(program: Source, span: Span) -> str:
    """The text that a span of one line covers."""
    assert span.line == span.end_line
    return program.line(span.line)[span.column : span.end_column]


# ---- lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\n", ["a", ""]),
        ("a\nb", ["a", "b"]),
        ("a\r\nb\r\n", ["a", "b", ""]),
        ("a\rb\r", ["a", "b", ""]),
        ("a\n\rb", ["a", "", "b"]),
        ("a\r\r\nb", ["a", "", "b"]),
        ("a\n\n\nb", ["a", "", "", "b"]),
        ("\n", ["", ""]),
        ("  a \t\n", ["  a \t", ""]),
    ],
)
def test_lf_crlf_and_cr_end_a_line(text: str, lines: list[str]) -> None:
    assert source(text).lines == lines


@pytest.mark.parametrize(
    "character", ["\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
)
def test_nothing_else_ends_a_line(character: str) -> None:
    # str.splitlines would cut here; Python's tokenizer doesn't.
    text = f"a = 1 # {character} b"
    assert source(text).lines == [text]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_numbered_as_python_numbers_them(end: str) -> None:
    text = end.join(["a = 1", "", "# note", "b = 2", "c = 3", ""])
    program = source(text)
    for statement, name in zip(ast.parse(text).body, "abc", strict=True):
        assert program.line(statement.lineno).startswith(f"{name} = ")


def test_line_counts_from_one() -> None:
    program = source("first\nsecond\n")
    assert program.line(1) == "first"
    assert program.line(2) == "second"
    assert program.line(3) == ""


@pytest.mark.parametrize("number", [-1, 0, 4, 1000])
def test_a_line_that_is_not_there_is_empty(number: int) -> None:
    assert source("a\nb\nc").line(number) == ""


# ---- columns


def test_columns_of_ascii_lines_stay_as_they_are() -> None:
    program = source("x = 1\n  y + z\n")
    assert program.span_of_bytes(2, 2, 2, 7) == Span(2, 2, 2, 7)
    assert cut(program, Span(2, 2, 2, 7)) == "y + z"


@pytest.mark.parametrize(
    ("before", "byte_column", "column"),
    [
        ("", 0, 0),
        ("e", 1, 1),
        ("é", 2, 1),  # two bytes
        ("学习", 6, 2),  # three bytes each
        ("😀", 4, 1),  # four bytes: one character, though two UTF-16 units
        ("e\u0301", 3, 2),  # a letter and a combining accent are two characters
        ("aéb学😀", 1 + 2 + 1 + 3 + 4, 5),
    ],
)
def test_bytes_become_characters(before: str, byte_column: int, column: int) -> None:
    assert len(before.encode()) == byte_column
    program = source(f"{before}x\n")
    span = program.span_of_bytes(1, byte_column, 1, byte_column + 1)
    assert span == Span(1, column, 1, column + 1)
    assert cut(program, span) == "x"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "text",
    [
        "loss = (X @ W + b).mean()",
        "größe = länge + breite",
        "print('学习', x)|y = '😀' + tail",
        "学 = 1|if 学:|    习 = 学 * 'é' + ñ",
        "f('''é|ü''', ß)",
    ],
)
def test_spans_of_pythons_positions_cover_the_same_text(text: str, end: str) -> None:
    text = text.replace("|", end)
    program = source(text)
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.expr)]
    assert nodes
    for node in nodes:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        span = program.span_of_bytes(
            node.lineno, node.col_offset, node.end_lineno, node.end_col_offset
        )
        if span.line == span.end_line:
            plain = text.replace("\r\n", "\n").replace("\r", "\n")
            assert cut(program, span) == ast.get_source_segment(plain, node)
        else:
            assert program.line(span.end_line)[: span.end_column] in ("ü'''", "ü''', ß)")


def test_a_span_over_lines_converts_each_end_by_its_own_line() -> None:
    program = source("é = (\nü)")
    assert program.span_of_bytes(1, 5, 2, 3) == Span(1, 4, 2, 2)


@pytest.mark.parametrize("line", ["abc", "äbc"])
def test_a_column_behind_the_end_is_the_end(line: str) -> None:
    assert source(line).span_of_bytes(1, 0, 1, 99) == Span(1, 0, 1, 3)


def test_columns_of_a_line_that_is_not_there_are_zero() -> None:
    assert source("abc").span_of_bytes(5, 2, 6, 3) == Span(5, 0, 6, 0)


# ---- values


def test_sources_and_spans_are_values() -> None:
    assert source("x") == source("x")
    assert source("x") != Source("other.tg", "x")
    assert hash(Span(1, 0, 1, 4)) == hash(Span(1, 0, 1, 4))
    with pytest.raises(AttributeError):
        Span(1, 0, 1, 4).line = 2  # type: ignore[misc]


def test_the_text_stays_out_of_the_repr() -> None:
    assert repr(source("secret = 1\n" * 1000)) == "Source(name='example.tg')"
