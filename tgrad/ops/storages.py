"""A tensor's memory as an object of its own: `t.untyped_storage()`, and `t.storage()` of old.

Both see the whole memory that the tensor and its views are in, without shape and strides; one
counts in bytes, the other in elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tgrad.core.dtype import DType
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import DimensionError, NotAvailableError, StateError
from tgrad.ops import strided as pieces
from tgrad.ops.geometry import array_near, first_byte


def _memory(tensor: Tensor, count: int) -> Any:
    """The first `count` elements of a tensor's memory, as an array of one dimension."""
    return array_near(tensor._array, (count,), (1,), -pieces.storage_offset(tensor))


class _Memory:
    """What both kinds of storage have in common."""

    __slots__ = ("_elements", "_start", "_tensor")

    _unit: str

    def __init__(self, tensor: Tensor) -> None:
        storage = tensor._storage
        self._tensor = tensor
        self._start = first_byte(tensor._array if storage is None else storage.array)
        self._elements = pieces.storage_bytes(tensor) // tensor._type.dtype.itemsize

    def as_tensor(self, type_: Any) -> Tensor:
        """The memory as one row of elements of a type."""
        array = _memory(self._tensor, self._elements)
        if type(self) is UntypedStorage:
            array = array.view(type_.dtype.numpy)
        result = new_tensor(array, type_ if type(self) is UntypedStorage else self._tensor._type)
        result._storage = self._tensor.own_storage()
        return result

    def data_ptr(self) -> int:
        """The address of the first byte; 0 for a storage of no bytes."""
        return self._start if self._elements else 0

    def nbytes(self) -> int:
        """The number of bytes."""
        return self._elements * self._tensor._type.dtype.itemsize

    def is_shared(self) -> bool:
        """Whether other processes see the memory: they never do."""
        return False

    @property
    def device(self) -> Any:
        """Where the memory is."""
        return self._tensor.device

    @property
    def is_cuda(self) -> bool:
        """Whether the memory is that of a GPU."""
        return self._tensor.is_cuda

    def _numbers(self) -> Any:
        raise NotImplementedError

    def size(self) -> int:
        """The number of units, as `len` gives it."""
        return len(self)

    def __len__(self) -> int:
        return int(self._numbers().size)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def tolist(self) -> list[Any]:
        """The units as a list of Python numbers."""
        numbers: list[Any] = self._numbers().tolist()
        return numbers

    def fill_(self, value: Any) -> Any:
        """Set every unit to `value`."""
        self._numbers()[...] = value
        return self

    def __setitem__(self, index: Any, value: Any) -> None:
        # The version stays: PyTorch doesn't count these writes either.
        if not isinstance(index, slice) and not -len(self) <= index < len(self):
            size = len(self)
            raise DimensionError(
                f"index {index} is out of bounds for dimension 0 with size {size}"
            )
        self._numbers()[index] = value

    def _checked(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise DimensionError(f"index {index} out of range for storage of size {len(self)}")
        return index

    def _title(self) -> str:
        raise NotImplementedError

    def __repr__(self) -> str:
        numbers = "\n ".join(map(str, self.tolist()))
        return f" {numbers}\n[torch.storage.{self._title()} of size {len(self)}]"


class UntypedStorage(_Memory):
    """The memory of a tensor and its views, counted in bytes."""

    __slots__ = ()

    def _numbers(self) -> Any:
        return _memory(self._tensor, self._elements).view("uint8")

    def _title(self) -> str:
        return f"UntypedStorage(device={self.device})"

    def __getitem__(self, index: int) -> Any:
        if isinstance(index, slice):
            raise NotAvailableError("slices of storages are not available in tgrad: slice tensors")
        return self._numbers()[self._checked(index)].tolist()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and self._start == other._start

    def __hash__(self) -> int:
        return hash(self._start)


class TypedStorage(_Memory):
    """The memory of a tensor and its views, counted in elements."""

    __slots__ = ()

    def _numbers(self) -> Any:
        return _memory(self._tensor, self._elements)

    def _title(self) -> str:
        return f"TypedStorage(dtype={self.dtype}, device={self.device})"

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self._tensor.dtype

    def element_size(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    def untyped(self) -> UntypedStorage:
        """The same memory, counted in bytes."""
        return UntypedStorage(self._tensor)

    def __getitem__(self, index: int) -> Any:
        if isinstance(index, slice):
            raise StateError("slices are only supported in UntypedStorage.__getitem__")
        return self._numbers()[self._checked(index)].tolist()


for _class in (UntypedStorage, TypedStorage):
    _class.__module__ = "torch.storage"


def storage(self: Tensor) -> TypedStorage:
    """The memory that the tensor and its views are in, counted in elements."""
    return TypedStorage(self)


def untyped_storage(self: Tensor) -> UntypedStorage:
    """The memory that the tensor and its views are in, counted in bytes."""
    return UntypedStorage(self)
