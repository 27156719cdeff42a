"""Rows: bringing an input to mean 0 and variance 1 over some axes, and the derivatives of that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tgrad.backends.narrow import wide
from tgrad.backends.normalization import (
    BATCH,
    GROUP,
    known,
    known_scale_back,
    normalised_back,
    scale_back,
    takes,
)
from tgrad.backends.rows import channel_sums
from tgrad.ops.dimensions import numel
from tgrad.ops.table import operator


def moments(xp: Any, input: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """Mean and variance (divided by n) over some axes, which keep the size 1."""
    mean = xp.mean(input, axes, True)
    centred = xp.subtract(input, mean)
    return mean, xp.mean(xp.multiply(centred, centred), axes, True)


def standard(o: Any, input: Any, axes: tuple[int, ...], eps: float) -> tuple[Any, Any]:
    """The normalised input and 1 / sqrt(variance + eps); for formulas."""
    centred = input - o.mean_dim(input, axes, True)
    factor = o.rsqrt(o.mean_dim(centred * centred, axes, True) + eps)
    return centred * factor, factor


def standard_back(o: Any, g: Any, input: Any, axes: tuple[int, ...], eps: float) -> Any:
    """The derivative of the normalised input: (g - mean(g) - x mean(g x)) / deviation."""
    x, factor = standard(o, input, axes, eps)
    return (g - o.mean_dim(g, axes, True) - x * o.mean_dim(g * x, axes, True)) * factor


def times(o: Any, g: Any, weight: Any, shape: Sequence[int]) -> Any:
    """A gradient times a weight in a shape that broadcasts, where there is one."""
    return g if weight is None else g * o.reshape(weight, tuple(shape))


def _rounded_statistics(xp: Any, input: Any, axes: tuple[int, ...], eps: float, like: Any) -> Any:
    """Mean and 1 / deviation as the forward pass keeps them: in the dtype of the input."""
    mean, variance = moments(xp, input, axes)
    factor = 1 / xp.sqrt(variance + variance.dtype.type(eps))
    return mean.astype(like).astype(input.dtype), factor.astype(like).astype(input.dtype)


def _norm_back(
    xp: Any, grad: Any, input: Any, weight: Any, axes: tuple[int, ...], eps: float,
    shape: tuple[int, ...], way: int,
) -> Any:  # fmt: skip
    """Of 16 bits PyTorch's three kernels round the statistics to them, and differ in their order."""
    if takes(input):
        return normalised_back(grad, input, weight, axes, eps, way)
    like = input.dtype
    grad, input, weight = (wide(array) for array in (grad, input, weight))
    weight = None if weight is None else weight.reshape(shape)
    mean, factor = _rounded_statistics(xp, input, axes, eps, like)
    count = input.dtype.type(max(numel([input.shape[axis] for axis in axes]), 1))
    if way == BATCH:
        result = _batch_back(xp, grad, input - mean, factor, axes, count)
        return (result if weight is None else result * weight).astype(like)
    along, total = grad * input, grad
    if weight is not None:
        along, total = along * weight, total * weight
    along, total, share = xp.sum(along, axes, True), xp.sum(total, axes, True), 1 / count
    slope = xp.fma(total, mean, -along) * factor * factor * factor * share
    if way == GROUP:
        start = xp.fma(-(total * factor), xp.full_like(total, share), -slope * mean)
        own = factor if weight is None else factor * weight
        own, grad, along = xp.broadcast_arrays(own, grad, slope * input)
        return (xp.fma(own, grad, along) + start).astype(like)
    start = xp.fma(-slope, mean, -(total * factor * share))
    own = factor * grad if weight is None else factor * grad * weight
    return (xp.fma(slope, input, own) + start).astype(like)


def _batch_back(xp: Any, grad: Any, centred: Any, factor: Any, axes: tuple[int, ...], count: Any) -> Any:
    along, total = xp.sum(centred * grad, axes, True), xp.sum(grad, axes, True)
    return (grad - total / count - centred * (along * factor * factor / count)) * factor


def norm_second(
    o: Any, g: Any, grad: Any, input: Any, weight: Any, axes: tuple[int, ...], eps: float,
    shape: tuple[int, ...], way: int,
) -> Any:  # fmt: skip
    """The derivative of `_norm_back` for its input: through the deviation, and through the rest."""

    def mean(values: Any) -> Any:
        return o.mean_dim(values, axes, True)

    grad = times(o, grad, weight, shape)
    x, factor = standard(o, input, axes, eps)
    a, b = mean(g * x), mean(grad * x)
    size = mean(g * grad) - mean(g) * mean(grad) - a * b
    rest = o._norm_back(b * g + a * grad, input, None, axes, eps, shape, way)
    return -(factor * factor * x * size + factor * rest)


operator(
    "_norm_back", _norm_back,
    grad=lambda o, g, input, weight, axes, eps, shape, way: times(
        o, o._norm_back(g, input, None, axes, eps, shape, way), weight, shape
    ),
    input=lambda o, g, grad, input, weight, axes, eps, shape, way: norm_second(
        o, g, grad, input, weight, axes, eps, shape, way
    ),
    weight=lambda o, g, grad, input, weight_shape, axes, eps, shape, way: o.reshape(
        o.sum_to_size(grad * o._norm_back(g, input, None, axes, eps, shape, way), shape), weight_shape
    ),
    kinds={"grad": "tensor", "weight": "tensor?"}, function=False, method=False, narrow=True, out=False,
    doc="The derivative of a normalised input: (h - mean(h) - x mean(h x)) / deviation, h = g * weight.",
)  # fmt: skip


def _scale_back(
    xp: Any, grad: Any, input: Any, axes: tuple[int, ...], eps: float, shape: tuple[int, ...], way: int
) -> Any:
    if takes(input):
        return scale_back(grad, input, axes, eps, way).reshape(shape)
    like = input.dtype
    grad, input = wide(grad), wide(input)
    mean, factor = _rounded_statistics(xp, input, axes, eps, like)
    values = grad * xp.fma(factor, input, -factor * mean)
    return _total(xp, values, shape).astype(like)


def _total(xp: Any, values: Any, shape: tuple[int, ...]) -> Any:
    """The sum over the dimensions that aren't those of the weight."""
    padded = (1,) * (values.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i, (n, m) in enumerate(zip(values.shape, padded, strict=True)) if n != m)
    return (xp.sum(values, axes, True) if axes else values).reshape(shape)


operator(
    "_scale_back", _scale_back,
    grad=lambda o, g, input, axes, eps, shape: g * standard(o, input, axes, eps)[0],
    input=lambda o, g, grad, input, axes, eps, shape: standard_back(o, g * grad, input, axes, eps),
    kinds={"grad": "tensor"}, function=False, method=False, narrow=True, out=False,
    doc="The derivative of a normalised and weighted input for the weight.",
)  # fmt: skip


def _spread(o: Any, g: Any, shape: tuple[int, ...]) -> Any:
    return o.expand(o.reshape(g, (1, shape[1], *(1 for _ in shape[2:]))), tuple(shape))


operator(
    "_channel_sums", lambda xp, grad: channel_sums(grad),
    grad=lambda o, g, grad_shape: _spread(o, g, grad_shape),
    kinds={"grad": "tensor"}, function=False, method=False, out=False,
    doc="The sum of each channel: the derivative for the bias of a convolution or a normalisation.",
)  # fmt: skip

# ---------------------------------------------------------------- by a known mean and variance


def _known_factor(xp: Any, variance: Any, eps: float) -> Any:
    return 1 / xp.sqrt(variance + variance.dtype.type(eps))


operator(
    "_known_back",
    lambda xp, grad, weight, variance, eps, shape: known(
        grad,
        (_known_factor(xp, variance, eps) * (1 if weight is None else weight)).astype(grad.dtype),
    ),
    grad=lambda o, g, weight, variance, eps, shape: o._known_back(g, weight, variance, eps, shape),
    weight=lambda o, g, grad, weight_shape, variance, eps, shape: o.reshape(
        o.sum_to_size(g * o._known_back(grad, None, variance, eps, shape), shape), weight_shape
    ),
    kinds={"grad": "tensor", "weight": "tensor?", "variance": "index"}, function=False, method=False,
    out=False, doc="The derivative of an input that is normalised by a known variance.",
)  # fmt: skip
operator(
    "_known_scale_back",
    lambda xp, grad, input, mean, variance, eps, shape: (
        known_scale_back(grad, input, mean) * _known_factor(xp, variance, eps)
    ).astype(grad.dtype),
    grad=lambda o, g, input, mean, variance, eps, shape: o._known_back(
        (input - o.reshape(mean, shape)) * o.reshape(g, shape), None, variance, eps, shape
    ),
    input=lambda o, g, grad, variance, eps, shape: o._known_back(
        grad * o.reshape(g, shape), None, variance, eps, shape
    ),
    kinds={"grad": "tensor", "mean": "index", "variance": "index"}, function=False, method=False,
    out=False, doc="The derivative of an input that is normalised by a known variance, for the weight.",
)  # fmt: skip
