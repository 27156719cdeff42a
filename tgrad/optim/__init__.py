"""Optimisers that change parameters by their gradients: `torch.optim`.

A file is imported when one of its names is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from tgrad.ops.install import install
from tgrad.optim.optimizer import Optimizer as Optimizer

install()

_FILES: Final = {
    "algorithms": "SGD Adadelta Adagrad Adam AdamW Adamax RMSprop",
    "more_algorithms": "ASGD Adafactor NAdam RAdam Rprop",
    "lbfgs": "LBFGS",
}
_PLACES: Final = {name: file for file, text in _FILES.items() for name in text.split()}
_SUBMODULES: Final = ("lr_scheduler", "swa_utils")
_ABSENT: Final = {
    "Muon": "use SGD with nesterov=True, or AdamW",
    "SparseAdam": "tensors are dense; use Adam",
}

__all__ = ["Optimizer", *_PLACES, *_SUBMODULES, *_ABSENT]


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        value = getattr(import_module(f"tgrad.optim.{_PLACES[name]}"), name)
        value.__module__ = f"torch.optim.{name.lower()}"
    elif name in _SUBMODULES:
        value = import_module(f"tgrad.optim.{name if name != 'swa_utils' else 'averaging'}")
    elif name in _ABSENT:
        from tgrad.ops.namespace import absent

        value = absent(f"torch.optim.{name}", _ABSENT[name])()
    else:
        raise AttributeError(f"module 'torch.optim' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
