"""Transformers: layers of attention and of linear maps.

A. Vaswani et al., Attention Is All You Need, 2017.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from typing import Any

from tgrad.core.modes import state
from tgrad.errors import StateError
from tgrad.nn import functional as F  # noqa: N812
from tgrad.nn import init
from tgrad.nn.attention import MultiheadAttention
from tgrad.nn.containers import ModuleList
from tgrad.nn.layers import Dropout, Linear, filled
from tgrad.nn.module import Module
from tgrad.nn.normalization import LayerNorm
from tgrad.ops.attention_heads import canonical_mask

Activation = str | Callable[[Any], Any]


def _activation(given: Activation) -> Callable[[Any], Any]:
    if not isinstance(given, str):
        return given
    if given not in ("relu", "gelu"):
        raise StateError(f"activation should be relu/gelu, not {given}")
    return getattr(F, given)  # type: ignore[no-any-return]


def _copies(module: Any, number: int) -> ModuleList:
    return ModuleList([copy.deepcopy(module) for _ in range(number)])


def square_subsequent_mask(size: int, device: Any = None, dtype: Any = None) -> Any:
    """-inf above the diagonal, which hides from each place what comes later; 0 elsewhere."""
    return filled((size, size), -math.inf, dtype, device).triu(diagonal=1)


def _is_causal(mask: Any, is_causal: bool | None, size: int | None) -> bool:
    """Whether a mask hides what comes later, as it was said or as can be seen."""
    if is_causal is None and mask is not None:
        size = mask.shape[-2] if size is None else size
        hidden = square_subsequent_mask(size, mask.device, mask.dtype)
        return mask.shape == hidden.shape and bool((mask == hidden).all())
    return is_causal is True


def _sequence_length(source: Any, batch_first: bool) -> int | None:
    if source.ndim == 2:
        return int(source.shape[0])
    return int(source.shape[1 if batch_first else 0]) if source.ndim == 3 else None


def _kind(mask: Any) -> Any:
    return None if mask is None else mask.dtype


class _Layer(Module):
    """What encoder and decoder layers share: the linear maps and self-attention."""

    def prepare(
        self, d_model: int, dim_feedforward: int, dropout: float, layer_norm_eps: float,
        norm_first: bool, bias: bool, device: Any, dtype: Any, norms: int,
    ) -> None:  # fmt: skip
        """The linear maps, norms and dropouts, in PyTorch's order."""
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, device=device, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, device=device, dtype=dtype)
        self.norm_first = norm_first
        for number in range(1, norms + 1):
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, device=device, dtype=dtype)
            setattr(self, f"norm{number}", norm)
        for number in range(1, norms + 1):
            setattr(self, f"dropout{number}", Dropout(dropout))

    def _forward_part(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def __setstate__(self, values: dict[str, Any]) -> None:
        super().__setstate__(values)
        self.__dict__.setdefault("activation", F.relu)

    def _sa_block(self, x: Any, mask: Any, padding: Any, is_causal: bool = False) -> Any:
        found = self.self_attn(
            x, x, x, attn_mask=mask, key_padding_mask=padding, is_causal=is_causal,
            need_weights=False,
        )[0]  # fmt: skip
        return self.dropout1(found)


class TransformerEncoderLayer(_Layer):
    """Self-attention and two linear maps, each with a residual connection and a norm."""

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = "relu", layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, device=device,
            dtype=dtype,
        )  # fmt: skip
        self.prepare(d_model, dim_feedforward, dropout, layer_norm_eps, norm_first, bias, device, dtype, 2)
        self.activation = _activation(activation)

    def forward(
        self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Any:  # fmt: skip
        """The layer's output, of the input's shape."""
        padding = canonical_mask(
            src_key_padding_mask, "src_key_padding_mask", _kind(src_mask), "src_mask", src.dtype
        )
        mask = canonical_mask(src_mask, "src_mask", None, "", src.dtype, False)
        x = src
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), mask, padding, is_causal)
            return x + self._ff_block(self.norm2(x))
        x = self.norm1(x + self._sa_block(x, mask, padding, is_causal))
        return self.norm2(x + self._ff_block(x))

    def _ff_block(self, x: Any) -> Any:
        return self.dropout2(self._forward_part(x))


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to an encoder's output, and two linear maps."""

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = "relu", layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        for name in ("self_attn", "multihead_attn"):
            setattr(self, name, MultiheadAttention(
                d_model, nhead, dropout=dropout, batch_first=batch_first, bias=bias, device=device,
                dtype=dtype,
            ))  # fmt: skip
        self.prepare(d_model, dim_feedforward, dropout, layer_norm_eps, norm_first, bias, device, dtype, 3)
        self.activation = _activation(activation)

    def forward(
        self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None,
        tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False, memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        """The layer's output, of the shape of `tgt`."""
        x = tgt
        own = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        other = (memory_mask, memory_key_padding_mask, memory_is_causal)
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), *own)
            x = x + self._mha_block(self.norm2(x), memory, *other)
            return x + self._ff_block(self.norm3(x))
        x = self.norm1(x + self._sa_block(x, *own))
        x = self.norm2(x + self._mha_block(x, memory, *other))
        return self.norm3(x + self._ff_block(x))

    def _mha_block(self, x: Any, memory: Any, mask: Any, padding: Any, is_causal: bool = False) -> Any:
        found = self.multihead_attn(
            x, memory, memory, attn_mask=mask, key_padding_mask=padding, is_causal=is_causal,
            need_weights=False,
        )[0]  # fmt: skip
        return self.dropout2(found)

    def _ff_block(self, x: Any) -> Any:
        return self.dropout3(self._forward_part(x))


class TransformerEncoder(Module):
    """Several encoder layers."""

    def __init__(
        self, encoder_layer: Any, num_layers: int, norm: Any = None,
        enable_nested_tensor: bool = True, mask_check: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check
        reason = _why_not_nested(encoder_layer)
        self.use_nested_tensor = enable_nested_tensor and not reason
        if enable_nested_tensor and reason:
            warnings.warn(
                "enable_nested_tensor is True, but self.use_nested_tensor is False because " + reason,
                stacklevel=2,
            )

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None,
        is_causal: bool | None = None,
    ) -> Any:  # fmt: skip
        """The output of the last layer, of the input's shape."""
        padding = canonical_mask(src_key_padding_mask, "src_key_padding_mask", _kind(mask), "mask", src.dtype)
        mask = canonical_mask(mask, "mask", None, "", src.dtype, False)
        first = self.layers[0]
        attention = getattr(first, "self_attn", None)
        batch_first = getattr(attention, "batch_first", False)
        causal = _is_causal(mask, is_causal, _sequence_length(src, batch_first))
        output = src
        for layer in self.layers:
            output = layer(output, src_mask=mask, is_causal=causal, src_key_padding_mask=padding)
        if padding is not None and self._forgets_padding(src, mask, padding):
            output = output.masked_fill((padding != 0).unsqueeze(-1), 0.0)
        return output if self.norm is None else self.norm(output)

    def _forgets_padding(self, src: Any, mask: Any, padding: Any) -> bool:
        """Whether PyTorch computes with sequences of their own lengths, and fills up with zeros."""
        if not self.use_nested_tensor or src.ndim != 3 or mask is not None or self.layers[0].training:
            return False
        if state.grad and (src.requires_grad or any(p.requires_grad for p in self.layers.parameters())):
            return False
        hidden = (padding != 0).tolist()
        return not self.mask_check or all(row == sorted(row) for row in hidden)


def _why_not_nested(layer: Any) -> str:
    """Why PyTorch's encoder doesn't shorten padded sequences; empty if it does."""
    if not isinstance(layer, TransformerEncoderLayer):
        return "encoder_layer was not TransformerEncoderLayer"
    if layer.norm_first:
        return "encoder_layer.norm_first was True"
    attention = layer.self_attn
    if not attention.batch_first:
        return (
            "encoder_layer.self_attn.batch_first was not True(use batch_first for better inference "
            "performance)"
        )
    if not attention._qkv_same_embed_dim:
        return "encoder_layer.self_attn._qkv_same_embed_dim was not True"
    if attention.in_proj_bias is None:
        return "encoder_layer.self_attn was passed bias=False"
    if layer.activation not in (F.relu, F.gelu):
        return "encoder_layer.activation_relu_or_gelu was not True"
    if layer.norm1.eps != layer.norm2.eps:
        return "encoder_layer.norm1.eps was not equal to encoder_layer.norm2.eps"
    if attention.num_heads % 2:
        return "encoder_layer.self_attn.num_heads is odd"
    return ""


class TransformerDecoder(Module):
    """Several decoder layers."""

    def __init__(self, decoder_layer: Any, num_layers: int, norm: Any = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None,
        tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        """The output of the last layer, of the shape of `tgt`."""
        batch_first = self.layers[0].self_attn.batch_first
        causal = _is_causal(tgt_mask, tgt_is_causal, _sequence_length(tgt, batch_first))
        output = tgt
        for layer in self.layers:
            output = layer(
                output, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )  # fmt: skip
        return output if self.norm is None else self.norm(output)


class Transformer(Module):
    """An encoder, and a decoder that attends to its output."""

    def __init__(
        self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6,
        num_decoder_layers: int = 6, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = "relu", custom_encoder: Any = None, custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False,
        bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if isinstance(activation, str):
            activation = _activation(activation)
        options = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias, device, dtype,
        )  # fmt: skip
        if custom_encoder is None:
            layer = TransformerEncoderLayer(*options)
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, device=device, dtype=dtype)
            custom_encoder = TransformerEncoder(layer, num_encoder_layers, norm)
        self.encoder = custom_encoder
        if custom_decoder is None:
            other = TransformerDecoderLayer(*options)
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, device=device, dtype=dtype)
            custom_decoder = TransformerDecoder(other, num_decoder_layers, norm)
        self.decoder = custom_decoder
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self, src: Any, tgt: Any, src_mask: Any = None, tgt_mask: Any = None,
        memory_mask: Any = None, src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None, tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        """The decoder's output, of the shape of `tgt`."""
        at = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[at] != tgt.shape[at]:
            raise StateError("the batch number of src and tgt must be equal")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise StateError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        return self.decoder(
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Any:
        """-inf above the diagonal, 0 elsewhere."""
        return square_subsequent_mask(sz, device, dtype)
