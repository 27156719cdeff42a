"""Rows: layers that bring their input to mean 0 and variance 1.

The node saves the input alone; its mean and variance are computed again for the derivative, with the
recorded operators where the derivative is to be differentiated itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tgrad.backends.narrow import is_narrow, wide
from tgrad.core import dtype as dtypes
from tgrad.backends.narrow import is_narrow
from tgrad.core.dtype import float32
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, DTypeError, ShapeError
from tgrad.ops.dimensions import numel
from tgrad.ops.nn_base import functional, needs_floats
from tgrad.ops.table import operator


def moments(xp: Any, input: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """Mean and variance (divided by n) over some axes, which keep the size 1."""
    mean = xp.mean(input, axes, True)
    centred = xp.subtract(input, mean)
    return mean, xp.mean(xp.multiply(centred, centred), axes, True)


def normalised(xp: Any, input: Any, axes: tuple[int, ...], eps: float) -> Any:
    """(x - mean) / sqrt(variance + eps)."""
    mean, variance = moments(xp, input, axes)
    factor = input.dtype.type(1) / xp.sqrt(variance + input.dtype.type(eps))
    return (input - mean) * factor


def scaled(values: Any, weight: Any, bias: Any, shape: Sequence[int]) -> Any:
    """values * weight + bias, where there are such, in a shape that broadcasts."""
    if weight is not None:
        values = values * weight.reshape(shape)
    return values if bias is None else values + bias.reshape(shape)


def standard(o: Any, input: Any, axes: tuple[int, ...], eps: float) -> tuple[Any, Any]:
    """The normalised input and 1 / sqrt(variance + eps); for formulas."""
    centred = input - o.mean_dim(input, axes, True)
    factor = o.rsqrt(o.mean_dim(centred * centred, axes, True) + eps)
    return centred * factor, factor


def standard_back(o: Any, g: Any, input: Any, axes: tuple[int, ...], eps: float) -> Any:
    """The derivative of the normalised input: (g - mean(g) - x mean(g x)) / deviation."""
    x, factor = standard(o, input, axes, eps)
    return (g - o.mean_dim(g, axes, True) - x * o.mean_dim(g * x, axes, True)) * factor


def _times(o: Any, g: Any, weight: Any, shape: Sequence[int]) -> Any:
    return g if weight is None else g * o.reshape(weight, tuple(shape))


# ---------------------------------------------------------------- over the last dimensions


def _last(size: Sequence[int], ndim: int) -> tuple[int, ...]:
    return tuple(range(ndim - len(size), ndim))


def _first(size: Sequence[int], ndim: int) -> tuple[int, ...]:
    return tuple(range(ndim - len(size)))


def _over(o: Any, values: Any, axes: tuple[int, ...], keepdim: bool = False) -> Any:
    """The sum over axes; the values themselves where there are none."""
    return o.sum_dim(values, axes, keepdim) if axes else values


def _rounded_statistics(xp: Any, input: Any, axes: tuple[int, ...], eps: float, like: Any) -> Any:
    """Mean and 1 / deviation as the forward pass keeps them: in the dtype of the input."""
    mean, variance = moments(xp, input, axes)
    factor = 1 / xp.sqrt(variance + variance.dtype.type(eps))
    return mean.astype(like).astype(input.dtype), factor.astype(like).astype(input.dtype)


def _wide(xp: Any, array: Any) -> Any:
    return array.astype(xp.float32) if array is not None and is_narrow(array.dtype) else array


def _norm_back(
    xp: Any, grad: Any, input: Any, weight: Any, axes: tuple[int, ...], eps: float,
    shape: tuple[int, ...],
) -> Any:  # fmt: skip
    like = input.dtype
    grad, input, weight = (_wide(xp, array) for array in (grad, input, weight))
    if weight is not None:
        grad = grad * weight.reshape(shape)
    mean, factor = _rounded_statistics(xp, input, axes, eps, like)
    count = input.dtype.type(1 / max(numel([input.shape[axis] for axis in axes]), 1))
    along, total = xp.sum(grad * input, axes, True), xp.sum(grad, axes, True)
    slope = (total * mean - along) * factor * factor * factor * count
    start = -slope * mean - total * factor * count
    return (factor * grad + slope * input + start).astype(like)


def norm_second(
    o: Any, g: Any, grad: Any, input: Any, weight: Any, axes: tuple[int, ...], eps: float,
    shape: tuple[int, ...],
) -> Any:  # fmt: skip
    """The derivative of `_norm_back` for its input: through the deviation, and through the rest."""

    def mean(values: Any) -> Any:
        return o.mean_dim(values, axes, True)

    grad = _times(o, grad, weight, shape)
    x, factor = standard(o, input, axes, eps)
    a, b = mean(g * x), mean(grad * x)
    size = mean(g * grad) - mean(g) * mean(grad) - a * b
    rest = o._norm_back(b * g + a * grad, input, None, axes, eps, shape)
    return -(factor * factor * x * size + factor * rest)


operator(
    "_norm_back", _norm_back,
    grad=lambda o, g, input, weight, axes, eps, shape: _times(
        o, o._norm_back(g, input, None, axes, eps, shape), weight, shape
    ),
    input=lambda o, g, grad, input, weight, axes, eps, shape: norm_second(
        o, g, grad, input, weight, axes, eps, shape
    ),
    weight=lambda o, g, grad, input, weight_shape, axes, eps, shape: o.reshape(
        o.sum_to_size(grad * o._norm_back(g, input, None, axes, eps, shape), shape), weight_shape
    ),
    kinds={"grad": "tensor", "weight": "tensor?"}, function=False, method=False, narrow=True, out=False,
    doc="The derivative of a normalised input: (h - mean(h) - x mean(h x)) / deviation, h = g * weight.",
)  # fmt: skip


def _scale_back(
    xp: Any, grad: Any, input: Any, axes: tuple[int, ...], eps: float, shape: tuple[int, ...]
) -> Any:
    like = input.dtype
    grad, input = _wide(xp, grad), _wide(xp, input)
    mean, factor = _rounded_statistics(xp, input, axes, eps, like)
    values = grad * (factor * input - factor * mean)
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

operator(
    "layer_norm",
    lambda xp, input, weight, bias, size, eps: scaled(
        normalised(xp, input, _last(size, input.ndim), eps), weight, bias, size
    ),
    input=lambda o, g, input, weight, size, eps: standard_back(
        o, _times(o, g, weight, size), input, _last(size, len(input.shape)), eps
    ),
    weight=lambda o, g, input, size, eps: _over(
        o, g * standard(o, input, _last(size, len(input.shape)), eps)[0],
        _first(size, len(input.shape)),
    ),
    bias=lambda o, g, size: _over(o, g, _first(size, len(g.shape))),
    kinds={"weight": "tensor?", "bias": "tensor?"}, function=False, method=False,
    label="NativeLayerNormBackward",
    fused=True, doc="Mean 0 and variance 1 over the last dimensions.",
)  # fmt: skip


def _check_last(input: Tensor, size: tuple[int, ...], weight: Any, bias: Any, star: str) -> None:
    if not size:
        raise ShapeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
            "element, but got normalized_shape = []"
        )
    for name, tensor in (("weight", weight), ("bias", bias)):
        if tensor is not None and tensor._array.shape != size:
            raise ShapeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(tensor._array.shape)} and normalized_shape = {list(size)}"
            )
    shape = input._array.shape
    if shape[-len(size) :] != size:
        raise ShapeError(
            f"Given normalized_shape={list(size)}, expected input with shape [{star}"
            f"{', '.join(map(str, size))}], but got input of size{list(shape)}"
        )


def _layer_norm(
    o: Any, input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None,
    eps: float = 1e-5,
) -> Any:  # fmt: skip
    size = tuple(normalized_shape)
    _check_last(input, size, weight, bias, "*, ")
    for tensor in (weight, bias):
        if tensor is not None and tensor._type is not input._type and not input._type.narrow:
            raise DTypeError(
                f"mixed dtype (CPU): expect parameter to have scalar type of {input._type.dtype.title}"
            )
    needs_floats("LayerNormKernelImpl")(input)
    return o.layer_norm(input, weight, bias, size, eps)


_AFFINE = {"weight": "tensor?", "bias": "tensor?", "eps": "number"}
functional(
    "layer_norm", _layer_norm, kinds={**_AFFINE, "normalized_shape": "sequence"},
    doc="Mean 0 and variance 1 over the last dimensions, then weight and bias.",
)  # fmt: skip


def _rms_norm(
    o: Any, input: Any, normalized_shape: Any, weight: Any = None, eps: Any = None
) -> Any:
    size = tuple(normalized_shape)
    _check_last(input, size, weight, None, "*")
    x = o.to_copy(input, dtypes.float32) if input._type.narrow else input
    if eps is None:
        eps = float(x._type.xp.finfo(x._type.dtype.numpy).eps)
    mean = o.mean_dim(o.pow_Tensor_Scalar(x, 2), _last(size, input.ndim), True)
    result = o.mul(x, o.rsqrt(o.add(mean, eps)))
    if weight is not None:
        result = o.mul(result, weight)
    return o.to_type(result, input._type)


functional(
    "rms_norm", _rms_norm,
    kinds={"weight": "tensor?", "eps": "number?", "normalized_shape": "sequence"},
    doc="The input divided by the root of the mean square of the last dimensions.",
)  # fmt: skip

# ---------------------------------------------------------------- over groups of channels


def _grouped(shape: Sequence[int], groups: int) -> tuple[int, ...]:
    return (shape[0], groups, numel(shape[1:]) // groups)


def _channelwise(shape: Sequence[int]) -> tuple[int, ...]:
    return (1, shape[1], *(1 for _ in shape[2:]))


def _but_channels(ndim: int) -> tuple[int, ...]:
    return (0, *range(2, ndim))


def _group_kernel(xp: Any, x: Any, weight: Any, bias: Any, groups: int, eps: float) -> Any:
    values = normalised(xp, x.reshape(_grouped(x.shape, groups)), (2,), eps).reshape(x.shape)
    return scaled(values, weight, bias, _channelwise(x.shape))


def group_input(o: Any, g: Any, input: Any, weight: Any, groups: int, eps: float) -> Any:
    """The derivative of group normalisation with respect to its input."""
    shape = tuple(input.shape)
    flat, wide = _grouped(shape, groups)
    back = o._norm_back(o.reshape(g, flat), o.reshape(input, flat), weight, (2, 3), eps, wide)
    return o.reshape(back, shape)


def group_weight(o: Any, g: Any, input: Any, groups: int, eps: float) -> Any:
    """The derivative of group normalisation with respect to its weight."""
    flat, wide = _grouped(tuple(input.shape), groups)
    back = o._scale_back(o.reshape(g, flat), o.reshape(input, flat), (2, 3), eps, wide)
    return o.reshape(back, (input.shape[1],))


operator(
    "group_norm",
    lambda xp, input, weight, bias, groups, eps: _group_kernel(xp, input, weight, bias, groups, eps),
    input=lambda o, g, input, weight, groups, eps: group_input(o, g, input, weight, groups, eps),
    weight=lambda o, g, input, groups, eps: group_weight(o, g, input, groups, eps),
    bias=lambda o, g: o.sum_dim(g, _but_channels(len(g.shape)), False),
    kinds={"weight": "tensor?", "bias": "tensor?"}, function=False, method=False,
    label="NativeGroupNormBackward", fused=True, doc="Mean 0 and variance 1 over groups of channels.",
)  # fmt: skip


def _group_norm(
    o: Any, input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    shape = input._array.shape
    if len(shape) < 2:
        raise ShapeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    if shape[1] % num_groups:
        raise ShapeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {list(shape)} and num_groups={num_groups}"
        )
    return o.group_norm(input, weight, bias, num_groups, eps)


functional(
    "group_norm", _group_norm, kinds={**_AFFINE, "num_groups": "int"},
    doc="Mean 0 and variance 1 over groups of channels, then weight and bias.",
)  # fmt: skip

# ---------------------------------------------------------------- over the batch


def _batch_kernel(
    xp: Any, x: Any, weight: Any, bias: Any, mean: Any, variance: Any, training: bool, eps: float
) -> Any:
    shape = _channelwise(x.shape)
    if training:
        values = normalised(xp, x, _but_channels(x.ndim), eps)
    else:
        factor = 1 / xp.sqrt(wide(variance).reshape(shape) + wide(variance).dtype.type(eps))
        values = (wide(x) - wide(mean).reshape(shape)) * factor
    return scaled(values, wide(weight), wide(bias), shape).astype(x.dtype)


def _batch_narrow(xp: Any, x: Any, weight: Any, bias: Any, eps: float) -> Any:
    """A batch of 16 bits: mean and deviation are rounded to them, the rest is computed in float32."""
    shape, kind, values = _channelwise(x.shape), x.dtype, wide(x)
    mean, variance = moments(xp, values, _but_channels(x.ndim))
    mean = wide(mean.astype(kind))
    factor = wide((1 / xp.sqrt(variance + values.dtype.type(eps))).astype(kind))
    if weight is not None:
        factor = factor * wide(weight).reshape(shape)
    offset = -mean * factor if bias is None else wide(bias).reshape(shape) - mean * factor
    return (values * factor + offset).astype(kind)


def _batch_standard(
    o: Any, input: Any, mean: Any, variance: Any, training: bool, eps: float
) -> tuple[Any, Any]:
    shape = _channelwise(tuple(input.shape))
    if training:
        return standard(o, input, _but_channels(len(input.shape)), eps)
    factor = o.rsqrt(o.reshape(variance, shape) + eps)
    if training and is_narrow(x.dtype):
        return _batch_narrow(xp, x, weight, bias, eps)
    return (input - o.reshape(mean, shape)) * factor, factor


def batch_input(
    o: Any, g: Any, input: Any, weight: Any, mean: Any, variance: Any, training: bool, eps: float
) -> Any:
    """The derivative of batch normalisation with respect to its input."""
    g = _times(o, g, weight, _channelwise(tuple(input.shape)))
    if training:
        return standard_back(o, g, input, _but_channels(len(input.shape)), eps)
    return g * _batch_standard(o, input, mean, variance, training, eps)[1]


operator(
    "native_batch_norm",
    lambda xp, input, weight, bias, running_mean, running_var, training, eps: _batch_kernel(
        xp, input, weight, bias, running_mean, running_var, training, eps
    ),
    input=lambda o, g, input, weight, running_mean, running_var, training, eps: batch_input(
        o, g, input, weight, running_mean, running_var, training, eps
    ),
    weight=lambda o, g, input, running_mean, running_var, training, eps: o.sum_dim(
        g * _batch_standard(o, input, running_mean, running_var, training, eps)[0],
        _but_channels(len(input.shape)), False,
    ),
    bias=lambda o, g: o.sum_dim(g, _but_channels(len(g.shape)), False),
    kinds={"weight": "tensor?", "bias": "tensor?", "running_mean": "index?",
           "running_var": "index?", "training": "bool"},
    narrow=True, fused=True, function=False, method=False,
    doc="Mean 0 and variance 1 of each channel over the batch.",
)  # fmt: skip


def update_running(
    input: Tensor, running_mean: Any, running_var: Any, momentum: float
) -> None:
    """Move the running mean and (unbiased) variance towards those of a batch."""
    xp = input._type.xp
    array = input._array.astype(running_mean._array.dtype)
    mean, variance = (m.reshape(-1) for m in moments(xp, array, _but_channels(input.ndim)))
    count = array.size // max(len(mean), 1)
    unbiased = variance * (count / max(count - 1, 1))
    for tensor, value in ((running_mean, mean), (running_var, unbiased)):
        kind = tensor._array.dtype.type
        tensor._array[...] = kind(1 - momentum) * tensor._array + kind(momentum) * value
        tensor.bump_version()


def _check_batch(input: Tensor, tensors: dict[str, Any], training: bool) -> None:
    shape = input._array.shape
    if training and numel(shape) // max(shape[1] if len(shape) > 1 else 1, 1) == 1:
        raise ArgumentValueError(
            f"Expected more than 1 value per channel when training, got input size {input.shape}"
        )
    if not training:
        for name in ("running_mean", "running_var"):
            if tensors[name] is None:
                raise ShapeError(f"{name} must be defined in evaluation mode")
    for name, tensor in tensors.items():
        if tensor is not None and tensor._array.size != shape[1]:
            raise ShapeError(
                f"{name} should contain {shape[1]} elements not {tensor._array.size}"
            )
    if not input._type.inexact:
        raise DTypeError(f"batch_norm: Expected a floating point input, got {input.dtype!r}")


def _batch_norm(
    o: Any, input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    tensors = {
        "running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias,
    }  # fmt: skip
    _check_batch(input, tensors, training)
    known = (None, None) if training else (running_mean, running_var)
    result = o.native_batch_norm(input, weight, bias, *known, training, eps)
    if training and running_mean is not None and running_var is not None:
        update_running(input, running_mean, running_var, momentum)
    return result


_RUNNING = {**_AFFINE, "running_mean": "tensor?", "running_var": "tensor?", "training": "bool",
            "momentum": "number", "use_input_stats": "bool"}  # fmt: skip
functional(
    "batch_norm", _batch_norm, kinds=_RUNNING,
    doc="Mean 0 and variance 1 of each channel over the batch, then weight and bias.",
)  # fmt: skip


def _instance_norm(
    o: Any, input: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None,
    bias: Any = None, use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    shape = input._array.shape
    if use_input_stats and numel(shape[2:]) == 1:
        raise ArgumentValueError(
            "Expected more than 1 spatial element when training, got input size "
            f"{input.shape}"
        )
    flat = o.view(input, (1, shape[0] * shape[1], *shape[2:]))

    def repeated(tensor: Any) -> Any:
        return None if tensor is None else o.repeat(tensor, (shape[0],))

    means, variances = repeated(running_mean), repeated(running_var)
    result = _batch_norm(
        o, flat, means, variances, repeated(weight), repeated(bias), use_input_stats, momentum, eps
    )
    for tensor, copies in ((running_mean, means), (running_var, variances)):
        if tensor is not None and use_input_stats:
            tensor._array[...] = copies._array.reshape(shape[:2]).mean(axis=0)
            tensor.bump_version()
    return o.view(result, shape)


functional(
    "instance_norm", _instance_norm, kinds=_RUNNING,
    doc="Mean 0 and variance 1 of each channel of each sample.",
)  # fmt: skip
