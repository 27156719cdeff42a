"""Floating point numbers of 16 bits: float16, which NumPy has, and bfloat16, which ml_dtypes adds.

Note [Narrow floats]
    PyTorch's kernels read numbers of 16 bits into float32, compute there, and round what they write.
    So a kernel here is given float32 arrays in place of narrow ones (`widened`), and its result is
    rounded once.  A row whose kernel sees to that itself, or whose result depends on the dtype
    otherwise than by this rounding, says `narrow=True`.  Python numbers that go with narrow tensors
    are not rounded to 16 bits first, unless the row makes tensors of them.

ml_dtypes is not imported here: its dtype is known by its kind and size.  (`kind` is "V" for it, so
that tests of a dtype's kind are to be made by `is_floating`.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy
from numpy import float32, ndarray

from tgrad.backends.large import LARGE


def is_narrow(dtype: Any) -> bool:
    """Whether a NumPy dtype is float16 or bfloat16."""
    return dtype.itemsize == 2 and dtype.kind in "fV"


def is_floating(dtype: Any) -> bool:
    """Whether a NumPy dtype is a real floating one."""
    return dtype.kind in "fV"


def finfo(dtype: Any) -> Any:
    """`numpy.finfo` for bfloat16, too."""
    kind = numpy.dtype(dtype)
    if kind.kind == "V":
        import ml_dtypes

        limits: Any = ml_dtypes.finfo
        return limits(kind)
    return numpy.finfo(kind)


def wide(value: Any) -> Any:
    """A narrow array in float32, also inside of a list; anything else as it is."""
    kind = type(value)
    if kind is ndarray:
        return value.astype(float32) if is_narrow(value.dtype) else value
    if kind is list or kind is tuple:
        return kind(wide(item) for item in value)
    return value


def rounded(result: Any, dtype: Any) -> Any:
    """A kernel's result, or several, with the real floating ones in a narrow dtype."""
    if type(result) is tuple or type(result) is list:
        return tuple(rounded(item, dtype) for item in result)
    kind = getattr(result, "dtype", None)
    if kind is None or kind == dtype or kind.kind != "f":
        return result
    return result.astype(dtype)


def widened(forward: Callable[..., Any]) -> Callable[..., Any]:
    """A row's forward for narrow types: Note [Narrow floats].  Called with the type in place of `xp`."""

    def function(type_: Any, *args: Any, **keywords: Any) -> Any:
        result = forward(
            type_.xp, *[wide(x) for x in args], **{name: wide(x) for name, x in keywords.items()}
        )
        return rounded(result, type_.dtype.numpy)

    return function


def in_wide(op: Any, type_: Any, *args: Any, **keywords: Any) -> Any:
    """A row's forward computed for a narrow type: Note [Narrow floats]."""
    found = _WIDENED.get(op.name)
    if found is None:
        found = _WIDENED[op.name] = widened(op.forward)
    if op.elementwise and args and "generator" not in op.names and getattr(args[0], "size", 0) >= LARGE:
        return type_.xp.in_blocks(found, type_, *args, **keywords)
    return found(type_, *args, **keywords)


_WIDENED: Final[dict[str, Callable[..., Any]]] = {}
"""Widened forwards by the names of their rows."""
