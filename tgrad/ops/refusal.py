"""Which error a call gets that fits no overload: PyTorch's, to the word.

Functions with several overloads, and those that PyTorch writes in Python, are listed in signatures.json
(recorded by tests/golden/ops/record_signatures.py), which is read at the first such error.

Note [How PyTorch refuses a call]
    A function with one overload reports the first thing that is wrong with the call.  One with several
    does so if just one of them has room for as many arguments as were given; otherwise it lists them all.
    What is wrong is looked for in this order: too many positional arguments; then, parameter by parameter,
    one that is missing or of the wrong kind; then keywords that are unknown or given twice.
    Functions written in Python get Python's own errors, before any kinds are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, NoReturn

from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError
from tgrad.ops.arguments import ACCEPT, REFUSED, Mismatch, bind, signature_text, too_many, type_name
from tgrad.ops.mismatch import combination_error
from tgrad.ops.table import Op


def refuse(
    ops: Sequence[Op],
    path: str,
    name: str,
    args: tuple[Any, ...],
    keywords: Mapping[str, Any],
    method: bool,
) -> NoReturn:
    """Raise PyTorch's error for a call that fits none of the overloads.

    `path` is where the function is, as `torch.special.expit` or `Tensor.add_`; `name` what messages call it.
    """
    recorded = _recorded().get(path)
    if isinstance(recorded, str):
        _python_error(name, recorded, args, keywords)
    if isinstance(recorded, list):
        _several(name, recorded, args[method:], keywords)
    _single(ops, name, args, keywords, method)


@cache
def _recorded() -> dict[str, Any]:
    import json
    from pathlib import Path

    text = Path(__file__).with_name("signatures.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _single(
    ops: Sequence[Op], name: str, args: tuple[Any, ...], keywords: Mapping[str, Any], method: bool
) -> NoReturn:
    """The first thing that is wrong with a call of a function with one overload."""
    ops = [op for op in ops if op.listed]
    if len(ops) == 1:
        if method and keywords and len(ops[0].parameters) == 1:
            raise ArgumentError(f"TensorBase.{name}() takes no keyword arguments", op=name)
        try:
            bind(ops[0], args, keywords, method)
        except Mismatch as mismatch:
            text = str(mismatch).replace(f"{ops[0].public}(", f"{name}(", 1)
            raise ArgumentError(text, op=name) from None
    texts = [signature_text(op, method) for op in ops]
    raise ArgumentError(combination_error(name, texts, args[method:], keywords, type_name), op=name)


def _python_error(name: str, recorded: str, args: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
    """Raise Python's own error for a call that a function of this signature doesn't take."""
    try:
        _stand_in(recorded)(*args, **keywords)
    except TypeError as error:
        raise ArgumentError(str(error), op=name) from None


@cache
def _stand_in(recorded: str) -> Callable[..., None]:
    """A function of the recorded name and parameters that does nothing."""
    name, _, parameters = recorded[:-1].partition("(")
    made: Callable[..., None] = eval(f"lambda {parameters}: None")
    made.__qualname__ = name
    return made


# -- Several overloads: Note [How PyTorch refuses a call] ---------------------------------------------------


class Given(NamedTuple):
    """A parameter as the recorded text has it."""

    kind: str
    name: str
    required: bool
    keyword_only: bool


@cache
def _parsed(text: str) -> tuple[Given, ...]:
    """The parameters of `(Tensor input, *, Number alpha = 1)`."""
    parameters = []
    keyword_only = False
    for part in text[1:-1].split(", "):
        if part == "*":
            keyword_only = True
        elif part:
            described, _, default = part.partition(" = ")
            kind, _, name = described.rpartition(" ")
            parameters.append(Given(kind, name, not default, keyword_only))
    return tuple(parameters)


def _several(name: str, texts: Sequence[str], args: Sequence[Any], keywords: Mapping[str, Any]) -> NoReturn:
    given = len(args) + len(keywords)
    fitting = [
        parameters for parameters in map(_parsed, texts)
        if sum(p.required for p in parameters) <= given <= len(parameters)
    ]  # fmt: skip
    if len(fitting) == 1:
        wrong = _wrong(name, fitting[0], args, keywords)
        if wrong is not None:
            raise ArgumentError(wrong, op=name)
    raise ArgumentError(combination_error(name, texts, args, keywords, type_name), op=name)


def _wrong(
    name: str, parameters: Sequence[Given], args: Sequence[Any], keywords: Mapping[str, Any]
) -> str | None:
    """The first thing that is wrong with a call of one overload."""
    positional = [p for p in parameters if not p.keyword_only]
    several_ints = len(positional) == 1 and positional[0].kind == "tuple of ints"
    if len(args) > len(positional) and not several_ints:
        return _too_many(name, parameters, len(positional), len(args))
    used = set()
    for place, p in enumerate(parameters):
        by_place = place < len(args) and not p.keyword_only
        if not by_place and p.name not in keywords:
            if p.required:
                return _missing(name, parameters[place:])
            continue
        value = args[place] if by_place else keywords[p.name]
        if not by_place:
            used.add(p.name)
        if value is None and not p.required:
            continue
        if several_ints and _is("int", value):
            continue
        if _is(p.kind, value) and not (p.name in _SEVERAL and isinstance(value, int)):
            continue
        if p.kind == "Tensor" and name.removesuffix("_") in _OF_NUMBERS and _is("Number", value):
            continue
        where = f" (position {place + 1})" if by_place else ""
        return f"{name}(): argument '{p.name}'{where} must be {p.kind}, {found_text(p.kind, value)}"
    for word in keywords:
        if word not in used:
            known = any(p.name == word for p in parameters)
            if known:
                return f"{name}() got multiple values for argument '{word}'"
            return f"{name}() got an unexpected keyword argument '{word}'"
    return None


_SEVERAL: Final = ("size", "shape", "split_sizes", "indices", "sections")
"""Parameters of several ints that don't take a single one in their place."""

_OF_NUMBERS: Final = frozenset((
    "add", "div", "divide", "mul", "multiply", "sub", "subtract", "true_divide",
))  # fmt: skip
"""Functions that take numbers in place of tensors without an overload for it."""


def found_text(kind: str, value: Any) -> str:
    """What was found in place of the kind; of a sequence the element that is wrong."""
    if kind == "tuple of ints" and isinstance(value, (tuple, list)) and value:
        return f"but found element of type {type_name(value[0])} at pos 0"
    return f"not {type_name(value)}"


def _too_many(name: str, parameters: Sequence[Given], most: int, given: int) -> str:
    least = sum(p.required for p in parameters)
    return too_many(name, least, most, given)


def _missing(name: str, rest: Sequence[Given]) -> str:
    names = [f'"{p.name}"' for p in rest if p.required]
    plural = "" if names[1:] else "s"  # the wrong way round, as in PyTorch
    return f"{name}() missing {len(names)} required positional argument{plural}: {', '.join(names)}"


_KINDS: Final = {
    "Tensor": "tensor", "Number": "number", "int": "int", "float": "float", "bool": "bool", "str": "str",
    "torch.dtype": "dtype", "torch.device": "device", "tuple of Tensors": "tensors",
}  # fmt: skip


def _is(kind: str, value: Any) -> bool:
    """Whether a value is of a kind, by PyTorch's name of the kind."""
    if kind == "tuple of ints":
        if isinstance(value, (tuple, list)):
            return not value or ACCEPT["int"][0](value[0]) is not REFUSED
        return ACCEPT["int"][0](value) is not REFUSED and not isinstance(value, Tensor)
    if kind in ("torch.layout", "torch.Generator"):
        return type(value).__name__ == kind.rpartition(".")[2].lower()
    known = _KINDS.get(kind)
    return known is None or ACCEPT[known][0](value) is not REFUSED
