"""Rows: inverses, determinants, equations (torch.linalg).

The derivatives are matrix calculus in its usual form, written with conjugate transposes; see
M. Giles, An extended collection of matrix derivative results, 2008, and the notes at the formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError, NotAvailableError, ShapeError, StateError
from tgrad.ops.formulas import to_shape
from tgrad.ops.table import composite, operator

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
    """Whether a gradient is all zeros: one that didn't arrive, and must not be divided by 0."""
    return not getattr(value, "_array", value).any()


def diagonal(o: Any, a: Any) -> Any:
    """The diagonal of each matrix."""
    return o.diagonal(a, 0, -2, -1)


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

# ---------------------------------------------------------------- what is refused


class LinAlgError(StateError):
    """A matrix is singular, or not positive-definite, or an algorithm didn't converge."""

    builtin = type("torch._C._LinAlgError", (RuntimeError,), {})


def need_floats(name: str, *tensors: Tensor) -> None:
    """Raise PyTorch's errors for dtypes without linear algebra."""
    for tensor in tensors:
        if not tensor._type.inexact:
            raise DTypeError(
                f"{name}: Expected a floating point or complex tensor as input. Got "
                f"{tensor._type.dtype.title}",
                hint="convert it first: A.float()",
            )
        if tensor._type.narrow:
            raise _low_precision(name, tensor)


def _low_precision(name: str, tensor: Tensor) -> Exception:
    """PyTorch's error for 16 bits: that of the function, or of the kernel that it comes to."""
    title = tensor._type.dtype.title
    if name == "linalg.pinv":
        return DTypeError(
            f"linalg.pinv({title}{{{list(tensor._array.shape)}}}): expected a tensor with 2 or more "
            "dimensions of float, double, cfloat or cdouble types"
        )
    if name == "torch.linalg.lstsq":
        return DTypeError("This function doesn't handle types other than float and double")
    kernel = _KERNELS.get(name)
    if kernel is not None:
        return NotAvailableError(f'"{kernel}" not implemented for \'{title}\'')
    name = "linalg.inv" if name == "linalg.inv_ex" else name
    return DTypeError(f"{name}: Low precision dtypes not supported. Got {title}")


_KERNELS: Final = {
    "linalg.det": "lu_cpu", "linalg.solve": "lu_cpu", "linalg.lu": "lu_cpu",
    "linalg.lu_factor": "lu_cpu", "linalg.cholesky": "cholesky_cpu", "linalg.eigh": "linalg_eigh_cpu",
    "linalg.eig": "linalg_eig_out_cpu", "linalg.svd": "linalg_svd_cpu", "linalg.qr": "geqrf_cpu",
    "linalg.solve_triangular": "triangular_solve_cpu", "triangular_solve": "triangular_solve_cpu",
    "cholesky_solve": "cholesky_solve_cpu", "cholesky_inverse": "cholesky_inverse_out_cpu",
    "geqrf": "geqrf_cpu",
}  # fmt: skip


def need_matrix(name: str, a: Tensor, label: str = "A") -> None:
    """Raise PyTorch's error for tensors with fewer than two dimensions."""
    if a._array.ndim < 2:
        raise ShapeError(f"{name}: The input tensor {label} must have at least 2 dimensions.")


def need_square(name: str, a: Tensor) -> None:
    """Raise PyTorch's error for matrices that aren't square."""
    need_matrix(name, a)
    m, n = a._array.shape[-2:]
    if m != n:
        raise ShapeError(
            f"{name}: A must be batches of square matrices, but they are {m} by {n} matrices"
        )


def square_check(name: str) -> Callable[..., None]:
    """A check of a row whose first argument must be square matrices of floats."""

    def check(A: Tensor, *args: Any, **keywords: Any) -> None:
        need_square(name, A)
        need_floats(name, A)

    return check


def first_bad(xp: Any, a: Any) -> tuple[str, int]:
    """Which matrix of a batch is singular, as a message begins, and its first zero pivot."""
    from tgrad.backends.linear import lu

    factors, _ = lu(a)
    pivots = xp.diagonal(factors, 0, -2, -1).reshape(-1, a.shape[-1])
    for number, row in enumerate(pivots):
        zeros = (row == 0).nonzero()[0]
        if len(zeros):
            return (f"(Batch element {number}): " if a.ndim > 2 else ""), int(zeros[0]) + 1
    return "", a.shape[-1]


# ---------------------------------------------------------------- inverse and determinant


def _inverse(xp: Any, a: Any) -> Any:
    from tgrad.backends import linear

    try:
        return linear.by_columns(linear.inv(a))
    except linear.LinAlgError:
        batch, place = first_bad(xp, a)
        raise LinAlgError(
            f"linalg.inv: {batch}The diagonal element {place} is zero, the inversion could not be "
            "completed because the input matrix is singular."
        ) from None


def inverse_back(o: Any, g: Any, out: Any) -> Any:
    """-A^-H g A^-H."""
    across = mirror(o, out)
    return -times(o, across, g, across)


_INV = {"kinds": {"A": "tensor"}, "module": "torch.linalg", "method": False}

operator(
    "linalg_inv", lambda xp, A: _inverse(xp, A),
    A=lambda o, g, out: inverse_back(o, g, out),
    label="LinalgInvExBackward", check=square_check("linalg.inv"), **_INV,
    doc="The inverse of each matrix.",
)  # fmt: skip
composite("inverse", lambda o, input: o.linalg_inv(input), doc="The inverse of each matrix.")


def _inverse_or_code(xp: Any, a: Any) -> tuple[Any, Any]:
    from tgrad.backends import linear

    flat = a.reshape(-1, *a.shape[-2:])
    result = xp.empty_like(flat)
    codes = xp.zeros(len(flat), xp.int32)
    for i, matrix in enumerate(flat):
        try:
            result[i] = linear.inv(matrix)
        except linear.LinAlgError:
            result[i] = xp.inf
            codes[i] = first_bad(xp, matrix)[1]
    return linear.by_columns(result.reshape(a.shape)), codes.reshape(a.shape[:-2])


operator(
    "linalg_inv_ex", lambda xp, A, *, check_errors=False: _inverse_or_code(xp, A),
    A=lambda o, g, inverse: inverse_back(o, g, inverse),
    fields=("inverse", "info"), outputs=1, result=(None, dtypes.int32), out=False,
    check=square_check("linalg.inv_ex"), kinds={"A": "tensor", "check_errors": "bool"},
    module="torch.linalg", method=False,
    doc="The inverse of each matrix, and the place of the first zero pivot, 0 if there is none.",
)  # fmt: skip


def _determinant(xp: Any, a: Any) -> Any:
    from tgrad.backends import linear

    return xp.asarray(linear.det(a)).astype(a.dtype)


def _check_det(A: Tensor) -> None:
    need_square("linalg.det", A)
    need_floats("linalg.det", A)


operator(
    "linalg_det", lambda xp, A: _determinant(xp, A),
    A=lambda o, g, A: matrices_of(o, g) * o.conj(o._cofactor(A)),
    check=_check_det, **_INV, doc="The determinant of each matrix.",
)  # fmt: skip


def _cofactor(xp: Any, a: Any) -> Any:
    from tgrad.backends import linear

    return linear.cofactor(a)


def cofactor_back(o: Any, g: Any, input: Any, out: Any) -> Any:
    """With B = A^-T: the product of g and B, times the cofactors C, less C g^T B.

    Where the inverse doesn't exist the kernel does it, which has no derivative with respect to A.
    """
    from tgrad.backends import linear

    array = getattr(input, "_array", input)
    if array.dtype.kind != "c" and not linear.det(array).all():
        return o._cofactor_backward(g, input)
    b = turned(o, o.linalg_inv(input))
    trace = matrices_of(o, o.sum_dim(g * o.conj(b), (-2, -1), False))
    return trace * o.conj(out) - times(o, o.conj(out), turned(o, g), o.conj(b))


def _cofactor_back(xp: Any, g: Any, a: Any) -> Any:
    from tgrad.backends import linear

    return linear.cofactor_back(g, a)


operator(
    "_cofactor_backward", lambda xp, grad, input: _cofactor_back(xp, grad, input),
    grad=lambda o, g, input: o._cofactor_backward(g, input),
    kinds={"grad": "tensor"}, function=False, method=False,
    doc="The derivative of the cofactors of singular matrices.",
)  # fmt: skip
operator(
    "_cofactor", lambda xp, input: _cofactor(xp, input),
    input=lambda o, g, input, out: cofactor_back(o, g, input, out),
    function=False, method=False, doc="The derivative of the determinant.",
)  # fmt: skip
composite("det", lambda o, input: o.linalg_det(input), doc="The determinant of each matrix.")


def _sign_and_log(xp: Any, a: Any) -> tuple[Any, Any]:
    from tgrad.backends import linear

    sign, log = linear.slogdet(a)
    return xp.asarray(sign).astype(a.dtype), xp.asarray(log)


def slogdet_back(o: Any, g: Any, A: Any, sign: Any) -> Any:
    """g A^-H for the logarithm; the sign turns with the imaginary part."""
    factor = g[1]
    if _is_complex(sign):
        factor = factor - 1j * o.imag(o.conj(g[0]) * sign)
    return matrices_of(o, factor) * mirror(o, o.linalg_inv(A))


def _is_complex(value: Any) -> bool:
    array = getattr(value, "_array", value)
    return bool(array.dtype.kind == "c")


operator(
    "linalg_slogdet", lambda xp, A: _sign_and_log(xp, A),
    A=lambda o, g, A, sign: slogdet_back(o, g, A, sign),
    fields=("sign", "logabsdet"), outputs=2, result=(None, dtypes.DType.to_real), out=False,
    check=square_check("linalg.slogdet"), **_INV,
    doc="Sign and logarithm of the absolute value of each determinant.",
)  # fmt: skip


def _slogdet(o: Any, input: Any) -> Any:
    from tgrad.ops.named import return_type

    return return_type("slogdet", ("sign", "logabsdet"))(o.linalg_slogdet(input))


composite("slogdet", _slogdet, out=False, doc="Sign and logarithm of each determinant.")


def _logdet(o: Any, input: Any) -> Any:
    sign, log = o.linalg_slogdet(input)
    if sign._type.dtype.is_complex:
        return o.add(o.log(sign), log)
    return o._choose(o.eq(sign, -1.0), float("nan"), log)


composite("logdet", _logdet, out=False, doc="The logarithm of each determinant; nan if negative.")
