"""`autograd.Function`: derivatives of the user's own; expectations are what PyTorch does."""

from __future__ import annotations

import re
from typing import Any

import pytest

import tgrad as torch


class Relu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        (x,) = ctx.saved_tensors
        return gradient * (x > 0)


class Exp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        result = x.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        (result,) = ctx.saved_tensors
        return gradient * result


class SumAndProduct(torch.autograd.Function):
    @staticmethod
    def forward(a: Any, b: Any) -> Any:
        return a + b, a * b

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, first: Any, second: Any) -> Any:
        a, b = ctx.saved_tensors
        return first + second * b, first + second * a


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, factor: float) -> Any:
        ctx.factor, ctx.needs = factor, ctx.needs_input_grad
        return x * factor

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        assert ctx.needs == (True, False)
        return gradient * ctx.factor, None


class AddOneInPlace(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        x.add_(1)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        return gradient * 3


class TooFew(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        return a + b

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        return gradient


def leaf() -> Any:
    return torch.tensor([-1.0, 2.0, 3.0], requires_grad=True)


def test_backward_runs_the_users_derivative() -> None:
    x = leaf()
    y = Relu.apply(x)
    assert repr(y) == "tensor([0., 2., 3.], grad_fn=<ReluBackward>)"
    assert re.fullmatch("<torch.autograd.function.ReluBackward object at 0x[0-9a-f]+>", repr(y.grad_fn))
    y.sum().backward()
    assert x.grad.tolist() == [0, 1, 1]
    assert y.grad_fn.next_functions[0][0].variable is x


def test_saved_tensors_are_freed_by_backward() -> None:
    y = Relu.apply(leaf())
    y.sum().backward()
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.sum().backward()


def test_saved_tensors_must_not_change() -> None:
    x = leaf() * 1
    y = Relu.apply(x)
    x += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_saved_result_has_its_history_so_second_derivatives_work() -> None:
    x = torch.tensor([0.0, 1.0], requires_grad=True)
    (first,) = torch.autograd.grad(Exp.apply(x).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert torch.equal(second, x.detach().exp())


def test_several_results_and_setup_context() -> None:
    x = leaf()
    total, product = SumAndProduct.apply(x, 2 * x)
    assert (total.grad_fn, total.tolist()) == (product.grad_fn, [-3, 6, 9])
    product.sum().backward()
    assert x.grad.tolist() == [-4, 8, 12]


def test_arguments_that_are_no_tensors() -> None:
    x = leaf()
    Scaled.apply(x, 3.0).sum().backward()
    assert x.grad.tolist() == [3, 3, 3]


def test_without_grad_mode_nothing_is_recorded() -> None:
    with torch.no_grad():
        assert not Relu.apply(leaf()).requires_grad
    assert not Relu.apply(leaf().detach()).requires_grad


def test_changing_an_argument_in_place() -> None:
    x = leaf()
    y = x * 1
    z = AddOneInPlace.apply(y)
    assert z is y
    z.sum().backward()
    assert x.grad.tolist() == [3, 3, 3]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad has been used in"):
        AddOneInPlace.apply(leaf())


def test_wrong_uses() -> None:
    x = leaf()
    sentence = "function TooFewBackward returned an incorrect number of gradients (expected 2, got 1)"
    with pytest.raises(RuntimeError, match=re.escape(sentence)):
        TooFew.apply(x, x).sum().backward()
    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        relu = Relu()
    with pytest.raises(RuntimeError, match="Legacy autograd function"):
        relu(x)
    with pytest.raises(NotImplementedError, match="You must implement the forward function"):
        torch.autograd.Function.apply(x)


def made(forward: Any, backward: Any = None) -> Any:
    """A custom function of two plain ones."""
    parts = {"forward": staticmethod(forward), "backward": staticmethod(backward or forward)}
    return type("Made", (torch.autograd.Function,), parts)


@pytest.mark.parametrize(
    ("backward", "sentence"),
    [
        (lambda ctx, g: torch.ones(3),
         "Function MadeBackward returned an invalid gradient at index 0 - got [3] but expected shape "
         "compatible with [2]"),
        (lambda ctx, g: 3, "expected Variable or None (got int)"),
        (lambda ctx, g: (g, g),
         "function MadeBackward returned an incorrect number of gradients (expected 1, got 2)"),
    ],
)  # fmt: skip
def test_wrong_gradients(backward: Any, sentence: str) -> None:
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=re.escape(sentence)):
        made(lambda ctx, x: x * 2, backward).apply(x).sum().backward()


def test_a_gradient_for_a_number_is_refused() -> None:
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="a gradient different than None at position 2"):
        made(lambda ctx, x, y: x * y, lambda ctx, g: (g, g)).apply(x, 3).sum().backward()


def test_what_is_marked_dirty_must_be_returned() -> None:
    x = torch.ones(2, requires_grad=True)
    function = made(lambda ctx, x: (ctx.mark_dirty(x), x * 2)[1], lambda ctx, g: g)
    with pytest.raises(RuntimeError, match="Some elements marked as dirty"):
        function.apply(x * 1)


@pytest.mark.parametrize(("materialize", "missing"), [(True, torch.zeros(2)), (False, None)])
def test_gradients_that_did_not_arrive(materialize: bool, missing: Any) -> None:
    seen: list[Any] = []

    def forward(ctx: Any, x: Any) -> Any:
        ctx.set_materialize_grads(materialize)
        return x * 2, x * 3

    x = torch.ones(2, requires_grad=True)
    function = made(forward, lambda ctx, g, h: (seen.append(h), g * 2)[1])
    function.apply(x)[0].sum().backward()
    torch.testing.assert_close(seen, [missing])


def test_once_differentiable_refuses_a_second_time() -> None:
    x = torch.ones(2, requires_grad=True)
    once = torch.autograd.function.once_differentiable
    function = made(lambda ctx, x: x * 2, once(lambda ctx, g: g * 2))
    (gradient,) = torch.autograd.grad((function.apply(x) ** 2).sum(), x, create_graph=True)
    assert gradient.requires_grad
    with pytest.raises(RuntimeError, match="marked with @once_differentiable"):
        gradient.sum().backward()
