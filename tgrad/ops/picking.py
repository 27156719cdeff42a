"""Rows: elements and slices picked along a dimension, and written or added there.

A function that ends in `_into` changes an array in place: it is the row's in-place form, and on a
copy its ordinary one.
"""

from __future__ import annotations

from typing import Any

import numpy

from tgrad.backends import places
from tgrad.backends.scatter import add_rows
from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import DimensionError, DTypeError, ShapeError, StateError
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.filling import stored_in
from tgrad.ops.mixing import refuse_several
from tgrad.ops.operands import broadcast_error
from tgrad.ops.scattering import (
    INDEX_TYPES,
    check_range,
    on_copy,
    shape_of,
    with_dimension,
)
from tgrad.ops.table import composite, operator

# ---------------------------------------------------------------- gather


def check_gather(input: Tensor, dim: int, index: Tensor, sparse_grad: bool = False) -> None:
    """Raise PyTorch's errors for an index of the wrong dtype or shape."""
    if index._type.dtype not in INDEX_TYPES and index._array.size:
        raise DTypeError("gather(): Expected dtype int32/int64 for index")
    dim = wrap_dim(dim, input._array.ndim)
    if index._array.size == 0:
        return
    shape, wanted = with_dimension(input._array).shape, with_dimension(index._array).shape
    if len(shape) != len(wanted):
        raise ShapeError("Index tensor must have the same number of dimensions as input tensor")
    for d, (have, want) in enumerate(zip(shape, wanted, strict=True)):
        if d != dim and want > have:
            raise ShapeError(
                f"Size does not match at dimension {d} expected index {list(wanted)} to be no "
                f"larger than self {list(shape)} apart from dimension {dim}"
            )
    check_range(index, dim, shape[dim])


def gathered(xp: Any, input: Any, dim: int, index: Any, sparse_grad: bool = False) -> Any:
    """result[i][j] = input[index[i][j]][j] for dim 0, and so on."""
    if index.size == 0:
        return numpy.empty(index.shape, input.dtype)
    found = places.gathered(
        with_dimension(input), wrap_dim(dim, input.ndim), with_dimension(index)
    )
    return found.reshape(index.shape)


operator(
    "gather", gathered, check=check_gather, kinds={"sparse_grad": "bool"},
    input=lambda o, g, input, dim, index, input_type: o.scatter_add(
        o.zeros_of(shape_of(input), input_type), dim, index, g
    ),
    narrow=True, doc="Elements along a dimension, one for each entry of the index.",
)  # fmt: skip

# ---------------------------------------------------------------- whole slices of a dimension


def check_index_select(input: Tensor, dim: int, index: Tensor) -> None:
    """Raise PyTorch's errors for an index of the wrong dtype, shape or range."""
    array = index._array
    if array.ndim > 1:
        raise DimensionError("index_select(): Index is supposed to be a vector")
    if index._type.dtype not in INDEX_TYPES:
        raise DTypeError("index_select(): Expected dtype int32 or int64 for index")
    ndim = input._array.ndim
    size = with_dimension(input._array).shape[wrap_dim(dim, ndim)]
    if ndim == 0 and array.size != 1:
        raise DimensionError(
            f"index_select(): Index to scalar can have only 1 value, got {array.size} value(s)"
        )
    if array.size and not size and ndim > 1:
        raise ShapeError("index_select(): self indexing axis dim should be positive")
    if not index._type.xp.places.within(array, 0, size):
        raise DimensionError("index out of range in self")


def index_selected(xp: Any, input: Any, dim: int, index: Any) -> Any:
    """The slices of a dimension that an index lists."""
    if input.ndim == 0:
        return input.copy()
    return places.taken(input, with_dimension(index), wrap_dim(dim, input.ndim))


operator(
    "index_select", index_selected, check=check_index_select,
    input=lambda o, g, dim, index, input_shape, input_type: o.index_add(
        o.zeros_of(input_shape, input_type), dim, index, g
    ),
    narrow=True, doc="The slices of a dimension that the index lists.",
)  # fmt: skip


def check_slices(name: str, input: Tensor, dim: int, index: Tensor, source: Tensor) -> None:
    if index._type.dtype not in INDEX_TYPES:
        got = f" but got: {index._type.dtype.title}" if name == "index_add_()" else ""
        raise DTypeError(f"{name}: Expected dtype int32/int64 for index{got}")
    if input._type.dtype is not source._type.dtype:
        raise DTypeError(
            f"{name}: self ({input._type.dtype.title}) and source ({source._type.dtype.title}) "
            "must have the same scalar type"
        )
    dim = wrap_dim(dim, input._array.ndim)
    have = with_dimension(source._array).shape[dim] if source._array.ndim else 1
    count = index._array.size
    if have != count:
        if name == "index_add_()":
            raise ShapeError(
                f"{name}: Number of indices ({count}) should be equal to source.size(dim): "
                f"({have}), for dim: {dim}"
            )
        raise DimensionError(
            f"{name}: Number of indices ({count}) should be equal to source.size(dim) ({have})"
        )
    shape, other = list(with_dimension(input._array).shape), list(with_dimension(source._array).shape)
    size = shape.pop(dim)
    other.pop(dim)
    if shape != other and name == "index_add_()":
        raise ShapeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. "
            f"Got self.shape = {list(input._array.shape)} source.shape = "
            f"{list(source._array.shape)}"
        )
    if name == "index_copy_()":
        wrong = index._type.xp.places.outside(index._array, 0, size)
        if wrong is not None:
            raise DimensionError(
                f"{name}: index {wrong} is out of bounds for dimension {dim} with size {size}"
            )
    else:
        check_range(index, dim, size)


def to_front(array: Any, dim: int) -> Any:
    """A view of an array with a dimension moved to the front."""
    array = with_dimension(array)
    return numpy.moveaxis(array, wrap_dim(dim, array.ndim), 0)


def index_add_into(array: Any, dim: int, index: Any, source: Any, alpha: Any = 1) -> None:
    """Add slices of a source to those that an index lists."""
    target = to_front(array, dim)
    if alpha != 1:
        source = source * numpy.asarray(alpha).astype(source.dtype)
    rows = to_front(source, dim)
    if target.flags.c_contiguous:
        add_rows(target, with_dimension(index), rows)
        return
    copy = target.copy()
    add_rows(copy, with_dimension(index), rows)
    target[...] = copy


def check_index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, alpha: Any = 1) -> None:
    """Raise PyTorch's errors for slices that don't fit, and for a complex factor of real ones."""
    check_slices("index_add_()", input, dim, index, source)
    if isinstance(alpha, complex) and not input._type.dtype.is_complex:
        raise StateError(
            f"value cannot be converted to type {input._type.dtype.c_name} without overflow"
        )


def _scaled(g: Any, alpha: Any) -> Any:
    return g if alpha == 1 else g * alpha


operator(
    "index_add",
    lambda xp, input, dim, index, source, *, alpha=1: on_copy(
        index_add_into, input, dim, index, source, alpha
    ),
    check=check_index_add,
    into=index_add_into, inplace=True,
    input=lambda o, g: g,
    source=lambda o, g, dim, index, source, alpha: o.reshape(
        _scaled(o.index_select(g, dim, index), alpha), shape_of(source)
    ),
    doc="A copy in which slices of source are added to those that the index lists.",
)  # fmt: skip


def index_copy_into(array: Any, dim: int, index: Any, source: Any) -> None:
    """Write slices of a source over those that an index lists."""
    places.put(to_front(array, dim), with_dimension(index), to_front(source, dim))


operator(
    "index_copy",
    lambda xp, input, dim, index, source: on_copy(index_copy_into, input, dim, index, source),
    check=lambda input, dim, index, source: check_slices(
        "index_copy_()", input, dim, index, source
    ),
    into=index_copy_into, inplace=True,
    input=lambda o, g, dim, index: o.index_fill(g, dim, index, 0),
    source=lambda o, g, dim, index, source: o.reshape(
        o.index_select(g, dim, index), shape_of(source)
    ),
    doc="A copy in which slices of source replace those that the index lists.",
)  # fmt: skip


def check_index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> None:
    """Raise PyTorch's errors for an index out of range and a value with dimensions."""
    if isinstance(value, Tensor) and value._array.ndim:
        raise ShapeError(
            "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s)."
        )
    complex_ = value._type.dtype.is_complex if isinstance(value, Tensor) else isinstance(value, complex)
    if complex_ and not input._type.dtype.is_complex:
        raise DTypeError(
            "index_fill_(): Converting complex Scalar to non-complex type is not supported"
        )
    if index._type.dtype is not dtypes.int64:
        raise DimensionError("index_fill_(): Expected dtype int64 for index.")
    dim = wrap_dim(dim, input._array.ndim)
    size = with_dimension(input._array).shape[dim]
    wrong = index._type.xp.places.outside(index._array, -size, size)
    if wrong is not None:
        raise DimensionError(f"index {wrong} is out of bounds for dimension {dim} with size {size}")


def index_fill_into(array: Any, dim: int, index: Any, value: Any) -> None:
    """Write a value over the slices that an index lists."""
    to_front(array, dim)[with_dimension(index)] = stored_in(array, value)


operator(
    "index_fill.tensor",
    lambda xp, input, dim, index, value: on_copy(index_fill_into, input, dim, index, value),
    check=check_index_fill, into=index_fill_into, inplace=True, index=1, kinds={"value": "tensor"},
    input=lambda o, g, dim, index: o.index_fill(g, dim, index, 0),
    value=lambda o, g, dim, index: o.sum(o.index_select(g, dim, o._unique2(index)[0])),
    doc="A copy in which a 0-dimensional tensor fills the slices that the index lists.",
)  # fmt: skip
operator(
    "index_fill",
    lambda xp, input, dim, index, value: on_copy(index_fill_into, input, dim, index, value),
    check=check_index_fill, into=index_fill_into, inplace=True,
    input=lambda o, g, dim, index: o.index_fill(g, dim, index, 0),
    doc="A copy in which a value fills the slices that the index lists.",
)  # fmt: skip


# ---------------------------------------------------------------- places in all elements


def check_take(input: Tensor, index: Tensor, name: str = "take()") -> None:
    """Raise PyTorch's errors for an index of the wrong dtype or range."""
    if index._type.dtype is not dtypes.int64:
        raise DTypeError(
            f"{name}: Expected a long tensor for index, but got {index._type.dtype.title}"
        )
    count, array = input._array.size, index._array
    if not count and array.size:
        does = "tried to take from" if name == "take()" else "Tried to put elements into"
        raise DimensionError(f"{name}: {does} an empty tensor")
    wrong = index._type.xp.places.outside(array, -count, count)
    if wrong is not None:
        raise DimensionError(
            f"out of range: tried to access index {wrong} on a tensor of {count} elements."
        )


operator(
    "take",
    lambda xp, input, index: places.taken(input.reshape(-1), index.reshape(-1)).reshape(index.shape),
    check=check_take,
    input=lambda o, g, input, index, input_type: o.put(
        o.zeros_of(shape_of(input), input_type), index, g, True
    ),
    narrow=True, doc="Elements by their position among all elements.",
)  # fmt: skip


def put_into(array: Any, index: Any, source: Any, accumulate: bool = False) -> None:
    """Write or add elements at positions among all elements."""
    flat = array.reshape(-1)
    where, values = index.reshape(-1), source.reshape(-1)
    if accumulate:
        add_rows(flat, numpy.where(where < 0, where + flat.size, where), values)
    else:
        places.put(flat, where, values)
    if not numpy.may_share_memory(flat, array):
        array[...] = flat.reshape(array.shape)


def check_put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> None:
    """Raise PyTorch's errors for indices and sources that don't fit."""
    if source._type.dtype is not input._type.dtype:
        raise DTypeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{input._type.dtype.title} and source.dtype = {source._type.dtype.title}"
        )
    if source._array.size != index._array.size:
        raise DimensionError(
            "put_(): Expected source and index to have the same number of elements, but got "
            f"source.numel() = {source._array.size}, index.numel() = {index._array.size}"
        )
    check_take(input, index, "put_()")


operator(
    "put",
    lambda xp, input, index, source, accumulate=False: on_copy(
        put_into, input, index, source, accumulate
    ),
    check=check_put, into=put_into, inplace=True, kinds={"accumulate": "bool"},
    input=lambda o, g, index, source, accumulate, source_type: (
        g if accumulate else o.put(g, index, o.zeros_of(shape_of(source), source_type), False)
    ),
    source=lambda o, g, index, source: o.reshape(o.take(g, index), shape_of(source)),
    doc="A copy with elements written or added at positions among all elements.",
)  # fmt: skip


def take_along_dim(o: Any, input: Any, indices: Any, dim: int | None = None) -> Any:
    """`gather` in which the other dimensions are broadcast."""
    if indices._type.dtype is not dtypes.int64:
        raise DTypeError(
            "torch.take_along_dim(): dtype of indices should be Long but got "
            f"{indices._type.dtype.title}"
        )
    refuse_several(
        "Expected tensor to have {0} Device, but got tensor with {1} Device (while checking arguments for "
        "torch.take_along_dim():)", input, indices,
    )  # fmt: skip
    if dim is None:
        return o.gather(o.reshape(input, (-1,)), 0, o.reshape(indices, (-1,)))
    shape, wanted = input._array.shape, indices._array.shape
    if len(shape) != len(wanted):
        raise ShapeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, "
            f"but got {len(shape)} dimensions for input, and {len(wanted)} dimensions for indices"
        )
    at = wrap_dim(dim, len(shape))
    one = (1,)
    first, second = shape[:at] + one + shape[at + 1 :], wanted[:at] + one + wanted[at + 1 :]
    error = broadcast_error(first, second)
    if error is not None:
        raise error
    common = numpy.broadcast_shapes(first, second)
    input = o.expand(input, common[:at] + shape[at : at + 1] + common[at + 1 :])
    indices = o.expand(indices, common[:at] + wanted[at : at + 1] + common[at + 1 :])
    size = shape[at]
    if size == 0 and indices._array.size:
        raise StateError("ZeroDivisionError")
    where = indices._type.xp.ascontiguousarray(indices._array % max(size, 1))
    return o.gather(input, at, new_tensor(where, indices._type))


composite(
    "take_along_dim", take_along_dim, kinds={"indices": "tensor", "dim": "int?"},
    doc="Elements along a dimension at the indices, with broadcasting.",
)  # fmt: skip
