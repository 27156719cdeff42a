"""Runs peers side by side: each in a process of its own, their timings interleaved."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import peers
from workload import Workload

HERE = Path(__file__).parent


@dataclass
class Measured:
    """What a case took: for each peer its figures, one for each round, or why there are none."""

    group: str
    name: str
    case: str
    unit: str = "s"
    aims: Mapping[str, float] = field(default_factory=dict)
    """For peers the largest ratio to their figures that we are content with."""

    gathered: bool = False
    figures: dict[str, list[float]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def add(self, peer: str, figure: float) -> None:
        """Note a figure, of which five digits are kept."""
        self.figures.setdefault(peer, []).append(float(f"{figure:.5g}"))

    def median(self, peer: str) -> float:
        """The middle of a peer's figures."""
        return statistics.median(self.figures[peer])

    def ratio(self, peer: str = "torch") -> tuple[float, float, float] | None:
        """tgrad's figures over a peer's, round by round: the median and the quartiles."""
        if peer not in self.figures or "tgrad" not in self.figures:
            return None
        pairs = [a / b for a, b in zip(self.figures["tgrad"], self.figures[peer], strict=True)]
        low, middle, high = _quartiles(pairs)
        return middle, low, high


def _quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def geometric_mean(values: Iterable[float]) -> float:
    """The n-th root of the product."""
    return math.exp(statistics.fmean(math.log(value) for value in values))


class Process:
    """A peer's process, which answers requests: see `worker.py`."""

    def __init__(self, peer: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), peer], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env=environment(),
        )  # fmt: skip

    def ask(self, **request: Any) -> dict[str, Any]:
        """The answer to a request."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        return json.loads(line) if line else {"error": "the process ended"}  # type: ignore[no-any-return]

    def close(self) -> None:
        """Let the process end."""
        self.process.communicate()


def environment() -> dict[str, str]:
    """The variables of the processes: tgrad from this checkout, byte code kept as usual."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONSTARTUP")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "PYTHONPATH": str(HERE.parent), "NO_COLOR": "1"}


class Runner:
    """Measures workloads with the peers that are there."""

    def __init__(self, names: Sequence[str], rounds: int, seconds: float) -> None:
        self.names = names
        self.rounds = rounds
        self.seconds = seconds

    def measure(self, workload: Workload, number: int) -> list[Measured]:
        """Time one case, interleaved; and its peak memory, where the workload says so."""
        case = workload.cases[number]
        found = Measured(
            workload.group, workload.name, workload.label(case), aims=workload.aims(case),
            gathered=workload.gathered,
        )  # fmt: skip
        taking = [name for name in self.names if peers.PEERS[name]().takes_part(workload)]
        processes = {name: self.process(name) for name in taking}
        results = {}
        for name, process in processes.items():
            answer = process.ask(do="prepare", workload=workload.name, case=number)
            if "error" in answer:
                found.problems[name] = answer["error"]
            else:
                results[name] = answer["result"]
        _compare(results, found, workload.tolerance)
        ready = [name for name in results if name not in found.problems]
        for each in range(self.rounds + 1):
            for name in ready:
                answer = processes[name].ask(do="time", seconds=self.seconds)
                if each and "seconds" in answer:  # the first round warms up
                    found.add(name, answer["seconds"])
        measured = [found]
        if workload.memory:
            measured.append(self._memory(workload, number, [n for n in ready if n in ("tgrad", "torch")]))
        return measured

    def _memory(self, workload: Workload, number: int, names: Sequence[str]) -> Measured:
        case = workload.cases[number]
        found = Measured("memory", workload.name, workload.label(case), unit="byte", aims={"torch": 0.7})
        for name in names:
            process = Process(name)
            process.ask(do="prepare", workload=workload.name, case=number)
            found.add(name, process.ask(do="memory")["bytes"])
            process.close()
        return found

    _processes: Mapping[str, Process] = {}

    def process(self, name: str) -> Process:
        """A peer's process, which is kept from workload to workload."""
        if name not in self._processes:
            self._processes = {**self._processes, name: Process(name)}
        return self._processes[name]

    def close(self) -> None:
        """End the processes."""
        for process in self._processes.values():
            process.close()
        self._processes = {}


def _compare(results: Mapping[str, list[float]], found: Measured, tolerance: float) -> None:
    """Note a problem for each peer whose result isn't that of the first of torch, numpy, tgrad."""
    judge = next((name for name in ("torch", "numpy", "tgrad") if name in results), None)
    if judge is None:
        return
    wanted = results[judge]
    scale = max([abs(x) for x in wanted if math.isfinite(x)] or [0.0]) or 1.0
    for name, result in results.items():
        if len(result) != len(wanted):
            found.problems[name] = f"{len(result)} numbers in place of {len(wanted)}"
            continue
        far = max([_distance(a, b) for a, b in zip(result, wanted, strict=True)] or [0.0])
        if not far <= tolerance * scale:
            found.problems[name] = f"result differs from that of {judge} by {far / scale:.1g}"


def _distance(a: float, b: float) -> float:
    return 0.0 if a == b or (a != a and b != b) else abs(a - b)


def run_command(command: Sequence[str], **variables: str) -> float:
    """Seconds from a command's start to its end."""
    start = perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**environment(), **variables}, cwd=HERE,
    )  # fmt: skip
    process.wait()
    seconds = perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"exit status {process.returncode}: {' '.join(command)}")
    return seconds
