"""The classes of nodes: a row's formulas as the two ways of differentiating it.

Note [Mixed operands]
    Where operands had to be converted, formulas on bare arrays would promote by NumPy's rules, and
    with 16 bits round numbers by NumPy's rules.  Such nodes have a class whose `raw`
    goes through tensors instead, so that PyTorch's rules hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from numpy import generic, ndarray

from tgrad.backends.constants import BY_CODE
from tgrad.backends.interface import Backend
from tgrad.backends.large import LARGE
from tgrad.backends.narrow import is_narrow, rounded, wide
from tgrad.core import dtype as dtypes
from tgrad.core.device import TensorType, tensor_type
from tgrad.core.engine import Spaces
from tgrad.core.gradients import wrapped
from tgrad.core.graph import FREED, Node, check_version, freed_error
from tgrad.core.modes import state
from tgrad.core.storage import Storage
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import (
    NotAvailableError,
    StateError,
)
from tgrad.ops.operands import NUMBERS, number_array
from tgrad.ops.table import Op
from tgrad.ops.writer import Writer, formula_names, is_tensor, sources_of


def versions_of(saved: Sequence[Any]) -> tuple[int, ...] | None:
    """The versions of saved tensors; None if all are 0."""
    versions = tuple(
        value._storage.version if isinstance(value, Tensor) and value._storage is not None else 0
        for value in saved
    )
    return versions if any(versions) else None


def alias(tensor: Tensor) -> Tensor:
    """The same memory and version, no history: how a node saves its own result."""
    array, storage = tensor._array, tensor._storage
    if storage is None:
        storage = tensor._storage = Storage(array)
    result = _create(Tensor)  # `new_tensor`, written out
    result._array = array
    result._type = tensor._type
    result._storage = storage
    result._edge = result._grad = result._view = None
    return result


_create: Final = object.__new__


def raw_through_tensors(node: Node, g: Any, edges: Any) -> tuple[Any, ...]:
    """`Node.raw` by way of tensors, unrecorded: Note [Mixed operands]."""
    gradient = tuple(map(wrapped, g)) if node.several_outputs else wrapped(g)
    with_grad, state.grad = state.grad, False
    try:
        results = node.recorded(Spaces.recorded, gradient, edges)
    finally:
        state.grad = with_grad
    return tuple(r._array if isinstance(r, Tensor) else r for r in results)


def raw_in_wide(plain: type[Node]) -> Callable[..., tuple[Any, ...]]:
    """`Node.raw` of a row whose derivative is one kernel in PyTorch, for mixed and narrow operands.

    The formulas compute on float32 copies, and what they give is rounded once.
    """

    def raw(node: Node, g: Any, edges: Any) -> tuple[Any, ...]:
        kinds = {x.dtype for x in (g if node.several_outputs else (g,)) if x is not None}
        if node.saved is FREED or not all(map(is_narrow, kinds)) or not _of_numpy(g):
            return raw_through_tensors(node, g, edges)
        for index, value in enumerate(node.saved):
            if isinstance(value, Tensor):
                check_version(node, index, value)
        inner = plain()
        inner.saved = tuple(_wide_saved(value) for value in node.saved)
        inner.versions = None
        results: tuple[Any, ...] = rounded(plain.raw(inner, wide(g), edges), kinds.pop())
        return results

    return raw


def _of_numpy(g: Any) -> bool:
    """Whether gradients are NumPy's arrays, or scalars."""
    return all(x is None or isinstance(x, (ndarray, generic)) for x in (g if type(g) is tuple else (g,)))


def _wide_saved(value: Any) -> Any:
    """What a node saved, with float32 in place of narrow floats."""
    if isinstance(value, Tensor) and value._type.narrow:
        return new_tensor(wide(value._array), value._type.related[dtypes.float32])
    if isinstance(value, TensorType) and value.narrow:
        return value.related[dtypes.float32]
    return value


def node_classes(op: Op) -> tuple[type[Node], type[Node], type[Node]]:
    """The class of a row's nodes, the one for mixed operands, and the one for complex numbers."""
    made = _NODE_CLASSES.get(op.name)
    if made is None:
        made = _NODE_CLASSES[op.name] = _make_node_classes(op)
    return made


def node_class(op: Op, type_: TensorType, mixed: bool) -> type[Node]:
    """The class of node for a computation in a type."""
    if op.holomorphic and type_.category == dtypes.COMPLEX:
        return node_classes(op)[2]
    if type_.backend is not None and not mixed and type_.weak:
        return _foreign_class(op, type_.backend)
    return node_classes(op)[mixed or not type_.weak]


def _foreign_class(op: Op, backend: Backend) -> type[Node]:
    """The class of a row's nodes on another array library: their formulas are given its operators."""
    found = _FOREIGN_CLASSES.get((op.name, backend))
    if found is None:
        plain = node_classes(op)[0]
        raw = backend.derivative(op, plain, Spaces.foreign(backend))
        found = type(plain.__name__, (plain,), {"__slots__": (), "__module__": "builtins", "raw": raw})
        _FOREIGN_CLASSES[op.name, backend] = found
    return found


_FOREIGN_CLASSES: Final[dict[tuple[str, Backend], type[Node]]] = {}


_NODE_CLASSES: Final[dict[str, tuple[type[Node], type[Node], type[Node]]]] = {}
_TORCH_NAMES: Final = {"input": "self", "out": "result"}


def _make_node_classes(op: Op) -> tuple[type[Node], type[Node], type[Node]]:
    names: list[str] = []
    for formula in op.formulas.values():
        names.extend(n for n in formula_names(formula) if n not in names)
    if op.together is not None and not set(together_names(op)) <= set(names):
        raise TypeError(f"{op.name}: its formulas don't name all that `together` does")
    saved = tuple(names)
    parts: dict[str, Any] = {
        "__slots__": (),
        "__module__": "builtins",
        "op": op,
        "label": op.label,
        "saved_names": saved,
        "saves_tensors": any(is_tensor(op, n) or n == "indices" for n in saved),
        "several_outputs": op.outputs != 1,
        "materialize": not op.partial,
        "bare": op.outputs == 1,
        "results": {"out": 0, **{name: i for i, name in enumerate(op.fields[: op.outputs])}},
        "raw": _derivative(op, saved, arrays=True),
        "recorded": _derivative(op, saved, arrays=False),
    }
    numbers = {p.name for p in op.parameters if p.kind == "operand"}
    for name in saved:
        getter = _saved_operand if name in numbers else Node.saved_value
        parts[f"_saved_{_TORCH_NAMES.get(name, name)}"] = property(partial(_read, getter, name))
    name = op.label.rpartition(":")[2]
    plain = type(name, (Node,), parts)
    others = {"__slots__": (), "__module__": "builtins", "bare": False, "raw": raw_through_tensors}
    mixed = type(name, (plain,), {**others, **({"raw": raw_in_wide(plain)} if op.fused else {})})
    if not op.holomorphic:
        return plain, mixed, mixed
    return plain, mixed, type(name, (plain,), {**others, "recorded": _conjugated(plain)})


def _read(getter: Callable[[Node, str], Any], name: str, node: Node) -> Any:
    return getter(node, name)


def _saved_operand(node: Node, name: str) -> Any:
    """A saved operand; a number as the 0-dimensional tensor that PyTorch makes of it."""
    value = node.saved_value(name)
    if type(value) in NUMBERS:
        dtype = dtypes.float64 if isinstance(value, float) else dtypes.of_number(value)
        return new_tensor(number_array(value, tensor_type(dtype)), tensor_type(dtype))
    return value


def _conjugated(plain: type[Node]) -> Callable[..., Any]:
    """The derivative for complex numbers: Note [Holomorphic functions] in tgrad.ops.table."""
    derivative = plain.recorded

    def recorded(node: Node, o: Any, g: Any, edges: Any) -> tuple[Any, ...]:
        results = derivative(node, o, o.conj(g), edges)
        return tuple(r if r is None else o.conj(r) for r in results)

    return recorded


def _derivative(op: Op, saved: tuple[str, ...], arrays: bool) -> Callable[..., Any]:
    """`Node.raw` or `Node.recorded` of a row: unpack what was saved, apply the formulas."""
    writer = Writer()
    writer.names.update(
        NUMBERS_OF=BY_CODE, Tensor=Tensor, FREED=FREED, freed_error=freed_error,
        check_version=check_version,
    )  # fmt: skip
    writer.names["raw"] = Spaces.raw
    given_o = f"node, g, edges, o=raw, large={LARGE}"
    writer.add(f"def derivative({given_o if arrays else 'node, o, g, edges'}):", 0)
    if saved:
        writer.add("saved = node.saved\nif saved is FREED: raise freed_error(node)")
        if arrays:
            writer.add(f"{', '.join(saved)}, = saved")
            for i, name in enumerate(saved):
                if is_tensor(op, name):
                    writer.add(
                        f"if type({name}) is Tensor:\n"
                        f"    storage = {name}._storage\n"
                        f"    if storage is not None and storage.version: check_version(node, {i}, {name})\n"
                        f"    {name} = {name}._array"
                    )
                    if op.arrays and name not in op.fields and name != "out":
                        writer.add(f"elif {name} is not None: {name} = NUMBERS_OF[g.dtype.char][{name}]")
        else:
            writer.add(f"{', '.join(saved)}, = [value for _, value in node.unpacked()]")
    if isinstance(op.differentiable, str):
        writer.names["missing"] = _no_derivative
        writer.add(f"missing({op.public!r}, {op.differentiable!r}, {op.label!r})")
        return writer.compile("derivative", f"derivative of {op.name}")
    sources = sources_of(op)
    listed = [p for p in op.parameters if p.kind == "tensors"]
    if listed:
        formula = op.formulas[listed[0].name]
        writer.names["formula_list"] = formula
        writer.add(f"return formula_list({', '.join(['o', 'g', *formula_names(formula)])})")
        return writer.compile("derivative", f"derivative of {op.name}")
    parts = []
    for i, p in enumerate(sources):
        one = op.formulas.get(p.name)
        if one is None:  # where nothing is differentiable, only in-place forms have nodes
            zero = op.differentiable is False and i == 0
            parts.append("o.zero_gradient(g)" if zero else "None")
            continue
        writer.names[f"formula_{p.name}"] = one
        call = f"formula_{p.name}({', '.join(['o', 'g', *formula_names(one)])})"
        parts.append(call if len(sources) == 1 else f"{call} if edges[{i}] is not None else None")
    given = f"({' '.join(f'{part},' for part in parts)})"
    if arrays and op.elementwise:
        writer.names["formulas"] = _formulas(op, saved, given, writer.names)
        values = ", ".join(["formulas", "o", "g", "edges", *saved])
        writer.add(f"if g.size >= large: return o.xp.derivatives({values})")
    if arrays and op.together is not None:
        writer.names["together"] = op.together
        writer.add(f"if edges.count(None) < {len(sources) - 1}:")
        values = ", ".join(["o", "g", "[edge is not None for edge in edges]", *together_names(op)])
        writer.add(f"found = together({values})\nif found is not None: return found", 2)
    writer.add(f"return {given}")
    return writer.compile("derivative", f"derivative of {op.name}")


def together_names(op: Op) -> list[str]:
    """What a row's `together` needs after `(o, g, needed)`."""
    return formula_names(op.together)[1:]


def _formulas(op: Op, saved: tuple[str, ...], given: str, names: dict[str, Any]) -> Callable[..., Any]:
    """A function for the gradients of all operands, by which large ones are computed in blocks."""
    writer = Writer()
    writer.names.update(names)
    writer.add(f"def formulas({', '.join(['o', 'g', 'edges', *saved])}):", 0)
    writer.add(f"return {given}")
    return writer.compile("formulas", f"formulas of {op.name}")


def _no_derivative(name: str, reason: str, label: str) -> None:
    if label.startswith("torch::"):
        raise StateError(f"derivative for aten::{name} is not implemented", hint=reason)
    raise NotAvailableError(f"the derivative for '{name}' is not implemented.", hint=reason)
