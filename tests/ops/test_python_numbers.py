"""Numbers that meet tensors: kernels get them as arrays, and nothing shows it."""

from __future__ import annotations

import math
from typing import Any

import pytest

import tgrad as torch
from tgrad.backends.constants import BY_CODE, Numbers
from tgrad.core.device import tensor_type


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.int32, torch.complex64])
def test_the_sign_of_zero_is_kept(dtype: Any) -> None:
    x = torch.ones(2, dtype=dtype)
    for zero in (0.0, -0.0, 0.0, -0.0) if dtype.is_floating_point else (0, 0):
        found = (x * zero).tolist()
        assert [math.copysign(1, v) for v in found if not isinstance(v, complex)] == [
            math.copysign(1, zero) for v in found if not isinstance(v, complex)
        ]


def test_equal_numbers_of_different_types() -> None:
    x = torch.tensor([1, 2])
    assert (x * 2).dtype == torch.int64
    assert (x * 2.0).dtype == torch.float32
    assert (x * True).tolist() == [1, 2]
    y = torch.tensor([1.5], requires_grad=True)
    for number in (2, 2.0, True, 2, 0.1, 10**15, 1e300, math.inf):
        y.grad = None
        result = y * number
        result.backward(retain_graph=True)
        assert y.grad.item() == torch.tensor(float(number)).item()
        assert result.grad_fn._saved_other.item() == number


@pytest.mark.parametrize("number", [2, 2.5, -3, 1e-3, math.nan, math.inf, 2j])
def test_derivatives_with_numbers(number: Any) -> None:
    kind = torch.complex128 if isinstance(number, complex) else torch.float64
    for combine in (
        lambda x: x * number, lambda x: number * x, lambda x: x / number, lambda x: number / x,
        lambda x: x + number, lambda x: x - number, lambda x: number - x,
    ):  # fmt: skip
        x = torch.tensor([0.5, -2.0], dtype=kind, requires_grad=True)
        y = torch.tensor([0.5, -2.0], dtype=kind, requires_grad=True)
        combine(x).sum().abs().backward()
        (found,) = torch.autograd.grad(combine(y).sum().abs(), y, create_graph=True)  # tensors and the number
        assert str(x.grad) == str(found.detach())


def test_arrays_of_numbers_can_not_be_written_to() -> None:
    two = tensor_type(torch.float32).numbers[2]
    assert two is tensor_type(torch.float32).numbers[2.0] is BY_CODE["f"][2]
    with pytest.raises(ValueError, match="read-only"):
        two[...] = 3
    result = torch.tensor(1.0) * 2
    result.add_(1)
    assert (torch.tensor(1.0) * 2).item() == 2


def test_so_many_numbers_are_kept_and_no_more() -> None:
    numbers = tensor_type(torch.float64).numbers
    assert isinstance(numbers, Numbers)
    for i in range(1, 2000):
        assert numbers[i / 7].item() == i / 7
    assert len(numbers) <= 256
    assert numbers[1 << 40] == 1 << 40
