"""Time per training step on `dask`, against the same training written by hand for plain Dask.

    python benchmarks/clusters.py [--rows N] [--steps N] [--write]

Least squares and logistic regression by gradient descent on the same files, on this machine's threads and
on a cluster of two worker processes over TCP.  Both take turns step by step, so that whatever else the
machine does hits both; what counts is the ratio of the medians.  `--write` writes clusters.json and
clusters.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import dask  # noqa: E402
import dask.array as da  # noqa: E402
import machine  # noqa: E402
import numpy as np  # noqa: E402

import tgrad as torch  # noqa: E402
from tgrad.ops import chunked  # noqa: E402

COLUMNS = 32
AIM = 1.15
Step = Callable[[], float]
"""Goes a step, and returns the loss before it."""


def write_data(folder: Path, rows: int) -> None:
    """Features, and what least squares and logistic regression are to find in them."""
    random = np.random.default_rng(1)
    x = random.standard_normal((rows, COLUMNS), np.float32)
    score = x @ np.arange(COLUMNS, dtype=np.float32)[:, None] / 16 + np.float32(0.5)
    np.save(folder / "x.npy", x)
    np.save(folder / "numbers.npy", score + 0.1 * random.standard_normal((rows, 1), np.float32))
    chance = 1 / (1 + np.exp(-score))
    np.save(folder / "classes.npy", (random.random((rows, 1)) < chance).astype(np.float32))


# ---------------------------------------------------------------- plain Dask, by hand


def _read(path: Path, chunk: int) -> Any:
    shape = np.load(path, mmap_mode="r").shape

    def block(block_info: Any = None) -> Any:
        (start, stop), _ = block_info[None]["array-location"]
        return np.asarray(np.load(path, mmap_mode="r")[start:stop])

    sizes = da.core.normalize_chunks((chunk, -1), shape, dtype="f4")
    return da.map_blocks(block, dtype="f4", chunks=sizes, meta=np.empty((0, 0), "f4"))


def by_hand_squares(folder: Path, chunk: int) -> Step:
    x, y = _read(folder / "x.npy", chunk), _read(folder / "numbers.npy", chunk)
    w, b = np.zeros((COLUMNS, 1), "f4"), np.zeros(1, "f4")

    def step() -> float:
        away = x @ w + b - y
        slope = 2 * away / np.float32(len(x))
        loss, gw, gb = dask.compute((away**2).mean(), x.T @ slope, slope.sum(axis=0))
        np.subtract(w, np.float32(0.2) * gw, out=w)
        np.subtract(b, np.float32(0.2) * gb, out=b)
        return float(loss)

    return step


def by_hand_logistic(folder: Path, chunk: int) -> Step:
    x, y = _read(folder / "x.npy", chunk), _read(folder / "classes.npy", chunk)
    w, b = np.zeros((COLUMNS, 1), "f4"), np.zeros(1, "f4")

    def step() -> float:
        score = x @ w + b
        costs = da.maximum(score, 0) - score * y + da.log1p(da.exp(-abs(score)))
        slope = (1 / (1 + da.exp(-score)) - y) / np.float32(len(x))
        loss, gw, gb = dask.compute(costs.mean(), x.T @ slope, slope.sum(axis=0))
        np.subtract(w, gw, out=w)
        np.subtract(b, gb, out=b)
        return float(loss)

    return step


# ---------------------------------------------------------------- tgrad


def tgrad_squares(folder: Path, chunk: int) -> Step:
    x, y = (chunked.load([folder / name], "dask", (chunk, -1)) for name in ("x.npy", "numbers.npy"))
    return _descent(x, lambda score: ((score - y) ** 2).mean(), 0.2)


def tgrad_logistic(folder: Path, chunk: int) -> Step:
    x, y = (chunked.load([folder / name], "dask", (chunk, -1)) for name in ("x.npy", "classes.npy"))
    cost = torch.nn.functional.binary_cross_entropy_with_logits
    return _descent(x, lambda score: cost(score, y), 1.0)


def _descent(x: Any, cost: Callable[[Any], Any], rate: float) -> Step:
    w = torch.zeros(COLUMNS, 1, device="dask", requires_grad=True)
    b = torch.zeros(1, device="dask", requires_grad=True)

    def step() -> float:
        loss = cost(x @ w + b)
        loss.backward()
        with torch.no_grad():
            w.sub_(rate * w.grad)
            b.sub_(rate * b.grad)
        w.grad = b.grad = None
        return float(loss.item())

    return step


CASES = {
    "least squares": (tgrad_squares, by_hand_squares),
    "logistic regression": (tgrad_logistic, by_hand_logistic),
}

# ---------------------------------------------------------------- measuring


def measure(where: str, folder: Path, chunk: int, steps: int) -> Iterator[dict[str, Any]]:
    """A line for each case: the medians of both, their ratio, and how far the losses are apart."""
    for name, makers in CASES.items():
        ours, theirs = (make(folder, chunk) for make in makers)
        times: tuple[list[float], list[float]] = [], []
        losses: tuple[list[float], list[float]] = [], []
        for number in range(steps + 2):
            for each, step in enumerate((ours, theirs) if number % 2 else (theirs, ours)):
                which = each if number % 2 else 1 - each
                begun = perf_counter()
                losses[which].append(step())
                if number > 1:
                    times[which].append(perf_counter() - begun)
        apart = max(abs(a - b) / abs(b) for a, b in zip(*losses, strict=True))
        assert apart < 1e-4, f"{name}: the losses differ by {apart}: {losses}"
        tgrad, dask_ = map(statistics.median, times)
        yield {"where": where, "case": name, "tgrad": tgrad, "dask": dask_, "ratio": tgrad / dask_}


def table(found: list[dict[str, Any]]) -> str:
    """The measurements as Markdown."""
    lines = ["| where | training | tgrad | plain Dask | ratio |", "|---|---|---:|---:|---:|"]
    for each in found:
        lines.append(
            f"| {each['where']} | {each['case']} | {1000 * each['tgrad']:.0f} ms "
            f"| {1000 * each['dask']:.0f} ms | {each['ratio']:.2f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, print the table; 1 if a ratio is above the aim."""
    parser = argparse.ArgumentParser(description="time per training step on dask, against plain Dask")
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--chunk", type=int, default=250_000)
    parser.add_argument("--steps", type=int, default=11)
    parser.add_argument("--write", action="store_true", help="write clusters.json and clusters.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(folder, given.rows)
        found = list(measure("threads", folder, given.chunk, given.steps))
        from distributed import Client, LocalCluster

        with (
            LocalCluster(
                n_workers=2, threads_per_worker=1, protocol="tcp", dashboard_address=":0"
            ) as cluster,
            Client(cluster),
        ):
            found += measure("two worker processes", folder, given.chunk, given.steps)
    text = table(found)
    print(text, end="")
    if given.write:
        data = {
            "machine": machine.facts(),
            "rows": given.rows,
            "chunk": given.chunk,
            "steps": given.steps,
            "found": found,
        }
        (ROOT / "benchmarks" / "clusters.json").write_text(json.dumps(data, indent=2) + "\n")
        (ROOT / "benchmarks" / "clusters.md").write_text(_page(data, text))
    return int(any(each["ratio"] > AIM for each in found))


def _page(data: dict[str, Any], text: str) -> str:
    on = data["machine"]
    return (
        "# Training on dask, against plain Dask\n\n"
        f"The time of a step of gradient descent on {data['rows']:,} rows of {COLUMNS} float32 numbers, "
        f"read from .npy files in chunks of {data['chunk']:,} rows. Medians of {data['steps']} steps; "
        f"{on['processor']}, {on['cores']} cores, Python {on['python']}, Dask {dask.__version__}, by "
        f"`python benchmarks/clusters.py --write`.\n\n{text}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
