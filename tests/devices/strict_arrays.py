"""The arrays of the stand-in for CuPy (`strict.py`), and how they are taken for NumPy's and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy

from tests.devices import strict_cuda, strict_index

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
        keywords = checked(name, NAMES["methods"].get(name), args, keywords)
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


def checked(name: str, allowed: list[str] | None, args: Any, keywords: Any) -> Any:
    """The keywords for NumPy's function of this name; an error for arguments that CuPy's doesn't have.

    `allowed` are its parameters, None if it may have any.
    """
    if allowed is None:
        return keywords
    if (len(args) > len(allowed) and "*" not in allowed) or not set(keywords) <= set(allowed):
        raise TypeError(f"{name}() has no other parameters than {allowed}: {len(args)}, {list(keywords)}")
    if name not in ("sort", "argsort"):
        return keywords
    if keywords.get("kind") not in (None, "stable"):
        raise ValueError("kind can only be None or 'stable'")
    return {**keywords, "kind": "stable"}


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


def _value(name: str) -> Any:
    def value(self: Array) -> Any:
        Counts.waits += 1
        return getattr(self._a, name)()

    return value


for _name in ("bool", "int", "float", "complex", "index"):
    setattr(Array, f"__{_name}__", _value(f"__{_name}__"))
