"""Rows: the larger or smaller of elements, bounds, and other functions of pairs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.device import CPU_TYPES
from tgrad.errors import DTypeError, StateError, UnsupportedDTypeError
from tgrad.ops.elementwise import BOOL, COMPLEX, INTEGERS
from tgrad.ops.formulas import masked
from tgrad.ops.operands import checked_number
from tgrad.ops.table import Rule, binary, broadcast, float_result, operand_type, same

# ---------------------------------------------------------------- the larger and the smaller


def larger(name: str, forward: Callable[..., Any], **parts: Any) -> None:
    """Rows of `maximum` and its kin."""
    binary(
        name, forward, kinds={"other": "tensor"}, inplace=False,
        refuses={f"{name} not implemented for complex tensors.": COMPLEX}, **parts,
    )  # fmt: skip


def _halved(o: Any, g: Any, equal: Any, lost: Any) -> Any:
    """Half of the gradient where both are equal, none where the other one was taken."""
    return masked(o, o.choose(equal, g / 2, g), lost)


larger(
    "maximum", lambda xp, input, other: xp.maximum(input, other),
    input=lambda o, g, input, other: _halved(o, g, input == other, input < other),
    other=lambda o, g, input, other: _halved(o, g, input == other, input > other),
    doc="The larger of two elements; nan where one is.",
)  # fmt: skip
larger(
    "minimum", lambda xp, input, other: xp.minimum(input, other),
    input=lambda o, g, input, other: _halved(o, g, input == other, input > other),
    other=lambda o, g, input, other: _halved(o, g, input == other, input < other),
    doc="The smaller of two elements; nan where one is.",
)  # fmt: skip
def _fmax(xp: Any, input: Any, other: Any) -> Any:
    return xp.where((input >= other) | (other != other), input, other)


def _fmin(xp: Any, input: Any, other: Any) -> Any:
    return xp.where((input <= other) | (other != other), input, other)


larger(
    "fmax", _fmax,
    input=lambda o, g, input, other: o.choose((input >= other) | (other != other), g, 0),
    other=lambda o, g, input, other: masked(o, g, (input >= other) | (other != other)),
    doc="The larger of two elements; the other one where one is nan.",
)  # fmt: skip
larger(
    "fmin", _fmin,
    input=lambda o, g, input, other: o.choose((input <= other) | (other != other), g, 0),
    other=lambda o, g, input, other: masked(o, g, (input <= other) | (other != other)),
    doc="The smaller of two elements; the other one where one is nan.",
)  # fmt: skip


# ---------------------------------------------------------------- clamp


def _no_complex(input: Any, *bounds: Any) -> None:
    if input._type.dtype.is_complex or (bounds and any(isinstance(bound, complex) for bound in bounds)):
        raise UnsupportedDTypeError("clamp is not supported for complex types")


def _check_clamp(input: Any, min: Any, max: Any) -> None:
    _no_complex(input)
    if min is None and max is None:
        raise StateError("torch.clamp: At least one of 'min' or 'max' must not be None")


def _clamp(xp: Any, input: Any, min: Any = None, max: Any = None) -> Any:
    result = input
    if min is not None:
        result = xp.at_least(result, min)
    return result if max is None else xp.at_most(result, max)


def _bound(input: Any, number: Any) -> Any:
    """A bound in the dtype, which must be able to hold it."""
    if isinstance(number, complex):
        if number.imag:
            raise DTypeError("value cannot be converted to type double without overflow")
        number = number.real
    if number is None or input.dtype.kind == "f":
        return number
    return checked_number(number, CPU_TYPES[input.dtype])


def _clamp_numbers(xp: Any, input: Any, min: Any = None, max: Any = None) -> Any:
    if type(min) is complex or type(max) is complex or input.dtype.kind != "f":
        min, max = _bound(input, min), _bound(input, max)
    if (type(min) is float and min != min) or (type(max) is float and max != max):
        return xp.full_like(input, xp.nan)
    return _clamp(xp, input, min, max)


def _inside(o: Any, g: Any, input: Any, min: Any, max: Any) -> Any:
    """The gradient where an element is between the bounds or equal to one."""
    if min is None:
        return o.choose(input <= max, g, 0)
    if max is None:
        return o.choose(input >= min, g, 0)
    return o.choose((input >= min) & (input <= max), g, 0)


def _of_min(o: Any, g: Any, input: Any, min: Any, max: Any) -> Any:
    below = input < min
    return o.choose(below if max is None else below & (min < max), g, 0)


def _of_max(o: Any, g: Any, input: Any, min: Any, max: Any) -> Any:
    above = input > max
    return o.choose(above if min is None else above | (max < min), g, 0)


def refuses(kernel: str) -> dict[str, Sequence[Any]]:
    """What bounds that are numbers refuse."""
    return {"!clamp is not supported for complex types": COMPLEX, kernel: BOOL}


def _clamped(operands: Sequence[Any], dtype: Any) -> Any:
    own = operands[0]._type.dtype
    return own if own.is_floating_point else operand_type(operands)


clamped = Rule("floating as input, others promoted", "always", _clamped)
MISFIT = "result type {result} can't be cast to the desired output type {output_c}"

broadcast(
    "clamp.Tensor", _clamp, kinds={"min": "tensor?", "max": "tensor?"}, inplace=True,
    aliases=("clip",), check=_check_clamp, refuses={"clamp_cpu": (*BOOL, *COMPLEX)},
    input=_inside, min=_of_min, max=_of_max,
    doc="Each element, but at least min and at most max.",
)  # fmt: skip
broadcast(
    "clamp", _clamp_numbers, kinds={"min": "scalar?", "max": "scalar?"}, inplace=True, index=1,
    aliases=("clip",), check=_check_clamp, refuses=refuses("clamp_scalar_cpu"), dtype=clamped,
    misfit=MISFIT, input=_inside,
    doc="Each element, but at least min and at most max.",
)  # fmt: skip

for _name, _kernel in (("min", "maximum"), ("max", "minimum")):
    _low = _name == "min"
    broadcast(
        f"clamp_{_name}.Tensor",
        (lambda xp, input, min: xp.maximum(input, min)) if _low else (
            lambda xp, input, max: xp.minimum(input, max)),
        kinds={_name: "tensor"}, inplace=True, index=1, refuses={f"{_kernel}_cpu": COMPLEX},
        **({"input": lambda o, g, input, min: o.choose(input >= min, g, 0),
            "min": lambda o, g, input, min: o.choose(input < min, g, 0)} if _low else
           {"input": lambda o, g, input, max: o.choose(input <= max, g, 0),
            "max": lambda o, g, input, max: o.choose(input > max, g, 0)}),
        doc="Each element, or the bound where it is beyond.",
    )  # fmt: skip
    broadcast(
        f"clamp_{_name}",
        (lambda xp, input, min: _clamp_numbers(xp, input, min)) if _low else (
            lambda xp, input, max: _clamp_numbers(xp, input, None, max)),
        kinds={_name: "scalar"}, inplace=True, refuses=refuses(f"clamp_{_name}_scalar_cpu"),
        misfit=MISFIT, check=_no_complex,
        **({"input": lambda o, g, input, min: o.choose(input >= min, g, 0)} if _low else
           {"input": lambda o, g, input, max: o.choose(input <= max, g, 0)}),
        doc="Each element, or the bound where it is beyond.",
    )  # fmt: skip

# ---------------------------------------------------------------- pairs


def pairs(name: str, forward: Callable[..., Any], refuse: Sequence[Any], **parts: Any) -> None:
    """A function of two tensors of floating numbers."""
    binary(
        name, forward, kinds={"other": "tensor"}, refuses={f"{name}_cpu": refuse} if refuse else {},
        **parts,
    )  # fmt: skip


def _atan2_slope(o: Any, input: Any, other: Any) -> Any:
    """1 / (y**2 + x**2), and 0 at the origin."""
    slope = o.reciprocal(input * input + other * other)
    return masked(o, slope, (input == 0) & (other == 0))


pairs(
    "atan2", lambda xp, input, other: xp.arctan2(input, other), COMPLEX, dtype=float_result,
    aliases=("arctan2",),
    input=lambda o, g, input, other: g * other * _atan2_slope(o, input, other),
    other=lambda o, g, input, other: g * -input * _atan2_slope(o, input, other),
    doc="The angle of the point (other, input).",
)  # fmt: skip
pairs(
    "hypot", lambda xp, input, other: xp.hypot(input, other), (*INTEGERS, *COMPLEX),
    input=lambda o, g, input, out: g * (input / out),
    other=lambda o, g, other, out: g * (other / out),
    doc="The distance of the point (input, other) from the origin.",
)  # fmt: skip
pairs(
    "nextafter", lambda xp, input, other: xp.nextafter(input, other), (*INTEGERS, *COMPLEX), narrow=True,
    input=lambda o, g, input, other: masked(o, g, input == other),
    other=lambda o, g: o.zero_gradient(g),
    doc="The next floating point number in other's direction.",
)  # fmt: skip


def _logaddexp_slope(o: Any, g: Any, of: Any, other: Any) -> Any:
    return g / (1 + o.exp(other - of))


def _logaddexp(xp: Any, input: Any, other: Any) -> Any:
    if input.dtype.kind != "c":
        return xp.logaddexp(input, other)
    larger = xp.where(input.real >= other.real, input, other)
    return larger + xp.log(xp.exp(input - larger) + xp.exp(other - larger))


pairs(
    "logaddexp", _logaddexp, INTEGERS, inplace=False,
    holomorphic=True,
    input=lambda o, g, input, other: _logaddexp_slope(o, g, input, other),
    other=lambda o, g, input, other: _logaddexp_slope(o, g, other, input),
    doc="log(exp(input) + exp(other)).",
)  # fmt: skip
pairs(
    "logaddexp2", lambda xp, input, other: xp.logaddexp2(input, other), (*INTEGERS, *COMPLEX),
    inplace=False,
    input=lambda o, g, input, other: g / (1 + o.pow_Scalar(2, other - input)),
    other=lambda o, g, input, other: g / (1 + o.pow_Scalar(2, input - other)),
    doc="log2(2 ** input + 2 ** other).",
)  # fmt: skip
def _powers(xp: Any, input: Any, other: Any) -> Any:
    """Exponents in the dtype of what is scaled by them."""
    return other if other.dtype.kind in "fc" else xp.asarray(other).astype(input.dtype)


def _check_exponent(input: Any, other: Any) -> None:
    if other._type.dtype.category == dtypes.BOOL and input._type.dtype.is_floating_point:
        raise UnsupportedDTypeError('"ldexp_cpu_exp" not implemented for \'Bool\'')


pairs(
    "ldexp", lambda xp, input, other: xp.multiply(input, xp.exp2(_powers(xp, input, other))), (),
    dtype=float_result, holomorphic=True,
    check=_check_exponent, misfit="ldexp can't be cast to the desired output type {output}",
    input=lambda o, g, other: g * o.exp2(other),
    other=lambda o, g, out: g * out * math.log(2),
    doc="input * 2 ** other.",
)  # fmt: skip


def _check_values(input: Any, values: Any) -> None:
    for operand in (input, values):
        if operand._type.dtype.is_complex:
            raise DTypeError("heaviside is not yet implemented for complex tensors.")
    if input._type.dtype is not values._type.dtype:
        raise DTypeError("heaviside is not yet implemented for tensors with different dtypes.")


broadcast(
    "heaviside",
    lambda xp, input, values: xp.where(input == 0, values, (input > 0).astype(input.dtype)),
    inplace=True, dtype=same, check=_check_values,
    differentiable="it is constant but for a jump at 0",
    doc="0 below 0, 1 above, and values at 0.",
)  # fmt: skip


def _sign_ratio(o: Any, g: Any, input: Any, out: Any) -> Any:
    return g * masked(o, out / input, input == 0)


binary(
    "copysign.Tensor", lambda xp, input, other: xp.copysign(input, other),
    kinds={"other": "tensor"}, dtype=float_result, refuses={"copysign_cpu": COMPLEX},
    input=_sign_ratio, other=lambda o, g: o.zero_gradient(g),
    doc="input with other's sign.",
)  # fmt: skip
binary(
    "copysign.Scalar", lambda xp, input, other: xp.copysign(input, input.dtype.type(other)),
    kinds={"other": "scalar"}, dtype=float_result, index=1, refuses={"copysign_cpu": COMPLEX},
    input=_sign_ratio, doc="input with a number's sign.",
)  # fmt: skip
