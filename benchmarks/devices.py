"""tgrad and PyTorch on the same GPU in one run: elementwise chains, a matrix product, a small network.

    python benchmarks/devices.py                     # on cuda; says what is missing where there is no GPU
    python benchmarks/devices.py --device cpu --divide 1000        # tries the command itself

Both libraries are in this process and take turns.  Times are between two waits for the device; the ratio is
that of each round, its median and quartiles are shown.  Figures go to devices.json, a table to devices.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import machine
import report
from harness import Measured

Case = tuple[Callable[[], Any], Callable[[], Sequence[float]]]
"""A step that is timed, and a few numbers that say what it has computed."""


@dataclass
class Workload:
    """Something that both libraries do, and the largest ratio of their times that we are content with."""

    name: str
    case: str
    aim: float
    prepare: Callable[[Any, str], Case]
    """Takes the library and the device."""


def elementwise(size: int) -> Callable[[Any, str], Case]:
    """A chain forward and backward."""

    def prepare(torch: Any, device: str) -> Case:
        x = torch.linspace(-2, 2, size, device=device).requires_grad_()

        def step() -> None:
            x.grad = None
            (torch.sigmoid(x) * x + torch.exp(-x * x)).sum().backward()

        return step, lambda: [float(x.grad.sum()), float(x.grad[size // 3])]

    return prepare


def product(size: int) -> Callable[[Any, str], Case]:
    """The product of two square matrices."""

    def prepare(torch: Any, device: str) -> Case:
        line = torch.linspace(-1, 1, size, device=device)
        a, b = torch.outer(line, line).sin(), torch.outer(line, line).cos()
        found = []

        def step() -> None:
            found[:] = [a @ b]

        return step, lambda: [float(found[0][0, 0]), float(found[0][size // 3, size // 5])]

    return prepare


def network(batch: int, width: int) -> Callable[[Any, str], Case]:
    """A step of training a network of two layers, with momentum."""

    def prepare(torch: Any, device: str) -> Case:
        nn = torch.nn
        model = nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, 10)).to(device)
        with torch.no_grad():
            for p in model.parameters():
                p.copy_(torch.linspace(-0.05, 0.05, p.numel(), device=device).reshape(p.shape).sin())
        images = torch.linspace(0, 300, batch * 784, device=device).reshape(batch, 784).sin()
        labels = (torch.arange(batch, device=device) * 7) % 10
        optimiser = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
        losses = []

        def step() -> None:
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(model(images), labels)
            loss.backward()
            optimiser.step()
            losses[:] = [loss.detach()]

        return step, lambda: [float(losses[0])]

    return prepare


def workloads(divide: int = 1) -> Iterator[Workload]:
    """What is measured, each size divided by a number."""
    for size in (10**7 // divide, 10**8 // divide):
        yield Workload("elementwise forward and backward", f"{size:,}", 1.0, elementwise(size))
    size = max(4096 // divide, 8)
    yield Workload("matmul", f"{size}", 1.1, product(size))
    batch, width = max(512 // divide, 4), max(1024 // divide, 16)
    yield Workload("two layers", f"batch {batch}, width {width}", 1.5, network(batch, width))


class Clock:
    """Seconds of a step on a device, by as many repetitions as fill a given time."""

    def __init__(self, torch: Any, device: str, step: Callable[[], Any], seconds: float) -> None:
        self.wait = torch.cuda.synchronize if device == "cuda" else lambda: None
        self.step = step
        for _ in range(3):  # kernels are compiled, memory is taken
            step()
        once = self.measured(1)
        self.times = max(1, min(1000, round(seconds / max(once, 1e-6))))

    def measured(self, times: int) -> float:
        """Seconds for one step of several."""
        self.wait()
        start = perf_counter()
        for _ in range(times):
            self.step()
        self.wait()
        return (perf_counter() - start) / times

    def round(self) -> float:
        """A figure."""
        return self.measured(self.times)


def measure(work: Workload, libraries: dict[str, Any], device: str, rounds: int, seconds: float) -> Measured:
    """Time a workload with all libraries in turn, and compare what they compute."""
    found = Measured("devices", work.name, work.case, aims={"torch": work.aim})
    clocks, results = {}, {}
    for name, library in libraries.items():
        step, result = work.prepare(library, device)
        step()
        results[name] = result()
        clocks[name] = Clock(library, device, step, seconds)
    wanted = results["torch"]
    for name, numbers in results.items():
        if any(abs(a - b) > 1e-3 * max(abs(b), 1e-3) for a, b in zip(numbers, wanted, strict=True)):
            found.problems[name] = f"computes {numbers}, torch {wanted}"
    for _ in range(rounds):
        for name, clock in clocks.items():
            found.add(name, clock.round())
    return found


def missing(libraries: dict[str, Any], device: str) -> str | None:
    """Why there is nothing to measure, if so."""
    if "torch" not in libraries:
        return "PyTorch isn't installed: pip install torch"
    for name, library in libraries.items():
        if device == "cuda" and not library.cuda.is_available():
            return f"{name} finds no GPU (torch.cuda.is_available() is false)"
    return None


def facts(libraries: dict[str, Any], device: str) -> dict[str, Any]:
    """What is measured, and on what."""
    found: dict[str, Any] = {**machine.facts(), "device": device}
    found.update({name: library.__version__ for name, library in libraries.items()})
    if device == "cuda":
        import cupy

        found.update(gpu=libraries["torch"].cuda.get_device_name(0), cupy=cupy.__version__)
    return found


def table(measured: Sequence[Measured], about: dict[str, Any]) -> str:
    """The figures in Markdown."""
    lines = [
        ", ".join(f"{name} {value}" for name, value in about.items()), "",
        "| workload | size | tgrad | PyTorch | ratio (quartiles) | aim |", "|---|---|---:|---:|---:|---:|",
    ]  # fmt: skip
    for each in measured:
        ratio = each.ratio()
        assert ratio is not None
        times = " | ".join(report.amount(each.median(name), "s") for name in ("tgrad", "torch"))
        lines.append(
            f"| {each.name} | {each.case} | {times} | {ratio[0]:.2f} ({ratio[1]:.2f}..{ratio[2]:.2f}) "
            f"| {each.aims['torch']:g} |"
        )
        lines.extend(f"\n{name}: {why}" for name, why in each.problems.items())
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module's text; exit status 1 where a result is wrong, not where a time misses its aim."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.3, help="for one library in one round")
    parser.add_argument("--divide", type=int, default=1, help="make everything so much smaller")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args(arguments)
    sys.path.insert(0, str(Path(__file__).parents[1]))  # tgrad is that of this checkout
    import tgrad

    libraries: dict[str, Any] = {"tgrad": tgrad}
    try:
        import torch

        libraries["torch"] = torch
    except ImportError:
        pass
    why = missing(libraries, options.device)
    if why is not None:
        print(f"nothing measured: {why}")
        return 0
    measured = []
    for work in workloads(options.divide):
        measured.append(measure(work, libraries, options.device, options.rounds, options.seconds))
        print(report.line(measured[-1]), flush=True)
    about = facts(libraries, options.device)
    figures = {"about": about, "figures": [asdict(each) for each in measured]}
    (options.out / "devices.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    (options.out / "devices.md").write_text(table(measured, about), "utf-8")
    return int(any(each.problems for each in measured))


if __name__ == "__main__":
    sys.exit(main())
