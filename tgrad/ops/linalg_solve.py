"""Rows: systems of linear equations."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError, ShapeError
from tgrad.ops.formulas import to_shape
from tgrad.ops.linalg import LinAlgError, first_bad, mirror, need_floats, need_square, times
from tgrad.ops.matmul import broadcast_batches
from tgrad.ops.named import return_type
from tgrad.ops.table import composite, operator


def _solve_kernel(xp: Any, a: Any, b: Any, left: bool, vector: bool) -> Any:
    from tgrad.backends import linear

    if vector:
        b = b[..., None]
    try:
        if left:
            x = linear.by_columns(linear.solve(a, b))
        else:
            x = linear.solve(a.swapaxes(-1, -2), b.swapaxes(-1, -2))
            x = linear.by_columns(x).swapaxes(-1, -2)
    except linear.LinAlgError:
        batch, _ = first_bad(xp, a)
        raise LinAlgError(
            f"torch.linalg.solve: {batch}The solver failed because the input matrix is singular."
        ) from None
    return x[..., 0] if vector else x


def solve_b(o: Any, g: Any, A: Any, left: bool, vector: bool) -> Any:
    """The solution of the equation with the conjugate transpose of A."""
    return o._solve_ex(mirror(o, A), g, left, vector)


def solve_a(o: Any, g: Any, A: Any, out: Any, left: bool, vector: bool) -> Any:
    """Minus the gradient for B times the solution."""
    h = solve_b(o, g, A, left, vector)
    if vector:
        h, out = o.unsqueeze(h, -1), o.unsqueeze(out, -1)
    return -times(o, h, mirror(o, out)) if left else -times(o, mirror(o, out), h)


operator(
    "_solve_ex", lambda xp, A, B, left, vector: _solve_kernel(xp, A, B, left, vector),
    A=lambda o, g, A, A_shape, out, left, vector: to_shape(
        o, solve_a(o, g, A, out, left, vector), A_shape
    ),
    B=lambda o, g, A, B_shape, left, vector: to_shape(o, solve_b(o, g, A, left, vector), B_shape),
    kinds={"A": "tensor", "B": "tensor", "left": "bool"}, label="LinalgSolveExBackward",
    function=False, method=False, doc="The solutions of A X = B, or of X A = B.",
)  # fmt: skip


def is_vector(a: Tensor, b: Tensor) -> bool:
    """Whether the right side of an equation is a batch of vectors."""
    x, y = a._array.shape, b._array.shape
    return len(y) == 1 or (len(x) - 1 == len(y) and x[:-1] == y)


def check_equation(name: str, a: Tensor, b: Tensor, left: bool, vector: bool) -> None:
    """Raise PyTorch's errors for sides of an equation that don't go together."""
    need_square(name, a)
    n = a._array.shape[-1]
    shape = (*b._array.shape, 1) if vector else b._array.shape
    if a._type is not b._type:
        raise DTypeError(
            f"{name}: Expected A and B to have the same dtype, but found A of type "
            f"{a._type.dtype.title} and B of type {b._type.dtype.title} instead"
        )
    need_floats(name, a)
    if len(shape) < 2:
        raise ShapeError(f"{name}: The input tensor B must have at least 2 dimensions.")
    if shape[-2 if left else -1] != n:
        raise ShapeError(
            f"{name}: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({n}x{n} and {shape[-2]}x{shape[-1]})"
        )


def _solve(o: Any, A: Any, B: Any, *, left: bool = True) -> Any:
    vector = is_vector(A, B)
    check_equation("linalg.solve", A, B, left, vector)
    if vector and not left:
        raise ShapeError(
            "linalg.solve: Vector broadcasting of the left hand side is not supported for "
            "left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)"
        )  # fmt: skip
    batch = B._array.shape[:-1] if vector else B._array.shape[:-2]
    broadcast_batches(A._array.shape[:-2], batch)
    if vector and B.ndim == 1 and A.ndim > 2:
        B = o.expand(B, (*A._array.shape[:-2], B._array.shape[0]))
    return o._solve_ex(A, B, left, vector)


EQUATION = {"A": "tensor", "B": "tensor", "left": "bool", "upper": "bool",
             "unitriangular": "bool"}  # fmt: skip
composite("linalg_solve", _solve, module="torch.linalg", method=False, kinds=EQUATION,
          doc="The solution X of A X = B, or with left=False of X A = B.")  # fmt: skip


def _solve_or_code(
    o: Any, A: Any, B: Any, *, left: bool = True, check_errors: bool = False
) -> Any:
    code = o.zeros((), dtype=dtypes.int32) if A.ndim == 2 else o.zeros(
        A._array.shape[:-2], dtype=dtypes.int32
    )
    return return_type("linalg_solve_ex", ("result", "info"))((_solve(o, A, B, left=left), code))


composite("linalg_solve_ex", _solve_or_code, module="torch.linalg", method=False, out=False,
          kinds={**EQUATION, "check_errors": "bool"},
          doc="linalg.solve, and a code of 0.")  # fmt: skip


def _triangular_kernel(
    xp: Any, a: Any, b: Any, upper: bool, left: bool, unit: bool
) -> Any:
    from tgrad.backends import linear

    if left:
        return linear.solve_triangular(a, b, upper, unit)
    turned_a, turned_b = a.swapaxes(-1, -2), b.swapaxes(-1, -2)
    x = linear.solve_triangular(turned_a, turned_b, not upper, unit)
    return linear.by_columns(x.swapaxes(-1, -2))


def triangular_b(o: Any, g: Any, A: Any, upper: bool, left: bool, unit: bool) -> Any:
    """The solution of the equation with the conjugate transpose of A."""
    return o._solve_triangular(mirror(o, A), g, not upper, left, unit)


def triangular_a(
    o: Any, g: Any, A: Any, out: Any, upper: bool, left: bool, unit: bool
) -> Any:
    """As for `solve`, and only the triangle that counts."""
    h = triangular_b(o, g, A, upper, left, unit)
    full = -times(o, h, mirror(o, out)) if left else -times(o, mirror(o, out), h)
    return o.triu(full, int(unit)) if upper else o.tril(full, -int(unit))


operator(
    "_solve_triangular",
    lambda xp, A, B, upper, left, unitriangular: _triangular_kernel(
        xp, A, B, upper, left, unitriangular
    ),
    A=lambda o, g, A, A_shape, out, upper, left, unitriangular: to_shape(
        o, triangular_a(o, g, A, out, upper, left, unitriangular), A_shape
    ),
    B=lambda o, g, A, B_shape, upper, left, unitriangular: to_shape(
        o, triangular_b(o, g, A, upper, left, unitriangular), B_shape
    ),
    kinds=EQUATION, label="LinalgSolveTriangularBackward", function=False, method=False,
    doc="The solution of an equation with triangular matrices.",
)  # fmt: skip


def _solve_triangular(
    o: Any, A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    check_equation("linalg.solve_triangular", A, B, left, False)
    broadcast_batches(A._array.shape[:-2], B._array.shape[:-2])
    return o._solve_triangular(A, B, upper, left, unitriangular)


composite("linalg_solve_triangular", _solve_triangular, module="torch.linalg", method=False,
          kinds=EQUATION, doc="The solution of an equation with triangular matrices.")  # fmt: skip
