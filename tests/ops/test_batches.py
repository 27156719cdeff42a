"""Several gradients in one walk: to the bit what a pass for each of them gives."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from test_derivatives import CASES, FIRST, prepared

import tgrad as torch
from tgrad.core import batch, jacobian
from tgrad.core.batch import BatchWalk

COUNT = 5


def vectors_for(results: Any) -> list[Any]:
    """For each result as many vectors as there are rows, with zeros among their elements."""
    generator = numpy.random.default_rng(0)
    found = []
    for t in results:
        numbers = generator.standard_normal((COUNT, *t.shape)) * (generator.random((COUNT, *t.shape)) < 0.8)
        found.append(torch.from_numpy(numbers).to(t.dtype))
    return found


def same(one: Any, other: Any) -> bool:
    a, b = one.detach().numpy(), other.detach().numpy()
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def check(results: Any, inputs: Any) -> None:
    """A walk with batches against single passes."""
    vectors = vectors_for(results)
    options = {"retain_graph": True, "allow_unused": True}
    together = torch.autograd.grad(results, inputs, vectors, is_grads_batched=True, **options)
    for row in range(COUNT):
        alone = torch.autograd.grad(results, inputs, [v[row] for v in vectors], **options)
        for one, other in zip(together, alone, strict=True):
            assert (one is None) == (other is None)
            assert one is None or same(one[row], other)


@pytest.mark.parametrize("case", CASES)
def test_rows_are_single_passes(case: str) -> None:
    inputs, function = prepared(case.removeprefix(FIRST))
    results = function(*inputs)
    check(results, inputs)
    if not case.startswith(FIRST):
        ones = [torch.ones_like(t).requires_grad_() for t in results]
        slopes = torch.autograd.grad(results, inputs, ones, create_graph=True, allow_unused=True)
        slopes = [g for g in slopes if g is not None and g.requires_grad]
        if slopes:
            check(slopes, (*inputs, *ones))


COMMON = {
    "sums and means": lambda x: torch.stack([x.sum(), x.mean(), x.sum(1).prod()]),
    "views": lambda x: x.t().reshape(2, 6)[:, 1:4].unsqueeze(0).transpose(0, 2).squeeze(1),
    "parts": lambda x: x[1] * x[:, 2].sum() + x.select(1, 0)[1:3].expand(4, 2).sum(0)[0],
    "arithmetic": lambda x: (2 - x) * 3 / (x * x + 1) - x**3 + x.abs() * -x,
    "functions": lambda x: torch.tanh(x) * torch.exp(x) + torch.sin(x).relu() + (x * x + 1).log().sigmoid(),
    "diagonals": lambda x: torch.flip(x, (1,)).diagonal() * x.diagonal(1),
    "rows broadcast": lambda x: x * x[0] + x[:, :1] - x[1, 1],
    "products": lambda x: torch.tanh(x @ torch.ones(4, 2, dtype=x.dtype)) @ torch.ones(2, dtype=x.dtype),
    "choices": lambda x: torch.where(x > 0, x * x, 0.5).clamp(max=1) + torch.maximum(x, x * 2),
}  # fmt: skip


def input_of(dtype: Any = torch.float64) -> Any:
    return torch.linspace(-1.3, 1.7, 12).to(dtype).reshape(3, 4)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", COMMON)
def test_common_operators_are_done_for_all_rows_at_once(name: str, dtype: Any, monkeypatch: Any) -> None:
    function, x = COMMON[name], input_of(dtype)
    monkeypatch.setattr(jacobian, "FEW", 1000)
    alone = torch.autograd.functional.jacobian(function, x)
    monkeypatch.undo()
    monkeypatch.setattr(BatchWalk, "_one_by_one", None)
    monkeypatch.setattr(jacobian, "FEW", 0)
    visited = []
    before = BatchWalk._visit
    monkeypatch.setattr(BatchWalk, "_visit", lambda self, *args: (visited.append(1), before(self, *args)))
    assert same(torch.autograd.functional.jacobian(function, x), alone)
    assert same(torch.func.jacrev(function)(x), alone)
    assert len(visited) > 2


def test_second_derivatives_are_done_at_once(monkeypatch: Any) -> None:
    def function(x: Any) -> Any:
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    x = torch.linspace(-1, 1, 9, dtype=torch.float64)
    monkeypatch.setattr(jacobian, "FEW", 1000)
    alone = torch.autograd.functional.hessian(function, x)
    monkeypatch.undo()
    monkeypatch.setattr(BatchWalk, "_one_by_one", None)
    for found in (torch.autograd.functional.hessian(function, x), torch.func.hessian(function)(x)):
        assert same(found, alone)


@pytest.mark.parametrize("most", [1, 13, 40, 100])
def test_as_many_rows_at_a_time_as_there_is_room_for(most: int, monkeypatch: Any) -> None:
    def function(x: Any) -> Any:
        return (x.reshape(12, 1) * x.reshape(12)).sum(1) * x[0, 0]

    x = input_of()
    alone = torch.autograd.functional.jacobian(function, x)
    for module in (batch, jacobian):
        if hasattr(module, "MOST"):
            monkeypatch.setattr(module, "MOST", most)
    assert same(torch.autograd.functional.jacobian(function, x), alone)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5])
def test_few_rows(size: int) -> None:
    x = torch.linspace(-1, 1, 5, dtype=torch.float64)
    found = torch.autograd.functional.jacobian(lambda x: torch.sin(x)[:size], x)
    assert same(found, torch.diag(torch.cos(x))[:size])


def test_users_functions_are_called_for_each_row() -> None:
    calls = []

    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            calls.append(g.shape)
            return g * 2

    x = torch.ones(6)
    assert torch.autograd.functional.jacobian(Twice.apply, x).tolist() == (2 * torch.eye(6)).tolist()
    assert calls == [(6,)] * 6
    seen = []

    def hooked(x: Any) -> Any:
        y = x * 1
        y.register_hook(lambda g: seen.append(g.shape))
        return y * 3

    torch.autograd.functional.jacobian(hooked, x)
    assert seen == [(6,)] * 6


def test_errors_are_those_of_single_passes() -> None:
    x = torch.ones(6, requires_grad=True)
    y = torch.exp(x)
    vectors = torch.eye(6)
    first = torch.autograd.grad(y, x, vectors, is_grads_batched=True)[0]
    assert same(first, torch.diag(torch.exp(x)))
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        torch.autograd.grad(y, x, vectors, is_grads_batched=True)
    z = torch.sin(x)
    with torch.no_grad():
        x.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
        torch.autograd.grad(z, x, vectors, is_grads_batched=True)
    assert type(caught.value.details["node"]).__name__ == "SinBackward0"
    with pytest.raises(RuntimeError, match="index 1 appears to not have been used"):
        torch.autograd.grad(x * 2, (x, torch.ones(1, requires_grad=True)), vectors, is_grads_batched=True)


def test_zeros_of_both_signs_infinities_and_nan() -> None:
    numbers = [0.0, -0.0, numpy.inf, -numpy.inf, numpy.nan, 1.0]
    x = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
    for function in (
        lambda x: x * x,
        torch.sqrt,
        lambda x: x / x,
        torch.relu,
        lambda x: torch.exp(-x).cumsum(0),
    ):
        check([function(x)], [x])
