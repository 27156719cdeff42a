"""`torch.testing.assert_close`: equal within the tolerance of the dtype, or a sentence that says how
far off.

`numbers_match` and `mismatch` also are behind `a ~= b` in programs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Size, Tensor
from tgrad.errors import ArgumentError, ArgumentValueError
from tgrad.ops.transfer import host_array

TOLERANCES: Final = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}
"""Relative and absolute tolerance by dtype; integers and booleans must be equal."""

Array = Any
Message = str | Callable[[str], str] | None
NUMBERS: Final = (int, float, complex, numpy.number)


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: Message = None,
) -> None:
    """Check that |actual - expected| <= atol + rtol * |expected|, element by element.

    Takes tensors, numbers, booleans, None, and sequences and mappings of these; `actual` and
    `expected` must be of the same kind, shape and dtype.  The tolerances are those of the dtype
    unless both are given.  `msg` is said instead of the sentence, or makes it from the sentence.

    Raises AssertionError with the greatest differences, TypeError (ArgumentError) for what can't be
    compared, ValueError (ArgumentValueError) where only one tolerance is given.
    """
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise ArgumentValueError(
            f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}."
        )
    given = None if rtol is None or atol is None else (rtol, atol)
    for name, value in zip(("rtol", "atol"), given or (), strict=False):
        if value < 0:
            raise ArgumentValueError(
                f"{name} must be greater than or equal to zero, but got {value}"
            )
    checks = {
        "device": check_device, "dtype": check_dtype, "layout": check_layout, "stride": check_stride,
    }  # fmt: skip
    for place, pair in list(_pairs(actual, expected, (), msg, allow_subclasses)):
        sentence = _difference(*pair, given, equal_nan, checks)
        if sentence is not None:
            raise _failure(sentence, place, msg)


def _failure(sentence: str, place: tuple[Any, ...], message: Message) -> AssertionError:
    if message is not None:
        sentence = message if isinstance(message, str) else message(sentence)
    if place:
        item = "".join(str([key]) for key in place)
        sentence += f"\n\nThe failure occurred for item {item}"
    return AssertionError(sentence)


def _pairs(
    actual: Any, expected: Any, place: tuple[Any, ...], message: Message, subclasses: bool
) -> Iterator[tuple[tuple[Any, ...], tuple[Any, Any]]]:
    """What is to be compared in sequences and mappings, and under which keys it stands."""
    if _both(actual, expected, Sequence) and not _both(actual, expected, str):
        if len(actual) != len(expected):
            sentence = "The length of the sequences mismatch: "
            raise _failure(f"{sentence}{len(actual)} != {len(expected)}", place, message)
        for index, pair in enumerate(zip(actual, expected, strict=True)):
            yield from _pairs(*pair, (*place, index), message, subclasses)
    elif _both(actual, expected, Mapping):
        if set(actual) != set(expected):
            raise _failure(_keys_sentence(set(actual), set(expected)), place, message)
        for key in sorted(actual, key=str):
            yield from _pairs(actual[key], expected[key], (*place, key), message, subclasses)
    elif _comparable(actual, expected, subclasses):
        yield place, (actual, expected)
    else:
        raise ArgumentError(
            "No comparison pair was able to handle inputs of type "
            f"{type(actual)} and {type(expected)}."
        )


def _both(actual: Any, expected: Any, kind: Any) -> bool:
    return isinstance(actual, kind) and isinstance(expected, kind)


def _keys_sentence(actual: set[Any], expected: set[Any]) -> str:
    lines = ["The keys of the mappings do not match:"]
    if missing := expected - actual:
        lines.append(f"Missing keys in the actual mapping: {sorted(missing)}")
    if additional := actual - expected:
        lines.append(f"Additional keys in the actual mapping: {sorted(additional)}")
    return "\n".join(lines)


def _comparable(actual: Any, expected: Any, subclasses: bool) -> bool:
    if actual is None or expected is None:
        return True
    truth = (bool, numpy.bool_)
    if isinstance(actual, truth) or isinstance(expected, truth):
        return _both(actual, expected, truth)
    if _both(actual, expected, NUMBERS):
        return True
    if not _both(actual, expected, (Tensor, numpy.ndarray)):
        return False
    if type(actual) is type(expected):
        return True
    return subclasses and (
        isinstance(actual, type(expected)) or isinstance(expected, type(actual))
    )


def _difference(
    actual: Any,
    expected: Any,
    given: tuple[float, float] | None,
    equal_nan: bool,
    checks: Mapping[str, bool],
) -> str | None:
    """A sentence for two values that can be compared and aren't close, or None."""
    if actual is None or expected is None:
        return None if actual is expected else f"None mismatch: {actual} is not {expected}"
    if isinstance(actual, (bool, numpy.bool_)):
        return None if actual == expected else f"Booleans mismatch: {actual} is not {expected}"
    if isinstance(actual, NUMBERS):
        if checks["dtype"] and type(actual) is not type(expected):
            return f"The (d)types do not match: {type(actual)} != {type(expected)}."
    elif unequal := _unequal_attribute(actual, expected, checks):
        return unequal
    first, second = array_of(actual), array_of(expected)
    return mismatch(first, second, given or tolerances(first, second), equal_nan)


def _unequal_attribute(actual: Any, expected: Any, checks: Mapping[str, bool]) -> str | None:
    """A sentence for tensors whose shapes, dtypes and the like differ."""
    tensors = isinstance(actual, Tensor)
    found: list[tuple[str, Any, Any]] = []
    for name in ("shape", "device", "dtype", "layout"):
        if checks.get(name, True) and (tensors or name in ("shape", "dtype")):
            found.append((name, getattr(actual, name), getattr(expected, name)))
    if checks["stride"] and tensors:
        found.append(("stride()", actual.stride(), expected.stride()))
    for name, first, second in found:
        if first != second:
            if name == "shape":
                first, second = Size(first), Size(second)
            return f"The values for attribute '{name}' do not match: {first} != {second}."
    return None


def array_of(value: Any) -> Array:
    """The numbers of a tensor, on whatever device, of an array or a number, as a NumPy array."""
    if isinstance(value, Tensor):
        return host_array(value)
    return numpy.asarray(value)


def tolerances(actual: Array, expected: Array) -> tuple[float, float]:
    """Relative and absolute tolerance for two arrays: the looser of their dtypes'."""
    first, second = (TOLERANCES.get(each.dtype.name, (0.0, 0.0)) for each in (actual, expected))
    return max(first[0], second[0]), max(first[1], second[1])


def numbers_match(
    actual: Array, expected: Array, tolerance: tuple[float, float], equal_nan: bool = False
) -> Array:
    """Which elements of two arrays that broadcast together are close; NaN is close to nothing."""
    relative, absolute = tolerance
    with numpy.errstate(all="ignore"):
        difference, b = _absolute_difference(actual, expected)
        matches = actual == expected
        if relative or absolute:
            allowed = absolute + numpy.abs(relative * b)
            matches = matches | (numpy.isfinite(difference) & (difference <= allowed))
        if equal_nan:
            matches = matches | ((actual != actual) & (expected != expected))
    return matches


def _absolute_difference(actual: Array, expected: Array) -> tuple[Array, Array]:
    """|actual - expected| and the second array, both in their common dtype."""
    integers = [array.dtype.kind in "bui" for array in (actual, expected)]
    if integers[0] != integers[1]:  # NumPy would make float64 of float32 and int64
        common = expected.dtype if integers[0] else actual.dtype
    else:
        common = numpy.promote_types(actual.dtype, expected.dtype)
    if common.kind in "bui" and common != numpy.uint64:
        common = numpy.dtype(numpy.int64)
    a, b = numpy.broadcast_arrays(actual.astype(common), expected.astype(common))
    if common == numpy.uint64:
        return numpy.where(a > b, a - b, b - a), b
    return numpy.abs(a - b), b


def mismatch(
    actual: Array, expected: Array, tolerance: tuple[float, float], equal_nan: bool = False
) -> str | None:
    """A sentence for two arrays that aren't close, or None."""
    matches = numpy.asarray(numbers_match(actual, expected, tolerance, equal_nan))
    if matches.all():
        return None
    exact = not any(tolerance)
    relative, absolute = ("" if exact else f" (up to {each} allowed)" for each in tolerance)
    head = f"are not {'equal' if exact else 'close'}!\n\n"
    if matches.ndim == 0:
        a, b = actual.item(), expected.item()
        difference = abs(a - b)
        quotient = difference / abs(b) if b else float("inf")
        return (
            f"Scalars {head}Expected {b} but got {a}.\n"
            f"Absolute difference: {difference}{absolute}\n"
            f"Relative difference: {quotient}{relative}"
        )
    wrong, count = int((~matches).sum()), matches.size
    with numpy.errstate(all="ignore"):
        differences, b = _absolute_difference(actual, expected)
        size = numpy.abs(b)
        if differences.dtype.kind in "ui":  # dividing integers gives the default dtype
            default = dtypes.default.dtype.numpy
            quotients = differences.astype(default) / size.astype(default)
        else:
            quotients = differences / size
    return (
        f"Tensor-likes {head}Mismatched elements: {wrong} / {count} ({wrong / count:.1%})\n"
        f"Greatest absolute difference: {_greatest(differences, matches)}{absolute}\n"
        f"Greatest relative difference: {_greatest(quotients, matches)}{relative}"
    )


def _greatest(values: Array, matches: Array) -> str:
    """The greatest of the differences that don't match, and its index."""
    counted = numpy.where(matches, numpy.zeros((), values.dtype), values)
    index = numpy.unravel_index(int(counted.argmax()), counted.shape)
    place = tuple(int(item) for item in index)
    return f"{counted[place].item()} at index {place}"
