"""What a tensor tells about its memory, and the in-place functions that change its geometry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy

from tgrad.core.graph import fill_node
from tgrad.core.memory_format import MemoryFormat, is_stored
from tgrad.core.modes import state
from tgrad.core.storage import Storage
from tgrad.core.tensor import Size, Tensor
from tgrad.errors import ArgumentError, AutogradError, ShapeError
from tgrad.ops import strided as pieces
from tgrad.ops.arguments import ACCEPT, REFUSED
from tgrad.ops.derivative import node_classes
from tgrad.ops.dimensions import contiguous_strides, numel, wrap_dim
from tgrad.ops.geometry import array_near, element_strides, extent, first_byte
from tgrad.ops.inplace import check_writable
from tgrad.ops.rebase import set_origin
from tgrad.ops.shape import squeezed, transposed, unsqueezed
from tgrad.ops.storages import storage, untyped_storage
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
    array = numpy.zeros(numel(shape), self._array.dtype)
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


def set_(
    self: Tensor, source: Any = None, storage_offset: Any = None, size: Any = None, stride: Any = None
) -> Tensor:
    """Make the tensor another one's memory, with its geometry or with a given one."""
    if source is None:
        self._array = numpy.zeros(0, self._array.dtype)
        self._storage = None
        return self
    if not isinstance(source, Tensor):
        raise ArgumentError(
            f"set_(): argument 'source' (position 1) must be Tensor, not {type(source).__name__}"
        )
    if source._type is not self._type:
        raise ShapeError(
            f"Could not set tensor of type {source._type.dtype.name} to a tensor of type "
            f"{self._type.dtype.name}"
        )
    array = source._array
    if storage_offset is not None:
        offset, sizes = ACCEPT["int"][0](storage_offset), ACCEPT["ints"][0](size)
        steps = None if stride is None else ACCEPT["ints"][0](stride)
        if REFUSED in (offset, sizes, steps):
            raise ArgumentError(
                "set_() received an invalid combination of arguments: after a tensor stand an int "
                "storage_offset, a tuple of ints size and a tuple of ints stride"
            )
        steps = contiguous_strides(sizes) if steps is None else steps
        pieces.check_placement(source, sizes, steps, offset)
        array = array_near(array, sizes, steps, offset - pieces.storage_offset(source))
    self._array = array
    self._storage = source.own_storage()
    self._storage.version += 1
    return self


METHODS: Final[dict[str, Callable[..., Any]]] = {
    "size": size, "stride": stride, "dim": dim, "ndimension": dim, "element_size": element_size,
    "is_contiguous": is_contiguous, "storage_offset": storage_offset, "data_ptr": data_ptr,
    "is_set_to": is_set_to, "storage": storage, "untyped_storage": untyped_storage, "t_": t_,
    "transpose_": transpose_, "swapaxes_": transpose_, "swapdims_": transpose_,
    "squeeze_": squeeze_, "unsqueeze_": unsqueeze_, "as_strided_": as_strided_,
    "resize_": resize_, "resize_as_": resize_as_, "set_": set_,
}  # fmt: skip
ATTRIBUTES: Final[dict[str, Any]] = dict(METHODS)
FUNCTIONS: Final[dict[str, Any]] = {
    "detach": Tensor.detach, "resize_as_": resize_as_, "as_strided_": as_strided_,
}  # fmt: skip
"""Functions of `torch` that are methods as well."""
