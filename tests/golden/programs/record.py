"""Record what PyTorch prints for the programs in this folder.

    python tests/golden/programs/record.py [NAME ...]

needs torch 2.13.0.  Each NAME.py is run in a process of its own; NAME.out holds its standard output,
with memory addresses replaced, and NAME.err the last lines of an uncaught error, if there is one.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


def main() -> None:
    wanted = set(sys.argv[1:])
    for path in sorted(HERE.glob("*.py")):
        if path.name == "record.py" or (wanted and path.stem not in wanted):
            continue
        done = subprocess.run(
            [sys.executable, "-W", "ignore", path], capture_output=True, encoding="utf-8", check=False
        )
        path.with_suffix(".out").write_text(ADDRESS.sub("0xADDRESS", done.stdout), "utf-8")
        error = path.with_suffix(".err")
        error.unlink(missing_ok=True)
        if done.returncode:
            error.write_text(last_lines(done.stderr), "utf-8")
            print(f"{path.name}: {last_lines(done.stderr).strip()}")


def last_lines(text: str) -> str:
    """What follows the frames of a traceback."""
    lines = text.splitlines()
    start = max(i for i, line in enumerate(lines) if line.startswith("  "))
    return "\n".join(lines[start + 1 :]) + "\n"


if __name__ == "__main__":
    main()
