"""Rows: the Cholesky decomposition."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import ShapeError
from tgrad.ops.formulas import to_shape
from tgrad.ops.linalg import (
    HIDDEN,
    LINALG,
    MATRIX,
    checked,
    enclosed,
    mirror,
    need_kernel,
    need_square,
    square_check,
    times,
)
from tgrad.ops.linalg_solve import check_old_sides
from tgrad.ops.named import return_type
from tgrad.ops.table import composite, operator


def _cholesky_kernel(xp: Any, a: Any, upper: bool) -> Any:
    return xp.linear.cholesky(a, upper)


def cholesky_back(o: Any, g: Any, out: Any, upper: bool) -> Any:
    """L^-H S L^-1, S the symmetric part of the lower triangle of L^H g.

    I. Murray, Differentiation of the Cholesky decomposition, 2016.
    """
    across = out if upper else mirror(o, out)
    product = times(o, across, mirror(o, g) if upper else g)
    inner = o._mirrored_triangle(product, False) * 0.5
    return enclosed(o, inner, across)


for _key, _name, _label in (
    ("_linalg_cholesky", "linalg.cholesky", "LinalgCholeskyExBackward"),
    ("_cholesky", "cholesky", "CholeskyBackward"),
):
    operator(
        _key, lambda xp, A, upper: _cholesky_kernel(xp, A, upper),
        A=lambda o, g, L, upper: cholesky_back(o, g, L, upper),
        fields=("L", "info"), outputs=1, result=(None, dtypes.int32), kinds=MATRIX, label=_label,
        check=square_check(_name, "cholesky_cpu", whole=_name == "cholesky"), **HIDDEN,
        doc="L with L L' = A, or its conjugate transpose, and a code for each matrix.",
    )  # fmt: skip

_EX = return_type("linalg_cholesky_ex", ("L", "info"))
composite(
    "linalg_cholesky",
    lambda o, input, *, upper=False: checked(
        "linalg.cholesky", "cholesky", o._linalg_cholesky(input, upper)
    )[0],
    kinds=MATRIX, **LINALG, doc="The triangular matrix L with L L' = input.",
)  # fmt: skip
composite(
    "linalg_cholesky_ex",
    lambda o, input, *, upper=False, check_errors=False: _EX(
        checked("linalg.cholesky_ex", "cholesky", o._linalg_cholesky(input, upper), check_errors)
    ),
    kinds=MATRIX, fields=_EX.fields, **LINALG,
    doc="linalg.cholesky, and for each matrix the order of the first minor that isn't positive.",
)  # fmt: skip


def _cholesky(o: Any, input: Any, upper: bool = False) -> Any:
    shape = input._array.shape
    if not input._array.size and len(shape) > 1 and shape[-1] != shape[-2]:
        return o.empty_like(input)
    return checked("cholesky", "cholesky", o._cholesky(input, upper))[0]


composite("cholesky", _cholesky, kinds=MATRIX, doc="The triangular matrix L with L L' = input.")

# ---------------------------------------------------------------- equations with the factor


def _solve_kernel(xp: Any, b: Any, factor: Any, upper: bool) -> Any:
    across = xp.linear.mirrored(factor)
    lower, above = (across, factor) if upper else (factor, across)
    return xp.factors.solve_triangular(
        above, xp.factors.solve_triangular(lower, b, False, False), True, False
    )


def _around(o: Any, factor: Any, common: Any, upper: bool) -> Any:
    """The gradient for the factor, of which a product of it with its mirror was inverted."""
    return -times(o, factor, common) if upper else -times(o, common, factor)


def _solve_back(o: Any, g: Any, factor: Any, out: Any, upper: bool) -> Any:
    product = times(o, o._cholesky_solve(g, factor, upper), mirror(o, out))
    return _around(o, factor, product + mirror(o, product), upper)


operator(
    "_cholesky_solve", lambda xp, input, L, upper: _solve_kernel(xp, input, L, upper),
    input=lambda o, g, input_shape, L, upper: to_shape(
        o, o._cholesky_solve(g, L, upper), input_shape
    ),
    L=lambda o, g, L, L_shape, out, upper: to_shape(o, _solve_back(o, g, L, out, upper), L_shape),
    kinds={**MATRIX, "L": "tensor"}, label="CholeskySolveBackward", **HIDDEN,
    doc="The solution of L L' X = input.",
)  # fmt: skip


def _check_solve(b: Tensor, factor: Tensor) -> None:
    for label, tensor in (("b", b), ("u", factor)):
        if tensor.ndim < 2:
            raise ShapeError(
                f"{label} should have at least 2 dimensions, but has {tensor.ndim} dimensions instead"
            )
    check_old_sides("cholesky_solve", b, factor)
    need_kernel("cholesky_solve_cpu", b)


def _cholesky_solve(o: Any, input: Any, input2: Any, upper: bool = False) -> Any:
    _check_solve(input, input2)
    return o._cholesky_solve(input, input2, upper)


composite("cholesky_solve", _cholesky_solve, kinds={**MATRIX, "input2": "tensor"},
          doc="The solution of L L' X = input, for L = input2.")  # fmt: skip


def _check_inverse(input: Tensor, upper: bool = False) -> None:
    need_square("cholesky_inverse", input)
    need_kernel("cholesky_inverse_out_cpu", input)


def _inverse_back(o: Any, g: Any, factor: Any, out: Any, upper: bool) -> Any:
    return _around(o, factor, times(o, out, g + mirror(o, g), out), upper)


def _inverse_kernel(xp: Any, factor: Any, upper: bool) -> Any:
    n = factor.shape[-1]
    return _solve_kernel(xp, xp.eye(n, dtype=factor.dtype), factor, upper)


operator(
    "cholesky_inverse", lambda xp, input, upper=False: _inverse_kernel(xp, input, upper),
    input=lambda o, g, input, out, upper: _inverse_back(o, g, input, out, upper),
    check=_check_inverse, kinds=MATRIX, doc="The inverse of L L', for L = input.",
)  # fmt: skip
