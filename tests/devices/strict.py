"""A stand-in for CuPy on the CPU: arrays that are like CuPy's where CuPy differs from NumPy.

- An array is never taken for a NumPy array, nor a NumPy array for one of these: both raise TypeError.
- Results of no dimension are arrays, never scalars.
- There are the names, methods and parameters that CuPy has (`cupy_names.json`), and no others.
- Indices are read and written as CuPy does (`strict_index.py`).
- Asking for a value (`item`, `tolist`, `bool`, `int`, `float`) counts as waiting for the GPU, taking data to
  or from it as a transfer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from tests.devices import strict_cuda, strict_index, strict_kernels, strict_ufuncs
from tests.devices.strict_arrays import NAMES, Array, Counts, checked, made, plain, wrapped


class Ufunc:
    """An elementwise function with the loops and methods that CuPy's has; `function` has the values."""

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


_OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide", "pow": "power",
    "floordiv": "floor_divide", "mod": "remainder", "divmod": "divmod", "and": "bitwise_and",
    "or": "bitwise_or", "xor": "bitwise_xor", "lshift": "left_shift", "rshift": "right_shift",
    "neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert", "eq": "equal",
    "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
    "matmul": "matmul",
}  # fmt: skip
"""Operators, and the functions that CuPy computes them by."""


_TWICE = frozenset((
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift",
))  # fmt: skip
"""Operators that there are with the array on the right, too, and that write over it."""
_OPERANDS = (Array, numpy.ndarray, numpy.generic, complex, int, float)


def _operator(name: str, place: int | None) -> Any:
    """An operator; `place` is where the array stands: 0 or 1 of two, or None where it is written over."""

    def operate(self: Array, *others: Any) -> Any:
        if not all(isinstance(other, _OPERANDS) for other in others):
            return NotImplemented
        function = getattr(CUPY, name)
        if place is None:
            return function(self, *others, out=self)
        return function(*others, self) if place else function(self, *others)

    return operate


for _name, _function in _OPERATORS.items():
    setattr(Array, f"__{_name}__", _operator(_function, 0))
    if _name in _TWICE:
        setattr(Array, f"__i{_name}__", _operator(_function, None))
        setattr(Array, f"__r{_name}__", _operator(_function, 1))
Array.__rmatmul__ = _operator("matmul", 1)  # type: ignore[attr-defined]


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
            keywords = checked(name, allowed, args, keywords)
            if name in _INDEXING and isinstance(args[0], Array):
                return _INDEXING[name](*args, **keywords)
            if name in _WAITING:
                Counts.waits += 1
            if name in self._across and args and isinstance(args[0], numpy.ndarray):
                Counts.transfers += 1
                return wrapped(function(*args, **keywords).copy(order="K"))
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
