"""Rows: LU decompositions, and equations with their factors."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import AutogradError, DTypeError, ShapeError, StateError
from tgrad.ops.formulas import to_shape
from tgrad.ops.linalg import (
    HIDDEN,
    LINALG,
    MATRIX,
    checked,
    diagonal,
    first,
    mirror,
    need_floats,
    need_kernel,
    need_square,
    on_diagonal,
    rest,
    times,
)
from tgrad.ops.linalg_solve import check_batches, check_same_dtype, check_sides
from tgrad.ops.named import return_type
from tgrad.ops.table import composite, operator

_PIVOTS: dict[str, str] = {
    **MATRIX, "LU": "tensor", "pivots": "index", "adjoint": "bool", "LU_data": "tensor",
    "LU_pivots": "index", "unpack_data": "bool", "unpack_pivots": "bool", "get_infos": "bool",
}  # fmt: skip

# ---------------------------------------------------------------- the derivative


def lu_back(o: Any, gl: Any, gu: Any, P: Any, L: Any, U: Any) -> Any:
    """P L^-H (tril(L^H gL, -1) + triu(gU U^H)) U^-H for square matrices.

    A wide matrix has columns more, A2 = P L U2: what U2 hands on to L is L^-H gU2 U2^H.  A tall one
    has rows more, A2 = L2 U: what L2 hands on to U is L2^H gL2 U^-H.
    """
    m, n, k = L.shape[-2], U.shape[-1], L.shape[-1]
    lower, upper = first(o, L, -2, k), first(o, U, -1, k)
    below = times(o, mirror(o, lower), first(o, gl, -2, k))
    above = times(o, first(o, gu, -1, k), mirror(o, upper))
    if n > k:
        more = rest(o, gu, -1, k)
        below = below - times(o, more, mirror(o, rest(o, U, -1, k)))
    if m > k:
        more = rest(o, gl, -2, k)
        above = above - times(o, mirror(o, rest(o, L, -2, k)), more)
    inner = o.tril(below, -1) + o.triu(above, 0)
    across = mirror(o, lower)
    result = o._solve_triangular(
        across, o._solve_triangular(mirror(o, upper), inner, False, False, False), True, True, True
    )
    if n > k:
        result = o.cat((result, o._solve_triangular(across, more, True, True, True)), -1)
    if m > k:
        below = o._solve_triangular(mirror(o, upper), more, False, False, False)
        result = o.cat((result, below), -2)
    return times(o, P, result)


def _unpacked(o: Any, LU: Any) -> tuple[Any, Any]:
    """L and U from their one matrix."""
    k = min(LU.shape[-2:])
    lower = o.tril(first(o, LU, -1, k), -1)
    ones = on_diagonal(o, 1 - diagonal(o, lower))
    if LU.shape[-2] > k:
        zeros = o._zeros_of(rest(o, lower, -2, k))
        ones = o.cat((ones, zeros), -2)
    return lower + ones, o.triu(first(o, LU, -2, k), 0)


# ---------------------------------------------------------------- the decomposition


def _parts(xp: Any, packed: Any, pivots: Any) -> tuple[Any, Any, Any]:
    m, n = packed.shape[-2:]
    k = min(m, n)
    lower = xp.tril(packed[..., :, :k], -1) + xp.eye(m, k, dtype=packed.dtype)
    upper = xp.triu(packed[..., :k, :])
    return lower, upper, xp.factors.permutation(pivots, m, packed.dtype)


def _lu_parts(xp: Any, a: Any) -> tuple[Any, Any, Any]:
    return _parts(xp, *xp.factors.lu(a))


def _check_lu(name: str, a: Tensor, pivot: bool) -> None:
    if a.ndim < 2:
        raise ShapeError(
            f"{name}: Expected tensor with 2 or more dimensions. Got size: {list(a._array.shape)} instead"
        )
    need_kernel("lu_cpu", a)
    if not pivot:
        raise StateError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")


operator(
    "_linalg_lu", lambda xp, A: _lu_parts(xp, A),
    A=lambda o, g, L, U, P: lu_back(o, g[0], g[1], P, L, U),
    kinds=MATRIX, fields=("L", "U", "P"), outputs=2, result=(None, None, None),
    label="LinalgLuBackward", **HIDDEN, doc="The factors of A = P L U.",
)  # fmt: skip

_PARTS = ("P", "L", "U")


def _lu(o: Any, A: Any, *, pivot: bool = True) -> Any:
    _check_lu("linalg.lu", A, pivot)
    lower, upper, order = o._linalg_lu(A)
    return return_type("linalg_lu", _PARTS)((order, lower, upper))


composite(
    "linalg_lu", _lu, kinds=MATRIX, fields=_PARTS, **LINALG,
    doc="A = P L U: a permutation, a lower triangle with ones, an upper triangle.",
)  # fmt: skip


def _lu_factors(xp: Any, a: Any) -> tuple[Any, Any, Any]:
    packed, pivots = xp.factors.lu(a)
    return packed, pivots, xp.factors.zero_pivot(packed)


def lu_factor_back(o: Any, g: Any, LU: Any, pivots: Any) -> Any:
    """As for `lu`, with L and U from their one matrix."""
    lower, upper = _unpacked(o, LU)
    k = lower.shape[-1]
    order = o._permutation(pivots, LU.shape[-2], LU)
    gl, gu = o.tril(first(o, g, -1, k), -1), o.triu(first(o, g, -2, k), 0)
    return lu_back(o, gl, gu, order, lower, upper)


def _permutation(xp: Any, pivots: Any, rows: int, like: Any) -> Any:
    return xp.factors.permutation(pivots, rows, like.dtype)


operator(
    "_permutation", lambda xp, pivots, rows, like: _permutation(xp, pivots, rows, like),
    kinds={"pivots": "index", "rows": "int", "like": "tensor"}, differentiable=False, **HIDDEN,
    doc="The permutation matrix of exchanged rows.",
)  # fmt: skip
operator(
    "_lu_factor", lambda xp, A: _lu_factors(xp, A),
    A=lambda o, g, LU, pivots: lu_factor_back(o, g, LU, pivots),
    kinds=MATRIX, fields=("LU", "pivots", "info"), outputs=1,
    result=(None, dtypes.int32, dtypes.int32), label="LinalgLuFactorExBackward", **HIDDEN,
    doc="L and U in one matrix, the exchanged rows, and a code for each matrix.",
)  # fmt: skip


def _lu_factor(o: Any, A: Any, pivot: bool, name: str, check_errors: bool) -> Any:
    _check_lu("torch.lu_factor", A, pivot)
    return checked(name, "lu", o._lu_factor(A), check_errors)


_FACTOR, _EX = ("LU", "pivots"), ("LU", "pivots", "info")
composite(
    "linalg_lu_factor",
    lambda o, A, *, pivot=True: return_type("linalg_lu_factor", _FACTOR)(
        _lu_factor(o, A, pivot, "torch.linalg.lu_factor", True)[:2]
    ),
    kinds=MATRIX, fields=_FACTOR, **LINALG, doc="L and U in one matrix, and the exchanged rows.",
)  # fmt: skip
composite(
    "linalg_lu_factor_ex",
    lambda o, A, *, pivot=True, check_errors=False: return_type("linalg_lu_factor_ex", _EX)(
        _lu_factor(o, A, pivot, "torch.linalg.lu_factor_ex", check_errors)
    ),
    kinds=MATRIX, fields=_EX, **LINALG,
    doc="linalg.lu_factor, and for each matrix the place of the first zero pivot, 0 if there is none.",
)  # fmt: skip


def _lu_with_info(o: Any, input: Any, pivot: bool = True, get_infos: bool = False) -> Any:
    parts = _lu_factor(o, input, pivot, "", False)
    return return_type("_lu_with_info", _EX)(parts) if get_infos else tuple(parts[:2])


_LU: dict[str, Any] = {
    "kinds": _PIVOTS, "out": False, "doc": "L and U in one matrix, and the exchanged rows.",
}  # fmt: skip
composite("lu", _lu_with_info, method=False, **_LU)
composite(
    "lu.method", lambda o, input, pivot=True, get_infos=False: tuple(
        _lu_with_info(o, input, pivot, get_infos)
    ),
    function=False, **_LU,
)  # fmt: skip

# ---------------------------------------------------------------- unpacking


def _unpack_back(o: Any, g: Any, LU: Any) -> Any:
    """Each gradient in its triangle."""
    gl, gu = o.tril(g[0], -1), o.triu(g[1], 0)
    m, n = LU.shape[-2:]
    k = min(m, n)
    if n > k:
        more = o._zeros_of(rest(o, gu, -1, k))
        return gu + o.cat((gl, more), -1)
    if m > k:
        more = o._zeros_of(rest(o, gl, -2, k))
        return gl + o.cat((gu, more), -2)
    return gl + gu


operator(
    "_lu_unpack", lambda xp, LU_data, LU_pivots: _parts(xp, LU_data, LU_pivots),
    LU_data=lambda o, g, LU_data: _unpack_back(o, g, LU_data),
    kinds=_PIVOTS, fields=("L", "U", "P"), outputs=2, result=(None, None, None),
    label="LuUnpackBackward", **HIDDEN, doc="P, L and U from a packed decomposition.",
)  # fmt: skip


def _check_unpack(packed: Tensor, pivots: Tensor, unpack_pivots: bool) -> None:
    if packed.ndim < 2:
        raise ShapeError(
            "torch.lu_unpack: Expected tensor with 2 or more dimensions. Got size: "
            f"{list(packed._array.shape)} instead"
        )
    if not unpack_pivots:
        return
    if pivots._type.dtype is not dtypes.int32:
        raise DTypeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\n"
            "Note: this function is intended to be used with the output produced by "
            "torch.linalg.lu_factor"
        )
    array = pivots._array
    shape = packed._array.shape
    inside = not array.size or (array.min() >= 1 and array.max() <= shape[-2])
    if not inside or array.shape[-1:] != (min(shape[-2:]),):
        raise StateError(
            "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive."
            "Did you properly pass the result of lu_factor?"
        )


def _lu_unpack(
    o: Any, LU_data: Any, LU_pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True
) -> Any:
    _check_unpack(LU_data, LU_pivots, unpack_pivots)
    none = o.empty((0,), dtype=LU_data._type.dtype)
    if unpack_data and unpack_pivots:
        lower, upper, order = o._lu_unpack(LU_data, LU_pivots)
    elif unpack_data:
        lower, upper, _ = o._lu_unpack(LU_data, o.ones((0,), dtype=dtypes.int32))
        order = none
    else:
        lower, upper, order = none, none, none
        if unpack_pivots:
            order = o._permutation(LU_pivots, LU_data._array.shape[-2], LU_data)
    return return_type("lu_unpack", _PARTS)((order, lower, upper))


composite("lu_unpack", _lu_unpack, kinds=_PIVOTS, fields=_PARTS, method=False,
          doc="P, L and U from a packed decomposition.")  # fmt: skip

# ---------------------------------------------------------------- equations


def _solve_kernel(xp: Any, packed: Any, pivots: Any, b: Any, left: bool, adjoint: bool) -> Any:
    if left:
        return xp.factors.lu_solve(packed, pivots, b, adjoint)
    x = xp.factors.lu_solve(packed, pivots, xp.linear.mirrored(b), not adjoint)
    return xp.linear.mirrored(x)


def _solve_lu(o: Any, g: Any, LU: Any, pivots: Any, out: Any, left: bool, adjoint: bool) -> Any:
    """Through the factors: the gradient for P L U is -H X^H, with H the gradient for B."""
    h = o._lu_solve(LU, pivots, g, left, not adjoint)
    lower, upper = _unpacked(o, LU)
    whole = -times(o, h, mirror(o, out)) if left else -times(o, mirror(o, out), h)
    if adjoint:
        whole = mirror(o, whole)
    order = o._permutation(pivots, LU.shape[-2], LU)
    whole = times(o, mirror(o, order), whole)
    gl = o.tril(times(o, whole, mirror(o, upper)), -1)
    return gl + o.triu(times(o, mirror(o, lower), whole), 0)


operator(
    "_lu_solve",
    lambda xp, LU, pivots, B, left, adjoint: _solve_kernel(xp, LU, pivots, B, left, adjoint),
    LU=lambda o, g, LU, LU_shape, pivots, out, left, adjoint: to_shape(
        o, _solve_lu(o, g, LU, pivots, out, left, adjoint), LU_shape
    ),
    B=lambda o, g, LU, pivots, B_shape, left, adjoint: to_shape(
        o, o._lu_solve(LU, pivots, g, left, not adjoint), B_shape
    ),
    kinds=_PIVOTS, label="LinalgLuSolveBackward", **HIDDEN,
    doc="The solution of A X = B from the LU decomposition of A.",
)  # fmt: skip


def _check_solve(packed: Tensor, pivots: Tensor, b: Tensor, left: bool) -> None:
    name = "linalg.lu_solve"
    if pivots.requires_grad:
        raise AutogradError(
            "The function 'linalg_lu_solve' is not differentiable with respect to argument 'pivots'. "
            "This input cannot have requires_grad True."
        )
    need_floats(f"torch.{name}", packed, low=True)
    if pivots._type.dtype is not dtypes.int32:
        raise DTypeError(f"{name}: pivots should be a Tensor of scalar type torch.int32")
    check_same_dtype(name, packed, b, "LU")
    shape, order = packed._array.shape, pivots._array.shape
    need_square(f"torch.{name}", packed)
    check_sides(name, packed, b, left, False)
    if order[-1:] != shape[-1:]:
        raise ShapeError(f"{name}: Number of pivots per batch should be same as the dimension of the matrix")
    if order != shape[:-1]:
        raise ShapeError(
            f"{name}: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with "
            f"shape {list(order)} instead"
        )
    check_batches(packed, b)
    need_kernel("lu_solve_cpu", packed)
    array = pivots._array
    if array.size and array.min() < 1:
        raise StateError(
            "Pivots given to lu_solve must all be greater or equal to 1. Did you properly pass the "
            "result of lu_factor?"
        )
    if array.size and array.max() > shape[-2]:
        raise StateError(
            "Pivots given to lu_solve must all be smaller or equal to LU.size(-2). Did you properly "
            "pass the result of lu_factor?"
        )


def _lu_solve(o: Any, LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False) -> Any:
    _check_solve(LU, pivots, B, left)
    return o._lu_solve(LU, pivots, B, left, adjoint)


composite("linalg_lu_solve", _lu_solve, kinds=_PIVOTS, **LINALG,
          doc="The solution of A X = B from the LU decomposition of A.")  # fmt: skip
composite(
    "lu_solve", lambda o, input, LU_data, LU_pivots: _lu_solve(o, LU_data, LU_pivots, input),
    kinds=_PIVOTS, doc="The solution of A X = input from the LU decomposition of A.",
)  # fmt: skip
