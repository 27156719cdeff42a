"""`:time` and `:timeit`: how long a text takes."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from itertools import repeat
from time import perf_counter, process_time
from types import CodeType
from typing import TYPE_CHECKING, Any

from tgrad.shell import table
from tgrad.shell.registry import CommandError, command
from tgrad.shell.steps import step
from tgrad.source import Source

if TYPE_CHECKING:
    from tgrad.lang import Program
    from tgrad.runtime.session import Result
    from tgrad.shell.loop import Shell

RUNS = 7
RUN_SECONDS = 0.1
"""A run has as many loops as take about so long."""

MOST_SECONDS = 3.0
"""Fewer runs are made where all of them would take longer."""


@command("time", ":time STATEMENT", "runs it once and tells how long that took")
def time(shell: Shell, argument: str) -> None:
    """Compiling it and showing its value aren't counted; what it changes stays."""
    program = _compiled(shell, argument, show=True)
    session = shell.session
    values: list[Any] = []
    spent: list[float] = []

    def run() -> Result:
        show = session.builtins.names[".show"]
        session.builtins.names[".show"] = values.append
        began, worked = perf_counter(), process_time()
        try:
            result = session.execute(program)
        finally:
            spent[:] = perf_counter() - began, process_time() - worked
            session.builtins.names[".show"] = show
        for value in values:
            show(value)
        return result

    step(shell, argument, run)
    shell.write(f"took {table.time_text(spent[0])}, {table.time_text(spent[1])} of the processor's")


@command("timeit", ":timeit STATEMENT", "runs it again and again and tells how long it takes")
def timeit(shell: Shell, argument: str) -> None:
    """Best, median and spread of up to 7 runs; afterwards everything is as before."""
    program = _compiled(shell, argument, show=False)
    session, journal = shell.session, shell.journal
    failed: list[BaseException] = []
    found: tuple[int, list[float]] = (0, [])
    if journal is not None:
        journal.begin(argument)
    try:
        codes = [statement.code for statement in program.statements]
        for reads in session.builtins.prepare(codes, session.names):
            session.builtins.prepare_statement(reads, session.names)
        with session._warnings():
            found = measure(codes, session.names)
    except (Exception, KeyboardInterrupt) as error:
        failed.append(error)
    finally:
        if journal is not None:
            journal.rollback()
    for each in failed:
        session.report(each)
    if not failed:
        _tell(shell, *found)


def measure(codes: list[CodeType], names: dict[str, Any]) -> tuple[int, list[float]]:
    """The loops of a run, and the seconds of one loop in each of the runs."""
    empty = compile("pass", "<nothing>", "exec")
    loops, seconds = 1, _seconds(codes, names, 1)
    while seconds < RUN_SECONDS / 5 and loops < 10_000_000:
        loops *= 10 if seconds < RUN_SECONDS / 50 else 5
        seconds = _seconds(codes, names, loops)
    runs = max(1, min(RUNS, int(MOST_SECONDS / max(seconds, 1e-9))))
    times = [_seconds(codes, names, loops) / loops for _ in range(runs)]
    idle = min(_seconds([empty] * len(codes), names, min(loops, 10_000)) for _ in range(3))
    beside = idle / min(loops, 10_000)
    return loops, [max(each - beside, 0.0) for each in times]


def _seconds(codes: list[CodeType], names: dict[str, Any], loops: int) -> float:
    run: Callable[..., None] = exec
    began = perf_counter()
    if len(codes) == 1:
        code = codes[0]
        for _ in repeat(None, loops):
            run(code, names)
    else:
        for _ in repeat(None, loops):
            for code in codes:
                run(code, names)
    return perf_counter() - began


def _tell(shell: Shell, loops: int, times: list[float]) -> None:
    middle = statistics.median(times)
    spread = (max(times) - min(times)) / middle if middle else 0.0
    runs = f"{len(times)} run{'s' if len(times) > 1 else ''} of {loops} loop{'s' if loops > 1 else ''}"
    best, median = table.time_text(min(times)), table.time_text(middle)
    shell.write(f"best {best}, median {median}, spread {spread:.0%}  ({runs})")


def _compiled(shell: Shell, text: str, *, show: bool) -> Program:
    if not text:
        raise CommandError("a statement or an expression follows, as in :timeit x @ x")
    try:
        return shell.session.compile(Source(f"<input {shell.next_number}>", text), show=show)
    except Exception as error:
        shell.session.report(error)
        raise CommandError("nothing was run") from None
