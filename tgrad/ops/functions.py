"""Public functions and methods: a row's overloads behind PyTorch's way of calling them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, Final

from tgrad.core.engine import Spaces
from tgrad.core.tensor import Tensor
from tgrad.ops.arguments import Mismatch, bind, may_fit
from tgrad.ops.call import COMMON, bound_function
from tgrad.ops.inplace import inplace_function
from tgrad.ops.operands import NUMBERS, as_operand
from tgrad.ops.table import Op
from tgrad.ops.writer import Writer

_BOUND: Final[dict[str, Callable[..., Any]]] = {}

MISSING: Final[Any] = type("_Missing", (), {"__repr__": lambda self: "<missing>"})()
"""Stands for an argument that wasn't given."""

OPERANDS: Final = frozenset((Tensor, int, float, bool, complex))


def bound(op: Op) -> Callable[..., Any]:
    """The function of one row, with its parameters in order and no checks; made when first used."""
    function = _BOUND.get(op.name)
    if function is None:
        if op.family == "composite":
            function = composite_function(op)
        elif op.family == "creation":
            from tgrad.ops.creation import creation_function

            function = creation_function(op)
        else:
            function = bound_function(op)
        _BOUND[op.name] = function
    return function


def bound_inplace(op: Op) -> Callable[..., Any]:
    """The same for the in-place form."""
    name = op.name + "_"
    function = _BOUND.get(name)
    if function is None:
        function = _BOUND[name] = inplace_function(op)
    return function


def composite_function(op: Op) -> Callable[..., Any]:
    """A row that is written in other operators, given the recording ones."""
    forward = op.forward

    def function(*args: Any, **keywords: Any) -> Any:
        return forward(Spaces.recorded, *args, **keywords)

    function.__doc__ = op.doc
    function.__name__ = op.key
    return function


def public_function(ops: Sequence[Op], method: bool, alias: str = "") -> Callable[..., Any]:
    """What users call: finds the overload, checks the arguments, sees to `out=`.

    Messages name the function by its alias if it is called by one, `special.expit` as `special_expit`.
    """
    ops = [op for op in ops if (op.method if method else op.function)]
    name = alias or ops[0].public
    path = f"Tensor.{name}" if method else _path(ops[0], name)
    name = name.replace(".", "_")

    def general(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        return _call(ops, path, name, args, keywords, method, bound)

    function = _with_quick_path(name, ops, general, bound)
    function.__doc__ = ops[0].doc
    return function


def public_inplace(ops: Sequence[Op], method: bool = True) -> Callable[..., Any]:
    """The in-place method `NAME_`."""

    name = ops[0].public + "_"

    def general(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        return _call(ops, f"Tensor.{name}", name, args, keywords, method, bound_inplace)

    function = _with_quick_path(name, ops, general, bound_inplace)
    function.__doc__ = f"{ops[0].doc}  Written over the tensor itself."
    return function


def _path(op: Op, name: str) -> str:
    """Where a function is found: `torch.linalg.solve` for `linalg_solve`."""
    if "." in name or op.module == "torch":
        return f"torch.{name}"
    return f"{op.module}.{name.removeprefix(op.module.rpartition('.')[2] + '_')}"


def operator_function(ops: Sequence[Op], maker: Callable[[Op], Any]) -> Callable[..., Any]:
    """What an operator symbol stands for: a row, or one row for tensors and one for numbers."""
    if len(ops) == 1:
        function: Callable[..., Any] = maker(ops[0])
        return function
    rows = {op.parameters[1].kind: maker(op) for op in ops}
    of_tensor, of_number = rows["tensor"], rows["scalar"]

    def function_of_kind(input: Tensor, other: Any) -> Any:
        if type(other) is Tensor:
            return of_tensor(input, other)
        if type(other) not in NUMBERS:
            other = as_operand(other)
            if other is NotImplemented:
                return other
        return (of_tensor if isinstance(other, Tensor) else of_number)(input, other)

    return function_of_kind


def reflected_function(of_number: Callable[..., Any], of_tensor: Callable[..., Any]) -> Callable[..., Any]:
    """The function for an operator that has the tensor on its right side.

    `of_number(tensor, number)` is for Python's own calls; that the left side is a tensor, for
    `of_tensor(left, right)`, can only be where the method is called by its name.
    """

    def reflected(input: Tensor, other: Any) -> Any:
        if type(other) not in NUMBERS:
            other = as_operand(other)
            if other is NotImplemented:
                return other
            if isinstance(other, Tensor):
                return of_tensor(other, input)
        return of_number(input, other)

    return reflected


def named_function(function: Any, name: str) -> Any:
    """A row's function whose errors call it by another name."""
    names = {**function.__globals__, "METHOD": name}
    renamed = FunctionType(function.__code__, names, name, function.__defaults__)
    renamed.__kwdefaults__ = function.__kwdefaults__
    return renamed


def _with_quick_path(
    name: str, ops: Sequence[Op], general: Callable[..., Any], maker: Callable[[Op], Any]
) -> Callable[..., Any]:
    """A function of native parameters that calls a row at once where all is as usual."""
    writer = Writer()
    writer.names.update(COMMON, general=general, OPERANDS=OPERANDS, MISSING=MISSING)
    quick = _quick_rows(ops)
    if not quick:
        writer.add(f"def {name}(*args, **keywords):\n    return general(args, keywords)", 0)
        return writer.compile(name, name)
    most = max(len(kinds) for _, kinds in quick)
    parameters = ", ".join(f"p{i}=MISSING" for i in range(most))
    writer.add(f"def {name}({parameters}, *rest, **keywords):\n    if not rest and not keywords:", 0)
    for number, (op, kinds) in enumerate(quick):
        tests = [_QUICK_TESTS[kind].format(f"p{i}") for i, kind in enumerate(kinds)]
        tests += [f"p{len(kinds)} is MISSING"] if len(kinds) < most else []
        values = [f"(p{i},)" if kind == "ints" else f"p{i}" for i, kind in enumerate(kinds)]
        writer.names[f"row{number}"] = maker(op)
        writer.add(f"if {' and '.join(tests)}: return row{number}({', '.join(values)})", 2)
    names = ", ".join(f"p{i}" for i in range(most))
    writer.add(
        f"args = ({names}, *rest)\n"
        "while args and args[-1] is MISSING: args = args[:-1]\n"
        "return general(args, keywords)"
    )
    return writer.compile(name, name)


_QUICK_TESTS: Final = {
    "tensor": "type({}) is Tensor", "index": "type({}) is Tensor", "int": "type({}) is int",
    "ints": "type({}) is int", "operand": "type({}) in OPERANDS",
    "scalar": "type({}) in NUMBERS",
}  # fmt: skip
"""How to see that a value needs no conversion; a single int for `ints` is put into a tuple."""


def _quick_rows(ops: Sequence[Op]) -> list[tuple[Op, tuple[str, ...]]]:
    """The overloads that a call with required arguments only can be seen to mean, and their kinds."""
    quick: list[tuple[Op, tuple[str, ...]]] = []
    for number, op in enumerate(ops):
        kinds = tuple(p.kind for p in op.parameters if p.required)
        if op.varargs or not kinds or not set(kinds) <= set(_QUICK_TESTS):
            continue
        if any(p.required and p.keyword_only for p in op.parameters):
            continue
        others = [e for e in ops[:number] if e.varargs or _takes(e, len(kinds))]
        found = dict(quick)
        if all(e in found and _apart(found[e], kinds) for e in others):
            quick.append((op, kinds))
    return quick


def _takes(op: Op, count: int) -> bool:
    positional = [p for p in op.parameters if not p.keyword_only]
    return sum(p.required for p in positional) <= count <= len(positional)


def _apart(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Whether no call passes the tests of both."""
    pairs = [set(pair) for pair in zip(a, b, strict=False)]
    return len(a) != len(b) or any(
        {"tensor", number} in pairs for number in ("int", "ints", "scalar")
    )


def _call(
    ops: Sequence[Op],
    path: str,
    name: str,
    args: tuple[Any, ...],
    keywords: dict[str, Any],
    method: bool,
    maker: Callable[[Op], Callable[..., Any]],
) -> Any:
    out = None
    given = keywords
    if "out" in keywords and not method and any(op.out for op in ops):
        keywords = dict(keywords)
        out = keywords.pop("out")
    for op in ops:
        if (out is not None and not op.out) or not may_fit(op, args, keywords):
            continue
        try:
            values = bind(op, args, keywords, method)
        except Mismatch:
            continue
        split = len(op.positional)
        named = {p.name: v for p, v in zip(op.keyword_only, values[split:], strict=True)}
        if out is None:
            return maker(op)(*values[:split], **named)
        from tgrad.ops.out import write_out

        return write_out(op, values[:split], named, out)
    from tgrad.ops.refusal import refuse

    refuse(ops, path, name, args, given, method)
