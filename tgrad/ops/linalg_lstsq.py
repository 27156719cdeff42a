"""Rows: pseudo-inverses, ranks, least squares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.dtype import DType
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import DTypeError, ShapeError
from tgrad.ops.formulas import to_shape
from tgrad.ops.linalg import (
    HIDDEN,
    LINALG,
    mirror,
    need_matrix,
    need_square,
    refuse_codes,
    times,
)
from tgrad.ops.linalg_solve import is_vector
from tgrad.ops.linalg_svd import refuse_infinite
from tgrad.ops.matmul import broadcast_batches
from tgrad.ops.table import composite, operator

# ---------------------------------------------------------------- tolerances


def _tolerance(name: str, label: str, value: Any) -> Any:
    """A tolerance as a number, or as an array of one for each matrix."""
    if not isinstance(value, Tensor):
        return value
    if value._type.dtype.is_complex:
        raise DTypeError(
            f"{name}: {label} tensor of complex type is not supported. Got {value._type.dtype.title}"
        )
    return value._array[..., None]


def _bound(xp: Any, sizes: Any, shape: Any, atol: Any, rtol: Any) -> Any:
    """The size up to which singular values count as 0."""
    if rtol is None:
        rtol = max(shape[-2:]) * float(xp.finfo(sizes.dtype).eps)
        if atol is not None:
            rtol = xp.where(xp.asarray(atol) > 0, 0.0, rtol)
    largest = sizes.max(axis=-1, keepdims=True) if sizes.shape[-1] else 0
    return xp.maximum(rtol * largest, 0.0 if atol is None else atol)


def by_tolerances(name: str, function: Callable[..., Any], old: str, doc: str) -> None:
    """The four overloads of a function of matrices and of the size of what counts as nothing.

    The function takes `o`, the matrices, atol, rtol, the tolerance that the old overloads have, by the
    name of `old`, and whether the matrices are hermitian.
    """

    def given(o: Any, input: Any, *, atol: Any = None, rtol: Any = None, hermitian: Any = False) -> Any:
        return function(o, input, atol, rtol, None, hermitian)

    by_name: dict[str, Callable[..., Any]] = {
        "rcond": lambda o, input, rcond, hermitian=False: function(o, input, None, None, rcond, hermitian),
        "tol": lambda o, input, tol, hermitian=False: function(o, input, None, None, tol, hermitian),
    }
    settings: dict[str, Any] = {"doc": doc, **LINALG}
    for kind in ("tensor", "float"):
        ending = ".atol_rtol_float" if kind == "float" else ""
        kinds = {"hermitian": "bool", "atol": f"{kind}?", "rtol": f"{kind}?"}
        composite(f"{name}{ending}", given, kinds=kinds, **settings)
    for kind in ("tensor", "float"):
        kinds = {"hermitian": "bool", old: kind}
        composite(f"{name}.{old}_{kind}", by_name[old], kinds=kinds, **settings)


# ---------------------------------------------------------------- pseudo-inverses


def _pinv_kernel(xp: Any, a: Any, atol: Any, rtol: Any, hermitian: bool) -> Any:
    if a.size == 0:
        return xp.zeros((*a.shape[:-2], a.shape[-1], a.shape[-2]), a.dtype)
    if hermitian:
        values, vectors = xp.linear.eigh(a)
        sizes = xp.abs(values)
        u, v = vectors, xp.linear.mirrored(vectors)
    else:
        refuse_infinite(xp, a)
        u, values, v = xp.linear.svd(a, False)
        sizes = values
    kept = sizes > _bound(xp, sizes, a.shape, atol, rtol)
    inverse = xp.where(kept, 1 / xp.where(kept, values, 1), 0).astype(values.dtype)
    result = xp.matmul(xp.linear.mirrored(v) * inverse[..., None, :], xp.linear.mirrored(u))
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
            kp
            - mirror(o, times(o, P, k))
            - times(o, times(o, A, P), kp)
            + times(o, times(o, across, P), gh - times(o, k, A))
        )
    k = times(o, P, gh)
    pk = times(o, across, k)
    return (
        pk
        - mirror(o, times(o, k, P))
        + times(o, gh - times(o, A, k), times(o, P, across))
        - times(o, times(o, pk, P), A)
    )


operator(
    "_pinv",
    lambda xp, A, atol, rtol, hermitian: _pinv_kernel(xp, A, atol, rtol, hermitian),
    A=lambda o, g, A, A_shape, out: to_shape(o, pinv_back(o, g, A, out), A_shape),
    kinds={"A": "tensor", "hermitian": "bool"}, label="LinalgPinvBackward", **HIDDEN,
    doc="The pseudo-inverse of each matrix.",
)  # fmt: skip


def _pinv(o: Any, input: Any, atol: Any, rtol: Any, rcond: Any, hermitian: bool) -> Any:
    name, type_ = "torch.linalg.pinv", input._type
    if input.ndim < 2 or not type_.inexact or type_.narrow:
        raise ShapeError(
            f"linalg.pinv({type_.dtype.title}{{{list(input._array.shape)}}}): expected a tensor with 2 "
            "or more dimensions of float, double, cfloat or cdouble types"
        )
    atol, rtol = _tolerance(name, "atol", atol), _tolerance(name, "rtol", rtol)
    if rcond is not None:
        rtol = _tolerance(name, "rcond", rcond)
    if hermitian and input._array.size:
        need_square("linalg.eigh", input)
    for value in (atol, rtol):
        if hasattr(value, "shape") and input._array.size:
            broadcast_batches(value.shape[:-1], input._array.shape[:-2])
    return o._pinv(input, atol, rtol, hermitian)


by_tolerances("linalg_pinv", _pinv, "rcond", "The pseudo-inverse of each matrix.")
composite("pinverse", lambda o, input, rcond=1e-15: _pinv(o, input, None, None, rcond, False),
          kinds={"rcond": "float"}, out=False, doc="The pseudo-inverse of each matrix.")  # fmt: skip

# ---------------------------------------------------------------- ranks


def need_lapack(tensor: Tensor) -> None:
    """Raise PyTorch's error for dtypes without LAPACK."""
    if not tensor._type.inexact or tensor._type.narrow:
        raise DTypeError("This function doesn't handle types other than float and double")


def _matrix_rank(o: Any, input: Any, atol: Any, rtol: Any, tol: Any, hermitian: bool) -> Any:
    name = "torch.linalg.matrix_rank"
    need_matrix(name, input, " input")
    need_lapack(input)
    atol, rtol = _tolerance(name, "atol", atol), _tolerance(name, "rtol", rtol)
    if tol is not None:
        atol, rtol = _tolerance(name, "atol", tol), 0.0
    xp, array = input._type.xp, input._array
    if not array.size:
        counts = xp.zeros(array.shape[:-2], xp.int64)
    else:
        for value in (atol, rtol):
            if hasattr(value, "shape"):
                broadcast_batches(value.shape[:-1], array.shape[:-2])
        if hermitian:
            need_square("linalg.eigh", input)
            sizes = xp.abs(xp.linear.eigvalsh(array))
        else:
            refuse_infinite(xp, array)
            sizes = xp.linear.singular_values(array)
        counts = (sizes > _bound(xp, sizes, array.shape, atol, rtol)).sum(axis=-1)
    return new_tensor(xp.asarray(counts).astype(xp.int64), input._type.related[dtypes.int64])


by_tolerances("linalg_matrix_rank", _matrix_rank, "tol",
              "The number of singular values that aren't next to nothing.")  # fmt: skip

# ---------------------------------------------------------------- least squares


def _solution(xp: Any, a: Any, b: Any, rcond: Any) -> tuple[Any, bool]:
    """The shortest of the X with the least ||a X - b||; whether the columns of a surely are independent."""
    if a.shape[-2] >= a.shape[-1] and a.size:
        q, r = xp.linear.qr(a)
        sizes = xp.abs(xp.diagonal(r, 0, -2, -1))
        if (sizes > 1e-3 * sizes.max(axis=-1, keepdims=True)).all():
            x = xp.factors.solve_triangular(r, xp.matmul(xp.linear.mirrored(q), b), True, False)
            return x, _surely_independent(xp, r, a.shape, rcond)
    return xp.matmul(_pinv_kernel(xp, a, None, rcond, False), b), False


def _surely_independent(xp: Any, r: Any, shape: Any, rcond: Any) -> bool:
    """Whether no singular value of a triangular matrix is near the limit below which it counts as 0.

    None is larger than the root of the sum of squares of all elements, and so for the inverse.
    """
    size = xp.ones((1,), r.real.dtype)
    for matrix in (r, xp.factors.inverse_of_triangle(r, True)):
        squares = (matrix * matrix.conj()).real
        size = size * xp.sqrt(squares.sum(axis=(-2, -1)))
    return bool((size * (2 * _bound(xp, xp.ones((1,), r.real.dtype), shape, None, rcond)) < 1).all())


def _stored_as_lapack(xp: Any, x: Any, rows: int, vector: bool) -> Any:
    """The solution at the place of the right side, which has as many rows as the longer side of A."""
    n = x.shape[-2]
    place = xp.zeros((*x.shape[:-2], x.shape[-1], max(rows, n)), x.dtype)
    place[..., :n] = x.swapaxes(-1, -2)
    return place[..., 0, :n] if vector else place[..., :n].swapaxes(-1, -2)


def _lstsq_kernel(xp: Any, a: Any, b: Any, rcond: Any, driver: str, vector: bool) -> Any:
    right = b[..., None] if vector else b
    m, n = a.shape[-2:]
    x, independent = _solution(xp, a, right, rcond)
    none = xp.empty((0,), a.real.dtype)
    sizes, found = none, xp.full(a.shape[:-2], n)
    if not independent or driver in ("gelsd", "gelss"):
        sizes = xp.linear.singular_values(a) if a.size else xp.zeros((*a.shape[:-2], 0), a.real.dtype)
        found = (sizes > _bound(xp, sizes, a.shape, None, rcond)).sum(axis=-1)
    if driver == "gels":
        _refuse_rank(xp, a)
    full = m > n and driver != "gelsy" and bool((found == n).all())
    residuals = none
    if full:
        rest = xp.abs(xp.matmul(a, x) - right)
        residuals = (rest * rest).sum(axis=-2)
    rank = xp.empty((0,), xp.int64) if driver == "gels" else xp.asarray(found).astype(xp.int64)
    values = sizes if driver in ("gelsd", "gelss") else none
    return _stored_as_lapack(xp, x, m, vector), residuals, rank, values


def _refuse_rank(xp: Any, a: Any) -> None:
    """Raise PyTorch's error where the triangular factor has a zero on its diagonal."""
    if not a.size:
        return
    tall = a if a.shape[-2] >= a.shape[-1] else xp.linear.mirrored(a)
    refuse_codes("torch.linalg.lstsq", "lstsq", xp.factors.zero_pivot(xp.linear.qr(tall, "r")[1]))


def _residual(o: Any, g: Any, A: Any, X: Any, B: Any) -> Any:
    """Half the gradient of the sums of squares for A X - B."""
    return (times(o, A, X) - B) * (2 * o.unsqueeze(g, -2))


def _parts(o: Any, g: Any, B: Any, X: Any, vector: bool) -> tuple[Any, Any, Any]:
    return (o.unsqueeze(g, -1), o.unsqueeze(B, -1), o.unsqueeze(X, -1)) if vector else (g, B, X)


def _lstsq_a(o: Any, g: Any, A: Any, B: Any, X: Any, vector: bool) -> Any:
    gx, B, X = _parts(o, g[0], B, X, vector)
    result = pinv_back(o, times(o, gx, mirror(o, B)), A, o._pinv(A, None, None, False))
    if g[1].shape[-1:] not in ((0,), ()):
        result = result + times(o, _residual(o, g[1], A, X, B), mirror(o, X))
    return result


def _lstsq_b(o: Any, g: Any, A: Any, B: Any, X: Any, vector: bool) -> Any:
    gx, B, X = _parts(o, g[0], B, X, vector)
    result = times(o, mirror(o, o._pinv(A, None, None, False)), gx)
    if g[1].shape[-1:] not in ((0,), ()):
        result = result - _residual(o, g[1], A, X, B)
    return o.squeeze_dim(result, -1) if vector else result


_FIELDS = ("solution", "residuals", "rank", "singular_values")
operator(
    "_lstsq",
    lambda xp, A, B, rcond, driver, vector: _lstsq_kernel(xp, A, B, rcond, driver, vector),
    A=lambda o, g, A, B, solution, vector: _lstsq_a(o, g, A, B, solution, vector),
    B=lambda o, g, A, B, solution, vector: _lstsq_b(o, g, A, B, solution, vector),
    kinds={"A": "tensor", "B": "tensor", "vector": "bool"}, fields=_FIELDS, outputs=2,
    result=(None, DType.to_real, dtypes.int64, DType.to_real), label="LinalgLstsqBackward", **HIDDEN,
    doc="The X with the least ||A X - B||.",
)  # fmt: skip


def _check_lstsq(a: Tensor, b: Tensor, driver: Any) -> None:
    name = "torch.linalg.lstsq"
    if a.ndim < 2:
        raise ShapeError(f"{name}: input must have at least 2 dimensions.")
    if b.ndim < 1:
        raise ShapeError(f"{name}: other must have at least 1 dimension.")
    if a._type.dtype is not b._type.dtype:
        raise DTypeError(
            f"{name}: Expected input and other to have the same dtype, but got input's dtype "
            f"{a._type.dtype.title} and other's dtype {b._type.dtype.title}"
        )
    if not 0 <= a.ndim - b.ndim <= 1:
        raise ShapeError(
            f"{name}: input.dim() must be greater or equal to other.dim() and (input.dim() - "
            "other.dim()) <= 1"
        )
    vector = is_vector(a, b)
    if b._array.shape[-1 if vector else -2] != a._array.shape[-2]:
        raise ShapeError(f"{name}: input.size(-2) should match other.size({-1 if vector else -2})")
    need_lapack(a)
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise ShapeError(f"{name}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)")


def _lstsq(o: Any, input: Any, b: Any, rcond: Any = None, *, driver: Any = None) -> Any:
    from tgrad.ops.named import return_type

    _check_lstsq(input, b, driver)
    vector = is_vector(input, b)
    batch = broadcast_batches(input._array.shape[:-2], b._array.shape[: -1 if vector else -2])
    if batch != input._array.shape[:-2]:
        input = o.expand(input, (*batch, *input._array.shape[-2:]))
    if batch != b._array.shape[: -1 if vector else -2]:
        b = o.expand(b, (*batch, *b._array.shape[-1 if vector else -2 :]))
    return return_type("linalg_lstsq", _FIELDS)(o._lstsq(input, b, rcond, driver or "gelsy", vector))


composite("linalg_lstsq", _lstsq, fields=_FIELDS, **LINALG,
          kinds={"b": "tensor", "rcond": "float?", "driver": "str?"},
          doc="The X with the least ||input X - b||.")  # fmt: skip
