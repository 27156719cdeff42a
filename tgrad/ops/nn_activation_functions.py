"""Rows: the activation functions of torch.nn.functional, in terms of those in `nn_activation`."""

from __future__ import annotations

from typing import Any

from tgrad.errors import ArgumentValueError, DTypeError, ShapeError
from tgrad.ops.nn_activation import SELU_ALPHA, SELU_SCALE
from tgrad.ops.nn_base import functional, perform
from tgrad.ops.table import composite


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
    if input._type.dtype is not weight._type.dtype:
        raise DTypeError(
            f"prelu: Type promoting not supported. Got {input._type.dtype.title} and "
            f"{weight._type.dtype.title}"
        )
    channels = input._array.shape[1] if input.ndim > 1 else 1
    if weight._array.size != 1 and input.ndim == 0:
        raise ShapeError("Not allow zero-dim input tensor.")
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


def _over(name: str, forward: Any, in_torch: bool = True, **parts: Any) -> None:
    """An activation function that writes over its input: `torch.nn.functional.relu_`."""
    parts["doc"] = f"`{name[:-1]}`, written over the input."
    functional(name, forward, **parts)
    if in_torch:
        composite(name, forward, method=False, out=False, **parts)


_over("relu_", lambda o, input: perform(o, "relu", True, input), in_torch=False)
_over(
    "elu_",
    lambda o, input, alpha=1.0, scale=1, input_scale=1: perform(
        o, "elu", True, input, alpha, scale, input_scale
    ),
    in_torch=False, kinds={"scale": "number", "input_scale": "number"},
)  # fmt: skip
_over("selu_", lambda o, input: perform(o, "elu", True, input, SELU_ALPHA, SELU_SCALE, 1))
_over("celu_", lambda o, input, alpha=1.0: _celu(o, input, alpha, True))
_over(
    "leaky_relu_",
    lambda o, input, negative_slope=0.01: perform(o, "leaky_relu", True, input, negative_slope),
    in_torch=False,
)  # fmt: skip
_over(
    "hardtanh_",
    lambda o, input, min_val=-1.0, max_val=1.0: _hardtanh(o, input, min_val, max_val, True),
    in_torch=False, kinds={"min_val": "number", "max_val": "number"},
)  # fmt: skip
_over(
    "threshold_",
    lambda o, input, threshold, value: perform(o, "_threshold", True, input, threshold, value),
    kinds={"threshold": "number"},
)  # fmt: skip
