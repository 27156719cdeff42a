"""Tensors taken from one device to another, and their gradients taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tgrad.core.device import TensorType, type_of
from tgrad.core.gradients import wrapped
from tgrad.core.graph import Edge, Node, fill_node
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.core.tensor import host_array as host_array
from tgrad.ops.rebase import set_origin


class ToCopyBackward(Node):
    """A tensor on another device: its gradient is taken to where the tensor was."""

    __slots__ = ("home",)
    label = "ToCopyBackward0"
    home: TensorType

    def raw(self, g: Any, edges: tuple[Edge | None, ...]) -> tuple[Any, ...]:
        """The gradient on the tensor's own device."""
        return (moved(wrapped(g)._array, type_of(wrapped(g)._array), self.home),)

    def recorded(self, o: Any, g: Tensor, edges: tuple[Edge | None, ...]) -> tuple[Any, ...]:
        """The same with tensors."""
        return (transferred(g, self.home.related[g._type.dtype]),)


ToCopyBackward.__name__ = ToCopyBackward.__qualname__ = "ToCopyBackward0"
ToCopyBackward.__module__ = "builtins"


def moved(array: Any, its: TensorType, type_: TensorType) -> Any:
    """An array's elements on the device of a type of the same dtype."""
    if its.backend is not None:
        array = its.backend.to_host(array)
    return array.copy(order="K") if type_.backend is None else type_.backend.from_host(array)


def array_for(tensor: Tensor, type_: TensorType) -> Any:
    """A tensor's elements, in its own dtype, as an array on the device of a type."""
    own = tensor._type
    if own.backend is type_.backend:
        return tensor._array
    return moved(tensor._array, own, type_.related[own.dtype])


def transferred(tensor: Tensor, type_: TensorType) -> Tensor:
    """A tensor on the device of a type of its dtype."""
    result = new_tensor(moved(tensor._array, tensor._type, type_), type_)
    edge = tensor.current_edge() if state.grad else None
    if edge is not None:
        node = ToCopyBackward()
        fill_node(node, (edge,), None)
        node.home = tensor._type
        set_origin(node)
        result._edge = (node, 0)
    return result


def for_arrays_of(type_: TensorType, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy's arrays as one of those that tensors of a type have."""
    return function if type_.backend is None else type_.backend.bound(function)


def drawn(tensor: Tensor, function: Callable[..., Any], *args: Any) -> Any:
    """Random numbers by a function of `tgrad.core.random`, as an array to be used with a tensor's."""
    backend = tensor._type.backend
    return function(*args) if backend is None else backend.drawn(function, *args, like=tensor._array)
