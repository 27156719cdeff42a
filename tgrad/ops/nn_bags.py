"""Rows: sums, means and largest elements of bags of a table's rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ArgumentValueError, DTypeError, NotAvailableError, ShapeError
from tgrad.ops.nn_base import functional
from tgrad.ops.nn_layers import refuse_sparse, renormalise
from tgrad.ops.table import composite, operator
from tgrad.ops.transfer import host_array

SUM, MEAN, MAX = range(3)
"""What is made of a bag, as torch.embedding_bag takes it."""


def _sums(xp: Any, values: Any, bags: Any, count: int) -> Any:
    result = xp.zeros((count, values.shape[1]), values.dtype)
    xp.add.at(result, bags, values)
    return result


def _bag_kernel(xp: Any, weight: Any, factors: Any, indices: Any, bags: Any, shares: Any, scales: Any) -> Any:
    rows = weight[indices]
    if factors is not None:
        rows = rows * factors[:, None]
    sums = _sums(xp, rows, bags, len(shares))
    return sums * shares[:, None].astype(sums.dtype)


operator(
    "_bag_backward",
    lambda xp, grad, factors, indices, bags, shares, scales, size: _sums(
        xp, _spread(xp, grad, factors, bags, shares, scales), indices, size[0]
    ),
    grad=lambda o, g, factors, indices, bags, shares: o._embedding_bag(
        g, factors, indices, bags, shares, shares
    ),
    factors=lambda o, g, grad, indices, bags, shares: o._bag_factors(grad, g, indices, bags, shares),
    kinds={"grad": "tensor", "factors": "tensor?", "indices": "index", "bags": "index", "shares": "index",
           "scales": "index"},
    function=False, method=False, out=False, label="EmbeddingBagBackwardBackward",
    doc="The derivative of _embedding_bag for the table.",
)  # fmt: skip


def _spread(xp: Any, grad: Any, factors: Any, bags: Any, shares: Any, scales: Any) -> Any:
    """The gradient of each entry of the bags."""
    values = (grad * shares[:, None].astype(grad.dtype))[bags]
    if factors is not None:
        values = values * factors[:, None]
    return values * scales[:, None].astype(grad.dtype)


operator(
    "_bag_factors",
    lambda xp, grad, weight, indices, bags, shares: xp.sum(
        (grad * shares[:, None].astype(grad.dtype))[bags] * weight[indices], (1,)
    ),
    kinds={"grad": "tensor", "weight": "tensor", "indices": "index", "bags": "index", "shares": "index"},
    differentiable="PyTorch has no second derivative for per_sample_weights",
    function=False, method=False, out=False,
    doc="The derivative of _embedding_bag for the factors.",
)  # fmt: skip
operator(
    "_embedding_bag", _bag_kernel,
    weight=lambda o, g, weight_shape, factors, indices, bags, shares, scales: o._bag_backward(
        g, factors, indices, bags, shares, scales, weight_shape
    ),
    factors=lambda o, g, weight, indices, bags, shares: o._bag_factors(g, weight, indices, bags, shares),
    kinds={"weight": "tensor", "factors": "tensor?", "indices": "index", "bags": "index",
           "shares": "index", "scales": "index"},
    function=False, method=False, out=False, label="EmbeddingBagBackward",
    doc="Sums of rows, each bag's times its share.",
)  # fmt: skip


def _largest_back(xp: Any, grad: Any, places: Any, filled: Any, size: Sequence[int]) -> Any:
    result = xp.zeros(tuple(size), grad.dtype)
    columns = xp.broadcast_to(xp.arange(size[1]), places.shape)
    xp.add.at(result, (places[filled], columns[filled]), grad[filled])
    return result


operator(
    "_bag_largest_backward", _largest_back,
    kinds={"grad": "tensor", "places": "index", "filled": "index"},
    grad=lambda o, g, places, filled: o._bag_largest(g, places, filled),
    function=False, method=False, out=False, label="EmbeddingBagBackwardBackward",
    doc="The derivative of _bag_largest.",
)  # fmt: skip
operator(
    "_bag_largest",
    lambda xp, weight, places, filled: (
        xp.take_along_axis(weight, places, 0) * filled[:, None].astype(weight.dtype)
    ),
    weight=lambda o, g, weight_shape, places, filled: o._bag_largest_backward(
        g, places, filled, weight_shape
    ),
    kinds={"weight": "tensor", "places": "index", "filled": "index"},
    function=False, method=False, out=False, label="EmbeddingBagBackward",
    doc="The largest entry of each column, for each bag.",
)  # fmt: skip


def _check_types(weight: Tensor, indices: Tensor) -> None:
    for name, tensor, kinds, titles in (
        ("indices", indices, ("int64", "int32"), "Long, Int"),
        ("weight", weight, ("float16", "bfloat16", "float32", "float64"), "Half, BFloat16, Float, Double"),
    ):
        if tensor._type.dtype.name not in kinds:
            raise DTypeError(
                f"Expected tensor for argument #1 '{name}' to have one of the following scalar types: "
                f"{titles}; but got torch.{tensor._type.dtype.title}Tensor instead (while checking "
                "arguments for embedding_bag)"
            )


def _check_bags(
    weight: Tensor, indices: Tensor, offsets: Tensor, last: bool, padding: int | None, mode: int
) -> None:
    _check_types(weight, indices)
    starts, count, rows = host_array(offsets), indices._array.size, weight._array.shape[0]
    if last and not starts.size:
        raise ShapeError("include_last_offset: number of offset should be at least 1")
    if starts.size and starts[0] != 0:
        raise ShapeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
            f"position 0. However, got {int(starts[0])}\n[ torch.{offsets._type.dtype.title}Tensor{{}} ]"
        )
    if starts.size and starts[-1] > count:
        raise ShapeError(
            f"offsets[-1] can not be greater than input's length {count} but got offsets[-1] of "
            f"{int(starts[-1])}"
        )
    if padding is not None and not -rows <= padding < rows:
        raise ShapeError(
            f"padding_idx must be within the number of embeddings, {-rows} through {rows - 1}, but got "
            f"{padding}"
        )
    if mode != MAX and (starts[1:] < starts[:-1]).any():
        raise ShapeError(
            "Expected i < index_size to be true, but got false.  (Could this error message be improved?  "
            "If so, please report an enhancement request to PyTorch.)",
            hint="offsets grow",
        )
    if not indices._type.xp.within(indices._array, 0, rows):
        first = int(((indices._array < 0) | (indices._array >= rows)).nonzero()[0][0])
        value, hint = int(indices._array[first]), f"the table has {rows} rows, numbered from 0"
        if mode == MAX:
            raise ShapeError(
                "embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be "
                f"{value}", hint=hint,
            )  # fmt: skip
        raise ShapeError(
            f"Index {first} of input takes value {value} which is not in the valid range [0, {rows})",
            hint=hint,
        )


def _frequencies(xp: Any, indices: Any) -> Any:
    """What each entry's gradient is multiplied with by scale_grad_by_freq.

    PyTorch divides the n-th different number by how often the n-th entry in order appears.
    """
    entries = xp.sort(indices)
    different, which, counts = xp.unique(indices, return_inverse=True, return_counts=True)
    nth = xp.searchsorted(different, entries[: len(different)])
    return (1 / counts[nth])[which.reshape(-1)]


def _largest(xp: Any, table: Any, indices: Any, bags: Any, count: int) -> Any:
    """For each bag and column the number of the row with the largest entry, the first one of several."""
    places = xp.zeros((count, table.shape[1]), xp.int64)
    for bag in range(count):
        members = indices[bags == bag]
        if len(members):
            places[bag] = members[table[members].argmax(axis=0)]
    return places


def _bag(
    o: Any, weight: Any, indices: Any, offsets: Any, scale_grad_by_freq: bool = False, mode: int = 0,
    sparse: bool = False, per_sample_weights: Any = None, include_last_offset: bool = False,
    padding_idx: Any = None,
) -> Any:  # fmt: skip
    """The results of torch.embedding_bag: bags, each entry's bag, sizes of bags, places of the largest."""
    refuse_sparse("embedding_bag", sparse)
    _check_bags(weight, indices, offsets, include_last_offset, padding_idx, mode)
    if per_sample_weights is not None and per_sample_weights._type is not weight._type:
        names = [t._type.dtype.title for t in (weight, per_sample_weights)]
        raise DTypeError(
            "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 "
            f"'per_sample_weights'; but type torch.{names[0]}Tensor does not equal torch.{names[1]}Tensor "
            "(while checking arguments for embedding_bag)"
        )
    xp, kinds = weight._type.xp, weight._type.related
    starts = offsets._array[:-1] if include_last_offset else offsets._array
    count = len(starts)
    bags = xp.searchsorted(starts, xp.arange(indices._array.size), side="right") - 1
    keep, kept, kept_bags = None, indices._array.astype(xp.int64), bags
    if padding_idx is not None:
        keep = indices._array != padding_idx % max(weight._array.shape[0], 1)
        kept, kept_bags = kept[keep], bags[keep]
    sizes = xp.bincount(kept_bags, minlength=count)

    def tensor(array: Any, dtype: Any = dtypes.int64) -> Tensor:
        return new_tensor(xp.asarray(array, dtype.numpy), kinds[dtype])

    if mode == MAX:
        places = _largest(xp, weight._array, kept, kept_bags, count)
        result = o._bag_largest(weight, tensor(places), tensor(sizes > 0, dtypes.bool_))
        return result, tensor(bags), tensor(sizes), tensor(places)
    shares = 1 / xp.maximum(sizes, 1) if mode == MEAN else xp.ones(count)
    scales = _frequencies(xp, kept) if scale_grad_by_freq else xp.ones(len(kept))
    factors = per_sample_weights
    if factors is not None and keep is not None and not keep.all():
        factors = o.index_select(factors, 0, tensor(keep.nonzero()[0]))
    result = o._embedding_bag(
        weight, factors, tensor(kept), tensor(kept_bags), tensor(shares, dtypes.float64),
        tensor(scales, dtypes.float64),
    )  # fmt: skip
    if mode == SUM:
        nothing = tensor(xp.zeros(count))
        return result, tensor([]), nothing, nothing
    return result, tensor(bags), tensor(sizes), tensor(sizes)


_KINDS: dict[str, Any] = {
    "indices": "tensor", "offsets": "tensor", "scale_grad_by_freq": "bool", "mode": "int", "sparse": "bool",
    "per_sample_weights": "tensor?", "include_last_offset": "bool", "padding_idx": "int?",
}  # fmt: skip
composite(
    "embedding_bag", _bag, kinds=_KINDS, method=False, out=False,
    doc="Sums, means or largest elements of bags of rows of a table.",
)  # fmt: skip


def _mode(name: Any, scaled: bool, sparse: bool) -> int:
    if name not in ("sum", "mean", "max"):
        raise ArgumentValueError("mode has to be one of sum, mean or max")
    if name == "max" and scaled:
        raise ArgumentValueError("max mode does not support scaling the gradient by the frequency")
    if name == "max" and sparse:
        raise ArgumentValueError("max mode does not support sparse weights")
    return ("sum", "mean", "max").index(name)


def _as_list(o: Any, input: Any, offsets: Any) -> tuple[Any, Any]:
    """The entries of bags one after the other, and where each bag begins."""
    if input.ndim == 2:
        if offsets is not None:
            raise ArgumentValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of "
                "fixed length sequences. However, found offsets of type <class 'torch.Tensor'>"
            )
        xp, (rows, columns) = input._type.xp, input._array.shape
        starts = (xp.arange(rows) * columns).astype(input._array.dtype)
        return o.reshape(input, (rows * columns,)), new_tensor(starts, input._type)
    if input.ndim != 1:
        raise ArgumentValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}")
    if offsets is None:
        raise ArgumentValueError("offsets has to be a 1D Tensor but got None")
    if offsets.ndim != 1:
        raise ArgumentValueError("offsets has to be a 1D Tensor")
    return input, offsets


def _functional(
    o: Any, input: Any, weight: Any, offsets: Any = None, max_norm: Any = None, norm_type: float = 2,
    scale_grad_by_freq: bool = False, mode: Any = "mean", sparse: bool = False,
    per_sample_weights: Any = None, include_last_offset: bool = False, padding_idx: Any = None,
) -> Any:  # fmt: skip
    if per_sample_weights is not None and input._array.shape != per_sample_weights._array.shape:
        raise ArgumentValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must "
            f"have the same shape as the input ({input.shape})"
        )
    if weight.ndim != 2:
        raise ArgumentValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.ndim}")
    last = include_last_offset and input.ndim == 1
    indices, offsets = _as_list(o, input, offsets)
    if per_sample_weights is not None and input.ndim == 2:
        per_sample_weights = o.reshape(per_sample_weights, (input._array.size,))
    number = _mode(mode, scale_grad_by_freq, sparse)
    if max_norm is not None:
        renormalise(weight, indices, max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise NotAvailableError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for "
            f"mode='sum' (got mode='{mode}'). Please open a feature request on GitHub."
        )
    return _bag(
        o, weight, indices, offsets, scale_grad_by_freq, number, sparse, per_sample_weights, last, padding_idx
    )[0]


functional(
    "embedding_bag", _functional,
    kinds={**_KINDS, "input": "tensor", "weight": "tensor", "offsets": "tensor?", "mode": "any",
           "max_norm": "number?", "norm_type": "number"},
    doc="Sums, means or largest elements of bags of rows of a table.",
)  # fmt: skip
