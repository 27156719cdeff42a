"""Recording: the lines of a row's function that make a node, where a gradient is wanted."""

from __future__ import annotations

import sys
from typing import Any, Final

from tgrad.core.graph import AT_ONCE, next_sequence
from tgrad.ops.derivative import alias, node_class, node_classes, versions_of
from tgrad.ops.table import Op, Parameter
from tgrad.ops.writer import Writer, formula_names, is_tensor, sources_of


class _Internal(dict[str, bool]):
    """Whether a file's code is tgrad's own, and so never the origin of a node."""

    def __missing__(self, filename: str) -> bool:
        found = filename.startswith(("<tgrad", _PACKAGE))
        self[filename] = found
        return found


_PACKAGE: Final = __file__.rpartition("ops")[0]
INTERNAL: Final = _Internal()


RECORDING: Final[dict[str, Any]] = {
    "next_sequence": next_sequence, "AT_ONCE": AT_ONCE, "versions_of": versions_of, "alias": alias,
    "getframe": sys._getframe, "INTERNAL": INTERNAL,
}  # fmt: skip
"""What the lines refer to."""


def record(writer: Writer, op: Op) -> None:
    """Lines that make a node and give its edge to the result, where a gradient is wanted."""
    plain, _, complex_ = node_classes(op)
    writer.names.update(plain_node=plain, complex_node=complex_, node_class=node_class)
    sources = sources_of(op)
    listed = [p for p in op.parameters if p.kind == "tensors"]
    writer.add("if state.grad:")
    if listed:
        edge = "t._edge if t._view is None else t.current_edge()"
        writer.add(
            f"edges = ()\nfor t in {listed[0].name}:\n"
            "    if t._edge is not None or t._view is not None:\n"
            f"        edges = tuple([{edge} for t in {listed[0].name}])\n        break",
            2,
        )
        wanted = "any(edges)"
    else:
        for i, p in enumerate(sources):
            edge = f"{p.name}._edge if {p.name}._view is None else {p.name}.current_edge()"
            if p.kind == "operand" or p.optional:
                edge = f"({edge}) if type({p.name}) is Tensor else None"
            writer.add(f"e{i} = {edge}", 2)
        wanted = " or ".join(f"e{i} is not None" for i in range(len(sources)))
    writer.add(f"if ({wanted}) and T.inexact:", 2)
    choice = "plain_node if T.plain and not mixed else node_class(OP, T, mixed)"
    if op.holomorphic:
        choice = f"complex_node if T.category == 3 else {choice}"
    turn = " + AT_ONCE" if isinstance(op.differentiable, str) else ""
    body = [f"node = ({choice})()", f"node.sequence = next_sequence(){turn}"]
    if listed:
        body.append("node.edges = edges")
    else:
        body.append(f"node.edges = ({' '.join(f'e{i},' for i in range(len(sources)))})")
    body.append(f"node.saved = saved = ({' '.join(_saved(op, n, sources) + ',' for n in plain.saved_names)})")
    made = ("out", *op.fields) if op.family != "view" else ()  # at version 0
    kept = [n for n in plain.saved_names if is_tensor(op, n) and n not in made]
    if kept:
        written = " or ".join(_has_version(op, n) for n in kept)
        body.append(f"node.versions = versions_of(saved) if {written} else None")
    else:
        body.append("node.versions = None")
    body.extend(_operands(op, sources, bool(listed)))
    body.append(
        "node.hooks = None\n"
        "frame = getframe(1)\n"
        "code = frame.f_code\n"
        "while INTERNAL[code.co_filename] and frame.f_back is not None:\n"
        "    frame = frame.f_back\n"
        "    code = frame.f_code\n"
        "node.code = code\n"
        "node.instruction = frame.f_lasti"
    )
    if op.outputs == 1:
        body.append("out._edge = (node, 0)")
    else:
        body.append(
            "node.outputs = tuple([(x._array.shape, x._type) for x in outs])\n"
            + (
                "for i, x in enumerate(outs): x._edge = (node, i)"
                if op.outputs is None
                else "\n".join(f"outs[{i}]._edge = (node, {i})" for i in range(op.outputs))
            )
        )
    writer.add("\n".join(body), 3)


def _has_version(op: Op, name: str) -> str:
    if name == "out":
        return "out._storage is not None"
    p = next(p for p in op.parameters if p.name == name)
    test = f"{name}._storage is not None"
    if p.kind == "operand" or p.optional:
        return f"(type({name}) is Tensor and {test})"
    return test


def _saved(op: Op, name: str, sources: list[Parameter]) -> str:
    """The expression for what a node saves under a name, only where a wanted gradient needs it."""
    if name == "out":
        return "alias(out)"
    if name in op.fields:
        return f"alias(outs[{op.fields.index(name)}])"
    value = name
    for ending, attribute in (("_shape", "_array.shape"), ("_type", "_type")):
        if name.endswith(ending) and any(p.name == name[: -len(ending)] for p in op.parameters):
            base = name[: -len(ending)]
            p = next(p for p in op.parameters if p.name == base)
            if p.kind == "tensors":
                return f"tuple([t.{attribute} for t in {base}])"
            if p.kind == "operand" or p.optional:
                return f"({base}.{attribute} if type({base}) is Tensor else None)"
            return f"{base}.{attribute}"
    if not is_tensor(op, name) or len(sources) < 2:
        return value
    users = [i for i, p in enumerate(sources) if name in formula_names(op.formulas.get(p.name))]
    if not users or len(users) == len(sources):
        return value
    return f"({value} if {' or '.join(f'e{i} is not None' for i in users)} else None)"


def _operands(op: Op, sources: list[Parameter], listed: bool) -> list[str]:
    """Lines that set `node.operands`."""
    if listed:
        name = op.parameters[0].name
        return [f"node.operands = tuple([(t._array.shape, t._type) for t in {name}]) if mixed else None"]
    pairs = []
    conditions = ["mixed"]
    first = sources[0]
    # Where all operands are differentiated, the result's shape is the first's if all others have it.
    alike = first.kind == "tensor" and not any(p.kind == "index" for p in op.parameters)
    for p in sources:
        pair = f"({p.name}._array.shape, {p.name}._type)"
        if p.kind == "operand" or p.optional:
            pair = f"({pair} if type({p.name}) is Tensor else None)"
            differs = f"(type({p.name}) is Tensor and {p.name}._array.shape != shape)"
        else:
            differs = f"{p.name}._array.shape != shape"
        pairs.append(pair)
        if op.family == "broadcast" and not (alike and p is first):
            conditions.append(differs)
    lines = []
    if len(conditions) > 1:
        lines = [f"shape = {first.name if alike else 'out'}._array.shape"]
    return [
        *lines,
        f"node.operands = ({' '.join(pair + ',' for pair in pairs)}) if {' or '.join(conditions)} else None",
    ]
