"""How CuPy's elementwise functions choose the dtype they compute in, for the stand-in: unlike NumPy.

CuPy takes the first of a function's loops that all arguments can be cast to safely, Python numbers counting
as `int64`, `float64` or `complex128` unless an array's dtype can hold them; and its loops are others than
NumPy's: there is no logic of complex numbers, no choice (`where`) of bfloat16, `isnan` has none for integers.
Results are stored row by row.  `reduce` and `accumulate` are there for `add` and `multiply` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy

from tgrad.backends.powers import integer_power

Dtypes = tuple[Any, ...]
REDUCING = ("add", "multiply")


def dtype_of(code: str) -> Any:
    """The dtype of a character in CuPy's list of loops, where "E" is bfloat16."""
    if code == "E":
        import ml_dtypes

        return numpy.dtype(ml_dtypes.bfloat16)
    return numpy.dtype(code)


@cache
def _loops(types: str) -> list[tuple[Dtypes, Dtypes]]:
    pairs = (loop.split("->") for loop in types.split())
    return [(tuple(map(dtype_of, given)), tuple(map(dtype_of, made))) for given, made in pairs]


def _given(value: Any) -> tuple[Any, Any]:
    """The dtype that an argument counts as, and the class of a Python number."""
    kind = type(value)
    if kind is bool:
        return numpy.dtype(bool), None
    if kind in (int, float, complex):
        return numpy.dtype({int: "q", float: "d", complex: "D"}[kind]), kind
    return value.dtype, None


def _score(kind: Any) -> int:
    if issubclass(kind, numpy.bool_):
        return 0
    if issubclass(kind, numpy.integer | int):
        return 1
    return 2 if issubclass(kind, numpy.inexact | float | complex) else 3


def loop_of(name: str, types: str, args: Sequence[Any], dtype: Any) -> tuple[Dtypes, Dtypes]:
    """The dtypes of the arguments and results of the loop that CuPy takes; TypeError where it has none."""
    loops = _loops(types)
    if dtype is not None:
        found = next((one for one in loops if all(kind == dtype for kind in one[1])), None)
        if found is None:
            raise TypeError(f"Wrong type ({dtype}) of arguments for cupy_{name}")
        return found
    given = [_given(value) for value in args]
    arrays = [_score(kind.type) for kind, weak in given if weak is None]
    weaks = [_score(weak) for _, weak in given if weak is not None]
    as_weak = bool(arrays and weaks) and max(arrays) >= max(weaks)
    for one in loops:
        if all(
            _fits(kind, weak if as_weak else None, to) for (kind, weak), to in zip(given, one[0], strict=True)
        ):
            return one
    raise TypeError(f"Wrong type ({[kind for kind, _ in given]}) of arguments for cupy_{name}")


def _fits(kind: Any, weak: Any, to: Any) -> bool:
    if numpy.can_cast(kind, to):
        return True
    if weak is None:
        return False
    try:
        return bool(numpy.result_type(weak(0), to) == to)
    except TypeError:
        return False


def cast(value: Any, to: Any) -> Any:
    """An argument in the dtype of a loop; OverflowError for a Python integer that it can't hold."""
    if isinstance(value, numpy.ndarray):
        return value.astype(to, copy=False)
    return numpy.array(value, to)[()] if to.kind != "V" else numpy.asarray(value).astype(to)[()]


def compute(
    function: Any, name: str, types: str, args: Sequence[Any], out: Any, dtype: Any, casting: str
) -> Any:
    """What CuPy's function of this name makes of NumPy's arrays, computed by NumPy's `function`."""
    given, made = loop_of(name, types, args, dtype)
    if name == "power" and given[0].kind in "iu":
        function = integer_power  # to a negative power, too
    with numpy.errstate(all="ignore"):
        found = function(*[cast(value, kind) for value, kind in zip(args, given, strict=True)])
    results = found if isinstance(found, tuple) else (found,)
    results = tuple(
        numpy.asarray(r).astype(kind, "C", copy=False) for r, kind in zip(results, made, strict=True)
    )
    if out is not None:
        for target, result in zip(out if isinstance(out, tuple) else (out,), results, strict=True):
            numpy.copyto(target, result, casting)
        return out
    return results if isinstance(found, tuple) else results[0]
