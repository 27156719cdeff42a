"""Progress bars on a terminal: one line for each loop that runs, the inner ones below.

    training ━━━━━━━━━━━━━━━╸           62% 3100/5000 812/s 0:02 left loss 0.0312

The bars stand below whatever the program prints: they are taken away before its text is written and
drawn again when it has ended its line.  A loop that is over at once is never seen.

A passing bar is that of one computation: it is waited for a little longer, and leaves no line.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any, TextIO

from tgrad.display.cells import text_width
from tgrad.display.console import Console, Segment
from tgrad.display.look import Look
from tgrad.display.numbers import short
from tgrad.display.plot_panel import fitted
from tgrad.runtime.output import Output
from tgrad.runtime.progress import Track, tracker
from tgrad.runtime.screen import Screen

Line = list[Segment]

PATIENCE = 0.2
"""Seconds that a loop runs before its bar is drawn."""

PASSING_PATIENCE = 0.5
"""The same for a passing bar."""

LONG = 1.0
"""Seconds: where bars can't be drawn, a loop that took longer gets a line when it has ended."""

SHORTEST, LONGEST = 8, 40
"""Columns of the bar itself."""

UP, TO_END, BELOW = "\x1b[A", "\x1b[K", "\x1b[J"


class Bars:
    """The bars of one terminal, the outermost loop first."""

    def __init__(
        self, output: Output, console: Console, *others: Output, clock: Callable[[], float] = perf_counter
    ) -> None:
        """Bars on `output`; `others` are streams that may write to the same terminal."""
        self.clock = clock
        self._output = output
        self._console = console
        self._open: list[ProgressBar] = []
        self._drawn = 0
        self._line_ended = True
        look = console.look()
        self._moving = os.environ.get("TERM") != "dumb" and not look.plain
        for stream in (output, *others):
            stream.before = self._before

    def bar(
        self, label: str, total: int | None, name: str | None = None, passing: bool = False
    ) -> ProgressBar:
        """The bar of a loop that begins now; see `tgrad.runtime.screen.Screen.bar`."""
        made = ProgressBar(self, label, total, name, passing)
        self._open.append(made)
        return made

    def finish(self) -> None:
        """Close the bars of loops that nobody went on with."""
        for bar in self._open[::-1]:
            bar.close(bar.count, bar.value)

    def draw(self) -> None:
        """Draw all bars that are old enough, in place of what was drawn before."""
        if not (self._moving and self._line_ended):
            return
        now = self.clock()
        seen = [bar for bar in self._open if bar.seen or now - bar.begun >= bar.patience]
        if not seen:
            return
        look = self._console.look()
        for bar in seen:
            bar.seen = True
        lines = [self._console.painted(bar.line(look, now)) + TO_END for bar in seen]
        self._write(self._to_top() + "\n".join(lines) + (BELOW if self._drawn > len(lines) else ""))
        self._drawn = len(lines)

    def closed(self, bar: ProgressBar) -> None:
        """A loop has ended: an outermost one leaves its line, an inner one leaves nothing."""
        outermost = bool(self._open) and self._open[0] is bar and not bar.passing
        self._open.remove(bar)
        if not (bar.seen or (not self._moving and not bar.passing and self.clock() - bar.begun >= LONG)):
            return
        if outermost and not self._open:
            look = self._console.look()
            line = bar.line(look, self.clock()) if self._moving else [("plain", bar.sentence(self.clock()))]
            self._write(self._taken_away() + self._console.painted(line) + "\n")
        elif self._drawn:
            self._write(self._taken_away())
            self.draw()

    def _before(self, text: str) -> None:
        """The program is about to write: the bars make room."""
        if self._drawn:
            self._write(self._taken_away())
        if text:
            self._line_ended = text.endswith("\n")

    def _to_top(self) -> str:
        return "\r" + UP * (self._drawn - 1) if self._drawn else ""

    def _taken_away(self) -> str:
        text = self._to_top() + BELOW if self._drawn else ""
        self._drawn = 0
        return text

    def _write(self, text: str) -> None:
        before, self._output.before = self._output.before, None
        try:
            self._output.write(text)
            self._output.flush()
        finally:
            self._output.before = before


class ProgressBar:
    """One loop: how far it is and since when it runs."""

    def __init__(
        self, bars: Bars, label: str, total: int | None, name: str | None, passing: bool = False
    ) -> None:
        self._bars = bars
        self._label = " ".join(label.split())
        self._total = total
        self._name = name
        self._ended = False
        self.passing = passing
        self.patience = PASSING_PATIENCE if passing else PATIENCE
        self.begun = bars.clock()
        self.count = 0
        self.value: object = None
        self.seen = False

    def update(self, count: int, value: object) -> None:
        """So many steps are done."""
        self.count, self.value = count, value
        if not self._ended:
            self._bars.draw()

    def close(self, count: int, value: object) -> None:
        """The loop has ended; a second time is nothing."""
        self.count, self.value = count, value
        if not self._ended:
            self._ended = True
            self._bars.closed(self)

    def line(self, look: Look, now: float) -> Line:
        """The bar in a line that is narrower than the terminal."""
        width = look.width - 1  # a full line would wrap on some terminals
        parts = self._facts(now - self.begun)
        label = fitted(self._label, max(width // 3, 8))
        room = _room(width, label, parts)
        for word in ("rate", "count", "value"):
            if room < SHORTEST and word in parts:
                del parts[word]
                room = _room(width, label, parts)
        line: Line = [("name", label)] if label else []
        if self._total:
            line += [("plain", " ")] if label else []
            line += _gauge(min(self.count / self._total, 1.0), max(min(room, LONGEST), 1), look)
        for word, text in parts.items():
            line.append(("tick" if word in ("rate", "time") else "plain", f" {text}" if line else text))
        return line

    def _facts(self, seconds: float) -> dict[str, str]:
        """What is said beside the bar, in order."""
        facts: dict[str, str] = {}
        if self._total:
            facts["part"] = f"{int(100 * min(self.count / self._total, 1.0)):3}%"
            facts["count"] = f"{self.count}/{self._total}"
        else:
            facts["part"] = f"{self.count} step{'' if self.count == 1 else 's'}"
        if self.count and seconds > 0:
            facts["rate"] = _rate(self.count / seconds)
        if self._ended or not self._total or not self.count:
            facts["time"] = f"in {_clock(seconds)}" if self._ended else _clock(seconds)
        else:
            facts["time"] = f"{_clock(seconds / self.count * max(self._total - self.count, 0))} left"
        if self.value is not None:
            facts["value"] = f"{self._name} {_value(self.value)}"
        return facts

    def sentence(self, now: float) -> str:
        """What is said of a loop that has ended where bars can't be drawn."""
        seconds = now - self.begun
        of = f" of {self._total}" if self._total and self.count != self._total else ""
        value = f", {self._name} {_value(self.value)}" if self.value is not None else ""
        steps = f"{self.count}{of} step{'' if self.count == 1 else 's'}"
        return f"{self._label or 'loop'}: {steps} in {seconds:.1f} s{value}"


def _room(width: int, label: str, parts: dict[str, str]) -> int:
    """Columns that are left for the bar."""
    used = sum(text_width(text) + 1 for text in parts.values())
    return width - used - (text_width(label) + 1 if label else 0)


def _gauge(part: float, width: int, look: Look) -> Line:
    """The bar itself."""
    if not look.unicode:
        size = max(width - 2, 1)
        full = int(part * size)
        return [("plain", "["), ("gauge", "#" * full), ("axis", "." * (size - full)), ("plain", "]")]
    halves = int(part * width * 2)
    done = "━" * (halves // 2) + "╸" * (halves % 2)
    rest = width - len(done)
    return [("gauge", done), ("axis", ("━" if look.color else " ") * rest)]


def _rate(rate: float) -> str:
    if rate >= 1e6:
        return f"{rate / 1e6:.3g}M/s"
    if rate >= 1e4:
        return f"{rate / 1e3:.3g}k/s"
    return f"{rate:.0f}/s" if rate >= 10 else f"{rate:.1f}/s" if rate >= 1 else f"{1 / rate:.1f} s each"


def _clock(seconds: float) -> str:
    """0:07, 12:30, 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _value(value: object) -> str:
    if isinstance(value, (bool, int, float, complex)):
        return short(value)
    return fitted(" ".join(str(value).split()), 20)


class _Watched:
    """`sys.stdout` for Python programs while bars are drawn on it."""

    def __init__(self, output: Output, stream: TextIO) -> None:
        self._output = output
        self.watched = stream

    def write(self, text: str) -> int:
        return self._output.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.watched, name)


class PythonBars(Bars):
    """Bars on this process's standard output; `sys.stdout` is watched as long as there are any."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        output = Output(stream)
        self._watched = _Watched(output, stream)
        super().__init__(output, Console.on(output))

    def bar(
        self, label: str, total: int | None, name: str | None = None, passing: bool = False
    ) -> ProgressBar:
        """The bar of a loop that begins now."""
        if sys.stdout is self._stream:
            sys.stdout = self._watched
        return super().bar(label, total, name, passing)

    def closed(self, bar: ProgressBar) -> None:
        """A loop has ended; after the last one `sys.stdout` is what it was."""
        super().closed(bar)
        if not self._open and sys.stdout is self._watched:
            sys.stdout = self._stream


_python: dict[TextIO, PythonBars] = {}
"""The bars of each stream that was the standard output."""


def track(
    steps: Iterable[Any], label: str = "", *, total: int | None = None, show: str | None = None
) -> Track:
    """Go through `steps` and show how far the loop is; on anything but a terminal just the loop.

    `label` stands before the bar, `total` is the number of steps where `steps` has no length, `show`
    the name of a variable whose value is shown beside the bar.
    """
    stream = getattr(sys.stdout, "watched", sys.stdout)
    screen = Screen()
    if stream is not None and stream.isatty():
        if stream not in _python:
            _python[stream] = PythonBars(stream)
        screen.bar = _python[stream].bar
    return tracker(screen)(steps, label, total=total, show=show)
