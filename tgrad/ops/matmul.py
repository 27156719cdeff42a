"""Rows: products of matrices and vectors.

`matmul` is a composite: it folds, expands and reshapes its operands as PyTorch does, and leaves the
arithmetic to `mm`, `bmm`, `mv` and `dot`, so that the graph of a product reads as PyTorch's does.
"""

from __future__ import annotations

from typing import Any

from tgrad.backends.narrow import is_narrow
from tgrad.core.tensor import Tensor
from tgrad.errors import ShapeError
from tgrad.ops.formulas import scale, to_shape
from tgrad.ops.operands import broadcast_error
from tgrad.ops.product_checks import (
    check_addbmm,
    check_addmm,
    check_addmv,
    check_addr,
    check_baddbmm,
    check_bmm,
    check_dot,
    check_mm,
    check_mv,
    check_vectors,
)
from tgrad.ops.table import composite, operator, promoted

# ---------------------------------------------------------------- kernels


def weighted(xp: Any, input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """beta * input + alpha * product in the product's dtype; beta 0 ignores the input, NaN and all."""
    kind = product.dtype.type
    if alpha != 1:
        product = product * kind(alpha)
    if beta == 0:
        return product
    if beta != 1:
        input = input * kind(beta)
    return xp.add(input, product)


def weighted_matmul(xp: Any, input: Any, a: Any, b: Any, beta: Any, alpha: Any) -> Any:
    """beta * input + alpha * (a @ b)."""
    return weighted(xp, input, xp.matmul(a, b), beta, alpha)


def addbmm_kernel(xp: Any, input: Any, batch1: Any, batch2: Any, beta: Any, alpha: Any) -> Any:
    """beta * input + alpha * the sum of products; narrow floats are rounded after each of them."""
    if not is_narrow(batch1.dtype) or not len(batch1):
        tall = batch1.transpose(1, 0, 2).reshape(batch1.shape[1], batch1.shape[0] * batch1.shape[2])
        wide = batch2.reshape(batch2.shape[0] * batch2.shape[1], batch2.shape[2])
        return weighted_matmul(xp, input, tall, wide, beta, alpha)
    for a, b in zip(batch1, batch2, strict=True):
        start, left, right = (x.astype(xp.float32) for x in (input, a, b))
        input, beta = weighted_matmul(xp, start, left, right, beta, alpha).astype(batch1.dtype), 1
    return input


def addr_kernel(xp: Any, input: Any, vec1: Any, vec2: Any, beta: Any, alpha: Any) -> Any:
    """beta * input + alpha * vec1 vec2', in PyTorch's order of rounding."""
    if vec1.dtype == xp.bool_:
        outer = vec1[:, None] & vec2 if alpha else xp.zeros((len(vec1), len(vec2)), bool)
        return (input | outer) if beta else outer
    kind = vec1.dtype.type
    outer = (vec1[:, None] if alpha == 1 else kind(alpha) * vec1[:, None]) * vec2
    if beta == 0:
        return outer
    return xp.add(input if beta == 1 else kind(beta) * input, outer)


# ---------------------------------------------------------------- the products

operator(
    "mm", lambda xp, input, mat2: xp.matmul(input, mat2),
    input=lambda o, g, mat2: o.mm(g, o.t(o.conj(mat2))),
    mat2=lambda o, g, input: o.mm(o.t(o.conj(input)), g),
    check=check_mm, doc="Product of two matrices.",
)  # fmt: skip

operator(
    "bmm", lambda xp, input, mat2: xp.matmul(input, mat2),
    input=lambda o, g, mat2: o.bmm(g, o.transpose(o.conj(mat2), 1, 2)),
    mat2=lambda o, g, input: o.bmm(o.transpose(o.conj(input), 1, 2), g),
    check=check_bmm, doc="Products of two batches of matrices, one by one.",
)  # fmt: skip

operator(
    "mv", lambda xp, input, vec: xp.matmul(input, vec),
    input=lambda o, g, vec: o.unsqueeze(g, 1) * o.conj(vec),
    vec=lambda o, g, input: o.mv(o.t(o.conj(input)), g),
    check=check_mv, doc="Product of a matrix and a vector.",
)  # fmt: skip

operator(
    "dot", lambda xp, input, tensor: xp.dot(input, tensor),
    input=lambda o, g, tensor: g * o.conj(tensor),
    tensor=lambda o, g, input: g * o.conj(input),
    check=check_dot, doc="Inner product of two vectors.",
)  # fmt: skip

operator(
    "vdot", lambda xp, input, other: xp.dot(xp.conj(input), other),
    input=lambda o, g, other: o.conj(g) * other,
    other=lambda o, g, input: g * input,
    check=check_dot, doc="Inner product of two vectors, the first one conjugated.",
)  # fmt: skip

operator(
    "addmm",
    lambda xp, input, mat1, mat2, *, beta=1, alpha=1: weighted_matmul(
        xp, input, mat1, mat2, beta, alpha
    ),
    input=lambda o, g, input_shape, beta: to_shape(o, scale(g, o.conj(beta)), input_shape),
    mat1=lambda o, g, mat2, alpha: scale(o.mm(g, o.t(o.conj(mat2))), o.conj(alpha)),
    mat2=lambda o, g, mat1, alpha: scale(o.mm(o.t(o.conj(mat1)), g), o.conj(alpha)),
    check=check_addmm, inplace=True, doc="beta * input + alpha * (mat1 @ mat2).",
)  # fmt: skip

operator(
    "addmv",
    lambda xp, input, mat, vec, *, beta=1, alpha=1: weighted_matmul(
        xp, input, mat, vec, beta, alpha
    ),
    kinds={"mat": "tensor"},
    input=lambda o, g, input_shape, beta: to_shape(o, scale(g, o.conj(beta)), input_shape),
    mat=lambda o, g, vec, alpha: o.unsqueeze(g, 1) * scale(o.conj(vec), o.conj(alpha)),
    vec=lambda o, g, mat, alpha: scale(o.mv(o.t(o.conj(mat)), g), o.conj(alpha)),
    check=check_addmv, inplace=True, doc="beta * input + alpha * (mat @ vec).",
)  # fmt: skip

operator(
    "addbmm",
    lambda xp, input, batch1, batch2, *, beta=1, alpha=1: addbmm_kernel(
        xp, input, batch1, batch2, beta, alpha
    ),
    input=lambda o, g, input_shape, beta: to_shape(o, scale(g, o.conj(beta)), input_shape),
    batch1=lambda o, g, batch2, batch1_shape, alpha: scale(
        o.bmm(o.expand(g, (batch1_shape[0], *g.shape)), o.transpose(o.conj(batch2), 1, 2)),
        o.conj(alpha),
    ),
    batch2=lambda o, g, batch1, batch1_shape, alpha: scale(
        o.bmm(o.transpose(o.conj(batch1), 1, 2), o.expand(g, (batch1_shape[0], *g.shape))),
        o.conj(alpha),
    ),
    check=check_addbmm, inplace=True, narrow=True,
    doc="beta * input + alpha * the sum of the products of two batches of matrices.",
)  # fmt: skip

operator(
    "baddbmm",
    lambda xp, input, batch1, batch2, *, beta=1, alpha=1: weighted_matmul(
        xp, input, batch1, batch2, beta, alpha
    ),
    input=lambda o, g, input_shape, beta: to_shape(o, scale(g, o.conj(beta)), input_shape),
    batch1=lambda o, g, batch2, alpha: scale(
        o.bmm(g, o.transpose(o.conj(batch2), 1, 2)), o.conj(alpha)
    ),
    batch2=lambda o, g, batch1, alpha: scale(
        o.bmm(o.transpose(o.conj(batch1), 1, 2), g), o.conj(alpha)
    ),
    check=check_baddbmm, inplace=True,
    doc="beta * input + alpha * the products of two batches of matrices.",
)  # fmt: skip

operator(
    "addr",
    lambda xp, input, vec1, vec2, *, beta=1, alpha=1: addr_kernel(
        xp, input, vec1, vec2, beta, alpha
    ),
    kinds={"vec1": "tensor", "vec2": "tensor"}, dtype=promoted,
    input=lambda o, g, input_shape, beta: to_shape(o, scale(g, o.conj(beta)), input_shape),
    vec1=lambda o, g, vec2, alpha: scale(o.mv(g, o.conj(vec2)), o.conj(alpha)),
    vec2=lambda o, g, vec1, alpha: scale(o.mv(o.t(g), o.conj(vec1)), o.conj(alpha)),
    narrow=True, check=check_addr, inplace=True,
    doc="beta * input + alpha * the outer product of two vectors.",
)  # fmt: skip


def _outer(o: Any, input: Any, vec2: Any) -> Any:
    check_vectors("outer", ("self", input), ("vec2", vec2))
    return o.mul(o.reshape(input, (len(input), 1)), vec2)


composite("outer", _outer, kinds={"vec2": "tensor"}, doc="Outer product of two vectors.")
composite("ger", _outer, kinds={"vec2": "tensor"}, doc="Outer product of two vectors.")

# ---------------------------------------------------------------- matmul

operator(
    "_unsafe_view", lambda xp, input, size: input.reshape(size),
    input=lambda o, g, input_shape: o.reshape(g, input_shape),
    out=False, function=False, method=False,
    doc="A fresh result in another shape, which is no view because nothing else sees the result.",
)  # fmt: skip

operator(
    "_squeeze_first", lambda xp, input, dim: input.reshape(input.shape[1:]),
    input=lambda o, g, input_shape, dim: o.reshape(g, input_shape),
    label="SqueezeBackward", index=4, out=False, function=False, method=False,
    doc="A fresh result without its first dimension, of size 1.",
)  # fmt: skip


def _folds(first: Tensor, second: Tensor) -> bool:
    """Whether a batch is multiplied as one tall matrix: by something of one or two dimensions.

    That is always so if the smaller operand wants a gradient, which would otherwise be computed for
    each matrix of the batch; else only if the batch lies in memory as such a matrix.
    """
    if first._array.ndim >= second._array.ndim:
        large, small = first, second
    else:
        large, small = second, first
    array = large._array
    if array.ndim < 3 or small._array.ndim > 2:
        return False
    if large is not first:
        array = array.swapaxes(-1, -2)
    if small.requires_grad:
        return True
    if first._array.ndim == 2:
        return False
    if array.size == 0:
        return True
    strides, shape = array.strides, array.shape
    return all(strides[i] == strides[i + 1] * shape[i + 1] for i in range(array.ndim - 2))


def _folded(o: Any, first: Tensor, second: Tensor) -> Any:
    """The product of a batch and a matrix or vector, or the other way round, by one `mm` or `mv`."""
    turned = second._array.ndim > first._array.ndim
    large, small = (o.transpose(second, -2, -1), first) if turned else (first, second)
    if turned and small._array.ndim == 2:
        small = o.t(small)
    shape = large._array.shape
    rows = 1
    for size in shape[:-1]:
        rows *= size
    tall = o.reshape(large, (rows, shape[-1]))
    if small._array.ndim == 1:
        return o._unsafe_view(o.mv(tall, small), shape[:-1])
    result = o._unsafe_view(o.mm(tall, small), (*shape[:-1], small._array.shape[1]))
    return o.contiguous(o.transpose(result, -2, -1)) if turned else result


def _batched(o: Any, first: Tensor, second: Tensor) -> Any:
    """The general case: both operands expanded to one batch shape, and one `bmm`."""
    a, b = first._array.shape, second._array.shape
    if len(a) == 3 and len(b) == 3 and a[0] != b[0]:
        if a[0] == 1 and first.requires_grad:
            return _matmul(o, o.squeeze_dim(first, 0), second)
        if b[0] == 1 and second.requires_grad:
            return _matmul(o, first, o.squeeze_dim(second, 0))
    rows = a[-2] if len(a) > 1 else 1
    batch = broadcast_batches(a[:-2], b[:-2])
    number = 1
    for size in batch:
        number *= size
    left = o.reshape(o.expand(first, (*batch, rows, a[-1])), (number, rows, a[-1]))
    if len(b) == 1:
        right = o.reshape(o.expand(second, (*batch, b[0])), (number, b[0]))
        result = o.squeeze_dim(o.bmm(left, o.unsqueeze(right, 2)), -1)
    else:
        right = o.reshape(o.expand(second, (*batch, *b[-2:])), (number, *b[-2:]))
        result = o.bmm(left, right)
    shape = batch + ((rows,) if len(a) > 1 else ()) + ((b[-1],) if len(b) > 1 else ())
    return o._unsafe_view(result, shape)


def broadcast_batches(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that two batch shapes broadcast to; ShapeError if they don't."""
    error = broadcast_error(a, b)
    if error is not None:
        raise error
    rank = max(len(a), len(b))
    a, b = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    return tuple(y if x == 1 else x for x, y in zip(a, b, strict=True))


def _matmul(o: Any, input: Any, other: Any) -> Any:
    if type(other) is not Tensor or type(input) is not Tensor:
        return NotImplemented
    a, b = input._array.ndim, other._array.ndim
    if a == 2 and b == 2:
        return o.mm(input, other)
    if a == 0 or b == 0:
        raise ShapeError(
            f"both arguments to matmul need to be at least 1D, but they are {a}D and {b}D",
            op="matmul", operands=(input, other),
        )  # fmt: skip
    if a == 1 and b == 1:
        return o.dot(input, other)
    if a == 2 and b == 1:
        return o.mv(input, other)
    if a == 1 and b == 2:
        return o._squeeze_first(o.mm(o.unsqueeze(input, 0), other), 0)
    return _folded(o, input, other) if _folds(input, other) else _batched(o, input, other)


composite(
    "matmul", _matmul, symbol="@",
    doc="Matrix product: vectors, matrices, and batches of them with broadcasting.",
)  # fmt: skip
