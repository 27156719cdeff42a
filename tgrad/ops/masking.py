"""Rows: elements chosen by a condition."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy

from tgrad.backends import choice
from tgrad.backends.scatter import read_where, write_where
from tgrad.core import dtype as dtypes
from tgrad.core.device import tensor_type
from tgrad.core.engine import Spaces
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ArgumentError, ArgumentValueError, DTypeError, ShapeError, StateError
from tgrad.ops.filling import stored_in, stored_number
from tgrad.ops.operands import broadcast_error, checked_number, number_array
from tgrad.ops.scattering import shape_of
from tgrad.ops.table import broadcast, composite, operator, row

# ---------------------------------------------------------------- masked_fill


def check_masked_fill(input: Tensor, mask: Tensor, value: Any) -> None:
    """Raise PyTorch's errors for a mask that isn't one and a value with dimensions."""
    if mask._type.dtype is not dtypes.bool_:
        raise DTypeError(
            "masked_fill_ only supports boolean masks, but got mask with dtype "
            f"{mask._type.dtype.c_name}"
        )
    if isinstance(value, Tensor) and value._array.ndim:
        raise ShapeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s)."
        )
    if isinstance(value, Tensor) and value._type is not input._type:
        stored_number(value._array.item(), input._type.dtype)  # for its errors
    error = broadcast_error(mask._array.shape, input._array.shape)
    if error is not None:
        raise error


def masked_filled(xp: Any, input: Any, mask: Any, value: Any) -> Any:
    """A value where a mask is set, else the element."""
    return numpy.asarray(xp.where(mask, stored_in(input, value), input), order="C")


def masked_fill_into(array: Any, mask: Any, value: Any) -> None:
    """Write a value where a mask is set."""
    shape = numpy.broadcast_shapes(array.shape, mask.shape)
    if shape != array.shape:
        raise ShapeError(
            f"output with shape {list(array.shape)} doesn't match the broadcast shape {list(shape)}"
        )
    choice.write(array, mask, stored_in(array, value))


def filled_gradient(o: Any, g: Any, mask: Any) -> Any:
    """The sum of the gradient where the mask is set."""
    shape = shape_of(g)
    return o.sum(o._masked_select(g, mask if shape_of(mask) == shape else o.expand(mask, shape)))


for _name, _number in (("masked_fill.tensor", 1), ("masked_fill", 0)):
    row(
        "broadcast", _name, masked_filled, index=_number, inplace=True, check=check_masked_fill,
        into=masked_fill_into,
        kinds={"value": "tensor" if _number else "number"},
        input=lambda o, g, mask: o.masked_fill(g, mask, 0),
        **({"value": filled_gradient} if _number else {}),
        doc="A copy in which a value stands wherever the mask is set.",
    )  # fmt: skip

# ---------------------------------------------------------------- where

broadcast(
    "_where", lambda xp, condition, input, other: xp.where(condition, input, other),
    function=False, method=False, label="WhereBackward",
    kinds={"input": "operand", "other": "operand"},
    input=lambda o, g, condition: o._where(condition, g, 0),
    other=lambda o, g, condition: o._where(condition, 0, g),
    doc="Elements of one tensor where a condition holds, of another one elsewhere.",
)  # fmt: skip


def where(o: Any, condition: Any, input: Any = None, other: Any = None) -> Any:
    """Elements of `input` where the condition holds and of `other` elsewhere."""
    if input is None and other is None:
        return nonzero(o, condition, as_tuple=True)
    dtype = condition._type.dtype
    if dtype is dtypes.bool_ and type(input) is Tensor and type(other) is Tensor:
        shape = condition._array.shape
        if input._array.shape == shape and other._array.shape == shape:
            return o._where(condition, input, other)
    if dtype not in (dtypes.bool_, dtypes.uint8):
        raise DTypeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{dtype.title}"
        )
    if dtype is dtypes.uint8:
        condition = new_tensor(condition._array != 0, condition._type.related[dtypes.bool_])
    for first, second in ((condition, input), (condition, other), (input, other)):
        if isinstance(first, Tensor) and isinstance(second, Tensor):
            error = broadcast_error(first._array.shape, second._array.shape)
            if error is not None:
                raise error
    for number, tensor in ((input, other), (other, input)):
        if isinstance(number, int) and isinstance(tensor, Tensor) and tensor._type.dtype.category == 1:
            checked_number(number, tensor._type)
    if not isinstance(input, Tensor) and not isinstance(other, Tensor):
        kind = tensor_type(dtypes.of_number(input), condition._type.device)
        input = new_tensor(number_array(input, kind), kind)
    return o._where(condition, input, other)


composite(
    "where", where, kinds={"condition": "tensor", "input": "operand?", "other": "operand?"},
    method=False, doc="Elements of input where the condition holds, of other elsewhere.",
)  # fmt: skip


def where_method(self: Tensor, condition: Any, other: Any) -> Any:
    """This tensor's elements where the condition holds, those of `other` elsewhere."""
    return where(Spaces.recorded, condition, self, other)


# ---------------------------------------------------------------- nonzero


def nonzero(o: Any, input: Any, *, as_tuple: bool = False) -> Any:
    """The indices of the elements that aren't zero: one row each, or a tuple of columns."""
    array = input._array
    kind, xp = input._type.related[dtypes.int64], input._type.xp
    if as_tuple:
        found = (array.reshape(1) if array.ndim == 0 else array).nonzero()
        return tuple([new_tensor(xp.ascontiguousarray(column), kind) for column in found])
    if array.ndim == 0:
        return new_tensor(xp.zeros((int(bool(array)), 0), numpy.int64), kind)
    return new_tensor(xp.moved.nonzero(array).T, kind)


composite(
    "nonzero", nonzero, kinds={"as_tuple": "bool"},
    doc="The indices of the elements that aren't zero.",
)  # fmt: skip
def nonzero_static(o: Any, input: Any, *, size: int, fill_value: int = -1) -> Any:
    """The first `size` rows of `nonzero`, made up with rows of fill_value."""
    if size < 0:
        raise ShapeError("nonzero_static: 'size' must be an non-negative integer")
    found = nonzero(o, input)
    rows = input._type.xp.full((size, input._array.ndim), fill_value, numpy.int64)
    count = min(size, len(found._array))
    rows[:count] = found._array[:count]
    return new_tensor(rows, found._type)


composite(
    "nonzero_static", nonzero_static, kinds={"size": "int", "fill_value": "int"},
    doc="The indices of the first elements that aren't zero, in a tensor of a given size.",
)  # fmt: skip
composite(
    "argwhere", lambda o, input: nonzero(o, input),
    doc="The indices of the elements that aren't zero, a row for each.",
)  # fmt: skip


def unravel_index(o: Any, indices: Any, shape: Any) -> Any:
    """The coordinates of elements, given by their position among all, in a shape."""
    if indices._type.category != dtypes.INTEGER:
        raise ArgumentError(
            f"expected 'indices' to be integer dtype, but got {indices._type.dtype!r}"
        )
    sizes = shape if isinstance(shape, (tuple, list)) else (shape,)
    for size in sizes:
        if type(size) is not int:
            raise ArgumentError(
                f"expected 'shape' sequence to only contain ints, but got {_class_text(type(size))}"
            )
    if any(size < 0 for size in sizes):
        raise ArgumentValueError(f"'shape' cannot have negative values, but got {tuple(sizes)}")
    array = indices._array.astype(numpy.int64)
    if 0 in sizes and array.size:
        raise StateError("ZeroDivisionError")
    columns = indices._type.xp.empty((*array.shape, len(sizes)), numpy.int64)
    for place, size in reversed(list(enumerate(sizes))):
        columns[..., place] = array % max(size, 1)
        array = array // max(size, 1)
    return o.unbind(new_tensor(columns, indices._type.related[dtypes.int64]), -1)


def _class_text(kind: type) -> str:
    return f"<class '{kind.__name__}'>"


composite(
    "unravel_index", unravel_index, kinds={"indices": "tensor", "shape": "any"}, method=False,
    doc="The coordinates of elements given by their position among all.",
)  # fmt: skip

# ---------------------------------------------------------------- masked_select, masked_scatter

operator(
    "_masked_select", lambda xp, input, mask: read_where(input, mask),
    function=False, method=False, out=False, label="MaskedSelectBackward",
    input=lambda o, g, input, mask, input_type: o._masked_scatter(
        o.zeros_of(shape_of(input), input_type), mask, g
    ),
    doc="The elements for which a mask is set.",
)  # fmt: skip


def masked_select(o: Any, input: Any, mask: Any) -> Any:
    """The elements for which a mask is set, in one dimension."""
    if mask._type.dtype is not dtypes.bool_:
        raise DTypeError("masked_select: expected BoolTensor for mask")
    input, mask = _expanded(o, input, mask)
    return o._masked_select(input, mask)


def _expanded(o: Any, input: Any, mask: Any) -> tuple[Any, Any]:
    shape, other = input._array.shape, mask._array.shape
    if shape == other:
        return input, mask
    error = broadcast_error(other, shape)
    if error is not None:
        raise error
    common = numpy.broadcast_shapes(shape, other)
    if shape != common:
        input = o.expand(input, common)
    return input, mask if other == common else o.expand(mask, common)


composite(
    "masked_select", masked_select, kinds={"mask": "tensor"},
    doc="The elements for which the mask is set, in one dimension.",
)  # fmt: skip


def masked_scattered(xp: Any, input: Any, mask: Any, source: Any) -> Any:
    """A copy in which the elements for which a mask is set are taken from a source in order."""
    result = input.copy()
    masked_scatter_into(result, mask, source)
    return result


def masked_scatter_into(array: Any, mask: Any, source: Any) -> None:
    """Write elements of a source, in order, where a mask is set."""
    mask = numpy.broadcast_to(mask, array.shape)
    write_where(array, mask, source.reshape(-1)[: int(numpy.count_nonzero(mask))])


def scattered_source_gradient(
    o: Any, g: Any, mask: Any, source_shape: Any, source_type: Any
) -> Any:
    """The gradient where the mask is set, and zeros for what wasn't used."""
    used = o._masked_select(g, mask)
    count = used._array.size if isinstance(used, Tensor) else used.size
    total = math.prod(source_shape)
    if count < total:
        used = o.cat((used, o.zeros_of((total - count,), source_type)), 0)
    return o.reshape(used, source_shape)


def check_masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> None:
    """Raise PyTorch's errors for masks and sources that don't fit."""
    if mask._type.dtype is not dtypes.bool_:
        raise DTypeError(
            "masked_scatter_ only supports boolean masks, but got mask with dtype "
            f"{mask._type.dtype.title}"
        )
    if source._type.dtype is not input._type.dtype:
        raise DTypeError(
            "masked_scatter: expected self and source to have same dtypes but got"
            f"{input._type.dtype.title} and {source._type.dtype.title}"
        )
    error = broadcast_error(mask._array.shape, input._array.shape)
    if error is not None:
        raise error
    xp, shape = mask._type.xp, numpy.broadcast_shapes(mask._array.shape, input._array.shape)
    wanted = int(xp.count_nonzero(xp.broadcast_to(mask._array, shape)))
    if source._array.size < wanted:
        raise ShapeError("Number of elements of source < number of ones in mask")


operator(
    "_masked_scatter", masked_scattered, check=check_masked_scatter, into=masked_scatter_into,
    function=False, method=False, out=False, label="MaskedScatterBackward",
    input=lambda o, g, mask: o.masked_fill(g, mask, 0),
    source=scattered_source_gradient,
    doc="A copy with elements of source, in order, wherever the mask is set.",
)  # fmt: skip


def masked_scatter(o: Any, input: Any, mask: Any, source: Any) -> Any:
    """`_masked_scatter` after broadcasting."""
    check_masked_scatter(input, mask, source)
    return o._masked_scatter(*_expanded(o, input, mask), source)


def masked_scatter_(o: Any, input: Any, mask: Any, source: Any) -> Any:
    """The same in place."""
    from tgrad.ops.functions import bound_inplace
    from tgrad.ops.table import TABLE

    check_masked_scatter(input, mask, source)
    if mask._array.shape != input._array.shape:
        mask = o.expand(mask, input._array.shape)
    return bound_inplace(TABLE["_masked_scatter"])(input, mask, source)


for _name, _forward in (("masked_scatter", masked_scatter), ("masked_scatter_", masked_scatter_)):
    composite(
        _name, _forward, kinds={"mask": "tensor"}, function=_name[-1] != "_",
        doc="Elements of source, in order, wherever the mask is set.",
    )  # fmt: skip

ATTRIBUTES: Final[dict[str, Any]] = {"where": where_method}
