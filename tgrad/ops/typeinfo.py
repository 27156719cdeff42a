"""Questions about dtypes and tensors: `finfo`, `iinfo`, `promote_types`, `is_tensor`, `numel`, ..."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy

from tgrad.core import dtype as dtypes
from tgrad.core.dtype import DType
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, StateError
from tgrad.ops.arguments import ACCEPT, REFUSED, type_name
from tgrad.ops.table import operand_type


class TypeInfo:
    """The limits of a dtype: what `finfo` and `iinfo` return."""

    __slots__ = ("_fields", "bits", "dtype", "eps", "max", "min", "resolution", "smallest_normal",
                 "tiny")  # fmt: skip

    def __init__(self, fields: tuple[str, ...], dtype: DType, **values: Any) -> None:
        self._fields = fields
        self.bits = dtype.itemsize * 8
        self.dtype = dtype.name
        for name, value in values.items():
            setattr(self, name, value)

    def __repr__(self) -> str:
        kind = "finfo" if "eps" in self._fields else "iinfo"
        parts = [f"{name}={getattr(self, name):g}" for name in self._fields]
        return f"{kind}({', '.join(parts)}, dtype={self.dtype})"


def finfo(type: DType | None = None) -> TypeInfo:
    """The limits of a floating dtype: bits, eps, max, min, tiny, smallest_normal, resolution."""
    dtype = dtypes.default.dtype if type is None else type
    if not isinstance(dtype, DType):
        raise ArgumentError(
            f"finfo(): argument 'type' (position 1) must be torch.dtype, not {type_name(type)}"
        )
    if not dtype.is_differentiable:
        raise ArgumentError(
            "torch.finfo() requires a floating point input type. Use torch.iinfo to handle "
            "'torch.finfo'"
        )
    dtype = dtype.to_real()
    largest, eps, tiny, resolution = _limits(dtype)
    return TypeInfo(
        ("resolution", "min", "max", "eps", "smallest_normal", "tiny"), dtype,
        resolution=resolution, min=-largest, max=largest, eps=eps, smallest_normal=tiny, tiny=tiny,
    )  # fmt: skip


def _limits(dtype: DType) -> tuple[float, float, float, float]:
    """Of a floating dtype the largest number, the distance of 1 to the next, the smallest normal number
    and the decimal resolution."""
    if dtype is dtypes.bfloat16:  # without the package that makes arrays of it
        return (2.0 - 2.0**-7) * 2.0**127, 2.0**-7, 2.0**-126, 0.01
    info = numpy.finfo(dtype.numpy)
    resolution = float(f"{float(info.resolution):.0e}")
    return float(info.max), float(info.eps), float(info.smallest_normal), resolution


def iinfo(type: DType) -> TypeInfo:
    """The limits of an integer dtype: bits, max, min."""
    if not isinstance(type, DType):
        raise ArgumentError(
            f"iinfo(): argument 'type' (position 1) must be torch.dtype, not {type_name(type)}"
        )
    if type is dtypes.bool_:
        raise ArgumentError("torch.bool is not supported by torch.iinfo")
    if type.is_differentiable:
        raise ArgumentError(
            "torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'"
        )
    info = numpy.iinfo(type.numpy)
    return TypeInfo(("min", "max"), type, min=int(info.min), max=int(info.max))


def _checked(function: str, name: str, value: Any, kind: str, position: int = 1) -> Any:
    accept, expected = ACCEPT[kind]
    result = accept(value)
    if result is REFUSED:
        raise ArgumentError(
            f"{function}(): argument '{name}' (position {position}) must be {expected}, "
            f"not {type_name(value)}"
        )
    return result


def promote_types(type1: DType, type2: DType) -> DType:
    """The smallest dtype that both can be converted to."""
    first = _checked("promote_types", "type1", type1, "dtype")
    return dtypes.promote(first, _checked("promote_types", "type2", type2, "dtype", 2))


def result_type(tensor1: Any, tensor2: Any) -> DType:
    """The dtype of an arithmetic operation on two tensors or numbers."""
    first = _checked("result_type", "tensor1", tensor1, "operand")
    return operand_type((first, _checked("result_type", "tensor2", tensor2, "operand", 2)))


def can_cast(from_: DType, to: DType) -> bool:
    """Whether a result of the first dtype may be written to a tensor of the second."""
    first = _checked("can_cast", "from_", from_, "dtype")
    return dtypes.can_cast(first, _checked("can_cast", "to", to, "dtype", 2))


def get_default_dtype() -> DType:
    """The dtype of floating results that nothing else decides."""
    return dtypes.default.dtype


def set_default_dtype(d: DType) -> None:
    """Make a floating dtype the one of tensors made of Python floats; float32 at first."""
    if not isinstance(d, DType) or not d.is_floating_point:
        raise ArgumentError("only floating-point types are supported as the default type")
    dtypes.default.dtype = d


def is_tensor(obj: Any) -> bool:
    """Whether the object is a tensor."""
    return isinstance(obj, Tensor)


def typename(obj: Any) -> str:
    """The name of a class, or of an object's type; of a tensor's, e.g. `torch.FloatTensor`."""
    if isinstance(obj, Tensor):
        return obj._type.name
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(named, "__module__", None)
    return named.__qualname__ if module in (None, "builtins") else f"{module}.{named.__qualname__}"


def _numel(input: Tensor) -> int:
    return int(input._array.size)


def _is_nonzero(input: Tensor) -> bool:
    if input._array.size == 0:
        raise StateError("Boolean value of Tensor with no values is ambiguous")
    if input._array.size > 1:
        raise StateError("Boolean value of Tensor with more than one value is ambiguous")
    return bool(input._array.item())


def _of_tensor(name: str, ask: Callable[[Tensor], Any], doc: str) -> Callable[[Tensor], Any]:
    def function(input: Tensor) -> Any:
        return ask(_checked(name, "input", input, "tensor"))

    function.__name__ = name
    function.__doc__ = doc
    return function


TENSOR_QUESTIONS: Final[dict[str, Callable[[Tensor], Any]]] = {
    name: _of_tensor(name, ask, doc)
    for name, ask, doc in (
        ("numel", _numel, "The number of elements."),
        ("is_floating_point", lambda x: x._type.dtype.is_floating_point,
         "Whether the dtype is float16, float32 or float64."),
        ("is_complex", lambda x: x._type.dtype.is_complex, "Whether the dtype is complex."),
        ("is_signed", lambda x: x._type.dtype.is_signed, "Whether elements can be negative."),
        ("is_nonzero", _is_nonzero, "Whether the only element isn't zero."),
    )
}  # fmt: skip
"""Functions of `torch` that are methods of Tensor as well."""
