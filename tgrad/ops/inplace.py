"""Writing to a tensor in place: what is refused, and how the graph follows.

A row's in-place form computes the result as the row does and writes it over the input.  The input's
history is then the new node (with the input's old edge among its edges).  Where the input is a
view, its base's history becomes a `CopySlices`: the row's derivative applied to the piece that was
written to, and the identity elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from tgrad.core.device import TensorType
from tgrad.core.graph import AccumulateGrad, Edge, Node, fill_node
from tgrad.core.modes import state
from tgrad.core.storage import Storage
from tgrad.core.tensor import DIFFERENTIABLE, Tensor, new_tensor
from tgrad.errors import AutogradError, StateError
from tgrad.ops.call import as_array, head, kernel, start
from tgrad.ops.derivative import node_class
from tgrad.ops.geometry import placement
from tgrad.ops.operands import check_result, result_type
from tgrad.ops.rebase import rebase, set_origin
from tgrad.ops.table import Op
from tgrad.ops.writer import Writer, formula_names, promoting, sources_of

SPREAD: Final = frozenset(("index_fill", "index_fill.tensor", "tril", "triu"))
"""Rows that write over tensors of which several elements are in one place, as PyTorch's do."""


def inplace_function(op: Op) -> Any:
    """The in-place form of an elementwise row: `NAME_(input, ...)`.

    Where no gradient is wanted and the result has the input's type, it is written over the input at once.
    """
    writer: Writer = start(op, f"{op.key}_")
    operands = ", ".join(p.name for p in promoting(op))
    writer.names.update(check_writable=check_writable, write=write, Storage=Storage)
    others = " or ".join(
        f"type({p.name}) is Tensor and ({p.name}._edge is not None or {p.name}._view is not None)"
        for p in sources_of(op)[1:]
    )
    writer.lines[1:1] = [
        "    recorded = state.grad and (input._edge is not None or input._view is not None)",
        f"    if recorded: check_writable(input, ({operands},))",
        *([f"    elif state.grad: recorded = {others}"] if others else []),
    ]
    head(writer, op, inplace=True)
    if op.into is not None:
        _write_in_place(writer, op)
        return writer.compile(f"{op.key}_", f"{op.name}_")
    writer.add("target = input._array")
    if op.name not in SPREAD:
        _check_memories(writer, op)
    kernel(writer, op, written=WRITTEN)
    if op.result is None:
        writer.add("if not recorded and T is input._type and r.shape == target.shape:")
        writer.add(f"target[...] = r  # a third of the time of copyto\n{WRITTEN}", 2)
    names = "".join(f"{p.name}, " for p in op.parameters)
    writer.add(
        f"{as_array('r')}\n"
        f"return write(OP, input, r, T, mixed, ({names}))"
    )
    function = writer.compile(f"{op.key}_", f"{op.name}_")
    function.__doc__ = f"{op.doc}  Written over the tensor itself."
    return function


WRITTEN: Final = """\
storage = input._storage
if storage is None: storage = input._storage = Storage(target)
storage.version += 1
return input"""
"""Lines for the end of a function that has written to the input: `bump_version`, written out."""


def _check_memories(writer: Writer, op: Op) -> None:
    """Lines that call `check_memories` where there may be something that it refuses."""
    writer.names["check_memories"] = check_memories
    operands = [p.name for p in promoting(op)]
    shared = " or ".join(
        f"type({name}) is Tensor and {name} is not input and "
        f"({name}._array if {name}._storage is None else {name}._storage.array) is storage.array"
        for name in operands[1:]
    )
    condition = f" or storage is not None and ({shared})" if shared else ""
    writer.add(
        f"storage = input._storage\nif 0 in target.strides{condition}: "
        f"check_memories(input, ({', '.join(operands)},))"
    )


def _write_in_place(writer: Writer, op: Op) -> None:
    """Lines for a row that has a function for changing the array itself."""
    writer.names.update(into=op.into, write_into=write_into, check_target=check_target)
    arguments = [
        f"a_{p.name}" if p.kind in ("tensor", "operand")
        else f"{p.name}._array" if p.kind == "index"
        else p.name
        for p in op.parameters[1:]
    ]  # fmt: skip
    values = " ".join(f"{p.name}," for p in op.parameters)
    writer.names["strict"] = op.family != "broadcast" and op.name not in SPREAD
    writer.add(
        f"check_target(input, T, ({values}), strict)\n"
        "change = into if T.backend is None else T.backend.changing(OP)\n"
        f"return write_into(OP, input, lambda array: change({', '.join(['array', *arguments])}), "
        f"({values}), T, mixed)"
    )


def check_target(tensor: Tensor, type_: TensorType, values: Sequence[Any], strict: bool) -> None:
    """Raise PyTorch's errors for a tensor that a row's result can't be written into.

    `strict`: also where several of its elements are in one place, or an operand is in its memory.
    """
    array = tensor._array
    if type_ is not tensor._type:
        check_result(tensor, array.shape, type_)
    if not strict:
        return
    if 0 in array.strides:
        check_memory(array)
    if tensor._storage is not None:
        for value in values[1:]:
            check_overlap(tensor, value, whole=True)


def check_writable(tensor: Tensor, operands: Sequence[Any] = ()) -> None:
    """Raise PyTorch's error for a tensor that must not be written to while recording."""
    if not state.grad:
        return
    view = tensor._view
    if view is not None and view[2] != DIFFERENTIABLE and any(
        isinstance(o, Tensor) and o._edge is not None for o in (view[0], tensor, *operands)
    ):
        raise AutogradError(tensor.view_error("is being"))
    recorded = tensor._edge
    edge = tensor.current_edge()
    if edge is None and not any(
        isinstance(o, Tensor) and o.current_edge() is not None for o in operands
    ):
        return
    if view is not None and tensor._type.backend is not None:
        tensor._type.backend.check_recorded_view()
    if view is not None and edge is not None and view[0].is_leaf:
        raise AutogradError(
            "a view of a leaf Variable that requires grad is being used in an in-place operation."
        )
    # As in PyTorch a view is a leaf still if it got a history only through others.
    if edge is not None and (recorded is None or type(edge[0]) is AccumulateGrad):
        raise AutogradError(
            "a leaf Variable that requires grad is being used in an in-place operation.",
            hint="update it inside `with torch.no_grad():`, or write x = x + ... for a new tensor",
        )


def check_memory(array: Any) -> None:
    """Raise PyTorch's error if several elements of an array are in one place."""
    if array.size and any(
        step == 0 and size > 1 for step, size in zip(array.strides, array.shape, strict=True)
    ):
        raise StateError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single memory location. Please clone() the tensor before performing the operation.",
            hint="an expanded tensor has fewer elements in memory than it shows",
        )


def write(
    op: Op, tensor: Tensor, result: Any, type_: TensorType, mixed: bool, values: tuple[Any, ...]
) -> Tensor:
    """Write a row's result over `tensor` and record it; `values` are the row's arguments."""
    type_ = result_type(op, type_)
    array = tensor._array
    if type_ is not tensor._type or result.shape != array.shape:
        check_result(tensor, result.shape, type_)

    def act(array: Any) -> None:
        if result.dtype == array.dtype:
            array[...] = result  # a third of the time of copyto
        else:
            tensor._type.xp.copyto(array, result, casting="unsafe")

    return write_into(op, tensor, act, values, type_, mixed)


def write_into(
    op: Op, tensor: Tensor, act: Callable[[Any], None], values: tuple[Any, ...],
    type_: TensorType | None = None, mixed: bool = False,
) -> Tensor:  # fmt: skip
    """Let `act` change the tensor's array in place, and record that as an application of a row.

    `values` are the row's arguments, the tensor first.
    """
    edges = _edges(op, values) if state.grad and tensor._type.inexact else None
    if edges is None:
        act(tensor._array)
        tensor.bump_version()
        return tensor
    arguments = {p.name: value for p, value in zip(op.parameters, values, strict=True)}
    node = node_class(op, type_ or tensor._type, mixed)()
    before = _saved_before(op, node, tensor, arguments)
    fill_node(node, edges, None)
    act(tensor._array)
    tensor.bump_version()
    _save(op, node, tensor, arguments, before)
    node.operands = tuple(
        (v._array.shape, v._type) if isinstance(v, Tensor) else None
        for p, v in zip(op.parameters, values, strict=True)
        if p.kind in ("tensor", "operand")
    )
    set_origin(node)
    rebase(tensor, node)
    return tensor


def check_memories(tensor: Tensor, operands: Sequence[Any]) -> None:
    """`check_memory` of a tensor, and `check_overlap` with each operand."""
    if 0 in tensor._array.strides:
        check_memory(tensor._array)
    for operand in operands:
        if operand is not tensor:
            check_overlap(tensor, operand)


def check_overlap(tensor: Tensor, other: Any, whole: bool = False) -> None:
    """Raise PyTorch's error if an operand shares a part of the memory that is written to.

    The same elements in the same order are an error only if `whole` is true.
    """
    if type(other) is not Tensor or _root(tensor) is not _root(other):
        return
    if tensor._type.backend is not None and tensor._type.backend.lazy:  # then nothing is written over
        return
    a, b = tensor._array, other._array
    if not (a.size and b.size and _dense(a) and _dense(b)):
        return
    first, second = placement(a), placement(b)
    if not whole and first == second and a.shape == b.shape:
        return
    start, other_start = first[1], second[1]
    if start < other_start + b.nbytes and other_start < start + a.nbytes:
        raise overlap_error()


def overlap_error() -> StateError:
    """PyTorch's error for an operand that shares memory with the tensor that is written to."""
    return StateError(
        "unsupported operation: some elements of the input tensor and the written-to tensor refer to a "
        "single memory location. Please clone() the tensor before performing the operation.",
        hint="the operand is a view of the tensor that is written to",
    )


def _root(tensor: Tensor) -> Any:
    """The array for which the memory of a tensor was made."""
    return tensor._array if tensor._storage is None else tensor._storage.array


def _dense(array: Any) -> bool:
    """Whether the elements of an array lie side by side in memory, in any order."""
    if array.flags.c_contiguous:
        return True
    step = array.itemsize
    for stride, size in sorted(zip(array.strides, array.shape, strict=True)):
        if size != 1:
            if stride != step:
                return False
            step *= size
    return True


def _edges(op: Op, values: tuple[Any, ...]) -> tuple[Edge | None, ...] | None:
    """The edges of the operands, or None if no gradient is wanted."""
    edges = tuple(
        value.current_edge() if isinstance(value, Tensor) else None
        for p, value in zip(op.parameters, values, strict=True)
        if p.kind in ("tensor", "operand")
    )
    return edges if any(edges) else None


def put(tensor: Tensor, result: Any, spread: bool = False) -> None:
    """Copy an array of the tensor's shape over its elements, and raise its version.

    `spread`: also where several of them are in one place.
    """
    array = tensor._array
    if 0 in array.strides and not spread:
        check_memory(array)
    tensor._type.xp.copyto(array, result, casting="unsafe")
    tensor.bump_version()


def _saved_before(op: Op, node: Node, tensor: Tensor, arguments: dict[str, Any]) -> dict[str, Any]:
    """What must be saved before the tensor is overwritten: a copy of it, if a formula needs it."""
    wanted = {
        name
        for p, edge in zip((p for p in op.parameters if p.kind in ("tensor", "operand")),
                           _edges(op, tuple(arguments.values())) or (), strict=False)
        if edge is not None
        for name in formula_names(op.formulas.get(p.name))
    }
    before: dict[str, Any] = {}
    for name, value in arguments.items():
        if name not in wanted or not isinstance(value, Tensor):
            continue
        if value is tensor and name == "input":
            copy = new_tensor(tensor._array.copy(), tensor._type)
            copy._edge = tensor._edge
            value = copy
        before[name] = (value, 0 if value._storage is None else value._storage.version)
    return before


def _save(
    op: Op, node: Node, tensor: Tensor, arguments: dict[str, Any], before: dict[str, Any]
) -> None:
    saved = []
    versions = []
    for name in node.saved_names:
        version = 0
        if name == "out":
            value: Any = new_tensor(tensor._array, tensor._type)
            value._storage = tensor._storage
            version = tensor._version
        elif name in before:
            value, version = before[name]
        elif name in arguments:
            value = None if isinstance(arguments[name], Tensor) else arguments[name]
        else:
            value = arguments[name.rpartition("_")[0]]
            value = value._array.shape if name.endswith("_shape") else value._type
        saved.append(value)
        versions.append(version)
    node.saved = tuple(saved)
    node.versions = tuple(versions) if any(versions) else None
