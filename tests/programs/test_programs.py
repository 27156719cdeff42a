"""Whole programs print what PyTorch prints: as tgrad programs, and as Python on `import tgrad`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "golden" / "programs"
PROGRAMS = sorted(path for path in FOLDER.glob("*.py") if path.name != "record.py")
ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
AS_PYTHON = (
    "import runpy, sys, warnings, tgrad; warnings.simplefilter('ignore'); "
    "sys.modules['torch'] = tgrad; runpy.run_path(sys.argv[1], run_name='__main__')"
)


def run(command: list[str], path: Path) -> tuple[str, str]:
    """What a program prints, and the last lines of its error if it ends in one."""
    done = subprocess.run(
        [sys.executable, *command, str(path)],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    error = path.with_suffix(".err")
    if not error.exists():
        assert done.returncode == 0, done.stderr
        return ADDRESS.sub("0xADDRESS", done.stdout), ""
    expected = error.read_text("utf-8")
    assert done.returncode == 1
    return ADDRESS.sub("0xADDRESS", done.stdout), done.stderr[-len(expected) :]


def expected(path: Path) -> tuple[str, str]:
    """What PyTorch printed."""
    error = path.with_suffix(".err")
    return path.with_suffix(".out").read_text("utf-8"), error.read_text(
        "utf-8"
    ) if error.exists() else ""


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_program_prints_the_same_as_pytorch(path: Path) -> None:
    assert run(["-m", "tgrad"], path) == expected(path)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_python_on_tgrad_prints_the_same_as_pytorch(path: Path) -> None:
    assert run(["-c", AS_PYTHON], path) == expected(path)
