"""What an elementwise function does to an element, written down operation by operation.

A function of arrays is called with operands that stand for arrays (`Operand`) and numbers (`Number`).
What it does with them becomes the lines of a `Graph`, dtypes being NumPy's; whatever isn't an operation on
elements (a look at a value, at a shape) raises `Unknown`.  Nothing here knows of an array library.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy

from tgrad.backends.expressions_c import C_CODE, C_TYPES, STORED

_BOOL: Final = numpy.dtype(bool)


class Unknown(Exception):  # noqa: N818
    """A function isn't a chain of known operations on elements."""


class Graph:
    """The operations on an element: each line a name, the dtype of its result, and its operands.

    The operands are the numbers of lines before it; those of an `array` or a `number` say which it is.
    """

    def __init__(self) -> None:
        self.lines: list[tuple[str, Any, tuple[Any, ...]]] = []
        self.known: dict[Any, int] = {}
        self.used: list[frozenset[int]] = []
        """For each line the arrays that it depends on."""
        self.values: dict[str, Any] = {}
        """The numbers by their texts, as they are for the arguments at hand."""
        self.looked: set[int] = set()
        """The numbers whose values the function has looked at."""

    def add(self, name: str, dtype: Any, *operands: Any) -> int:
        """The number of a line, which is there once."""
        line = (name, dtype, operands)
        found = self.known.get(line)
        if found is None:
            found = self.known[line] = len(self.lines)
            self.lines.append(line)
            if name == "array":
                used = frozenset(operands)
            elif name in ("number", "constant"):
                used = frozenset()
            else:
                used = frozenset().union(*[self.used[i] for i in operands])
            self.used.append(used)
        return found

    def converted(self, line: int, dtype: Any) -> int:
        """A line in a dtype."""
        name, its, operands = self.lines[line]
        if its == dtype:
            return line
        if name == "constant" and dtype.name in C_TYPES:
            return line_of(self, dtype.type(operands[0]), dtype)
        if name == "number":
            text = f"{dtype.name}({operands[0]})"
            self.values[text] = dtype.type(self.values[operands[0]])
            return self.add("number", dtype, text)
        if its.name not in STORED or dtype.name not in STORED:
            raise Unknown(f"{its} to {dtype}")
        return self.add("cast", dtype, line)


class Number:
    """A number that a function is given: what becomes of it is kept as the text of an expression."""

    __slots__ = ("graph", "places", "text", "value")

    def __init__(self, graph: Graph, text: str, value: Any, places: frozenset[int]) -> None:
        self.graph = graph
        self.text = text
        self.value = value
        self.places = places

    def look(self) -> Any:
        """The value; what is found holds for this value only."""
        self.graph.looked |= self.places
        return self.value

    def operand(self) -> Operand:
        """The number as an array without dimensions."""
        dtype = numpy.asarray(self.value).dtype
        return Operand(self.graph, line_of(self.graph, self, dtype))

    @property
    def dtype(self) -> Any:
        """The dtype of one of NumPy's numbers."""
        return self.value.dtype

    def __hash__(self) -> int:
        return hash(self.look())

    def __float__(self) -> float:
        return float(self.look())

    def __int__(self) -> int:
        return int(self.look())

    def __bool__(self) -> bool:
        return bool(self.look())

    def __neg__(self) -> Number:
        return Number(self.graph, f"(-{self.text})", -self.value, self.places)

    def __abs__(self) -> Number:
        return Number(self.graph, f"abs({self.text})", abs(self.value), self.places)


def _text(value: Any) -> str:
    return value.text if isinstance(value, Number) else f"({value!r})"


def _of_numbers(symbol: str, function: Callable[..., Any], swapped: bool) -> Any:
    def operate(self: Number, other: Any) -> Any:
        if not isinstance(other, (Number, int, float)) or type(other) is bool:
            return NotImplemented
        a, b = (other, self) if swapped else (self, other)
        value = function(*[x.value if isinstance(x, Number) else x for x in (a, b)])
        places = self.places | (other.places if isinstance(other, Number) else frozenset())
        return Number(self.graph, f"({_text(a)} {symbol} {_text(b)})", value, places)

    return operate


def _compared(function: Callable[..., Any]) -> Any:
    def compare(self: Number, other: Any) -> Any:
        if isinstance(other, Operand):
            return NotImplemented
        return function(self.look(), other.look() if isinstance(other, Number) else other)

    return compare


for _name, _symbol in {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "pow": "**"}.items():
    setattr(Number, f"__{_name}__", _of_numbers(_symbol, getattr(operator, _name), False))
    setattr(Number, f"__r{_name}__", _of_numbers(_symbol, getattr(operator, _name), True))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Number, f"__{_name}__", _compared(getattr(operator, _name)))


class ElementType:
    """A dtype of NumPy's that makes numbers of numbers."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype

    def type(self, value: Any) -> Any:
        """A number in this dtype."""
        if not isinstance(value, Number):
            return self.dtype.type(value)
        text = f"{self.dtype.name}({value.text})"
        return Number(value.graph, text, self.dtype.type(value.value), value.places)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dtype, name)

    def __eq__(self, other: object) -> bool:
        return bool(self.dtype == (other.dtype if isinstance(other, ElementType) else other))

    def __hash__(self) -> int:
        return hash(self.dtype)


class Operand:
    """Stands for an array: the line with its elements, which operations in place change."""

    __slots__ = ("graph", "line", "written")
    __hash__ = None  # type: ignore[assignment]
    __array_ufunc__ = None
    ndim = 1
    """Elementwise functions do the same for arrays of any number of dimensions."""

    def __init__(self, graph: Graph, line: int) -> None:
        self.graph = graph
        self.line = line
        self.written = False

    @property
    def dtype(self) -> Any:
        """The dtype of the elements."""
        return ElementType(self.graph.lines[self.line][1])

    @property
    def real(self) -> Operand:
        """Itself: there are no complex numbers here."""
        return self

    def astype(self, dtype: Any, order: Any = None, casting: Any = None, copy: bool = True) -> Operand:
        """Converted; a new operand, unless nothing changes and no copy is asked for."""
        line = self.graph.converted(self.line, numpy.dtype(dtype))
        return self if line == self.line and not copy else Operand(self.graph, line)

    def copy(self, order: Any = None) -> Operand:
        """Another operand with the same elements."""
        return Operand(self.graph, self.line)

    def conj(self) -> Operand:
        """Itself: there are no complex numbers here."""
        return self

    conjugate = conj

    def write(self, value: Any) -> Operand:
        """Write over all elements."""
        kind = self.graph.lines[self.line][1]
        line = self.graph.converted(line_of(self.graph, value, kind), kind)
        self.line, self.written = line, True
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        if key is not Ellipsis and key != slice(None):
            raise Unknown("some of the elements")
        self.write(value)

    def __getattr__(self, name: str) -> Any:
        raise Unknown(name)

    def __bool__(self) -> bool:
        raise Unknown("a value")

    __float__ = __int__ = __index__ = __len__ = __iter__ = __bool__


def line_of(graph: Graph, value: Any, dtype: Any) -> int:
    """The line of an operand, or of a number that is to be of this dtype."""
    if isinstance(value, Operand):
        return value.line
    if isinstance(value, Number):
        graph.values[value.text] = value.value
        if isinstance(value.value, numpy.generic):
            return graph.add("number", value.dtype, value.text)
        if dtype.kind in "biu":
            _check_fits(value.look(), dtype)
        return graph.add("number", dtype, value.text)
    if isinstance(value, numpy.generic) or (isinstance(value, numpy.ndarray) and not value.ndim):
        dtype, value = value.dtype, value.item()
    if type(value) not in (bool, int, float) or dtype.name not in C_TYPES:
        raise Unknown(repr(value))
    if dtype.kind == "f":
        value = float(dtype.type(value))
        simple = math.isfinite(value)
    else:
        _check_fits(value, dtype)
        simple = abs(value) < 1 << 31
    if simple:
        return graph.add("constant", dtype, value)
    graph.values[f"({value!r})"] = value
    return graph.add("number", dtype, f"({value!r})")


def _check_fits(value: Any, dtype: Any) -> None:
    """Unknown for whole numbers that NumPy refuses."""
    if dtype.kind in "iu" and not numpy.iinfo(dtype).min <= value <= numpy.iinfo(dtype).max:
        raise Unknown(f"{value} as {dtype}")


def apply(graph: Graph, name: str, args: Sequence[Any], dtype: Any = None) -> Operand:
    """A ufunc of NumPy's, with its rules for dtypes."""
    ufunc = getattr(numpy, name)
    if name not in C_CODE:
        raise Unknown(name)
    kinds = [_kind(value) for value in args]
    if dtype is None:
        *given, result = ufunc.resolve_dtypes((*kinds, None))
    else:
        result = given = numpy.dtype(dtype)
        given = [given] * len(args)
    lines = [
        graph.converted(line_of(graph, value, kind), kind) for value, kind in zip(args, given, strict=True)
    ]
    if len(set(given)) != 1 or given[0].name not in C_TYPES or result.name not in C_TYPES:
        raise Unknown(f"{name} of {given}")
    code = C_CODE[name]
    if given[0].kind not in code.kinds:
        raise Unknown(f"{name} of {given}")
    if code.text is None:
        return Operand(graph, graph.converted(lines[0], result))
    return Operand(graph, graph.add(name, result, *lines))


def where(condition: Any, a: Any, b: Any) -> Operand:
    """`numpy.where` of three arguments."""
    operands = [x for x in (condition, a, b) if isinstance(x, Operand)]
    graph = operands[0].graph
    kind = result_type(a, b)
    if kind.name not in C_TYPES:
        raise Unknown(str(kind))
    chosen = [graph.converted(line_of(graph, x, kind), kind) for x in (a, b)]
    holds = graph.converted(line_of(graph, condition, _BOOL), _BOOL)
    return Operand(graph, graph.add("where", kind, holds, *chosen))


def result_type(*values: Any) -> Any:
    """`numpy.result_type`, for numbers and dtypes, too."""
    kinds = [
        value if isinstance(value, (numpy.dtype, type)) else getattr(value, "dtype", None) or _kind(value)
        for value in values
    ]
    kinds = [kind.dtype if isinstance(kind, ElementType) else kind for kind in kinds]
    return numpy.result_type(*[kind(0) if kind is int or kind is float else kind for kind in kinds])


def fma(a: Any, b: Any, c: Any, dtype: Any) -> Operand:
    """a * b + c in the dtype, float32 or float64, rounded once."""
    graph = next(x.graph for x in (a, b, c) if isinstance(x, Operand))
    kind = numpy.dtype(dtype)
    lines = [graph.converted(line_of(graph, x, kind), kind) for x in (a, b, c)]
    return Operand(graph, graph.add("fma", kind, *lines))


def special(name: str) -> Callable[[Operand], Operand]:
    """A function of one element that NumPy lacks, of floats."""

    def function(x: Operand) -> Operand:
        kind = x.graph.lines[x.line][1]
        if kind.name not in ("float32", "float64"):
            raise Unknown(f"{name} of {kind}")
        return Operand(x.graph, x.graph.add(name, kind, x.line))

    return function


def filled(like: Operand, value: Any, dtype: Any = None) -> Operand:
    """`numpy.full_like`."""
    graph, kind = like.graph, numpy.dtype(like.dtype if dtype is None else dtype)
    number = graph.converted(line_of(graph, value, kind), kind)
    return Operand(graph, graph.add("full", kind, number, like.line))


def _kind(value: Any) -> Any:
    """What decides about the dtype: a dtype, or a class of Python's numbers."""
    if isinstance(value, Operand):
        return value.graph.lines[value.line][1]
    if isinstance(value, Number):
        value = value.value
    if isinstance(value, (numpy.generic, numpy.ndarray)):
        return value.dtype
    if type(value) is bool:
        return _BOOL
    if type(value) in (int, float):
        return type(value)
    raise Unknown(repr(value))


def _operation(name: str, swapped: bool = False) -> Any:
    def operate(self: Operand, *others: Any) -> Any:
        return apply(self.graph, name, (*others, self) if swapped else (self, *others))

    return operate


def _operation_in_place(name: str) -> Any:
    def operate(self: Operand, other: Any) -> Operand:
        return self.write(apply(self.graph, name, (self, other)))

    return operate


for _name, _ufunc in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide", "and": "bitwise_and",
    "or": "bitwise_or", "xor": "bitwise_xor", "pow": "power",
}.items():  # fmt: skip
    setattr(Operand, f"__{_name}__", _operation(_ufunc))
    setattr(Operand, f"__r{_name}__", _operation(_ufunc, swapped=True))
    setattr(Operand, f"__i{_name}__", _operation_in_place(_ufunc))
for _name, _ufunc in {
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
    "ge": "greater_equal", "neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert",
}.items():  # fmt: skip
    setattr(Operand, f"__{_name}__", _operation(_ufunc))
