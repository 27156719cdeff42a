"""A real cluster, two worker processes over TCP: programs and sweeps on it, and a worker's death."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("distributed", reason="Dask's scheduler isn't installed: pip install 'tgrad[dask]'")

from tgrad.sweep.cluster import perform
from tgrad.sweep.runs import Run

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}

LONG = """\
param blocks: int = 150
manual_seed(3)
x = randn(blocks * 200_000, 4, chunks=(200_000, -1))
w = ones(4, 1, requires_grad=True)
print("begin")
(x @ w).exp().sin().mean().backward()
print(w.grad.flatten().tolist())
"""

SWEPT = """\
param a: float = 1.0
param b: int = 2
assert b < 9, "b is too large"
print("sum", a + b)
"""


PATIENCE = 90
"""Seconds for a part of Dask's to begin."""


class Cluster(NamedTuple):
    """Where the scheduler is, and how to begin another worker."""

    address: str
    begin_worker: Callable[[], subprocess.Popen[bytes]]


class Part(NamedTuple):
    """A process of Dask's, and the file with what it says."""

    process: subprocess.Popen[bytes]
    log: Path


def begin(folder: Path, name: str, *words: str) -> Part:
    """Begin a part of Dask's in a process of its own."""
    log = folder / f"{name}.txt"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "dask", *words]
        return Part(subprocess.Popen(command, stderr=file, stdout=file, cwd=folder, env=ENVIRONMENT), log)


def said(part: Part, pattern: str) -> str:
    """Wait until a process has said something; returns that."""
    for _ in range(PATIENCE * 20):
        if found := re.search(pattern, part.log.read_text("utf-8", "replace")):
            return found[0]
        if part.process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"never said {pattern}: {part.log.read_text('utf-8', 'replace')}")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    words = ("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    scheduler = begin(folder, "scheduler", *words)
    parts = [scheduler]
    try:
        address = said(scheduler, r"tcp://127\.0\.0\.1:\d+")

        def begin_worker() -> subprocess.Popen[bytes]:
            words = ("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard")
            worker = begin(folder, f"worker-{len(parts)}", *words)
            parts.append(worker)
            said(worker, "Registered to")
            return worker.process

        begin_worker()
        begin_worker()
        yield Cluster(address, begin_worker)
    finally:
        for part in reversed(parts):
            part.process.kill()
            part.process.wait()


def wait_until_busy(worker: subprocess.Popen[bytes], program: subprocess.Popen[str]) -> None:
    """Wait until a worker computes, while the program runs."""
    before = processor_time(worker)
    while processor_time(worker) < before + 0.2:
        assert program.poll() is None, "the program ended before the worker had anything to do"
        time.sleep(0.01)


def processor_time(process: subprocess.Popen[bytes]) -> float:
    """Seconds that a process has had a processor."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / os.sysconf("SC_CLK_TCK")


def tgrad(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tgrad", *words], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip


def last(output: str) -> Any:
    """The numbers in the last line."""
    return json.loads(output.splitlines()[-1])


def test_a_program_gives_the_numbers_that_threads_give(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "long.tg").write_text(LONG)
    here = tgrad(tmp_path, "--device", "dask", "long.tg", "--blocks", "5")
    there = tgrad(tmp_path, "--device", "dask", "--cluster", cluster.address, "long.tg", "--blocks", "5")
    assert (here.returncode, here.stderr, there.returncode, there.stderr) == (0, "", 0, "")
    assert last(there.stdout) == pytest.approx(last(here.stdout), rel=1e-5)


def test_files_are_read_and_written(cluster: Cluster, tmp_path: Path) -> None:
    text = """\
save(arange(20.).reshape(10, 2), "data/a.npy")
save(arange(20.).reshape(10, 2) + 20, "data/b.npy")
x = load("data/*.npy", device="dask", chunks=3)
save(x * 2, "out.npy")
save(x * 3, "out.zarr")
assert load("out.npy").equal(x * 2)
print(load("out.npy").shape)
"""
    (tmp_path / "data").mkdir()
    (tmp_path / "files.tg").write_text(text)
    allowed = ("--allow-read", ".", "--allow-write", ".")
    done = tgrad(tmp_path, *allowed, "--device", "dask", "--cluster", cluster.address, "files.tg")
    assert (done.returncode, done.stdout, done.stderr) == (0, "torch.Size([20, 2])\n", "")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="/proc says when a worker computes")
def test_a_worker_dies_and_the_result_is_right(cluster: Cluster, tmp_path: Path) -> None:
    program = tmp_path / "long.tg"
    program.write_text(LONG)
    doomed = cluster.begin_worker()
    words = ["--device", "dask", "--cluster", cluster.address, str(program)]
    with subprocess.Popen(
        [sys.executable, "-m", "tgrad", *words], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begin\n"
        wait_until_busy(doomed, process)
        assert process.poll() is None
        os.kill(doomed.pid, signal.SIGKILL)
        found = last(process.stdout.read())
    assert process.returncode == 0
    expected = tgrad(tmp_path, "--device", "dask", str(program))
    assert found == pytest.approx(last(expected.stdout), rel=1e-5)


def test_sweep_runs_on_the_workers(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "add.tg").write_text(SWEPT)
    words = ("sweep", "add.tg", "--cluster", cluster.address, "--a", "0.5,1", "--b", "2,9")
    done = tgrad(tmp_path, *words)
    shown = [re.sub(r"\d+\.\d s", "X s", " ".join(line.split())) for line in done.stdout.splitlines()]
    assert shown == [
        "a b time shown last",
        "0.5 2 X s sum 2.5",
        "0.5 9 X s AssertionError: b is too large (line 3)",
        "1.0 2 X s sum 3.0",
        "1.0 9 X s AssertionError: b is too large (line 3)",
    ]
    assert (done.stderr, done.returncode) == ("tgrad: 2 of 4 runs failed\n", 1)
    resumed = tgrad(tmp_path, *words, "--resume", "--json")
    codes = [json.loads(line)["exit_code"] for line in resumed.stdout.splitlines()]
    assert (sorted(codes), resumed.returncode) == ([0, 0, 4, 4], 1)


def test_a_run_needs_no_file_on_its_worker() -> None:
    outcome = perform(Run((), "/nowhere/add.tg", {"a": 1.5, "b": 3}, "/nowhere", 1), SWEPT, "a sweep", 1)
    assert (outcome.exit_code, outcome.shown, outcome.error) == (0, "sum 4.5", None)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--cluster", "tcp://127.0.0.1:9", "-c", "1"),
            "--cluster is where tensors on dask are computed: give --device dask as well",
        ),
        (
            ("--device", "dask", "--cluster", "nowhere", "-c", "1"),
            "'nowhere' isn't the address of a scheduler: write tcp://host:8786",
        ),
        (
            ("--device", "dask", "--cluster", "tcp://127.0.0.1:9", "-c", "1"),
            "no Dask scheduler at tcp://127.0.0.1:9: nobody answers: `dask scheduler` starts one and says "
            "its address, `dask worker ADDRESS` its workers",
        ),
    ],
)
def test_clusters_that_are_not_there(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = tgrad(tmp_path, *words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"tgrad: {message}\n")
