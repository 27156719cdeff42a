"""What a tensor tells about its memory, and the in-place functions that change its geometry."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

from tgrad.core.graph import fill_node
from tgrad.core.memory_format import MemoryFormat, is_stored
from tgrad.core.modes import state
from tgrad.core.storage import Storage
from tgrad.core.tensor import Size, Tensor
from tgrad.errors import ArgumentError, AutogradError, ShapeError
from tgrad.ops import strided as pieces
from tgrad.ops.arguments import ACCEPT, REFUSED, type_name
from tgrad.ops.derivative import node_classes
from tgrad.ops.dimensions import contiguous_strides, numel, wrap_dim
from tgrad.ops.geometry import array_near, element_strides, extent, first_byte
from tgrad.ops.inplace import check_writable
from tgrad.ops.mixing import refuse_several
from tgrad.ops.rebase import set_origin
from tgrad.ops.shape import squeezed, transposed, unsqueezed
from tgrad.ops.storages import TypedStorage, UntypedStorage, storage, untyped_storage
from tgrad.ops.table import TABLE, operator

# ---------------------------------------------------------------- questions


def size(self: Tensor, dim: int | None = None) -> Any:
    """The shape, or the size of one dimension."""
    shape = self._array.shape
    if dim is None:
        return Size(shape)
    return shape[wrap_dim(_int(dim, "size"), len(shape), scalar=False)]


def stride(self: Tensor, dim: int | None = None) -> Any:
    """How many elements of memory a step in each dimension is, or in one of them."""
    strides = element_strides(self._array)
    if dim is None:
        return strides
    return strides[wrap_dim(_int(dim, "stride"), len(strides), scalar=False)]


def _int(value: Any, name: str) -> int:
    found = ACCEPT["int"][0](value)
    if found is REFUSED:
        raise ArgumentError(
            f"{name}(): argument 'dim' (position 1) must be int, not {type(value).__name__}"
        )
    return found  # type: ignore[no-any-return]


def dim(self: Tensor) -> int:
    """The number of dimensions."""
    return int(self._array.ndim)


def element_size(self: Tensor) -> int:
    """Bytes of one element."""
    return self._type.dtype.itemsize


def is_contiguous(self: Tensor, memory_format: MemoryFormat | None = None) -> bool:
    """Whether the elements are stored without gaps, row by row or in the order of a memory format."""
    return is_stored(self._array, memory_format)


def storage_offset(self: Tensor) -> int:
    """Where the tensor begins in its storage, in elements."""
    return pieces.storage_offset(self)


def data_ptr(self: Tensor) -> int:
    """The address of the first element; 0 for a tensor without elements."""
    return first_byte(self._array) if self._array.size else 0


def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether two tensors are the same memory with the same geometry."""
    return (
        self._array.shape == tensor._array.shape
        and element_strides(self._array) == element_strides(tensor._array)
        and first_byte(self._array) == first_byte(tensor._array)
    )


# ---------------------------------------------------------------- other geometry, same object



def _changed(self: Tensor, array: Any, key: str, *saved: Any) -> Tensor:
    """Give a tensor another array on its memory, and record that as a view operator's node."""
    edge = self.current_edge() if state.grad else None
    storage = self.own_storage()
    storage.version += 1
    self._array = array
    if self._view is not None:
        self._view = (self._view[0], storage.version, self._view[2])
    if edge is not None:
        node = node_classes(TABLE[key])[0]()
        fill_node(node, (edge,), saved)
        set_origin(node)
        self._edge = (node, 0)
    return self


def t_(self: Tensor) -> Tensor:
    """`t` of the tensor itself."""
    check_writable(self)
    if self._array.ndim > 2:
        raise ShapeError(
            f"t_() expects a tensor with <= 2 dimensions, but self is {self._array.ndim}D"
        )
    return _changed(self, self._array.T, "t_")


def transpose_(self: Tensor, dim0: int, dim1: int) -> Tensor:
    """`transpose` of the tensor itself."""
    check_writable(self)
    return _changed(self, transposed(None, self._array, dim0, dim1), "transpose_", dim0, dim1)


def squeeze_(self: Tensor, dim: Any = None) -> Tensor:
    """`squeeze` of the tensor itself."""
    check_writable(self)
    shape = self._array.shape
    if dim is None:
        return _changed(self, squeezed(None, self._array), "squeeze_", shape)
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    key = "squeeze_.dim" if isinstance(dim, int) else "squeeze_.dims"
    return _changed(self, squeezed(None, self._array, dims), key, dim, shape)


def unsqueeze_(self: Tensor, dim: int) -> Tensor:
    """`unsqueeze` of the tensor itself."""
    check_writable(self)
    return _changed(self, unsqueezed(None, self._array, dim), "unsqueeze_", dim)


def _node(name: str, index: int, like: str) -> None:
    """A hidden row: the node of an in-place function, with the formula of another row."""
    row = TABLE[like]
    operator(
        name, row.forward, index=index, label=row.label.rstrip("0123456789"),
        function=False, method=False, out=False, doc=f"`{like}` in place.",
        kinds={p.name: p.kind for p in row.parameters}, **row.formulas,
    )  # fmt: skip


_node("t_", 1, "t")
_node("transpose_", 1, "transpose")
_node("squeeze_", 3, "squeeze")
_node("squeeze_.dim", 4, "squeeze.dim")
_node("squeeze_.dims", 5, "squeeze.dims")
_node("unsqueeze_", 1, "unsqueeze")
_node("strided_", 1, "strided")


def as_strided_(self: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """`as_strided` of the tensor itself."""
    check_writable(self)
    here = pieces.storage_offset(self)
    at = here if storage_offset is None else storage_offset
    home = (self._array.shape, element_strides(self._array))
    size, stride = tuple(size), tuple(stride)
    pieces.check_placement(self, size, stride, at)
    array = array_near(self._array, size, stride, at - here)
    return _changed(self, array, "strided_", home, size, stride, at - here)


def resize_(self: Tensor, *size: Any, memory_format: Any = None) -> Tensor:
    """Another shape, row by row, on the same memory; on new memory where that is too small.

    Elements that are new are not set to anything in particular (they are 0 here).
    """
    if self.requires_grad:
        raise AutogradError("cannot resize variables that require grad")
    shape = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else tuple(size)
    if min(shape, default=0) < 0:
        raise ShapeError("numel: integer multiplication overflow")
    if shape == self._array.shape:
        return self
    strides = contiguous_strides(shape)
    have = pieces.storage_bytes(self) // self._array.itemsize
    if pieces.storage_offset(self) + extent(shape, strides) <= have:
        self._array = array_near(self._array, shape, strides, 0)
        return self
    array = self._type.xp.zeros(numel(shape), self._array.dtype)
    left = have - pieces.storage_offset(self)
    array[:left] = array_near(self._array, (left,), (1,), 0)
    self._array = array.reshape(shape)
    version = self._version
    self._storage = Storage(self._array)
    self._storage.version = version
    return self


def resize_as_(self: Tensor, the_template: Tensor) -> Tensor:
    """`resize_` to the shape of another tensor."""
    return resize_(self, the_template._array.shape)


_SET: Final = (
    "()", "(torch.Storage source)",
    "(torch.Storage source, int storage_offset, tuple of ints size, tuple of ints stride = None)",
    "(Tensor source)",
    "(Tensor source, int storage_offset, tuple of ints size, tuple of ints stride = None)",
)  # fmt: skip
"""The overloads of `set_`."""


def set_(self: Tensor, *args: Any, **keywords: Any) -> Tensor:
    """Make the tensor another one's memory, or a storage, with its geometry or with a given one."""
    names = ("source", "storage_offset", "size", "stride")
    given = {**dict(zip(names, args, strict=False)), **keywords}
    source = given.get("source")
    offset, sizes = ACCEPT["int"][0](given.get("storage_offset", 0)), ACCEPT["ints"][0](given.get("size", ()))
    steps = None if given.get("stride") is None else ACCEPT["ints"][0](given["stride"])
    if (
        len(args) > len(names)
        or not set(given) <= set(names)
        or REFUSED in (offset, sizes, steps)
        or ("storage_offset" in given) != ("size" in given)
        or (not isinstance(source, (Tensor, TypedStorage, UntypedStorage)) and bool(given))
    ):
        from tgrad.ops.mismatch import combination_error

        raise ArgumentError(combination_error("set_", _SET, args, keywords, type_name))
    if source is None:
        self._array = self._type.xp.zeros(0, self._array.dtype)
        self._storage = None
        return self
    if not isinstance(source, Tensor):
        source = source.as_tensor(self._type)
    if source._type is not self._type:
        refuse_several(
            'Attempted to set the storage of a tensor on device "{0}" to a storage on different device '
            '"{1}".  This is no longer allowed; the devices must match.', self, source,
        )  # fmt: skip
        raise ShapeError(
            f"Could not set tensor of type {source._type.dtype.c_name} to a tensor of type "
            f"{self._type.dtype.c_name}"
        )
    array = source._array
    if "size" in given:
        steps = contiguous_strides(sizes) if steps is None else steps
        pieces.check_placement(source, sizes, steps, offset)
        array = array_near(array, sizes, steps, offset - pieces.storage_offset(source))
    self._array = array
    self._storage = source.own_storage()
    self._storage.version += 1
    return self


# ---------------------------------------------------------------- the order of dimensions, old names


def _comes_after(shape: Any, strides: Any, a: int, b: int) -> int:
    """1 if dimension a steps further through memory than b, -1 if less far, 0 if there's no telling."""
    if strides[a] == 0 or strides[b] == 0:
        return 0
    if strides[a] == strides[b]:
        return int(shape[a] > shape[b])
    return 1 if strides[a] > strides[b] else -1


def dim_order(self: Tensor, *, ambiguity_check: Any = False) -> tuple[int, ...]:
    """The dimensions from the one with the largest steps through memory to that with the smallest."""
    shape, strides = self._array.shape, element_strides(self._array)
    twice = any(a == b for a, b in pairwise(strides))
    if ambiguity_check is True and (twice or 1 in shape):
        raise ShapeError(
            "The tensor does not have unique dim order, or cannot map to exact one of the given memory "
            "formats."
        )
    order = list(reversed(range(len(shape))))
    for place in range(1, len(order)):
        here = place
        for other in reversed(range(place)):
            which = _comes_after(shape, strides, order[other], order[here])
            if which < 0:
                break
            if which > 0:
                order[other], order[here] = order[here], order[other]
                here = other
    return tuple(reversed(order))


def is_same_size(self: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape."""
    if not isinstance(other, Tensor):
        raise ArgumentError(
            f"is_same_size(): argument 'other' (position 2) must be Tensor, not {type_name(other)}"
        )
    return bool(self._array.shape == other._array.shape)


def share_memory_(self: Tensor) -> Tensor:
    """The tensor itself: all is in one process."""
    return self


def is_inference(self: Tensor) -> bool:
    """Whether the tensor was made in inference mode; that is `no_grad` here."""
    return False


def to_dense(self: Tensor, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
    """The tensor itself, converted if a dtype is given: all tensors are dense."""
    return self if dtype is None else self.to(dtype)


def resize(self: Tensor, *sizes: Any) -> Tensor:
    """The elements in another shape, by an old name."""
    _warn_resize("resize")
    return self.contiguous().view(*sizes)  # type: ignore[no-any-return]


def resize_as(self: Tensor, tensor: Tensor) -> Tensor:
    """The elements in the shape of another tensor, by an old name."""
    _warn_resize("resize_as")
    return self.contiguous().view(tensor.size())  # type: ignore[no-any-return]


def _warn_resize(name: str) -> None:
    import warnings

    warnings.warn(f"non-inplace {name} is deprecated", stacklevel=3)


METHODS: Final[dict[str, Callable[..., Any]]] = {
    "size": size, "stride": stride, "dim": dim, "ndimension": dim, "element_size": element_size,
    "is_contiguous": is_contiguous, "storage_offset": storage_offset, "data_ptr": data_ptr,
    "is_set_to": is_set_to, "storage": storage, "untyped_storage": untyped_storage, "t_": t_,
    "transpose_": transpose_, "swapaxes_": transpose_, "swapdims_": transpose_,
    "squeeze_": squeeze_, "unsqueeze_": unsqueeze_, "as_strided_": as_strided_,
    "resize_": resize_, "resize_as_": resize_as_, "set_": set_, "dim_order": dim_order,
    "is_inference": is_inference, "to_dense": to_dense,
    "is_same_size": is_same_size, "share_memory_": share_memory_, "resize": resize, "resize_as": resize_as,
}  # fmt: skip
ATTRIBUTES: Final[dict[str, Any]] = dict(METHODS)
FUNCTIONS: Final[dict[str, Any]] = {
    "detach": Tensor.detach, "is_same_size": is_same_size, "resize_as_": resize_as_,
    "as_strided_": as_strided_, "is_inference": is_inference,
}  # fmt: skip
"""Functions of `torch` that are methods as well."""
