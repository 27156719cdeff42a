"""A sweep on the terminal: the progress of its runs, and the table of what they showed.

    lr  epochs
  0.1     100  0.3 s  loss 0.0312
 0.01    1000  0.9 s  loss 0.0007
0.001     100  0.3 s  ValueError: lr is too small (line 7)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tgrad.display.cells import clip, text_width
from tgrad.display.console import Console, Segment
from tgrad.display.progress import Bars, ProgressBar

if TYPE_CHECKING:
    from tgrad.command_line import Options
    from tgrad.runtime.output import Output

Outcome = Any
Pair = tuple[Mapping[str, object], Outcome | None]
Line = list[Segment]


class Watch:
    """The progress of the runs: a bar where there is a terminal to draw it on."""

    def __init__(self, bar: ProgressBar | None) -> None:
        self._bar = bar
        self._done = 0

    def tick(self) -> None:
        """Time goes by."""
        if self._bar is not None:
            self._bar.update(self._done, None)

    def ended(self) -> None:
        """A run has ended."""
        self._done += 1
        self.tick()

    def close(self) -> None:
        """No more runs."""
        if self._bar is not None:
            self._bar.close(self._done, None)


def watch(options: Options, output: Output, errors: Output, total: int) -> Watch:
    """A bar on the error stream for `total` runs."""
    if not (errors.isatty() and total):
        return Watch(None)
    bars = Bars(errors, Console.on(errors, options.color, plain=options.plain), output)
    return Watch(bars.bar("runs", total))


def draw(pairs: Sequence[Pair], options: Options, output: Output) -> None:
    """The table: a line for each run, its parameters, how long it took, what it showed last."""
    console = Console.on(output, options.color, plain=options.plain)
    width = console.width if output.isatty() else None
    console.draw(table(pairs, width))


def table(pairs: Sequence[Pair], width: int | None) -> list[Line]:
    """The lines of the table; what is shown last is cut where a line is wider than `width`."""
    names = list(dict.fromkeys(name for values, _ in pairs for name in values))
    cells = [[_text(values.get(name)) for name in names] for values, _ in pairs]
    seconds = ["" if outcome is None else _time(outcome.seconds) for _, outcome in pairs]
    columns = [[name, *column] for name, column in zip(names, zip(*cells, strict=True), strict=True)]
    columns.append(["time", *seconds])
    widths = [max(map(text_width, column)) for column in columns]
    lines: list[Line] = [[("name", _aligned([*names, "time"], widths) + "  shown last")]]
    used = sum(widths) + 2 * len(widths)
    for row, time, (_, outcome) in zip(cells, seconds, pairs, strict=True):
        style, text = _end(outcome)
        if width is not None:
            text = clip(text, max(width - used, 16))
        lines.append([("plain", _aligned([*row, time], widths) + "  "), (style, text)])
    return [_stripped(line) for line in lines]


def _stripped(line: Line) -> Line:
    """The line without blanks at its end."""
    while line and not line[-1][1].strip():
        line = line[:-1]
    return [*line[:-1], (line[-1][0], line[-1][1].rstrip())] if line else line


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [" " * (width - text_width(cell)) + cell for cell, width in zip(cells, widths, strict=True)]
    return "  ".join(padded)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _end(outcome: Outcome | None) -> Segment:
    """What a run showed last, or its error."""
    if outcome is None:
        return "separator", "not run"
    if outcome.exit_code == 0:
        return "plain", outcome.shown
    error = outcome.error
    place = f" (line {error['line']})" if error["line"] else ""
    return "wrong", f"{error['type']}: {error['message'].partition(chr(10))[0]}{place}"
