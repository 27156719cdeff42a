"""`show` in programs and in Python, colours of heat maps, and what large arrays are brought down to."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tgrad as torch
from tgrad.display.console import Console, number_of_colors, shows_glyphs
from tgrad.display.look import TRUE_COLOR, Look
from tgrad.display.palette import Scale, shades
from tgrad.display.sampling import block_means, envelope
from tgrad.display.show import picture
from tgrad.display.values import render

MAP = """\
float32[7, 7], 0 to 1 |@:|, mean 0.1429, std 0.3536, integer-valued
@@@@
@@@@
    @@@@
    @@@@
        @@@@
        @@@@
            @@@@
            @@@@
                @@@@
                @@@@
                    @@@@
                    @@@@
                        @@@@
                        @@@@
0 | ..::-==++*##%%@| 1
"""


def run(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, encoding="utf-8", check=True)
    assert done.stderr == ""
    return done.stdout


def unpadded(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def test_show_is_a_builtin_and_writes_ascii_into_a_pipe() -> None:
    assert unpadded(run("-m", "tgrad", "-c", "show(eye(7))")) == MAP


def test_the_example_of_the_language_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    page = (Path(__file__).parents[2] / "docs" / "language.md").read_text("utf-8")
    command, _, drawing = page.partition('    $ tgrad -c "')[2].partition('"\n')
    expected = "".join(f"{line[4:]}\n" for line in drawing.partition("\n\n")[0].split("\n"))
    assert unpadded(run("-m", "tgrad", "-c", command)) == expected


def test_show_takes_a_name() -> None:
    text = run("-m", "tgrad", "-c", "show(tensor([1.5]), name='x')")
    assert text == "x  float32[1], 1 element, 4 B, cpu\n  1.5000\n"


def test_a_program_may_call_something_else_show() -> None:
    assert run("-m", "tgrad", "-c", "show = 3; show") == "3\n"


def test_show_of_python() -> None:
    assert unpadded(run("-c", "import tgrad as torch; torch.show(torch.eye(7))")) == MAP


def test_show_in_json_is_printed_text() -> None:
    record = json.loads(run("-m", "tgrad", "--json", "-c", "show(eye(7))"))
    assert record["kind"] == "print"
    assert unpadded(record["text"]) == MAP


def test_plain_says_it_in_words() -> None:
    text = run("-m", "tgrad", "--plain", "-c", "show(arange(50.) - 9)")
    assert text.endswith("smallest -9 at [0]\nlargest 40 at [49]\n")


def test_heat_map_of_half_blocks() -> None:
    matrix = torch.tensor([[-2.0, 0.0, 1.0]] * 5)
    matrix[4, 0] = 2
    matrix[0, 1] = float("nan")
    look = Look(3, 20, TRUE_COLOR)
    _, *rows = picture(torch.cat([matrix] * 3), look)
    low, zero, half, high = "#1f5fae", "#f2f2f2", "#ea9376", "#b3202f"
    assert rows[-10:-2] == [
        [(f"{low} on {low}", "▀"), ("bold magenta", "×"), (f"{half} on {half}", "▀")],
        [(f"{low} on {low}", "▀"), (f"{zero} on {zero}", "▀"), (f"{half} on {half}", "▀")],
        [(f"{high} on {low}", "▀"), ("bold magenta", "×"), (f"{half} on {half}", "▀")],
        [(f"{low} on {low}", "▀"), (f"{zero} on {zero}", "▀"), (f"{half} on {half}", "▀")],
        [(f"{low} on {high}", "▀"), (f"{zero} on {zero}", "▀"), (f"{half} on {half}", "▀")],
        [(f"{low} on {low}", "▀"), ("bold magenta", "×"), (f"{half} on {half}", "▀")],
        [(f"{low} on {low}", "▀"), (f"{zero} on {zero}", "▀"), (f"{half} on {half}", "▀")],
        [(high, "▀"), (zero, "▀"), (half, "▀")],
    ]


@pytest.mark.parametrize(("color", "middle"), [(TRUE_COLOR, "#f2f2f2"), (256, "color(255)")])
def test_zero_has_the_middle_colour_however_unequal_the_ends(color: int, middle: str) -> None:
    scale = Scale(-1, 100)
    colors = shades(scale, Look(color=color))
    assert colors[scale.levels(np.array([0.0]), len(colors))[0]] == middle


def test_sixteen_colours_have_shades_of_two() -> None:
    rows = picture(torch.arange(-20.0, 21).reshape(1, 41), Look(100, 20, 16))
    styles = {style for style, _ in rows[1]}
    assert styles == {"low", "high", "plain"}
    assert "".join(text for _, text in rows[1])[::10] == "█▓▒░ ░▒▓█"


def test_means_of_blocks() -> None:
    matrix = np.arange(35.0).reshape(5, 7)
    found = block_means(matrix, 2, 3)
    expected = [[matrix[i : i + 2, j : j + 3].mean() for j in (0, 3, 6)] for i in (0, 2, 4)]
    assert found.means.tolist() == expected
    assert not found.marked.any()


def test_means_leave_out_what_is_not_finite_and_mark_it() -> None:
    matrix = np.array([[1.0, np.nan, 3, 4], [np.inf, 3, np.nan, -np.inf], [1, 1, 1, 1], [1, 1, 1, np.nan]])
    found = block_means(matrix, 2, 2)
    assert found.means.tolist() == [[2, 3.5], [1, 1]]
    assert found.marked.tolist() == [[True, True], [False, True]]
    empty = block_means(np.full((2, 2), np.nan), 2, 2)
    assert np.isnan(empty.means).all()


def test_envelope_keeps_every_peak() -> None:
    values = np.zeros(100_000, np.float16)
    values[77_777], values[3], values[50_000] = 5, -3, np.inf
    found = envelope(values, 100)
    assert (found.high.max(), found.low.min(), found.high[77], found.low[0]) == (5, -3, 5, -3)
    assert np.flatnonzero(found.marked).tolist() == [50]


@given(
    st.lists(st.sampled_from([0, 1, 2, 3, 7, 40]), max_size=5),
    st.integers(40, 130),
    st.integers(8, 50),
    st.sampled_from([0, 16, 256, TRUE_COLOR]),
    st.booleans(),
    st.sampled_from(["float32", "int64", "bool", "complex64"]),
)
@settings(deadline=None, max_examples=60)
def test_nothing_is_wider_or_higher_than_the_terminal(
    shape: list[int], width: int, height: int, color: int, unicode: bool, dtype: str
) -> None:
    value = (torch.arange(0, float(np.prod(shape, dtype=int))).reshape(shape) * 1.7 - 5).sin() * 1e3
    value = value.to(getattr(torch, dtype))
    rendered = render(value, width=width, height=height, color=color, unicode=unicode)
    shown = picture(value, Look(width, height, color, unicode))
    for rows in (rendered, shown):
        assert len(rows) <= max(height, 18)
        for row in rows:
            assert sum(len(text) for _, text in row) <= width
            assert unicode or all(text.isascii() for _, text in row)


def test_module_shows_its_parameters() -> None:
    layer = torch.nn.Linear(3, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.5, -1]]))
        layer.bias.zero_()
    layer.bias.requires_grad_(False)
    layer.weight.grad = torch.ones(1, 3)
    text = ["".join(text for _, text in row) for row in render(layer, width=120)]
    assert text == [
        "Linear(in_features=3, out_features=1, bias=True)",
        "weight  float32[1, 3] · -1 to 2.5 · mean 0.8333 · std 1.756 · grad · all 1",
        "bias  float32[1] · frozen",
        "4 parameters, 16 B",
    ]


def test_asking_for_the_gradient_of_a_result_warns_of_nothing() -> None:
    x = torch.ones(2, requires_grad=True)
    assert len(render(x * 2, width=80)) == 2


def test_console_renders_colours_of_values() -> None:
    stream = StringIO()
    Console(stream, color=True).draw(render(torch.tensor([0.0, float("nan")]), width=80))
    assert stream.getvalue().splitlines()[1] == "  \x1b[2m 0.  \x1b[0m\x1b[1;31mnan\x1b[0m"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm"}, 16),
        ({"TERM": "xterm-256color"}, 256),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, TRUE_COLOR),
        ({"TERM": "xterm-direct"}, TRUE_COLOR),
        ({}, 16),
    ],
)
def test_number_of_colours(environment: dict[str, str], expected: int) -> None:
    assert number_of_colors(environment) == expected


class Terminal(StringIO):
    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("encoding", "term", "expected"),
    [("utf-8", "xterm", True), ("utf-8", "dumb", False), ("ascii", "xterm", False), ("latin-1", "", False)],
)
def test_glyphs_need_a_terminal_that_has_them(encoding: str, term: str, expected: bool) -> None:
    assert shows_glyphs(Terminal(encoding), {"TERM": term}) is expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LANG": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LC_CTYPE": "C.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "POSIX"}, False),
        ({"LANG": "C", "LC_ALL": "C.UTF-8"}, True),
        ({"LANG": "C.UTF-8"}, True),
        ({}, True),
    ],
)
def test_no_glyphs_in_the_locale_c(environment: dict[str, str], expected: bool) -> None:
    assert shows_glyphs(Terminal("utf-8"), environment) is expected


def test_no_glyphs_in_a_pipe() -> None:
    assert not shows_glyphs(StringIO(), {"TERM": "xterm"})
