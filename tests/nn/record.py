"""Records what PyTorch prints for the programs of this folder; needs torch 2.13.0.

    python tests/nn/record.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

for program in sorted((HERE / "programs").glob("*.py")):
    command = [sys.executable, "-W", "ignore", str(program)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (HERE / "recorded" / f"{program.stem}.txt").write_text(text, encoding="utf-8")
    print(f"{program.stem}: {text.count(chr(10))} lines")
