"""Functions into functions where a golden case can't say it: random numbers, levels, tangents, modules."""

from __future__ import annotations

from typing import Any

import pytest
from tgrad.autograd import forward_ad

import tgrad as torch


def test_vmap_gives_examples_the_same_random_numbers_or_others() -> None:
    x = torch.zeros(3)
    same = torch.vmap(lambda row: row + torch.rand(2), randomness="same")(x)
    assert torch.equal(same[0], same[1])
    different = torch.vmap(lambda row: row + torch.rand(2), randomness="different")(x)
    assert not torch.equal(different[0], different[1])
    with pytest.raises(RuntimeError, match="called random operation while in randomness error mode"):
        torch.vmap(lambda row: row + torch.rand(2))(x)


def test_vmap_draws_what_the_function_draws() -> None:
    torch.manual_seed(0)
    wanted = torch.rand(2)
    torch.manual_seed(0)
    assert torch.equal(
        torch.vmap(lambda row: row + torch.rand(2), randomness="same")(torch.zeros(3))[2], wanted
    )


def test_passes_of_a_batch_share_a_graph_and_free_it() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x * x
    rows = torch.vmap(lambda v: torch.autograd.grad(y, x, v)[0])(torch.eye(3))
    assert torch.equal(rows, 2 * torch.eye(3))
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        torch.autograd.grad(y, x, torch.ones(3))


def test_an_example_that_is_changed_in_place_changes_the_batch() -> None:
    x = torch.zeros(3)
    torch.vmap(lambda row: row.add_(1))(x)
    assert torch.equal(x, torch.ones(3))


def test_results_have_history_of_what_is_outside_alone() -> None:
    x, w = torch.ones(3), torch.ones(3, requires_grad=True)
    inside = torch.func.grad(lambda x: (x**2).sum())(x)
    assert not inside.requires_grad
    outside = torch.func.grad(lambda x: (x**2 * w).sum())(x)
    assert torch.equal(torch.autograd.grad(outside.sum(), w)[0], 2 * torch.ones(3))


def test_per_example_gradients_are_those_of_the_examples() -> None:
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    parameters = dict(model.named_parameters())
    x = torch.randn(4, 3)

    def loss(parameters: Any, row: Any) -> Any:
        return torch.func.functional_call(model, parameters, row).pow(2).sum()

    batch = torch.vmap(torch.func.grad(loss), in_dims=(None, 0))(parameters, x)
    for number, row in enumerate(x):
        wanted = torch.func.grad(loss)(parameters, row)
        for name in parameters:
            assert torch.equal(batch[name][number], wanted[name])


def test_a_module_has_its_own_parameters_again_after_an_error() -> None:
    model = torch.nn.Linear(2, 1)
    weight = model.weight
    with pytest.raises(RuntimeError):
        torch.func.functional_call(model, {"weight": torch.ones(1, 3)}, torch.ones(2))
    assert model.weight is weight


def test_parameters_in_two_places_are_replaced_in_both() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 1, bias=False))
    model[1].weight = model[0].weight
    given = {"0.weight": torch.full((1, 1), 3.0)}
    assert torch.func.functional_call(model, given, torch.ones(1)).item() == 9.0


def test_a_tangent_is_the_derivative_along_it() -> None:
    x, v = torch.tensor([0.5, 1.0]), torch.tensor([2.0, 3.0])
    with forward_ad.dual_level():
        y = forward_ad.make_dual(x, v).sin()
        primal, tangent = forward_ad.unpack_dual(y)
        assert not primal.requires_grad
        assert not tangent.requires_grad
        torch.testing.assert_close(tangent, x.cos() * v)
        assert forward_ad.unpack_dual(x).tangent is None
    assert forward_ad.unpack_dual(y).tangent is None


def test_tangents_can_be_differentiated() -> None:
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, torch.ones(2))
        tangent = forward_ad.unpack_dual(dual**3).tangent
    torch.testing.assert_close(torch.autograd.grad(tangent.sum(), x)[0], 6 * x.detach())


@pytest.mark.parametrize(
    ("use", "sentence"),
    [
        (lambda x: forward_ad.make_dual(x, x), "no level exists"),
        (lambda x: forward_ad.exit_dual_level(), "Dual level must be a positive number."),
    ],
)
def test_tangents_need_a_level(use: Any, sentence: str) -> None:
    with pytest.raises(RuntimeError, match=sentence):
        use(torch.ones(2))


def test_linearize_runs_the_function_once() -> None:
    calls = []

    def function(x: Any) -> Any:
        calls.append(1)
        return x**2

    value, push = torch.func.linearize(function, torch.tensor([1.0, 2.0]))
    assert torch.equal(value, torch.tensor([1.0, 4.0]))
    for _ in range(2):
        assert torch.equal(push(torch.ones(2)), torch.tensor([2.0, 4.0]))
    assert len(calls) == 1
