"""Rows: QR, singular values, eigenvalues, LU, pseudo-inverses, least squares."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
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


def qr_back(o: Any, g: Any, Q: Any, R: Any, mode: str) -> Any:  # noqa: N803
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


def _check_qr(A: Tensor, mode: str = "reduced") -> None:  # noqa: N803
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


def svd_back(o: Any, g: Any, U: Any, S: Any, Vh: Any) -> Any:  # noqa: N803
    """U ((skew(U^H gU) S + S skew(V^H gV)) / (S_k^2 - S_j^2) + gS) V^H, and what is outside of U, V.

    J. Townsend, Differentiating the singular value decomposition, 2016.
    """
    gu, gs, gv = g
    k = S.shape[-1]
    U, gu = last(o, U, -1, k), last(o, gu, -1, k)  # noqa: N806
    Vh, gv = last(o, Vh, -2, k), last(o, gv, -2, k)  # noqa: N806
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


def _check_svd(A: Tensor, full_matrices: bool = True) -> None:  # noqa: N803
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


def _check_eigh(A: Tensor, UPLO: str = "L") -> None:  # noqa: N803
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


def eig_back(o: Any, g: Any, A: Any, values: Any, vectors: Any) -> Any:  # noqa: N803
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


def _check_eig(A: Tensor) -> None:  # noqa: N803
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

# ---------------------------------------------------------------- LU


def _lu_parts(xp: Any, a: Any) -> tuple[Any, Any, Any]:
    from tgrad.backends import linear

    factors, pivots = linear.lu(a)
    m, n = a.shape[-2:]
    k = min(m, n)
    unit = xp.eye(m, k, dtype=a.dtype)
    lower = xp.tril(factors[..., :, :k], -1) + unit
    upper = xp.triu(factors[..., :k, :])
    return lower, upper, linear.permutation(pivots, m, a.dtype)


def lu_back(o: Any, gl: Any, gu: Any, P: Any, L: Any, U: Any) -> Any:  # noqa: N803
    """P L^-H (tril(L^H gL, -1) + triu(gU U^H)) U^-H, for square matrices."""
    if L.shape[-2] != U.shape[-1]:
        raise NotAvailableError("the derivative of linalg.lu is available for square matrices only")
    inner = o.tril(times(o, mirror(o, L), gl), -1) + o.triu(times(o, gu, mirror(o, U)), 0)
    right = o._solve_triangular(mirror(o, U), inner, False, False, False)
    return times(o, P, o._solve_triangular(mirror(o, L), right, True, True, True))


def _check_lu(A: Tensor, *, pivot: bool = True) -> None:  # noqa: N803
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


def _lu(o: Any, A: Any, *, pivot: bool = True) -> Any:  # noqa: N803
    lower, upper, order = o._linalg_lu(A)
    return return_type("linalg_lu", ("P", "L", "U"))((order, lower, upper))


composite(
    "linalg_lu", _lu, kinds={"A": "tensor", "pivot": "bool"}, out=False, **_LINALG,
    doc="A = P L U: a permutation, a lower triangle with ones, an upper triangle.",
)  # fmt: skip


def _lu_factors(xp: Any, a: Any) -> tuple[Any, Any]:
    from tgrad.backends import linear

    return linear.lu(a)


def lu_factor_back(o: Any, g: Any, LU: Any, pivots: Any) -> Any:  # noqa: N803
    """As for `lu`, with L and U from their one matrix."""
    n = LU.shape[-1]
    lower, upper = _unpacked(o, LU)
    order = o._permutation(pivots, LU.shape[-2], LU)
    return lu_back(o, o.tril(g[0], -1), o.triu(g[0], 0), order, lower, upper) if n else g[0]


def _unpacked(o: Any, LU: Any) -> tuple[Any, Any]:  # noqa: N803
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
    o: Any, LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False  # noqa: N803
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

# ---------------------------------------------------------------- pseudo-inverse, least squares


def _pinv_kernel(xp: Any, a: Any, atol: Any, rtol: Any, hermitian: bool) -> Any:
    from tgrad.backends import linear

    if a.size == 0:
        return xp.zeros((*a.shape[:-2], a.shape[-1], a.shape[-2]), a.dtype)
    if rtol is None:
        rtol = 0.0 if atol else max(a.shape[-2:]) * xp.finfo(a.dtype).eps
    if hermitian:
        values, vectors = linear.eigh(a)
        sizes = xp.abs(values)
        u, v = vectors, linear.mirrored(vectors)
    else:
        u, values, v = linear.svd(a, False)
        sizes = values
    bound = xp.maximum(rtol * sizes.max(axis=-1, keepdims=True), atol or 0.0)
    kept = sizes > bound
    inverse = xp.where(kept, 1 / xp.where(kept, values, 1), 0).astype(values.dtype)
    result = xp.matmul(linear.mirrored(v) * inverse[..., None, :], linear.mirrored(u))
    return xp.ascontiguousarray(result.astype(a.dtype))


def pinv_back(o: Any, g: Any, A: Any, P: Any) -> Any:  # noqa: N803
    """The derivative of the pseudo-inverse P, without assuming full rank.

    G. Golub, V. Pereyra, The differentiation of pseudo-inverses, 1973, equation 4.12.
    """
    across, gh = mirror(o, P), mirror(o, g)
    if A.shape[-2] <= A.shape[-1]:
        k = times(o, gh, P)
        kp = times(o, k, across)
        return (
            kp - mirror(o, times(o, P, k)) - times(o, times(o, A, P), kp)
            + times(o, times(o, across, P), gh - times(o, k, A))
        )
    k = times(o, P, gh)
    pk = times(o, across, k)
    return (
        pk - mirror(o, times(o, k, P)) + times(o, gh - times(o, A, k), times(o, P, across))
        - times(o, times(o, pk, P), A)
    )


operator(
    "_pinv",
    lambda xp, A, atol, rtol, hermitian: _pinv_kernel(xp, A, atol, rtol, hermitian),
    A=lambda o, g, A, out: pinv_back(o, g, A, out),
    kinds={"A": "tensor", "hermitian": "bool"}, label="LinalgPinvBackward", **_HIDDEN,
    doc="The pseudo-inverse of each matrix.",
)  # fmt: skip


def _pinv(
    o: Any, A: Any, rcond: Any = None, hermitian: bool = False, *, atol: Any = None,  # noqa: N803
    rtol: Any = None,
) -> Any:  # fmt: skip
    if A.ndim < 2 or not A._type.inexact:
        raise ShapeError(
            f"linalg.pinv({A._type.dtype.title}{{{list(A._array.shape)}}}): expected a tensor with 2 "
            "or more dimensions of float, double, cfloat or cdouble types"
        )
    need_floats("linalg.pinv", A)
    return o._pinv(A, atol, rcond if rtol is None else rtol, hermitian)


composite("linalg_pinv", _pinv, kinds={"A": "tensor", "rcond": "number?", "hermitian": "bool",
          "atol": "number?", "rtol": "number?"}, **_LINALG,
          doc="The pseudo-inverse of each matrix.")  # fmt: skip
composite("pinverse", lambda o, input, rcond=1e-15: _pinv(o, input, rcond),
          kinds={"rcond": "number"}, out=False, doc="The pseudo-inverse of each matrix.")  # fmt: skip


def _lstsq_kernel(xp: Any, a: Any, b: Any, vector: bool) -> Any:
    from tgrad.backends import linear

    right = b[..., None] if vector else b
    x = xp.matmul(_pinv_kernel(xp, a, None, None, False), right)
    if a.shape[-2] >= a.shape[-1] and a.size:
        q, r = linear.qr(a)
        if (xp.abs(xp.diagonal(r, 0, -2, -1)) > 0).all():
            x = linear.solve_triangular(r, xp.matmul(linear.mirrored(q), right), True, False)
    x = linear.by_columns(x)
    return x[..., 0] if vector else x


def _lstsq_a(o: Any, g: Any, A: Any, B: Any, vector: bool) -> Any:  # noqa: N803
    if vector:
        g, B = o.unsqueeze(g, -1), o.unsqueeze(B, -1)  # noqa: N806
    return pinv_back(o, times(o, g, mirror(o, B)), A, o._pinv(A, None, None, False))


def _lstsq_b(o: Any, g: Any, A: Any, vector: bool) -> Any:  # noqa: N803
    across = mirror(o, o._pinv(A, None, None, False))
    if vector:
        return o.squeeze_dim(times(o, across, o.unsqueeze(g, -1)), -1)
    return times(o, across, g)


operator(
    "_lstsq", lambda xp, A, B, vector: _lstsq_kernel(xp, A, B, vector),
    A=lambda o, g, A, B, vector: _lstsq_a(o, g, A, B, vector),
    B=lambda o, g, A, vector: _lstsq_b(o, g, A, vector),
    kinds={"A": "tensor", "B": "tensor", "vector": "bool"}, label="LinalgLstsqBackward", **_HIDDEN,
    doc="The X with the least ||A X - B||.",
)  # fmt: skip


def _lstsq(o: Any, A: Any, B: Any, rcond: Any = None, *, driver: Any = None) -> Any:  # noqa: N803
    if A.ndim < 2:
        raise ShapeError("torch.linalg.lstsq: input must have at least 2 dimensions.")
    need_floats("torch.linalg.lstsq", A, B)
    vector = B.ndim == 1 or (A.ndim - 1 == B.ndim and A._array.shape[:-1] == B._array.shape)
    rows = B._array.shape[-1 if vector else -2]
    if rows != A._array.shape[-2]:
        raise ShapeError(
            "torch.linalg.lstsq: input.size(-1) should match other.size(-1)" if vector else
            "torch.linalg.lstsq: input.size(-2) should match other.size(-2)"
        )
    solution = o._lstsq(A, B, vector)
    m, n = A._array.shape[-2:]
    xp = A._type.xp
    real = A._type.related[A._type.dtype.to_real()]
    residuals = _empty(real)
    if m > n and driver in ("gels", "gelsd", "gelss"):
        rest = times(o, A, o.unsqueeze(solution, -1) if vector else solution)
        left = (o.unsqueeze(B, -1) if vector else B)
        residuals = o.sum_dim(o.pow_Tensor_Scalar(o.abs(o.sub(rest, left)), 2), (-2,), False)
        if vector:
            residuals = o.squeeze_dim(residuals, -1)
    rank = _empty(A._type.related[dtypes.int64])
    values = _empty(real)
    if driver in (None, "gelsy", "gelsd", "gelss") and driver != "gels":
        from tgrad.backends import linear

        s = linear.svd(A._array, compute_uv=False)
        found = (s > s.max(axis=-1, keepdims=True) * max(m, n) * xp.finfo(s.dtype).eps).sum(axis=-1)
        rank = new_tensor(xp.asarray(found).astype(xp.int64), rank._type)
        if driver in ("gelsd", "gelss"):
            values = new_tensor(s, real)
    return return_type(
        "linalg_lstsq", ("solution", "residuals", "rank", "singular_values")
    )((solution, residuals, rank, values))


def _empty(type_: Any) -> Tensor:
    return new_tensor(type_.xp.empty((0,), type_.dtype.numpy), type_)


composite("linalg_lstsq", _lstsq, out=False, **_LINALG,
          kinds={"A": "tensor", "B": "tensor", "rcond": "number?", "driver": "str?"},
          doc="The X with the least ||A X - B||.")  # fmt: skip

