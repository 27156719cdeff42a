"""Rows: writing over a tensor: zeros, one value, another tensor, a function's results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy

from tgrad.backends.constants import stored
from tgrad.backends.narrow import finfo
from tgrad.core import dtype as dtypes
from tgrad.core.device import TensorType
from tgrad.core.dtype import DType
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import (
    ArgumentError,
    ArgumentValueError,
    AutogradError,
    DTypeError,
    ShapeError,
)
from tgrad.ops.geometry import element_strides
from tgrad.ops.inplace import check_memory, check_overlap, check_writable, write_into
from tgrad.ops.operands import broadcast_error
from tgrad.ops.strided import storage_offset
from tgrad.ops.table import TABLE, composite, operator
from tgrad.ops.transfer import array_for


def _hidden(name: str, forward: Callable[..., Any], **parts: Any) -> None:
    """A row for the node of an in-place function that has no other form."""
    operator(name, forward, function=False, method=False, out=False, **parts)


def nothing(o: Any, g: Any, input_shape: Any, input_type: Any) -> Any:
    """The gradient of what was written over: zeros."""
    return o.zeros_of(input_shape, input_type)


# ---------------------------------------------------------------- numbers that are stored

_C_NAMES: Final = {
    "uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int", "int64": "int64_t",
    "uint16": "uint16_t", "uint32": "uint32_t", "uint64": "uint64_t", "float16": "c10::Half",
    "bfloat16": "c10::BFloat16", "float32": "float", "float64": "double",
    "complex64": "c10::complex<float>", "complex128": "c10::complex<double>",
}  # fmt: skip


def stored_number(value: Any, dtype: DType, assigned: bool = False) -> Any:
    """A Python number as a 0-dimensional array of a dtype, for writing it into a tensor.

    Raises:
        DTypeError: the number is out of the dtype's range; for uint8 -255 to -1 are in range, and
            a number that is assigned by index (`assigned`) to float16 may become infinite.
    """
    if assigned and isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise ArgumentValueError("Overflow when unpacking long long")
    if not _fits(value, dtype.numpy, assigned):
        raise DTypeError(
            f"value cannot be converted to type {_C_NAMES[dtype.name]} without overflow"
        )
    if isinstance(value, complex) and dtype.category < dtypes.COMPLEX:
        value = bool(value) if dtype.category == dtypes.BOOL else value.real
    if dtype.numpy.kind == "u" and value < 0:
        value = int(value) % (1 << 8 * dtype.itemsize)
    if isinstance(value, float) and dtype.numpy.kind == "i":
        value = int(value)
    with numpy.errstate(all="ignore"):
        return stored(value, dtype.numpy)


def stored_array(value: Any, type_: TensorType, assigned: bool = False) -> Any:
    """`stored_number` as an array on the device of a type."""
    found = stored_number(value, type_.dtype, assigned)
    if type_.backend is None:
        return found
    return type_.xp.full((), type_.backend.number(found), found.dtype)


def stored_in(array: Any, value: Any) -> Any:
    """A number as it is stored in an array; what is an array already, as it is."""
    if isinstance(value, numpy.ndarray | numpy.generic):
        return value
    dtype = dtypes.from_numpy(array.dtype)
    assert dtype is not None
    return stored_number(value, dtype)


def _fits(value: Any, dtype: Any, assigned: bool) -> bool:
    kind = dtype.kind
    if kind == "b":
        return True
    if isinstance(value, complex):
        if kind != "c" and value.imag:
            return False
        value = value.real
    if kind in "iu":
        limits = numpy.iinfo(dtype)
        if isinstance(value, float):
            return bool(limits.min <= value <= limits.max)
        lowest = -limits.max if kind == "u" else limits.min
        return bool(lowest <= value <= limits.max)
    if not isinstance(value, bool) and (value != value or abs(value) == float("inf")):
        return True
    largest = float(finfo(dtype).max)
    return abs(value) <= largest or (assigned and dtype.itemsize == 2)


# ---------------------------------------------------------------- zero_, fill_, copy_

_hidden(
    "_zero", lambda xp, input: xp.zeros_like(input), label="ZeroBackward",
    input=nothing, doc="Zeros.",
)  # fmt: skip
_hidden(
    "_fill_number", lambda xp, input, value: xp.full_like(input, value), label="FillBackward",
    index=2, input=nothing, doc="One value everywhere.",
)  # fmt: skip
_hidden(
    "_fill_tensor", lambda xp, input, value: xp.full_like(input, value), label="FillBackward",
    index=3, kinds={"value": "tensor"}, input=nothing, value=lambda o, g: o.sum(g),
    doc="A 0-dimensional tensor's value everywhere.",
)  # fmt: skip
for _name, _kind, _index in (("fill.tensor", "tensor", 1), ("fill", "number", 0)):
    operator(
        _name, lambda xp, input, value: xp.full_like(input, value), method=False, index=_index,
        kinds={"value": _kind}, input=nothing,
        **({"value": lambda o, g: o.sum(g)} if _index else {}),
        doc="A tensor of the same shape with one value everywhere.",
    )  # fmt: skip
_hidden(
    "_copy", lambda xp, input, src: xp.broadcast_to(src, input.shape),
    label="torch::autograd::CopyBackwards", index="", input=nothing,
    src=lambda o, g, src_shape, src_type: o.sum_to_size(o.to_type(g, src_type), src_shape),
    doc="Another tensor's elements.",
)  # fmt: skip


def _is_recorded(*tensors: Tensor) -> bool:
    """Whether writing may have to do with the history of some of the tensors."""
    return state.grad and any(t._edge is not None or t._view is not None for t in tensors)


def zero_(o: Any, input: Any) -> Any:
    """Zeros over the tensor."""
    if not state.grad or (input._edge is None and input._view is None):
        input._array.fill(0)
        input.bump_version()
        return input
    check_writable(input)

    def act(array: Any) -> None:
        array[...] = 0

    return write_into(TABLE["_zero"], input, act, (input,))


def fill_number(o: Any, input: Any, value: Any) -> Any:
    """One value over the tensor."""
    type_, kind = input._type, type(value)
    held = type_.weak if kind is float else kind is int and (type_.weak or type_.counts)
    if held and -2147483648 <= value <= 2147483647 and not _is_recorded(input):
        input._array.fill(value)
        input.bump_version()
        return input
    return fill_with(input, stored_number(value, type_.dtype))


def fill_with(input: Tensor, value: Any) -> Tensor:
    """A 0-dimensional array of the tensor's dtype, one of NumPy's, over the tensor."""
    check_writable(input)

    def act(array: Any) -> None:
        array.fill(value[()])

    return write_into(TABLE["_fill_number"], input, act, (input, value))


def fill_tensor(o: Any, input: Any, value: Any) -> Any:
    """A 0-dimensional tensor's value over the tensor, with its gradient."""
    check_writable(input, (value,))
    if value._array.ndim:
        raise ShapeError(
            "fill_ only supports 0-dimension value tensor but got tensor with "
            f"{value._array.ndim} dimensions."
        )
    if 0 in input._array.strides:
        check_memory(input._array)

    def act(array: Any) -> None:
        input._type.xp.copyto(array, array_for(value, input._type), casting="unsafe")

    return write_into(TABLE["_fill_tensor"], input, act, (input, value))


def copy_(o: Any, input: Any, other: Any, non_blocking: bool = False) -> Any:
    """Another tensor's elements over the tensor, broadcast and converted."""
    src = other
    if not isinstance(src, Tensor):
        src = new_tensor(stored_array(src, input._type, assigned=True), input._type)
    recorded = _is_recorded(input, src)
    if recorded:
        check_writable(input, (src,))
    _check_copy(input, src)

    def act(array: Any) -> None:
        source = array_for(src, input._type)
        if src._type is not input._type:
            source = input._type.xp.cast(source, array.dtype)
        array[...] = source

    if not recorded:
        act(input._array)
        input.bump_version()
        return input
    return write_into(TABLE["_copy"], input, act, (input, src))


def _check_copy(input: Tensor, src: Tensor) -> None:
    target, source = input._array, src._array
    if 0 in target.strides:
        check_memory(target)
    check_overlap(input, src)
    if target.shape != source.shape:
        error = broadcast_error(target.shape, source.shape)
        if error is not None:
            raise error
        shape = numpy.broadcast_shapes(target.shape, source.shape)
        if shape != target.shape:
            raise ShapeError(
                f"output with shape {list(target.shape)} doesn't match the broadcast shape "
                f"{list(shape)}"
            )


def fill_diagonal_(o: Any, input: Any, fill_value: Any, wrap: bool = False) -> Any:
    """One value over the diagonal of all dimensions, which goes on below a tall matrix if `wrap`."""
    shape, steps = input._array.shape, element_strides(input._array)
    if len(shape) < 2:
        raise ShapeError("dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise ShapeError("all dimensions of input must be of equal length")
    count, here = min(shape[:2]), storage_offset(input)
    o.as_strided(input, (count,), (sum(steps),), here).fill_(fill_value)
    height, width = shape[:2]
    if wrap and len(shape) == 2 and height > width + 1:
        more = -(-height * width // (width + 1)) - count
        below = here + steps[0] * (width + 1)
        o.as_strided(input, (more,), (sum(steps),), below).fill_(fill_value)
    return input


composite(
    "fill_diagonal_", fill_diagonal_, kinds={"wrap": "bool"}, function=False,
    doc="One value written over the diagonal.",
)  # fmt: skip
composite("zero_", zero_, doc="Zeros written over the tensor.")
composite(
    "fill_", fill_tensor, kinds={"value": "tensor"},
    doc="A 0-dimensional tensor's value written over the tensor.",
)  # fmt: skip
composite("fill_.number", fill_number, doc="One value written over the tensor.")
composite(
    "copy_", copy_, function=False, kinds={"other": "operand"},
    doc="Another tensor's elements written over the tensor, broadcast and converted.",
)  # fmt: skip

# ---------------------------------------------------------------- functions of Python numbers


def apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Each element replaced by what a function makes of it."""
    if self.requires_grad:
        raise AutogradError(
            "Can't call apply_() on Variable that requires grad. Use var.detach().apply_() instead."
        )
    _store(self, [callable(value) for value in self._array.ravel().tolist()])
    return self


def _store(tensor: Tensor, numbers: list[Any]) -> None:
    """Write Python numbers over a tensor, row by row."""
    array = numpy.array(numbers, tensor._array.dtype).reshape(tensor._array.shape)
    backend = tensor._type.backend
    tensor._array[...] = array if backend is None else backend.from_host(array)


def _numbers(tensor: Tensor, shape: tuple[int, ...]) -> list[Any]:
    """The elements of a tensor that is broadcast to a shape, as Python numbers."""
    found: list[Any] = tensor._type.xp.broadcast_to(tensor._array, shape).ravel().tolist()
    return found


def map2_(
    self: Tensor, x: Tensor, y: Tensor, callable: Callable[[Any, Any, Any], Any]
) -> Tensor:  # fmt: skip
    """Each element replaced by what a function makes of it and those of two other tensors."""
    if any(t.requires_grad for t in (self, x, y)):
        raise AutogradError(
            "Can't call map2_() on Variable that requires grad. Use var.detach().map2_() instead."
        )
    shape = self._array.shape
    triples = zip(*(_numbers(t, shape) for t in (self, x, y)), strict=True)
    _store(self, [callable(a, b, c) for a, b, c in triples])
    return self


def map_(self: Tensor, other: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Each element replaced by what a function makes of it and another tensor's."""
    if not isinstance(other, Tensor):
        raise ArgumentError(
            "map_(): argument 'other' (position 1) must be Tensor, not "
            f"{type(other).__name__}"
        )
    if self.requires_grad or other.requires_grad:
        raise AutogradError(
            "Can't call map_() on Variable that requires grad. Use var.detach().map_() instead."
        )
    shape = self._array.shape
    pairs = zip(_numbers(self, shape), _numbers(other, shape), strict=True)
    _store(self, [callable(a, b) for a, b in pairs])
    return self


ATTRIBUTES: Final[dict[str, Any]] = {"apply_": apply_, "map_": map_, "map2_": map2_}
