"""Rows: reductions of pieces of a dimension, which follow one another (`segment_reduce`)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import ShapeError, UnsupportedDTypeError
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.table import operator

_START: Final = {"max": -numpy.inf, "min": numpy.inf, "sum": 0.0, "mean": 0.0, "prod": 1.0}
_COMBINE: Final = {
    "max": "maximum", "min": "minimum", "sum": "add", "mean": "add", "prod": "multiply",
}  # fmt: skip
"""NumPy's functions that combine two rows."""


def check_segments(
    data: Tensor, reduce: str, *, lengths: Any = None, indices: Any = None, offsets: Any = None,
    axis: int = 0, unsafe: bool = False, initial: Any = None,
) -> None:  # fmt: skip
    """Raise PyTorch's errors for unknown reductions and for pieces that don't make up the dimension."""
    if indices is not None:
        raise ShapeError("segment_reduce(): indices based reduction is not supported yet.")
    if lengths is None and offsets is None:
        raise ShapeError("segment_reduce(): Either lengths or offsets must be defined.")
    if reduce not in _START:
        raise ShapeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    name, pieces = ("lengths", lengths) if lengths is not None else ("offsets", offsets)
    if axis % max(data._array.ndim, 1) != pieces._array.ndim - 1:
        axis = wrap_dim(axis, data._array.ndim)
        raise ShapeError(
            f"segment_reduce(): Expected axis to be the last dimension of {name} but got {axis}."
        )
    if pieces._type.dtype not in (dtypes.int64, dtypes.int32):
        raise UnsupportedDTypeError(
            f"\"_segment_reduce_{name}_cpu_kernel1\" not implemented for '{pieces._type.dtype.title}'"
        )
    if lengths is not None and not unsafe:
        if lengths._array.size and lengths._array.min() < 0:
            raise ShapeError("lengths contains negative value!")
        if (lengths._array.sum(-1) != data._array.shape[axis]).any():
            raise ShapeError(
                "segment_reduce(): Expected all rows of lengths along axis to sum to "
                "data.size(lengths.dim()-1) when !unsafe."
            )
    if not data._type.inexact or data._type.dtype.is_complex:
        raise UnsupportedDTypeError(f"\"_segment_reduce_cpu\" not implemented for '{data._type.dtype.title}'")


def _ends(lengths: Any, offsets: Any) -> Any:
    """Where each piece begins, and where the last one ends, along the last dimension."""
    if lengths is None:
        return offsets
    ends = numpy.zeros((*lengths.shape[:-1], lengths.shape[-1] + 1), numpy.int64)
    numpy.cumsum(lengths, -1, out=ends[..., 1:])
    return ends


def _pieces(data: Any, ends: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """The place of each piece in the result, and its rows as a view."""
    for outer in numpy.ndindex(ends.shape[:-1]):
        bounds = ends[outer].tolist()
        for number, (start, end) in enumerate(pairwise(bounds)):
            yield (*outer, number), data[outer][start:end]


def segment_reduced(
    xp: Any, data: Any, reduce: str, *, lengths: Any = None, indices: Any = None, offsets: Any = None,
    axis: int = 0, unsafe: bool = False, initial: Any = None,
) -> Any:  # fmt: skip
    """Each piece of a dimension combined to one row, one element after the other."""
    ends = _ends(lengths, offsets)
    combine = getattr(numpy, _COMBINE[reduce])
    start = _START[reduce] if initial is None else initial
    result = numpy.full((*ends.shape[:-1], ends.shape[-1] - 1, *data.shape[axis + 1 :]), start, data.dtype)
    for place, rows in _pieces(data, ends):
        target = result[place]
        for row in rows:
            target = combine(target, row)
        if reduce == "mean":
            if len(rows):
                target = target / data.dtype.type(len(rows))
            elif initial is None:
                target = numpy.nan
        result[place] = target
    return result


def segment_reduce_backward(
    xp: Any, input: Any, out: Any, data: Any, reduce: str, lengths: Any = None, offsets: Any = None,
    axis: int = 0, initial: Any = None,
) -> Any:  # fmt: skip
    """The gradient of the rows of each piece."""
    ends = _ends(lengths, offsets)
    result = numpy.zeros(data.shape, data.dtype)
    rows_of = _pieces(data, ends)
    for (place, rows), (_, target) in zip(rows_of, _pieces(result, ends), strict=True):
        g = input[place]
        if reduce in ("max", "min"):
            equal = (rows == out[place]) | numpy.isnan(rows)
            count = numpy.maximum(equal.sum(0), 1).astype(data.dtype)
            # PyTorch shares out positive gradients only.
            target[...] = numpy.where(equal, numpy.where(g > 0, g / count, g), 0)
        elif reduce == "prod":
            target[...] = _product_gradient(rows, g, out[place], 1.0 if initial is None else initial)
        elif len(rows):
            target[...] = g / data.dtype.type(len(rows)) if reduce == "mean" else g
    return result


def _product_gradient(rows: Any, g: Any, product: Any, initial: float) -> Any:
    found = g * product / rows
    for number, row in enumerate(rows):
        special = (row == 0) | numpy.isnan(row)
        if special.any():
            others = numpy.full_like(row, initial)
            for other in range(len(rows)):
                if other != number:
                    others = others * rows[other]
            found[number] = numpy.where(special, g * others, found[number])
    return found


_KINDS: Final = {
    "data": "tensor", "reduce": "str", "lengths": "index?", "indices": "index?", "offsets": "index?",
    "axis": "int", "unsafe": "bool", "initial": "number?", "out": "tensor",
}  # fmt: skip

operator(
    "segment_reduce", segment_reduced, check=check_segments, kinds=_KINDS, method=False, out=False,
    narrow=True,
    data=lambda o, g, out, data, reduce, lengths, offsets, axis, initial: o._segment_reduce_backward(
        g, out, data, reduce, lengths, offsets, axis, initial
    ),
    doc="Pieces of a dimension, given by their lengths or offsets, each combined to one row.",
)  # fmt: skip
operator(
    "_segment_reduce_backward", segment_reduce_backward, kinds=_KINDS, function=False,
    method=False, out=False, differentiable="write the reduction with split() or scatter_reduce()",
    doc="The derivative of `segment_reduce`.",
)  # fmt: skip
