"""Records what PyTorch gives for the cases of operators; needs torch 2.13.0.

    python tests/golden/ops/record.py [AREA ...]       all areas if none is named
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
import harness


def record(area: str) -> None:
    """Evaluate all cases of an area and write the results."""
    lines = {}
    for case in harness.cases(area):
        entry = harness.evaluate(case.expression, torch)
        if "error" in entry and entry["error"][0] in ("NameError", "SyntaxError"):
            raise SystemExit(f"{case}: {case.expression}: {entry['error'][1]}")
        entry = {"case": case.expression, **entry}
        lines[case.expression] = json.dumps(entry, separators=(",", ":"), ensure_ascii=False)
    path = harness.HERE / "recorded" / f"{area}.jsonl"
    path.write_text("\n".join(lines.values()) + "\n", encoding="utf-8")
    print(f"{area}: {len(lines)} cases, {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for area in sys.argv[1:] or harness.areas():
        record(area)
