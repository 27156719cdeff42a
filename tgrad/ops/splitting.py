"""Rows: one tensor as several, all of them views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError, ShapeError
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.table import composite, operator, view

# ---------------------------------------------------------------- one tensor as several


def unbound(xp: Any, input: Any, dim: int = 0) -> tuple[Any, ...]:
    """Each index of a dimension by itself, as views."""
    dim = wrap_dim(dim, input.ndim)
    if dim:
        lead = (slice(None),) * dim
        return tuple([input[(*lead, i, ...)] for i in range(input.shape[dim])])
    if input.ndim > 1:
        return tuple(input)
    return tuple([input[i, ...] for i in range(len(input))])


def check_unbind(input: Any, dim: int = 0) -> None:
    """Raise PyTorch's error for a dimension that isn't there."""
    wrap_dim(dim, input._array.ndim, scalar=False)


view(
    "unbind", unbound, check=check_unbind, outputs=None,
    input=lambda o, g, dim: o.stack(g, dim),
    doc="Each index of a dimension as a view of its own.",
)  # fmt: skip


def _slices(array: Any, dim: int, sizes: Sequence[int]) -> tuple[Any, ...]:
    lead = (slice(None),) * dim
    parts = []
    start = 0
    for size in sizes:
        parts.append(array[(*lead, slice(start, start + size))])
        start += size
    return tuple(parts)


def check_split(input: Any, split_size: int, dim: int = 0) -> None:
    """Raise PyTorch's errors for parts that can't be made."""
    shape = input._array.shape
    if not shape:
        raise ShapeError("split expects at least a 1-dimensional tensor")
    size = shape[wrap_dim(dim, len(shape))]
    if split_size < 0:
        raise ShapeError(
            f"split expects split_size be non-negative, but got split_size={split_size}"
        )
    if split_size == 0 and size:
        raise ShapeError(
            f"split_size can only be 0 if dimension size is 0, but got dimension size of {size}"
        )


def split_evenly(xp: Any, input: Any, split_size: int, dim: int = 0) -> tuple[Any, ...]:
    """Parts of one size; the last one may be smaller."""
    dim = wrap_dim(dim, input.ndim)
    size = input.shape[dim]
    count = max(-(-size // split_size), 1) if split_size else 1
    sizes = [split_size] * (count - 1) + [size - split_size * (count - 1)]
    return _slices(input, dim, sizes)


def check_sizes(input: Any, split_sizes: Sequence[int], dim: int = 0) -> None:
    """Raise PyTorch's errors for sizes that don't make up the dimension."""
    shape = input._array.shape
    if not shape:
        raise ShapeError("split_with_sizes expects at least a 1-dimensional tensor")
    dim = wrap_dim(dim, len(shape))
    if min(split_sizes, default=0) < 0:
        raise ShapeError(
            "split_with_sizes expects split_sizes have only non-negative entries, but got "
            f"split_sizes={list(split_sizes)}"
        )
    if sum(split_sizes) != shape[dim]:
        raise ShapeError(
            f"split_with_sizes expects split_sizes to sum exactly to {shape[dim]} (input tensor's "
            f"size at dimension {dim}), but got split_sizes={list(split_sizes)}"
        )


def split_in_sizes(xp: Any, input: Any, split_sizes: Sequence[int], dim: int = 0) -> Any:
    """Parts of the given sizes."""
    return _slices(input, wrap_dim(dim, input.ndim), split_sizes)


view(
    "_split", split_evenly, check=check_split, outputs=None, function=False, method=False,
    label="SplitBackward", kinds={"split_size": "int"},
    input=lambda o, g, split_size, dim, input_shape: o.cat(g, dim),
    doc="Parts of one size in a dimension, as views.",
)  # fmt: skip
view(
    "split_with_sizes", split_in_sizes, check=check_sizes, outputs=None,
    kinds={"split_sizes": "ints"},
    input=lambda o, g, split_sizes, dim, input_shape: o.cat(g, dim),
    doc="Parts of given sizes in a dimension, as views.",
)  # fmt: skip


def split(o: Any, input: Any, split_size: Any, dim: int = 0) -> Any:
    """Parts of one size, or of given sizes."""
    if isinstance(split_size, tuple):
        return o.split_with_sizes(input, split_size, dim)
    return o._split(input, split_size, dim)


composite(
    "split", split, kinds={"split_size": "split"}, function=False,
    out=False, doc="Parts of one size, or of given sizes, in a dimension, as views.",
)  # fmt: skip


def split_function(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> Any:
    """Parts of one size, or of given sizes, in a dimension, as views."""
    return tensor.split(split_size_or_sections, dim)


FUNCTIONS: Final[dict[str, Any]] = {"split": split_function}
"""Functions of `torch` that aren't rows."""


def chunk(o: Any, input: Any, chunks: int, dim: int = 0) -> Any:
    """At most this many parts of one size; the last one may be smaller."""
    shape = input._array.shape
    if not shape:
        raise ShapeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise ShapeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    at = wrap_dim(dim, len(shape))
    size = -(-shape[at] // chunks)
    if size == 0:
        return o.split_with_sizes(input, (0,) * chunks, dim)
    return o._split(input, size, dim)


composite(
    "chunk", chunk, kinds={"chunks": "int"},
    out=False, doc="At most this many parts of one size in a dimension, as views.",
)  # fmt: skip


def tensor_split(o: Any, input: Any, sections: int, dim: int = 0) -> Any:
    """Parts whose sizes differ by one at most."""
    size = _size(input, dim)
    if sections <= 0:
        raise ShapeError(f"number of sections must be larger than 0, got {sections}")
    least, more = divmod(size, sections)
    return _until(o, input, dim, [least * i + min(i, more) for i in range(1, sections + 1)])


def tensor_split_at(o: Any, input: Any, indices: Sequence[int], dim: int = 0) -> Any:
    """Parts that end at the given indices."""
    return _until(o, input, dim, [*indices, _size(input, dim)])


def tensor_split_by(o: Any, input: Any, tensor_indices_or_sections: Any, dim: int = 0) -> Any:
    """`tensor_split` where a tensor says how."""
    value = tensor_indices_or_sections
    if value._type.dtype is not dtypes.int64:
        raise DTypeError(
            "tensor_split expected tensor_indices_or_sections to have dtype of long, but got "
            f"{value._type.dtype.title}"
        )
    if value._array.ndim > 1:
        raise ShapeError(
            "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or "
            f"one-dimensional tensor, but got a tensor with {value._array.ndim} dims"
        )
    where = value._array.tolist()
    return (tensor_split if isinstance(where, int) else tensor_split_at)(o, input, where, dim)


def _size(input: Tensor, dim: int) -> int:
    shape = input._array.shape
    if not shape:
        raise ShapeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    return shape[wrap_dim(dim, len(shape))]  # type: ignore[no-any-return]


def _until(o: Any, input: Any, dim: int, ends: Sequence[int]) -> tuple[Any, ...]:
    dim = wrap_dim(dim, input._array.ndim)
    parts = []
    start = 0
    for end in ends:
        parts.append(o.slice(input, dim, start, end, 1))
        start = end
    return tuple(parts)


composite(
    "tensor_split.indices", tensor_split_at, kinds={"indices": "sequence"},
    out=False, doc="Parts that end at given indices, as views.",
)  # fmt: skip
composite(
    "tensor_split.tensor", tensor_split_by, kinds={"tensor_indices_or_sections": "tensor"},
    out=False, doc="Parts that a tensor says, as views.",
)  # fmt: skip
composite(
    "tensor_split", tensor_split, kinds={"sections": "int"},
    out=False, doc="Parts whose sizes differ by one at most, as views.",
)  # fmt: skip


def _split_along(name: str, dim: int, least: int) -> None:
    def dimension(input: Any) -> int:
        shape = input._array.shape
        if len(shape) < least:
            raise ShapeError(
                f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor "
                f"with {len(shape)} dimensions!"
            )
        return 0 if name == "hsplit" and len(shape) == 1 else dim

    def in_sections(o: Any, input: Any, sections: int) -> Any:
        at = dimension(input)
        size = input._array.shape[at]
        if sections <= 0 or size % sections:
            raise ShapeError(
                f"torch.{name} attempted to split along dimension {at}, but the size of the "
                f"dimension {size} is not divisible by the split_size {sections}!"
            )
        return tensor_split(o, input, sections, at)

    composite(
        name, in_sections, kinds={"sections": "int"}, out=False,
        doc=f"Equal parts in dimension {dim}, as views.",
    )  # fmt: skip
    composite(
        f"{name}.array", lambda o, input, indices: tensor_split_at(o, input, indices, dimension(input)),
        kinds={"indices": "sequence"}, varargs=True, out=False,
        doc=f"Parts in dimension {dim} that end at given indices, as views.",
    )  # fmt: skip


_split_along("hsplit", 1, 1)
_split_along("vsplit", 0, 2)
_split_along("dsplit", 2, 3)


def _copies(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([part.copy() for part in parts])


operator(
    "unsafe_split",
    lambda xp, input, split_size, dim=0: _copies(split_evenly(xp, input, split_size, dim)),
    check=check_split, outputs=None, kinds={"split_size": "int"},
    input=lambda o, g, split_size, dim, input_shape: o.cat(g, dim),
    doc="Parts of one size in a dimension, in memory of their own.",
)  # fmt: skip
operator(
    "unsafe_split_with_sizes",
    lambda xp, input, split_sizes, dim=0: _copies(split_in_sizes(xp, input, split_sizes, dim)),
    check=check_sizes, outputs=None, kinds={"split_sizes": "ints"},
    input=lambda o, g, split_sizes, dim, input_shape: o.cat(g, dim),
    doc="Parts of given sizes in a dimension, in memory of their own.",
)  # fmt: skip


def unsafe_chunk(o: Any, input: Any, chunks: int, dim: int = 0) -> Any:
    """At most this many parts of one size, in memory of their own."""
    shape = input._array.shape
    if not shape:
        raise ShapeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise ShapeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    size = -(-shape[wrap_dim(dim, len(shape))] // chunks)
    if size == 0:
        return o.unsafe_split_with_sizes(input, (0,) * chunks, dim)
    return o.unsafe_split(input, size, dim)


composite(
    "unsafe_chunk", unsafe_chunk, kinds={"chunks": "int"}, out=False,
    doc="At most this many parts of one size in a dimension, in memory of their own.",
)  # fmt: skip
