"""Tensors from data: `tensor`, `as_tensor`, `asarray`, `from_numpy`.

These are no rows: they take Python objects, and have no derivative.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Final, NoReturn

import numpy

from tgrad import backends
from tgrad.backends import numpy_
from tgrad.core import dtype as dtypes
from tgrad.core.device import CPU, Device, TensorType, tensor_type
from tgrad.core.dtype import DType
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ArgumentError, ArgumentValueError, DTypeError
from tgrad.ops.arguments import ACCEPT, REFUSED, type_name
from tgrad.ops.transfer import host_array

_SUPPORTED: Final = (
    "float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, "
    "uint16, uint8, and bool"
)
_MOST_DIMENSIONS: Final = 64
"""As many as an array can have."""
_RANKS: Final[dict[type, int]] = {bool: 0, int: 1, float: 2, complex: 3}
_PLAIN: Final = frozenset(_RANKS)


def tensor(
    data: Any,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    chunks: Any = None,
) -> Tensor:
    """A leaf made of a number, nested sequences of numbers, an array or a tensor; always a copy.

    The dtype follows from the data (whole numbers int64, others the default dtype, NumPy data
    their own) unless it is given.  `chunks` says how it is cut where the device keeps it in chunks.
    """
    if chunks is not None:
        from tgrad.ops.chunked import in_chunks

        with in_chunks(chunks):
            return tensor(
                data, dtype=dtype, device=device, requires_grad=requires_grad, pin_memory=pin_memory
            )
    if isinstance(data, Tensor):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() "
            "or sourceTensor.detach().clone().requires_grad_(True), rather than "
            "torch.tensor(sourceTensor).",
            stacklevel=2,
        )
        if data._type.backend is not None:
            home = data._type.device if state.device is CPU else state.device
            copied = data.detach().to(device or home, dtype or data._type.dtype, copy=True)
            return _requiring(copied, requires_grad)
    wanted = option("tensor", "dtype", "dtype", dtype)
    where = option("tensor", "device", "device", device) or state.device
    array, its = array_of(data, wanted)
    return leaf(array, tensor_type(its, where), requires_grad)


def as_tensor(data: Any, dtype: DType | None = None, device: Any = None) -> Tensor:
    """The data as a tensor: itself if it is one, on the same memory if it is an array."""
    wanted = option("as_tensor", "dtype", "dtype", dtype)
    where = option("as_tensor", "device", "device", device)
    if where is None and state.device is not CPU:
        where = state.device
    if isinstance(data, numpy.ndarray):
        data = from_numpy(data)
    if isinstance(data, Tensor):
        if wanted is None and where is None:
            return data
        return data.to(device=where, dtype=wanted)  # type: ignore[no-any-return]
    return tensor(data, dtype=dtype, device=device)


def asarray(
    obj: Any,
    *,
    dtype: DType | None = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Tensor:
    """The object as a tensor, sharing memory where it can; `copy` always or never makes it a copy.

    `requires_grad=False` leaves the history of a tensor behind, None keeps it.
    """
    if copy is False:
        _check_alias(obj, dtype, option("asarray", "device", "device", device) or state.device)
    result = as_tensor(obj, dtype, device)
    if copy and (result is obj or isinstance(obj, numpy.ndarray)):
        result = result.clone()
    if requires_grad and not result.requires_grad:
        return result.detach().requires_grad_()
    return result.detach() if requires_grad is False and result.requires_grad else result


def _check_alias(obj: Any, dtype: DType | None, device: Device) -> None:
    """Raise PyTorch's error where an object's memory can't be shared."""
    if not isinstance(obj, (Tensor, numpy.ndarray)):
        raise ArgumentValueError("can't alias arbitrary sequence into a tensor.")
    home = obj._type.device if isinstance(obj, Tensor) else CPU
    if device is not CPU and tensor_type(dtypes.float32, device).device != home:
        raise ArgumentValueError(f"can't alias tensor from device '{home}' to '{device}'.")
    own = obj._type.dtype if isinstance(obj, Tensor) else dtypes.from_numpy(obj.dtype)
    if dtype is not None and own is not None and own is not dtype:
        raise ArgumentValueError(
            f"can't alias tensor with dtype '{own.title}' into dtype '{dtype.title}'."
        )


def from_numpy(array: Any) -> Tensor:
    """A tensor on an array's memory: a change of one is a change of the other."""
    if not isinstance(array, numpy.ndarray):
        raise ArgumentError(f"expected np.ndarray (got {type(array).__name__})")
    found = _dtype_of_array(array)
    _check_strides(array)
    if not array.flags.writeable:
        warnings.warn(
            "The given NumPy array is not writable, and PyTorch does not support non-writable "
            "tensors. This means writing to this tensor will result in undefined behavior. You may "
            "want to copy the array to protect its data or make it writable before converting it to "
            "a tensor. This type of warning will be suppressed for the rest of this program.",
            stacklevel=2,
        )
    return new_tensor(numpy.asarray(array), tensor_type(found))


def option(function: str, name: str, kind: str, value: Any) -> Any:
    """A keyword argument of a kind, converted; None stays None."""
    if value is None:
        return None
    accept, expected = ACCEPT[kind]
    result = accept(value)
    if result is REFUSED:
        raise ArgumentError(
            f"{function}(): argument '{name}' must be {expected}, not {type_name(value)}"
        )
    return result


def leaf(array: Any, type_: TensorType, requires_grad: bool = False) -> Tensor:
    """A tensor of a NumPy array's elements."""
    result = new_tensor(array if type_.backend is None else type_.backend.from_host(array), type_)
    return _requiring(result, requires_grad) if requires_grad else result


def _requiring(result: Tensor, requires_grad: bool) -> Tensor:
    if requires_grad:
        if not isinstance(requires_grad, bool):
            raise ArgumentError(
                "tensor(): argument 'requires_grad' must be bool, "
                f"not {type_name(requires_grad)}"
            )
        if not result._type.inexact:
            raise DTypeError(
                "Only Tensors of floating point and complex dtype can require gradients",
                hint="write the numbers with a point, e.g. 2., or give dtype=torch.float32",
            )
        result.require_grad(True)
    return result


# ---------------------------------------------------------------- data of all kinds to an array


def array_of(data: Any, dtype: DType | None) -> tuple[Any, DType]:
    """A new array of the data's elements, and its dtype."""
    kind = type(data)
    if (kind is list or kind is tuple) and data:
        kinds = set(map(type, data))
        if kinds <= _PLAIN:
            return _from_numbers(data, data, (len(data),), dtype, kinds)
    if isinstance(data, Tensor):
        return _converted(host_array(data), data._type.dtype, dtype)
    if isinstance(data, numpy.ndarray):
        _check_strides(data)
        return _converted(data, _dtype_of_array(data), dtype)
    if isinstance(data, numpy.generic):
        return _converted(numpy.asarray(data), _dtype_of_array(numpy.asarray(data)), dtype)
    if kind in _RANKS:
        return _from_numbers(data, [data], (), dtype, {kind})
    shape, flat = _flatten(data)
    return _from_numbers(data, flat, shape, dtype, set(map(type, flat)))


def _converted(array: Any, its: DType, dtype: DType | None) -> tuple[Any, DType]:
    if dtype is None or dtype is its:
        return numpy.array(array, order="C"), its
    return numpy.asarray(numpy_.cast(array, dtype.numpy), order="C"), dtype


def _dtype_of_array(array: Any) -> DType:
    found = dtypes.from_numpy(array.dtype)
    if found is None:
        name = array.dtype.type
        raise ArgumentError(
            f"can't convert np.ndarray of type {name.__module__}.{name.__name__}. "
            f"The only supported types are: {_SUPPORTED}."
        )
    return found


def _check_strides(array: Any) -> None:
    if any(step < 0 for step in array.strides):
        raise ArgumentValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative "
            "strides are not currently supported. (You can probably work around this by making a "
            "copy of your array  with array.copy().) "
        )


def _is_sequence(value: Any) -> bool:
    return isinstance(value, (list, tuple, range, numpy.ndarray, Sequence)) and not isinstance(
        value, (str, bytes)
    )


def _flatten(data: Any) -> tuple[tuple[int, ...], list[Any]]:
    """The shape of nested sequences, and their leaves in order."""
    if not _is_sequence(data):
        _no_dtype(data)
    shape: list[int] = []
    probe = data
    while _is_sequence(probe) and not isinstance(probe, Tensor):
        shape.append(len(probe))
        if len(shape) > _MOST_DIMENSIONS:
            raise ArgumentValueError(f"too many dimensions '{type(probe).__name__}'")
        if len(probe) == 0:
            break
        probe = probe[0]
    if isinstance(probe, Tensor) and probe._array.ndim and probe._array.size != 1:
        raise ArgumentValueError("only one element tensors can be converted to Python scalars")
    flat: list[Any] = []
    _collect(data, tuple(shape), 0, flat)
    return tuple(shape), flat


def _collect(data: Any, shape: tuple[int, ...], dim: int, flat: list[Any]) -> None:
    if not _is_sequence(data):
        raise ArgumentError("not a sequence")
    if len(data) != shape[dim]:
        raise ArgumentValueError(
            f"expected sequence of length {shape[dim]} at dim {dim} (got {len(data)})"
        )
    if dim + 1 < len(shape):
        for item in data:
            _collect(item, shape, dim + 1, flat)
    else:
        flat.extend(data)


def _from_numbers(
    data: Any, flat: Sequence[Any], shape: tuple[int, ...], dtype: DType | None, kinds: set[type]
) -> tuple[Any, DType]:
    if not kinds <= _PLAIN:
        flat, given = _plain_numbers(flat)
    else:
        given = None
    if dtype is None:
        dtype = given or _inferred(kinds)
    try:
        if backends.silent:
            array = _array(flat, dtype, kinds)
        else:
            with numpy.errstate(all="ignore"):
                array = _array(flat, dtype, kinds)
    except OverflowError:
        _overflow(flat, dtype)
    except TypeError:
        if dtype.category < dtypes.COMPLEX and complex in kinds:
            raise ArgumentError(
                "must be real number, not complex", hint="give dtype=torch.complex64"
            ) from None
        raise
    return (array if len(shape) == 1 else array.reshape(shape)), dtype


def _array(flat: Sequence[Any], dtype: DType, kinds: set[type]) -> Any:
    """Numbers, of these classes, as an array of one dimension."""
    target = dtype.numpy
    if dtype is dtypes.float32 or dtype is dtypes.float64 or dtype.category == dtypes.COMPLEX:
        return numpy.array(flat, target)
    if dtype.category == dtypes.FLOATING:
        return numpy.array(flat, numpy.float64).astype(target)
    if dtype.category == dtypes.INTEGER and not kinds <= {int, bool}:
        return numpy.array([int(value) for value in flat], target)
    return numpy.array(flat, target)


def _overflow(flat: Sequence[Any], dtype: DType) -> NoReturn:
    if any(isinstance(v, int) and not -(1 << 63) <= v < 1 << 63 for v in flat):
        raise ArgumentValueError("Overflow when unpacking long long") from None
    from tgrad.ops.operands import checked_number

    for value in flat:
        checked_number(value, tensor_type(dtype))
    raise ArgumentValueError("Overflow when unpacking long long") from None


def _inferred(kinds: set[type]) -> DType:
    if not kinds:
        return dtypes.default.dtype
    rank = max([_RANKS.get(kind, 2) for kind in kinds])
    default = dtypes.default.dtype
    return (dtypes.bool_, dtypes.int64, default, default.to_complex())[rank]


def _plain_numbers(flat: Sequence[Any]) -> tuple[list[Any], DType | None]:
    """Python numbers for all elements, and the dtype that NumPy scalars and tensors ask for."""
    result = []
    found: DType | None = None
    for value in flat:
        its: DType | None
        if isinstance(value, Tensor):
            if value._array.size != 1:
                raise ArgumentValueError(
                    "only one element tensors can be converted to Python scalars"
                )
            its, value = value._type.dtype, value._array.item()
        elif isinstance(value, (numpy.generic, numpy.ndarray)):
            its, value = _dtype_of_array(numpy.asarray(value)), value.item()
        elif type(value) in _RANKS:
            its = dtypes.of_number(value)
        else:
            _no_dtype(value)
        result.append(value)
        found = its if found is None else dtypes.promote(found, its)
    return result, found


def _no_dtype(value: Any) -> NoReturn:
    if isinstance(value, str):
        raise ArgumentError("new(): invalid data type 'str'")
    if _is_sequence(value):
        raise ArgumentError(f"'{type(value).__name__}' object cannot be interpreted as an integer")
    raise DTypeError(f"Could not infer dtype of {type(value).__name__}")
