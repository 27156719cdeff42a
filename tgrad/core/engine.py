"""The functions of `torch.autograd`: passes over the graph, which `tgrad.core.walk` makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tgrad.core.device import TensorType
from tgrad.core.gradients import UNSETTLED, settle, wrapped
from tgrad.core.gradients import Spaces as Spaces
from tgrad.core.gradients import fit as fit
from tgrad.core.graph import AT_ONCE, AccumulateGrad, Edge, GradientEdge, Node
from tgrad.core.modes import state
from tgrad.core.tensor import Size, Tensor, new_tensor
from tgrad.core.walk import Walk
from tgrad.errors import ArgumentError, ArgumentValueError, AutogradError

Root = Tensor | GradientEdge
"""What a pass starts from, and what gradients are wanted for."""


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
    targets = None if inputs is None else _targets(inputs, "backward")
    roots = _tuple_of(tensors)
    given = (None,) * len(roots) if grad_tensors is None else _tuple_of(grad_tensors)
    walk = _start(roots, given, retain_graph, create_graph)
    if create_graph:
        _warn_reference_cycle()
    if targets is not None:
        want(walk, targets, accumulate_leaves=True)
    run(walk)
    if targets is not None:
        _keep_captured(walk, targets)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> Any:
    """The gradients of `outputs` with respect to `inputs`, as a tuple; no `.grad` is touched.

    For a dictionary of inputs the result is one of gradients.  Arguments are as for `backward`;
    `allow_unused=True` gives None for an input that the outputs don't depend on (an error otherwise),
    `materialize_grads=True` zeros instead; with `is_grads_batched=True` the first dimension of
    `grad_outputs` counts vectors, and that of the result their products.
    """
    if materialize_grads and allow_unused is False:
        raise ArgumentValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, "
            "but got: allow_unused=False."
        )
    unused = materialize_grads if allow_unused is None else allow_unused
    roots, targets = _tuple_of(outputs), _targets(inputs, "grad")
    if not only_inputs:
        _warn_only_inputs()
    given = (None,) * len(roots) if grad_outputs is None else _tuple_of(grad_outputs)
    if is_grads_batched:
        results = _batched(roots, targets, given, retain_graph, create_graph, unused)
    else:
        results = _one_pass(roots, targets, given, retain_graph, create_graph, unused)
    if materialize_grads:
        results = [_zeros(t) if r is None else r for r, t in zip(results, targets, strict=True)]
    return dict(zip(inputs, results, strict=True)) if type(inputs) is dict else tuple(results)


def _one_pass(
    roots: tuple[Root, ...], targets: tuple[Root, ...], given: Sequence[Any], retain: bool | None,
    create: bool, unused: bool,
) -> list[Tensor | None]:  # fmt: skip
    walk = _start(roots, given, retain, create)
    want(walk, targets, accumulate_leaves=False)
    run(walk)
    results: list[Tensor | None] = []
    for target in targets:
        edge = edge_of(target)
        found = None if edge is None else walk.captured.get(edge)
        results.append(None if found is None else result_of(found, target))
    if UNSETTLED:
        settle()
    return results if unused else _all_used(results)


def _all_used(results: list[Tensor | None]) -> list[Tensor | None]:
    """The gradients themselves, if all are there."""
    for index, result in enumerate(results):
        if result is None:
            raise AutogradError(
                f"The differentiated Tensor at index {index} appears to not have been used in the graph. "
                "Set allow_unused=True if this is the desired behavior."
            )
    return results


def _batched(
    roots: tuple[Root, ...], targets: tuple[Root, ...], given: Sequence[Any], retain: bool | None,
    create: bool, unused: bool,
) -> list[Tensor | None]:  # fmt: skip
    """A pass for each vector of a batch, the results stacked."""
    for index, (root, gradient) in enumerate(zip(roots, given, strict=False)):
        if isinstance(gradient, Tensor) and isinstance(root, Tensor):
            first, shape = gradient._array.shape[1:], root._array.shape
            if first != shape:
                raise AutogradError(
                    "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as "
                    "the batch dimension. The sizes of the remaining dimensions are expected to match the "
                    f"shape of corresponding output, but a mismatch was detected: grad_output[{index}] has "
                    f"a shape of {Size(first[1:])!r} and output[{index}] has a shape of {Size(shape)!r}. If "
                    "you only want some tensors in `grad_output` to be considered batched, consider using "
                    "vmap."
                )
    count = next((len(g) for g in given if isinstance(g, Tensor)), 1)
    keep = create if retain is None else bool(retain)
    if not create:
        from tgrad.core.jacobian import products

        results = products(roots, targets, given, keep)
        if results is not None:
            return results if unused else _all_used(results)
    rows = [
        _one_pass(
            roots, targets, [g[i] if isinstance(g, Tensor) else g for g in given],
            keep or i < count - 1, create, unused,
        )
        for i in range(count)
    ]  # fmt: skip
    return [None if c[0] is None else Spaces.recorded.stack(c, 0) for c in zip(*rows, strict=True)]


def _zeros(target: Root) -> Tensor:
    if isinstance(target, GradientEdge):
        raise AutogradError("materialize_grads cannot be used when the given input is a GradientEdge")
    return Spaces.recorded.zeros_like(target)  # type: ignore[no-any-return]


def result_of(found: Any, target: Root) -> Tensor:
    if isinstance(found, Tensor):
        return found
    if isinstance(target, GradientEdge):
        return wrapped(found)
    backend = target._type.backend
    if backend is not None and backend.lazy:
        UNSETTLED.add(backend)
        return new_tensor(backend.kept(found), target._type)
    array = target._type.xp.asarray(found)
    if array.base is not None or not getattr(array.flags, "writeable", True):
        array = array.copy(order="C")
    return new_tensor(array, target._type)


def _tuple_of(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, (Tensor, GradientEdge)) else tuple(value)


def _targets(inputs: Any, name: str) -> tuple[Any, ...]:
    """The inputs of a pass; errors where there are none."""
    if type(inputs) is dict:
        inputs = inputs.values()
    elif isinstance(inputs, Mapping):
        raise ArgumentError(
            f"`inputs` argument to `{name}()` must be a dict, not {type(inputs).__name__}. Other Mapping "
            "types are not supported."
        )
    targets = _tuple_of(inputs)
    if not targets:
        raise AutogradError(f"`inputs` argument to `{name}()` cannot be empty.")
    return targets


def edge_of(root: Any) -> Edge | None:
    """The place in the graph that a tensor, or an edge in users' hands, stands for."""
    if isinstance(root, Tensor):
        return root.current_edge()
    if not isinstance(root, GradientEdge):
        raise AutogradError(f"all inputs have to be Tensors or GradientEdges, but got {type(root).__name__}")
    return root.node, root.output_nr


def _start(roots: tuple[Root, ...], given: Sequence[Any], retain: bool | None, create: bool) -> Walk:
    """A walk at whose beginning stand the roots with their gradients."""
    if len(roots) != len(given):
        raise AutogradError(f"got {len(roots)} tensors and {len(given)} gradients")
    keep = create if retain is None else bool(retain)
    walk = Walk(create, keep or state.keep_graphs)
    gradients = [
        _root_gradient(index, root, gradient, create)
        for index, (root, gradient) in enumerate(zip(roots, given, strict=True))
    ]
    for index, (root, gradient) in enumerate(zip(roots, gradients, strict=True)):
        edge = edge_of(root)
        if edge is None:
            raise AutogradError(
                f"element {index} of tensors does not require grad and does not have a grad_fn",
                operand=root,
            )
        if isinstance(root, Tensor) and root._type.backend is not None:
            root._type.backend.begin(root._array)
        walk.arrive(edge, gradient)
    return walk


def _root_gradient(index: int, root: Root, gradient: Any, create: bool) -> Any:
    if isinstance(root, GradientEdge):
        if root.ownership_token is None:
            return gradient if create or gradient is None else gradient._array
        root = root.ownership_token
    assert isinstance(root, Tensor)
    shape = root._array.shape
    if gradient is None:
        if root.current_edge() is not None or create:
            if root._array.size != 1:
                raise AutogradError(
                    "grad can be implicitly created only for scalar outputs",
                    operand=root,
                    hint="reduce it first, e.g. .sum() or .mean(), or pass backward(gradient=...)",
                )
            if not root._type.inexact or root._type.dtype.is_complex:
                raise AutogradError(
                    f"grad can be implicitly created only for real scalar outputs but got {root.dtype!r}"
                )
        ones = root._type.xp.ones(shape, root._type.dtype.numpy)
        return new_tensor(ones, root._type) if create else ones
    if not isinstance(gradient, Tensor):
        raise ArgumentError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
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
    if gradient._type.device != root._type.device and gradient._array.ndim:
        raise AutogradError(
            f"invalid gradient at index {index} - expected device {root._type.device} but got "
            f"{gradient._type.device}"
        )
    if gradient._type is not root._type:
        gradient = Spaces.recorded.to_type(gradient, root._type)
    return gradient if create else gradient._array


def want(walk: Walk, targets: Iterable[Root], accumulate_leaves: bool) -> None:
    """Restrict the walk to the paths that end at `targets`."""
    edges = set()
    for target in targets:
        edge = edge_of(target)
        if edge is None:
            if accumulate_leaves:
                raise AutogradError("can't retain_grad on Tensor that has requires_grad=False")
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
    walk.paths = {
        node: tuple([e if e is not None and (e[0] in needed or e in edges) else None for e in node.edges])
        for node in needed
    }
    walk.inner = frozenset(end for end in ends if type(end) is not AccumulateGrad)
    if accumulate_leaves:
        needed.update(end for end in ends if type(end) is AccumulateGrad)
    walk.needed = needed


_running: list[Walk] = []


def current_walk() -> Walk:
    """The pass that is under way, the innermost one where a pass begins another."""
    return _running[-1]


def run(walk: Walk, first: Node | None = None, gradient: Any = None) -> None:
    """Carry out a pass; `first` and its gradient as for `Walk.run`."""
    with_grad, state.grad = state.grad, walk.record
    _running.append(walk)
    try:
        walk.run(first, gradient)
    finally:
        _running.pop()
        state.grad = with_grad
    if UNSETTLED and not _running:
        settle()


def walk_from(edge: Edge, root: Tensor, gradient: Tensor | None, keep: bool) -> None:
    """A pass from one tensor with a gradient of its type and shape, or from a real one of one element.

    That is what nearly every pass is.
    """
    walk = Walk(False, keep or state.keep_graphs)
    type_, shape = root._type, root._array.shape
    if type_.backend is not None:
        type_.backend.begin(root._array)
    if gradient is not None:
        g = gradient._array
    elif shape:
        g = type_.xp.ones(shape, type_.dtype.numpy)
    else:
        g = _ONES.get(type_)
        if g is None:
            g = _ONES[type_] = type_.xp.ones((), type_.dtype.numpy)
    node = edge[0]
    if type(node) is AccumulateGrad or node.several_outputs:
        walk.arrive(edge, g)
        run(walk)
    else:
        run(walk, node, g)


_ONES: Final[dict[TensorType, Any]] = {}
"""The gradient of a 0-dimensional root with respect to itself, by type; never written to."""

Tensor.walk = staticmethod(backward)
Tensor.walk_from = staticmethod(walk_from)


def _keep_captured(walk: Walk, targets: Iterable[Root]) -> None:
    """Accumulate the gradients of `inputs=` that are no leaves."""
    for target in targets:
        if isinstance(target, GradientEdge):
            continue
        edge = target.current_edge()
        if edge is None or type(edge[0]) is AccumulateGrad or target.retains_grad:
            continue
        found = walk.captured.get(edge)
        if found is not None:
            result = result_of(found, target)
            before = target._grad
            target._grad = result if before is None else Spaces.recorded.add(before, result)


def apply_node(node: Node, grads: tuple[Any, ...]) -> Any:
    """A node's derivative applied by hand (`tensor.grad_fn(gradient)`)."""
    count = len(node.outputs) if node.several_outputs else 1
    if len(grads) != count:
        raise ArgumentError(f"expected {count} arguments, got {len(grads)} instead")
    for index, gradient in enumerate(grads):
        if gradient is not None and not isinstance(gradient, Tensor):
            raise ArgumentError(f"argument {index} is not a Variable")
    g: Any = grads if node.several_outputs else grads[0]
    results = node.recorded(Spaces.recorded, g, node.edges)
    if node.operands is not None:
        results = fit(results, node, Spaces.recorded)
    return results[0] if len(results) == 1 else results


def _warn_grad_variables() -> None:
    import warnings

    warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=3)


def _warn_only_inputs() -> None:
    import warnings

    warnings.warn(
        "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate "
        "gradient for other parts of the graph, please use torch.autograd.backward.",
        FutureWarning,
        stacklevel=3,
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
