"""Rows: the Cholesky decomposition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import new_tensor
from tgrad.ops.linalg import (
    LinAlgError,
    diagonal,
    mirror,
    on_diagonal,
    square_check,
    times,
)
from tgrad.ops.linalg_solve import EQUATION
from tgrad.ops.named import return_type
from tgrad.ops.table import composite, operator


def _cholesky_kernel(xp: Any, a: Any, upper: bool, name: str) -> Any:
    from tgrad.backends import linear

    try:
        return linear.cholesky(a, upper)
    except linear.LinAlgError:
        batch, order = _first_not_positive(a)
        raise LinAlgError(
            f"{name}: {batch}The factorization could not be completed because the input is not "
            f"positive-definite (the leading minor of order {order} is not positive-definite)."
        ) from None


def _first_not_positive(a: Any) -> tuple[str, int]:
    from tgrad.backends import linear

    for number, matrix in enumerate(a.reshape(-1, *a.shape[-2:])):
        for order in range(1, matrix.shape[0] + 1):
            try:
                linear.cholesky(matrix[:order, :order], False)
            except linear.LinAlgError:
                return (f"(Batch element {number}): " if a.ndim > 2 else ""), order
    return "", 1


def cholesky_back(o: Any, g: Any, out: Any, upper: bool) -> Any:
    """L^-H S L^-1, S the symmetric part of the lower triangle of L^H g, its diagonal halved.

    I. Murray, Differentiation of the Cholesky decomposition, 2016.
    """
    factor, g = (mirror(o, out), mirror(o, g)) if upper else (out, g)
    product = o.tril(times(o, mirror(o, factor), g), 0)
    half = product - on_diagonal(o, diagonal(o, product)) * 0.5
    inner = (half + mirror(o, half)) * 0.5
    across = mirror(o, factor)
    left = o._solve_triangular(across, inner, True, True, False)
    return o._solve_triangular(factor, left, False, False, False)


def _cholesky_of(name: str) -> Callable[..., Any]:
    return lambda xp, A, upper: _cholesky_kernel(xp, A, upper, name)


for _key, _name, _label in (
    ("_linalg_cholesky", "linalg.cholesky", "LinalgCholeskyExBackward"),
    ("_cholesky", "cholesky", "CholeskyBackward"),
):
    operator(
        _key,
        _cholesky_of(_name),
        A=lambda o, g, out, upper: cholesky_back(o, g, out, upper),
        kinds={"A": "tensor", "upper": "bool"}, label=_label, function=False, method=False,
        check=square_check(_name), doc="L with L L' = A, or its conjugate transpose.",
    )  # fmt: skip

composite("linalg_cholesky", lambda o, A, *, upper=False: o._linalg_cholesky(A, upper),
          kinds=EQUATION, module="torch.linalg", method=False,
          doc="The triangular matrix L with L L' = A.")  # fmt: skip
composite("cholesky", lambda o, input, upper=False: o._cholesky(input, upper), kinds=EQUATION,
          doc="The triangular matrix L with L L' = input.")  # fmt: skip


def _cholesky_ex(
    o: Any, A: Any, *, upper: bool = False, check_errors: bool = False
) -> Any:
    code = o.zeros(A._array.shape[:-2], dtype=dtypes.int32)
    return return_type("linalg_cholesky_ex", ("L", "info"))((o._linalg_cholesky(A, upper), code))


composite("linalg_cholesky_ex", _cholesky_ex, module="torch.linalg", method=False, out=False,
          kinds={**EQUATION, "check_errors": "bool"},
          doc="linalg.cholesky, and a code of 0.")  # fmt: skip


def _cholesky_solve(o: Any, input: Any, L: Any, upper: bool = False) -> Any:
    if upper:
        inner = o._solve_triangular(mirror(o, L), input, False, True, False)
        return o._solve_triangular(L, inner, True, True, False)
    inner = o._solve_triangular(L, input, False, True, False)
    return o._solve_triangular(mirror(o, L), inner, True, True, False)


def _identity_like(o: Any, a: Any) -> Any:
    xp, n = a._type.xp, a._array.shape[-1]
    return new_tensor(xp.eye(n, dtype=a._type.dtype.numpy), a._type)


composite("cholesky_solve", _cholesky_solve, kinds={**EQUATION, "L": "tensor"},
          doc="The solution of L L' X = input.")  # fmt: skip
composite(
    "cholesky_inverse",
    lambda o, L, upper=False: _cholesky_solve(o, _identity_like(o, L), L, upper),
    kinds={**EQUATION, "L": "tensor"}, doc="The inverse of L L'.",
)  # fmt: skip
