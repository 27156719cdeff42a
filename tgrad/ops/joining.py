"""Rows: several tensors as one, and one as several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy

from tgrad.core import dtype as dtypes
from tgrad.core.device import TensorType, tensor_type
from tgrad.core.tensor import Size, Tensor
from tgrad.errors import ArgumentError, ArgumentValueError, ShapeError
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.mixing import refuse_devices, refuse_several
from tgrad.ops.operands import broadcast_error
from tgrad.ops.table import Op, composite, operand_type, operator


def join(op: Op, tensors: Sequence[Tensor]) -> tuple[TensorType, list[Any], bool]:
    """The common type of several tensors, their arrays in it, and whether any was converted."""
    if not tensors:
        raise ShapeError(f"{op.public} expects a non-empty TensorList")
    found = tensors[0]._type
    arrays = [tensor._array for tensor in tensors if tensor._type is found]
    if len(arrays) == len(tensors):
        return found, arrays, False
    refuse_devices(op, [tensors])
    found = tensor_type(_promoted(tensors), found.device)
    target = found.dtype.numpy
    arrays = [
        t._array if t._type is found else found.xp.cast(t._array, target) for t in tensors
    ]
    return found, arrays, True


def _promoted(tensors: Sequence[Tensor]) -> dtypes.DType:
    return operand_type(tensors)


# ---------------------------------------------------------------- cat and stack


def check_cat(tensors: Sequence[Tensor], dim: int = 0) -> None:
    """Raise PyTorch's errors for tensors that can't be put one after the other."""
    if tensors:
        alike = tensors[0]._array.shape
        if -len(alike) <= dim < len(alike):
            for tensor in tensors:
                if tensor._array.shape != alike:
                    break
            else:
                return
    if not tensors:
        raise ArgumentValueError("torch.cat(): expected a non-empty list of Tensors")
    for position, tensor in enumerate(tensors):
        if tensor._array.ndim == 0:
            raise ShapeError(
                f"zero-dimensional tensor (at position {position}) cannot be concatenated",
                hint="stack() joins 0-dimensional tensors",
            )
    first = None
    for position, tensor in enumerate(tensors):
        shape = tensor._array.shape
        if shape == (0,):
            continue
        if first is None:
            first = shape
            at = wrap_dim(dim, len(first))
        elif len(shape) != len(first):
            raise ShapeError(
                f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}"
            )
        elif shape != first:
            for d, (want, size) in enumerate(zip(first, shape, strict=True)):
                if want != size and d != at:
                    raise ShapeError(
                        f"Sizes of tensors must match except in dimension {at}. Expected size "
                        f"{want} but got size {size} for tensor number {position} in the list."
                    )


def joined(xp: Any, tensors: Sequence[Any], dim: int = 0) -> Any:
    """Arrays one after the other; empty ones of one dimension don't count."""
    if tensors[0].flags.c_contiguous:
        try:
            result = xp.concatenate(tensors, dim)
        except ValueError:
            pass  # an empty one among others with more dimensions
        else:
            if result.flags.c_contiguous:
                return result
    kept = [array for array in tensors if array.shape != (0,)]
    if not kept:
        return numpy.zeros(0, tensors[0].dtype)
    if all(array.flags.c_contiguous for array in kept):
        return numpy.concatenate(kept, dim)
    shape = list(kept[0].shape)
    shape[dim] = sum(array.shape[dim] for array in kept)
    return numpy.concatenate(kept, dim, out=numpy.empty(shape, kept[0].dtype))


def cat_gradient(o: Any, g: Any, shapes: Sequence[tuple[int, ...]], dim: int) -> tuple[Any, ...]:
    """The part of the gradient that belongs to each tensor."""
    ndim = next((len(shape) for shape in shapes if shape != (0,)), 1)
    at = wrap_dim(dim, ndim)
    parts = []
    start = 0
    for shape in shapes:
        if shape == (0,):
            parts.append(o.slice(o.reshape(g, (-1,)), 0, 0, 0, 1))
            continue
        parts.append(o.slice(g, at, start, start + shape[at], 1))
        start += shape[at]
    return tuple(parts)


operator(
    "cat", joined, check=check_cat, method=False, aliases=("concat", "concatenate"),
    tensors=lambda o, g, tensors_shape, dim: cat_gradient(o, g, tensors_shape, dim),
    doc="Tensors one after the other in an existing dimension.",
)  # fmt: skip


def check_stack(tensors: Sequence[Tensor], dim: int = 0) -> None:
    """Raise PyTorch's errors for tensors of different shapes."""
    if not tensors:
        raise ShapeError("stack expects a non-empty TensorList")
    first = tensors[0]._array.shape
    if dim:
        wrap_dim(dim, len(first) + 1)
    for position, tensor in enumerate(tensors):
        if tensor._array.shape != first:
            raise ShapeError(
                f"stack expects each tensor to be equal size, but got {list(first)} at entry 0 and "
                f"{list(tensor._array.shape)} at entry {position}"
            )


def stacked(xp: Any, tensors: Sequence[Any], dim: int = 0) -> Any:
    """Arrays of one shape side by side in a new dimension; always stored row by row."""
    if dim == 0:
        return xp.array(tensors)
    arrays = list(tensors)
    dim = wrap_dim(dim, arrays[0].ndim + 1)
    shape = arrays[0].shape
    result = numpy.empty((*shape[:dim], len(arrays), *shape[dim:]), arrays[0].dtype)
    place = (*(slice(None),) * dim, None)
    return numpy.concatenate([array[place] for array in arrays], dim, out=result)


operator(
    "stack", stacked, check=check_stack, method=False,
    tensors=lambda o, g, dim: o.unbind(g, dim),
    doc="Tensors of one shape side by side in a new dimension.",
)  # fmt: skip


def _family(name: str, grow: str, dim: int, doc: str) -> None:
    def forward(o: Any, tensors: Sequence[Tensor]) -> Any:
        if not tensors:
            raise ShapeError(f"{name} expects a non-empty TensorList")
        grown = ATLEAST[grow](o, list(tensors))
        return o.cat(grown, 0 if dim == 1 and grown[0]._array.ndim == 1 else dim)

    composite(name, forward, method=False, aliases=("row_stack",) * (name == "vstack"), doc=doc)


_family("hstack", "atleast_1d", 1, "Tensors side by side: joined in dimension 1, or 0 if 1-D.")
_family("vstack", "atleast_2d", 0, "Tensors below each other, 1-D ones as rows.")
_family("dstack", "atleast_3d", 2, "Tensors behind each other: joined in dimension 2.")


def column_stack(o: Any, tensors: Sequence[Tensor]) -> Any:
    """Tensors side by side, those with fewer than two dimensions as columns."""
    if not tensors:
        raise ShapeError("column_stack expects a non-empty TensorList")
    columns = [
        o.reshape(t, (t._array.size, 1)) if t._array.ndim <= 1 else t for t in tensors
    ]
    return o.cat(columns, 1)


composite(
    "column_stack", column_stack, method=False,
    doc="Tensors side by side, 1-D ones as columns.",
)  # fmt: skip

# ---------------------------------------------------------------- matrices along a diagonal


def check_block_diag(tensors: Sequence[Tensor]) -> None:
    """Raise PyTorch's error for blocks that are no matrices."""
    for position, tensor in enumerate(tensors):
        if tensor._array.ndim > 2:
            raise ShapeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. "
                f"Input {position} has {tensor._array.ndim} dimensions"
            )
        refuse_several(
            "torch.block_diag: input tensors must all be on the same device. Input 0 is on device {0} and "
            f"input {position} is on device {{1}}.", tensors[0], tensor,
        )  # fmt: skip


def _block(shape: tuple[int, ...]) -> tuple[int, int]:
    """A block's size; vectors are rows."""
    rows, columns = (1,) * (2 - len(shape)) + shape
    return rows, columns


def blocks_joined(xp: Any, tensors: Sequence[Any]) -> Any:
    """A matrix of zeros with arrays along its diagonal."""
    sizes = [_block(array.shape) for array in tensors]
    result = numpy.zeros((sum(r for r, _ in sizes), sum(c for _, c in sizes)), tensors[0].dtype)
    row = column = 0
    for array, (rows, columns) in zip(tensors, sizes, strict=True):
        result[row : row + rows, column : column + columns] = array
        row, column = row + rows, column + columns
    return result


def block_gradient(o: Any, g: Any, shapes: Sequence[tuple[int, ...]]) -> tuple[Any, ...]:
    """The blocks of a gradient."""
    parts = []
    row = column = 0
    for shape in shapes:
        rows, columns = _block(shape)
        part = o.slice(o.slice(g, 0, row, row + rows, 1), 1, column, column + columns, 1)
        parts.append(o.reshape(part, shape))
        row, column = row + rows, column + columns
    return tuple(parts)


operator(
    "_block_diag", blocks_joined, check=check_block_diag, function=False, method=False,
    label="BlockDiagBackward",
    tensors=lambda o, g, tensors_shape: block_gradient(o, g, tensors_shape),
    doc="Matrices along the diagonal of a matrix of zeros.",
)  # fmt: skip


def block_diag(*tensors: Tensor) -> Any:
    """A matrix with the given matrices along its diagonal; vectors are rows, numbers 1 by 1."""
    from tgrad.core.engine import Spaces

    for position, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            raise ArgumentError(
                f"expected Tensor as element {position} in argument 0, but got "
                f"{type(tensor).__name__}"
            )
    if not tensors:
        return Spaces.recorded.zeros_of((1, 0), tensor_type(dtypes.default.dtype))
    return Spaces.recorded._block_diag(tensors)


# ---------------------------------------------------------------- at least so many dimensions


def _atleast(name: str, grow: Any) -> None:
    def several(o: Any, *tensors: Any) -> Any:
        if len(tensors) == 1 and isinstance(tensors[0], Tensor):
            return grow(o, tensors[0])
        if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
            tensors = tuple(tensors[0])
        for position, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor):
                raise ArgumentError(
                    f"expected Tensor as element {position} in argument 0, "
                    f"but got {type(tensor).__name__}"
                )
        return tuple(grow(o, tensor) for tensor in tensors)

    ATLEAST[name] = several


ATLEAST: Final[dict[str, Any]] = {}


def _grow1(o: Any, x: Tensor) -> Any:
    return x if x._array.ndim else o.reshape(x, (1,))


def _grow2(o: Any, x: Tensor) -> Any:
    ndim = x._array.ndim
    return o.reshape(x, (1, 1)) if ndim == 0 else o.unsqueeze(x, 0) if ndim == 1 else x


def _grow3(o: Any, x: Tensor) -> Any:
    ndim = x._array.ndim
    if ndim == 0:
        return o.reshape(x, (1, 1, 1))
    if ndim == 1:
        return o.unsqueeze(o.unsqueeze(x, 0), -1)
    return o.unsqueeze(x, -1) if ndim == 2 else x


for _name, _grow in (("atleast_1d", _grow1), ("atleast_2d", _grow2), ("atleast_3d", _grow3)):
    _atleast(_name, _grow)


# ---------------------------------------------------------------- shapes that go together


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """The tensors expanded to their common shape, as views; those that have it as they are."""
    from tgrad.core.engine import Spaces

    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    shape: tuple[int, ...] = ()
    for position, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            raise ArgumentError(
                f"expected Tensor as element {position} in argument 0, but got "
                f"{type(tensor).__name__}"
            )
        error = broadcast_error(shape, tensor._array.shape)
        if error is not None:
            raise error
        shape = numpy.broadcast_shapes(shape, tensor._array.shape)
    return tuple([
        t if t._array.shape == shape else Spaces.recorded.expand(t, shape) for t in tensors
    ])  # fmt: skip


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape to which tensors of these shapes broadcast."""
    result: list[int] = []
    for position, given in enumerate(shapes):
        shape = (given,) if isinstance(given, int) else tuple(given)
        if min(shape, default=0) < 0:
            raise ArgumentValueError("Attempting to broadcast a dimension with negative length!")
        result = [1] * (len(shape) - len(result)) + result
        for back in range(1, len(shape) + 1):
            size = shape[-back]
            if size == 1 or size == result[-back]:
                continue
            if result[-back] != 1:
                raise ShapeError(
                    f"Attempting to broadcast a dimension of length {size} at -{back}! Mismatching "
                    f"argument at index {position} had {shape}; but expected shape should be "
                    f"broadcastable to {result}"
                )
            result[-back] = size
    return Size(result)


FUNCTIONS: Final[dict[str, Any]] = {
    "block_diag": block_diag, "broadcast_tensors": broadcast_tensors,
    "broadcast_shapes": broadcast_shapes,
}  # fmt: skip
"""Functions of `torch` that take any number of arguments."""


def _function_of_tensors(name: str) -> Any:
    def function(*tensors: Any) -> Any:
        from tgrad.core.engine import Spaces

        return ATLEAST[name](Spaces.recorded, *tensors)

    function.__name__ = name
    function.__doc__ = f"Tensors with at least {name[-2]} dimensions, as views."
    return function


FUNCTIONS.update((name, _function_of_tensors(name)) for name in ATLEAST)
