"""Rows: elements written, added or combined at places along a dimension.

A function that ends in `_into` changes an array in place: it is the row's in-place form, and on a
copy its ordinary one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy

from tgrad.backends import places, scatter
from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import AutogradError, DTypeError, ShapeError, UnsupportedDTypeError
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.filling import stored_in
from tgrad.ops.table import operator

INDEX_TYPES: Final = (dtypes.int64, dtypes.int32)
"""The dtypes of an index along a dimension."""


def on_copy(into: Callable[..., None], input: Any, *arguments: Any) -> Any:
    """A copy of an array, stored row by row, that a function has changed."""
    result = numpy.array(input, order="C")  # 0-dimensional ones may be NumPy's scalars
    into(result, *arguments)
    return result


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of an array or a tensor."""
    shape: tuple[int, ...] = value._array.shape if isinstance(value, Tensor) else value.shape
    return shape


def with_dimension(array: Any) -> Any:
    """A 0-dimensional array as one with a dimension."""
    return array.reshape(1) if array.ndim == 0 else array


def check_range(index: Tensor, dim: int, size: int) -> None:
    """Raise PyTorch's error for an index that is negative or too large."""
    wrong = index._type.xp.places.outside(index._array, 0, size)
    if wrong is not None:
        raise ShapeError(f"index {wrong} is out of bounds for dimension {dim} with size {size}")


# ---------------------------------------------------------------- scatter


def check_scatter(input: Tensor, dim: int, index: Tensor, src: Any) -> None:
    """Raise PyTorch's errors for an index or a source that don't fit."""
    if index._type.dtype not in INDEX_TYPES and index._array.size:
        raise DTypeError("scatter(): Expected dtype int32/int64 for index")
    tensor = isinstance(src, Tensor)
    if tensor and src._type.dtype is not input._type.dtype:
        raise DTypeError("scatter(): Expected self.dtype to be equal to src.dtype")
    dim = wrap_dim(dim, input._array.ndim)
    if index._array.size == 0:
        return
    shape, wanted = with_dimension(input._array).shape, with_dimension(index._array).shape
    if len(shape) != len(wanted):
        raise ShapeError("Index tensor must have the same number of dimensions as self tensor")
    source = with_dimension(src._array).shape if tensor else None
    if source is not None and len(source) != len(wanted):
        raise ShapeError("Index tensor must have the same number of dimensions as src tensor")
    if any(d != dim and want > shape[d] for d, want in enumerate(wanted)) or (
        source is not None and any(w > s for w, s in zip(wanted, source, strict=True))
    ):
        more = "" if source is None else (
            f" and to be no larger size than src {list(source)}"
        )
        raise ShapeError(
            f"Expected index {list(wanted)} to be no larger than self {list(shape)} apart from "
            f"dimension {dim}{more}"
        )
    check_range(index, dim, shape[dim])


def _source(src: Any, shape: tuple[int, ...]) -> Any:
    """The part of a source that the index uses; a number as it is."""
    if not isinstance(src, numpy.ndarray):
        return src
    return with_dimension(src)[tuple([slice(size) for size in shape])]


def scatter_into(array: Any, dim: int, index: Any, src: Any) -> None:
    """Write elements of a source to the places that an index names; of several the last stays."""
    _at_places(array, dim, index, src, places.put)


def _at_places(array: Any, dim: int, index: Any, src: Any, act: Callable[..., None]) -> None:
    """`act` on the elements of a source and what is at their places, one after the other."""
    if index.size == 0:
        return
    index, target = with_dimension(index), with_dimension(array)
    values = numpy.broadcast_to(stored_in(array, _source(src, index.shape)), index.shape)
    places.at_places(target, wrap_dim(dim, array.ndim), index, values, act)


def scatter_add_into(array: Any, dim: int, index: Any, src: Any) -> None:
    """Add elements of a source at the places that an index names."""
    _at_places(array, dim, index, src, scatter.add_rows)


def _reduction(name: str) -> Any:
    if name not in ("add", "multiply"):
        raise ShapeError("reduce argument must be either add or multiply.")
    return scatter.add_rows if name == "add" else scatter.multiply_at


def source_gradient(o: Any, g: Any, dim: int, index: Any, src_shape: Any, label: str) -> Any:
    """The gradient at the places; an error, as PyTorch's, if the index uses only a part of src."""
    shape = shape_of(index)
    if shape != src_shape:
        raise AutogradError(
            f"Function {label} returned an invalid gradient at index 1 - got {list(shape)} but "
            f"expected shape compatible with {list(src_shape)}"
        )
    return o.gather(g, dim, index)


operator(
    "scatter", lambda xp, input, dim, index, src: on_copy(scatter_into, input, dim, index, src),
    into=scatter_into, check=check_scatter, inplace=True,
    input=lambda o, g, dim, index: o.scatter_value(g, dim, index, 0),
    src=lambda o, g, dim, index, src_shape: source_gradient(
        o, g, dim, index, src_shape, "ScatterBackward0"
    ),
    doc="A copy with elements of src written to the places that the index names.",
)  # fmt: skip
operator(
    "scatter.value",
    lambda xp, input, dim, index, value: on_copy(scatter_into, input, dim, index, value),
    into=scatter_into, check=check_scatter, inplace=True, index=1,
    input=lambda o, g, dim, index: o.scatter_value(g, dim, index, 0),
    doc="A copy with one value written to the places that the index names.",
)  # fmt: skip


def _scatter_reduced(array: Any, dim: int, index: Any, src: Any, reduce: str) -> None:
    _at_places(array, dim, index, src, _reduction(reduce))


for _name, _value in (("scatter.reduce", False), ("scatter.value_reduce", True)):
    operator(
        _name,
        (lambda xp, input, dim, index, value, *, reduce: on_copy(
            _scatter_reduced, input, dim, index, value, reduce
        )) if _value else (lambda xp, input, dim, index, src, *, reduce: on_copy(
            _scatter_reduced, input, dim, index, src, reduce
        )),
        check=lambda input, dim, index, src, reduce: check_scatter(input, dim, index, src),
        into=_scatter_reduced, inplace=True, kinds={"reduce": "str"},
        differentiable="use scatter_add or scatter_reduce",
        doc="A copy in which elements of src are added to, or multiplied with, their places.",
    )  # fmt: skip
operator(
    "scatter_add",
    lambda xp, input, dim, index, src: on_copy(scatter_add_into, input, dim, index, src),
    into=scatter_add_into, check=check_scatter, inplace=True,
    input=lambda o, g: g,
    src=lambda o, g, dim, index, src_shape: source_gradient(
        o, g, dim, index, src_shape, "ScatterAddBackward0"
    ),
    doc="A copy in which elements of src are added at the places that the index names.",
)  # fmt: skip

# ---------------------------------------------------------------- scatter_reduce


def _start_value(dtype: Any, reduce: str) -> Any:
    """What a reduction begins with where the tensor's own elements don't count."""
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if dtype.kind in "fV":
        return -numpy.inf if reduce == "amax" else numpy.inf
    if dtype.kind == "b":
        return reduce == "amin"
    limits = numpy.iinfo(dtype)
    return limits.min if reduce == "amax" else limits.max


_COMBINE: Final = {
    "sum": "add_rows", "mean": "add_rows", "prod": "multiply_at", "amax": "maximum_at", "amin": "minimum_at",
}  # fmt: skip
"""The functions of `tgrad.backends.scatter` for reductions."""


def scatter_reduce_into(
    array: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool = True
) -> None:
    """Combine elements of a source with what is at their places."""
    if not include_self:
        scatter_into(array, dim, index, _start_value(array.dtype, reduce))
    _at_places(array, dim, index, src, getattr(scatter, _COMBINE[reduce]))
    if reduce == "mean":
        counts = numpy.full(array.shape, int(include_self), array.real.dtype)
        if not include_self:
            untouched = numpy.ones(array.shape, bool)
            scatter_into(untouched, dim, index, False)
            counts[untouched] = 1
        ones = numpy.ones(index.shape, counts.dtype)
        _at_places(counts, dim, index, ones, scatter.add_rows)
        if array.dtype.kind in "fcV":
            array /= counts
        else:
            array //= counts


def check_scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, include_self: bool = True
) -> None:
    """Raise PyTorch's errors for an unknown reduction and for shapes."""
    if reduce not in _COMBINE:
        raise ShapeError(
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}"
        )
    dtype = input._type.dtype
    if (dtype.is_complex and reduce in ("amax", "amin")) or (
        dtype is dtypes.bool_ and reduce == "mean"
    ):
        raise UnsupportedDTypeError(
            f'"scatter_gather_tensor_cpu_reduce_{reduce}" not implemented for \'{dtype.title}\''
        )
    check_scatter(input, dim, index, src)


def _zero(o: Any, value: Any, type_: Any) -> Any:
    return o.zeros_of(shape_of(value), type_)


def _counts(o: Any, g: Any, dim: int, index: Any, src: Any, kind: Any, own: bool) -> Any:
    counts = o.scatter_add(_zero(o, g, kind) + own, dim, index, _zero(o, src, kind) + 1)
    return o.masked_fill(counts, o.eq(counts, 0), 1)


def reduced_input_gradient(
    o: Any, g: Any, input: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool,
    out: Any, input_type: Any,
) -> Any:  # fmt: skip
    """The derivative of `scatter_reduce` with respect to the tensor itself."""
    if reduce == "sum":
        result = g
    elif reduce == "mean":
        result = g / _counts(o, g, dim, index, src, input_type, include_self)
    elif reduce == "prod":
        masked = o.masked_fill(input, o.eq(input, 0), 1)
        result = g * o.scatter_reduce(masked, dim, index, src, reduce, include_self) / masked
    else:
        mine, spread = _ties(o, g, input, dim, index, src, out, input_type)
        result = mine * spread
    return result if include_self else o.scatter_value(result, dim, index, 0)


def _ties(
    o: Any, g: Any, input: Any, dim: int, index: Any, src: Any, out: Any, kind: Any
) -> tuple[Any, Any]:
    """Where the tensor's own element is the result, and the gradient shared among equal ones."""
    theirs = o.to_type(o.eq(src, o.gather(out, dim, index)), kind)
    mine = o.to_type(o.eq(input, out), kind)
    return mine, g / o.scatter_add(mine, dim, index, theirs)


def reduced_source_gradient(
    o: Any, g: Any, input: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool,
    out: Any, input_type: Any,
) -> Any:  # fmt: skip
    """The derivative of `scatter_reduce` with respect to the source."""
    if reduce == "sum":
        return o.gather(g, dim, index)
    if reduce == "mean":
        counts = _counts(o, g, dim, index, src, input_type, include_self)
        return o.gather(g, dim, index) / o.gather(counts, dim, index)
    if reduce == "prod":
        zero = o.eq(src, 0)
        zeros = o.scatter_add(_zero(o, g, input_type), dim, index, o.to_type(zero, input_type))
        alone = o.logical_and(zero, o.eq(o.gather(zeros, dim, index), 1))
        filled = o.scatter_reduce(
            input, dim, index, o.masked_fill(src, alone, 1), reduce, include_self
        )
        return o._where(
            alone, o.gather(g * filled, dim, index),
            o.gather(g * out, dim, index) / o.masked_fill(src, zero, 1),
        )  # fmt: skip
    _, spread = _ties(o, g, input, dim, index, src, out, input_type)
    theirs = o.to_type(o.eq(src, o.gather(out, dim, index)), input_type)
    return theirs * o.gather(spread, dim, index)


operator(
    "scatter_reduce",
    lambda xp, input, dim, index, src, reduce, include_self=True: on_copy(
        scatter_reduce_into, input, dim, index, src, reduce, include_self
    ),
    into=scatter_reduce_into, check=check_scatter_reduce, inplace=True,
    kinds={"reduce": "str", "include_self": "bool"},
    input=reduced_input_gradient, src=reduced_source_gradient,
    doc="A copy in which elements of src are combined (sum, prod, mean, amax, amin) with others.",
)  # fmt: skip
