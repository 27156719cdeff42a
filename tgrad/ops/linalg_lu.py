"""Rows: LU decompositions."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import NotAvailableError, ShapeError
from tgrad.ops.linalg import diagonal, mirror, need_floats, on_diagonal, times
from tgrad.ops.named import return_type
from tgrad.ops.table import composite, operator

_LINALG: dict[str, Any] = {"module": "torch.linalg", "method": False}
_HIDDEN: dict[str, Any] = {"function": False, "method": False, "out": False}


def _lu_parts(xp: Any, a: Any) -> tuple[Any, Any, Any]:
    from tgrad.backends import linear

    factors, pivots = linear.lu(a)
    m, n = a.shape[-2:]
    k = min(m, n)
    unit = xp.eye(m, k, dtype=a.dtype)
    lower = xp.tril(factors[..., :, :k], -1) + unit
    upper = xp.triu(factors[..., :k, :])
    return lower, upper, linear.permutation(pivots, m, a.dtype)


def lu_back(o: Any, gl: Any, gu: Any, P: Any, L: Any, U: Any) -> Any:
    """P L^-H (tril(L^H gL, -1) + triu(gU U^H)) U^-H, for square matrices."""
    if L.shape[-2] != U.shape[-1]:
        raise NotAvailableError("the derivative of linalg.lu is available for square matrices only")
    inner = o.tril(times(o, mirror(o, L), gl), -1) + o.triu(times(o, gu, mirror(o, U)), 0)
    right = o._solve_triangular(mirror(o, U), inner, False, False, False)
    return times(o, P, o._solve_triangular(mirror(o, L), right, True, True, True))


def _check_lu(A: Tensor, *, pivot: bool = True) -> None:
    if A.ndim < 2:
        raise ShapeError(
            f"linalg.lu: Expected tensor with 2 or more dimensions. Got size: "
            f"{list(A._array.shape)} instead"
        )
    need_floats("linalg.lu", A)


operator(
    "_linalg_lu", lambda xp, A: _lu_parts(xp, A),
    A=lambda o, g, L, U, P: lu_back(o, g[0], g[1], P, L, U),
    kinds={"A": "tensor"}, fields=("L", "U", "P"), outputs=2, result=(None, None, None),
    check=_check_lu, label="LinalgLuBackward", **_HIDDEN,
    doc="The factors of A = P L U.",
)  # fmt: skip


def _lu(o: Any, A: Any, *, pivot: bool = True) -> Any:
    lower, upper, order = o._linalg_lu(A)
    return return_type("linalg_lu", ("P", "L", "U"))((order, lower, upper))


composite(
    "linalg_lu", _lu, kinds={"A": "tensor", "pivot": "bool"}, out=False, **_LINALG,
    doc="A = P L U: a permutation, a lower triangle with ones, an upper triangle.",
)  # fmt: skip


def _lu_factors(xp: Any, a: Any) -> tuple[Any, Any]:
    from tgrad.backends import linear

    return linear.lu(a)


def lu_factor_back(o: Any, g: Any, LU: Any, pivots: Any) -> Any:
    """As for `lu`, with L and U from their one matrix."""
    n = LU.shape[-1]
    lower, upper = _unpacked(o, LU)
    order = o._permutation(pivots, LU.shape[-2], LU)
    return lu_back(o, o.tril(g[0], -1), o.triu(g[0], 0), order, lower, upper) if n else g[0]


def _unpacked(o: Any, LU: Any) -> tuple[Any, Any]:
    lower = o.tril(LU, -1)
    return lower + on_diagonal(o, 1 - diagonal(o, lower)), o.triu(LU, 0)


def _permutation(xp: Any, pivots: Any, rows: int, like: Any) -> Any:
    from tgrad.backends import linear

    return linear.permutation(pivots, rows, like.dtype)


operator(
    "_permutation", lambda xp, pivots, rows, like: _permutation(xp, pivots, rows, like),
    kinds={"pivots": "index", "rows": "int", "like": "tensor"}, differentiable=False, **_HIDDEN,
    doc="The permutation matrix of exchanged rows.",
)  # fmt: skip
operator(
    "linalg_lu_factor", lambda xp, A, *, pivot=True: _lu_factors(xp, A),
    A=lambda o, g, LU, pivots: lu_factor_back(o, (g,) if not isinstance(g, tuple) else g, LU, pivots),
    kinds={"A": "tensor", "pivot": "bool"}, fields=("LU", "pivots"), outputs=1,
    result=(None, dtypes.int32), check=_check_lu, out=False, label="LinalgLuFactorExBackward",
    **_LINALG, doc="L and U in one matrix, and the exchanged rows.",
)  # fmt: skip


def _lu_solve(
    o: Any, LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False
) -> Any:
    lower, upper = _unpacked(o, LU)
    order = o._permutation(pivots, LU._array.shape[-2], LU)
    full = times(o, order, lower, upper)
    if adjoint:
        full = mirror(o, full)
    return o._solve_ex(full, B, left, False)


composite(
    "linalg_lu_solve", _lu_solve, **_LINALG,
    kinds={"LU": "tensor", "pivots": "tensor", "B": "tensor", "left": "bool", "adjoint": "bool"},
    doc="The solution of A X = B from the LU decomposition of A.",
)  # fmt: skip
composite(
    "lu_solve", lambda o, input, LU_data, LU_pivots: _lu_solve(o, LU_data, LU_pivots, input),
    kinds={"LU_data": "tensor", "LU_pivots": "tensor"},
    doc="The solution of A X = input from the LU decomposition of A.",
)  # fmt: skip
composite("lu", lambda o, input, pivot=True, get_infos=False: tuple(o.linalg_lu_factor(input)),
          kinds={"pivot": "bool", "get_infos": "bool"}, out=False,
          doc="L and U in one matrix, and the exchanged rows.")  # fmt: skip


def _lu_factor_ex(
    o: Any, A: Any, *, pivot: bool = True, check_errors: bool = False
) -> Any:
    factors, pivots = o.linalg_lu_factor(A, pivot=pivot)
    code = o.zeros(A._array.shape[:-2], dtype=dtypes.int32)
    return return_type("linalg_lu_factor_ex", ("LU", "pivots", "info"))((factors, pivots, code))


composite(
    "linalg_lu_factor_ex", _lu_factor_ex, out=False, **_LINALG,
    kinds={"A": "tensor", "pivot": "bool", "check_errors": "bool"},
    doc="linalg.lu_factor, and a code of 0.",
)  # fmt: skip
