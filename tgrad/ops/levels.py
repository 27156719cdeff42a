"""What a transform of functions knows of the history that is its own.

Note [Levels]
    PyTorch's transforms nest by levels: what is computed inside of one has history for it and for the
    levels around it, and comes out with the history of those around it alone.  Here a transform gives
    its function *own* variables, fresh leaves, or where the argument has history already, views of
    it.  What leads from a result to own leaves only is of nobody else's interest, and the result is
    detached; where it leads to other leaves as well, the gradients are computed with a graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tgrad.core import engine
from tgrad.core.engine import Spaces
from tgrad.core.graph import AccumulateGrad, Node
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError
from tgrad.ops import pytree


class Level:
    """The variables of one application of a transform."""

    def __init__(self) -> None:
        self.recording = state.grad
        """Whether what is outside records history."""
        self.own: set[Node] = set()

    def variable(self, x: Any) -> Tensor:
        """A variable of this level for an argument."""
        if not isinstance(x, Tensor):
            raise ArgumentValueError(f"Thing passed to transform API must be Tensor, got {type(x)}")
        if self.recording and x.requires_grad:
            return x.view_as(x)  # type: ignore[no-any-return]
        fresh = x.detach().requires_grad_()
        edge = fresh.current_edge()
        assert edge is not None
        self.own.add(edge[0])
        return fresh

    def concerns_others(self, tensors: Iterable[Tensor]) -> bool:
        """Whether the history of some tensor leads to leaves that aren't this level's own."""
        if not self.recording:
            return False
        edges = [t.current_edge() for t in tensors]
        stack = [edge[0] for edge in edges if edge is not None]
        seen = set(stack)
        while stack:
            node = stack.pop()
            if type(node) is AccumulateGrad and node not in self.own:
                return True
            for edge in node.edges:
                if edge is not None and edge[0] not in seen:
                    seen.add(edge[0])
                    stack.append(edge[0])
        return False

    def left(self, value: Any) -> Any:
        """What a result, with all tensors in it, is outside of this level."""
        return pytree.map_leaves(self._left, value)

    def _left(self, value: Any) -> Any:
        if not isinstance(value, Tensor) or self.concerns_others((value,)):
            return value
        return value.detach()


def products(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], vectors: Sequence[Any] | None, graph: bool
) -> tuple[Tensor, ...]:
    """Vector-Jacobian products; zeros for inputs that the outputs don't depend on."""
    given = [None] * len(outputs) if vectors is None else vectors
    pairs = [(o, v) for o, v in zip(outputs, given, strict=True) if o.requires_grad]
    found: Sequence[Tensor | None] = [None] * len(inputs)
    if pairs and inputs:
        found = engine.grad(
            [o for o, _ in pairs], inputs, [v for _, v in pairs],
            retain_graph=True, create_graph=graph, allow_unused=True,
        )  # fmt: skip
    return tuple(
        [Spaces.recorded.zeros_like(x) if g is None else g for x, g in zip(inputs, found, strict=True)]
    )
