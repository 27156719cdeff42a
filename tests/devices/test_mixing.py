"""Tensors of several devices in one operation are refused in PyTorch's words; 0-dimensional ones go along.

Where PyTorch's own sentences could be had without a GPU (on its device `meta`) they are recorded here; the
others are those of the checks in its source, which name the function that looks at the arguments.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy
import pytest

import tgrad as torch
from tgrad.errors import DeviceError

pytestmark = pytest.mark.usefixtures("cuda")

TWO = "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"
ONE = (
    "Expected all tensors to be on the same device, but got {} is on {}, different from other tensors on {} "
    "(when checking argument in method wrapper_CUDA_{})"
)


def tensors(device: str) -> SimpleNamespace:
    whole = torch.zeros(3, dtype=torch.int64, device=device)
    return SimpleNamespace(
        v=torch.ones(3, device=device), m=torch.ones(3, 3, device=device), z=torch.tensor(2.0).to(device),
        b=torch.ones(3, device=device) > 0, i=whole, B=torch.ones(2, 3, 3, device=device),
        mi=whole.reshape(1, 3), im=torch.ones(1, 3, 8, 8, device=device),
        k=torch.ones(4, 3, 3, 3, device=device),
    )  # fmt: skip


@pytest.fixture
def names() -> dict[str, Any]:
    modules = {"torch": torch, "F": torch.nn.functional, "nn": torch.nn}
    return {**modules, "g": tensors("cuda"), "c": tensors("cpu")}


REFUSED = {
    "g.v + c.v": TWO,
    "c.v + g.v": TWO,
    "c.v + g.z": TWO,
    "g.v == c.v": TWO,
    "g.v.add_(c.v)": TWO,
    "c.v.add_(g.z)": TWO,
    "c.z.add_(g.z)": TWO,
    "g.v.addcmul(c.v, g.v)": TWO,
    "torch.where(g.b, g.v, c.v)": TWO,
    "torch.where(c.b, g.v, g.v)": TWO,
    "torch.lerp(g.v, c.v, 0.5)": TWO,
    "torch.outer(g.v, c.v)": TWO,
    "F.mse_loss(g.v, c.v)": TWO,
    "F.binary_cross_entropy(g.v, c.v)": TWO,
    "F.prelu(g.m, c.v)": TWO,
    "torch.cat((g.v, c.v))": ONE.format("tensors", "cpu", "cuda:0", "cat"),
    "torch.stack((c.v, g.v))": ONE.format("tensors", "cuda:0", "cpu", "cat"),
    "torch.vstack((g.v, c.v))": ONE.format("tensors", "cpu", "cuda:0", "cat"),
    "g.m @ c.m": ONE.format("mat2", "cpu", "cuda:0", "mm"),
    "c.m @ g.m": ONE.format("mat2", "cuda:0", "cpu", "mm"),
    "g.B @ c.B": ONE.format("mat2", "cpu", "cuda:0", "bmm"),
    "g.v @ c.v": ONE.format("tensor", "cpu", "cuda:0", "_dot"),
    "torch.addmm(c.m, g.m, g.m)": ONE.format("mat1", "cuda:0", "cpu", "addmm"),
    "torch.einsum('ij,jk', g.m, c.m)": ONE.format("mat2", "cpu", "cuda:0", "bmm"),
    "F.linear(c.m, g.m, g.v)": ONE.format("mat1", "cpu", "cuda:0", "addmm"),
    "nn.Linear(3, 3)(g.m)": ONE.format("mat1", "cuda:0", "cpu", "addmm"),
    "F.cross_entropy(g.m, c.i)": ONE.format("target", "cpu", "cuda:0", "nll_loss_forward"),
    "F.nll_loss(g.m, g.i, weight=c.v)": ONE.format("weight", "cpu", "cuda:0", "nll_loss_forward"),
    "F.embedding(c.i, g.m)": ONE.format("index", "cpu", "cuda:0", "_index_select"),
    "F.layer_norm(g.m, (3,), c.v)": ONE.format("weight", "cpu", "cuda:0", "_native_layer_norm"),
    "torch.gather(g.m, 0, c.mi)": ONE.format("index", "cpu", "cuda:0", "gather"),
    "c.m.gather(0, g.mi)": ONE.format("index", "cuda:0", "cpu", "gather"),
    "g.m.scatter(0, g.mi, c.m)": ONE.format("src", "cpu", "cuda:0", "scatter_src"),
    "g.m.index_select(0, c.i)": ONE.format("index", "cpu", "cuda:0", "_index_select"),
    "g.m.index_add(0, g.i, c.m)": ONE.format("source", "cpu", "cuda:0", "index_add"),
    "g.m.take(c.i)": ONE.format("index", "cpu", "cuda:0", "_take"),
    "torch.linalg.solve(g.m, c.m)": ONE.format("B", "cpu", "cuda:0", "_linalg_solve_ex"),
    "torch.add(g.v, g.v, out=c.v)": TWO,
    "torch.exp(c.v, out=g.v)": TWO,
    "torch.mm(g.m, g.m, out=c.m)": ONE.format("self", "cuda:0", "cpu", "mm_out_out"),
    "torch.sum(g.m, 0, out=c.v)": "Expected out tensor to have device cuda:0, but got cpu instead",
    "g.m.masked_fill(c.m > 0, 1.0)": "expected self and mask to be on the same device, but got mask on "
    "cpu and "
    "self on cuda:0",
    "c.v[g.i]": "indices should be either on cpu or on the same device as the indexed tensor (cpu)",
    "c.v.__setitem__(g.b, 1.0)": "indices should be either on cpu or on the same device as the indexed "
    "tensor "
    "(cpu)",
    "g.v.__setitem__(g.i, c.v)": TWO,
    "F.conv2d(g.im, c.k)": "Input type (torch.cuda.FloatTensor) and weight type (torch.FloatTensor) "
    "should be the "
    "same",
    "F.conv2d(c.im, g.k)": "Input type (torch.FloatTensor) and weight type (torch.cuda.FloatTensor) "
    "should be the "
    "same or input should be a MKLDNN tensor and weight is a dense tensor",
    "F.conv2d(g.im, g.k, torch.ones(4))": "Input type (torch.cuda.FloatTensor) and bias type "
    "(torch.FloatTensor) "
    "should be the same",
    "torch.linalg.multi_dot((g.m, c.m))": "multi_dot(): all tensors must be on the same device but "
    "tensor 0 is on "
    "cuda:0 and tensor 1 on cpu",
    "torch.cholesky_solve(g.m, c.m)": "Expected b and A to be on the same device, but found b on cuda:0 "
    "and A on "
    "cpu instead.",
    "torch.meshgrid(g.v, c.v, indexing='ij')": "meshgrid expects all tensors to have the same device",
    "torch.quantile(g.v, c.v)": "quantile() q tensor must be on the same device as the input tensor",
    "torch.take_along_dim(g.m, c.mi, 0)": "Expected tensor to have cuda:0 Device, but got tensor with "
    "cpu Device "
    "(while checking arguments for torch.take_along_dim():)",
    "F.scaled_dot_product_attention(g.B, c.B, g.B)": "Expected query, key, and value to have the same "
    "device type, "
    "but got query.device: cuda:0 key.device: cpu and value.device: cuda:0 instead.",
    "torch.ormqr(g.m, g.v, c.m)": "torch.ormqr: Expected other and input tensors to be on the same "
    "device, but got "
    "other on cpu and input on cuda:0",
    "g.v.set_(c.v)": 'Attempted to set the storage of a tensor on device "cuda:0" to a storage on '
    'different device '
    '"cpu".  This is no longer allowed; the devices must match.',
}  # fmt: skip


@pytest.mark.parametrize("expression", REFUSED)
def test_refused(expression: str, names: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError) as caught:
        eval(expression, names)
    assert str(caught.value) == REFUSED[expression]
    assert isinstance(caught.value, DeviceError)


def test_shapes_and_dtypes_are_refused_as_on_the_cpu(names: dict[str, Any]) -> None:
    for expression in ("{0}.m @ {0}.v[:2]", "{0}.m @ {0}.m.double()", "{0}.v + {0}.m[:, :2]"):
        sentences = []
        for device in "gc":
            with pytest.raises(RuntimeError) as caught:
                eval(expression.format(device), names)
            sentences.append(str(caught.value))
        assert sentences[0] == sentences[1]


TOGETHER = {
    "g.v + c.z": "cuda:0",
    "c.z * g.v": "cuda:0",
    "c.z + g.z": "cuda:0",
    "g.v * 2": "cuda:0",
    "g.v.mul_(c.z)": "cuda:0",
    "torch.where(g.b, c.z, g.v)": "cuda:0",
    "torch.clamp(g.v, c.z)": "cuda:0",
    "g.v.pow(c.z)": "cuda:0",
    "g.v.lerp(g.v, c.z)": "cuda:0",
    "g.m.masked_fill(g.m > 0, c.z)": "cuda:0",
    "g.v[c.i]": "cuda:0",
    "g.v[c.b]": "cuda:0",
    "c.m[g.i[0]]": "cpu",
    "g.v.copy_(c.v)": "cuda:0",
    "c.v.copy_(g.v)": "cpu",
}


@pytest.mark.parametrize("expression", TOGETHER)
def test_together(expression: str, names: dict[str, Any]) -> None:
    found = eval(expression, names)
    assert str(found.device) == TOGETHER[expression]
    names["g"] = tensors("cpu")
    assert found.tolist() == eval(expression, names | {"g": tensors("cpu"), "c": tensors("cpu")}).tolist()


def test_numbers_from_another_device_are_stored() -> None:
    target, other = torch.zeros(2, 3, device="cuda"), torch.zeros(2, 3)
    target[0], target[1, 1], target[target == 0] = torch.ones(3), torch.tensor(5.0), torch.tensor(7.0)
    other[0], other[1] = target[1], torch.tensor(2.0, device="cuda")
    assert target.tolist() == [[1.0, 1.0, 1.0], [7.0, 5.0, 7.0]]
    assert other.tolist() == [[7.0, 5.0, 7.0], [2.0, 2.0, 2.0]]


def test_gradients_of_another_device() -> None:
    x, y = (torch.ones(3, device=device, requires_grad=True) for device in ("cuda", "cpu"))
    with pytest.raises(RuntimeError) as caught:
        x.grad = torch.ones(3)
    assert str(caught.value) == (
        "attempting to assign a gradient with device type 'cpu' to a tensor with device type 'cuda'. Please "
        "ensure that the gradient and the tensor are on the same device"
    )
    for tensor, gradient, want, have in ((x, y, "cuda:0", "cpu"), (y, x, "cpu", "cuda:0")):
        with pytest.raises(RuntimeError) as caught:
            (tensor * 2).backward(gradient.detach())
        assert str(caught.value) == f"invalid gradient at index 0 - expected device {want} but got {have}"
    (x * 2).sum().backward(torch.tensor(1.0))  # one of no dimension is taken across
    assert x.grad.tolist() == [2.0, 2.0, 2.0]


def test_a_function_that_returns_a_gradient_of_another_device() -> None:
    class Lost(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g.cpu()

    x = torch.ones(3, device="cuda", requires_grad=True)
    with pytest.raises(RuntimeError) as caught:
        Lost.apply(x).sum().backward()
    assert str(caught.value) == (
        "Function LostBackward returned an invalid gradient at index 0 - expected device cuda:0 but got cpu"
    )


def test_an_optimizer_whose_parameter_has_moved() -> None:
    parameter = torch.nn.Parameter(torch.ones(3, device="cuda"))
    optimizer = torch.optim.SGD([parameter], lr=0.1, momentum=0.9)
    parameter.grad = torch.ones(3, device="cuda")
    optimizer.step()
    parameter.data = parameter.data.cpu()
    parameter.grad = torch.ones(3)
    with pytest.raises(RuntimeError) as caught:
        optimizer.step()
    assert str(caught.value) == TWO


def test_numpy() -> None:
    x = torch.ones(3, device="cuda")
    sentence = (
        "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
        "memory "
        "first."
    )
    for convert in (lambda: x.numpy(), lambda: numpy.asarray(x)):
        with pytest.raises(TypeError) as caught:
            convert()
        assert str(caught.value) == sentence
    assert x.numpy(force=True).tolist() == x.cpu().numpy().tolist() == [1.0, 1.0, 1.0]
