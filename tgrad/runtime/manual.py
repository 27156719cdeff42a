"""What help has to say about a name: everything but how it is drawn."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Final, NamedTuple

from tgrad.runtime import callee, examples, scope
from tgrad.runtime.callee import Callee
from tgrad.runtime.classes import ClassView
from tgrad.runtime.examples import Example
from tgrad.runtime.formulas import readable, terms
from tgrad.runtime.modules import Namespace, loaded_names
from tgrad.runtime.words import WORDS

if TYPE_CHECKING:
    from tgrad.ops.reference import Description
    from tgrad.runtime.session import Session


class Page(NamedTuple):
    """What there is to say about one thing."""

    title: str
    signatures: tuple[str, ...]
    about: str
    facts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """A label, and its lines."""
    example: Example | None = None


def page(name: str, session: Session) -> Page | None:
    """The page of a name as the session knows it, or None."""
    name = name.strip().removesuffix("()")
    if name in WORDS and name not in session.names:
        pattern, about, lines = WORDS[name]
        return Page(name, (pattern,), about, (), examples.run(lines))
    path = name.split(".")
    if not all(part.isidentifier() for part in path):
        return None
    load()
    own = scope.value_of(session, path)
    target = callee.find(session, path)
    if path[0] not in session.names and (target is None or not target.rows):
        target = _elsewhere(name) or target
    if target is not None and target.rows:
        found = _of_operator(target)
        return _beside_builtin(found, name, own) if name in vars(builtins) else found
    if own is scope.UNKNOWN:
        own = _class_of_module(session, name) if len(path) == 1 else own
    return None if own is scope.UNKNOWN else _of_value(name, own)


def _beside_builtin(found: Page, name: str, own: object) -> Page:
    """An operator's page, with a word on Python's builtin of the same name."""
    doc = " ".join((getattr(own, "__doc__", None) or "").split("\n\n")[0].split())
    fact = (name, (f"without `torch.` it is Python's: {doc}",))
    return found if own is scope.UNKNOWN else found._replace(facts=(*found.facts, fact))


def load() -> None:
    """Load the operators: help is about them."""
    from tgrad.runtime.modules import torch_modules

    torch_modules()


def _elsewhere(name: str) -> Callee | None:
    """A method of tensors, or an operator of one of torch's modules, by its bare name."""
    bare = name.rpartition(".")[2]
    if name not in (bare, f"Tensor.{bare}", f"torch.{bare}", f"torch.Tensor.{bare}"):
        return None
    if rows := tuple(op for op in callee.rows_of(bare) if op.function and name == bare):
        return Callee(bare, "torch", rows, False, scope.UNKNOWN)
    if rows := callee.method_rows(bare):
        return Callee(bare, "", rows, True, scope.UNKNOWN)
    if rows := tuple(op for op in callee.rows_of(bare) if op.family == "filling"):
        return Callee(bare, "", rows, True, scope.UNKNOWN)
    if bare.endswith("_") and (rows := tuple(op for op in callee.rows_of(bare[:-1]) if op.inplace)):
        return Callee(bare, "", rows, True, scope.UNKNOWN)
    for module in _MODULES:
        if rows := callee.rows_of(bare, module):
            return Callee(bare, module, rows, False, scope.UNKNOWN)
    return None


_MODULES: Final = ("torch.nn.functional", "torch.linalg", "torch.special", "torch.fft")


def _class_of_module(session: Session, name: str) -> object:
    """A layer or an optimiser by its bare name."""
    space = scope.torch(session)
    for part in ("nn", "optim"):
        module = scope.attribute(space, part)
        if isinstance(module, Namespace) and name in loaded_names(module):
            return scope.attribute(module, name)
    return scope.UNKNOWN


def _of_operator(target: Callee) -> Page:
    row = target.rows[0]
    found = callee.description(row.public, row.module)
    signatures = tuple(signature_text(target, overload) for overload in callee.signatures(target))
    facts: list[tuple[str, tuple[str, ...]]] = []
    example = examples.of_operator(target)
    if shapes := _shapes(target):
        facts.append(("shapes", (shapes,)))
    if found is not None:
        facts += _facts(target, found)
    if errors := tuple(_errors(target)):
        facts.append(("errors", errors))
    about = " ".join(next((op.doc for op in target.rows if op.doc), "").split())
    return Page(target.title, signatures or (f"{target.title}()",), about, tuple(facts), example)


def _facts(target: Callee, found: Description) -> Iterator[tuple[str, tuple[str, ...]]]:
    if found.dtype:
        several = sum(p.kind in ("tensor", "operand") for p in target.rows[0].parameters) > 1
        rule = _DTYPES.get(found.dtype, found.dtype)
        yield "dtype", (rule if several else rule.replace("the operands together", "the input"),)
    if found.forms:
        yield "forms", (", ".join(form.replace("`", "") for form in found.forms),)
    if target.rows[0].family in ("unary", "broadcast") and (forward := _forward(target)):
        yield "forward", (f"out = {forward}",)
    if found.derivatives:
        lines = [f"{name}: {readable(formula)}" for name, formula in found.derivatives]
        yield "gradient", tuple(lines)
        yield "where", ("g is the gradient of the result out", *terms(text for _, text in found.derivatives))
    elif target.name in _COMPOSED:
        yield "gradient", _COMPOSED[target.name]
        yield "where", ("g is the gradient of the result out",)
    elif found.remark:
        yield "gradient", (_remark(found.remark),)


def _remark(remark: str) -> str:
    if remark == "none":
        return "there is none"
    if remark == "follows":
        return "follows from the operators that it is made of"
    return remark.removeprefix("no derivative: ")


_COMPOSED: Final = {
    "matmul": ("input: g @ other.T", "other: input.T @ g"),
    "linear": ("input: g @ weight", "weight: g.T @ input", "bias: sum(g, 0)"),
    "cross_entropy": ("input: (softmax(input, 1) - one_hot(target)) * g / number of targets",),
    "softmax": ("input: out * (g - sum(g * out, dim))",),
    "log_softmax": ("input: g - exp(out) * sum(g, dim)",),
    "conv2d": (
        "input: g convolved with the mirrored weight",
        "weight: input correlated with g",
        "bias: sum(g)",
    ),
}
"""What the derivatives of operators that are made of others come to."""


def _forward(target: Callee) -> str:
    from tgrad.ops.reference import formula_text

    text = formula_text(target.rows[0].forward)
    if "getattr" in text or "lambda" in text or "xp" not in text:
        names = [p.name for p in target.rows[0].positional]
        return f"{target.name.rstrip('_')}({', '.join(names)})"
    return readable(re.sub(r"\bxp\.|\bxp, ", "", text))


_DTYPES: Final = {
    "promoted": "that of the operands together: int32 and float32 give float32",
    "promoted, integers to the default floating dtype": (
        "that of the operands together; integers give float32, the default dtype"
    ),
    "as input": "that of the input",
    "as input, integers to int64; or dtype=": "that of the input, int64 for integers and bool; or dtype=",
    "as input; or dtype=": "that of the input, or dtype=",
}


def _shapes(target: Callee) -> str:
    families = {op.family for op in target.rows}
    tensors = sum(p.kind in ("tensor", "operand") for p in target.rows[0].parameters)
    if families <= {"unary", "broadcast"}:
        if tensors < 2:
            return "any; the result has the input's"
        return "any that broadcast together: sizes agree from the last on, or one of them is 1"
    if families == {"view"}:
        return "the result shares the input's memory"
    return _SHAPES.get(target.name, "")


_SHAPES: Final = {
    "matmul": "(n, k) with (k, m) gives (n, m); vectors and batches as well",
    "mm": "(n, k) with (k, m) gives (n, m)",
    "bmm": "(b, n, k) with (b, k, m) gives (b, n, m)",
    "mv": "(n, k) with (k) gives (n)",
    "dot": "(n) with (n) gives one number",
    "linear": "(..., k) with a weight (m, k) gives (..., m)",
    "cat": "sizes agree but in dim, where they are added up",
    "stack": "all the same; the result has one dimension more",
    "conv2d": "(b, in, h, w) with a weight (out, in, kh, kw) gives (b, out, h - kh + 1, w - kw + 1) "
    "at stride 1",
    "cross_entropy": "scores (b, classes) with targets (b)",
    "softmax": "any; the result has the input's, and sums to 1 along dim",
    **dict.fromkeys(
        (
            "sum",
            "mean",
            "prod",
            "amax",
            "amin",
            "max",
            "min",
            "all",
            "any",
            "std",
            "var",
            "norm",
            "logsumexp",
        ),
        "without dim one number; with dim that dimension goes, or has size 1 with keepdim=True",
    ),
}


def _errors(target: Callee) -> Iterator[str]:
    """What PyTorch says to calls that can't be: found by making them."""
    where = target.module or "torch"
    families = {op.family for op in target.rows}
    required = [p for p in target.rows[0].parameters if p.required]
    if "broadcast" in families and len(required) == 2 and not target.method:
        calls = [f"{where}.{target.name}(torch.ones(2), torch.ones(3))"]
    elif target.name in ("matmul", "mm"):
        calls = [f"torch.{target.name}(torch.ones(2, 3), torch.ones(4, 5))"]
    elif target.name in ("sum", "mean", "prod", "softmax", "cumsum", "squeeze", "unsqueeze", "argmax"):
        calls = [f"torch.{target.name}(torch.ones(2), dim=5)"]
    elif families == {"unary"} and not target.method:
        calls = [f'{where}.{target.name}("text")']
    else:
        return
    for call in calls:
        if sentence := examples.error_of(call):
            yield f"{call}: {sentence}"


def signature_text(target: Callee, overload: Iterable[tuple[str, str]]) -> str:
    """`torch.sum(input, *, dtype=None)`."""
    return f"{target.title}({', '.join(f'{n}={d}' if d else n for n, d in overload)})"


def _of_value(name: str, value: object) -> Page:
    if isinstance(value, Namespace):
        members = sorted(each for each in loaded_names(value) if each[:1] != "_")
        return Page(
            value.__name__, (f"import {value.__name__}",), "A module.", (("names", (", ".join(members),)),)
        )
    parameters = scope.parameters(value)
    arguments = ", ".join(f"{n}={d}" if d else n for n, d in parameters)
    cls = value._class if isinstance(value, ClassView) else value
    doc = " ".join((getattr(cls, "__doc__", None) or "").split("\n\n")[0].split())
    if isinstance(cls, type):
        module = cls.__module__
        home = ".".join(module.split(".")[:2]) + "." if module.startswith("torch") else ""
        title = home + cls.__name__
        return Page(title, (f"{title}({arguments})",), doc, (), _of_class(cls))
    if isinstance(value, FunctionType) and ".show" in getattr(value, "__builtins__", ()):
        place = value.__code__
        made = f"{place.co_filename.strip('<>')}, line {place.co_firstlineno}"
        return Page(name, (f"{name}({arguments})",), doc or "A function of yours.", (("made", (made,)),))
    if callable(value) and not scope.is_layer(value):
        return Page(name, (f"{name}({arguments})" if parameters else name,), doc)
    return Page(name, (f"{name}: {scope.meaning(value)}",), "")


def _of_class(cls: type) -> Example | None:
    names = {base.__name__ for base in cls.__mro__}
    if "Optimizer" in names:
        return examples.of_optimizer(f"torch.optim.{cls.__name__}")
    return examples.of_layer(f"torch.nn.{cls.__name__}") if "Module" in names else None


def areas() -> list[tuple[str, tuple[str, ...]]]:
    """The names of all operators, by area."""
    load()
    from tgrad.ops.reference import AREAS, area_of, names_by_file

    found: dict[str, set[str]] = {title: set() for title, _ in AREAS}
    for name, file in names_by_file():
        found[area_of(file)].add(name)
    return [(title, tuple(sorted(names))) for title, names in found.items() if names]


def suggestion(name: str, session: Session, more: Iterable[str] = ()) -> str | None:
    """The name that was meant, if one looks like it."""
    from tgrad.runtime.hints import closest

    methods = [each for each, _ in scope.class_attributes(scope.tensor_class())]
    known = {*scope.all_names(session), *methods, *WORDS, *more, *_layer_names(session)}
    return closest(name.rpartition(".")[2], known)


def _layer_names(session: Session) -> Iterator[str]:
    for part in ("nn", "optim"):
        module = scope.attribute(scope.torch(session), part)
        if isinstance(module, Namespace):
            yield from loaded_names(module)
