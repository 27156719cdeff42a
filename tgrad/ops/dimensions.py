"""Dimensions given by a user: counted from the end, checked, without duplicates."""

from __future__ import annotations

from collections.abc import Sequence

from tgrad.errors import DimensionError, ShapeError


def wrap_dim(dim: int, ndim: int) -> int:
    """A dimension counted from the front; a 0-dimensional tensor has the dimensions 0 and -1.

    DimensionError if the tensor doesn't have it.
    """
    size = ndim or 1
    if -size <= dim < size:
        return dim + size if dim < 0 else dim
    raise DimensionError(
        f"Dimension out of range (expected to be in range of [{-size}, {size - 1}], but got {dim})",
        dim=dim,
    )


def wrap_dims(dims: Sequence[int], ndim: int) -> tuple[int, ...]:
    """Dimensions counted from the front; ShapeError if one is given twice."""
    wrapped = tuple([wrap_dim(dim, ndim) for dim in dims])
    if len(wrapped) > 1 and len(set(wrapped)) != len(wrapped):
        twice = next(dim for i, dim in enumerate(wrapped) if dim in wrapped[:i])
        raise ShapeError(f"dim {twice} appears multiple times in the list of dims")
    return wrapped


def reduced_axes(dim: Sequence[int] | None, ndim: int) -> tuple[int, ...] | None:
    """The axes of a reduction for NumPy; None, for all of them, where `dim` is None or empty."""
    if not dim:
        return None
    axes = wrap_dims(dim, ndim)
    return axes if ndim else None
