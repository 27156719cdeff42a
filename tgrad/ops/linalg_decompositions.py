"""Rows: QR, singular values, eigenvalues, LU, pseudo-inverses, least squares."""

from __future__ import annotations

from typing import Any

from tgrad.core.dtype import DType
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import NotAvailableError, ShapeError
from tgrad.ops.linalg import (
    LinAlgError,
    diagonal,
    mirror,
    need_floats,
    need_matrix,
    need_square,
    nothing,
    on_diagonal,
    times,
)
from tgrad.ops.named import return_type
from tgrad.ops.table import composite, operator

_LINALG: dict[str, Any] = {"module": "torch.linalg", "method": False}
_HIDDEN: dict[str, Any] = {"function": False, "method": False, "out": False}


def last(o: Any, a: Any, dim: int, size: int) -> Any:
    """The first `size` entries along a dimension."""
    return a if a.shape[dim] == size else o.slice(a, dim % len(a.shape), 0, size, 1)


# ---------------------------------------------------------------- QR


def _qr_kernel(xp: Any, a: Any, mode: str) -> tuple[Any, Any]:
    from tgrad.backends import linear

    if mode == "r":
        return xp.empty((0,), a.dtype), linear.by_columns(linear.qr(a, "r"))
    q, r = linear.qr(a, mode)
    return linear.by_columns(q), linear.by_columns(r)


def qr_back(o: Any, g: Any, Q: Any, R: Any, mode: str) -> Any:
    """For the leading square part X of A = [X Y], and Y by Q of it.

    With M = R gR^H - gQ^H Q: (gQ + Q (M, upper triangle mirrored)) R^-H; S. Walter, L. Lehmann, 2018.
    """
    m, n = Q.shape[-2], R.shape[-1]
    if mode == "r":
        raise NotAvailableError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please "
            "use linalg.qr(A, mode='reduced') if you are going to require gradients or use "
            "linalg.qr(A, mode='complete') if you don't require them."
        )
    if mode == "complete" and m > n:
        raise NotAvailableError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols"
        )
    q_part, r_part = g
    if m >= n:
        return _qr_square(o, q_part, r_part, Q, R)
    left = o.slice(R, len(R.shape) - 1, 0, m, 1)
    right = o.slice(R, len(R.shape) - 1, m, n, 1)
    g_left = o.slice(r_part, len(R.shape) - 1, 0, m, 1)
    g_right = o.slice(r_part, len(R.shape) - 1, m, n, 1)
    q_part = q_part + times(o, times(o, Q, right), mirror(o, g_right))
    first = _qr_square(o, q_part, g_left, Q, left)
    # Y was used for gQ with Q and the right part of R fixed; its own gradient is what Q turns to.
    return o.cat((first, times(o, Q, g_right)), -1)


def _qr_square(o: Any, gq: Any, gr: Any, q: Any, r: Any) -> Any:
    inner = o.triu(times(o, gr, mirror(o, r)) - times(o, mirror(o, q), gq), 0)
    whole = inner + mirror(o, inner) - on_diagonal(o, o.real(diagonal(o, inner)))
    product = gq + times(o, q, whole)
    return o._solve_triangular(mirror(o, r), product, False, False, False)


def _check_qr(A: Tensor, mode: str = "reduced") -> None:
    need_matrix("linalg.qr", A)
    need_floats("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise ShapeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', "
            "or 'complete'"
        )


operator(
    "linalg_qr", lambda xp, A, mode="reduced": _qr_kernel(xp, A, mode),
    A=lambda o, g, Q, R, mode: qr_back(o, g, Q, R, mode),
    kinds={"A": "tensor", "mode": "str"}, fields=("Q", "R"), outputs=2, result=(None, None),
    check=_check_qr, out=False, **_LINALG, doc="A = Q R, Q orthonormal, R upper triangular.",
)  # fmt: skip
composite(
    "qr",
    lambda o, input, some=True: return_type("qr", ("Q", "R"))(
        o.linalg_qr(input, "reduced" if some else "complete")
    ),
    kinds={"some": "bool"}, out=False, doc="input = Q R, Q orthonormal, R upper triangular.",
)  # fmt: skip

# ---------------------------------------------------------------- singular values


def _svd_kernel(xp: Any, a: Any, full: bool) -> tuple[Any, Any, Any]:
    from tgrad.backends import linear

    try:
        u, s, v = linear.svd(a, full)
    except linear.LinAlgError:
        finite = xp.isfinite(a).all()
        reason = (
            "linalg.svd: The algorithm failed to converge because the input matrix contained "
            "non-finite values."
            if not finite
            else "linalg.svd: The algorithm failed to converge because the input matrix is "
            "ill-conditioned or has too many repeated singular values (error code: 1)."
        )
        raise LinAlgError(reason) from None
    return linear.by_columns(u), s, linear.by_columns(v)


def svd_back(o: Any, g: Any, U: Any, S: Any, Vh: Any) -> Any:
    """U ((skew(U^H gU) S + S skew(V^H gV)) / (S_k^2 - S_j^2) + gS) V^H, and what is outside of U, V.

    J. Townsend, Differentiating the singular value decomposition, 2016.
    """
    gu, gs, gv = g
    k = S.shape[-1]
    U, gu = last(o, U, -1, k), last(o, gu, -1, k)
    Vh, gv = last(o, Vh, -2, k), last(o, gv, -2, k)
    if nothing(gu) and nothing(gv):
        return times(o, U * o.unsqueeze(gs, -2), Vh)
    squares = S * S
    gaps = o.unsqueeze(squares, -2) - o.unsqueeze(squares, -1)
    gaps = gaps + on_diagonal(o, 1 - diagonal(o, gaps))
    skew_u = times(o, mirror(o, U), gu)
    skew_u = skew_u - mirror(o, skew_u)
    skew_v = times(o, Vh, mirror(o, gv))
    skew_v = skew_v - mirror(o, skew_v)
    inner = (skew_u * o.unsqueeze(S, -2) + o.unsqueeze(S, -1) * skew_v) / gaps
    inner = inner + on_diagonal(o, gs)
    if getattr(U, "_array", U).dtype.kind == "c":
        inner = inner + on_diagonal(o, diagonal(o, skew_u) / (2 * S))
    result = times(o, U, inner, Vh)
    if U.shape[-2] > k:
        outside = gu / o.unsqueeze(S, -2)
        outside = outside - times(o, U, times(o, mirror(o, U), outside))
        result = result + times(o, outside, Vh)
    if Vh.shape[-1] > k:
        outside = gv / o.unsqueeze(S, -1)
        outside = outside - times(o, times(o, outside, mirror(o, Vh)), Vh)
        result = result + times(o, U, outside)
    return result


def _check_svd(A: Tensor, full_matrices: bool = True) -> None:
    need_matrix("linalg.svd", A)
    need_floats("linalg.svd", A)


operator(
    "linalg_svd", lambda xp, A, full_matrices=True: _svd_kernel(xp, A, full_matrices),
    A=lambda o, g, U, S, Vh: svd_back(o, g, U, S, Vh),
    kinds={"A": "tensor", "full_matrices": "bool"}, fields=("U", "S", "Vh"), outputs=3,
    result=(None, DType.to_real, None), check=_check_svd, out=False, **_LINALG,
    doc="A = U diag(S) Vh, with orthonormal U and Vh.",
)  # fmt: skip
composite("linalg_svdvals", lambda o, A: o.linalg_svd(A, False)[1], kinds={"A": "tensor"}, **_LINALG,
          doc="The singular values of each matrix, the largest first.")  # fmt: skip


def _svd(o: Any, input: Any, some: bool = True, compute_uv: bool = True) -> Any:
    if not compute_uv:
        s = o.linalg_svdvals(input)
        m, n = input._array.shape[-2:]
        batch = input._array.shape[:-2]
        parts = (_zeros(input, (*batch, m, m)), s, _zeros(input, (*batch, n, n)))
    else:
        u, s, vh = o.linalg_svd(input, not some)
        parts = (u, s, mirror(o, vh))
    return return_type("svd", ("U", "S", "V"))(parts)


def _zeros(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    return new_tensor(like._type.xp.zeros(shape, like._type.dtype.numpy), like._type)


composite("svd", _svd, kinds={"some": "bool", "compute_uv": "bool"}, out=False,
          doc="input = U diag(S) V', with orthonormal U and V.")  # fmt: skip

# ---------------------------------------------------------------- eigenvalues


def _eigh_kernel(xp: Any, a: Any, uplo: str) -> tuple[Any, Any]:
    from tgrad.backends import linear

    try:
        values, vectors = linear.eigh(a, uplo)
        return values, linear.by_columns(vectors)
    except linear.LinAlgError:
        raise LinAlgError(
            "linalg.eigh: The algorithm failed to converge because the input matrix is "
            "ill-conditioned or has too many repeated eigenvalues (error code: 1)."
        ) from None


def eigh_back(o: Any, g: Any, values: Any, vectors: Any) -> Any:
    """V (V^H gV / (l_k - l_j) off the diagonal, gl on it) V^H."""
    g_values, g_vectors = g
    across = mirror(o, vectors)
    if nothing(g_vectors):
        return times(o, vectors * o.unsqueeze(g_values, -2), across)
    gaps = o.unsqueeze(values, -2) - o.unsqueeze(values, -1)
    gaps = gaps + on_diagonal(o, 1 - diagonal(o, gaps))
    inner = times(o, across, g_vectors) / gaps
    inner = inner - on_diagonal(o, diagonal(o, inner) - g_values)
    return times(o, vectors, inner, across)


def _check_eigh(A: Tensor, UPLO: str = "L") -> None:
    need_square("linalg.eigh", A)
    need_floats("linalg.eigh", A)
    if UPLO.upper() not in ("L", "U"):
        raise ShapeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")


operator(
    "linalg_eigh", lambda xp, A, UPLO="L": _eigh_kernel(xp, A, UPLO.upper()),
    A=lambda o, g, eigenvalues, eigenvectors: eigh_back(o, g, eigenvalues, eigenvectors),
    kinds={"A": "tensor", "UPLO": "str"}, fields=("eigenvalues", "eigenvectors"), outputs=2,
    result=(DType.to_real, None), check=_check_eigh, out=False, **_LINALG,
    doc="Eigenvalues, the smallest first, and eigenvectors of symmetric matrices.",
)  # fmt: skip
composite(
    "linalg_eigvalsh", lambda o, A, UPLO="L": o.linalg_eigh(A, UPLO)[0],
    kinds={"A": "tensor", "UPLO": "str"}, **_LINALG, doc="Eigenvalues of symmetric matrices.",
)  # fmt: skip


def _eig_kernel(xp: Any, a: Any) -> tuple[Any, Any]:
    from tgrad.backends import linear

    if not xp.isfinite(a).all():
        raise ShapeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")
    values, vectors = linear.eig(a)
    kind = xp.complex64 if a.dtype.itemsize in (4,) or a.dtype == xp.complex64 else xp.complex128
    return values.astype(kind), linear.by_columns(vectors.astype(kind))


def eig_back(o: Any, g: Any, A: Any, values: Any, vectors: Any) -> Any:
    """V^-H (diag(gl) + (V^H gV - V^H V diag(re(V^H gV))) / (l_k - l_j)^*) V^H.

    C. Boeddeker et al., On the computation of complex-valued gradients, 2017.
    """
    g_values, g_vectors = g
    across = mirror(o, vectors)
    inner = on_diagonal(o, g_values)
    if not nothing(g_vectors):
        gaps = o.conj(o.unsqueeze(values, -2) - o.unsqueeze(values, -1))
        gaps = gaps + on_diagonal(o, 1 - diagonal(o, gaps))
        product = times(o, across, g_vectors)
        scaled = vectors * o.unsqueeze(o.real(diagonal(o, product)), -2)
        free = (product - times(o, across, scaled)) / gaps
        inner = inner + free - on_diagonal(o, diagonal(o, free))
    result = o._solve_ex(across, times(o, inner, across), True, False)
    complex_input = getattr(A, "_array", A).dtype.kind == "c"
    return result if complex_input else o.real(result)


def _check_eig(A: Tensor) -> None:
    need_square("linalg.eig", A)
    need_floats("linalg.eig", A)


operator(
    "linalg_eig", lambda xp, A: _eig_kernel(xp, A),
    A=lambda o, g, A, eigenvalues, eigenvectors: eig_back(o, g, A, eigenvalues, eigenvectors),
    kinds={"A": "tensor"}, fields=("eigenvalues", "eigenvectors"), outputs=2,
    result=(DType.to_complex, DType.to_complex), check=_check_eig, out=False, **_LINALG,
    doc="Eigenvalues and eigenvectors, which are complex.",
)  # fmt: skip
composite("linalg_eigvals", lambda o, A: o.linalg_eig(A)[0], kinds={"A": "tensor"}, **_LINALG,
          doc="Eigenvalues, which are complex.")  # fmt: skip
