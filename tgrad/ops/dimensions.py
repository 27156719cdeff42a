"""Dimensions given by number: negative ones, ranges, lists of them, and PyTorch's errors."""

from __future__ import annotations

from collections.abc import Sequence

from tgrad.errors import DimensionError, ShapeError


def wrap_dim(dim: int, ndim: int, scalar: bool = True) -> int:
    """A dimension counted from the front; a negative one counts from the end.

    A 0-dimensional tensor takes 0 and -1, as if it had one dimension; not where `scalar` is false.

    Raises:
        DimensionError: there is no such dimension.
    """
    if -ndim <= dim < ndim:
        return dim + ndim if dim < 0 else dim
    if ndim == 0:
        if not scalar:
            raise DimensionError(f"Dimension specified as {dim} but tensor has no dimensions")
        if dim in (0, -1):
            return 0
        ndim = 1
    raise DimensionError(
        f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})",
        hint=f"the tensor has {ndim} dimension{'s' if ndim > 1 else ''}, numbered from 0",
    )


def wrap_dims(dims: int | Sequence[int], ndim: int) -> tuple[int, ...]:
    """Dimensions counted from the front, each given once.

    Raises:
        DimensionError: there is no such dimension.
        ShapeError: one is given twice.
    """
    if isinstance(dims, int):
        return (wrap_dim(dims, ndim),)
    wrapped = tuple([wrap_dim(dim, ndim) for dim in dims])
    if len(set(wrapped)) != len(wrapped):
        twice = next(dim for i, dim in enumerate(wrapped) if dim in wrapped[:i])
        raise ShapeError(f"dim {twice} appears multiple times in the list of dims")
    return wrapped


def numel(shape: Sequence[int]) -> int:
    """The number of elements of a shape."""
    product = 1
    for size in shape:
        product *= size
    return product


def contiguous_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides, in elements, of a new tensor of this shape: row by row."""
    strides = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def reduced_axes(dim: Sequence[int] | None, ndim: int) -> tuple[int, ...] | None:
    """The axes of a reduction for NumPy; None, for all of them, where `dim` is None or empty."""
    if not dim:
        return None
    axes = (wrap_dim(dim[0], ndim),) if len(dim) == 1 else wrap_dims(dim, ndim)
    return axes if len(axes) < ndim else None
