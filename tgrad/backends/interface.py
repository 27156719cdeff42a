"""What tgrad asks of an array library that isn't NumPy: the interface behind which a device is.

Rows are written for arrays of one library, with NumPy's names.  A backend says how a row is computed on its
arrays, and takes data there and back; whatever its library lacks or does otherwise is mended in the
backend's own file, and nowhere else.  NumPy itself needs none of this: rows call it directly.

A backend's file has `open()`, which returns the backend, or raises `Missing` where the library or the
machine isn't there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

Array: TypeAlias = Any  # an array of the library
Kernel: TypeAlias = Callable[..., Any]
"""A row's forward for arrays of the library: takes `xp` and then what the row takes."""


class Missing(Exception):  # noqa: N818
    """The library, or what it needs, isn't on this machine: what is missing, and what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class PlainNumbers:
    """Python numbers as kernels of other libraries take them: as they are."""

    def __getitem__(self, number: Any) -> Any:
        return number


class Backend:
    """An array library other than NumPy, and the device that its arrays are on."""

    index: int | None = None
    """The number of the device, where devices of its type have numbers."""
    lazy = False
    """Whether values are computed only when they are asked for."""
    xp: Any
    """The array library as rows use it: `T.xp`."""
    array_types: tuple[type, ...]
    """The classes of its arrays."""
    numbers: Any = PlainNumbers()

    def __init__(self) -> None:
        self._kernels: dict[str, Kernel] = {}

    def kernel(self, op: Any) -> Kernel:
        """A row's forward for arrays of this library, made when it is first asked for."""
        found = self._kernels.get(op.name)
        if found is None:
            found = self._kernels[op.name] = self.make_kernel(op)
        return found

    def make_kernel(self, op: Any) -> Kernel:
        """A row's forward for arrays of this library; TensorError for one that it can't be computed on."""
        raise NotImplementedError

    def bound(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function from the files of rows, for arrays of this library."""
        raise NotImplementedError

    def compute(self, op: Any, type_: Any, *args: Any, **keywords: Any) -> Any:
        """The result of a row's forward; `type_` is the tensor type in which it is computed."""
        return self.kernel(op)(type_.xp, *args, **keywords)

    def from_host(self, array: Any) -> Array:
        """A NumPy array's elements as an array of this library."""
        raise NotImplementedError

    def to_host(self, array: Array) -> Any:
        """An array's elements as a NumPy array; waits until they are computed."""
        raise NotImplementedError

    def kept(self, array: Array) -> Array:
        """A gradient as a leaf keeps it: stored row by row, in memory of its own."""
        return array.copy(order="C")

    def number(self, array: Any) -> Any:
        """What the kernels take for a NumPy array without dimensions."""
        return array[()]

    def strided(
        self, array: Array, shape: tuple[int, ...], strides: tuple[int, ...], offset: int
    ) -> Array:
        """An array in another one's memory; strides, and the offset from its first element, in bytes."""
        raise NotImplementedError

    def address(self, array: Array) -> int:
        """The address of an array's first element."""
        raise NotImplementedError
