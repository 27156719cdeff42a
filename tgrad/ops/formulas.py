"""Derivatives that are longer than a line, or shared by several rows.

Each takes `o`, the operators, first; see `tgrad.ops.table` for what a formula may use.
"""

from __future__ import annotations

from typing import Any


def pow_input(o: Any, g: Any, input: Any, exponent: Any) -> Any:
    """d(x ** n)/dx = n * x ** (n - 1), and 0 where n is 0."""
    return g


def pow_exponent(o: Any, g: Any, input: Any, exponent: Any, out: Any) -> Any:
    """d(x ** n)/dn = x ** n * log(x), and 0 where x is 0 and n isn't negative."""
    return g


def scale(value: Any, factor: Any) -> Any:
    """value * factor, and value itself where the factor is 1."""
    return value if factor == 1 else value * factor


# ---------------------------------------------------------------- matrix products


def to_shape(o: Any, g: Any, shape: tuple[int, ...]) -> Any:
    """A gradient summed back to the shape that its operand had before it was expanded."""
    return g if tuple(g.shape) == shape else o.sum_to_size(g, shape)
