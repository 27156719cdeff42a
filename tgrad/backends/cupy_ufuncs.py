"""CuPy's elementwise functions as NumPy's: the order of results in memory, reductions and running results.

CuPy stores every result row by row, and has `reduce` and `accumulate` for sums and products alone.
"""

from __future__ import annotations

from typing import Any, Final

from numpy import broadcast_shapes

Array = Any  # an array of CuPy's

_REDUCTIONS: Final = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all",
    "logical_or": "any",
}  # fmt: skip
"""Functions of CuPy's that do what `reduce` does."""


def orders(array: Array) -> tuple[list[int], list[int]]:
    """The dimensions from the slowest to the fastest in memory, and how they are put back from there."""
    strides = array.strides
    dims = sorted(range(array.ndim), key=lambda dim: -abs(strides[dim]))
    return dims, sorted(range(array.ndim), key=dims.__getitem__)


class Ufunc:
    """An elementwise function with what NumPy's have besides."""

    def __init__(self, cupy: Any, name: str) -> None:
        self._cupy = cupy
        self._ufunc = getattr(cupy, name)
        self._array = cupy.ndarray
        self.__name__ = name

    def __call__(self, *args: Any, out: Any = None, order: str = "K", **keywords: Any) -> Any:
        if out is not None and out is not ...:
            return self._ufunc(*args, out=out, **keywords)
        if order == "K":
            for x in args:
                if type(x) is self._array and x.ndim > 1 and not x.flags.c_contiguous:
                    return in_order(self._ufunc, self._array, args, keywords)
        return self._ufunc(*args, **keywords)

    def reduce(
        self, array: Array, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False,
        initial: Any = None,
    ) -> Any:  # fmt: skip
        """`ufunc.reduce`; an initial value is joined to the result."""
        name = _REDUCTIONS.get(self.__name__)
        if axis == ():
            found = array.copy() if dtype is None else array.astype(dtype)
        elif name in ("sum", "prod"):
            found = getattr(self._cupy, name)(array, axis, dtype, keepdims=keepdims)
        elif name is not None:
            found = getattr(self._cupy, name)(array, axis, keepdims=keepdims)
        else:
            found = self._halved(array, axis, keepdims)
        if initial is not None:
            found = self._ufunc(found, initial)
        if out is None or out is ...:
            return found
        self._cupy.copyto(out, found, "unsafe")
        return out

    def _halved(self, array: Array, axis: Any, keepdims: bool) -> Array:
        """The reduction of any function: of halves of what is left, again and again."""
        ndim = array.ndim
        axes = range(ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        reduced = [a % ndim for a in axes]
        kept = [a for a in range(ndim) if a not in reduced]
        rows = array.transpose(reduced + kept).reshape(-1, *[array.shape[a] for a in kept])
        while len(rows) > 1:
            half = len(rows) // 2
            joined = self._ufunc(rows[:half], rows[half : 2 * half])
            rows = self._cupy.concatenate((joined, rows[2 * half :])) if len(rows) % 2 else joined
        shape = [1 if a in reduced else size for a, size in enumerate(array.shape)]
        return rows.reshape(shape) if keepdims else rows[0]

    def accumulate(self, array: Array, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        """`ufunc.accumulate`: of other functions than sums and products each step joins twice as many."""
        found = array.astype(array.dtype if dtype is None else dtype, order="C")
        if array.size and self.__name__ in ("add", "multiply"):
            scan = self._cupy.cumsum if self.__name__ == "add" else self._cupy.cumprod
            found = self._cupy.ascontiguousarray(scan(found, axis, found.dtype))
        elif array.size:
            lead = (slice(None),) * (axis % array.ndim)
            step = 1
            while step < array.shape[axis]:
                found[(*lead, slice(step, None))] = self._ufunc(
                    found[(*lead, slice(None, -step))], found[(*lead, slice(step, None))]
                )
                step *= 2
        if out is None or out is ...:
            return found
        self._cupy.copyto(out, found, "unsafe")
        return out

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ufunc, name)


def in_order(function: Any, class_: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """An elementwise result whose dimensions are in memory as those of the first argument that has them all.

    `class_` is that of the arrays.
    """
    arrays = [x for x in args if type(x) is class_]
    ndim = max(x.ndim for x in arrays)
    shape = broadcast_shapes(*[x.shape for x in arrays])
    first = next((x for x in arrays if x.shape == shape and 0 not in x.strides), None)
    if first is None or first.flags.c_contiguous:
        return function(*args, **keywords)
    strides = first.strides
    dims = sorted(range(ndim), key=lambda dim: -abs(strides[dim]))

    def turned(x: Any) -> Any:
        if not isinstance(x, class_) or not x.ndim:
            return x
        return x.reshape((1,) * (ndim - x.ndim) + x.shape).transpose(dims)

    found = function(*map(turned, args), **keywords)
    back = sorted(range(ndim), key=dims.__getitem__)
    return tuple(x.transpose(back) for x in found) if type(found) is tuple else found.transpose(back)
