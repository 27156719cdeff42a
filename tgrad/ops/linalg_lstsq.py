"""Rows: pseudo-inverses and least squares."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ShapeError
from tgrad.ops.linalg import mirror, need_floats, times
from tgrad.ops.named import return_type
from tgrad.ops.table import composite, operator

_LINALG: dict[str, Any] = {"module": "torch.linalg", "method": False}
_HIDDEN: dict[str, Any] = {"function": False, "method": False, "out": False}


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


def pinv_back(o: Any, g: Any, A: Any, P: Any) -> Any:
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
    o: Any, A: Any, rcond: Any = None, hermitian: bool = False, *, atol: Any = None,
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


def _lstsq_a(o: Any, g: Any, A: Any, B: Any, vector: bool) -> Any:
    if vector:
        g, B = o.unsqueeze(g, -1), o.unsqueeze(B, -1)
    return pinv_back(o, times(o, g, mirror(o, B)), A, o._pinv(A, None, None, False))


def _lstsq_b(o: Any, g: Any, A: Any, vector: bool) -> Any:
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


def _lstsq(o: Any, A: Any, B: Any, rcond: Any = None, *, driver: Any = None) -> Any:
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
