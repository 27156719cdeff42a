"""Tensors on the memory of other objects: `frombuffer`, `from_dlpack`."""

from __future__ import annotations

from typing import Any

import numpy

from tgrad.core.device import tensor_type
from tgrad.core.dtype import DType
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ArgumentError, ArgumentValueError, DTypeError
from tgrad.ops.arguments import ACCEPT, REFUSED


def frombuffer(
    buffer: Any, *, dtype: DType | None = None, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A tensor of one dimension on the memory of an object with Python's buffer protocol.

    `offset` is in bytes, `count` in elements; -1 takes all of them.  Memory that can't be written to,
    as that of bytes, is copied.
    """
    if dtype is None:
        raise ArgumentError('frombuffer() missing 1 required positional arguments: "dtype"')
    accepted = ACCEPT["dtype"][0](dtype)
    if accepted is REFUSED:
        raise ArgumentError(f"frombuffer(): argument 'dtype' must be torch.dtype, not {type(dtype).__name__}")
    try:
        memory = memoryview(buffer).cast("B")
    except TypeError:
        raise ArgumentValueError("object does not implement Python buffer protocol.") from None
    size, length = accepted.itemsize, len(memory)
    _check_extent(length, count, offset, size)
    number = (length - offset) // size if count < 0 else count
    if requires_grad and not accepted.is_differentiable:
        raise DTypeError("Only Tensors of floating point and complex dtype can require gradients")
    array = numpy.frombuffer(memory, accepted.numpy, number, offset)
    if memory.readonly:
        array = array.copy()
    result = new_tensor(array, tensor_type(accepted))
    return result.requires_grad_() if requires_grad else result


def _check_extent(length: int, count: int, offset: int, size: int) -> None:
    """Raise PyTorch's errors for a part of a buffer that isn't there."""
    if length == 0 or count == 0:
        raise ArgumentValueError(f"both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ArgumentValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({length} "
            "bytes) minus 1"
        )
    if count < 0 and (length - offset) % size:
        raise ArgumentValueError(
            f"buffer length ({length - offset} bytes) after offset ({offset} bytes) must be a multiple of "
            f"element size ({size})"
        )
    if count > 0 and offset + count * size > length:
        raise ArgumentValueError(
            f"requested buffer length ({count} * {size} bytes) after offset ({offset} bytes) must not be "
            f"greater than actual buffer length ({length} bytes)"
        )


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor on the memory of an object that NumPy can read by DLPack."""
    from tgrad.ops.factory import from_numpy

    if isinstance(ext_tensor, Tensor):
        return ext_tensor.detach()
    return from_numpy(numpy.from_dlpack(ext_tensor))
