"""Rows: the losses of torch.nn.functional."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from tgrad.core.tensor import Size, Tensor
from tgrad.errors import ArgumentValueError, DTypeError, NotAvailableError, ShapeError
from tgrad.ops.dimensions import numel
from tgrad.ops.nn_base import functional
from tgrad.ops.operands import broadcast_error
from tgrad.ops.table import operator, promoted

NONE, MEAN, SUM = range(3)
"""How a loss is reduced, as the rows take it; PyTorch's nodes show the same numbers."""


def reduction_number(reduction: Any, size_average: Any = None, reduce: Any = None) -> int:
    """The number of a reduction; the two older arguments go before its name."""
    if size_average is not None or reduce is not None:
        average = size_average is None or size_average
        kept = reduce is None or reduce
        reduction = "none" if not kept else "mean" if average else "sum"
        warnings.warn(
            "size_average and reduce args will be deprecated, please use "
            f"reduction='{reduction}' instead.",
            stacklevel=6,
        )
    if reduction == "mean":
        return MEAN
    if reduction == "sum":
        return SUM
    if reduction != "none":
        raise ArgumentValueError(f"{reduction} is not a valid value for reduction")
    return NONE


def reduced(xp: Any, values: Any, reduction: int) -> Any:
    """An array's mean, its sum, or itself."""
    if reduction == NONE:
        return values
    return xp.mean(values) if reduction == MEAN else xp.sum(values)


def reduce_tensor(o: Any, values: Any, reduction: int) -> Any:
    """The same, recorded."""
    if reduction == NONE:
        return values
    return o.mean(values) if reduction == MEAN else o.sum(values)


def share(input: Any, reduction: int) -> float:
    """What a gradient is multiplied with for each element: 1 / n for a mean."""
    return 1 / max(numel(tuple(input.shape)), 1) if reduction == MEAN else 1.0


def expand_both(o: Any, input: Any, target: Any) -> tuple[Any, Any]:
    """Both operands with the shape that they broadcast to; a loss warns where that isn't theirs."""
    a, b = input._array.shape, target._array.shape
    if a == b:
        return input, target
    error = broadcast_error(a, b)
    if error is not None:
        raise error
    size = tuple(input._type.xp.broadcast_shapes(a, b))
    return (
        input if a == size else o.expand(input, size),
        target if b == size else o.expand(target, size),
    )


def warn_sizes(input: Any, target: Any) -> None:
    """PyTorch's warning about a target of another shape."""
    if input._array.shape != target._array.shape:
        warnings.warn(
            f"Using a target size ({Size(target._array.shape)}) that is different to the input size "
            f"({Size(input._array.shape)}). This will likely lead to incorrect results due to "
            "broadcasting. Please ensure they have the same size.",
            stacklevel=6,
        )


def need_tensors(*values: Any) -> None:
    """Python's error where a loss of PyTorch's asks an argument that is no tensor for its size."""
    for value in values:
        if not isinstance(value, Tensor):
            raise NoAttributeError(f"'{type(value).__name__}' object has no attribute 'size'")


class NoAttributeError(DTypeError, AttributeError):
    """An argument isn't a tensor."""

    builtin = AttributeError


def _no_integers(kernel: str) -> Callable[..., None]:
    def check(input: Tensor, target: Tensor, *args: Any) -> None:
        if not input._type.inexact and not target._type.inexact:
            raise NotAvailableError(
                f"\"{kernel}\" not implemented for '{input._type.dtype.title}'",
                hint="convert the input first: x.float()",
            )

    return check


# ---------------------------------------------------------------- distances of two tensors


def _square(xp: Any, input: Any, target: Any) -> Any:
    difference = xp.subtract(input, target)
    return xp.multiply(difference, difference)


operator(
    "mse_loss",
    lambda xp, input, target, reduction: reduced(xp, _square(xp, input, target), reduction),
    input=lambda o, g, input, target, reduction: (input - target) * (2 * share(input, reduction)) * g,
    target=lambda o, g, input, target, reduction: (target - input) * (2 * share(input, reduction)) * g,
    kinds={"reduction": "int"}, dtype=promoted, check=_no_integers("mse_cpu"),
    function=False, method=False, narrow=True, fused=True, doc="The squared difference.",
)  # fmt: skip


def _smooth_l1(xp: Any, input: Any, target: Any, beta: float) -> Any:
    z = xp.abs(xp.subtract(input, target))
    return xp.where(z < beta, 0.5 * z * z / beta, z - 0.5 * beta)


def smooth_l1_back(o: Any, g: Any, input: Any, target: Any, reduction: int, beta: float) -> Any:
    """The difference / beta, between -1 and 1."""
    x = input - target
    n = share(input, reduction)
    inner = o._choose(x >= beta, n * g, n * x * g / beta)
    return o._choose(x <= -beta, -n * g, inner)


operator(
    "smooth_l1_loss",
    lambda xp, input, target, reduction, beta: reduced(
        xp, _smooth_l1(xp, input, target, beta), reduction
    ),
    input=lambda o, g, input, target, reduction, beta: smooth_l1_back(
        o, g, input, target, reduction, beta
    ),
    target=lambda o, g, input, target, reduction, beta: smooth_l1_back(
        o, g, target, input, reduction, beta
    ),
    kinds={"reduction": "int"}, dtype=promoted, check=_no_integers("smooth_l1_cpu"),
    function=False, method=False, fused=True, doc="Half the square / beta below beta, |x| - beta / 2 above.",
    label="SmoothL1LossBackward",
)  # fmt: skip


def _huber(xp: Any, input: Any, target: Any, delta: float) -> Any:
    z = xp.abs(xp.subtract(input, target))
    return xp.where(z <= delta, 0.5 * z * z, delta * (z - 0.5 * delta))


def huber_back(o: Any, g: Any, input: Any, target: Any, reduction: int, delta: float) -> Any:
    """The difference, between -delta and delta."""
    x = input - target
    n = share(input, reduction)
    inner = o._choose(x >= delta, n * g * delta, n * x * g)
    return o._choose(x <= -delta, -n * g * delta, inner)


operator(
    "huber_loss",
    lambda xp, input, target, reduction, delta: reduced(
        xp, _huber(xp, input, target, delta), reduction
    ),
    input=lambda o, g, input, target, reduction, delta: huber_back(
        o, g, input, target, reduction, delta
    ),
    target=lambda o, g, input, target, reduction, delta: huber_back(
        o, g, target, input, reduction, delta
    ),
    kinds={"reduction": "int"}, dtype=promoted, check=_no_integers("huber_cpu"),
    function=False, method=False, fused=True, doc="Half the square below delta, linear above.",
)  # fmt: skip

Old = Any
"""The arguments size_average and reduce of PyTorch before 0.4."""


def _mse(
    o: Any, input: Any, target: Any, size_average: Old = None, reduce: Old = None,
    reduction: Any = "mean", weight: Any = None,
) -> Any:  # fmt: skip
    need_tensors(target, input)
    warn_sizes(input, target)
    number = reduction_number(reduction, size_average, reduce)
    input, target = expand_both(o, input, target)
    if weight is None:
        return o.mse_loss(input, target, number)
    losses = o.mul(weight, o.mse_loss(input, target, NONE))
    if number == NONE:
        return losses
    total = o.sum(losses)
    return total if number == SUM else o.div(total, o.sum(weight))


def _l1(
    o: Any, input: Any, target: Any, size_average: Old = None, reduce: Old = None,
    reduction: Any = "mean", weight: Any = None,
) -> Any:  # fmt: skip
    need_tensors(target, input)
    warn_sizes(input, target)
    number = reduction_number(reduction, size_average, reduce)
    input, target = expand_both(o, input, target)
    losses = o.abs(o.sub(input, target))
    if weight is None:
        return reduce_tensor(o, losses, number)
    losses = o.mul(weight, losses)
    if number == NONE:
        return losses
    return o.sum(losses) if number == SUM else o.div(o.sum(losses), o.sum(weight))


def _smooth_l1_loss(
    o: Any, input: Any, target: Any, size_average: Old = None, reduce: Old = None,
    reduction: Any = "mean", beta: float = 1.0,
) -> Any:  # fmt: skip
    need_tensors(target, input)
    warn_sizes(input, target)
    number = reduction_number(reduction, size_average, reduce)
    if beta < 0:
        raise ShapeError("smooth_l1_loss does not support negative values for beta.")
    input, target = expand_both(o, input, target)
    if beta == 0:
        return reduce_tensor(o, o.abs(o.sub(input, target)), number)
    return o.smooth_l1_loss(input, target, number, beta)


def _huber_loss(
    o: Any, input: Any, target: Any, reduction: Any = "mean", delta: float = 1.0,
    weight: Any = None,
) -> Any:  # fmt: skip
    need_tensors(target, input)
    warn_sizes(input, target)
    number = reduction_number(reduction)
    if delta <= 0:
        raise ShapeError("huber_loss does not support non-positive values for delta.")
    input, target = expand_both(o, input, target)
    if weight is None:
        return o.huber_loss(input, target, number, delta)
    return reduce_tensor(o, o.mul(weight, o.huber_loss(input, target, NONE, delta)), number)


PAIR = {"input": "any", "target": "any", "weight": "tensor?"}

functional("mse_loss", _mse, kinds=PAIR, doc="The squared difference, its mean or sum.")
functional("l1_loss", _l1, kinds=PAIR, doc="The absolute difference, its mean or sum.")
functional(
    "smooth_l1_loss", _smooth_l1_loss, kinds={**PAIR, "beta": "number"},
    doc="Quadratic below beta, linear above; its mean or sum.",
)  # fmt: skip
functional(
    "huber_loss", _huber_loss, kinds={**PAIR, "delta": "number"},
    doc="Quadratic below delta, linear above; its mean or sum.",
)  # fmt: skip
