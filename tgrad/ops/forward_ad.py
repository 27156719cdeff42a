"""Tangents: `torch.autograd.forward_ad`, by two backward passes.

A dual tensor is an ordinary one whose tangent is noted down with the level.  What is computed of it
has a graph; when a tangent is asked for, the products of the graph with a vector, which are linear in
the vector, are differentiated with respect to the vector.  So the tangents are exact, and every
operator that has a second derivative has them; but they are computed when they are asked for, and
a result of dual tensors requires gradients, which in PyTorch it need not.
"""

from __future__ import annotations

from typing import NamedTuple

from tgrad.core import engine
from tgrad.core.engine import Spaces
from tgrad.core.modes import enable_grad
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, StateError
from tgrad.ops.levels import Level, products


class UnpackedDualTensor(NamedTuple):
    """What `unpack_dual` returns: the value, and its tangent or None."""

    primal: Tensor
    tangent: Tensor | None


class _Dual(NamedTuple):
    tensor: Tensor
    primal: Tensor
    tangent: Tensor


_levels: list[list[_Dual]] = []
"""The dual tensors of the current level; there is one at most."""


def enter_dual_level() -> int:
    """Begin a level, in which dual tensors can be made; one at a time."""
    if _levels:
        raise StateError("Nested forward mode AD is not supported at the moment")
    _levels.append([])
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """End the level: the tangents of its tensors are gone."""
    if not _levels and level is None:
        raise StateError("Dual level must be a positive number.")
    if not _levels or level not in (None, 0):
        raise StateError(
            "Trying to exit a forward AD level that was not the last one that was created. This is not "
            "supported."
        )
    _levels.pop()


class dual_level:  # noqa: N801
    """A block in which tensors can have tangents."""

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *error: object) -> None:
        exit_dual_level()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """A tensor with a tangent of its shape and dtype."""
    if not _levels:
        raise StateError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        )
    for name, value in (("primal", tensor), ("tangent", tangent)):
        if not value._type.inexact:
            raise ArgumentValueError(
                f"Expected {name} to be floating point or complex, but got: {value.dtype!r}"
            )
    if tensor.shape != tangent.shape:
        raise StateError(
            f"Trying to set a forward gradient that has a different size than that of the original "
            f"Tensor, this is not supported. Tensor is of size {list(tensor.shape)} while the given "
            f"forward gradient is of size {list(tangent.shape)}."
        )
    with enable_grad():
        dual = tensor.view_as(tensor) if tensor.requires_grad else tensor.detach().requires_grad_()
    _levels[-1].append(_Dual(dual, tensor, tangent))
    return dual


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The value of a tensor and its tangent; None where it doesn't depend on a dual tensor."""
    if not _levels:
        return UnpackedDualTensor(tensor, None)
    duals = _levels[-1]
    for dual in duals:
        if dual.tensor is tensor:
            return UnpackedDualTensor(dual.primal.view_as(dual.primal), dual.tangent)
    own = Level()
    own.own.update(d.tensor.current_edge()[0] for d in duals if d.tensor.is_leaf)  # type: ignore[index]
    return UnpackedDualTensor(own.left(tensor), _tangent(tensor, duals, own))


def _tangent(tensor: Tensor, duals: list[_Dual], own: Level) -> Tensor | None:
    if not duals or not tensor.requires_grad:
        return None
    with enable_grad():
        vector = Spaces.recorded.zeros_like(tensor.detach()).requires_grad_()
        edge = vector.current_edge()
        assert edge is not None
        own.own.add(edge[0])
        found = engine.grad(tensor, [d.tensor for d in duals], vector, create_graph=True, allow_unused=True)
        pairs = [(s, d.tangent) for s, d in zip(found, duals, strict=True) if s is not None]
        if not pairs:
            return None
        slopes, tangents = [s for s, _ in pairs], [t for _, t in pairs]
        graph = own.concerns_others([*slopes, *tangents])
        (result,) = products(slopes, (vector,), tangents, graph)
    return own.left(result)  # type: ignore[no-any-return]
