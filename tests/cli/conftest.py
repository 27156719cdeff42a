"""The command as a process of its own, with real pipes."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "tgrad"]
OWN = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM", "TGRAD_DEBUG", "PYTHONUNBUFFERED"}
"""Variables that tests set themselves, or that would change what they see."""


@dataclass(frozen=True)
class Run:
    """What a process wrote, and how it ended."""

    out: str
    err: str
    code: int

    @property
    def last(self) -> str:
        """The last line on the error stream."""
        return self.err.rstrip("\n").rpartition("\n")[2]


Runner = Callable[..., Run]


def environment(**extra: str) -> dict[str, str]:
    """This process's environment without what decides about colours, widths and buffers."""
    inherited = {name: value for name, value in os.environ.items() if name not in OWN}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**inherited, "PYTHONPATH": path, **extra}


@pytest.fixture
def tgrad(tmp_path: Path) -> Runner:
    """Runs `tgrad WORDS` in an empty folder; `stdin` is piped to it."""

    def run(*words: str, stdin: str | bytes = b"", **extra: str) -> Run:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [*COMMAND, *words],
            input=data,
            capture_output=True,
            cwd=tmp_path,
            env=environment(**extra),
            timeout=60,
            check=False,
        )
        return Run(done.stdout.decode(), done.stderr.decode(), done.returncode)

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], str]:
    """Writes a file into the folder that `tgrad` runs in; returns its name."""

    def write(name: str, content: str | bytes) -> str:
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(data)
        return name

    return write
