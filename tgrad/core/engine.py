"""The backward walk.

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
    over without a copy only if nothing else refers to it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any, Final

from tgrad import backends
from tgrad.core.device import TensorType
from tgrad.core.graph import AT_ONCE, AccumulateGrad, Edge, Hooks, Node
from tgrad.core.modes import state
from tgrad.core.tensor import Size, Tensor, new_tensor
from tgrad.errors import ArgumentError, AutogradError, TgradError


class Spaces:
    """The two namespaces of operators that formulas work with; filled by `tgrad.ops.install`."""

    raw: Any
    recorded: Any


class Walk:
    """One backward pass: what has arrived where, and what is wanted."""

    needed: set[Node] | None = None
    """The nodes to visit, where only some inputs are wanted; None for all."""
    wanted: frozenset[Edge] = frozenset()
    """The edges whose gradients are to be captured."""
    node: Node | None = None

    def __init__(self, record: bool, keep: bool) -> None:
        self.record = record
        self.keep = keep
        self.pending: dict[int, Node] = {}
        self.heap: list[int] = []
        self.gradients: dict[Node, Any] = {}
        self.summed: set[Any] = set()
        self.leaves: dict[AccumulateGrad, Any] = {}
        self.captured: dict[Edge, Any] = {}

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
        store[key] = before + gradient
        self.summed.add(mark)

    def run(self) -> None:
        """Visit every node that gradients arrive at, then hand the leaves theirs."""
        pending, heap, gradients, keep, record = (
            self.pending, self.heap, self.gradients, self.keep, self.record,
        )  # fmt: skip
        leaves, summed, raw = self.leaves, self.summed, Spaces.raw
        simple = not record and self.needed is None and not state.anomaly
        quiet = None if backends.silent else Spaces.raw.xp.errstate(all="ignore")
        if quiet is not None:
            quiet.__enter__()
        try:
            while heap:
                sequence = -heappop(heap)
                self.node = node = pending.pop(sequence)
                g = gradients.pop(node)
                if summed:
                    summed.discard(node)
                if node.hooks is not None or not simple or node.several_outputs:
                    self._visit(node, g)
                    continue
                results = node.raw(g, node.edges)
                if not keep:
                    node.free()
                if node.operands is not None:
                    results = fit(results, node, raw)
                # `arrive`, written out for the common case of a node reached once.
                for edge, result in zip(node.edges, results):  # noqa: B905
                    if edge is None or result is None:
                        continue
                    target = edge[0]
                    if type(target) is AccumulateGrad:
                        if target in leaves:
                            self._add(leaves, target, result)
                        else:
                            leaves[target] = result
                    elif target.several_outputs or target in gradients:
                        self.arrive(edge, result)
                    else:
                        sequence = target.sequence
                        pending[sequence] = target
                        gradients[target] = result
                        heappush(heap, -sequence)
        except TgradError as error:
            error.details.setdefault("node", self.node)
            self._finish_complete()
            raise
        finally:
            if quiet is not None:
                quiet.__exit__(None, None, None)
        g = results = result = None  # type: ignore[assignment]  # what is accumulated must be referred to by nobody else
        self._finish()

    def _visit(self, node: Node, g: Any) -> None:
        """The general case: hooks, wanted gradients, several outputs, recording."""
        g = self._several(node, g) if node.several_outputs else self._arrived(node, 0, g)
        needed = self.needed
        if needed is not None and node not in needed:
            return
        if g is None:
            return
        if needed is None:
            edges = node.edges
        else:
            edges = tuple(e if e is not None and self._leads(e) else None for e in node.edges)
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
            results = self._after(node.hooks, results, g)
        for edge, result in zip(edges, results, strict=False):
            if edge is not None and result is not None:
                self.arrive(edge, result)

    def _leads(self, edge: Edge) -> bool:
        assert self.needed is not None
        return edge[0] in self.needed or edge in self.wanted

    def _several(self, node: Node, arrived: dict[int, Any]) -> tuple[Any, ...]:
        """The gradients of all outputs, zeros where nothing arrived."""
        space = Spaces.recorded if self.record else Spaces.raw
        gradients = []
        for number, (shape, type_) in enumerate(node.outputs):
            g = arrived.get(number)
            if g is not None:
                g = self._arrived(node, number, g)
            gradients.append(space.zeros_of(shape, type_) if g is None else g)
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
        if result is None:
            return g
        if not isinstance(result, Tensor):
            raise ArgumentError(
                f"expected Variable, but hook returned '{type(result).__name__}'"
            )
        return result if self.record else result._array

    def tensor(self, g: Any) -> Tensor:
        """A gradient as the user sees it."""
        return g if isinstance(g, Tensor) else Spaces.raw.wrap(g)

    def _before(self, node: Node, hooks: Hooks, g: Any) -> Any:
        several = node.several_outputs
        values = tuple(self.tensor(x) for x in (g if several else (g,)))
        for hook in tuple(hooks.before.values()):
            result = hook(values)
            if result is not None:
                values = result if isinstance(result, tuple) else (result,)
        back = tuple(v if self.record else v._array for v in values)
        return back if several else back[0]

    def _after(self, hooks: Hooks, results: tuple[Any, ...], g: Any) -> tuple[Any, ...]:
        inputs = tuple(None if r is None else self.tensor(r) for r in results)
        outputs = tuple(self.tensor(x) for x in (g if isinstance(g, tuple) else (g,)))
        for hook in tuple(hooks.after.values()):
            changed = hook(inputs, outputs)
            if changed is not None:
                inputs = changed if isinstance(changed, tuple) else (changed,)
        return tuple(r if r is None or self.record else r._array for r in inputs)

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
        while leaves:
            node = next(iter(leaves))
            gradient = leaves.pop(node)
            hooks = node.hooks
            if hooks is not None:
                for hook in tuple(hooks.tensor.get(0, {}).values()):
                    gradient = self._hooked(hook, gradient)
            if self.needed is not None:
                if (node, 0) in self.wanted:
                    self.captured[node, 0] = gradient
                if node not in self.needed:
                    continue
            leaf = node.variable
            if leaf is not None and leaf._edge is not None:
                if self.record:
                    accumulate_recorded(leaf, gradient)
                else:
                    holder = [gradient]
                    del gradient
                    accumulate(leaf, holder)
                if hooks is not None:
                    for hook in tuple(hooks.after.values()):
                        hook(leaf)


def _refuse_nan(node: Node, results: tuple[Any, ...]) -> None:
    """Raise the error of anomaly mode if a derivative gave NaN."""
    for number, result in enumerate(results):
        array = result._array if isinstance(result, Tensor) else result
        if array is not None and bool((array != array).any()):  # only NaN does
            raise AutogradError(
                f"Function '{type(node).__name__}' returned nan values in its {number}th output.",
                node=node,
            )


def fit(results: tuple[Any, ...], node: Node, o: Any) -> tuple[Any, ...]:
    """Bring gradients, arrays or tensors, to the shape and dtype of the operands they belong to."""
    assert node.operands is not None
    fitted = []
    for result, operand in zip(results, node.operands, strict=True):
        if result is not None and operand is not None:
            shape, type_ = operand
            if result.shape != shape:
                result = o.sum_to_size(result, shape)
            result = o.to_type(result, type_)
        fitted.append(result)
    return tuple(fitted)


def _references_of_one() -> int:
    holder = [object()]
    value = holder.pop()
    return sys.getrefcount(value)


_ALONE: Final = _references_of_one()


def accumulate(leaf: Tensor, holder: list[Any]) -> None:
    """Add an array to a leaf's gradient; `holder` hands over its only reference to it."""
    value = holder.pop()
    grad = leaf._grad
    if grad is not None:
        type_ = leaf._type
        type_.xp.add(grad._array, value, out=grad._array)
        grad.bump_version()
        return
    if type(value) is not type(leaf._array):
        value = leaf._type.xp.asarray(value)
    elif value.base is not None or sys.getrefcount(value) > _ALONE or not value.flags.c_contiguous:
        value = value.copy(order="C")
    leaf._grad = new_tensor(value, leaf._type)


def accumulate_recorded(leaf: Tensor, gradient: Tensor) -> None:
    """Add a gradient that has history to a leaf's gradient."""
    o = Spaces.recorded
    grad = leaf._grad
    leaf._grad = o.gradient_copy(gradient) if grad is None else o.add(grad, gradient)


# ---------------------------------------------------------------- the functions of torch.autograd


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradients of `tensors` with respect to the graph's leaves to the leaves' `.grad`.

    Args:
        tensors: a tensor or a sequence of them, each of one element unless it has a gradient.
        grad_tensors: for each of `tensors` the vector of the vector-Jacobian product, or None.
        retain_graph: keep saved values for another pass; default: the value of `create_graph`.
        create_graph: record the computation of the gradients, so that they can be differentiated.
        inputs: accumulate into these tensors only.
    """
    if grad_variables is not None:
        _warn_grad_variables()
        if grad_tensors is None:
            grad_tensors = grad_variables
        else:
            raise AutogradError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to "
                "`backward()`. Please only use `grad_tensors`."
            )
    targets = None if inputs is None else _tuple_of(inputs)
    if targets is not None and not targets:
        raise AutogradError("`inputs` argument to `backward()` cannot be empty.")
    roots = _tuple_of(tensors)
    given = (None,) * len(roots) if grad_tensors is None else _tuple_of(grad_tensors)
    walk = _start(roots, given, retain_graph, create_graph)
    if create_graph:
        _warn_reference_cycle()
    if targets is not None:
        _want(walk, targets, accumulate_leaves=True)
    _run(walk)
    if targets is not None:
        _keep_captured(walk, targets)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of `outputs` with respect to `inputs`, as a tuple; no `.grad` is touched.

    Arguments are as for `backward`; `allow_unused=True` gives None for an input that the outputs
    don't depend on (an error otherwise), `materialize_grads=True` zeros instead.
    """
    if materialize_grads and allow_unused is False:
        raise ArgumentError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, "
            "but got: allow_unused=False."
        )
    if allow_unused is None:
        allow_unused = materialize_grads
    if is_grads_batched:
        raise AutogradError("is_grads_batched=True is not available: call grad() for each vector")
    roots, targets = _tuple_of(outputs), _tuple_of(inputs)
    given = (None,) * len(roots) if grad_outputs is None else _tuple_of(grad_outputs)
    walk = _start(roots, given, retain_graph, create_graph)
    _want(walk, targets, accumulate_leaves=False)
    _run(walk)
    results: list[Tensor | None] = []
    for index, target in enumerate(targets):
        edge = target.current_edge()
        found = walk.captured.get(edge)
        if found is None:
            if materialize_grads:
                results.append(Spaces.recorded.zeros_like(target))
                continue
            if not allow_unused:
                raise AutogradError(
                    f"The differentiated Tensor at index {index} appears to not have been used in "
                    "the graph. Set allow_unused=True if this is the desired behavior."
                )
            results.append(None)
        else:
            results.append(_result(found, target))
    return tuple(results)


def _result(found: Any, target: Tensor) -> Tensor:
    if isinstance(found, Tensor):
        return found
    array = target._type.xp.asarray(found)
    if array.base is not None or not array.flags.writeable:
        array = array.copy(order="C")
    return new_tensor(array, target._type)


def _tuple_of(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, Tensor) else tuple(value)


def _start(
    roots: tuple[Tensor, ...], given: Sequence[Any], retain: bool | None, create: bool
) -> Walk:
    """A walk at whose beginning stand the roots with their gradients."""
    if len(roots) != len(given):
        raise AutogradError(
            f"got {len(roots)} tensors and {len(given)} gradients"
        )
    walk = Walk(create, create if retain is None else bool(retain))
    gradients = [
        _root_gradient(index, root, gradient, create)
        for index, (root, gradient) in enumerate(zip(roots, given, strict=True))
    ]
    for index, (root, gradient) in enumerate(zip(roots, gradients, strict=True)):
        edge = root.current_edge()
        if edge is None:
            raise AutogradError(
                f"element {index} of tensors does not require grad and does not have a grad_fn",
                operand=root,
            )
        walk.arrive(edge, gradient)
    return walk


def _root_gradient(index: int, root: Tensor, gradient: Any, create: bool) -> Any:
    shape = root._array.shape
    if gradient is None:
        if root.current_edge() is not None or create:
            if root._array.size != 1:
                raise AutogradError(
                    "grad can be implicitly created only for scalar outputs",
                    operand=root,
                    hint="reduce it first, e.g. .sum() or .mean(), or pass backward(gradient=...)",
                )
            if not root._type.inexact:
                raise AutogradError(
                    "grad can be implicitly created only for real scalar outputs but got "
                    f"{root.dtype!r}"
                )
        ones = root._type.xp.ones(shape, root._type.dtype.numpy)
        return new_tensor(ones, root._type) if create else ones
    if not isinstance(gradient, Tensor):
        raise ArgumentError(
            f"gradients can be either Tensors or None, but got {type(gradient).__name__}"
        )
    if gradient._array.shape != shape:
        raise AutogradError(
            f"Mismatch in shape: grad_output[{index}] has a shape of {Size(gradient._array.shape)!r} "
            f"and output[{index}] has a shape of {Size(shape)!r}."
        )
    if gradient._type.dtype.is_complex != root._type.dtype.is_complex:
        raise AutogradError(
            f"For complex Tensors, both grad_output and output are required to have the same dtype. "
            f"Mismatch in dtype: grad_output[{index}] has a dtype of {gradient.dtype!r} and "
            f"output[{index}] has a dtype of {root.dtype!r}."
        )
    if gradient._type is not root._type:
        gradient = Spaces.recorded.to_type(gradient, root._type)
    return gradient if create else gradient._array


def _want(walk: Walk, targets: Iterable[Tensor], accumulate_leaves: bool) -> None:
    """Restrict the walk to the paths that end at `targets`."""
    edges = set()
    for target in targets:
        edge = target.current_edge()
        if edge is None:
            raise AutogradError("One of the differentiated Tensors does not require grad")
        edges.add(edge)
    walk.wanted = frozenset(edges)
    ends = {edge[0] for edge in edges}
    reachable: set[Node] = set()
    stack: list[Node] = [*walk.pending.values(), *walk.leaves]
    while stack:
        node = stack.pop()
        if node not in reachable:
            reachable.add(node)
            stack.extend(edge[0] for edge in node.edges if edge is not None)
    needed: set[Node] = set()
    for node in sorted(reachable, key=lambda n: n.sequence % AT_ONCE):
        if any(e is not None and (e[0] in needed or e in edges) for e in node.edges):
            needed.add(node)
    if accumulate_leaves:
        needed.update(end for end in ends if type(end) is AccumulateGrad)
    walk.needed = needed


def _run(walk: Walk) -> None:
    with_grad, state.grad = state.grad, walk.record
    try:
        walk.run()
    finally:
        state.grad = with_grad


def walk_from(edge: Edge, root: Tensor, keep: bool) -> None:
    """A pass from one real tensor of one element, with gradient 1: what nearly every pass is."""
    walk = Walk(False, keep)
    type_ = root._type
    array = root._array
    if array.ndim:
        walk.arrive(edge, type_.xp.ones(array.shape, type_.dtype.numpy))
    else:
        one = _ONES.get(type_)
        if one is None:
            one = _ONES[type_] = type_.xp.ones((), type_.dtype.numpy)
        walk.arrive(edge, one)
    _run(walk)


_ONES: Final[dict[TensorType, Any]] = {}
"""The gradient of a 0-dimensional root with respect to itself, by type; never written to."""

Tensor.walk = staticmethod(backward)
Tensor.walk_from = staticmethod(walk_from)


def _keep_captured(walk: Walk, targets: Iterable[Tensor]) -> None:
    """Accumulate the gradients of `inputs=` that are no leaves."""
    for target in targets:
        edge = target.current_edge()
        if edge is None or type(edge[0]) is AccumulateGrad or target.retains_grad:
            continue
        found = walk.captured.get(edge)
        if found is not None:
            result = _result(found, target)
            before = target._grad
            target._grad = result if before is None else Spaces.recorded.add(before, result)


def apply_node(node: Node, grads: tuple[Any, ...]) -> Any:
    """A node's derivative applied by hand (`tensor.grad_fn(gradient)`)."""
    g: Any = grads if node.several_outputs else grads[0]
    results = node.recorded(Spaces.recorded, g, node.edges)
    if node.operands is not None:
        results = fit(results, node, Spaces.recorded)
    return results[0] if len(results) == 1 else results


def _warn_grad_variables() -> None:
    import warnings

    warnings.warn(
        "`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=3
    )


def _warn_reference_cycle() -> None:
    import warnings

    warnings.warn(
        "Using backward() with create_graph=True will create a reference cycle between the "
        "parameter and its gradient which can cause a memory leak. We recommend using "
        "autograd.grad when creating the graph to avoid this. If you have to use this function, "
        "make sure to reset the .grad fields of your parameters to None after use to break the "
        "cycle and avoid the leak.",
        stacklevel=3,
    )
