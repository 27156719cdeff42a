"""Rows: elements picked by a list of index tensors and masks, and values put at their places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy

from tgrad.backends import places as kernels
from tgrad.backends.folds import LARGE
from tgrad.backends.scatter import add_rows, read_where, write_where
from tgrad.core import dtype as dtypes
from tgrad.core.device import TensorType, type_of
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ArgumentError, AutogradError, DeviceError, DimensionError, DTypeError
from tgrad.ops.geometry import element_strides, in_order, memory_order
from tgrad.ops.index_places import check_places, empty_shape, index_error, places, result_shape
from tgrad.ops.inplace import check_overlap, check_writable, write_into
from tgrad.ops.mixing import two_devices
from tgrad.ops.table import TABLE, composite, operator
from tgrad.ops.transfer import array_for, for_arrays_of, moved

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


def picked(xp: Any, input: Any, indices: Indices) -> Any:
    """The elements of an array at the places that tensors name; stored row by row."""
    arrays = indices.arrays()
    if _is_mask_of(arrays, input.shape):
        return read_where(input, arrays[0])
    if input.ndim == 1 and 1 < input.size < LARGE and _is_plain(arrays) and len(arrays[0]) > 1:
        try:
            return input[arrays[0]]
        except IndexError:
            pass  # said in PyTorch's words below
    found = places(arrays, input.shape)
    if input.size == 0:
        check_places(found, input.shape)
    try:
        result = kernels.picked(input, found) if _names_rows(input, found) else input[found]
    except (IndexError, ValueError) as error:
        check_places(found, input.shape)
        shape = empty_shape(found, input.shape)
        if shape is not None:
            return numpy.empty(shape, input.dtype)
        raise index_error(found, input.shape, error) from None
    if not input.flags.c_contiguous and result.size:
        result = in_order(result, _picked_order(input, found, result.shape))
    elif not result.flags.c_contiguous:
        result = result.copy()
    if 1 in result.shape and input.flags.c_contiguous:  # for PyTorch's strides of these dimensions
        result = _by_rows(result)
    return result


def _by_rows(array: Any) -> Any:
    """An array that is stored row by row, and says so in its strides."""
    return numpy.ndarray(array.shape, array.dtype, array)


def _is_plain(arrays: Sequence[Any]) -> bool:
    """Whether an index is a single vector of whole numbers."""
    index = arrays[0]
    return len(arrays) == 1 and type(index) is numpy.ndarray and index.ndim == 1 and index.dtype.kind == "i"


def _names_rows(input: Any, found: tuple[Any, ...]) -> bool:
    """Whether many elements are picked, by indices of the first dimensions."""
    if input.size < LARGE or not input.flags.c_contiguous:
        return False
    return all(not isinstance(index, slice) and index.ndim for index in found)


def _is_mask_of(arrays: Sequence[Any], shape: tuple[int, ...]) -> bool:
    """Whether an index is a single mask of a shape with dimensions."""
    mask = arrays[0]
    if len(arrays) > 1 or isinstance(mask, slice) or mask.dtype.kind != "b":
        return False
    return bool(mask.shape == shape and mask.ndim > 0)


def _picked_order(input: Any, found: tuple[Any, ...], shape: tuple[int, ...]) -> list[int]:
    """The order in memory that PyTorch gives the result, from the input's strides and the indices'."""
    chosen = [dim for dim, index in enumerate(found) if not isinstance(index, slice)]
    indices = numpy.broadcast_arrays(*[found[dim] for dim in chosen])
    count = indices[0].ndim
    adjacent = chosen[-1] - chosen[0] == len(chosen) - 1
    front = chosen[0] if adjacent else 0
    rest = [step for dim, step in enumerate(element_strides(input)) if dim not in chosen]
    source = (*rest[:front], *(0,) * count, *rest[front:])
    after = (0,) * (len(rest) - front)
    return memory_order(shape, [source, *[((0,) * front + i.strides + after) for i in indices]])


def put_at(target: Any, indices: Indices, values: Any, accumulate: bool) -> None:
    """Write (or add) values at the places that tensors name."""
    found = places(indices.arrays(), target.shape)
    try:
        if accumulate:
            add_at(target, found, values)
        else:
            kernels.put_checked(target, found, values)
    except (IndexError, ValueError) as error:
        check_places(found, target.shape, values)
        if empty_shape(found, target.shape) is not None:
            return
        raise index_error(found, target.shape, error) from None
    if values.ndim and (values.size == 0 or target.size == 0 or any(
        array.size == 0 for array in found if not isinstance(array, slice)
    )):  # fmt: skip
        check_places(found, target.shape, values)  # where nothing is written NumPy doesn't look


def add_at(target: Any, found: tuple[Any, ...], values: Any) -> None:
    """target[found] += values where places may be named several times."""
    chosen = [dim for dim, index in enumerate(found) if not isinstance(index, slice)]
    rest = [dim for dim in range(target.ndim) if dim not in chosen]
    arrays = numpy.broadcast_arrays(*[found[dim] for dim in chosen])
    sizes = [target.shape[dim] for dim in chosen]
    linear = kernels.row_numbers(arrays, sizes)
    picked_ndim = arrays[0].ndim
    values = numpy.broadcast_to(values, result_shape(found, target.shape, arrays[0].shape))
    if chosen[-1] - chosen[0] == len(chosen) - 1 and chosen[0]:
        front = range(chosen[0], chosen[0] + picked_ndim)
        values = numpy.moveaxis(values, tuple(front), tuple(range(picked_ndim)))
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
    arrays = indices.arrays()
    if _is_mask_of(arrays, result.shape):
        write_where(result, arrays[0], input)
        return result
    if len(input_sizes) == 1 and _is_plain(arrays) and result.dtype.kind == "f":
        numpy.add.at(result, arrays[0], input)
        return result
    found = places(arrays, input_sizes)
    if len(indices) == 1 and indices[0] is not None and indices[0]._array.dtype.kind == "b":
        result[found] = input  # a mask names no place twice
    else:
        add_at(result, found, input)
    return result


operator(
    "index", picked, kinds={"indices": "any"}, function=False, method=False, out=False,
    input=lambda o, g, indices, input_shape: o.index_backward(g, input_shape, indices),
    narrow=True, doc="Elements at the places that tensors name.",
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


def _given_tensors(indices: Any) -> Any:
    """The argument `indices`, after a look at what it is."""
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
    return indices


def check_put(
    input: Tensor, tensors: Sequence[Any], values: Tensor, accumulate: bool = False
) -> Indices:
    """The tensors of an index, for writing values there.

    Raises PyTorch's errors for the index, for the values' shape, and for values of another dtype; a
    single value goes with any mask.
    """
    given = [t for t in tensors if t is not None]
    if values._array.size == 1 and len(given) == 1 and not accumulate and given[0]._type.dtype in _MASKS:
        masks = [None if t is None else _as_mask(_beside(t, input._type)) for t in tensors]
        indices = indices_of(masks)
        places(indices.arrays(), input._array.shape)
        if given[0]._type.dtype is dtypes.uint8:
            raise DTypeError(
                "masked_fill_ only supports boolean masks, but got mask with dtype unsigned char"
            )
        return indices
    indices = index_tensors(tensors, input._type)
    if values._type.dtype is not input._type.dtype:
        shape = input._array.shape
        check_places(places(indices.arrays(), shape), shape, values._array)
        raise DTypeError(
            "Index put requires the source and destination dtypes match, got "
            f"{input._type.dtype.title} for the destination and {values._type.dtype.title} for the "
            "source.",
            hint="convert the values: values.to(x.dtype)",
        )
    return indices


def index_put_function(
    o: Any, input: Any, indices: Any, values: Any, accumulate: bool = False
) -> Any:
    """`_index_put` with its arguments checked."""
    tensors = check_put(input, _given_tensors(indices), values, accumulate)
    return o._index_put(input, tensors, values, accumulate)


def index_put_inplace(
    o: Any, input: Any, indices: Any, values: Any, accumulate: bool = False
) -> Any:
    """Values written into the tensor itself."""
    check_writable(input, (values,))
    tensors = check_put(input, _given_tensors(indices), values, accumulate)
    return put_tensor(input, tensors, values, accumulate)


def put_tensor(input: Tensor, indices: Indices, values: Tensor, accumulate: bool) -> Tensor:
    """Write values at places of a tensor, and record it."""
    check_overlap(input, values, whole=True)
    if values._array.ndim and values._type.device != input._type.device:
        raise two_devices(values._type.device, input._type.device)
    array = array_for(values, input._type)
    put = for_arrays_of(input._type, put_at)

    def act(target: Any) -> None:
        put(target, indices, array, accumulate)

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


_INDEX_TYPES: Final = (dtypes.int64, dtypes.int32, dtypes.bool_, dtypes.uint8)
_MASKS: Final = (dtypes.bool_, dtypes.uint8)


def index_tensors(tensors: Sequence[Any], type_: TensorType) -> Indices:
    """Tensors as `Indices` for a tensor of a type.

    Masks of uint8, as they were before there was bool, become masks of bool, and tensors on the CPU are
    taken to the tensor's device.

    Raises:
        DimensionError: a tensor has a dtype that is no index's.
    """
    if any(t is not None and t._type.dtype not in _INDEX_TYPES for t in tensors):
        raise DimensionError("tensors used as indices must be long, int, byte or bool tensors")
    return indices_of([None if t is None else mask_of(_beside(t, type_)) for t in tensors])


def _beside(index: Tensor, type_: TensorType) -> Tensor:
    """An index on the device of a type; DeviceError if it is neither there nor on the CPU."""
    own = index._type
    if own.xp is type_.xp:
        return index
    if own.backend is not None:
        raise DeviceError(
            f"indices should be either on cpu or on the same device as the indexed tensor ({type_.device})"
        )
    target = type_.related[own.dtype]
    return new_tensor(moved(index._array, own, target), target)


def _as_mask(tensor: Tensor) -> Tensor:
    return tensor if tensor._type.dtype is dtypes.bool_ else int_tensor(tensor._array != 0)


def mask_of(tensor: Tensor) -> Tensor:
    """A uint8 tensor as the mask that it stood for before there was bool, others as they are."""
    if tensor._type.dtype is not dtypes.uint8:
        return tensor
    import warnings

    warnings.warn(
        "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
        stacklevel=6,
    )
    return _as_mask(tensor)


def int_tensor(array: Any) -> Tensor:
    """A tensor on an array of integers or booleans."""
    return new_tensor(array, type_of(array))
