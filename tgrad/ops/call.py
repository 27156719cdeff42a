"""Rows into functions: bind types and arrays, run the kernel, record.

Each row is turned, when it is first used, into the text of one specialised Python function and
compiled.  The function of a binary row with two tensors of one dtype does nothing but look at the
types, call the kernel, make the result and, where a gradient is wanted, a node; everything unusual
(other dtypes, other kinds of operands, errors) is in functions that it calls.

Note [Half and numbers]
    PyTorch's kernels that multiply or divide float16 by a number (or by a 0-dimensional tensor) take
    the number in float32, and round only the result.  All others round the number to float16 first,
    as NumPy does.  Rows of the first kind say `opmath=True`.

Note [Mixed operands]
    Where operands had to be converted, formulas on bare arrays would promote by NumPy's rules, and
    with float16 round numbers by NumPy's rules.  Such
    nodes have a class whose `raw` goes through tensors instead, so that PyTorch's rules hold.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy

from tgrad import backends
from tgrad.backends.quiet import quiet
from tgrad.core import dtype as dtypes
from tgrad.core.device import CPU, TensorType, tensor_type
from tgrad.core.dtype import DType
from tgrad.core.engine import Spaces
from tgrad.core.graph import FREED, Node, check_version, freed_error, next_sequence
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import (
    DeviceError,
    DTypeError,
    IntegerOverflowError,
    NotAvailableError,
    ShapeError,
    StateError,
    TensorError,
    UnsupportedDTypeError,
)
from tgrad.ops.geometry import ordered
from tgrad.ops.table import Op, Parameter, signature

NUMBERS: Final = frozenset((bool, int, float, complex))


class _Internal(dict[str, bool]):
    """Whether a file's code is tgrad's own, and so never the origin of a node."""

    def __missing__(self, filename: str) -> bool:
        found = filename.startswith(("<tgrad", _PACKAGE))
        self[filename] = found
        return found


_PACKAGE: Final = __file__.rpartition("ops")[0]
INTERNAL: Final = _Internal()


# ---------------------------------------------------------------- what the functions call


def as_operand(value: Any) -> Any:
    """A value of another kind as a tensor or number, or NotImplemented."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, numpy.generic):
        return value.item()
    for kind in (bool, int, float, complex):
        if isinstance(value, kind):
            return kind(value)
    return NotImplemented


def resolve(op: Op, operands: Sequence[Any], dtype: Any = None) -> tuple[TensorType, list[Any]]:
    """The type in which to compute, and the operands as arrays of it."""
    if op.guard is not None:
        op.guard(operands)
    device = common_device(operands)
    found = tensor_type(op.dtype.decide(operands, dtype), device)
    if op.opmath and found.dtype is dtypes.float16:
        return found, wide_arrays(operands)
    target = found.dtype.numpy
    arrays = []
    for operand in operands:
        if isinstance(operand, Tensor):
            array = operand._array
            if operand._type is not found:
                array = found.xp.cast(array, target)
            arrays.append(array)
        elif operand is None:
            arrays.append(None)
        else:
            arrays.append(number_array(operand, found))
    return found, arrays


def wide_arrays(operands: Sequence[Any]) -> list[Any]:
    """Operands of a float16 computation in float32, where Note [Half and numbers] wants it so.

    Tensors of float16 stay what they are if all of them are.
    """
    if all(isinstance(o, Tensor) and o._array.ndim for o in operands):
        return [o._array.astype(numpy.float16) for o in operands]
    return [
        numpy.asarray(o._array if isinstance(o, Tensor) else o).astype(numpy.float32)
        for o in operands
    ]


def number_array(value: Any, type_: TensorType) -> Any:
    """A Python number as a 0-dimensional array; whole numbers wrap around, as in C."""
    if type(value) is int and not -(1 << 63) <= value < 1 << 63:
        raise IntegerOverflowError("int too big to convert")
    return numpy.asarray(value).astype(type_.dtype.numpy)


def checked_number(value: Any, type_: TensorType) -> Any:
    """`number_array` for operators that refuse numbers out of the dtype's range (DTypeError)."""
    kind = type_.dtype.numpy.kind
    if kind in "iu" and isinstance(value, int):
        limits = numpy.iinfo(type_.dtype.numpy)
        if not (limits.min <= value <= limits.max) and not (
            kind == "u" and -limits.max <= value < 0
        ):
            raise DTypeError(
                f"value cannot be converted to type {_C_NAMES[type_.dtype.name]} without overflow"
            )
    return number_array(value, type_)


_C_NAMES: Final = {
    "uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int", "int64": "int64_t",
    "uint16": "uint16_t", "uint32": "uint32_t", "uint64": "uint64_t",
}  # fmt: skip


def common_device(operands: Sequence[Any]) -> Any:
    """The device of the operands; DeviceError if they are on several.

    0-dimensional tensors on the CPU go along with tensors on any device.
    """
    device = None
    loose = None
    for operand in operands:
        if not isinstance(operand, Tensor):
            continue
        its = operand._type.device
        if operand._array.ndim == 0 and its.type == "cpu":
            loose = its
        elif device is None:
            device = its
        elif device != its:
            raise DeviceError(
                "Expected all tensors to be on the same device, but found at least two devices, "
                f"{device} and {its}!",
                operands=tuple(operands),
            )
    if device is not None:
        return device
    return CPU if loose is None else loose


def refused(op: Op, dtype: DType, operands: Sequence[Any]) -> DTypeError:
    """The error for a dtype that a row says it is not defined for."""
    for name, kinds in op.refuses.items():
        if dtype in kinds:
            error: DTypeError
            if name[0] == "!":
                error = UnsupportedDTypeError(name[1:])
            elif " " in name:
                error = DTypeError(name)
            else:
                error = UnsupportedDTypeError(f'"{name}" not implemented for \'{dtype.title}\'')
            error.details.update(op=op.public, operands=tuple(operands))
            return error
    raise KeyError(dtype)


def kernel_error(op: Op, error: Exception, operands: Sequence[Any]) -> Exception:
    """PyTorch's error for what an array library refused: in elementwise kernels, shapes."""
    if isinstance(error, TensorError):
        error.details.setdefault("op", op.public)
        error.details.setdefault("operands", tuple(operands))
        return error
    if isinstance(error, TypeError) and op.guard is not None:
        op.guard(operands)
    shapes = [o._array.shape for o in operands if isinstance(o, Tensor)]
    for first, second in zip(shapes, shapes[1:], strict=False):
        found = broadcast_error(first, second)
        if found is not None:
            found.details.update(op=op.public, operands=tuple(operands))
            return found
    return error


def broadcast_error(a: tuple[int, ...], b: tuple[int, ...]) -> ShapeError | None:
    """The error for two shapes that don't broadcast; None if they do."""
    rank = max(len(a), len(b))
    for dim in reversed(range(rank)):
        i, j = dim - rank + len(a), dim - rank + len(b)
        if i >= 0 and j >= 0 and a[i] != b[j] and a[i] != 1 and b[j] != 1:
            return ShapeError(
                f"The size of tensor a ({a[i]}) must match the size of tensor b ({b[j]}) "
                f"at non-singleton dimension {dim}"
            )
    return None


def versions_of(saved: Sequence[Any]) -> tuple[int, ...] | None:
    """The versions of saved tensors; None if all are 0."""
    versions = tuple(
        value._storage.version if isinstance(value, Tensor) and value._storage is not None else 0
        for value in saved
    )
    return versions if any(versions) else None


def alias(tensor: Tensor) -> Tensor:
    """The same memory and version, no history: how a node saves its own result."""
    result = new_tensor(tensor._array, tensor._type)
    result._storage = tensor.own_storage()
    return result


def narrowed(result: Any, type_: TensorType) -> Any:
    """A result of `wide_arrays` in the type's dtype again."""
    return result if result.dtype == type_.dtype.numpy else result.astype(type_.dtype.numpy)


def raw_through_tensors(node: Node, g: Any, edges: Any) -> tuple[Any, ...]:
    """`Node.raw` by way of tensors, unrecorded: Note [Mixed operands]."""
    wrap = Spaces.raw.wrap
    gradient = tuple(wrap(x) for x in g) if node.several_outputs else wrap(g)
    with_grad, state.grad = state.grad, False
    try:
        results = node.recorded(Spaces.recorded, gradient, edges)
    finally:
        state.grad = with_grad
    return tuple(r._array if isinstance(r, Tensor) else r for r in results)


# ---------------------------------------------------------------- writing the functions


class Writer:
    """Lines of Python text and the names that they refer to."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}

    def add(self, text: str, depth: int = 1) -> None:
        """Add lines, indented by `depth` more levels."""
        indent = "    " * depth
        self.lines.extend(indent + line for line in text.splitlines())

    def compile(self, name: str, label: str) -> Callable[..., Any]:
        """The function `name` that the lines define."""
        code = compile("\n".join(self.lines), f"<tgrad {label}>", "exec")
        exec(code, self.names)
        function: Callable[..., Any] = self.names[name]
        return function


COMMON: Final[dict[str, Any]] = {
    "Tensor": Tensor, "new_tensor": new_tensor, "FREED": FREED, "state": state, "next_sequence": next_sequence,
    "getframe": sys._getframe, "INTERNAL": INTERNAL, "ndarray": numpy.ndarray,
    "NUMBERS": NUMBERS, "as_operand": as_operand, "resolve": resolve,
    "kernel_error": kernel_error, "versions_of": versions_of, "alias": alias,
    "freed_error": freed_error, "check_version": check_version, "TensorError": TensorError,
    "quiet": quiet,
}  # fmt: skip


def promoting(op: Op) -> list[Parameter]:
    """The parameters that decide the dtype and are converted to it."""
    return [p for p in op.parameters if p.kind in ("tensor", "operand", "scalar")]


def sources_of(op: Op) -> list[Parameter]:
    """The parameters that gradients flow to."""
    return [p for p in op.parameters if p.kind in ("tensor", "operand")]


def head(writer: Writer, op: Op) -> None:
    """Lines that set T, the type of the computation, and `a_NAME`, the arrays of the operands."""
    operands = promoting(op)
    dtype = next((p.name for p in op.parameters if p.kind in ("dtype", "mode")), None)
    everything = ", ".join(p.name for p in operands)
    arrays = ", ".join(f"a_{p.name}" for p in operands)
    given = f", {dtype}" if dtype else ""
    unlike = " or ".join(
        f"(type({p.name}) is Tensor and {p.name}._type is not T)" for p in sources_of(op)
    )
    if op.dtype.quick == "never" or not operands or operands[0].kind != "tensor":
        writer.add(f"T, ({arrays},) = resolve(OP, ({everything},){given})")
        writer.add(f"mixed = {unlike or 'False'}")
        _refusal(writer, op)
        return
    first = operands[0].name
    writer.add(f"T = {first}._type\na_{first} = {first}._array\nmixed = False")
    for p in operands[1:]:
        if p.kind == "tensor" and not p.optional:
            writer.add(f"a_{p.name} = {p.name}._array\nif {p.name}._type is not T: mixed = True")
            continue
        if p.kind == "scalar" and not p.optional:
            writer.add(
                f"kind = type({p.name})\n"
                "if not (kind is float and T.inexact or kind is int and T.category): mixed = True"
            )
            continue
        weak = "T.weak" if op.opmath else "T.inexact"
        writer.add(
            f"kind = type({p.name})\n"
            "if kind is Tensor:\n"
            f"    a_{p.name} = {p.name}._array\n"
            f"    if {p.name}._type is not T: mixed = True\n"
            f"elif (kind is float or kind is int) and {weak}: a_{p.name} = {p.name}\n"
            f"elif kind is int and T.counts and -2147483648 <= {p.name} <= 2147483647: "
            f"a_{p.name} = {p.name}\n"
        )
        if p.optional:
            writer.add(f"elif {p.name} is None: a_{p.name} = None")
        writer.add(
            "else:\n"
            "    if kind not in NUMBERS:\n"
            f"        {p.name} = as_operand({p.name})\n"
            f"        if {p.name} is NotImplemented: return NotImplemented\n"
            "    mixed = True"
        )
    conditions = ["mixed"]
    if op.dtype.quick == "inexact":
        conditions.append("not T.inexact")
    if dtype:
        conditions.append(f"{dtype} is not None")
    if len(operands) > 1 or len(conditions) > 1:
        writer.add(
            f"if {' or '.join(conditions)}:\n"
            f"    T, ({arrays},) = resolve(OP, ({everything},){given})\n"
            f"    mixed = {unlike}"
        )
    _refusal(writer, op)


def _refusal(writer: Writer, op: Op) -> None:
    """Lines that raise the error of a dtype that the row refuses."""
    if op.refuses:
        operands = ", ".join(p.name for p in promoting(op))
        writer.names.update(
            refused=refused, REFUSED=frozenset(d for kinds in op.refuses.values() for d in kinds)
        )
        writer.add(f"if T.dtype in REFUSED: raise refused(OP, T.dtype, ({operands},))")


def kernel_call(op: Op, parameters: Sequence[Parameter] | None = None) -> str:
    """The expression that calls the row's forward with its parameters, or some of them.

    NumPy warns of divisions by zero and the like, PyTorch doesn't: see `tgrad.backends.quiet`.
    """
    direct = backends.silent or op.family == "view"
    parts = ["T.xp"] if direct else ["forward", "T.xp"]
    for p in op.parameters if parameters is None else parameters:
        if p.kind in ("tensor", "operand"):
            value = f"a_{p.name}"
        elif p.kind == "index":
            value = f"{p.name}._array" if not p.optional else (
                f"(None if {p.name} is None else {p.name}._array)"
            )
        elif p.kind == "tensors":
            value = f"a_{p.name}"
        else:
            value = p.name
        parts.append(f"{p.name}={value}" if p.keyword_only else value)
    return f"{'forward' if direct else 'quiet.run'}({', '.join(parts)})"


def kernel(writer: Writer, op: Op) -> None:
    """Lines that set r, the result of the kernel."""
    writer.names["forward"] = op.forward
    if op.family == "broadcast":
        operands = ", ".join(p.name for p in promoting(op))
        writer.add(
            f"try:\n    r = {kernel_call(op)}\n"
            "except (ValueError, TypeError, TensorError) as error:\n"
            f"    raise kernel_error(OP, error, ({operands},)) from None"
        )
        if op.opmath:
            writer.names["narrowed"] = narrowed
            writer.add("if not T.weak: r = narrowed(r, T)")
    else:
        operands = ", ".join(p.name for p in sources_of(op))
        writer.add(
            f"try:\n    r = {kernel_call(op)}\n"
            "except TensorError as error:\n"
            f"    error.details.setdefault('op', {op.public!r})\n"
            f"    error.details.setdefault('operands', ({operands}{',' if operands else ''}))\n"
            "    raise"
        )


def parameter_list(op: Op) -> str:
    """The parameters with their defaults, which stand in `_defaults`."""
    parts = []
    keyword_only = False
    for p in op.parameters:
        if p.keyword_only and not keyword_only:
            parts.append("*")
            keyword_only = True
        parts.append(p.name if p.required else f"{p.name}=_default_{p.name}")
    return ", ".join(parts)


def start(op: Op, name: str) -> Writer:
    """A writer with the function's first line and what all functions refer to."""
    writer = Writer()
    writer.names.update(COMMON, OP=op)
    for p in op.parameters:
        writer.names[f"_default_{p.name}"] = p.default
    writer.add(f"def {name}({parameter_list(op)}):", 0)
    if op.check is not None:
        writer.names["check"] = op.check
        given = [f"{p.name}={p.name}" if p.keyword_only else p.name for p in op.parameters]
        writer.add(f"check({', '.join(given)})")
    if any(p.kind == "tensors" for p in op.parameters):
        from tgrad.ops.joining import join

        writer.names["join"] = join
    return writer


def bound_function(op: Op) -> Callable[..., Any]:
    """The function that a row stands for, without checks of its arguments."""
    writer = start(op, op.key)
    if any(p.kind == "tensors" for p in op.parameters):
        name = op.parameters[0].name
        writer.add(f"T, a_{name}, mixed = join(OP, {name})")
    else:
        head(writer, op)
    kernel(writer, op)
    _result(writer, op)
    if op.formulas or isinstance(op.differentiable, str):
        _record(writer, op)
    returned = "out" if op.outputs == 1 else "outs"
    if op.fields:
        from tgrad.ops.named import return_type

        writer.names["return_type"] = return_type(op.public, op.fields)
        returned = "return_type(outs)"
    writer.add(f"return {returned}")
    function = writer.compile(op.key, op.name)
    function.__doc__ = op.doc
    return function


def _result(writer: Writer, op: Op) -> None:
    """Lines that make `out`, or `outs` where there are several, from r."""
    if op.fields or op.outputs is None or (op.outputs or 0) > 1:
        results = op.result if isinstance(op.result, tuple) else None
        writer.names["RESULTS"] = results
        if op.family == "view":
            writer.add("outs = tuple(input.view_of_memory(x, 2) for x in r)")
        elif results is None:
            writer.add("outs = tuple(new_tensor(T.xp.asarray(x), T) for x in r)")
        else:
            writer.add(
                "outs = tuple(new_tensor(T.xp.asarray(x), T if d is None else "
                "T.related[d(T.dtype) if callable(d) else d]) "
                "for x, d in zip(r, RESULTS))"
            )
        if op.outputs == 1:
            writer.add("out = outs[0]")
        return
    if op.family == "view":
        writer.add("out = input.view_of_memory(r)")
        return
    writer.add("if type(r) is not ndarray: r = T.xp.asarray(r)")
    if op.family in ("unary", "broadcast"):
        operands = " ".join(f"{p.name}," for p in promoting(op))
        writer.names["ordered"] = ordered
        writer.add(f"if not r.flags.c_contiguous: r = ordered(r, ({operands}))")
    if op.result is None:
        writer.add("out = new_tensor(r, T)")
    else:
        writer.names["RESULT"] = op.result
        decided = "RESULT(T.dtype)" if callable(op.result) else "RESULT"
        writer.add(f"out = new_tensor(r, T.related[{decided}])")


def _record(writer: Writer, op: Op) -> None:
    """Lines that make a node and give its edge to the result, where a gradient is wanted."""
    plain, mixed, complex_ = node_classes(op)
    writer.names.update(plain_node=plain, mixed_node=mixed, complex_node=complex_)
    sources = sources_of(op)
    listed = [p for p in op.parameters if p.kind == "tensors"]
    writer.add("if state.grad:")
    if listed:
        writer.add(f"edges = tuple([t.current_edge() for t in {listed[0].name}])", 2)
        wanted = "any(edges)"
    else:
        for i, p in enumerate(sources):
            edge = f"{p.name}._edge if {p.name}._view is None else {p.name}.current_edge()"
            if p.kind == "operand" or p.optional:
                edge = f"({edge}) if type({p.name}) is Tensor else None"
            writer.add(f"e{i} = {edge}", 2)
        wanted = " or ".join(f"e{i} is not None" for i in range(len(sources)))
    writer.add(f"if ({wanted}) and T.inexact:", 2)
    choice = "mixed_node if mixed or not T.weak else plain_node"
    if op.holomorphic:
        choice = f"complex_node if T.category == 3 else {choice}"
    body = [f"node = ({choice})()", "node.sequence = next_sequence()"]
    if listed:
        body.append("node.edges = edges")
    else:
        body.append(f"node.edges = ({' '.join(f'e{i},' for i in range(len(sources)))})")
    body.append(f"node.saved = saved = ({' '.join(_saved(op, n, sources) + ',' for n in plain.saved_names)})")
    kept = [n for n in plain.saved_names if _is_tensor(op, n)]
    if kept:
        body.append("node.versions = versions_of(saved) if " + " or ".join(_has_version(op, n) for n in kept) + " else None")
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
            f"for i, x in enumerate(outs[:{op.outputs}]): x._edge = (node, i)"
        )
    writer.add("\n".join(body), 3)


def _is_tensor(op: Op, name: str) -> bool:
    if name == "out" or name in op.fields:
        return True
    return any(p.name == name and p.kind in ("tensor", "operand", "index") for p in op.parameters)


def _has_version(op: Op, name: str) -> str:
    if name == "out":
        return "out._storage is not None"
    if name in op.fields:
        return "False"
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
    if not _is_tensor(op, name) or len(sources) < 2:
        return value
    users = [
        i for i, p in enumerate(sources) if name in formula_names(op.formulas.get(p.name))
    ]
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
    for p in sources:
        pair = f"({p.name}._array.shape, {p.name}._type)"
        if p.kind == "operand" or p.optional:
            pair = f"({pair} if type({p.name}) is Tensor else None)"
            differs = f"(type({p.name}) is Tensor and {p.name}._array.shape != shape)"
        else:
            differs = f"{p.name}._array.shape != shape"
        pairs.append(pair)
        if op.family == "broadcast":
            conditions.append(differs)
    lines = ["shape = out._array.shape"] if op.family == "broadcast" else []
    return [
        *lines,
        f"node.operands = ({' '.join(pair + ',' for pair in pairs)}) if {' or '.join(conditions)} else None",
    ]


# ---------------------------------------------------------------- nodes


def formula_names(formula: Any) -> list[str]:
    """What a formula needs after `(o, g)`."""
    return [] if formula is None else [name for name, _, _ in signature(formula)[2:]]


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
    return node_classes(op)[mixed]


_NODE_CLASSES: Final[dict[str, tuple[type[Node], type[Node], type[Node]]]] = {}
_TORCH_NAMES: Final = {"input": "self", "out": "result"}


def _make_node_classes(op: Op) -> tuple[type[Node], type[Node], type[Node]]:
    names: list[str] = []
    for formula in op.formulas.values():
        names.extend(n for n in formula_names(formula) if n not in names)
    saved = tuple(names)
    parts: dict[str, Any] = {
        "__slots__": (),
        "__module__": "builtins",
        "op": op,
        "label": op.label,
        "saved_names": saved,
        "saves_tensors": any(_is_tensor(op, n) or n == "indices" for n in saved),
        "several_outputs": op.outputs != 1,
        "results": {"out": 0, **{name: i for i, name in enumerate(op.fields[: op.outputs])}},
        "raw": _derivative(op, saved, arrays=True),
        "recorded": _derivative(op, saved, arrays=False),
    }
    numbers = {p.name for p in op.parameters if p.kind == "operand"}
    for name in saved:
        getter = _saved_operand if name in numbers else Node.saved_value
        parts[f"_saved_{_TORCH_NAMES.get(name, name)}"] = property(
            lambda node, name=name, getter=getter: getter(node, name)
        )
    name = op.label.rpartition(":")[2]
    plain = type(name, (Node,), parts)
    others = {"__slots__": (), "__module__": "builtins", "raw": raw_through_tensors}
    mixed = type(name, (plain,), others)
    if not op.holomorphic:
        return plain, mixed, mixed
    return plain, mixed, type(name, (plain,), {**others, "recorded": _conjugated(plain)})


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
    writer.names.update(COMMON, Spaces=Spaces)
    writer.add("def derivative(node, g, edges):" if arrays else "def derivative(node, o, g, edges):", 0)
    if arrays:
        writer.add("o = Spaces.raw")
    if saved:
        writer.add("saved = node.saved\nif saved is FREED: raise freed_error(node)")
        if arrays:
            writer.add(f"{', '.join(saved)}, = saved")
            for i, name in enumerate(saved):
                if _is_tensor(op, name):
                    writer.add(
                        f"if type({name}) is Tensor:\n"
                        f"    storage = {name}._storage\n"
                        f"    if storage is not None and storage.version: check_version(node, {i}, {name})\n"
                        f"    {name} = {name}._array"
                    )
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
    writer.add(f"return ({' '.join(f'{part},' for part in parts)})")
    return writer.compile("derivative", f"derivative of {op.name}")


def _no_derivative(name: str, reason: str, label: str) -> None:
    if label.startswith("torch::"):
        raise StateError(f"derivative for aten::{name} is not implemented", hint=reason)
    raise NotAvailableError(f"the derivative for '{name}' is not implemented.", hint=reason)
