"""Rows: attention, and samples of softmax."""

from __future__ import annotations

import math
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.random import default_generator
from tgrad.core.tensor import new_tensor
from tgrad.errors import ShapeError
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.nn_base import functional
from tgrad.ops.nn_dropout import drop
from tgrad.ops.nn_softmax import softmax_kernel
from tgrad.ops.table import operator


def _causal_bias(query: Any, key: Any) -> Any:
    """0 on and below the diagonal, -inf above."""
    xp = query._type.xp
    rows, columns = query._array.shape[-2], key._array.shape[-2]
    allowed = xp.tri(rows, columns, dtype=bool)
    kind = query._type.dtype.numpy
    return new_tensor(xp.where(allowed, kind.type(0), kind.type(-math.inf)), query._type)


def _safe_softmax_kernel(xp: Any, input: Any, dim: int) -> Any:
    result = softmax_kernel(xp, input, dim)
    hidden = (input == -math.inf).all(axis=dim, keepdims=True)
    return xp.where(hidden, input.dtype.type(0), result) if hidden.any() else result


operator(
    "_safe_softmax", lambda xp, input, dim: _safe_softmax_kernel(xp, input, dim),
    input=lambda o, g, out, dim: (g - o.sum_dim(g * out, (dim,), True)) * out,
    function=False, method=False, label="SafeSoftmaxBackward",
    doc="softmax, and 0 where everything is -inf.",
)  # fmt: skip


def _attention(
    o: Any, query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: Any = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    if enable_gqa:
        repeats = query._array.shape[-3] // key._array.shape[-3]
        key = o.repeat_interleave_int(key, repeats, -3)
        value = o.repeat_interleave_int(value, repeats, -3)
    if scale is None:
        scale = 1 / math.sqrt(query._array.shape[-1])
    half = math.sqrt(scale)
    bias = attn_mask
    if is_causal:
        if attn_mask is not None:
            raise ShapeError("_scaled_dot_product_attention: Explicit attn_mask should not be set "
                             "when is_causal=True")  # fmt: skip
        bias = _causal_bias(query, key)
    elif bias is not None and bias._type.dtype is dtypes.bool_:
        kind = query._type.dtype.numpy
        values = query._type.xp.where(bias._array, kind.type(0), kind.type(-math.inf))
        bias = new_tensor(values, query._type)
    scores = o.matmul(o.mul(query, half), o.mul(o.transpose(key, -2, -1), half))
    if bias is not None:
        scores = o.add(scores, bias)
    weights = o._safe_softmax(scores, -1)
    if dropout_p:
        weights = drop(o, weights, dropout_p, True, False)
    return o.matmul(weights, value)


functional(
    "scaled_dot_product_attention", _attention,
    kinds={"query": "tensor", "key": "tensor", "value": "tensor", "attn_mask": "tensor?",
           "dropout_p": "number", "is_causal": "bool", "scale": "number?", "enable_gqa": "bool"},
    doc="softmax(q k' / sqrt(d)) v.",
)  # fmt: skip


def _gumbel_softmax(
    o: Any, logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Any:
    from tgrad.core.random import exponential

    drawn = exponential(default_generator, logits._array.shape, logits._type.dtype.numpy)
    gumbels = o.neg(o.log(new_tensor(drawn, logits._type)))
    soft = o.softmax(o.div(o.add(logits, gumbels), tau), dim)
    if not hard:
        return soft
    xp = logits._type.xp
    at = wrap_dim(dim, logits.ndim)
    hot = xp.zeros_like(soft._array)
    xp.put_along_axis(hot, xp.expand_dims(xp.argmax(soft._array, at), at), 1.0, at)
    return o.add(o.sub(new_tensor(hot, soft._type), new_tensor(soft._array, soft._type)), soft)


functional(
    "gumbel_softmax", _gumbel_softmax, kinds={"logits": "tensor", "tau": "number", "eps": "number"},
    doc="A sample of softmax(logits / tau), by Gumbel noise.",
)  # fmt: skip
