"""Every row's derivative against differences, and its derivative's derivative.

A line of `derivative_cases.txt` is an expression in the language of the golden cases
(tests/golden/ops/harness.py).  Its inputs are moved a little, and both orders of derivative are
compared with what comes of that; the first one only where the line begins with `first:`, because PyTorch
has no second one there.  Every row that has a formula must come about in the history of some
case, or stand in REASONS: a new row needs a case here, or the last test fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from test_golden import harness

import tgrad
from tgrad.ops import install
from tgrad.ops.table import TABLE

install.install()

Makers = harness.Makers
FIRST = "first: "
CASES = [
    line
    for line in (Path(__file__).parent / "derivative_cases.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]

DRAWN = """
    bernoulli bernoulli.Tensor_fill bernoulli.fill cauchy exponential geometric log_normal
    normal.Tensor_Tensor normal.Tensor_float normal.fill normal.float_Tensor poisson random random.from
    random.to uniform
"""
REASONS = {
    **dict.fromkeys(DRAWN.split(), "the gradient is zero, whatever was drawn"),
    "_strided_scatter": "PyTorch's gradient of the input isn't the derivative; it is followed",
    "_cofactor_backward": "only of singular matrices, which no longer are singular when moved",
    "_cdist_backward": "PyTorch has no second derivative of cdist",
    "_pdist_backward": "PyTorch has no second derivative of pdist",
    "special_zeta.other_scalar": "PyTorch has no derivative by the first argument",
    "view_as_complex_copy": "PyTorch refuses to differentiate it",
    "mkldnn_rnn_layer": "nothing but the name of a node, in float32 only",
    "_picked": "only in third derivatives",
    "gradient_copy": "stands between a gradient and .grad, where grad() doesn't come by",
}
"""Rows with formulas that no case needs, and why."""


class Given(Makers):  # type: ignore[misc,valid-type]
    """Makers that hand out given tensors in place of the inputs that they would make."""

    def __init__(self, inputs: tuple[Any, ...]) -> None:
        super().__init__(tgrad)
        self.inputs = iter(inputs)

    def make(self, array: Any, requires_grad: bool, dtype: str = "") -> Any:
        if requires_grad:
            return next(self.inputs)
        return super().make(array, requires_grad, dtype)


def prepared(expression: str) -> tuple[tuple[Any, ...], Callable[..., tuple[Any, ...]]]:
    """The inputs of an expression that require gradients, and the expression as a function of them."""
    makers = Makers(tgrad)
    eval(expression, makers.names)

    def function(*inputs: Any) -> tuple[Any, ...]:
        return tuple(tensors(eval(expression, Given(inputs).names)))

    return tuple(makers.leaves), function


def tensors(value: Any) -> Iterator[Any]:
    """The results that have a history."""
    if isinstance(value, tgrad.Tensor):
        if value.requires_grad:
            yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from tensors(item)


def rows_of(results: tuple[Any, ...]) -> set[str]:
    """The names of the rows in the history of tensors."""
    edges = [t.current_edge() for t in results]
    stack = [edge[0] for edge in edges if edge is not None]
    seen = set(stack)
    while stack:
        for edge in stack.pop().edges:
            if edge is not None and edge[0] not in seen:
                seen.add(edge[0])
                stack.append(edge[0])
    return {node.op.name for node in seen if hasattr(node, "op")}


@cache
def covered(expression: str, first: bool = False) -> set[str]:
    """The rows in the history of an expression and, if it isn't about the first order, of its gradients."""
    inputs, function = prepared(expression)
    results = function(*inputs)
    rows = rows_of(results)
    if first:
        return rows
    ones = [tgrad.ones_like(t).requires_grad_() for t in results]
    gradients = tgrad.autograd.grad(results, inputs, ones, create_graph=True, allow_unused=True)
    return rows | rows_of(tuple(g for g in gradients if g is not None))


@pytest.mark.parametrize("case", CASES)
def test_derivatives_agree_with_differences(case: str) -> None:
    expression = case.removeprefix(FIRST)
    inputs, function = prepared(expression)
    assert tgrad.autograd.gradcheck(function, inputs)
    if expression is case:
        assert tgrad.autograd.gradgradcheck(function, inputs, atol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_formulas_give_arrays_what_they_give_tensors(case: str) -> None:
    """The two ways through one formula: an ordinary pass, and one that is recorded."""
    inputs, function = prepared(case.removeprefix(FIRST))
    results = function(*inputs)
    vectors = [tgrad.cos(tgrad.arange(t.numel()) * 0.7).reshape(t.shape).to(t.dtype) for t in results]
    recorded = tgrad.autograd.grad(results, inputs, vectors, create_graph=True, allow_unused=True)
    plain = tgrad.autograd.grad(results, inputs, vectors, allow_unused=True)
    for one, other in zip(plain, recorded, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            tgrad.testing.assert_close(one, other.detach(), rtol=1e-12, atol=1e-12)


def test_every_row_with_a_derivative_has_a_case() -> None:
    found = set().union(*(covered(c.removeprefix(FIRST), c.startswith(FIRST)) for c in CASES))
    wanted = {op.name for op in TABLE.values() if op.formulas and op.differentiable is True}
    missing = sorted(wanted - found - set(REASONS))
    assert not missing, "write a line in derivative_cases.txt for each of them"
    assert not sorted(set(REASONS) & found), "these have cases now"
    assert not sorted(set(REASONS) - wanted), "there are no such rows, or they have no formulas"
