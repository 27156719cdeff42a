"""Rows: rounding to whole numbers and decimals, and taking numbers apart."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.ops.elementwise import BOOL, COMPLEX, INTEGERS
from tgrad.ops.table import row, unary


def whole(name: str, aliases: tuple[str, ...] = (), **parts: Any) -> None:
    """A function that gives whole numbers, and its argument where that is one already."""

    def forward(xp: Any, input: Any) -> Any:
        return getattr(xp, name)(input) if input.dtype.kind == "f" else xp.asarray(input).copy()

    sentence = f"!{name} is not supported for complex inputs"
    refuses = {f"{name}_vml_cpu": BOOL, sentence: COMPLEX}
    if name == "round":
        refuses = {"round_vml_cpu": (*BOOL, *COMPLEX)}
    unary(name, forward, refuses=refuses, aliases=aliases,
          input=lambda o, g: o.zero_gradient(g), **parts)  # fmt: skip


whole("ceil", doc="The smallest whole number that isn't below each element.")
whole("floor", doc="The largest whole number that isn't above each element.")
whole("trunc", aliases=("fix",), doc="Each element without its fraction.")
whole("round", doc="The nearest whole number, of two the even one.")


def _round_decimals(xp: Any, input: Any, *, decimals: int) -> Any:
    if decimals == 0:
        return xp.round(input)
    factor = input.dtype.type(10.0 ** abs(decimals))
    if decimals < 0:
        return xp.round(input / factor) * factor
    return xp.round(input * factor) / factor


row(
    "unary", "round.decimals", _round_decimals, inplace=True, index=1,
    refuses={"round_cpu": (*INTEGERS, *COMPLEX)},
    input=lambda o, g: o.zero_gradient(g),
    doc="Rounded to a number of decimals (negative: to tens, hundreds, ...).",
)  # fmt: skip
row(
    "unary", "special_round",
    lambda xp, input, *, decimals=0: _round_decimals(xp, input, decimals=decimals),
    module="torch.special", label="RoundBackward", index=1, method=False,
    refuses={"round_vml_cpu": (*INTEGERS, *COMPLEX)},
    input=lambda o, g: o.zero_gradient(g),
    doc="Rounded to a number of decimals.",
)  # fmt: skip

unary(
    "frac", lambda xp, input: input - xp.trunc(input),
    refuses={"frac_cpu": (*INTEGERS, *COMPLEX)},
    input=lambda o, g: g,
    doc="The fraction of each element, with its sign.",
)  # fmt: skip


def _frexp(xp: Any, input: Any) -> Any:
    mantissa, exponent = xp.frexp(input)
    return mantissa, xp.asarray(exponent).astype(xp.int32)


unary(
    "frexp", _frexp, inplace=False, outputs=1, fields=("mantissa", "exponent"),
    result=(None, dtypes.int32),
    refuses={"torch.frexp() only supports floating-point dtypes": (*INTEGERS, *COMPLEX)},
    input=lambda o, g, exponent: o.ldexp(g, -exponent),
    doc="Mantissa between 1/2 and 1 and exponent: input = mantissa * 2 ** exponent.",
)  # fmt: skip
