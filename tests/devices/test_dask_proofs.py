"""Data three times larger than the memory that the process may have: programs on `dask`, trained to the end.

Each program is run twice: on `dask` in a process of its own with a limit on its memory, and on a sample in
memory on the CPU.  What they find agrees as far as the sample's size allows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("dask.array", reason="Dask isn't installed: pip install 'tgrad[dask]'")
resource = pytest.importorskip("resource", reason="limits on memory are Unix's")
if not sys.platform.startswith("linux"):
    pytest.skip("only Linux counts all memory of a process against RLIMIT_DATA", allow_module_level=True)

ROOT = Path(__file__).parents[2]
LIMIT = 320 << 20
"""Bytes of memory that the process may have; Python and its libraries take half of it."""
COLUMNS = 8
ROWS = 3 * LIMIT // (4 * COLUMNS) + 1
SAMPLE = 400_000

LEAST_SQUARES = """\
param rows: int
manual_seed(1)
x = rand(rows, 8, chunks=(200_000, -1)) - 0.5
y = x @ (arange(8.).reshape(8, 1) - 3) + 0.5 + 0.1 * randn(rows, 1, chunks=(200_000, -1))
w = zeros(8, 1, requires_grad=True)
b = zeros(1, requires_grad=True)
for step in range(3):
    loss = ((x @ w + b - y) ** 2).mean()
    loss.backward()
    no_grad:
        w -= 6 * w.grad
        b -= 0.5 * b.grad
    w.grad = None
    b.grad = None
print(w.flatten().tolist() + b.tolist() + [loss.item()])
"""

LOGISTIC = """\
param rows: int
manual_seed(2)
x = rand(rows, 8, chunks=(200_000, -1)) - 0.5
chance = sigmoid(x @ (arange(8.).reshape(8, 1) - 3) + 0.5)
y = (rand(rows, 1, chunks=(200_000, -1)) < chance).float()
w = zeros(8, 1, requires_grad=True)
b = zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([w, b], lr=8.0)
for step in range(3):
    optimizer.zero_grad()
    loss = nn.functional.binary_cross_entropy_with_logits(x @ w + b, y)
    loss.backward()
    optimizer.step()
print(w.flatten().tolist() + b.tolist() + [loss.item()])
"""

LIMITED = """\
import resource, sys
resource.setrlimit(resource.RLIMIT_DATA, ({limit}, {limit}))
from tgrad.cli import main
sys.exit(main(sys.argv[1:]))
"""


def run(program: Path, rows: int, *options: str, limit: int = resource.RLIM_INFINITY) -> list[float]:
    """The numbers that a program prints last."""
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "2",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", LIMITED.format(limit=limit), *options, str(program), f"--rows={rows}"],
        env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    numbers: list[float] = json.loads(done.stdout)
    return numbers


@pytest.mark.parametrize("text", [LEAST_SQUARES, LOGISTIC], ids=["least squares", "logistic regression"])
def test_training_on_more_data_than_memory(text: str, tmp_path: Path) -> None:
    program = tmp_path / "fit.tg"
    program.write_text(text)
    large = run(program, ROWS, "--device", "dask", limit=LIMIT)
    sample = run(program, SAMPLE)
    assert large == pytest.approx(sample, abs=0.03)


def test_the_limit_is_one(tmp_path: Path) -> None:
    """The same data in memory is too much for the limit."""
    program = tmp_path / "fit.tg"
    program.write_text(LEAST_SQUARES)
    with pytest.raises(AssertionError, match="memory"):
        run(program, ROWS, limit=LIMIT)
