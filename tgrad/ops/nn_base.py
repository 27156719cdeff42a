"""What the rows of torch.nn.functional have in common, and hidden rows for their formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, NotAvailableError
from tgrad.ops.arguments import Mismatch, taken
from tgrad.ops.functions import bound_inplace
from tgrad.ops.table import TABLE, Op, broadcast, composite, operator


def functional(name: str, forward: Callable[..., Any], **parts: Any) -> Op:
    """A function of torch.nn.functional, written in other operators."""
    parts.setdefault("out", False)
    parts["kinds"] = {"reduction": "any", "dtype": "dtype?", **parts.get("kinds", {})}
    return composite(
        f"functional_{name}", forward, module="torch.nn.functional", method=False, **parts
    )


def accepted(function: str, name: str, position: int, kind: str, value: Any) -> Any:
    """A value that a function of Python's hands on to one that looks at its arguments."""
    try:
        return taken(function, name, kind, value, position)
    except Mismatch as mismatch:
        raise ArgumentError(str(mismatch), op=function) from None


def perform(o: Any, key: str, inplace: bool, input: Any, *args: Any) -> Any:
    """An operator applied to an input, or written over it.

    PyTorch derives some in-place forms from what they have written: those have a row KEY_over.
    """
    if inplace:
        return bound_inplace(TABLE.get(f"{key}_over") or TABLE[key])(input, *args)
    return getattr(o, key)(input, *args)


def needs_floats(kernel: str) -> Callable[..., None]:
    """A check that refuses whole numbers as the kernel of that name does in PyTorch."""

    def check(input: Tensor, *args: Any) -> None:
        if not input._type.inexact:
            raise NotAvailableError(
                f"\"{kernel}\" not implemented for '{input._type.dtype.title}'",
                hint="convert the input first: x.float()",
            )

    return check


broadcast(
    "_choose", lambda xp, condition, input, other: xp.where(condition, input, other),
    kinds={"condition": "index", "input": "operand", "other": "operand"},
    input=lambda o, g, condition: o._choose(condition, g, 0.0),
    other=lambda o, g, condition: o._choose(condition, 0.0, g),
    function=False, method=False, out=False, label="WhereBackward",
    doc="Elements of one of two operands; for formulas.",
)  # fmt: skip

operator(
    "_constant", lambda xp, input: input, differentiable=False, function=False, method=False,
    out=False, doc="The input without its history; for formulas.",
)  # fmt: skip
operator(
    "_zeros_of", lambda xp, input: xp.zeros_like(input),
    input=lambda o, g: o._zeros_of(g),
    function=False, method=False, doc="Zeros; for formulas.",
)  # fmt: skip
operator(
    "_tied", lambda xp, input, origin: input,
    input=lambda o, g: g, origin=lambda o, g, origin: o._zeros_of(origin),
    kinds={"origin": "tensor"}, function=False, method=False, out=False,
    doc="The input, whose derivative for `origin` is 0, and not None; for formulas.",
)  # fmt: skip
broadcast(
    "_piece", lambda xp, condition, input, other, origin: xp.where(condition, input, other),
    kinds={"condition": "index", "input": "operand", "other": "operand", "origin": "tensor"},
    input=lambda o, g, condition: o._choose(condition, g, 0.0),
    other=lambda o, g, condition: o._choose(condition, 0.0, g),
    origin=lambda o, g: o._zeros_of(g),
    function=False, method=False, out=False, label="WhereBackward",
    doc="`_choose` whose condition depends on `origin`: its derivative for that is 0, and not None.",
)  # fmt: skip

for _name, _symbol in (("add", "+"), ("mul", "*"), ("div", "/")):
    _with_number = {
        "add": (lambda xp, input, other: xp.add(input, input.dtype.type(other)), lambda o, g: g),
        "mul": (
            lambda xp, input, other: xp.multiply(input, input.dtype.type(other)),
            lambda o, g, other: g * other,
        ),
        "div": (
            lambda xp, input, other: xp.divide(input, input.dtype.type(other)),
            lambda o, g, other: g / other,
        ),
    }[_name]
    operator(
        f"_{_name}_number", _with_number[0], input=_with_number[1], kinds={"other": "number"},
        label=f"{_name.capitalize()}Backward", index=1, function=False, method=False,
        doc=f"input {_symbol} a number, as PyTorch's composed functions record it.",
    )  # fmt: skip


def absent(name: str, instead: str) -> None:
    """A function of torch.nn.functional that isn't there: calling it says what to use."""

    def forward(o: Any, args: Any = ()) -> Any:
        raise NotAvailableError(
            f"torch.nn.functional.{name} is not available in tgrad: {instead}"
        )

    functional(name, forward, varargs=True, kinds={"args": "any"}, doc=f"Not available: {instead}")


for _missing, _instead in {
    "grouped_mm": "use bmm, or matmul in a loop",
    "scaled_mm": "use matmul and multiply by the scales",
    "scaled_grouped_mm": "use bmm and multiply by the scales",
}.items():
    absent(_missing, _instead)
