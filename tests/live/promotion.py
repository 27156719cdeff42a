"""Every pair of dtypes through every elementwise operator, by tgrad and by PyTorch, side by side.

By hand; it needs torch 2.13.0.  (What PyTorch gave is recorded in tests/golden/promotion.)

    python tests/live/promotion.py              how many calls differ of each operator, and the first one
    python tests/live/promotion.py add pow      these operators
    python tests/live/promotion.py -v add       every difference
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

import tgrad

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden" / "promotion"))
import promotion_cases as cases


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("-v", action="store_true")
    options = parser.parse_args()
    total = wrong = 0
    for name in options.names or cases.NAMES:
        expected = [cases.outcome(call) for _, call in cases.calls(torch, name)]
        found = list(cases.differences(tgrad, name, expected))
        total += len(expected)
        wrong += len(found)
        if found:
            print(f"{name}: {len(found)} of {len(expected)} differ", flush=True)
            for line in found if options.v else found[:1]:
                print("   ", line[:400])
    print(f"{wrong} of {total} calls differ")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
