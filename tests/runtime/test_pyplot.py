"""Plots without a display: recorded calls, and what pyplot's functions return."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy
import pytest
from worlds import World

from tgrad.errors import AccessDenied, NotAvailableError
from tgrad.runtime.access import Access
from tgrad.runtime.pyplot import Pyplot


def plotted(text: str, access: Access | None = None) -> tuple[World, Pyplot]:
    world = World() if access is None else World(access)
    world.run("import torch\nimport numpy as np\nfrom matplotlib import pyplot as plt\n" + text)
    plot: Any = world.builtins.names[".import_module"].__self__.pyplot
    return world, plot


def calls(plot: Pyplot) -> list[list[list[str]]]:
    figures = [*plot.shown, *plot.figures.values()]
    return [[[call.name for call in axes._calls] for axes in figure._axes] for figure in figures]


def test_a_plot_is_recorded() -> None:
    world, plot = plotted(
        "plt.plot([1, 2], [3, 4], 'r--', label='a')\nplt.xlabel('x')\nplt.legend()\nplt.show()\n"
    )
    assert calls(plot) == [[["plot", "set_xlabel", "legend"]]]
    call = plot.shown[0]._axes[0]._calls[0]
    assert call.arguments == ([1, 2], [3, 4], "r--")
    assert call.keywords == {"label": "a"}
    assert world.output.getvalue() == ""


def test_show_begins_anew() -> None:
    _, plot = plotted("plt.plot([1])\nplt.show()\nplt.plot([2])\nplt.show()\nplt.plot([3])")
    assert calls(plot) == [[["plot"]], [["plot"]], [["plot"]]]
    assert len(plot.shown) == 2


def test_data_is_copied_when_it_is_plotted() -> None:
    _, plot = plotted(
        "x = torch.ones(2)\na = np.ones(2)\nplt.plot(x, a)\nplt.plot([x, x])\nx.mul_(5)\na[0] = 7"
    )
    first, second = next(iter(plot.figures.values()))._axes[0]._calls
    assert [item.tolist() for item in first.arguments] == [[1.0, 1.0], [1.0, 1.0]]
    assert [item.tolist() for item in second.arguments[0]] == [[1.0, 1.0], [1.0, 1.0]]


def test_a_tensor_that_requires_grad_is_refused() -> None:
    with pytest.raises(RuntimeError, match="Can't call numpy"):
        plotted("plt.plot(torch.ones(2, requires_grad=True))")


def test_subplots() -> None:
    world, plot = plotted(
        """
fig, ax = plt.subplots()
ax.plot([1], [2]); ax.set_title("t"); ax.set_xlabel("x")
fig2, (left, right) = plt.subplots(1, 2, figsize=(8, 4))
left.hist([1, 2, 2], bins=2); right.imshow(np.zeros((2, 2)))
fig3, grid = plt.subplots(2, 3)
print(grid.shape, fig, fig2, ax.get_title(), ax.get_xlabel())
for a in grid.flat: a.grid(True)
plt.subplot(2, 1, 1); plt.plot([1]); plt.subplot(212); plt.bar([1], [2])
line, = plt.plot([1, 2])
counts, edges, bars = plt.hist([1, 2, 2], bins=2)
print(counts.tolist(), edges.tolist())
"""
    )
    assert world.output.getvalue() == (
        "(2, 3) <Figure size 640x480 with 1 Axes> <Figure size 800x400 with 2 Axes> t x\n"
        "[1.0, 2.0] [1.0, 1.5, 2.0]\n"
    )
    assert calls(plot)[1] == [["hist"], ["imshow"]]


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="x and y must have same first dimension, but have shapes"):
        plotted("plt.plot([1, 2], [1, 2, 3])")


def test_closing_and_current_figures() -> None:
    _, plot = plotted("plt.figure(); plt.plot([1]); plt.figure(7); plt.plot([2]); plt.close()")
    assert list(plot.figures) == [1]
    _, plot = plotted("plt.figure(); plt.figure(); plt.close('all')")
    assert plot.figures == {}


def test_unknown_names() -> None:
    for text in ("plt.nothing()", "plt.gca().nothing", "plt.figure().nothing"):
        with pytest.raises(AttributeError):
            plotted(text)


def test_saving_needs_leave() -> None:
    with pytest.raises(AccessDenied, match=r"this program may not write 'x\.png'"):
        plotted("plt.plot([1])\nplt.savefig('x.png')")


def test_saving(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    target = tmp_path / "plot.png"
    text = f"""
fig, (a, b) = plt.subplots(1, 2, figsize=(4, 2))
a.plot([1, 2], [3, 4], label="l"); a.legend(); a.set_title("t")
b.imshow(np.zeros((2, 2))); fig.colorbar(None); fig.suptitle("s"); plt.tight_layout()
plt.savefig({str(target)!r}, dpi=50)
"""
    plotted(text, Access(write=(tmp_path,)))
    assert target.read_bytes()[:4] == b"\x89PNG"
    assert numpy.frombuffer(target.read_bytes()[16:24], ">i4").tolist() == [200, 100]


def test_arguments_that_start_programs_or_read_fonts_are_refused() -> None:
    for text in ("plt.title('x', usetex=True)", "plt.suptitle('x', fontproperties='/x')"):
        with pytest.raises(NotAvailableError):
            plotted(text)


def test_what_is_drawn_prints_as_matplotlibs_own() -> None:
    world, _ = plotted(
        """
x = np.arange(4)
for value in (
    plt.plot(x, x, "r-", x, x), plt.plot(np.zeros((4, 3))), plt.title("t"), plt.xlabel("a"),
    plt.ylabel("b"), plt.scatter(x, x), plt.bar(x, x), plt.xlim(0, 3), plt.ylim((-1, 2)),
    plt.suptitle("s"), plt.grid(), plt.tight_layout(),
):
    print(value)
"""
    )
    texts = [re.sub("0x[0-9a-f]+", "0x", line) for line in world.output.getvalue().splitlines()]
    line = "<matplotlib.lines.Line2D object at 0x>"
    assert texts == [
        f"[{line}, {line}]",
        f"[{line}, {line}, {line}]",
        "Text(0.5, 1.0, 't')",
        "Text(0.5, 0, 'a')",
        "Text(0, 0.5, 'b')",
        "<matplotlib.collections.PathCollection object at 0x>",
        "<BarContainer object of 4 artists>",
        "(0.0, 3.0)",
        "(-1.0, 2.0)",
        "Text(0.5, 0.98, 's')",
        "None",
        "None",
    ]


def test_spines_and_single_axes_are_recorded() -> None:
    _, plot = plotted(
        """
ax = plt.gca()
ax.spines["right"].set_color("none")
ax.spines.top.set_visible(False)
ax.xaxis.set_ticks_position("bottom")
"""
    )
    assert calls(plot) == [
        [["spines.@right.set_color", "spines.top.set_visible", "xaxis.set_ticks_position"]]
    ]


def test_a_colour_map_is_its_name() -> None:
    world, plot = plotted("plt.imshow(np.zeros((2, 2)), cmap=plt.cm.gray); print(plt.cm.Spectral)")
    assert world.output.getvalue() == "Spectral\n"
    assert plot.figures[1]._axes[0]._calls[0].keywords == {"cmap": "gray"}
