"""Rows: norms of matrices, powers and exponentials."""

from __future__ import annotations

import math
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import ShapeError
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.linalg import (
    LINALG,
    identity_like,
    mirror,
    need_floats,
    need_matrix,
    need_square,
)
from tgrad.ops.table import composite, operator
from tgrad.ops.variance import norm_dtype

# ---------------------------------------------------------------- norms


def _two_dims(name: str, input: Tensor, dim: Any, wrapped: bool) -> tuple[int, int]:
    first, second = (wrap_dim(d, input.ndim) for d in dim)
    if first == second:
        shown = (first, second) if wrapped else tuple(dim)
        raise ShapeError(f"{name}: dims must be different. Got {shown}")
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
    o: Any, input: Any, ord: Any, dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Any:
    name = "linalg.matrix_norm"
    if isinstance(ord, str):
        known, by_values = ord in ("fro", "nuc"), ord == "nuc"
    else:
        known, by_values = abs(ord) in (1, 2, math.inf), abs(ord) == 2
    if not known:
        raise ShapeError(f"{name}: Order {ord if isinstance(ord, str) else f'{ord:g}'} not supported.")
    need_matrix(name, input)
    if len(dim) != 2:
        raise ShapeError(f"{name}: dim must be a 2-tuple. Got {' '.join(map(str, dim))}")
    need_floats(name, input, low=not by_values)
    dims = _two_dims(name, input, dim, by_values)
    if dtype is not None:
        input = o.to_copy(input, norm_dtype(name, input._type.dtype, dtype))
    if ord == "fro":
        return o.linalg_vector_norm(input, 2.0, dims, keepdim)
    if by_values:
        pick = "sum" if ord == "nuc" else "amax" if ord > 0 else "amin"
        return _singular(o, input, dims, pick, keepdim)
    summed, searched = dims if abs(ord) == 1 else dims[::-1]
    sums = o.linalg_vector_norm(input, 1.0, (summed,), keepdim)
    if not keepdim and searched > summed:
        searched -= 1
    if ord > 0 and not sums._array.shape[searched]:
        return o.sum_dim(sums, (searched,), keepdim)
    return (o.amax if ord > 0 else o.amin)(sums, (searched,), keepdim)


def _norm(
    o: Any, input: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *,
    dtype: Any = None,
) -> Any:  # fmt: skip
    dims = (dim,) if isinstance(dim, int) else dim
    if ord is None:
        return o.linalg_vector_norm(input, 2.0, dims, keepdim, dtype=dtype)
    if dims is not None and len(dims) not in (1, 2):
        raise ShapeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}")
    if dims is None and input.ndim not in (1, 2):
        raise ShapeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {input.ndim}D."
        )
    matrix = isinstance(ord, str) or (input.ndim == 2 if dims is None else len(dims) == 2)
    if matrix:
        return _matrix_norm(o, input, ord, (-2, -1) if dims is None else dims, keepdim, dtype=dtype)
    return o.linalg_vector_norm(input, float(ord), dims, keepdim, dtype=dtype)


_MATRIX_NORM: dict[str, Any] = {
    **LINALG, "doc": "A norm of matrices: 'fro', 'nuc', 1, 2, inf or their negatives.",
}  # fmt: skip
_NORM: dict[str, Any] = {**LINALG, "doc": "A norm of vectors or matrices."}
composite("linalg_matrix_norm", _matrix_norm, kinds={"ord": "number", "dim": "ints"}, **_MATRIX_NORM)
composite(
    "linalg_matrix_norm.str_ord",
    lambda o, input, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None: _matrix_norm(
        o, input, ord, dim, keepdim, dtype=dtype
    ),
    kinds={"ord": "str", "dim": "ints"}, **_MATRIX_NORM,
)  # fmt: skip
composite("linalg_norm", _norm, kinds={"ord": "number?", "dim": "ints?"}, **_NORM)
composite(
    "linalg_norm.ord_str",
    lambda o, input, ord, dim=None, keepdim=False, *, dtype=None: _norm(
        o, input, ord, dim, keepdim, dtype=dtype
    ),
    kinds={"ord": "str", "dim": "ints?"}, **_NORM,
)  # fmt: skip


_OLD_NORM: dict[str, Any] = {"method": False, "doc": "An older name of torch.linalg.matrix_norm's."}
composite(
    "nuclear_norm", lambda o, input, keepdim=False: _matrix_norm(o, input, "nuc", (-2, -1), keepdim),
    **_OLD_NORM,
)  # fmt: skip
composite(
    "nuclear_norm.dim",
    lambda o, input, dim, keepdim=False: _matrix_norm(o, input, "nuc", dim, keepdim),
    kinds={"dim": "ints"}, **_OLD_NORM,
)  # fmt: skip
composite(
    "frobenius_norm.dim",
    lambda o, input, dim, keepdim=False: o.linalg_vector_norm(input, 2.0, dim, keepdim),
    kinds={"dim": "ints"}, **_OLD_NORM,
)  # fmt: skip


def _cond(o: Any, input: Any, p: Any = None) -> Any:
    need_matrix("linalg.cond", input, "")
    if p is None or (not isinstance(p, str) and abs(p) == 2):
        return _cond_of_values(o, o.linalg_svdvals(input), p)
    text = p if isinstance(p, str) else f"{p:g}"
    if p not in ("fro", "nuc", 1, -1, math.inf, -math.inf):
        raise ShapeError(f"linalg.cond got an invalid norm type: {text}")
    need_square(f"linalg.cond(ord={text})", input)
    if not input._array.size:
        return _zeros(o, input)
    inverse, code = o.linalg_inv_ex(input)
    singular = o.unsqueeze(o.unsqueeze(o.ne(code, 0), -1), -1)
    inverse = o.masked_fill(inverse, singular, 0.0)
    product = o.mul(_matrix_norm(o, input, p), _matrix_norm(o, inverse, p))
    product = o.masked_fill(product, o.ne(code, 0), math.inf)
    return o.nan_to_num(product, math.inf, math.inf, -math.inf)


def _cond_of_values(o: Any, values: Any, p: Any) -> Any:
    n = values._array.shape[-1]
    if not n:
        return _zeros(o, values, 1)
    large, small = o.narrow(values, -1, 0, 1), o.narrow(values, -1, n - 1, 1)
    ratio = o.div(small, large) if p == -2 else o.div(large, small)
    return o.squeeze_dim(ratio, -1)


def _zeros(o: Any, like: Any, dims: int = 2) -> Any:
    return o.zeros(like._array.shape[:-dims], dtype=like._type.dtype.to_real())


_COND: dict[str, Any] = {**LINALG, "doc": "How much an error of the right side grows in the solution."}
composite("linalg_cond", _cond, kinds={"p": "number?"}, **_COND)
composite("linalg_cond.p_str", lambda o, input, p: _cond(o, input, p), kinds={"p": "str"}, **_COND)

# ---------------------------------------------------------------- powers and exponentials


def _matrix_power(o: Any, input: Any, n: int) -> Any:
    need_square("linalg.matrix_power", input)
    size = input._array.shape[-1]
    if n == 0:
        return o.copy_(o.clone(input), identity_like(o, input, size, size))
    if n == 1:
        return o.clone(input)
    if n == -1:
        return o.linalg_inv(input)
    if n < 0:
        input, n = o.linalg_inv(input), -n
    if n == 2:
        return o.matmul(input, input)
    if n == 3:
        return o.matmul(o.matmul(input, input), input)
    result = square = None
    while n > 0:
        square = input if square is None else o.matmul(square, square)
        if n % 2:
            result = square if result is None else o.matmul(result, square)
        n //= 2
    return result


composite("linalg_matrix_power", _matrix_power, **LINALG, doc="Each matrix to a whole power.")
composite("matrix_power", lambda o, input, n: _matrix_power(o, input, n),
          doc="Each matrix to a whole power.")  # fmt: skip


def _exp_kernel(xp: Any, a: Any) -> Any:
    from tgrad.backends.matrix_exp import matrix_exp

    return matrix_exp(a)


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


def _check_exp(input: Tensor) -> None:
    need_square("linalg.matrix_exp", input)
    need_floats("linalg.matrix_exp", input, low=True)


operator(
    "linalg_matrix_exp", lambda xp, input: _exp_kernel(xp, input),
    input=lambda o, g, input: matrix_exp_back(o, g, input), check=_check_exp, out=False, **LINALG,
    doc="The exponential of each matrix.",
)  # fmt: skip
composite("matrix_exp", lambda o, input: o.linalg_matrix_exp(input), out=False,
          doc="The exponential of each matrix.")  # fmt: skip


def _vander(o: Any, x: Any, *, N: Any = None) -> Any:
    dtype: dtypes.DType = x._type.dtype
    if x._type.narrow or dtype.category == dtypes.BOOL:
        raise ShapeError(
            f"linalg.vander supports floating point, complex, and integer tensors, but got {dtype.title}"
        )
    if not x.ndim:
        x = o.unsqueeze(x, -1)
    shape = x._array.shape
    size = shape[-1] if N is None else N
    if size <= 1:
        raise ShapeError("N must be greater than 1.")
    first = o.ones((*shape, 1), dtype=dtype)
    columns = o.expand(o.unsqueeze(x, -1), (*shape, size - 1))
    if dtype.category < dtypes.FLOATING:
        first = o.to_copy(first, dtypes.int64)
    return o.cat((first, o.cumprod(columns, -1)), -1)


composite("linalg_vander", _vander, kinds={"x": "tensor", "N": "int?"}, out=False, **LINALG,
          doc="The powers of each number: 1, x, x^2, ...")  # fmt: skip
composite(
    "linalg_diagonal", lambda o, A, *, offset=0, dim1=-2, dim2=-1: o.diagonal(A, offset, dim1, dim2),
    kinds={"A": "tensor", "dim2": "int"}, out=False, **LINALG, doc="The diagonal of each matrix.",
)  # fmt: skip
composite("linalg_matmul", lambda o, input, other: o.matmul(input, other), **LINALG,
          doc="The matrix product.")  # fmt: skip
