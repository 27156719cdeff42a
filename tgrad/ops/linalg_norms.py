"""Rows: norms, powers and exponentials of matrices, ranks, tensors as matrices."""

from __future__ import annotations

import math
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ShapeError
from tgrad.ops.dimensions import numel, wrap_dim
from tgrad.ops.linalg import mirror, need_floats, need_matrix, need_square, square_check
from tgrad.ops.table import composite, operator

_LINALG: dict[str, Any] = {"module": "torch.linalg", "method": False}

# ---------------------------------------------------------------- norms


def _two_dims(name: str, input: Tensor, dim: Any) -> tuple[int, int]:
    first, second = (wrap_dim(d, input.ndim) for d in dim)
    if first == second:
        raise ShapeError(f"{name}: dims must be different. Got ({dim[0]}, {dim[1]})")
    return first, second


def _singular(o: Any, input: Any, dims: tuple[int, int], pick: str, keepdim: bool) -> Any:
    others = tuple(d for d in range(input.ndim) if d not in dims)
    values = o.linalg_svdvals(o.permute(input, (*others, *dims)))
    reduce = {"sum": o.sum_dim, "amax": o.amax, "amin": o.amin}[pick]
    result = reduce(values, (-1,), keepdim)
    if keepdim:
        result = o.unsqueeze(result, -1)
        places = (*others, *dims)
        result = o.permute(result, tuple(places.index(d) for d in range(input.ndim)))
    return result


def _matrix_norm(
    o: Any, input: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *,
    dtype: Any = None,
) -> Any:  # fmt: skip
    name = "linalg.matrix_norm"
    need_matrix(name, input)
    if len(dim) != 2:
        raise ShapeError(f"{name}: dim must be a 2-tuple. Got {' '.join(map(str, dim))}")
    need_floats_or_half(name, input)
    dims = _two_dims(name, input, dim)
    if dtype is not None:
        input = o.to_copy(input, dtype)
    if ord == "fro":
        return o.linalg_vector_norm(input, 2.0, dims, keepdim)
    if ord == "nuc":
        return _singular(o, input, dims, "sum", keepdim)
    if isinstance(ord, str) or abs(ord) not in (1, 2, math.inf):
        raise ShapeError(f"{name}: Order {ord if isinstance(ord, str) else f'{ord:g}'} not supported.")
    pick = "amax" if ord > 0 else "amin"
    if abs(ord) == 2:
        return _singular(o, input, dims, pick, keepdim)
    summed, searched = dims if abs(ord) == 1 else dims[::-1]
    sums = o.linalg_vector_norm(input, 1.0, (summed,), keepdim)
    if not keepdim and searched > summed:
        searched -= 1
    return (o.amax if ord > 0 else o.amin)(sums, (searched,), keepdim)


def need_floats_or_half(name: str, tensor: Tensor) -> None:
    """Raise PyTorch's error for whole numbers."""
    if not tensor._type.inexact:
        need_floats(name, tensor)


def _norm(
    o: Any, input: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *,
    dtype: Any = None,
) -> Any:  # fmt: skip
    dims = (dim,) if isinstance(dim, int) else dim
    if ord is None:
        return o.linalg_vector_norm(input, 2.0, dims, keepdim, dtype=dtype)
    if dims is None and not isinstance(ord, str) and input.ndim not in (1, 2):
        raise ShapeError(
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
            f"{input.ndim}D."
        )
    matrix = isinstance(ord, str) or (input.ndim == 2 if dims is None else len(dims) == 2)
    if matrix:
        return _matrix_norm(o, input, ord, (-2, -1) if dims is None else dims, keepdim, dtype=dtype)
    return o.linalg_vector_norm(input, float(ord), dims, keepdim, dtype=dtype)


composite("linalg_matrix_norm", _matrix_norm, kinds={"ord": "any", "dim": "ints"}, **_LINALG,
          doc="A norm of matrices: 'fro', 'nuc', 1, 2, inf or their negatives.")  # fmt: skip
composite("linalg_norm", _norm, kinds={"ord": "any", "dim": "ints?"}, **_LINALG,
          doc="A norm of vectors or matrices.")  # fmt: skip


def _cond(o: Any, input: Any, p: Any = None) -> Any:
    need_matrix("linalg.cond", input)
    if p is None or (not isinstance(p, str) and abs(p) == 2):
        values = o.linalg_svdvals(input)
        n = values._array.shape[-1]
        large, small = o.narrow(values, -1, 0, 1), o.narrow(values, -1, n - 1, 1)
        ratio = o.div(small, large) if p == -2 else o.div(large, small)
        return o.squeeze_dim(ratio, -1)
    text = p if isinstance(p, str) else f"{p:g}"
    need_square(f"linalg.cond(ord={text})", input)
    inverse, code = o.linalg_inv_ex(input)
    singular = o.unsqueeze(o.unsqueeze(o.ne(code, 0), -1), -1)
    inverse = o.masked_fill(inverse, singular, math.inf)
    product = o.mul(_matrix_norm(o, input, p), _matrix_norm(o, inverse, p))
    return o.nan_to_num(product, math.inf, math.inf, -math.inf)


composite("linalg_cond", _cond, kinds={"p": "any"}, **_LINALG,
          doc="How much an error of the right side grows in the solution.")  # fmt: skip


def _matrix_rank(
    o: Any, A: Any, tol: Any = None, hermitian: bool = False, *, atol: Any = None,
    rtol: Any = None,
) -> Any:  # fmt: skip
    need_matrix("torch.linalg.matrix_rank", A, "input")
    from tgrad.backends import linear

    xp, array = A._type.xp, A._array
    if not array.size:
        counts = xp.zeros(array.shape[:-2], xp.int64)
    else:
        values = (
            xp.abs(linear.eigvalsh(array)) if hermitian else linear.svd(array, compute_uv=False)
        )
        if tol is not None:
            bound: Any = tol._array[..., None] if isinstance(tol, Tensor) else tol
        else:
            least = 0.0 if atol is None else atol
            share = rtol
            if share is None:
                share = 0.0 if atol else max(array.shape[-2:]) * float(xp.finfo(values.dtype).eps)
            bound = xp.maximum(share * values.max(axis=-1, keepdims=True), least)
        counts = (values > bound).sum(axis=-1)
    type_ = A._type.related[dtypes.int64]
    return new_tensor(xp.asarray(counts).astype(xp.int64), type_)


composite(
    "linalg_matrix_rank", _matrix_rank, **_LINALG,
    kinds={"A": "tensor", "tol": "any", "hermitian": "bool", "atol": "number?", "rtol": "number?"},
    doc="The number of singular values that aren't next to nothing.",
)  # fmt: skip

# ---------------------------------------------------------------- powers and exponentials


def _matrix_power(o: Any, A: Any, n: int) -> Any:
    need_square("linalg.matrix_power", A)
    if n == 0:
        xp = A._type.xp
        eye = xp.broadcast_to(xp.eye(A._array.shape[-1], dtype=A._type.dtype.numpy), A._array.shape)
        return o.add(o.mul(A, 0), new_tensor(eye.copy(), A._type))
    if n == 1:
        return o.clone(A)
    if n == -1:
        return o.linalg_inv(A)
    if n < 0:
        A, n = o.linalg_inv(A), -n
    if n == 2:
        return o.matmul(A, A)
    if n == 3:
        return o.matmul(o.matmul(A, A), A)
    result = square = None
    while n > 0:
        square = A if square is None else o.matmul(square, square)
        if n % 2:
            result = square if result is None else o.matmul(result, square)
        n //= 2
    return result


composite("linalg_matrix_power", _matrix_power, kinds={"A": "tensor"}, **_LINALG,
          doc="Each matrix to a whole power.")  # fmt: skip
composite("matrix_power", lambda o, input, n: _matrix_power(o, input, n),
          doc="Each matrix to a whole power.")  # fmt: skip


def _exp_kernel(xp: Any, a: Any) -> Any:
    from tgrad.backends import linear

    return linear.matrix_exp(a)


def matrix_exp_back(o: Any, g: Any, A: Any) -> Any:
    """The upper right block of the exponential of [[A^H, g], [0, A^H]].

    I. Najfeld, T. Havel, Derivatives of the matrix exponential, 1995.
    """
    n = A.shape[-1]
    across = mirror(o, A)
    above = o.cat((across, g), -1)
    below = o.cat((g * 0, across), -1)
    whole = o.linalg_matrix_exp(o.cat((above, below), -2))
    rank = len(A.shape)
    return o.slice(o.slice(whole, rank - 2, 0, n, 1), rank - 1, n, 2 * n, 1)


operator(
    "linalg_matrix_exp", lambda xp, A: _exp_kernel(xp, A),
    A=lambda o, g, A: matrix_exp_back(o, g, A),
    kinds={"A": "tensor"}, check=square_check("linalg.matrix_exp"), **_LINALG,
    doc="The exponential of each matrix.",
)  # fmt: skip
composite("matrix_exp", lambda o, input: o.linalg_matrix_exp(input), out=False,
          doc="The exponential of each matrix.")  # fmt: skip

# ---------------------------------------------------------------- tensors as matrices


def _tensorinv(o: Any, A: Any, ind: int = 2) -> Any:
    if ind <= 0:
        raise ShapeError("Expected a strictly positive integer for 'ind'")
    shape = A._array.shape
    rows, columns = numel(shape[:ind]), numel(shape[ind:])
    if rows != columns:
        raise ShapeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {columns} != {rows}"
        )
    inverse = o.linalg_inv(o.reshape(A, (rows, columns)))
    return o.reshape(inverse, (*shape[ind:], *shape[:ind]))


def _tensorsolve(o: Any, A: Any, B: Any, dims: Any = None) -> Any:
    if dims is not None:
        ends = tuple(range(A.ndim - len(dims), A.ndim))
        A = o.movedim(A, tuple(dims), ends)
    result = A._array.shape[B.ndim :]
    size = numel(result)
    if size != B._array.size:
        raise ShapeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {size} != {B._array.size}"
        )
    flat = o.reshape(A, (B._array.size, size))
    return o.reshape(o.linalg_solve(flat, o.reshape(B, (B._array.size,))), result)


composite("linalg_tensorinv", _tensorinv, kinds={"A": "tensor", "ind": "int"}, **_LINALG,
          doc="The inverse of a tensor as a map of tensors.")  # fmt: skip
composite("linalg_tensorsolve", _tensorsolve, **_LINALG,
          kinds={"A": "tensor", "B": "tensor", "dims": "ints?"},
          doc="The X with tensordot(A, X, X.ndim) = B.")  # fmt: skip


def _vander(o: Any, x: Any, *, N: Any = None) -> Any:
    size = x._array.shape[-1] if N is None else N
    if N is not None and N <= 1:
        raise ShapeError("N must be greater than 1.")
    xp = x._type.xp
    first = new_tensor(xp.ones((*x._array.shape, 1), x._type.dtype.numpy), x._type)
    columns = o.expand(o.unsqueeze(x, -1), (*x._array.shape, size - 1))
    return o.cat((first, o.cumprod(columns, -1)), -1)


composite("linalg_vander", _vander, kinds={"x": "tensor", "N": "int?"}, out=False, **_LINALG,
          doc="The powers of each number: 1, x, x^2, ...")  # fmt: skip
composite(
    "linalg_diagonal", lambda o, A, *, offset=0, dim1=-2, dim2=-1: o.diagonal(A, offset, dim1, dim2),
    kinds={"A": "tensor", "dim2": "int"}, out=False, **_LINALG, doc="The diagonal of each matrix.",
)  # fmt: skip
composite("linalg_matmul", lambda o, input, other: o.matmul(input, other), **_LINALG,
          doc="The matrix product.")  # fmt: skip

