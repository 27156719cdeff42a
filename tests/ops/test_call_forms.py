"""Calls whose form has been learned give what calls in the general way give, errors included."""

from __future__ import annotations

from typing import Any

import pytest

import tgrad as torch
from tgrad.ops import forms, functions
from tgrad.ops.table import TABLE


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "often", 1)


def public(name: str, method: bool = True, module: str = "torch") -> Any:
    """A public function that hasn't learned anything."""
    return functions.public_function(TABLE.overloads(name, module), method)


def learned(function: Any) -> bool:
    return function.__code__ is not forms._at_first.__code__


def outcome(function: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
    try:
        result = function(*args, **keywords)
    except Exception as error:
        return type(error), str(error)
    if isinstance(result, torch.Tensor):
        return str(result), result.shape, result.dtype, type(result.grad_fn).__name__
    return (str(result),)


X = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
I = torch.tensor([0, 1])  # noqa: E741
CALLS: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "sum": [
        ((X,), {}), ((X, 0), {}), ((X,), {"dim": 0}), ((X,), {"dim": (0, 1), "keepdim": True}),
        ((X, [0]), {}), ((X,), {"axis": 1}), ((X,), {"keepdim": True, "dim": 1}),
        ((X,), {"dtype": torch.float64}),
        ((X, torch.tensor(1)), {}), ((X, None), {}), ((X, "a"), {}), ((X, 0, True, 1), {}),
        ((X, 0), {"dim": 0}),
        ((X,), {"size": 1}), ((X, 2), {}), ((X, True), {}), ((X, (0, 0)), {}), ((X,), {"p0": 1}),
    ],
    "max": [((X,), {}), ((X, 0), {}), ((X, X), {}), ((X,), {"other": X}), ((X, I), {}), ((X, 1.5), {})],
    "clamp": [
        ((X, 2), {}), ((X, 2.5, 3), {}), ((X,), {"max": 2}), ((X,), {"min": X}), ((X, None, 2.0), {}),
        ((X,), {}),
        ((X, 1, X), {}), ((X, "1"), {}),
    ],
    "reshape": [
        ((X, 4), {}), ((X, 1, 4), {}), ((X, (4, 1)), {}), ((X, [2, -1]), {}), ((X, torch.Size((4,))), {}),
        ((X, 2, 2.0), {}), ((X, (2, 2.0)), {}), ((X, torch.tensor(4)), {}), ((X, ()), {}), ((X, 3), {}),
    ],
    "view": [((X, 4), {}), ((X, torch.int32), {}), ((X, (1, 4)), {}), ((X,), {"dtype": torch.int32})],
    "permute": [((X, 1, 0), {}), ((X, (1, 0)), {}), ((X,), {"dims": (0, 1)}), ((X, 0), {})],
    "pow": [((X, 2), {}), ((X, 0.5), {}), ((X, X), {}), ((X, True), {}), ((X, None), {}), ((X, 2j), {})],
    "flatten": [((X,), {}), ((X, 1), {}), ((X,), {"start_dim": 1}), ((X, 5), {})],
    "contiguous": [((X,), {}), ((X,), {"memory_format": torch.contiguous_format})],
    "index_select": [((X, 0, I), {}), ((X,), {"dim": 1, "index": I}), ((X, I, 0), {})],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CALLS))
def test_learned_calls_do_as_general_ones(name: str) -> None:
    function = public(name)
    expected = [outcome(public(name), *call) for call in CALLS[name]]
    for _ in range(3):
        assert [outcome(function, *call) for call in CALLS[name]] == expected
    assert learned(function)


def test_functions_of_lists_and_sizes() -> None:
    cat, zeros = public("cat", method=False), public("zeros", method=False)
    for _ in range(3):
        assert cat([X, X]).shape == (4, 2)
        assert cat((X, X), 1).shape == cat((X, X), dim=1).shape == (2, 4)
        assert outcome(cat, ([X, 1],), {})[0] is torch_error()
        assert zeros(2).shape == (2,)
        assert zeros(2, 3).shape == zeros((2, 3)).shape == zeros(size=[2, 3]).shape
        assert zeros(3, dtype=torch.int32).dtype == torch.int32
        assert (
            "must be" in outcome(zeros, (2, "3"), {})[1] or "combination" in outcome(zeros, (2, "3"), {})[1]
        )
    assert learned(cat)
    assert learned(zeros)


def torch_error() -> type:
    from tgrad.errors import ArgumentError

    return ArgumentError


def test_a_tensor_for_a_number_is_looked_at_each_time() -> None:
    """0-dimensional tensors without history count as numbers; others don't."""
    function = public("sum")
    for _ in range(3):
        assert outcome(function, (X, torch.tensor(1)), {}) == outcome(public("sum"), (X, 1), {})
        assert outcome(function, (X, torch.tensor([1])), {}) == outcome(
            public("sum"), (X, torch.tensor([1])), {}
        )
    assert not learned(function)


def test_a_function_learns_so_many_forms_and_no_more() -> None:
    function = public("reshape")
    flat = torch.zeros(1)
    for length in range(1, forms.MOST_FORMS + 10):
        for _ in range(2):
            assert function(flat, *([1] * length)).shape == (1,) * length
    count = function.__code__.co_argcount
    assert count <= forms.MOST_FORMS + 1


def test_out_is_never_learned() -> None:
    function, target = public("add", method=False), torch.zeros(2, 2)
    for _ in range(3):
        assert function(X.detach(), 1, out=target) is target


def test_the_name_stays() -> None:
    function = public("sum")
    before = function
    function(X)
    assert function is before
    assert (function.__name__, function.__qualname__) == ("sum", "sum")
    assert function.__doc__ == "The sum of all elements."
