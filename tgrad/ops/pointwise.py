"""Rows: functions of one element."""

from __future__ import annotations

import math
from types import FunctionType
from typing import Any, Final, cast

from tgrad.backends import narrow
from tgrad.backends.choice import known
from tgrad.core import dtype as dtypes
from tgrad.core.engine import Spaces
from tgrad.errors import DTypeError
from tgrad.ops.elementwise import BOOL, COMPLEX
from tgrad.ops.formulas import masked, sgn_gradient
from tgrad.ops.table import broadcast, composite, float_result, operator, unary


def smooth(name: str, **parts: Any) -> None:
    """A function that the array library has under the same name, differentiable for complex
    numbers too, with floating results."""
    # No getattr in each call; on no line, since what _CALL's source says isn't its formula.
    code = _CALL.__code__.replace(co_names=(name,), co_firstlineno=0)
    forward = FunctionType(code, _CALL.__globals__, name)
    unary(name, forward, dtype=float_result, holomorphic=True, **parts)


_CALL: Final = cast(FunctionType, lambda xp, input: xp.name(input))


# ---------------------------------------------------------------- for formulas

operator(
    "zero_gradient", lambda xp, input: xp.zeros_like(input),
    function=False, method=False, differentiable=False, doc="Zeros in the place of a gradient.",
)  # fmt: skip

broadcast(
    "choose", lambda xp, condition, input, other: xp.where(condition, input, other),
    kinds={"condition": "index", "input": "operand", "other": "operand"}, label="WhereBackward",
    input=lambda o, g, condition: o.choose(condition, g, 0),
    other=lambda o, g, condition: o.choose(condition, 0, g),
    function=False, method=False, doc="input where the condition holds, elsewhere other.",
)  # fmt: skip

# ---------------------------------------------------------------- sign and size

unary(
    "neg", lambda xp, input: xp.negative(input), symbol="neg", aliases=("negative",),
    refuses={
        "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
        "invert a mask, use the `~` or `logical_not()` operator instead.": BOOL,
    },
    input=lambda o, g: -g,
    doc="The negative of each element.",
)  # fmt: skip


def _positive(o: Any, input: Any) -> Any:
    if input.dtype is dtypes.bool_:
        raise DTypeError("The `+` operator, on a bool tensor is not supported.")
    return input


composite("positive", _positive, symbol="pos", doc="The tensor itself.")

unary(
    "abs", lambda xp, input: xp.abs(input), symbol="abs", aliases=("absolute",),
    refuses={"abs_cpu": BOOL}, result=dtypes.DType.to_real,
    input=lambda o, g, input: g * o.sgn(input),
    doc="The size of each element; a complex number's distance from 0.",
)  # fmt: skip


def _sign(xp: Any, input: Any) -> Any:
    """-1, 0 or 1; 0 for nan, and of booleans themselves."""
    dtype = input.dtype
    if dtype.kind == "b":
        return xp.asarray(input).copy()
    zero = xp.ZERO[dtype]
    return xp.subtract(xp.greater(input, zero).astype(dtype), xp.less(input, zero).astype(dtype))


def _sgn(xp: Any, input: Any) -> Any:
    """`_sign`; of a complex number z / abs(z), and 0 of 0."""
    if input.dtype.kind != "c":
        return _sign(xp, input)
    size = xp.abs(input)
    return xp.where(size == 0, input.dtype.type(0), input / xp.where(size == 0, 1, size))


unary(
    "sign", _sign,
    refuses={
        "!Unlike NumPy, torch.sign is not intended to support complex numbers. Please use "
        "torch.sgn instead.": COMPLEX,
    },
    input=lambda o, g: o.zero_gradient(g),
    doc="-1, 0 or 1 by the sign of each element.",
)  # fmt: skip

unary("sgn", _sgn, input=sgn_gradient, doc="The sign; of a complex number z / abs(z).")

unary(
    "signbit", lambda xp, input: xp.signbit(input), inplace=False, result=dtypes.bool_,
    refuses={"!signbit is not implemented for complex tensors.": COMPLEX}, differentiable=False,
    doc="Whether the sign bit of each element is set.",
)  # fmt: skip

# ---------------------------------------------------------------- roots, exponentials, logarithms

smooth("sqrt", input=lambda o, g, out: g / (2 * out), doc="Square root.")
smooth("rsqrt", input=lambda o, g, out: -0.5 * g * o.pow_Tensor_Scalar(out, 3),
       doc="1 / sqrt(x).")  # fmt: skip
unary(
    "reciprocal", lambda xp, input: xp.divide(input.dtype.type(1), input), dtype=float_result,
    holomorphic=True, input=lambda o, g, out: -g * (out * out), doc="1 / x.",
)  # fmt: skip
smooth("exp", input=lambda o, g, out: g * out, aliases=(),
       doc="e raised to the power of each element.")  # fmt: skip
smooth("exp2", input=lambda o, g, out: g * out * math.log(2), aliases=("special.exp2",),
       doc="2 raised to the power of each element.")  # fmt: skip
smooth("expm1", input=lambda o, g, out: g * (out + 1), aliases=("special.expm1",),
       doc="exp(x) - 1, exact for small x.")  # fmt: skip
smooth("log", input=lambda o, g, input: g / input, doc="Natural logarithm.")
smooth("log2", input=lambda o, g, input: g / (input * math.log(2)), doc="Logarithm to base 2.")
smooth("log10", input=lambda o, g, input: g / (input * math.log(10)), doc="Logarithm to base 10.")
smooth("log1p", input=lambda o, g, input: g / (input + 1), label="Log1PBackward",
       aliases=("special.log1p",), doc="log(1 + x), exact for small x.")  # fmt: skip

# ---------------------------------------------------------------- circles and hyperbolas

def _acosh_slope(o: Any, input: Any) -> Any:
    if o.is_complex_value(input):
        return o.rsqrt(input + 1) * o.rsqrt(input - 1)
    return o.rsqrt(input * input - 1)


smooth("sin", input=lambda o, g, input: g * o.cos(input), doc="Sine.")
smooth("cos", input=lambda o, g, input: g * -o.sin(input), doc="Cosine.")
smooth("tan", input=lambda o, g, out: g * (1 + o.pow_Tensor_Scalar(out, 2)), doc="Tangent.")
smooth("asin", aliases=("arcsin",), input=lambda o, g, input: g * o.rsqrt(-input * input + 1),
       doc="Inverse sine.")  # fmt: skip
smooth("acos", aliases=("arccos",), input=lambda o, g, input: g * -o.rsqrt(-input * input + 1),
       doc="Inverse cosine.")  # fmt: skip
smooth("atan", aliases=("arctan",), input=lambda o, g, input: g / (input * input + 1),
       doc="Inverse tangent.")  # fmt: skip
smooth("sinh", input=lambda o, g, input: g * o.cosh(input), doc="Hyperbolic sine.")
smooth("cosh", input=lambda o, g, input: g * o.sinh(input), doc="Hyperbolic cosine.")
smooth("asinh", aliases=("arcsinh",),
       input=lambda o, g, input: g * o.rsqrt(o.pow_Tensor_Scalar(input, 2) + 1),
       doc="Inverse hyperbolic sine.")  # fmt: skip
smooth("acosh", aliases=("arccosh",),
       input=lambda o, g, input: g * _acosh_slope(o, input),
       doc="Inverse hyperbolic cosine.")  # fmt: skip
smooth("atanh", aliases=("arctanh",),
       input=lambda o, g, input: g * 1 / (1 - o.pow_Tensor_Scalar(input, 2)),
       doc="Inverse hyperbolic tangent.")  # fmt: skip
smooth("tanh", input=lambda o, g, out: o.tanh_backward(g, out), doc="Hyperbolic tangent.")
smooth("sigmoid", input=lambda o, g, out: g * (1 - out) * out, aliases=("special.expit",),
       doc="1 / (1 + exp(-x)).")  # fmt: skip


def _tanh_backward(xp: Any, grad_output: Any, output: Any) -> Any:
    """grad_output * (1 - output**2); the square and the difference are one operation, as in
    PyTorch's kernel."""
    if output.dtype.kind != "f":
        return grad_output * (1 - output * output)
    return grad_output * xp.one_minus_square(output)


broadcast(
    "tanh_backward", _tanh_backward, kinds={"grad_output": "tensor", "output": "tensor"},
    function=False, method=False, holomorphic=True, label="TanhBackwardBackward",
    grad_output=lambda o, g, output: o.tanh_backward(g, output),
    output=lambda o, g, grad_output, output: grad_output * (-2 * output * g),
    doc="The derivative of tanh by its result.",
)  # fmt: skip


def _sinc(xp: Any, input: Any) -> Any:
    angle = input * input.dtype.type(math.pi)
    return xp.where(input == 0, input.dtype.type(1), xp.divide(xp.sin(angle), angle))


def _sinc_gradient(o: Any, g: Any, input: Any) -> Any:
    angle = input * math.pi
    slope = g * ((angle * o.cos(angle) - o.sin(angle)) / (angle * input))
    return masked(o, slope, input == 0)


unary("sinc", _sinc, dtype=float_result, holomorphic=True, aliases=("special.sinc",),
      input=_sinc_gradient, doc="sin(pi x) / (pi x), and 1 at 0.")  # fmt: skip

# ---------------------------------------------------------------- angles


def _angle(xp: Any, input: Any) -> Any:
    if input.dtype.kind == "c":
        return xp.arctan2(input.imag, input.real)
    turned = xp.multiply(input < 0, input.dtype.type(math.pi))
    missing = xp.isnan(input)
    return turned if known(~missing.any()) else xp.where(missing, input, turned)


def _angle_gradient(o: Any, g: Any, input: Any) -> Any:
    if not o.is_complex_value(input):
        return o.zero_gradient(g)
    size = o.abs(input)
    return masked(o, g * input / o.pow_Tensor_Scalar(size, 2) * 1j, input == 0)


unary("angle", _angle, dtype=float_result, result=dtypes.DType.to_real, inplace=False,
      input=_angle_gradient, doc="The angle of complex numbers; 0 or pi of real ones.")  # fmt: skip



def conversion(name: str, label: str, factor: float, doc: str) -> None:
    """Angles in another unit."""

    def forward(xp: Any, input: Any) -> Any:
        return input * input.dtype.type(factor)

    unary(
        name, forward, dtype=float_result, label=label, input=lambda o, g: g * factor, doc=doc,
        refuses={f"{name} is not supported for complex tensors.": COMPLEX},
    )  # fmt: skip


conversion("rad2deg", "Rad2DegBackward", 180 / math.pi, "Radians in degrees.")
conversion("deg2rad", "Deg2RadBackward", math.pi / 180, "Degrees in radians.")

# ---------------------------------------------------------------- complex numbers

unary(
    "conj_elements", lambda xp, input: xp.conjugate(input), label="ConjPhysicalBackward",
    input=lambda o, g: o.conj(g),
    function=False, method=False, doc="The complex conjugate of each element.",
)  # fmt: skip

composite(
    "conj_physical", lambda o, input: o.conj_elements(input) if input.dtype.is_complex else input,
    doc="The complex conjugate; of a real tensor the tensor itself.",
)  # fmt: skip
composite(
    "conj_physical_", lambda o, input: o.conj_elements_(input) if input.dtype.is_complex else input,
    out=False, function=False, doc="Each element replaced by its complex conjugate.",
)  # fmt: skip

operator(
    "conj_copy", lambda xp, input: xp.conjugate(input), label="ConjBackward",
    input=lambda o, g: o.conj(g),
    function=False, method=False, doc="The complex conjugate of each element.",
)  # fmt: skip

composite(
    "conj", lambda o, input: o.conj_copy(input) if input.dtype.is_complex else input,
    out=False, doc="The complex conjugate; of a real tensor the tensor itself.",
)  # fmt: skip

for _name in ("resolve_conj", "resolve_neg"):
    composite(_name, lambda o, input: input, out=False, doc="The tensor itself.")

for _name in ("is_conj", "is_neg"):
    composite(_name, lambda o, input: False, out=False,
              doc="False: conjugates are computed at once.")


def _real(o: Any, input: Any) -> Any:
    return o.select(o.view_as_real(input), -1, 0) if input.dtype.is_complex else input


def _imag(o: Any, input: Any) -> Any:
    if not input.dtype.is_complex:
        raise DTypeError("imag is not implemented for tensors with non-complex dtypes.")
    return o.select(o.view_as_real(input), -1, 1)


composite("real", _real, out=False, method=False,
          doc="The real parts, a view; of a real tensor the tensor itself.")
composite("imag", _imag, out=False, method=False, doc="The imaginary parts, a view.")

ATTRIBUTES = {
    "real": property(lambda self: _real(Spaces.recorded, self), doc="The real parts, a view."),
    "imag": property(lambda self: _imag(Spaces.recorded, self), doc="The imaginary parts, a view."),
}

# ---------------------------------------------------------------- repairs and cut-offs


def _nan_to_num(
    xp: Any, input: Any, nan: float | None = None, posinf: float | None = None,
    neginf: float | None = None,
) -> Any:  # fmt: skip
    if input.dtype.kind == "c":
        parts = (_nan_to_num(xp, part, nan, posinf, neginf) for part in (input.real, input.imag))
        result = xp.empty(input.shape, input.dtype)
        result.real, result.imag = parts
        return result
    if not narrow.is_floating(input.dtype):
        return xp.asarray(input).copy()
    if known(xp.isfinite(input).all()):
        return xp.array(input, order="K")
    limits = narrow.finfo(input.dtype)
    repaired = xp.where(xp.isnan(input), input.dtype.type(0 if nan is None else nan), input)
    high = input.dtype.type(limits.max if posinf is None else posinf)
    low = input.dtype.type(limits.min if neginf is None else neginf)
    repaired = xp.where(input == xp.inf, high, repaired)
    return xp.where(input == -xp.inf, low, repaired)


unary(
    "nan_to_num", _nan_to_num, kinds={"nan": "float?", "posinf": "float?", "neginf": "float?"},
    input=lambda o, g, input: g * o.isfinite(input), narrow=True,
    doc="Numbers in place of nan (0) and infinities (the largest and smallest of the dtype).",
)  # fmt: skip


unary(
    "relu", lambda xp, input: xp.at_least(input, 0), out=False,
    refuses={
        "Boolean inputs not supported for relu": BOOL,
        "!clamp is not supported for complex types": COMPLEX,
    },
    input=lambda o, g, out: o.relu_backward(g, out),
    doc="Each element, or 0 where it is negative.",
)  # fmt: skip

broadcast(
    "relu_backward", lambda xp, grad_output, output: xp.relu_back(grad_output, output),
    kinds={"grad_output": "tensor", "output": "tensor"}, function=False, method=False,
    label="ThresholdBackwardBackward",
    grad_output=lambda o, g, output: o.relu_backward(g, output),
    output=lambda o, g: o.zero_gradient(g),
    doc="A gradient where the result isn't 0.",
)  # fmt: skip
