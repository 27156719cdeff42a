"""From a call to the arguments of a row: kinds, overloads, and PyTorch's errors for bad calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy

from tgrad.core import dtype as dtypes
from tgrad.core.device import Device
from tgrad.core.dtype import DType
from tgrad.core.memory_format import MemoryFormat
from tgrad.core.tensor import Layout, Size, Tensor, strided
from tgrad.errors import ArgumentError, NotAvailableError
from tgrad.ops.table import REQUIRED, Op, Parameter


class _Refused:
    def __repr__(self) -> str:
        return "<refused>"


REFUSED: Final[Any] = _Refused()
"""What a kind's function returns for a value that isn't of that kind."""


def type_name(value: Any) -> str:
    """A value's type as PyTorch names it in messages."""
    for kind, name in _NAMED_IN_FULL:
        if isinstance(value, kind):
            return name
    return type(value).__name__


_NAMED_IN_FULL: Final = (
    (DType, "torch.dtype"), (Device, "torch.device"), (Size, "torch.Size"),
    (numpy.ndarray, "numpy.ndarray"),
)  # fmt: skip


def _tensor(value: Any) -> Any:
    return value if isinstance(value, Tensor) else REFUSED


def _operand(value: Any) -> Any:
    if isinstance(value, (Tensor, bool, int, float, complex)):
        return value
    return value.item() if isinstance(value, numpy.generic) else REFUSED


def _number(value: Any) -> Any:
    if isinstance(value, (bool, int, float, complex)):
        return value
    if isinstance(value, Tensor) and value._array.ndim == 0 and not value.requires_grad:
        return value._array.item()
    return value.item() if isinstance(value, numpy.generic) else REFUSED


def _int(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, numpy.integer):
        return int(value)
    if isinstance(value, Tensor) and value._array.ndim == 0 and value._type.category == 1:
        return int(value._array)
    return REFUSED


def _ints(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        result = tuple(_int(item) for item in value)
        return REFUSED if REFUSED in result else result
    single = _int(value)
    return single if single is REFUSED else (single,)


def _sequence(value: Any) -> Any:
    return _ints(value) if isinstance(value, (tuple, list)) else REFUSED


def _split(value: Any) -> Any:
    """An int or a tuple of ints."""
    single = _int(value)
    return _ints(value) if single is REFUSED else single


def _float(value: Any) -> Any:
    value = _number(value)
    if value is REFUSED or isinstance(value, complex):
        return REFUSED
    return float(value)


def _bool(value: Any) -> Any:
    if isinstance(value, (bool, numpy.bool_)):
        return bool(value)
    return REFUSED


_PYTHON_TYPES: Final[dict[Any, DType]] = {
    float: dtypes.float64,
    int: dtypes.int64,
    bool: dtypes.bool_,
    complex: dtypes.complex128,
}


class AbsentDType:
    """A dtype of PyTorch's that there is no tensor of; using it says what to use instead."""

    __slots__ = ("instead", "name")

    def __init__(self, name: str, instead: str) -> None:
        self.name = name
        self.instead = instead

    def __repr__(self) -> str:
        return f"torch.{self.name}"


def _dtype(value: Any) -> Any:
    if isinstance(value, AbsentDType):
        raise NotAvailableError(f"{value!r} is not available in tgrad: {value.instead}")
    if isinstance(value, DType):
        return value
    return _PYTHON_TYPES.get(value, REFUSED) if isinstance(value, type) else REFUSED


def _device(value: Any) -> Any:
    if isinstance(value, Device):
        return value
    if isinstance(value, str):
        return Device(value)
    return Device(value) if isinstance(value, int) and not isinstance(value, bool) else REFUSED


def _tensors(value: Any) -> Any:
    if not isinstance(value, (tuple, list)):
        return REFUSED
    for position, item in enumerate(value):
        if not isinstance(item, Tensor):
            raise ArgumentError(
                f"expected Tensor as element {position} in argument 0, but got {type_name(item)}"
            )
    return tuple(value)


def _str(value: Any) -> Any:
    return value if isinstance(value, str) else REFUSED


def _layout(value: Any) -> Any:
    if not isinstance(value, Layout):
        return REFUSED
    if value is not strided:
        raise NotAvailableError(f"layout={value} is not available in tgrad: tensors are dense")
    return value


def _memory_format(value: Any) -> Any:
    return value if isinstance(value, MemoryFormat) else REFUSED


def _generator(value: Any) -> Any:
    from tgrad.core.random import Generator

    return value if isinstance(value, Generator) else REFUSED


ACCEPT: Final[dict[str, tuple[Callable[[Any], Any], str]]] = {
    "tensor": (_tensor, "Tensor"),
    "index": (_tensor, "Tensor"),
    "operand": (_operand, "Tensor"),
    "number": (_number, "Number"),
    "scalar": (_number, "Number"),
    "int": (_int, "int"),
    "ints": (_ints, "tuple of ints"),
    "sequence": (_sequence, "tuple of ints"),
    "split": (_split, "tuple of ints"),
    "float": (_float, "float"),
    "bool": (_bool, "bool"),
    "dtype": (_dtype, "torch.dtype"),
    "device": (_device, "torch.device"),
    "tensors": (_tensors, "tuple of Tensors"),
    "str": (_str, "str"),
    "mode": (_str, "str"),
    "generator": (_generator, "torch.Generator"),
    "layout": (_layout, "torch.layout"),
    "memory_format": (_memory_format, "torch.memory_format"),
    "any": (lambda value: value, "object"),
}
"""For each kind: the function that converts a value or refuses it, and PyTorch's name of the kind."""

_NUMPY_NAMES: Final = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input",
                       "x2": "other"}


class Mismatch(Exception):  # noqa: N818 - internal: carries the sentence of an ArgumentError
    """A call doesn't fit an overload."""


def may_fit(op: Op, args: tuple[Any, ...], keywords: Mapping[str, Any]) -> bool:
    """Whether an overload has room for the arguments and knows the keywords; kinds aren't looked at."""
    if len(args) > len(op.positional) and not op.varargs:
        return False
    names = op.names
    return all(name in names or _NUMPY_NAMES.get(name) in names for name in keywords)


def bind(op: Op, args: tuple[Any, ...], keywords: Mapping[str, Any], method: bool) -> list[Any]:
    """The values of the row's parameters for a call; Mismatch says why it doesn't fit."""
    values = []
    for p, value, position in placed(op, args, keywords, method, gathers(op, args, method)):
        values.append(p.default if value is REQUIRED else _accepted(op, p, value, position))
    return values


def placed(
    op: Op, args: tuple[Any, ...], keywords: Mapping[str, Any], method: bool, gathered: bool
) -> Iterator[tuple[Parameter, Any, int | None]]:
    """Each of the row's parameters with what a call gives for it, and with its position in messages.

    REQUIRED stands for what isn't given.  `gathered`: the last positional parameter takes all the rest.
    Mismatch says what is missing or too much.
    """
    positional = op.positional
    if gathered:
        at = len(positional) - 1
        args = (*args[:at], args[at:])
    if len(args) > len(positional):
        raise Mismatch(_too_many(op, positional, len(args), method))
    left = dict(keywords)
    for position, p in enumerate(op.parameters):
        if position < len(args) and not p.keyword_only:
            yield p, args[position], position + 1 - method
            continue
        value = _named(left, p.name) if left else REQUIRED
        if value is REQUIRED and p.required:
            raise Mismatch(_missing(op, op.parameters[position:]))
        yield p, value, None
    if left:
        word = next(iter(left))
        twice = any(p.name == word for p in op.parameters[method:])
        what = "multiple values for" if twice else "an unexpected keyword"
        raise Mismatch(f"{op.public}() got {what} argument '{word}'")


def _named(left: dict[str, Any], name: str) -> Any:
    if name in left:
        return left.pop(name)
    for other, meant in _NUMPY_NAMES.items():
        if meant == name and other in left:
            return left.pop(other)
    return REQUIRED


def gathers(op: Op, args: tuple[Any, ...], method: bool) -> bool:
    """Whether sizes are given as several ints, or several tensors or objects, which make one tuple."""
    positional = op.positional
    if not op.varargs or (not method and positional[0].kind == "tensor"):
        return False  # functions of a tensor take sizes as a tuple, only its methods take several
    rest = args[len(positional) - 1 :]
    kind = positional[-1].kind
    if kind == "any" or (kind == "tensors" and rest and isinstance(rest[0], Tensor)):
        return True
    return bool(rest) and _int(rest[0]) is not REFUSED


def _accepted(op: Op, p: Parameter, value: Any, position: int | None) -> Any:
    if value is None and (p.optional or p.default is None):
        return None
    return taken(op.public, p.name, p.kind, value, position)


def taken(function: str, name: str, kind: str, value: Any, position: int | None) -> Any:
    """A value as its kind takes it; Mismatch says what the function's argument must be."""
    accept, expected = ACCEPT[kind]
    result = accept(value)
    if result is not REFUSED:
        return result
    found = f"not {type_name(value)}"
    if kind in ("ints", "sequence") and isinstance(value, (tuple, list)):
        _check_items(function, name, value)
        found = f"but found element of type {type_name(value[0])} at pos 0"
    place = f" (position {position})" if position is not None else ""
    raise Mismatch(f"{function}(): argument '{name}'{place} must be {expected}, {found}")


def _check_items(function: str, name: str, values: Sequence[Any]) -> None:
    """Raise PyTorch's error for a sequence that begins with an int and goes on with something else."""
    for position, value in enumerate(values, 1):
        if _int(value) is REFUSED:
            if position > 1:
                raise ArgumentError(
                    f"{function}(): argument '{name}' failed to unpack the object at pos "
                    f'{position} with error "type must be tuple of ints,but got {type_name(value)}"',
                    op=function,
                )
            return


def _too_many(op: Op, positional: Sequence[Parameter], given: int, method: bool) -> str:
    given -= method
    most = len(positional) - method
    least = sum(p.required for p in op.parameters) - method
    if method and len(op.parameters) == 1:
        return f"TensorBase.{op.public}() takes no arguments ({given} given)"
    return too_many(op.public, least, most, given)


def too_many(name: str, least: int, most: int, given: int) -> str:
    """PyTorch's sentence for more positional arguments than there are parameters."""
    if least != most:
        return f"{name}() takes from {least} to {most} positional arguments but {given} were given"
    plural, were = "" if most == 1 else "s", "was" if given == 1 else "were"
    return f"{name}() takes {most} positional argument{plural} but {given} {were} given"


def _missing(op: Op, rest: Sequence[Parameter]) -> str:
    names = [p.name for p in rest if p.required]
    listed = ", ".join(f'"{name}"' for name in names)
    plural = "" if names[1:] else "s"  # the wrong way round, as in PyTorch
    return f"{op.public}() missing {len(names)} required positional argument{plural}: {listed}"


def _default_text(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def signature_text(op: Op, method: bool) -> str:
    """An overload's signature as PyTorch writes it: `(Tensor input, int dim, bool keepdim = False)`."""
    parts = []
    keyword_only = False
    out_comes = op.out and not method
    for p in op.parameters[method:]:
        if p.keyword_only and not keyword_only:
            parts.append("*")
            keyword_only = True
        if op.family == "creation" and p.name == "dtype" and out_comes:
            parts.append("Tensor out = None")
            out_comes = False
        default = "" if p.required else f" = {_default_text(p.default)}"
        parts.append(f"{ACCEPT[p.kind][1]} {p.name}{default}")
    if out_comes:
        several = bool(op.fields) or op.outputs != 1
        out = "tuple of Tensors out = None" if several else "Tensor out = None"
        parts += [out] if keyword_only else ["*", out]
    return f"({', '.join(parts)})"
