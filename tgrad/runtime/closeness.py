"""`a ~= b`: equal within the tolerance of the dtype, and the sentence that says how far off.

Tolerances and wording are those of `torch.testing.assert_close`; operands may be of different
dtypes (then the looser tolerance holds), numbers are compared with every element, and lists count
as tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex32": (1e-3, 1e-5),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}
"""Relative and absolute tolerance by dtype; integers and booleans must be equal."""


class _Operand:
    """A value to compare: its numbers, its tolerances, and whether it was a plain number."""

    def __init__(self, value: Any) -> None:
        import numpy

        tensor = hasattr(value, "detach") and hasattr(value, "requires_grad")
        self.number = isinstance(value, (bool, int, float, complex, numpy.generic))
        if tensor:
            value = value.detach()
            name = str(value.dtype).removeprefix("torch.")
            value = value.cpu().numpy() if name != "bfloat16" else value.cpu().float().numpy()
        else:
            value = _numbers(value)
            name = value.dtype.name
        if value.dtype.kind not in "biufc":
            raise TypeError(f"~= compares numbers and tensors, not {value.dtype.name}")
        self.array = value
        self.relative, self.absolute = TOLERANCES.get(name, (0.0, 0.0))


def _numbers(value: Any) -> Any:
    import numpy

    if isinstance(value, (str, bytes, dict, set)) or callable(value) or value is None:
        raise TypeError(f"~= compares numbers and tensors, not {type(value).__name__}")
    if isinstance(value, (list, tuple)):
        value = _plain(value)
    return numpy.asarray(value)


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.detach().tolist() if hasattr(value, "detach") else value


def close(a: Any, b: Any) -> bool:
    """Whether all elements of `a` and `b` are within tolerance; NaN is close to nothing.

    Tensors of different shapes aren't close. Raises TypeError for what isn't made of numbers.
    """
    actual, expected = _Operand(a), _Operand(b)
    if not _comparable(actual, expected):
        return False
    return bool(_matches(actual, expected, *_tolerances(actual, expected)).all())


def assert_close(a: Any, b: Any, message: Callable[[], object] | None = None) -> None:
    """`assert a ~= b, message`. Raises AssertionError that tells the greatest differences."""
    actual, expected = _Operand(a), _Operand(b)
    explanation = _explain(actual, expected)
    if explanation is None:
        return
    if message is None:
        raise AssertionError(explanation)
    error = AssertionError(message())
    error.add_note(explanation)
    raise error


def _comparable(actual: _Operand, expected: _Operand) -> bool:
    return (
        actual.number
        or expected.number
        or actual.array.shape == expected.array.shape
    )  # fmt: skip


def _tolerances(actual: _Operand, expected: _Operand) -> tuple[float, float]:
    return (
        max(actual.relative, expected.relative),
        max(actual.absolute, expected.absolute),
    )


def _differences(actual: _Operand, expected: _Operand) -> tuple[Any, Any]:
    import numpy

    common = numpy.promote_types(actual.array.dtype, expected.array.dtype)
    if common.kind == "b":
        common = numpy.dtype(numpy.int64)
    elif common.kind in "iu":
        common = numpy.dtype(numpy.int64 if common.kind == "i" or common.itemsize < 8 else "uint64")
    a, b = numpy.broadcast_arrays(actual.array.astype(common), expected.array.astype(common))
    with numpy.errstate(all="ignore"):
        return numpy.abs(a - b), b


def _matches(actual: _Operand, expected: _Operand, relative: float, absolute: float) -> Any:
    import numpy

    difference, b = _differences(actual, expected)
    with numpy.errstate(all="ignore"):
        within = numpy.isfinite(difference) & (difference <= absolute + relative * numpy.abs(b))
        return within | (actual.array == expected.array)


def _explain(actual: _Operand, expected: _Operand) -> str | None:
    if not _comparable(actual, expected):
        return (
            "The values for attribute 'shape' do not match: "
            f"torch.Size({list(actual.array.shape)}) != torch.Size({list(expected.array.shape)})."
        )
    relative, absolute = _tolerances(actual, expected)
    matches = _matches(actual, expected, relative, absolute)
    if matches.all():
        return None
    exact = relative == 0 == absolute
    if matches.ndim == 0:
        return _scalar_text(actual, expected, relative, absolute, exact)
    return _tensor_text(actual, expected, matches, relative, absolute)


def _allowed(tolerance: float, exact: bool) -> str:
    return "" if exact else f" (up to {tolerance} allowed)"


def _scalar_text(
    actual: _Operand, expected: _Operand, relative: float, absolute: float, exact: bool
) -> str:
    a, b = actual.array.item(), expected.array.item()
    difference = abs(a - b)
    quotient = difference / abs(b) if b else float("inf")
    return (
        f"Scalars are not {'equal' if exact else 'close'}!\n\n"
        f"Expected {b} but got {a}.\n"
        f"Absolute difference: {difference}{_allowed(absolute, exact)}\n"
        f"Relative difference: {quotient}{_allowed(relative, exact)}"
    )


def _tensor_text(
    actual: _Operand, expected: _Operand, matches: Any, relative: float, absolute: float
) -> str:
    import numpy

    exact = relative == 0 == absolute
    difference, b = _differences(actual, expected)
    with numpy.errstate(all="ignore"):
        if exact:
            quotient = difference.astype(numpy.float64) / numpy.abs(b)
        else:
            quotient = difference / numpy.abs(b)
    # Differences of elements that match don't count, even where they are the greatest.
    difference = numpy.where(matches, 0, difference).astype(difference.dtype)
    quotient = numpy.where(matches, 0, quotient).astype(quotient.dtype)
    wrong, count = int((~matches).sum()), matches.size
    return (
        f"Tensor-likes are not {'equal' if exact else 'close'}!\n\n"
        f"Mismatched elements: {wrong} / {count} ({wrong / count:.1%})\n"
        f"Greatest absolute difference: {_greatest(difference)}{_allowed(absolute, exact)}\n"
        f"Greatest relative difference: {_greatest(quotient)}{_allowed(relative, exact)}"
    )


def _greatest(values: Any) -> str:
    import numpy

    index = numpy.unravel_index(int(values.argmax()), values.shape)
    place = tuple(int(item) for item in index)
    return f"{values[place].item()} at index {place}"
