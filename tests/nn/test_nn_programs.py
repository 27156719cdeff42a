"""Modules and optimisers: programs print what they print with PyTorch."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import tgrad

HERE = Path(__file__).resolve().parent
SUBMODULES = (
    "distributions",
    "nn", "nn.functional", "nn.utils", "nn.utils.rnn", "nn.utils.parametrizations",
    "nn.utils.parametrize", "nn.utils.prune", "optim", "optim.lr_scheduler", "optim.swa_utils",
)  # fmt: skip
PROGRAMS = sorted((HERE / "programs").glob("*.py"))


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tgrad under the name that the programs import."""
    monkeypatch.setitem(sys.modules, "torch", tgrad)
    for path in SUBMODULES:
        monkeypatch.setitem(sys.modules, f"torch.{path}", attrgetter(path)(tgrad))
    return tgrad


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_program(program: Path, torch: Any) -> None:
    expected = (HERE / "recorded" / f"{program.stem}.txt").read_text(encoding="utf-8")
    code = compile(program.read_text(encoding="utf-8"), str(program), "exec")
    output = io.StringIO()
    with contextlib.redirect_stdout(output), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(code, {"__name__": "__main__"})
    assert output.getvalue().splitlines() == expected.splitlines()
