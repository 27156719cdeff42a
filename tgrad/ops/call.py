"""Rows into functions: bind types and arrays, run the kernel, record.

Each row is turned, when it is first used, into the text of one specialised Python function and
compiled.  The function of a binary row with two tensors of one dtype does nothing but look at the
types, call the kernel, make the result and, where a gradient is wanted, a node; everything unusual
(other dtypes, other kinds of operands, errors) is in functions that it calls.

Note [Half and numbers]
    PyTorch's kernels that multiply or divide numbers of 16 bits by a number (or by a 0-dimensional
    tensor) take the number in float32, and round only the result.  All others round the number to
    16 bits first.  Rows of the first kind say `opmath=True`.  See also Note [Narrow floats] in
    tgrad.backends.narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy

from tgrad import backends
from tgrad.backends import numpy_
from tgrad.backends.large import LARGE
from tgrad.backends.quiet import quiet
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import TensorError
from tgrad.ops.geometry import ordered
from tgrad.ops.mixing import refuse_devices, tensors_of
from tgrad.ops.operands import (
    NUMBERS,
    as_operand,
    check_fits,
    kernel_error,
    narrow_factor,
    not_a_tensor,
    refused,
    resolve,
    rounded_number,
)
from tgrad.ops.recording import RECORDING, record
from tgrad.ops.table import Op, Parameter
from tgrad.ops.writer import Writer, promoting, sources_of

COMMON: Final[dict[str, Any]] = {
    "Tensor": Tensor, "new_tensor": new_tensor, "state": state, "ndarray": numpy.ndarray,
    "create": object.__new__, "NUMBERS": NUMBERS, "as_operand": as_operand, "resolve": resolve,
    "kernel_error": kernel_error, "TensorError": TensorError, "quiet": quiet,
    "rounded_number": rounded_number, "narrow_factor": narrow_factor, "refuse_devices": refuse_devices,
    **RECORDING,
}  # fmt: skip


def as_array(name: str) -> str:
    """The line for a result that may be a scalar."""
    return f"if type({name}) is not ndarray and type({name}) is not T.array: {name} = T.xp.asarray({name})"


def head(writer: Writer, op: Op, inplace: bool = False) -> None:
    """Lines that set T, the type of the computation, and `a_NAME`, the arrays of the operands.

    In place it is looked first whether the result fits into the input, then for the kernel.
    """
    operands = promoting(op)
    dtype = next((p.name for p in op.parameters if p.kind in ("dtype", "mode")), None)
    everything = ", ".join(p.name for p in operands)
    arrays = ", ".join(f"a_{p.name}" for p in operands)
    given = f", {dtype}" if dtype else ""
    unlike = " or ".join(f"(type({p.name}) is Tensor and {p.name}._type is not T)" for p in sources_of(op))
    if op.dtype.quick == "never" or not operands or operands[0].kind != "tensor":
        depth = 1
        if op.dtype.quick == "always" and len(operands) > 1:
            first = operands[0].name
            alike = " and ".join(f"type({p.name}) is Tensor" for p in operands)
            alike += "".join(f" and {p.name}._type is {first}._type" for p in operands[1:])
            writer.add(f"if {alike}:\n    T, mixed = {first}._type, False")
            writer.add("\n".join(f"a_{p.name} = {p.name}._array" for p in operands), 2)
            writer.add("else:")
            depth = 2
        writer.add(f"T, ({arrays},) = resolve(OP, ({everything},){given})", depth)
        writer.add(f"mixed = {unlike or 'False'}", depth)
        _refusal(writer, op, inplace)
        return
    first = operands[0].name
    if op.symbol is None:
        writer.add(f"T = {first}._type")
    else:
        writer.names.update(not_a_tensor=not_a_tensor, METHOD=op.public)
        writer.add(
            f"try: T = {first}._type\nexcept AttributeError: raise not_a_tensor(METHOD, {first}) from None"
        )
    writer.add(f"a_{first} = {first}._array\nmixed = False")
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
        weak = "T.inexact" if op.opmath or op.narrow else "T.weak"
        number = f"T.numbers[{p.name}]" if op.arrays else p.name
        writer.add(
            f"kind = type({p.name})\n"
            "if kind is Tensor:\n"
            f"    a_{p.name} = {p.name}._array\n"
            f"    if {p.name}._type is not T: mixed = True\n"
            f"elif (kind is float or kind is int) and {weak}: a_{p.name} = {number}\n"
            f"elif kind is int and T.counts and -2147483648 <= {p.name} <= 2147483647: "
            f"a_{p.name} = {number}\n"
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
    _refusal(writer, op, inplace)


def _refusal(writer: Writer, op: Op, inplace: bool) -> None:
    """Lines that raise the error of a dtype that the row refuses."""
    operands = ", ".join(p.name for p in promoting(op))
    writer.names["REFUSED"] = frozenset(d for kinds in op.refuses.values() for d in kinds)
    if inplace and op.family == "broadcast":
        writer.names["check_fits"] = check_fits
        wanted = "mixed or T.dtype in REFUSED" if op.refuses else "mixed"
        writer.add(f"if {wanted}: check_fits(OP, T, ({operands},))")
    if op.refuses:
        writer.names["refused"] = refused
        writer.add(f"if T.dtype in REFUSED: raise refused(OP, T.dtype, ({operands},))")


def kernel_call(op: Op, parameters: Sequence[Parameter] | None = None, more: tuple[str, ...] = ()) -> str:
    """The expression that calls the row's forward with its parameters, or some of them, and `more`.

    NumPy warns of divisions by zero and the like, PyTorch doesn't: see `tgrad.backends.quiet`.
    """
    parts, wide_parts = [], []
    used = op.parameters if parameters is None else parameters
    for p in used:
        if p.kind in ("tensor", "operand"):
            value = f"a_{p.name}"
        elif p.kind == "index":
            value = (
                f"{p.name}._array" if not p.optional else (f"(None if {p.name} is None else {p.name}._array)")
            )
        elif p.kind == "tensors":
            value = f"a_{p.name}"
        else:
            value = p.name
        prefix = f"{p.name}=" if p.keyword_only else ""
        parts.append(prefix + value)
        if p.kind == "scalar" and not op.opmath:
            value = f"rounded_number({value}, T)"
        elif p.name == "alpha" and op.family == "broadcast":
            value = f"narrow_factor({value}, T)"
        wide_parts.append(prefix + value)
    parts.extend(more)
    wide_parts.extend(more)
    given = ", ".join(parts)
    direct = backends.silent or op.family == "view"
    plain = f"forward(T.xp, {given})" if direct else f"quiet.run(forward, T.xp, {given})"
    if op.plain is not None:
        alone = ", ".join(value for p, value in zip(used, parts, strict=False) if not p.keyword_only)
        only = f"T.xp.{op.plain}({alone})" if direct else f"quiet.run(T.xp.{op.plain}, {alone})"
        conditions = " and ".join(_defaults(op))
        plain = f"({only} if {conditions} else {plain})" if conditions else only
    size = _size_of_array(op)
    if size is not None:
        large = f"T.xp.in_blocks(forward, T.xp, {given})"
        if not direct:
            large = f"quiet.run(T.xp.in_blocks, forward, T.xp, {given})"
        plain = f"({plain} if {size} < {LARGE} else {large})"
    which = "foreign" if op.narrow else "apart"
    apart = _apart(which, ", ".join(parts if op.narrow else wide_parts), direct)
    conditions = " and ".join(_defaults(op))
    if conditions and op.plain is not None:  # what has its default needn't be handed on
        few = [value for value, p in zip(wide_parts, used, strict=False) if not p.keyword_only]
        few.extend(more)
        apart = f"({_apart(which, ', '.join(few), direct)} if {conditions} else {apart})"
    return f"{apart} if T.{which} is not None else {plain}"


def _apart(which: str, given: str, direct: bool) -> str:
    """The expression that leaves a row's forward to another array library, or to one for narrow floats."""
    return f"T.{which}(OP, T, {given})" if direct else f"quiet.run(T.{which}, OP, T, {given})"


def _size_of_array(op: Op) -> str | None:
    """The size of the array that an elementwise kernel is known to be given."""
    if not op.elementwise or "generator" in op.names:
        return None
    for p in op.parameters:
        if p.kind == "tensor" and not p.optional:
            return f"a_{p.name}.size"
        if p.kind == "index" and not p.optional:
            return f"{p.name}._array.size"
    return None


def kernel(writer: Writer, op: Op, written: str = "") -> None:
    """Lines that set r, the result of the kernel.

    In place, with the lines for what follows when it is `written`, a single function of the array library
    writes its result over the input, `target`, where that is all there is to do.
    """
    writer.names["forward"] = op.forward
    writer.add("try:")
    if written:
        _kernel_over(writer, op, written)
    writer.add(f"r = {kernel_call(op)}", 2)
    if op.family == "broadcast":
        operands = ", ".join(p.name for p in promoting(op))
        writer.add(
            "except (ValueError, TypeError, TensorError) as error:\n"
            + f"    refuse_devices(OP, ({_tensors(op)}))\n"
            + (f"    check_fits(OP, T, ({operands},))\n" if written else "")
            + f"    raise kernel_error(OP, error, ({operands},)) from None"
        )
    else:
        operands = ", ".join(p.name for p in sources_of(op))
        writer.add(
            "except TensorError as error:\n"
            f"    error.details.setdefault('op', {op.public!r})\n"
            f"    error.details.setdefault('operands', ({operands}{',' if operands else ''}))\n"
            f"    refuse_devices(OP, ({_tensors(op)}))\n"
            "    raise\n"
            f"except Exception:\n    refuse_devices(OP, ({_tensors(op)}))\n    raise"
        )


def _tensors(op: Op) -> str:
    return "".join(f"{p.name}, " for p in tensors_of(op))


def _kernel_over(writer: Writer, op: Op, written: str) -> None:
    """Lines that let the array library write over the input, where the row is one function that can."""
    if op.plain is None or op.result is not None or not op.elementwise or not numpy_.writes_over(op.plain):
        return
    others = [f"a_{p.name}" if p.kind != "scalar" else p.name for p in op.positional[1:]]
    given = ", ".join(["target", *others])
    small, large = f"T.xp.{op.plain}({given}, out=target)", f"T.xp.over(T.xp.{op.plain}, {given})"
    if not backends.silent:
        small = f"quiet.run(T.xp.{op.plain}, {given}, out=target)"
        large = f"quiet.run(T.xp.over, T.xp.{op.plain}, {given})"
    condition = " and ".join(["not recorded and T is input._type and T.direct", *_defaults(op)])
    # Over a single element NumPy takes three times as long as for a new array.
    writer.add(f"if {condition} and target.size != 1:", 2)
    writer.add(f"if target.size < {LARGE}: {small}\nelse: {large}\n{written}", 3)


def _defaults(op: Op) -> list[str]:
    """Conditions for the parameters that are given by name to have their defaults."""
    return [f"{p.name} is _default_{p.name}" for p in op.keyword_only]


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
        writer.add(
            f"try: check({', '.join(given)})\nexcept Exception:\n    refuse_devices(OP, ({_tensors(op)}))\n"
            "    raise"
        )
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
        record(writer, op)
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
        if op.family == "view":
            writer.add("outs = tuple(input.view_of_memory(x, 2) for x in r)")
        elif op.family == "copy":
            writer.add("outs = tuple(new_tensor(x.copy(), T) for x in r)")
        elif isinstance(op.result, tuple):
            _several_results(writer, op.result)
        else:
            writer.add("outs = tuple(new_tensor(T.xp.asarray(x), T) for x in r)")
        if op.outputs == 1:
            writer.add("out = outs[0]")
        return
    if op.family == "view":
        writer.add("out = input.view_of_memory(r)")
        return
    writer.add("r = r.copy()" if op.family == "copy" else as_array("r"))
    if op.family in ("unary", "broadcast"):
        operands = " ".join(f"{p.name}," for p in promoting(op))
        writer.names["ordered"] = ordered
        writer.add(f"if r.ndim and not r.flags.c_contiguous: r = ordered(r, ({operands}))")
    elif "keepdim" in op.names:  # PyTorch's reductions make results row by row, whatever the input
        writer.add("if r.ndim and not r.flags.c_contiguous: r = r.copy()")
    type_ = "T"
    if op.result is not None:
        writer.names["RESULT"] = op.result
        type_ = f"T.related[{'RESULT(T.dtype)' if callable(op.result) else 'RESULT'}]"
    # `new_tensor`, written out.
    writer.add(
        f"out = create(Tensor)\nout._array = r\nout._type = {type_}\n"
        "out._edge = out._storage = out._grad = out._view = None"
    )


def _several_results(writer: Writer, dtypes: tuple[Any, ...]) -> None:
    """Lines that make `outs` of the parts of r, whose dtypes a row has one by one."""
    made = []
    writer.add("".join(f"r{i}, " for i in range(len(dtypes))) + "= r")
    for i, dtype in enumerate(dtypes):
        writer.names[f"RESULT{i}"] = dtype
        writer.add(as_array(f"r{i}"))
        kind = f"T.related[RESULT{i}(T.dtype)]" if callable(dtype) else f"T.related[RESULT{i}]"
        made.append(f"new_tensor(r{i}, {'T' if dtype is None else kind}), ")
    writer.add(f"outs = ({''.join(made)})")
