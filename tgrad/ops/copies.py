"""Rows: what views show, copied; and copies in which what a view would show is something else."""

from __future__ import annotations

from typing import Any, Final

import numpy

import tgrad.ops.shape
import tgrad.ops.splitting  # noqa: F401 - rows of both are copied here
from tgrad.core.dtype import DType
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor
from tgrad.errors import AutogradError, DimensionError, ShapeError
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.geometry import array_near, element_strides
from tgrad.ops.inplace import check_memory
from tgrad.ops.layout import check_view_as_complex
from tgrad.ops.strided import (
    check_placement,
    diagonal_of,
    first_part,
    sliced,
    storage_offset,
    strided_replace,
)
from tgrad.ops.table import TABLE, Op, composite, operator, row

# ---------------------------------------------------------------- what views show


def copy_of(name: str, of: str, kinds: dict[str, str] | None = None, **parts: Any) -> Op:
    """A row that copies what the row of a view shows, with that row's parameters and formulas."""
    shown = TABLE[of]
    kinds = {p.name: p.kind + "?" * p.optional for p in shown.parameters} | (kinds or {})
    parts = {"check": shown.check, "result": shown.result, "method": False, **parts}
    return row(
        "copy", name, shown.forward, label=f"{shown.label}_copy", index="",
        kinds=kinds, outputs=shown.outputs, doc=f"A copy of what `{shown.public}` shows.",
        **parts, **shown.formulas,
    )  # fmt: skip


def _check_as_complex(input: Tensor) -> None:
    check_view_as_complex(input)
    if state.grad and input.requires_grad:
        raise AutogradError(
            "view_as_complex_copy does not support automatic differentiation for outputs with complex dtype."
        )


for _name in (
    "alias", "diagonal", "expand", "permute", "select", "slice", "split_with_sizes", "squeeze",
    "squeeze.dim", "squeeze.dims", "t", "transpose", "unbind", "unfold", "unsqueeze",
):  # fmt: skip
    _public, _dot, _overload = _name.partition(".")
    copy_of(f"{_public}_copy{_dot}{_overload}", _name)
composite(
    "view_copy.dtype", lambda o, input, dtype: o.clone(o.view_dtype(input, dtype)),
    kinds={"dtype": "dtype"}, method=False, doc="A copy of the memory read as another dtype.",
)  # fmt: skip
copy_of("view_copy", "view", {"size": "sequence"})
copy_of("split_copy", "_split")
copy_of("view_as_real_copy", "view_as_real", result=DType.to_real)
copy_of(
    "view_as_complex_copy", "view_as_complex", check=_check_as_complex,
    result=DType.to_complex,
)  # fmt: skip
copy_of("_strided_copy", "strided", function=False)
operator(
    "detach_copy", lambda xp, input: input.copy(), method=False,
    differentiable="use detach() and clone()", doc="A copy without history.",
)  # fmt: skip


def as_strided_copy(
    o: Any, input: Any, size: tuple[int, ...], stride: tuple[int, ...], storage_offset: int | None = None
) -> Any:
    """A copy of any shape and strides of a tensor's memory."""
    return o._strided_copy(input, *_placed(input, size, stride, storage_offset))


def _placed(input: Tensor, size: Any, stride: Any, at: int | None) -> tuple[Any, ...]:
    """What the rows for pieces take: the tensor's geometry, the piece's, and its offset in it."""
    here = storage_offset(input)
    at = here if at is None else at
    check_placement(input, size, stride, at)
    return (input._array.shape, element_strides(input._array)), size, stride, at - here


_PLACE: Final = {"size": "sequence", "stride": "sequence", "storage_offset": "int?"}

composite(
    "as_strided_copy", as_strided_copy, kinds=_PLACE, method=False,
    doc="A copy of any shape, strides and storage offset of a tensor's memory.",
)  # fmt: skip


def check_narrow_copy(input: Tensor, dim: int, start: int, length: int) -> None:
    """Raise PyTorch's errors for a part that isn't there."""
    shape = input._array.shape
    if dim >= len(shape) > 0:
        raise ShapeError(
            "Expected dim < static_cast<int64_t>(self_sizes.size()) to be true, but got false.  "
            "(Could this error message be improved?  If so, please report an enhancement request to "
            "PyTorch.)"
        )
    first_part(shape, dim, start, length)


def narrowed(xp: Any, input: Any, dim: int, start: int, length: int) -> Any:
    """The part of a dimension that begins at start."""
    first = start % max(input.shape[dim], 1) if start < 0 else start
    return sliced(xp, input, dim, first, first + length).copy()


def narrow_gradient(o: Any, g: Any, dim: int, start: int, length: int, shape: Any) -> Any:
    """Zeros with the gradient at the part."""
    first = start + shape[dim] if start < 0 else start
    return o.slice_backward(g, shape, dim, first, first + length, 1)


operator(
    "narrow_copy", narrowed, check=check_narrow_copy, kinds={"start": "int", "length": "int"},
    input=lambda o, g, dim, start, length, input_shape: narrow_gradient(
        o, g, dim, start, length, input_shape
    ),
    doc="A copy of the part of a dimension that begins at start.",
)  # fmt: skip

# ---------------------------------------------------------------- copies with a part replaced


def replaced(input: Any, piece: Any, src: Any) -> Any:
    """A copy of an array in which a piece, found by a function, is another array."""
    result = numpy.empty(input.shape, input.dtype)
    result[...] = input
    target = piece(result)
    if target.shape != src.shape:
        raise _wrong_source(src.shape, target.shape)
    target[...] = src
    return result


def _wrong_source(given: tuple[int, ...], wanted: tuple[int, ...]) -> ShapeError:
    return ShapeError(
        "expected src to have a size equal to the slice of self. src size = "
        f"{list(given)}, slice size = {list(wanted)}"
    )


def _at(input: Any, dim: int, index: Any) -> Any:
    return input[(slice(None),) * wrap_dim(dim, input.ndim) + (index, ...)]


def check_select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> None:
    """Raise PyTorch's error for an index out of range."""
    shape = input._array.shape
    at = wrap_dim(dim, len(shape), scalar=False)
    if not -shape[at] <= index < shape[at]:
        raise DimensionError(
            f"select(): index {index} out of range for tensor of size {list(shape)} at dimension {at}"
        )


operator(
    "select_scatter", lambda xp, input, src, dim, index: replaced(
        input, lambda x: _at(x, dim, index), src
    ),
    kinds={"index": "int"}, check=check_select_scatter,
    input=lambda o, g, src_shape, src_type, dim, index: o.select_scatter(
        g, o.zeros_of(src_shape, src_type), dim, index
    ),
    src=lambda o, g, dim, index: o.select(g, dim, index),
    doc="A copy in which the part at one index of a dimension is another tensor.",
)  # fmt: skip

_SLICE: Final = {"start": "int?", "end": "int?", "step": "int"}


def check_slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> None:
    """Raise PyTorch's errors for a dimension that isn't there and for a step backwards."""
    wrap_dim(dim, input._array.ndim)
    if step <= 0:
        raise ShapeError("slice step must be positive")


operator(
    "slice_scatter", lambda xp, input, src, dim=0, start=None, end=None, step=1: replaced(
        input, lambda x: _at(x, dim, slice(start, end, step)), src
    ),
    kinds=_SLICE, check=check_slice_scatter,
    input=lambda o, g, src_shape, src_type, dim, start, end, step: o.slice_scatter(
        g, o.zeros_of(src_shape, src_type), dim, start, end, step
    ),
    src=lambda o, g, dim, start, end, step: o.slice(g, dim, start, end, step),
    doc="A copy in which a slice of a dimension is another tensor.",
)  # fmt: skip
operator(
    "diagonal_scatter", lambda xp, input, src, offset=0, dim1=0, dim2=1: replaced(
        input, lambda x: diagonal_of(xp, x, offset, dim1, dim2), src
    ),
    kinds={"dim1": "int", "dim2": "int"},
    input=lambda o, g, src_shape, src_type, offset, dim1, dim2: o.diagonal_scatter(
        g, o.zeros_of(src_shape, src_type), offset, dim1, dim2
    ),
    src=lambda o, g, offset, dim1, dim2: o.diagonal(g, offset, dim1, dim2),
    doc="A copy in which the diagonal of two dimensions is another tensor.",
)  # fmt: skip


def part_kept(o: Any, g: Any, home: Any, size: Any, stride: Any, offset: int) -> Any:
    """The derivative of `as_strided_scatter` as PyTorch has it: 0 but at the piece, not outside of it."""
    return o.strided_spread(o.strided_piece(g, home, size, stride, offset), home, size, stride, offset)


operator(
    "_strided_scatter", strided_replace, function=False, method=False, out=False,
    kinds=dict.fromkeys(("home", "size", "stride", "offset"), "any"),
    label="AsStridedScatterBackward", input=part_kept,
    source=lambda o, g, home, size, stride, offset: o.strided_piece(g, home, size, stride, offset),
    doc="`as_strided_scatter` after its arguments were checked.",
)  # fmt: skip


def as_strided_scatter(
    o: Any, input: Any, src: Any, size: tuple[int, ...], stride: tuple[int, ...],
    storage_offset: int | None = None,
) -> Any:  # fmt: skip
    """A copy, laid out as the tensor is, in which a piece of the memory is another tensor."""
    array = input._array
    if state.grad and input.requires_grad and not array.flags.c_contiguous:
        raise AutogradError("as_strided_scatter is currently only supported for contiguous inputs")
    placed = _placed(input, size, stride, storage_offset)
    if src._array.shape != size:
        raise _wrong_source(src._array.shape, size)
    check_memory(array_near(array, tuple(size), tuple(stride), 0))
    return o._strided_scatter(input, src, *placed)


composite(
    "as_strided_scatter", as_strided_scatter, kinds=_PLACE,
    doc="A copy in which the piece with any shape, strides and offset is another tensor.",
)  # fmt: skip
