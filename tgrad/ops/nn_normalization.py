"""Rows: layers that bring their input to mean 0 and variance 1.

The node saves the input with the mean and the deviation of each row; these are computed again for the
derivative of 16 bits, and with the recorded operators where it is to be differentiated itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tgrad.backends import normalization as kernels
from tgrad.backends.narrow import is_narrow, wide
from tgrad.backends.normalization import BATCH, GROUP, LAYER
from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, DTypeError, ShapeError
from tgrad.ops.dimensions import numel
from tgrad.ops.formulas import to_shape
from tgrad.ops.mixing import refuse_arguments
from tgrad.ops.nn_base import functional, needs_floats
from tgrad.ops.nn_standard import moments
from tgrad.ops.table import operator


def scaled(values: Any, weight: Any, bias: Any, shape: Sequence[int]) -> Any:
    """values * weight + bias, where there are such, in a shape that broadcasts."""
    if weight is not None:
        values = values * weight.reshape(shape)
    return values if bias is None else values + bias.reshape(shape)


# ---------------------------------------------------------------- over the last dimensions


def _last(size: Sequence[int], ndim: int) -> tuple[int, ...]:
    return tuple(range(ndim - len(size), ndim))


def _layer_kernel(
    xp: Any, input: Any, weight: Any, bias: Any, size: Sequence[int], eps: float
) -> tuple[Any, Any]:
    axes = _last(size, input.ndim)
    if not is_narrow(input.dtype):
        return kernels.normalised(input, weight, bias, axes, eps, LAYER)
    values = wide(input)
    mean, variance = moments(xp, values, axes)
    factor = 1 / xp.sqrt(variance + values.dtype.type(eps))
    values = xp.fma(factor, values, -factor * mean)
    return scaled(values, wide(weight), wide(bias), size).astype(input.dtype), xp.empty(0, input.dtype)


def _layer_together(
    o: Any, g: Any, needed: Sequence[bool], input: Any, weight: Any, statistics: Any, size: Sequence[int]
) -> Any:
    if not needed[0]:
        return None
    found = kernels.together(g, input, weight, statistics, _last(size, input.ndim), LAYER)
    return found and (found[0], *(each.reshape(size) for each in found[1:]))


operator(
    "layer_norm", _layer_kernel, together=_layer_together,
    input=lambda o, g, input, weight, statistics, size, eps: o._norm_back(
        g, input, weight, _last(size, len(input.shape)), eps, size, LAYER
    ),
    weight=lambda o, g, input, size, eps: o._scale_back(
        g, input, _last(size, len(input.shape)), eps, size, LAYER
    ),
    bias=lambda o, g, size: to_shape(o, g, tuple(size)),
    kinds={"weight": "tensor?", "bias": "tensor?"}, function=False, method=False,
    fields=("output", "statistics"), outputs=1, out=False, label="NativeLayerNormBackward",
    narrow=True, doc="Mean 0 and variance 1 over the last dimensions.",
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
    needs_floats("LayerNormKernelImpl")(input)
    for tensor in (weight, bias):
        if tensor is not None and tensor._type is not input._type and not input._type.narrow:
            refuse_arguments("_native_layer_norm", input=input, weight=weight, bias=bias)
            raise DTypeError(
                f"mixed dtype (CPU): expect parameter to have scalar type of {input._type.dtype.title}"
            )
    return o.layer_norm(input, weight, bias, size, eps)[0]


_AFFINE = {"weight": "tensor?", "bias": "tensor?", "eps": "number"}
functional(
    "layer_norm", _layer_norm, kinds={**_AFFINE, "normalized_shape": "sequence"},
    doc="Mean 0 and variance 1 over the last dimensions, then weight and bias.",
)  # fmt: skip


def _rms_norm(o: Any, input: Any, normalized_shape: Any, weight: Any = None, eps: Any = None) -> Any:
    size = tuple(normalized_shape)
    _check_last(input, size, weight, None, "*")
    x = o.to_copy(input, dtypes.float32) if input._type.narrow else input
    needs_floats("rms_norm")(input)
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


def _grouped(shape: Sequence[int], groups: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shapes of an input and of its weight, with groups as a dimension of their own."""
    members = shape[1] // groups
    return (shape[0], groups, members, numel(shape[2:])), (1, groups, members, 1)


def _channelwise(shape: Sequence[int]) -> tuple[int, ...]:
    return (1, shape[1], *(1 for _ in shape[2:]))


def _but_channels(ndim: int) -> tuple[int, ...]:
    return (0, *range(2, ndim))


def _group_kernel(xp: Any, x: Any, weight: Any, bias: Any, groups: int, eps: float) -> tuple[Any, Any]:
    flat, _ = _grouped(x.shape, groups)
    result, statistics = kernels.normalised(x.reshape(flat), weight, bias, (2, 3), eps, GROUP)
    return result.reshape(x.shape), statistics


def group_input(o: Any, g: Any, input: Any, weight: Any, statistics: Any, groups: int, eps: float) -> Any:
    """The derivative of group normalisation with respect to its input."""
    shape = tuple(input.shape)
    flat, wide = _grouped(shape, groups)
    back = o._norm_back(o.reshape(g, flat), o.reshape(input, flat), weight, (2, 3), eps, wide, GROUP)
    return o.reshape(back, shape)


def group_weight(o: Any, g: Any, input: Any, groups: int, eps: float) -> Any:
    """The derivative of group normalisation with respect to its weight."""
    flat, wide = _grouped(tuple(input.shape), groups)
    back = o._scale_back(o.reshape(g, flat), o.reshape(input, flat), (2, 3), eps, wide, GROUP)
    return o.reshape(back, (input.shape[1],))


def _group_together(
    o: Any, g: Any, needed: Sequence[bool], input: Any, weight: Any, statistics: Any, groups: int
) -> Any:
    if not needed[0]:
        return None
    flat, _ = _grouped(input.shape, groups)
    found = kernels.together(g.reshape(flat), input.reshape(flat), weight, statistics, (2, 3), GROUP)
    return found and (found[0].reshape(input.shape), *found[1:])


operator(
    "group_norm",
    lambda xp, input, weight, bias, groups, eps: _group_kernel(xp, input, weight, bias, groups, eps),
    together=_group_together,
    input=group_input,
    weight=group_weight,
    bias=lambda o, g: o._channel_sums(g),
    kinds={"weight": "tensor?", "bias": "tensor?"}, function=False, method=False, out=False,
    fields=("output", "statistics"), outputs=1, label="NativeGroupNormBackward",
    doc="Mean 0 and variance 1 over groups of channels.",
)  # fmt: skip


def _group_norm(
    o: Any, input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    shape = input._array.shape
    if len(shape) < 2:
        raise ShapeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    batch = [shape[0] * shape[1] // num_groups, num_groups, *shape[2:]]
    if batch[0] * numel(batch[2:]) == 1:
        raise ArgumentValueError(
            f"Expected more than 1 value per channel when training, got input size {batch}"
        )
    if shape[1] % num_groups:
        raise ShapeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {list(shape)} and num_groups={num_groups}"
        )
    for name, tensor in (("weight", weight), ("bias", bias)):
        if tensor is not None and tensor._array.shape != (shape[1],):
            shown = list((tensor if weight is None else weight)._array.shape)
            raise ShapeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but "
                f"got {name} of shape {shown} and input of shape {list(shape)}"
            )
    needs_floats("GroupNormKernelImpl")(input)
    return o.group_norm(input, weight, bias, num_groups, eps)[0]


functional(
    "group_norm", _group_norm, kinds={**_AFFINE, "num_groups": "int"},
    doc="Mean 0 and variance 1 over groups of channels, then weight and bias.",
)  # fmt: skip

# ---------------------------------------------------------------- over the batch


def _batch_kernel(
    xp: Any, x: Any, weight: Any, bias: Any, mean: Any, variance: Any, training: bool, eps: float
) -> tuple[Any, Any]:
    if not training:
        return _batch_known(xp, x, weight, bias, mean, variance, eps), xp.empty(0, x.dtype)
    if is_narrow(x.dtype):
        return _batch_narrow(xp, x, weight, bias, eps), xp.empty(0, x.dtype)
    return kernels.normalised(x, weight, bias, _but_channels(x.ndim), eps, BATCH)


def _batch_known(xp: Any, x: Any, weight: Any, bias: Any, mean: Any, variance: Any, eps: float) -> Any:
    shape = _channelwise(x.shape)
    factor = 1 / xp.sqrt(wide(variance) + wide(variance).dtype.type(eps))
    if kernels.takes(x):
        scale = factor if weight is None else factor * weight
        shift = -mean * scale if bias is None else bias - mean * scale
        return kernels.known(x, scale.astype(x.dtype), shift.astype(x.dtype))
    values = (wide(x) - wide(mean).reshape(shape)) * factor.reshape(shape)
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


def batch_input(
    o: Any, g: Any, input: Any, weight: Any, statistics: Any, running_mean: Any, running_var: Any,
    training: bool, eps: float,
) -> Any:  # fmt: skip
    """The derivative of batch normalisation with respect to its input."""
    shape = _channelwise(tuple(input.shape))
    if training:
        return o._norm_back(g, input, weight, _but_channels(len(shape)), eps, shape, BATCH)
    return o._known_back(g, weight, running_var, eps, shape)


def batch_weight(
    o: Any, g: Any, input: Any, running_mean: Any, running_var: Any, training: bool, eps: float
) -> Any:
    """The derivative of batch normalisation with respect to its weight."""
    shape = _channelwise(tuple(input.shape))
    if training:
        return o.reshape(o._scale_back(g, input, _but_channels(len(shape)), eps, shape, BATCH), (shape[1],))
    return o._known_scale_back(g, input, running_mean, running_var, eps, shape)


def _batch_together(
    o: Any, g: Any, needed: Sequence[bool], input: Any, weight: Any, statistics: Any, training: bool
) -> Any:
    if not training or not needed[0] or input.ndim < 3:
        return None
    return kernels.together(g, input, weight, statistics, _but_channels(input.ndim), BATCH)


operator(
    "native_batch_norm",
    lambda xp, input, weight, bias, running_mean, running_var, training, eps: _batch_kernel(
        xp, input, weight, bias, running_mean, running_var, training, eps
    ),
    input=batch_input, weight=batch_weight,
    bias=lambda o, g: o._channel_sums(g), together=_batch_together,
    kinds={"weight": "tensor?", "bias": "tensor?", "running_mean": "index?",
           "running_var": "index?", "training": "bool"},
    narrow=True, function=False, method=False, out=False, fields=("output", "statistics"), outputs=1,
    doc="Mean 0 and variance 1 of each channel over the batch.",
)  # fmt: skip


def update_running(input: Tensor, running_mean: Any, running_var: Any, momentum: float) -> None:
    """Move the running mean and (unbiased) variance towards those of a batch.

    Their versions don't count on: PyTorch allows several forward passes before a backward one.
    """
    array = input._array.astype(running_mean._array.dtype)
    mean, variance = input._type.xp.normalization.moments(array)
    count = array.size // max(len(mean), 1)
    unbiased = variance * (count / max(count - 1, 1))
    for tensor, value in ((running_mean, mean), (running_var, unbiased)):
        kind = tensor._array.dtype.type
        tensor._array[...] = kind(1 - momentum) * tensor._array + kind(momentum) * value


def _check_batch(input: Tensor, tensors: dict[str, Any], training: bool) -> None:
    shape = input._array.shape
    if training and shape[0] * numel(shape[2:]) == 1:
        raise ArgumentValueError(
            f"Expected more than 1 value per channel when training, got input size {input.shape}"
        )
    if (tensors["running_mean"] is None) != (tensors["running_var"] is None) and training:
        raise ArgumentValueError("running_mean and running_var must either both be None or neither be None")
    if not training:
        for name in ("running_mean", "running_var"):
            if tensors[name] is None:
                raise ShapeError(f"{name} must be defined in evaluation mode")
    for name, tensor in tensors.items():
        channels = shape[1] if len(shape) > 1 else 0
        if tensor is not None and tensor._array.size != channels:
            raise ShapeError(f"{name} should contain {channels} elements not {tensor._array.size}")
    needs_floats("batch_norm")(input)


def _batch_norm(
    o: Any, input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    tensors = {
        "running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias,
    }  # fmt: skip
    _check_batch(input, tensors, training)
    if not input._array.size:
        return o.clone(input)
    known = (None, None) if training else (running_mean, running_var)
    result = o.native_batch_norm(input, weight, bias, *known, training, eps)[0]
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
            f"Expected more than 1 spatial element when training, got input size {input.shape}"
        )
    if not use_input_stats and (running_mean is None or running_var is None):
        raise ShapeError("Expected running_mean and running_var to be defined when use_input_stats is false")
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
