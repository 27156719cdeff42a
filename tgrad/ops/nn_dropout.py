"""Rows: dropout, with the numbers that PyTorch's generator draws."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from tgrad.core.dtype import bool_
from tgrad.core.random import bernoulli, default_generator
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ArgumentValueError, DTypeError, ShapeError, TensorError
from tgrad.ops.geometry import memory_order
from tgrad.ops.nn_base import functional
from tgrad.ops.table import composite, operator
from tgrad.ops.transfer import drawn


def noise(input: Tensor, shape: Sequence[int], keep: float) -> Tensor:
    """Zeros, and ones with probability `keep`, drawn from the default generator.

    In the shape of the input itself they are drawn in the order of its memory.
    """
    array, shape = input._array, tuple(shape)
    order = list(range(len(shape)))
    if shape == array.shape and not array.flags.c_contiguous:
        order = memory_order(shape, (array.strides,))
    dtype, sizes = input._type.dtype.numpy, tuple([shape[dim] for dim in order])
    values = drawn(input, bernoulli, default_generator, sizes, keep, dtype)
    back = [order.index(dim) for dim in range(len(order))]
    return new_tensor(values.transpose(back), input._type)


def check_probability(p: float, error: type[TensorError] = ArgumentValueError) -> None:
    """PyTorch's error for what isn't a probability."""
    if not 0 <= p <= 1:
        raise error(f"dropout probability has to be between 0 and 1, but got {p}")


def _zero(input: Tensor) -> Tensor:
    return new_tensor(input._type.xp.zeros((), input._type.dtype.numpy), input._type)


def _times(o: Any, input: Any, mask: Any, inplace: bool) -> Any:
    return o.mul_(input, mask) if inplace else o.mul(input, mask)


def drop(o: Any, input: Any, p: float, training: bool, inplace: bool, shape: Any = None) -> Any:
    """Elements, or with `shape` whole channels, set to 0 with probability p; the rest scaled up."""
    if p == 0 or not training or not input._array.size:
        return input
    if not input._type.inexact:
        raise DTypeError(
            f"result type Float can't be cast to the desired output type {input._type.dtype.title}"
        )
    if p == 1:
        return _times(o, input, _zero(input), inplace)
    mask = noise(input, input._array.shape if shape is None else shape, 1 - p)
    mask._array /= mask._array.dtype.type(1 - p)
    return _times(o, input, mask, inplace)


ALPHA = 1.7580993408473766
"""The value that alpha dropout sets elements to, negated: selu's scale times its alpha."""


def drop_alpha(o: Any, input: Any, p: float, training: bool, inplace: bool, shape: Any = None) -> Any:
    """Elements set to selu's lower limit, the rest scaled and shifted to keep mean and variance."""
    if p == 0 or not training or not input._array.size:
        return input
    if p == 1:
        return _times(o, input, _zero(input), inplace)
    mask = noise(input, input._array.shape if shape is None else shape, 1 - p)
    a = 1 / math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p))
    kind = input._type.dtype.numpy.type
    shift = (mask._array - kind(1)) * kind(ALPHA * a) + kind(ALPHA * a * p)
    mask._array = mask._array * kind(a)
    offset = new_tensor(shift, input._type)
    if inplace:
        return o.add_(o.mul_(input, mask), offset)
    return o.add(o.mul(input, mask), offset)


def _channels(input: Tensor, p: float, training: bool) -> tuple[int, ...]:
    """The shape of a mask that drops whole channels."""
    if input.ndim < 2 and p and training and input._array.size:
        raise ShapeError("Feature dropout requires at least 2 dimensions in the input")
    return (*input._array.shape[:2], *(1,) * (input.ndim - 2))


_P = {"p": "number", "train": "bool", "training": "bool"}


def _variants(name: str, by_channel: bool, remover: Any, doc: str, default: bool | None) -> None:
    """Dropout under its names: in torch.nn.functional, unless `default` is None, and in torch.

    `default` is that of `training`.
    """

    def apply(o: Any, input: Any, p: float, training: bool, inplace: bool) -> Any:
        return remover(o, input, p, training, inplace, _channels(input, p, training) if by_channel else None)

    def of_functional(
        o: Any, input: Any, p: float = 0.5, training: bool = bool(default), inplace: bool = False
    ) -> Any:
        check_probability(p)
        return apply(o, input, p, training, inplace)

    def of_torch(o: Any, input: Any, p: float, train: bool) -> Any:
        check_probability(p, ShapeError)
        return apply(o, input, p, train, False)

    def over(o: Any, input: Any, p: float, train: bool) -> Any:
        check_probability(p, ShapeError)
        return apply(o, input, p, train, True)

    if default is not None:
        functional(name, of_functional, kinds=_P, doc=doc)
    composite(name, of_torch, kinds=_P, method=False, out=False, doc=doc)
    composite(f"{name}_", over, kinds=_P, method=False, out=False, doc=f"{doc}  Written over the input.")


_variants("dropout", False, drop, "Elements set to 0 with probability p, others scaled up.", True)
_variants("feature_dropout", True, drop, "Channels set to 0 with probability p, others scaled up.", None)
_variants("alpha_dropout", False, drop_alpha, "Dropout for networks with selu.", False)
_variants("feature_alpha_dropout", True, drop_alpha, "Dropout of channels for networks with selu.", False)

# ---------------------------------------------------------------- channels of images

_SPATIAL = (
    "{0}: Received a {1}-D input to {0}, which is deprecated and will result in an error in a future "
    "release. To retain the behavior and silence this warning, please use dropout instead. Note that "
    "{0} exists to provide channel-wise dropout on inputs with {2} spatial dimensions, a channel "
    "dimension, and an optional batch dimension (i.e. {3}D or {4}D inputs)."
)
_AMBIGUOUS = (
    "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is "
    "desired - input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will "
    "change in a future release to interpret the input as one without a batch dimension, i.e. shape "
    "(C, H, W). To maintain the 1D channel-wise dropout behavior, please switch to using dropout1d "
    "instead."
)


def _check_spatial(name: str, dims: int, ndim: int) -> None:
    """PyTorch's error or warning for inputs that aren't images of so many dimensions."""
    if ndim not in (dims + 1, dims + 2):
        if dims == 1:
            raise ShapeError(
                f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input. Note that dropout1d "
                "exists to provide channel-wise dropout on inputs with 1 spatial dimension, a channel "
                "dimension, and an optional batch dimension (i.e. 2D or 3D inputs)."
            )
        warnings.warn(_SPATIAL.format(name, ndim, dims, dims + 1, dims + 2), stacklevel=6)
    elif ndim == 3 and dims == 2:
        warnings.warn(_AMBIGUOUS, stacklevel=6)


def _dropout_channels(dims: int) -> Any:
    name = f"dropout{dims}d"

    def forward(o: Any, input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        check_probability(p)
        _check_spatial(name, dims, input.ndim)
        batched = input.ndim == dims + 2 or dims == 2
        batch = input if batched else o.unsqueeze(input, 0)
        result = drop(o, batch, p, training, inplace, _channels(batch, p, training))
        return result if batched else o.squeeze_dim(result, 0)

    return forward


for _n in (1, 2, 3):
    functional(
        f"dropout{_n}d", _dropout_channels(_n), kinds=_P,
        doc="Whole channels set to 0 with probability p, others scaled up.",
    )  # fmt: skip

# ---------------------------------------------------------------- with the mask

operator(
    "_native_dropout", lambda xp, input, mask, scale: input * mask * input.dtype.type(scale),
    input=lambda o, g, mask, scale: g * mask * scale,
    kinds={"mask": "index", "scale": "number"}, function=False, method=False, out=False,
    label="NativeDropoutBackward", doc="The input where the mask is true, scaled up; 0 elsewhere.",
)  # fmt: skip


def _with_mask(o: Any, input: Any, p: float, train: bool | None) -> Any:
    xp, kind = input._type.xp, input._type.related
    if train is False or not input._array.size:
        mask = xp.ones(input._array.shape, bool)
        return o.clone(input), new_tensor(mask, kind[bool_])
    values = drawn(input, bernoulli, default_generator, input._array.shape, 1 - p, bool_.numpy)
    mask = new_tensor(values, kind[bool_])
    return o._native_dropout(input, mask, 0.0 if p == 1 else 1 / (1 - p)), mask


composite(
    "native_dropout", _with_mask, kinds={**_P, "train": "bool?"}, method=False, out=False,
    doc="Dropout and its mask.",
)  # fmt: skip
