"""Public functions and methods: a row's overloads behind PyTorch's way of calling them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType, MethodType
from typing import Any, Final

from tgrad.core.engine import Spaces
from tgrad.core.tensor import Tensor
from tgrad.ops.arguments import Mismatch, bind, may_fit
from tgrad.ops.call import bound_function
from tgrad.ops.forms import Learner
from tgrad.ops.inplace import inplace_function
from tgrad.ops.operands import NUMBERS, as_operand
from tgrad.ops.table import Op

_BOUND: Final[dict[str, Callable[..., Any]]] = {}


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
    return MethodType(op.forward, Spaces.recorded)


def public_function(ops: Sequence[Op], method: bool, alias: str = "") -> Callable[..., Any]:
    """What users call: finds the overload, checks the arguments, sees to `out=`.

    Messages name the function by its alias if it is called by one, `special.expit` as `special_expit`.
    """
    ops = [op for op in ops if (op.method if method else op.function)]
    name = alias or ops[0].public
    path = f"Tensor.{name}" if method else _path(ops[0], name)
    function = _public(name.replace(".", "_"), path, ops, method, bound)
    function.__doc__ = ops[0].doc
    return function


def public_inplace(ops: Sequence[Op], method: bool = True) -> Callable[..., Any]:
    """The in-place method `NAME_`."""
    name = ops[0].public + "_"
    function = _public(name, f"Tensor.{name}", ops, method, bound_inplace)
    function.__doc__ = f"{ops[0].doc}  Written over the tensor itself."
    return function


def _public(
    name: str, path: str, ops: Sequence[Op], method: bool, maker: Callable[[Op], Callable[..., Any]]
) -> Callable[..., Any]:
    """A function that calls the overload that fits, and learns the forms of its calls."""

    def general(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        return _call(ops, path, name, args, keywords, learner)

    learner = Learner(name, ops, method, maker, general)
    return learner.function


def _path(op: Op, name: str) -> str:
    """Where a function is found: `torch.linalg.solve` for `linalg_solve`."""
    if "." in name or op.module == "torch":
        return f"torch.{name}"
    return f"{op.module}.{name.removeprefix(op.module.rpartition('.')[2] + '_')}"


def operator_function(ops: Sequence[Op], maker: Callable[[Op], Any]) -> Callable[..., Any]:
    """What an operator symbol stands for: a row, or one row for tensors and one for numbers."""
    if len(ops) == 1:
        function = maker(ops[0])
        return _as_function(function) if isinstance(function, MethodType) else function
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


def _as_function(method: MethodType) -> Callable[..., Any]:
    """A function that a class can have as a method."""
    function, space = method.__func__, method.__self__

    def operator(*operands: Any) -> Any:
        return function(space, *operands)

    return operator


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


def _call(
    ops: Sequence[Op],
    path: str,
    name: str,
    args: tuple[Any, ...],
    keywords: dict[str, Any],
    learner: Learner,
) -> Any:
    """A call in the general way: overload after overload is tried, in order."""
    out = None
    given = keywords
    method = learner.method
    if "chunks" in keywords and ops[0].family == "creation":
        from tgrad.ops.chunked import in_chunks

        keywords = dict(keywords)
        with in_chunks(keywords.pop("chunks")):
            return _call(ops, path, name, args, keywords, learner)
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
            if given is keywords:
                learner.look(op, args, keywords)
            return learner.maker(op)(*values[:split], **named)
        from tgrad.ops.out import write_out

        return write_out(op, values[:split], named, out)
    from tgrad.ops.refusal import refuse

    refuse(ops, path, name, args, given, method)
