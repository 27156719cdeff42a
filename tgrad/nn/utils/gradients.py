"""Norms of gradients, gradients clipped, parameters as one vector."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from tgrad.core.engine import Spaces
from tgrad.core.modes import no_grad
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, StateError


def _listed(tensors: Any) -> list[Any]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _gradients(parameters: Any) -> list[Any]:
    return [p._grad for p in _listed(parameters) if p._grad is not None]


def _beside(number: Any, other: Any) -> Any:
    """A tensor on the device of another one."""
    device = other._type.device
    return number if number._type.device is device else number.to(device)


def get_total_norm(
    tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: Any = None
) -> Any:
    """The norm of all tensors together, as if they were one vector."""
    o = Spaces.recorded
    listed = _listed(tensors)
    norm_type = float(norm_type)
    with no_grad():
        if not listed:
            from tgrad.nn.layers import filled

            return filled((), 0.0)
        norms = [_beside(o.linalg_vector_norm(t, norm_type, None, False), listed[0]) for t in listed]
        total = o.linalg_vector_norm(o.stack(tuple(norms), 0), norm_type, None, False)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise StateError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it "
            "cannot be clipped. To disable this error and scale the gradients by the non-finite norm "
            "anyway, set `error_if_nonfinite=False`"
        )
    return total


def clip_grads_with_norm_(parameters: Any, max_norm: float, total_norm: Any, foreach: Any = None) -> None:
    """Scale all gradients, whose norm is known, so that it is at most `max_norm`."""
    with no_grad():
        factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        for grad in _gradients(parameters):
            grad.mul_(_beside(factor, grad))


def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: Any = None,
) -> Any:  # fmt: skip
    """Scale all gradients so that the norm of all of them together is at most `max_norm`.

    Returns the norm before.
    """
    listed = _listed(parameters)
    total = get_total_norm(_gradients(listed), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(listed, max_norm, total)
    return total


def clip_grad_value_(parameters: Any, clip_value: float, foreach: Any = None) -> None:
    """Bring all elements of the gradients between -clip_value and clip_value."""
    with no_grad():
        for grad in _gradients(parameters):
            grad.clamp_(min=-float(clip_value), max=float(clip_value))


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """All parameters one after the other as one vector."""
    return Spaces.recorded.cat(tuple(p.view(-1) for p in parameters), 0)


def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Parameters set to the parts of one vector."""
    if not isinstance(vec, Tensor):
        raise ArgumentError(f"expected torch.Tensor, but got: {_path(vec)}")
    at = 0
    for p in parameters:
        size = p.numel()
        p.data = vec[at : at + size].view_as(p).data
        at += size


def _path(value: Any) -> str:
    from tgrad.ops.typeinfo import typename

    return str(typename(value))
