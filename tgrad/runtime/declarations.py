"""Checked annotations: `x: float32[batch, 3] = value`.

A name among the sizes is bound by the first annotation that uses it and must agree afterwards,
within the same call of a function, or within the top level of a session.  The bindings live in the
frame of the program that is running, under a name that no program can spell.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping, Sequence
from typing import Any

from tgrad.errors import ArgumentError, DTypeError, ShapeError

DIMS = ".dims"
"""The key of the bindings of dimension names in a frame's names."""

Dim = int | str | Any


def check(value: Any, dtype: Any, dims: Sequence[Dim] | None, name: str) -> Any:
    """`value` itself, if it is a tensor of that dtype and shape.

    `dtype` is a dtype or None for any; `dims` has whole numbers, names of sizes, `_` for any size
    and at most one `...` for any number of dimensions, or is None for any shape.
    Raises DTypeError, ShapeError, or ArgumentError if there is no tensor.
    """
    if not hasattr(value, "shape") or not hasattr(value, "dtype"):
        wanted = "a tensor " if dtype is None else _dtype_text(dtype)
        wanted = (wanted + ("" if dims is None else _dims_text(dims))).strip()
        raise ArgumentError(f"{name} is declared as {wanted} and got {_class_name(value)}")
    found = value.dtype
    if dtype is not None and found is not dtype and _dtype_text(found) != _dtype_text(dtype):
        raise DTypeError(f"{name} is declared as {_dtype_text(dtype)} and got {_dtype_text(found)}")
    if dims is not None:
        scope: MutableMapping[str, Any] = sys._getframe(1).f_locals
        bound = scope.get(DIMS)
        if bound is None:
            bound = scope[DIMS] = {}
        _check_shape(tuple(value.shape), tuple(dims), name, bound)
    return value


def _check_shape(shape: tuple[int, ...], dims: tuple[Dim, ...], name: str, bound: Any) -> None:
    wanted = _match(shape, dims)
    if wanted is None:
        raise ShapeError(_shape_sentence(shape, dims, name, bound))
    new = dict(bound)
    for size, dim in wanted:
        if isinstance(dim, str) and dim != "_":
            if new.setdefault(dim, size) != size:
                raise ShapeError(_shape_sentence(shape, dims, name, new))
        elif not isinstance(dim, str) and size != dim:
            raise ShapeError(_shape_sentence(shape, dims, name, new))
    bound.update(new)


def _match(shape: tuple[int, ...], dims: tuple[Dim, ...]) -> list[tuple[int, Dim]] | None:
    """Each size with its declaration; None where the number of dimensions is wrong."""
    if ... not in dims:
        return list(zip(shape, dims, strict=True)) if len(shape) == len(dims) else None
    front = dims.index(...)
    back = len(dims) - front - 1
    if len(shape) < front + back:
        return None
    pairs = list(zip(shape[:front], dims[:front], strict=True))
    if back:
        pairs += zip(shape[-back:], dims[-back:], strict=True)
    return pairs


def _shape_sentence(shape: tuple[int, ...], dims: tuple[Dim, ...], name: str, bound: Any) -> str:
    sentence = f"{name} is declared with shape {_dims_text(dims)} and got {list(shape)}"
    known = [f"{dim} is {bound[dim]}" for dim in dict.fromkeys(dims) if dim in bound]
    return f"{sentence}, where {' and '.join(known)}" if known else sentence


def _dims_text(dims: Sequence[Dim]) -> str:
    return "[" + ", ".join("..." if dim is ... else str(dim) for dim in dims) + "]"


def _dtype_text(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


def _class_name(value: Any) -> str:
    return "None" if value is None else type(value).__name__
