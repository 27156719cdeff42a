"""Rows: other shapes of the same elements.

What can be a view is one; its kernel returns a NumPy view.
"""

from __future__ import annotations

from typing import Any, Final

from tgrad.core.memory_format import CONTIGUOUS
from tgrad.core.tensor import Tensor
from tgrad.errors import ShapeError
from tgrad.ops.dimensions import wrap_dim, wrap_dims
from tgrad.ops.geometry import inferred, reshaped, strided
from tgrad.ops.table import composite, operator, view

# ---------------------------------------------------------------- new shapes


def viewed(xp: Any, input: Any, size: tuple[int, ...]) -> Any:
    """The view of an array that has this shape.

    Raises:
        ShapeError: the number of elements differs, or it would take a copy.
    """
    if input.flags.c_contiguous:
        if size == (-1,):
            return input.reshape((input.size,))
        for number in size:
            if number < 0:
                break
        else:
            try:
                return input.reshape(size)
            except ValueError:
                pass  # said in PyTorch's words below
    result = reshaped(input, inferred(size, input.size))
    if result is None:
        raise ShapeError(
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension spans across two contiguous subspaces). Use .reshape(...) instead.",
            hint="reshape() copies where a view isn't possible",
        )
    return result


def view_dtype(o: Any, input: Any, dtype: Any) -> Any:
    """The same bytes read as another dtype; a view, never recorded where the result is integer."""
    array, have = input._array, input._type.dtype
    names = f"to view {have.title} as {dtype.title} (different element sizes)"
    if dtype.itemsize != have.itemsize:
        ratio = max(dtype.itemsize, have.itemsize) // min(dtype.itemsize, have.itemsize)
        if array.ndim == 0:
            raise ShapeError(f"self.dim() cannot be 0 {names}")
        if array.shape[-1] != 1 and array.strides[-1] != have.itemsize:
            raise ShapeError(f"self.stride(-1) must be 1 {names}, but got "
                             f"{array.strides[-1] // have.itemsize}")
        if dtype.itemsize > have.itemsize and array.shape[-1] % ratio:
            raise ShapeError(
                f"self.size(-1) must be divisible by {ratio} {names}, but got {array.shape[-1]}"
            )
    result = input.view_of_memory(array.view(dtype.numpy))
    result._type = input._type.related[dtype]
    return result


composite(
    "view.dtype", view_dtype, function=False,
    out=False, doc="The same memory read as another dtype.",
)  # fmt: skip


view(
    "view", viewed, varargs=True, function=False,
    input=lambda o, g, input_shape: o.reshape(g, input_shape),
    doc="The same elements with another shape, as a view; a -1 in the shape is worked out.",
)  # fmt: skip

view(
    "reshape_alias", viewed, function=False, method=False,
    input=lambda o, g, input_shape: o.reshape(g, input_shape),
    doc="What `reshape` records where the input isn't contiguous and no copy is needed.",
)  # fmt: skip

operator(
    "unsafe_view", viewed, function=False, method=False, out=False,
    input=lambda o, g, input_shape: o.reshape(g, input_shape),
    doc="What `reshape` records for the new shape of a copy that nothing else refers to.",
)  # fmt: skip


def reshape(o: Any, input: Any, shape: tuple[int, ...]) -> Any:
    """`view` where that is possible, of a copy where not; arrays and tensors."""
    if type(input) is not Tensor:
        return input.reshape(shape)
    array = input._array
    if array.flags.c_contiguous:
        return o.view(input, shape)
    shape = inferred(shape, array.size)
    if reshaped(array, shape) is not None:
        return o.reshape_alias(input, shape)
    return o.unsafe_view(o.clone(input, memory_format=CONTIGUOUS), shape)


composite(
    "reshape", reshape, varargs=True,
    out=False, doc="The same elements with another shape; a view where possible, a copy where not.",
)  # fmt: skip
composite(
    "view_as", lambda o, input, other: o.view(input, other._array.shape), function=False,
    out=False, doc="The same elements with the shape of another tensor, as a view.",
)  # fmt: skip
composite(
    "reshape_as", lambda o, input, other: o.reshape(input, other._array.shape), function=False,
    out=False, doc="The same elements with the shape of another tensor.",
)  # fmt: skip


def flatten(o: Any, input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Several dimensions as one."""
    array = input._array
    shape = array.shape
    if start_dim == 0 and end_dim == -1 and len(shape) > 1:
        return (o.view if array.flags.c_contiguous else o.reshape)(input, (array.size,))
    first, last = wrap_dim(start_dim, len(shape)), wrap_dim(end_dim, len(shape))
    if first > last:
        raise ShapeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return o.reshape(input, (1,))
    if first == last:
        return input
    merged = 1
    for size in shape[first : last + 1]:
        merged *= size
    return o.reshape(input, (*shape[:first], merged, *shape[last + 1 :]))


composite(
    "flatten", flatten, kinds={"start_dim": "int", "end_dim": "int"},
    out=False, doc="The dimensions from start_dim to end_dim as one.",
)  # fmt: skip


def unflatten(o: Any, input: Any, dim: int, sizes: tuple[int, ...]) -> Any:
    """One dimension as several."""
    shape = input._array.shape
    dim = wrap_dim(dim, len(shape))
    if not sizes:
        raise ShapeError("unflatten: sizes must be non-empty")
    try:
        parts = inferred(sizes, shape[dim])
    except ShapeError as error:
        if "is invalid for input" not in error.message:
            raise
        raise ShapeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} "
            f"({shape[dim]}) in the input tensor"
        ) from None
    return o.view(input, (*shape[:dim], *parts, *shape[dim + 1 :]))


composite(
    "unflatten", unflatten, kinds={"sizes": "sequence"},
    out=False, doc="One dimension as several, whose sizes multiply to its own.",
)  # fmt: skip
composite(
    "ravel", lambda o, input: o.view(o.contiguous(input), (-1,)),
    out=False, doc="All elements in one dimension.",
)  # fmt: skip

# ---------------------------------------------------------------- the order of dimensions


def inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes another one."""
    found = [0] * len(dims)
    for position, dim in enumerate(dims):
        found[dim] = position
    return tuple(found)


def permuted(xp: Any, input: Any, dims: tuple[int, ...]) -> Any:
    """The dimensions of an array in another order."""
    ndim = input.ndim
    if len(dims) != ndim:
        raise ShapeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions i.e. input.dim() = {ndim} is not equal "
            f"to len(dims) = {len(dims)}"
        )
    wrapped = [wrap_dim(dim, ndim) for dim in dims]
    if len(set(wrapped)) != ndim:
        raise ShapeError("permute(): duplicate dims are not allowed.")
    return input.transpose(wrapped)


def transposed(xp: Any, input: Any, dim0: int, dim1: int) -> Any:
    """An array with two dimensions exchanged."""
    ndim = input.ndim
    a, b = wrap_dim(dim0, ndim), wrap_dim(dim1, ndim)
    return input.swapaxes(a, b) if ndim else input[...]


def check_t(input: Any) -> None:
    """Raise PyTorch's error for `t()` of more than two dimensions."""
    if input._array.ndim > 2:
        raise ShapeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {input._array.ndim}D"
        )


view(
    "permute", permuted, kinds={"dims": "ints"}, varargs=True,
    input=lambda o, g, dims: o.permute(g, inverse(tuple([d % len(dims) for d in dims]))),
    doc="The dimensions in another order.",
)  # fmt: skip
view(
    "transpose", transposed,
    input=lambda o, g, dim0, dim1: o.transpose(g, dim0, dim1),
    doc="Two dimensions exchanged.",
)  # fmt: skip
view(
    "t", lambda xp, input: input.T if input.ndim == 2 else input[...], check=check_t,
    input=lambda o, g: o.t(g),
    doc="The transpose of a matrix; tensors with fewer dimensions as they are.",
)  # fmt: skip
for _name in ("swapaxes", "swapdims"):
    _first, _second = ("axis0", "axis1") if _name == "swapaxes" else ("dim0", "dim1")
    composite(
        _name,
        (lambda o, input, axis0, axis1: o.transpose(input, axis0, axis1)) if _first == "axis0"
        else (lambda o, input, dim0, dim1: o.transpose(input, dim0, dim1)),
        kinds={_first: "int", _second: "int"},
        out=False, doc="Two dimensions exchanged; `transpose` by another name.",
    )


def movedim(o: Any, input: Any, source: tuple[int, ...], destination: tuple[int, ...]) -> Any:
    """Some dimensions in other places, the others in their order."""
    ndim = input._array.ndim
    if len(source) != len(destination):
        raise ShapeError(
            f"movedim: Invalid source or destination dims: source ({list(source)} dims) should "
            "contain the same number of dims as destination "
            f"({list(destination)} dims)"
        )
    old = [wrap_dim(dim, ndim) for dim in source]
    new = [wrap_dim(dim, ndim) for dim in destination]
    for name, dims, given in (("source", old, source), ("destination", new, destination)):
        if len(set(dims)) != len(dims):
            raise ShapeError(f"movedim: repeated dim in `{name}` ({list(given)})")
    if ndim == 0:
        return o.alias(input)
    rest = iter([dim for dim in range(ndim) if dim not in old])
    places = dict(zip(new, old, strict=True))
    return o.permute(input, tuple([places[d] if d in places else next(rest) for d in range(ndim)]))


composite(
    "movedim", movedim, kinds={"source": "ints", "destination": "ints"}, aliases=("moveaxis",),
    out=False, doc="Dimensions moved to other places.",
)  # fmt: skip


def reversed_dims(tensor: Tensor) -> Any:
    """`x.T`: all dimensions in reverse order."""
    from tgrad.core.engine import Spaces

    return Spaces.recorded.permute(tensor, tuple(range(tensor._array.ndim - 1, -1, -1)))


def matrix_transpose(o: Any, input: Any, name: str = "tensor.mT") -> Any:
    """The last two dimensions exchanged."""
    ndim = input._array.ndim
    if ndim == 1:
        raise ShapeError(
            f"{name} is only supported on matrices or batches of matrices. Got 1-D tensor."
        )
    return o.transpose(input, -2, -1) if ndim else o.alias(input)


def adjoint(o: Any, input: Any, name: str = "tensor.adjoint()") -> Any:
    """The conjugate of the matrix transpose."""
    result = matrix_transpose(o, input, name)
    return o.conj(result) if input._type.dtype.is_complex else result


composite("adjoint", adjoint, out=False, doc="The conjugate transpose of each matrix.")


def _m_t(tensor: Tensor) -> Any:
    from tgrad.core.engine import Spaces

    return matrix_transpose(Spaces.recorded, tensor)


def _m_h(tensor: Tensor) -> Any:
    from tgrad.core.engine import Spaces

    return adjoint(Spaces.recorded, tensor, "tensor.mH")


def _h(tensor: Tensor) -> Any:
    from tgrad.core.engine import Spaces

    ndim = tensor._array.ndim
    if ndim not in (0, 2):
        more = " For batches of matrices, consider using tensor.mH" if ndim > 2 else ""
        raise ShapeError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {ndim}-D tensor.{more}"
        )
    return adjoint(Spaces.recorded, tensor)


# ---------------------------------------------------------------- dimensions of size 1


def squeezed(xp: Any, input: Any, dims: tuple[int, ...] | None = None) -> Any:
    """An array without dimensions of size 1: all of them, or those among `dims`."""
    shape = input.shape
    chosen = range(len(shape)) if dims is None else wrap_dims(dims, len(shape))
    gone = tuple([dim for dim in chosen if shape and shape[dim] == 1])
    return input.squeeze(gone) if gone else input[...]


def unsqueezed(xp: Any, input: Any, dim: int) -> Any:
    """An array with a new dimension of size 1."""
    shape = input.shape
    if dim == 0:
        new = (1, *shape)
    else:
        dim = wrap_dim(dim, len(shape) + 1)
        new = (*shape[:dim], 1, *shape[dim:])
    if input.flags.c_contiguous:
        return input.reshape(new)
    strides = input.strides
    step = shape[dim] * strides[dim] if dim < len(shape) else input.itemsize
    return strided(input, new, (*strides[:dim], step, *strides[dim:]))


def squeeze_gradient(o: Any, g: Any, shape: tuple[int, ...], dims: Any = None) -> Any:
    """The dimensions of size 1 that `squeeze` took away, put back."""
    chosen = range(len(shape)) if dims is None else wrap_dims(dims, len(shape))
    for dim in sorted(chosen):
        if shape and shape[dim] == 1:
            g = o.unsqueeze(g, dim)
    return g


view(
    "squeeze", lambda xp, input: squeezed(xp, input),
    input=lambda o, g, input_shape: squeeze_gradient(o, g, input_shape),
    doc="Without dimensions of size 1.",
)  # fmt: skip
view(
    "squeeze.dim", lambda xp, input, dim: squeezed(xp, input, (dim,)), index=1,
    input=lambda o, g, dim, input_shape: squeeze_gradient(o, g, input_shape, dim),
    doc="Without the dimension dim, if its size is 1.",
)  # fmt: skip
view(
    "squeeze.dims", lambda xp, input, dim: squeezed(xp, input, dim), index=2, kinds={"dim": "ints"},
    input=lambda o, g, dim, input_shape: squeeze_gradient(o, g, input_shape, dim),
    doc="Without the dimensions among dim whose size is 1.",
)  # fmt: skip
view(
    "unsqueeze", unsqueezed,
    input=lambda o, g, dim: o.squeeze_dim(g, dim),
    doc="With a new dimension of size 1 at dim.",
)  # fmt: skip


ATTRIBUTES: Final[dict[str, Any]] = {
    "T": property(reversed_dims, doc="All dimensions in reverse order."),
    "mT": property(_m_t, doc="The last two dimensions exchanged."),
    "mH": property(_m_h, doc="The last two dimensions exchanged, and the conjugate taken."),
    "H": property(_h, doc="The conjugate transpose of a matrix."),
}
"""What Tensor gets besides the rows' methods."""
