"""The README's commands print what the README says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```", README, re.M | re.S)
ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


def sessions() -> list[tuple[str, str]]:
    """Each command with what is printed below it."""
    found = []
    for block in BLOCKS:
        for piece in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = piece.partition("\n")
            found.append((command, output))
    return found


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH on which `tgrad` is the one under test."""
    script = tmp_path / "tgrad"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tgrad "$@"\n')
    script.chmod(0o755)
    return f"{tmp_path}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize(("command", "output"), sessions())
def test_command_prints_what_the_readme_says(command: str, output: str, path: str) -> None:
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=ROOT,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert ADDRESS.sub("ADDRESS", done.stdout) == ADDRESS.sub("ADDRESS", output)


def test_the_two_commands_are_there_for_ci() -> None:
    commands = re.findall(r"^pip install .*&&.*$", README, re.M)
    assert commands == [
        "pip install . && tgrad samples/linear_regression.tg",
        'pip install -e ".[test]" && pytest',
    ]


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()
