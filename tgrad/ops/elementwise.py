"""Rows: functions of each element, and of pairs of elements."""

from __future__ import annotations

from tgrad.ops.formulas import pow_exponent, pow_input, scale
from tgrad.ops.table import binary, comparison, float_result, unary

# ---------------------------------------------------------------- arithmetic

binary(
    "add", lambda xp, input, other, *, alpha=1: xp.add(input, scale(other, alpha)), symbol="+",
    input=lambda o, g: g,
    other=lambda o, g, alpha: scale(g, alpha),
    doc="Sum, element by element, with broadcasting: input + alpha * other.",
)  # fmt: skip

binary(
    "sub", lambda xp, input, other, *, alpha=1: xp.subtract(input, scale(other, alpha)),
    symbol="-", aliases=("subtract",),
    input=lambda o, g: g,
    other=lambda o, g, alpha: -scale(g, alpha),
    doc="Difference, element by element, with broadcasting: input - alpha * other.",
)  # fmt: skip

binary(
    "mul", lambda xp, input, other: xp.multiply(input, other), symbol="*", aliases=("multiply",),
    input=lambda o, g, other: g * o.conj(other),
    other=lambda o, g, input: g * o.conj(input),
    doc="Product, element by element, with broadcasting.",
)  # fmt: skip

binary(
    "div", lambda xp, input, other: xp.divide(input, other), symbol="/",
    aliases=("divide", "true_divide"),
    input=lambda o, g, other: g / o.conj(other),
    other=lambda o, g, input, other: -g * o.conj((input / other) / other),
    dtype=float_result, doc="Quotient, element by element, with broadcasting.",
)  # fmt: skip

unary(
    "neg", lambda xp, input: xp.negative(input), aliases=("negative",),
    input=lambda o, g: -g,
    doc="The negative of each element.",
)  # fmt: skip

unary(
    "exp", lambda xp, input: xp.exp(input),
    input=lambda o, g, out: g * o.conj(out),
    dtype=float_result, doc="e raised to the power of each element.",
)  # fmt: skip

# ---------------------------------------------------------------- comparison

comparison(
    "lt", lambda xp, input, other: xp.less(input, other), symbol="<", aliases=("less",),
    doc="Whether each element is smaller than other's.",
)  # fmt: skip
