"""Parameters and buffers: tensors that a module owns.

Note [Kinds of tensors]
    A parameter is a plain tensor that is listed here by its identity: operators recognise tensors by
    their exact class, which is what keeps them quick.  A lazy parameter is of a class of its own, so
    that no operator takes it, until its shape is known.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Final

from tgrad.core import tensor as tensors
from tgrad.core.device import TensorType, tensor_type
from tgrad.core.dtype import default
from tgrad.core.modes import state
from tgrad.core.tensor import PARAMETERS, Tensor
from tgrad.core.tensor import mark_parameter as mark
from tgrad.errors import ArgumentValueError, DTypeError, StateError
from tgrad.ops.factory import option


def type_for(dtype: Any, device: Any) -> TensorType:
    """The type of a new tensor of a layer: by default the default dtype, where new tensors are."""
    where = state.device if device is None else option("empty", "device", "device", device)
    return tensor_type(dtype or default.dtype, where)


_BUFFERS: Final[dict[int, tuple[weakref.ref[Tensor], bool]]] = {}
"""The tensors made by `Buffer`, and whether they are saved with a module's state."""


class _Kind(type):
    """Makes `isinstance(x, Parameter)` true for tensors that were made parameters."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return is_parameter(instance)


class Parameter(metaclass=_Kind):
    """A tensor that a module registers when it is assigned to one of its attributes.

    `Parameter(data, requires_grad=True)` shares the memory of `data`.
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        """A leaf on the memory of `data`, marked as a parameter."""
        result = _leaf(data)
        if requires_grad and not result._type.inexact:
            raise DTypeError("Only Tensors of floating point and complex dtype can require gradients")
        return mark(result.requires_grad_(requires_grad))


Parameter.__module__ = "torch.nn.parameter"


class _BufferKind(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return buffer_persistence(instance) is not None


class Buffer(metaclass=_BufferKind):
    """A tensor that a module registers as a buffer when it is assigned to one of its attributes."""

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        """A tensor on the memory of `data`, marked as a buffer."""
        result = _leaf(data)
        key = id(result)
        _BUFFERS[key] = weakref.ref(result, lambda _: _BUFFERS.pop(key, None)), persistent
        return result


Buffer.__module__ = "torch.nn.parameter"


def _leaf(data: Any) -> Tensor:
    """A tensor of its own on the memory of another one, by default an empty one."""
    if data is None:
        type_ = type_for(None, None)
        return tensors.new_tensor(type_.xp.zeros((0,), type_.dtype.numpy), type_)
    result: Tensor = data.detach()
    result._view = None
    return result


def is_parameter(value: Any) -> bool:
    """Whether a value is a parameter."""
    return id(value) in PARAMETERS


def buffer_persistence(value: Any) -> bool | None:
    """Whether a tensor made by `Buffer` is saved; None for any other value."""
    found = _BUFFERS.get(id(value))
    return None if found is None else found[1]


class _Uninitialized(Tensor):
    """A tensor of a lazy module, whose shape isn't known yet."""

    __slots__ = ()

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        """A tensor without a shape, of a dtype."""
        type_ = type_for(dtype, device)
        result = tensors.new_tensor(type_.xp.zeros((0,), type_.dtype.numpy), type_)
        result.__class__ = cls
        return result

    def __init__(self, *args: Any, **keywords: Any) -> None:
        """Everything is done when the object is made."""

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Give it its shape, with values that don't matter."""
        self._type = type_for(dtype or self._type.dtype, device or self._type.device)
        self.__class__ = Tensor  # type: ignore[assignment]
        self._array = self._type.xp.zeros(tuple(shape), self._type.dtype.numpy)

    def convert(self, change: Callable[[Tensor], Tensor]) -> None:
        """Take the dtype and the device that a tensor has after a change."""
        changed = change(tensors.new_tensor(self._type.xp.zeros((0,), self._type.dtype.numpy), self._type))
        self._array, self._type = changed._array, changed._type

    @property
    def shape(self) -> Any:
        """Isn't known."""
        raise StateError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually "
            "happens in `load_state_dict` when trying to load an uninitialized parameter into an "
            "initialized one. Call `forward` to initialize the parameters before accessing their "
            "attributes."
        )

    def __getattribute__(self, name: str) -> Any:
        if name[:1] == "_" or name in _HARMLESS:
            return super().__getattribute__(name)
        raise ArgumentValueError(
            f"Attempted to use an uninitialized parameter in {name}. This error happens when you are "
            "using a `LazyModule` or explicitly manipulating `torch.nn.parameter."
            f"{type(self).__name__}` objects. When using LazyModules Call `forward` with a dummy batch "
            "to initialize the parameters before calling torch functions"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


_HARMLESS: Final = frozenset(
    ("shape", "materialize", "convert", "requires_grad", "requires_grad_", "is_leaf", "grad", "dtype",
     "device", "grad_fn", "data", "require_grad", "current_edge")
)  # fmt: skip


class UninitializedParameter(_Uninitialized):
    """A parameter whose shape isn't known yet: see `torch.nn.LazyLinear`."""

    __slots__ = ()

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        """A parameter without a shape."""
        result = mark(super().__new__(cls, requires_grad, device, dtype))
        return result.requires_grad_(requires_grad)


class UninitializedBuffer(_Uninitialized):
    """A buffer whose shape isn't known yet: see `torch.nn.LazyBatchNorm1d`."""

    __slots__ = ()


for _class in (UninitializedParameter, UninitializedBuffer):
    _class.__module__ = "torch.nn.parameter"


def is_lazy(value: Any) -> bool:
    """Whether a tensor waits for its shape."""
    return isinstance(value, _Uninitialized)
