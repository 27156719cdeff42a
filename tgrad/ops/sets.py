"""Rows: the different elements of a tensor, and runs of equal ones."""

from __future__ import annotations

from typing import Any

import numpy

from tgrad.backends.ordering import places_by_counting
from tgrad.core import dtype as dtypes
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.reduce import unsupported
from tgrad.ops.table import composite, operator


def _known(name: str, input: Any) -> None:
    if input.dtype.kind == "c":
        raise unsupported(name, input)


def _unique(xp: Any, input: Any) -> tuple[Any, Any, Any]:
    _known("unique", input)
    counted = places_by_counting(input.reshape(-1))
    if counted is not None:
        values, inverse, counts = counted
        return values, inverse.reshape(input.shape), counts
    found, inverse, counts = numpy.unique(
        input, return_inverse=True, return_counts=True, equal_nan=False
    )
    return found, inverse.reshape(input.shape), counts


def _unique_dim(xp: Any, input: Any, dim: int) -> tuple[Any, Any, Any]:
    _known("unique_dim", input)
    axis = wrap_dim(dim, input.ndim, scalar=False)
    moved = numpy.moveaxis(input, axis, 0)
    rows = moved.reshape(len(moved), -1) if input.size else moved.reshape(len(moved), 0)
    order = numpy.lexsort(rows.T[::-1]) if rows.size else numpy.arange(len(rows))
    starts, places, counts = _runs(rows[order])
    inverse = numpy.empty(len(rows), numpy.int64)
    inverse[order] = places
    return numpy.moveaxis(moved[order[starts]], 0, axis), inverse, counts


def _runs(rows: Any) -> tuple[Any, Any, Any]:
    """Where runs of equal rows begin, the number of each row's run, and their lengths."""
    new = numpy.ones(len(rows), bool)
    if len(rows):
        new[1:] = (rows[1:] != rows[:-1]).any(1)
    starts = numpy.flatnonzero(new)
    return starts, numpy.cumsum(new) - 1, numpy.diff(numpy.append(starts, len(rows)))


def _unique_consecutive(xp: Any, input: Any, dim: int | None = None) -> tuple[Any, Any, Any]:
    _known("unique" if dim in (None, 0) else "unique_dim", input)
    if dim is None:
        flat = input.reshape(-1)
        starts, places, counts = _runs(flat[:, None])
        return flat[starts], places.reshape(input.shape), counts
    axis = wrap_dim(dim, input.ndim, scalar=False)
    moved = numpy.moveaxis(input, axis, 0)
    rows = moved.reshape(len(moved), -1) if input.size else moved.reshape(len(moved), 0)
    starts, places, counts = _runs(rows)
    return numpy.moveaxis(moved[starts], 0, axis), places, counts


SET: dict[str, Any] = {
    "fields": ("output", "inverse", "counts"), "result": (None, dtypes.int64, dtypes.int64),
    "differentiable": "sets have no derivative", "function": False, "method": False, "out": False,
}  # fmt: skip
operator("_unique2", _unique, label="Unique2Backward", doc="The different elements.", **SET)
operator("unique_dim", _unique_dim, label="UniqueDimBackward", doc="The different slices.", **SET)
operator(
    "unique_consecutive.parts", _unique_consecutive, kinds={"dim": "int?"},
    label="UniqueConsecutiveBackward", doc="The first elements of runs.", **SET,
)  # fmt: skip


def _asked(parts: Any, inverse: bool, counts: bool) -> Any:
    if not inverse and not counts:
        return parts[0]
    return (parts[0], *((parts[1],) if inverse else ()), *((parts[2],) if counts else ()))


composite(
    "unique",
    lambda o, input, sorted=True, return_inverse=False, return_counts=False, dim=None: _asked(
        o._unique2(input) if dim is None else o.unique_dim(input, dim), return_inverse, return_counts
    ),
    kinds={"dim": "int?", "return_inverse": "bool", "return_counts": "bool"}, out=False,
    doc="The different elements (or slices) in order, on demand with indices and counts.",
)  # fmt: skip
composite(
    "unique_consecutive",
    lambda o, input, return_inverse=False, return_counts=False, dim=None: _asked(
        o.unique_consecutive_parts(input, dim), return_inverse, return_counts
    ),
    kinds={"dim": "int?", "return_inverse": "bool", "return_counts": "bool"}, out=False,
    doc="The first element of each run of equal ones, on demand with indices and counts.",
)  # fmt: skip
