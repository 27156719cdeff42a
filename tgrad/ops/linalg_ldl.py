"""Rows: the decomposition of symmetric matrices into L D L'."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.dtype import DType
from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError, ShapeError, StateError
from tgrad.ops.linalg import (
    LINALG,
    MATRIX,
    checked,
    need_floats,
    need_kernel,
    need_square,
    refuse_codes,
)
from tgrad.ops.linalg_solve import check_old_sides
from tgrad.ops.named import return_type
from tgrad.ops.table import composite, operator

_KINDS: dict[str, str] = {**MATRIX, "LD": "tensor", "pivots": "index"}
_NO_DERIVATIVE = "PyTorch has none either; use torch.linalg.solve or torch.linalg.lu"


def _kernel(xp: Any, a: Any, hermitian: bool, check_errors: bool, name: str) -> Any:
    result = xp.factors.ldl(a, hermitian)
    if check_errors:
        refuse_codes(f"torch.{name}", "ldl", result[-1])
    return result


def _check(input: Tensor, hermitian: bool = False, check_errors: bool = False) -> None:
    name = "torch.linalg.ldl_factor_ex"
    need_square(name, input)
    need_floats(name, input, low=True)
    need_kernel("ldl_factor_kernel_cpu", input)


_FACTOR, _EX = ("LD", "pivots"), ("LD", "pivots", "info")
operator(
    "linalg_ldl_factor_ex",
    lambda xp, input, *, hermitian=False, check_errors=False: _kernel(
        xp, input, hermitian, check_errors, "linalg.ldl_factor_ex"
    ),
    kinds=_KINDS, fields=_EX, result=(None, dtypes.int32, dtypes.int32), outputs=1, check=_check,
    differentiable=_NO_DERIVATIVE, **LINALG,
    doc="linalg.ldl_factor, and a code for each matrix.",
)  # fmt: skip


def _ldl_factor(o: Any, input: Any, *, hermitian: bool = False) -> Any:
    parts = o.linalg_ldl_factor_ex(input, hermitian=hermitian)
    return return_type("linalg_ldl_factor", _FACTOR)(checked("torch.linalg.ldl_factor", "ldl", parts)[:2])


composite("linalg_ldl_factor", _ldl_factor, kinds=_KINDS, fields=_FACTOR, **LINALG,
          doc="input = L D L', L and D in one matrix, and the exchanged rows.")  # fmt: skip


def _solve_kernel(xp: Any, packed: Any, pivots: Any, b: Any, hermitian: bool) -> Any:
    return xp.factors.ldl_solve(packed, pivots, b, hermitian)


def _check_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False) -> None:
    name = "torch.linalg.ldl_solve"
    need_square(name, LD)
    need_floats(name, LD, low=True)
    if B.ndim > 1:
        check_old_sides(name, B, LD)
    else:
        from tgrad.ops.dimensions import wrap_dim

        wrap_dim(-2, B.ndim)
    dtype: DType = pivots._type.dtype
    if pivots._array.shape != LD._array.shape[:-1]:
        raise ShapeError(
            f"{name}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with "
            f"shape {list(pivots._array.shape)} instead"
        )
    if dtype.category != dtypes.int32.category:
        raise DTypeError(f"{name}: Expected pivots to be integers. Got {dtype.title}")
    need_kernel("ldl_solve_kernel_cpu", LD)
    array = pivots._array
    if array.size and (abs(array) > LD._array.shape[-2]).any():
        raise StateError(
            "Pivots given to ldl_solve must all satisfy |pivot| <= LD.size(-2). Did you properly pass "
            "the result of ldl_factor?"
        )


operator(
    "linalg_ldl_solve",
    lambda xp, LD, pivots, B, *, hermitian=False: _solve_kernel(xp, LD, pivots, B, hermitian),
    kinds=_KINDS, check=_check_solve, differentiable=_NO_DERIVATIVE, **LINALG,
    doc="The solution of A X = B from the decomposition of A.",
)  # fmt: skip
