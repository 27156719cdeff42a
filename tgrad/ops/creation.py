"""Functions of the rows that make tensors: a dtype and a device are decided, a kernel fills memory.

A creation row's forward takes `(xp, parameters..., *, dtype)`, where `dtype` is NumPy's; its public
function takes PyTorch's `dtype=`, `layout=`, `device=`, `pin_memory=` and `requires_grad=` instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tgrad.core.device import CUDA, TensorType, is_available, tensor_type
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError, ShapeError, StateError, TensorError
from tgrad.ops.call import COMMON, kernel_call
from tgrad.ops.table import FACTORY, Op
from tgrad.ops.writer import Writer


def creation_function(op: Op) -> Callable[..., Any]:
    """The function that a creation row stands for, without checks of its arguments."""
    writer = Writer()
    writer.names.update(COMMON, OP=op, decided=decided, forward=op.forward,
                        TensorError=TensorError, too_large=too_large)  # fmt: skip
    own = [p for p in op.parameters if p not in FACTORY]
    parts = []
    keyword_only = False
    for p in [*own, *FACTORY]:
        if p.keyword_only and not keyword_only:
            parts.append("*")
            keyword_only = True
        writer.names[f"_default_{p.name}"] = p.default
        parts.append(p.name if p.required else f"{p.name}=_default_{p.name}")
    names = ", ".join(p.name for p in own)
    comma = "," if own else ""
    call = kernel_call(op, own, ("dtype=T.dtype.numpy",))
    writer.add(f"def {op.key}({', '.join(parts)}):", 0)
    if op.check is not None:
        writer.names["check"] = op.check
        writer.add(f"check({names})")
    writer.add(
        f"T = decided(OP, ({names}{comma}), dtype, device)\n"
        "if pin_memory or (requires_grad and not T.inexact): check_options(T, requires_grad, pin_memory)\n"
        f"try:\n    r = {call}\n"
        f"except TensorError as error:\n    error.details.setdefault('op', {op.public!r})\n    raise\n"
    )
    if "size" in op.names:
        writer.add("except MemoryError as error:\n    raise too_large(size, T) from error")
    writer.add(
        "out = new_tensor(r, T)\n"
        "if requires_grad: out.require_grad(True)\n"
        "return out"
    )
    writer.names["check_options"] = check_options
    function = writer.compile(op.key, op.name)
    function.__doc__ = op.doc
    return function


def decided(op: Op, values: Sequence[Any], dtype: Any, device: Any) -> TensorType:
    """The type of what is made: as asked for, or as the row's rule says."""
    if device is None:
        if values and type(values[0]) is Tensor:
            type_ = values[0]._type
            found = op.dtype.decide(values, dtype)
            return type_ if found is type_.dtype else tensor_type(found, type_.device)
        device = state.device
    return tensor_type(op.dtype.decide(values, dtype), device)


def check_options(type_: TensorType, requires_grad: bool, pinned: bool) -> None:
    """Raise PyTorch's errors for options that can't be had; without a GPU memory can't be pinned."""
    if pinned and type_.backend is not None:
        raise StateError("Only dense CPU tensors can be pinned")
    if pinned and not is_available(CUDA):
        raise StateError(
            "pin_memory=True requires a CUDA or other accelerator backend; no pinned memory allocator "
            "is available on this system."
        )
    if requires_grad and not type_.inexact:
        raise DTypeError(
            "Only Tensors of floating point and complex dtype can require gradients",
            hint="choose a floating dtype, e.g. dtype=torch.float32",
        )


def checked_size(size: Sequence[int], itemsize: int = 4) -> tuple[int, ...]:
    """A size without negative numbers that fits into memory, as PyTorch would say it."""
    for number in size:
        if number < 0:
            raise ShapeError(f"Trying to create tensor with negative dimension {number}: {list(size)}")
    nbytes = math.prod(size) * itemsize
    if nbytes > 1 << 42:
        raise allocation_error(nbytes)
    return tuple(size)


def too_large(size: Sequence[int], type_: TensorType) -> StateError:
    """The error for a tensor that there is no memory for."""
    return allocation_error(math.prod(size) * type_.dtype.itemsize)


def allocation_error(nbytes: int) -> StateError:
    """PyTorch's error for memory that can't be had."""
    return StateError(
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you "
        f"tried to allocate {nbytes} bytes. Error code 12 (Cannot allocate memory)",
        hint="a float32 takes 4 bytes, a float64 or int64 8",
    )
