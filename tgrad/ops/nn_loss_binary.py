"""Rows: cross entropy of two classes, from probabilities or logits."""

from __future__ import annotations

from typing import Any

from tgrad.backends.narrow import wide
from tgrad.core.tensor import Size, Tensor
from tgrad.errors import ArgumentValueError, DTypeError, ShapeError
from tgrad.ops.formulas import to_shape
from tgrad.ops.nn_base import functional
from tgrad.ops.nn_loss import PAIR, Old, need_tensors, reduced, reduction_number, share
from tgrad.ops.operands import broadcast_error
from tgrad.ops.table import operator, promoted


def _cross_entropy_of_two(xp: Any, input: Any, target: Any, weight: Any) -> Any:
    one = input.dtype.type(1)
    losses = xp.subtract(
        (target - one) * xp.maximum(xp.log1p(-input), -100),
        target * xp.maximum(xp.log(input), -100),
    )
    return losses if weight is None else losses * weight


def _bce_kernel(xp: Any, input: Any, target: Any, weight: Any, reduction: int) -> Any:
    losses = _cross_entropy_of_two(xp, input, target, weight)
    return reduced(xp, losses.astype(input.dtype), reduction)


def weighted(g: Any, weight: Any) -> Any:
    """A gradient times the weights, if there are any."""
    return g if weight is None else g * weight


EPSILON = 9.999999960041972e-13
"""1e-12 in single precision, which PyTorch's first derivative has for float64 as well."""
TINY = 1e-12


def _bce_slope(xp: Any, grad: Any, input: Any, target: Any, weight: Any, reduction: int) -> Any:
    """(x - t) / (x (1 - x)), the denominator at least EPSILON."""
    below = xp.maximum((1 - input) * input, input.dtype.type(EPSILON))
    return weighted(grad * (input - target) / below, weight) * input.dtype.type(
        share(input, reduction)
    )


def bce_second(
    o: Any, g: Any, grad: Any, input: Any, target: Any, weight: Any, reduction: int
) -> Any:
    """The derivative of the slope: (x^2 - 2 x t + t) / (x (1 - x))^2."""
    low, high = input + TINY, 1 - input + TINY
    slope = (input * input - 2 * input * target + target) / (low * low * (high * high))
    return weighted(slope * (g * grad), weight) * share(input, reduction)


def bce_of_gradient(o: Any, g: Any, input: Any, target: Any, weight: Any, reduction: int) -> Any:
    """The slope again."""
    slope = (input - target) / ((input + TINY) * (1 - input + TINY))
    return weighted(slope * g, weight) * share(input, reduction)


operator(
    "binary_cross_entropy_backward",
    lambda xp, grad, input, target, weight, reduction: _bce_slope(
        xp, grad, input, target, weight, reduction
    ),
    grad=lambda o, g, input, target, weight, grad_shape, reduction: to_shape(
        o, bce_of_gradient(o, g, input, target, weight, reduction), grad_shape
    ),
    input=lambda o, g, grad, input, target, weight, reduction: bce_second(
        o, g, grad, input, target, weight, reduction
    ),
    target=lambda o, g, grad, input, weight, reduction: weighted(
        -g * grad / o.clamp_min(input * (1 - input), TINY), weight
    ) * share(input, reduction),
    kinds={"grad": "tensor", "weight": "index?", "reduction": "int"}, function=False, method=False,
    doc="The derivative of binary_cross_entropy.",
)  # fmt: skip


def bce_target(o: Any, g: Any, input: Any, target: Any, weight: Any, reduction: int) -> Any:
    """log(1 - x) - log(x)."""
    return weighted(g * (o.log1p(-input) - o.log(input)), weight) * share(input, reduction)


def _check_bce(input: Tensor, target: Tensor, weight: Any, reduction: int) -> None:
    if input._type is not target._type:
        raise DTypeError(
            f"Found dtype {target._type.dtype.title} but expected {input._type.dtype.title}"
        )
    for name, tensor in (("input", input), ("target", target)):
        array = tensor._array
        if not tensor._type.xp.holds((array >= 0) & (array <= 1)):
            raise ShapeError(f"all elements of {name} should be between 0 and 1")


operator(
    "binary_cross_entropy",
    lambda xp, input, target, weight, reduction: _bce_kernel(xp, input, target, weight, reduction),
    input=lambda o, g, input, target, weight, reduction: o.binary_cross_entropy_backward(
        g, input, target, weight, reduction
    ),
    target=lambda o, g, input, target, weight, reduction: bce_target(
        o, g, input, target, weight, reduction
    ),
    kinds={"reduction": "int", "weight": "index?"}, check=_check_bce, narrow=True,
    function=False, method=False, doc="-(t log(x) + (1 - t) log(1 - x)), logarithms at least -100.",
)  # fmt: skip


def _check_weight(shape: tuple[int, ...], size: tuple[int, ...]) -> None:
    """PyTorch's error for weights that don't broadcast to the input's size."""
    for place in range(-1, -min(len(shape), len(size)) - 1, -1):
        if shape[place] not in (1, size[place]):
            raise ShapeError(
                f"Attempting to broadcast a dimension of length {shape[place]} at {place}! "
                f"Mismatching argument at index 1 had {Size(shape)}; but expected shape should be "
                f"broadcastable to {list(size)}"
            )


def _bce(
    o: Any, input: Any, target: Any, weight: Any = None, size_average: Old = None,
    reduce: Old = None, reduction: Any = "mean",
) -> Any:  # fmt: skip
    number = reduction_number(reduction, size_average, reduce)
    need_tensors(target, input)
    if input._array.shape != target._array.shape:
        raise ArgumentValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    if weight is not None and weight._array.shape != input._array.shape:
        _check_weight(weight._array.shape, input._array.shape)
        weight = o.expand(weight, input._array.shape)
    return o.binary_cross_entropy(input, target, weight, number)


def _bce_logits_kernel(
    xp: Any, input: Any, target: Any, weight: Any, pos_weight: Any, reduction: int
) -> Any:
    x = wide(input)
    log_sigmoid = xp.subtract(xp.minimum(x, 0), xp.log1p(xp.exp(-xp.abs(x)))).astype(input.dtype)
    if pos_weight is not None:
        log_sigmoid = log_sigmoid * ((pos_weight - 1) * target + 1)
    losses = (1 - target) * input - log_sigmoid
    if weight is not None:
        losses = losses * weight
    return reduced(xp, losses.astype(input.dtype), reduction)


def bce_logits_input(
    o: Any, g: Any, input: Any, target: Any, weight: Any, pos_weight: Any, reduction: int
) -> Any:
    """sigmoid(x) - t; with a weight p of the positive class (t p + 1 - t) sigmoid(x) - t p."""
    s = o.sigmoid(input)
    if pos_weight is None:
        slope = s - target
    else:
        t = pos_weight * target
        slope = (t + 1 - target) * s - t
    return weighted(slope * g, weight) * share(input, reduction)


def bce_logits_target(
    o: Any, g: Any, input: Any, target: Any, weight: Any, pos_weight: Any, reduction: int
) -> Any:
    """-x, and with a weight p of the positive class log(1 - s) - p log(s)."""
    slope = -input
    if pos_weight is not None:
        slope = o._log_sigmoid(slope) - pos_weight * o._log_sigmoid(input)
    return weighted(slope * g, weight) * share(input, reduction)


operator(
    "binary_cross_entropy_with_logits",
    lambda xp, input, target, weight, pos_weight, reduction: _bce_logits_kernel(
        xp, input, target, weight, pos_weight, reduction
    ),
    input=lambda o, g, input, target, weight, pos_weight, reduction: bce_logits_input(
        o, g, input, target, weight, pos_weight, reduction
    ),
    target=lambda o, g, input, target, weight, pos_weight, reduction: bce_logits_target(
        o, g, input, target, weight, pos_weight, reduction
    ),
    kinds={"reduction": "int", "weight": "index?", "pos_weight": "index?"}, dtype=promoted,
    narrow=True, function=False, method=False,
    doc="binary_cross_entropy of sigmoid(x), without overflow.",
)  # fmt: skip


def _bce_with_logits(
    o: Any, input: Any, target: Any, weight: Any = None, size_average: Old = None,
    reduce: Old = None, reduction: Any = "mean", pos_weight: Any = None,
) -> Any:  # fmt: skip
    number = reduction_number(reduction, size_average, reduce)
    need_tensors(target, input)
    if input._array.shape != target._array.shape:
        raise ArgumentValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        )
    if input._type.inexact and not target._type.inexact:
        raise DTypeError(
            f"result type {input._type.dtype.title} can't be cast to the desired output type "
            f"{target._type.dtype.title}"
        )
    for a, b in ((pos_weight, target), (input, weight)):
        if a is not None and b is not None:
            error = broadcast_error(a._array.shape, b._array.shape)
            if error is not None:
                raise error
    return o.binary_cross_entropy_with_logits(input, target, weight, pos_weight, number)


functional("binary_cross_entropy", _bce, kinds=PAIR,
           doc="Cross entropy of probabilities of two classes.")  # fmt: skip
functional(
    "binary_cross_entropy_with_logits", _bce_with_logits, kinds={**PAIR, "pos_weight": "tensor?"},
    doc="Cross entropy of two classes from logits.",
)  # fmt: skip
