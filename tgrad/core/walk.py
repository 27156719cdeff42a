"""The backward walk: how gradients flow through the graph; `engine` has the functions that start it.

Gradients flow from the roots to the leaves, newest node first.  An operator's inputs are older than
its result, so when a node's turn comes everything that flows into it has arrived; a heap of sequence
numbers is all the order that is needed, there is no recursion and no pass that counts dependencies.

Note [Two ways through one formula]
    A derivative formula is written once, in terms of a namespace `o` of operators.  An ordinary
    backward hands it arrays and the bare kernels (`Spaces.raw`); with `create_graph=True` it gets
    tensors and the recording operators (`Spaces.recorded`).  The walk below is the same for both.

Note [Who owns a gradient]
    A formula may return the array it was given, a view of it, or a saved one.  A sum of two arrivals
    belongs to the walk and is added to in place from then on.  What ends up in `.grad` is taken
    over without a copy only if nothing else refers to it.  So no variable here may refer to a gradient
    longer than necessary; the memory of a large one that nothing else refers to is used again for
    what is computed from it (`tgrad.backends.large`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from heapq import heappop, heappush
from typing import Any, Final

from tgrad import backends
from tgrad.backends.large import LARGE
from tgrad.backends.quiet import quiet
from tgrad.core.device import type_of
from tgrad.core.gradients import Spaces, accumulate, accumulate_recorded, fit, wrapped
from tgrad.core.graph import FREED, AccumulateGrad, Edge, Hooks, Node
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, AutogradError, TgradError

_NOTHING: Final[frozenset[Any]] = frozenset()


class Walk:
    """One backward pass: what has arrived where, and what is wanted."""

    __slots__ = (
        "captured", "endings", "gradients", "heap", "inner", "keep", "leaves", "needed", "node", "paths",
        "pending", "record", "summed", "wanted",
    )  # fmt: skip

    def __init__(self, record: bool, keep: bool) -> None:
        self.record = record
        self.keep = keep
        self.needed: set[Node] | None = None
        """The nodes to visit, where only some inputs are wanted; None for all."""
        self.wanted: frozenset[Edge] = _NOTHING
        """The edges whose gradients are to be captured."""
        self.inner: frozenset[Node] = _NOTHING
        """The nodes, leaves apart, that such edges lead to."""
        self.paths: dict[Node, tuple[Edge | None, ...]] | None = None
        """For each node to visit its edges, None for those that don't lead to what is wanted."""
        self.node: Node | None = None
        self.endings: list[Callable[[], Any]] | None = None
        """What is to be called when the pass is over."""
        self.pending: dict[int, Node] = {}
        self.heap: list[int] = []
        self.gradients: dict[Node, Any] = {}
        self.summed: set[Any] = set()
        self.leaves: dict[AccumulateGrad, Any] = {}
        self.captured: dict[Edge, Any] = {}

    def at_end(self, function: Callable[[], Any]) -> None:
        """Call a function when all gradients are where they belong."""
        if self.endings is None:
            self.endings = []
        self.endings.append(function)

    def arrive(self, edge: Edge, gradient: Any) -> None:
        """Add a gradient to what has arrived at an edge's end."""
        node, number = edge
        if type(node) is AccumulateGrad:
            self._add(self.leaves, node, gradient)
            return
        sequence = node.sequence
        if sequence not in self.pending:
            self.pending[sequence] = node
            heappush(self.heap, -sequence)
        if node.several_outputs:
            self._add(self.gradients.setdefault(node, {}), number, gradient, (node, number))
        else:
            self._add(self.gradients, node, gradient)

    def _add(self, store: dict[Any, Any], key: Any, gradient: Any, mark: Any = None) -> None:
        before = store.get(key)
        if before is None:
            store[key] = gradient
            return
        mark = key if mark is None else mark
        if mark in self.summed and not self.record and type(before) is type(gradient):
            before += gradient
            store[key] = before  # a 0-dimensional sum may be a NumPy scalar: += made a new one
            return
        if not self.record and gradient.size >= LARGE:
            alone = sys.getrefcount(before) == _STORED and before.base is None
            store[key] = type_of(gradient).xp.large_sum(before, gradient, alone)
        else:
            store[key] = before + gradient
        self.summed.add(mark)

    def run(self, first: Node | None = None, gradient: Any = None) -> None:
        """Visit every node that gradients arrive at, then hand the leaves theirs.

        `first` is a node with a gradient that hasn't arrived yet, if there is one that is to be gone from.
        """
        simple = not self.record and not state.anomaly
        try:
            if first is not None:
                if not (simple and self._is_plain(first)):
                    self._wait(first, gradient)
                elif backends.silent:
                    self._along(first, gradient)
                else:
                    quiet.run(self._along, first, gradient)
            while self.heap:
                if simple:
                    if backends.silent:
                        self._stretch()
                    else:
                        quiet.run(self._stretch)
                if self.heap:
                    self._general(simple)
        except TgradError as error:
            error.details.setdefault("node", self.node)
            self._finish_complete()
            raise
        self._finish()

    def _stretch(self) -> None:
        """Visit nodes that compute on arrays alone and have no hooks, until there is another on top."""
        pending, heap = self.pending, self.heap
        while heap:
            sequence = -heap[0]
            node = pending[sequence]
            if not self._is_plain(node):
                return
            heappop(heap)
            del pending[sequence]
            self.summed.discard(node)
            self._along(node, self.gradients.pop(node))

    def _is_plain(self, node: Node) -> bool:
        """Whether a visit of the node is nothing but a call of its derivative on arrays."""
        return node.hooks is None and node.bare and not (self.inner and node in self.inner)

    def _along(self, node: Node, g: Any) -> None:
        """Visit a plain node, and go on to what it leads to as long as that is plain and next in order."""
        heap, gradients, leaves, paths = self.heap, self.gradients, self.leaves, self.paths
        free = not self.keep
        while True:
            self.node = node
            edges = node.edges if paths is None else paths.get(node)
            if edges is None:
                return
            results = node.raw(g, edges)
            if free and node.saves_tensors:
                node.saved = FREED
            if node.operands is not None:
                results = fit(results, node, Spaces.raw)
            following = waiting = None
            for edge, g in zip(edges, results):  # noqa: B905
                if edge is None or g is None:
                    continue
                target = edge[0]
                if type(target) is AccumulateGrad:
                    if target in leaves:
                        self._add(leaves, target, g)
                    else:
                        leaves[target] = g
                elif target is following:
                    self._wait(target, waiting)
                    following = waiting = None
                    self.arrive(edge, g)
                elif target.several_outputs or target in gradients:
                    self.arrive(edge, g)
                elif following is None:
                    following, waiting = target, g
                elif target.sequence < following.sequence:
                    self._wait(target, g)
                else:
                    self._wait(following, waiting)
                    following, waiting = target, g
            results = g = None  # type: ignore[assignment]  # see Note [Who owns a gradient]
            if following is None:
                return
            if (heap and -heap[0] > following.sequence) or not self._is_plain(following):
                self._wait(following, waiting)
                return
            node, g, waiting = following, waiting, None

    def _wait(self, node: Node, gradient: Any) -> None:
        """`arrive` for a node of one output that is reached for the first time."""
        sequence = node.sequence
        self.pending[sequence] = node
        self.gradients[node] = gradient
        heappush(self.heap, -sequence)

    def _general(self, simple: bool) -> None:
        """Visit the next node, and if it is not `simple`, all others."""
        heap = self.heap
        with nullcontext() if backends.silent else Spaces.raw.xp.errstate(all="ignore"):
            while heap:
                sequence = -heappop(heap)
                self.node = node = self.pending.pop(sequence)
                g = self.gradients.pop(node)
                self.summed.discard(node)
                self._visit(node, g)
                g = None
                if simple:
                    return

    def _visit(self, node: Node, g: Any) -> None:
        """The general case: hooks, wanted gradients, several outputs, recording."""
        g = self._several(node, g) if node.several_outputs else self._arrived(node, 0, g)
        needed = self.needed
        if needed is not None and node not in needed:
            return
        if g is None:
            return
        edges = node.edges if self.paths is None else self.paths[node]
        if node.hooks is not None and node.hooks.before:
            g = self._before(node, node.hooks, g)
        o = Spaces.recorded if self.record else Spaces.raw
        results = node.recorded(o, g, edges) if self.record else node.raw(g, edges)
        if state.anomaly and state.check_nan:
            _refuse_nan(node, results)
        if not self.keep:
            node.free()
        if node.operands is not None:
            results = fit(results, node, o)
        if node.hooks is not None and node.hooks.after:
            results = self._after(node, node.hooks, results, g)
        for edge, result in zip(edges, results, strict=False):
            if edge is not None and result is not None:
                self.arrive(edge, result)

    def _several(self, node: Node, arrived: dict[int, Any]) -> tuple[Any, ...]:
        """The gradients of all outputs, zeros where nothing arrived."""
        space = Spaces.recorded if self.record else Spaces.raw
        gradients = []
        for number, (shape, type_) in enumerate(node.outputs):
            g = arrived.get(number)
            if g is not None:
                g = self._arrived(node, number, g)
            missing = g is None and node.materialize
            gradients.append(space.zeros_of(shape, type_) if missing else g)
        return tuple(gradients)

    def _arrived(self, node: Node, number: int, g: Any) -> Any:
        """Run the hooks on the gradient of an output, keep it where that is wanted."""
        hooks = node.hooks
        if hooks is not None:
            for hook in tuple(hooks.tensor.get(number, {}).values()):
                g = self._hooked(hook, g)
            reference = hooks.retained.get(number)
            tensor = reference() if reference is not None else None
            if tensor is not None:
                kept = self.tensor(g)
                tensor._grad = kept if tensor._grad is None else Spaces.recorded.add(tensor._grad, kept)
        if (node, number) in self.wanted:
            self.captured[node, number] = g
        return g

    def _hooked(self, hook: Callable[[Any], Any], g: Any) -> Any:
        with_grad, state.grad = state.grad, self.record
        try:
            result = hook(self.tensor(g))
        finally:
            state.grad = with_grad
        return g if result is None else self._replacement(hook, result, g)

    def _replacement(self, hook: Callable[..., Any], result: Any, g: Any) -> Any:
        """What a hook returned in place of a gradient; errors where it doesn't fit."""
        if not isinstance(result, Tensor):
            raise ArgumentError(f"expected Variable, but hook returned '{type(result).__name__}'")
        if g is not None:
            before = self.tensor(g)
            name = getattr(hook, "__name__", "hook")
            if before._type is not result._type:
                raise AutogradError(
                    f"hook '{name}' has changed the type of value (was {before._type.name} got "
                    f"{result._type.name})"
                )
            if before._array.shape != result._array.shape:
                raise AutogradError(f"hook '{name}' has changed the size of value")
        return result if self.record else result._array

    def tensor(self, g: Any) -> Tensor:
        """A gradient as the user sees it."""
        return g if isinstance(g, Tensor) else wrapped(g)

    def _tensors(self, values: tuple[Any, ...]) -> tuple[Tensor | None, ...]:
        return tuple([None if value is None else self.tensor(value) for value in values])

    def _replaced(self, hook: Callable[..., Any], changed: Any, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """What a node's hook returned in place of several gradients."""
        if len(values) == 1 and isinstance(changed, Tensor):
            changed = (changed,)
        if not isinstance(changed, tuple):
            raise ArgumentError(f"expected tuple, but hook returned '{type(changed).__name__}'")
        if len(changed) != len(values):
            name = getattr(hook, "__name__", "hook")
            raise AutogradError(
                f"hook '{name}' has returned an incorrect number of values (got {len(changed)}, but "
                f"expected {len(values)})"
            )
        return tuple(
            [
                None if new is None else self._replacement(hook, new, old)
                for new, old in zip(changed, values, strict=True)
            ]
        )

    def _before(self, node: Node, hooks: Hooks, g: Any) -> Any:
        several = node.several_outputs
        values: tuple[Any, ...] = g if several else (g,)
        for hook in tuple(hooks.before.values()):
            changed = hook(self._tensors(values))
            if changed is not None:
                values = self._replaced(hook, changed, values)
        return values if several else values[0]

    def _after(self, node: Node, hooks: Hooks, results: tuple[Any, ...], g: Any) -> tuple[Any, ...]:
        outputs = self._tensors(g if node.several_outputs else (g,))
        for hook in tuple(hooks.after.values()):
            changed = hook(self._tensors(results), outputs)
            if changed is not None:
                results = self._replaced(hook, changed, results)
        return results

    def _finish_complete(self) -> None:
        """After an error: hand their gradients to the leaves that nothing more could have reached.

        PyTorch adds to a leaf as soon as it is complete, so some leaves have theirs when a pass fails.
        """
        seen: set[Node] = set()
        stack = [*self.pending.values()]
        if self.node is not None:
            stack.append(self.node)
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                stack.extend(edge[0] for edge in node.edges if edge is not None)
        self.leaves = {leaf: g for leaf, g in self.leaves.items() if leaf not in seen}
        self._finish()

    def _finish(self) -> None:
        leaves = self.leaves
        plain = self.needed is None and not self.record
        while leaves:
            node = next(iter(leaves))
            hooks = node.hooks
            if plain and hooks is None and state.watch is None:
                leaf = node.reference()
                if leaf is not None and leaf._edge is not None:
                    accumulate(leaf, [leaves.pop(node)])
                else:
                    del leaves[node]
                continue
            gradient = leaves.pop(node)
            if hooks is not None:
                for hook in tuple(hooks.tensor.get(0, {}).values()):
                    gradient = self._hooked(hook, gradient)
                if hooks.before:
                    gradient = self._before(node, hooks, gradient)
            if self.needed is not None:
                if (node, 0) in self.wanted:
                    self.captured[node, 0] = gradient
                if node not in self.needed:
                    continue
            leaf = node.variable
            if leaf is not None and leaf._edge is not None:
                outputs = () if hooks is None or not hooks.after else self._tensors((gradient,))
                if state.watch is not None:
                    state.watch(leaf)
                if self.record:
                    accumulate_recorded(leaf, gradient)
                else:
                    holder = [gradient]
                    del gradient
                    accumulate(leaf, holder)
                if hooks is not None:
                    for hook in tuple(hooks.accumulated.values()):
                        hook(leaf)
                    for hook in tuple(hooks.after.values()):
                        hook((), outputs)
        if self.endings is not None:
            for ending in self.endings:
                ending()


def _refuse_nan(node: Node, results: tuple[Any, ...]) -> None:
    """Raise the error of anomaly mode if a derivative gave NaN."""
    for number, result in enumerate(results):
        array = result._array if isinstance(result, Tensor) else result
        if array is not None and bool((array != array).any()):  # only NaN does
            raise AutogradError(
                f"Function '{type(node).__name__}' returned nan values in its {number}th output.",
                node=node,
            )


def _references_of_stored() -> int:
    store = {0: object()}
    value = store.get(0)
    return sys.getrefcount(value)


_STORED: Final = _references_of_stored()
