"""Rows: running sums, products and extremes; differences and integrals of samples."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy

from tgrad.backends import scans as kernels
from tgrad.core import dtype as dtypes
from tgrad.errors import ShapeError, StateError
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.reduce import unsupported
from tgrad.ops.reduce_formulas import (
    cummax_back,
    cumprod_back,
    logcumsumexp_back,
    reversed_cumsum,
)
from tgrad.ops.table import binary, composite, float_result, operator, summed


def _scan(ufunc: Any, input: Any, dim: int) -> Any:
    axis = wrap_dim(dim, input.ndim)
    if input.dtype.kind == "b":
        raise unsupported(f"cum{'sum' if ufunc is numpy.add else 'prod'}_out_cpu", input)
    return kernels.scan(ufunc, input, axis)


operator(
    "cumsum", lambda xp, input, dim, *, dtype=None: _scan(xp.add, input, dim),
    input=lambda o, g, dim, input_type: reversed_cumsum(o, o.to_type(g, input_type), dim),
    dtype=summed, inplace=True, doc="Running sums along a dimension.",
)  # fmt: skip

operator(
    "cumprod", lambda xp, input, dim, *, dtype=None: _scan(xp.multiply, input, dim),
    input=lambda o, g, input, dim, out, input_type: cumprod_back(
        o, o.to_type(g, input_type), input, dim, out
    ),
    dtype=summed, inplace=True, doc="Running products along a dimension.",
)  # fmt: skip


def _running(input: Any, dim: int, largest: bool) -> tuple[Any, Any]:
    """Running extremes and the last index of each; NaN stays."""
    axis = wrap_dim(dim, input.ndim)
    if input.dtype.kind == "c":
        raise unsupported(f"cum{'max' if largest else 'min'}_cpu", input)
    if input.ndim == 0:
        return input.copy(), numpy.zeros((), numpy.int64)
    return kernels.extremes_so_far(numpy.maximum if largest else numpy.minimum, input, axis)


CHOSEN: dict[str, Any] = {"result": (None, dtypes.int64), "fields": ("values", "indices")}

operator(
    "cummax", lambda xp, input, dim: _running(input, dim, True),
    input=lambda o, g, input, dim, indices: cummax_back(o, g, input, dim, indices),
    doc="The largest elements so far along a dimension, and their last indices.", **CHOSEN,
)  # fmt: skip
operator(
    "cummin", lambda xp, input, dim: _running(input, dim, False),
    input=lambda o, g, input, dim, indices: cummax_back(o, g, input, dim, indices),
    doc="The smallest elements so far along a dimension, and their last indices.", **CHOSEN,
)  # fmt: skip


def log_of_sum(total: Any, value: Any) -> Any:
    """log(exp(a) + exp(b)) of complex numbers; the angle goes on from that of the larger one."""
    less = value.real < total.real
    low, high = numpy.where(less, value, total), numpy.where(less, total, value)
    with numpy.errstate(all="ignore"):
        usual = numpy.log1p(numpy.exp(low - high)) + high
        infinite = numpy.log(numpy.exp(low) + numpy.exp(high))
    both = ~numpy.isfinite(low.real) & (low.real == high.real)
    result = numpy.where(both, numpy.where(low.real < 0, low, infinite), usual)
    return numpy.where(numpy.isnan(low) | numpy.isnan(high), complex(numpy.nan, numpy.nan), result)


def _logcumsumexp(xp: Any, input: Any, dim: int) -> Any:
    axis = wrap_dim(dim, input.ndim)
    if input.dtype.kind not in "fc":
        raise unsupported("logcumsumexp_out_cpu", input)
    if input.ndim == 0:
        return input.copy()
    if input.dtype.kind == "c":
        wide = numpy.moveaxis(input.astype(xp.complex128), axis, 0)
        nothing = numpy.full(wide.shape[1:], complex(-numpy.inf, 0))
        rows = list(accumulate(wide, log_of_sum, initial=nothing))[1:]
        return numpy.moveaxis(numpy.array(rows).reshape(wide.shape), 0, axis).astype(input.dtype)
    return kernels.running(numpy.logaddexp, input, axis, numpy.float64)


operator(
    "logcumsumexp", _logcumsumexp,
    input=lambda o, g, input, dim, out: logcumsumexp_back(o, g, input, dim, out),
    doc="Logarithms of running sums of exponentials along a dimension.",
)  # fmt: skip

# ---------------------------------------------------------------- differences and integrals


def _diff(
    o: Any, input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None
) -> Any:
    if input.ndim == 0:
        raise ShapeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise StateError(f"order must be non-negative but got {n}")
    dim = wrap_dim(dim, input.ndim)
    for extra in (prepend, append):
        if extra is not None and extra.ndim != input.ndim:
            raise ShapeError("diff expects prepend or append to be the same dimension as input")
    if n == 0:
        return o.zeros_like(input).copy_(input)
    parts = [part for part in (prepend, input, append) if part is not None]
    if len(parts) > 1:
        input = o.cat(tuple(parts), dim)
    for _ in range(min(n, input.shape[dim])):
        size = input.shape[dim] - 1
        after, before = o.narrow(input, dim, 1, size), o.narrow(input, dim, 0, size)
        input = o.logical_xor(after, before) if input.dtype is dtypes.bool_ else o.sub(after, before)
    return input


composite(
    "diff", _diff, kinds={"prepend": "tensor?", "append": "tensor?"},
    doc="Differences of neighbours along a dimension, n times.",
)  # fmt: skip


binary(
    "times_number", lambda xp, input, other: xp.multiply(input, other),
    input=lambda o, g, other: g * other,
    label="MulBackward", index=1, inplace=False, function=False, method=False, out=False,
    doc="The product with a number.",
)  # fmt: skip
binary(
    "over_number", lambda xp, input, other: xp.divide(input, other),
    input=lambda o, g, other: g / other, dtype=float_result,
    label="DivBackward", index=1, inplace=False, function=False, method=False, out=False,
    doc="The quotient by a number.",
)  # fmt: skip


def _between(o: Any, x: Any, dim: int) -> tuple[Any, Any]:
    """All but the last, and all but the first."""
    size = x.shape[dim] - 1
    return o.narrow(x, dim, 0, size), o.narrow(x, dim, 1, size)


def _spacing(o: Any, name: str, y: Any, x: Any, dim: int) -> Any:
    """The distances of the sample points, shaped to go with y's samples."""
    if x.ndim == 1:
        if x.shape[0] != y.shape[dim]:
            raise ShapeError(f"{name}: There must be one `x` value for each sample point")
        left, right = _between(o, x, 0)
        shape = [1] * y.ndim
        shape[dim] = left.shape[0]
        return o.view(o.sub(right, left), tuple(shape))
    if x.ndim < y.ndim:
        x = o.view(x, (1,) * (y.ndim - x.ndim) + tuple(x.shape))
    left, right = _between(o, x, dim)
    return o.sub(right, left)


def _trapezoid_x(o: Any, y: Any, x: Any, *, dim: int = -1) -> Any:
    dim = wrap_dim(dim, y.ndim)
    if y.shape[dim] == 0:
        return o.sum_dim(y, (dim,))
    spacing = _spacing(o, "trapezoid", y, x, dim)
    left, right = _between(o, y, dim)
    return o.over_number(o.sum_dim(o.mul(o.add(left, right), spacing), (dim,)), 2.0)


def _trapezoid_dx(o: Any, y: Any, *, dx: Any = 1, dim: int = -1) -> Any:
    dim = wrap_dim(dim, y.ndim)
    if y.shape[dim] == 0:
        return o.sum_dim(y, (dim,))
    ends = o.add(o.select(y, dim, 0), o.select(y, dim, -1))
    return o.times_number(o.sub(o.sum_dim(y, (dim,)), o.mul(ends, 0.5)), dx)


def _cumulative_x(o: Any, y: Any, x: Any, *, dim: int = -1) -> Any:
    dim = wrap_dim(dim, y.ndim)
    spacing = _spacing(o, "cumulative_trapezoid", y, x, dim)
    left, right = _between(o, y, dim)
    return o.over_number(o.cumsum(o.mul(o.add(left, right), spacing), dim), 2.0)


def _cumulative_dx(o: Any, y: Any, *, dx: Any = 1, dim: int = -1) -> Any:
    dim = wrap_dim(dim, y.ndim)
    left, right = _between(o, y, dim)
    return o.cumsum(o.mul(o.add(right, left), dx / 2.0), dim)


SAMPLES: dict[str, Any] = {
    "kinds": {"y": "tensor", "x": "tensor", "dx": "number"}, "method": False, "out": False,
}  # fmt: skip
TRAPZ: dict[str, Any] = {**SAMPLES, "kinds": {**SAMPLES["kinds"], "dx": "float"}}
for _name, _forward in (
    ("trapezoid.x", _trapezoid_x), ("trapezoid", _trapezoid_dx),
    ("trapz", _trapezoid_dx), ("trapz.x", _trapezoid_x),
):  # fmt: skip
    composite(
        _name, _forward, doc="Integrals along a dimension by the trapezoidal rule.",
        **(TRAPZ if _name[:5] == "trapz" else SAMPLES),
    )  # fmt: skip
for _name, _forward in (
    ("cumulative_trapezoid.x", _cumulative_x), ("cumulative_trapezoid", _cumulative_dx),
):  # fmt: skip
    composite(
        _name, _forward, doc="Running integrals along a dimension by the trapezoidal rule.", **SAMPLES
    )
