"""`torch.accelerator`: the same questions as `torch.cuda`'s, whatever the kind of device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tgrad.core.device import CUDA, Device
from tgrad.errors import ArgumentValueError
from tgrad.ops import cuda
from tgrad.ops.cuda import device_count, is_available

__all__ = [
    "current_accelerator", "current_device_idx", "current_device_index", "current_stream", "device_count",
    "device_index", "empty_cache", "get_device_capability", "get_memory_info", "is_available",
    "max_memory_allocated", "max_memory_reserved", "memory_allocated", "memory_reserved",
    "reset_peak_memory_stats", "set_device_idx", "set_device_index", "set_stream", "synchronize",
]  # fmt: skip


def current_accelerator(check_available: bool = False) -> Device | None:
    """The kind of device that programs are made faster by; None where there is none."""
    return CUDA if is_available() else None


def _asking(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of `torch.cuda`'s, with PyTorch's error where there is no GPU."""

    def ask(device: Any = None, /) -> Any:
        if isinstance(device, (str, Device)) and Device(device).type != CUDA.type:
            raise ArgumentValueError(
                f"{Device(device).type} doesn't match the current accelerator {CUDA.type}."
            )
        index = Device(0 if device is None else device).index  # it asks whether there is any
        return function(index)

    ask.__name__ = ask.__qualname__ = function.__name__
    ask.__doc__ = function.__doc__
    return ask


def _number(device: Any) -> int:
    """The number of the GPU that is used."""
    return cuda.current_device()


def _emptied(device: Any) -> None:
    """Give back memory that no array is in."""
    cuda.empty_cache()


current_device_index = current_device_idx = _asking(_number)
current_stream = _asking(cuda.current_stream)
set_device_index = set_device_idx = _asking(cuda.set_device)
synchronize = _asking(cuda.synchronize)
empty_cache = _asking(_emptied)
memory_allocated = _asking(cuda.memory_allocated)
max_memory_allocated = _asking(cuda.max_memory_allocated)
memory_reserved = _asking(cuda.memory_reserved)
max_memory_reserved = _asking(cuda.max_memory_reserved)
reset_peak_memory_stats = _asking(cuda.reset_peak_memory_stats)
get_memory_info = _asking(cuda.mem_get_info)
get_device_capability = _asking(cuda.get_device_capability)
device_index = cuda.device
set_stream = cuda.set_stream
