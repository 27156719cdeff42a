"""Devices, and the type of a tensor: its dtype and its device together."""

from __future__ import annotations

import re
from typing import Any, Final

from tgrad.backends.constants import Numbers
from tgrad.core.dtype import DType, bfloat16, from_numpy
from tgrad.errors import ArgumentError, DeviceError, DeviceMissingError

_KNOWN: Final = (
    "cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, "
    "mps, meta, hpu, mtia, privateuseone"
)
_DEVICE_STRING: Final = re.compile(r"([a-z_]+)(?::(0|[1-9]\d*))?")


class Device:
    """Where a tensor's elements are: a type (`cpu`, `cuda`) and, where it has several, an index."""

    __slots__ = ("index", "type")

    def __init__(self, type: str | Device, index: int | None = None) -> None:
        if isinstance(type, Device):
            index = type.index
            type = type.type
        elif isinstance(type, int):
            raise DeviceError("Cannot access accelerator device when none is available.")
        elif not isinstance(type, str):
            raise ArgumentError(
                f"Device(): argument 'type' (position 1) must be str, not {_class_name(type)}"
            )
        else:
            type, index = _parse(type, index)
        self.type: str = type
        self.index: int | None = index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"


Device.__module__ = "torch"
Device.__name__ = Device.__qualname__ = "device"


def _class_name(value: Any) -> str:
    return type(value).__name__


def _parse(text: str, index: int | None) -> tuple[str, int | None]:
    match = _DEVICE_STRING.fullmatch(text)
    if match is None:
        raise DeviceError(f"Invalid device string: '{text}'")
    name = match[1]
    if name not in _KNOWN.split(", "):
        raise DeviceError(f"Expected one of {_KNOWN} device type at start of device string: {name}")
    if match[2] is not None:
        if index is not None:
            raise DeviceError(
                f"type (string) must not include an index because index was passed explicitly: {text}"
            )
        index = int(match[2])
    return name, index


CPU: Final = Device("cpu")


class _Related(dict[DType, "TensorType"]):
    def __init__(self, device: Device) -> None:
        self._device = device

    def __missing__(self, dtype: DType) -> TensorType:
        found = self[dtype] = tensor_type(dtype, self._device)
        return found


class TensorType:
    """A dtype on a device.  There is one object for each pair, so that `is` compares both at once."""

    __slots__ = (
        "category", "counts", "device", "dtype", "inexact", "narrow", "numbers", "related", "weak", "xp",
    )  # fmt: skip

    def __init__(self, dtype: DType, device: Device, xp: Any) -> None:
        self.dtype = dtype
        self.device = device
        self.xp = xp
        self.category = dtype.category
        self.inexact = dtype.is_differentiable
        self.narrow = self.inexact and dtype.itemsize == 2
        """Whether it is float16 or bfloat16: Note [Narrow floats] in tgrad.backends.narrow."""
        self.weak = self.inexact and not self.narrow
        """Whether NumPy rounds Python numbers that meet arrays of this dtype as PyTorch does."""
        self.counts = dtype.name in ("int32", "int64")
        """Whether the dtype holds every Python integer of 32 bits."""
        self.numbers = Numbers(None if self.narrow else dtype.numpy, xp.asarray)
        """Python numbers as kernels take them."""
        self.related = _Related(device)
        """The types of the other dtypes on the same device."""

    @property
    def name(self) -> str:
        """PyTorch's name: `torch.FloatTensor`, `torch.cuda.FloatTensor`."""
        device = "" if self.device.type == "cpu" else f"{self.device.type}."
        return f"torch.{device}{self.dtype.title}Tensor"

    @property
    def printed(self) -> str:
        """What PyTorch's errors call it, which is another name for bfloat16."""
        return "CPUBFloat16Type" if self.dtype is bfloat16 else self.name


_TYPES: dict[Any, TensorType] = {}
"""By dtype and device; those on the CPU by dtype alone, which Python hashes in a third of the time."""


def tensor_type(dtype: DType, device: Device = CPU) -> TensorType:
    """The one type of this dtype on this device.  DeviceError where the device isn't available."""
    key = dtype if device is CPU or device == CPU else (dtype, device)
    found = _TYPES.get(key)
    if found is None:
        found = _TYPES[key] = TensorType(dtype, device, backend(device))
    return found


def backend(device: Device) -> Any:
    """The array library of a device."""
    if device.type == "cpu":
        from tgrad.backends import numpy_

        return numpy_
    if device.type == "cuda":
        raise DeviceMissingError(
            "Torch not compiled with CUDA enabled",
            hint="tgrad computes on the CPU; leave out .cuda() and device='cuda'",
        )
    raise DeviceError(f"device '{device}' is not available")


class _ByArrays(dict[Any, TensorType]):
    def __missing__(self, array_dtype: Any) -> TensorType:
        dtype = from_numpy(array_dtype)
        if dtype is None:
            raise KeyError(array_dtype)
        found = self[array_dtype] = tensor_type(dtype, CPU)
        return found


CPU_TYPES: Final = _ByArrays()
"""NumPy dtype -> type on the CPU."""


class _ByCode(dict[str, Numbers]):
    def __missing__(self, code: str) -> Numbers:
        found = self[code] = CPU_TYPES[_dtype_of_code(code)].numbers
        return found


def _dtype_of_code(code: str) -> Any:
    import numpy

    return numpy.dtype(code)


CPU_NUMBERS: Final = _ByCode()
"""Code of a NumPy dtype (`array.dtype.char`) -> Python numbers as arrays of that dtype."""
