"""Rows: arithmetic and geometric progressions."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from tgrad.backends import ranges
from tgrad.core import dtype as dtypes
from tgrad.core.dtype import DType
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, DTypeError, StateError, UnsupportedDTypeError
from tgrad.ops.creation import checked_size
from tgrad.ops.elementwise import ONE
from tgrad.ops.table import Rule, creation


def _of_numbers(operands: Sequence[Any], dtype: Any) -> DType:
    """dtype of a range: int64 if all are whole, else the default one."""
    if dtype is not None:
        return dtype  # type: ignore[no-any-return]
    for value in operands:
        if not isinstance(value, int):
            return dtypes.default.dtype
    return dtypes.int64


def _of_ends(operands: Sequence[Any], dtype: Any) -> DType:
    """dtype of evenly spaced numbers: complex if an end is, else the default one."""
    if dtype is not None:
        return dtype  # type: ignore[no-any-return]
    for value in operands[:2]:
        if isinstance(value, complex) or (isinstance(value, Tensor) and value.dtype.is_complex):
            return dtypes.default.dtype.to_complex()
    return dtypes.default.dtype


of_numbers = Rule("int64 for whole numbers, else the default dtype; or dtype=", "never", _of_numbers)
of_ends = Rule("the default dtype, complex for complex numbers; or dtype=", "never", _of_ends)


def _check_range(start: Any, end: Any, step: Any) -> None:
    for value in (start, end, step):
        if isinstance(value, complex):
            raise DTypeError("value cannot be converted to type double without overflow")
    if not (step > 0 or step < 0):
        raise StateError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise StateError(f"unsupported range: {_number(start)} -> {_number(end)}")
    if (step > 0 and end < start) or (step < 0 and end > start):
        raise StateError("upper bound and lower bound inconsistent with step sign")


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def known(kernel: str, dtype: Any, kinds: str = "fViu") -> None:
    """Raise PyTorch's error for a dtype that there is no kernel for."""
    if dtype.kind not in kinds:
        found = dtypes.from_numpy(dtype)
        title = "?" if found is None else found.title
        raise UnsupportedDTypeError(f'"{kernel}" not implemented for \'{title}\'')


def arange(xp: Any, start: Any, end: Any, step: Any, dtype: Any) -> Any:
    """Numbers from start up to, not including, end."""
    if step is ONE and type(start) is int and type(end) is int and start <= end and dtype == xp.int64:
        checked_size((end - start,), 8)
        return ranges.arange(start, end, step, dtype)
    _check_range(start, end, step)
    if dtype.kind in "iu" and dtype.itemsize == 8 and not int(step):
        raise ArgumentValueError("step must be nonzero")
    known("arange_cpu", dtype)
    checked_size((math.ceil((end - start) / step),), dtype.itemsize)
    return ranges.arange(start, end, step, dtype)


creation(
    "arange", lambda xp, end, *, dtype=None: arange(xp, 0, end, 1, dtype),
    dtype=of_numbers, doc="Numbers from 0 up to, not including, end.",
)  # fmt: skip
creation(
    "arange.start", lambda xp, start, end, *, dtype=None: arange(xp, start, end, 1, dtype),
    dtype=of_numbers, out=False, doc="Numbers from start up to, not including, end.",
)  # fmt: skip
creation(
    "arange.step", lambda xp, start, end, step=1, *, dtype=None: arange(xp, start, end, step, dtype),
    dtype=of_numbers, doc="Numbers from start in steps up to, not including, end.",
)  # fmt: skip


def _range(xp: Any, start: Any, end: Any, step: Any, dtype: Any) -> Any:
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is "
        "inconsistent with Python's range builtin. Instead, use torch.arange, which produces values "
        "in [start, end).",
        stacklevel=5,
    )
    _check_range(start, end, step)
    known("range_cpu", dtype)
    count = int((end - start) / step) + 1
    wide = xp.float64 if dtype.kind in "fV" else xp.int64
    return (start + step * xp.arange(count, dtype=wide)).astype(dtype)


creation(
    "range", lambda xp, start, end, step=1, *, dtype=None: _range(xp, start, end, step, dtype),
    doc="Numbers from start to end, both included; deprecated.",
)  # fmt: skip


def _end(name: str, which: str, value: Any) -> Any:
    if isinstance(value, (bool, int, float, complex)):
        return value
    if value.ndim:
        raise StateError(
            f"{name} only supports 0-dimensional start and end tensors, but got {which} with "
            f"{value.ndim} dimension(s)."
        )
    return value.item()


def _ends(name: str, start: Any, end: Any, steps: int, dtype: Any) -> tuple[Any, Any]:
    if hasattr(start, "ndim") and hasattr(end, "ndim") and (start.ndim or end.ndim):
        raise StateError(
            f"{name} only supports 0-dimensional start and end tensors, but got start with {start.ndim} "
            f"dimension(s) and end with {end.ndim} dimension(s)."
        )
    ends = _end(name, "start", start), _end(name, "end", end)
    if steps < 0:
        raise StateError("number of steps must be non-negative")
    known(f"{name}_cpu", dtype, "fViuc")
    return ends


def _linspace(start: Any, end: Any, steps: int, dtype: Any) -> Any:
    start, end = _ends("linspace", start, end, steps, dtype)
    return ranges.linspace(start, end, steps, dtype)


def _logspace(start: Any, end: Any, steps: int, base: float, dtype: Any) -> Any:
    start, end = _ends("logspace", start, end, steps, dtype)
    return ranges.logspace(start, end, steps, base, dtype)


for _ends_label, _first, _second in (
    (".Tensor_Tensor", "index", "index"), (".Scalar_Tensor", "number", "index"),
    (".Tensor_Scalar", "index", "number"), ("", "number", "number"),
):  # fmt: skip
    _kinds = {"start": _first, "end": _second, "base": "float"}
    creation(
        f"linspace{_ends_label}",
        lambda xp, start, end, steps, *, dtype=None: _linspace(start, end, steps, dtype),
        kinds=_kinds, dtype=of_ends, doc="Evenly spaced numbers from start to end.",
    )  # fmt: skip
    creation(
        f"logspace{_ends_label}",
        lambda xp, start, end, steps, base=10.0, *, dtype=None: _logspace(
            start, end, steps, base, dtype
        ),
        kinds=_kinds, dtype=of_ends,
        doc="Powers of base with evenly spaced exponents from start to end.",
    )  # fmt: skip

