"""Rows: attention of several heads, with its projections."""

from __future__ import annotations

import math
import warnings
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Size, Tensor, new_tensor
from tgrad.errors import ShapeError, TensorError
from tgrad.ops.nn_base import functional
from tgrad.ops.nn_dropout import drop


class UnmetError(TensorError, AssertionError):
    """Arguments of attention don't go together."""

    builtin = AssertionError


def need(condition: Any, message: str) -> None:
    """Raise PyTorch's error unless a condition holds."""
    if not condition:
        raise UnmetError(message)


def _is_batched(query: Tensor, key: Tensor, value: Tensor, padding: Any, mask: Any, heads: int) -> bool:
    """Whether the inputs have a batch dimension; PyTorch's errors for those that disagree."""
    need(
        query.ndim in (2, 3),
        f"query should be unbatched 2D or batched 3D tensor but received {query.ndim}-D query tensor",
    )
    kind = "batched (3-D)" if query.ndim == 3 else "unbatched (2-D)"
    need(
        key.ndim == value.ndim == query.ndim,
        f"For {kind} `query`, expected `key` and `value` to be {query.ndim}-D but found {key.ndim}-D and "
        f"{value.ndim}-D tensors respectively",
    )
    if padding is not None:
        need(
            padding.ndim == query.ndim - 1,
            f"For {kind} `query`, expected `key_padding_mask` to be `None` or {query.ndim - 1}-D but found "
            f"{padding.ndim}-D tensor instead",
        )
    if mask is not None:
        need(
            mask.ndim in (2, 3),
            f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {mask.ndim}-D "
            "tensor instead",
        )
        wanted = (heads, query._array.shape[0], key._array.shape[0])
        if query.ndim == 2 and mask.ndim == 3:
            need(
                mask._array.shape == wanted,
                f"Expected `attn_mask` shape to be {wanted} but got {Size(mask._array.shape)}",
            )
    return query.ndim == 3


def as_bias(mask: Any, name: str, type_: Any) -> Any:
    """A mask as what is added to the scores: -inf where a boolean one is true."""
    if mask is None:
        return None
    need(
        mask._type.dtype is dtypes.bool_ or mask._type.category == dtypes.FLOATING,
        f"only bool and floating types of {name} are supported",
    )
    if mask._type.dtype is not dtypes.bool_:
        return mask
    kind = type_.dtype.numpy.type
    return new_tensor(type_.xp.where(mask._array, kind(-math.inf), kind(0)), type_)


def _packed(o: Any, q: Any, k: Any, v: Any, weight: Any, bias: Any) -> tuple[Any, Any, Any]:
    """The projections by one weight with three parts, of as few products as the inputs allow."""
    if k is not v:
        weights = o.chunk(weight, 3)
        biases = (None, None, None) if bias is None else o.chunk(bias, 3)
        return tuple(o.functional_linear(x, w, b) for x, w, b in zip((q, k, v), weights, biases, strict=True))
    size = q._array.shape[-1]
    if q is k:
        return _split_last(o, o.functional_linear(q, weight, bias), 3, size)
    first, rest = _halves(o, weight, size)
    first_bias, rest_bias = (None, None) if bias is None else _halves(o, bias, size)
    both = _split_last(o, o.functional_linear(k, rest, rest_bias), 2, size)
    return (o.functional_linear(q, first, first_bias), *both)


def _halves(o: Any, tensor: Any, size: int) -> tuple[Any, Any]:
    return o.narrow(tensor, 0, 0, size), o.narrow(tensor, 0, size, 2 * size)


def _split_last(o: Any, tensor: Any, count: int, size: int) -> tuple[Any, ...]:
    whole = o.unsqueeze(o.unflatten(tensor, -1, (count, size)), 0)
    whole = o.contiguous(o.squeeze_dim(o.transpose(whole, 0, -2), -2))
    return tuple(o.select(whole, 0, i) for i in range(count))


def _separate(
    o: Any, q: Any, k: Any, v: Any, weights: tuple[Any, Any, Any], bias: Any
) -> tuple[Any, Any, Any]:
    for name, weight in zip("qkv", weights, strict=True):
        need(weight is not None, f"use_separate_proj_weight is True but {name}_proj_weight is None")
    biases = (None, None, None) if bias is None else o.chunk(bias, 3)
    return tuple(o.functional_linear(x, w, b) for x, w, b in zip((q, k, v), weights, biases, strict=True))


def _check_mask(mask: Tensor, target: int, source: int, batch: int, heads: int) -> None:
    size = (target, source) if mask.ndim == 2 else (batch * heads, target, source)
    if mask._array.shape != size:
        raise ShapeError(
            f"The shape of the {mask.ndim}D attn_mask is {Size(mask._array.shape)}, but should be {size}."
        )


def _padded(o: Any, mask: Any) -> Any:
    """A mask with room for one more key, which is visible."""
    return None if mask is None else o.functional_pad(mask, (0, 1))


def _with_bias(o: Any, k: Any, v: Any, bias_k: Any, bias_v: Any, static: bool) -> tuple[Any, Any, bool]:
    """Keys and values with a learned one added; whether there is one."""
    if bias_k is None and bias_v is None:
        return k, v, False
    need(bias_v is not None, "bias_k is set but bias_v is None")
    need(bias_k is not None, "bias_v is set but bias_k is None")
    need(not static, "bias cannot be added to static key.")
    batch = k._array.shape[1]
    return (
        o.cat((k, o.repeat(bias_k, (1, batch, 1))), 0),
        o.cat((v, o.repeat(bias_v, (1, batch, 1))), 0),
        True,
    )


def _by_head(o: Any, tensor: Any, rows: int, size: int) -> Any:
    return o.transpose(o.view(tensor, (tensor._array.shape[0], rows, size)), 0, 1)


def _static(static: Any, name: str, rows: int, size: int) -> Any:
    for place, wanted in ((0, rows), (2, size)):
        found = static._array.shape[place]
        need(found == wanted, f"expecting {name}.size({place}) of {wanted}, but got {found}")
    return static


def _with_zero(o: Any, tensor: Any) -> Any:
    rows, _, size = tensor._array.shape
    zeros = tensor._type.xp.zeros((rows, 1, size), tensor._type.dtype.numpy)
    return o.cat((tensor, new_tensor(zeros, tensor._type)), 1)


def _merged(o: Any, mask: Any, padding: Any, batch: int, heads: int, source: int) -> Any:
    """The mask of positions and that of padded keys as one."""
    if padding is None:
        return mask
    for place, wanted in ((0, batch), (1, source)):
        found = padding._array.shape[place]
        need(found == wanted, f"Expected key_padded_mask.shape[{place}] to be {wanted}, but got {found}")
    whole = o.expand(o.view(padding, (batch, 1, 1, source)), (-1, heads, -1, -1))
    whole = o.reshape(whole, (batch * heads, 1, source))
    return whole if mask is None else o.add(mask, whole)


def _weighed(o: Any, q: Any, k: Any, v: Any, mask: Any, p: float) -> tuple[Any, Any]:
    """The heads' results and the weights of their keys."""
    scaled = o.mul(q, math.sqrt(1.0 / q._array.shape[-1]))
    keys = o.transpose(k, -2, -1)
    scores = o.bmm(scaled, keys) if mask is None else o.baddbmm(mask, scaled, keys)
    weights = o.softmax(scores, -1)
    if p > 0:
        weights = drop(o, weights, p, True, False)
    return o.bmm(weights, v), weights


def _heads(
    o: Any, query: Any, key: Any, value: Any, embed_dim_to_check: int, num_heads: int,
    in_proj_weight: Any, in_proj_bias: Any, bias_k: Any, bias_v: Any, add_zero_attn: bool,
    dropout_p: float, out_proj_weight: Any, out_proj_bias: Any, training: bool = True,
    key_padding_mask: Any = None, need_weights: bool = True, attn_mask: Any = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Any = None, k_proj_weight: Any = None,
    v_proj_weight: Any = None, static_k: Any = None, static_v: Any = None,
    average_attn_weights: bool = True, is_causal: bool = False,
) -> Any:  # fmt: skip
    batched = _is_batched(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        single = {id(t): o.unsqueeze(t, 1) for t in (query, key, value)}
        query, key, value = single[id(query)], single[id(key)], single[id(value)]
        key_padding_mask = None if key_padding_mask is None else o.unsqueeze(key_padding_mask, 0)
    target, batch, width = query._array.shape
    if (
        key_padding_mask is not None
        and attn_mask is not None
        and key_padding_mask._type is not attn_mask._type
    ):
        warnings.warn(
            "Support for mismatched key_padding_mask and attn_mask is deprecated. Use same type for both "
            "instead.",
            stacklevel=6,
        )
    padding = as_bias(key_padding_mask, "key_padding_mask", query._type)
    if is_causal and attn_mask is None:
        raise ShapeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    causal = is_causal and padding is None
    mask = None if causal and not need_weights else as_bias(attn_mask, "attn_mask", query._type)
    size = _head_size(key, value, width, embed_dim_to_check, num_heads, use_separate_proj_weight)
    if use_separate_proj_weight:
        weights = (q_proj_weight, k_proj_weight, v_proj_weight)
        q, k, v = _separate(o, query, key, value, weights, in_proj_bias)
    else:
        need(in_proj_weight is not None, "use_separate_proj_weight is False but in_proj_weight is None")
        q, k, v = _packed(o, query, key, value, in_proj_weight, in_proj_bias)
    if mask is not None:
        _check_mask(mask, target, key._array.shape[0], batch, num_heads)
        mask = o.unsqueeze(mask, 0) if mask.ndim == 2 else mask
    static = static_k is not None or static_v is not None
    k, v, longer = _with_bias(o, k, v, bias_k, bias_v, static)
    rows = batch * num_heads
    q = _by_head(o, q, rows, size)
    k = _by_head(o, k, rows, size) if static_k is None else _static(static_k, "static_k", rows, size)
    v = _by_head(o, v, rows, size) if static_v is None else _static(static_v, "static_v", rows, size)
    if longer:
        mask, padding = _padded(o, mask), _padded(o, padding)
    if add_zero_attn:
        k, v, mask, padding = _with_zero(o, k), _with_zero(o, v), _padded(o, mask), _padded(o, padding)
    source = k._array.shape[1]
    mask = _merged(o, mask, padding, batch, num_heads, source)
    p = dropout_p if training else 0.0
    if need_weights:
        result, weights = _weighed(o, q, k, v, mask, p)
        result = o.reshape(o.transpose(result, 0, 1), (target * batch, width))
    else:
        result = _unweighed(o, q, k, v, mask, p, causal, (batch, num_heads, target, source, size))
    result = o.functional_linear(result, out_proj_weight, out_proj_bias)
    result = o.view(result, (target, batch, result._array.shape[1]))
    result = result if batched else o.squeeze_dim(result, 1)
    if not need_weights:
        return result, None
    weights = o.view(weights, (batch, num_heads, target, source))
    if average_attn_weights:
        weights = o.mean_dim(weights, (1,), False)
    return result, weights if batched else o.squeeze_dim(weights, 0)


def _unweighed(
    o: Any, q: Any, k: Any, v: Any, mask: Any, p: float, causal: bool, sizes: tuple[int, ...]
) -> Any:
    """The heads' results by scaled_dot_product_attention, side by side."""
    batch, heads, target, source, size = sizes
    if mask is not None:
        single = mask._array.shape[0] == 1
        mask = o.unsqueeze(mask, 0) if single else o.view(mask, (batch, heads, -1, source))
    result = o.functional_scaled_dot_product_attention(
        o.view(q, (batch, heads, target, size)), o.view(k, (batch, heads, source, size)),
        o.view(v, (batch, heads, source, size)), mask, p, causal,
    )  # fmt: skip
    return o.view(o.contiguous(o.permute(result, (2, 0, 1, 3))), (batch * target, heads * size))


def _head_size(key: Any, value: Any, width: int, wanted: int, heads: int, separate: bool) -> int:
    need(width == wanted, f"was expecting embedding dimension of {wanted}, but got {width}")
    size = width // heads
    need(size * heads == width, f"embed_dim {width} not divisible by num_heads {heads}")
    a, b = Size(key._array.shape), Size(value._array.shape)
    if separate:
        a, b = Size(a[:2]), Size(b[:2])
        need(a == b, f"key's sequence and batch dims {a} do not match value's {b}")
    need(a == b, f"key shape {a} does not match value shape {b}")
    return size


_TENSORS = (
    "in_proj_weight", "in_proj_bias", "bias_k", "bias_v", "out_proj_bias", "key_padding_mask", "attn_mask",
    "q_proj_weight", "k_proj_weight", "v_proj_weight", "static_k", "static_v",
)  # fmt: skip
functional(
    "multi_head_attention_forward", _heads,
    kinds={
        "query": "tensor", "key": "tensor", "value": "tensor", "out_proj_weight": "tensor",
        **dict.fromkeys(_TENSORS, "tensor?"), "embed_dim_to_check": "int", "num_heads": "int",
        "dropout_p": "number",
    },
    doc="Attention of several heads, whose inputs and result are projected.",
)  # fmt: skip
