"""A failing instruction tells the span of the failing subexpression."""

import sys
import traceback
from types import TracebackType

import pytest
from running import World, compiled

from tgrad.source import Source, Span


def failing_piece(text: str, show: bool = False) -> str:
    """The piece of the program that the instruction which raised was made from."""
    world = World()
    source = Source("test.tg", text)
    for statement in compiled(text, show=show, attributes={"real", "data"}).statements:
        try:
            exec(statement.code, world.names)
        except Exception as error:
            return piece(source, place(error.__traceback__))
    raise AssertionError("nothing failed")


def place(entry: TracebackType | None) -> Span:
    found: Span | None = None
    while entry is not None:
        code = entry.tb_frame.f_code
        if code.co_filename == "test.tg":
            positions = list(code.co_positions())[entry.tb_lasti // 2]
            assert None not in positions
            line, end_line, column, end_column = positions
            found = Source("test.tg", TEXTS[-1]).span_of_bytes(line, column, end_line, end_column)
        entry = entry.tb_next
    assert found
    return found


def piece(source: Source, span: Span) -> str:
    lines = source.lines[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column]
    lines[0] = lines[0][span.column :]
    return "\n".join(lines)


TEXTS: list[str] = []


@pytest.mark.parametrize(
    ("text", "failing"),
    [
        ("x = 1 + (2 / 0) * 3", "2 / 0"),
        ("x = [1, 2][5] + 1", "[1, 2][5]"),
        ("x = 1 + undefined * 2", "undefined"),
        ("x = 'é' + f'{1 / 0}'", "1 / 0"),
        ("x = 'é' + f'ü{1 / 0:>{3}}'", "1 / 0"),
        ("x = f'''\n{1}\n  {1 / 0}'''", "1 / 0"),
        ("def f(a):\n    return -a.real\nx = 1; f('é')", "a.real"),
        ("x = (1,\n     2 +\n     'a')", "2 +\n     'a'"),
        ("x = 3; x.other.data", "x.other"),
        ("y = 3; y.data = 1", "y.data"),
        ("int('a') + 1", "int('a')"),
        ("for i in [1, 0]: 1 / i", "1 / i"),
        ("no_grad:\n    1 / 0", "1 / 0"),
        ("param x: int = 1 / 0", "1 / 0"),
        ("assert 1 ~= 2", "1 ~= 2"),
        ("x = 1 ~= (1 / 0)", "1 / 0"),
        ("x = [1 / y for y in [0]]", "1 / y"),
        ("x = lambda: 1 / 0\nx()", "1 / 0"),
        ("a, b = 1,", "a, b"),
        ("x = 1\nx += 'a'", "x += 'a'"),
        ("x = 1 if 1 / 0 else 2", "1 / 0"),
        ("\ufeff1 / 0", "1 / 0"),
        ("x = 1\r\ny = 1 / 0", "1 / 0"),
    ],
)
@pytest.mark.parametrize("show", [False, True])
def test_failing_piece(text: str, failing: str, show: bool) -> None:
    TEXTS.append(text)
    assert failing_piece(text, show) == failing


def test_code_has_the_name_of_the_source() -> None:
    (statement,) = compiled("def f(): pass").statements
    assert statement.code.co_filename == "test.tg"
    assert statement.code.co_firstlineno == 1


def test_traceback_names_the_function() -> None:
    world = World()
    with pytest.raises(ZeroDivisionError) as caught:
        world.run("def half(x):\n    return x / 0\nhalf(1)")
    names = [entry.name for entry in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-2:] == ["<module>", "half"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.11 gives a call the whole chain")
def test_failing_call_in_a_chain() -> None:
    TEXTS.append("x = 'a'\nx.real()")
    assert failing_piece(TEXTS[-1]) == "x.real"
