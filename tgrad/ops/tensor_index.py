"""Rows: elements picked by a list of index tensors and masks, and values put at their places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy

from tgrad.backends.scatter import add_rows
from tgrad.core import dtype as dtypes
from tgrad.core.device import CPU_TYPES
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ArgumentError, AutogradError, DimensionError, DTypeError, ShapeError
from tgrad.ops.geometry import in_order, memory_order
from tgrad.ops.inplace import check_overlap, check_writable, write_into
from tgrad.ops.table import TABLE, composite, operator

# ---------------------------------------------------------------- picking with tensors


class Indices(tuple[Any, ...]):
    """Tensors, or None for a whole dimension, with the versions that they had."""

    versions: tuple[int, ...]

    def arrays(self) -> list[Any]:
        """The arrays, for NumPy; AutogradError if one was written to."""
        found: list[Any] = []
        for tensor, version in zip(self, self.versions, strict=True):
            if tensor is None:
                found.append(slice(None))
                continue
            if tensor._version != version:
                raise AutogradError(
                    "one of the variables needed for gradient computation has been modified by an "
                    f"inplace operation: [{tensor._type.name} {list(tensor._array.shape)}] is at "
                    f"version {tensor._version}; expected version {version} instead. Hint: enable "
                    "anomaly detection to find the operation that failed to compute its gradient, "
                    "with torch.autograd.set_detect_anomaly(True, check_nan=False)."
                )
            found.append(tensor._array)
        return found


def indices_of(tensors: Sequence[Any]) -> Indices:
    """Tensors as `Indices`."""
    result = Indices(tensors)
    result.versions = tuple([0 if t is None else t._version for t in tensors])
    return result


def places(indices: Indices, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """An index for NumPy, checked against a shape.

    Raises:
        DimensionError: an index is out of range, there are too many, or a mask has another shape.
    """
    found: list[Any] = []
    dim = 0
    for array in indices.arrays():
        if not isinstance(array, slice) and array.dtype.kind in "b":
            if array.shape != shape[dim : dim + array.ndim]:
                raise DimensionError(
                    f"The shape of the mask {list(array.shape)} at index {_bad(array, shape, dim)} "
                    f"does not match the shape of the indexed tensor {list(shape)} at index "
                    f"{dim + _bad(array, shape, dim)}"
                )
            found.extend(array.nonzero())
            dim += array.ndim
        else:
            found.append(array)
            dim += 1
    if dim > len(shape):
        raise DimensionError(f"too many indices for tensor of dimension {len(shape)}")
    return tuple(found)


def _bad(mask: Any, shape: tuple[int, ...], dim: int) -> int:
    for i, size in enumerate(mask.shape):
        if dim + i >= len(shape) or shape[dim + i] != size:
            return i
    return 0


def index_error(found: tuple[Any, ...], shape: tuple[int, ...], error: Exception) -> Exception:
    """PyTorch's error for what NumPy refused."""
    arrays = [(dim, array) for dim, array in enumerate(found) if not isinstance(array, slice)]
    try:
        numpy.broadcast_shapes(*[array.shape for _, array in arrays])
    except ValueError:
        shapes = ", ".join(str(list(array.shape)) for _, array in arrays)
        return DimensionError(
            "shape mismatch: indexing tensors could not be broadcast together with shapes "
            f"{shapes}"
        )
    for dim, array in arrays:
        size = shape[dim]
        if size == 0 and array.size:
            return DimensionError("index is out of bounds for dimension with size 0")
    for position, (dim, array) in enumerate(arrays):
        size = shape[dim]
        wrong = array[(array < -size) | (array >= size)]
        if wrong.size:
            return DimensionError(
                f"index {wrong.reshape(-1)[0]} is out of bounds for dimension {position} with size "
                f"{size}"
            )
    return error


def picked(xp: Any, input: Any, indices: Indices) -> Any:
    """The elements of an array at the places that tensors name; stored row by row."""
    found = places(indices, input.shape)
    try:
        result = input[found]
    except (IndexError, ValueError) as error:
        shape = _relaxed(found, input.shape)
        if shape is not None:
            return numpy.empty(shape, input.dtype)
        raise index_error(found, input.shape, error) from None
    if not input.flags.c_contiguous and result.size:
        result = in_order(result, _picked_order(input, found, result.shape))
    elif not result.flags.c_contiguous:
        result = result.copy()
    if 1 in result.shape and input.flags.c_contiguous:  # for PyTorch's strides of these dimensions
        result = numpy.ndarray(result.shape, result.dtype, result)
    return result


def _picked_order(input: Any, found: tuple[Any, ...], shape: tuple[int, ...]) -> list[int]:
    """The order in memory that PyTorch gives the result, from the input's strides and the indices'."""
    chosen = [dim for dim, index in enumerate(found) if not isinstance(index, slice)]
    indices = numpy.broadcast_arrays(*[found[dim] for dim in chosen])
    count = indices[0].ndim
    adjacent = chosen[-1] - chosen[0] == len(chosen) - 1
    front = chosen[0] if adjacent else 0
    rest = [step for dim, step in enumerate(input.strides) if dim not in chosen]
    source = (*rest[:front], *(0,) * count, *rest[front:])
    after = (0,) * (len(rest) - front)
    return memory_order(shape, [source, *[((0,) * front + i.strides + after) for i in indices]])


def _relaxed(found: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape of the result if it is empty whatever the indices are: then none is out of range."""
    if all(size or (d < len(found) and not isinstance(found[d], slice)) for d, size in enumerate(shape)):
        return None
    return _result_shape(tuple([i if isinstance(i, slice) else i * 0 for i in found]), shape)


def put_at(target: Any, indices: Indices, values: Any, accumulate: bool) -> None:
    """Write (or add) values at the places that tensors name."""
    found = places(indices, target.shape)
    try:
        if accumulate:
            add_at(target, found, values)
        else:
            target[found] = values
    except (IndexError, ValueError) as error:
        if _relaxed(found, target.shape) is not None:
            return
        result = _result_shape(found, target.shape)
        if result is not None and not _fits(values.shape, result):
            raise ShapeError(
                f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast "
                f"to indexing result of shape {list(result)}"
            ) from None
        raise index_error(found, target.shape, error) from None


def _result_shape(found: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[int, ...] | None:
    try:
        result: tuple[int, ...] = numpy.broadcast_to(numpy.int8(0), shape)[found].shape
    except (IndexError, ValueError):
        return None
    return result


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    shape = tuple(shape)
    while len(shape) > len(wanted) and shape[0] == 1:
        shape = shape[1:]
    return len(shape) <= len(wanted) and all(
        a in (1, b) for a, b in zip(reversed(shape), reversed(wanted), strict=False)
    )


def add_at(target: Any, found: tuple[Any, ...], values: Any) -> None:
    """target[found] += values where places may be named several times."""
    chosen = [dim for dim, index in enumerate(found) if not isinstance(index, slice)]
    rest = [dim for dim in range(target.ndim) if dim not in chosen]
    arrays = numpy.broadcast_arrays(*[found[dim] for dim in chosen])
    sizes = [target.shape[dim] for dim in chosen]
    result = _result_shape(found, target.shape)
    if result is None:
        raise IndexError
    values = numpy.broadcast_to(values, result)
    picked_ndim = arrays[0].ndim
    if chosen[-1] - chosen[0] == len(chosen) - 1 and chosen[0]:
        front = range(chosen[0], chosen[0] + picked_ndim)
        values = numpy.moveaxis(values, tuple(front), tuple(range(picked_ndim)))
    linear = numpy.zeros(arrays[0].shape, numpy.int64)
    for array, size in zip(arrays, sizes, strict=True):
        linear = linear * size + numpy.where(array < 0, array + size, array)
    front_first = target.transpose([*chosen, *rest])
    row = front_first.shape[len(chosen) :]
    count = 1
    for size in sizes:
        count *= size
    rows = front_first.reshape(count, *row)
    add_rows(rows, linear.reshape(-1), values.reshape(linear.size, *row))
    if not numpy.may_share_memory(rows, target):
        front_first[...] = rows.reshape(front_first.shape)


def index_backward(
    xp: Any, input: Any, input_sizes: tuple[int, ...], indices: Indices
) -> Any:
    """Zeros to which the gradient is added where it came from."""
    result = numpy.zeros(input_sizes, input.dtype)
    if input.size == 0:
        return result
    found = places(indices, input_sizes)
    if len(indices) == 1 and indices[0] is not None and indices[0]._array.dtype.kind == "b":
        result[found] = input  # a mask names no place twice
    else:
        add_at(result, found, input)
    return result


operator(
    "index", picked, kinds={"indices": "any"}, function=False, method=False, out=False,
    input=lambda o, g, indices, input_shape: o.index_backward(g, input_shape, indices),
    doc="Elements at the places that tensors name.",
)  # fmt: skip
operator(
    "index_backward", index_backward, kinds={"indices": "any", "input_sizes": "ints"},
    function=False, method=False, out=False, label="IndexPutBackward",
    input=lambda o, g, indices: o.index(g, indices),
    doc="The derivative of picking elements.",
)  # fmt: skip


def index_put(xp: Any, input: Any, indices: Indices, values: Any, accumulate: bool = False) -> Any:
    """A copy of an array with values written at, or added to, the places that tensors name."""
    result = input.copy()
    put_at(result, indices, values, accumulate)
    return result


def put_values_gradient(o: Any, g: Any, indices: Indices, shape: tuple[int, ...]) -> Any:
    """The gradient at the places, summed to the shape of the values."""
    g = o.index(g, indices)
    have = g._array.shape if isinstance(g, Tensor) else g.shape
    if have == shape:
        return g
    if len(shape) > len(have):
        return o.reshape(o.sum_to_size(g, shape[len(shape) - len(have) :]), shape)
    return o.sum_to_size(g, shape)


def put_input_gradient(
    o: Any, g: Any, indices: Indices, accumulate: bool, values_shape: Any, values_type: Any
) -> Any:
    """The gradient without the places that were written over."""
    if accumulate:
        return g
    return o._index_put(g, indices, o.zeros_of((), values_type), False)


operator(
    "_index_put", index_put, kinds={"indices": "any", "accumulate": "bool"},
    function=False, method=False, out=False, label="IndexPutBackward",
    input=lambda o, g, indices, accumulate, values_shape, values_type: put_input_gradient(
        o, g, indices, accumulate, values_shape, values_type
    ),
    values=lambda o, g, indices, values_shape: put_values_gradient(o, g, indices, values_shape),
    doc="A copy with values written at the places that tensors name.",
)  # fmt: skip


def _index_tensors(input: Tensor, indices: Any) -> Indices:
    if not isinstance(indices, (tuple, list)):
        raise ArgumentError(
            "index_put(): argument 'indices' (position 2) must be tuple of Tensors, not "
            f"{type(indices).__name__}"
        )
    for position, tensor in enumerate(indices):
        if not isinstance(tensor, Tensor):
            raise ArgumentError(
                f"expected Tensor as element {position} in argument 0, but got "
                f"{type(tensor).__name__}"
            )
        check_index_type(tensor)
    return indices_of([mask_of(t) if t._type.dtype is dtypes.uint8 else t for t in indices])


def check_put(input: Tensor, indices: Any, values: Tensor) -> None:
    """Raise PyTorch's error for values of another dtype; one value goes with any masks."""
    if values._array.size == 1 and all(
        t is None or t._array.dtype.kind == "b" for t in indices
    ):
        return
    if values._type.dtype is not input._type.dtype:
        raise DTypeError(
            "Index put requires the source and destination dtypes match, got "
            f"{input._type.dtype.title} for the destination and {values._type.dtype.title} for the "
            "source.",
            hint="convert the values: values.to(x.dtype)",
        )


def index_put_function(
    o: Any, input: Any, indices: Any, values: Any, accumulate: bool = False
) -> Any:
    """`_index_put` with its arguments checked."""
    tensors = _index_tensors(input, indices)
    check_put(input, tensors, values)
    return o._index_put(input, tensors, values, accumulate)


def index_put_inplace(
    o: Any, input: Any, indices: Any, values: Any, accumulate: bool = False
) -> Any:
    """Values written into the tensor itself."""
    check_writable(input, (values,))
    tensors = _index_tensors(input, indices)
    check_put(input, tensors, values)
    return put_tensor(input, tensors, values, accumulate)


def put_tensor(input: Tensor, indices: Indices, values: Tensor, accumulate: bool) -> Tensor:
    """Write values at places of a tensor, and record it."""
    check_overlap(input, values, whole=True)

    def act(array: Any) -> None:
        put_at(array, indices, values._array, accumulate)

    return write_into(TABLE["_index_put"], input, act, (input, indices, values, accumulate))


_PUT: Final = {"indices": "any", "accumulate": "bool"}
composite(
    "index_put", index_put_function, kinds=_PUT,
    doc="A copy with values written at, or added to, the places that tensors name.",
)  # fmt: skip
composite(
    "index_put_", index_put_inplace, kinds=_PUT,
    doc="Values written at, or added to, the places that tensors name.",
)  # fmt: skip


def check_index_type(tensor: Tensor) -> None:
    """Raise PyTorch's error for a tensor whose dtype is no index's."""
    dtype = tensor._type.dtype
    if dtype not in _INDEX_TYPES:
        raise DimensionError("tensors used as indices must be long, int, byte or bool tensors")


_INDEX_TYPES: Final = (dtypes.int64, dtypes.int32, dtypes.bool_, dtypes.uint8)


def mask_of(tensor: Tensor) -> Tensor:
    """A uint8 tensor as the mask that it stood for before there was bool."""
    import warnings

    warnings.warn(
        "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
        stacklevel=6,
    )
    return int_tensor(tensor._array != 0)


def int_tensor(array: Any) -> Tensor:
    """A tensor on an array of integers or booleans."""
    return new_tensor(array, CPU_TYPES[array.dtype])
