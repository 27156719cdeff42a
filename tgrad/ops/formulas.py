"""Derivatives that are longer than a line, or shared by several rows.

Each takes `o`, the operators, first; see `tgrad.ops.table` for what a formula may use.
"""

from __future__ import annotations

import cmath
import math
from typing import Any

# ---------------------------------------------------------------- arithmetic


def scale(value: Any, factor: Any) -> Any:
    """value * factor, and value itself where the factor is 1."""
    return value if factor == 1 else value * factor


def masked(o: Any, g: Any, mask: Any) -> Any:
    """A gradient with 0 where the mask is true, whatever it is there."""
    return o.choose(mask, 0, g)


def sgn_gradient(o: Any, g: Any, input: Any, out: Any) -> Any:
    """d(z / abs(z))/dz, which is 0 for real numbers: the part of g across the sign, over abs(z)."""
    if not o.is_complex_value(g):
        return o.zero_gradient(g)
    size = o.abs(input)
    return masked(o, g / size - o.real(g / out) * out / size, size == 0)


def negated_quotient(o: Any, g: Any, input: Any, other: Any) -> Any:
    """d(a / b)/db = -a / b**2, divided one by one so that b**2 doesn't overflow."""
    return -g * ((input / other) / other)


def pow_input(o: Any, g: Any, input: Any, exponent: Any) -> Any:
    """d(x ** n)/dx = n * x ** (n - 1) for a number n, and 0 where n is 0."""
    if exponent == 0:
        return o.zero_gradient(g)
    if exponent == 2 and not o.records:
        return g * (2 * input)
    return g * (exponent * o.pow_Tensor_Scalar(input, exponent - 1))


def pow_base(o: Any, g: Any, input: Any, exponent: Any) -> Any:
    """d(x ** y)/dx = y * x ** (y - 1), and 0 where y is 0."""
    return o.choose(
        exponent == 0, 0, g * (exponent * o.pow_Tensor_Tensor(input, exponent - 1))
    )


def pow_exponent(o: Any, g: Any, input: Any, exponent: Any, out: Any) -> Any:
    """d(x ** y)/dy = x ** y * log(x), and 0 where x is 0 and y isn't negative."""
    log = o.log(o.typed_as(input, out))
    return g * o.choose((input == 0) & (o.real(exponent) >= 0), 0, out * log)


def pow_number(o: Any, g: Any, self: Any, exponent: Any, out: Any) -> Any:
    """d(a ** y)/dy = a ** y * log(a) for a number a."""
    if self == 0:
        return g * o.choose(o.real(exponent) >= 0, 0, out * -math.inf)
    if isinstance(self, complex):
        return g * (out * cmath.log(self))
    return g * (out * (math.log(self) if self > 0 else math.nan))


# ---------------------------------------------------------------- matrix products


def to_shape(o: Any, g: Any, shape: tuple[int, ...]) -> Any:
    """A gradient summed back to the shape that its operand had before it was expanded."""
    return g if tuple(g.shape) == shape else o.sum_to_size(g, shape)
