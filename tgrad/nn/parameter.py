"""Parameters: tensors that a module owns and an optimiser changes."""

from __future__ import annotations

import weakref
from typing import Any, Final

from tgrad.core import tensor as tensors
from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError

_KNOWN: Final[dict[int, weakref.ref[Tensor]]] = {}
"""The tensors that are parameters, by identity.  A parameter is a plain tensor otherwise: operators
recognise tensors by their exact class, which is what keeps them quick."""

tensors.PARAMETERS = _KNOWN


class _Kind(type):
    """Makes `isinstance(x, Parameter)` true for tensors that were made parameters."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return id(instance) in _KNOWN


class Parameter(metaclass=_Kind):
    """A tensor that a module registers when it is assigned to one of its attributes.

    `Parameter(data, requires_grad=True)` shares the memory of `data`.
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        """A leaf on the memory of `data`, marked as a parameter."""
        if data is None:
            from tgrad.core.device import CPU, tensor_type
            from tgrad.core.dtype import default

            type_ = tensor_type(default.dtype, CPU)
            data = tensors.new_tensor(type_.xp.zeros((0,), type_.dtype.numpy), type_)
        result = data.detach()
        result._view = None
        if requires_grad and not result._type.inexact:
            raise DTypeError(
                "Only Tensors of floating point and complex dtype can require gradients"
            )
        return mark(result.requires_grad_(requires_grad))


Parameter.__module__ = "torch.nn.parameter"


def mark(tensor: Tensor) -> Tensor:
    """Make a tensor a parameter; returns it."""
    key = id(tensor)
    _KNOWN[key] = weakref.ref(tensor, lambda _: _KNOWN.pop(key, None))
    return tensor


def is_parameter(value: Any) -> bool:
    """Whether a value is a parameter."""
    return id(value) in _KNOWN
