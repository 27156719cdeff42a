"""Rows that give the derivatives for all operands at once: the same as one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tgrad as torch
from tgrad.nn import functional
from tgrad.ops.table import TABLE

CASES: dict[str, tuple[Callable[..., Any], list[tuple[int, ...]]]] = {
    "layer": (
        lambda x, w, b: functional.layer_norm(x, x.shape[1:], w, b),
        [(3, 4), (40, 300), (5, 2, 6), (200, 1024)],
    ),
    "group": (lambda x, w, b: functional.group_norm(x, 2, w, b), [(2, 4, 3), (8, 6, 40, 40)]),
    "batch": (
        lambda x, w, b: functional.batch_norm(x, None, None, w, b, training=True),
        [(3, 4), (2, 4, 3), (8, 6, 40, 40)],
    ),
    "known": (
        lambda x, w, b: functional.batch_norm(x, torch.ones(w.shape).to(w), torch.ones(w.shape).to(w), w, b),
        [(2, 4, 3)],
    ),
    "attention": (
        lambda q, k, v: functional.scaled_dot_product_attention(q, k, v),
        [(1, 2, 3, 4), (2, 3, 40, 16)],
    ),
}
PAIRS = [(name, size) for name, (_, sizes) in CASES.items() for size in sizes]


def leaves_of(name: str, size: tuple[int, ...], dtype: torch.dtype) -> list[torch.Tensor]:
    torch.manual_seed(0)
    affine = size[1:] if name == "layer" else size[1:2]
    sizes = (size,) * 3 if name == "attention" else (size, affine, affine)
    return [torch.randn(each).to(dtype).requires_grad_() for each in sizes]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
@pytest.mark.parametrize(("name", "size"), PAIRS)
def test_together_as_one_by_one(name: str, size: tuple[int, ...], dtype: torch.dtype) -> None:
    leaves = leaves_of(name, size, dtype)
    y = CASES[name][0](*leaves)
    upstream = torch.randn(y.shape).to(dtype)
    all_of_them = torch.autograd.grad(y, leaves, upstream, retain_graph=True)
    close = {torch.float32: 1e-5, torch.float64: 1e-13, torch.float16: 1e-2}[dtype]
    for leaf, found in zip(leaves, all_of_them, strict=True):
        (alone,) = torch.autograd.grad(y, leaf, upstream, retain_graph=True)
        assert found.shape == leaf.shape
        assert found.dtype is dtype
        np.testing.assert_allclose(found.numpy(), alone.numpy(), rtol=close, atol=close * 10)
    pairs = torch.autograd.grad(y, leaves[1:], upstream, retain_graph=True)
    for one, other in zip(pairs, all_of_them[1:], strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=close, atol=close * 10)


@pytest.mark.parametrize(("name", "size"), [("layer", (0, 4)), ("group", (0, 4, 2))])
def test_nothing_together(name: str, size: tuple[int, ...]) -> None:
    leaves = leaves_of(name, size, torch.float32)
    for leaf, found in zip(leaves, torch.autograd.grad(CASES[name][0](*leaves).sum(), leaves), strict=True):
        assert found.shape == leaf.shape
        assert not found.any()


def test_no_weight() -> None:
    x = torch.randn(3, 4).requires_grad_()
    b = torch.randn(4).requires_grad_()
    y = functional.layer_norm(x, (4,), None, b)
    found = torch.autograd.grad(y, (x, b), torch.ones(3, 4), retain_graph=True)
    assert torch.equal(found[1], torch.full((4,), 3.0))
    assert torch.equal(found[0], torch.autograd.grad(y, x, torch.ones(3, 4))[0])


def test_what_is_named_must_be_saved() -> None:
    from tgrad.ops.derivative import _make_node_classes
    from tgrad.ops.table import Op

    op = Op(
        "wrong", lambda xp, input, other: input, {"input": lambda o, g: g}, family="other", doc="",
        together=lambda o, g, needed, other: None,
    )  # fmt: skip
    with pytest.raises(TypeError, match="together"):
        _make_node_classes(op)
    assert "wrong" not in TABLE
