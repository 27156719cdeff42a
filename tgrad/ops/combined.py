"""Rows: a sum and a product at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError
from tgrad.ops.elementwise import BOOL, INTEGERS, plus_product
from tgrad.ops.formulas import scale
from tgrad.ops.table import broadcast, same


def _addcmul(xp: Any, input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    dtype = input.dtype
    factor = tensor1 if value == 1 else tensor1 * dtype.type(value)
    return plus_product(xp, input, factor, tensor2, dtype)


def _addcdiv(xp: Any, input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    return xp.add(input, xp.divide(tensor1 * input.dtype.type(value), tensor2))


def _no_integers(operands: Sequence[Any]) -> None:
    _, first, second = operands
    if not first._type.inexact and not second._type.inexact:
        raise DTypeError(
            "Integer division with addcdiv is no longer supported, and in a future  release "
            "addcdiv will perform a true division of tensor1 and tensor2. The historic addcdiv "
            "behavior can be implemented as (input + value * torch.trunc(tensor1 / "
            "tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / "
            "tensor2) for float inputs. The future addcdiv behavior is just the latter "
            "implementation: (input + value * tensor1 / tensor2), for all dtypes."
        )


broadcast(
    "addcmul", _addcmul, kinds={"value": "number"}, inplace=True, holomorphic=True,
    refuses={"addcmul_cpu_out": BOOL},
    input=lambda o, g: g,
    tensor1=lambda o, g, tensor2, value: g * scale(tensor2, value),
    tensor2=lambda o, g, tensor1, value: g * scale(tensor1, value),
    doc="input + value * tensor1 * tensor2, element by element, with broadcasting.",
)  # fmt: skip

broadcast(
    "addcdiv", _addcdiv, kinds={"value": "number"}, inplace=True, holomorphic=True,
    check=lambda input, tensor1, tensor2, value: _no_integers((input, tensor1, tensor2)),
    input=lambda o, g: g,
    tensor1=lambda o, g, tensor2, value: g * o.div_number(value, tensor2),
    tensor2=lambda o, g, tensor1, tensor2, value: (
        -g * (scale(tensor1, value) / (tensor2 * tensor2))
    ),
    doc="input + value * tensor1 / tensor2, element by element, with broadcasting.",
)  # fmt: skip


def _lerp(xp: Any, input: Any, end: Any, weight: Any) -> Any:
    dtype = input.dtype
    step = end - input
    if type(weight) is float:  # one weight for all, as optimisers have it
        weight = dtype.type(weight)
        if abs(weight) < 0.5:
            return plus_product(xp, input, weight, step, dtype)
        return plus_product(xp, end, -step, 1 - weight, dtype)
    start, share = nearer(xp, xp.asarray(weight).astype(dtype), input, end)
    return plus_product(xp, start, share, step, dtype)


def nearer(xp: Any, weight: Any, input: Any, end: Any) -> tuple[Any, Any]:
    """The nearer end for each weight, and the share of the way from there."""
    near = xp.abs(weight) < 0.5
    if weight.ndim:
        return xp.where(near, input, end), xp.where(near, weight, -(1 - weight))
    return (input, weight) if near else (end, -(1 - weight))


def _same_dtypes(input: Tensor, **others: Any) -> None:
    for name, other in others.items():
        if isinstance(other, Tensor) and other._type.dtype is not input._type.dtype:
            if name == "weight" and not other._array.ndim:
                continue
            raise DTypeError(
                f"expected dtype {input._type.dtype.c_name} for `{name}` but got dtype "
                f"{other._type.dtype.c_name}"
            )


broadcast(
    "lerp.Tensor", _lerp, inplace=True, index=1, holomorphic=True,
    kinds={"end": "tensor", "weight": "tensor"}, dtype=same,
    check=lambda input, end, weight: _same_dtypes(input, end=end, weight=weight),
    refuses={"lerp_kernel_tensor": INTEGERS},
    input=lambda o, g, weight: g * (1 - weight),
    end=lambda o, g, weight: g * weight,
    weight=lambda o, g, input, end: g * (end - input),
    doc="input + weight * (end - input), element by element, with broadcasting.",
)  # fmt: skip

broadcast(
    "lerp.Scalar", _lerp, inplace=True, holomorphic=True,
    kinds={"end": "tensor", "weight": "number"}, dtype=same,
    check=lambda input, end, weight: _same_dtypes(input, end=end),
    refuses={"lerp_kernel_scalar": INTEGERS},
    input=lambda o, g, weight: g * (1 - weight),
    end=lambda o, g, weight: g * weight,
    doc="input + weight * (end - input), with one weight for all.",
)  # fmt: skip
