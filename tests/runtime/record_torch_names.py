"""Records the public names of PyTorch's tensors: `python record_torch_names.py`, needs torch."""

from __future__ import annotations

import json
from pathlib import Path

import torch


def public(value: object) -> list[str]:
    return sorted(name for name in dir(value) if not name.startswith("_"))


if __name__ == "__main__":
    names = {
        "version": torch.__version__,
        "Tensor": public(torch.Tensor),
        "Size": public(torch.Size),
        "Node": public(torch.ones(1, requires_grad=True).exp().grad_fn),
    }
    target = Path(__file__).with_name("torch_names.json")
    target.write_text(json.dumps(names, indent=0) + "\n", "utf-8")
