"""Rows: tensors made from sizes and numbers.

`empty` and its kin give zeros: what PyTorch leaves in such memory isn't defined, and a program should
give the same result each time it runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tgrad.backends.narrow import finfo, is_floating
from tgrad.core import dtype as dtypes
from tgrad.core.device import tensor_type
from tgrad.core.dtype import DType
from tgrad.core.memory_format import PRESERVE, stored
from tgrad.core.tensor import Size, Tensor
from tgrad.errors import (
    DTypeError,
    IntegerOverflowError,
    ShapeError,
    StateError,
)
from tgrad.ops import factory
from tgrad.ops.creation import checked_size
from tgrad.ops.geometry import laid_out
from tgrad.ops.operands import checked_number
from tgrad.ops.table import Rule, creation, same_or_given

LIKE = {"input": "index"}
"""The kind of a tensor that only gives its shape, dtype and device."""

SIZE = {"size": "sequence"}


def _of_fill(operands: Sequence[Any], dtype: Any) -> DType:
    return dtypes.of_number(operands[1]) if dtype is None else dtype


def _long(operands: Sequence[Any], dtype: Any) -> DType:
    return dtypes.int64 if dtype is None else dtype


of_fill = Rule("as the number; or dtype=", "never", _of_fill)
long_or_given = Rule("int64; or dtype=", "never", _long)


# ---------------------------------------------------------------- constant values


def zeros(xp: Any, size: Sequence[int], *, dtype: Any = None) -> Any:
    for number in size:
        if number < 0:
            raise ShapeError("zeros: Dimension size must be non-negative.")
    return new_zeros(xp, size, dtype)


def new_zeros(xp: Any, size: Sequence[int], dtype: Any) -> Any:
    return xp.zeros(checked_size(size, xp.dtype(dtype).itemsize), dtype)


def filled(xp: Any, size: Sequence[int], value: Any, dtype: Any) -> Any:
    """An array of one number, which the dtype must be able to hold."""
    array = new_zeros(xp, size, dtype)
    if type(value) is int and value == 1:
        array[...] = xp.ONE[array.dtype]
        return array
    found = dtypes.from_numpy(xp.dtype(dtype))
    assert found is not None
    array[...] = converted(value, found)
    return array


def converted(value: Any, dtype: DType) -> Any:
    """A number as a 0-dimensional array; DTypeError if the dtype can't hold it."""
    kind = dtype.numpy.kind
    if type(value) is int and not -(1 << 63) <= value < 1 << 63:
        raise IntegerOverflowError("int too big to convert")
    name = _C_NAMES.get(dtype.name, dtype.name)
    overflow = DTypeError(f"value cannot be converted to type {name} without overflow")
    if isinstance(value, complex) and kind != "c":
        if value.imag:
            raise overflow
        value = value.real
    if isinstance(value, float) and kind in "iu":
        if not math.isfinite(value) or not -(2.0**63) <= value < 2.0**63:
            raise overflow
        value = int(value)
    limited = isinstance(value, float) and is_floating(dtype.numpy) and math.isfinite(value)
    if limited and abs(value) > finfo(dtype.numpy).max:
        raise overflow
    return checked_number(value, tensor_type(dtype))


_C_NAMES = {
    "uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int", "int64": "int64_t",
    "float16": "c10::Half", "bfloat16": "c10::BFloat16", "float32": "float", "float64": "double",
}  # fmt: skip


def formatted(array: Any, memory_format: Any) -> Any:
    """A new array in the order of a memory format."""
    if memory_format is PRESERVE:
        raise StateError("unsupported memory format Preserve")
    return array if memory_format is None else stored(array, memory_format)


creation("zeros", zeros, varargs=True, doc="A tensor of zeros.")
creation(
    "ones", lambda xp, size, *, dtype=None: filled(xp, size, 1, dtype),
    varargs=True, doc="A tensor of ones.",
)  # fmt: skip
creation(
    "empty",
    lambda xp, size, *, memory_format=None, dtype=None: formatted(new_zeros(xp, size, dtype), memory_format),
    varargs=True, doc="A tensor of undefined values: zeros, here.",
)  # fmt: skip
creation(
    "full", lambda xp, size, fill_value, *, dtype=None: filled(xp, size, fill_value, dtype),
    kinds=SIZE, dtype=of_fill, doc="A tensor of one number, which decides the dtype.",
)  # fmt: skip
creation(
    "scalar_tensor", lambda xp, s, *, dtype=None: filled(xp, (), s, dtype),
    kinds={"s": "number"}, out=False, doc="A 0-dimensional tensor of the default dtype.",
)  # fmt: skip


def like(xp: Any, input: Any, value: Any, dtype: Any, memory_format: Any = None) -> Any:
    """An array with the shape of another one, stored in its order or in that of a format."""
    if memory_format is not None and memory_format is not PRESERVE:
        result = stored(xp.zeros(input.shape, dtype or input.dtype), memory_format)
    elif input.flags.c_contiguous or 0 in input.strides:
        result = xp.zeros(input.shape, dtype or input.dtype)
    else:
        result = xp.zeros_like(input, dtype=dtype)
    if type(value) is int and value == 1:
        result[...] = xp.ONE[result.dtype]
    elif value != 0:
        found = dtypes.from_numpy(result.dtype)
        assert found is not None
        result[...] = converted(value, found)
    return result


creation(
    "zeros_like",
    lambda xp, input, *, memory_format=None, dtype=None: like(xp, input, 0, dtype, memory_format),
    kinds=LIKE, dtype=same_or_given, out=False, doc="Zeros in the shape and dtype of a tensor.",
)  # fmt: skip
creation(
    "ones_like",
    lambda xp, input, *, memory_format=None, dtype=None: like(xp, input, 1, dtype, memory_format),
    kinds=LIKE, dtype=same_or_given, out=False, doc="Ones in the shape and dtype of a tensor.",
)  # fmt: skip
creation(
    "empty_like",
    lambda xp, input, *, memory_format=None, dtype=None: like(xp, input, 0, dtype, memory_format),
    kinds=LIKE, dtype=same_or_given, out=False,
    doc="Undefined values (zeros, here) in the shape and dtype of a tensor.",
)  # fmt: skip
creation(
    "full_like",
    lambda xp, input, fill_value, *, memory_format=None, dtype=None: like(
        xp, input, fill_value, dtype, memory_format
    ),
    kinds=LIKE, dtype=same_or_given, out=False,
    doc="One number in the shape and dtype of a tensor.",
)  # fmt: skip

NEW = {"kinds": LIKE, "dtype": same_or_given, "out": False, "function": False, "method": True}
"""The settings of methods that make a tensor of the same dtype and device."""

creation(
    "new_zeros", lambda xp, input, size, *, dtype=None: new_zeros(xp, size, dtype),
    varargs=True, doc="Zeros in the dtype of a tensor.", **NEW,
)  # fmt: skip
creation(
    "new_ones", lambda xp, input, size, *, dtype=None: filled(xp, size, 1, dtype),
    varargs=True, doc="Ones in the dtype of a tensor.", **NEW,
)  # fmt: skip
creation(
    "new_empty", lambda xp, input, size, *, dtype=None: new_zeros(xp, size, dtype),
    varargs=True, doc="Undefined values (zeros, here) in the dtype of a tensor.", **NEW,
)  # fmt: skip
creation(
    "new_full",
    lambda xp, input, size, fill_value, *, dtype=None: filled(xp, size, fill_value, dtype),
    doc="One number in the dtype of a tensor.", **{**NEW, "kinds": {**LIKE, **SIZE}},
)  # fmt: skip


def _strided(xp: Any, size: Sequence[int], stride: Sequence[int], dtype: Any) -> Any:
    checked_size(size)
    count = 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if 0 not in size else 0
    return laid_out(tuple(size), tuple(stride), dtype, count, 0, xp)


creation(
    "empty_strided", lambda xp, size, stride, *, dtype=None: _strided(xp, size, stride, dtype),
    kinds={**SIZE, "stride": "sequence"}, out=False,
    doc="A tensor of undefined values (zeros, here) with given strides.",
)  # fmt: skip
creation(
    "new_empty_strided",
    lambda xp, input, size, stride, *, dtype=None: _strided(xp, size, stride, dtype),
    doc="Undefined values (zeros, here) with given strides in the dtype of a tensor.",
    **{**NEW, "kinds": {**LIKE, **SIZE, "stride": "sequence"}},
)  # fmt: skip


def _permuted(xp: Any, size: Sequence[int], order: Sequence[int], dtype: Any) -> Any:
    checked_size(size)
    if len(size) != len(order):
        raise ShapeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = "
            f"{len(size)} is not equal to len(physical_layout) = {len(order)}"
        )
    for position, axis in enumerate(order):
        if not 0 <= axis < len(size):
            raise ShapeError(
                f"Dimension out of range (expected to be between 0 and {len(size) - 1}, but got {axis} at "
                f"index {position}).  NB: negative dims not currently supported; file an issue if you want "
                "it."
            )
        if axis in order[:position]:
            raise ShapeError("Duplicate dim not allowed")
    strides = [0] * len(size)
    step = 1
    for axis in reversed(order):
        strides[axis] = step
        step *= size[axis]
    return _strided(xp, size, strides, dtype)


creation(
    "empty_permuted",
    lambda xp, size, physical_layout, *, dtype=None: _permuted(xp, size, physical_layout, dtype),
    kinds={**SIZE, "physical_layout": "sequence"}, out=False,
    doc="A tensor of undefined values (zeros, here) whose dimensions have a given order in memory.",
)  # fmt: skip


def _eye(xp: Any, n: int, m: int | None, dtype: Any) -> Any:
    for name, number in (("n", n), ("m", m)):
        if number is not None and number < 0:
            raise ShapeError(f"{name} must be greater or equal to 0, got {number}")
    return xp.eye(n, m, dtype=dtype)


creation(
    "eye", lambda xp, n, *, dtype=None: _eye(xp, n, None, dtype),
    doc="The identity matrix.",
)  # fmt: skip
creation(
    "eye.m", lambda xp, n, m, *, dtype=None: _eye(xp, n, m, dtype),
    kinds={"m": "int"}, doc="A matrix with ones on its diagonal.",
)  # fmt: skip

# ---------------------------------------------------------------- indices of triangles


def _triangle(xp: Any, row: int, col: int, offset: int, upper: bool, dtype: Any) -> Any:
    for name, number in (("row", row), ("col", col)):
        if number < 0:
            raise ShapeError(f"{name} must be non-negative, got{number}")
    table = xp.tri(row, col, offset - 1 if upper else offset, dtype=bool)
    return xp.stack(xp.nonzero(~table if upper else table)).astype(dtype)


creation(
    "tril_indices",
    lambda xp, row, col, offset=0, *, dtype=None: _triangle(xp, row, col, offset, False, dtype),
    kinds={"row": "int", "col": "int"}, dtype=long_or_given, out=False,
    doc="Row and column numbers of the lower triangle of a matrix.",
)  # fmt: skip
creation(
    "triu_indices",
    lambda xp, row, col, offset=0, *, dtype=None: _triangle(xp, row, col, offset, True, dtype),
    kinds={"row": "int", "col": "int"}, dtype=long_or_given, out=False,
    doc="Row and column numbers of the upper triangle of a matrix.",
)  # fmt: skip


# ---------------------------------------------------------------- methods that take data


def new_tensor(
    self: Tensor,
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """A leaf made of data, in the dtype and on the device of a tensor."""
    return factory.tensor(
        data, dtype=dtype or self.dtype, device=device or self.device, requires_grad=requires_grad
    )


def new(self: Tensor, *data: Any) -> Tensor:
    """A tensor of the same dtype: of given sizes, or made of data."""
    if not data or all(type(value) is int for value in data) or isinstance(data[0], Size):
        sizes = data[0] if data and isinstance(data[0], Size) else data or (0,)
        return self.new_empty(tuple(sizes))  # type: ignore[no-any-return]
    return new_tensor(self, data[0])


ATTRIBUTES = {"new_tensor": new_tensor, "new": new}
