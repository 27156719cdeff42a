"""Rows: cross entropy of several classes."""

from __future__ import annotations

import math
from typing import Any

from tgrad.backends.narrow import is_narrow
from tgrad.backends.rows import class_places, pick_classes, put_classes
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import (
    ArgumentValueError,
    DimensionError,
    DTypeError,
    NotAvailableError,
    ShapeError,
)
from tgrad.ops.dimensions import numel
from tgrad.ops.mixing import refuse_arguments
from tgrad.ops.nn_base import functional
from tgrad.ops.nn_loss import MEAN, NONE, SUM, Old, reduction_number
from tgrad.ops.table import operator

LEVELS = 8


def cascade(xp: Any, values: Any) -> Any:
    """The sum of a vector in the order in which PyTorch adds up the losses of a batch.

    Partial sums of at least 16 entries on eight levels; the first entry goes straight to the last.
    """
    size = len(values)
    if 1 < size <= 8 and values.dtype.char in "fd":
        return xp.add.accumulate(values[1:])[-1] + 0.0 + values[0]
    zero = values.dtype.type(0)
    if size == 0:
        return zero
    step = 1 << max(4, math.ceil(math.log2(size)) // LEVELS if size > 1 else 4)
    total, rest = zero, values[1:]
    for _ in range(LEVELS - 1):
        full = len(rest) // step * step
        total = total + _in_order(xp, zero, rest[full:])
        if not full:
            rest = rest[:0]
            break
        rest = zero + xp.add.accumulate(rest[:full].reshape(-1, step), axis=1)[:, -1]
    return total + _in_order(xp, zero + values[0], rest)


def _in_order(xp: Any, start: Any, values: Any) -> Any:
    """A number and the entries of a vector, added one after the other."""
    if not len(values):
        return start
    return xp.add.accumulate(xp.concatenate((start.reshape(1), values)))[-1]


def class_weights(xp: Any, target: Any, weight: Any, ignore_index: int, dtype: Any) -> Any:
    """The weight of each target's class: 0 for ignored ones."""
    valid = target != ignore_index
    if weight is None:
        return valid.astype(dtype)
    return xp.where(valid, weight[xp.where(valid, target, 0)], dtype.type(0))


def _ignored(target: Any, ignore_index: int) -> Any:
    """Where targets are ignored; None if none is."""
    ignored = target == ignore_index
    return ignored if ignored.any() else None


def _chosen(
    xp: Any, shape: tuple[int, ...], target: Any, weight: Any, ignore_index: int, dtype: Any
) -> tuple[Any, Any, Any]:
    """Each target's place and weight, and where targets are ignored."""
    ignored = _ignored(target, ignore_index)
    at = target.astype(xp.int64, copy=False)
    if ignored is not None:
        at = xp.where(ignored, 0, at)
        weights = class_weights(xp, target, weight, ignore_index, dtype)
        return class_places(shape, at), weights, ignored
    return class_places(shape, at), xp.ones(at.shape, dtype) if weight is None else weight[at], None


def _simple(input_shape: tuple[int, ...], target: Any, weight: Any, ignore_index: int) -> bool:
    """Whether all rows of a table count alike: nothing is ignored or weighted."""
    if weight is not None or ignore_index >= 0 or len(input_shape) != 2 or not target.size:
        return False
    return bool(target.item(target.argmin()) >= 0)


def _nll_kernel(xp: Any, input: Any, target: Any, weight: Any, reduction: int, ignore_index: int) -> Any:
    if _simple(input.shape, target, weight, ignore_index):
        losses = -pick_classes(input, target)
        if reduction == NONE:
            return losses
        total = cascade(xp, losses)
        return total if reduction == SUM else total / total.dtype.type(len(target))
    places, weights, ignored = _chosen(xp, input.shape, target, weight, ignore_index, input.dtype)
    losses = input[places] * -weights
    if ignored is not None:
        losses = xp.where(ignored, input.dtype.type(0), losses)
    if reduction == NONE:
        return losses
    total = cascade(xp, xp.asarray(losses).reshape(-1))
    if reduction == SUM:
        return total
    if is_narrow(input.dtype):  # of images: every addition is rounded to 16 bits
        return total / cascade(xp, xp.asarray(weights).reshape(-1))
    return xp.divide(total, xp.asarray(weights).reshape(-1).sum(dtype=input.dtype))


def _nll_back_kernel(
    xp: Any, grad: Any, target: Any, weight: Any, size: tuple[int, ...], reduction: int,
    ignore_index: int,
) -> Any:  # fmt: skip
    dtype = xp.asarray(grad).dtype
    if _simple(size, target, weight, ignore_index):
        value = -(grad / dtype.type(len(target)) if reduction == MEAN else grad)
        return put_classes(size, target, value, dtype)
    places, weights, ignored = _chosen(xp, size, target, weight, ignore_index, dtype)
    if reduction == MEAN:
        grad = grad / xp.asarray(weights).sum(dtype=weights.dtype)
    values = -grad * weights
    if ignored is not None:
        values = xp.where(ignored, 0, values)
    result = xp.zeros(size, weights.dtype)
    result[places] = values.astype(weights.dtype, copy=False)
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
        function=False, method=False, label=_label, narrow=_key == "nll_loss2d",
        doc="The negative entry of each target's class, weighted by class.",
    )  # fmt: skip


def _check_classes(input: Tensor, target: Tensor, weight: Any, ignore_index: int) -> None:
    a, t, xp = input._array.shape, target._array, target._type.xp
    if target._type.dtype.name not in ("int64", "uint8"):
        raise DTypeError(f"expected target dtype to be Long or Byte, but got {target._type.dtype.title}")
    classes = a[1] if len(a) > 1 else a[0]
    if weight is not None:
        _check_weight(input, weight, classes)
    if not input._type.inexact:
        kernel = "nll_loss_out_frame" if len(a) < 3 else "nll_loss2d_forward_out_frame"
        raise NotAvailableError(f"\"{kernel}\" not implemented for '{input._type.dtype.title}'")
    if xp.within(t, 0, classes):
        return
    wrong = t[(t != ignore_index) & ((t < 0) | (t >= classes))]
    if wrong.size:
        raise DimensionError(
            f"Target {int(wrong.reshape(-1)[0])} is out of bounds.",
            hint=f"there are {classes} classes, numbered from 0",
        )


def _check_weight(input: Tensor, weight: Tensor, classes: int) -> None:
    if weight._array.shape != (classes,):
        if input.ndim > 2:
            raise ShapeError("weight tensor should be defined either for all or no classes")
        raise ShapeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got "
            f"weight tensor of shape: {list(weight._array.shape)}"
        )
    if weight._type is not input._type:
        refuse_arguments("nll_loss_forward", self=input, weight=weight)
        raise DTypeError(
            f"expected scalar type {input._type.dtype.title} but found {weight._type.dtype.title}"
        )


def nll(o: Any, input: Any, target: Any, weight: Any, number: int, ignore_index: int) -> Any:
    """nll_loss of an input whose classes are in dimension 1, or in its only dimension."""
    a, t = input._array.shape, target._array.shape
    if not a:
        raise ArgumentValueError(f"Expected 1 or more dimensions (got {input.ndim})")
    if len(a) > 1 and (not t or a[0] != t[0]):
        raise ArgumentValueError(
            f"Expected input batch_size ({a[0]}) to match target batch_size ({t[0] if t else 0})."
        )
    if len(a) <= 2:
        if len(t) > 1:
            raise ShapeError("0D or 1D target tensor expected, multi-target not supported")
        if len(a) == 1 and t and t[0] != 1:
            raise ArgumentValueError(f"For 1D input, 1D target must have size 1, but got target size: {t[0]}")
        _check_classes(input, target, weight, ignore_index)
        return o.nll_loss(input, target, weight, number, ignore_index)
    size = (a[0], *a[2:])
    if len(a) == 4 and len(t) != 3:
        raise ShapeError(
            f"only batches of spatial targets supported (3D tensors) but got targets of dimension: {len(t)}"
        )
    if len(a) == 4 and t != size:
        raise ShapeError(f"size mismatch (got input: {list(a)} , target: {list(t)}")
    if t != size:
        raise ShapeError(f"Expected target size {list(size)}, got {list(t)}")
    _check_classes(input, target, weight, ignore_index)
    if len(a) == 4:
        return o.nll_loss2d(input, target, weight, number, ignore_index)
    flat = numel(a[2:])
    result = o.nll_loss2d(
        o.reshape(input, (a[0], a[1], 1, flat)),
        o.reshape(target, (a[0], 1, flat)),
        weight,
        number,
        ignore_index,
    )
    return o.reshape(result, size) if number == NONE else result


def _nll(
    o: Any, input: Any, target: Any, weight: Any = None, size_average: Old = None,
    ignore_index: int = -100, reduce: Old = None, reduction: Any = "mean",
) -> Any:  # fmt: skip
    number = reduction_number(reduction, size_average, reduce)
    return nll(o, input, target, weight, number, ignore_index)


def _of_probabilities(o: Any, input: Any, target: Any, weight: Any, number: int, smoothing: float) -> Any:
    """Cross entropy with a target that gives each class a probability."""
    if not target._type.inexact:
        raise DTypeError(
            "Expected floating point type for target with class probabilities, got "
            f"{target._type.dtype.title}"
        )
    axis = 1 if input.ndim > 1 else 0
    classes = input._array.shape[axis] if input.ndim else 1
    if weight is not None and weight._array.shape != (classes,):
        raise ShapeError(
            f"cross_entropy: weight tensor should be defined either for all {classes} classes or no "
            f"classes but got weight tensor of shape: {list(weight._array.shape)}"
        )
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
            xp,
            target._array,
            None if weight is None else weight._array,
            ignore_index,
            input._type.dtype.numpy,
        )
        total = xp.asarray(weights.sum(dtype=weights.dtype))
        smooth = o.div(o.sum(smooth), new_tensor(total, input._type))
    return o.add(o._mul_number(loss, 1 - smoothing), o._mul_number(smooth, smoothing / classes))


def _cross_entropy(
    o: Any, input: Any, target: Any, weight: Any = None, size_average: Old = None,
    ignore_index: int = -100, reduce: Old = None, reduction: Any = "mean",
    label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    number = reduction_number(reduction, size_average, reduce)
    if not 0 <= label_smoothing <= 1:
        raise ShapeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
    if input._array.shape == target._array.shape:
        if target._type.inexact and ignore_index >= 0:
            raise ShapeError("ignore_index is not supported for floating point target")
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
