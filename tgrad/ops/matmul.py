"""Rows: products of matrices and vectors.

`matmul` is a composite: it folds, expands and reshapes its operands as PyTorch does, and leaves the
arithmetic to `mm`, `bmm`, `mv` and `dot`, so that the graph of a product reads as PyTorch's does.
"""

from __future__ import annotations

from typing import Any

from tgrad.core.dtype import BOOL
from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError, NotAvailableError, ShapeError
from tgrad.ops.call import broadcast_error
from tgrad.ops.formulas import scale, to_shape
from tgrad.ops.table import composite, operator, promoted

C_NAMES = {
    "float16": "c10::Half", "float32": "float", "float64": "double", "complex64":
    "c10::complex<float>", "complex128": "c10::complex<double>", "int64": "long int",
    "int32": "int", "int16": "short int", "int8": "signed char", "uint8": "unsigned char",
    "bool": "bool", "uint16": "short unsigned int", "uint32": "unsigned int",
    "uint64": "long unsigned int",
}  # fmt: skip
"""The names of dtypes in PyTorch's sentences about matrix products: those of C++."""


def c_name(tensor: Tensor) -> str:
    """A tensor's dtype as C++ names it."""
    return C_NAMES[tensor._type.dtype.name]


# ---------------------------------------------------------------- kernels


def product(xp: Any, a: Any, b: Any) -> Any:
    """The matrix product of two arrays of one dtype; half precision is summed in float32."""
    if a.dtype == xp.float16:
        return xp.matmul(a.astype(xp.float32), b.astype(xp.float32)).astype(xp.float16)
    result = xp.matmul(a, b)
    # NumPy's product of two matrices stored by columns is stored by columns.
    return result if result.ndim < 2 or result.flags.c_contiguous else result.copy(order="C")


def weighted(xp: Any, input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """beta * input + alpha * product in the product's dtype; beta 0 ignores the input, NaN and all."""
    kind = product.dtype.type
    if alpha != 1:
        product = product * kind(alpha)
    if beta == 0:
        return product
    if beta != 1:
        input = input * kind(beta)
    return xp.add(input, product)


def weighted_matmul(xp: Any, input: Any, a: Any, b: Any, beta: Any, alpha: Any) -> Any:
    """beta * input + alpha * (a @ b); half precision is computed in float32 and rounded once."""
    if a.dtype == xp.float16:
        wide = (xp.asarray(x).astype(xp.float32) for x in (a, b, input))
        a, b, input = wide
        return weighted(xp, input, xp.matmul(a, b), beta, alpha).astype(xp.float16)
    return weighted(xp, input, xp.matmul(a, b), beta, alpha)


def addr_kernel(xp: Any, input: Any, vec1: Any, vec2: Any, beta: Any, alpha: Any) -> Any:
    """beta * input + alpha * vec1 vec2', in PyTorch's order of rounding."""
    if vec1.dtype == xp.bool_:
        outer = vec1[:, None] & vec2 if alpha else xp.zeros((len(vec1), len(vec2)), bool)
        return (input | outer) if beta else outer
    kind = vec1.dtype.type
    outer = (vec1[:, None] if alpha == 1 else kind(alpha) * vec1[:, None]) * vec2
    if beta == 0:
        return outer
    return xp.add(input if beta == 1 else kind(beta) * input, outer)


# ---------------------------------------------------------------- what is refused


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
    for name, matrix in (("mat1", mat1), ("mat2", mat2)):
        if matrix._array.ndim != 2:
            raise ShapeError(
                f"{name} must be a matrix, got {matrix._array.ndim}-D tensor",
                op="addmm", operands=(mat1, mat2),
            )  # fmt: skip
    if mat1._array.shape[1] != mat2._array.shape[0]:
        raise inner_sizes(mat1, mat2)
    for name, one in (("mat1", mat1), ("self", input)):
        if one._type is not mat2._type:
            raise DTypeError(
                f"{name} and mat2 must have the same dtype, but got {one._type.dtype.title} and "
                f"{mat2._type.dtype.title}",
                op="addmm", operands=(input, mat1, mat2),
            )  # fmt: skip
    check_expand(input, (mat1._array.shape[0], mat2._array.shape[1]))
    if not input._type.inexact:
        refuse_dtype("addmm_impl_cpu_", input)


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
    if len(a) >= 2 and len(b) >= 3:
        check_expand(input, (a[1], b[2]))
    check_batches(batch1, batch2)
    _check_batch_dtypes(input, batch1, batch2)


def check_baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, beta: Any, alpha: Any) -> None:
    """Batches of matrices and something that expands to the product's shape."""
    a, b = batch1._array.shape, batch2._array.shape
    if len(a) >= 2 and len(b) >= 3:
        check_expand(input, (a[0], a[1], b[2]))
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


# ---------------------------------------------------------------- the products

operator(
    "mm", lambda xp, input, mat2: product(xp, input, mat2),
    input=lambda o, g, mat2: o.mm(g, o.t(o.conj(mat2))),
    mat2=lambda o, g, input: o.mm(o.t(o.conj(input)), g),
    check=check_mm, doc="Product of two matrices.",
)  # fmt: skip

operator(
    "bmm", lambda xp, input, mat2: product(xp, input, mat2),
    input=lambda o, g, mat2: o.bmm(g, o.transpose(o.conj(mat2), 1, 2)),
    mat2=lambda o, g, input: o.bmm(o.transpose(o.conj(input), 1, 2), g),
    check=check_bmm, doc="Products of two batches of matrices, one by one.",
)  # fmt: skip

operator(
    "mv", lambda xp, input, vec: product(xp, input, vec),
    input=lambda o, g, vec: o.unsqueeze(g, 1) * o.conj(vec),
    vec=lambda o, g, input: o.mv(o.t(o.conj(input)), g),
    check=check_mv, doc="Product of a matrix and a vector.",
)  # fmt: skip

operator(
    "dot", lambda xp, input, tensor: product(xp, input, tensor),
    input=lambda o, g, tensor: g * o.conj(tensor),
    tensor=lambda o, g, input: g * o.conj(input),
    check=check_dot, doc="Inner product of two vectors.",
)  # fmt: skip

operator(
    "vdot", lambda xp, input, other: product(xp, xp.conj(input), other),
    input=lambda o, g, other: o.conj(g) * other,
    other=lambda o, g, input: g * input,
    check=check_dot, doc="Inner product of two vectors, the first one conjugated.",
)  # fmt: skip

operator(
    "addmm",
    lambda xp, input, mat1, mat2, *, beta=1, alpha=1: weighted_matmul(
        xp, input, mat1, mat2, beta, alpha
    ),
    input=lambda o, g, input_shape, beta: to_shape(o, scale(g, o.conj(beta)), input_shape),
    mat1=lambda o, g, mat2, alpha: scale(o.mm(g, o.t(o.conj(mat2))), o.conj(alpha)),
    mat2=lambda o, g, mat1, alpha: scale(o.mm(o.t(o.conj(mat1)), g), o.conj(alpha)),
    check=check_addmm, inplace=True, doc="beta * input + alpha * (mat1 @ mat2).",
)  # fmt: skip

operator(
    "addmv",
    lambda xp, input, mat, vec, *, beta=1, alpha=1: weighted_matmul(
        xp, input, mat, vec, beta, alpha
    ),
    kinds={"mat": "tensor"},
    input=lambda o, g, input_shape, beta: to_shape(o, scale(g, o.conj(beta)), input_shape),
    mat=lambda o, g, vec, alpha: o.unsqueeze(g, 1) * scale(o.conj(vec), o.conj(alpha)),
    vec=lambda o, g, mat, alpha: scale(o.mv(o.t(o.conj(mat)), g), o.conj(alpha)),
    check=check_addmv, inplace=True, doc="beta * input + alpha * (mat @ vec).",
)  # fmt: skip

operator(
    "addbmm",
    lambda xp, input, batch1, batch2, *, beta=1, alpha=1: weighted_matmul(
        xp, input, batch1.transpose(1, 0, 2).reshape(batch1.shape[1], -1),
        batch2.reshape(-1, batch2.shape[2]), beta, alpha,
    ),
    input=lambda o, g, input_shape, beta: to_shape(o, scale(g, o.conj(beta)), input_shape),
    batch1=lambda o, g, batch2, batch1_shape, alpha: scale(
        o.bmm(o.expand(g, (batch1_shape[0], *g.shape)), o.transpose(o.conj(batch2), 1, 2)),
        o.conj(alpha),
    ),
    batch2=lambda o, g, batch1, batch1_shape, alpha: scale(
        o.bmm(o.transpose(o.conj(batch1), 1, 2), o.expand(g, (batch1_shape[0], *g.shape))),
        o.conj(alpha),
    ),
    check=check_addbmm, inplace=True,
    doc="beta * input + alpha * the sum of the products of two batches of matrices.",
)  # fmt: skip

operator(
    "baddbmm",
    lambda xp, input, batch1, batch2, *, beta=1, alpha=1: weighted_matmul(
        xp, input, batch1, batch2, beta, alpha
    ),
    input=lambda o, g, input_shape, beta: to_shape(o, scale(g, o.conj(beta)), input_shape),
    batch1=lambda o, g, batch2, alpha: scale(
        o.bmm(g, o.transpose(o.conj(batch2), 1, 2)), o.conj(alpha)
    ),
    batch2=lambda o, g, batch1, alpha: scale(
        o.bmm(o.transpose(o.conj(batch1), 1, 2), g), o.conj(alpha)
    ),
    check=check_baddbmm, inplace=True,
    doc="beta * input + alpha * the products of two batches of matrices.",
)  # fmt: skip

operator(
    "addr",
    lambda xp, input, vec1, vec2, *, beta=1, alpha=1: addr_kernel(
        xp, input, vec1, vec2, beta, alpha
    ),
    kinds={"vec1": "tensor", "vec2": "tensor"}, dtype=promoted,
    input=lambda o, g, input_shape, beta: to_shape(o, scale(g, o.conj(beta)), input_shape),
    vec1=lambda o, g, vec2, alpha: scale(o.mv(g, o.conj(vec2)), o.conj(alpha)),
    vec2=lambda o, g, vec1, alpha: scale(o.mv(o.t(g), o.conj(vec1)), o.conj(alpha)),
    check=check_addr, inplace=True, doc="beta * input + alpha * the outer product of two vectors.",
)  # fmt: skip


def _outer(o: Any, input: Any, vec2: Any) -> Any:
    check_vectors("outer", ("self", input), ("vec2", vec2))
    return o.mul(o.reshape(input, (len(input), 1)), vec2)


composite("outer", _outer, kinds={"vec2": "tensor"}, doc="Outer product of two vectors.")
composite("ger", _outer, kinds={"vec2": "tensor"}, doc="Outer product of two vectors.")

# ---------------------------------------------------------------- matmul

operator(
    "_unsafe_view", lambda xp, input, size: input.reshape(size),
    input=lambda o, g, input_shape: o.reshape(g, input_shape),
    out=False, function=False, method=False,
    doc="A fresh result in another shape, which is no view because nothing else sees the result.",
)  # fmt: skip

operator(
    "_squeeze_first", lambda xp, input, dim: input.reshape(input.shape[1:]),
    input=lambda o, g, input_shape, dim: o.reshape(g, input_shape),
    label="SqueezeBackward", index=4, out=False, function=False, method=False,
    doc="A fresh result without its first dimension, of size 1.",
)  # fmt: skip


def _folds(first: Tensor, second: Tensor) -> bool:
    """Whether a batch is multiplied as one tall matrix: by something of one or two dimensions.

    That is always so if the smaller operand wants a gradient, which would otherwise be computed for
    each matrix of the batch; else only if the batch lies in memory as such a matrix.
    """
    if first._array.ndim >= second._array.ndim:
        large, small = first, second
    else:
        large, small = second, first
    array = large._array
    if array.ndim < 3 or small._array.ndim > 2:
        return False
    if large is not first:
        array = array.swapaxes(-1, -2)
    if small.requires_grad:
        return True
    if first._array.ndim == 2:
        return False
    if array.size == 0:
        return True
    strides, shape = array.strides, array.shape
    return all(
        strides[i] == strides[i + 1] * shape[i + 1] for i in range(array.ndim - 2)
    )


def _folded(o: Any, first: Tensor, second: Tensor) -> Tensor:
    """The product of a batch and a matrix or vector, or the other way round, by one `mm` or `mv`."""
    turned = second._array.ndim > first._array.ndim
    large, small = (o.transpose(second, -2, -1), first) if turned else (first, second)
    if turned and small._array.ndim == 2:
        small = o.t(small)
    shape = large._array.shape
    rows = 1
    for size in shape[:-1]:
        rows *= size
    tall = o.reshape(large, (rows, shape[-1]))
    if small._array.ndim == 1:
        return o._unsafe_view(o.mv(tall, small), shape[:-1])
    result = o._unsafe_view(o.mm(tall, small), (*shape[:-1], small._array.shape[1]))
    return o.contiguous(o.transpose(result, -2, -1)) if turned else result


def _batched(o: Any, first: Tensor, second: Tensor) -> Tensor:
    """The general case: both operands expanded to one batch shape, and one `bmm`."""
    a, b = first._array.shape, second._array.shape
    if len(a) == 3 and len(b) == 3 and a[0] != b[0]:
        if a[0] == 1 and first.requires_grad:
            return _matmul(o, o.squeeze_dim(first, 0), second)
        if b[0] == 1 and second.requires_grad:
            return _matmul(o, first, o.squeeze_dim(second, 0))
    rows = a[-2] if len(a) > 1 else 1
    batch = broadcast_batches(a[:-2], b[:-2])
    number = 1
    for size in batch:
        number *= size
    left = o.reshape(o.expand(first, (*batch, rows, a[-1])), (number, rows, a[-1]))
    if len(b) == 1:
        right = o.reshape(o.expand(second, (*batch, b[0])), (number, b[0]))
        result = o.squeeze_dim(o.bmm(left, o.unsqueeze(right, 2)), -1)
    else:
        right = o.reshape(o.expand(second, (*batch, *b[-2:])), (number, *b[-2:]))
        result = o.bmm(left, right)
    shape = batch + ((rows,) if len(a) > 1 else ()) + ((b[-1],) if len(b) > 1 else ())
    return o._unsafe_view(result, shape)


def broadcast_batches(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that two batch shapes broadcast to; ShapeError if they don't."""
    error = broadcast_error(a, b)
    if error is not None:
        raise error
    rank = max(len(a), len(b))
    a, b = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    return tuple(y if x == 1 else x for x, y in zip(a, b, strict=True))


def _matmul(o: Any, input: Any, other: Any) -> Any:
    if type(other) is not Tensor or type(input) is not Tensor:
        return NotImplemented
    a, b = input._array.ndim, other._array.ndim
    if a == 2 and b == 2:
        return o.mm(input, other)
    if a == 0 or b == 0:
        raise ShapeError(
            f"both arguments to matmul need to be at least 1D, but they are {a}D and {b}D",
            op="matmul", operands=(input, other),
        )  # fmt: skip
    if a == 1 and b == 1:
        return o.dot(input, other)
    if a == 2 and b == 1:
        return o.mv(input, other)
    if a == 1 and b == 2:
        return o._squeeze_first(o.mm(o.unsqueeze(input, 0), other), 0)
    return _folded(o, input, other) if _folds(input, other) else _batched(o, input, other)


composite(
    "matmul", _matmul, symbol="@",
    doc="Matrix product: vectors, matrices, and batches of them with broadcasting.",
)  # fmt: skip
