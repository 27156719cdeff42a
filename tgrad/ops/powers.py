"""Rows: powers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tgrad.core import dtype as dtypes
from tgrad.core.device import CPU_TYPES
from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError
from tgrad.ops.elementwise import BOOL, number_of, reflected
from tgrad.ops.formulas import pow_base, pow_exponent, pow_input, pow_number
from tgrad.ops.operands import checked_number
from tgrad.ops.table import binary, composite


def _power_of_tensor(xp: Any, input: Any, exponent: Any) -> Any:
    return xp.power(input, exponent)


NEGATIVE: Final = "Integers to negative integer powers are not allowed."


def _no_negative_power(operands: Sequence[Any]) -> None:
    base, exponent = operands
    if isinstance(exponent, int) and exponent < 0 and base._type.dtype.category < dtypes.FLOATING:
        raise DTypeError(NEGATIVE)


def _power_of_number(xp: Any, input: Any, exponent: Any) -> Any:
    if exponent == 2:
        return xp.multiply(input, input)
    if input.dtype.kind in "iu":
        if exponent < 0:
            raise DTypeError(NEGATIVE)
        exponent = checked_number(exponent, CPU_TYPES[input.dtype])
    if input.dtype.kind == "b":
        return xp.logical_or(input, not exponent)
    return xp.power(input, exponent)


def _power_of_base(xp: Any, self: Any, exponent: Any) -> Any:
    if self == 1 and not isinstance(self, complex):
        return xp.ones_like(exponent)
    return xp.power(number_of(xp, exponent, self), exponent)


binary(
    "pow.Tensor_Tensor", _power_of_tensor, kinds={"exponent": "tensor"}, symbol="**", index=1,
    refuses={"pow": BOOL}, holomorphic=True, input=pow_base, exponent=pow_exponent,
    doc="input to the power of exponent.",
)  # fmt: skip

binary(
    "pow.Scalar", _power_of_base, kinds={"self": "scalar", "exponent": "tensor"}, index=2,
    refuses={"pow": BOOL}, method=False, inplace=False, holomorphic=True, exponent=pow_number,
    doc="A number to the power of each element.",
)  # fmt: skip

binary(
    "pow.Tensor_Scalar", _power_of_number, kinds={"exponent": "scalar"}, symbol="**",
    guard=_no_negative_power, holomorphic=True, input=pow_input, doc="Each element to the power of a number.",
)  # fmt: skip

composite(
    "square", lambda o, input: o.pow_Tensor_Scalar(input, 2),
    doc="Each element times itself.",
)  # fmt: skip


composite(
    "square_", lambda o, input: o.pow_Tensor_Scalar_(input, 2), function=False, out=False,
    doc="Each element replaced by its square.",
)  # fmt: skip


def _any_complex(*values: Any) -> bool:
    return any(
        v.dtype.is_complex if isinstance(v, Tensor) else isinstance(v, complex) for v in values
    )


def _float_power_in_place(o: Any, input: Any, exponent: Any) -> Any:
    complex_ = _any_complex(input, exponent)
    wanted = dtypes.complex128 if complex_ else dtypes.float64
    if input.dtype is not wanted:
        raise DTypeError(
            f"the base given to float_power_ has dtype {input.dtype.title} but the operation's "
            f"result requires dtype {wanted.title}"
        )
    if isinstance(exponent, Tensor):
        return o.pow_Tensor_Tensor_(input, _to_double(o, exponent, complex_))
    return o.pow_Tensor_Scalar_(input, exponent)


composite(
    "float_power_", _float_power_in_place, kinds={"exponent": "operand"}, function=False, out=False,
    doc="Each element replaced by its power.",
)  # fmt: skip


def _to_double(o: Any, value: Any, complex_: bool) -> Any:
    if isinstance(value, Tensor):
        wanted = dtypes.complex128 if complex_ else dtypes.float64
        return value if value.dtype is wanted else o.to_copy(value, wanted)
    return complex(value) if isinstance(value, complex) else float(value)


def _float_power(o: Any, input: Any, exponent: Any) -> Any:
    complex_ = _any_complex(input, exponent)
    base, power = (_to_double(o, x, complex_) for x in (input, exponent))
    if not isinstance(base, Tensor):
        return o.pow_Scalar(base, power)
    if not isinstance(power, Tensor):
        return o.pow_Tensor_Scalar(base, power)
    return o.pow_Tensor_Tensor(base, power)


composite(
    "float_power.Tensor_Tensor", lambda o, input, exponent: _float_power(o, input, exponent),
    kinds={"exponent": "tensor"}, doc="input to the power of exponent, in double precision.",
)  # fmt: skip
composite(
    "float_power.Scalar", lambda o, self, exponent: _float_power(o, self, exponent),
    kinds={"self": "number", "exponent": "tensor"}, method=False,
    doc="A number to the power of each element, in double precision.",
)  # fmt: skip
composite(
    "float_power.Tensor_Scalar", lambda o, input, exponent: _float_power(o, input, exponent),
    kinds={"exponent": "number"}, doc="Each element to the power of a number, in double precision.",
)  # fmt: skip

reflected("rpow", "r**", lambda o, input, other: o.pow_Scalar(other, input), "other ** input.")
