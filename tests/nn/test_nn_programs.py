"""Modules and optimisers: programs print what they print with PyTorch."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import tgrad
import tgrad.nn
import tgrad.optim

HERE = Path(__file__).resolve().parent
PROGRAMS = sorted((HERE / "programs").glob("*.py"))


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tgrad under the name that the programs import."""
    for name, module in (
        ("torch", tgrad), ("torch.nn", tgrad.nn), ("torch.optim", tgrad.optim),
    ):  # fmt: skip
        monkeypatch.setitem(sys.modules, name, module)
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
