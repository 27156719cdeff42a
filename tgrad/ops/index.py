"""Reading and writing with `x[...]`.

Note [An index in two parts]
    Numbers, slices, None and `...` make a view, one step of which is one node in the graph.  What
    is left, tensors and what is turned into them, picks elements of that view and makes a copy.  In
    contrast to NumPy a number never counts as a tensor, so the picked dimensions of
    `x[0, :, [0, 1]]` stay where they are.
"""

from __future__ import annotations

import operator as python
import sys
from typing import Any, Final

import numpy

from tgrad.core import dtype as dtypes
from tgrad.core.engine import Spaces
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import (
    ArgumentError,
    ArgumentValueError,
    DimensionError,
)
from tgrad.ops.arguments import type_name
from tgrad.ops.filling import fill_tensor, stored_array, stored_number
from tgrad.ops.inplace import check_writable
from tgrad.ops.strided import selected
from tgrad.ops.table import view
from tgrad.ops.tensor_index import (
    check_put,
    index_tensors,
    indices_of,
    int_tensor,
    put_tensor,
)

view(
    "_select", selected, kinds={"index": "int"}, function=False, method=False,
    label="SelectBackward",
    input=lambda o, g, dim, index, input_shape: o.select_backward(g, input_shape, dim, index),
    doc="`select` after its arguments were checked.",
)  # fmt: skip

# ---------------------------------------------------------------- the parts of an index


def _not_an_index(value: Any) -> DimensionError:
    name = type_name(value)
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
        return _normal_tensor(int_tensor(numpy.ascontiguousarray(part).reshape(part.shape)))
    if isinstance(part, (list, tuple, range)):
        return _sequence_tensor(part)
    if isinstance(part, (str, bytes)):
        raise ArgumentError(f"new(): invalid data type '{kind.__name__}'")
    if isinstance(part, (float, complex, numpy.bool_)):
        raise _not_an_index(part)
    try:
        return python.index(part)
    except TypeError:
        raise _not_an_index(part) from None


def _normal_tensor(tensor: Tensor) -> Any:
    array = tensor._array
    if array.ndim == 0 and array.dtype.kind in "iub":
        mask = array.dtype.kind == "b" or array.dtype == numpy.uint8
        return bool(array) if mask else int(array)
    return tensor


def _sequence_tensor(part: Any) -> Tensor:
    """A sequence as an index: masks stay masks, all other numbers become whole ones."""
    from tgrad.ops.factory import array_of

    array, dtype = array_of(part, None)
    if dtype not in (dtypes.bool_, dtypes.uint8, dtypes.int64):
        array, _ = array_of(part, dtypes.int64)
    return int_tensor(array)


def _takes(part: Any) -> int:
    """How many dimensions a part uses up."""
    if part is None or part is ... or part is True or part is False:
        return 0
    if isinstance(part, Tensor) and part._type.dtype in (dtypes.bool_, dtypes.uint8):
        return int(part._array.ndim)
    return 1


def _slice_bounds(part: slice) -> tuple[Any, Any, int]:
    start, stop, step = part.start, part.stop, part.step
    step = 1 if step is None else _bound(step)
    if start is not None and type(start) is not int:
        start = _bound(start)
    if stop is not None and type(stop) is not int:
        stop = _bound(stop)
    if step == 0:
        raise ArgumentValueError("slice step cannot be zero")
    if step < 0:
        raise ArgumentValueError(
            "step must be greater than zero", hint="flip(dim) reverses a dimension"
        )
    return start, stop, step


def _bound(value: Any) -> int:
    try:
        return python.index(value)
    except TypeError:
        raise ArgumentError(
            "slice indices must be integers or None or have an __index__ method"
        ) from None


def _out_of_bounds(index: int, dim: int, size: int) -> Exception:
    if not -(1 << 63) <= index < 1 << 63:
        return ArgumentValueError("Overflow when unpacking long long")
    return DimensionError(f"index {index} is out of bounds for dimension {dim} with size {size}")


def apply_basic(x: Tensor, index: Any, write: bool = False) -> tuple[Tensor, list[Any]]:
    """The view for the simple parts of an index, and the tensors for what is left of it.

    A slice of everything is skipped, but for one that is the whole index of a reading.
    """
    o, xp = Spaces.recorded, x._type.xp
    parts = _as_parts(index)
    used = sum(map(_takes, parts))
    ndim = x._array.ndim
    if used > ndim:
        raise _too_many(x, index)
    alone = isinstance(index, slice) and not write
    view = x
    tensors: list[Any] = []
    dim = covered = 0
    for position, given in enumerate(parts):
        part = _normal(given)
        if part is ...:
            dim += ndim - used
        elif part is None:
            view = o.unsqueeze(view, dim)
            dim += 1
        elif part is True or part is False:
            view = o.unsqueeze(view, dim)
            tensors += [None] * (dim - covered) + [int_tensor(xp.zeros(int(part), numpy.int64))]
            dim = covered = dim + 1
        elif type(part) is slice:
            start, stop, step = _slice_bounds(part)
            if alone or not (start in (None, 0) and stop is None and step == 1):
                view = _slice(o, view, dim, start, stop, step, alone)
            dim += 1
        elif type(part) is int:
            size = view._array.shape[dim]
            if not -size <= part < size:
                raise _out_of_bounds(part, position, size)  # as PyTorch counts
            view = o._select(view, dim, part)
        else:
            tensors += [None] * (dim - covered) + [part]
            dim = covered = dim + _takes(part)
    return view, tensors


def _too_many(x: Tensor, index: Any) -> Exception:
    if x._array.ndim == 0 and isinstance(index, slice):
        return DimensionError("slice() cannot be applied to a 0-dim tensor.")
    if x._array.ndim == 0 and isinstance(index, int):
        if index:
            return _out_of_bounds(index, 0, 0)
        return DimensionError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or "
            "`tensor.item<T>()` in C++ to convert a 0-dim tensor to a number"
        )
    return DimensionError(f"too many indices for tensor of dimension {x._array.ndim}")


def _slice(o: Any, view: Tensor, dim: int, start: Any, stop: Any, step: int, alone: bool) -> Tensor:
    size = view._array.shape[dim]
    if not alone and start in (None, 0) and step == 1 and stop is not None and stop >= size:
        return view
    result: Tensor = o.slice(
        view, dim, 0 if start is None else start, sys.maxsize if stop is None else stop, step
    )
    return result


# ---------------------------------------------------------------- reading


def getitem(self: Tensor, index: Any) -> Any:
    """`x[index]`: a view for numbers and slices, a copy for tensors, lists and masks."""
    kind = type(index)
    array = self._array
    if kind is int and array.ndim:
        size = len(array)
        if not -size <= index < size:
            raise _out_of_bounds(index, 0, size)
        return Spaces.recorded._select(self, 0, index)
    if kind is tuple and len(index) <= array.ndim and _SIMPLE.issuperset(map(type, index)):
        view = _simple_view(self, index)
    elif kind is slice and array.ndim:
        return _slice(Spaces.recorded, self, 0, *_slice_bounds(index), True)
    elif (
        kind is Tensor
        and index._array.ndim
        and array.ndim
        and index._type.dtype in _PICKING
        and index._type.xp is self._type.xp
    ):
        return Spaces.recorded.index(self, indices_of((index,)))
    else:
        view, tensors = apply_basic(self, index)
        if tensors:
            return Spaces.recorded.index(view, index_tensors(tensors, self._type))
    return Spaces.recorded.alias(view) if view is self else view


_SIMPLE: Final = frozenset((int, slice))
_PICKING: Final = frozenset((dtypes.int64, dtypes.bool_))


def _simple_view(x: Tensor, index: tuple[Any, ...]) -> Tensor:
    """The view for several ints and slices."""
    o = Spaces.recorded
    view = x
    dim = 0
    for position, part in enumerate(index):
        if type(part) is int:
            size = view._array.shape[dim]
            if not -size <= part < size:
                raise _out_of_bounds(part, position, size)
            view = o._select(view, dim, part)
            continue
        start, stop, step = _slice_bounds(part)
        if stop is not None or step != 1 or (start is not None and start != 0):
            view = _slice(o, view, dim, start, stop, step, False)
        dim += 1
    return view


# ---------------------------------------------------------------- writing


def setitem(self: Tensor, index: Any, value: Any) -> None:
    """`x[index] = value`: the value, broadcast and converted, is written to the tensor itself."""
    kind = type(value)
    if isinstance(value, numpy.integer):
        value, kind = int(value), int
    if kind is not Tensor and kind not in _NUMBERS and not isinstance(value, _VALUES):
        raise ArgumentError(f"can't assign a {_class(value)} to a {self._type.name}")
    if not (state.grad and self.requires_grad) and _plain(self, index, value):
        return
    if kind is not Tensor:
        value = new_tensor(stored_array(value, self._type, True), self._type)
    if index is False:
        return
    if index is True:
        _copy_to(Spaces.recorded.unsqueeze(self, 0), value)
        return
    view, tensors = apply_basic(self, index, write=True)
    if not tensors:
        _copy_to(view, value)
        return
    value = _without_leading_ones(value)
    check_writable(view, (value,))
    put_tensor(view, check_put(view, tensors, value), value, False)


_NUMBERS: Final = frozenset((bool, int, float, complex))
_VALUES: Final = (Tensor, bool, int, float, complex)


def _class(value: Any) -> str:
    module = type(value).__module__
    return f"numpy.{type(value).__name__}" if module == "numpy" else type(value).__name__


_SAFE: Final = 65504.0


def _plain(x: Tensor, index: Any, value: Any) -> bool:
    """Write by a simple index where nothing is to be recorded; whether it was done."""
    array = x._array
    if type(value) is not Tensor and not (
        type(value) is float and -_SAFE < value < _SAFE and x._type.inexact
    ):
        value = stored_number(value, x._type.dtype, True)
        if x._type.backend is not None:
            value = x._type.backend.number(value)
    target = _simple_target(array, index)
    if target is None or 0 in array.strides:
        return False
    if type(value) is Tensor:
        source = value._array
        if (
            (state.grad and value.requires_grad)
            or type(index) is Tensor
            or type(source) is not type(array)
            or source.dtype is not array.dtype
            or source.shape != array[target].shape
            or x._type.xp.may_share_memory(source, array[target])
        ):
            return False
        value = source
    try:
        array[target] = value
    except IndexError:
        return False  # said in PyTorch's words elsewhere
    x.bump_version()
    return True


def _simple_target(array: Any, index: Any) -> Any:
    """An index as NumPy takes it, where its meaning is plain; else None.

    That is an int, a slice, one of these for each dimension, a mask of all, a tensor of int64.
    """
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
        places = index._array
        if not places.ndim or not array.ndim or type(places) is not type(array):
            return None
        if places.dtype.kind == "b":
            return places if places.shape == array.shape else None
        # Other libraries may not say what is out of range.
        return places if places.dtype == numpy.int64 and type(places) is numpy.ndarray else None
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


def _without_leading_ones(value: Tensor) -> Tensor:
    shape = value._array.shape
    extra = 0
    while extra < len(shape) and shape[extra] == 1:
        extra += 1
    return Spaces.recorded.view(value, shape[extra:]) if extra else value


def _copy_to(view: Tensor, value: Tensor) -> None:
    o = Spaces.recorded
    if value._array.ndim == 0 and view._array.ndim:
        fill_tensor(None, view, value)
        return
    shape = view._array.shape
    if value._array.shape != shape:
        value = _without_leading_ones(value)
        if value._array.shape != shape:
            value = o.expand(value, shape)
    o.copy_(view, value)


ATTRIBUTES: Final[dict[str, Any]] = {"__getitem__": getitem, "__setitem__": setitem}
