"""Shapes, strides and memory: arithmetic on tuples, and arrays on memory that is there already.

Strides of arrays are counted in bytes, as in NumPy, those of tensors in elements, as in PyTorch.
NumPy gives a new dimension of size 1 the stride 0, PyTorch that of a contiguous tensor, so
`element_strides` mends these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from tgrad.core.device import backend_of, type_of
from tgrad.errors import ShapeError
from tgrad.ops.dimensions import contiguous_strides, numel

Sizes = tuple[int, ...]
Geometry = tuple[Sizes, Sizes]
"""A shape, and its strides in elements."""


def element_strides(array: Any) -> Sizes:
    """An array's strides as PyTorch tells them."""
    itemsize = array.itemsize
    strides = array.strides
    if 0 not in strides:
        return tuple([step // itemsize for step in strides])
    if array.size == 0 and not any(strides):
        return contiguous_strides(array.shape)
    found: list[int] = []
    following = 1
    for size, step in zip(reversed(array.shape), reversed(strides), strict=True):
        step = following if size == 1 and step == 0 else step // itemsize
        found.append(step)
        following = size * step
    return tuple(reversed(found))


def first_byte(array: Any) -> int:
    """The address of an array's first element."""
    if type(array) is not numpy.ndarray and (backend := backend_of(array)) is not None:
        return backend.address(array)
    address: int = array.__array_interface__["data"][0]
    return address


def placement(array: Any) -> tuple[Sizes, int]:
    """An array's strides in elements, and its first element's address."""
    return element_strides(array), first_byte(array)


def strided(array: Any, shape: Sizes, strides: Sizes) -> Any:
    """An array that begins where another one does, with its own shape and strides (bytes)."""
    if type(array) is not numpy.ndarray and (backend := backend_of(array)) is not None:
        return backend.strided(array, shape, strides, 0)
    if array.flags.c_contiguous:
        try:
            return numpy.ndarray(shape, array.dtype, array, 0, strides)
        except ValueError:
            pass  # it reaches past this array's own elements
    itemsize = array.itemsize
    return array_near(array, shape, tuple([step // itemsize for step in strides]), 0)


def array_near(array: Any, shape: Sizes, strides: Sizes, offset: int) -> Any:
    """An array in the memory that another one is in.

    Strides and offset are in elements; the offset counts from the other array's first element and
    may be negative.
    """
    itemsize = array.itemsize
    if type(array) is not numpy.ndarray and (backend := backend_of(array)) is not None:
        steps = tuple([step * itemsize for step in strides])
        return backend.strided(array, shape, steps, offset * itemsize)
    owner = array.base
    if isinstance(owner, numpy.ndarray):
        start = first_byte(array) - first_byte(owner) + offset * itemsize
    else:
        owner, start = array, offset * itemsize
    if not owner.flags.c_contiguous:
        order = sorted(range(owner.ndim), key=lambda dim: -owner.strides[dim])
        owner = owner.transpose(order)
    steps = tuple([step * itemsize for step in strides])
    try:
        return numpy.ndarray(shape, array.dtype, owner, start, steps)
    except ValueError:
        if 0 not in shape:
            raise
        return numpy.empty(shape, array.dtype)


def laid_out(
    shape: Sizes, strides: Sizes, dtype: Any, extent: int, start: int = 0, xp: Any = numpy
) -> Any:
    """A new array of zeros in memory of `extent` elements, from `start`; strides in elements."""
    memory = xp.zeros(extent, dtype)
    return array_near(memory, shape, strides, start)


def extent(shape: Sizes, strides: Sizes) -> int:
    """How many elements of memory a shape with these strides (in elements) reaches over."""
    if 0 in shape:
        return 0
    return sum((size - 1) * step for size, step in zip(shape, strides, strict=True)) + 1


def extents(home: Geometry, size: Any, stride: Any, offset: int) -> tuple[int, int]:
    """Where home begins in a memory that holds it and the piece, and that memory's size."""
    start = max(0, -offset)
    return start, max(start + extent(*home), start + offset + extent(size, stride))


def in_memory(g: Any, home: Geometry, size: Any, stride: Any, offset: int) -> tuple[Any, Any]:
    """A copy of a gradient in its home's memory, and the piece of it as a view."""
    start, total = extents(home, size, stride, offset)
    whole = laid_out(*home, g.dtype, total, start, type_of(g).xp)
    whole[...] = g
    return whole, array_near(whole, size, stride, offset)


def inferred(shape: Sizes, count: int) -> Sizes:
    """A shape whose -1, if it has one, is replaced so that it has `count` elements.

    Raises:
        ShapeError: the shape can't have that many elements, or has a second -1.
    """
    if -1 not in shape:
        if numel(shape) == count and (not shape or min(shape) >= 0):
            return shape
        for position, size in enumerate(shape):
            if size < 0:
                raise ShapeError(
                    f"invalid shape dimension {size} at index {position} of shape {list(shape)}"
                )
        raise _invalid(shape, count)
    at = shape.index(-1)
    known = 1
    for position, size in enumerate(shape):
        if position == at:
            continue
        if size == -1:
            raise ShapeError("only one dimension can be inferred")
        if size < 0:
            raise ShapeError(
                f"invalid shape dimension {size} at index {position} of shape {list(shape)}"
            )
        known *= size
    if known == 0:
        if count:
            raise _invalid(shape, count)
        raise ShapeError(
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified "
            "dimension size -1 can be any value and is ambiguous"
        )
    if count % known:
        raise _invalid(shape, count)
    return (*shape[:at], count // known, *shape[at + 1 :])


def _invalid(shape: Sizes, count: int) -> ShapeError:
    return ShapeError(f"shape '{list(shape)}' is invalid for input of size {count}")


def view_strides(shape: Sizes, strides: Sizes, new: Sizes) -> Sizes | None:
    """Strides with which the same memory has another shape; None if it takes a copy.

    Neighbouring dimensions that step evenly through memory are one run of elements; the new shape
    must split at the ends of these runs.
    """
    if numel(shape) == 0:
        if shape == new:
            return strides
        step, found = 1, []
        for size in reversed(new):
            found.append(step)
            step *= max(size, 1)
        return tuple(reversed(found))
    if not shape:
        return (1,) * len(new)
    result = [0] * len(new)
    at = len(new) - 1
    base = strides[-1]
    run = got = 1
    for dim in reversed(range(len(shape))):
        run *= shape[dim]
        if dim and (shape[dim - 1] == 1 or strides[dim - 1] == run * base):
            continue
        while at >= 0 and (got < run or new[at] == 1):
            result[at] = got * base
            got *= new[at]
            at -= 1
        if got != run:
            return None
        if dim:
            base = strides[dim - 1]
            run = got = 1
    return tuple(result) if at == -1 else None


def reshaped(array: Any, shape: Sizes) -> Any:
    """A view of an array with another shape that has as many elements; None if it takes a copy."""
    if array.flags.c_contiguous:
        return array.reshape(shape)
    strides = view_strides(array.shape, element_strides(array), shape)
    if strides is None:
        return None
    return strided(array, shape, tuple([step * array.itemsize for step in strides]))


def expanded(array: Any, size: Sizes, name: str) -> Any:
    """A view that repeats dimensions of size 1, and new leading ones, without copying.

    Raises:
        ShapeError: fewer sizes than dimensions, or a size that doesn't go with the existing one.
    """
    old, steps = array.shape, array.strides
    extra = len(size) - len(old)
    if extra < 0:
        raise ShapeError(
            f"expand({name}{{{list(old)}}}, size={list(size)}): the number of sizes provided "
            f"({len(size)}) must be greater or equal to the number of dimensions in the tensor "
            f"({len(old)})"
        )
    if extra and size[extra:] == old and size[0] >= 0 and (extra == 1 or min(size[:extra]) >= 0):
        return strided(array, size, (0,) * extra + steps)
    shape, strides = [], []
    for dim in reversed(range(len(size))):
        want = size[dim]
        if dim < extra:
            if want < 0:
                raise ShapeError(
                    f"The expanded size of the tensor ({want}) isn't allowed in a leading, "
                    f"non-existing dimension {dim}"
                )
            have = 1
            step = 0
        else:
            have, step = old[dim - extra], steps[dim - extra]
        if want == -1:
            want = have
        elif want != have:
            if have != 1 or want < 0:
                raise ShapeError(
                    f"The expanded size of the tensor ({want}) must match the existing size "
                    f"({have}) at non-singleton dimension {dim}.  Target sizes: {list(size)}.  "
                    f"Tensor sizes: {list(old)}"
                )
            step = 0
        shape.append(want)
        strides.append(step)
    return strided(array, tuple(shape[::-1]), tuple(strides[::-1]))


def copied(array: Any) -> Any:
    """A copy with the order of the dimensions in memory kept, as PyTorch's `clone` keeps it."""
    if array.flags.c_contiguous:
        return array.copy()
    if 0 not in array.strides:
        return array.copy("K")
    return in_order(array, memory_order(array.shape, (array.strides,)))


def ordered(result: Any, operands: Sequence[Any]) -> Any:
    """The result of an elementwise function, laid out as PyTorch does where operands are repeated.

    NumPy takes a repeated dimension (stride 0) for the fastest one; in PyTorch it has no say.
    """
    arrays = [tensor._array for tensor in operands if hasattr(tensor, "_array")]
    shape = result.shape
    if not any(0 in array.strides or (array.ndim and array.shape != shape) for array in arrays):
        return result
    ndim = result.ndim
    strides = [
        (0,) * (ndim - a.ndim)
        + tuple([0 if n == 1 else step for n, step in zip(a.shape, a.strides, strict=True)])
        for a in arrays
    ]
    return in_order(result, memory_order(shape, strides))


def in_order(array: Any, order: list[int]) -> Any:
    """A copy whose dimensions are in memory from the slowest to the fastest as listed."""
    copy = type_of(array).xp.empty([array.shape[dim] for dim in order], array.dtype)
    copy = copy.transpose([order.index(dim) for dim in range(array.ndim)])
    copy[...] = array
    return copy


def memory_order(shape: Sizes, strides: Sequence[Sizes]) -> list[int]:
    """Dimensions from the slowest to the fastest, by the strides of one array or more.

    Found as PyTorch does, so that ambiguous cases agree: by insertion from the back, where the
    first array that tells two dimensions apart decides, and one repeated in either (stride 0) is
    passed over.
    """
    order = list(reversed(range(len(shape))))
    for i in range(1, len(order)):
        at = i
        for j in reversed(range(i)):
            comparison = _compare(order[j], order[at], shape, strides)
            if comparison > 0:
                order[j], order[at] = order[at], order[j]
                at = j
            elif comparison < 0:
                break
    return order[::-1]


def _compare(before: int, moved: int, shape: Sizes, strides: Sequence[Sizes]) -> int:
    for steps in strides:
        a, b = steps[before], steps[moved]
        if a == 0 or b == 0:
            continue
        if a != b:
            return 1 if a > b else -1
        if shape[before] > shape[moved]:
            return 1
    return 0
