"""Tensors of different devices in one operation: PyTorch's sentences.

Where PyTorch looks at the devices differs between its operators.  The elementwise ones and the reductions
take 0-dimensional tensors on the CPU along, and name two devices.  The others look at one argument after the
other before they do anything else, and name the first that isn't where those before it are, and themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tgrad.core.device import Device
from tgrad.core.tensor import Tensor
from tgrad.errors import DeviceError
from tgrad.ops.table import Op
from tgrad.ops.writer import promoting

_METHODS: Final[dict[str, str]] = {
    "mm": "mm", "bmm": "bmm", "addmm": "addmm", "baddbmm": "baddbmm", "addmv": "addmv", "dot": "_dot",
    "mv": "addmv_out_out", "vdot": "_vdot", "addbmm": "_addbmm", "addr": "_addr", "cat": "cat",
    "stack": "cat", "gather": "gather", "scatter": "scatter_src",
    "scatter.value": "scatter_value", "scatter.reduce": "scatter_reduce",
    "scatter.value_reduce": "scatter_value_reduce", "scatter_add": "scatter_add",
    "scatter_reduce": "scatter_reduce_two", "index_select": "_index_select", "index_add": "index_add",
    "index_copy": "index_copy", "index_reduce": "index_reduce", "take": "_take", "put": "_put_",
    "embedding": "_index_select", "nll_loss": "nll_loss_forward", "nll_loss2d": "_nll_loss2d_forward",
    "multi_margin_loss": "_multi_margin_loss", "multilabel_margin_loss": "_multilabel_margin_loss_forward",
    "layer_norm": "_native_layer_norm", "group_norm": "_native_group_norm",
    "native_batch_norm": "_native_batch_norm", "_masked_scatter": "_masked_scatter_",
    "_cdist_forward": "__cdist_forward", "searchsorted.places": "Tensor_searchsorted",
    "_lu_solve": "linalg_lu_solve", "_solve_ex": "_linalg_solve_ex",
    "_solve_triangular": "_linalg_solve_triangular", "linalg_cross": "linalg_cross",
    "isin": "isin_Tensor_Tensor",
}  # fmt: skip
"""Rows that look at one argument after the other, and what PyTorch calls what looks."""

_NAMES: Final[dict[str, dict[str, str]]] = {
    "embedding": {"weight": "self", "indices": "index"},
    "layer_norm": {"input": "input"},
    "group_norm": {"input": "input"},
    "native_batch_norm": {"input": "input"},
    "mv": {"input": "mat"},
}
"""What PyTorch calls parameters there; `input` is `self` elsewhere."""

_SENTENCES: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("masked_fill", "masked_fill.tensor"),
        "expected self and mask to be on the same device, but got mask on {mask} and self on {input}",
    ),
    **dict.fromkeys(
        ("grid_sampler_2d", "grid_sampler_3d"),
        "grid_sampler(): expected input and grid to be on same device, but input is on {input} and grid is "
        "on {grid}",
    ),
    "ormqr": "torch.ormqr: Expected other and input tensors to be on the same device, but got other on "
    "{input3} and input on {input}",
    "linalg_householder_product": "torch.linalg.householder_product: Expected tau and input tensors to be on "
    "the same device, but got tau on {tau} and input on {input}",
}
"""Sentences of rows of their own."""


def refuse_devices(op: Op, values: Sequence[Any]) -> None:
    """Raise PyTorch's error if tensors, or lists of them, are on several devices.

    `values` are those of `tensors_of`, in this order.
    """
    named = [
        (p.name, tensor)
        for p, value in zip(tensors_of(op), values, strict=True)
        for tensor in (value if isinstance(value, (tuple, list)) else (value,))
        if isinstance(tensor, Tensor)
    ]
    error = _error(op, named)
    if error is not None:
        raise error from None


def tensors_of(op: Op) -> list[Any]:
    """The parameters of a row that are tensors, or may be."""
    return [p for p in op.parameters if p.kind in ("tensor", "operand", "index", "tensors")]


def refuse_operands(op: Op, operands: Sequence[Any]) -> None:
    """The same for those parameters that are converted to one dtype."""
    names = [p.name for p in promoting(op)]
    error = _error(op, [(n, t) for n, t in zip(names, operands, strict=True) if isinstance(t, Tensor)])
    if error is not None:
        raise error from None


def _error(op: Op, named: list[tuple[str, Tensor]]) -> DeviceError | None:
    if len(named) < 2:
        return None
    method, sentence = _METHODS.get(op.name), _SENTENCES.get(op.name)
    if sentence is not None:
        found = _sentence(sentence, dict(named))
    else:
        found = _elementwise(named) if method is None else _one_by_one(op.name, method, named)
    if found is not None:
        found.details.setdefault("op", op.public)
        found.details.setdefault("operands", tuple(tensor for _, tensor in named))
    return found


def _sentence(sentence: str, named: dict[str, Tensor]) -> DeviceError | None:
    devices = {name: tensor._type.device for name, tensor in named.items()}
    asked = [devices[name] for name in devices if f"{{{name}}}" in sentence]
    return None if len(set(asked)) < 2 else DeviceError(sentence.format(**devices))


def _elementwise(named: list[tuple[str, Tensor]]) -> DeviceError | None:
    tensors = [tensor for _, tensor in named]
    devices = [t._type.device for t in tensors if t._array.ndim or t._type.backend is not None]
    common = next((device for device in devices if device.type != "cpu"), None)
    other = next((device for device in devices if device != common), None)
    return None if common is None or other is None else two_devices(common, other)


def two_devices(device: Device, other: Device) -> DeviceError:
    """The error of elementwise operators, which names the CPU last."""
    if device.type == "cpu":
        device, other = other, device
    return DeviceError(
        "Expected all tensors to be on the same device, but found at least two devices, "
        f"{device} and {other}!"
    )


def refuse_arguments(method: str, **named: Tensor | None) -> None:
    """Raise the error of what looks at one argument after the other, called by PyTorch's names."""
    error = _one_by_one("", method, [(name, t) for name, t in named.items() if t is not None])
    if error is not None:
        raise error


def refuse_several(sentence: str, *tensors: Tensor) -> None:
    """Raise the error of an operator with a sentence of its own, in which {0}, {1}... are the devices."""
    devices = [tensor._type.device for tensor in tensors]
    if any(device != devices[0] for device in devices):
        raise DeviceError(sentence.format(*devices))


def _one_by_one(row: str, method: str, named: list[tuple[str, Tensor]]) -> DeviceError | None:
    if row == "mv":  # it makes the result first, where the vector is
        named = named[::-1]
    common = named[0][1]._type.device
    for name, tensor in named:
        device = tensor._type.device
        if device != common:
            known = _NAMES.get(row, {}).get(name, "self" if name == "input" else name)
            return DeviceError(
                f"Expected all tensors to be on the same device, but got {known} is on {device}, different "
                f"from other tensors on {common} (when checking argument in method wrapper_CUDA_{method})"
            )
    return None


def refuse_target(op: Op, target: Tensor, result: Tensor) -> None:
    """Raise PyTorch's error for a target of `out=` on another device than the result."""
    have, want = target._type.device, result._type.device
    if have == want:
        return
    method = _METHODS.get(op.name)
    if method is not None:
        method = f"out{method}_out" if method[0] == "_" else f"{method}_out_out"
        raise DeviceError(
            f"Expected all tensors to be on the same device, but got {_first_name(op)} is on {want}, "
            f"different from other tensors on {have} (when checking argument in method wrapper_CUDA_{method})"
        )
    if op.family in ("unary", "broadcast"):
        raise two_devices(have, want)
    raise DeviceError(f"Expected out tensor to have device {want}, but got {have} instead")


def _first_name(op: Op) -> str:
    name = tensors_of(op)[0].name
    return _NAMES.get(op.name, {}).get(name, "self" if name == "input" else name)
