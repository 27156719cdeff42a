"""Devices, and the type of a tensor: its dtype and its device together."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Any, Final, NoReturn

from numpy import ndarray

from tgrad.backends.constants import BY_CODE, Numbers
from tgrad.backends.interface import Backend, Missing, NotInstalled
from tgrad.backends.narrow import in_wide
from tgrad.core.dtype import DTYPES, DType, bfloat16, float32, from_numpy
from tgrad.errors import ArgumentError, DeviceError, DeviceMissingError

_KNOWN: Final = (
    "cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, "
    "mps, meta, hpu, mtia, privateuseone"
)
FOREIGN: Final = {"cuda": "cupy_", "dask": "dask_"}
"""Types of devices other than the CPU, and the files of their array libraries in `tgrad.backends`."""
_DEVICE_STRING: Final = re.compile(r"([a-z_]+)(?::(0|[1-9]\d*))?")


class Device:
    """Where a tensor's elements are: a type (`cpu`, `cuda`, `dask`) and, where it has several, an index."""

    __slots__ = ("index", "type")

    def __init__(self, type: Any = None, index: int | None = None, *, device: Any = None) -> None:
        if type is None and index is None:
            type = device
        if isinstance(type, str) and (index is None or _is_index(index)):
            self.type, self.index = _parse(type, index)
        elif isinstance(type, Device) and index is None:
            self.type, self.index = type.type, type.index
        elif _is_index(type) and index is None:
            self.type, self.index = _accelerator(type)
        else:
            _refuse(type, index)

    def __enter__(self) -> Device:
        """Let new tensors be here, until the block ends."""
        from tgrad.core.modes import state

        _OUTER.append(state.device)
        state.device = CPU if self == CPU else self
        return self

    def __exit__(self, *error: object) -> None:
        from tgrad.core.modes import state

        state.device = _OUTER.pop()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __lt__(self, other: object) -> bool:
        raise TypeError("comparison not implemented")

    __le__ = __gt__ = __ge__ = __lt__

    def __reduce__(self) -> tuple[Any, ...]:
        return _device, (self.type, self.index)


Device.__module__ = "torch"
Device.__name__ = Device.__qualname__ = "device"

_OUTER: Final[list[Device]] = []
"""Where new tensors were before each of the blocks `with device:` that are under way."""


def _device(type: str, index: int | None) -> Device:
    return Device(type, index)


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _refuse(type: Any, index: Any) -> NoReturn:
    """Raise PyTorch's error for what is no device."""
    what = _class_name(type)
    if index is not None and not isinstance(type, str):
        raise ArgumentError(f"device(): argument 'type' (position 1) must be str, not {what}")
    if index is not None:
        what = _class_name(index)
        raise ArgumentError(f"device(): argument 'index' (position 2) must be int, not {what}")
    raise ArgumentError(
        f"device() received an invalid combination of arguments - got ({what}), but expected one of:\n"
        " * (torch.device device)\n"
        f"      didn't match because some of the arguments have invalid types: (!{what}!)\n"
        " * (str type, int index = -1)\n"
    )


def _class_name(value: Any) -> str:
    return "torch.device" if isinstance(value, Device) else type(value).__name__


def _accelerator(index: int) -> tuple[str, int]:
    """The device that a number alone means; DeviceError where there is none."""
    if index < 0:
        raise DeviceError("Device index must not be negative")
    try:
        backend(CUDA)
    except (DeviceError, DeviceMissingError) as error:
        text = "Cannot access accelerator device when none is available."
        raise DeviceError(text, hint=error.hint) from None
    return CUDA.type, index


@lru_cache(maxsize=64)
def _parse(text: str, index: int | None) -> tuple[str, int | None]:
    match = _DEVICE_STRING.fullmatch(text)
    if match is None:
        raise DeviceError(f"Invalid device string: '{text}'")
    name = match[1]
    if name not in _KNOWN.split(", ") and name not in FOREIGN:
        raise DeviceError(f"Expected one of {_KNOWN} device type at start of device string: {name}")
    if match[2] is not None:
        if index is not None:
            raise DeviceError(
                f"type (string) must not include an index because index was passed explicitly: {text}"
            )
        index = int(match[2])
    if index is not None and index < 0:
        raise DeviceError("Device index must not be negative")
    return name, index


CPU: Final = Device("cpu")
CUDA: Final = Device("cuda")


class _Related(dict[DType, "TensorType"]):
    def __init__(self, device: Device) -> None:
        self._device = device

    def __missing__(self, dtype: DType) -> TensorType:
        found = self[dtype] = tensor_type(dtype, self._device)
        return found


class TensorType:
    """A dtype on a device.  There is one object for each pair, so that `is` compares both at once."""

    __slots__ = (
        "apart", "array", "backend", "category", "counts", "device", "direct", "dtype", "foreign", "inexact",
        "narrow", "numbers", "plain", "related", "weak", "xp",
    )  # fmt: skip

    def __init__(self, dtype: DType, device: Device) -> None:
        self.dtype = dtype
        self.device = device
        self.backend: Backend | None = None if device.type == "cpu" else backend(device)
        """The array library behind its interface; None for NumPy."""
        if self.backend is None:
            from tgrad.backends import numpy_

            self.xp: Any = numpy_
        else:
            self.backend.check_dtype(dtype.numpy)
            self.xp = self.backend.xp
        self.array: type = ndarray if self.backend is None else self.backend.array_types[0]
        """The class of its arrays."""
        self.category = dtype.category
        self.inexact = dtype.is_differentiable
        self.narrow = self.inexact and dtype.itemsize == 2
        """Whether it is float16 or bfloat16: Note [Narrow floats] in tgrad.backends.narrow."""
        self.weak = self.inexact and not self.narrow
        """Whether NumPy rounds Python numbers that meet arrays of this dtype as PyTorch does."""
        self.plain = self.weak and self.backend is None
        """Whether formulas can work on bare arrays, and those are NumPy's."""
        self.foreign = None if self.backend is None else self.backend.compute
        """For arrays that aren't NumPy's: computes a row's forward, given the row and this type."""
        self.apart = self.foreign or (in_wide if self.narrow else None)
        """The same, for 16 bits, too, where a row's forward computes in the dtype of its arrays."""
        self.direct = self.apart is None or (
            self.backend is not None and self.backend.writes and not self.narrow
        )
        """Whether a function of the library can be told to write its result over an array."""
        self.counts = dtype.name in ("int32", "int64")
        """Whether the dtype holds every Python integer of 32 bits."""
        if self.backend is not None:
            self.numbers: Any = self.backend.numbers
        else:
            self.numbers = Numbers(None) if self.narrow else BY_CODE[dtype.numpy.char]
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


def named(name: str) -> tuple[DType, Device] | None:
    """The dtype and the device that the name of a tensor type means; None for another name."""
    device = CUDA if name.startswith("torch.cuda.") else CPU
    title = name.removeprefix("torch.cuda." if device is CUDA else "torch.")
    for dtype in DTYPES:
        if title == f"{dtype.title}Tensor":
            return dtype, device
    return None


_TYPES: dict[Any, TensorType] = {}
"""By dtype and device; those on the CPU by dtype alone, which Python hashes in a third of the time."""


def tensor_type(dtype: DType, device: Device = CPU) -> TensorType:
    """The one type of this dtype on this device.  DeviceError where the device isn't available."""
    if device is CPU or device.type == "cpu":  # "cpu:1" is "cpu"
        found = _TYPES.get(dtype)
        if found is None:
            found = _TYPES[dtype] = TensorType(dtype, CPU)
        return found
    found = _TYPES.get((dtype, device))
    if found is None:
        index = backend(device).index
        if index != device.index:  # "cuda" is "cuda:0"
            found = tensor_type(dtype, Device(device.type, index))
        else:
            found = TensorType(dtype, device)
        _TYPES[dtype, device] = found
    return found


_BACKENDS: Final[dict[str, Backend]] = {}
"""Array libraries that are in use, by the types of their devices."""


def backend(device: Device) -> Backend:
    """The array library of a device that isn't the CPU; DeviceError where it isn't available."""
    found = _BACKENDS.get(device.type)
    if found is None:
        file = FOREIGN.get(device.type)
        if file is None:
            raise DeviceError(f"device '{device}' is not available")
        try:
            found = import_module(f"tgrad.backends.{file}").open()
        except NotInstalled as error:
            raise DeviceMissingError(str(error), hint=error.hint) from None
        except Missing as error:
            raise DeviceError(str(error), hint=error.hint) from None
        _BACKENDS[device.type] = found
        if _memory_limit is not None:
            found.machine.limit_memory(_memory_limit)
        for class_ in found.array_types:
            _BY_CLASS[class_] = _ByArrays(Device(device.type, found.index))
    if device.index not in (None, found.index):
        known = device.type if found.index is None else f"{device.type}:{found.index}"
        raise DeviceError(found.absent_index, hint=f"there is one device of this type: {known}")
    return found


_memory_limit: int | None = None


def limit_memory(nbytes: int | None) -> None:
    """Give arrays on each device but the CPU no more memory than this from now on; None ends the limit."""
    global _memory_limit
    _memory_limit = nbytes
    for found in _BACKENDS.values():
        found.machine.limit_memory(nbytes)


def is_available(device: Device) -> bool:
    """Whether tensors can be on a device."""
    try:
        tensor_type(float32, device)
    except (DeviceError, DeviceMissingError):
        return False
    return True


class _ByArrays(dict[Any, TensorType]):
    def __init__(self, device: Device) -> None:
        super().__init__()
        self._device = device

    def __missing__(self, array_dtype: Any) -> TensorType:
        dtype = from_numpy(array_dtype)
        if dtype is None:
            raise KeyError(array_dtype)
        found = self[array_dtype] = tensor_type(dtype, self._device)
        return found


CPU_TYPES: Final = _ByArrays(CPU)
"""NumPy dtype -> type on the CPU."""

_BY_CLASS: Final[dict[type, _ByArrays]] = {}


def type_of(array: Any) -> TensorType:
    """The type of a tensor with this array, or NumPy scalar."""
    return _BY_CLASS.get(type(array), CPU_TYPES)[array.dtype]


def library_of(array_class: type) -> Backend | None:
    """What is behind the arrays of a class, where it isn't NumPy and is in use."""
    for found in _BACKENDS.values():
        if issubclass(array_class, found.array_types):
            return found
    return None


def backend_of(array: Any) -> Backend | None:
    """What is behind an array that isn't NumPy's; None for one that is, and for a scalar."""
    by_dtype = _BY_CLASS.get(type(array))
    return None if by_dtype is None else by_dtype[array.dtype].backend
