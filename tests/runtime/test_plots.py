"""Figures that are shown: where they go, what becomes of them, and the names of `d2l`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tgrad.errors import NotAvailableError
from tgrad.runtime.figure_files import FigureFiles
from tgrad.runtime.figures import Figure
from tgrad.runtime.output import Output, TextReporter
from tgrad.runtime.screen import Screen
from tgrad.runtime.session import Session
from tgrad.source import Source

IMPORTS = "import torch\nfrom matplotlib import pyplot as plt\nfrom d2l import torch as d2l\n"


def run(text: str, screen: Screen) -> Session:
    """Run a program that must not fail."""
    session = Session(TextReporter(Output(None), Output(None), lambda found: None), screen=screen)
    result = session.run(Source("<test>", IMPORTS + text))
    assert result.diagnostic is None, result.diagnostic
    return session


def figures(text: str) -> list[Figure]:
    """The figures that a program shows."""
    shown: list[Figure] = []
    run(text, Screen(figure=shown.append))
    return shown


def calls(figure: Figure) -> list[list[str]]:
    return [[call.name for call in axes._calls] for axes in figure._axes]


def test_each_shown_figure_is_drawn_once() -> None:
    shown = figures(
        "plt.plot([1]); plt.show(); plt.show(); plt.plot([2]); plt.figure(); plt.bar([1], [2]); plt.show()"
    )
    assert [calls(figure) for figure in shown] == [[["plot"]], [["plot"]], [["bar"]]]


def test_what_is_not_shown_is_not_drawn() -> None:
    assert figures("plt.plot([1])") == []


def test_the_screen_may_change_between_two_inputs() -> None:
    shown: list[Figure] = []
    session = run("plt.plot([1]); plt.show()", Screen())
    session.screen.figure = shown.append
    session.run(Source("<test>", "plt.plot([2]); plt.show()"))
    assert len(shown) == 1


def test_a_plot_of_the_book() -> None:
    (figure,) = figures(
        "x = torch.arange(0, 3, 0.1)\n"
        "d2l.plot(x, [x ** 2, 2 * x - 3], 'x', 'f(x)', legend=['f(x)', 'Tangent line (x=1)'], xlim=[0, 3])"
    )
    names = [
        "plot",
        "plot",
        "set_xlabel",
        "set_ylabel",
        "set_xscale",
        "set_yscale",
        "set_xlim",
        "legend",
        "grid",
    ]
    assert calls(figure) == [names]
    first, second, label, *_ = figure._axes[0]._calls
    assert (first.arguments[2], second.arguments[2]) == ("-", "m--")
    assert len(first.arguments[0]) == len(second.arguments[1]) == 30
    assert label.arguments == ("x",)
    assert figure._options["figsize"] == (3.5, 2.5)


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ("x", 1),
        ("x, x * 2", 1),
        ("[x, x], [x, x * 2]", 2),
        ("[x, x * 2]", 2),
        ("[1, 2, 3]", 1),
        ("x, [x, x, x]", 3),
    ],
)
def test_one_line_or_several(arguments: str, lines: int) -> None:
    (figure,) = figures(f"x = torch.arange(4.)\nd2l.plot({arguments})")
    assert calls(figure)[0].count("plot") == lines


def test_axes_that_are_given_are_not_shown() -> None:
    assert figures("fig, ax = plt.subplots()\nd2l.plot([1, 2], axes=ax)") == []


def test_the_book_sets_the_size_of_figures() -> None:
    shown = figures("d2l.use_svg_display(); d2l.set_figsize((4, 3)); d2l.plt.plot([1]); d2l.plt.show()")
    assert shown[0]._options["figsize"] == (4, 3)


def test_heat_maps_of_the_book() -> None:
    (figure,) = figures(
        "d2l.show_heatmaps(torch.eye(4).reshape(1, 1, 4, 4), xlabel='Keys', ylabel='Queries')"
    )
    assert calls(figure) == [["imshow", "set_xlabel", "set_ylabel"]]


def test_the_book_s_linear_regression_learns() -> None:
    session = run(
        """
torch.manual_seed(0)
true_w, true_b = torch.tensor([2, -3.4]), 4.2
X, y = d2l.synthetic_data(true_w, true_b, 200)
w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
b = torch.zeros(1, requires_grad=True)
timer = d2l.Timer()
for epoch in range(10):
    for xs, ys in d2l.load_array((X, y), 10):
        d2l.squared_loss(d2l.linreg(xs, w, b), ys).sum().backward()
        d2l.sgd([w, b], 0.03, 10)
timer.stop()
error = (w.reshape(2) - true_w).abs().max().item()
counted = len(timer.times), timer.sum() == timer.avg() == timer.cumsum()[0]
""",
        Screen(),
    )
    assert session.names["error"] < 0.1
    assert session.names["counted"] == (1, True)


@pytest.mark.parametrize(("kind", "beginning"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_figures_as_files(tmp_path: Path, kind: str, beginning: bytes) -> None:
    pytest.importorskip("matplotlib")
    screen = Screen()
    drawn: list[Figure] = []
    screen.figure = drawn.append
    FigureFiles(str(tmp_path), kind).add_to(screen)
    run(
        "plt.plot([1, 2]); plt.show(); plt.figure(); plt.hist([1]); plt.figure(); plt.bar(1, 2); plt.show()",
        screen,
    )
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"figure-{number}.{kind}" for number in (1, 2, 3)]
    assert (tmp_path / names[0]).read_bytes().startswith(beginning)
    assert len(drawn) == 3


def test_without_matplotlib_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    (figure,) = figures("plt.plot([1]); plt.show()")
    with pytest.raises(NotAvailableError, match="needs matplotlib") as caught:
        FigureFiles(str(tmp_path)).write(figure)
    assert caught.value.hint == "pip install 'tgrad[plot]'"
