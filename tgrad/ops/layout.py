"""Rows: repetition without memory, copies and their order in memory, complex numbers as pairs."""

from __future__ import annotations

from typing import Any, Final

from tgrad.backends.moved import row_by_row
from tgrad.core import dtype as dtypes
from tgrad.core.engine import Spaces
from tgrad.core.memory_format import CONTIGUOUS, PRESERVE, is_stored, stored
from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError, ShapeError, StateError
from tgrad.ops.geometry import copied, element_strides, expanded
from tgrad.ops.table import composite, operator, view

# ---------------------------------------------------------------- repetition without memory


def check_expand(input: Any, size: tuple[int, ...], implicit: bool = False) -> None:
    """Raise PyTorch's error for a size with fewer dimensions than the tensor."""
    if len(size) < input._array.ndim:
        dtype = input._type.dtype
        recent = dtype is dtypes.bool_ or dtype.is_complex
        expanded(input._array, size, f"CPU{dtype.title}Type" if recent else input._type.name)


view(
    "expand", lambda xp, input, size, *, implicit=False: expanded(input, size, ""), varargs=True,
    function=False, kinds={"implicit": "bool"}, check=check_expand,
    input=lambda o, g, input_shape: o.sum_to_size(g, input_shape),
    doc="Dimensions of size 1 repeated, and new leading ones, without copying; -1 keeps a size.",
)  # fmt: skip
composite(
    "expand_as", lambda o, input, other: o.expand(input, other._array.shape), function=False,
    out=False, doc="`expand` to the shape of another tensor.",
)  # fmt: skip
composite(
    "broadcast_to", lambda o, input, size: o.expand(input, size), kinds={"size": "sequence"},
    out=False, doc="The tensor repeated to a shape that it broadcasts to, without copying.",
)  # fmt: skip


def sum_to_size(o: Any, input: Any, size: tuple[int, ...]) -> Any:
    """Sums over the dimensions that broadcasting `size` to the input's shape would repeat.

    What broadcasting does to an operand, backwards: arrays and tensors.
    """
    tensor = isinstance(input, Tensor)
    shape = input._array.shape if tensor else input.shape
    if not size and (tensor or shape):
        return o.sum(input)
    dims = _REPEATED.get((shape, size))
    if dims is None:
        dims = _repeated(shape, size)
    if dims and o is Spaces.raw:
        input = o.xp.sum(input, dims, True) if len(shape) > 1 else o.xp.sum(input).reshape(1)
    elif dims:
        input = o.sum_dim(input, dims, True)
    return o.view(input, size) if len(shape) > len(size) else input


def _repeated(shape: tuple[int, ...], size: tuple[int, ...]) -> tuple[int, ...]:
    """The dimensions that broadcasting repeats, kept for the next time; an error where it can't."""
    extra = len(shape) - len(size)
    if extra < 0 or any(
        want not in (1, have) for have, want in zip(shape[extra:], size, strict=True)
    ):
        raise ShapeError(
            f"size {{{list(size)}}} is not expandable to size {{{list(shape)}}}."
        )
    if len(_REPEATED) >= _KEPT:
        _REPEATED.clear()
    dims = _REPEATED[shape, size] = tuple([
        dim for dim, have in enumerate(shape)
        if dim < extra or (size[dim - extra] == 1 and have != 1)
    ])  # fmt: skip
    return dims


_REPEATED: Final[dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[int, ...]]] = {}
_KEPT: Final = 512


composite(
    "sum_to_size", sum_to_size, varargs=True, function=False,
    out=False, doc="Sums over dimensions, so that the result has a shape that broadcasts to the input's.",
)  # fmt: skip

# ---------------------------------------------------------------- the same again, and copies

view(
    "alias", lambda xp, input: input[...], function=False, method=False,
    input=lambda o, g: g,
    doc="The tensor as a view of itself.",
)  # fmt: skip


def cloned(xp: Any, input: Any, *, memory_format: Any = None) -> Any:
    """A copy of an array, in its own order of memory unless a format says otherwise."""
    if memory_format is None or memory_format is PRESERVE:
        return copied(input)
    if memory_format is CONTIGUOUS:
        return row_by_row(input)
    return stored(input, memory_format)


operator(
    "clone", cloned, out=False,
    input=lambda o, g: g,
    doc="A copy that gradients flow through.",
)  # fmt: skip


def contiguous(o: Any, input: Any, *, memory_format: Any = None) -> Any:
    """The tensor itself if it is stored in the format's order (row by row), otherwise a copy that is."""
    if memory_format is PRESERVE:
        raise StateError("preserve memory format is unsupported by the contiguous operator")
    array = input._array if isinstance(input, Tensor) else input
    if is_stored(array, memory_format):
        return input
    return o.clone(input, memory_format=memory_format or CONTIGUOUS)


composite(
    "contiguous", contiguous, function=False,
    out=False, doc="The tensor stored row by row: itself, if it is already.",
)  # fmt: skip

# ---------------------------------------------------------------- complex numbers as pairs


def check_view_as_complex(input: Any) -> None:
    """Raise PyTorch's errors for what isn't stored as pairs."""
    array, dtype = input._array, input._type.dtype
    if dtype not in (dtypes.float16, dtypes.float32, dtypes.float64):
        raise DTypeError(
            "view_as_complex is only supported for half, float and double tensors, but got a "
            f"tensor of scalar type: {dtype.title}"
        )
    if array.ndim == 0:
        raise ShapeError("Input tensor must have one or more dimensions")
    if array.shape[-1] != 2:
        raise ShapeError("Tensor must have a last dimension of size 2")
    strides = element_strides(array)
    if strides[-1] != 1:
        raise ShapeError("Tensor must have a last dimension with stride 1")
    if any(step % 2 for step in strides[:-1]):
        raise ShapeError("Tensor must have a stride divisible by 2 for all but last dimension")
    if dtype is dtypes.float16:
        raise DTypeError(
            "complex numbers of two float16 parts are not available", hint="convert to float32 first"
        )


def _pairs(xp: Any, input: Any) -> Any:
    kind = xp.dtype(f"c{2 * input.itemsize}")
    return input.view(kind)[..., 0] if input.size else xp.empty(input.shape[:-1], kind)


view(
    "view_as_complex", lambda xp, input: _pairs(xp, input),
    check=check_view_as_complex, method=False,
    input=lambda o, g: o.view_as_real(o.contiguous(g)),
    doc="Pairs of real numbers read as complex numbers, as a view.",
)  # fmt: skip


def check_view_as_real(input: Any) -> None:
    """Raise PyTorch's error for a tensor that isn't complex."""
    if not input._type.dtype.is_complex:
        raise DTypeError("view_as_real is only supported for complex tensors")


view(
    "view_as_real",
    lambda xp, input: input[..., None].view(xp.dtype(f"f{input.itemsize // 2}")),
    check=check_view_as_real, method=False,
    input=lambda o, g: o.view_as_complex(o.contiguous(g)),
    doc="Complex numbers as pairs of real and imaginary part, as a view.",
)  # fmt: skip
