"""Each sample runs and prints what stands beside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "samples"
SAMPLES = sorted(FOLDER.glob("*.tg"))


def test_there_are_samples() -> None:
    assert len(SAMPLES) >= 8


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_sample_prints_what_stands_beside_it(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tgrad", str(path)],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == (
        path.with_suffix(".out").read_text("utf-8"),
        "",
        0,
    )
