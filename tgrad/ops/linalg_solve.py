"""Rows: systems of linear equations."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError, ShapeError
from tgrad.ops.formulas import to_shape
from tgrad.ops.linalg import (
    HIDDEN,
    LINALG,
    MATRIX,
    checked,
    mirror,
    need_floats,
    need_kernel,
    need_square,
    times,
    turned,
)
from tgrad.ops.matmul import broadcast_batches
from tgrad.ops.mixing import refuse_several
from tgrad.ops.named import return_type
from tgrad.ops.table import composite, operator


def _solve_kernel(xp: Any, a: Any, b: Any, left: bool, vector: bool) -> tuple[Any, Any]:
    if vector:
        x, codes = xp.linear.solve(a, b[..., None])
        x = x[..., 0]
        x = xp.linear.by_columns(x) if x.ndim > 1 else x
    elif left:
        x, codes = xp.linear.solve(a, b)
    else:
        x, codes = xp.linear.solve(a.swapaxes(-1, -2), b.swapaxes(-1, -2))
        x = x.swapaxes(-1, -2)
    while codes.ndim > a.ndim - 2:
        codes = codes[0] if codes.size else codes.reshape(codes.shape[1:])
    return x, codes


def solve_b(o: Any, g: Any, A: Any, left: bool, vector: bool) -> Any:
    """The solution of the equation with the conjugate transpose of A."""
    return o._solve_ex(mirror(o, A), g, left, vector)[0]


def solve_a(o: Any, g: Any, A: Any, out: Any, left: bool, vector: bool) -> Any:
    """Minus the gradient for B times the solution."""
    h = solve_b(o, g, A, left, vector)
    if vector:
        h, out = o.unsqueeze(h, -1), o.unsqueeze(out, -1)
    return -times(o, h, mirror(o, out)) if left else -times(o, mirror(o, out), h)


operator(
    "_solve_ex", lambda xp, A, B, left, vector: _solve_kernel(xp, A, B, left, vector),
    A=lambda o, g, A, A_shape, result, left, vector: to_shape(
        o, solve_a(o, g, A, result, left, vector), A_shape
    ),
    B=lambda o, g, A, B_shape, left, vector: to_shape(o, solve_b(o, g, A, left, vector), B_shape),
    fields=("result", "info"), outputs=1, result=(None, dtypes.int32), kinds=MATRIX,
    label="LinalgSolveExBackward", **HIDDEN,
    doc="The solutions of A X = B, or of X A = B, and a code for each matrix.",
)  # fmt: skip


def is_vector(a: Tensor, b: Tensor) -> bool:
    """Whether the right side of an equation is a batch of vectors."""
    x, y = a._array.shape, b._array.shape
    return len(y) == 1 or (len(x) - 1 == len(y) and x[:-1] == y)


def check_same_dtype(name: str, a: Tensor, b: Tensor, label: str = "A") -> None:
    """Raise PyTorch's error for sides of an equation of two dtypes."""
    if a._type.dtype is not b._type.dtype:
        raise DTypeError(
            f"{name}: Expected {label} and B to have the same dtype, but found {label} of type "
            f"{a._type.dtype.title} and B of type {b._type.dtype.title} instead"
        )


def check_sides(name: str, a: Tensor, b: Tensor, left: bool, vector: bool) -> None:
    """Raise PyTorch's errors for sides of an equation that don't go together."""
    need_square(name, a)
    n = a._array.shape[-1]
    shape = (*b._array.shape, 1) if vector else b._array.shape
    if len(shape) < 2:
        raise ShapeError(f"{name}: The input tensor B must have at least 2 dimensions.")
    if shape[-2 if left else -1] != n:
        raise ShapeError(
            f"{name}: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({n}x{n} and {shape[-2]}x{shape[-1]})"
        )


def check_batches(a: Tensor, b: Tensor, vector: bool = False) -> None:
    """Raise PyTorch's error for sides of an equation whose batches don't broadcast."""
    broadcast_batches(b._array.shape[: -1 if vector else -2], a._array.shape[:-2])


def _solve(o: Any, A: Any, B: Any, left: bool) -> Any:
    name = "linalg.solve"
    need_floats(name, A, low=True)
    check_same_dtype(name, A, B)
    vector = is_vector(A, B)
    check_sides(name, A, B, left, vector)
    if vector and not left:
        raise ShapeError(
            f"{name}: Vector broadcasting of the left hand side is not supported for "
            "left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)"
        )  # fmt: skip
    check_batches(A, B, vector)
    need_kernel("lu_cpu", A)
    if vector and B.ndim == 1 and A.ndim > 2:
        B = o.expand(B, (*A._array.shape[:-2], B._array.shape[0]))
    return o._solve_ex(A, B, left, vector)


_EX = return_type("linalg_solve_ex", ("result", "info"))
composite(
    "linalg_solve",
    lambda o, A, B, *, left=True: checked("torch.linalg.solve", "solve", _solve(o, A, B, left))[0],
    kinds=MATRIX, **LINALG, doc="The solution X of A X = B, or with left=False of X A = B.",
)  # fmt: skip
composite(
    "linalg_solve_ex",
    lambda o, A, B, *, left=True, check_errors=False: _EX(
        checked("torch.linalg.solve_ex", "solve", _solve(o, A, B, left), check_errors)
    ),
    kinds=MATRIX, fields=_EX.fields, **LINALG,
    doc="linalg.solve, and for each matrix the place of the first zero pivot, 0 if there is none.",
)  # fmt: skip

# ---------------------------------------------------------------- triangular matrices


def _triangular_kernel(xp: Any, a: Any, b: Any, upper: bool, left: bool, unit: bool) -> Any:
    if left:
        return xp.factors.solve_triangular(a, b, upper, unit)
    turned_a, turned_b = a.swapaxes(-1, -2), b.swapaxes(-1, -2)
    x = xp.factors.solve_triangular(turned_a, turned_b, not upper, unit)
    return xp.factors.by_columns(x.swapaxes(-1, -2))


def triangular_b(o: Any, g: Any, A: Any, upper: bool, left: bool, unit: bool) -> Any:
    """The solution of the equation with the conjugate transpose of A."""
    return o._solve_triangular(mirror(o, A), g, not upper, left, unit)


def triangular_a(o: Any, g: Any, A: Any, out: Any, upper: bool, left: bool, unit: bool) -> Any:
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
    kinds=MATRIX, label="LinalgSolveTriangularBackward", **HIDDEN,
    doc="The solution of an equation with triangular matrices.",
)  # fmt: skip


def _solve_triangular(
    o: Any, A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    check_sides("linalg.solve_triangular", A, B, left, False)
    check_batches(A, B)
    need_kernel("triangular_solve_cpu", A)
    if B._type is not A._type:
        B = o.to_copy(B, A._type.dtype)
    return o._solve_triangular(A, B, upper, left, unitriangular)


composite("linalg_solve_triangular", _solve_triangular, kinds=MATRIX, **LINALG,
          doc="The solution of an equation with triangular matrices.")  # fmt: skip


def check_old_sides(name: str, b: Tensor, a: Tensor) -> None:
    """Raise the errors of PyTorch's older functions, which have the right side first."""
    if a._type is not b._type:
        refuse_several(
            "Expected b and A to be on the same device, but found b on {0} and A on {1} instead.", b, a
        )
        raise DTypeError(
            f"Expected b and A to have the same dtype, but found b of type {b._type.dtype.title} and A "
            f"of type {a._type.dtype.title} instead."
        )
    m, n = a._array.shape[-2:]
    if m != n:
        raise ShapeError(f"A must be batches of square matrices, but they are {m} by {n} matrices")
    if b._array.shape[-2] != n:
        raise ShapeError(
            f"Incompatible matrix sizes for {name}: each A matrix is {n} by {n} but each b matrix is "
            f"{b._array.shape[-2]} by {b._array.shape[-1]}"
        )
    broadcast_batches(b._array.shape[:-2], a._array.shape[:-2])


def _check_triangular(input: Tensor, A: Tensor, *args: Any) -> None:
    for label, tensor in (("b", input), ("A", A)):
        if tensor.ndim < 2:
            raise ShapeError(
                f"torch.triangular_solve: Expected {label} to have at least 2 dimensions, but it has "
                f"{tensor.ndim} dimensions instead"
            )
    check_old_sides("triangular_solve", input, A)
    need_kernel("triangular_solve_cpu", A)


def _turned_equation(o: Any, A: Any, upper: bool, transpose: bool) -> tuple[Any, bool]:
    return (turned(o, A), not upper) if transpose else (A, upper)


def _old_kernel(xp: Any, b: Any, a: Any, upper: bool, transpose: bool, unit: bool) -> Any:
    matrix, above = (a.swapaxes(-1, -2), not upper) if transpose else (a, upper)
    solution = xp.factors.solve_triangular(matrix, b, above, unit)
    batch = solution.shape[:-2]
    return solution, xp.factors.by_columns(xp.broadcast_to(a, (*batch, *a.shape[-2:])).copy())


def _old_a(o: Any, g: Any, A: Any, solution: Any, upper: bool, transpose: bool, unit: bool) -> Any:
    matrix, above = _turned_equation(o, A, upper, transpose)
    result = triangular_a(o, g[0], matrix, solution, above, True, unit)
    return (turned(o, result) if transpose else result) + g[1]


def _old_b(o: Any, g: Any, A: Any, upper: bool, transpose: bool, unit: bool) -> Any:
    matrix, above = _turned_equation(o, A, upper, transpose)
    return triangular_b(o, g[0], matrix, above, True, unit)


operator(
    "triangular_solve",
    lambda xp, input, A, upper=True, transpose=False, unitriangular=False: _old_kernel(
        xp, input, A, upper, transpose, unitriangular
    ),
    A=lambda o, g, A, A_shape, solution, upper, transpose, unitriangular: to_shape(
        o, _old_a(o, g, A, solution, upper, transpose, unitriangular), A_shape
    ),
    input=lambda o, g, A, input_shape, upper, transpose, unitriangular: to_shape(
        o, _old_b(o, g, A, upper, transpose, unitriangular), input_shape
    ),
    kinds={**MATRIX, "transpose": "bool"}, fields=("solution", "cloned_coefficient"), outputs=2,
    result=(None, None), check=_check_triangular,
    doc="The solution of an equation with triangular matrices, and a copy of these.",
)  # fmt: skip
