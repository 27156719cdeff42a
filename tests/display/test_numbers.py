"""Numbers as text."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgrad.display.numbers import cells, count_text, short, size_text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (0.5, "0.5"), (-1.23456, "-1.235"), (123.456, "123.5"),
        (1234.56, "1234.6"), (999.99999, "1000"), (9999.7, "10000"), (123456.7, "123457"), (1e6, "1e6"),
        (2.5e-7, "2.5e-7"), (1e-45, "1e-45"), (0.001, "0.001"), (0.00099, "0.00099"),
        (0.000099, "9.9e-5"), (nan, "nan"),
        (-inf, "-inf"), (123456789, "123456789"), (True, "True"), (1.5 - 2j, "1.5-2j"),
        (complex(0, -0.0), "0-0j"),
    ],
)  # fmt: skip
def test_short(number: object, text: str) -> None:
    assert short(number) == text


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1, -20], ["  1", "-20"]),
        ([True, False], [" True", "False"]),
        ([1.0, -2.0], [" 1.", "-2."]),
        ([0.5, 0.0, -1.25], [" 0.5000", " 0.    ", "-1.2500"]),
        ([0.5, 1e-5], [" 0.5000", "1.0e-05"]),
        ([0.5, -0.00004], ["  0.5000", "-4.0e-05"]),
        ([0.5, 0.00005001], ["0.5000", "0.0001"]),
        ([1e6 + 0.5], ["1.0000e+06"]),
        ([0.5, nan, inf], ["0.5000", "   nan", "   inf"]),
        ([1 + 2j, 0.5j], ["1.+2.0000j", "0.+0.5000j"]),
        ([], []),
    ],
)
def test_cells(values: list[object], texts: list[str]) -> None:
    assert cells(values, 4) == texts


@given(st.lists(st.floats(), min_size=1), st.integers(0, 8))
def test_what_is_not_zero_is_not_written_as_zero(values: list[float], precision: int) -> None:
    texts = cells(values, precision)
    assert len({len(text) for text in texts}) == 1
    for value, text in zip(values, texts, strict=True):
        digits = text.strip().lower().partition("e")[0]
        assert (not digits.strip("-+0. ")) == (value == 0)
        assert (not short(value).partition("e")[0].strip("-0.")) == (value == 0)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1023, "0.999 KiB"), (4096, "4 KiB"), (40_000_000, "38.1 MiB"),
     (2**51, "2.05e+03 TiB")],
)  # fmt: skip
def test_size(size: int, text: str) -> None:
    assert size_text(size) == text


def test_count() -> None:
    assert [count_text(n, "part") for n in (0, 1, 12000)] == ["0 parts", "1 part", "12,000 parts"]
