"""Rows: linear layers, dropout, embeddings, similarities and attention of torch.nn.functional."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.random import bernoulli, default_generator
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import (
    ArgumentValueError,
    DimensionError,
    DTypeError,
    NotAvailableError,
    ShapeError,
    TensorError,
)
from tgrad.ops.call import broadcast_error
from tgrad.ops.dimensions import numel, wrap_dim
from tgrad.ops.nn_activation import functional
from tgrad.ops.table import composite, operator

# ---------------------------------------------------------------- linear


def _linear(o: Any, input: Any, weight: Any, bias: Any = None) -> Any:
    if weight.ndim > 2:
        raise ShapeError(f"t() expects a tensor with <= 2 dimensions, but self is {weight.ndim}D")
    if bias is None or input.ndim == 0:
        result = o.matmul(input, o.t(weight))
        return result if bias is None else o.add(result, bias)
    if weight.ndim == 1:
        raise ShapeError("mat2 must be a matrix, got 1-D tensor", op="linear")
    if input.ndim == 2:
        return o.addmm(bias, input, o.t(weight))
    if input.ndim == 1 or input._array.flags.c_contiguous:
        shape = input._array.shape
        flat = o.view(input, (numel(shape[:-1]), shape[-1]))
        result = o.addmm(bias, flat, o.t(weight))
        return o.view(result, (*shape[:-1], weight._array.shape[0]))
    return o.add(o.matmul(input, o.t(weight)), bias)


functional(
    "linear", _linear, kinds={"weight": "tensor", "bias": "tensor?"},
    doc="input @ weight.T + bias.",
)  # fmt: skip


def _bilinear(o: Any, input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    sizes = (input1._array.shape[-1], input2._array.shape[-1])
    for number, size, wanted in zip((1, 2), sizes, weight._array.shape[1:], strict=True):
        if size != wanted:
            raise ShapeError(
                f"bilinear(): input{number} size does not match weight size: got {size} but expected "
                f"{wanted}"
            )
    batch = input1._array.shape[:-1]
    outer = o.mul(o.unsqueeze(input1, -1), o.unsqueeze(input2, -2))
    flat = o.reshape(outer, (numel(batch), sizes[0] * sizes[1]))
    rows = o.reshape(weight, (weight._array.shape[0], sizes[0] * sizes[1]))
    result = o.view(o.mm(flat, o.t(rows)), (*batch, weight._array.shape[0]))
    return result if bias is None else o.add(result, bias)


functional(
    "bilinear", _bilinear,
    kinds={"input1": "tensor", "input2": "tensor", "weight": "tensor", "bias": "tensor?"},
    doc="x1' W x2 + bias, for each matrix of the weight.",
)  # fmt: skip

# ---------------------------------------------------------------- dropout


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
for _dims in (1, 2, 3):
    functional(
        f"dropout{_dims}d", _dropout_channels(_dims), kinds=_P,
        doc="Whole channels set to 0 with probability p, others scaled up.",
    )  # fmt: skip


def _torch_dropout(o: Any, input: Any, p: float, train: bool) -> Any:
    _check_probability(p)
    return drop(o, input, p, train, False)


composite("dropout", _torch_dropout, kinds=_P, method=False, out=False,
          doc="Elements set to 0 with probability p, others scaled up.")  # fmt: skip

# ---------------------------------------------------------------- embedding


def _check_embedding(weight: Tensor, indices: Tensor, padding_idx: int) -> None:
    if indices._type.dtype not in (dtypes.int64, dtypes.int32):
        raise DTypeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got torch.{indices._type.dtype.title}Tensor instead (while checking "
            "arguments for embedding)"
        )
    if weight.ndim != 2:
        raise ShapeError("'weight' must be 2-D")
    array = indices._array
    if ((array < 0) | (array >= weight._array.shape[0])).any():
        raise DimensionError(
            "index out of range in self",
            hint=f"the table has {weight._array.shape[0]} rows, numbered from 0",
        )


def _embedding_back(xp: Any, grad: Any, indices: Any, size: Sequence[int], padding_idx: int) -> Any:
    result = xp.zeros(tuple(size), grad.dtype)
    kept = indices.reshape(-1)
    rows = grad.reshape(-1, size[1])
    if padding_idx >= 0:
        rows = rows[kept != padding_idx]
        kept = kept[kept != padding_idx]
    xp.add.at(result, kept, rows)
    return result


operator(
    "embedding", lambda xp, weight, indices, padding_idx: weight[indices],
    weight=lambda o, g, weight_shape, indices, padding_idx: o._embedding_backward(
        g, indices, weight_shape, padding_idx
    ),
    kinds={"indices": "index", "padding_idx": "int", "weight": "tensor"}, check=_check_embedding,
    function=False, method=False, doc="Rows of a table by their numbers.",
)  # fmt: skip


def _masked_rows(o: Any, g: Any, indices: Any, padding_idx: int) -> Any:
    rows = o.embedding(g, indices, padding_idx)
    if padding_idx < 0:
        return rows
    return o._choose(o.unsqueeze(indices == padding_idx, -1), 0.0, rows)


operator(
    "_embedding_backward",
    lambda xp, grad, indices, size, padding_idx: _embedding_back(
        xp, grad, indices, size, padding_idx
    ),
    grad=lambda o, g, indices, padding_idx: _masked_rows(o, g, indices, padding_idx),
    kinds={"grad": "tensor", "indices": "index", "padding_idx": "int"},
    function=False, method=False, label="EmbeddingDenseBackwardBackward",
    doc="The derivative of embedding: gradients added to the rows they came from.",
)  # fmt: skip


class NoSuchRowError(TensorError, AssertionError):
    """padding_idx isn't the number of a row."""

    builtin = AssertionError


def _embed(
    o: Any, input: Any, weight: Any, padding_idx: Any = None, max_norm: Any = None,
    norm_type: Any = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Any:  # fmt: skip
    if max_norm is not None or scale_grad_by_freq or sparse:
        raise NotAvailableError(
            "embedding: max_norm, scale_grad_by_freq and sparse are not available in tgrad: "
            "normalise the weight, or its gradient, yourself"
        )
    number = -1
    if padding_idx is not None:
        rows = weight._array.shape[0]
        if not -rows <= padding_idx < rows:
            raise NoSuchRowError("Padding_idx must be within num_embeddings")
        number = padding_idx % rows
    return o.embedding(weight, input, number)


functional(
    "embedding", _embed,
    kinds={"padding_idx": "int?", "weight": "tensor", "scale_grad_by_freq": "bool",
           "sparse": "bool"},
    doc="Rows of a table by their numbers.",
)  # fmt: skip


def _one_hot(xp: Any, input: Any, num_classes: int) -> Any:
    size = num_classes if num_classes >= 0 else int(input.max()) + 1
    return (input[..., None] == xp.arange(size)).astype(xp.int64)


def _check_one_hot(input: Tensor, num_classes: int = -1) -> None:
    if input._type.dtype is not dtypes.int64:
        raise DTypeError("one_hot is only applicable to index tensor of type LongTensor.")
    array = input._array
    if not array.size:
        if num_classes <= 0:
            raise ShapeError(
                "Can not infer total number of classes from empty tensor."
            )
        return
    if array.min() < 0:
        raise ShapeError("Class values must be non-negative.")
    if num_classes != -1 and array.max() >= num_classes:
        raise ShapeError("Class values must be smaller than num_classes.")


operator(
    "_one_hot", lambda xp, input, num_classes: _one_hot(xp, input, num_classes),
    kinds={"num_classes": "int"}, differentiable=False, check=_check_one_hot,
    function=False, method=False, doc="1 at each class's place in a row of zeros.",
)  # fmt: skip
functional(
    "one_hot", lambda o, input, num_classes=-1: o._one_hot(input, num_classes),
    kinds={"num_classes": "int"}, doc="1 at each class's place in a row of zeros.",
)  # fmt: skip

# ---------------------------------------------------------------- norms and similarities


def _norm_of(o: Any, input: Any, p: Any, dim: Any, keepdim: bool) -> Any:
    return o.linalg_vector_norm(input, p, dim, keepdim)


def _normalize(
    o: Any, input: Any, p: Any = 2.0, dim: Any = 1, eps: float = 1e-12, out: Any = None
) -> Any:
    lengths = o.clamp_min(_norm_of(o, input, p, _dims(dim), True), eps)
    return o.div(input, o.expand(lengths, input._array.shape))


def _dims(dim: Any) -> tuple[int, ...]:
    return (dim,) if isinstance(dim, int) else tuple(dim)


functional(
    "normalize", _normalize, kinds={"dim": "any", "eps": "number", "out": "any"},
    doc="The input divided by its norm along a dimension.",
)  # fmt: skip


def _cosine_similarity(o: Any, x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    found = dtypes.promote(x1._type.dtype, x2._type.dtype)
    if not found.is_floating_point:
        raise DTypeError(
            f"expected common dtype to be floating point, yet common dtype is {found.title}"
        )
    if x1._array.shape != x2._array.shape:
        error = broadcast_error(x1._array.shape, x2._array.shape)
        if error is not None:
            raise error
        size = tuple(x1._type.xp.broadcast_shapes(x1._array.shape, x2._array.shape))
        x1, x2 = o.expand(x1, size), o.expand(x2, size)
    parts = []
    for x in (x1, x2):
        length = o.clone(o.linalg_vector_norm(x, 2, (dim,), True))
        length._array[...] = x._type.xp.maximum(length._array, length._array.dtype.type(eps))
        parts.append(o.div(x, length))
    return o.sum_dim(o.mul(*parts), (dim,), False)


_XS = {"x1": "tensor", "x2": "tensor", "eps": "number"}
functional("cosine_similarity", _cosine_similarity, kinds=_XS, doc="The cosine of the angle.")
composite("cosine_similarity", _cosine_similarity, kinds=_XS, method=False, out=False,
          doc="The cosine of the angle between vectors along a dimension.")  # fmt: skip


def _pairwise_distance(
    o: Any, x1: Any, x2: Any, p: Any = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Any:
    difference = o.add(o.sub(x1, x2), eps)
    return o._pair_norm(difference, p, max(difference.ndim - 1, 0), keepdim)


composite(
    "_pair_norm", lambda o, input, p, dim, keepdim: o.norm(input, p, (dim,), keepdim),
    function=False, method=False, doc="The norm of the last dimension.",
)  # fmt: skip
functional("pairwise_distance", _pairwise_distance, kinds=_XS, doc="The p-norm of x1 - x2 + eps.")
composite("pairwise_distance", _pairwise_distance, kinds=_XS, method=False, out=False,
          doc="The p-norm of x1 - x2 + eps over the last dimension.")  # fmt: skip

# ---------------------------------------------------------------- attention


def _causal_bias(query: Any, key: Any) -> Any:
    """0 on and below the diagonal, -inf above."""
    xp = query._type.xp
    rows, columns = query._array.shape[-2], key._array.shape[-2]
    allowed = xp.tri(rows, columns, dtype=bool)
    kind = query._type.dtype.numpy
    return new_tensor(xp.where(allowed, kind.type(0), kind.type(-math.inf)), query._type)


def _safe_softmax_kernel(xp: Any, input: Any, dim: int) -> Any:
    from tgrad.ops.nn_activation import softmax_kernel

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
