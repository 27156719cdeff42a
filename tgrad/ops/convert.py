"""Conversions to another dtype or device: `x.to(...)`, `x.double()`, `x.type(...)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tgrad.core import dtype as dtypes
from tgrad.core.device import CPU, CUDA, Device, named, tensor_type
from tgrad.core.dtype import DType
from tgrad.core.engine import Spaces
from tgrad.core.memory_format import PRESERVE, MemoryFormat, check_rank, is_stored, stored
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, ArgumentValueError, DeviceError
from tgrad.ops.arguments import ACCEPT, REFUSED, type_name
from tgrad.ops.table import Rule, operator

given = Rule("dtype=", "never", lambda operands, dtype: dtype)

operator(
    "to_copy", lambda xp, input, dtype: input,
    input=lambda o, g, input_type: o.to_type(g, input_type),
    kinds={"dtype": "dtype"}, dtype=given, function=False, method=False, label="ToCopyBackward",
    narrow=True, doc="The elements in another dtype.",
)  # fmt: skip

operator(
    "copy_of", lambda xp, input: xp.array(input, order="K"),
    input=lambda o, g: g,
    function=False, method=False, label="ToCopyBackward",
    narrow=True, doc="A copy in the same dtype.",
)  # fmt: skip

operator(
    "in_format", lambda xp, input, dtype, memory_format: stored(input, memory_format),
    input=lambda o, g, input_type: o.to_type(g, input_type),
    kinds={"dtype": "dtype"}, dtype=given, function=False, method=False, label="ToCopyBackward",
    narrow=True, doc="The elements in another dtype and memory format.",
)  # fmt: skip

operator(
    "gradient_copy", lambda xp, input: xp.array(input, order="C"),
    input=lambda o, g: g,
    function=False, method=False, label="torch::autograd::CopyBackwards", index="",
    narrow=True, doc="The copy of a gradient with history that becomes a leaf's `.grad`.",
)  # fmt: skip


def convert(
    tensor: Tensor,
    dtype: DType | None,
    device: Device | None,
    copy: bool = False,
    memory_format: MemoryFormat | None = None,
) -> Tensor:
    """A tensor in a dtype, on a device, in a memory format; the same object where nothing changes."""
    wanted = tensor_type(dtype or tensor._type.dtype, device or tensor._type.device)
    if wanted.device is not tensor._type.device and wanted.device != tensor._type.device:
        from tgrad.ops.transfer import transferred

        moved = transferred(tensor, tensor_type(tensor._type.dtype, wanted.device))
        return convert(moved, dtype, None, False, memory_format)
    if memory_format is not None and memory_format is not PRESERVE:
        check_rank(tensor._array.ndim, memory_format)
        array = tensor._array
        # What is stored in both orders at once (one channel, one pixel) counts as stored row by row.
        ambiguous = memory_format.channels_last and array.flags.c_contiguous
        if wanted is not tensor._type or copy or ambiguous or not is_stored(array, memory_format):
            return Spaces.recorded.in_format(tensor, wanted.dtype, memory_format)  # type: ignore[no-any-return]
        return tensor
    if wanted is tensor._type:
        return Spaces.recorded.copy_of(tensor) if copy else tensor
    return Spaces.recorded.to_copy(tensor, wanted.dtype)  # type: ignore[no-any-return]


def to(self: Tensor, *args: Any, **options: Any) -> Tensor:
    """The tensor in another dtype and/or on another device; itself where nothing changes.

    `to(dtype)`, `to(device)`, `to(device, dtype)`, `to(other)`; `copy=True` always copies.
    """
    if not options and len(args) == 1 and type(args[0]) is DType:
        return convert(self, args[0], None)
    if "chunks" in options:
        from tgrad.ops.chunked import in_chunks

        chunks = options.pop("chunks")
        with in_chunks(chunks):
            found = to(self, *args, **options) if args or options else self
            backend = found._type.backend
            if chunks is not None and backend is not None and backend is self._type.backend:
                found = Spaces.recorded.copy_of(found) if found is self else found
                found._array = backend.cut(found._array)
        return found
    copy = bool(options.pop("copy", False))
    options.pop("non_blocking", None)
    memory_format = _memory_format("to", options)
    dtype, device, other = (options.pop(n, None) for n in ("dtype", "device", "other"))
    for position, value in enumerate(args):
        if isinstance(value, Tensor):
            other = value
        elif isinstance(value, bool):
            copy = copy or (value and position == len(args) - 1)
        elif ACCEPT["dtype"][0](value) is not REFUSED:
            dtype = value
        else:
            device = value
    if options or (not args and dtype is None and device is None and other is None and not copy
                   and memory_format is None):
        _bad_to(args, options)
    if other is not None:
        dtype, device = other._type.dtype, other._type.device
    where = None if device is None else ACCEPT["device"][0](device)
    if where is REFUSED:
        _bad_to(args, options)
    return convert(self, None if dtype is None else ACCEPT["dtype"][0](dtype), where, copy, memory_format)


def _memory_format(name: str, options: dict[str, Any]) -> MemoryFormat | None:
    """The keyword `memory_format`, taken out of a call's options."""
    found = options.pop("memory_format", None)
    if found is not None and not isinstance(found, MemoryFormat):
        raise ArgumentError(
            f"{name}(): argument 'memory_format' must be torch.memory_format, not {type_name(found)}"
        )
    return found


def _bad_to(args: tuple[Any, ...], options: dict[str, Any]) -> None:
    got = [type_name(value) for value in args]
    got += [f"{name}={type_name(value)}" for name, value in options.items()]
    raise ArgumentError(
        f"to() received an invalid combination of arguments - got ({', '.join(got)}), but expected "
        "one of:\n"
        " * (torch.device device = None, torch.dtype dtype = None, bool non_blocking = False, bool "
        "copy = False, *, torch.memory_format memory_format = None)\n"
        " * (torch.dtype dtype, bool non_blocking = False, bool copy = False, *, "
        "torch.memory_format memory_format = None)\n"
        " * (Tensor tensor, bool non_blocking = False, bool copy = False, *, torch.memory_format "
        "memory_format = None)\n"
    )


def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False, **options: Any) -> Any:
    """Without an argument the name of the tensor's type, else the tensor converted to it."""
    if dtype is None:
        return self._type.name
    if isinstance(dtype, str):
        kind = named(dtype)
        if kind is None:
            raise ArgumentValueError(f"invalid type: '{dtype}'")
    else:
        kind = getattr(dtype, "kind", None)
    if kind is not None:
        return convert(self, *kind)
    found = ACCEPT["dtype"][0](dtype)
    if not isinstance(found, DType):
        raise ArgumentError("dtype must be a type, str, or dtype object")
    return convert(self, found, None)


def type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in the dtype and on the device of another one."""
    if not isinstance(other, Tensor):
        raise ArgumentError(
            f"type_as(): argument 'other' (position 1) must be Tensor, not {type_name(other)}"
        )
    return convert(self, other._type.dtype, other._type.device)


def to_type(tensor: Tensor, type_: Any) -> Tensor:
    """A tensor in a tensor type; for formulas."""
    return convert(tensor, type_.dtype, type_.device)


def cpu(self: Tensor, **options: Any) -> Tensor:
    """The tensor in main memory."""
    return convert(self, None, CPU)


def cuda(self: Tensor, device: Any = None, non_blocking: bool = False, **options: Any) -> Tensor:
    """The tensor on a GPU."""
    where = CUDA if device is None else ACCEPT["device"][0](device)
    if where is REFUSED:
        raise ArgumentError(
            f"cuda(): argument 'device' (position 1) must be torch.device, not {type_name(device)}"
        )
    if where.type != "cuda":
        raise DeviceError("Invalid device, must be cuda device")
    return convert(self, None, where)


def _caster(dtype: DType) -> Callable[..., Tensor]:
    def method(self: Tensor, **options: Any) -> Tensor:
        return convert(self, dtype, None, memory_format=_memory_format(dtype.name, options))

    method.__doc__ = f"The tensor with elements of dtype {dtype.name}; itself if it has it."
    return method


METHODS: Final[dict[str, Callable[..., Any]]] = {
    "to": to, "type": type_, "type_as": type_as, "cpu": cpu, "cuda": cuda,
    **{
        name: _caster(dtype)
        for name, dtype in {
            "float": dtypes.float32, "double": dtypes.float64, "half": dtypes.float16,
            "bfloat16": dtypes.bfloat16,
            "short": dtypes.int16, "int": dtypes.int32, "long": dtypes.int64,
            "char": dtypes.int8, "byte": dtypes.uint8, "bool": dtypes.bool_,
            "cfloat": dtypes.complex64, "cdouble": dtypes.complex128,
        }.items()
    },
}  # fmt: skip
