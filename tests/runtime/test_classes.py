"""Classes of torch as programs use them: constructors, conversions, `isinstance`, keys."""

from __future__ import annotations

import pytest
from worlds import World, printed, run

HEAD = "import torch\nx = torch.tensor([1.5, 2.5])\n"


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("type(x)(2, 3).shape", "torch.Size([2, 3])"),
        ("type(x)([1, 2])", "tensor([1., 2.])"),
        ("type(x) == torch.Tensor, type(x) is torch.Tensor", "(True, True)"),
        ("x.type(torch.DoubleTensor)", "tensor([1.5000, 2.5000], dtype=torch.float64)"),
        ("x.type(torch.IntTensor)", "tensor([1, 2], dtype=torch.int32)"),
        ("x.type(torch.FloatTensor) is x, x.type()", "(True, 'torch.FloatTensor')"),
        ("isinstance(x, torch.FloatTensor), isinstance(x, torch.LongTensor)", "(True, False)"),
        ("isinstance(x, (int, torch.Tensor)), isinstance(3, torch.Tensor)", "(True, False)"),
        ("torch.Tensor, torch.FloatTensor", "(<class 'torch.Tensor'>, <class 'torch.FloatTensor'>)"),
        ("type(x.shape), type(x.shape)([1, 2])", "(<class 'torch.Size'>, torch.Size([1, 2]))"),
        ("isinstance(x.shape, tuple), isinstance(x.shape, torch.Size)", "(True, True)"),
        ("type(x.device)('cpu'), torch.device", "(device(type='cpu'), <class 'torch.device'>)"),
        ("type(x.dtype), isinstance(x.dtype, torch.dtype)", "(<class 'torch.dtype'>, True)"),
        ("torch.Tensor.add(x, x), torch.Tensor.__name__", "(tensor([3., 5.]), 'Tensor')"),
        ("{torch.Tensor: 1}[type(x)]", "1"),
        ("list(map(torch.Tensor, [[1], [2]]))", "[tensor([1.]), tensor([2.])]"),
        ("issubclass(torch.FloatTensor, torch.Tensor)", "False"),
    ],
)
def test_classes_of_torch(expression: str, text: str) -> None:
    assert printed(f"{HEAD}print(repr(({expression})))") == text + "\n"


def test_the_type_of_a_tensor_makes_tensors_before_torch_was_named() -> None:
    assert printed("print(type(ones(2))([1, 2]))") == "tensor([1., 2.])\n"


@pytest.mark.parametrize(
    "text",
    [
        "torch.Tensor.grad = 1",
        "torch.Tensor.data = 1",
        "torch.FloatTensor.shape = 1",
        "type(x).requires_grad = True",
        "setattr(torch.Tensor, 'data', 1)",
        "setattr(type(x), 'grad', 1)",
    ],
)
def test_classes_are_not_changed(text: str) -> None:
    with pytest.raises((TypeError, AttributeError)):
        run(HEAD + text)


def test_exceptions_are_the_classes_themselves() -> None:
    world = World()
    world.run("try: ones(2) + ones(3)\nexcept RuntimeError as error: kind = type(error)\nkind")
    assert world.shown == [RuntimeError]
