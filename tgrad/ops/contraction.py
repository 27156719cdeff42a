"""Rows: contractions that are made of other operators: tensordot, inner, kron, chains of products.

The steps (permute, reshape, one matrix product) are PyTorch's, and so are the graphs and the order
in which sums are rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from tgrad.core.dtype import BOOL
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, DTypeError, ShapeError, UnsupportedDTypeError
from tgrad.ops.arguments import type_name
from tgrad.ops.dimensions import numel, wrap_dim, wrap_dims
from tgrad.ops.formulas import to_shape
from tgrad.ops.linalg import need_floats
from tgrad.ops.mixing import refuse_several
from tgrad.ops.operands import broadcast_error
from tgrad.ops.product_checks import c_name
from tgrad.ops.table import composite, operator

# ---------------------------------------------------------------- tensordot, inner


def contract_dims(o: Any, a: Any, b: Any, dims_a: Sequence[int], dims_b: Sequence[int]) -> Any:
    """Products summed over pairs of dimensions: one matrix product of what is left of each."""
    if len(dims_a) != len(dims_b):
        raise ShapeError("both dimension lists should have same length")
    if a._type.dtype is not b._type.dtype:
        raise DTypeError("both inputs should have same dtype", op="tensordot", operands=(a, b))
    inner = 1
    for first, second in zip(dims_a, dims_b, strict=True):
        m = a._array.shape[wrap_dim(first, a.ndim)]
        n = b._array.shape[wrap_dim(second, b.ndim)]
        if n == 1:
            a = o.sum_dim(a, (first,), True, dtype=a._type.dtype)
        elif m == 1:
            b = o.sum_dim(b, (second,), True, dtype=b._type.dtype)
        elif m != n:
            raise ShapeError(
                f"contracted dimensions need to match, but first has size {m} in dim {first} and "
                f"second has size {n} in dim {second}",
                op="tensordot", operands=(a, b),
            )  # fmt: skip
        else:
            inner *= m
    dims_a, dims_b = wrap_dims(dims_a, a.ndim), wrap_dims(dims_b, b.ndim)
    rows = [d for d in range(a.ndim) if d not in dims_a]
    columns = [d for d in range(b.ndim) if d not in dims_b]
    size = [a._array.shape[d] for d in rows] + [b._array.shape[d] for d in columns]
    a, b = o.permute(a, (*rows, *dims_a)), o.permute(b, (*dims_b, *columns))
    if not size:
        return o.reshape(o.dot(_flat(o, a), _flat(o, b)), ())
    count = numel(a._array.shape[: len(rows)])
    left = o.reshape(a, (count, inner))
    right = o.reshape(b, (inner, numel(b._array.shape[len(dims_b) :])))
    return o.reshape(o.mm(left, right), tuple(size))


def _flat(o: Any, tensor: Tensor) -> Tensor:
    return tensor if tensor.ndim == 1 else o.reshape(tensor, (tensor._array.size,))


def _tensordot(o: Any, a: Any, b: Any, dims: Any = 2) -> Any:
    if isinstance(dims, Tensor):
        dims = dims._array.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise ShapeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise ShapeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        return contract_dims(o, a, b, tuple(range(-dims, 0)), tuple(range(dims)))
    if not isinstance(dims, (tuple, list)):
        raise ShapeError(
            "tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] "
            f"containing two lists, but got dims={dims}"
        )
    dims_a, dims_b = ([one] if isinstance(one, int) else list(one) for one in dims)
    return contract_dims(o, a, b, dims_a, dims_b)


def _inner(o: Any, input: Any, other: Any) -> Any:
    if input.ndim == 0 or other.ndim == 0:
        return o.mul(input, other)
    a, b = input._array.shape, other._array.shape
    if a[-1] != b[-1]:
        raise ShapeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(a)} and {list(b)}",
            op="inner", operands=(input, other),
        )  # fmt: skip
    return contract_dims(o, input, other, (-1,), (-1,))


# ---------------------------------------------------------------- kron, chains


def _kron(o: Any, input: Any, other: Any) -> Any:
    a, b = input._array.shape, other._array.shape
    rank = max(len(a), len(b))
    a, b = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    left = o._unsafe_view(input, tuple(s for size in a for s in (size, 1)))
    right = o._unsafe_view(other, tuple(s for size in b for s in (1, size)))
    return o._unsafe_view(o.mul(left, right), tuple(x * y for x, y in zip(a, b, strict=True)))


def _check_chain(tensors: Sequence[Tensor]) -> None:
    for i, tensor in enumerate(tensors):
        ends = i in (0, len(tensors) - 1)
        if ends and tensor.ndim not in (1, 2):
            which = "first" if i == 0 else "last"
            raise ShapeError(f"multi_dot(): the {which} tensor must be 1D or 2D but got {tensor.ndim}D")
        if not ends and tensor.ndim != 2:
            raise ShapeError(f"multi_dot(): tensor {i} must be 2D but got {tensor.ndim}D")
        if tensor._type is not tensors[0]._type:
            refuse_several(
                "multi_dot(): all tensors must be on the same device but tensor 0 is on {0} and tensor "
                f"{i} on {{1}}", tensors[0], tensor,
            )  # fmt: skip
            raise DTypeError(
                "multi_dot(): all tensors must have be the same dtype but tensor 0 is "
                f"{c_name(tensors[0])} and tensor {i} {c_name(tensor)}"
            )
    for i, (a, b) in enumerate(pairwise(tensors)):
        if a._array.shape[-1] != b._array.shape[0]:
            raise ShapeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {list(a._array.shape)} and "
                f"{list(b._array.shape)} cannot be multiplied"
            )


def multi_dot(o: Any, tensors: Sequence[Tensor]) -> Any:
    """A chain of matrix products in the order that takes the fewest multiplications.

    The order is found by dynamic programming over subchains (Cormen, Leiserson, Rivest, Stein,
    Introduction to Algorithms, section 14.2); three matrices are decided by the two costs.
    """
    if len(tensors) < 2:
        raise ShapeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    _check_chain(tensors)
    first, last = tensors[0].ndim == 1, tensors[-1].ndim == 1
    size = (() if first else tensors[0]._array.shape[:1]) + (() if last else tensors[-1]._array.shape[1:])
    chain = list(tensors)
    if first:
        chain[0] = o.unsqueeze(chain[0], 0)
    if last:
        chain[-1] = o.unsqueeze(chain[-1], 1)
    splits = _best_splits([t._array.shape[0] for t in chain] + [chain[-1]._array.shape[1]])

    def multiply(i: int, j: int) -> Any:
        if i == j:
            return chain[i]
        k = splits[i, j]
        return o.mm(multiply(i, k), multiply(k + 1, j))

    return o.view(multiply(0, len(chain) - 1), size)


def _best_splits(sizes: list[int]) -> dict[tuple[int, int], int]:
    """For each subchain i..j of matrices (sizes[i], sizes[i + 1]) after which one to split it."""
    count = len(sizes) - 1
    cost: dict[tuple[int, int], int] = {(i, i): 0 for i in range(count)}
    splits: dict[tuple[int, int], int] = {}
    if count == 3:
        a, b, c, d = sizes
        left = (a * b * c + a * c * d) <= (b * c * d + a * b * d)
        return {(0, 2): 1 if left else 0, (0, 1): 0, (1, 2): 1}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            options = [
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            ]
            cost[i, j], splits[i, j] = min(options)
    return splits


def _chain_matmul(o: Any, matrices: Any = ()) -> Any:
    if not matrices:
        raise ShapeError("chain_matmul(): Expected one or more matrices")
    for position, matrix in enumerate(matrices):
        if not isinstance(matrix, Tensor):
            raise ArgumentError(
                f"expected Tensor as element {position} in argument 0, but got {type_name(matrix)}"
            )
        if matrix.ndim != 2:
            raise ShapeError(f"Tensor dimension is {matrix.ndim}, expected 2 instead.")
    return o.clone(matrices[0]) if len(matrices) == 1 else multi_dot(o, matrices)


def _vecdot(o: Any, x: Any, y: Any, *, dim: int = -1) -> Any:
    need_floats("linalg.vecdot", x, low=True)
    if x._type.dtype is not y._type.dtype:
        raise DTypeError(
            "linalg.vecdot: Expected x and y to have the same dtype, but found x of type "
            f"{x._type.dtype.title} and y of type {y._type.dtype.title} instead"
        )
    if x.ndim == 1 and y.ndim == 1:
        return o.vdot(x, y)
    return o.sum_dim(o.mul(o.conj(x), y), (dim,), False)


# ---------------------------------------------------------------- cross


def check_cross(input: Tensor, other: Tensor, dim: int = -1) -> None:
    """Triples along a dimension of two tensors of one rank and dtype."""
    if input.ndim != other.ndim:
        raise ShapeError("linalg.cross: inputs must have the same number of dimensions.")
    at = wrap_dim(dim, input.ndim)
    a, b = (t._array.shape[at] if t.ndim else 1 for t in (input, other))
    if a != 3 or b != 3:
        raise ShapeError(f"linalg.cross: inputs dimension {dim} must have length 3. Got {a} and {b}")
    error = broadcast_error(input._array.shape, other._array.shape)
    if error is not None:
        raise error
    if input._type.dtype.category == BOOL:
        raise UnsupportedDTypeError("\"cross\" not implemented for 'Bool'")
    if input._type is not other._type:
        raise DTypeError(
            f"expected scalar type {input._type.dtype.title} but found {other._type.dtype.title}"
        )


def cross_kernel(xp: Any, a: Any, b: Any, dim: int) -> Any:
    """The cross product of triples along `dim`, each part a difference of two products."""
    a, b = (xp.moveaxis(x, dim, 0) for x in xp.broadcast_arrays(a, b))
    parts = [
        xp.subtract(xp.multiply(a[i], b[j]), xp.multiply(a[j], b[i])) for i, j in ((1, 2), (2, 0), (0, 1))
    ]
    return xp.stack(parts, dim % (a.ndim))


operator(
    "linalg_cross", lambda xp, input, other, *, dim=-1: cross_kernel(xp, input, other, dim),
    input=lambda o, g, other, other_shape, input_shape, dim: to_shape(
        o, o.linalg_cross(o.conj(other), g, dim=dim), input_shape
    ),
    other=lambda o, g, input, other_shape, dim: to_shape(
        o, o.linalg_cross(g, o.conj(input), dim=dim), other_shape
    ),
    module="torch.linalg", method=False, check=check_cross, narrow=True,
    doc="Cross products of the triples along a dimension.",
)  # fmt: skip


def _cross(o: Any, input: Any, other: Any, dim: Any = None) -> Any:
    if dim is None:
        import warnings

        warnings.warn(
            "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the "
            "dim explicitly or simply use torch.linalg.cross.\nThe default value of dim will change "
            "to agree with that of linalg.cross in a future release.",
            stacklevel=5,
        )
        dim = next((i for i, size in enumerate(input._array.shape) if size == 3), None)
        if dim is None:
            raise ShapeError("no dimension of size 3 in input")
    return o.linalg_cross(input, other, dim=dim)


composite(
    "tensordot", _tensordot, method=False, kinds={"a": "tensor", "b": "tensor", "dims": "any"},
    doc="Products summed over the last dimensions of one tensor and the first of another.",
)  # fmt: skip
composite("inner", _inner, doc="Products summed over the last dimension of both.")
composite("kron", _kron, doc="Kronecker product: each element times the whole of the other tensor.")
composite(
    "chain_matmul", _chain_matmul, method=False, varargs=True,
    doc="Product of matrices in the order that costs least.",
)  # fmt: skip
composite(
    "linalg_multi_dot", multi_dot, module="torch.linalg", method=False,
    doc="Product of matrices, and vectors at the ends, in the order that costs least.",
)  # fmt: skip
composite(
    "linalg_vecdot", _vecdot, module="torch.linalg", method=False,
    kinds={"x": "tensor", "y": "tensor"}, doc="Inner products along a dimension.",
)  # fmt: skip
composite(
    "cross", _cross, kinds={"dim": "int?"},
    doc="Cross products along a dimension, by default the first of size 3.",
)  # fmt: skip
