"""Plots and progress bars from the command line, through real pipes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Runner = Callable[..., Any]

PLOT = "from matplotlib import pyplot as plt\nprint('a')\nplt.plot([1, 2]); plt.show()\nprint('b')\n"


def test_in_a_pipe_nothing_is_drawn(tgrad: Runner) -> None:
    run = tgrad("-c", PLOT)
    first, line, last = run.out.splitlines()
    assert (first, last, run.err, run.code) == ("a", "b", "", 0)
    assert line.startswith("[<matplotlib.lines.Line2D object at 0x")


def test_a_file_in_a_pipe_writes_only_what_it_prints(tgrad: Runner, write: Callable[..., str]) -> None:
    run = tgrad(write("plot.py", PLOT))
    assert (run.out, run.err, run.code) == ("a\nb\n", "", 0)


def test_plots_are_written(tgrad: Runner, write: Callable[..., str], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    run = tgrad("--plots", "out", write("plot.py", PLOT * 2))
    assert (run.out, run.err, run.code) == ("a\nb\na\nb\n", "", 0)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["figure-1.png", "figure-2.png"]
    assert (tmp_path / "out/figure-1.png").read_bytes()[:4] == b"\x89PNG"


def test_plots_as_svg(tgrad: Runner, write: Callable[..., str], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert tgrad("--plots=out", "--plot-format", "svg", write("plot.py", PLOT)).code == 0
    assert "<svg" in (tmp_path / "out/figure-1.svg").read_text("utf-8")


def test_a_folder_that_cannot_be_made(tgrad: Runner, write: Callable[..., str]) -> None:
    pytest.importorskip("matplotlib")
    run = tgrad("--plots", write("plot.py", PLOT), "plot.py")
    assert (run.out, run.err, run.code) == ("", "tgrad: can't write to plot.py: File exists\n", 2)


def test_an_unknown_format(tgrad: Runner) -> None:
    run = tgrad("--plot-format", "gif", "-c", "1")
    assert (run.err, run.code) == ("tgrad: --plot-format is png or svg, not 'gif'\n", 2)


def test_plots_without_matplotlib(tgrad: Runner, write: Callable[..., str], tmp_path: Path) -> None:
    write("matplotlib.py", "raise ImportError")  # in the way of the real one, and no package
    run = tgrad("-c", "import matplotlib.pyplot as plt\nplt.plot([1]); plt.savefig('x.png')", stdin="")
    assert run.last == "PermissionError: this program may not write 'x.png'"
    run = tgrad(
        "--allow-write", ".", write("save.py", "import matplotlib.pyplot as plt\nplt.savefig('x.png')")
    )
    assert run.last == "NotImplementedError: savefig() needs matplotlib"
    assert "pip install 'tgrad[plot]'" in run.err
    assert run.out == ""


def test_a_tracked_loop_is_silent_in_a_pipe(tgrad: Runner) -> None:
    run = tgrad("-c", "for i in track(range(3), 'loop'):\n    print(i)\n")
    assert (run.out, run.err, run.code) == ("0\n1\n2\n", "", 0)


def test_an_error_in_a_tracked_loop(tgrad: Runner) -> None:
    run = tgrad("-c", "for i in track(range(3)):\n    1 / (1 - i)\n")
    assert run.out == "1.0\n"
    assert (run.last, run.code) == ("ZeroDivisionError: division by zero", 1)


def test_json_is_never_drawn_into(tgrad: Runner, write: Callable[..., str]) -> None:
    run = tgrad("--json", write("plot.py", PLOT + "for i in track(range(2)): print(i)\n"))
    assert all(line.startswith("{") for line in run.out.splitlines())
    assert (run.err, run.code) == ("", 0)
