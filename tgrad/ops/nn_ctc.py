"""Rows: connectionist temporal classification.

A. Graves et al., Connectionist Temporal Classification, ICML 2006.  A target of S labels stands for all
sequences that give it when repetitions and then blanks are left out: paths through 2 S + 1 states, the
labels with a blank before, between and after them.  In logarithms, `forward` is the probability of all
beginnings of paths that are in a state at a time, `backward` that of all their continuations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ArgumentError, NotAvailableError, ShapeError
from tgrad.ops.nn_base import functional
from tgrad.ops.nn_loss import MEAN, NONE, SUM, reduction_number
from tgrad.ops.table import composite, operator


def _log_sum(xp: Any, *terms: Any) -> Any:
    """log(sum(exp(terms))), -inf where all are."""
    largest = terms[0]
    for term in terms[1:]:
        largest = xp.maximum(largest, term)
    largest = xp.where(xp.isneginf(largest), largest.dtype.type(0), largest)
    total = xp.exp(terms[0] - largest)
    for term in terms[1:]:
        total = total + xp.exp(term - largest)
    return xp.log(total) + largest


def _states(xp: Any, labels: Any, lengths: Any, blank: int) -> tuple[Any, Any, Any]:
    """For each sample the labels of the states, which of them may be reached past a blank, which exist."""
    count, most = labels.shape
    states = xp.full((count, 2 * most + 1), blank, xp.int64)
    states[:, 1::2] = labels
    jumps = xp.zeros(states.shape, bool)
    jumps[:, 3::2] = labels[:, 1:] != labels[:, :-1]
    return states, jumps, xp.arange(2 * most + 1) <= 2 * lengths[:, None]


def _shifted(xp: Any, values: Any, by: int) -> Any:
    """Values moved along the states, with -inf where none arrive."""
    moved = xp.full_like(values, -xp.inf)
    if by > 0:
        moved[:, by:] = values[:, :-by]
    else:
        moved[:, :by] = values[:, -by:]
    return moved


def _forward(xp: Any, scores: Any, jumps: Any, exist: Any) -> Any:
    """The logarithm of the probability of all beginnings; `scores` is (time, sample, state)."""
    none = scores.dtype.type(-xp.inf)
    values = xp.full_like(scores, none)
    if len(scores):
        values[0, :, :2] = xp.where(exist[:, :2], scores[0, :, :2], none)
    for t in range(1, len(scores)):
        last = values[t - 1]
        past = xp.where(jumps, _shifted(xp, last, 2), none)
        new = _log_sum(xp, last, _shifted(xp, last, 1), past) + scores[t]
        values[t] = xp.where(exist, new, none)
    return values


def _backward(xp: Any, scores: Any, jumps: Any, exist: Any, times: Any, lengths: Any) -> Any:
    """The logarithm of the probability of all continuations, the state's own score included."""
    none = scores.dtype.type(-xp.inf)
    values = xp.full_like(scores, none)
    places = xp.arange(scores.shape[2])
    ends = (places >= 2 * lengths[:, None] - 1) & exist
    onward = xp.zeros_like(jumps)
    onward[:, :-2] = jumps[:, 2:]
    for t in range(len(scores) - 1, -1, -1):
        if t + 1 < len(scores):
            following = values[t + 1]
            past = xp.where(onward, _shifted(xp, following, -2), none)
            new = _log_sum(xp, following, _shifted(xp, following, -1), past) + scores[t]
            values[t] = xp.where(exist & (t < times - 1)[:, None], new, none)
        last = (t == times - 1)[:, None] & ends
        values[t] = xp.where(last, scores[t], values[t])
    return values


def _scores(xp: Any, log_probs: Any, states: Any) -> Any:
    which = xp.broadcast_to(states[None], (len(log_probs), *states.shape))
    return xp.take_along_axis(log_probs, which, 2)


def _losses(xp: Any, log_probs: Any, labels: Any, times: Any, lengths: Any, blank: int) -> Any:
    """The negative log likelihood of each sample's target."""
    states, jumps, exist = _states(xp, labels, lengths, blank)
    forward = _forward(xp, _scores(xp, log_probs, states), jumps, exist)
    samples = xp.arange(len(times))
    if not len(log_probs):
        return xp.where(lengths == 0, -0.0, xp.inf).astype(log_probs.dtype)
    final = forward[xp.maximum(times, 1) - 1, samples]
    ends = final[samples, 2 * lengths]
    before = xp.where(lengths > 0, final[samples, xp.maximum(2 * lengths - 1, 0)], ends.dtype.type(-xp.inf))
    losses = xp.where(lengths > 0, -_log_sum(xp, ends, before), -ends)
    empty = xp.where(lengths == 0, -0.0, xp.inf)
    return xp.where(times == 0, empty, losses).astype(log_probs.dtype)


def _slope(
    xp: Any, grad: Any, log_probs: Any, labels: Any, times: Any, lengths: Any, blank: int,
    zero_infinity: bool,
) -> Any:  # fmt: skip
    """exp(x) less the share of the paths that pass there; for x that are logarithms of probabilities."""
    states, jumps, exist = _states(xp, labels, lengths, blank)
    scores = _scores(xp, log_probs, states)
    forward = _forward(xp, scores, jumps, exist)
    both = forward + _backward(xp, scores, jumps, exist, times, lengths)
    collected = xp.full_like(log_probs, -xp.inf)
    samples = xp.arange(len(times))
    for state in reversed(range(states.shape[1])):
        column = states[:, state]
        joined = _log_sum(xp, collected[:, samples, column], both[:, :, state])
        collected[:, samples, column] = xp.where(xp.isneginf(both[:, :, state]),
                                                 collected[:, samples, column], joined)  # fmt: skip
    losses = _losses(xp, log_probs, labels, times, lengths, blank)[:, None]
    shares = xp.exp(collected + losses - log_probs)
    result = (xp.exp(log_probs) - shares) * grad[:, None]
    dead = (xp.arange(len(log_probs))[:, None] >= times)[:, :, None]
    if zero_infinity:
        dead = dead | xp.isposinf(losses)[None]
    return xp.where(dead, result.dtype.type(0), result)


_KINDS: dict[str, Any] = {"grad": "tensor", "log_probs": "tensor", "labels": "index", "times": "index",
                          "lengths": "index", "blank": "int"}  # fmt: skip
operator(
    "_ctc_loss_backward", _slope, kinds=_KINDS,
    differentiable="PyTorch has no second derivative of ctc_loss", function=False, method=False, out=False,
    doc="The derivative of ctc_loss.",
)  # fmt: skip
operator(
    "_ctc_loss",
    lambda xp, log_probs, labels, times, lengths, blank, zero_infinity: _losses(
        xp, log_probs, labels, times, lengths, blank
    ),
    log_probs=lambda o, g, log_probs, labels, times, lengths, blank, zero_infinity: o._ctc_loss_backward(
        g, log_probs, labels, times, lengths, blank, zero_infinity
    ),
    kinds=_KINDS, function=False, method=False, out=False,
    doc="The negative log likelihood of each target.",
)  # fmt: skip


def _as_lengths(value: Any, name: str) -> list[int]:
    if isinstance(value, Tensor):
        if value._type.category != 1:
            raise ShapeError(f"{name} must be integral")
        return [int(n) for n in value._array.reshape(-1)]
    if isinstance(value, int) and not isinstance(value, bool):
        return [value]
    if isinstance(value, Sequence):
        return [int(n) for n in value]
    raise ArgumentError(f"ctc_loss(): argument '{name}' must be tuple of ints, not {type(value).__name__}")


_CHECKED = " (while checking arguments for ctc_loss_allocate_outputs)"


def _check(log_probs: Tensor, targets: Tensor, times: list[int], lengths: list[int], blank: int) -> None:
    """PyTorch's errors for what doesn't go together."""
    steps, count, classes = log_probs._array.shape
    if log_probs._type.dtype.name not in ("float32", "float64"):
        raise NotAvailableError(f"\"ctc_loss_cpu\" not implemented for '{log_probs._type.dtype.title}'")
    if not 0 <= blank < classes:
        raise ShapeError("blank must be in label range")
    if len(times) != count:
        raise ShapeError("input_lengths must be of size batch_size")
    if len(lengths) != count:
        raise ShapeError("target_lengths must be of size batch_size")
    for name, values in (("target_lengths", lengths), ("input_lengths", times)):
        if min(values, default=0) < 0:
            raise ShapeError(
                f"Expected {name} to have value at least 0, but got value {min(values)}{_CHECKED}"
            )
    shape = targets._array.shape
    if targets.ndim == 1 and shape[0] != sum(lengths):
        raise ShapeError(
            f"Expected tensor to have size {sum(lengths)} at dimension 0, but got size {shape[0]} for "
            f"argument #2 'targets'{_CHECKED}"
        )
    if targets.ndim == 2 and shape[1] < max(lengths, default=0):
        raise ShapeError(
            f"Expected tensor to have size at least {max(lengths)} at dimension 1, but got size {shape[1]} "
            f"for argument #2 'targets'{_CHECKED}"
        )
    if max(times, default=0) > steps:
        raise ShapeError(
            f"Expected input_lengths to have value at most {steps}, but got value {max(times)}{_CHECKED}"
        )


def _ctc(
    o: Any, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int = 0,
    reduction: int = NONE, zero_infinity: bool = False,
) -> Any:  # fmt: skip
    batched = log_probs.ndim == 3
    if not batched:
        log_probs = o.unsqueeze(log_probs, 1)
    times, lengths = (
        _as_lengths(input_lengths, "input_lengths"),
        _as_lengths(target_lengths, "target_lengths"),
    )
    _check(log_probs, targets, times, lengths, blank)
    xp, kinds = log_probs._type.xp, log_probs._type.related
    labels = xp.zeros((len(lengths), max(lengths, default=0)), xp.int64)
    start = 0
    for row, length in enumerate(lengths):
        whole = targets._array[row] if targets.ndim == 2 else targets._array[start:]
        labels[row, :length] = whole[:length]
        start += length
    whole_numbers = [
        new_tensor(xp.asarray(values, xp.int64), kinds[dtypes.int64]) for values in (labels, times, lengths)
    ]
    losses = o._ctc_loss(log_probs, *whole_numbers, blank, zero_infinity)
    if zero_infinity:
        losses = o._choose(o.eq(losses, xp.inf), 0.0, losses)
    if reduction == SUM:
        return o.sum(losses)
    if reduction == MEAN:
        sizes = xp.maximum(xp.asarray(lengths), 1).astype(log_probs._type.dtype.numpy)
        return o.mean(o.div(losses, new_tensor(sizes, log_probs._type)))
    return losses if batched else o.squeeze_dim(losses, 0)


def _functional(
    o: Any, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int = 0,
    reduction: Any = "mean", zero_infinity: bool = False,
) -> Any:  # fmt: skip
    number = reduction_number(reduction)
    return _ctc(o, log_probs, targets, input_lengths, target_lengths, blank, number, zero_infinity)


_PARTS: dict[str, Any] = {
    "log_probs": "tensor", "targets": "tensor", "input_lengths": "any", "target_lengths": "any",
    "blank": "int", "zero_infinity": "bool",
}  # fmt: skip
_DOC = "The negative log likelihood of label sequences, without knowing when each label is."
functional("ctc_loss", _functional, kinds=_PARTS, doc=_DOC)
composite("ctc_loss", _ctc, kinds={**_PARTS, "reduction": "int"}, method=False, out=False, doc=_DOC)
