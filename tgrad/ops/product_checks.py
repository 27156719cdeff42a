"""What products of matrices and vectors refuse: shapes and dtypes, in PyTorch's words."""

from __future__ import annotations

from typing import Any

from tgrad.core.dtype import BOOL
from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError, NotAvailableError, ShapeError, StateError
from tgrad.ops.dimensions import wrap_dim


def c_name(tensor: Tensor) -> str:
    """A tensor's dtype as C++ names it."""
    return tensor._type.dtype.c_name


def refuse_dtype(kernel: str, tensor: Tensor) -> None:
    """Raise PyTorch's error for a dtype that has no matrix product."""
    dtype = tensor._type.dtype
    if dtype.category == BOOL or dtype.name in ("uint16", "uint32", "uint64"):
        raise NotAvailableError(
            f"\"{kernel}\" not implemented for '{dtype.title}'",
            hint="convert the operands first, e.g. to float32",
        )


def check_mm(input: Tensor, mat2: Tensor) -> None:
    """Matrices, inner sizes, dtypes."""
    a, b = input._array, mat2._array
    if a.ndim != 2:
        raise ShapeError("self must be a matrix", op="mm", operands=(input, mat2))
    if b.ndim != 2:
        raise ShapeError("mat2 must be a matrix", op="mm", operands=(input, mat2))
    if a.shape[1] != b.shape[0]:
        raise inner_sizes(input, mat2)
    if input._type is not mat2._type:
        raise DTypeError(
            "expected m1 and m2 to have the same dtype, but got: "
            f"{c_name(input)} != {c_name(mat2)}",
            op="mm", operands=(input, mat2),
        )  # fmt: skip
    if not input._type.inexact:
        refuse_dtype("addmm_impl_cpu_", input)


def inner_sizes(mat1: Tensor, mat2: Tensor) -> ShapeError:
    """The error for matrices whose inner sizes differ."""
    (n, k), (m, p) = mat1._array.shape, mat2._array.shape
    return ShapeError(
        f"mat1 and mat2 shapes cannot be multiplied ({n}x{k} and {m}x{p})",
        op="mm", operands=(mat1, mat2),
    )  # fmt: skip


def check_bmm(input: Tensor, mat2: Tensor) -> None:
    """Batches of matrices."""
    check_batches(input, mat2)
    if input._type is not mat2._type:
        raise DTypeError(
            f"expected scalar type {input._type.dtype.title} but found {mat2._type.dtype.title}",
            op="bmm", operands=(input, mat2),
        )  # fmt: skip
    if not input._type.inexact:
        refuse_dtype("bmm", input)


def check_batches(batch1: Tensor, batch2: Tensor) -> None:
    """The shapes of two batches of matrices."""
    a, b = batch1._array.shape, batch2._array.shape
    if len(a) != 3:
        raise ShapeError("batch1 must be a 3D tensor", op="bmm", operands=(batch1, batch2))
    if len(b) != 3:
        raise ShapeError("batch2 must be a 3D tensor", op="bmm", operands=(batch1, batch2))
    if a[0] != b[0] or a[2] != b[1]:
        raise ShapeError(
            "Expected size for first two dimensions of batch2 tensor to be: "
            f"[{a[0]}, {a[2]}] but got: [{b[0]}, {b[1]}].",
            op="bmm", operands=(batch1, batch2),
        )  # fmt: skip


def check_mv(input: Tensor, vec: Tensor) -> None:
    """A matrix and a vector."""
    check_matrix_vector(input, vec, None)
    if input._type is not vec._type:
        raise _addmv_dtypes(vec, input, vec)
    if not input._type.inexact:
        refuse_dtype("addmv_impl_cpu", input)


def check_matrix_vector(mat: Tensor, vec: Tensor, input: Tensor | None) -> None:
    """The shapes of input + mat @ vec; without an input the result's own."""
    m, v = mat._array.shape, vec._array.shape
    if not m and input is None:
        wrap_dim(0, 0, scalar=False)
    given = 1 if input is None else input._array.ndim
    if len(m) != 2 or len(v) != 1 or given > 1:
        raise ShapeError(
            f"vector + matrix @ vector expected, got {given}, {len(m)}, {len(v)}",
            op="mv", operands=(mat, vec),
        )  # fmt: skip
    size = m[0] if input is None or not input._array.ndim else input._array.shape[0]
    if m[1] != v[0] or size not in (m[0], 1):
        raise ShapeError(
            f"size mismatch, got input ({size}), mat ({m[0]}x{m[1]}), vec ({v[0]})",
            op="mv", operands=(mat, vec),
        )  # fmt: skip


def _addmv_dtypes(input: Tensor, mat: Tensor, vec: Tensor) -> DTypeError:
    titles = [t._type.dtype.title for t in (input, mat, vec)]
    return DTypeError(
        f"addmv input tensors must have the same dtype, but got {titles[0]}, {titles[1]}, and "
        f"{titles[2]}",
        op="mv", operands=(mat, vec),
    )  # fmt: skip


def check_dot(input: Tensor, tensor: Tensor) -> None:
    """Two vectors of one size and dtype."""
    a, b = input._array.shape, tensor._array.shape
    if len(a) != 1 or len(b) != 1:
        raise ShapeError(
            f"1D tensors expected, but got {len(a)}D and {len(b)}D tensors",
            op="dot", operands=(input, tensor),
        )  # fmt: skip
    if input._type is not tensor._type:
        raise DTypeError(
            "dot : expected both vectors to have same dtype, but found "
            f"{input._type.dtype.title} and {tensor._type.dtype.title}",
            op="dot", operands=(input, tensor),
        )  # fmt: skip
    if a != b:
        raise ShapeError(
            f"inconsistent tensor size, expected tensor [{a[0]}] and src [{b[0]}] to have the same "
            f"number of elements, but got {a[0]} and {b[0]} elements respectively",
            op="dot", operands=(input, tensor),
        )  # fmt: skip
    if not input._type.inexact:
        refuse_dtype("dot", input)


def check_expand(tensor: Tensor, size: tuple[int, ...]) -> None:
    """Raise PyTorch's error if a tensor can't be expanded to a size."""
    shape = tensor._array.shape
    if len(shape) > len(size):
        raise ShapeError(
            f"expand(torch.{tensor._type.dtype.title}Tensor{{{list(shape)}}}, size={list(size)}): "
            f"the number of sizes provided ({len(size)}) must be greater or equal to the number of "
            f"dimensions in the tensor ({len(shape)})"
        )
    for i in reversed(range(len(shape))):
        dim = i + len(size) - len(shape)
        if shape[i] not in (1, size[dim]):
            raise ShapeError(
                f"The expanded size of the tensor ({size[dim]}) must match the existing size "
                f"({shape[i]}) at non-singleton dimension {dim}.  Target sizes: {list(size)}.  "
                f"Tensor sizes: {list(shape)}"
            )


def check_addmm(input: Tensor, mat1: Tensor, mat2: Tensor, beta: Any, alpha: Any) -> None:
    """A matrix product and something that expands to its shape."""
    _check_addmm_dtypes(input, mat1, mat2, beta, alpha)
    for name, matrix in (("mat1", mat1), ("mat2", mat2)):
        if matrix._array.ndim != 2:
            raise ShapeError(
                f"{name} must be a matrix, got {matrix._array.ndim}-D tensor",
                op="addmm", operands=(mat1, mat2),
            )  # fmt: skip
    if mat1._array.shape[1] != mat2._array.shape[0]:
        raise inner_sizes(mat1, mat2)
    check_expand(input, (mat1._array.shape[0], mat2._array.shape[1]))
    if not input._type.inexact:
        refuse_dtype("addmm_impl_cpu_", input)


def _check_addmm_dtypes(input: Tensor, mat1: Tensor, mat2: Tensor, beta: Any, alpha: Any) -> None:
    for name, one in (("self", input), ("mat1", mat1)):
        if one._type is not mat2._type:
            raise DTypeError(
                f"{name} and mat2 must have the same dtype, but got {one._type.dtype.title} and "
                f"{mat2._type.dtype.title}",
                op="addmm", operands=(input, mat1, mat2),
            )  # fmt: skip
    check_factors(input, beta, alpha)


def check_factors(input: Tensor, beta: Any, alpha: Any) -> None:
    """Raise PyTorch's error for complex factors of real numbers."""
    if not input._type.dtype.is_complex and (isinstance(beta, complex) or isinstance(alpha, complex)):
        raise StateError(f"value cannot be converted to type {c_name(input)} without overflow")


def check_addmv(input: Tensor, mat: Tensor, vec: Tensor, beta: Any, alpha: Any) -> None:
    """A matrix, a vector, and a vector to add."""
    check_matrix_vector(mat, vec, input)
    if not input._type is mat._type is vec._type:
        raise _addmv_dtypes(input, mat, vec)
    if not input._type.inexact:
        refuse_dtype("addmv_impl_cpu", input)


def check_addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, beta: Any, alpha: Any) -> None:
    """Batches of matrices and a matrix to add."""
    a, b = batch1._array.shape, batch2._array.shape
    if len(a) == 3 and len(b) == 3:
        if a[0] != b[0]:
            raise ShapeError(
                f"batch1 and batch2 must have same number of batches, got {a[0]} and {b[0]}",
                op="addbmm", operands=(batch1, batch2),
            )  # fmt: skip
        if a[2] != b[1]:
            raise ShapeError(
                f"Incompatible matrix sizes for bmm ({a[1]}x{a[2]} and {b[1]}x{b[2]})",
                op="addbmm", operands=(batch1, batch2),
            )  # fmt: skip
    check_expand(input, (a[wrap_dim(1, len(a))], b[wrap_dim(2, len(b))]))
    check_batches(batch1, batch2)
    _check_addmm_dtypes(input, batch1, batch2, beta, alpha)
    if not input._type.inexact:
        refuse_dtype("addmm_impl_cpu_", input)


def check_baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, beta: Any, alpha: Any) -> None:
    """Batches of matrices and something that expands to the product's shape."""
    a, b = batch1._array.shape, batch2._array.shape
    check_expand(input, (a[wrap_dim(0, len(a))], a[wrap_dim(1, len(a))], b[wrap_dim(2, len(b))]))
    check_batches(batch1, batch2)
    _check_batch_dtypes(input, batch1, batch2)


def _check_batch_dtypes(input: Tensor, batch1: Tensor, batch2: Tensor) -> None:
    if input._type is not batch1._type:
        raise DTypeError(
            f"Input dtypes must be the same, got: input {c_name(input)}, batch1: "
            f"{c_name(batch1)}, batch2: {c_name(batch2)}",
            op="baddbmm", operands=(input, batch1, batch2),
        )  # fmt: skip
    if batch1._type is not batch2._type:
        raise DTypeError(
            f"expected scalar type {batch1._type.dtype.title} but found "
            f"{batch2._type.dtype.title}",
            op="baddbmm", operands=(input, batch1, batch2),
        )  # fmt: skip
    if not input._type.inexact:
        refuse_dtype("baddbmm", input)


def check_vectors(name: str, first: tuple[str, Tensor], second: tuple[str, Tensor]) -> None:
    """Raise PyTorch's error unless both are vectors."""
    for label, tensor in (first, second):
        if tensor._array.ndim != 1:
            raise ShapeError(
                f"{name}: Expected 1-D argument {label}, but got {tensor._array.ndim}-D", op=name
            )


def check_addr(input: Tensor, vec1: Tensor, vec2: Tensor, beta: Any, alpha: Any) -> None:
    """Two vectors and something that expands to their outer product's shape."""
    check_vectors("addr", ("vec1", vec1), ("vec2", vec2))
    check_expand(input, (vec1._array.shape[0], vec2._array.shape[0]))
    whole = not any(t._type.inexact for t in (input, vec1, vec2))
    for name, factor in (("beta", beta), ("alpha", alpha)):
        if whole and isinstance(factor, float):
            raise DTypeError(
                f"For integral input tensors, argument {name} must not be a floating point number."
            )
