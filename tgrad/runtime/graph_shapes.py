"""Shapes and dtypes of a graph's results, which nodes don't keep.

A node knows its edges and what its derivative needs.  What the tensors were that it was made from
follows from that, newest node first: from tensors that the program still holds, from what nodes
saved, from operands that were broadcast, and otherwise from the derivative itself, applied to zeros
where that is cheap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

from tgrad.core.graph import FREED, AccumulateGrad, Node
from tgrad.core.tensor import Tensor

Kind = tuple[tuple[int, ...], Any]
"""A shape and a `TensorType`."""

Known = dict[tuple[int, int], Kind]
"""Kinds by the id of a node and the number of its output."""

SAME_SHAPE = frozenset(
    ("alias", "clone", "copy", "contiguous", "dropout", "layer_norm", "native_batch_norm", "group_norm",
     "rms_norm", "softmax", "log_softmax", "cumsum", "flip", "roll", "tril", "triu", "masked_fill",
     "relu", "gelu", "silu", "leaky_relu", "elu")
)  # fmt: skip
"""Operators of the plain family whose result has the shape of their first operand."""

LARGEST = 200_000
"""Derivatives of results and saved values with more elements than this aren't tried."""

MOST_WORK = 5_000_000
"""Elements in all that derivatives are tried on."""


def infer(nodes: Sequence[Node], held: Iterable[Tensor]) -> Known:
    """Kinds of the results of `nodes`, which come newest first; `held` are tensors still known."""
    known: Known = {}
    for tensor in held:
        edge = tensor._edge
        if edge is not None:
            known.setdefault((id(edge[0]), edge[1]), (tensor._array.shape, tensor._type))
    for node in nodes:
        if isinstance(node, AccumulateGrad) and node.variable is not None:
            leaf = node.variable
            known[id(node), 0] = (leaf._array.shape, leaf._type)
    for node in reversed(nodes):
        _own(node, known)
    work = MOST_WORK
    for node in nodes:
        _own(node, known)
        _from_saved(node, known)
        _from_operands(node, known)
        if any(edge is not None and (id(edge[0]), edge[1]) not in known for edge in node.edges):
            work -= _from_derivative(node, known, work)
    for node in reversed(nodes):
        _own(node, known)
    return known


def _note(known: Known, edge: Any, kind: Kind | None) -> None:
    if edge is not None and kind is not None:
        known.setdefault((id(edge[0]), edge[1]), kind)


def _own(node: Node, known: Known) -> None:
    """What a node itself tells of its results."""
    for number, kind in enumerate(getattr(node, "outputs", ())):
        known.setdefault((id(node), number), kind)
    if (id(node), 0) in known:
        return
    saved = node.saved
    if type(saved) is tuple:
        for name, value in zip(node.saved_names, saved, strict=False):
            if name in node.results and isinstance(value, Tensor):
                number = node.results[name]
                known.setdefault((id(node), number), (value._array.shape, value._type))
    row = getattr(node, "op", None)
    if (id(node), 0) in known or row is None:
        return
    inputs = [known.get((id(e[0]), e[1])) for e in node.edges if e is not None]
    if all(inputs):
        kind = _from_inputs(node, row, [kind for kind in inputs if kind is not None])
        if kind is not None:
            known[id(node), 0] = kind


def _from_inputs(node: Node, row: Any, inputs: Sequence[Kind]) -> Kind | None:
    """The result of a few operators, given all inputs that are in the graph."""
    if row.family in ("unary", "broadcast"):
        operands = [kind for kind in (node.operands or ()) if kind is not None] or inputs
        return _broadcast(operands) if row.result is None else None
    if row.public == "t":
        return inputs[0][0][::-1], inputs[0][1]
    if row.public in ("mm", "addmm") and len(inputs) >= 2 and None not in node.edges[-2:]:
        left, right = inputs[-2:]
        return (left[0][0], right[0][1]), left[1]
    return None


def _broadcast(kinds: Sequence[Kind]) -> Kind | None:
    if not kinds:
        return None
    rank = max(len(shape) for shape, _ in kinds)
    shape = [1] * rank
    for each, _ in kinds:
        for place, size in enumerate(each, rank - len(each)):
            if size != 1:
                shape[place] = size
    return tuple(shape), kinds[0][1]


def _from_saved(node: Node, known: Known) -> None:
    """Inputs that a node saved, whole or only their shape."""
    if type(node.saved) is not tuple:
        return
    for value in node.saved:
        if isinstance(value, Tensor):
            _note(known, value._edge, (value._array.shape, value._type))
    row = getattr(node, "op", None)
    if row is None:
        return
    saved = dict(zip(node.saved_names, node.saved, strict=False))
    result = known.get((id(node), 0))
    for name, edge in zip(_operand_names(row), node.edges, strict=False):
        value, shape = saved.get(name), saved.get(f"{name}_shape")
        type_ = saved.get(f"{name}_type") or (result[1] if result is not None else None)
        if isinstance(value, Tensor):
            _note(known, edge, (value._array.shape, value._type))
        elif type(shape) is tuple and type_ is not None and all(type(n) is int for n in shape):
            _note(known, edge, (shape, type_))


def _operand_names(row: Any) -> list[str]:
    return [p.name for p in row.parameters if p.kind in ("tensor", "operand")]


def _from_operands(node: Node, known: Known) -> None:
    """Inputs of operators that keep shapes, and of products of matrices."""
    if node.operands is not None:
        for edge, kind in zip(node.edges, node.operands, strict=False):
            _note(known, edge, kind)
    row, result = getattr(node, "op", None), known.get((id(node), 0))
    if row is None and hasattr(node, "writer"):  # a write into a piece of a tensor
        _note(known, node.edges[0], result)
    if row is None or result is None:
        return
    same = row.family in ("unary", "broadcast") and node.operands is None and row.result is None
    if same:
        for edge in node.edges:
            _note(known, edge, result)
    elif row.public.strip("_") in SAME_SHAPE and node.edges:
        _note(known, node.edges[0], result)
    elif row.public in ("mm", "addmm") and len(result[0]) == 2:
        _factors(node.edges[-2:], result, known)


def _factors(edges: Sequence[Any], result: Kind, known: Known) -> None:
    """The other factor of a product of matrices of which the result and one factor are known."""
    left, right = (e and known.get((id(e[0]), e[1])) for e in edges)
    (rows, columns), type_ = result
    if right:
        _note(known, edges[0], ((rows, right[0][0]), type_))
    if left:
        _note(known, edges[1], ((left[0][1], columns), type_))


def _from_derivative(node: Node, known: Known, work: int) -> int:
    """Inputs by their gradients, from zeros in place of the result; returns what that cost."""
    kinds = [known.get((id(node), 0))]
    if node.several_outputs:
        kinds = list(getattr(node, "outputs", kinds))
    row = getattr(node, "op", None)
    if row is None or node.saved is FREED or not all(kinds):
        return 0
    arrays = [value._array for value in node.saved or () if isinstance(value, Tensor)]
    cost: int = sum(prod(kind[0]) for kind in kinds if kind) + sum(int(a.size) for a in arrays)
    if cost > min(LARGEST, work):
        return 0
    for edge, gradient in zip(node.edges, _derivative_of_zeros(node, kinds), strict=False):
        if hasattr(gradient, "shape") and kinds[0] is not None:
            _note(known, edge, (tuple(gradient.shape), kinds[0][1]))
    return cost


def _derivative_of_zeros(node: Node, kinds: Sequence[Any]) -> Sequence[Any]:
    import numpy

    from tgrad.core.modes import state

    zeros = tuple(type_.xp.zeros(shape, type_.dtype.numpy) for shape, type_ in kinds)
    gradient = zeros if node.several_outputs else zeros[0]
    with_grad, state.grad = state.grad, False
    try:
        with numpy.errstate(all="ignore"):
            found: Sequence[Any] = node.raw(gradient, node.edges)
    except Exception:  # zeros may be outside of what a derivative is defined on: the shape stays unknown
        return ()
    finally:
        state.grad = with_grad
    return found
