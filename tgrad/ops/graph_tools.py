"""`torch.autograd.graph`: places in the graph, and hooks on several tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from tgrad.core import engine
from tgrad.core.graph import GradientEdge, HookHandle
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, AutogradError

__all__ = ["GradientEdge", "get_gradient_edge", "increment_version", "register_multi_grad_hook"]


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The place in the graph where the gradient of a tensor arrives: a node and the number of its output.

    It stands for the tensor in `backward` and `grad`, and doesn't keep the tensor's memory.
    """
    edge = tensor.current_edge()
    if edge is None:
        raise AutogradError(
            "It is not possible to get the gradient edge for a Tensor that does not require gradients"
        )
    like = tensor.new_zeros(()).expand(tensor.shape)  # shape and dtype without memory
    return GradientEdge(*edge, like)


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Note that tensors were written to by something that autograd doesn't see."""
    for each in (tensor,) if isinstance(tensor, Tensor) else tensor:
        each.bump_version()


class _Handles:
    """What registering several hooks returns: `remove()` takes them off."""

    def __init__(self, handles: Sequence[HookHandle]) -> None:
        self.handles = handles

    def remove(self) -> None:
        """Take the hooks off."""
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> _Handles:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all"
) -> _Handles:
    """Call a function once in every backward pass that reaches one of the tensors.

    With mode "all" it is called when the gradients of all that are reached are there, with a list of
    them, None for the others; with mode "any" at the first one, with it.
    """
    if mode not in ("all", "any"):
        raise ArgumentValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    group = _All(len(tensors), fn) if mode == "all" else _Any(fn)
    chosen = [(i, t) for i, t in enumerate(tensors) if mode == "all" or t.requires_grad]
    return _Handles([t.register_hook(partial(group.arrived, i)) for i, t in chosen])


class _All:
    def __init__(self, count: int, function: Callable[..., None]) -> None:
        self.count = count
        self.function = function
        self.buffers: dict[int, list[Tensor | None]] = {}

    def arrived(self, index: int, gradient: Tensor) -> None:
        """Keep a gradient; the first one in a pass sees to it that the function is called at its end."""
        walk = engine.current_walk()
        key = id(walk)
        if key not in self.buffers:
            self.buffers[key] = [None] * self.count
            walk.at_end(lambda: self.function(self.buffers.pop(key)))
        self.buffers[key][index] = gradient


class _Any:
    def __init__(self, function: Callable[..., None]) -> None:
        self.function = function
        self.walk: Any = None

    def arrived(self, index: int, gradient: Tensor) -> None:
        """Call the function if it is the first gradient in this pass."""
        walk = engine.current_walk()
        if walk is not self.walk:
            self.walk = walk
            walk.at_end(self.forget)
            self.function(gradient)

    def forget(self) -> None:
        """Let the pass go."""
        self.walk = None
