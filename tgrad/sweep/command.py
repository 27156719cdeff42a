"""What `tgrad sweep` does, from the words of the command line to the exit code."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from tgrad.backends.interface import Missing
from tgrad.backends.threads import available
from tgrad.command_line import Options, UsageError
from tgrad.runtime.parameters import ParameterError, list_parameters
from tgrad.sweep.processes import Event, on_processes
from tgrad.sweep.results import Results, Sweep, as_line, digest
from tgrad.sweep.runs import Run
from tgrad.sweep.words import HELP, Combination, combinations, read_words

if TYPE_CHECKING:
    from tgrad.display.sweep import Watch
    from tgrad.lang import Program
    from tgrad.runtime.output import Output

Compile = Callable[[Options, "Output", "Output"], "Program | int"]
"""Reads and compiles the program that options name; an exit code if it says what is wrong with it."""

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


def sweep(options: Options, compile: Compile, output: Output, errors: Output) -> int:
    """Run a program for every combination of its parameters' values; returns the exit code.

    Raises:
        UsageError: the words can't be carried out.
    """
    read_words(options.arguments, options)
    if options.help:
        output.write(HELP)
        return 0
    program = compile(options, output, errors)
    if isinstance(program, int):
        return program
    if "--help" in options.arguments or "-h" in options.arguments:
        output.write(HELP + "\n" + list_parameters(program))
        return 0
    try:
        wanted = combinations(program, options)
    except ParameterError as error:
        errors.write(f"{list_parameters(program)}tgrad: {program.source.name}: {error}\n")
        return EXIT_USAGE
    given = _given(options)
    client = _cluster(options)
    results = Results(_path(options), Sweep(program.source.name, digest(program.source.text), given))
    results.open(options.resume, options.force)

    def begin(missing: Sequence[Combination]) -> Iterator[Event]:
        return _begin(missing, given, program, options, client)

    with closing(results):
        return _carry_out(wanted, begin, options, results, output, errors)


def _cluster(options: Options) -> Any:
    """The cluster that the runs are to go to, None for this machine; UsageError if it can't be reached."""
    if options.cluster is None:
        return None
    from tgrad.backends.cluster import connect

    try:
        return connect(options.cluster)
    except Missing as error:
        raise UsageError(f"{error}: {error.hint}") from None


def _begin(
    missing: Sequence[Combination], given: tuple[str, ...], program: Program, options: Options, client: Any
) -> Iterator[Event]:
    """The runs with these values, as they end."""
    assert options.program is not None
    jobs = max(min(options.jobs or available(), len(missing)), 1)
    threads = max(available() // jobs, 1)
    runs = [Run(given, options.program, values, os.getcwd(), threads) for values in missing]
    if client is None:
        return on_processes(runs, jobs)
    from tgrad.sweep.cluster import on_cluster

    return on_cluster(client, runs, program.source.text, options.jobs)


def _path(options: Options) -> Path:
    """The file of results: beside nothing, in the current folder, unless told otherwise."""
    assert options.program is not None
    return Path(options.into or f"{Path(options.program).stem}.sweep.jsonl")


def _given(options: Options) -> tuple[str, ...]:
    """Those of tgrad's own options that every run is given."""
    words = []
    for name in ("device", "seed", "time_limit", "memory_limit", "step_limit"):
        value = getattr(options, name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", f"{value}"]
    for name in ("allow_read", "allow_write"):
        for path in getattr(options, name):
            words += [f"--{name.replace('_', '-')}", os.path.abspath(path)]
    if options.no_cache:
        words.append("--no-cache")
    return tuple(words)


def _carry_out(
    wanted: Sequence[Combination], begin: Callable[[Sequence[Combination]], Iterator[Event]],
    options: Options, results: Results, output: Output, errors: Output,
) -> int:  # fmt: skip
    """Run what has no result yet, showing progress; then show what there is."""
    from tgrad.display.sweep import draw, watch

    missing = [values for values in wanted if results.of(values) is None]
    if options.json:
        for values in wanted:
            if (outcome := results.of(values)) is not None:
                output.write(as_line(values, outcome) + "\n")
    shown = watch(options, output, errors, len(missing))
    interrupted = False
    with _interruptible(), closing(shown):
        try:
            _collect(begin(missing), missing, results, shown, output if options.json else None)
        except KeyboardInterrupt:
            interrupted = True
    pairs = [(values, results.of(values)) for values in wanted]
    if not options.json:
        draw(pairs, options, output)
    if interrupted:
        done = sum(outcome is not None for _, outcome in pairs)
        errors.write(f"KeyboardInterrupt: {done} of {len(pairs)} runs are done; --resume goes on\n")
        return EXIT_INTERRUPTED
    failed = sum(outcome is None or outcome.exit_code != 0 for _, outcome in pairs)
    if failed:
        errors.write(f"tgrad: {failed} of {len(pairs)} runs failed\n")
    return EXIT_FAILED if failed else 0


def _collect(
    events: Iterator[Event], values: Sequence[Combination], results: Results, shown: Watch,
    lines: Output | None,
) -> None:  # fmt: skip
    """Write down each result as it comes."""
    with closing(events):  # type: ignore[type-var]  # a generator: stops what is under way
        for event in events:
            if event is None:
                shown.tick()
                continue
            number, outcome = event
            line = results.add(values[number], outcome)
            if lines is not None:
                lines.write(line + "\n")
                lines.flush()
            shown.ended()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let the signals that ask for an end do what Ctrl-C does: no run is left behind."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), interrupt) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
