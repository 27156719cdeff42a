"""Programs with modules on the GPU print what they print on the CPU, but for the device."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import warnings
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

import tgrad
from tests.nn.test_nn_programs import HERE, PROGRAMS, SUBMODULES

NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")
ON_THE_GPU = {
    ",device='cuda:0'": "", "torch.cuda.": "torch.", "(cuda:0)": "",
    "is_cuda->True": "is_cuda->False",
}  # fmt: skip
"""What is printed otherwise there."""
CHOSEN = [program for program in PROGRAMS if program.stem != "optimisers"]  # its numbers are to the bit


@pytest.mark.parametrize("program", CHOSEN, ids=lambda path: path.stem)
def test_program_on_the_gpu(program: Path, cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", tgrad)
    for path in SUBMODULES:
        monkeypatch.setitem(sys.modules, f"torch.{path}", attrgetter(path)(tgrad))
    output = io.StringIO()
    tgrad.set_default_device("cuda")
    try:
        with contextlib.redirect_stdout(output), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(program.read_text("utf-8"), str(program), "exec"), {"__name__": "__main__"})
    finally:
        tgrad.set_default_device("cpu")
    found = plain(output.getvalue())
    expected = plain((HERE / "recorded" / f"{program.stem}.txt").read_text("utf-8"))
    assert NUMBER.sub("#", found) == NUMBER.sub("#", expected)
    numbers = ([float(number) for number in NUMBER.findall(text)] for text in (found, expected))
    for here, there in zip(*numbers, strict=True):
        assert here == pytest.approx(there, rel=2e-3, abs=2e-4)


def plain(text: str) -> str:
    """A text without what is printed otherwise on the GPU, and without spaces: lines end elsewhere."""
    for part, other in ON_THE_GPU.items():
        text = re.sub(r"\s+", "", text).replace(part, other)
    return text
