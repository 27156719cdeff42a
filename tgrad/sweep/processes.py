"""Several runs at a time, each in a process of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from tgrad.sweep.runs import Outcome, Process, Run

TICK = 0.2
"""Seconds after which whoever watches hears that nothing has ended."""

Event = tuple[int, Outcome] | None
"""The number of a run that has ended, and how; or None: time goes by."""


def on_processes(runs: Sequence[Run], jobs: int) -> Iterator[Event]:
    """Carry out the runs, `jobs` at a time, in whatever order they end.

    Closing the iterator stops those that are under way.
    """
    going: dict[int, Process] = {}
    stopping = False

    def perform(number: int) -> Outcome | None:
        if stopping:
            return None
        process = going[number] = Process(runs[number])
        if stopping:  # since the line above was begun
            process.stop()
        outcome = process.outcome()
        del going[number]
        return outcome

    waiting = iter(range(len(runs)))
    pool = ThreadPoolExecutor(jobs)
    futures: dict[Future[Outcome | None], int] = {}
    try:
        while True:
            for number in islice(waiting, jobs - len(futures)):
                futures[pool.submit(perform, number)] = number
            if not futures:
                return
            done, _ = wait(futures, TICK, FIRST_COMPLETED)
            for future in done:
                outcome = future.result()
                number = futures.pop(future)
                if outcome is not None:
                    yield number, outcome
            if not done:
                yield None
    finally:
        stopping = True
        for process in list(going.values()):
            process.stop()
        pool.shutdown()
