"""The functions of `torch.nn.functional`, as attributes of this module."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    from tgrad.ops.install import modules

    names = modules()["torch.nn.functional"]
    if name not in names:
        raise AttributeError(f"module 'torch.nn.functional' has no attribute '{name}'")
    value = globals()[name] = names[name]
    return value
