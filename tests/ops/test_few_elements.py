"""Derivatives of few elements: the same bits with `create_graph=True`, which takes the way of all sizes."""

from __future__ import annotations

import math

import pytest

import tgrad as torch

REDUCTIONS = (
    "x.max()", "x.min()", "x.prod()", "x.norm()", "x.var()", "x.std()", "x.sum()", "x.mean()",
    "x.cumsum(0)", "x.cumsum(-1)", "x.max(dim=-1).values", "x.min(dim=0).values", "x.max(-1, True).values",
)  # fmt: skip

VALUES = {
    "plain": [0.5, -1.5, 2.5, 0.25],
    "equal ones": [2.5, -1.5, 2.5, 2.5],
    "a zero": [0.0, -1.5, 2.5, 3.0],
    "zeros": [0.0, -0.0, 0.0, 0.0],
    "nan": [0.5, math.nan, 2.5, 1.0],
    "inf": [math.inf, 1.5, 0.0, math.inf],
}


@pytest.mark.parametrize("shape", [(4,), (2, 2), (4, 1), (1, 4), (1,), ()])
@pytest.mark.parametrize("values", VALUES, ids=str)
@pytest.mark.parametrize("expression", REDUCTIONS)
def test_both_ways_through_a_formula(expression: str, values: str, shape: tuple[int, ...]) -> None:
    numbers = torch.tensor(VALUES[values])
    x = numbers[: math.prod(shape)].reshape(shape).clone().requires_grad_()
    result = eval(expression, {"x": x})
    gradient = torch.arange(result.numel()).reshape(result.shape) * 0.75 + 0.5
    (quick,) = torch.autograd.grad(result, x, gradient, retain_graph=True)
    (recorded,) = torch.autograd.grad(result, x, gradient, create_graph=True)
    assert quick.shape == recorded.shape
    assert torch.equal(quick.isnan(), recorded.isnan())
    assert torch.equal(quick.nan_to_num(7.0), recorded.detach().nan_to_num(7.0))


def test_a_product_that_is_no_number_may_have_a_factor_0() -> None:
    x = torch.tensor([math.inf, 0.0, 2.0], requires_grad=True)
    x.prod().backward()
    assert x.grad[1].item() == math.inf
    assert x.grad[0].item() == 0.0


def test_a_product_that_vanishes_without_a_factor_0() -> None:
    x = torch.tensor([1e-30, 1e-30, 2.0], requires_grad=True)
    x.prod().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]
