"""What `plt.show()` draws on a terminal, exactly, at fixed sizes: see `plots.txt`.

`python tests/display/test_plot.py` writes the file anew; read the difference before it is kept.
"""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pytest

import tgrad as torch
from tgrad.display import plot, plot_canvas
from tgrad.display.console import Console
from tgrad.display.look import Look
from tgrad.runtime.figures import Figure
from tgrad.runtime.pyplot import Pyplot

FILE = Path(__file__).with_name("plots.txt")

HEADING = "#### "


def shown(program: str) -> list[Figure]:
    """The figures that some statements show."""
    state = Pyplot()
    plt = SimpleNamespace(**state.names())
    exec(program, {"plt": plt, "np": numpy, "torch": torch, "nan": numpy.nan, "inf": numpy.inf})
    state.show()
    return state.shown


def cases() -> list[tuple[str, str]]:
    """The headings of the file with what stands below each."""
    pieces = FILE.read_text("utf-8").split(f"\n{HEADING}")[1:]
    return [(head, body) for head, _, body in (piece.partition("\n") for piece in pieces)]


def drawn(heading: str) -> str:
    """`60x12 ascii: program` carried out; blanks at the end of a line aren't kept."""
    words, _, program = heading.partition(": ")
    size, *options = words.split()
    width, height = map(int, size.split("x"))
    look = Look(
        width,
        height,
        color=16 * ("colors" in options),
        unicode="ascii" not in options,
        plain="plain" in options,
    )
    text = ""
    for figure in shown(program):
        for line in plot.figure_lines(figure, look):
            assert sum(len(part) for _, part in line) <= width
            text += "".join(part for _, part in line).rstrip() + "\n"
    return text


@pytest.mark.parametrize(("heading", "body"), cases(), ids=lambda text: text.split("\n")[0][:60])
def test_text(heading: str, body: str) -> None:
    assert drawn(heading) + "\n" == body + ("" if body.endswith("\n\n") else "\n")


def styles(program: str, color: int = 16) -> set[tuple[str, str]]:
    """Styles and signs of a drawing, those of lines of braille as one."""
    found = set()
    for line in plot.figure_lines(shown(program)[0], Look(40, 12, color)):
        for style, text in line:
            for sign in text:
                found.add((style, "⠿" if "⠀" <= sign <= "⣿" else sign))
    return found


def test_each_series_has_a_colour() -> None:
    found = styles(
        "plt.plot([1, 2]); plt.plot([3, 4]); plt.plot([5, 6], 'g'); plt.plot([7, 8], color='#102030')"
    )
    assert {style for style, sign in found if sign == "⠿"} == {"series1", "series2", "series6", "#102030"}


def test_a_picture_is_drawn_in_half_blocks() -> None:
    lines = plot.figure_lines(
        shown("plt.imshow(np.array([[0., 1.], [1., 0.]]), cmap='gray')")[0], Look(40, 6, 1 << 24)
    )
    assert lines[0] == [("#000000 on #000000", "▀▀▀▀"), ("#ffffff on #ffffff", "▀▀▀▀")]
    assert lines[2] == [("#ffffff on #ffffff", "▀▀▀▀"), ("#000000 on #000000", "▀▀▀▀")]


def test_a_picture_in_colours_keeps_them() -> None:
    program = "plt.imshow(np.array([[[1., 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 1, 1]]]))"
    lines = plot.figure_lines(shown(program)[0], Look(3, 6, 1 << 24))
    assert lines == [[("#ff0000 on #0000ff", "▀"), ("#00ff00 on #ffffff", "▀")]]


def test_nothing_that_numbers_can_be_stops_a_drawing() -> None:
    numbers = [0.0, -0.0, 1e308, -1e308, 1e-308, 5e-324, numpy.nan, numpy.inf, -numpy.inf, 1.0]
    for first in numbers:
        for second in numbers:
            for function in ("plot", "scatter", "bar", "semilogy", "loglog", "stem", "step"):
                figure = shown(f"plt.{function}([1, 2, 3], [{first}, {second}, 1])".replace("e+", "e"))[0]
                plot.figure_lines(figure, Look(40, 10))
                plot.figure_lines(figure, Look(40, 10, unicode=False))


@pytest.mark.parametrize("width", [40, 55, 79, 120])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    program = (
        "f, a = plt.subplots(2, 3); f.suptitle('a long title of all of it')\n"
        "for k in range(6): a.flat[k].plot([1e5, 2e5], label='a long label'); a.flat[k].legend()\n"
        "a[0, 0].set_title('a title that is long'); a[0, 0].set_ylabel('y' * 90); a[0, 1].imshow(np.eye(90))"
    )
    for look in (Look(width, 24), Look(width, 24, 1 << 24), Look(width, 24, unicode=False)):
        for line in plot.figure_lines(shown(program)[0], look):
            assert sum(len(text) for _, text in line) <= width


def test_a_line_of_many_points_is_drawn_column_by_column(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = shown("x = np.linspace(0, 1, 50_000); plt.plot(x, np.sin(60 * x) * x)")[0]
    quick = plot.figure_lines(figure, Look(60, 20))
    monkeypatch.setattr(plot_canvas, "_thinned", lambda x, y, columns: (x, y))
    assert plot.figure_lines(figure, Look(60, 20)) == quick


def test_a_fault_in_a_drawing_is_a_line_of_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(plot, "figure_lines", fail)
    screen = io.StringIO()
    plot.draw(shown("plt.plot([1])")[0], Console(screen))
    assert screen.getvalue() == "this figure can't be drawn as text: ZeroDivisionError: division by zero\n"


if __name__ == "__main__":
    text = FILE.read_text("utf-8").split(f"\n{HEADING}")[0]
    for heading, _ in cases():
        text += f"\n{HEADING}{heading}\n{drawn(heading)}"
    FILE.write_text(text, "utf-8")
