"""Rows: the same elements in other places, repeated, or among zeros."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from tgrad.backends.moved import repeated, row_by_row, triangle
from tgrad.core import dtype as dtypes
from tgrad.core.memory_format import CONTIGUOUS
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ShapeError, UnsupportedDTypeError
from tgrad.ops.dimensions import wrap_dim, wrap_dims
from tgrad.ops.geometry import copied
from tgrad.ops.strided import diagonal_backward
from tgrad.ops.table import composite, operator

# ---------------------------------------------------------------- reversed and rotated


def flipped(xp: Any, input: Any, dims: tuple[int, ...]) -> Any:
    """An array with the order in some dimensions reversed."""
    if input.ndim == 0:
        wrap_dims(dims, 0)
        return input.copy()
    reversed_ = set(wrap_dims(dims, input.ndim))
    back = slice(None, None, -1)
    place = tuple([back if dim in reversed_ else slice(None) for dim in range(input.ndim)])
    return row_by_row(input[place]) if input.flags.c_contiguous else copied(input[place])


operator(
    "flip", flipped, varargs=True, out=False, narrow=True, kinds={"dims": "sequence"},
    input=lambda o, g, dims: o.flip(g, dims),
    doc="The order in some dimensions reversed.",
)  # fmt: skip


def _flip_along(name: str, dim: int) -> None:
    def forward(o: Any, input: Any) -> Any:
        if input._array.ndim <= dim:
            raise ShapeError(f"Input must be >= {dim + 1}-d.")
        return o.flip(input, (dim,))

    composite(name, forward, doc=f"`flip` of dimension {dim}.")


_flip_along("fliplr", 1)
_flip_along("flipud", 0)


def check_roll(input: Any, shifts: Sequence[int], dims: Sequence[int] = ()) -> None:
    """Raise PyTorch's errors for shifts and dimensions that don't go together."""
    if not shifts:
        raise ShapeError("`shifts` required")
    if len(dims) != len(shifts) and not (len(shifts) == 1 and not dims):
        raise ShapeError(
            f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}"
        )
    for dim in dims:
        wrap_dim(dim, input._array.ndim, scalar=False)


def rolled(xp: Any, input: Any, shifts: Sequence[int], dims: Sequence[int] = ()) -> Any:
    """Elements moved along dimensions; those pushed over the end come in at the front."""
    if not dims:
        return numpy.roll(input.reshape(-1), shifts[0]).reshape(input.shape)
    return numpy.roll(input, tuple(shifts), tuple(dims))


operator(
    "roll", rolled, check=check_roll, kinds={"shifts": "ints"}, out=False, narrow=True,
    input=lambda o, g, shifts, dims: o.roll(g, tuple([-shift for shift in shifts]), dims),
    doc="Elements moved along dimensions, those pushed out come in at the other end.",
)  # fmt: skip


def check_rot90(input: Any, k: int = 1, dims: Sequence[int] = (0, 1)) -> None:
    """Raise PyTorch's errors for dimensions that make no plane."""
    ndim = input._array.ndim
    if len(dims) != 2:
        raise ShapeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if ndim < 2:
        raise ShapeError(f"expected total dims >= 2, but got total dims = {ndim}")
    if dims[0] == dims[1] or (
        abs(dims[0] - dims[1]) == ndim and min(dims) >= -ndim and max(dims) < ndim
    ):
        raise ShapeError(
            f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}"
        )
    for dim in dims:
        wrap_dim(dim, ndim)


def rotated(xp: Any, input: Any, k: int = 1, dims: Sequence[int] = (0, 1)) -> Any:
    """Quarter turns in the plane of two dimensions; laid out in memory as PyTorch does."""
    a, b = (wrap_dim(dim, input.ndim) for dim in dims)
    turn = k % 4
    if turn == 0:
        return input.copy("K")
    if turn == 2:
        return flipped(xp, input, (a, b))
    return flipped(xp, input, (b,) if turn == 1 else (a,)).swapaxes(a, b)


operator(
    "rot90", rotated, check=check_rot90, out=False, narrow=True,
    input=lambda o, g, k, dims: o.rot90(g, -k, dims),
    doc="Quarter turns from the first of two dimensions towards the second.",
)  # fmt: skip

# ---------------------------------------------------------------- triangles


def _check_matrix(name: str) -> Any:
    def check(input: Any, diagonal: int = 0) -> None:
        if input._array.ndim < 2:
            raise ShapeError(f"{name}: input tensor must have at least 2 dimensions")

    return check


operator(
    "tril", lambda xp, input, diagonal=0: triangle(input, diagonal, True),
    check=_check_matrix("tril"), inplace=True, input=lambda o, g, diagonal: o.tril(g, diagonal),
    doc="Matrices with zeros above a diagonal.",
)  # fmt: skip
operator(
    "triu", lambda xp, input, diagonal=0: triangle(input, diagonal, False),
    check=_check_matrix("triu"), inplace=True, input=lambda o, g, diagonal: o.triu(g, diagonal),
    doc="Matrices with zeros below a diagonal.",
)  # fmt: skip

# ---------------------------------------------------------------- diagonals


def embedded_shape(shape: Sequence[int], offset: int, dim1: int, dim2: int) -> tuple[int, ...]:
    """The shape of a tensor that has a last dimension of another one as a diagonal."""
    ndim = len(shape) + 1
    a, b = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if a == b:
        raise ShapeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    size = shape[-1] + abs(offset)
    rest = iter(shape[:-1])
    return tuple([size if dim in (a, b) else next(rest) for dim in range(ndim)])


def check_diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> None:
    """Raise PyTorch's errors for dimensions that aren't there or are the same."""
    shape = input._array.shape
    if not shape:
        wrap_dim(dim1, 1)
        wrap_dim(dim2, 1)
    embedded_shape(shape, offset, dim1, dim2)


operator(
    "diag_embed", lambda xp, input, offset=0, dim1=-2, dim2=-1: diagonal_backward(
        xp, input, embedded_shape(input.shape, offset, dim1, dim2), offset, dim1, dim2
    ),
    check=check_diag_embed, kinds={"dim1": "int", "dim2": "int"}, out=False,
    input=lambda o, g, offset, dim1, dim2: o.diagonal(g, offset, dim1, dim2),
    doc="Zeros, with the last dimension on the diagonal of two new ones.",
)  # fmt: skip


def diag(o: Any, input: Any, diagonal: int = 0) -> Any:
    """A vector as the diagonal of a matrix, or the diagonal of a matrix."""
    ndim = input._array.ndim
    if ndim == 1:
        return o.diag_embed(input, diagonal)
    if ndim == 2:
        return o.diagonal_copy(input, diagonal)
    raise ShapeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")


composite("diag", diag, doc="A vector as the diagonal of a matrix; of a matrix its diagonal.")
composite(
    "diagflat", lambda o, input, offset=0: o.diag_embed(
        o.view(o.contiguous(input), (-1,)), offset
    ),
    doc="A matrix with all elements on its diagonal.",
)  # fmt: skip

# ---------------------------------------------------------------- repeated


def check_repeat(input: Any, repeats: Sequence[int]) -> None:
    """Raise PyTorch's errors for too few or negative repeats."""
    shape = input._array.shape
    if len(repeats) < len(shape):
        raise ShapeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            "tensor"
        )
    padded = (1,) * (len(repeats) - len(shape)) + shape
    result = [a * b for a, b in zip(padded, repeats, strict=True)]
    for size in result:
        if size < 0:
            raise ShapeError(f"Trying to create tensor with negative dimension {size}: {result}")


def repeat_gradient(o: Any, g: Any, repeats: Sequence[int], shape: tuple[int, ...]) -> Any:
    """The gradients of all copies, added up."""
    if 0 in repeats:
        return o.expand(o.reshape(o.sum(g), (1,) * len(shape)), shape)
    extra = len(repeats) - len(shape)
    for _ in range(extra):
        g = o.sum_dim(g, (0,), False)
    split: list[int] = []
    dims: list[int] = []
    for times, size in zip(repeats[extra:], shape, strict=True):
        if times != 1:
            dims.append(len(split))
            split.append(times)
        split.append(size)
    if not dims:
        return g
    g = o.reshape(g, tuple(split))
    return o.sum_dim(g, tuple(dims), False)


operator(
    "repeat", lambda xp, input, repeats: repeated(input, repeats), check=check_repeat,
    varargs=True, function=False, kinds={"repeats": "ints"},
    input=lambda o, g, repeats, input_shape: repeat_gradient(o, g, repeats, input_shape),
    doc="The tensor several times in each dimension.",
)  # fmt: skip


def tile(o: Any, input: Any, dims: tuple[int, ...]) -> Any:
    """`repeat`, where missing repeats are 1."""
    return o.repeat(input, (1,) * (input._array.ndim - len(dims)) + tuple(dims))


composite("tile", tile, varargs=True, out=False, doc="The tensor several times in each dimension.")


def repeat_interleave(
    o: Any, input: Any, repeats: Any = None, dim: int | None = None, *,
    output_size: int | None = None,
) -> Any:  # fmt: skip
    """Each slice of a dimension several times in a row."""
    if repeats is None:
        return _interleaved_indices(input, output_size)
    if dim is None:
        input = o.reshape(input, (-1,))
    shape = input._array.shape
    at = wrap_dim(0 if dim is None else dim, len(shape))
    if isinstance(repeats, Tensor) and repeats._array.size == 1 and repeats._type.category <= 1:
        repeats = int(repeats._array.reshape(-1)[0])
    if isinstance(repeats, int):
        if repeats < 0:
            raise ShapeError("Repeats must be non-negative")
        if not shape:
            input, shape = o.reshape(input, (1,)), (1,)
        wide = o.expand(
            o.unsqueeze(input, at + 1), (*shape[: at + 1], repeats, *shape[at + 1 :])
        )
        copy = o.clone(wide, memory_format=CONTIGUOUS)
        return o.view(copy, (*shape[:at], shape[at] * repeats, *shape[at + 1 :]))
    if repeats._array.ndim != 1:
        raise ShapeError("repeats must be 0-dim or 1-dim tensor")
    if repeats._array.size != shape[at]:
        raise ShapeError(
            "repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{repeats._array.size} and input.size({at}) = {shape[at]}"
        )
    return o.index_select(input, at, _interleaved_indices(repeats, output_size))


def _interleaved_indices(repeats: Tensor, size: int | None) -> Tensor:
    counts = repeats._array
    if counts.ndim != 1:
        raise ShapeError("repeat_interleave only accept 1D vector as repeat")
    if repeats._type.dtype not in (dtypes.int64, dtypes.int32):
        raise UnsupportedDTypeError(
            f'"repeat_interleave_cpu" not implemented for \'{repeats._type.dtype.title}\''
        )
    if counts.size and counts.min() < 0:
        raise ShapeError("repeats can not be negative")
    xp = repeats._type.xp
    result = xp.repeat(xp.arange(counts.size, dtype=counts.dtype), counts)
    if size is not None and size != result.size:
        raise ShapeError("allocated size does not match required size")
    return new_tensor(result, repeats._type)


composite(
    "repeat_interleave", repeat_interleave, kinds={"repeats": "any", "dim": "int?",
                                                   "output_size": "int?"},
    out=False, doc="Each element, or slice of a dimension, several times in a row.",
)  # fmt: skip
