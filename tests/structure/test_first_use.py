"""Any module may be the first one that is used: the operators come with it."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("import tgrad.nn as nn; print(nn.Linear(2, 1).weight.shape)", "torch.Size([1, 2])"),
        ("from tgrad import nn; print(nn.ReLU())", "ReLU()"),
        ("import tgrad as torch; print(torch.optim.SGD([torch.ones(1)], lr=1).defaults['lr'])", "1"),
        ("from tgrad.utils.data import DataLoader; print(*DataLoader(range(2)))",
         "tensor([0]) tensor([1])"),
        ("from tgrad.autograd.function import Function; print(Function.__name__)", "Function"),
    ],
)  # fmt: skip
def test_modules_work_when_they_are_the_first_to_be_used(text: str, printed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, encoding="utf-8", check=False
    )
    assert (done.stdout, done.stderr) == (f"{printed}\n", "")
