"""Several gradients of one value in one backward walk.

The rows of a Jacobian are passes over one graph that differ in their gradients alone.  Here they are
made together: a `Batch` stands in formulas for a gradient, and is one for each row.  Arithmetic
is that of the rows; what the functions of `o` do with a batch is said in `tgrad.ops.batch_space`.

Note [Rows as they would be]
    A row of a batch is to the bit what a pass for it alone gives.  So only what moves elements, or
    works on each of them by itself, is done for all rows together; everything else is done row by
    row, function by function where a formula's other functions allow it, or else for a whole node.
    Nodes that call users' functions can't be in such a walk, nor hooks.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final, NoReturn, cast

from tgrad.core.gradients import Spaces, fit
from tgrad.core.graph import AccumulateGrad, Node
from tgrad.core.walk import Walk

MOST: Final = 1 << 18
"""How many elements a batch may have: beyond the caches there is nothing to be gained by it."""


class NotBatched(Exception):  # noqa: N818 - not an error: it is done row by row then
    """Something can't be done for all rows together."""


def _no(self: Batch, *args: Any) -> NoReturn:
    raise NotBatched


def _arithmetic(function: Callable[[Any, Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The methods for an operator between a batch and something else, and the other way round."""

    def straight(self: Batch, other: Any) -> Any:
        return apply(function, self, other)

    def reflected(self: Batch, other: Any) -> Any:
        return apply(function, other, self)

    return straight, reflected


class Batch:
    """An array for each row of a Jacobian, all of one shape, side by side in one array."""

    __slots__ = ("rows",)
    __array_ufunc__ = None  # NumPy leaves arithmetic to the methods here
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, rows: Any) -> None:
        if rows.size > MOST and len(rows) > 1:
            raise NotBatched
        self.rows = rows
        """The arrays along a first dimension."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of each row."""
        return self.rows.shape[1:]  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of dimensions of each row."""
        return self.rows.ndim - 1  # type: ignore[no-any-return]

    @property
    def dtype(self) -> Any:
        """The dtype of the elements, NumPy's."""
        return self.rows.dtype

    @property
    def size(self) -> int:
        """The number of elements of each row."""
        return self.rows.size // max(len(self.rows), 1)  # type: ignore[no-any-return]

    __add__, __radd__ = _arithmetic(operator.add)
    __sub__, __rsub__ = _arithmetic(operator.sub)
    __mul__, __rmul__ = _arithmetic(operator.mul)
    __truediv__, __rtruediv__ = _arithmetic(operator.truediv)

    def __neg__(self) -> Batch:
        return Batch(-self.rows)

    # Without these Python would find an answer of its own.
    __bool__ = __eq__ = __ne__ = __array__ = _no


def apply(function: Callable[..., Any], *args: Any) -> Batch:
    """A function that works on each element by itself, of arrays and batches, row by row broadcast."""
    arrays = [a for a in args if hasattr(a, "ndim")]
    ndim = max([a.ndim for a in arrays])
    check_size(next(a for a in arrays if type(a) is Batch), max([a.size for a in arrays]))
    return Batch(function(*[_aligned(a, ndim) if type(a) is Batch else a for a in args]))


def check_size(batch: Batch, elements: int) -> None:
    """Refuse a result whose rows have so many elements each, before there is one."""
    if elements * len(batch.rows) > MOST:
        raise NotBatched


def _aligned(batch: Batch, ndim: int) -> Any:
    """The rows as arrays of so many dimensions."""
    rows = batch.rows
    missing = ndim - rows.ndim + 1
    return rows.reshape(len(rows), *(1,) * missing, *rows.shape[1:]) if missing > 0 else rows


class BatchWalk(Walk):
    """A pass in which batches flow; saved values are kept."""

    __slots__ = ("count",)

    def __init__(self, count: int) -> None:
        super().__init__(False, True)
        self.count = count

    def _add(self, store: dict[Any, Any], key: Any, gradient: Any, mark: Any = None) -> None:
        before = store.get(key)
        store[key] = gradient if before is None else before + gradient

    def run(self, first: Node | None = None, gradient: Any = None) -> None:
        """Visit every node that gradients arrive at."""
        if first is not None:
            self._wait(first, gradient)
        self._general(False)
        self._finish()

    def _visit(self, node: Node, g: Any) -> None:
        assert self.needed is not None
        g = self._several(node, g) if node.several_outputs else self._arrived(node, 0, g)
        if node not in self.needed or g is None:
            return
        edges = node.edges if self.paths is None else self.paths[node]
        for edge, result in zip(edges, self._together(node, g, edges), strict=False):
            if edge is not None and result is not None:
                self.arrive(edge, result)

    def _together(self, node: Node, g: Any, edges: Any) -> tuple[Any, ...]:
        """The gradients for all rows: of the formulas, or row by row."""
        if node.bare:
            space, raw = Spaces.batched(), cast(Any, node.raw)
            try:
                results: tuple[Any, ...] = raw(g, edges, space)
                if node.operands is not None:
                    results = fit(results, node, space)
                if all(r is None or type(r) is Batch for r in results):
                    return results
            except Exception:
                pass  # whatever it was: what can't be done with batches may be possible with arrays
        return self._one_by_one(node, g, edges)

    def _one_by_one(self, node: Node, g: Any, edges: Any) -> tuple[Any, ...]:
        found = []
        for row in range(self.count):
            results = node.raw(row_of(g, row), edges)
            found.append(results if node.operands is None else fit(results, node, Spaces.raw))
        return tuple([stacked(column) for column in zip(*found, strict=True)])


def row_of(value: Any, row: int) -> Any:
    """What a value, with the batches among its parts, is for one row."""
    if type(value) is Batch:
        return value.rows[row, ...]
    if type(value) is tuple:
        return tuple([row_of(part, row) for part in value])
    return value


def stacked(column: tuple[Any, ...]) -> Batch | None:
    """The arrays of all rows as a batch; None where none of them has one."""
    present = [value for value in column if value is not None]
    if not present:
        return None
    if len(present) < len(column):
        raise NotBatched
    xp = Spaces.raw.xp
    if len(column) * xp.asarray(present[0]).size > MOST:
        raise NotBatched
    return Batch(xp.stack(present))


def can_be_batched(walk: Walk) -> bool:
    """Whether the nodes that a walk is to visit call nothing of users'."""
    assert walk.needed is not None
    ends = [edge[0] for edge in walk.wanted]
    return all(
        node.hooks is None and (hasattr(node, "op") or type(node) is AccumulateGrad)
        for node in (*walk.needed, *ends)
    )
