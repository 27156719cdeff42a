"""Rows: distances between the rows of matrices."""

from __future__ import annotations

import math
from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, DTypeError, NotAvailableError, ShapeError
from tgrad.ops.elementwise import HALF
from tgrad.ops.formulas import to_shape
from tgrad.ops.matmul import broadcast_batches
from tgrad.ops.nn_base import functional
from tgrad.ops.table import composite, operator


def _distances(xp: Any, difference: Any, p: float) -> Any:
    """The p-norm of the last dimension."""
    size = xp.abs(difference)
    kind = difference.dtype.type
    if p == 0:
        return (size != 0).sum(axis=-1).astype(difference.dtype)
    if p == 1:
        return xp.sum(size, (-1,))
    if p == 2:
        return xp.sqrt(xp.sum(xp.multiply(difference, difference), (-1,)))
    if math.isinf(p):
        return size.max(axis=-1) if size.shape[-1] else xp.zeros(size.shape[:-1], size.dtype)
    return xp.power(xp.sum(xp.power(size, kind(p)), (-1,)), kind(1 / p))


def _slope(xp: Any, difference: Any, distance: Any, p: float) -> Any:
    """The derivative of the p-norm; 0 where the distance is 0."""
    far = xp.where(distance == 0, difference.dtype.type(1), distance)[..., None]
    zero = difference.dtype.type(0)
    if p == 0:
        return xp.zeros_like(difference)
    if p == 1:
        return xp.sign(difference)
    if p == 2:
        result = difference / far
    elif math.isinf(p):
        result = xp.where(xp.abs(difference) == distance[..., None], xp.sign(difference), zero)
    else:
        ratio = xp.power(xp.abs(difference) / far, difference.dtype.type(p - 1))
        result = xp.sign(difference) * xp.where(difference == 0, zero, ratio)
    return xp.where(distance[..., None] == 0, zero, result)


def _cdist_kernel(xp: Any, x1: Any, x2: Any, p: float) -> Any:
    return _distances(xp, x1[..., :, None, :] - x2[..., None, :, :], p)


def _cdist_back(xp: Any, g: Any, x1: Any, x2: Any, p: float, out: Any) -> Any:
    """The gradient for x1."""
    slopes = _slope(xp, x1[..., :, None, :] - x2[..., None, :, :], out, p)
    return xp.sum(g[..., None] * slopes, (-2,))


def no_derivative(name: str) -> Any:
    """Raise PyTorch's error for a derivative that nobody has written."""
    raise NotAvailableError(
        f"the derivative for '{name}' is not implemented.",
        hint="write the distance with operators: (a[:, None] - b).norm(dim=-1)",
    )


operator(
    "_cdist_backward", lambda xp, grad, x1, x2, p, cdist: _cdist_back(xp, grad, x1, x2, p, cdist),
    kinds={"grad": "tensor", "x1": "tensor", "x2": "tensor", "cdist": "index"},
    grad=lambda o, g: no_derivative("_cdist_backward"),
    x1=lambda o, g: no_derivative("_cdist_backward"),
    x2=lambda o, g: no_derivative("_cdist_backward"), function=False, method=False,
    doc="The derivative of cdist for its first argument.",
)  # fmt: skip
operator(
    "_cdist_forward", lambda xp, x1, x2, p: _cdist_kernel(xp, x1, x2, p),
    x1=lambda o, g, x1, x2, p, out: to_shape(
        o, o._cdist_backward(g, x1, x2, p, out), tuple(x1.shape)
    ),
    x2=lambda o, g, x1, x2, p, out: to_shape(
        o, o._cdist_backward(_turned(o, g), x2, x1, p, _turned(o, out)), tuple(x2.shape)
    ),
    kinds={"x1": "tensor", "x2": "tensor"}, label="CdistBackward", function=False, method=False,
    refuses={"cdist": HALF},
    doc="The distance of each row of one matrix to each row of another.",
)  # fmt: skip


def _turned(o: Any, a: Any) -> Any:
    return o.transpose(a, -2, -1)


def _euclidean_kernel(xp: Any, x1: Any, x2: Any) -> Any:
    """By |x|^2 - 2 x y + |y|^2, which is one matrix product."""
    first = xp.sum(x1 * x1, (-1,), True)
    second = xp.sum(x2 * x2, (-1,), True)
    ones1, ones2 = xp.ones_like(first), xp.ones_like(second)
    left = xp.concatenate([-2 * x1, first, ones1], axis=-1)
    right = xp.concatenate([x2, ones2, second], axis=-1)
    squares = xp.matmul(left, right.swapaxes(-1, -2))
    return xp.sqrt(xp.maximum(squares, x1.dtype.type(0)))


operator(
    "_euclidean_dist", lambda xp, x1, x2: _euclidean_kernel(xp, x1, x2),
    x1=lambda o, g, x1, x2, out: euclidean_back(o, g, x1, x2, out),
    x2=lambda o, g, x1, x2, out: euclidean_back(o, _turned(o, g), x2, x1, _turned(o, out)),
    kinds={"x1": "tensor", "x2": "tensor"}, label="EuclideanDistBackward", function=False,
    method=False, doc="Distances by one matrix product.",
)  # fmt: skip


def euclidean_back(o: Any, g: Any, x1: Any, x2: Any, out: Any) -> Any:
    """x1 times the sum of g / distance, less (g / distance) x2."""
    ratio = o._choose(out == 0, 0.0, g / o._choose(out == 0, 1.0, out))
    return x1 * o.sum_dim(ratio, (-1,), True) - o._matrices(ratio, x2)


_MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist",
          "donot_use_mm_for_euclid_dist")  # fmt: skip
ROWS_FOR_PRODUCT = 25
"""From how many rows on the euclidean distance is computed by a matrix product."""


def _check_cdist(x1: Tensor, x2: Tensor, p: float, compute_mode: Any) -> None:
    if compute_mode not in _MODES:
        raise ArgumentValueError(f"{compute_mode} is not a valid value for compute_mode")
    for name, x in (("X1", x1), ("X2", x2)):
        if x.ndim < 2:
            raise ShapeError(f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D")
    a, b = x1._array.shape, x2._array.shape
    if a[-1] != b[-1]:
        raise ShapeError(f"X1 and X2 must have the same number of columns. X1: {a[-1]} X2: {b[-1]}")
    for name, x in (("X1", x1), ("X2", x2)):
        if not x._type.dtype.is_floating_point:
            raise DTypeError(f"cdist only supports floating-point dtypes, {name} got: {x._type.dtype.title}")
    if p < 0:
        raise ShapeError("cdist only supports non-negative p values")


def _cdist(o: Any, x1: Any, x2: Any, p: float = 2.0, compute_mode: Any = _MODES[0]) -> Any:
    _check_cdist(x1, x2, p, compute_mode)
    a, b = x1._array.shape, x2._array.shape
    batch = broadcast_batches(a[:-2], b[:-2])
    if a[:-2] != batch:
        x1 = o.expand(x1, (*batch, *a[-2:]))
    if b[:-2] != batch:
        x2 = o.expand(x2, (*batch, *b[-2:]))
    if x1._type.dtype is not x2._type.dtype and x1._array.size and x2._array.size:
        raise DTypeError(f"expected scalar type {x1._type.dtype.title} but found {x2._type.dtype.title}")
    many = max(a[-2], b[-2]) > ROWS_FOR_PRODUCT
    if p == 2 and (compute_mode == _MODES[1] or (compute_mode == _MODES[0] and many)):
        return o.view(o._euclidean_dist(x1, x2), (*batch, a[-2], b[-2]))
    return o._cdist_forward(x1, x2, p)


composite(
    "cdist", _cdist, method=False,
    kinds={"x1": "tensor", "x2": "tensor", "p": "float", "compute_mode": "any"},
    out=False, doc="The distance of each row of one matrix to each row of another.",
)  # fmt: skip


def _pairs(xp: Any, n: int) -> tuple[Any, Any]:
    first, second = xp.nonzero(xp.tri(n, n, -1).T)
    return first, second


def _pdist_kernel(xp: Any, x: Any, p: float) -> Any:
    first, second = _pairs(xp, len(x))
    return _distances(xp, x[first] - x[second], p)


def _pdist_back(xp: Any, g: Any, x: Any, p: float, out: Any) -> Any:
    first, second = _pairs(xp, len(x))
    slopes = g[..., None] * _slope(xp, x[first] - x[second], out, p)
    result = xp.zeros_like(x)
    xp.add.at(result, first, slopes)
    xp.add.at(result, second, -slopes)
    return result


operator(
    "_pdist_backward", lambda xp, grad, input, p, pdist: _pdist_back(xp, grad, input, p, pdist),
    kinds={"grad": "tensor", "pdist": "index"},
    grad=lambda o, g: no_derivative("_pdist_backward"),
    input=lambda o, g: no_derivative("_pdist_backward"), function=False, method=False,
    doc="The derivative of pdist.",
)  # fmt: skip
operator(
    "_pdist_forward", lambda xp, input, p: _pdist_kernel(xp, input, p),
    input=lambda o, g, input, p, out: o._pdist_backward(g, input, p, out),
    label="PdistBackward", refuses={"pdist": HALF}, function=False, method=False,
    doc="The distances of pairs of rows.",
)  # fmt: skip


def _pdist(o: Any, input: Any, p: float = 2.0) -> Any:
    if input.ndim != 2:
        raise ShapeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if not input._type.dtype.is_floating_point:
        raise DTypeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise ShapeError("pdist only supports non-negative p values")
    return o._pdist_forward(input, p)


composite("pdist", _pdist, method=False, out=False, doc="The distances of all pairs of rows.")
functional("pdist", _pdist, doc="The distances of all pairs of rows.")
