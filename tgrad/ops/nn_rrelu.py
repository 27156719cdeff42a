"""Rows: leaky_relu with slopes that are drawn at random."""

from __future__ import annotations

from typing import Any

from tgrad.core.random import default_generator, uniform
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ShapeError
from tgrad.ops.nn_activation import LEAKY_ISSUE, no_negative_slope
from tgrad.ops.nn_base import functional, needs_floats, perform
from tgrad.ops.table import composite, operator


def slopes(input: Tensor, lower: float, upper: float, generator: Any) -> Tensor:
    """Random numbers between two bounds where the input isn't positive, drawn in order; 1 elsewhere."""
    xp = input._type.xp
    low = input._array <= 0
    values = xp.ones(input._array.shape, xp.float64)
    values[low] = xp.asarray(uniform(generator, (int(low.sum()),), xp.float64, lower, upper))
    return new_tensor(values.astype(input._type.dtype.numpy), input._type)


def _kernel(xp: Any, input: Any, noise: Any, lower: float, upper: float) -> Any:
    if noise is not None:
        return input * noise
    slope = input.dtype.type((lower + upper) / 2)
    return xp.where(input <= 0, input * slope, input)


def _slope(o: Any, g: Any, input: Any, noise: Any, lower: float, upper: float) -> Any:
    if noise is not None and upper - lower > 1e-6:
        return o._tied(g * noise, input)
    return o._piece(input > 0, g, g * ((lower + upper) / 2), input)


def _slope_of_result(o: Any, g: Any, out: Any, noise: Any, lower: float, upper: float) -> Any:
    if (noise is None or upper - lower <= 1e-6) and lower + upper < 0:
        raise no_negative_slope("leakyReLu", LEAKY_ISSUE)
    return _slope(o, g, out, noise, lower, upper)


def _check(input: Tensor, noise: Any, lower: float, upper: float) -> None:
    needs_floats("leaky_relu_cpu" if noise is None else "rrelu_with_noise_out_cpu")(input)


_ROW: dict[str, Any] = {
    "kinds": {"noise": "index?", "lower": "number", "upper": "number"}, "inplace": True,
    "function": False, "method": False, "label": "RreluWithNoiseBackward",
    "check": _check,
}  # fmt: skip

operator(
    "_rrelu", _kernel,
    input=lambda o, g, input, noise, lower, upper: _slope(o, g, input, noise, lower, upper),
    **_ROW, doc="x, and a slope times x where x is negative.",
)  # fmt: skip
operator(
    "_rrelu_over", _kernel,
    input=lambda o, g, out, noise, lower, upper: _slope_of_result(o, g, out, noise, lower, upper),
    **_ROW, index=1, doc="_rrelu, written over its input.",
)  # fmt: skip


def _rrelu(
    o: Any, input: Any, lower: float, upper: float, training: bool, inplace: bool, generator: Any
) -> Any:  # fmt: skip
    if lower > upper:
        raise ShapeError("Lower bound should be less than or equal to the upper bound")
    noise = slopes(input, lower, upper, generator or default_generator) if training else None
    return perform(o, "_rrelu", inplace, input, noise, lower, upper)


def _functional(
    o: Any, input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False,
    inplace: bool = False,
) -> Any:  # fmt: skip
    return _rrelu(o, input, lower, upper, training, inplace, None)


def _torch(
    o: Any, input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False,
    generator: Any = None,
) -> Any:  # fmt: skip
    return _rrelu(o, input, lower, upper, training, False, generator)


def _over(
    o: Any, input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False,
    generator: Any = None,
) -> Any:  # fmt: skip
    return _rrelu(o, input, lower, upper, training, True, generator)


_PARTS: dict[str, Any] = {
    "kinds": {"lower": "number", "upper": "number", "training": "bool"},
    "doc": "leaky_relu whose slopes are drawn between two bounds while training.",
}
functional("rrelu", _functional, **_PARTS)
functional("rrelu_", _over, **_PARTS)
composite("rrelu", _torch, method=False, out=False, **_PARTS)
composite("rrelu_", _over, method=False, out=False, **_PARTS)
