"""Numbers as text: short ones for a sentence, and cells of one width for a table.

A number that isn't zero is never written as 0: where the digits after the point don't suffice, that
one number is written with an exponent.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import copysign, isfinite
from typing import Any

from tgrad.core.print_options import current_printoptions

LARGEST_FIXED = 1e6
"""Tables with numbers from here on are written with exponents."""

LARGEST_WHOLE = 1e7
"""Whole floating point numbers below this are written out."""


def short(number: Any) -> str:
    """A number in a sentence: about four digits, integers in full."""
    if isinstance(number, (bool, int)):
        return str(number)
    if isinstance(number, complex):
        imaginary = short(abs(number.imag))
        sign = "-" if copysign(1, number.imag) < 0 else "+"
        return f"{short(number.real)}{sign}{imaginary}j"
    size = abs(number)
    if not isfinite(number):
        return str(number)
    if number == 0:
        return "0"
    if 9999.5 <= size < LARGEST_FIXED:
        return f"{number:.0f}"
    if 1e-3 <= size < LARGEST_FIXED:
        return f"{number:.{5 if size >= 1000 else 4}g}"
    return _exponent(f"{number:.3g}")


def _exponent(text: str) -> str:
    """1e-07 as 1e-7."""
    digits, mark, power = text.partition("e")
    return f"{digits}e{int(power)}" if mark else text


def size_text(number: int) -> str:
    """A number of bytes."""
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    amount, unit = float(number), 0
    while amount >= 1000 and unit < len(units) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.3g} {units[unit]}"


def count_text(number: int, noun: str) -> str:
    """`1 element`, `12,000 elements`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def cells(values: Sequence[Any], precision: int | None = None) -> list[str]:
    """The texts of numbers of one kind, all equally wide, points below points.

    values: bools, ints, floats or complex numbers of Python.
    """
    if precision is None:
        precision = current_printoptions().precision
    if any(isinstance(value, complex) for value in values):
        texts = _complex_cells(values, precision)
    elif any(isinstance(value, float) for value in values):
        texts = _float_cells(values, precision)
    else:
        texts = [str(value) for value in values]
    width = max(map(len, texts), default=0)
    return [text.rjust(width) for text in texts]


def _float_cells(values: Sequence[float], precision: int) -> list[str]:
    sizes = [abs(value) for value in values if isfinite(value) and value != 0]
    largest = max(sizes, default=0.0)
    if largest < LARGEST_WHOLE and all(size == int(size) for size in sizes):
        return [f"{value:.0f}." if isfinite(value) else str(value) for value in values]
    if largest >= LARGEST_FIXED or largest < 10.0 ** (2 - precision):
        zero = f"0.{' ' * (precision + 4)}"
        return [_cell(value, f".{precision}e", zero, precision) for value in values]
    zero = f"0.{' ' * precision}"
    return [_cell(value, f".{precision}f", zero, precision) for value in values]


def _cell(value: float, form: str, zero: str, precision: int) -> str:
    if value == 0:
        return f"-{zero}" if copysign(1, value) < 0 else zero
    text = format(value, form)
    if isfinite(value) and form.endswith("f") and not text.strip("-0."):
        return format(value, f".{min(precision, 1)}e")
    return text


def _complex_cells(values: Sequence[complex], precision: int) -> list[str]:
    real = _float_cells([complex(value).real for value in values], precision)
    imaginary = [complex(value).imag for value in values]
    sizes = cells([abs(part) for part in imaginary], precision)
    return [
        f"{text}{'-' if copysign(1, part) < 0 else '+'}{size.strip()}j"
        for text, part, size in zip(real, imaginary, sizes, strict=True)
    ]
