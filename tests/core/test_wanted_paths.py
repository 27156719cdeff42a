"""Passes that are restricted to some inputs, and those for the rows of a Jacobian."""

from __future__ import annotations

from typing import Any

import pytest

import tgrad as torch
from tgrad.core.jacobian import rows_of_jacobian


def network() -> tuple[Any, Any, Any, Any]:
    x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    y = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    middle = torch.sin(x) * y
    return x, y, middle, middle.exp() + x[1:].sum() * y


def test_a_place_inside_and_leaves_at_once() -> None:
    x, y, middle, out = network()
    gx, gm = torch.autograd.grad(out.sum(), (x, middle), retain_graph=True)
    expected = torch.autograd.grad(out.sum(), (x, middle), retain_graph=True, create_graph=True)
    assert gx.tolist() == expected[0].tolist()
    assert gm.tolist() == expected[1].tolist() == middle.exp().tolist()
    assert x.grad is None
    assert y.grad is None


def test_paths_that_lead_elsewhere_are_left_out() -> None:
    x, y, _, out = network()
    other = torch.zeros(3, requires_grad=True)
    visited = []
    (x * 1).register_hook(visited.append)
    branch = other * 2
    branch.register_hook(visited.append)
    (gy,) = torch.autograd.grad((out + branch).sum(), (y,), retain_graph=True)
    assert visited == []
    assert gy.shape == (3,)
    (out + branch).sum().backward(inputs=[x])
    assert x.grad is not None
    assert y.grad is None
    assert other.grad is None


@pytest.mark.parametrize("hooked", [False, True])
def test_rows_are_what_passes_for_single_elements_give(hooked: bool) -> None:
    x, y, middle, out = network()
    unused = torch.zeros(2, requires_grad=True)
    if hooked:
        middle.register_hook(lambda g: g * 2)
    gx, none, gy = rows_of_jacobian(out, (x, unused, y))
    assert none is None
    assert gx is not None
    assert gy is not None
    for index in range(3):
        ex, ey = torch.autograd.grad(out[index], (x, y), retain_graph=True)
        assert gx[index].tolist() == ex.tolist()
        assert gy[index].tolist() == ey.tolist()


def test_jacobians_with_and_without_a_graph() -> None:
    def function(x: Any, y: Any) -> Any:
        return (torch.tanh(x).reshape(1, 3) * y.reshape(3, 1)).unbind(0)[1] * x.sum()

    x, y = torch.tensor([0.5, -1.0, 2.0]), torch.tensor([1.0, 2.0, 3.0])
    plain = torch.autograd.functional.jacobian(function, (x, y))
    graph = torch.autograd.functional.jacobian(function, (x, y), create_graph=True)
    others = torch.func.jacrev(function, (0, 1))(x, y)
    for a, b, c in zip(plain, graph, others, strict=True):
        assert a.tolist() == b.tolist() == c.tolist()
        assert not a.requires_grad
    assert torch.autograd.functional.jacobian(lambda x: x * 0 + 1, x).tolist() == torch.zeros(3, 3).tolist()
    assert (
        torch.autograd.functional.jacobian(lambda x: torch.ones(2), x).tolist() == torch.zeros(2, 3).tolist()
    )
    assert torch.autograd.functional.jacobian(lambda x: x[:0], x).shape == (0, 3)
