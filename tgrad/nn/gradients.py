"""`torch.nn.utils`: gradients clipped, parameters as one vector."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from tgrad.core.engine import Spaces
from tgrad.core.modes import no_grad
from tgrad.core.tensor import Tensor

__all__ = [
    "clip_grad_norm_", "clip_grad_value_", "parameters_to_vector", "vector_to_parameters",
]  # fmt: skip


def _with_gradients(parameters: Any) -> list[Any]:
    listed = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [p for p in listed if p._grad is not None]


def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: Any = None,
) -> Any:  # fmt: skip
    """Scale all gradients so that the norm of all of them together is at most `max_norm`.

    Returns the norm before.
    """
    o = Spaces.recorded
    found = _with_gradients(parameters)
    with no_grad():
        if not found:
            from tgrad.nn.layers import filled

            return filled((), 0.0)
        norms = [o.linalg_vector_norm(p._grad, norm_type, None, False) for p in found]
        total = o.linalg_vector_norm(o.stack(tuple(norms), 0), norm_type, None, False)
        if error_if_nonfinite and not math.isfinite(total.item()):
            from tgrad.errors import StateError

            raise StateError(
                f"The total norm of order {norm_type} for gradients from `parameters` is "
                "non-finite, so it cannot be clipped. To disable this error and scale the gradients "
                "by the non-finite norm anyway, set `error_if_nonfinite=False`"
            )
        factor = (max_norm / (total + 1e-6)).clamp(max=1.0)
        for p in found:
            p._grad.mul_(factor)
    return total


def clip_grad_value_(parameters: Any, clip_value: float, foreach: Any = None) -> None:
    """Bring all elements of the gradients between -clip_value and clip_value."""
    with no_grad():
        for p in _with_gradients(parameters):
            p._grad.clamp_(min=-float(clip_value), max=float(clip_value))


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """All parameters one after the other as one vector."""
    return Spaces.recorded.cat(tuple(p.view(-1) for p in parameters), 0)


def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Parameters set to the parts of one vector."""
    at = 0
    for p in parameters:
        size = p.numel()
        p.data = vec[at : at + size].view_as(p).data
        at += size
