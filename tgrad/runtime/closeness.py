"""`a ~= b`: equal within the tolerance of the dtype, and the sentence that says how far off.

Tolerances and wording are those of `torch.testing.assert_close`; but operands may be of different
dtypes (then the looser tolerance holds), numbers are compared with every element, and lists count
as tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from tgrad.core.tensor import Size
from tgrad.ops.testing import array_of, mismatch, numbers_match, tolerances


def close(a: Any, b: Any) -> bool:
    """Whether all elements of `a` and `b` are within tolerance; NaN is close to nothing.

    Tensors of different shapes aren't close. Raises TypeError for what isn't made of numbers.
    """
    actual, expected = _numbers(a), _numbers(b)
    if not _comparable(actual, expected, a, b):
        return False
    return bool(numbers_match(actual, expected, tolerances(actual, expected)).all())


def assert_close(a: Any, b: Any, message: Callable[[], object] | None = None) -> None:
    """`assert a ~= b, message`. Raises AssertionError that tells the greatest differences."""
    actual, expected = _numbers(a), _numbers(b)
    if _comparable(actual, expected, a, b):
        explanation = mismatch(actual, expected, tolerances(actual, expected))
    else:
        shapes = f"{Size(actual.shape)} != {Size(expected.shape)}"
        explanation = f"The values for attribute 'shape' do not match: {shapes}."
    if explanation is None:
        return
    if message is None:
        raise AssertionError(explanation)
    error = AssertionError(message())
    error.add_note(explanation)
    raise error


def _numbers(value: Any) -> Any:
    """The value as an array."""
    if isinstance(value, (str, bytes, dict, set)) or callable(value) or value is None:
        raise TypeError(f"~= compares numbers and tensors, not {type(value).__name__}")
    array = array_of(_plain(value) if isinstance(value, (list, tuple)) else value)
    if array.dtype.kind not in "biufc" and array.dtype.name != "bfloat16":
        raise TypeError(f"~= compares numbers and tensors, not {array.dtype.name}")
    return array


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return array_of(value).tolist() if hasattr(value, "detach") else value


def _comparable(actual: Any, expected: Any, a: Any, b: Any) -> bool:
    return actual.shape == expected.shape or _is_number(a) or _is_number(b)


def _is_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float, complex, numpy.generic))
