"""Rows: tensors as matrices."""

from __future__ import annotations

from typing import Any

from tgrad.errors import ShapeError
from tgrad.ops.dimensions import numel
from tgrad.ops.linalg import LINALG, refuse_codes
from tgrad.ops.table import composite


def _tensorinv(o: Any, input: Any, ind: int = 2) -> Any:
    if ind <= 0:
        raise ShapeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    shape = input._array.shape
    if ind > len(shape):
        raise ShapeError(f"ArrayRef: invalid slice, N = {ind}; size = {len(shape)}")
    rows, columns = numel(shape[:ind]), numel(shape[ind:])
    if rows != columns:
        raise ShapeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {columns} != {rows}"
        )
    inverse, codes = o.linalg_inv_ex(o.reshape(input, (rows, columns)))
    refuse_codes("inv", "inv", codes._array)
    return o.reshape(inverse, (*shape[ind:], *shape[:ind]))


def _tensorsolve(o: Any, input: Any, other: Any, dims: Any = None) -> Any:
    if dims is not None:
        ends = tuple(range(input.ndim - len(dims), input.ndim))
        input = o.movedim(input, tuple(dims), ends)
    if input.ndim < other.ndim:
        raise ShapeError("cannot create std::vector larger than max_size()")
    result = input._array.shape[other.ndim :]
    size = numel(result)
    if size != other._array.size:
        raise ShapeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {size} != {other._array.size}"
        )
    flat = o.reshape(input, (other._array.size, size))
    return o.reshape(o.linalg_solve(flat, o.reshape(other, (other._array.size,))), result)


composite("linalg_tensorinv", _tensorinv, kinds={"ind": "int"}, **LINALG,
          doc="The inverse of a tensor as a map of tensors.")  # fmt: skip
composite("linalg_tensorsolve", _tensorsolve, **LINALG, kinds={"dims": "ints?"},
          doc="The X with tensordot(input, X, X.ndim) = other.")  # fmt: skip
