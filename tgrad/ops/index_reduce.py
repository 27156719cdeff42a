"""The row `index_reduce`: `scatter_reduce` with whole slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import ShapeError, UnsupportedDTypeError
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.picking import check_slices
from tgrad.ops.scattering import (
    on_copy,
    reduced_input_gradient,
    reduced_source_gradient,
    scatter_reduce_into,
    shape_of,
    with_dimension,
)
from tgrad.ops.table import operator


def _spread_index(index: Any, source: Any, dim: int) -> Any:
    """An index of slices as one of elements."""
    shape = [1] * source.ndim
    shape[wrap_dim(dim, source.ndim)] = -1
    return numpy.broadcast_to(with_dimension(index).reshape(shape), source.shape)


def index_reduce_into(
    array: Any, dim: int, index: Any, source: Any, reduce: str, include_self: bool = True
) -> None:
    """Combine slices of a source with those that an index lists."""
    places = _spread_index(index, with_dimension(source), dim)
    scatter_reduce_into(array, dim, places, source, reduce, include_self)


def check_index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, include_self: bool = True
) -> None:
    """Raise PyTorch's errors for an unknown reduction and for shapes."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise ShapeError(
            "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got "
            f"{reduce}."
        )
    dtype = input._type.dtype
    kernels = {"amax": "maximum_cpu", "amin": "minimum_cpu"}
    if dtype.is_complex and reduce in kernels:
        raise UnsupportedDTypeError(f'"{kernels[reduce]}" not implemented for \'{dtype.title}\'')
    if dtype is dtypes.bool_ and reduce == "mean":
        raise UnsupportedDTypeError('"div_floor_cpu" not implemented for \'Bool\'')
    check_slices("index_reduce()", input, dim, index, source)


def _of_elements(formula: Callable[..., Any]) -> Callable[..., Any]:
    """A derivative of `scatter_reduce` as one of `index_reduce`."""

    def derivative(
        o: Any, g: Any, input: Any, dim: int, index: Any, source: Any, reduce: str,
        include_self: bool, out: Any, input_type: Any,
    ) -> Any:  # fmt: skip
        shape = shape_of(source)
        sizes = [1] * len(shape)
        if shape:
            sizes[wrap_dim(dim, len(shape))] = -1
        places = o.expand(o.reshape(index, tuple(sizes)), shape)
        return formula(o, g, input, dim, places, source, reduce, include_self, out, input_type)

    return derivative


operator(
    "index_reduce",
    lambda xp, input, dim, index, source, reduce, *, include_self=True: on_copy(
        index_reduce_into, input, dim, index, source, reduce, include_self
    ),
    check=check_index_reduce, into=index_reduce_into, inplace=True, narrow=True,
    kinds={"reduce": "str", "include_self": "bool"},
    input=_of_elements(reduced_input_gradient), source=_of_elements(reduced_source_gradient),
    doc="A copy in which slices of source are combined with those that the index lists.",
)  # fmt: skip
