"""Row: sums of products, by subscripts.

The operands are permuted to one order of dimensions, those of the result first, and then multiplied and
summed two at a time from the left, each pair by one batched matrix product, as PyTorch does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, ShapeError
from tgrad.ops.dimensions import numel
from tgrad.ops.table import composite

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
            once = (label for label, count in counts.items() if count == 1)
            result = [ELLIPSIS, *sorted(label for label in once if label != ELLIPSIS)]
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
        together: list[int] = []
        only_left: list[int] = []
        only_right: list[int] = []
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


composite(
    "einsum", _einsum, method=False, varargs=True, out=False,
    doc="Sums of products, by subscripts: 'ij,jk->ik'.",
)  # fmt: skip
