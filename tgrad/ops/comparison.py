"""Rows: comparisons, logic and bits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from tgrad.core import dtype as dtypes
from tgrad.errors import ArgumentError, DeviceError, DTypeError, StateError
from tgrad.ops.elementwise import BOOL, COMPLEX, FLOATS, reflected
from tgrad.ops.table import binary, comparison, composite, unary

# ---------------------------------------------------------------- comparisons


def compare(name: str, symbol: str, ufunc: str, alias: str | None, doc: str) -> None:
    """A comparison; complex numbers can only be equal or not."""

    def forward(xp: Any, input: Any, other: Any) -> Any:
        return getattr(xp, ufunc)(input, other)

    for overload, kind in (("", "operand"), (".Tensor", "tensor"), (".Scalar", "scalar")):
        comparison(
            name + overload, forward, symbol=None if overload else symbol, doc=doc,
            kinds={"other": kind}, listed=bool(overload),
            aliases=() if alias is None else (alias,),
            refuses={} if name in ("eq", "ne") else {f"{name}_cpu": COMPLEX},
        )  # fmt: skip


compare("eq", "==", "equal", None, "Whether each element is equal to other's.")
compare("ne", "!=", "not_equal", "not_equal", "Whether each element differs from other's.")
compare("lt", "<", "less", "less", "Whether each element is smaller than other's.")
compare("le", "<=", "less_equal", "less_equal", "Whether each element is at most other's.")
compare("gt", ">", "greater", "greater", "Whether each element is larger than other's.")
compare("ge", ">=", "greater_equal", "greater_equal", "Whether each element is at least other's.")


def _equal(o: Any, input: Any, other: Any) -> bool:
    if input._type is not other._type:
        if input._type.device != other._type.device:
            raise DeviceError(
                "Cannot compare two tensors on different devices. "
                f"Got: {input._type.device} and {other._type.device}"
            )
        return input._array.shape == other._array.shape and bool((input == other)._array.all().item())
    return input._array.shape == other._array.shape and bool((input._array == other._array).all().item())


composite("equal", _equal, out=False,
          doc="Whether two tensors have the same shape and elements.")


def _check_tolerances(input: Any, other: Any, rtol: Any, atol: Any, equal_nan: Any) -> None:
    if input._type.dtype is not other._type.dtype:
        raise DTypeError(f"{input._type.dtype.title} did not match {other._type.dtype.title}")
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value < 0:
            raise StateError(
                f"{name} must be greater than or equal to zero, but got {value:g}"
            )


def _isclose(
    xp: Any, input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8,
    equal_nan: bool = False,
) -> Any:  # fmt: skip
    close = input == other
    if equal_nan and input.dtype.kind in "fc":
        close = close | (xp.isnan(input) & xp.isnan(other))
    if rtol == 0 and atol == 0:
        return close
    if input.dtype.kind in "biu":
        first, second = (xp.asarray(x).astype(xp.float64) for x in (input, other))
        return close | (xp.abs(first - second) <= atol + xp.abs(rtol * second))
    distance = xp.abs(input - other)
    return close | (xp.isfinite(distance) & (distance <= atol + xp.abs(rtol * other)))


CLOSE: Final = {"rtol": "float", "atol": "float", "equal_nan": "bool"}

binary(
    "isclose", _isclose, kinds={"other": "tensor", **CLOSE}, inplace=False, out=False,
    result=dtypes.bool_, check=_check_tolerances, differentiable=False,
    doc="Whether abs(input - other) <= atol + rtol * abs(other) for each element.",
)  # fmt: skip
composite(
    "allclose", lambda o, input, other, rtol=1e-5, atol=1e-8, equal_nan=False: bool(
        o.isclose(input, other, rtol, atol, equal_nan)._array.all().item()
    ),
    kinds=CLOSE, out=False, doc="Whether all elements are close (`isclose`).",
)  # fmt: skip


def question(name: str, forward: Callable[..., Any], doc: str, **parts: Any) -> None:
    """A yes or no for each element."""
    parts.setdefault("out", False)
    unary(name, forward, inplace=False, result=dtypes.bool_, differentiable=False, doc=doc, **parts)


question("isnan", lambda xp, input: xp.isnan(input), "Whether each element is not a number.")
question("isinf", lambda xp, input: xp.isinf(input), "Whether each element is infinite.")
question("isfinite", lambda xp, input: xp.isfinite(input), "Whether each element is finite.")
question(
    "isreal", lambda xp, input: xp.imag(input) == 0,
    "Whether each element has no imaginary part.",
)  # fmt: skip


def infinity(name: str, value: float) -> None:
    """Whether elements are one of the infinities."""

    def forward(xp: Any, input: Any) -> Any:
        return input == value if input.dtype.kind == "f" else xp.zeros_like(input, dtype=xp.bool_)

    question(name, forward, f"Whether each element is {value}.", out=True,
             refuses={f"{name} does not support complex inputs.": COMPLEX})  # fmt: skip


infinity("isposinf", math.inf)
infinity("isneginf", -math.inf)

# ---------------------------------------------------------------- logic and bits

for _name in ("and", "or", "xor"):
    comparison(
        f"logical_{_name}",
        lambda xp, input, other, _name=f"logical_{_name}": getattr(xp, _name)(input, other),
        kinds={"other": "tensor"}, doc=f"Logical {_name} of elements, which are true if not 0.",
    )  # fmt: skip

unary(
    "logical_not", lambda xp, input: xp.logical_not(input), result=dtypes.bool_,
    differentiable=False, doc="Whether each element is 0.",
)  # fmt: skip


def bitwise(
    name: str, symbol: str, forward: Callable[..., Any], kernel: str, bools: bool, doc: str
) -> None:
    """An operator on the bits of whole numbers."""
    refuses = {f"{kernel}_cpu": (*FLOATS, *COMPLEX) if bools else (*BOOL, *FLOATS, *COMPLEX)}
    binary(name, forward, symbol=symbol, refuses=refuses, differentiable=False, doc=doc)
    binary(
        f"{name}.Scalar_Tensor", forward, kinds={"input": "operand", "other": "tensor"},
        refuses=refuses, differentiable=False, doc=doc, method=False, inplace=False, listed=False,
    )  # fmt: skip


def _shift(name: str) -> Callable[..., Any]:
    def forward(xp: Any, input: Any, other: Any) -> Any:
        """Shifts by the number of bits or more, and by negative numbers, leave nothing (left) or
        the sign (right), as in PyTorch."""
        dtype = input.dtype
        bits = dtype.itemsize * 8
        far = (other < 0) | (other >= bits)
        if name == "left_shift":
            moved = xp.left_shift(input, xp.where(far, 0, other))
            return xp.where(far, dtype.type(0), moved).astype(dtype)
        last = dtype.type(bits - 1)
        return xp.right_shift(input, xp.where(far, last, other).astype(dtype))

    return forward


bitwise("bitwise_and", "&", lambda xp, input, other: xp.bitwise_and(input, other), "bitwise_and",
        True, "Bits that both have.")
bitwise("bitwise_or", "|", lambda xp, input, other: xp.bitwise_or(input, other), "bitwise_or",
        True, "Bits that either has.")
bitwise("bitwise_xor", "^", lambda xp, input, other: xp.bitwise_xor(input, other), "bitwise_xor",
        True, "Bits that only one has.")
bitwise("bitwise_left_shift", "<<", _shift("left_shift"), "lshift", False, "input * 2 ** other.")
bitwise("bitwise_right_shift", ">>", _shift("right_shift"), "rshift", False,
        "input / 2 ** other, rounded down.")

reflected(
    "rlshift", "r<<",
    lambda o, input, other: o.bitwise_left_shift_Scalar_Tensor(other, input), "other << input.",
)  # fmt: skip
reflected(
    "rrshift", "r>>",
    lambda o, input, other: o.bitwise_right_shift_Scalar_Tensor(other, input), "other >> input.",
)  # fmt: skip

unary(
    "bitwise_not", lambda xp, input: xp.invert(input),
    refuses={"bitwise_not_cpu": (*FLOATS, *COMPLEX)}, differentiable=False,
    doc="The other bits; of booleans the opposite.",
)  # fmt: skip


def _invert(o: Any, input: Any) -> Any:
    if input._type.inexact:
        raise ArgumentError(
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors"
        )
    return o.bitwise_not(input)


composite("invert", _invert, symbol="~", function=False, method=False, doc="~input")


def integers(name: str, forward: Callable[..., Any], doc: str) -> None:
    """A binary operator on whole numbers."""
    binary(name, forward, kinds={"other": "tensor"}, differentiable=False, doc=doc,
           refuses={f"{name}_cpu": (*BOOL, *FLOATS, *COMPLEX)})


integers("gcd", lambda xp, input, other: xp.gcd(input, other), "The largest common divisor.")
integers("lcm", lambda xp, input, other: xp.lcm(input, other), "The smallest common multiple.")
