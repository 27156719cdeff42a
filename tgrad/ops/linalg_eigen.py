"""Rows: eigenvalues."""

from __future__ import annotations

from typing import Any

from tgrad.core.dtype import DType
from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError, ShapeError
from tgrad.ops.linalg import (
    HIDDEN,
    LINALG,
    diagonal,
    is_complex,
    mirror,
    need_kernel,
    need_no_phase,
    need_square,
    nothing,
    on_diagonal,
    or_zeros,
    refuse_codes,
    times,
    wants_gradient,
)
from tgrad.ops.table import composite, operator

_PHASE = (
    "{}_backward: The eigenvectors in the complex case are specified up to multiplication by "
    "e^{{i phi}}. The specified loss function depends on this quantity, so it is ill-defined."
)
_PARTS = ("eigenvalues", "eigenvectors")


def _eigh_kernel(xp: Any, a: Any, uplo: str) -> Any:
    try:
        return xp.linear.eigh(a, uplo)
    except xp.linear.LinAlgError:
        refuse_codes("linalg.eigh", "eigh", xp.asarray(1))
        raise


def eigh_back(o: Any, g: Any, values: Any, vectors: Any) -> Any:
    """The hermitian part of V (V^H gV / (l_k - l_j) off the diagonal, gl on it) V^H."""
    g_values, g_vectors = or_zeros(o, g[0], values), g[1]
    across = mirror(o, vectors)
    if nothing(g_vectors):
        return times(o, vectors * o.unsqueeze(g_values, -2), across)
    gaps = o.unsqueeze(values, -2) - o.unsqueeze(values, -1)
    gaps = gaps + on_diagonal(o, 1 - diagonal(o, gaps))
    inner = times(o, across, g_vectors)
    if is_complex(vectors):
        need_no_phase(o, o.imag(diagonal(o, inner)), _PHASE.format("linalg_eigh"))
    inner = inner / gaps
    inner = inner - on_diagonal(o, diagonal(o, inner) - g_values)
    return times(o, vectors, (inner + mirror(o, inner)) * 0.5, across)


def _check_eigh(input: Tensor, UPLO: str = "L") -> None:
    need_square("linalg.eigh", input)
    if UPLO[:1].upper() not in ("L", "U"):
        raise ShapeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    need_kernel("linalg_eigh_cpu", input)


operator(
    "linalg_eigh", lambda xp, input, UPLO="L": _eigh_kernel(xp, input, UPLO[:1].upper()),
    input=lambda o, g, eigenvalues, eigenvectors: eigh_back(o, g, eigenvalues, eigenvectors),
    partial=True,
    kinds={"UPLO": "str"}, fields=_PARTS, outputs=2, result=(DType.to_real, None),
    check=_check_eigh, **LINALG,
    doc="Eigenvalues, the smallest first, and eigenvectors of symmetric matrices.",
)  # fmt: skip


def _values_kernel(xp: Any, a: Any, uplo: str) -> Any:
    try:
        return xp.linear.eigvalsh(a, uplo)
    except xp.linear.LinAlgError:
        refuse_codes("linalg.eigh", "eigh", xp.asarray(1))
        raise


operator(
    "_eigenvalues", lambda xp, input, UPLO: _values_kernel(xp, input, UPLO[:1].upper()),
    result=DType.to_real, kinds={"UPLO": "str"}, differentiable=False, check=_check_eigh, **HIDDEN,
    doc="The eigenvalues of symmetric matrices alone, where no gradient is wanted.",
)  # fmt: skip


def _eigvalsh(o: Any, input: Any, UPLO: str = "L") -> Any:
    return o.linalg_eigh(input, UPLO)[0] if wants_gradient(input) else o._eigenvalues(input, UPLO)


composite(
    "linalg_eigvalsh", _eigvalsh,
    kinds={"UPLO": "str"}, **LINALG, doc="Eigenvalues of symmetric matrices.",
)  # fmt: skip


def _eig_kernel(xp: Any, a: Any) -> tuple[Any, Any]:
    if not xp.isfinite(a).all():
        raise ShapeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")
    values, vectors = xp.linear.eig(a)
    kind = xp.complex64 if a.dtype in (xp.float32, xp.complex64) else xp.complex128
    return values.astype(kind), xp.factors.by_columns(vectors.astype(kind))


def eig_back(o: Any, g: Any, A: Any, values: Any, vectors: Any) -> Any:
    """V^-H (diag(gl) + (V^H gV - V^H V diag(re(V^H gV))) / (l_k - l_j)^*) V^H.

    C. Boeddeker et al., On the computation of complex-valued gradients, 2017.
    """
    g_values, g_vectors = or_zeros(o, g[0], values), g[1]
    across = mirror(o, vectors)
    inner = on_diagonal(o, g_values)
    if not nothing(g_vectors):
        gaps = o.conj(o.unsqueeze(values, -2) - o.unsqueeze(values, -1))
        gaps = gaps + on_diagonal(o, 1 - diagonal(o, gaps))
        product = times(o, across, g_vectors)
        need_no_phase(o, o.imag(diagonal(o, product)), _PHASE.format("linalg_eig"))
        scaled = vectors * o.unsqueeze(o.real(diagonal(o, product)), -2)
        free = (product - times(o, across, scaled)) / gaps
        inner = inner + free - on_diagonal(o, diagonal(o, free))
    result = o._solve_ex(across, times(o, inner, across), True, False)[0]
    return result if is_complex(A) else o.real(result)


def _check_eig(input: Tensor) -> None:
    need_square("linalg.eig", input)
    if not input._type.inexact:
        raise DTypeError(f"Unknown Complex ScalarType for {input._type.dtype.title}")
    need_kernel("linalg_eig_out_cpu", input)


operator(
    "linalg_eig", lambda xp, input: _eig_kernel(xp, input),
    input=lambda o, g, input, eigenvalues, eigenvectors: eig_back(
        o, g, input, eigenvalues, eigenvectors
    ),
    fields=_PARTS, outputs=2, result=(DType.to_complex, DType.to_complex), check=_check_eig,
    partial=True, **LINALG, doc="Eigenvalues and eigenvectors, which are complex.",
)  # fmt: skip
composite("linalg_eigvals", lambda o, input: o.linalg_eig(input)[0], **LINALG,
          doc="Eigenvalues, which are complex.")  # fmt: skip
