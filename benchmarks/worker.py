"""The process of one peer: prepares workloads and times them when it is told to.

    python benchmarks/worker.py PEER

Requests are lines of JSON on standard input, answers are lines of JSON on standard output:

    {"do": "prepare", "workload": NAME, "case": NUMBER}  ->  {"result": [...]}
    {"do": "time", "seconds": SECONDS}                   ->  {"seconds": PER_CALL}
    {"do": "memory"}                                     ->  {"bytes": PEAK}
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
from time import perf_counter
from typing import Any

import peers
import workloads


class Worker:
    """Holds the work that was prepared last."""

    def __init__(self, peer: str) -> None:
        self.peer = peers.PEERS[peer]()
        self.peer.begin()
        self.repeat = 0

    def prepare(self, workload: str, case: int) -> dict[str, Any]:
        """Make the work ready, do it once and give its result."""
        self.work = None
        gc.collect()
        chosen = workloads.NAMED[workload]
        self.work = self.peer.work(chosen, chosen.cases[case])
        self.repeat = 0
        return {"result": peers.plain(self.work())}

    def time(self, seconds: float) -> dict[str, Any]:
        """Seconds for one call, over as many calls as take about the time that is given."""
        work = self.work
        if not self.repeat:
            start = perf_counter()
            work()
            self.repeat = max(1, round(seconds / max(perf_counter() - start, 1e-9)))
        start = perf_counter()
        for _ in range(self.repeat):
            work()
        return {"seconds": (perf_counter() - start) / self.repeat}

    def memory(self) -> dict[str, Any]:
        """The most memory that the process has had, in bytes."""
        self.work()
        unit = 1 if sys.platform == "darwin" else 1024
        return {"bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}


def main() -> None:
    """Answer until there are no more requests."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a peer prints is no answer
    worker = Worker(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(worker, request.pop("do"))(**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
