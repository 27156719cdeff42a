"""Tensors by class: `torch.Tensor(...)`, `torch.IntTensor(...)`, `torch.cuda.FloatTensor(...)`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy

from tgrad.core import dtype as dtypes
from tgrad.core.device import CPU, Device, TensorType, tensor_type
from tgrad.core.dtype import DType
from tgrad.core.tensor import Size, Tensor, new_tensor
from tgrad.errors import ArgumentError, DeviceError, DeviceMissingError
from tgrad.ops.arguments import type_name
from tgrad.ops.factory import array_of, leaf, option


def legacy_tensor(*data: Any, device: Any = None, **options: Any) -> Tensor:
    """`torch.Tensor(...)`: sizes, data or a tensor, of the default dtype.  `tensor()` is better."""
    return _legacy(tensor_type(dtypes.default.dtype), data, device, options, True)


_NEW_SIGNATURES: Final = """\
 * (*, torch.device device = None)
{reason} * (torch.Storage storage)
 * (Tensor other)
 * (tuple of ints size, *, torch.device device = None)
 * (object data, *, torch.device device = None)
"""


def _legacy(
    type_: TensorType, data: tuple[Any, ...], device: Any, options: dict[str, Any], plain: bool
) -> Tensor:
    where = option("new", "device", "device", device)
    if where is not None and where.type != type_.device.type:
        raise DeviceError(
            f"legacy constructor expects device type: {type_.device.type} but device type: {where.type} "
            "was passed"
        )
    if options:
        got = [type_name(value) for value in data]
        got += [f"{name}={type_name(value)}" for name, value in options.items()]
        reason = (
            "      didn't match because some of the keywords were incorrect: "
            f"{', '.join(options)}\n" if len(got) == 2 else ""
        )  # fmt: skip
        raise ArgumentError(
            f"new() received an invalid combination of arguments - got ({', '.join(got)}), but "
            f"expected one of:\n{_NEW_SIGNATURES.format(reason=reason)}"
        )
    if not data:
        return leaf(numpy.empty((0,), type_.dtype.numpy), type_)
    first = data[0]
    if len(data) == 1 and not (isinstance(first, int) and not isinstance(first, bool)):
        return _legacy_of(first, type_, plain)
    for position, size in enumerate(data):
        if not isinstance(size, int) or isinstance(size, bool):
            raise ArgumentError(
                f"new(): argument 'size' failed to unpack the object at pos {position + 1} with "
                f'error "type must be tuple of ints,but got {type_name(size)}"'
            )
    return _zeros(data, type_)


def _zeros(size: tuple[int, ...], type_: TensorType) -> Tensor:
    return new_tensor(type_.xp.zeros(size, type_.dtype.numpy), type_)


def _legacy_of(value: Any, type_: TensorType, plain: bool) -> Tensor:
    if isinstance(value, Size):
        return _zeros(value, type_)
    if isinstance(value, Tensor):
        if plain or value._type is type_:
            return value.view_as(value) if value.requires_grad else value.detach()
        raise ArgumentError(f"expected {_options_text(type_)} (got {_options_text(value._type)})")
    if isinstance(value, (bool, float, complex)) or value is None:
        raise ArgumentError(f"new(): data must be a sequence (got {type_name(value)})")
    array, _ = array_of(value, type_.dtype)
    return leaf(array, type_)


def _options_text(type_: TensorType) -> str:
    return (
        f"TensorOptions(dtype={type_.dtype.c_name}, device={type_.device}, layout=Strided, "
        "requires_grad=false (default), pinned_memory=false (default), memory_format=(nullopt))"
    )


class _TypedMeta(type):
    kind: tuple[DType, Device]
    """The dtype and the device of its tensors."""

    @property
    def dtype(cls) -> DType:
        """The dtype of its tensors."""
        return cls.kind[0]

    def __instancecheck__(cls, instance: Any) -> bool:
        if not isinstance(instance, Tensor):
            return False
        its = instance._type
        return its.dtype is cls.kind[0] and its.device.type == cls.kind[1].type

    def __call__(cls, *data: Any, device: Any = None, **options: Any) -> Tensor:
        return _legacy(typed(*cls.kind), data, device, options, False)


def typed(dtype: DType, device: Device) -> TensorType:
    """The tensor type that a class such as `torch.cuda.FloatTensor` stands for; ArgumentError without it."""
    try:
        return tensor_type(dtype, device)
    except (DeviceError, DeviceMissingError) as error:
        name = f"torch.{device.type}.{dtype.title}Tensor"
        raise ArgumentError(
            f"type {name} not available. Torch not compiled with CUDA enabled.", hint=error.hint
        ) from None


def typed_constructors(device: Device = CPU) -> Iterator[tuple[str, type]]:
    """`FloatTensor`, `IntTensor`, ...: name and class of each."""
    module = "torch" if device is CPU else f"torch.{device.type}"
    for dtype in dtypes.DTYPES:
        if dtype.category == dtypes.COMPLEX or dtype.name in ("uint16", "uint32", "uint64"):
            continue
        name = f"{dtype.title}Tensor"
        parts = {"kind": (dtype, device), "__module__": module, "__doc__": _legacy_doc(dtype)}
        yield name, _TypedMeta(name, (), parts)


def _legacy_doc(dtype: DType) -> str:
    return f"Tensors of dtype {dtype.name} from sizes or data; tensor(..., dtype=...) is better."


Tensor.legacy_constructor = staticmethod(legacy_tensor)
