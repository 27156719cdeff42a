"""CuPy as the array library: what of NumPy's it lacks or does otherwise.

`library(cupy)` gives the kernels on CuPy, or on a module with its names.  No device uses it yet.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ContextDecorator
from typing import Any

import numpy

from tgrad.backends.library import Library


class Names:
    """CuPy's names, with those of NumPy's that it lacks or has otherwise."""

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy

    def __getattr__(self, name: str) -> Any:
        mended = _MENDED.get(name)
        if mended is not None:
            found = mended(self._cupy)
        else:
            found = getattr(self._cupy, name)
            if name in _UFUNCS:
                found = _Ufunc(found, self._cupy)
        setattr(self, name, found)
        return found


class _Ufunc:
    """An elementwise function whose `reduce` takes `initial`, and to which `out=...` means nothing."""

    def __init__(self, ufunc: Any, cupy: Any) -> None:
        self._ufunc = ufunc
        self._cupy = cupy
        self.__name__ = ufunc.__name__

    def __call__(self, *args: Any, out: Any = None, order: str = "K", **keywords: Any) -> Any:
        if out is None or out is ...:
            found = self._ufunc(*args, **keywords)
            return found if order == "K" else self._cupy.asarray(found, order=order)
        return self._ufunc(*args, out=out, **keywords)

    def reduce(
        self, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False,
        initial: Any = None,
    ) -> Any:  # fmt: skip
        """`ufunc.reduce`; an initial value is joined to the result."""
        if out is ...:
            out = None
        found = self._ufunc.reduce(array, axis, dtype, out, keepdims)
        return found if initial is None else self._ufunc(found, initial)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ufunc, name)


class _Quiet(ContextDecorator):
    """CuPy warns of nothing."""

    def __init__(self, **how: str) -> None: ...

    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None: ...


def _vecdot(cupy: Any) -> Callable[..., Any]:
    def vecdot(a: Any, b: Any, out: Any = None) -> Any:
        return cupy.sum(cupy.conj(a) * b, axis=-1, out=out)

    return vecdot


_MENDED: dict[str, Callable[[Any], Any]] = {
    "errstate": lambda cupy: _Quiet,
    "seterr": lambda cupy: lambda **how: {},
    "setbufsize": lambda cupy: lambda size: size,
    "vecdot": _vecdot,
}
"""Names that CuPy lacks, made of those it has."""

_UFUNCS = frozenset(name for name in dir(numpy) if isinstance(getattr(numpy, name), numpy.ufunc))


def library(cupy: Any) -> Library:
    """The kernels on CuPy, or on what has its names."""
    names = Names(cupy)
    return Library("cupy", names, {})
