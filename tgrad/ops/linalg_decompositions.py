"""Rows: QR decompositions and products of reflections."""

from __future__ import annotations

from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError, ShapeError, StateError
from tgrad.ops.linalg import (
    LINALG,
    diagonal,
    first,
    identity_like,
    is_complex,
    mirror,
    need_floats,
    need_kernel,
    need_matrix,
    on_diagonal,
    or_zeros,
    over_mirror,
    rest,
    times,
)
from tgrad.ops.named import return_type
from tgrad.ops.table import composite, operator

_PARTS = ("Q", "R")

# ---------------------------------------------------------------- QR


def _qr_kernel(xp: Any, a: Any, mode: str) -> tuple[Any, Any]:
    q, r = xp.linear.qr(a, mode)
    return xp.empty((0,), a.dtype) if q is None else q, r


def qr_back(o: Any, g: Any, Q: Any, R: Any, mode: str) -> Any:
    """For the leading square part X of A = [X Y], and Y by Q of it.

    With M = R gR^H - gQ^H Q: (gQ + Q (M, upper triangle mirrored)) R^-H; S. Walter, L. Lehmann, 2018.
    """
    if mode == "r":
        raise StateError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please "
            "use linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr."
        )
    m, n = Q.shape[-2], R.shape[-1]
    if mode == "complete" and m > n:
        raise StateError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols.")
    if m >= n:
        return _qr_square(o, g[0], g[1], Q, R)
    q_part, r_part = or_zeros(o, g[0], Q), or_zeros(o, g[1], R)
    g_right = rest(o, r_part, -1, m)
    q_part = q_part + times(o, Q, rest(o, R, -1, m), mirror(o, g_right))
    square = _qr_square(o, q_part, first(o, r_part, -1, m), Q, first(o, R, -1, m))
    # Y was used for gQ with Q and the right part of R fixed; its own gradient is what Q turns to.
    return o.cat((square, times(o, Q, g_right)), -1)


def _qr_square(o: Any, gq: Any, gr: Any, q: Any, r: Any) -> Any:
    inner = None if gr is None else times(o, gr, mirror(o, r))
    if gq is not None:
        lost = times(o, mirror(o, q), gq)
        inner = -lost if inner is None else inner - lost
    whole = o._mirrored_triangle(inner, True)
    if is_complex(inner):
        whole = whole - 1j * on_diagonal(o, o.imag(diagonal(o, inner)))
    product = times(o, q, whole)
    if gq is not None:
        product = gq + product
    return over_mirror(o, product, r)


def _check_qr(A: Tensor, mode: str = "reduced") -> None:
    need_matrix("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise ShapeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', "
            "or 'complete'"
        )
    need_floats("linalg.qr", A, low=True)
    need_kernel("geqrf_cpu", A)


operator(
    "linalg_qr", lambda xp, A, mode="reduced": _qr_kernel(xp, A, mode),
    A=lambda o, g, Q, R, mode: qr_back(o, g, Q, R, mode),
    kinds={"A": "tensor", "mode": "str"}, fields=_PARTS, outputs=2, result=(None, None), partial=True,
    check=_check_qr, **LINALG, doc="A = Q R, Q orthonormal, R upper triangular.",
)  # fmt: skip
composite(
    "qr",
    lambda o, input, some=True: return_type("qr", _PARTS)(
        o.linalg_qr(input, "reduced" if some else "complete")
    ),
    kinds={"some": "bool"}, fields=_PARTS, doc="input = Q R, Q orthonormal, R upper triangular.",
)  # fmt: skip


def _check_geqrf(input: Tensor) -> None:
    if input.ndim < 2:
        raise ShapeError("torch.geqrf: input must have at least 2 dimensions.")
    need_kernel("geqrf_cpu", input)


def _reflectors(xp: Any, a: Any) -> Any:
    return xp.factors.reflectors(a)


operator(
    "geqrf", lambda xp, input: _reflectors(xp, input), fields=("a", "tau"), outputs=2,
    result=(None, None), label="GeqrfBackward", check=_check_geqrf,
    differentiable="use torch.linalg.qr, which has a derivative",
    doc="R, and below it the vectors of the reflections whose product is Q; and their factors.",
)  # fmt: skip

# ---------------------------------------------------------------- products of reflections


def _vector(o: Any, vectors: Any, i: int) -> Any:
    """The column of reflection i: zeros, a one, and what is stored below the diagonal."""
    m = vectors.shape[-2]
    column = o.slice(vectors, len(vectors.shape) - 1, i, i + 1, 1)
    below = rest(o, column, -2, i + 1)
    zeros = o._zeros_of(first(o, column, -2, i + 1))
    unit = first(o, rest(o, identity_like(o, zeros, m, m), -1, i), -1, 1)
    return o.cat((zeros, below), -2) + unit


def _factor(o: Any, tau: Any, i: int) -> Any:
    at = len(tau.shape) - 1
    return o.unsqueeze(o.slice(tau, at, i, i + 1, 1), -1)


def _reflected(o: Any, v: Any, t: Any, c: Any, adjoint: bool) -> Any:
    t = o.conj(t) if adjoint else t
    return c - t * times(o, v, times(o, mirror(o, v), c))


def reflect_back(o: Any, g: Any, vectors: Any, tau: Any, c: Any, adjoint: bool) -> tuple[Any, Any]:
    """The gradients for vectors and tau of the product with C, the reflections taken back one by one.

    A reflection with factor t isn't its own inverse unless it is unitary, so what it was applied to
    is computed again from the start.
    """
    count = tau.shape[-1]
    order = list(range(count)) if adjoint else list(reversed(range(count)))
    states = [c]
    for i in order:
        states.append(_reflected(o, _vector(o, vectors, i), _factor(o, tau, i), states[-1], adjoint))
    columns, factors = {}, {}
    for i, c in zip(reversed(order), reversed(states[:-1]), strict=True):
        v, t = _vector(o, vectors, i), _factor(o, tau, i)
        inner, across = times(o, mirror(o, v), c), times(o, mirror(o, v), g)
        own = o.sum_dim(across * o.conj(inner), (-1,), False)
        factors[i] = -(o.conj(own) if adjoint else own)
        t = o.conj(t) if adjoint else t
        column = -(o.conj(t) * times(o, g, mirror(o, inner)) + t * times(o, c, mirror(o, across)))
        columns[i] = rest(o, column, -2, i + 1)
        g = g - o.conj(t) * times(o, v, across)
    if 0 in vectors.shape or 0 in tau.shape:
        return None, None
    return _stacked(o, vectors, columns), _joined(o, tau, factors)


def _stacked(o: Any, vectors: Any, columns: dict[int, Any]) -> Any:
    """Columns below the diagonal as matrices like the vectors."""
    parts = []
    at = len(vectors.shape) - 1
    for i in range(vectors.shape[-1]):
        zeros = o._zeros_of(o.slice(vectors, at, i, i + 1, 1))
        column = columns.get(i)
        if column is not None:
            zeros = o.cat((first(o, zeros, -2, i + 1), column), -2)
        parts.append(zeros)
    return o.cat(tuple(parts), -1)


def _joined(o: Any, tau: Any, factors: dict[int, Any]) -> Any:
    return o.cat(tuple(factors[i] for i in range(tau.shape[-1])), -1)


def _start(o: Any, vectors: Any) -> Any:
    """The columns of the identity that the product begins with, one for each matrix."""
    return o._zeros_of(vectors) + identity_like(o, vectors, *vectors.shape[-2:])


def _check_product(input: Tensor, tau: Tensor) -> None:
    name = "torch.linalg.householder_product"
    a, t = input._array.shape, tau._array.shape
    if len(a) < 2:
        raise ShapeError(f"{name}: input must have at least 2 dimensions.")
    if a[-2] < a[-1]:
        raise ShapeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if len(t) != len(a) - 1:
        raise ShapeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to "
            f"{len(t)} and input.ndim is equal to {len(a)}"
        )
    if a[-1] < t[-1]:
        raise ShapeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if t[:-1] != a[:-2]:
        raise ShapeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got "
            f"{list(t[:-1])}"
        )
    if input._type is not tau._type:
        raise DTypeError(
            f"{name}: tau dtype {tau._type.dtype.title} does not match input dtype {input._type.dtype.title}"
        )
    need_kernel("orgqr_cpu", input)


def _product_kernel(xp: Any, vectors: Any, tau: Any) -> Any:
    return xp.factors.by_columns(xp.factors.reflect(vectors, tau, xp.eye(*vectors.shape[-2:]), False))


operator(
    "linalg_householder_product", lambda xp, input, tau: _product_kernel(xp, input, tau),
    input=lambda o, g, input, tau: reflect_back(o, g, input, tau, _start(o, input), False)[0],
    tau=lambda o, g, input, tau: reflect_back(o, g, input, tau, _start(o, input), False)[1],
    kinds={"tau": "tensor"}, check=_check_product, **LINALG,
    doc="The first columns of the product of reflections, as `geqrf` gives them.",
)  # fmt: skip
composite("orgqr", lambda o, input, input2: o.linalg_householder_product(input, input2),
          kinds={"input2": "tensor"}, doc="torch.linalg.householder_product.")  # fmt: skip


def _check_ormqr(input: Tensor, tau: Tensor, other: Tensor, left: bool, transpose: bool) -> None:
    name = "torch.ormqr"
    a, t, c = input._array.shape, tau._array.shape, other._array.shape
    for label, shape in (("input", a), ("other", c)):
        if len(shape) < 2:
            raise ShapeError(f"{name}: {label} must have at least 2 dimensions.")
    side = -2 if left else -1
    if c[side] < t[-1]:
        raise ShapeError(f"{name}: other.shape[{side}] must be greater than or equal to tau.shape[-1]")
    if c[side] != a[-2]:
        raise ShapeError(f"{name}: other.shape[{side}] must be equal to input.shape[-2]")
    if t[-1] != min(c[side], a[-1]):
        raise ShapeError(f"{name}: tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1])")
    if len(t) != len(a) - 1:
        raise ShapeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to "
            f"{len(t)} and input.ndim is equal to {len(a)}"
        )
    if len(a) != len(c):
        raise ShapeError(
            f"{name}: Expected other to have the same number of dimensions as input, but got "
            f"other.ndim equal to {len(c)} and input.ndim is equal to {len(a)}"
        )
    for label, shape in (("tau", t[:-1]), ("other", c[:-2])):
        if shape != a[:-2]:
            raise ShapeError(
                f"{name}: Expected batch dimensions of {label} to be equal to input.shape[:-2], but "
                f"got {list(shape)}"
            )
    for label, tensor in (("tau", tau), ("other", other)):
        if tensor._type is not input._type:
            raise DTypeError(
                f"{name}: Expected input and {label} to have the same dtype, but input has dtype"
                f"{input._type.dtype.title} and {label} has dtype {tensor._type.dtype.title}"
            )
    need_kernel("ormqr_cpu", input)


def _ormqr_kernel(xp: Any, a: Any, tau: Any, c: Any, left: bool, transpose: bool) -> Any:
    if left:
        return xp.factors.by_columns(xp.factors.reflect(a, tau, c, transpose))
    turned = xp.factors.reflect(a, tau, xp.linear.mirrored(c), not transpose)
    return xp.factors.by_columns(xp.linear.mirrored(turned))


def _ormqr_back(o: Any, g: Any, a: Any, tau: Any, c: Any, left: bool, transpose: bool) -> tuple[Any, Any]:
    if left:
        return reflect_back(o, g, a, tau, c, transpose)
    return reflect_back(o, mirror(o, g), a, tau, mirror(o, c), not transpose)


operator(
    "ormqr",
    lambda xp, input, input2, input3, left=True, transpose=False: _ormqr_kernel(
        xp, input, input2, input3, left, transpose
    ),
    input=lambda o, g, input, input2, input3, left, transpose: _ormqr_back(
        o, g, input, input2, input3, left, transpose
    )[0],
    input2=lambda o, g, input, input2, input3, left, transpose: _ormqr_back(
        o, g, input, input2, input3, left, transpose
    )[1],
    input3=lambda o, g, input, input2, left, transpose: o.ormqr(
        input, input2, g, left, not transpose
    ),
    kinds={"input2": "tensor", "input3": "tensor", "left": "bool", "transpose": "bool"},
    check=_check_ormqr, doc="A matrix times the product of reflections, as `geqrf` gives them.",
)  # fmt: skip
