"""In-place forms that write straight into the tensor give what the others do, and refuse the same."""

from __future__ import annotations

from typing import Any

import pytest

import tgrad as torch
from tgrad.errors import TensorError

SHAPES = ((), (1,), (3,), (0,), (2, 3), (181, 181), (182, 182), (513, 512))
CALLS = (
    ("add", (2.5,), {}),
    ("add", ("other",), {}),
    ("add", ("other",), {"alpha": 0.3}),
    ("sub", ("other",), {}),
    ("sub", ("other",), {"alpha": 2}),
    ("mul", ("other",), {}),
    ("mul", (0.1,), {}),
    ("div", ("other",), {}),
    ("pow", (2,), {}),
    ("sqrt", (), {}),
    ("exp", (), {}),
    ("neg", (), {}),
    ("clamp", (), {"min": 0.0}),
    ("lerp", ("other", 0.3), {}),
    ("lerp", ("other", 0.7), {}),
    ("addcmul", ("other", "other"), {"value": 0.1}),
    ("addcdiv", ("other", "other"), {"value": 0.1}),
    ("eq", ("other",), {}),
)


def _pair(shape: tuple[int, ...], dtype: Any) -> tuple[Any, Any]:
    generator = torch.Generator().manual_seed(3)
    pair = [torch.randn(shape, generator=generator, dtype=torch.float32) for _ in range(2)]
    for tensor in pair:
        if tensor.numel() > 2:
            tensor.view(-1)[:2] = torch.tensor([float("nan"), float("inf")])
    return pair[0].to(dtype), pair[1].to(dtype)


def _bytes(tensor: Any) -> Any:
    return tensor.double().numpy().tobytes()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize(("name", "args", "keywords"), CALLS)
def test_values_and_versions(name: str, args: Any, keywords: Any, dtype: Any) -> None:
    for shape in SHAPES:
        tensor, other = _pair(shape, dtype)
        given = [other if arg == "other" else arg for arg in args]
        expected = getattr(tensor, name)(*given, **keywords).to(dtype)
        address, version = tensor.data_ptr(), tensor._version
        assert getattr(tensor, f"{name}_")(*given, **keywords) is tensor
        assert _bytes(tensor) == _bytes(expected), shape
        assert tensor._version == version + 1
        assert tensor.data_ptr() == address


@pytest.mark.parametrize("rows", [4, 600])
def test_odd_strides_and_memory_that_is_shared(rows: int) -> None:
    base = torch.arange(rows * 1000.0).view(rows, 1000)
    turned = base[:, :rows].clone().t()
    expected = turned + base[:, :rows]
    assert torch.equal(turned.add_(base[:, :rows]), expected)
    # Every second element, from operands that begin one further on: not refused, and as if computed first.
    flat = torch.arange(rows * 1000.0)
    expected = flat[0:-2:2] + flat[2::2]
    flat[0:-2:2].add_(flat[2::2])
    assert torch.equal(flat[0:-2:2], expected)
    with pytest.raises(TensorError, match="some elements of the input tensor and the written-to tensor"):
        flat[:-1].add_(flat[1:])
    with pytest.raises(TensorError, match="more than one element of the written-to tensor"):
        torch.ones(1).expand(3).add_(1.0)
    assert torch.equal(flat.add_(flat), flat)


def test_refusals_change_nothing() -> None:
    small, whole = torch.ones(3), torch.ones(3, dtype=torch.int64)
    for call, sentence in (
        (lambda: small.add_(torch.ones(2, 3)), "output with shape \\[3\\] doesn't match the broadcast shape"),
        (lambda: small.add_(torch.ones(4)), "The size of tensor a \\(3\\) must match"),
        (lambda: torch.ones(1).add_(torch.ones(5)), "output with shape \\[1\\] doesn't match"),
        (lambda: whole.add_(0.5), "result type Float can't be cast"),
        (lambda: whole.div_(2), "result type Float can't be cast"),
        (lambda: torch.ones(2, dtype=torch.bool).sub_(torch.ones(2, dtype=torch.bool)), "Subtraction"),
    ):
        with pytest.raises(TensorError, match=sentence):
            call()
    assert small.tolist() == [1.0] * 3
    assert small._version == 0
    assert whole.tolist() == [1] * 3
    assert whole._version == 0


def test_gradients_of_what_was_written() -> None:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = torch.zeros(3)
    y.add_(x).mul_(2.0)
    assert y.grad_fn is not None
    y.sum().backward()
    assert x.grad.tolist() == [2.0] * 3
    product = x * x
    with torch.no_grad():
        x.add_(1.0)
    with pytest.raises(TensorError, match="modified by an inplace operation"):
        product.sum().backward()
    with pytest.raises(TensorError, match="a leaf Variable that requires grad"):
        x.add_(1.0)
    with pytest.raises(TensorError, match="a leaf Variable that requires grad"):
        x.zero_()


def test_zeros_and_values_written_over() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    assert y.zero_().grad_fn is not None
    y.sum().backward()
    assert x.grad.tolist() == [0.0] * 3
    version = x.grad._version
    assert x.grad.fill_(3).zero_().tolist() == [0.0] * 3
    assert x.grad._version == version + 2
    plain = torch.ones(2, 2)
    plain.t()[0].fill_(5.0)
    assert plain.tolist() == [[5.0, 1.0], [5.0, 1.0]]
    assert plain._version == 1
