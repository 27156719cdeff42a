"""Rows: dropout, with the numbers that PyTorch's generator draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tgrad.core.random import bernoulli, default_generator
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ArgumentValueError, DTypeError
from tgrad.ops.nn_base import functional
from tgrad.ops.table import composite


def noise(input: Tensor, shape: Sequence[int], keep: float) -> Tensor:
    """Zeros, and ones with probability `keep`, drawn from the default generator."""
    xp = input._type.xp
    values = bernoulli(default_generator, tuple(shape), keep, input._type.dtype.numpy)
    return new_tensor(xp.asarray(values), input._type)


def _check_probability(p: float) -> None:
    if not 0 <= p <= 1:
        raise ArgumentValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def drop(o: Any, input: Any, p: float, training: bool, inplace: bool, shape: Any = None) -> Any:
    """Elements, or with `shape` whole channels, set to 0 with probability p; the rest scaled up."""
    if p == 0 or not training or not input._array.size:
        return input
    if not input._type.inexact:
        raise DTypeError(
            "result type Float can't be cast to the desired output type "
            f"{input._type.dtype.title}"
        )
    if p == 1:
        mask = new_tensor(input._type.xp.zeros((), input._type.dtype.numpy), input._type)
    else:
        mask = noise(input, input._array.shape if shape is None else shape, 1 - p)
        mask._array /= mask._array.dtype.type(1 - p)
    return o.mul_(input, mask) if inplace else o.mul(input, mask)


ALPHA = 1.7580993408473766
"""The value that alpha dropout sets elements to, negated: selu's scale times its alpha."""


def drop_alpha(
    o: Any, input: Any, p: float, training: bool, inplace: bool, shape: Any = None
) -> Any:
    """Elements set to selu's lower limit, the rest scaled and shifted to keep mean and variance."""
    if p == 0 or not training or not input._array.size:
        return input
    mask = noise(input, input._array.shape if shape is None else shape, 1 - p)
    a = 1 / math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p))
    kind = input._type.dtype.numpy.type
    shift = (mask._array - kind(1)) * kind(ALPHA * a) + kind(ALPHA * a * p)
    mask._array = mask._array * kind(a)
    offset = new_tensor(shift, input._type)
    if inplace:
        return o.add_(o.mul_(input, mask), offset)
    return o.add(o.mul(input, mask), offset)


def _dropout(
    o: Any, input: Any, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Any:
    _check_probability(p)
    return drop(_with_inplace(o), input, p, training, inplace)


class _InPlace:
    """The operators and their in-place forms."""

    def __init__(self, o: Any) -> None:
        self.o = o

    def __getattr__(self, name: str) -> Any:
        if name.endswith("_"):
            from tgrad.ops.functions import bound_inplace
            from tgrad.ops.table import TABLE

            return bound_inplace(TABLE[name[:-1]])
        return getattr(self.o, name)


def _with_inplace(o: Any) -> Any:
    return _InPlace(o)


def _channels(input: Tensor) -> tuple[int, ...]:
    return (*input._array.shape[:2], *(1,) * (input.ndim - 2))


def _dropout_channels(dims: int, alpha: bool = False) -> Any:
    def forward(
        o: Any, input: Any, p: float = 0.5, training: bool = True, inplace: bool = False
    ) -> Any:
        _check_probability(p)
        o = _with_inplace(o)
        batched = input.ndim != dims + 1 or dims == 2
        if not batched:
            input = o.unsqueeze(input, 0)
        result = drop(o, input, p, training, inplace, _channels(input))
        return result if batched else o.squeeze_dim(result, 0)

    return forward


def _alpha_dropout(
    o: Any, input: Any, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Any:
    _check_probability(p)
    return drop_alpha(_with_inplace(o), input, p, training, inplace)


def _feature_alpha_dropout(
    o: Any, input: Any, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Any:
    _check_probability(p)
    return drop_alpha(_with_inplace(o), input, p, training, inplace, _channels(input))


_P = {"p": "number", "train": "bool", "training": "bool"}
functional("dropout", _dropout, kinds=_P, doc="Elements set to 0 with probability p, others scaled up.")
functional("alpha_dropout", _alpha_dropout, kinds=_P, doc="Dropout for networks with selu.")
functional(
    "feature_alpha_dropout", _feature_alpha_dropout, kinds=_P,
    doc="Dropout of whole channels for networks with selu.",
)  # fmt: skip
for _n in (1, 2, 3):
    functional(
        f"dropout{_n}d", _dropout_channels(_n), kinds=_P,
        doc="Whole channels set to 0 with probability p, others scaled up.",
    )  # fmt: skip


def _torch_dropout(o: Any, input: Any, p: float, train: bool) -> Any:
    _check_probability(p)
    return drop(o, input, p, train, False)


composite("dropout", _torch_dropout, kinds=_P, method=False, out=False,
          doc="Elements set to 0 with probability p, others scaled up.")  # fmt: skip
