"""A stand-in for CuPy on the CPU: arrays that are like CuPy's where CuPy differs from NumPy.

- An array is never taken for a NumPy array, nor a NumPy array for one of these: both raise TypeError.
- Results of no dimension are arrays, never scalars.
- There are the names, methods and parameters that CuPy has (`cupy_names.json`), and no others.
- Indices are read and written as CuPy does (`strict_index.py`).
- Asking for a value (`item`, `tolist`, `bool`, `int`, `float`) counts as waiting for the GPU, taking data to
  or from it as a transfer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy

from tests.devices import strict_cuda, strict_index, strict_kernels, strict_ufuncs

NAMES: dict[str, Any] = json.loads(Path(__file__).with_name("cupy_names.json").read_text("utf-8"))


class Counts:
    """How often data was taken across, how often a value was waited for, and how many kernels were run.

    Kernels are those of elementwise functions alone.
    """

    transfers = 0
    waits = 0
    kernels = 0

    @classmethod
    def wait(cls) -> None:
        cls.waits += 1


class Array:
    """An array on the device."""

    __slots__ = ("_a", "_base", "_block")
    __hash__ = None  # type: ignore[assignment]
    __array_ufunc__ = None
    __array_priority__ = 100

    def __new__(
        cls, shape: Any, dtype: Any = float, memptr: Any = None, strides: Any = None, order: str = "C"
    ) -> Array:
        """A new array, or one on the memory from a pointer."""
        if memptr is None:
            return made(numpy.empty(shape, dtype, order))
        return made(memptr.array(shape, numpy.dtype(dtype), strides), block=memptr.block)

    @property
    def data(self) -> Pointer:
        return Pointer(self._a, self._a.__array_interface__["data"][0], self._block)

    def __array__(self, *args: Any, **keywords: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    @property
    def base(self) -> Any:
        return self._base

    @property
    def T(self) -> Array:  # noqa: N802
        return self._view(self._a.T)

    def _view(self, array: numpy.ndarray) -> Array:
        own = numpy.may_share_memory(array, self._a)
        return made(array, (self if self._base is None else self._base) if own else None)

    def get(self) -> numpy.ndarray:
        """The elements as a NumPy array."""
        Counts.transfers += 1
        return self._a.copy()

    def set(self, array: numpy.ndarray) -> None:
        """Take the elements from a NumPy array."""
        Counts.transfers += 1
        self._a[...] = array

    def __getitem__(self, key: Any) -> Array:
        return self._view(numpy.asarray(self._a[self._key(key)]))

    def __setitem__(self, key: Any, value: Any) -> None:
        strict_index.write(self._a, self._key(key), plain(value))

    def _key(self, key: Any) -> Any:
        return strict_index.within(plain(key), self._a.shape, Counts.wait)

    def __len__(self) -> int:
        return len(self._a)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"strict({self._a!r})"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in NAMES["array"]:
            raise AttributeError(f"CuPy's arrays have no {name!r}")
        found = getattr(self._a, name)
        return method(self, found) if callable(found) else found

    @property
    def flags(self) -> Any:
        return Flags(self._a.flags)

    @property
    def real(self) -> Array:
        return self._view(self._a.real)

    @real.setter
    def real(self, value: Any) -> None:
        self._a.real = plain(value)

    @property
    def imag(self) -> Array:
        return self._view(self._a.imag)

    @imag.setter
    def imag(self, value: Any) -> None:
        self._a.imag = plain(value)


def made(array: numpy.ndarray, base: Any = None, block: Any = None) -> Array:
    """An array on the device, in memory of its own or in another one's."""
    result = object.__new__(Array)
    result._a = array
    result._base = base
    result._block = block or (strict_cuda.Block(array.nbytes) if base is None else base._block)
    return result


class Pointer:
    """A place in the memory of an array."""

    def __init__(self, owner: numpy.ndarray, ptr: int, block: strict_cuda.Block) -> None:
        while isinstance(owner.base, numpy.ndarray):
            owner = owner.base
        self._owner = owner
        self.ptr = ptr
        self.block = block

    def __add__(self, offset: int) -> Pointer:
        return Pointer(self._owner, self.ptr + offset, self.block)

    def array(self, shape: Any, dtype: numpy.dtype, strides: Any) -> numpy.ndarray:
        if 0 in shape:
            return numpy.empty(shape, dtype)
        start = self.ptr - self._owner.__array_interface__["data"][0]
        owner = self._owner
        memory = numpy.lib.stride_tricks.as_strided(owner, (owner.size,), (owner.itemsize,)).view(numpy.uint8)
        return numpy.ndarray(shape, dtype, memory, start, strides)


class Flags:
    """CuPy's flags, which can't be set: arrays are always writeable."""

    def __init__(self, flags: Any) -> None:
        self.c_contiguous = flags.c_contiguous
        self.f_contiguous = flags.f_contiguous
        self.fnc = flags.fnc
        self.forc = flags.forc
        self.owndata = flags.owndata


def method(array: Array, function: Callable[..., Any]) -> Callable[..., Any]:
    """A method of an array, which waits where it gives a value."""

    def call(*args: Any, **keywords: Any) -> Any:
        name = function.__name__
        check_parameters(name, NAMES["methods"].get(name), args, keywords)
        given, named = plain(args), plain(keywords)
        if name in ("take", "put"):
            return indexed(array, name, given, named)
        if name in ("nonzero", "compress"):
            Counts.waits += 1
        if name in ("item", "tolist"):
            Counts.waits += 1
            return function(*given, **named)
        found = function(*given, **named)
        if isinstance(found, numpy.ndarray):
            return array._view(found)
        return wrapped(found)

    return call


def check_parameters(name: str, allowed: list[str] | None, args: Any, keywords: Any) -> None:
    """Refuse arguments that CuPy's function of this name doesn't have; None for one that may have any."""
    if allowed is None:
        return
    if (len(args) > len(allowed) and "*" not in allowed) or not set(keywords) <= set(allowed):
        raise TypeError(f"{name}() has no other parameters than {allowed}: {len(args)}, {list(keywords)}")
    if name in ("sort", "argsort") and keywords.get("kind") not in (None, "stable"):
        raise ValueError("kind can only be None or 'stable'")


def indexed(array: Array, name: str, args: Any, keywords: Any) -> Any:
    """The methods `take` and `put`, which count indices out of range round."""
    if name == "put":
        return strict_index.put(array._a, *args, **keywords)
    out = keywords.get("out", args[2] if len(args) > 2 else None)
    found = array._a.take(*args, **keywords, mode="wrap")
    return wrapped(found) if out is None else array._view(found)


def plain(value: Any) -> Any:
    """A value with NumPy's arrays in place of those on the device; TypeError for arrays of NumPy's."""
    if isinstance(value, Array):
        return value._a
    if isinstance(value, numpy.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    if type(value) in (list, tuple):
        return type(value)(plain(part) for part in value)
    if type(value) is dict:
        return {key: plain(part) for key, part in value.items()}
    return value


def wrapped(value: Any) -> Any:
    """A result with arrays on the device."""
    if isinstance(value, numpy.ndarray | numpy.generic):
        return made(numpy.asarray(value))
    if type(value) in (list, tuple) or (isinstance(value, tuple) and hasattr(value, "_fields")):
        parts = [wrapped(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def _operator(name: str) -> Any:
    def operate(self: Array, *others: Any) -> Any:
        if any(isinstance(other, numpy.ndarray) for other in others):
            raise TypeError(f"Unsupported type {numpy.ndarray}")
        Counts.kernels += 1
        found = getattr(self._a, name)(*plain(others))
        if name.startswith("__i") and name != "__invert__":
            return self
        return found if found is NotImplemented else wrapped(found)

    return operate


_OPERATORS = (
    "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift radd rsub rmul rtruediv "
    "rfloordiv rmod rpow rmatmul rand ror rxor rlshift rrshift iadd isub imul itruediv ifloordiv imod ipow "
    "iand ior ixor ilshift irshift neg pos abs invert eq ne lt le gt ge divmod"
)
for _name in _OPERATORS.split():
    setattr(Array, f"__{_name}__", _operator(f"__{_name}__"))


def _value(name: str) -> Any:
    def value(self: Array) -> Any:
        Counts.waits += 1
        return getattr(self._a, name)()

    return value


for _name in ("bool", "int", "float", "complex", "index"):
    setattr(Array, f"__{_name}__", _value(f"__{_name}__"))


class Ufunc:
    """An elementwise function with the loops and methods that CuPy's has; the values are those of `function`."""

    def __init__(self, function: Any, name: str, types: str) -> None:
        self._function = function
        self.__name__ = f"cupy_{name}"
        self._name = name
        self._types = types
        first, _, results = types.partition(" ")[0].partition("->")
        self.nin, self.nout, self.types = len(first), len(results), types.split()

    def __call__(self, *args: Any, out: Any = None, dtype: Any = None, casting: str = "same_kind") -> Any:
        if len(args) > self.nin:
            *args, out = args  # type: ignore[assignment]
        Counts.kernels += 1
        found = strict_ufuncs.compute(
            self._function, self._name, self._types, plain(tuple(args)), plain(out), dtype, casting
        )
        return wrapped(found) if out is None else out

    def reduce(
        self, a: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False
    ) -> Any:
        found = self._method("reduce")(plain(a), axis, dtype, plain(out), keepdims)
        return out if isinstance(out, Array) else wrapped(found)

    def accumulate(self, a: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        found = self._method("accumulate")(plain(a), axis, dtype, plain(out))
        return out if isinstance(out, Array) else wrapped(found)

    def _method(self, name: str) -> Any:
        if self._name not in strict_ufuncs.REDUCING:
            raise NotImplementedError(f"`cupy_{self._name}.{name}` is not supported yet")
        return getattr(self._function, name)

    def outer(self, a: Any, b: Any, **keywords: Any) -> Any:
        return wrapped(self._function.outer(plain(a), plain(b), **plain(keywords)))

    def at(self, a: Array, indices: Any, b: Any = None) -> None:
        strict_index.at(self._function, NAMES["at"].get(self._name), a._a, a._key(indices), plain(b))


_WAITING = frozenset((
    "argwhere", "bincount", "compress", "extract", "flatnonzero", "nonzero", "unique", "unique_all",
    "unique_counts", "unique_inverse", "unique_values",
))  # fmt: skip
"""Functions that wait for the size of their result."""


def _put_along_axis(array: Array, indices: Array, values: Any, axis: int) -> None:
    places = [numpy.arange(n).reshape((-1,) + (1,) * (array.ndim - i - 1)) for i, n in enumerate(array.shape)]
    key: list[Any] = [made(place) for place in places]
    key[axis] = indices
    array[tuple(key)] = values


def _take_along_axis(array: Array, indices: Array, axis: int) -> Array:
    size = array.shape[axis]
    return wrapped(numpy.take_along_axis(array._a, indices._a % max(size, 1), axis))


_INDEXING: dict[str, Callable[..., Any]] = {
    "take": lambda a, indices, axis=None, out=None: a.take(indices, axis, out),
    "put": lambda a, ind, v, mode="wrap": a.put(ind, v, mode),
    "take_along_axis": _take_along_axis,
    "put_along_axis": _put_along_axis,
}
"""Functions that read and write by index."""


class Names:
    """The names of one of CuPy's modules."""

    _across = ("array", "asarray")
    """Functions that take data to the device."""

    def __init__(self, module: Any, names: list[str]) -> None:
        self._module = module
        self._names = frozenset(names)

    def __getattr__(self, name: str) -> Any:
        if name not in self._names:
            raise AttributeError(f"CuPy has no {self._module.__name__}.{name}")
        found = getattr(self._module, name)
        if name == "ndarray":
            made: Any = Array
        elif name == "linalg":
            from tests.devices.strict_linalg import Linalg

            made = Linalg(found, NAMES[name])
        elif name == "fft":
            made = Names(found, NAMES[name])
        elif name in NAMES["types"]:
            made = Ufunc(found, name, NAMES["types"][name])
        elif isinstance(found, type) or not callable(found):
            made = found
        else:
            made = self._function(name, found)
        setattr(self, name, made)
        return made

    def _function(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        allowed = NAMES["parameters"].get(name)

        def call(*args: Any, **keywords: Any) -> Any:
            check_parameters(name, allowed, args, keywords)
            if name in _INDEXING and isinstance(args[0], Array):
                return _INDEXING[name](*args, **keywords)
            if name in _WAITING:
                Counts.waits += 1
            if name in self._across and args and isinstance(args[0], numpy.ndarray):
                Counts.transfers += 1
                return wrapped(function(*args, **keywords))
            if name in ("asarray", "ascontiguousarray") and args and isinstance(args[0], Array):
                found = function(args[0]._a, *args[1:], **keywords)
                return args[0] if found is args[0]._a else args[0]._view(found)
            out = keywords.get("out")
            found = function(*plain(args), **plain(keywords))
            if isinstance(out, Array):
                return out
            first = args[0] if args and isinstance(args[0], Array) else None
            if first is not None and isinstance(found, numpy.ndarray):
                return first._view(found)
            return wrapped(found)

        call.__name__ = name
        return call


def asnumpy(array: Any) -> numpy.ndarray:
    """The elements as a NumPy array."""
    return array.get() if isinstance(array, Array) else numpy.asarray(array)


class _Lib:
    """`cupy.lib`."""

    class stride_tricks:  # noqa: N801
        @staticmethod
        def as_strided(x: Array, shape: Any = None, strides: Any = None) -> Array:
            return x._view(numpy.lib.stride_tricks.as_strided(x._a, shape, strides))


class Special:
    """The module `cupyx.scipy.special`."""

    def __getattr__(self, name: str) -> Any:
        from tests.devices.strict_special import FUNCTIONS

        if name not in NAMES["special"]:
            raise AttributeError(f"CuPy has no cupyx.scipy.special.{name}")
        return Ufunc(FUNCTIONS[name], name, NAMES["special"][name])


class ElementwiseKernel(strict_kernels.Kernel):
    """`cupy.ElementwiseKernel`."""

    def __call__(self, *args: Any) -> Any:
        Counts.kernels += 1
        found = self.run(plain(args))
        results = args[len(self.inputs) :] or tuple(made(array) for array in found)
        return results[0] if len(results) == 1 else tuple(results)


class _Cupy(Names):
    """The module `cupy`."""

    ElementwiseKernel = ElementwiseKernel
    cuda = strict_cuda.Cuda(Counts.wait)
    lib = _Lib
    asnumpy = staticmethod(asnumpy)

    def get_default_memory_pool(self) -> strict_cuda.Pool:
        return strict_cuda.MEMORY


CUPY = _Cupy(numpy, NAMES["names"])
"""What stands for the module `cupy`."""


def modules() -> dict[str, Any]:
    """The modules of CuPy by their names."""
    from tests.devices import strict_linalg

    return {"cupy": CUPY, "cupyx.scipy.special": Special(), **strict_linalg.modules()}


def use() -> None:
    """Let `cuda` be the stand-in, in this process."""
    import sys

    sys.modules.update(modules())
