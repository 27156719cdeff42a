"""Steps of optimisers on arrays are those on tensors, whatever the size, and versions go on alike."""

from __future__ import annotations

from typing import Any

import pytest

import tgrad as torch
from tgrad.core.engine import Spaces
from tgrad.optim import arithmetic

OPTIMISERS = (
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "dampening": 0.3, "maximize": True}),
    ("Adam", {"lr": 0.1}),
    ("Adam", {"lr": 0.1, "betas": (0.3, 0.6), "amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.1}),
)
SHAPES = ((), (1,), (3,), (0, 2), (181, 181), (200, 300))


def _steps(name: str, options: dict[str, Any], dtype: Any) -> list[Any]:
    generator = torch.Generator().manual_seed(1)
    params = [torch.randn(shape, generator=generator, dtype=dtype).requires_grad_() for shape in SHAPES]
    optimizer = getattr(torch.optim, name)(params, **options)
    for _ in range(3):
        for param in params:
            param.grad = torch.randn(param.shape, generator=generator, dtype=dtype)
        optimizer.step()
    kept = [value for param in params for value in optimizer.state[param].values()]
    return [
        (t._version, t.double().numpy().tobytes())
        for t in (*[p.detach() for p in params], *kept)
        if t is not None
    ]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize(("name", "options"), OPTIMISERS)
def test_arrays_give_what_tensors_do(
    name: str, options: dict[str, Any], dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = _steps(name, options, dtype)
    used = []
    monkeypatch.setattr(arithmetic, "_are_plain", lambda tensors: used.append(tensors))
    assert _steps(name, options, dtype) == quick
    assert len(used) == 3 * len(SHAPES)


def _doubled(o: Any, first: Any, second: Any) -> tuple[int, ...]:
    o.mul_(first, 2.0)
    _spaces.append(o)
    return 1, 0


_spaces: list[Any] = []


@pytest.mark.parametrize(
    ("first", "second", "plain"),
    [
        (torch.ones(3), torch.ones(3), True),
        (torch.ones(3), torch.ones(3, 1), False),
        (torch.ones(2, 3).t(), torch.ones(3, 2), False),
        (torch.ones(3), torch.ones(3).double(), False),
        (torch.ones(3).bfloat16(), torch.ones(3).bfloat16(), False),
        (torch.ones(3).to(torch.complex64), torch.ones(3).to(torch.complex64), False),
    ],
)
def test_only_ordinary_tensors_are_taken_as_arrays(first: Any, second: Any, plain: bool) -> None:
    _spaces.clear()
    version = first._version
    with torch.no_grad():
        arithmetic.change(_doubled, first, second)
    assert _spaces == [Spaces.raw if plain else Spaces.recorded]
    assert bool((first == 2).all())
    assert first._version == version + 1


def test_tensors_in_one_memory_are_not_taken_as_arrays() -> None:
    whole = torch.ones(4)
    _spaces.clear()
    with torch.no_grad():
        arithmetic.change(_doubled, whole[:2], whole[2:])
    assert _spaces == [Spaces.recorded]
    assert whole.tolist() == [2.0, 2.0, 1.0, 1.0]
