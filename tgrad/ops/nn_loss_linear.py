"""Rows: cross entropy of a linear layer's results."""

from __future__ import annotations

import warnings
from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.errors import ShapeError
from tgrad.ops.dimensions import numel
from tgrad.ops.nn_base import functional


def _check(input: Tensor, weight: Tensor, bias: Any) -> None:
    """PyTorch's errors for a linear layer that doesn't fit the input."""
    if input.ndim not in (1, 2):
        raise ShapeError(f"expected input with dimensionality 1 or 2, got {input.ndim}")
    if weight.ndim < 2:
        raise ShapeError(f"expected linear_weight with dimensionality at least 2, got {weight.ndim}")
    shape, size = weight._array.shape, input._array.shape[-1]
    if size != shape[-1]:
        raise ShapeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{size} and {shape[-1]}, respectively"
        )
    if bias is not None and bias._array.shape != shape[:-1]:
        raise ShapeError(f"expected linear_bias shape {shape[:-1]}, got {bias._array.shape}")
    if len(shape) > 2 and input.ndim == 1:
        raise ShapeError(
            f"K-dimensional loss defined by linear_weight shape {shape} requires batched input, "
            f"(N, {size}), got unbatched input with shape {input._array.shape}"
        )


def _linear_cross_entropy(
    o: Any, input: Any, linear_weight: Any, target: Any, *, linear_bias: Any = None, weight: Any = None,
    reduction: Any = "mean", ignore_index: Any = None, label_smoothing: float = 0.0, options: Any = None,
) -> Any:  # fmt: skip
    _check(input, linear_weight, linear_bias)
    classes, *places, size = linear_weight._array.shape
    shape = (*input._array.shape[:-1], classes, *places)
    if target._array.shape == shape and ignore_index is not None:
        raise ShapeError("ignore_index cannot be specified when target contains probabilities")
    if options is not None and (places or label_smoothing or target._type.dtype.name != "int64"):
        warnings.warn("linear_cross_entropy: ``options`` ignored", stacklevel=5)
    if places:
        count = classes * numel(places)
        linear_weight = o.reshape(linear_weight, (count, size))
        linear_bias = None if linear_bias is None else o.reshape(linear_bias, (count,))
    logits = o.reshape(o.functional_linear(input, linear_weight, linear_bias), shape)
    return o.functional_cross_entropy(
        logits, target, weight, None, -100 if ignore_index is None else ignore_index, None, reduction,
        label_smoothing,
    )  # fmt: skip


functional(
    "linear_cross_entropy", _linear_cross_entropy,
    kinds={"linear_weight": "tensor", "linear_bias": "tensor?", "weight": "tensor?", "options": "any",
           "ignore_index": "int?", "label_smoothing": "number"},
    doc="cross_entropy of linear; `options`, which save memory in PyTorch, change nothing.",
)  # fmt: skip
