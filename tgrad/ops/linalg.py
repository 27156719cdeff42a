"""What the rows of linear algebra have in common: pieces of formulas, checks, errors (torch.linalg).

The derivatives are matrix calculus in its usual form, written with conjugate transposes; see
M. Giles, An extended collection of matrix derivative results, 2008, and the notes at the formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tgrad.core.device import type_of
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import DTypeError, LinAlgError, ShapeError, StateError, UnsupportedDTypeError
from tgrad.ops.formulas import to_shape
from tgrad.ops.table import operator

LINALG: dict[str, Any] = {"module": "torch.linalg", "method": False}
"""The settings of functions of torch.linalg."""
HIDDEN: dict[str, Any] = {"function": False, "method": False, "out": False}
"""The settings of rows for formulas and composites."""
MATRIX: dict[str, str] = {
    "A": "tensor", "B": "tensor", "left": "bool", "upper": "bool", "unitriangular": "bool",
    "check_errors": "bool", "pivot": "bool", "hermitian": "bool",
}  # fmt: skip
"""The kinds of the parameters that these functions share."""

# ---------------------------------------------------------------- what formulas are made of


def turned(o: Any, a: Any) -> Any:
    """The transpose of each matrix."""
    return o.transpose(a, -2, -1)


def mirror(o: Any, a: Any) -> Any:
    """The conjugate transpose of each matrix."""
    return o.conj(o.transpose(a, -2, -1))


def times(o: Any, a: Any, *others: Any) -> Any:
    """The matrix product of all arguments, from the left."""
    for b in others:
        a = o._matrices(a, b)
    return a


def matrices_of(o: Any, values: Any) -> Any:
    """A number for each matrix, with two more dimensions."""
    return o.unsqueeze(o.unsqueeze(values, -1), -1)


def nothing(value: Any) -> bool:
    """Whether a gradient didn't arrive, or is all zeros, which must not be divided by 0."""
    if value is None:
        return True
    return not getattr(value, "_array", value).any() and not getattr(value, "requires_grad", False)


def wants_gradient(a: Any) -> bool:
    """Whether a tensor's history is being written down; arrays have none."""
    return state.grad and getattr(a, "requires_grad", False)


def or_zeros(o: Any, gradient: Any, like: Any) -> Any:
    """A gradient, or zeros in place of one that didn't arrive."""
    return o._zeros_of(like) if gradient is None else gradient


def diagonal(o: Any, a: Any) -> Any:
    """The diagonal of each matrix."""
    return o.diagonal(a, 0, -2, -1)


def first(o: Any, a: Any, dim: int, size: int) -> Any:
    """The first `size` entries along a dimension."""
    return a if a.shape[dim] == size else o.slice(a, dim % len(a.shape), 0, size, 1)


def rest(o: Any, a: Any, dim: int, start: int) -> Any:
    """The entries along a dimension from `start` on."""
    return o.slice(a, dim % len(a.shape), start, a.shape[dim], 1)


def identity_like(o: Any, a: Any, rows: int, columns: int) -> Any:
    """The identity in the dtype of a tensor or an array, and as one of these."""
    array = getattr(a, "_array", a)
    eye = type_of(array).xp.eye(rows, columns, dtype=array.dtype)
    return eye if a is array else new_tensor(eye, a._type)


def is_complex(value: Any) -> bool:
    """Whether a tensor or an array has complex elements."""
    return bool(getattr(value, "_array", value).dtype.kind == "c")


def on_diagonal(o: Any, values: Any) -> Any:
    """Matrices with these diagonals."""
    return o.diag_embed(values, 0, -2, -1)


operator(
    "_matrices", lambda xp, input, mat2: xp.matmul(input, mat2),
    input=lambda o, g, mat2, input_shape: to_shape(
        o, o._matrices(g, mirror(o, mat2)), input_shape
    ),
    mat2=lambda o, g, input, mat2_shape: to_shape(o, o._matrices(mirror(o, input), g), mat2_shape),
    function=False, method=False, label="BmmBackward",
    doc="Products of matrices with batches that broadcast; for formulas.",
)  # fmt: skip


_FEW = 8
"""Fewer rows than these are solved for as PyTorch does, to the last digit where that can be had."""


def enclosed(o: Any, b: Any, a: Any) -> Any:
    """a^-1 b a^-H for upper triangular matrices a."""
    if a.shape[-1] < _FEW:
        left = o._solve_triangular(a, b, True, True, False)
        return o._solve_triangular(mirror(o, a), left, False, False, False)
    inverse = o._inverse_of_triangle(a, True)
    return times(o, inverse, b, mirror(o, inverse))


def over_mirror(o: Any, b: Any, a: Any) -> Any:
    """b a^-H for upper triangular matrices a."""
    if a.shape[-1] < _FEW:
        return o._solve_triangular(mirror(o, a), b, False, False, False)
    return times(o, b, mirror(o, o._inverse_of_triangle(a, True)))


def _inverse_of_triangle(xp: Any, a: Any, upper: bool) -> Any:
    return xp.factors.inverse_of_triangle(a, upper)


def _inverse_back(o: Any, g: Any, out: Any, upper: bool) -> Any:
    across = mirror(o, out)
    full = -times(o, across, g, across)
    return o.triu(full, 0) if upper else o.tril(full, 0)


operator(
    "_inverse_of_triangle", lambda xp, A, upper: _inverse_of_triangle(xp, A, upper),
    A=lambda o, g, out, upper: _inverse_back(o, g, out, upper),
    kinds=MATRIX, **HIDDEN, doc="The inverse of each triangular matrix; for formulas.",
)  # fmt: skip


def _mirrored_triangle(xp: Any, a: Any, upper: bool) -> Any:
    return xp.linear.mirrored_triangle(a, upper)


def _mirrored_back(o: Any, g: Any, upper: bool) -> Any:
    if upper:
        return o.triu(g, 0) + mirror(o, o.tril(g, -1))
    return o.tril(g, 0) + mirror(o, o.triu(g, 1))


operator(
    "_mirrored_triangle", lambda xp, input, upper: _mirrored_triangle(xp, input, upper),
    input=lambda o, g, upper: _mirrored_back(o, g, upper),
    kinds=MATRIX, **HIDDEN,
    doc="One triangle of each matrix, with the diagonal, and its mirror image in place of the other.",
)  # fmt: skip


def need_no_phase(o: Any, imaginary: Any, sentence: str) -> None:
    """Raise PyTorch's error if a gradient depends on the phase of complex vectors, which is free."""
    array = getattr(imaginary, "_array", imaginary)
    if not (abs(array) <= 1e-2).all():
        raise StateError(sentence)


# ---------------------------------------------------------------- what is refused


def need_floats(name: str, *tensors: Tensor, low: bool = False) -> None:
    """Raise PyTorch's errors for dtypes without linear algebra; `low`: half precision will do."""
    for tensor in tensors:
        if not tensor._type.inexact:
            raise DTypeError(
                f"{name}: Expected a floating point or complex tensor as input. Got "
                f"{tensor._type.dtype.title}",
                hint="convert it first: A.float()",
            )
        if tensor._type.narrow and not low:
            raise DTypeError(f"{name}: Low precision dtypes not supported. Got {tensor._type.dtype.title}")


def need_kernel(kernel: str, tensor: Tensor) -> None:
    """Raise PyTorch's error for dtypes that LAPACK has no routines for."""
    if not tensor._type.inexact or tensor._type.narrow:
        raise UnsupportedDTypeError(
            f"\"{kernel}\" not implemented for '{tensor._type.dtype.title}'",
            hint="convert it first: A.float()",
        )


def need_matrix(name: str, a: Tensor, label: str = " A") -> None:
    """Raise PyTorch's error for tensors with fewer than two dimensions."""
    if a._array.ndim < 2:
        raise ShapeError(f"{name}: The input tensor{label} must have at least 2 dimensions.")


def need_square(name: str, a: Tensor) -> None:
    """Raise PyTorch's error for matrices that aren't square."""
    need_matrix(name, a)
    m, n = a._array.shape[-2:]
    if m != n:
        raise ShapeError(f"{name}: A must be batches of square matrices, but they are {m} by {n} matrices")


def square_check(name: str, kernel: str = "", whole: bool = False) -> Callable[..., None]:
    """A check of a row whose first argument must be square matrices of floats.

    With a kernel's name half precision is refused in its name; `whole`: whole numbers, too.
    """

    def check(A: Tensor, *args: Any, **keywords: Any) -> None:
        need_square(name, A)
        if not whole:
            need_floats(name, A, low=bool(kernel))
        if kernel:
            need_kernel(kernel, A)

    return check


REASONS: dict[str, str] = {
    "inv": "The diagonal element {} is zero, the inversion could not be completed because the input "
    "matrix is singular.",
    "solve": "The solver failed because the input matrix is singular.",
    "cholesky": "The factorization could not be completed because the input is not "
    "positive-definite (the leading minor of order {} is not positive-definite).",
    "lu": "U[{0},{0}] is zero and using it on lu_solve would result in a division by zero. If you "
    "still want to perform the factorization, consider calling linalg.lu(A, pivot) or "
    "linalg.lu_factor_ex(A, pivot)",
    "ldl": "Unknown error code: {}.",
    "lstsq": "The least squares solution could not be computed because the input matrix does not "
    "have full rank (error code: {}).",
    "svd": "The algorithm failed to converge because the input matrix is ill-conditioned or has too "
    "many repeated singular values (error code: {}).",
    "finite": "The algorithm failed to converge because the input matrix contained non-finite values.",
    "eigh": "The algorithm failed to converge because the input matrix is ill-conditioned or has too "
    "many repeated eigenvalues (error code: {}).",
}
"""Why a routine of LAPACK failed, by its code."""


def refuse_codes(name: str, reason: str, codes: Any) -> None:
    """Raise PyTorch's error if one of LAPACK's codes, an array, isn't 0."""
    if not (codes.any() if codes.ndim else codes.item()):
        return
    number = int(codes.reshape(-1).nonzero()[0][0])
    code = int(codes.reshape(-1)[number])
    place = f"(Batch element {number}): " if codes.ndim else ""
    error = StateError if reason in ("lu", "ldl") else LinAlgError
    raise error(f"{name}: {place}{REASONS[reason].format(code)}")


def checked(name: str, reason: str, result: Any, wanted: bool = True) -> Any:
    """A result whose last part are codes, with PyTorch's error if these are asked for and not 0."""
    if wanted:
        refuse_codes(name, reason, result[-1]._array)
    return result
