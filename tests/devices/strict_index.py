"""How CuPy reads and writes by index, for the stand-in: unlike NumPy.

- An index that is out of range is counted round, not refused: `a[[7]]` of five elements is `a[2]`.
- Of several values for one place it isn't said which one stays: here it is the first.
- `ufunc.at` is there for a few functions and dtypes, and passes over NaN in the largest and smallest.
- A mask is read as the numbers of its places, how many there are is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

_ADDED = frozenset("iIQLefdFD")
"""Codes of dtypes that can be added at places, among which that of int64 isn't."""
_COMPARED = frozenset("iIQLfd")
_BITS = frozenset("ilqIQL")
_DTYPES = {"add": _ADDED, "sub": frozenset("iIQL"), "max": _COMPARED, "min": _COMPARED} | dict.fromkeys(
    ("and", "or", "xor"), _BITS
)
"""By operation the codes of the dtypes for which CUDA has it as an atomic function."""


def within(key: Any, shape: tuple[int, ...], wait: Callable[[], None]) -> Any:
    """A key of NumPy's arrays, numbers and slices with its arrays brought into range."""
    parts = list(key) if isinstance(key, tuple) else [key]
    used = sum(_dimensions(part) for part in parts)
    if used > len(shape):
        return key  # NumPy refuses it as CuPy does
    dim = 0
    for place, part in enumerate(parts):
        if part is ...:
            dim += len(shape) - used
            continue
        if isinstance(part, numpy.ndarray):
            if part.dtype.kind == "b":
                wait()
            elif part.dtype.kind in "iu" and shape[dim]:
                parts[place] = part.astype(numpy.int64) % shape[dim]
        dim += _dimensions(part)
    return tuple(parts) if isinstance(key, tuple) else parts[0]


def _dimensions(part: Any) -> int:
    """How many dimensions a part of a key is for."""
    if part is None or part is ...:
        return 0
    return part.ndim if isinstance(part, numpy.ndarray) and part.dtype.kind == "b" else 1


def write(target: numpy.ndarray, key: Any, values: Any) -> None:
    """target[key] = values, of several for one place the first."""
    parts = key if isinstance(key, tuple) else (key,)
    if not any(isinstance(part, numpy.ndarray) and part.dtype.kind != "b" for part in parts):
        target[key] = values
        return
    places = numpy.arange(target.size).reshape(target.shape)[key]
    values = numpy.asarray(values)
    while values.ndim > places.ndim and values.shape[0] == 1:
        values = values[0]
    backwards = numpy.unravel_index(places.reshape(-1)[::-1], target.shape)
    target[backwards] = numpy.broadcast_to(values, places.shape).reshape(-1)[::-1]


def put(target: numpy.ndarray, indices: Any, values: Any, mode: str = "wrap") -> None:
    """`ndarray.put`, of several values for one place the first."""
    places = numpy.asarray(indices).reshape(-1)
    values = numpy.resize(values, places.shape)
    numpy.put(target, places[::-1], values[::-1], mode)


def at(ufunc: numpy.ufunc, operation: str | None, target: numpy.ndarray, key: Any, values: Any) -> None:
    """`ufunc.at`."""
    if operation is None:
        raise NotImplementedError(f"`{ufunc.__name__}.at` is not supported yet")
    if target.dtype.char not in _DTYPES[operation]:
        raise TypeError(f"cupyx.scatter_{operation} does not support {target.dtype}")
    ufunc = {"max": numpy.fmax, "min": numpy.fmin}.get(operation, ufunc)  # NaN is passed over
    ufunc.at(target, key, numpy.asarray(values).astype(target.dtype))
