"""Tensors taken to another device and back are copies."""

from __future__ import annotations

from typing import Any

import pytest

import tgrad as torch


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_copies_share_no_memory(cuda: Any, shape: tuple[int, ...]) -> None:
    x = torch.ones(shape)
    there = x.to("cuda")
    back = there.cpu()
    there += 1
    assert x.sum() == back.sum() == x.numel()
    assert there.sum().item() == 2 * x.numel()
    back += 5
    assert there.sum().item() == 2 * x.numel()


def test_what_is_there_already_is_not_copied(cuda: Any) -> None:
    x = torch.ones(2)
    there = x.to("cuda")
    assert there.cuda() is there
    assert there.to("cuda:0") is there
    assert x.cpu() is x


def test_strides_are_kept(cuda: Any) -> None:
    x = torch.arange(6.0).reshape(2, 3).t()
    assert x.to("cuda").stride() == x.stride() == x.to("cuda").cpu().stride()
