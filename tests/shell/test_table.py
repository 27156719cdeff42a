"""Tables at fixed widths."""

from __future__ import annotations

import pytest

from tgrad.shell.table import lines, time_text

HEAD = ("name", "value", "size")
ROWS = [("a", "float32[3]", "12 B"), ("a longer name", "1", "")]


def text(width: int, right: tuple[str, ...] = ()) -> str:
    return "\n".join("".join(part for _, part in line) for line in lines(width, HEAD, ROWS, right))


def test_columns_stand_below_each_other() -> None:
    assert text(80, ("size",)) == (
        "name           value       size\n"
        "a              float32[3]  12 B\n"
        "a longer name  1"
    )  # fmt: skip


def test_what_does_not_fit_goes_below() -> None:
    assert text(28) == ("name           value\na              float32[3]\n  size 12 B\na longer name  1")


def test_nothing_is_wider_than_the_console() -> None:
    for width in range(10, 40):
        assert max(len(line) for line in text(width).split("\n")) <= max(width, 10)


def test_an_empty_column_is_left_out() -> None:
    found = lines(40, HEAD, [("a", "", "1 B")])
    assert ["".join(part for _, part in line) for line in found] == ["name  size", "a     1 B"]


def test_wide_characters_take_two_columns() -> None:
    found = lines(40, ("name", "value"), [("a", "1"), ("字", "2")])
    assert ["".join(part for _, part in line) for line in found] == ["name  value", "a     1", "字    2"]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, "0 ns"), (8.5e-8, "85 ns"), (9.996e-7, "1 us"), (1.234e-6, "1.23 us"),
        (0.0456, "45.6 ms"), (0.9999, "1 s"), (12.34, "12.3 s"),
    ],
)  # fmt: skip
def test_times(seconds: float, expected: str) -> None:
    assert time_text(seconds) == expected
