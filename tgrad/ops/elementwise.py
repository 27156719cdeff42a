"""Rows: sums, differences, products, quotients and remainders of pairs of elements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy

from tgrad.backends.fused import fma
from tgrad.core import dtype as dtypes
from tgrad.core.device import CPU_TYPES
from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError, StateError, UnsupportedDTypeError
from tgrad.ops.formulas import negated_quotient, scale
from tgrad.ops.table import Rule, binary, composite, float_result, operand_type

COMPLEX = (dtypes.complex64, dtypes.complex128)
BOOL = (dtypes.bool_,)
INTEGERS = (
    dtypes.bool_, dtypes.uint8, dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64,
)  # fmt: skip
HALF = (dtypes.float16, dtypes.bfloat16)
FLOATS = (*HALF, dtypes.float32, dtypes.float64)


def arithmetic(name: str, forward: Callable[..., Any], **parts: Any) -> None:
    """A binary row whose first operand may be a number too, where it is called as a function."""
    binary(name, forward, **parts)
    for setting in ("symbol", "inplace", "check"):
        parts.pop(setting, None)
    if not isinstance(parts.get("differentiable"), str):
        parts.setdefault("label", name.title() + "Backward")
    binary(
        f"{name}.number", forward, kinds={"input": "operand"}, listed=False, method=False,
        inplace=False, **parts,
    )  # fmt: skip


# ---------------------------------------------------------------- sums


def check_alpha(dtype: Any, alpha: Any) -> None:
    """PyTorch's errors for a factor that the dtype (NumPy's) can't hold."""
    if isinstance(alpha, complex) and dtype.kind != "c":
        raise DTypeError(
            "For non-complex input tensors, argument alpha must not be a complex number."
        )
    if isinstance(alpha, float) and dtype.kind not in "fc":
        raise DTypeError(
            "For integral input tensors, argument alpha must not be a floating point number."
        )
    if isinstance(alpha, bool) and dtype.kind != "b":
        raise DTypeError("Boolean alpha only supported for Boolean results.")


def add_scaled(xp: Any, input: Any, other: Any, alpha: Any) -> Any:
    """input + alpha * other, in floating dtypes with one rounding."""
    dtype = input.dtype if hasattr(input, "dtype") else other.dtype
    if type(alpha) is float and dtype.kind == "f":
        return fma(other, dtype.type(alpha), input, dtype)
    check_alpha(dtype, alpha)
    if dtype.kind == "b":
        return xp.logical_or(input, xp.logical_and(other, bool(alpha)))
    if isinstance(alpha, numpy.generic):
        return _add_scaled_narrow(xp, input, other, alpha)
    return plus_product(xp, input, other, xp.asarray(alpha).astype(dtype), dtype)


def _add_scaled_narrow(xp: Any, input: Any, other: Any, alpha: Any) -> Any:
    """For narrow floats, given as float32: in full vectors one rounding, which is left to the caller; in
    what fills none the product is rounded, too."""
    factor = xp.float32(alpha)
    twice = xp.add(input, xp.multiply(other, factor).astype(alpha.dtype))
    vectors = twice.size // 32 * 32
    if not vectors:
        return twice
    once = xp.asarray(fma(xp.asarray(other), factor, xp.asarray(input), xp.float32))
    once.reshape(-1)[vectors:] = twice.reshape(-1)[vectors:]
    return once


def plus_product(xp: Any, a: Any, b: Any, c: Any, dtype: Any) -> Any:
    """a + b * c rounded once for real floating dtypes, twice for others."""
    if dtype.kind == "f":
        return fma(b, c, a, dtype)
    return xp.add(a, xp.multiply(b, c))


ONE = 1
"""The default of alpha; CPython has a single 1, so that `is` finds the usual case."""


def _add(xp: Any, input: Any, other: Any, *, alpha: Any = ONE) -> Any:
    if alpha is ONE:
        return xp.add(input, other)
    return add_scaled(xp, input, other, alpha)


def _sub(xp: Any, input: Any, other: Any, *, alpha: Any = ONE) -> Any:
    if alpha is ONE:
        return xp.subtract(input, other)
    if xp.asarray(input).dtype.kind == "b":
        raise DTypeError(NO_BOOLS, op="sub")
    return add_scaled(xp, input, other, -alpha)


NO_BOOLS: Final = (
    "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
    "`logical_xor()` operator instead."
)


def no_bool(operands: Sequence[Any]) -> None:
    """Booleans are not subtracted."""
    kinds = [
        o._type.dtype is dtypes.bool_ if isinstance(o, Tensor) else isinstance(o, bool)
        for o in operands
    ]
    if all(kinds):
        raise DTypeError(NO_BOOLS, op="sub", operands=tuple(operands))
    if any(kinds):
        raise DTypeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying "
            "to invert a mask, use the `~` or `logical_not()` operator instead.",
            op="sub", operands=tuple(operands),
        )  # fmt: skip


arithmetic(
    "add", _add, symbol="+", plain="add", arrays=True,
    input=lambda o, g: g,
    other=lambda o, g, alpha: scale(g, alpha),
    holomorphic=True, doc="Sum, element by element, with broadcasting: input + alpha * other.",
)  # fmt: skip

arithmetic(
    "sub", _sub, symbol="-", plain="subtract", aliases=("subtract",), guard=no_bool, arrays=True,
    input=lambda o, g: g,
    other=lambda o, g, alpha: -scale(g, alpha),
    holomorphic=True,
    doc="Difference, element by element, with broadcasting: input - alpha * other.",
)  # fmt: skip

def _from_number(xp: Any, input: Any, other: Any, alpha: Any = ONE) -> Any:
    if input.dtype.kind not in "fc":
        other = number_of(xp, input, other)
    return xp.subtract(other, input) if alpha is ONE else add_scaled(xp, other, input, -alpha)


binary(
    "rsub", lambda xp, input, other, *, alpha=1: _sub(xp, other, input, alpha=alpha),
    guard=no_bool, kinds={"other": "tensor"}, method=False, inplace=False, out=False,
    input=lambda o, g, alpha: -scale(g, alpha),
    other=lambda o, g: g,
    holomorphic=True, doc="other - alpha * input.",
)  # fmt: skip

binary(
    "rsub.Scalar", _from_number, symbol="r-", guard=no_bool, kinds={"other": "scalar"},
    method=False, inplace=False, label="RsubBackward", index=1, out=False,
    input=lambda o, g, alpha: -scale(g, alpha),
    holomorphic=True, doc="other - alpha * input, of a number.",
)  # fmt: skip

# ---------------------------------------------------------------- products and quotients

arithmetic(
    "mul", lambda xp, input, other: xp.multiply(input, other), symbol="*", aliases=("multiply",),
    input=lambda o, g, other: g * other,
    other=lambda o, g, input: g * input,
    holomorphic=True, opmath=True, arrays=True, doc="Product, element by element, with broadcasting.",
)  # fmt: skip

arithmetic(
    "div", lambda xp, input, other: xp.divide(input, other), symbol="/",
    arrays=True,
    aliases=("divide", "true_divide"),
    input=lambda o, g, other: g / other,
    other=negated_quotient,
    dtype=float_result, holomorphic=True, opmath=True,
    doc="Quotient, element by element, with broadcasting.",
)  # fmt: skip


def no_zero(xp: Any, input: Any, other: Any) -> None:
    """Whole numbers are not divided by 0."""
    dtype = input.dtype if hasattr(input, "dtype") else other.dtype
    empty = hasattr(input, "size") and input.size == 0
    if dtype.kind in "iu" and not empty and not xp.all(other):
        raise StateError("ZeroDivisionError")


def _floor_divide(xp: Any, input: Any, other: Any) -> Any:
    no_zero(xp, input, other)
    return xp.floor_divide(input, other)


def _trunc_divide(xp: Any, input: Any, other: Any) -> Any:
    dtype = input.dtype if hasattr(input, "dtype") else other.dtype
    if dtype.kind in "fc":
        return xp.trunc(xp.divide(input, other))
    no_zero(xp, input, other)
    whole = xp.floor_divide(input, other)
    return whole + ((xp.fmod(input, other) != 0) & ((input < 0) != (other < 0))).astype(dtype)


def _divide_with_mode(xp: Any, input: Any, other: Any, *, rounding_mode: str | None) -> Any:
    if rounding_mode is None:
        return xp.divide(input, other)
    dtype = input.dtype if hasattr(input, "dtype") else other.dtype
    if dtype.kind in "bc":
        title = CPU_TYPES[dtype].dtype.title
        raise UnsupportedDTypeError(f'"div_{rounding_mode}_cpu" not implemented for \'{title}\'')
    return (_floor_divide if rounding_mode == "floor" else _trunc_divide)(xp, input, other)


def _check_mode(input: Any, other: Any, rounding_mode: Any) -> None:
    if rounding_mode not in (None, "trunc", "floor"):
        raise StateError(
            "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
            f"'{rounding_mode}'"
        )


def _mode_type(operands: Sequence[Any], mode: Any) -> Any:
    found = operand_type(operands)
    return dtypes.default.dtype if mode is None and not found.is_differentiable else found


by_mode = Rule(
    "promoted; integers to the default floating dtype without a mode", "never", _mode_type
)

binary(
    "div.Tensor_mode", _divide_with_mode, kinds={"rounding_mode": "mode?", "input": "operand"},
    aliases=("divide", "true_divide"), check=_check_mode, opmath=True, dtype=by_mode, index=2,
    input=lambda o, g, other, rounding_mode: (
        g / other if rounding_mode is None else o.zero_gradient(g)
    ),
    other=lambda o, g, input, other, rounding_mode: (
        negated_quotient(o, g, input, other) if rounding_mode is None else o.zero_gradient(g)
    ),
    holomorphic=True, doc="Quotient, rounded to a whole number: down (floor) or towards 0 (trunc).",
)  # fmt: skip

binary(
    "div.Scalar_mode", _divide_with_mode, kinds={"rounding_mode": "mode?", "other": "scalar"},
    aliases=("divide", "true_divide"), out=False, dtype=by_mode,
    doc="Listed in messages only: `div.Tensor_mode` takes numbers too.",
)  # fmt: skip

arithmetic(
    "floor_divide", _floor_divide, symbol="//", opmath=True,
    refuses={"div_floor_cpu": (*BOOL, *COMPLEX)},
    differentiable="use torch.div(x, y), whose derivative exists, or x.detach() // y",
    doc="Quotient, rounded down to a whole number.",
)  # fmt: skip


def _remainder(xp: Any, input: Any, other: Any) -> Any:
    no_zero(xp, input, other)
    dtype = input.dtype if hasattr(input, "dtype") else other.dtype
    if dtype.kind in "iu":
        return xp.remainder(input, other)
    rest = xp.fmod(input, other)
    return xp.where((rest != 0) & ((other < 0) != (rest < 0)), rest + other, rest)


def _fmod(xp: Any, input: Any, other: Any) -> Any:
    no_zero(xp, input, other)
    return xp.fmod(input, other)


def number_of(xp: Any, array: Any, number: Any) -> Any:
    """A number in the dtype of the array that it is combined with."""
    return xp.asarray(number).astype(array.dtype)


binary(
    "remainder.Tensor", _remainder, kinds={"other": "tensor"}, symbol="%", index=1,
    refuses={"remainder_cpu": (*BOOL, *COMPLEX)},
    input=lambda o, g: g,
    other=lambda o, g, input, other: -g * o.div_Tensor_mode(input, other, rounding_mode="floor"),
    doc="Remainder of the division that rounds down; it has the divisor's sign.",
)  # fmt: skip

binary(
    "remainder.Scalar",
    lambda xp, input, other: _remainder(xp, input, number_of(xp, input, other)),
    kinds={"other": "scalar"}, symbol="%", refuses={"remainder_cpu": (*BOOL, *COMPLEX)},
    input=lambda o, g: g,
    doc="Remainder of the division by a number that rounds down.",
)  # fmt: skip

binary(
    "remainder.Scalar_Tensor",
    lambda xp, self, other: _remainder(xp, number_of(xp, other, self), other),
    kinds={"self": "scalar", "other": "tensor"}, method=False, inplace=False,
    refuses={"remainder_cpu": (*BOOL, *COMPLEX)},
    differentiable="torch.remainder(number, tensor) has no derivative in PyTorch",
    doc="Remainder of a number's division that rounds down.",
)  # fmt: skip

binary(
    "fmod.Tensor", _fmod, kinds={"other": "tensor"}, index=1,
    refuses={"fmod_cpu": (*BOOL, *COMPLEX)},
    input=lambda o, g: g,
    other=lambda o, g, input, other: -g * o.div_Tensor_mode(input, other, rounding_mode="trunc"),
    doc="Remainder of the division that rounds towards 0; it has the dividend's sign.",
)  # fmt: skip

binary(
    "fmod.Scalar", lambda xp, input, other: _fmod(xp, input, number_of(xp, input, other)),
    kinds={"other": "scalar"}, refuses={"fmod_cpu": (*BOOL, *COMPLEX)},
    input=lambda o, g: g,
    doc="Remainder of the division by a number that rounds towards 0.",
)  # fmt: skip

# ---------------------------------------------------------------- operators with a number in front


def reflected(name: str, symbol: str, forward: Callable[..., Any], doc: str) -> None:
    """A row `(input, other)` behind an operator whose left side is `other`, a number."""
    composite(name, forward, symbol=symbol, function=False, method=False, doc=doc)


reflected("rdiv", "r/", lambda o, input, other: o.mul(input.reciprocal(), other),
        "other / input, as PyTorch computes it.")
reflected("rfloordiv", "r//", lambda o, input, other: o.floor_divide_number(other, input),
        "other // input.")
reflected("rmod", "r%", lambda o, input, other: o.remainder_Scalar_Tensor(other, input),
        "other % input.")
