"""What is done on the GPU stays there: nothing is taken across or waited for until it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tgrad as torch
from tests.devices import strict

F = torch.nn.functional
PACKAGE = Path(torch.__file__).parent
Counts = type[strict.Counts]

STEPS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add": lambda x, y, i: x + y,
    "add a number": lambda x, y, i: 1.5 + x * 2 - 3,
    "divide by a number": lambda x, y, i: x / 3,
    "a number divided": lambda x, y, i: 3 / (x * x + 1),
    "power": lambda x, y, i: x**2 + (x * x + 1) ** 0.5 + (x * x + 1) ** 1.7,
    "exp": lambda x, y, i: torch.exp(x),
    "compare": lambda x, y, i: torch.where((x > 0) & (y <= 0.5) | (x == y), x, y),
    "masked_fill": lambda x, y, i: x.masked_fill(x > 0, 0.0),
    "clamp": lambda x, y, i: x.clamp(-1, 1) + y.clamp(min=0),
    "sum": lambda x, y, i: x.sum() + x.sum(0).sum() + x.sum(1, keepdim=True).sum(),
    "mean": lambda x, y, i: x.mean() + x.mean((0, 1)),
    "var and norm": lambda x, y, i: x.var() + x.std(0).sum() + x.norm(),
    "max": lambda x, y, i: x.max() + x.max(1).values.sum() + x.amin(0).sum(),
    "argmax": lambda x, y, i: x.argmax(1) + x.argmin(),
    "cumsum": lambda x, y, i: x.cumsum(1),
    "logsumexp": lambda x, y, i: x.logsumexp(1),
    "matmul": lambda x, y, i: x @ y.t(),
    "batched matmul": lambda x, y, i: torch.bmm(x.expand(2, 6, 8), y.t().expand(2, 8, 6)),
    "einsum": lambda x, y, i: torch.einsum("ij,kj->ik", x, y),
    "softmax": lambda x, y, i: x.softmax(1) + y.log_softmax(0),
    "cross_entropy": lambda x, y, i: F.cross_entropy(x, i),
    "mse_loss": lambda x, y, i: F.mse_loss(x, y),
    "layer_norm": lambda x, y, i: F.layer_norm(x, (8,), y[0], y[1]),
    "conv2d": lambda x, y, i: F.conv2d(x.reshape(1, 1, 6, 8), y[:3, :3].reshape(1, 1, 3, 3), padding=1),
    "max_pool2d": lambda x, y, i: F.max_pool2d(x.reshape(1, 1, 6, 8), 2),
    "linear": lambda x, y, i: F.linear(x, y, y[:, 0]),
    "gelu": lambda x, y, i: F.gelu(x),
    "views": lambda x, y, i: x.t().reshape(2, -1).unsqueeze(0).expand(3, 2, 24).permute(2, 0, 1).squeeze(),
    "slices": lambda x, y, i: x[1:4, ::2] + x[..., :4][2:5] + x[-1, 0],
    "join": lambda x, y, i: torch.cat([x, y]) + torch.stack([x, y]).reshape(12, 8),
    "split": lambda x, y, i: x.chunk(2, 1)[0] + x.split(4, 1)[1],
    "write to a slice": lambda x, y, i: _written(x, y),
    "in place": lambda x, y, i: (x * 1).add_(y).mul_(2.0).clamp_(0, 1),
    "to another dtype": lambda x, y, i: x.double().float().half().float(),
    "make others": lambda x, y, i: torch.zeros_like(x) + x.new_ones(8) + torch.full((8,), 2.5, device="cuda"),
    "flip and roll": lambda x, y, i: x.flip(0) + x.roll(1, 1),
    "triangles": lambda x, y, i: x.tril() + x.triu(1),
    "sort": lambda x, y, i: x.sort(1).values + x.topk(8, 1).values,
}

LOOKS = {"cross_entropy": 1}
"""Waits of operations with indices: one that is out of range must raise."""


def _written(x: Any, y: Any) -> Any:
    z = x * 1
    z[1:3] = y[1:3]
    z[:, 0] = 0.5
    return z


def operands() -> tuple[Any, Any, Any]:
    torch.manual_seed(1)
    x, y = (torch.randn(6, 8).to("cuda").requires_grad_() for _ in range(2))
    return x, y, torch.tensor([0, 2, 1, 5, 3, 7]).to("cuda")


@pytest.mark.parametrize("name", STEPS)
def test_forward_and_backward_stay_on_the_gpu(cuda: Counts, name: str) -> None:
    for _ in range(2):
        x, y, i = operands()
        before = cuda.transfers, cuda.waits
        result = STEPS[name](x, y, i)
        if result.requires_grad:
            result.sum().backward()
        assert (cuda.transfers, cuda.waits) == (before[0], before[1] + LOOKS.get(name, 0))
    assert result._type.device.type == "cuda"


def test_asking_for_values_waits_and_takes_them(cuda: Counts) -> None:
    x = operands()[0]
    for ask, transfers, waits in (
        (lambda: x.sum().item(), 0, 1), (lambda: bool((x > 0).any()), 0, 1), (lambda: x.cpu(), 1, 0),
    ):  # fmt: skip
        before = cuda.transfers, cuda.waits
        ask()
        found = cuda.transfers - before[0], cuda.waits - before[1]
        assert sum(found) == transfers + waits


@pytest.mark.parametrize(
    "name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "NAdam", "Adamax"]
)
def test_optimisers_stay_on_the_gpu(cuda: Counts, name: str) -> None:
    x = operands()[0]
    optimiser = getattr(torch.optim, name)([x], lr=0.1)
    for _ in range(3):
        (x * x).sum().backward()
        before = cuda.transfers, cuda.waits
        optimiser.step()
        optimiser.zero_grad()
        assert (cuda.transfers, cuda.waits) == before


def functions_called(step: Callable[[], Any]) -> int:
    """How many of tgrad's functions run in a step, but for those that count memory once it was asked for."""
    found = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal found
        name = frame.f_code.co_filename
        if event == "call" and not name.endswith("cupy_machine.py"):
            found += str(PACKAGE) in name or name.startswith("<")

    for _ in range(10):  # calls of one form are learned
        step()
    sys.setprofile(note)
    try:
        step()
    finally:
        sys.setprofile(None)
    return found


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("+", 4),
        ("* 2.5", 5),
        ("exp", 5),
        ("sigmoid", 7),
        ("sum", 8),
        ("@", 9),
        ("t", 6),
        ("[1:]", 7),
        ("mul_", 5),
    ],
)
def test_few_functions_run_for_an_operator(cuda: Counts, name: str, most: int) -> None:
    x, y, _ = (t.detach() for t in operands())
    steps: dict[str, Callable[[], Any]] = {
        "+": lambda: x + y, "* 2.5": lambda: x * 2.5, "exp": lambda: x.exp(), "sigmoid": lambda: x.sigmoid(),
        "sum": lambda: x.sum(), "@": lambda: y @ z, "t": lambda: x.t(), "[1:]": lambda: x[1:],
        "mul_": lambda: x.mul_(2.0),
    }  # fmt: skip
    z = y.t()
    assert functions_called(steps[name]) <= most
