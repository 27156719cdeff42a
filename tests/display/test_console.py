"""When a stream is coloured, and how wide it is."""

from io import StringIO

import pytest

from tgrad.display.console import Console, wants_color


@pytest.mark.parametrize(
    ("choice", "terminal", "environment", "expected"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", False, {"FORCE_COLOR": "1"}, True),
        ("auto", False, {"FORCE_COLOR": ""}, False),
        ("auto", True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ("auto", True, {"TERM": "dumb"}, False),
        ("auto", True, {"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_color_follows_option_then_environment_then_terminal(
    choice: str, terminal: bool, environment: dict[str, str], expected: bool
) -> None:
    assert wants_color(choice, terminal, environment) is expected


def test_plain_console_writes_text_only() -> None:
    stream = StringIO()
    Console(stream).draw([[("kind", "RuntimeError"), ("plain", ": "), ("message", "no\tway")]])
    assert stream.getvalue() == "RuntimeError: no\tway\n"


def test_colored_console_writes_the_same_text_in_colors() -> None:
    stream = StringIO()
    Console(stream, color=True).draw([[("kind", "RuntimeError"), ("plain", ": no\tway")]])
    assert stream.getvalue() == "\x1b[1;31mRuntimeError\x1b[0m: no\tway\n"


def test_width_follows_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "77")
    assert Console(StringIO()).width == 77


def test_width_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert Console(StringIO()).width == 120
