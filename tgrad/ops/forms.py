"""Public functions learn how they are called: forms of calls that come again get code of their own.

The form of a call is how many arguments it has, which of them are named, and of what class each is.
For most forms this alone decides which overload is meant, and how each value gets to its parameter.
When a form has come often enough, the function's code is replaced by one that compares classes and
calls the row at once; what it doesn't know goes on to the general way (`tgrad.ops.functions`),
with its overloads, its conversions and its errors.

    def sum(p0=MISSING, p1=MISSING, /, *rest, **keywords):
        if not rest and not keywords:
            if p1 is MISSING and type(p0) is Tensor: return row0(p0)
            if type(p0) is Tensor and type(p1) is int: return row1(p0, (p1,))
        ...

Note [Forms that decide]
    A form is learned only if every overload that the call was tried on, up to the one that took it,
    looks at nothing but classes: a tensor given for a number counts by its value, a string for a device is
    converted, a list counts by its elements.  Of these only lists of whole numbers and of tensors are forms,
    and they are looked through at each call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any, Final

from tgrad.core.device import Device
from tgrad.core.dtype import DType
from tgrad.core.engine import Spaces
from tgrad.core.memory_format import MemoryFormat
from tgrad.core.tensor import Size, Tensor
from tgrad.ops.arguments import Mismatch, gathers, may_fit, placed
from tgrad.ops.table import REQUIRED, Op, Parameter
from tgrad.ops.writer import Writer

MISSING: Final[Any] = type("_Missing", (), {"__repr__": lambda self: "<missing>"})()
"""Stands for an argument that wasn't given."""

often = 8
"""How often a form comes before there is code for it: compiling takes as long as 50 general calls."""
MOST_FORMS: Final = 16
MOST_LOOKS: Final = 400
"""How many forms a function learns, and how many calls it looks at."""

Form = tuple[tuple[Any, ...], tuple[str, ...], tuple[Any, ...]]
"""Classes of the positional arguments, names of the others, their classes."""

_CLASSES: Final = frozenset((Tensor, int, float, bool, complex, str, type(None), DType, Device, MemoryFormat))
_SEQUENCES: Final = frozenset((tuple, list, Size))
_BY_VALUE: Final = {
    Tensor: frozenset(("number", "scalar", "int", "ints", "sequence", "split", "float")),
    str: frozenset(("device", "layout")),
    int: frozenset(("device",)),
}
"""For values of a class the kinds that look at more than the class."""


def ints(values: Sequence[Any]) -> bool:
    """Whether a sequence has whole numbers only."""
    for value in values:  # noqa: SIM110 - half the time of all()
        if type(value) is not int:
            return False
    return True


def tensors(values: Sequence[Any]) -> bool:
    """Whether a sequence has tensors only."""
    for value in values:  # noqa: SIM110
        if type(value) is not Tensor:
            return False
    return True


def _tag(value: Any) -> Any:
    """What a form says of a value: its class, for a sequence also the test of its elements; or None."""
    cls = type(value)
    if cls in _CLASSES:
        return cls
    if cls in _SEQUENCES and value:
        for test in (ints, tensors):
            if test(value):
                return cls, test
    return None


class Learner:
    """What one public function has seen of its calls."""

    def __init__(
        self, name: str, ops: Sequence[Op], method: bool, maker: Callable[[Op], Callable[..., Any]],
        general: Callable[[tuple[Any, ...], dict[str, Any]], Any],
    ) -> None:  # fmt: skip
        self.ops = ops
        self.method = method
        self.maker = maker
        self.seen: dict[Form, int] = {}
        self.learned: dict[Form, tuple[Op, bool]] = {}
        self.looks = MOST_LOOKS
        names = {"general": general, "__builtins__": __builtins__}
        self.function = FunctionType(_at_first.__code__, names, name)
        self.function.__qualname__ = name

    def look(self, op: Op, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        """Note a call that an overload has taken, and learn its form if it comes often."""
        if not self.looks:
            return
        self.looks -= 1
        form = (tuple(map(_tag, args)), tuple(keywords), tuple(map(_tag, keywords.values())))
        count = self.seen[form] = self.seen.get(form, 0) + 1
        if count != often or None in form[0] or None in form[2] or not self._decides(form, op, args):
            return
        self.learned[form] = op, gathers(op, args, self.method)
        self.looks = MOST_LOOKS if len(self.learned) < MOST_FORMS else 0
        self._rewrite()

    def _decides(self, form: Form, taken: Op, args: tuple[Any, ...]) -> bool:
        """Note [Forms that decide]"""
        named = dict(zip(*form[1:], strict=True))
        for op in self.ops[: self.ops.index(taken) + 1]:
            if not may_fit(op, args, named):
                continue
            last = op.positional[-1] if op.varargs else None
            rest = form[0][len(op.positional) - 1 :]
            if last is not None and last.kind in _BY_VALUE[Tensor] and Tensor in rest:
                return False
            gathered = gathers(op, args, self.method)
            try:
                for p, tag, _ in placed(op, form[0], named, self.method, gathered):
                    together = gathered and p is last
                    if not together and tag is not REQUIRED and p.kind in _BY_VALUE.get(tag, ()):
                        return False
            except Mismatch:
                continue
        return True

    def _rewrite(self) -> None:
        """Give the function code for all forms that are known."""
        writer = Writer()
        writer.names = self.function.__globals__
        writer.names.update(MISSING=MISSING, ints=ints, tensors=tensors, o=Spaces.recorded, **_NAMED)
        most = max(len(form[0]) for form in self.learned)
        name = self.function.__name__
        parameters = "".join(f"p{i}=MISSING, " for i in range(most)) + ("/, " if most else "")
        writer.add(f"def {name}({parameters}*rest, **keywords):\n    if not rest:", 0)
        groups: dict[tuple[str, ...], list[Form]] = {}
        for form in self.learned:
            groups.setdefault(form[1], []).append(form)
        for names, forms in sorted(groups.items(), key=lambda group: len(group[0])):
            if names:
                held = ", ".join(f"k{i}" for i in range(len(names)))
                writer.add(f"if (*keywords,) == {names!r}:\n    {held}, = keywords.values()", 2)
            else:
                writer.add("if not keywords:", 2)
            for form in forms:
                writer.add(self._line(writer, form, most), 3)
        given = "".join(f"p{i}, " for i in range(most))
        writer.add(
            f"args = ({given}*rest,)\n"
            "while args and args[-1] is MISSING: args = args[:-1]\n"
            "return general(args, keywords)"
        )
        made: Any = writer.compile(name, name)
        self.function.__defaults__ = made.__defaults__
        self.function.__code__ = made.__code__

    def _line(self, writer: Writer, form: Form, most: int) -> str:
        """The line that calls a row for one form."""
        op, gathered = self.learned[form]
        count = len(form[0])
        positional = tuple([f"p{i}" for i in range(count)])
        named = {word: f"k{i}" for i, word in enumerate(form[1])}
        tags = dict(zip((*positional, *named.values()), form[0] + form[2], strict=True))
        tests = [f"p{count} is MISSING"] if count < most else []
        tests += [_test(name, tag) for name, tag in tags.items()]
        values, left_out = [], False
        for p, given, _ in placed(op, positional, named, self.method, gathered):
            if given is REQUIRED:
                left_out = True
                continue
            value = _converted(p, given, tags)
            values.append(f"{p.name}={value}" if p.keyword_only or left_out else value)
        writer.names[f"row_{op.key}"] = self.maker(op)
        return f"if {' and '.join(tests)}: return row_{op.key}({', '.join(values)})"


def _at_first(*args: Any, **keywords: Any) -> Any:
    """What a public function's code is before it has learned anything."""
    return general(args, keywords)  # type: ignore[name-defined] # noqa: F821 - see Learner


_NAMED: Final = {f"{cls.__name__}_class": cls for cls in _CLASSES | _SEQUENCES}


def _test(name: str, tag: Any) -> str:
    """An expression for whether a value is what a form says of it."""
    if tag is type(None):
        return f"{name} is None"
    if type(tag) is tuple:
        return f"type({name}) is {tag[0].__name__}_class and {tag[1].__name__}({name})"
    return f"type({name}) is {tag.__name__}_class"


def _converted(p: Parameter, given: Any, tags: Mapping[str, Any]) -> str:
    """An expression for the value of a parameter, of the variables that hold what was given for it."""
    if type(given) is tuple:
        return f"({', '.join(given)},)" if given else "()"
    tag = tags[given]
    if p.kind == "any" or tag is type(None):
        return str(given)
    if p.kind == "ints" and tag is int:
        return f"({given},)"
    if p.kind == "float" and tag is not float:
        return f"float({given})"
    if type(tag) is tuple and tag[0] is not tuple:
        return f"tuple({given})"
    return str(given)
