"""Rows: losses of several classes or labels that ask for a margin, and of triplets by any distance."""

from __future__ import annotations

from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, DTypeError, NotAvailableError, ShapeError
from tgrad.ops.dimensions import numel
from tgrad.ops.nn_base import functional
from tgrad.ops.nn_loss import MEAN, NONE, Old, reduce_tensor, reduction_number
from tgrad.ops.table import operator

# ---------------------------------------------------------------- one class of several


def _as_rows(array: Any) -> Any:
    """An array of samples; one without a batch, or a single number, as a batch of one."""
    return array if array.ndim > 1 else array.reshape(1, array.size)


def _in_order(xp: Any, values: Any) -> Any:
    """Sums of rows, added up one by one."""
    total = xp.zeros(values.shape[0], values.dtype)
    for column in range(values.shape[1]):
        total = total + values[:, column]
    return total


def _reduce_rows(xp: Any, rows: Any, shape: tuple[int, ...], reduction: int) -> Any:
    """The losses of samples, or their sum or mean, added up in double precision."""
    if reduction == NONE:
        return rows.reshape(shape)
    total = xp.float64(0)
    for value in rows:
        total = total + value
    return (total / len(rows) if reduction == MEAN else total).astype(rows.dtype)


def _gaps(xp: Any, input: Any, target: Any, margin: float) -> tuple[Any, Any]:
    """margin - x[target] + x for each sample, and where that counts: above 0, but at the target."""
    rows = _as_rows(input)
    at = target.reshape(-1, 1).astype(xp.int64)
    gaps = rows.dtype.type(margin) - xp.take_along_axis(rows, at, 1) + rows
    counts = gaps > 0
    xp.put_along_axis(counts, at, False, 1)
    return gaps, counts


def _multi_margin(
    xp: Any, input: Any, target: Any, p: int, margin: float, weight: Any, reduction: int
) -> Any:
    gaps, counts = _gaps(xp, input, target, margin)
    losses = gaps if p == 1 else gaps * gaps
    if weight is not None:
        losses = losses * weight[target.reshape(-1, 1)]
    losses = xp.where(counts, losses, losses.dtype.type(0))
    means = _in_order(xp, losses) / losses.dtype.type(losses.shape[1])
    return _reduce_rows(xp, means, input.shape[:-1], reduction)


def _multi_margin_slope(
    xp: Any, grad: Any, input: Any, target: Any, p: int, margin: float, weight: Any, reduction: int
) -> Any:
    gaps, counts = _gaps(xp, input, target, margin)
    frames, classes = gaps.shape
    share = gaps.dtype.type(1 / (frames * classes) if reduction == MEAN else 1 / classes)
    slopes = xp.full_like(gaps, share) if p == 1 else 2 * share * gaps
    if weight is not None:
        slopes = slopes * weight[target.reshape(-1, 1)]
    slopes = xp.where(counts, slopes, slopes.dtype.type(0))
    at = target.reshape(-1, 1).astype(xp.int64)
    xp.put_along_axis(slopes, at, -_in_order(xp, slopes)[:, None], 1)
    return (slopes * grad.reshape(-1, 1)).reshape(input.shape)


def _check_batch(input: Tensor) -> None:
    """PyTorch's errors for a batch without samples or classes."""
    shape = input._array.shape
    if len(shape) > 2 or (len(shape) == 2 and shape[1] == 0) or shape == (0,):
        raise ShapeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(shape)}"
        )


def _check_multi_margin(
    input: Tensor, target: Tensor, p: int, margin: float, weight: Any, reduction: int
) -> None:
    shape, classes = input._array.shape, (input._array.shape or (1,))[-1]
    if p not in (1, 2):
        raise ShapeError("only p == 1 and p == 2 supported")
    _check_batch(input)
    frames = shape[0] if len(shape) > 1 else 1
    if target.ndim > 1 or target._array.size != frames:
        raise ShapeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input "
            f"samples (batch size). Expected target size [{frames}], but got "
            f"{list(target._array.shape)}. Input has shape {list(shape)}."
        )
    if weight is not None and (weight.ndim > 1 or weight._array.size != classes):
        raise ShapeError(f"inconsistent weight size, expected {classes} but got {list(weight._array.shape)}")
    _need_kernel("multi_margin_loss_cpu_kernel", input)
    _need_indices(target)
    if not target._type.xp.within(target._array, 0, classes):
        raise ShapeError("target out of range", hint=f"there are {classes} classes, numbered from 0")


def _need_kernel(kernel: str, input: Tensor) -> None:
    """PyTorch's error for dtypes that a kernel isn't made for."""
    if input._type.dtype.name not in ("float32", "float64"):
        raise NotAvailableError(f"\"{kernel}\" not implemented for '{input._type.dtype.title}'")


def _need_indices(target: Tensor) -> None:
    if target._type.dtype.name != "int64":
        raise DTypeError(f"expected scalar type Long but found {target._type.dtype.title}")


_MARGIN: dict[str, Any] = {"target": "index", "weight": "index?", "reduction": "int", "p": "int",
                           "margin": "number", "grad": "tensor"}  # fmt: skip

operator(
    "multi_margin_loss_backward", _multi_margin_slope, kinds=_MARGIN,
    differentiable="PyTorch has no second derivative of multi_margin_loss",
    function=False, method=False, doc="The derivative of multi_margin_loss.",
)  # fmt: skip
operator(
    "multi_margin_loss", _multi_margin,
    input=lambda o, g, input, target, p, margin, weight, reduction: o.multi_margin_loss_backward(
        g, input, target, p, margin, weight, reduction
    ),
    kinds=_MARGIN, check=_check_multi_margin, function=False, method=False,
    doc="max(0, margin - x[target] + x) to the power of p, over the other classes.",
)  # fmt: skip


def _multi_margin_loss(
    o: Any, input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None,
    size_average: Old = None, reduce: Old = None, reduction: Any = "mean",
) -> Any:  # fmt: skip
    number = reduction_number(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ArgumentValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ArgumentValueError("weight must be one-dimensional")
    return o.multi_margin_loss(input, target, p, margin, weight, number)


functional(
    "multi_margin_loss", _multi_margin_loss,
    kinds={"target": "tensor", "weight": "tensor?", "p": "int", "margin": "number"},
    doc="How much other classes come nearer than a margin to the target's.",
)  # fmt: skip

# ---------------------------------------------------------------- several labels


def _labels(xp: Any, target: Any) -> tuple[Any, Any]:
    """The labels of each sample up to the first negative one: numbers, and where there are such."""
    rows = _as_rows(target).astype(xp.int64)
    valid = xp.logical_and.accumulate(rows >= 0, axis=1)
    return xp.where(valid, rows, 0), valid


def _is_label(xp: Any, target: Any) -> Any:
    """Which classes are among the labels of each sample."""
    labels, valid = _labels(xp, target)
    found = xp.zeros(labels.shape, bool)
    samples, places = xp.nonzero(valid)
    found[samples, labels[samples, places]] = True
    return found


def _label_gaps(xp: Any, input: Any, target: Any) -> tuple[Any, Any]:
    """1 - x[label] + x for each sample, label and class, and where that counts."""
    rows = _as_rows(input)
    labels, valid = _labels(xp, target)
    gaps = 1 - xp.take_along_axis(rows, labels, 1)[:, :, None] + rows[:, None, :]
    return gaps, (gaps > 0) & valid[:, :, None] & ~_is_label(xp, target)[:, None, :]


def _multilabel(xp: Any, input: Any, target: Any, reduction: int) -> Any:
    gaps, counts = _label_gaps(xp, input, target)
    kind = input.dtype.type
    values = xp.where(counts, gaps, kind(0))
    sums = _in_order(xp, values.reshape(values.shape[0], numel(values.shape[1:])))
    if reduction == NONE and input.ndim > 1:
        return sums / kind(values.shape[-1])
    total = sums.astype(xp.float64).cumsum()[-1] / values.shape[-1] if len(sums) else xp.float64(0)
    return (total / len(sums) if reduction == MEAN else total).astype(input.dtype)


def _multilabel_slope(xp: Any, grad: Any, input: Any, target: Any, reduction: int) -> Any:
    gaps, counts = _label_gaps(xp, input, target)
    frames, classes = gaps.shape[0], gaps.shape[2]
    share = input.dtype.type(1 / (frames * classes) if reduction == MEAN else 1 / classes)
    found = counts.sum(1).astype(gaps.dtype) * share
    labels, valid = _labels(xp, target)
    samples, places = xp.nonzero(valid)
    taken = counts.sum(2).astype(gaps.dtype) * share
    xp.add.at(found, (samples, labels[samples, places]), -taken[samples, places])
    return (found * grad.reshape(-1, 1)).reshape(input.shape)


def _check_multilabel(input: Tensor, target: Tensor, reduction: int) -> None:
    _check_batch(input)
    shape, wanted = input._array.shape, target._array.shape
    size = shape if len(shape) > 1 else (numel(shape),)
    if (wanted or (1,)) != size:
        raise ShapeError(f"inconsistent target size: {list(wanted)} for input of size: {list(shape)}")
    _need_kernel("multilabel_margin_loss_forward_out_frame", input)
    _need_indices(target)
    if not target._type.xp.within(target._array, -1, size[-1]):
        raise ShapeError(
            "argument #2 'target' is out of range",
            hint=f"there are {size[-1]} classes, numbered from 0; -1 ends a list of labels",
        )


operator(
    "multilabel_margin_loss_backward", _multilabel_slope, kinds=_MARGIN,
    differentiable="PyTorch has no second derivative of multilabel_margin_loss",
    function=False, method=False, doc="The derivative of multilabel_margin_loss.",
)  # fmt: skip
operator(
    "multilabel_margin_loss", _multilabel,
    input=lambda o, g, input, target, reduction: o.multilabel_margin_loss_backward(
        g, input, target, reduction
    ),
    kinds=_MARGIN, check=_check_multilabel, function=False, method=False,
    doc="max(0, 1 - x[label] + x) over the labels and the classes that are no labels.",
)  # fmt: skip


def _multilabel_margin_loss(
    o: Any, input: Any, target: Any, size_average: Old = None, reduce: Old = None,
    reduction: Any = "mean",
) -> Any:  # fmt: skip
    return o.multilabel_margin_loss(input, target, reduction_number(reduction, size_average, reduce))


functional(
    "multilabel_margin_loss", _multilabel_margin_loss, kinds={"target": "tensor"},
    doc="How much other classes come nearer than 1 to those of the labels.",
)  # fmt: skip

# ---------------------------------------------------------------- triplets


def check_triplet(anchor: Tensor, positive: Tensor, negative: Tensor) -> None:
    """PyTorch's error for triplets of different dimensions."""
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ShapeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {anchor.ndim}D, positive {positive.ndim}D, and negative "
            f"{negative.ndim}D inputs"
        )


def _triplet_with_distance(
    o: Any, anchor: Any, positive: Any, negative: Any, *, distance_function: Any = None,
    margin: float = 1.0, swap: bool = False, reduction: Any = "mean",
) -> Any:  # fmt: skip
    number = reduction_number(reduction)
    if margin <= 0:
        raise ArgumentValueError(f"margin must be greater than 0, got {margin}")
    check_triplet(anchor, positive, negative)
    distance = distance_function or o.pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = o.minimum(far, distance(positive, negative))
    return reduce_tensor(o, o.clamp_min(o.sub(o.add(near, margin), far), 0), number)


functional(
    "triplet_margin_with_distance_loss", _triplet_with_distance,
    kinds={"anchor": "tensor", "positive": "tensor", "negative": "tensor", "margin": "number",
           "swap": "bool", "distance_function": "any"},
    doc="max(0, margin + distance to the positive - distance to the negative), by any distance.",
)  # fmt: skip
