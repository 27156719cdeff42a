"""`track`: the loop itself, and the bars on a terminal as exact text."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from worlds import World

from tgrad.display.console import Console
from tgrad.display.progress import Bars
from tgrad.runtime import progress
from tgrad.runtime.output import Output
from tgrad.runtime.progress import tracker
from tgrad.runtime.screen import Screen

silent = tracker(Screen())


class Recorded:
    """A bar that writes down what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int, object]] = []

    def update(self, count: int, value: object) -> None:
        self.calls.append(("update", count, value))

    def close(self, count: int, value: object) -> None:
        self.calls.append(("close", count, value))


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Recorded]:
    """A `track` whose clock goes on by a second at each look, and its bar."""
    ticking(monkeypatch)
    bar = Recorded()
    return tracker(Screen(bar=lambda label, total, name: bar)), bar


def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def clock() -> float:
        now[0] += 1.0
        return now[0]

    monkeypatch.setattr(progress, "perf_counter", clock)


def test_without_a_screen_it_is_the_loop() -> None:
    steps = [1, 2, 3]
    assert type(iter(silent(steps))) is type(iter(steps))
    assert list(silent(range(3))) == [0, 1, 2]
    assert list(silent(x * x for x in range(3))) == [0, 1, 4]
    assert len(silent("abc")) == 3
    assert repr(silent(range(3))) == "track(range(0, 3))"


def test_it_can_be_gone_through_again() -> None:
    steps = silent(range(2))
    assert [list(steps), list(steps)] == [[0, 1], [0, 1]]


def test_what_cannot_be_gone_through() -> None:
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        silent(5)
    with pytest.raises(TypeError, match="label must be a str, not int"):
        silent(range(5), 5)


def test_a_bar_hears_of_the_steps_and_of_the_end(recorded: tuple[Any, Recorded]) -> None:
    track, bar = recorded
    for loss in track([0.5, 0.25], show="loss"):  # noqa: B007
        pass
    assert bar.calls == [("update", 1, 0.5), ("update", 2, 0.25), ("close", 2, 0.25)]


def test_break_closes_the_bar(recorded: tuple[Any, Recorded]) -> None:
    track, bar = recorded
    for step in track(range(9)):
        if step == 2:
            break
    assert bar.calls[-1] == ("close", 2, None)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_closes_the_bar(recorded: tuple[Any, Recorded], error: type[BaseException]) -> None:
    track, bar = recorded

    def loop() -> None:
        for step in track(range(9)):
            if step == 1:
                raise error

    with pytest.raises(error):
        loop()
    assert bar.calls[-1] == ("close", 1, None)


def test_an_error_of_the_steps_comes_through(recorded: tuple[Any, Recorded]) -> None:
    track, bar = recorded

    def steps() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        list(track(steps()))
    assert bar.calls[-1] == ("close", 1, None)


def test_quick_steps_are_counted_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [0]

    def clock() -> float:
        looks[0] += 1
        return looks[0] * 1e-6

    monkeypatch.setattr(progress, "perf_counter", clock)
    bar = Recorded()
    assert sum(tracker(Screen(bar=lambda label, total, name: bar))(range(1600))) == 1599 * 800
    assert looks[0] < 120
    assert bar.calls == [("close", 1600, None)]


def test_a_tensor_of_one_number_is_shown_as_the_number(recorded: tuple[Any, Recorded]) -> None:
    import tgrad as torch

    track, bar = recorded
    for step in track(range(1), show="loss"):
        loss = torch.tensor([step + 0.5], requires_grad=True)  # noqa: F841
    assert bar.calls[-1] == ("close", 1, 0.5)


def test_it_is_a_builtin_of_the_language() -> None:
    world = World()
    world.run(
        "total = 0\nfor i in track(range(4), 'sum', show='total'):\n    total += i\nprint(total, track([1]))"
    )
    assert world.output.getvalue() == "6 track([1])\n"


# -- on a terminal


class Terminal(io.StringIO):
    """A terminal that shows what a person would see: carriage return, up, and two kinds of clearing."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def seen(self) -> list[str]:
        """The lines on the screen."""
        lines, row, column = [""], 0, 0
        text = self.getvalue()
        while text:
            for code in ("\x1b[A", "\x1b[K", "\x1b[J", "\r", "\n", text[0]):
                if text.startswith(code):
                    break
            text = text[len(code) :]
            if code == "\x1b[A":
                row -= 1
            elif code == "\x1b[K":
                lines[row] = lines[row][:column]
            elif code == "\x1b[J":
                lines[row:] = [lines[row][:column]]
            elif code == "\r":
                column = 0
            elif code == "\n":
                row, column = row + 1, 0
                lines += [""] * (row + 1 - len(lines))
            else:
                lines[row] = lines[row][:column].ljust(column) + code + lines[row][column + 1 :]
                column += 1
        return [line.rstrip() for line in lines]


class Stage:
    """Bars on a terminal with a clock that is set by hand."""

    def __init__(self, width: int = 80, plain: bool = False) -> None:
        self.now = 0.0
        self.terminal = Terminal()
        self.output = Output(self.terminal)
        console = Console(self.output, width=width, plain=plain)
        self.bars = Bars(self.output, console, clock=lambda: self.now)


@pytest.fixture(autouse=True)
def a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def test_a_passing_bar_is_waited_for_and_leaves_nothing() -> None:
    stage = Stage(width=60)
    bar = stage.bars.bar("computing", 20, passing=True)
    stage.now = 0.4
    bar.update(4, None)
    assert stage.terminal.seen() == [""]
    stage.now = 1.0
    bar.update(10, None)
    assert stage.terminal.seen() == ["computing ━━━━━━━━━━━╸             50% 10/20 10/s 0:01 left"]
    bar.close(20, None)
    assert stage.terminal.seen() == [""]


def test_a_passing_bar_stands_below_its_loop() -> None:
    stage = Stage(width=60)
    loop = stage.bars.bar("steps", 4)
    passing = stage.bars.bar("computing", 20, passing=True)
    stage.now = 1.0
    loop.update(2, None)
    assert [line.split()[0] for line in stage.terminal.seen()] == ["steps", "computing"]
    passing.close(20, None)
    assert [line.split()[0] for line in stage.terminal.seen()] == ["steps"]


def test_a_bar() -> None:
    stage = Stage()
    bar = stage.bars.bar("training", 5000, "loss")
    stage.now = 4.0
    bar.update(3100, 0.03123456)
    assert stage.terminal.seen() == [
        "training ━━━━━━━━━━━━━━━━            62% 3100/5000 775/s 0:02 left loss 0.03123"
    ]
    stage.now = 6.0
    bar.close(5000, 0.01)
    assert stage.terminal.seen() == [
        "training ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 100% 5000/5000 833/s in 0:06 loss 0.01",
        "",
    ]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (60, "training ━━━━━━━       62% 3100/5000 0:02 left loss 0.03123"),
        (40, "training ━━━━━━━━━        62% 0:02 left"),
    ],
)
def test_a_narrow_bar(width: int, line: str) -> None:
    stage = Stage(width)
    bar = stage.bars.bar("training", 5000, "loss")
    stage.now = 4.0
    bar.update(3100, 0.03123456)
    assert stage.terminal.seen() == [line]


def test_a_bar_in_ascii() -> None:
    stage = Stage(60)
    stage.terminal.encoding = "ascii"
    bar = stage.bars.bar("training", 100)
    stage.now = 2.0
    bar.update(50, None)
    assert stage.terminal.seen() == ["training [##########...........]  50% 50/100 25/s 0:02 left"]


def test_steps_of_unknown_number() -> None:
    stage = Stage()
    bar = stage.bars.bar("", None)
    stage.now = 3700.0
    bar.update(18500, None)
    assert stage.terminal.seen() == ["18500 steps 5.0/s 1:01:40"]


def test_what_is_printed_stands_above_the_bar() -> None:
    stage = Stage(60)
    bar = stage.bars.bar("", 10)
    stage.now = 1.0
    bar.update(1, None)
    stage.output.write("step 1\n")
    assert stage.terminal.seen() == ["step 1", ""]
    stage.now = 2.0
    bar.update(2, None)
    stage.output.write("half ")
    bar.update(3, None)
    assert stage.terminal.seen() == ["step 1", "half"]
    stage.output.write("a line\n")
    bar.update(4, None)
    assert stage.terminal.seen()[:2] == ["step 1", "half a line"]
    assert stage.terminal.seen()[2].endswith(" 40% 4/10 2.0/s 0:03 left")


def test_nested_loops() -> None:
    stage = Stage(60)
    outer = stage.bars.bar("epochs", 2)
    inner = stage.bars.bar("batches", 4)
    stage.now = 1.0
    inner.update(2, None)
    assert [line.split()[0] for line in stage.terminal.seen()] == ["epochs", "batches"]
    inner.close(4, None)
    assert [line.split()[0] for line in stage.terminal.seen()] == ["epochs"]
    outer.close(2, None)
    assert stage.terminal.seen() == ["epochs ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 100% 2/2 2.0/s in 0:01", ""]


def test_a_quick_loop_is_never_seen() -> None:
    stage = Stage()
    bar = stage.bars.bar("quick", 10)
    stage.now = 0.1
    bar.update(5, None)
    bar.close(10, None)
    assert stage.terminal.getvalue() == ""


def test_loops_that_nobody_goes_on_with_are_closed_at_the_end() -> None:
    stage = Stage(60)
    bar = stage.bars.bar("half", 4)
    stage.now = 1.0
    bar.update(2, None)
    stage.bars.finish()
    bar.close(2, None)
    assert stage.terminal.seen() == ["half ━━━━━━━━━━━━━━━╸                 50% 2/4 2.0/s in 0:01", ""]


@pytest.mark.parametrize("how", ["dumb", "plain"])
def test_where_nothing_can_be_redrawn_a_long_loop_ends_with_a_line(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb" if how == "dumb" else "xterm")
    stage = Stage(plain=how == "plain")
    bar = stage.bars.bar("training", 5000, "loss")
    stage.now = 6.2
    bar.update(3100, 0.5)
    assert stage.terminal.getvalue() == ""
    bar.close(5000, 0.25)
    assert stage.terminal.getvalue() == "training: 5000 steps in 6.2 s, loss 0.25\n"


def test_the_python_api_watches_the_standard_output_while_it_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    import tgrad

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    watched = []
    for step in tgrad.track(range(2)):
        watched.append(sys.stdout is not terminal)
        print(step)
    assert watched == [True, True]
    assert sys.stdout is terminal
    assert terminal.getvalue() == "0\n1\n"
