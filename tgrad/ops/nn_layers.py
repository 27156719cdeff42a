"""Rows: linear layers, dropout, embeddings, similarities and attention of torch.nn.functional."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import (
    DimensionError,
    DTypeError,
    NotAvailableError,
    ShapeError,
    TensorError,
)
from tgrad.ops.dimensions import numel, wrap_dim
from tgrad.ops.functions import bound
from tgrad.ops.nn_base import functional
from tgrad.ops.operands import broadcast_error
from tgrad.ops.table import TABLE, composite, operator, promoted

# ---------------------------------------------------------------- linear


def linear(o: Any, input: Any, weight: Any, bias: Any = None) -> Any:
    """input @ weight.T + bias."""
    if weight.ndim > 2:
        raise ShapeError(f"t() expects a tensor with <= 2 dimensions, but self is {weight.ndim}D")
    if input.ndim == 0:
        raise ShapeError(
            f"both arguments to linear need to be at least 1D, but they are 0D and {weight.ndim}D",
            op="linear", operands=(input, weight),
        )  # fmt: skip
    if bias is None:
        result = o.matmul(input, o.t(weight))
        return result if bias is None else o.add(result, bias)
    if weight.ndim == 1 and input.ndim == 1:
        return o.add(o.matmul(input, o.t(weight)), bias)
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
    "linear", linear, kinds={"weight": "tensor", "bias": "tensor?"},
    doc="input @ weight.T + bias.",
)  # fmt: skip


def _trilinear(xp: Any, first: Any, second: Any, third: Any, absent: Any, summed: Any) -> Any:
    from tgrad.backends.trilinear import trilinear

    return trilinear(first, second, third, absent, summed)


operator(
    "_trilinear", _trilinear,
    first=lambda o, g, second, third, absent, summed: o._trilinear(
        g, second, third, (summed, *absent[1:]), absent[0]
    ),
    second=lambda o, g, first, third, absent, summed: o._trilinear(
        first, g, third, (absent[0], summed, absent[2]), absent[1]
    ),
    third=lambda o, g, first, second, absent, summed: o._trilinear(
        first, second, g, (*absent[:2], summed), absent[2]
    ),
    kinds={"first": "tensor", "second": "tensor", "third": "tensor"}, dtype=promoted, narrow=True,
    function=False, method=False, out=False,
    doc="The sum of products of three tensors over some dimensions; each lacks some.",
)  # fmt: skip


def _bilinear(o: Any, input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    if input1.ndim != input2.ndim:
        raise ShapeError(f"bilinear(): input dimensions do not match: got {input1.ndim} and {input2.ndim}")
    for place, (a, b) in enumerate(zip(input1._array.shape[:-1], input2._array.shape[:-1], strict=True)):
        if a != b:
            raise ShapeError(
                f"bilinear(): input batch dimensions do not match at dim {place}: got {a} and {b}"
            )
    wrap_dim(1, weight.ndim), wrap_dim(2, weight.ndim)
    sizes = (input1._array.shape[-1], input2._array.shape[-1])
    for number, size, wanted in zip((1, 2), sizes, weight._array.shape[1:3], strict=True):
        if size != wanted:
            raise ShapeError(
                f"bilinear(): input{number} size does not match weight size: got {size} but expected {wanted}"
            )
    if bias is not None and bias._array.shape[0] != weight._array.shape[0]:
        raise ShapeError(
            f"bilinear(): bias size does not match weight size: got {bias._array.shape[0]} but expected "
            f"{weight._array.shape[0]}"
        )
    batch = input1._array.shape[:-1]
    flat = [o.reshape(x, (numel(batch), size)) for x, size in zip((input1, input2), sizes, strict=True)]
    result = o._trilinear(flat[0], weight, flat[1], ((1, 3), (0,), (1, 2)), (2, 3))
    result = o.view(result, (*batch, weight._array.shape[0]))
    return result if bias is None else o.add(result, bias)


_BILINEAR: dict[str, Any] = {
    "kinds": {"input1": "tensor", "input2": "tensor", "weight": "tensor", "bias": "tensor?"},
    "doc": "x1' W x2 + bias, for each matrix of the weight.",
}
functional("bilinear", _bilinear, **_BILINEAR)
composite("bilinear", _bilinear, method=False, out=False, **_BILINEAR)

# ---------------------------------------------------------------- embedding


def _check_embedding(
    weight: Tensor, indices: Tensor, padding_idx: int, scale_grad_by_freq: bool, sparse: bool
) -> None:
    refuse_sparse("embedding", sparse)
    if weight.ndim != 2:
        raise ShapeError("'weight' must be 2-D")
    if indices._type.dtype not in (dtypes.int64, dtypes.int32):
        raise DTypeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got torch.{indices._type.dtype.title}Tensor instead (while checking "
            "arguments for embedding)"
        )
    if not indices._type.xp.within(indices._array, 0, weight._array.shape[0]):
        raise DimensionError(
            "index out of range in self",
            hint=f"the table has {weight._array.shape[0]} rows, numbered from 0",
        )


def refuse_sparse(name: str, sparse: bool) -> None:
    """The error for gradients that are sparse tensors."""
    if sparse:
        raise NotAvailableError(
            f"{name}: sparse=True is not available in tgrad: gradients are dense; leave it out"
        )


def renormalise(weight: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Scale the rows with the given numbers down to a norm, in place."""
    xp = weight._type.xp
    table = weight._array
    for row in xp.unique(indices._array).tolist():
        length = float(bound(TABLE["norm"])(new_tensor(table[row], weight._type), norm_type)._array)
        if length > max_norm:
            table[row] *= table.dtype.type(max_norm / (length + 1e-7))
    weight.bump_version()
    return weight


def _embedding_back(
    xp: Any, grad: Any, indices: Any, size: Sequence[int], padding_idx: int, scale_grad_by_freq: bool
) -> Any:
    result = xp.zeros(tuple(size), grad.dtype)
    kept = indices.reshape(-1)
    rows = grad.reshape(-1, size[1])
    if scale_grad_by_freq:
        rows = rows * (1 / xp.bincount(kept, minlength=size[0])[kept]).astype(grad.dtype)[:, None]
    if padding_idx >= 0:
        rows = rows[kept != padding_idx]
        kept = kept[kept != padding_idx]
    xp.add.at(result, kept, rows)
    return result


operator(
    "embedding",
    lambda xp, weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False: weight[indices],
    weight=lambda o, g, weight_shape, indices, padding_idx, scale_grad_by_freq: o._embedding_backward(
        g, indices, weight_shape, padding_idx, scale_grad_by_freq
    ),
    kinds={"indices": "index", "padding_idx": "int", "weight": "tensor", "scale_grad_by_freq": "bool",
           "sparse": "bool"},
    check=_check_embedding, method=False, out=False, narrow=True,
    doc="Rows of a table by their numbers.",
)  # fmt: skip


def _masked_rows(o: Any, g: Any, indices: Any, padding_idx: int) -> Any:
    rows = o.embedding(g, indices, padding_idx, False, False)
    if padding_idx < 0:
        return rows
    return o._choose(o.unsqueeze(indices == padding_idx, -1), 0.0, rows)


operator(
    "_embedding_backward",
    lambda xp, grad, indices, size, padding_idx, scale_grad_by_freq: _embedding_back(
        xp, grad, indices, size, padding_idx, scale_grad_by_freq
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
    number = -1
    if padding_idx is not None:
        rows = weight._array.shape[0]
        if not -rows <= padding_idx < rows:
            raise NoSuchRowError("Padding_idx must be within num_embeddings")
        number = padding_idx % rows
    if max_norm is not None:
        renormalise(weight, input, max_norm, norm_type)
    return o.embedding(weight, input, number, scale_grad_by_freq, sparse)


functional(
    "embedding", _embed,
    kinds={"padding_idx": "int?", "weight": "tensor", "scale_grad_by_freq": "bool",
           "sparse": "bool", "max_norm": "number?", "norm_type": "number"},
    doc="Rows of a table by their numbers.",
)  # fmt: skip
composite(
    "embedding_renorm_",
    lambda o, input, indices, max_norm, norm_type: renormalise(input, indices, max_norm, norm_type),
    kinds={"indices": "tensor", "max_norm": "number", "norm_type": "number"}, method=False, out=False,
    doc="Rows of a table, scaled down to a norm in place.",
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
            raise ShapeError("Can not infer total number of classes from empty tensor.")
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


def _normalize(o: Any, input: Any, p: Any = 2.0, dim: Any = 1, eps: float = 1e-12, out: Any = None) -> Any:
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
        raise DTypeError(f"expected common dtype to be floating point, yet common dtype is {found.title}")
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

# ---------------------------------------------------------------- names

# What PyTorch computes as a whole is made of smaller operators here; these name the node of the result.
for _whole in ("mkldnn_rnn_layer", "_pack_padded_sequence"):
    operator(
        _whole, lambda xp, input: input, input=lambda o, g: g, function=False, method=False, out=False,
        doc="Nothing but the name of a node.",
    )  # fmt: skip
