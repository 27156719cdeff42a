"""The places that index tensors name in a shape, and PyTorch's errors for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from tgrad.errors import DimensionError, ShapeError


def places(arrays: Sequence[Any], shape: tuple[int, ...]) -> tuple[Any, ...]:
    """An index for NumPy, of arrays and slices of everything, checked against a shape.

    Raises:
        DimensionError: an index is out of range, there are too many, or a mask has another shape.
    """
    found: list[Any] = []
    dim = 0
    for array in arrays:
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


def check_places(found: tuple[Any, ...], shape: tuple[int, ...], values: Any = None) -> None:
    """Raise PyTorch's errors for indices, but for those out of range, and then for the values' shape."""
    arrays = [(dim, array) for dim, array in enumerate(found) if not isinstance(array, slice)]
    try:
        common = numpy.broadcast_shapes(*[array.shape for _, array in arrays])
    except ValueError:
        shapes = ", ".join(str(list(array.shape)) for _, array in arrays)
        raise DimensionError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
        ) from None
    result = result_shape(found, shape, common)
    if 0 not in common and any(shape[dim] == 0 for dim, _ in arrays):
        raise DimensionError("index is out of bounds for dimension with size 0")
    if values is not None and not _fits(values.shape, result):
        raise ShapeError(
            f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing "
            f"result of shape {list(result)}"
        )


def result_shape(found: tuple[Any, ...], shape: tuple[int, ...], common: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of what is picked, whatever the indices are."""
    chosen = [dim for dim, index in enumerate(found) if not isinstance(index, slice)]
    rest = [size for dim, size in enumerate(shape) if dim not in chosen]
    front = chosen[0] if chosen[-1] - chosen[0] == len(chosen) - 1 else 0
    return (*rest[:front], *common, *rest[front:])


def index_error(found: tuple[Any, ...], shape: tuple[int, ...], error: Exception) -> Exception:
    """PyTorch's error for what NumPy refused, after `check_places`."""
    arrays = [(dim, array) for dim, array in enumerate(found) if not isinstance(array, slice)]
    for position, (dim, array) in enumerate(arrays):
        size = shape[dim]
        wrong = array[(array < -size) | (array >= size)]
        if wrong.size:
            return DimensionError(
                f"index {int(wrong[0])} is out of bounds for dimension {position} with size {size}"
            )
    return error


def empty_shape(found: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape of what is picked if that is nothing: then no index is out of range."""
    arrays = [array.shape for array in found if not isinstance(array, slice)]
    result = result_shape(found, shape, numpy.broadcast_shapes(*arrays))
    return result if 0 in result else None


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    shape = tuple(shape)
    while len(shape) > len(wanted) and shape[0] == 1:
        shape = shape[1:]
    return len(shape) <= len(wanted) and all(
        a in (1, b) for a, b in zip(reversed(shape), reversed(wanted), strict=False)
    )
