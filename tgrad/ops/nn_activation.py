"""Rows: softmax and the activation functions of torch.nn.functional.

A row without a public name computes; the function of `torch.nn.functional`, which also takes
`inplace=`, is a composite that calls it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, DTypeError, NotAvailableError, ShapeError
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.functions import bound_inplace
from tgrad.ops.table import TABLE, Op, broadcast, composite, operator


def functional(name: str, forward: Callable[..., Any], **parts: Any) -> Op:
    """A function of torch.nn.functional, written in other operators."""
    parts.setdefault("out", False)
    parts["kinds"] = {"reduction": "any", "dtype": "dtype?", **parts.get("kinds", {})}
    return composite(
        f"functional_{name}", forward, module="torch.nn.functional", method=False, **parts
    )


def perform(o: Any, key: str, inplace: bool, input: Any, *args: Any) -> Any:
    """An operator applied to an input, or written over it."""
    if inplace:
        return bound_inplace(TABLE[key])(input, *args)
    return getattr(o, key)(input, *args)


def needs_floats(kernel: str) -> Callable[..., None]:
    """A check that refuses whole numbers as the kernel of that name does in PyTorch."""

    def check(input: Tensor, *args: Any) -> None:
        if not input._type.inexact:
            raise NotAvailableError(
                f"\"{kernel}\" not implemented for '{input._type.dtype.title}'",
                hint="convert the input first: x.float()",
            )

    return check


def single(kernel: Callable[..., Any], xp: Any, input: Any, *args: Any) -> Any:
    """A kernel's result, for half precision computed in float32 and rounded once."""
    if input.dtype == xp.float16:
        return kernel(xp, input.astype(xp.float32), *args).astype(xp.float16)
    return kernel(xp, input, *args)


broadcast(
    "_choose", lambda xp, condition, input, other: xp.where(condition, input, other),
    kinds={"condition": "index", "input": "operand", "other": "operand"},
    input=lambda o, g, condition: o._choose(condition, g, 0.0),
    other=lambda o, g, condition: o._choose(condition, 0.0, g),
    function=False, method=False, out=False, label="WhereBackward",
    doc="Elements of one of two operands; for formulas.",
)  # fmt: skip

operator(
    "_constant", lambda xp, input: input, differentiable=False, function=False, method=False,
    out=False, doc="The input without its history; for formulas.",
)  # fmt: skip
operator(
    "_zeros_of", lambda xp, input: xp.zeros_like(input),
    input=lambda o, g: o._zeros_of(g),
    function=False, method=False, doc="Zeros; for formulas.",
)  # fmt: skip
operator(
    "_tied", lambda xp, input, origin: input,
    input=lambda o, g: g, origin=lambda o, g, origin: o._zeros_of(origin),
    kinds={"origin": "tensor"}, function=False, method=False, out=False,
    doc="The input, whose derivative for `origin` is 0, and not None; for formulas.",
)  # fmt: skip
broadcast(
    "_piece", lambda xp, condition, input, other, origin: xp.where(condition, input, other),
    kinds={"condition": "index", "input": "operand", "other": "operand", "origin": "tensor"},
    input=lambda o, g, condition: o._choose(condition, g, 0.0),
    other=lambda o, g, condition: o._choose(condition, 0.0, g),
    origin=lambda o, g: o._zeros_of(g),
    function=False, method=False, out=False, label="WhereBackward",
    doc="`_choose` whose condition depends on `origin`: its derivative for that is 0, and not None.",
)  # fmt: skip

for _name, _symbol in (("add", "+"), ("mul", "*"), ("div", "/")):
    _with_number = {
        "add": (lambda xp, input, other: xp.add(input, input.dtype.type(other)), lambda o, g: g),
        "mul": (
            lambda xp, input, other: xp.multiply(input, input.dtype.type(other)),
            lambda o, g, other: g * other,
        ),
        "div": (
            lambda xp, input, other: xp.divide(input, input.dtype.type(other)),
            lambda o, g, other: g / other,
        ),
    }[_name]
    operator(
        f"_{_name}_number", _with_number[0], input=_with_number[1], kinds={"other": "number"},
        label=f"{_name.capitalize()}Backward", index=1, function=False, method=False,
        doc=f"input {_symbol} a number, as PyTorch's composed functions record it.",
    )  # fmt: skip

# ---------------------------------------------------------------- softmax


def softmax_kernel(xp: Any, input: Any, dim: int) -> Any:
    """exp(x - max) / its sum along a dimension."""
    if input.dtype == xp.float16:
        return softmax_kernel(xp, input.astype(xp.float32), dim).astype(xp.float16)
    if input.ndim == 0:
        return xp.exp(input - input)
    if input.size == 0:
        return input.copy()
    input = xp.ascontiguousarray(input)
    powers = xp.exp(xp.subtract(input, input.max(axis=dim, keepdims=True)))
    powers /= xp.sum(powers, (dim,), True)
    return powers


def log_softmax_kernel(xp: Any, input: Any, dim: int) -> Any:
    """x - max - log(sum(exp(x - max))) along a dimension."""
    if input.dtype == xp.float16:
        return log_softmax_kernel(xp, input.astype(xp.float32), dim).astype(xp.float16)
    if input.ndim == 0:
        return input - input
    if input.size == 0:
        return input.copy()
    input = xp.ascontiguousarray(input)
    shifted = xp.subtract(input, input.max(axis=dim, keepdims=True))
    shifted -= xp.log(xp.sum(xp.exp(shifted), (dim,), True))
    return shifted


def softmax_back(o: Any, g: Any, out: Any, dim: int) -> Any:
    """The derivative of softmax: p * (g - sum(g * p))."""
    return (g - o.sum_dim(g * out, (dim,), True)) * out


def log_softmax_back(o: Any, g: Any, out: Any, dim: int) -> Any:
    """The derivative of log_softmax: g - p * sum(g)."""
    return g - o.exp(out) * o.sum_dim(g, (dim,), True)


def _check_softmax(name: str) -> Callable[..., None]:
    def check(input: Tensor, dim: int) -> None:
        at = wrap_dim(dim, input.ndim)
        last = "lastdim_" if at >= input.ndim - 1 else ""
        needs_floats(f"{name}_{last}kernel_impl")(input)

    return check


operator(
    "_softmax", softmax_kernel,
    input=lambda o, g, out, dim: softmax_back(o, g, out, dim),
    check=_check_softmax("softmax"), function=False, method=False, label="SoftmaxBackward",
    doc="exp(x) divided by its sum along a dimension.",
)  # fmt: skip
operator(
    "_log_softmax", log_softmax_kernel,
    input=lambda o, g, out, dim: log_softmax_back(o, g, out, dim),
    check=_check_softmax("log_softmax"), function=False, method=False, label="LogSoftmaxBackward",
    doc="The logarithm of softmax along a dimension, without overflow.",
)  # fmt: skip


def _softmax_of(key: str) -> Callable[..., Any]:
    def forward(o: Any, input: Any, dim: int, dtype: Any = None) -> Any:
        if dtype is not None and input._type.dtype is not dtype:
            input = o.to_copy(input, dtype)
        return getattr(o, key)(input, dim)

    return forward


composite("softmax", _softmax_of("_softmax"), doc="exp(x) divided by its sum along a dimension.")
composite(
    "log_softmax", _softmax_of("_log_softmax"),
    doc="The logarithm of softmax along a dimension, without overflow.",
)  # fmt: skip


def _functional_softmax(name: str, negated: bool = False) -> Callable[..., Any]:
    key = "softmax" if negated else name

    def forward(
        o: Any, input: Any, dim: Any = None, _stacklevel: Any = 3, dtype: Any = None
    ) -> Any:
        if dim is None:
            warnings.warn(
                f"Implicit dimension choice for {name} has been deprecated. Change the call to "
                "include dim=X as an argument.",
                stacklevel=6,
            )
            dim = 0 if input.ndim in (0, 1, 3) else 1
        return getattr(o, key)(o.neg(input) if negated else input, dim, dtype)

    return forward


functional("softmax", _functional_softmax("softmax"), kinds={"dim": "int?"}, doc="See torch.softmax.")
functional(
    "log_softmax", _functional_softmax("log_softmax"), kinds={"dim": "int?"},
    doc="See torch.log_softmax.",
)  # fmt: skip
functional(
    "softmin", _functional_softmax("softmin", True), kinds={"dim": "int?"},
    doc="softmax of the negative input.",
)  # fmt: skip

# ---------------------------------------------------------------- piecewise linear

HIDDEN: dict[str, Any] = {"function": False, "method": False, "inplace": True}
"""Settings of rows that only functions of torch.nn.functional call."""

SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
"""G. Klambauer et al., Self-Normalizing Neural Networks, 2017."""

operator(
    "leaky_relu",
    lambda xp, input, negative_slope: xp.where(
        input > 0, input, xp.multiply(input, input.dtype.type(negative_slope))
    ),
    input=lambda o, g, input, negative_slope: o._piece(input > 0, g, g * negative_slope, input),
    check=needs_floats("leaky_relu_cpu"), **HIDDEN, doc="x, and slope * x where x is negative.",
)  # fmt: skip


def clamp_kernel(xp: Any, input: Any, low: Any, high: Any) -> Any:
    """The input between two numbers; NaN stays."""
    kind = input.dtype.type
    return xp.minimum(xp.maximum(input, kind(low)), kind(high))


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
        (input > -3) & (input < 3), grad * grad.dtype.type(1 / 6), grad.dtype.type(0)
    ),
    kinds={"grad": "tensor"}, differentiable="PyTorch has no second derivative of hardsigmoid",
    function=False, method=False, doc="The derivative of hardsigmoid.",
)  # fmt: skip
operator(
    "hardsigmoid",
    lambda xp, input: single(_hardsigmoid_kernel, xp, input),
    input=lambda o, g, input: o.hardsigmoid_backward(g, input),
    check=needs_floats("hardsigmoid_cpu"), **HIDDEN, doc="(x + 3) / 6 between 0 and 1.",
)  # fmt: skip
operator(
    "hardswish",
    lambda xp, input: single(_hardswish_kernel, xp, input),
    input=lambda o, g, input: o._choose(
        input <= -3, 0.0, o._choose(input < 3, g * (input / 3 + 0.5), g)
    ),
    check=needs_floats("hardswish_cpu"), **HIDDEN, doc="x * hardsigmoid(x).",
)  # fmt: skip
operator(
    "_threshold",
    lambda xp, input, threshold, value: xp.where(
        input <= input.dtype.type(threshold), input.dtype.type(value), input
    ),
    input=lambda o, g, input, threshold: o._piece(input <= threshold, 0.0, g, input),
    kinds={"threshold": "number"}, **HIDDEN,
    doc="The input where it is larger than a threshold, another value elsewhere.",
)  # fmt: skip
operator(
    "_hardshrink",
    lambda xp, input, lambd: xp.where((input >= -lambd) & (input <= lambd), input.dtype.type(0), input),
    input=lambda o, g, input, lambd: o._piece((input >= -lambd) & (input <= lambd), 0.0, g, input),
    kinds={"lambd": "number"}, label="HardshrinkBackward", check=needs_floats("hardshrink_cpu"),
    **HIDDEN, doc="The input, and 0 between -lambd and lambd.",
)  # fmt: skip
operator(
    "softshrink",
    lambda xp, input, lambd: xp.where(
        input > lambd, input - lambd, xp.where(input < -lambd, input + lambd, input * 0)
    ).astype(input.dtype),
    input=lambda o, g, input, lambd: o._piece((input >= -lambd) & (input <= lambd), 0.0, g, input),
    kinds={"lambd": "number"}, check=needs_floats("softshrink_cpu"), **HIDDEN,
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


def elu_back(o: Any, g: Any, input: Any, alpha: float, scale: float, input_scale: float) -> Any:
    """scale where x is positive, else alpha * scale * input_scale * exp(input_scale * x)."""
    power = o._choose(input < 0, o.exp(input * input_scale), 1.0)
    return o._choose(input <= 0, g * (input_scale * alpha * scale) * power, g * scale)


operator(
    "elu",
    lambda xp, input, alpha, scale, input_scale: single(_elu_kernel, xp, input, alpha, scale, input_scale
    ),
    input=lambda o, g, input, alpha, scale, input_scale: elu_back(
        o, g, input, alpha, scale, input_scale
    ),
    check=needs_floats("elu_cpu"), **HIDDEN, doc="x, and alpha * (exp(x) - 1) where x is negative.",
)  # fmt: skip
operator(
    "_celu",
    lambda xp, input, alpha: single(_elu_kernel, xp, input, alpha, 1, 1 / alpha),
    input=lambda o, g, input, alpha: elu_back(o, g, input, alpha, 1, 1 / alpha),
    check=needs_floats("elu_cpu"), label="CeluBackward", **HIDDEN,
    doc="x, and alpha * (exp(x / alpha) - 1) where x is negative.",
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
    "gelu", lambda xp, input, approximate: single(_gelu_kernel, xp, input, approximate),
    input=lambda o, g, input, approximate: gelu_back(o, g, input, approximate),
    kinds={"approximate": "str"}, check=_check_gelu, **HIDDEN,
    doc="x times the normal distribution function of x.",
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
    "silu", lambda xp, input: single(_silu_kernel, xp, input),
    input=lambda o, g, input: silu_back(o, g, input),
    check=needs_floats("silu_cpu"), **HIDDEN, doc="x times the logistic function of x.",
)  # fmt: skip


def mish_back(o: Any, g: Any, input: Any) -> Any:
    """t + x * s * (1 - t^2), s the logistic function, t = tanh(softplus(x))."""
    s = o.sigmoid(input)
    t = o.tanh(o.softplus(input, 1, 20))
    return g * (t + input * s * (1 - t * t))


operator(
    "mish", lambda xp, input: single(_mish_kernel, xp, input),
    input=lambda o, g, input: mish_back(o, g, input),
    check=needs_floats("mish_cpu"), **HIDDEN, doc="x * tanh(softplus(x)).",
)  # fmt: skip


def softplus_back(o: Any, g: Any, input: Any, beta: float, threshold: float) -> Any:
    """The logistic function of beta * x, and 1 above the threshold."""
    z = o.exp(input * beta)
    return o._choose(input * beta > threshold, g, g * z / (z + 1))




def _softplus_kernel(xp: Any, input: Any, beta: float, threshold: float) -> Any:
    scaled = input * input.dtype.type(beta)
    return xp.where(scaled > threshold, input, xp.log1p(xp.exp(scaled)) / input.dtype.type(beta))


operator(
    "softplus",
    lambda xp, input, beta, threshold: single(_softplus_kernel, xp, input, beta, threshold),
    input=lambda o, g, input, beta, threshold: softplus_back(o, g, input, beta, threshold),
    kinds={"threshold": "number"}, check=needs_floats("softplus_cpu"), **HIDDEN,
    doc="log(1 + exp(beta * x)) / beta, and x itself above the threshold.",
)  # fmt: skip


def log_sigmoid_back(o: Any, g: Any, input: Any) -> Any:
    """The logistic function of -x."""
    return g * o.sigmoid(-input)




def _log_sigmoid_kernel(xp: Any, input: Any) -> Any:
    return xp.minimum(input, 0) - xp.log1p(xp.exp(-xp.abs(input)))


operator(
    "_log_sigmoid",
    lambda xp, input: single(_log_sigmoid_kernel, xp, input),
    input=lambda o, g, input: log_sigmoid_back(o, g, input),
    check=needs_floats("log_sigmoid_cpu"), label="LogSigmoidBackward", **HIDDEN,
    doc="The logarithm of the logistic function.",
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
    "glu", lambda xp, input, dim: single(_glu_kernel, xp, input, dim),
    input=lambda o, g, input, dim: glu_back(o, g, input, dim),
    check=_check_glu, function=False, method=False,
    doc="One half of the input times the logistic function of the other.",
)  # fmt: skip

# ---------------------------------------------------------------- the functions


def _simple(name: str, key: str, doc: str) -> None:
    functional(
        name, lambda o, input, inplace=False: perform(o, key, inplace, input), doc=doc
    )


def _without_inplace(name: str, key: str, doc: str) -> None:
    functional(name, lambda o, input: getattr(o, key)(input), doc=doc)


_simple("relu", "relu", "The input, and 0 where it is negative.")
_without_inplace("sigmoid", "sigmoid", "1 / (1 + exp(-x)).")
_without_inplace("tanh", "tanh", "The hyperbolic tangent.")
_without_inplace("logsigmoid", "_log_sigmoid", "The logarithm of the logistic function.")
_simple("hardsigmoid", "hardsigmoid", "(x + 3) / 6 between 0 and 1.")
_simple("hardswish", "hardswish", "x * hardsigmoid(x).")
_simple("silu", "silu", "x times the logistic function of x.")
_simple("mish", "mish", "x * tanh(softplus(x)).")
functional(
    "relu6", lambda o, input, inplace=False: perform(o, "hardtanh", inplace, input, 0, 6),
    doc="The input between 0 and 6.",
)  # fmt: skip
functional(
    "leaky_relu",
    lambda o, input, negative_slope=0.01, inplace=False: perform(
        o, "leaky_relu", inplace, input, negative_slope
    ),
    doc="x, and negative_slope * x where x is negative.",
)  # fmt: skip
functional(
    "elu", lambda o, input, alpha=1.0, inplace=False: perform(o, "elu", inplace, input, alpha, 1, 1),
    doc="x, and alpha * (exp(x) - 1) where x is negative.",
)  # fmt: skip
functional(
    "selu",
    lambda o, input, inplace=False: perform(o, "elu", inplace, input, SELU_ALPHA, SELU_SCALE, 1),
    doc="The scaled elu whose activations normalise themselves.",
)  # fmt: skip


def _celu(o: Any, input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    if alpha == 0:
        raise ShapeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return perform(o, "_celu", inplace, input, alpha)


functional("celu", _celu, doc="x, and alpha * (exp(x / alpha) - 1) where x is negative.")
functional(
    "gelu", lambda o, input, *, approximate="none": o.gelu(input, approximate),
    kinds={"approximate": "str"}, doc="x times the normal distribution function of x.",
)  # fmt: skip
functional(
    "softplus", lambda o, input, beta=1, threshold=20: o.softplus(input, beta, threshold),
    kinds={"threshold": "number"}, doc="log(1 + exp(beta * x)) / beta.",
)  # fmt: skip
functional(
    "softsign", lambda o, input: o.div(input, o.add(o.abs(input), 1)), doc="x / (1 + |x|).",
)  # fmt: skip
functional(
    "tanhshrink", lambda o, input: o.sub(input, o.tanh(input)), doc="x - tanh(x).",
)  # fmt: skip


def _hardtanh(
    o: Any, input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Any:
    if min_val > max_val:
        raise ArgumentValueError("min_val cannot be greater than max_val")
    return perform(o, "hardtanh", inplace, input, min_val, max_val)


functional(
    "hardtanh", _hardtanh, kinds={"min_val": "number", "max_val": "number"},
    doc="The input between two bounds.",
)  # fmt: skip
functional(
    "threshold",
    lambda o, input, threshold, value, inplace=False: perform(
        o, "_threshold", inplace, input, threshold, value
    ),
    kinds={"threshold": "number"}, doc="The input where it is above a threshold, else a value.",
)  # fmt: skip
functional(
    "hardshrink", lambda o, input, lambd=0.5: o._hardshrink(input, lambd),
    kinds={"lambd": "number"}, doc="The input, and 0 between -lambd and lambd.",
)  # fmt: skip
functional(
    "softshrink", lambda o, input, lambd=0.5: o.softshrink(input, lambd),
    kinds={"lambd": "number"}, doc="The input moved towards 0 by lambd.",
)  # fmt: skip
functional("glu", lambda o, input, dim=-1: o.glu(input, dim), doc="a * sigmoid(b) of two halves.")


def _prelu(o: Any, input: Any, weight: Any) -> Any:
    if input._type is not weight._type:
        raise DTypeError(
            f"prelu: Type promoting not supported. Got {input._type.dtype.title} and "
            f"{weight._type.dtype.title}"
        )
    channels = input._array.shape[1] if input.ndim > 1 else 1
    if weight._array.size not in (1, channels):
        raise ShapeError(
            "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
            f"{weight._array.size} and channel size = {channels}."
        )
    if weight.ndim > 1:
        raise ShapeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}"
        )
    shape = [1] * input.ndim
    if input.ndim > 1:
        shape[1] = weight._array.size
    if list(weight._array.shape) != shape:
        weight = o.view(weight, tuple(shape))
    return o._prelu_kernel(input, weight)


functional("prelu", _prelu, doc="The input, and the input times a weight where it is negative.")
composite("prelu", _prelu, doc="The input, and the input times a weight where it is negative.")
composite("selu", lambda o, input: o.elu(input, SELU_ALPHA, SELU_SCALE, 1), method=False,
          doc="The scaled elu whose activations normalise themselves.")  # fmt: skip
composite("celu", lambda o, input, alpha=1.0: _celu(o, input, alpha), method=False,
          doc="x, and alpha * (exp(x / alpha) - 1) where x is negative.")  # fmt: skip
composite(
    "hardshrink", lambda o, input, lambd=0.5: o._hardshrink(input, lambd),
    kinds={"lambd": "number"}, doc="The input, and 0 between -lambd and lambd.",
)  # fmt: skip
composite(
    "threshold", lambda o, input, threshold, value: o._threshold(input, threshold, value),
    kinds={"threshold": "number"}, method=False,
    doc="The input where it is above a threshold, else a value.",
)  # fmt: skip
