"""Rows: singular values, exactly and by random projections."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.dtype import DType
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ArgumentValueError, ShapeError, StateError
from tgrad.ops.linalg import (
    HIDDEN,
    LINALG,
    MATRIX,
    diagonal,
    first,
    is_complex,
    mirror,
    need_floats,
    need_kernel,
    need_matrix,
    need_no_phase,
    nothing,
    on_diagonal,
    or_zeros,
    refuse_codes,
    times,
    wants_gradient,
)
from tgrad.ops.named import return_type
from tgrad.ops.table import composite, operator

_PHASE = (
    "svd_backward: The singular vectors in the complex case are specified up to multiplication by "
    "e^{i phi}. The specified loss function depends on this phase term, making it ill-defined."
)


def refuse_infinite(xp: Any, a: Any) -> None:
    """Raise PyTorch's error for matrices with elements that aren't finite."""
    finite = xp.isfinite(a)
    if not finite.all():
        refuse_codes("linalg.svd", "finite", xp.asarray(~finite.all(axis=(-2, -1))))


def _svd_kernel(xp: Any, a: Any, full: bool) -> Any:
    refuse_infinite(xp, a)
    return xp.linear.svd(a, full)


def _gaps(o: Any, S: Any) -> Any:
    """The differences of squares, with ones on the diagonal."""
    squares = S * S
    gaps = o.unsqueeze(squares, -2) - o.unsqueeze(squares, -1)
    return gaps + on_diagonal(o, 1 - diagonal(o, gaps))


def _skew(o: Any, product: Any) -> Any:
    return product - mirror(o, product)


def svd_back(o: Any, g: Any, U: Any, S: Any, Vh: Any) -> Any:
    """U ((skew(U^H gU) S + S skew(V^H gV)) / (S_k^2 - S_j^2) + gS) V^H, and what is outside of U, V.

    J. Townsend, Differentiating the singular value decomposition, 2016.
    """
    k = S.shape[-1]
    gu, gs, gv = g[0], or_zeros(o, g[1], S), g[2]
    if nothing(gu) and nothing(gv):
        return times(o, first(o, U, -1, k) * o.unsqueeze(gs, -2), first(o, Vh, -2, k))
    U, gu = first(o, U, -1, k), first(o, or_zeros(o, gu, U), -1, k)
    Vh, gv = first(o, Vh, -2, k), first(o, or_zeros(o, gv, Vh), -2, k)
    skew_u = _skew(o, times(o, mirror(o, U), gu))
    skew_v = _skew(o, times(o, Vh, mirror(o, gv)))
    inner = (skew_u * o.unsqueeze(S, -2) + o.unsqueeze(S, -1) * skew_v) / _gaps(o, S)
    inner = inner + on_diagonal(o, gs)
    if is_complex(U):
        need_no_phase(o, o.imag(diagonal(o, skew_u + skew_v)), _PHASE)
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


def _refuse_driver(driver: Any) -> None:
    if driver is not None:
        raise StateError(
            "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with "
            "cuSOLVER backend."
        )


def _check_svd(A: Tensor, full_matrices: bool = True, driver: Any = None) -> None:
    need_matrix("linalg.svd", A)
    if not A._type.inexact:
        need_floats("linalg.svd", A)
    _refuse_driver(driver)
    need_kernel("linalg_svd_cpu", A)


_PARTS = ("U", "S", "Vh")
operator(
    "linalg_svd",
    lambda xp, A, full_matrices=True, *, driver=None: _svd_kernel(xp, A, full_matrices),
    A=lambda o, g, U, S, Vh: svd_back(o, g, U, S, Vh), partial=True,
    kinds={"A": "tensor", "full_matrices": "bool", "driver": "str?"}, fields=_PARTS, outputs=3,
    result=(None, DType.to_real, None), check=_check_svd, **LINALG,
    doc="A = U diag(S) Vh, with orthonormal U and Vh.",
)  # fmt: skip


def _values_kernel(xp: Any, a: Any) -> Any:
    refuse_infinite(xp, a)
    return xp.linear.singular_values(a)


operator(
    "_singular_values", lambda xp, A, driver: _values_kernel(xp, A),
    result=DType.to_real, kinds=MATRIX, differentiable=False, **HIDDEN,
    check=lambda A, driver: _check_svd(A, False, driver),
    doc="The singular values alone, where no gradient is wanted.",
)  # fmt: skip


def _svdvals(o: Any, A: Any, *, driver: Any = None) -> Any:
    if wants_gradient(A):
        return o.linalg_svd(A, False, driver=driver)[1]
    return o._singular_values(A, driver)


composite(
    "linalg_svdvals", _svdvals,
    kinds={"A": "tensor", "driver": "str?"}, **LINALG,
    doc="The singular values of each matrix, the largest first.",
)  # fmt: skip


def _svd(o: Any, input: Any, some: bool = True, compute_uv: bool = True) -> Any:
    if input.ndim < 2:
        raise ShapeError(
            f"linalg.svd: input should have at least 2 dimensions, but has {input.ndim} dimensions instead"
        )
    if not compute_uv:
        s = o.linalg_svdvals(input)
        m, n = input._array.shape[-2:]
        batch = input._array.shape[:-2]
        parts = (_zeros(input, (*batch, m, m)), s, _zeros(input, (*batch, n, n)))
    else:
        u, s, vh = o.linalg_svd(input, not some)
        parts = (u, s, mirror(o, vh))
    return return_type("svd", _OLD)(parts)


def _zeros(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    return new_tensor(like._type.xp.zeros(shape, like._type.dtype.numpy), like._type)


_OLD = ("U", "S", "V")
composite("svd", _svd, kinds={"some": "bool", "compute_uv": "bool"}, fields=_OLD,
          doc="input = U diag(S) V', with orthonormal U and V.")  # fmt: skip

# ---------------------------------------------------------------- by random projections


def _basis(o: Any, a: Any, q: int, niter: int, mean: Any) -> Any:
    """An orthonormal basis of nearly the range of A - M, by power iterations from random vectors.

    N. Halko, P. Martinsson, J. Tropp, Finding structure with randomness, 2009, algorithm 4.4.
    """
    dtype = a._type.dtype if a._type.inexact else dtypes.float32
    random = o.randn((a._array.shape[-1], q), dtype=dtype)
    across, mean_across = mirror(o, a), None if mean is None else mirror(o, mean)
    basis = o.linalg_qr(_less(o, a, mean, random))[0]
    for _ in range(niter):
        basis = o.linalg_qr(_less(o, across, mean_across, basis))[0]
        basis = o.linalg_qr(_less(o, a, mean, basis))[0]
    return basis


def _less(o: Any, a: Any, mean: Any, x: Any) -> Any:
    product = o.matmul(a, x)
    return product if mean is None else o.sub(product, o.matmul(mean, x))


def _svd_lowrank(o: Any, A: Any, q: Any = 6, niter: Any = 2, M: Any = None) -> Any:
    q, niter = 6 if q is None else q, 2 if niter is None else niter
    m, n = A._array.shape[-2:]
    if M is not None:
        M = o.broadcast_to(M, A._array.shape)
    if m < n:
        A, M = mirror(o, A), None if M is None else mirror(o, M)
    basis = _basis(o, A, q, niter, M)
    across = mirror(o, basis)
    small = o.matmul(across, A)
    if M is not None:
        small = o.sub(small, o.matmul(across, M))
    u, s, vh = o.linalg_svd(small, False)
    u, v = o.matmul(basis, u), mirror(o, vh)
    return (u, s, v) if m >= n else (v, s, u)


def _pca_lowrank(o: Any, A: Any, q: Any = None, center: Any = True, niter: Any = 2) -> Any:
    m, n = A._array.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ArgumentValueError(
            f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}"
        )
    if not niter >= 0:
        raise ArgumentValueError(f"niter(={niter}) must be non-negative integer")
    if center:
        A = o.sub(A, o.mean_dim(A, (-2,), True))
    return _svd_lowrank(o, A, q, niter)


_LOW: dict[str, Any] = {"method": False, "out": False}
composite(
    "svd_lowrank", _svd_lowrank, **_LOW,
    kinds={"A": "tensor", "q": "int?", "niter": "int?", "M": "tensor?"},
    doc="The largest singular values and their vectors of A - M, by random projections.",
)  # fmt: skip
composite(
    "pca_lowrank", _pca_lowrank, **_LOW,
    kinds={"A": "tensor", "q": "int?", "center": "bool", "niter": "int"},
    doc="The largest principal components of the rows, by random projections.",
)  # fmt: skip
