"""The graph and the backward walk: depth, memory, aliasing, origins."""

from __future__ import annotations

import gc
import sys
import weakref
from pathlib import Path

import pytest

import tgrad as torch
from tgrad.core.graph import FREED, AccumulateGrad


def test_a_chain_of_a_million_operators_runs_backward_and_is_released() -> None:
    x = torch.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(1_000_000):
        y = y + 0.5
    y.backward()
    assert x.grad.item() == 1.0
    del y  # must not recurse: a crash of the interpreter would end the test run


def test_a_deep_graph_that_never_ran_backward_is_released() -> None:
    x = torch.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(200_000):
        y = y * y
    end = weakref.ref(y)
    del y
    assert end() is None


def test_graphs_are_no_reference_cycles() -> None:
    gc.collect()
    gc.disable()
    try:
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = (x.exp() * x).sum()
        node = weakref.ref(y.grad_fn)
        y.backward()
        leaf = weakref.ref(x)
        del x, y
        assert node() is None
        assert leaf() is None
    finally:
        gc.enable()


def test_saved_values_are_freed_as_the_walk_passes() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    z = (y * y).sum()
    z.backward()
    assert y.grad_fn.saved is FREED


def test_saved_values_stay_with_retain_graph() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    z = (y * y).sum()
    z.backward(retain_graph=True)
    z.backward()
    assert torch.testing.assert_close(x.grad, 4 * torch.exp(2 * x.detach())) is None


def test_gradients_of_two_leaves_do_not_share_memory() -> None:
    a = torch.zeros(3, requires_grad=True)
    b = torch.zeros(3, requires_grad=True)
    (a + b).sum().backward()
    a.grad.fill_(7)
    assert b.grad.tolist() == [1.0, 1.0, 1.0]


def test_a_gradient_does_not_share_memory_with_the_one_that_was_given() -> None:
    x = torch.zeros(3, requires_grad=True)
    g = torch.ones(3)
    (x + 0).backward(g)
    x.grad.zero_()
    assert g.tolist() == [1.0, 1.0, 1.0]


def test_a_gradient_does_not_share_memory_with_saved_values() -> None:
    x = torch.zeros(3, requires_grad=True)
    c = torch.ones(3)
    (x * c).backward(torch.ones(3))
    x.grad.zero_()
    assert c.tolist() == [1.0, 1.0, 1.0]


def test_a_fresh_gradient_is_taken_over_without_a_copy() -> None:
    x = torch.zeros(3, requires_grad=True)
    seen = []
    y = x * 2
    x.register_hook(lambda g: seen.append(g._array))
    y.backward(torch.ones(3))
    assert x.grad._array.base is None
    assert x.grad._array.flags.c_contiguous


def test_gradients_of_expanded_results_are_contiguous() -> None:
    x = torch.zeros(2, 3, requires_grad=True)
    x.sum().backward()
    assert x.grad.stride() == (3, 1)
    assert x.grad._array.flags.writeable


def test_a_leaf_used_many_times_adds_up_once() -> None:
    # (1 + eps/2 + eps/2) + 1 differs from 1 + (1 + ...): arrivals are added up before `.grad` is.
    small = 2.0**-24
    x = torch.tensor(1.0, requires_grad=True)
    x.grad = torch.tensor(1.0)
    (x * small + x * small).backward()
    assert x.grad.item() == 1.0 + 2.0**-23


def test_nodes_know_the_instruction_that_made_them() -> None:
    x = torch.tensor(2.0, requires_grad=True)

    def make() -> object:
        return x * 3

    code, instruction = make().grad_fn.origin
    assert code is make.__code__
    line, _, column, end = list(code.co_positions())[instruction // 2]
    source = Path(__file__).read_text("utf-8").splitlines()[line - 1]
    assert source[column:end] == "x * 3"


def test_the_origin_of_a_composite_operator_is_its_caller() -> None:
    x = torch.ones(2, 2, requires_grad=True)

    def make() -> object:
        return torch.matmul(x.unsqueeze(0), x)

    assert make().grad_fn.origin[0] is make.__code__


def test_a_frame_is_not_kept_alive_by_the_graph() -> None:
    class Marker:
        pass

    def make() -> tuple[object, weakref.ref[Marker]]:
        marker = Marker()
        return torch.ones(1, requires_grad=True) * 2, weakref.ref(marker)

    result, marker = make()
    assert marker() is None
    assert result.requires_grad


def test_the_end_of_a_path_is_accumulate_grad() -> None:
    x = torch.ones(1, requires_grad=True)
    node, number = (x * 2).grad_fn.next_functions[0]
    assert isinstance(node, AccumulateGrad)
    assert (node.variable, number) == (x, 0)
    assert node.name() == "torch::autograd::AccumulateGrad"


def test_backward_visits_only_what_leads_to_the_inputs() -> None:
    x = torch.ones(1, requires_grad=True)
    y = torch.ones(1, requires_grad=True)
    expensive = y.exp()
    z = x * 2 + expensive
    torch.autograd.grad(z, x, retain_graph=False)
    assert expensive.grad_fn.saved is not FREED
    assert y.grad is None


def test_an_error_inside_backward_carries_its_node() -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * 1
    z = (y * y).sum()
    y.add_(1)
    with pytest.raises(RuntimeError) as caught:
        z.backward()
    assert caught.value.details["node"].name() == "MulBackward0"


def test_recursion_limit_does_not_matter() -> None:
    limit = sys.getrecursionlimit()
    x = torch.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(3 * limit):
        y = y.sin()
    g = torch.autograd.grad(y, x, create_graph=True)[0]
    assert g.requires_grad
