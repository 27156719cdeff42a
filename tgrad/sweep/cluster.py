"""The runs of a sweep on a Dask cluster, each in a process beside one of its workers.

A worker gets the program as text, and runs it in the folder of the sweep if it has that, else in one that
lasts as long as the run.  A run whose worker dies is begun anew on another one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from uuid import uuid4

from tgrad.backends.threads import available
from tgrad.sweep.processes import TICK, Event
from tgrad.sweep.runs import Outcome, Process, Run

AT_ONCE = 1000
"""Runs that the scheduler knows of at a time, unless `--jobs` says how many; workers take them in turn."""


def on_cluster(client: Any, runs: Sequence[Run], text: str, jobs: int | None) -> Iterator[Event]:
    """Carry out the runs of the program with this text, in whatever order they end: see `on_processes`.

    At most `jobs` at a time; without it as many as the workers have threads.
    """
    sweep = uuid4().hex
    ended: SimpleQueue[int] = SimpleQueue()
    begun: dict[int, tuple[Any, float]] = {}
    waiting = iter(range(len(runs)))
    side_by_side = max(client.nthreads().values(), default=1)
    try:
        while True:
            for number in islice(waiting, (jobs or AT_ONCE) - len(begun)):
                key = f"tgrad-sweep-{sweep}-{number}"
                future = client.submit(perform, runs[number], text, sweep, side_by_side, key=key, pure=False)
                begun[number] = future, perf_counter()
                future.add_done_callback(lambda _, number=number: ended.put(number))
            if not begun:
                return
            try:
                number = ended.get(timeout=TICK)
            except Empty:
                yield None
                continue
            future, since = begun.pop(number)
            yield number, _outcome(future, since)
    finally:
        if begun:
            client.cancel([future for future, _ in begun.values()], force=True)
            client.run(stop, sweep)


def _outcome(future: Any, since: float) -> Outcome:
    """How a run ended; that the cluster couldn't carry it out is an end as well."""
    try:
        found = future.result()
    except Exception as error:
        message = " ".join(str(error).split())
        what = {"type": type(error).__name__, "message": message, "line": None}
        return Outcome(1, perf_counter() - since, "", what)
    return Outcome(*found)


# ---------------------------------------------------------------- on the workers

_going: dict[str, list[Process]] = {}
"""The processes of this worker by sweep."""
_stopped: set[str] = set()
_lock = threading.Lock()


def perform(run: Run, text: str, sweep: str, side_by_side: int) -> Outcome:
    """Carry out a run on the worker that this is called on, and wait for its end."""
    with TemporaryDirectory(prefix="tgrad-sweep-", ignore_cleanup_errors=True) as own:
        program = Path(own, Path(run.program).name)
        program.write_bytes(text.encode("utf-8", "surrogatepass"))
        folder = run.folder if os.path.isdir(run.folder) else own
        threads = max(available() // side_by_side, 1)
        with _lock:
            if sweep in _stopped:
                return Outcome(1, 0.0, "", {"type": "Stopped", "message": "stopped", "line": None})
            process = Process(run._replace(program=str(program), folder=folder, threads=threads))
            _going.setdefault(sweep, []).append(process)
        try:
            return process.outcome()
        finally:
            with _lock:
                _going[sweep].remove(process)


def stop(sweep: str) -> None:
    """End the runs of a sweep on this worker."""
    with _lock:
        _stopped.add(sweep)
        for process in _going.get(sweep, ()):
            process.stop()
