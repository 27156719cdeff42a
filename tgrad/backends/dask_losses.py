"""Losses of lazy arrays: computed element by element in the chunks, and then summed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy

from tgrad.backends import dask_reductions as reductions
from tgrad.backends.dask_arrays import Lazy, refused
from tgrad.backends.dask_blocks import Forward, Hole, Work, blockwise, elementwise
from tgrad.backends.dask_names import call
from tgrad.errors import DimensionError, ShapeError

NONE, MEAN, SUM = range(3)
"""How a loss is reduced: see `tgrad.ops.nn_loss`."""


def reduced(losses: Lazy, reduction: int) -> Lazy:
    """The mean, the sum, or the losses themselves."""
    if reduction == NONE:
        return losses
    return reductions.mean(losses) if reduction == MEAN else reductions.sum(losses)


def by_element(op: Any, *args: Any, **keywords: Any) -> Lazy:
    """A loss whose elements depend on the operands' in their place alone."""
    at = [p.name for p in op.parameters].index("reduction")
    given = list(args)
    given[at] = NONE
    return reduced(elementwise(Forward(op), given, keywords), args[at])


class Probabilities:
    """The binary cross entropy of a chunk, if all numbers are between 0 and 1."""

    def __init__(self, forward: Forward) -> None:
        self.forward = forward

    def __call__(self, input: Any, target: Any, *rest: Any) -> Any:
        for name, array in (("input", input), ("target", target)):
            if not ((array >= 0) & (array <= 1)).all():
                raise ShapeError(f"all elements of {name} should be between 0 and 1")
        return self.forward(input, target, *rest)


def _binary(op: Any, input: Any, target: Any, weight: Any, reduction: int) -> Lazy:
    losses = elementwise(Probabilities(Forward(op)), (input, target, weight, NONE))
    return reduced(losses, reduction)


def _binary_back(op: Any, g: Lazy, input: Lazy, target: Lazy, weight: Any, reduction: int) -> Lazy:
    if reduction == MEAN:
        g, reduction = call("divide", g, g.dtype.type(max(input.size, 1))), SUM
    return elementwise(Forward(op), (g, input, target, weight, reduction))  # type: ignore[no-any-return]


# ---------------------------------------------------------------- classes


class Classes:
    """A row about classes in a chunk; targets that there is no class for are refused."""

    def __init__(self, forward: Forward) -> None:
        self.forward = forward

    def __call__(self, *args: Any) -> Any:
        *arrays, target, _, _, ignored = args
        classes = arrays[-1].shape[1 if arrays[-1].ndim > 1 else 0]
        wrong = target[(target != ignored) & ((target < 0) | (target >= classes))]
        if wrong.size:
            raise DimensionError(f"Target {int(wrong.flat[0])} is out of bounds.")
        return self.forward(*args)


def _weights(target: Any, weight: Any, ignored: int, dtype: Any) -> Lazy:
    """How much each target counts."""
    options = {"weight": _in_memory(weight), "ignored": ignored, "dtype": dtype}
    return elementwise(_weight_of, (target,), options)  # type: ignore[no-any-return]


def _weight_of(target: Any, weight: Any, ignored: int, dtype: Any) -> Any:
    valid = target != ignored
    if weight is None:
        return valid.astype(dtype)
    return numpy.where(valid, weight[numpy.where(valid, target, 0)], dtype.type(0))


def _in_memory(weight: Any) -> Any:
    return weight.value if type(weight) is Lazy else weight


def _labels(input: Lazy, target: Lazy) -> tuple[Any, Any]:
    """The dimensions of the input, where that of the classes is -1, and those of the target."""
    if input.ndim == 1:
        return (-1,), tuple(range(target.ndim))
    return (0, -1, *range(1, input.ndim - 1)), tuple(range(target.ndim))


def _whole_classes(input: Lazy) -> Any:
    graph, at = input.graph, 1 if input.ndim > 1 else 0
    if len(graph.chunks[at]) == 1:
        return graph
    return graph.rechunk({dim: -1 if dim == at else "auto" for dim in range(graph.ndim)})


def _nll(op: Any, input: Lazy, target: Lazy, weight: Any, reduction: int, ignored: int) -> Lazy:
    work = Work(Classes(Forward(op)), (Hole(0), Hole(1), _in_memory(weight), NONE, ignored), {})
    whole, labels = _labels(input, target)
    pairs = (_whole_classes(input), whole, target.graph, labels)
    losses = Lazy(blockwise(work, labels, pairs, input.dtype, concatenate=True))
    if reduction != MEAN:
        return reduced(losses, reduction)
    counts = _weights(target, weight, ignored, input.dtype)
    return call("divide", reductions.sum(losses), reductions.sum(counts))  # type: ignore[no-any-return]


def _nll_back(op: Any, g: Lazy, input: Lazy, target: Lazy, weight: Any, reduction: int, ignored: int) -> Lazy:
    if reduction == MEAN:
        g = call("divide", g, reductions.sum(_weights(target, weight, ignored, g.dtype)))
    how = NONE if reduction == NONE else SUM
    work = Work(Classes(Forward(op)), (Hole(0), Hole(1), Hole(2), _in_memory(weight), how, ignored), {})
    whole, labels = _labels(input, target)
    pairs = (
        g.graph, labels if reduction == NONE else (), _whole_classes(input), whole, target.graph, labels
    )  # fmt: skip
    return Lazy(blockwise(work, whole, pairs, input.dtype))


def _mixed_pair(function: Callable[..., Lazy]) -> Callable[..., Lazy]:
    """Where only one of the operands is lazy, the other one is taken along."""

    def row(op: Any, *args: Any) -> Lazy:
        if not all(type(x) is Lazy or x is None or isinstance(x, (int, float)) for x in args):
            raise refused(f"'{op.public}'")
        return function(op, *args)

    return row


LOSSES: Final[dict[str, Callable[..., Lazy]]] = {
    **dict.fromkeys(
        ("mse_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy_with_logits", "soft_margin_loss"),
        by_element,
    ),
    "binary_cross_entropy": _binary, "binary_cross_entropy_backward": _binary_back,
    "nll_loss": _mixed_pair(_nll), "nll_loss2d": _mixed_pair(_nll),
    "_nll_loss_backward": _mixed_pair(_nll_back),
}  # fmt: skip
"""By the names of rows."""
