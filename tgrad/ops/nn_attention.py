"""Rows: attention, and samples of softmax."""

from __future__ import annotations

import math
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.engine import Spaces
from tgrad.core.random import default_generator
from tgrad.core.tensor import new_tensor
from tgrad.errors import ShapeError
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.mixing import refuse_several
from tgrad.ops.nn_base import functional
from tgrad.ops.nn_dropout import check_probability, drop
from tgrad.ops.table import operator
from tgrad.ops.transfer import drawn


def _causal_bias(query: Any, key: Any) -> Any:
    """0 on and below the diagonal, -inf above."""
    xp = query._type.xp
    rows, columns = query._array.shape[-2], key._array.shape[-2]
    allowed = xp.tri(rows, columns, dtype=bool)
    kind = query._type.dtype.numpy
    return new_tensor(xp.where(allowed, kind.type(0), kind.type(-math.inf)), query._type)


operator(
    "_safe_softmax", lambda xp, input, dim: xp.softmax(input, dim, True),
    input=lambda o, g, out, dim: o._softmax_backward_data(g, out, dim),
    function=False, method=False, label="SafeSoftmaxBackward",
    doc="softmax, and 0 where everything is -inf.",
)  # fmt: skip


# ---------------------------------------------------------------- in one step


def _heads_kernel(xp: Any, query: Any, key: Any, value: Any, bias: Any, scale: float) -> tuple[Any, Any]:
    """softmax(scale * q k' + bias) v, and what v is multiplied by."""
    scores = xp.scaled_product(query, key.swapaxes(-1, -2), scale, bias)
    weights = xp.softmax(scores, -1, True)
    return xp.scaled_product(weights, value), weights


def _matrices(o: Any, tensor: Any) -> Any:
    shape = tensor.shape
    return o.reshape(tensor, (shape[0] * shape[1], *shape[2:]))


def _kept_weights(o: Any, query: Any, key: Any, bias: Any, weights: Any, scale: float) -> Any:
    """The weights, computed again where their own derivative is to be recorded."""
    if o is Spaces.recorded:
        scores = o.mul(o.bmm(_matrices(o, query), o.transpose(_matrices(o, key), 1, 2)), scale)
        scores = o.reshape(scores, tuple(weights.shape))
        weights = o._safe_softmax(scores if bias is None else o.add(scores, bias), -1)
    return _matrices(o, weights)


def _scores_back(o: Any, g: Any, value: Any, weights: Any, scale: float) -> Any:
    along = o.bmm(_matrices(o, g), o.transpose(_matrices(o, value), 1, 2))
    return o._softmax_backward_data(along, weights, -1) * scale


def _query_back(
    o: Any, g: Any, query: Any, key: Any, value: Any, bias: Any, weights: Any, scale: float
) -> Any:
    kept = _kept_weights(o, query, key, bias, weights, scale)
    return o.reshape(
        o.bmm(_scores_back(o, g, value, kept, scale), _matrices(o, key)), tuple(query.shape)
    )


def _key_back(
    o: Any, g: Any, query: Any, key: Any, value: Any, bias: Any, weights: Any, scale: float
) -> Any:
    kept = _kept_weights(o, query, key, bias, weights, scale)
    turned = o.transpose(_scores_back(o, g, value, kept, scale), 1, 2)
    return o.reshape(o.bmm(turned, _matrices(o, query)), tuple(key.shape))


def _value_back(
    o: Any, g: Any, query: Any, key: Any, value: Any, bias: Any, weights: Any, scale: float
) -> Any:
    kept = _kept_weights(o, query, key, bias, weights, scale)
    return o.reshape(o.bmm(o.transpose(kept, 1, 2), _matrices(o, g)), tuple(value.shape))


def _heads_together(
    o: Any, g: Any, needed: list[bool], query: Any, key: Any, value: Any, weights: Any, scale: float
) -> tuple[Any, ...]:
    """The three derivatives, for which the softmax's own is computed once."""
    to_query, to_key, to_value = needed
    kept, upstream = _matrices(o, weights), _matrices(o, g)
    scores: Any = None
    if to_query or to_key:
        along = o.bmm(upstream, _matrices(o, value).swapaxes(1, 2))
        scores = o._softmax_backward_data(along, kept, -1) * scale
    return (
        o.bmm(scores, _matrices(o, key)).reshape(query.shape) if to_query else None,
        o.bmm(scores.swapaxes(1, 2), _matrices(o, query)).reshape(key.shape) if to_key else None,
        o.bmm(kept.swapaxes(1, 2), upstream).reshape(value.shape) if to_value else None,
    )


operator(
    "_attention_of_heads",
    lambda xp, query, key, value, bias, scale: _heads_kernel(xp, query, key, value, bias, scale),
    together=_heads_together,
    query=lambda o, g, query, key, value, bias, weights, scale: _query_back(
        o, g, query, key, value, bias, weights, scale
    ),
    key=lambda o, g, query, key, value, bias, weights, scale: _key_back(
        o, g, query, key, value, bias, weights, scale
    ),
    value=lambda o, g, query, key, value, bias, weights, scale: _value_back(
        o, g, query, key, value, bias, weights, scale
    ),
    kinds={"query": "tensor", "key": "tensor", "value": "tensor", "bias": "index?", "scale": "number"},
    fields=("output", "weights"), outputs=1, function=False, method=False, out=False,
    label="ScaledDotProductFlashAttentionForCpuBackward",
    doc="softmax(scale * q k' + bias) v for (batch, heads, length, size), and the softmax.",
)  # fmt: skip


def _is_plain(query: Any, key: Any, value: Any, mask: Any, dropout_p: float, enable_gqa: bool) -> bool:
    """Whether PyTorch computes attention in one step: several heads, nothing to broadcast or to drop."""
    q, k = query._array.shape, key._array.shape
    if len(q) != 4 or value._array.shape != k or q[:2] + q[3:] != k[:2] + k[3:]:
        return False
    if dropout_p or enable_gqa or not query._array.size or not k[2] or not query._type.inexact:
        return False
    return mask is None or (mask._edge is None and mask.ndim in (2, 4))


def _attention(
    o: Any, query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0,
    is_causal: bool = False, *, scale: Any = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    _check_attention(query, key, value, attn_mask, is_causal)
    own = query._type
    if own.narrow:
        query, key, value = (o.to_type(t, own.related[dtypes.float32]) for t in (query, key, value))
    result = _attend(o, query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa)
    return o.to_type(result, own) if own.narrow else result


_C_NAMES = {"int64": "long int", "uint8": "unsigned char", "int8": "signed char", "int16": "short int"}


def _c_name(tensor: Any) -> str:
    dtype = tensor._type.dtype
    return _C_NAMES.get(dtype.name) or str(dtype.title.lower())


def _check_attention(query: Any, key: Any, value: Any, mask: Any, is_causal: bool) -> None:
    """PyTorch's errors for what doesn't go together."""
    types = [t._type.dtype for t in (query, key, value)]
    if len(set(types)) > 1:
        names = [t.title.lower() for t in types]
        raise ShapeError(
            f"Expected query, key, and value to have the same dtype, but got query.dtype: {names[0]} "
            f"key.dtype: {names[1]} and value.dtype: {names[2]} instead."
        )
    refuse_several(
        "Expected query, key, and value to have the same device type, but got query.device: {0} "
        "key.device: {1} and value.device: {2} instead.", query, key, value,
    )  # fmt: skip
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise ShapeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query.ndim} key.dim: {key.ndim} and value.dim: {value.ndim} instead."
        )
    if mask is None:
        return
    if mask._type.dtype is not dtypes.bool_ and mask._type.dtype not in (types[0], dtypes.float32):
        raise ShapeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got "
            f"attn_mask.dtype: {_c_name(mask)} and  query.dtype: {_c_name(query)} instead."
        )
    if is_causal:
        raise ShapeError(
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True"
        )


def _attend(
    o: Any, query: Any, key: Any, value: Any, attn_mask: Any, dropout_p: float, is_causal: bool,
    scale: Any, enable_gqa: bool,
) -> Any:  # fmt: skip
    if enable_gqa:
        heads = query._array.shape[-3]
        if any(heads % t._array.shape[-3] for t in (key, value)):
            raise ShapeError("Number of heads in key and value must divide the number of heads in ")
        key, value = (o.repeat_interleave(t, heads // t._array.shape[-3], -3) for t in (key, value))
    if scale is None:
        scale = 1 / math.sqrt(query._array.shape[-1])
    half = math.sqrt(scale)
    bias = attn_mask
    if is_causal:
        bias = _causal_bias(query, key)
    elif bias is not None and bias._type.dtype is dtypes.bool_:
        kind = query._type.dtype.numpy
        values = query._type.xp.where(bias._array, kind.type(0), kind.type(-math.inf))
        bias = new_tensor(values, query._type)
    if _is_plain(query, key, value, bias, dropout_p, enable_gqa):
        return o._attention_of_heads(query, key, value, bias, scale)[0]
    scores = o.matmul(o.mul(query, half), o.mul(o.transpose(key, -2, -1), half))
    if bias is not None:
        scores = o.add(scores, bias)
    weights = o._safe_softmax(scores, -1)
    check_probability(dropout_p, ShapeError)
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

    dtype = logits._type.dtype.numpy
    numbers = drawn(logits, exponential, default_generator, logits._array.shape, dtype)
    gumbels = o.neg(o.log(new_tensor(numbers, logits._type)))
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
