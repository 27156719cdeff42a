"""What tgrad asks of an array library that isn't NumPy: the interface behind which a device is.

Rows are written for arrays of one library, with NumPy's names.  A backend says how a row is computed on its
arrays, and takes data there and back; whatever its library lacks or does otherwise is mended in the
backend's own file, and nowhere else.  NumPy itself needs none of this: rows call it directly.

A backend's file has `open()`, which returns the backend, or raises `Missing` where the library or the
machine isn't there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy

if TYPE_CHECKING:
    from tgrad.backends.files import Put, Stored

Array: TypeAlias = Any  # an array of the library
Kernel: TypeAlias = Callable[..., Any]
"""A row's forward for arrays of the library: takes `xp` and then what the row takes."""


class Missing(Exception):  # noqa: N818
    """The library, or what it needs, isn't on this machine: what is missing, and what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class NotInstalled(Missing):
    """The library isn't installed."""


def imported(library: str, sentence: str, title: str, extra: str) -> Any:
    """A library that an extra of tgrad's installs; Missing, with `sentence`, where it can't be had."""
    try:
        return import_module(library)
    except ImportError as error:
        if find_spec(library) is None:
            hint = f'{title} isn\'t installed: pip install "tgrad[{extra}]"'
            raise NotInstalled(sentence, hint) from None
        lines = [line.strip() for line in str(error).splitlines() if line.strip("= ")]
        raise Missing(sentence, f"{title} is installed but can't be loaded: {lines[-1]}") from None


class PlainNumbers:
    """Python numbers as kernels of other libraries take them: as they are."""

    def __getitem__(self, number: Any) -> Any:
        return number


class Memory(NamedTuple):
    """Bytes of a device's memory."""

    used: int = 0
    """By arrays."""
    most_used: int = 0
    """The most since the beginning, or since `forget_most`."""
    held: int = 0
    """By this process, for arrays that are and that will be."""
    most_held: int = 0


class Machine:
    """What programs ask of a device itself, whatever its arrays are."""

    def synchronize(self) -> None:
        """Wait until everything that was begun is done."""

    def idle(self) -> bool:
        """Whether everything that was begun is done."""
        return True

    def event(self, timed: bool) -> Any:
        """A mark in what the device does: `record()`, `synchronize()`, `done`."""
        raise NotImplementedError

    def milliseconds(self, start: Any, end: Any) -> float:
        """The time between two marks that were passed."""
        raise NotImplementedError

    def memory(self) -> Memory:
        """What is used, and the most that was."""
        return Memory()

    def forget_most(self) -> None:
        """Let the most that was used be what is used now."""

    def release(self) -> None:
        """Give back memory that is held and not used."""

    def free_memory(self) -> tuple[int, int]:
        """Bytes that are free, whoever may take them, and bytes in all."""
        raise NotImplementedError

    def limit_memory(self, nbytes: int | None) -> None:
        """Give arrays no more than this from now on, in addition to what they have; None ends a limit."""

    def properties(self) -> dict[str, Any]:
        """What the device is: `name` and the like."""
        raise NotImplementedError


class Backend:
    """An array library other than NumPy, and the device that its arrays are on."""

    absent_index = "there is no device of this number"
    """What to say of other numbers than `index`."""
    machine = Machine()

    index: int | None = None
    """The number of the device, where devices of its type have numbers."""
    lazy = False
    """Whether values are computed only when they are asked for."""
    writes = False
    """Whether its functions of NumPy's take `out`, an array that they write over."""
    xp: Any
    """The array library as rows use it: `T.xp`."""
    array_types: tuple[type, ...]
    """The classes of its arrays."""
    numbers = PlainNumbers()

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

    def changing(self, op: Any) -> Callable[..., Any]:
        """What does a row's work on the array to be changed, for rows that have a function for that."""
        return self.bound(op.into)

    def compute(self, op: Any, type_: Any, *args: Any, **keywords: Any) -> Any:
        """The result of a row's forward; `type_` is the tensor type in which it is computed."""
        return self.kernel(op)(type_.xp, *args, **keywords)

    def check_dtype(self, dtype: Any) -> None:
        """Raise NotAvailableError for a NumPy dtype of which the library has no arrays."""

    def from_host(self, array: Any) -> Array:
        """A NumPy array's elements as an array of this library."""
        raise NotImplementedError

    def to_host(self, array: Array) -> Any:
        """An array's elements as a NumPy array; waits until they are computed."""
        raise NotImplementedError

    def drawn(self, function: Callable[..., Any], *args: Any, like: Array = None) -> Array:
        """Random numbers by a function of `tgrad.core.random`, for the place of an array if one is given."""
        return self.from_host(function(*args))

    def from_files(self, files: Sequence[Stored]) -> Array:
        """The elements of files, joined along the first dimension."""
        from tgrad.backends.files import joined

        return self.from_host(joined(files))

    def cut(self, array: Array) -> Array:
        """The array in the chunks that `tgrad.backends.chunks` says; itself where there are none."""
        return array

    def chunk_sizes(self, array: Array) -> tuple[int, ...] | None:
        """The sizes of the parts in which an array comes, None where it comes as a whole."""
        return None

    def each_part(self, array: Array, put: Put, sizes: tuple[int, ...] | None) -> None:
        """Give each part's place and its elements, as a NumPy array, to `put`."""
        put(tuple([slice(0, size) for size in array.shape]), self.to_host(array))

    def shown(self, array: Array) -> Any:
        """An array for `tgrad.core.text`, which may take no more of it than its edges."""
        return self.to_host(array)

    def picked(self, array: Array, places: Sequence[int], axis: int) -> Array:
        """The elements at some places of an axis: all of them, or the edges; see `Shown`."""
        raise NotImplementedError

    def kept(self, array: Array) -> Array:
        """A gradient as a leaf of a lazy library keeps it: in memory of its own."""
        return array.copy(order="C")

    def add_to(self, array: Array, other: Array) -> None:
        """Add another gradient to the one that a leaf keeps."""
        self.xp.over(self.xp.add, array, other)

    def begin(self, array: Array) -> None:
        """A backward pass begins from a tensor with this array."""

    def settle(self) -> None:
        """A pass has handed out all gradients; libraries that are lazy compute them now."""

    def derivative(self, op: Any, plain: Any, space: Any) -> Callable[..., tuple[Any, ...]]:
        """`Node.raw` for a row's nodes on this library, of that for NumPy; `space` has the operators."""
        bound = self.bound(plain.raw)

        def raw(node: Any, g: Any, edges: Any) -> tuple[Any, ...]:
            # Elementwise formulas go to the library's `derivatives`, whatever the size.
            return bound(node, g, edges, space, 0)  # type: ignore[no-any-return]

        return raw

    def number(self, array: Any) -> Any:
        """What the kernels take for a NumPy array without dimensions."""
        return array[()]

    def strided(
        self, array: Array, shape: tuple[int, ...], strides: tuple[int, ...], offset: int
    ) -> Array:
        """An array in another one's memory; strides, and the offset from its first element, in bytes."""
        raise NotImplementedError

    def check_recorded_view(self) -> None:
        """Raise the library's error where views can't be written to while that is recorded."""

    def address(self, array: Array) -> int:
        """The address of an array's first element."""
        raise NotImplementedError


class Shown:
    """A large array as the printing of tensors sees it: an open mesh of indices picks what is printed."""

    def __init__(self, backend: Backend, array: Array) -> None:
        self._backend, self._array = backend, array
        self.shape, self.ndim, self.size, self.dtype = array.shape, array.ndim, array.size, array.dtype

    def __getitem__(self, mesh: tuple[Any, ...]) -> Any:
        chosen = self._array
        for axis, places in enumerate(mesh):
            chosen = self._backend.picked(chosen, numpy.ravel(places).tolist(), axis)
        return self._backend.to_host(chosen)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend.to_host(self._array), name)
