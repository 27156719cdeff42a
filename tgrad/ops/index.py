"""Reading and writing with `x[...]`.

Note [An index in two parts]
    Numbers, slices, None and `...` make a view, one step of which is one node in the graph.  What is
    left, tensors and what is turned into them, picks elements of that view and makes a copy.  In
    contrast to NumPy a number never counts as a tensor, so the picked dimensions of
    `x[0, :, [0, 1]]` stay where they are.
"""

from __future__ import annotations

import operator as python
import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy

from tgrad.backends.scatter import add_rows
from tgrad.core import dtype as dtypes
from tgrad.core.device import CPU_TYPES
from tgrad.core.engine import Spaces
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import (
    ArgumentError,
    ArgumentValueError,
    AutogradError,
    DimensionError,
    DTypeError,
    ShapeError,
)
from tgrad.ops.filling import fill_tensor, stored_number
from tgrad.ops.inplace import check_overlap, check_writable, write_into
from tgrad.ops.strided import selected
from tgrad.ops.table import TABLE, composite, operator, view

view(
    "_select", selected, kinds={"index": "int"}, function=False, method=False,
    label="SelectBackward",
    input=lambda o, g, dim, index, input_shape: o.select_backward(g, input_shape, dim, index),
    doc="`select` after its arguments were checked.",
)  # fmt: skip

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
        raise index_error(found, input.shape, error) from None
    if not result.flags.c_contiguous:
        result = result.copy()
    if 1 in result.shape:  # for PyTorch's strides of these dimensions
        result = numpy.ndarray(result.shape, result.dtype, result)
    return result


def put_at(target: Any, indices: Indices, values: Any, accumulate: bool) -> None:
    """Write (or add) values at the places that tensors name."""
    found = places(indices, target.shape)
    try:
        if accumulate:
            add_at(target, found, values)
        else:
            target[found] = values
    except (IndexError, ValueError) as error:
        result = _result_shape(found, target.shape)
        if result is not None and not _fits(values.shape, result):
            raise ShapeError(
                f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to "
                f"indexing result of shape {list(result)}"
            ) from None
        raise index_error(found, target.shape, error) from None


def _result_shape(found: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[int, ...] | None:
    try:
        return numpy.broadcast_to(numpy.int8(0), shape)[found].shape
    except (IndexError, ValueError):
        return None


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
        _check_index_type(tensor)
    return indices_of([_mask(t) if t._type.dtype is dtypes.uint8 else t for t in indices])


def _check_put(input: Tensor, indices: Any, values: Tensor) -> None:
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
    _check_put(input, tensors, values)
    return o._index_put(input, tensors, values, accumulate)


def index_put_inplace(
    o: Any, input: Any, indices: Any, values: Any, accumulate: bool = False
) -> Any:
    """Values written into the tensor itself."""
    check_writable(input, (values,))
    tensors = _index_tensors(input, indices)
    _check_put(input, tensors, values)
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

# ---------------------------------------------------------------- the parts of an index


def _check_index_type(tensor: Tensor) -> None:
    dtype = tensor._type.dtype
    if dtype not in _INDEX_TYPES:
        raise DimensionError("tensors used as indices must be long, int, byte or bool tensors")


_INDEX_TYPES: Final = (dtypes.int64, dtypes.int32, dtypes.bool_, dtypes.uint8)


def _mask(tensor: Tensor) -> Tensor:
    """A uint8 tensor as the mask that it stood for before there was bool."""
    import warnings

    warnings.warn(
        "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
        stacklevel=6,
    )
    return _int_tensor(tensor._array != 0)


def _int_tensor(array: Any) -> Tensor:
    return new_tensor(array, CPU_TYPES[array.dtype])


def _not_an_index(value: Any) -> DimensionError:
    name = type(value).__name__
    if isinstance(value, numpy.generic):
        name = f"numpy.{name.removesuffix('_')}"
    return DimensionError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
        f"indices (got {name})"
    )


def _as_parts(index: Any) -> tuple[Any, ...]:
    """An index as a tuple of parts; a short list with a sequence in it counts as one."""
    if isinstance(index, tuple):
        return index
    if isinstance(index, list) and len(index) < 32 and any(
        item is None or item is ... or isinstance(item, (Tensor, slice, list, tuple, range))
        for item in index
    ):
        return tuple(index)
    return (index,)


def _normal(part: Any) -> Any:
    """A part as int, slice, None, `...`, bool or tensor."""
    kind = type(part)
    if kind is int or kind is slice or part is None or part is ... or kind is bool:
        return part
    if isinstance(part, Tensor):
        return _normal_tensor(part)
    if isinstance(part, numpy.ndarray):
        return _normal_tensor(_int_tensor(numpy.ascontiguousarray(part).reshape(part.shape)))
    if isinstance(part, (list, tuple, range)):
        return _normal_tensor(_sequence_tensor(part))
    if isinstance(part, str):
        raise ArgumentError(f"new(): invalid data type '{type(part).__name__}'")
    if isinstance(part, (float, complex, numpy.bool_)):
        raise _not_an_index(part)
    try:
        return python.index(part)
    except TypeError:
        raise _not_an_index(part) from None


def _normal_tensor(tensor: Tensor) -> Any:
    array = tensor._array
    if array.ndim == 0 and array.dtype.kind in "iu" and array.dtype != numpy.uint8:
        return int(array)
    _check_index_type(tensor)
    if array.dtype == numpy.uint8:
        tensor = _mask(tensor)
        array = tensor._array
    if array.ndim == 0:
        return bool(array)
    return tensor


def _sequence_tensor(part: Any) -> Tensor:
    values = [item._array.item() if isinstance(item, Tensor) else item for item in part]
    if not values:
        return _int_tensor(numpy.zeros(0, numpy.int64))
    try:
        array = numpy.array(values)
    except ValueError:
        raise _not_an_index(part) from None
    if array.dtype.kind == "U":
        raise ArgumentError("new(): invalid data type 'str'")
    if array.dtype.kind == "O":
        raise _not_an_index(part)
    return _int_tensor(array)


def _takes(part: Any) -> int:
    """How many dimensions a part uses up."""
    if part is None or part is ... or part is True or part is False:
        return 0
    if isinstance(part, Tensor) and part._array.dtype.kind == "b":
        return int(part._array.ndim)
    return 1


def _slice_bounds(part: slice) -> tuple[Any, Any, int]:
    step = 1 if part.step is None else _bound(part.step)
    if step == 0:
        raise ArgumentValueError("slice step cannot be zero")
    if step < 0:
        raise ArgumentValueError(
            "step must be greater than zero", hint="flip(dim) reverses a dimension"
        )
    start = None if part.start is None else _bound(part.start)
    stop = None if part.stop is None else _bound(part.stop)
    return start, stop, step


def _bound(value: Any) -> int:
    try:
        return python.index(value)
    except TypeError:
        raise ArgumentError(
            "slice indices must be integers or None or have an __index__ method"
        ) from None


def _out_of_bounds(index: int, dim: int, size: int) -> DimensionError:
    return DimensionError(f"index {index} is out of bounds for dimension {dim} with size {size}")


def apply_basic(x: Tensor, index: Any, o: Any = None) -> tuple[Tensor, list[Any]]:
    """The view for the simple parts of an index, and the tensors for what is left of it."""
    o = o or Spaces.recorded
    parts = [_normal(part) for part in _as_parts(index)]
    used = sum(map(_takes, parts))
    ndim = x._array.ndim
    if used > ndim:
        raise _too_many(x, index)
    alone = len(parts) == 1
    view = x
    tensors: list[Any] = []
    dim = real = covered = 0
    for part in parts:
        if part is ...:
            dim += ndim - used
            real += ndim - used
        elif part is None:
            view = o.unsqueeze(view, dim)
            dim += 1
        elif part is True or part is False:
            view = o.unsqueeze(view, dim)
            tensors += [None] * (dim - covered) + [_int_tensor(numpy.zeros(int(part), numpy.int64))]
            dim = covered = dim + 1
        elif type(part) is slice:
            start, stop, step = _slice_bounds(part)
            if alone or not (start in (None, 0) and stop is None and step == 1):
                view = _slice(o, view, dim, start, stop, step, alone)
            dim += 1
            real += 1
        elif type(part) is int:
            size = view._array.shape[dim]
            if not -size <= part < size:
                raise _out_of_bounds(part, real, size)
            view = o._select(view, dim, part)
            real += 1
        else:
            tensors += [None] * (dim - covered) + [part]
            dim = covered = dim + _takes(part)
            real += _takes(part)
    return view, tensors


def _too_many(x: Tensor, index: Any) -> DimensionError:
    if x._array.ndim == 0 and isinstance(index, slice):
        return DimensionError("slice() cannot be applied to a 0-dim tensor.")
    if x._array.ndim == 0 and not isinstance(index, tuple):
        return DimensionError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or "
            "`tensor.item<T>()` in C++ to convert a 0-dim tensor to a number"
        )
    return DimensionError(f"too many indices for tensor of dimension {x._array.ndim}")


def _slice(o: Any, view: Tensor, dim: int, start: Any, stop: Any, step: int, alone: bool) -> Tensor:
    size = view._array.shape[dim]
    if not alone and start in (None, 0) and step == 1 and stop == size:
        return view
    result: Tensor = o.slice(
        view, dim, 0 if start is None else start, sys.maxsize if stop is None else stop, step
    )
    return result


# ---------------------------------------------------------------- reading


def getitem(self: Tensor, index: Any) -> Any:
    """`x[index]`: a view for numbers and slices, a copy for tensors, lists and masks."""
    if type(index) is int:
        array = self._array
        if array.ndim:
            size = len(array)
            if not -size <= index < size:
                raise _out_of_bounds(index, 0, size)
            return Spaces.recorded._select(self, 0, index)
    view, tensors = apply_basic(self, index)
    if tensors:
        return Spaces.recorded.index(view, indices_of(tensors))
    return Spaces.recorded.alias(view) if view is self else view


# ---------------------------------------------------------------- writing


def setitem(self: Tensor, index: Any, value: Any) -> None:
    """`x[index] = value`: the value, broadcast and converted, is written to the tensor itself."""
    kind = type(value)
    if kind is not Tensor and kind not in _NUMBERS:
        if not isinstance(value, (Tensor, bool, int, float, complex)):
            raise ArgumentError(f"can't assign a {_class(value)} to a {self._type.name}")
    if not (state.grad and (self._edge is not None or self._view is not None)) and _plain(
        self, index, value
    ):
        return
    view, tensors = apply_basic(self, index)
    if not tensors:
        _copy_to(view, value)
        return
    if kind is not Tensor:
        value = new_tensor(stored_number(value, self._type, True), self._type)
    elif value._array.ndim > view._array.ndim:
        value = _without_leading_ones(value, view._array.ndim)
    if tensors and all(t is None or t._array.size for t in tensors):
        check_writable(view, (value,))
        _check_put(view, tensors, value)
        put_tensor(view, indices_of(tensors), value, False)


_NUMBERS: Final = frozenset((bool, int, float, complex))


def _class(value: Any) -> str:
    module = type(value).__module__
    return f"numpy.{type(value).__name__}" if module == "numpy" else type(value).__name__


_SAFE: Final = 65504.0


def _plain(x: Tensor, index: Any, value: Any) -> bool:
    """Write by a simple index where nothing is to be recorded; whether it was done."""
    array = x._array
    target = _simple_target(array, index)
    if target is None:
        return False
    if type(value) is Tensor:
        source = value._array
        if (
            (state.grad and (value._edge is not None or value._view is not None))
            or source.dtype is not array.dtype
            or (value._storage is not None and value._storage is x._storage)
            or source.shape != array[target].shape
        ):
            return False
        value = source
    elif not (type(value) is float and -_SAFE < value < _SAFE and x._type.inexact):
        value = stored_number(value, x._type, True)
    array[target] = value
    x.bump_version()
    return True


def _simple_target(array: Any, index: Any) -> Any:
    """An index as NumPy takes it, if it is an int, a slice, as many ints, or a mask; else None."""
    kind = type(index)
    if kind is int:
        if array.ndim == 0:
            return None
        if not -len(array) <= index < len(array):
            raise _out_of_bounds(index, 0, len(array))
        return index
    if kind is slice:
        _slice_bounds(index)
        return index if array.ndim else None
    if kind is Tensor:
        mask = index._array
        return mask if mask.dtype.kind == "b" and mask.shape == array.shape and mask.ndim else None
    if kind is not tuple or len(index) != array.ndim or not index:
        return None
    for dim, part in enumerate(index):
        if type(part) is slice:
            _slice_bounds(part)
        elif type(part) is not int:
            return None
        elif not -array.shape[dim] <= part < array.shape[dim]:
            raise _out_of_bounds(part, dim, array.shape[dim])
    return index


def _without_leading_ones(value: Tensor, ndim: int) -> Tensor:
    shape = value._array.shape
    extra = 0
    while len(shape) - extra > ndim and shape[extra] == 1:
        extra += 1
    if not extra:
        return value
    result: Tensor = Spaces.recorded.view(value, shape[extra:])
    return result


def _copy_to(view: Tensor, value: Any) -> None:
    o = Spaces.recorded
    if not isinstance(value, Tensor):
        value = new_tensor(stored_number(value, view._type, True), view._type)
    if value._array.ndim == 0 and view._array.ndim:
        fill_tensor(None, view, value)
        return
    shape = view._array.shape
    have = value._array.shape
    if have != shape:
        extra = 0
        while extra < len(have) and have[extra] == 1:
            extra += 1
        extra = min(extra, max(len(have) - len(shape), 0))
        if extra:
            value = o.view(value, have[extra:])
        if have[extra:] != shape:
            value = o.expand(value, shape)
    o.copy_(view, value)


ATTRIBUTES: Final[dict[str, Any]] = {"__getitem__": getitem, "__setitem__": setitem}
