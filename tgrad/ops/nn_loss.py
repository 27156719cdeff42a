"""Rows: the losses of torch.nn.functional."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from tgrad.core.tensor import Size, Tensor
from tgrad.errors import ArgumentValueError, DimensionError, DTypeError, NotAvailableError, ShapeError
from tgrad.ops.call import broadcast_error
from tgrad.ops.dimensions import numel
from tgrad.ops.formulas import to_shape
from tgrad.ops.nn_activation import functional
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
    function=False, method=False, doc="The squared difference.",
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
    function=False, method=False, doc="Half the square / beta below beta, |x| - beta / 2 above.",
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
    function=False, method=False, doc="Half the square below delta, linear above.",
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

# ---------------------------------------------------------------- probabilities of two classes


def _cross_entropy_of_two(xp: Any, input: Any, target: Any, weight: Any) -> Any:
    one = input.dtype.type(1)
    losses = xp.subtract(
        (target - one) * xp.maximum(xp.log1p(-input), -100.0),
        target * xp.maximum(xp.log(input), -100.0),
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
        if not ((array >= 0) & (array <= 1)).all():
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
    kinds={"reduction": "int", "weight": "index?"}, check=_check_bce,
    function=False, method=False, doc="-(t log(x) + (1 - t) log(1 - x)), logarithms at least -100.",
)  # fmt: skip


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
        weight = o.expand(weight, input._array.shape)
    return o.binary_cross_entropy(input, target, weight, number)


def _bce_logits_kernel(
    xp: Any, input: Any, target: Any, weight: Any, pos_weight: Any, reduction: int
) -> Any:
    if input.dtype == xp.float16:
        parts = [None if x is None else x.astype(xp.float32) for x in (input, target, weight, pos_weight)]
        return xp.asarray(_bce_logits_kernel(xp, *parts, reduction)).astype(xp.float16)
    log_sigmoid = xp.subtract(xp.minimum(input, 0), xp.log1p(xp.exp(-xp.abs(input))))
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
    if pos_weight is None:
        slope = -input
    else:
        slope = o._log_sigmoid(-input) - pos_weight * o._log_sigmoid(input)
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
    function=False, method=False, doc="binary_cross_entropy of sigmoid(x), without overflow.",
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
    for factor in (pos_weight, weight):
        if factor is not None:
            error = broadcast_error(factor._array.shape, input._array.shape)
            if error is not None:
                raise error
    return o.binary_cross_entropy_with_logits(input, target, weight, pos_weight, number)


functional("binary_cross_entropy", _bce, kinds=PAIR,
           doc="Cross entropy of probabilities of two classes.")  # fmt: skip
functional(
    "binary_cross_entropy_with_logits", _bce_with_logits, kinds={**PAIR, "pos_weight": "tensor?"},
    doc="Cross entropy of two classes from logits.",
)  # fmt: skip

# ---------------------------------------------------------------- one of several classes

LEVELS = 8


def cascade(values: Any) -> Any:
    """The sum of a vector in the order in which PyTorch adds up the losses of a batch.

    Partial sums of at least 16 entries on eight levels; the first entry goes straight to the last.
    """
    size = len(values)
    zero = values.dtype.type(0)
    if size == 0:
        return zero
    step = 1 << max(4, math.ceil(math.log2(size)) // LEVELS if size > 1 else 4)
    partial = []
    rest = values[1:]
    for _ in range(LEVELS - 1):
        full = len(rest) // step * step
        left = zero
        for value in rest[full:]:
            left = left + value
        partial.append(left)
        blocks = rest[:full].reshape(-1, step)
        sums = zero + blocks[:, 0] if len(blocks) else blocks[:, 0]
        for i in range(1, step):
            sums = sums + blocks[:, i]
        rest = sums
    last = zero + values[0]
    for value in rest:
        last = last + value
    total = zero
    for value in (*partial, last):
        total = total + value
    return total


def class_weights(xp: Any, target: Any, weight: Any, ignore_index: int, dtype: Any) -> Any:
    """The weight of each target's class: 0 for ignored ones."""
    valid = target != ignore_index
    if weight is None:
        return valid.astype(dtype)
    return xp.where(valid, weight[xp.where(valid, target, 0)], dtype.type(0))


def _pick(xp: Any, input: Any, target: Any, ignore_index: int) -> Any:
    """The entry of each target's class; classes are in dimension 1, or in the only one."""
    at = xp.where(target == ignore_index, 0, target).astype(xp.int64)
    if input.ndim == 1:
        return input[at]
    return xp.take_along_axis(input, xp.expand_dims(at, 1), 1).squeeze(1)


def _nll_kernel(
    xp: Any, input: Any, target: Any, weight: Any, reduction: int, ignore_index: int
) -> Any:
    if input.dtype == xp.float16:
        wide = None if weight is None else weight.astype(xp.float32)
        result = _nll_kernel(xp, input.astype(xp.float32), target, wide, reduction, ignore_index)
        return xp.asarray(result).astype(xp.float16)
    weights = class_weights(xp, target, weight, ignore_index, input.dtype)
    losses = _pick(xp, input, target, ignore_index) * -weights
    losses = xp.where(target == ignore_index, input.dtype.type(0), losses)
    if reduction == NONE:
        return losses
    total = cascade(xp.asarray(losses).reshape(-1))
    if reduction == SUM:
        return total
    return xp.divide(total, xp.asarray(weights).reshape(-1).sum(dtype=input.dtype))


def _nll_back_kernel(
    xp: Any, grad: Any, target: Any, weight: Any, size: tuple[int, ...], reduction: int,
    ignore_index: int,
) -> Any:  # fmt: skip
    weights = class_weights(xp, target, weight, ignore_index, xp.asarray(grad).dtype)
    if reduction == MEAN:
        grad = grad / xp.asarray(weights).sum(dtype=weights.dtype)
    values = xp.where(target == ignore_index, 0, -grad * weights).astype(weights.dtype)
    result = xp.zeros(size, weights.dtype)
    at = xp.where(target == ignore_index, 0, target).astype(xp.int64)
    if len(size) == 1:
        result[at] = values
    else:
        xp.put_along_axis(result, xp.expand_dims(at, 1), xp.expand_dims(values, 1), 1)
    return result


operator(
    "_nll_loss_backward",
    lambda xp, grad, input, target, weight, reduction, ignore_index: _nll_back_kernel(
        xp, grad, target, weight, input.shape, reduction, ignore_index
    ),
    input=lambda o, g, input: o._zeros_of(input),
    grad=lambda o, g, target, weight, reduction, ignore_index: o.nll_loss(
        g, target, weight, reduction, ignore_index
    ),
    kinds={"grad": "tensor", "target": "index", "weight": "index?", "reduction": "int",
           "ignore_index": "int"},
    function=False, method=False, doc="The derivative of nll_loss.",
)  # fmt: skip

for _key, _label in (("nll_loss", "NllLossBackward"), ("nll_loss2d", "NllLoss2DBackward")):
    operator(
        _key,
        lambda xp, input, target, weight, reduction, ignore_index: _nll_kernel(
            xp, input, target, weight, reduction, ignore_index
        ),
        input=lambda o, g, input, target, weight, reduction, ignore_index: (
            o._nll_loss_backward(g, input, target, weight, reduction, ignore_index)
        ),
        kinds={"target": "index", "weight": "index?", "reduction": "int", "ignore_index": "int"},
        function=False, method=False, label=_label,
        doc="The negative entry of each target's class, weighted by class.",
    )  # fmt: skip


def _check_classes(input: Tensor, target: Tensor, weight: Any, ignore_index: int) -> None:
    a, t = input._array.shape, target._array
    if target._type.dtype.name not in ("int64", "uint8"):
        raise DTypeError(
            f"expected target dtype to be Long or Byte, but got {target._type.dtype.title}"
        )
    classes = a[1] if len(a) > 1 else a[0]
    if weight is not None and weight._array.shape != (classes,):
        raise ShapeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got "
            f"weight tensor of shape: {list(weight._array.shape)}"
        )
    wrong = t[(t != ignore_index) & ((t < 0) | (t >= classes))]
    if wrong.size:
        raise DimensionError(
            f"Target {int(wrong.reshape(-1)[0])} is out of bounds.",
            hint=f"there are {classes} classes, numbered from 0",
        )


def nll(o: Any, input: Any, target: Any, weight: Any, number: int, ignore_index: int) -> Any:
    """nll_loss of an input whose classes are in dimension 1, or in its only dimension."""
    a, t = input._array.shape, target._array.shape
    if not a:
        raise ArgumentValueError(f"Expected 1 or more dimensions (got {input.ndim})")
    if len(a) > 1 and (not t or a[0] != t[0]):
        raise ArgumentValueError(
            f"Expected input batch_size ({a[0]}) to match target batch_size "
            f"({t[0] if t else 0})."
        )
    if len(a) <= 2:
        if len(t) > 1:
            raise ShapeError("0D or 1D target tensor expected, multi-target not supported")
        _check_classes(input, target, weight, ignore_index)
        return o.nll_loss(input, target, weight, number, ignore_index)
    size = (a[0], *a[2:])
    if t != size:
        raise ShapeError(f"Expected target size {list(size)}, got {list(t)}")
    _check_classes(input, target, weight, ignore_index)
    if len(a) == 4:
        return o.nll_loss2d(input, target, weight, number, ignore_index)
    flat = numel(a[2:])
    result = o.nll_loss2d(
        o.reshape(input, (a[0], a[1], 1, flat)), o.reshape(target, (a[0], 1, flat)), weight, number,
        ignore_index,
    )
    return o.reshape(result, size) if number == NONE else result


def _nll(
    o: Any, input: Any, target: Any, weight: Any = None, size_average: Old = None,
    ignore_index: int = -100, reduce: Old = None, reduction: Any = "mean",
) -> Any:  # fmt: skip
    number = reduction_number(reduction, size_average, reduce)
    return nll(o, input, target, weight, number, ignore_index)


def _of_probabilities(
    o: Any, input: Any, target: Any, weight: Any, number: int, smoothing: float
) -> Any:
    """Cross entropy with a target that gives each class a probability."""
    if not target._type.inexact:
        raise DTypeError(
            "Expected floating point type for target with class probabilities, got "
            f"{target._type.dtype.title}"
        )
    axis = 1 if input.ndim > 1 else 0
    classes = input._array.shape[axis] if input.ndim else 1
    logs = o.log_softmax(input, axis)
    if smoothing:
        target = o._add_number(o._mul_number(target, 1 - smoothing), smoothing / classes)
    products = o.mul(logs, target)
    if weight is not None:
        products = o.mul(products, _by_class(o, weight, input))
    if number == NONE:
        return o.neg(o.sum_dim(products, (axis,), False))
    loss = o.neg(o.sum(products))
    if number == SUM:
        return loss
    return o._div_number(loss, input._array.size // max(classes, 1))


def _by_class(o: Any, weight: Any, input: Any) -> Any:
    if input.ndim <= 1:
        return weight
    return o.view(weight, (1, weight._array.size, *(1,) * (input.ndim - 2)))


def _smoothed(
    o: Any, input: Any, target: Any, weight: Any, number: int, ignore_index: int, smoothing: float
) -> Any:
    """Cross entropy in which each wrong class gets a part of the probability."""
    axis = 1 if input.ndim > 1 else 0
    classes = input._array.shape[axis]
    logs = o.log_softmax(input, axis)
    loss = nll(o, logs, target, weight, number, ignore_index)
    weighted_logs = logs if weight is None else o.mul(logs, _by_class(o, weight, input))
    smooth = o.neg(o.sum_dim(weighted_logs, (axis,), False))
    ignored = o.eq(target, ignore_index)
    smooth = o.masked_fill(smooth, ignored, 0.0)
    if number == SUM:
        smooth = o.sum(smooth)
    elif number == MEAN:
        xp = input._type.xp
        weights = class_weights(
            xp, target._array, None if weight is None else weight._array, ignore_index,
            input._type.dtype.numpy,
        )
        smooth = o.div(o.sum(smooth), float(weights.sum(dtype=weights.dtype)))
    return o.add(o._mul_number(loss, 1 - smoothing), o._mul_number(smooth, smoothing / classes))


def _cross_entropy(
    o: Any, input: Any, target: Any, weight: Any = None, size_average: Old = None,
    ignore_index: int = -100, reduce: Old = None, reduction: Any = "mean",
    label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    number = reduction_number(reduction, size_average, reduce)
    if not 0 <= label_smoothing <= 1:
        raise ShapeError(
            f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}"
        )
    if input._array.shape == target._array.shape:
        return _of_probabilities(o, input, target, weight, number, label_smoothing)
    if label_smoothing:
        return _smoothed(o, input, target, weight, number, ignore_index, label_smoothing)
    logs = o.log_softmax(input, 1 if input.ndim > 1 else 0)
    return nll(o, logs, target, weight, number, ignore_index)


CLASSES = {"weight": "tensor?", "ignore_index": "int", "target": "tensor"}

functional("nll_loss", _nll, kinds=CLASSES, doc="The negative log probability of each target.")
functional(
    "cross_entropy", _cross_entropy, kinds={**CLASSES, "label_smoothing": "number"},
    doc="Cross entropy of logits and targets, which are classes or probabilities.",
)  # fmt: skip
