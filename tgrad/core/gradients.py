"""Gradients, arrays or tensors: the operators for them, their shapes, and how a leaf gets its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from numpy import generic, ndarray

from tgrad.backends.interface import Backend
from tgrad.core.device import TensorType, type_of
from tgrad.core.graph import Node
from tgrad.core.tensor import Tensor, new_tensor


class Spaces:
    """The namespaces of operators that formulas work with; filled by `tgrad.ops.install`."""

    raw: Any
    recorded: Any
    batched: Callable[[], Any]
    """Makes, or finds, the one for batches: see `tgrad.core.batch`."""
    foreign: Callable[[Any], Any]
    """Makes, or finds, the one for arrays of another library, given its `Backend`."""


def wrapped(array: Any) -> Tensor:
    """A tensor on an array, or on a scalar of NumPy's."""
    type_ = type_of(array)
    return new_tensor(type_.xp.asarray(array), type_)


def space_of(type_: TensorType) -> Any:
    """The operators for bare arrays of a type."""
    return Spaces.raw if type_.backend is None else Spaces.foreign(type_.backend)


def fit(results: tuple[Any, ...], node: Node, o: Any) -> tuple[Any, ...]:
    """Bring gradients, arrays or tensors, to the shape, dtype and device of the operands they belong to."""
    assert node.operands is not None
    fitted = []
    for result, operand in zip(results, node.operands, strict=True):
        if result is not None and operand is not None:
            shape, type_ = operand
            if result.shape != shape:
                result = (space_of(type_of(result)) if o is Spaces.raw else o).sum_to_size(result, shape)
            kind = type(result)
            on_cpu = type_.backend is None and (kind is ndarray or issubclass(kind, generic))
            if result.dtype is not type_.dtype.numpy or not on_cpu:
                result = o.to_type(result, type_)
        fitted.append(result)
    return tuple(fitted)


def _references_of_one() -> int:
    holder = [object()]
    value = holder.pop()
    return sys.getrefcount(value)


_ALONE: Final = _references_of_one()


UNSETTLED: Final[set[Backend]] = set()
"""Libraries that are lazy, and have gradients to compute when the pass is over."""


def settle() -> None:
    """Let lazy libraries compute the gradients that a pass has left."""
    while UNSETTLED:
        UNSETTLED.pop().settle()


def accumulate(leaf: Tensor, holder: list[Any]) -> None:
    """Add an array to a leaf's gradient; `holder` hands over its only reference to it."""
    value = holder.pop()
    grad = leaf._grad
    backend = leaf._type.backend
    if backend is not None and backend.lazy:
        UNSETTLED.add(backend)
    if grad is not None:
        if backend is not None:
            backend.add_to(grad._array, value)
        else:
            xp = leaf._type.xp
            xp.over(xp.add, grad._array, value)
        grad.bump_version()
        return
    if backend is not None and backend.lazy:
        value = backend.kept(value)
    elif type(value) is not type(leaf._array):
        value = leaf._type.xp.asarray(value)
    elif value.base is not None or sys.getrefcount(value) > _ALONE or not value.flags.c_contiguous:
        value = value.copy(order="C")
    leaf._grad = new_tensor(value, leaf._type)


def accumulate_recorded(leaf: Tensor, gradient: Tensor) -> None:
    """Add a gradient that has history to a leaf's gradient."""
    o = Spaces.recorded
    grad = leaf._grad
    leaf._grad = o.gradient_copy(gradient) if grad is None else o.add(grad, gradient)
