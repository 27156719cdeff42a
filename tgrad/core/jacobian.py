"""Products of several vectors with one Jacobian: passes over one graph, as many as can be in one walk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from tgrad.core.device import type_of
from tgrad.core.engine import edge_of, result_of, run, want
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.core.walk import Walk

FEW: Final = 3
"""So many passes take no longer than a walk with batches."""

Vectors = Callable[[int, int], Sequence[Any]]
"""The arrays to begin with in some of the passes, for each root with the passes along a first dimension."""


class Passes:
    """Passes from the same roots to the same inputs; the graph is kept, and searched once for the paths."""

    def __init__(self, roots: Sequence[Tensor], inputs: Sequence[Any]) -> None:
        self.edges = [root.current_edge() for root in roots]
        self.inputs = inputs
        self.ends = [edge_of(x) for x in inputs]
        self.first: Walk | None = None
        tensors = [value for value in (*roots, *inputs) if isinstance(value, Tensor)]
        self.largest = max(1, *[tensor._array.size for tensor in tensors])
        self.on_cpu = all(tensor._type.backend is None for tensor in tensors)

    def all(self, count: int, vectors: Vectors) -> list[Tensor | None]:
        """For each input the results of all passes along a first dimension; None where it gets none."""
        columns: list[Any] = [None] * len(self.inputs)
        start, together = 0, self._together(count, vectors) if count > FEW else 1
        while start < count:
            stop = min(count, start + together)
            found = self._several(start, stop, vectors) if together > 1 else None
            if found is None:
                together, stop = 1, start + 1
                found = self._pass(Walk(False, True), [v[0, ...] for v in vectors(start, stop)])
            for number, array in enumerate(found):
                if array is None:
                    continue
                if columns[number] is None:
                    shape = array.shape if together == 1 else array.shape[1:]
                    columns[number] = type_of(array).xp.zeros((count, *shape), array.dtype)
                columns[number][start:stop] = array
            start = stop
        return [None if c is None else _tensor(c, x) for c, x in zip(columns, self.inputs, strict=True)]

    def _together(self, count: int, vectors: Vectors) -> int:
        """How many passes one walk can make: batches are of NumPy's arrays."""
        from tgrad.core.batch import MOST, can_be_batched

        together = min(count, MOST // self.largest)
        if together <= FEW or state.anomaly or not self.on_cpu:
            return 1
        walk = self._begun(Walk(False, True), [v[0, ...] for v in vectors(0, 1)])
        return together if can_be_batched(walk) else 1

    def _several(self, start: int, stop: int, vectors: Vectors) -> list[Any] | None:
        """The results of some passes in one walk; None where that can't be, or an error is to be raised."""
        from tgrad.core.batch import Batch, BatchWalk

        try:
            found = self._pass(BatchWalk(stop - start), [Batch(v) for v in vectors(start, stop)])
        except Exception:
            return None
        return [None if batch is None else batch.rows for batch in found]

    def _begun(self, walk: Walk, gradients: Sequence[Any]) -> Walk:
        """A walk at its beginning, with what it is to visit."""
        for edge, gradient in zip(self.edges, gradients, strict=True):
            assert edge is not None
            walk.arrive(edge, gradient)
        if self.first is None:
            self.first = walk
            want(walk, self.inputs, accumulate_leaves=False)
        else:
            first = self.first
            walk.wanted, walk.needed, walk.paths, walk.inner = (
                first.wanted, first.needed, first.paths, first.inner,
            )  # fmt: skip
        return walk

    def _pass(self, walk: Walk, gradients: Sequence[Any]) -> list[Any]:
        run(self._begun(walk, gradients))
        return [None if end is None else walk.captured.get(end) for end in self.ends]

    def free(self) -> None:
        """Let go of the graph."""
        if self.first is not None and not state.keep_graphs:
            for node in self.first.paths or ():
                node.free()


def _tensor(column: Any, like: Any) -> Tensor:
    return new_tensor(column, like._type) if isinstance(like, Tensor) else result_of(column, like)


def rows_of_jacobian(root: Tensor, inputs: tuple[Tensor, ...]) -> list[Tensor | None]:
    """For each input the gradients of the elements of a real tensor along a first dimension, or None."""
    type_, shape, size = root._type, root._array.shape, root._array.size

    def units(start: int, stop: int) -> tuple[Any]:
        rows = type_.xp.zeros((stop - start, size), type_.dtype.numpy)
        rows.reshape(-1)[start :: size + 1][: stop - start] = 1
        return (rows.reshape(stop - start, *shape),)

    return Passes((root,), inputs).all(size, units)


def products(
    roots: Sequence[Any], inputs: Sequence[Any], vectors: Sequence[Any], keep: bool
) -> list[Tensor | None] | None:
    """For each input the products of all vectors, given along a first dimension, with the Jacobian.

    None in place of all where the passes are better made one by one: they may convert, or fail.
    """
    pairs = list(zip(roots, vectors, strict=False))
    if len(pairs) < max(len(roots), len(vectors)) or any(
        type(v) is not Tensor or type(r) is not Tensor or v._type is not r._type or r.current_edge() is None
        for r, v in pairs
    ):
        return None
    counts = {len(v._array) for v in vectors}
    if len(counts) != 1 or any(edge_of(x) is None for x in inputs):
        return None
    passes = Passes(roots, inputs)
    found = passes.all(counts.pop(), lambda start, stop: [v._array[start:stop] for v in vectors])
    if not keep:
        passes.free()
    return found
