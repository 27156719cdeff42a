"""Rows: pieces of a tensor that are views: a part of a dimension, a diagonal, any strides.

Note [Pieces of a base]
    What was written through a view is differentiated in terms of its base.  A gradient of the base
    is laid out in memory as the base is (`home`: its shape and strides in elements), and the piece
    is the array with the view's shape, strides and offset in that memory.  `strided_piece` takes it
    out, `strided_spread` puts it into zeros, `strided_replace` puts it into a copy; each is the
    derivative of another one, so that second derivatives follow.
"""

from __future__ import annotations

from typing import Any, Final

import numpy

from tgrad.core.device import type_of
from tgrad.core.tensor import Tensor
from tgrad.errors import DimensionError, ShapeError, StateError
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.geometry import (
    Geometry,
    array_near,
    element_strides,
    extent,
    extents,
    first_byte,
    in_memory,
    laid_out,
)
from tgrad.ops.table import composite, operator, view

# ---------------------------------------------------------------- pieces of a base


def strided_piece(xp: Any, input: Any, home: Geometry, size: Any, stride: Any, offset: int) -> Any:
    """The piece of an array that is laid out as `home` says."""
    return in_memory(input, home, size, stride, offset)[1].copy()


def strided_replace(
    xp: Any, input: Any, source: Any, home: Geometry, size: Any, stride: Any, offset: int
) -> Any:
    """A copy of an array in which the piece is another array; zeros for None."""
    whole, piece = in_memory(input, home, size, stride, offset)
    piece[...] = 0 if source is None else source
    return whole


def strided_spread(xp: Any, input: Any, home: Geometry, size: Any, stride: Any, offset: int) -> Any:
    """Zeros, laid out as `home`, with an array added to the piece.

    Elements of the piece that are in one place are added up; what belongs to several elements of
    home is shared out among them, as in PyTorch.
    """
    start, total = extents(home, size, stride, offset)
    whole = laid_out(*home, input.dtype, total, start, type_of(input).xp)
    piece = array_near(whole, size, stride, offset)
    if overlapping(size, stride):
        places = array_near(numpy.arange(total), size, stride, start + offset)
        memory = array_near(whole, (total,), (1,), -start)
        numpy.add.at(memory, places.ravel(), numpy.ravel(input))
    else:
        piece[...] = input
    if overlapping(*home):
        places = array_near(numpy.arange(total), *home, start)
        counts = numpy.bincount(places.ravel(), minlength=total)
        return whole / counts[places].astype(whole.real.dtype)
    return whole


def overlapping(size: Any, stride: Any) -> bool:
    """Whether several elements of a geometry may be in one place."""
    if 0 in size:
        return False
    reach = 0
    for step, count in sorted((s, n) for n, s in zip(size, stride, strict=True) if n > 1):
        if step <= reach:
            return True
        reach += (count - 1) * step
    return False


_PIECE: Final = {"home": "any", "stride": "any", "offset": "any", "size": "any"}

operator(
    "strided_piece", strided_piece, kinds=_PIECE, function=False, method=False, out=False,
    input=lambda o, g, home, size, stride, offset: o.strided_spread(g, home, size, stride, offset),
    doc="The piece of a gradient that belongs to a view: Note [Pieces of a base].",
)  # fmt: skip
operator(
    "strided_spread", strided_spread, kinds=_PIECE, function=False, method=False, out=False,
    input=lambda o, g, home, size, stride, offset: o.strided_piece(g, home, size, stride, offset),
    doc="A piece put into zeros: Note [Pieces of a base].",
)  # fmt: skip
operator(
    "strided_replace", strided_replace, kinds={**_PIECE, "source": "tensor?"},
    function=False, method=False, out=False,
    input=lambda o, g, home, size, stride, offset: o.strided_replace(
        g, None, home, size, stride, offset
    ),
    source=lambda o, g, home, size, stride, offset: o.strided_piece(g, home, size, stride, offset),
    doc="A piece put into a copy: Note [Pieces of a base].",
)  # fmt: skip
view(
    "strided",
    lambda xp, input, home, size, stride, offset: array_near(input, size, stride, offset),
    kinds=_PIECE, function=False, method=False, label="AsStridedBackward",
    input=lambda o, g, home, size, stride, offset: o.strided_spread(g, home, size, stride, offset),
    doc="A view with any geometry; what `as_strided` and written-to views record.",
)  # fmt: skip


def storage_offset(tensor: Tensor) -> int:
    """Where a tensor begins in its storage, in elements."""
    storage = tensor._storage
    if storage is None or storage.array is tensor._array:
        return 0
    distance = first_byte(tensor._array) - first_byte(storage.array)
    return distance // int(tensor._array.itemsize)


def storage_bytes(tensor: Tensor) -> int:
    """The size of a tensor's storage in bytes."""
    array = tensor._array if tensor._storage is None else tensor._storage.array
    return extent(array.shape, element_strides(array)) * int(array.itemsize)


def check_placement(input: Any, size: tuple[int, ...], stride: tuple[int, ...], at: int) -> None:
    """Raise PyTorch's error for a shape, strides and offset that don't lie in a tensor's storage."""
    if len(size) != len(stride):
        raise ShapeError("mismatch in length of strides and shape")
    if min(stride, default=0) < 0:
        raise ShapeError(
            "as_strided: Negative strides are not supported at the moment, got strides: "
            f"{list(stride)}"
        )
    if at < 0:
        raise ShapeError(f"Tensor: invalid storage offset {at}")
    if min(size, default=0) < 0:
        raise ShapeError(
            f"Storage size calculation overflowed with sizes={list(size)} and "
            f"strides={list(stride)}"
        )
    itemsize = input._array.itemsize
    needed = (at + extent(size, stride)) * itemsize if 0 not in size else 0
    have = storage_bytes(input)
    if needed > have:
        raise StateError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {at}, and "
            f"itemsize {itemsize} requiring a storage size of {needed} are out of bounds for "
            f"storage of size {have}"
        )


def as_strided(
    o: Any,
    input: Any,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    storage_offset: int | None = None,
) -> Any:
    """A view with any shape and strides."""
    here = _offset(input)
    at = here if storage_offset is None else storage_offset
    check_placement(input, size, stride, at)
    home = (input._array.shape, element_strides(input._array))
    return o.strided(input, home, size, stride, at - here)


_offset = storage_offset

composite(
    "as_strided", as_strided, kinds={"size": "sequence", "stride": "sequence", "storage_offset": "int?"},
    out=False, doc="A view with any shape, strides and storage offset, counted in elements.",
)  # fmt: skip

# ---------------------------------------------------------------- parts of a dimension


def _front(dim: int, index: Any) -> Any:
    return index if dim == 0 else (slice(None),) * dim + (index,)


def check_select(input: Any, dim: int, index: int) -> None:
    """Raise PyTorch's errors for a dimension or an index that isn't there."""
    shape = input._array.shape
    if not shape:
        raise DimensionError("select() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, len(shape))
    if not -shape[dim] <= index < shape[dim]:
        raise DimensionError(
            f"select(): index {index} out of range for tensor of size {list(shape)} at dimension "
            f"{dim}"
        )


def selected(xp: Any, input: Any, dim: int, index: int) -> Any:
    """One index of a dimension, as a view also where it is a single element."""
    if dim < 0:
        dim += input.ndim
    if dim == 0:
        return input[index, ...]
    return input[(slice(None),) * dim + (index, ...)]


def select_backward(
    xp: Any, input: Any, input_sizes: tuple[int, ...], dim: int, index: int
) -> Any:
    """Zeros with an array at one index of a dimension."""
    result = numpy.zeros(input_sizes, input.dtype)
    result[_front(dim % len(input_sizes), index)] = input
    return result


view(
    "select", selected, kinds={"index": "int"}, check=check_select,
    input=lambda o, g, dim, index, input_shape: o.select_backward(g, input_shape, dim, index),
    doc="The tensor at one index of a dimension, which is gone from the result.",
)  # fmt: skip
operator(
    "select_backward", select_backward, function=False, method=False, out=False,
    kinds={"index": "int", "input_sizes": "ints"},
    input=lambda o, g, dim, index: o.select(g, dim, index),
    doc="The derivative of `select`.",
)  # fmt: skip


def sliced(
    xp: Any, input: Any, dim: int = 0, start: int | None = None, end: int | None = None,
    step: int = 1,
) -> Any:  # fmt: skip
    """Every step-th index of a dimension from start to end."""
    if input.ndim == 0:
        raise DimensionError("slice() cannot be applied to a 0-dim tensor.")
    if step <= 0:
        raise ShapeError("slice step must be positive")
    if dim == 0:
        return input[start:end:step]
    return input[_front(wrap_dim(dim, input.ndim), slice(start, end, step))]


def slice_backward(
    xp: Any, input: Any, input_sizes: tuple[int, ...], dim: int, start: Any, end: Any, step: int
) -> Any:
    """Zeros with an array at a slice of a dimension."""
    result = numpy.zeros(input_sizes, input.dtype)
    result[_front(dim % len(input_sizes), slice(start, end, step))] = input
    return result


_SLICE: Final = {"start": "int?", "end": "int?", "step": "int"}

view(
    "slice", sliced, function=False, method=False, kinds=_SLICE,
    input=lambda o, g, dim, start, end, step, input_shape: o.slice_backward(
        g, input_shape, dim, start, end, step
    ),
    doc="A slice of one dimension.",
)  # fmt: skip
operator(
    "slice_backward", slice_backward, function=False, method=False, out=False,
    kinds={**_SLICE, "input_sizes": "ints"},
    input=lambda o, g, dim, start, end, step: o.slice(g, dim, start, end, step),
    doc="The derivative of a slice.",
)  # fmt: skip


def narrow(o: Any, input: Any, dim: int, start: int, length: int) -> Any:
    """The part of a dimension that begins at start."""
    shape = input._array.shape
    if length < 0 and shape:
        raise ShapeError("narrow(): length must be non-negative.")
    first = first_part(shape, dim, start, length)
    return o.slice(input, dim, first, first + length, 1)


def first_part(shape: tuple[int, ...], dim: int, start: int, length: int) -> int:
    """Where a part of a dimension begins, counted from the front; raises PyTorch's errors."""
    if not shape:
        raise ShapeError("narrow() cannot be applied to a 0-dim tensor.")
    size = shape[wrap_dim(dim, len(shape))]
    if not -size <= start <= size:
        raise DimensionError(
            f"start out of range (expected to be in range of [{-size}, {size}], but got {start})"
        )
    first = start + size if start < 0 else start
    if not 0 <= length <= size - first:
        raise ShapeError(f"start ({first}) + length ({length}) exceeds dimension size ({size}).")
    return first


def narrow_at(o: Any, input: Any, dim: int, start: Any, length: int) -> Any:
    """`narrow` where the beginning is a tensor."""
    if start._array.ndim or start._type.category != 1:
        raise ShapeError("start must be an 0-dim integral Tensor.")
    return narrow(o, input, dim, start._array.item(), length)


composite(
    "narrow.tensor", narrow_at, kinds={"start": "tensor", "length": "int"},
    out=False, doc="The part of a dimension that begins at start and has this length.",
)  # fmt: skip
composite(
    "narrow", narrow, kinds={"start": "int", "length": "int"},
    out=False, doc="The part of a dimension that begins at start and has this length.",
)  # fmt: skip

# ---------------------------------------------------------------- diagonals and windows


def check_diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> None:
    """Raise PyTorch's error for a diagonal of a dimension with itself."""
    ndim = input._array.ndim
    first, second = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if first == second:
        raise ShapeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")


def diagonal_of(xp: Any, input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of two dimensions as the last one; a view that can be written to."""
    shape, strides = input.shape, element_strides(input)
    a, b = wrap_dim(dim1, input.ndim), wrap_dim(dim2, input.ndim)
    if offset >= 0:
        count, start = min(shape[a], shape[b] - offset), offset * strides[b]
    else:
        count, start = min(shape[a] + offset, shape[b]), -offset * strides[a]
    count = max(count, 0)
    rest = [dim for dim in range(input.ndim) if dim not in (a, b)]
    return array_near(
        input,
        (*[shape[dim] for dim in rest], count),
        (*[strides[dim] for dim in rest], strides[a] + strides[b]),
        start if count else 0,
    )


def diagonal_backward(
    xp: Any, input: Any, input_sizes: tuple[int, ...], offset: int, dim1: int, dim2: int
) -> Any:
    """Zeros with an array on the diagonal."""
    result = numpy.zeros(input_sizes, input.dtype)
    diagonal_of(xp, result, offset, dim1, dim2)[...] = input
    return result


view(
    "diagonal", diagonal_of, check=check_diagonal, kinds={"dim1": "int", "dim2": "int"},
    input=lambda o, g, offset, dim1, dim2, input_shape: o.diagonal_backward(
        g, input_shape, offset, dim1, dim2
    ),
    doc="The diagonal of two dimensions, as the last dimension of a view.",
)  # fmt: skip
operator(
    "diagonal_backward", diagonal_backward, function=False, method=False, out=False,
    kinds={"input_sizes": "ints", "dim1": "int", "dim2": "int"},
    input=lambda o, g, offset, dim1, dim2: o.diagonal(g, offset, dim1, dim2),
    doc="The derivative of `diagonal`.",
)  # fmt: skip


def check_unfold(input: Any, dimension: int, size: int, step: int) -> None:
    """Raise PyTorch's errors for windows that don't fit."""
    ndim = input._array.ndim
    dim = wrap_dim(dimension, ndim)
    have = input._array.shape[dim] if ndim else 1
    if size < 0:
        raise ShapeError(f"size is {size} but must be >= 0")
    if size > have:
        raise ShapeError(
            f"maximum size for tensor at dimension {dim} is {have} but size is {size}"
        )
    if step <= 0:
        raise ShapeError(f"step is {step} but must be > 0")


def unfolded(xp: Any, input: Any, dimension: int, size: int, step: int) -> Any:
    """Windows of one dimension, whose elements are a new last dimension."""
    shape, strides = input.shape, element_strides(input)
    if not shape:
        return array_near(input, (size,), (1,), 0)
    dim = wrap_dim(dimension, len(shape))
    count = (shape[dim] - size) // step + 1
    return array_near(
        input,
        (*shape[:dim], count, *shape[dim + 1 :], size),
        (*strides[:dim], step * strides[dim], *strides[dim + 1 :], strides[dim]),
        0,
    )


def unfold_backward(
    xp: Any, input: Any, input_sizes: tuple[int, ...], dim: int, size: int, step: int
) -> Any:
    """Zeros to which windows are added where they came from."""
    result = numpy.zeros(input_sizes, input.dtype)
    if not input_sizes:
        return numpy.asarray(input).reshape(-1)[:1].sum().reshape(())
    windows = unfolded(xp, result, dim, size, step)
    if step >= size:
        windows[...] = input
        return result
    for place in range(size):
        windows[..., place] += input[..., place]
    return result


view(
    "unfold", unfolded, check=check_unfold, function=False,
    kinds={"dimension": "int", "size": "int", "step": "int"},
    input=lambda o, g, dimension, size, step, input_shape: o.unfold_backward(
        g, input_shape, dimension, size, step
    ),
    doc="Windows of `size` elements of a dimension, every `step`, as a view.",
)  # fmt: skip
operator(
    "unfold_backward", unfold_backward, function=False, method=False, out=False,
    kinds={"input_sizes": "ints", "size": "int", "step": "int"},
    input=lambda o, g, dim, size, step: o.unfold(g, dim, size, step),
    doc="The derivative of `unfold`.",
)  # fmt: skip
