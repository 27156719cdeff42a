"""Widths of text on a terminal, and cutting a line around what matters."""

import pytest

from tgrad.display.cells import lay_out, text_width, window


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("abc", 3),
        ("日本", 4),
        ("\u00e9", 1),
        ("e\u0301", 1),
        ("😀", 2),
        ("👩\u200d🚀", 2),
        ("❤\ufe0f", 2),
        ("\uff21", 2),
        ("a\tb", 5),
        ("\x1b[0m", 4),
    ],
)
def test_width_is_that_of_the_terminal(text: str, width: int) -> None:
    assert text_width(text) == width


def test_tab_reaches_the_next_tab_stop() -> None:
    assert "".join(lay_out("ab\tc\td").pieces) == "ab  c   d"


def test_control_characters_are_made_visible() -> None:
    assert "".join(lay_out("a\x1b[31m\x07").pieces) == "a?[31m?"


def test_column_beyond_the_end_counts_on() -> None:
    assert lay_out("日本").column(4) == 6


def test_line_that_fits_is_shown_whole() -> None:
    assert window(lay_out("x = 1"), [(0, 1)], 5) == (0, 5)


def test_long_line_is_cut_around_the_focus() -> None:
    start, end = window(lay_out("a" * 200), [(100, 104)], 40)
    assert (start, end) == (85, 119)


def test_focus_at_the_end_of_a_long_line_is_seen() -> None:
    start, end = window(lay_out("a" * 200), [(199, 200)], 40)
    assert end == 200
    assert end - start == 34


def test_second_focus_is_seen_as_well_if_it_fits() -> None:
    start, end = window(lay_out("a" * 200), [(100, 101), (120, 121)], 40)
    assert start <= 100
    assert end >= 121


def test_wide_characters_count_twice_when_cutting() -> None:
    start, end = window(lay_out("日" * 100), [(50, 51)], 40)
    assert end - start == 17
