"""What operators do with their operands before and after the kernel: kinds, dtypes, devices, errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy

from tgrad.core import dtype as dtypes
from tgrad.core.device import CPU, TensorType, tensor_type
from tgrad.core.dtype import DType
from tgrad.core.tensor import Tensor
from tgrad.errors import (
    ArgumentError,
    DTypeError,
    IntegerOverflowError,
    ShapeError,
    TensorError,
    UnsupportedDTypeError,
)
from tgrad.ops.mixing import refuse_operands, two_devices
from tgrad.ops.table import Op

NUMBERS: Final = frozenset((bool, int, float, complex))


def as_operand(value: Any) -> Any:
    """A value of another kind as a tensor or number, or NotImplemented."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, numpy.generic):
        return value.item()
    if isinstance(value, (int, float, complex)):  # of a subclass
        return +value
    return NotImplemented


def not_a_tensor(method: str, value: Any) -> ArgumentError:
    """PyTorch's error for a method of Tensor that is called, by the class, for something else."""
    return ArgumentError(
        f"descriptor '{method}' for 'torch._C.TensorBase' objects doesn't apply to a "
        f"'{type(value).__name__}' object"
    )


def resolve(op: Op, operands: Sequence[Any], dtype: Any = None) -> tuple[TensorType, list[Any]]:
    """The type in which to compute, and the operands as arrays of it."""
    if op.guard is not None:
        op.guard(operands)
    device = common_device(op, operands)
    found = tensor_type(op.dtype.decide(operands, dtype), device)
    if op.opmath and found.narrow:
        return found, wide_arrays(operands, found)
    target = found.dtype.numpy
    arrays = []
    for operand in operands:
        if isinstance(operand, Tensor):
            array = operand._array
            if operand._type is not found:
                if found.backend is not None and operand._type.backend is None:
                    array = found.backend.number(operand._type.xp.cast(array, target))
                else:
                    array = found.xp.cast(array, target)
            arrays.append(array)
        elif operand is None:
            arrays.append(None)
        else:
            arrays.append(number_array(operand, found))
    return found, arrays


def wide_arrays(operands: Sequence[Any], type_: TensorType) -> list[Any]:
    """Operands of a computation in 16 bits in float32, where Note [Half and numbers] wants it so.

    Where all of them are tensors with dimensions they are converted to 16 bits, as always.
    """
    if all(isinstance(o, Tensor) and o._array.ndim for o in operands):
        return [o._array.astype(type_.dtype.numpy) for o in operands]
    arrays = [o._array if isinstance(o, Tensor) else numpy.asarray(o) for o in operands]
    wide = [array.astype(numpy.float32) for array in arrays]
    if type_.backend is None:
        return wide
    return [type_.backend.number(array) if type(array) is numpy.ndarray else array for array in wide]


def number_array(value: Any, type_: TensorType) -> Any:
    """A Python number as a 0-dimensional array; whole numbers wrap around, as in C."""
    if type(value) is int and not -(1 << 63) <= value < 1 << 63:
        raise IntegerOverflowError("int too big to convert")
    array = numpy.asarray(value).astype(type_.dtype.numpy)
    return array if type_.backend is None else type_.backend.number(array)


def rounded_number(value: Any, type_: TensorType) -> Any:
    """A Python number rounded to the precision of a narrow type, still a Python number."""
    kind = type(value)
    if (kind is not float and kind is not int) or not type_.narrow:
        return value
    found = float(number_array(value, type_))
    return int(found) if kind is int and math.isfinite(found) else found


def narrow_factor(value: Any, type_: TensorType) -> Any:
    """A factor other than 1 as a NumPy scalar of a narrow type, which tells the kernel of the type."""
    if type(value) not in (int, float) or (type(value) is int and value == 1) or not type_.narrow:
        return value
    return type_.dtype.numpy.type(value)


def checked_number(value: Any, type_: TensorType) -> Any:
    """`number_array` for operators that refuse numbers out of the dtype's range (DTypeError)."""
    kind = type_.dtype.numpy.kind
    if kind in "iu" and isinstance(value, int):
        limits = numpy.iinfo(type_.dtype.numpy)
        if not (limits.min <= value <= limits.max) and not (
            kind == "u" and -limits.max <= value < 0
        ):
            raise DTypeError(
                f"value cannot be converted to type {_C_NAMES[type_.dtype.name]} without overflow"
            )
    return number_array(value, type_)


_C_NAMES: Final = {
    "uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int", "int64": "int64_t",
    "uint16": "uint16_t", "uint32": "uint32_t", "uint64": "uint64_t",
}  # fmt: skip


def common_device(op: Op, operands: Sequence[Any]) -> Any:
    """The device of a row's operands; DeviceError if they are on several.

    0-dimensional tensors on the CPU go along with tensors on any device.
    """
    device = None
    loose = None
    for operand in operands:
        if not isinstance(operand, Tensor):
            continue
        its = operand._type.device
        if operand._array.ndim == 0 and its.type == "cpu":
            loose = its
        elif device is None:
            device = its
        elif device != its:
            refuse_operands(op, operands)
    if device is not None:
        return device
    return CPU if loose is None else loose


def refused(op: Op, dtype: DType, operands: Sequence[Any]) -> TensorError:
    """The error for a dtype that a row says it is not defined for.

    PyTorch looks at the shapes first, unless the sentence is of its own and not a kernel's.
    """
    for name, kinds in op.refuses.items():
        if dtype in kinds:
            error: DTypeError
            shapes = shape_error(op, operands) if " " not in name else None
            if shapes is not None:
                return shapes
            if name[0] == "!":
                error = UnsupportedDTypeError(name[1:])
            elif " " in name:
                error = DTypeError(name)
            else:
                error = UnsupportedDTypeError(f'"{name}" not implemented for \'{dtype.title}\'')
            error.details.update(op=op.public, operands=tuple(operands))
            return error
    raise KeyError(dtype)


def kernel_error(op: Op, error: Exception, operands: Sequence[Any]) -> Exception:
    """PyTorch's error for what a kernel refused: in elementwise kernels shapes come first."""
    shapes = shape_error(op, operands)
    if shapes is not None:
        return shapes
    if isinstance(error, TensorError):
        error.details.setdefault("op", op.public)
        error.details.setdefault("operands", tuple(operands))
        return error
    if isinstance(error, TypeError) and op.guard is not None:
        op.guard(operands)
    return error


def shape_error(op: Op, operands: Sequence[Any]) -> ShapeError | None:
    """The error for operands of an elementwise row whose shapes don't broadcast; None if they do."""
    if op.family != "broadcast":
        return None
    shapes = [o._array.shape for o in operands if isinstance(o, Tensor)]
    for first, second in pairwise(shapes):
        found = broadcast_error(first, second)
        if found is not None:
            found.details.update(op=op.public, operands=tuple(operands))
            return found
    return None


def check_fits(op: Op, type_: TensorType, operands: Sequence[Any], target: Tensor | None = None) -> None:
    """Raise PyTorch's errors for an elementwise result that can't be written over the first operand.

    What PyTorch refuses with a sentence of its own comes first, what a kernel refuses later.  A `target`
    that isn't an operand may have any shape.
    """
    if op.guard is not None:
        op.guard(operands)
    found, output = result_type(op, type_), (operands[0] if target is None else target)._type.dtype
    if op.misfit and output.category < dtypes.FLOATING and found.dtype.category > output.category:
        raise DTypeError(
            op.misfit.format(result=found.dtype.title, output=output.title, output_c=output.c_name)
        )
    own = {name: kinds for name, kinds in op.refuses.items() if " " in name}
    if any(type_.dtype in kinds for kinds in own.values()):
        raise refused(op, type_.dtype, operands)
    error = shape_error(op, operands)
    if error is not None:
        raise error
    if target is not None:
        check_result(target, target._array.shape, found)
        return
    shapes = [o._array.shape for o in operands if isinstance(o, Tensor)]
    check_result(operands[0], numpy.broadcast_shapes(*shapes), found)


def result_type(op: Op, type_: TensorType) -> TensorType:
    """The type of a row's single result, of the one that it is computed in."""
    if op.result is None:
        return type_
    dtype = op.result(type_.dtype) if callable(op.result) else op.result
    assert not isinstance(dtype, tuple)
    return type_.related[dtype]


def check_result(tensor: Tensor, shape: tuple[int, ...], type_: TensorType) -> None:
    """Raise PyTorch's error if a result doesn't fit the tensor that it is to be written to."""
    if tensor._type.device != type_.device:
        raise two_devices(tensor._type.device, type_.device)
    if shape != tensor._array.shape:
        raise ShapeError(
            f"output with shape {list(tensor._array.shape)} doesn't match the broadcast shape "
            f"{list(shape)}"
        )
    if not dtypes.can_cast(type_.dtype, tensor._type.dtype):
        raise DTypeError(
            f"result type {type_.dtype.title} can't be cast to the desired output type "
            f"{tensor._type.dtype.title}",
            hint="convert the tensor first, e.g. x = x.float()",
        )


def broadcast_error(a: tuple[int, ...], b: tuple[int, ...]) -> ShapeError | None:
    """The error for two shapes that don't broadcast; None if they do."""
    if a == b:
        return None
    rank = max(len(a), len(b))
    for dim in reversed(range(rank)):
        i, j = dim - rank + len(a), dim - rank + len(b)
        if i >= 0 and j >= 0 and a[i] != b[j] and a[i] != 1 and b[j] != 1:
            return ShapeError(
                f"The size of tensor a ({a[i]}) must match the size of tensor b ({b[j]}) "
                f"at non-singleton dimension {dim}"
            )
    return None
