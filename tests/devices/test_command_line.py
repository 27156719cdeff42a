"""`tgrad --device`, and devices in programs: as processes of their own, with the stand-in for CuPy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run, environment
from tgrad.command_line import DEVICES
from tgrad.core.device import FOREIGN

WITH_GPU = """\
import sys
from tests.devices import strict
strict.use()
from tgrad.cli import main
sys.exit(main(sys.argv[1:]))
"""
WITHOUT = """\
import sys
sys.modules["cupy"] = sys.modules["dask"] = None
from tgrad.cli import main
sys.exit(main(sys.argv[1:]))
"""

Runner = Callable[..., Run]


@pytest.fixture
def tgrad(tmp_path: Path) -> Runner:
    """Runs `tgrad WORDS` in an empty folder, on a machine with a GPU or without."""

    def run(*words: str, gpu: bool = True, stdin: str = "") -> Run:
        done = subprocess.run(
            [sys.executable, "-c", WITH_GPU if gpu else WITHOUT, *words], input=stdin.encode(),
            capture_output=True, cwd=tmp_path, env=environment(), timeout=120, check=False,
        )  # fmt: skip
        return Run(done.stdout.decode(), done.stderr.decode(), done.returncode)

    return run


PROGRAM = """\
import torch
param steps: int = 3
torch.manual_seed(0)
X, y = torch.randn(20, 3), torch.randn(20, 1)
model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(steps):
    loss = ((model(X) - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(loss.device.type, model[0].weight.grad.device.type, f"{loss.item():.5f}")
"""


def test_a_file_on_each_device(tgrad: Runner, tmp_path: Path) -> None:
    (tmp_path / "fit.tg").write_text(PROGRAM)
    there = tgrad("--device", "cuda", "fit.tg", "--steps", "5")
    assert (there.err, there.code) == ("", 0)
    kind, its_gradient, loss = there.out.split()
    assert (kind, its_gradient) == ("cuda", "cuda")
    assert tgrad("fit.tg", "--steps", "5").out.split() == ["cpu", "cpu", loss]
    assert tgrad("--device=cpu", "fit.tg", "--steps", "5").out.split() == ["cpu", "cpu", loss]


def test_text_and_filter(tgrad: Runner) -> None:
    expected = "tensor([1., 1.], device='cuda:0')\n"
    assert tgrad("--device", "cuda", "-c", "ones(2)").out == expected
    assert tgrad("--device=cuda:0", "-c", "ones(2)").out == expected
    assert tgrad("--device", "cuda", "-", stdin="ones(2)").out == expected
    assert tgrad("--device", "cuda", stdin="ones(2)").out == expected
    assert tgrad("--device", "cuda", "--json", "-c", "ones(2)").code == 0


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="a terminal is needed")
def test_the_prompt(tmp_path: Path) -> None:
    terminal, its_end = os.openpty()
    os.write(terminal, b"ones(2)\nexit()\n")
    try:
        done = subprocess.run(
            [sys.executable, "-c", WITH_GPU, "--device", "cuda", "--no-rc"], stdin=its_end,
            capture_output=True, cwd=tmp_path, env=environment(TERM="dumb"), timeout=120, check=False,
        )  # fmt: skip
    finally:
        os.close(terminal)
        os.close(its_end)
    assert done.returncode == 0
    assert b"cuda:0" in done.stdout


def test_a_program_chooses_for_itself(tgrad: Runner) -> None:
    program = """\
import torch
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
start.record()
with torch.device("cuda"):
    x = torch.ones(3, requires_grad=True)
(x * 2).sum().backward()
end.record()
torch.cuda.synchronize()
print(device, torch.cuda.get_device_name(0), torch.cuda.get_device_properties(0).total_memory > 0)
print(x.grad, start.elapsed_time(end) > 0, torch.ones(1).device)
print(torch.ones(1, device=0).is_cuda, isinstance(x, torch.cuda.FloatTensor))
print(torch.cuda.max_memory_allocated() > 0)
"""
    run = tgrad("-", stdin=program)
    assert run.err == ""
    assert run.out == "cuda Stand-in True\ntensor([2., 2., 2.], device='cuda:0') True cpu\nTrue True\nTrue\n"
    assert tgrad("--device", "cuda", "-c", "zeros(2, device='cpu')").out == "tensor([0., 0.])\n"


def test_the_default_stays_what_the_command_line_chose(tgrad: Runner) -> None:
    """A program may ask for another device by name; a block or a call of its own ends with the program."""
    assert tgrad("--device", "cuda", "-c", "torch.get_default_device()").out.strip() == (
        "device(type='cuda', index=0)"
    )


@pytest.mark.parametrize("words", [["-c", "1"], ["missing.tg"], ["sweep", "p.tg", "--n", "1,2"], ["-"]])
def test_a_device_that_isnt_there(tgrad: Runner, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "p.tg").write_text("param n: int = 1\nprint(n)\n")
    (tmp_path / "missing.tg").write_text("print(1)\n")
    run = tgrad("--device", "cuda", *words, gpu=False)
    message = "tgrad: --device cuda isn't there: CuPy isn't installed: pip install \"tgrad[gpu]\"\n"
    assert (run.out, run.err, run.code) == ("", message, 2)


def test_other_devices_that_arent_there(tgrad: Runner) -> None:
    run = tgrad("--device", "dask", "-c", "1", gpu=False)
    assert (run.last, run.code) == (
        'tgrad: --device dask isn\'t there: Dask isn\'t installed: pip install "tgrad[dask]"', 2,
    )  # fmt: skip
    run = tgrad("--device", "cuda:1", "-c", "1")
    assert (run.last, run.code) == (
        "tgrad: --device cuda:1 isn't there: there is one device of this type: cuda:0", 2,
    )  # fmt: skip


@pytest.mark.parametrize("device", ["cud", "cuda:", "cuda:x", "", "mps", "cuda:-1"])
def test_what_is_no_device(tgrad: Runner, device: str) -> None:
    run = tgrad("--device", device, "-c", "1", gpu=False)
    assert (run.last, run.code) == (f"tgrad: --device is cpu, cuda or dask, not {device!r}", 2)


def test_the_option_knows_all_types_of_devices() -> None:
    assert set(DEVICES) == {"cpu", *FOREIGN}


def test_help_tells_of_it(tgrad: Runner) -> None:
    assert "\n  --device DEVICE " in tgrad("--help", gpu=False).out
    assert "\n--device, --seed," in tgrad("sweep", "--help", gpu=False).out


def test_an_error_shows_its_place(tgrad: Runner) -> None:
    run = tgrad("-c", 'x = 1\nzeros(2, device="cuda")', gpu=False)
    assert run.err == (
        "<command>:2:1\n"
        '  2 | zeros(2, device="cuda")\n'
        "    | ^^^^^ ~         ~~~~~~\n"
        '  CuPy isn\'t installed: pip install "tgrad[gpu]"\n'
        "AssertionError: Torch not compiled with CUDA enabled\n"
    )
    assert run.code == 1
    run = tgrad("-c", "x = ones(2)\nx.to('dask')", gpu=False)
    assert '  Dask isn\'t installed: pip install "tgrad[dask]"\n' in run.err
    run = tgrad("-c", "ones(2) + ones(2, device='cuda')")
    assert "same device" in run.last


def test_a_sweep_passes_it_on(tgrad: Runner, tmp_path: Path) -> None:
    (tmp_path / "p.tg").write_text("param n: int = 1\nprint(torch.zeros(n).device)\n")
    run = tgrad("--device", "cpu", "sweep", "p.tg", "--n", "1,2", "--json")
    assert (run.code, run.out.count('"cpu"')) == (0, 2)
    # The runs are processes of their own, in which there is no stand-in: they say what is missing.
    run = tgrad("sweep", "--device", "cuda", "p.tg", "--n", "1,2", "--json", "--force")
    assert run.code == 1
    assert run.out.count("--device cuda isn't there") == 2


def test_a_limit_on_memory_holds_on_the_device(tgrad: Runner) -> None:
    for words in (["--device", "cuda"], []):
        run = tgrad(*words, "--memory-limit", "300", "-c", "x = zeros(80_000_000, device='cuda')")
        assert (run.last, run.code) == ("LimitReached: memory limit of 300 MB reached", 6)
