"""Attention with several heads: `torch.nn.functional.multi_head_attention_forward`.

A. Vaswani et al., Attention Is All You Need, 2017.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from tgrad.core.dtype import bool_
from tgrad.core.engine import Spaces
from tgrad.errors import ShapeError, StateError
from tgrad.ops.namespace import modules


def canonical_mask(
    mask: Any, mask_name: str, other_type: Any, other_name: str, target_type: Any,
    check_other: bool = True,
) -> Any:  # fmt: skip
    """A mask as numbers that are added: -inf where a boolean mask is true."""
    if mask is None:
        return None
    if mask.dtype is not bool_ and not mask.is_floating_point():
        raise AssertionError(f"only bool and floating types of {mask_name} are supported")
    if check_other and other_type is not None and mask.dtype is not other_type:
        warnings.warn(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type for both "
            "instead.",
            stacklevel=4,
        )
    if mask.is_floating_point():
        return mask
    return Spaces.recorded.zeros_like(mask, dtype=target_type).masked_fill_(mask, -math.inf)


def _check(query: Any, key: Any, value: Any, padding: Any, mask: Any, heads: int) -> bool:
    """Whether there is a batch; PyTorch's errors for shapes that don't go together."""
    if query.ndim not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {query.ndim}-D query tensor"
        )
    rank = query.ndim
    start = f"For {'batched' if rank == 3 else 'unbatched'} ({rank}-D) `query`, expected "
    if key.ndim != rank or value.ndim != rank:
        raise AssertionError(
            f"{start}`key` and `value` to be {rank}-D but found {key.ndim}-D and {value.ndim}-D tensors "
            "respectively"
        )
    if padding is not None and padding.ndim != rank - 1:
        raise AssertionError(
            f"{start}`key_padding_mask` to be `None` or {rank - 1}-D but found {padding.ndim}-D tensor "
            "instead"
        )
    if mask is not None:
        if mask.ndim not in (2, 3):
            raise AssertionError(
                f"{start}`attn_mask` to be `None`, 2-D or 3-D but found {mask.ndim}-D tensor instead"
            )
        if rank == 2 and mask.ndim == 3:
            expected = (heads, query.shape[0], key.shape[0])
            if mask.shape != expected:
                raise AssertionError(f"Expected `attn_mask` shape to be {expected} but got {mask.shape}")
    return bool(rank == 3)


def _linear() -> Any:
    return modules()["torch.nn.functional"]["linear"]


def _several(projected: Any, number: int, size: int) -> list[Any]:
    """Equal parts of the last dimension, each in memory of its own."""
    parts = projected.unflatten(-1, (number, size)).unsqueeze(0).transpose(0, -2).squeeze(-2)
    parts = parts.contiguous()
    return [parts[i] for i in range(number)]


def _packed_projection(query: Any, key: Any, value: Any, weight: Any, bias: Any) -> list[Any]:
    """Query, key and value, each times its part of one weight."""
    linear, size = _linear(), query.shape[-1]
    if key is value:
        if query is key:
            return _several(linear(query, weight, bias), 3, size)
        first, second = weight.split([size, size * 2])
        biases = (None, None) if bias is None else bias.split([size, size * 2])
        return [
            linear(query, first, biases[0]), *_several(linear(key, second, biases[1]), 2, size)
        ]  # fmt: skip
    weights = weight.chunk(3)
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    return [linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True)]


def _fitting_mask(mask: Any, batch: int, heads: int, targets: int, sources: int) -> Any:
    if mask is None:
        return None
    if mask.ndim not in (2, 3):
        raise StateError(f"attn_mask's dimension {mask.ndim} is not supported")
    right = (targets, sources) if mask.ndim == 2 else (batch * heads, targets, sources)
    if mask.shape != right:
        raise ShapeError(f"The shape of the {mask.ndim}D attn_mask is {mask.shape}, but should be {right}.")
    return mask.unsqueeze(0) if mask.ndim == 2 else mask


def _one_more(mask: Any) -> Any:
    """A mask with a column more, which nothing hides."""
    return None if mask is None else modules()["torch.nn.functional"]["pad"](mask, (0, 1))


def _check_sizes(query: Any, key: Any, value: Any, embed_dim: int, heads: int, separate: bool) -> None:
    size = query.shape[-1]
    if size != embed_dim:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim}, but got {size}")
    if size % heads:
        raise AssertionError(f"embed_dim {size} not divisible by num_heads {heads}")
    if separate:
        if key.shape[:2] != value.shape[:2]:
            raise AssertionError(
                f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"
            )
    elif key.shape != value.shape:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")


def multi_head_attention_forward(
    query: Any, key: Any, value: Any, embed_dim_to_check: int, num_heads: int,
    in_proj_weight: Any, in_proj_bias: Any, bias_k: Any, bias_v: Any, add_zero_attn: bool,
    dropout_p: float, out_proj_weight: Any, out_proj_bias: Any, training: bool = True,
    key_padding_mask: Any = None, need_weights: bool = True, attn_mask: Any = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Any = None, k_proj_weight: Any = None,
    v_proj_weight: Any = None, static_k: Any = None, static_v: Any = None,
    average_attn_weights: bool = True, is_causal: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """The attended values, (T, N, E) or (T, E), and the weights or None.

    The rows of the weights are softmax(q k' / sqrt(E / heads) + masks).
    """
    o = Spaces.recorded
    batched = _check(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        same, alike = query is key, key is value
        query = query.unsqueeze(1)
        key = query if same else key.unsqueeze(1)
        value = key if alike else value.unsqueeze(1)
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    targets, batch, size = query.shape
    key_padding_mask = canonical_mask(
        key_padding_mask, "key_padding_mask", None if attn_mask is None else attn_mask.dtype,
        "attn_mask", query.dtype,
    )  # fmt: skip
    if is_causal and attn_mask is None:
        raise StateError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None
    else:
        attn_mask = canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, False)
        if key_padding_mask is not None:
            is_causal = False
    _check_sizes(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    if use_separate_proj_weight:
        linear = _linear()
        biases = (None,) * 3 if in_proj_bias is None else in_proj_bias.chunk(3)
        q = linear(query, q_proj_weight, biases[0])
        k = linear(key, k_proj_weight, biases[1])
        v = linear(value, v_proj_weight, biases[2])
    else:
        q, k, v = _packed_projection(query, key, value, in_proj_weight, in_proj_bias)
    attn_mask = _fitting_mask(attn_mask, batch, num_heads, targets, key.shape[0])
    if bias_k is not None and bias_v is not None:
        k = o.cat((k, bias_k.repeat(1, batch, 1)), 0)
        v = o.cat((v, bias_v.repeat(1, batch, 1)), 0)
        attn_mask, key_padding_mask = _one_more(attn_mask), _one_more(key_padding_mask)
    rows, width = batch * num_heads, size // num_heads
    q = q.view(targets, rows, width).transpose(0, 1)
    k = k.view(k.shape[0], rows, width).transpose(0, 1) if static_k is None else static_k
    v = v.view(v.shape[0], rows, width).transpose(0, 1) if static_v is None else static_v
    if add_zero_attn:
        k = o.cat((k, k.new_zeros((rows, 1, width))), 1)
        v = o.cat((v, v.new_zeros((rows, 1, width))), 1)
        attn_mask, key_padding_mask = _one_more(attn_mask), _one_more(key_padding_mask)
    if key_padding_mask is not None:
        hidden = key_padding_mask.view(batch, 1, 1, k.shape[1]).expand(-1, num_heads, -1, -1)
        hidden = hidden.reshape(rows, 1, k.shape[1])
        attn_mask = hidden if attn_mask is None else attn_mask + hidden
    return _attend(
        q, k, v, attn_mask, (targets, batch, num_heads), dropout_p if training else 0.0, is_causal,
        need_weights, average_attn_weights, out_proj_weight, out_proj_bias, batched,
    )  # fmt: skip


def _attend(
    q: Any, k: Any, v: Any, mask: Any, sizes: tuple[int, int, int], dropout: float, causal: bool,
    need_weights: bool, average: bool, weight: Any, bias: Any, batched: bool,
) -> tuple[Any, Any]:  # fmt: skip
    """The projected values that the queries attend to, and the weights if they are asked for."""
    functions = modules()["torch.nn.functional"]
    targets, batch, heads = sizes
    size, sources = q.shape[-1] * heads, k.shape[1]
    if not need_weights:
        if mask is not None:
            mask = (
                mask.unsqueeze(0)
                if mask.shape[0] == 1 and mask.ndim == 3
                else mask.view(batch, heads, -1, sources)
            )
        q = q.view(batch, heads, targets, -1)
        k, v = (x.view(batch, heads, sources, -1) for x in (k, v))
        found = functions["scaled_dot_product_attention"](q, k, v, mask, dropout, causal)
        found = found.permute(2, 0, 1, 3).contiguous().view(batch * targets, size)
        found = functions["linear"](found, weight, bias).view(targets, batch, -1)
        return found if batched else found.squeeze(1), None
    if causal and mask is None:
        raise AssertionError("FIXME: is_causal not implemented for need_weights")
    scaled = q * math.sqrt(1.0 / float(q.shape[-1]))
    turned = k.transpose(-2, -1)
    scores = scaled.bmm(turned) if mask is None else mask.baddbmm(scaled, turned)
    weights = functions["softmax"](scores, -1)
    if dropout > 0.0:
        weights = functions["dropout"](weights, dropout)
    found = weights.bmm(v).transpose(0, 1).contiguous().view(targets * batch, size)
    found = functions["linear"](found, weight, bias)
    found = found.view(targets, batch, found.shape[1])
    weights = weights.view(batch, heads, targets, sources)
    if average:
        weights = weights.mean(dim=1)
    return (found, weights) if batched else (found.squeeze(1), weights.squeeze(0))
