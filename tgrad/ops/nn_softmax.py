"""Rows: softmax, log_softmax, softmin."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.nn_base import functional, needs_floats
from tgrad.ops.table import composite, operator


def _total(o: Any, values: Any, dim: int) -> Any:
    return o.sum_dim(values, (dim,), True)


operator(
    "_softmax_backward_data",
    lambda xp, grad, output, dim: xp.softmax_back(grad, output, dim),
    grad=lambda o, g, output, dim: o._softmax_backward_data(g, output, dim),
    output=lambda o, g, grad, output, dim: (
        g * (grad - _total(o, grad * output, dim)) - grad * _total(o, g * output, dim)
    ),
    kinds={"grad": "tensor", "output": "tensor"}, function=False, method=False,
    doc="The derivative of softmax: p * (g - sum(g * p)).",
)  # fmt: skip
operator(
    "_log_softmax_backward_data",
    lambda xp, grad, output, dim: xp.log_softmax_back(grad, output, dim),
    grad=lambda o, g, output, dim: g - _total(o, g * o.exp(output), dim),
    output=lambda o, g, grad, output, dim: -(_total(o, grad, dim) * o.exp(output) * g),
    kinds={"grad": "tensor", "output": "tensor"}, function=False, method=False,
    doc="The derivative of log_softmax: g - p * sum(g).",
)  # fmt: skip


def _check_softmax(name: str) -> Callable[..., None]:
    def check(input: Tensor, dim: int) -> None:
        at = wrap_dim(dim, input._array.ndim)
        if not input._type.inexact:
            last = "lastdim_" if at >= input._array.ndim - 1 else ""
            needs_floats(f"{name}_{last}kernel_impl")(input)

    return check


operator(
    "_softmax", lambda xp, input, dim: xp.softmax(input, dim),
    input=lambda o, g, out, dim: o._softmax_backward_data(g, out, dim),
    check=_check_softmax("softmax"), function=False, method=False, label="SoftmaxBackward",
    doc="exp(x) divided by its sum along a dimension.",
)  # fmt: skip
operator(
    "_log_softmax", lambda xp, input, dim: xp.log_softmax(input, dim), narrow=True,
    input=lambda o, g, out, dim: o._log_softmax_backward_data(g, out, dim),
    check=_check_softmax("log_softmax"), function=False, method=False, label="LogSoftmaxBackward",
    doc="The logarithm of softmax along a dimension, without overflow.",
)  # fmt: skip


def _softmax_of(key: str) -> Callable[..., Any]:
    def forward(o: Any, input: Any, dim: int, dtype: Any = None) -> Any:
        if dtype is not None and input._type.dtype is not dtype:
            input = o.to_copy(input, dtype)
        return getattr(o, key)(input, dim)

    return forward


composite("softmax", _softmax_of("_softmax"), doc="exp(x) divided by its sum along a dimension.")
composite(
    "log_softmax", _softmax_of("_log_softmax"),
    doc="The logarithm of softmax along a dimension, without overflow.",
)  # fmt: skip


def _functional_softmax(name: str, negated: bool = False) -> Callable[..., Any]:
    key = "softmax" if negated else name

    def forward(
        o: Any, input: Any, dim: Any = None, _stacklevel: Any = 3, dtype: Any = None
    ) -> Any:
        if dim is None:
            warnings.warn(
                f"Implicit dimension choice for {name} has been deprecated. Change the call to "
                "include dim=X as an argument.",
                stacklevel=6,
            )
            dim = 0 if input.ndim in (0, 1, 3) else 1
        return getattr(o, key)(o.neg(input) if negated else input, dim, dtype)

    return forward


functional("softmax", _functional_softmax("softmax"), kinds={"dim": "int?"}, doc="See torch.softmax.")
functional(
    "log_softmax", _functional_softmax("log_softmax"), kinds={"dim": "int?"},
    doc="See torch.log_softmax.",
)  # fmt: skip
functional(
    "softmin", _functional_softmax("softmin", True), kinds={"dim": "int?"},
    doc="softmax of the negative input.",
)  # fmt: skip
