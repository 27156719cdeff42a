"""Rows: what activation functions compute.

The functions themselves, with their defaults and `inplace=`, are in `tgrad.ops.nn_activation_functions`.
"""

from __future__ import annotations

import math
from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.errors import ShapeError, StateError
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.nn_base import needs_floats
from tgrad.ops.table import broadcast, operator

HIDDEN: dict[str, Any] = {"function": False, "method": False, "inplace": True, "elementwise": True}
"""Settings of rows that only functions of torch.nn.functional call."""

SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
"""G. Klambauer et al., Self-Normalizing Neural Networks, 2017."""



def _leaky_relu_kernel(xp: Any, input: Any, negative_slope: float) -> Any:
    return xp.where(input > 0, input, xp.multiply(input, input.dtype.type(negative_slope)))


def _leaky_relu_of_result(o: Any, g: Any, out: Any, negative_slope: float) -> Any:
    """The slope by the sign of the result, which is that of the input."""
    if negative_slope < 0:
        raise no_negative_slope("leakyReLu", LEAKY_ISSUE)
    return o._piece(out > 0, g, g * negative_slope, out)


LEAKY_ISSUE = (
    " File an issue at https://github.com/pytorch/pytorch if you do require supporting in-place leakRelu "
    "backward calculation with negative slope"
)


def no_negative_slope(name: str, more: str = "") -> StateError:
    """PyTorch's error for a result that doesn't tell the sign of the input."""
    return StateError(
        f"In-place {name} backward calculation is triggered with a negative slope which is not "
        "supported. This is caused by calling in-place forward function with a negative slope, "
        f"please call out-of-place version instead.{more}"
    )


operator(
    "leaky_relu_over", _leaky_relu_kernel,
    input=lambda o, g, out, negative_slope: _leaky_relu_of_result(o, g, out, negative_slope),
    check=needs_floats("leaky_relu_cpu"), **HIDDEN, label="LeakyReluBackward", index=1,
    doc="leaky_relu, written over its input.",
)  # fmt: skip
operator(
    "leaky_relu", _leaky_relu_kernel,
    input=lambda o, g, input, negative_slope: o._piece(input > 0, g, g * negative_slope, input),
    check=needs_floats("leaky_relu_cpu"), **HIDDEN, doc="x, and slope * x where x is negative.",
)  # fmt: skip


def clamp_kernel(xp: Any, input: Any, low: Any, high: Any) -> Any:
    """The input between two numbers; NaN stays."""
    kind = input.dtype.type
    return xp.between(input, kind(low), kind(high))


operator(
    "hardtanh",
    lambda xp, input, min_val, max_val: clamp_kernel(xp, input, min_val, max_val),
    input=lambda o, g, input, min_val, max_val: o._piece(
        (input <= min_val) | (input >= max_val), 0.0, g, input
    ),
    kinds={"min_val": "number", "max_val": "number"}, **HIDDEN,
    doc="The input between two bounds; the gradient is 0 at the bounds and beyond.",
)  # fmt: skip


def _hardsigmoid_kernel(xp: Any, input: Any) -> Any:
    return clamp_kernel(xp, input + 3, 0, 6) / 6


def _hardswish_kernel(xp: Any, input: Any) -> Any:
    return input * clamp_kernel(xp, input + 3, 0, 6) / 6


operator(
    "hardsigmoid_backward",
    lambda xp, grad, input: xp.where(
        (input > -3) & (input < 3), grad * grad.dtype.type(xp.float32(1 / 6)), grad.dtype.type(0)
    ),
    kinds={"grad": "tensor"}, differentiable="PyTorch has no second derivative of hardsigmoid",
    function=False, method=False, elementwise=True, doc="The derivative of hardsigmoid.",
)  # fmt: skip
operator(
    "hardsigmoid",
    lambda xp, input: _hardsigmoid_kernel(xp, input),
    input=lambda o, g, input: o.hardsigmoid_backward(g, input),
    check=needs_floats("hardsigmoid_cpu"), **HIDDEN, doc="(x + 3) / 6 between 0 and 1.",
)  # fmt: skip
operator(
    "hardswish",
    lambda xp, input: _hardswish_kernel(xp, input),
    input=lambda o, g, input: o._choose(
        input <= -3, 0.0, o._choose(input < 3, g * (input / 3 + 0.5), g)
    ),
    check=needs_floats("hardswish_cpu"), **HIDDEN, fused=True, doc="x * hardsigmoid(x).",
)  # fmt: skip


def _threshold_kernel(xp: Any, input: Any, threshold: float, value: float) -> Any:
    return xp.where(input <= input.dtype.type(threshold), input.dtype.type(value), input)


operator(
    "_threshold", _threshold_kernel,
    input=lambda o, g, input, threshold: o._piece(input <= threshold, 0.0, g, input),
    kinds={"threshold": "number"}, **HIDDEN,
    doc="The input where it is larger than a threshold, another value elsewhere.",
)  # fmt: skip
operator(
    "_threshold_over", _threshold_kernel,
    input=lambda o, g, input, threshold: o._piece(input <= threshold, 0.0, g, input),
    kinds={"threshold": "number"}, **HIDDEN, label="ThresholdBackward", index=1,
    doc="threshold, written over its input.",
)  # fmt: skip
operator(
    "_hardshrink",
    lambda xp, input, lambd: xp.where((input >= -lambd) & (input <= lambd), input.dtype.type(0), input),
    input=lambda o, g, input, lambd: o._piece((input >= -lambd) & (input <= lambd), 0.0, g, input),
    kinds={"lambd": "number"}, label="HardshrinkBackward", check=needs_floats("hardshrink_cpu"),
    **HIDDEN, doc="The input, and 0 between -lambd and lambd.",
)  # fmt: skip


def _check_softshrink(input: Tensor, lambd: float) -> None:
    needs_floats("softshrink_cpu")(input)
    limit = float(input._type.xp.finfo(input._type.dtype.numpy).max)
    if not 0 <= lambd <= limit:
        raise ShapeError(
            f"lambda must be in range [0, {limit:g}] for input dtype {input._type.dtype.title}, but "
            f"found {lambd:g}"
        )


operator(
    "softshrink",
    lambda xp, input, lambd: xp.where(
        input > lambd, input - lambd, xp.where(input < -lambd, input + lambd, input * 0)
    ).astype(input.dtype),
    input=lambda o, g, input, lambd: o._piece((input >= -lambd) & (input <= lambd), 0.0, g, input),
    kinds={"lambd": "number"}, check=_check_softshrink, **HIDDEN,
    doc="The input moved towards 0 by lambd, 0 between -lambd and lambd.",
)  # fmt: skip
broadcast(
    "_prelu_kernel",
    lambda xp, input, weight: xp.where(input > 0, input, xp.multiply(weight, input)),
    input=lambda o, g, input, weight: o._choose(
        input > 0, g, o._choose(input < 0, weight, o._constant(weight)) * g
    ),
    weight=lambda o, g, input: o._choose(input >= 0, 0.0, input * g),
    function=False, method=False, out=False, label="PreluKernelBackward",
    doc="The input, and the input times a weight where it isn't positive.",
)  # fmt: skip

# ---------------------------------------------------------------- with exponentials


def _elu_kernel(xp: Any, input: Any, alpha: float, scale: float, input_scale: float) -> Any:
    kind = input.dtype.type
    low = xp.expm1(input * kind(input_scale)) * kind(alpha * scale)
    return xp.where(input < 0, low, input * kind(scale))


def _elu_slope(
    xp: Any, grad: Any, input: Any, alpha: float, scale: float, input_scale: float, is_result: bool
) -> Any:
    kind = input.dtype.type
    if is_result:
        slope = grad * kind(input_scale) * (input + kind(alpha * scale))
        return xp.where(input <= 0, slope, grad * kind(scale))
    power = xp.where(input < 0, xp.exp(input * kind(input_scale)), kind(1))
    slope = grad * kind(input_scale * alpha * scale) * power
    return xp.where(input <= 0, slope, grad * kind(scale))


def elu_second(
    o: Any, g: Any, grad: Any, input: Any, alpha: float, scale: float, input_scale: float,
    is_result: bool,
) -> Any:  # fmt: skip
    """The derivative of the slope: 0 where x is positive."""
    if is_result:
        return o._choose(input <= 0, g * grad * input_scale, 0.0)
    bend = input_scale * input_scale * alpha * scale
    return o._choose(input < 0, g * grad * bend * o.exp(input * input_scale), 0.0)


operator(
    "elu_backward", _elu_slope,
    grad=lambda o, g, input, alpha, scale, input_scale, is_result: o.elu_backward(
        g, input, alpha, scale, input_scale, is_result
    ),
    input=lambda o, g, grad, input, alpha, scale, input_scale, is_result: elu_second(
        o, g, grad, input, alpha, scale, input_scale, is_result
    ),
    kinds={"grad": "tensor", "is_result": "bool"}, function=False, method=False, elementwise=True,
    doc="scale where x is positive, else alpha * scale * input_scale * exp(input_scale * x), "
    "from the input of elu or from its result.",
)  # fmt: skip


def elu_of_result(
    o: Any, g: Any, out: Any, alpha: float, scale: float, input_scale: float
) -> Any:
    """The same in terms of the result."""
    if alpha < 0:
        raise no_negative_slope("elu")
    return o.elu_backward(g, out, alpha, scale, input_scale, True)


operator(
    "elu",
    lambda xp, input, alpha, scale, input_scale: _elu_kernel(xp, input, alpha, scale, input_scale
    ),
    input=lambda o, g, input, alpha, scale, input_scale: o.elu_backward(
        g, input, alpha, scale, input_scale, False
    ),
    check=needs_floats("elu_cpu"), fused=True, **HIDDEN,
    doc="x, and alpha * (exp(x) - 1) where x is negative.",
)  # fmt: skip
operator(
    "elu_over", _elu_kernel,
    input=lambda o, g, out, alpha, scale, input_scale: elu_of_result(
        o, g, out, alpha, scale, input_scale
    ),
    check=needs_floats("elu_cpu"), **HIDDEN, label="EluBackward", index=1,
    fused=True, doc="elu, written over its input.",
)  # fmt: skip
operator(
    "_celu",
    lambda xp, input, alpha: _elu_kernel(xp, input, alpha, 1, 1 / alpha),
    input=lambda o, g, input, alpha: o.elu_backward(g, input, alpha, 1, 1 / alpha, False),
    check=needs_floats("elu_cpu"), label="CeluBackward", **HIDDEN,
    fused=True, doc="x, and alpha * (exp(x / alpha) - 1) where x is negative.",
)  # fmt: skip
operator(
    "_celu_over", lambda xp, input, alpha: _elu_kernel(xp, input, alpha, 1, 1 / alpha),
    input=lambda o, g, out, alpha: elu_of_result(o, g, out, alpha, 1, 1 / alpha),
    check=needs_floats("elu_cpu"), label="CeluBackward", index=1, **HIDDEN,
    fused=True, doc="celu, written over its input.",
)  # fmt: skip

GELU_SLOPE = math.sqrt(2 / math.pi)
GELU_CUBE = 0.044715
"""D. Hendrycks, K. Gimpel, Gaussian Error Linear Units, 2016."""


def _gelu_kernel(xp: Any, input: Any, approximate: str) -> Any:
    if approximate == "none":
        return 0.5 * input * (1 + xp.erf(input * math.sqrt(0.5)))
    inner = GELU_SLOPE * (input + GELU_CUBE * (input * input * input))
    return 0.5 * input * (1 + xp.tanh(inner))


def gelu_back(o: Any, g: Any, input: Any, approximate: str) -> Any:
    """The derivative of x * Phi(x), or of its approximation by tanh."""
    if approximate == "none":
        below = 0.5 * (1 + o.erf(input * math.sqrt(0.5)))
        density = o.exp(input * input * -0.5) * (1 / math.sqrt(2 * math.pi))
        return g * (below + input * density)
    square = input * input
    tanh = o.tanh(GELU_SLOPE * (input + GELU_CUBE * (square * input)))
    slope = GELU_SLOPE * (1 + 3 * GELU_CUBE * square)
    return g * (0.5 * (1 + tanh) + 0.5 * input * (1 - tanh * tanh) * slope)


def _check_gelu(input: Tensor, approximate: str) -> None:
    if approximate not in ("none", "tanh"):
        raise ShapeError("approximate argument must be either none or tanh.")
    needs_floats("GeluKernelImpl")(input)


operator(
    "gelu", lambda xp, input, approximate: _gelu_kernel(xp, input, approximate),
    input=lambda o, g, input, approximate: gelu_back(o, g, input, approximate),
    kinds={"approximate": "str"}, check=_check_gelu, **HIDDEN,
    fused=True, doc="x times the normal distribution function of x.",
)  # fmt: skip


def silu_back(o: Any, g: Any, input: Any) -> Any:
    """s * (1 + x * (1 - s)), s the logistic function of x."""
    s = o.sigmoid(input)
    return g * s * (1 + input * (1 - s))




def _silu_kernel(xp: Any, input: Any) -> Any:
    return input / (1 + xp.exp(-input))


def _mish_kernel(xp: Any, input: Any) -> Any:
    return input * xp.tanh(xp.log1p(xp.exp(input)))


operator(
    "silu", lambda xp, input: _silu_kernel(xp, input),
    input=lambda o, g, input: silu_back(o, g, input),
    check=needs_floats("silu_cpu"), **HIDDEN, fused=True, doc="x times the logistic function of x.",
)  # fmt: skip


def mish_back(o: Any, g: Any, input: Any) -> Any:
    """t + x * s * (1 - t^2), s the logistic function, t = tanh(softplus(x))."""
    s = o.sigmoid(input)
    t = o.tanh(o.softplus(input, 1, 20))
    return g * (t + input * s * (1 - t * t))


operator(
    "mish", lambda xp, input: _mish_kernel(xp, input),
    input=lambda o, g, input: mish_back(o, g, input),
    check=needs_floats("mish_cpu"), **HIDDEN, fused=True, doc="x * tanh(softplus(x)).",
)  # fmt: skip


def softplus_back(o: Any, g: Any, input: Any, beta: float, threshold: float) -> Any:
    """The logistic function of beta * x, and 1 above the threshold."""
    scaled = input if beta == 1 and not o.records else input * beta
    z = o.exp(scaled)
    return o._choose(scaled > threshold, g, g * z / (z + 1))



def _softplus_kernel(xp: Any, input: Any, beta: float, threshold: float) -> Any:
    if beta == 1 and input.dtype.kind == "f":
        soft = xp.log1p(xp.exp(input))
        above = xp.greater(input, xp.kept(threshold, input.dtype))
    else:
        factor = input.dtype.type(beta)
        scaled = input * factor
        soft = xp.log1p(xp.exp(scaled)) / factor
        above = scaled > threshold
    return xp.where_any(above, input, soft)


operator(
    "softplus",
    lambda xp, input, beta, threshold: _softplus_kernel(xp, input, beta, threshold),
    input=lambda o, g, input, beta, threshold: softplus_back(o, g, input, beta, threshold),
    kinds={"threshold": "number"}, check=needs_floats("softplus_cpu"), **HIDDEN,
    fused=True, doc="log(1 + exp(beta * x)) / beta, and x itself above the threshold.",
)  # fmt: skip


def log_sigmoid_back(o: Any, g: Any, input: Any) -> Any:
    """The logistic function of -x."""
    return g * o.sigmoid(-input)




def _log_sigmoid_kernel(xp: Any, input: Any) -> Any:
    return xp.minimum(input, 0) - xp.log1p(xp.exp(-xp.abs(input)))


operator(
    "_log_sigmoid",
    lambda xp, input: _log_sigmoid_kernel(xp, input),
    input=lambda o, g, input: log_sigmoid_back(o, g, input),
    check=needs_floats("log_sigmoid_cpu"), label="LogSigmoidBackward", **HIDDEN,
    fused=True, doc="The logarithm of the logistic function.",
)  # fmt: skip


def _check_glu(input: Tensor, dim: int) -> None:
    if input.ndim == 0:
        raise ShapeError("glu does not support scalars because halving size must be even")
    at = wrap_dim(dim, input.ndim)
    size = input._array.shape[at]
    if size % 2:
        raise ShapeError(f"Halving dimension must be even, but dimension {at} is size {size}")


def _glu_kernel(xp: Any, input: Any, dim: int) -> Any:
    first, second = xp.split(input, 2, dim)
    return first * xp.sigmoid(second)


def glu_back(o: Any, g: Any, input: Any, dim: int) -> Any:
    """Of a * s(b): g * s(b) for a, and g * a * s(b) * (1 - s(b)) for b."""
    half = input.shape[dim] // 2
    a = o.slice(input, dim, 0, half, 1)
    s = o.sigmoid(o.slice(input, dim, half, 2 * half, 1))
    return o.cat((g * s, (1 - s) * s * g * a), dim)


operator(
    "glu", lambda xp, input, dim: _glu_kernel(xp, input, dim),
    input=lambda o, g, input, dim: glu_back(o, g, input, dim),
    check=_check_glu, function=False, method=False,
    fused=True, doc="One half of the input times the logistic function of the other.",
)  # fmt: skip
