"""Rows: contractions that are made of other operators: einsum, tensordot, inner, kron, chains.

The steps (permute, reshape, one matrix product) are PyTorch's, and so are the graphs and the order
in which sums are rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, DTypeError, ShapeError
from tgrad.ops.dimensions import numel, wrap_dim, wrap_dims
from tgrad.ops.formulas import to_shape
from tgrad.ops.matmul import c_name
from tgrad.ops.table import composite, operator


# ---------------------------------------------------------------- einsum

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""The subscripts, in the order of the result's dimensions where none is given."""

ELLIPSIS = len(LETTERS)


def _parse_operands(text: str) -> list[list[int]]:
    """The subscripts of each operand, as numbers; `...` is ELLIPSIS."""
    operands: list[list[int]] = [[]]
    skip = 0
    for i, sign in enumerate(text):
        if skip:
            skip -= 1
        elif sign == ",":
            operands.append([])
        elif sign == ".":
            if ELLIPSIS in operands[-1]:
                raise ShapeError(
                    f"einsum(): found '.' for operand {len(operands) - 1} for which an ellipsis was "
                    "already found"
                )
            if text[i : i + 3] != "...":
                raise ShapeError(
                    f"einsum(): found '.' for operand {len(operands) - 1} that is not part of any "
                    "ellipsis"
                )
            operands[-1].append(ELLIPSIS)
            skip = 2
        elif sign in LETTERS:
            operands[-1].append(LETTERS.index(sign))
        elif sign != " ":
            raise _bad_subscript(i)
    return operands


def _bad_subscript(position: int) -> ShapeError:
    return ShapeError(
        f"einsum(): invalid subscript given at index {position} in the equation string, subscripts "
        "must be in [a-zA-Z]"
    )


def _parse_result(text: str, start: int, counts: dict[int, int]) -> list[int]:
    """The subscripts behind the arrow; `start` is where they begin in the equation."""
    result: list[int] = []
    skip = 0
    for i, sign in enumerate(text):
        if skip:
            skip -= 1
        elif sign == ".":
            if ELLIPSIS in result:
                raise ShapeError(
                    "einsum(): found '.' for output but an ellipsis (...) was already found"
                )
            if text[i : i + 3] != "...":
                raise ShapeError(
                    "einsum(): found '.' for output that is not part of any ellipsis (...)"
                )
            result.append(ELLIPSIS)
            skip = 2
        elif sign in LETTERS:
            label = LETTERS.index(sign)
            if label in result:
                raise ShapeError(
                    f"einsum(): output subscript {sign} appears more than once in the output"
                )
            if label not in counts:
                raise ShapeError(
                    f"einsum(): output subscript {sign} does not appear in the equation for any "
                    "input operand"
                )
            result.append(label)
        elif sign != " ":
            raise _bad_subscript(start + i)
    return result


class _Plan:
    """Which dimension of the common, permuted operands each subscript stands for."""

    def __init__(self, equation: str, operands: Sequence[Tensor]) -> None:
        left, arrow, right = equation.partition("->")
        self.labels = _parse_operands(left)
        if len(self.labels) > len(operands):
            raise ShapeError(
                "einsum(): fewer operands were provided than specified in the equation"
            )
        if len(self.labels) < len(operands):
            raise ShapeError("einsum(): more operands were provided than specified in the equation")
        self.hidden = self._hidden_dims(operands)
        counts: dict[int, int] = {}
        for labels in self.labels:
            for label in labels:
                counts[label] = counts.get(label, 0) + 1
        if arrow:
            result = _parse_result(right, len(left) + 2, counts)
        else:
            result = [ELLIPSIS] + sorted(
                label for label, count in counts.items() if count == 1 and label != ELLIPSIS
            )
        self.place: dict[int, int] = {}
        """The first dimension of each subscript; an ellipsis has `hidden` of them."""
        self.rank = 0
        for label in result:
            self._put(label)
        self.results = self.rank
        for label in sorted(counts):
            if label not in self.place:
                self._put(label)

    def _put(self, label: int) -> None:
        self.place[label] = self.rank
        self.rank += self.hidden if label == ELLIPSIS else 1

    def _hidden_dims(self, operands: Sequence[Tensor]) -> int:
        """How many dimensions an ellipsis stands for, at most."""
        most = 0
        for i, (labels, operand) in enumerate(zip(self.labels, operands, strict=True)):
            ndim = operand.ndim
            if ELLIPSIS in labels:
                named = len(labels) - 1
                if named > ndim:
                    raise ShapeError(
                        f"einsum(): the number of subscripts in the equation ({named}) is more than "
                        f"the number of dimensions ({ndim}) for operand {i}"
                    )
                most = max(most, ndim - named)
            elif len(labels) != ndim:
                raise ShapeError(
                    f"einsum(): the number of subscripts in the equation ({len(labels)}) does not "
                    f"match the number of dimensions ({ndim}) for operand {i} and no ellipsis was "
                    "given"
                )
        return most


def _aligned(o: Any, plan: _Plan, operands: Sequence[Tensor]) -> list[Tensor]:
    """The operands with one dimension for each of the plan's, of size 1 where they have none."""
    sizes = [1] * plan.rank
    aligned = []
    for i, (labels, operand) in enumerate(zip(plan.labels, operands, strict=True)):
        where: list[int] = []  # for each dimension of the operand its place
        dim = 0
        for label in labels:
            first = plan.place[label]
            if label == ELLIPSIS:
                count = operands[i].ndim - (len(labels) - 1)
                places = list(range(first + plan.hidden - count, first + plan.hidden))
            else:
                places = [first]
            for place in places:
                if place in where:
                    operand = _take_diagonal(o, operand, where.index(place), dim, label, i)
                    continue
                size = operand._array.shape[dim]
                if sizes[place] not in (1, size) and size != 1:
                    raise ShapeError(
                        f"einsum(): subscript {_name(label)} has size {size} for operand {i} which "
                        f"does not broadcast with previously seen size {sizes[place]}"
                    )
                if size != 1:
                    sizes[place] = size
                where.append(place)
                dim += 1
        for place in range(plan.rank):
            if place not in where:
                operand = o.unsqueeze(operand, operand.ndim)
                where.append(place)
        aligned.append(o.permute(operand, tuple(where.index(p) for p in range(plan.rank))))
    return aligned


def _name(label: int) -> str:
    return "..." if label == ELLIPSIS else LETTERS[label]


def _take_diagonal(o: Any, operand: Tensor, first: int, dim: int, label: int, i: int) -> Tensor:
    """Two dimensions with one subscript become one, in the first one's place."""
    shape = operand._array.shape
    if shape[dim] != shape[first]:
        raise ShapeError(
            f"einsum(): subscript {_name(label)} is repeated for operand {i} but the sizes don't "
            f"match, {shape[dim]} != {shape[first]}"
        )
    diagonal = o.diagonal(operand, 0, first, dim)
    order = list(range(diagonal.ndim - 1))
    order.insert(first, diagonal.ndim - 1)
    return o.permute(diagonal, tuple(order))  # type: ignore[no-any-return]


def _pair(o: Any, left: Tensor, right: Tensor, summed: Sequence[int]) -> Tensor:
    """Product of two aligned operands, summed over some dimensions, which keep the size 1."""
    if not summed:
        return o.mul(left, right)  # type: ignore[no-any-return]
    a, b = left._array.shape, right._array.shape
    both, mine, yours = [], [], []
    contracted = []
    for dim in range(len(a)):
        if dim in summed:
            contracted.append(dim)
            if a[dim] != 1 and b[dim] == 1:
                left = o.sum_dim(left, (dim,), True)
            elif a[dim] == 1 and b[dim] != 1:
                right = o.sum_dim(right, (dim,), True)
        elif a[dim] != 1 and b[dim] != 1:
            both.append(dim)
        elif a[dim] != 1:
            mine.append(dim)
        else:
            yours.append(dim)
    a, b = left._array.shape, right._array.shape
    batch, rows, columns, inner = (
        numel([shape[d] for d in dims])
        for dims, shape in ((both, a), (mine, a), (yours, b), (contracted, a))
    )
    left = o.reshape(o.permute(left, (*both, *mine, *contracted, *yours)), (batch, rows, inner))
    right = o.reshape(
        o.permute(right, (*both, *contracted, *yours, *mine)), (batch, inner, columns)
    )
    size = (
        *(a[d] for d in both), *(a[d] for d in mine), *(1 for _ in contracted),
        *(b[d] for d in yours),
    )  # fmt: skip
    order = (*both, *mine, *contracted, *yours)
    result = o.view(o.bmm(left, right), size)
    return o.permute(result, tuple(order.index(d) for d in range(len(a))))  # type: ignore[no-any-return]


def _contract(o: Any, plan: _Plan, operands: list[Tensor]) -> Tensor:
    """The aligned operands multiplied and summed, two at a time from the left."""
    several = len(operands) > 1
    counts = [sum(t._array.shape[d] != 1 for t in operands) for d in range(plan.rank)]
    while len(operands) > 1:
        left, right = operands.pop(0), operands.pop(0)
        together, only_left, only_right = [], [], []
        for dim in range(plan.results, plan.rank):
            a, b = left._array.shape[dim], right._array.shape[dim]
            if a != 1 and b != 1:
                counts[dim] -= 1
                if counts[dim] == 1:
                    together.append(dim)
                    counts[dim] = 0
            elif counts[dim] == 1 and (a != 1 or b != 1):
                (only_left if a != 1 else only_right).append(dim)
                counts[dim] = 0
        if only_left:
            left = o.sum_dim(left, tuple(only_left), True)
        if only_right:
            right = o.sum_dim(right, tuple(only_right), True)
        operands.insert(0, _pair(o, left, right, together))
    result = operands[0]
    if plan.rank == plan.results:
        return result
    if several:
        return o.view(result, result._array.shape[: plan.results])  # type: ignore[no-any-return]
    return o.sum_dim(result, tuple(range(plan.results, plan.rank)), False)  # type: ignore[no-any-return]


def _einsum(o: Any, equation: Any, operands: Any = ()) -> Any:
    if not isinstance(equation, str):
        equation, operands = _from_lists((equation, *operands))
    elif not operands:
        raise ArgumentValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one "
            "operand and its subscripts list"
        )
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    plan = _Plan(equation, operands)
    return _contract(o, plan, _aligned(o, plan, operands))


def _from_lists(args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """`einsum(a, [0, 1], b, [1, 2], [0, 2])` as an equation and operands."""
    def text(labels: Sequence[Any]) -> str:
        parts = []
        for label in labels:
            if label is Ellipsis:
                parts.append("...")
            elif 0 <= label < ELLIPSIS:
                parts.append(LETTERS[label])
            else:
                raise ArgumentValueError(
                    "einsum(): subscript in subscript list is not within the valid range [0, 52)"
                )
        return "".join(parts)

    operands = args[0 : len(args) // 2 * 2 : 2]
    equation = ",".join(text(labels) for labels in args[1 : len(args) // 2 * 2 : 2])
    if len(args) % 2:
        equation += "->" + text(args[-1])
    return equation, operands


# ---------------------------------------------------------------- tensordot, inner


def contract_dims(o: Any, a: Any, b: Any, dims_a: Sequence[int], dims_b: Sequence[int]) -> Any:
    """Products summed over pairs of dimensions: one matrix product of what is left of each."""
    if len(dims_a) != len(dims_b):
        raise ShapeError("both dimension lists should have same length")
    if a._type is not b._type:
        raise DTypeError("both inputs should have same dtype", op="tensordot", operands=(a, b))
    inner = 1
    for first, second in zip(dims_a, dims_b, strict=True):
        m = a._array.shape[wrap_dim(first, a.ndim)]
        n = b._array.shape[wrap_dim(second, b.ndim)]
        if n == 1:
            a = o.sum_dim(a, (first,), True)
        elif m == 1:
            b = o.sum_dim(b, (second,), True)
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
            raise ShapeError(
                f"multi_dot(): the {which} tensor must be 1D or 2D but got {tensor.ndim}D"
            )
        if not ends and tensor.ndim != 2:
            raise ShapeError(f"multi_dot(): tensor {i} must be 2D but got {tensor.ndim}D")
        if tensor._type is not tensors[0]._type:
            raise DTypeError(
                "multi_dot(): all tensors must have be the same dtype but tensor 0 is "
                f"{c_name(tensors[0])} and tensor {i} {c_name(tensor)}"
            )
    for i, (a, b) in enumerate(zip(tensors, tensors[1:], strict=False)):
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
    size = (() if first else tensors[0]._array.shape[:1]) + (
        () if last else tensors[-1]._array.shape[1:]
    )
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
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            ]
            cost[i, j], splits[i, j] = min(options)
    return splits


def _chain_matmul(o: Any, matrices: Any = ()) -> Any:
    if not matrices:
        raise ShapeError("chain_matmul(): Expected one or more matrices")
    for matrix in matrices:
        if matrix.ndim != 2:
            raise ShapeError(
                f"Tensor dimension is {matrix.ndim}, expected 2 instead."
            )
    return o.clone(matrices[0]) if len(matrices) == 1 else multi_dot(o, matrices)


def _vecdot(o: Any, x: Any, y: Any, *, dim: int = -1) -> Any:
    if x._type is not y._type:
        raise DTypeError(
            "linalg.vecdot: Expected x and y to have the same dtype, but found x of type "
            f"{x._type.dtype.title} and y of type {y._type.dtype.title} instead"
        )
    return o.sum_dim(o.mul(o.conj(x), y), (dim,), False)


# ---------------------------------------------------------------- cross


def check_cross(input: Tensor, other: Tensor, dim: int = -1) -> None:
    """Triples along a dimension of two tensors of one rank and dtype."""
    if input.ndim != other.ndim:
        raise ShapeError("linalg.cross: inputs must have the same number of dimensions.")
    at = wrap_dim(dim, input.ndim)
    a, b = (t._array.shape[at] if t.ndim else 1 for t in (input, other))
    if a != 3 or b != 3:
        raise ShapeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {a} and {b}"
        )
    if input._type is not other._type:
        raise DTypeError(
            f"expected scalar type {input._type.dtype.title} but found {other._type.dtype.title}"
        )


def cross_kernel(xp: Any, a: Any, b: Any, dim: int) -> Any:
    """The cross product of triples along `dim`, each part a difference of two products."""
    a, b = (xp.moveaxis(x, dim, 0) for x in xp.broadcast_arrays(a, b))
    parts = [
        xp.subtract(xp.multiply(a[i], b[j]), xp.multiply(a[j], b[i]))
        for i, j in ((1, 2), (2, 0), (0, 1))
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
    module="torch.linalg", method=False, check=check_cross,
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
    "einsum", _einsum, method=False, varargs=True, out=False,
    doc="Sums of products, by subscripts: 'ij,jk->ik'.",
)  # fmt: skip
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
