"""Records what PyTorch gives for every pair of dtypes; needs torch 2.13.0.

python tests/golden/promotion/record.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
import promotion_cases as cases

if __name__ == "__main__":
    cases.save({name: [cases.outcome(call) for _, call in cases.calls(torch, name)] for name in cases.NAMES})
