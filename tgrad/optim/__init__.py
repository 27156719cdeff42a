"""Optimisers that change parameters by their gradients: `torch.optim`."""

from __future__ import annotations

from tgrad.ops.install import install
from tgrad.optim import lr_scheduler
from tgrad.optim.algorithms import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, RMSprop
from tgrad.optim.lbfgs import LBFGS
from tgrad.optim.optimizer import Optimizer

install()

__all__ = [
    "LBFGS", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Optimizer", "RMSprop",
    "lr_scheduler",
]  # fmt: skip
