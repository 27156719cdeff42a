"""Rows: inverses and determinants."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.device import type_of
from tgrad.core.tensor import Tensor
from tgrad.ops.linalg import (
    HIDDEN,
    LINALG,
    MATRIX,
    checked,
    is_complex,
    matrices_of,
    mirror,
    need_floats,
    need_kernel,
    need_square,
    square_check,
    times,
    turned,
)
from tgrad.ops.named import return_type
from tgrad.ops.table import composite, operator

# ---------------------------------------------------------------- inverses


def _inverse(xp: Any, a: Any) -> Any:
    return xp.linear.inverse(a)


def inverse_back(o: Any, g: Any, out: Any) -> Any:
    """-A^-H g A^-H."""
    across = mirror(o, out)
    return -times(o, across, g, across)


operator(
    "_linalg_inv", lambda xp, A: _inverse(xp, A),
    A=lambda o, g, inverse: inverse_back(o, g, inverse),
    fields=("inverse", "info"), outputs=1, result=(None, dtypes.int32), kinds=MATRIX,
    label="LinalgInvExBackward", check=square_check("linalg.inv"), **HIDDEN,
    doc="The inverse of each matrix, and the place of the first zero pivot, 0 if there is none.",
)  # fmt: skip
_EX = return_type("linalg_inv_ex", ("inverse", "info"))

composite(
    "linalg_inv_ex",
    lambda o, A, *, check_errors=False: _EX(
        checked("linalg.inv_ex", "inv", o._linalg_inv(A), check_errors)
    ),
    kinds=MATRIX, fields=_EX.fields, **LINALG,
    doc="The inverse of each matrix, and the place of the first zero pivot, 0 if there is none.",
)  # fmt: skip
composite("linalg_inv", lambda o, A: checked("linalg.inv", "inv", o._linalg_inv(A))[0],
          kinds=MATRIX, **LINALG, doc="The inverse of each matrix.")  # fmt: skip
composite("inverse", lambda o, input: o.linalg_inv(input), doc="The inverse of each matrix.")

# ---------------------------------------------------------------- determinants


def _determinant(xp: Any, a: Any) -> Any:
    return xp.linear.det(a)


def _check_det(A: Tensor) -> None:
    need_square("linalg.det", A)
    need_floats("linalg.det", A, low=True)
    need_kernel("lu_cpu", A)


operator(
    "linalg_det", lambda xp, A: _determinant(xp, A),
    A=lambda o, g, A: matrices_of(o, g) * o.conj(o._cofactor(A)),
    check=_check_det, kinds=MATRIX, **LINALG,
    doc="The determinant of each matrix.",
)  # fmt: skip


def _cofactor(xp: Any, a: Any) -> Any:
    return xp.linear.cofactor(a)


def cofactor_back(o: Any, g: Any, input: Any, out: Any) -> Any:
    """With B = A^-T: the product of g and B, times the cofactors C, less C g^T B.

    Where the inverse doesn't exist the kernel does it, which has no derivative with respect to A.
    """
    array = getattr(input, "_array", input)
    if array.dtype.kind != "c" and not type_of(array).xp.linear.det(array).all():
        return o._cofactor_backward(g, input)
    b = turned(o, o._linalg_inv(input)[0])
    trace = matrices_of(o, o.sum_dim(g * o.conj(b), (-2, -1), False))
    return trace * o.conj(out) - times(o, o.conj(out), turned(o, g), o.conj(b))


def _cofactor_back(xp: Any, g: Any, a: Any) -> Any:
    return xp.linear.cofactor_back(g, a)


operator(
    "_cofactor_backward", lambda xp, grad, input: _cofactor_back(xp, grad, input),
    grad=lambda o, g, input: o._cofactor_backward(g, input),
    kinds={"grad": "tensor"}, function=False, method=False,
    doc="The derivative of the cofactors of singular matrices.",
)  # fmt: skip
operator(
    "_cofactor", lambda xp, input: _cofactor(xp, input),
    input=lambda o, g, input, out: cofactor_back(o, g, input, out),
    function=False, method=False, doc="The derivative of the determinant.",
)  # fmt: skip
composite("det", lambda o, input: o.linalg_det(input), out=False,
          doc="The determinant of each matrix.")  # fmt: skip


def _sign_and_log(xp: Any, a: Any) -> Any:
    return xp.linear.slogdet(a)


def slogdet_back(o: Any, g: Any, A: Any, sign: Any) -> Any:
    """g A^-H for the logarithm; the sign turns with the imaginary part."""
    factor = g[1]
    if is_complex(sign):
        factor = factor - 1j * o.imag(o.conj(g[0]) * sign)
    return matrices_of(o, factor) * mirror(o, o._linalg_inv(A)[0])


_PARTS = ("sign", "logabsdet")
operator(
    "linalg_slogdet", lambda xp, A: _sign_and_log(xp, A),
    A=lambda o, g, A, sign: slogdet_back(o, g, A, sign),
    fields=_PARTS, outputs=2, result=(None, dtypes.DType.to_real), kinds=MATRIX,
    check=square_check("linalg.slogdet"), **LINALG,
    doc="Sign and logarithm of the absolute value of each determinant.",
)  # fmt: skip
composite(
    "slogdet", lambda o, input: return_type("slogdet", _PARTS)(o.linalg_slogdet(input)),
    fields=_PARTS, doc="Sign and logarithm of each determinant.",
)  # fmt: skip


def _logdet(o: Any, input: Any) -> Any:
    need_square("logdet", input)
    need_floats("logdet", input)
    sign, log = o.linalg_slogdet(input)
    if sign._type.dtype.is_complex:
        return o.add(o.log(sign), log)
    return o._choose(o.eq(sign, -1.0), float("nan"), log)


composite("logdet", _logdet, out=False, doc="The logarithm of each determinant; nan if negative.")
