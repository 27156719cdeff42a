"""How a function of arrays is run as one kernel on CuPy: plans by the kinds of its arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy

from tgrad.backends.cupy_ufuncs import in_order
from tgrad.backends.expressions import Graph, Number, Operand, Unknown
from tgrad.backends.expressions_c import MANY, STORED, c_line

MOST: Final = 256
"""So many kinds of arguments are kept for a function, and then forgotten."""
_NUMBERS: Final = frozenset(
    (int, float, numpy.float32, numpy.float64, numpy.int8, numpy.int16, numpy.int32, numpy.int64, numpy.uint8)
)
"""Classes of arguments that kernels are handed as numbers."""


FEW: Final = 16
"""So many plans of a function are for certain numbers alone."""
_SMALL: Final = {-1: "-1", 0: "0", 1: "1", 2: "2", 3: "3"}
"""Integers that stay what they are: rows look whether it is these."""
_NAMES: Final = {"inf": numpy.inf, "nan": numpy.nan, **{name: getattr(numpy, name) for name in STORED}}
"""What the texts of numbers name."""


class Kernels:
    """CuPy, and kernels by their sources."""

    def __init__(self, cupy: Any) -> None:
        self.cupy = cupy
        self._kernels: dict[Any, Any] = {}

    def kernel(self, inputs: str, outputs: str, lines: str) -> Any:
        """The kernel with this source."""
        key = inputs, outputs, lines
        found = self._kernels.get(key)
        if found is None:
            found = self._kernels[key] = self.cupy.ElementwiseKernel(
                inputs, outputs, lines, "fused", options=("--fmad=false",)
            )
        return found


class Fused:
    """A function of arrays as one kernel, for each kind of arguments; as it is where that isn't possible."""

    __slots__ = ("_array", "_exact", "_fusion", "_looked", "_orders", "_other", "_plain", "_plans", "_trace")

    def __init__(
        self, fusion: Kernels, plain: Callable[..., Any], trace: Callable[..., Any], orders: bool = False
    ) -> None:
        self._orders = orders
        """Whether the result's dimensions are to be in memory as the arguments' are."""
        self._other: Fused | None = None
        self._exact = 0
        """How many plans are for certain numbers alone."""
        self._fusion = fusion
        self._plain = plain
        self._trace = trace
        self._array = fusion.cupy.ndarray
        self._plans: dict[Any, Callable[..., Any]] = {}
        self._looked: dict[Any, tuple[int, ...]] = {}
        """By kinds of arguments the places of those whose values the function looks at."""

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """The function's result."""
        array = self._array
        if keywords:
            given: tuple[Any, ...] = (*args, *keywords.values())
            key: tuple[Any, ...] = (*keywords,)
        else:
            given, key = args, ()
        orders = self._orders
        for x in given:
            kind = type(x)
            if kind is array:
                key += (x.dtype,)
                if orders and x.ndim > 1 and not x.flags.c_contiguous:
                    return in_order(self._once, array, args, keywords)
            elif kind is int:
                key += (_SMALL.get(x, int),)
            else:
                key += (kind if kind in _NUMBERS else x,)
        try:
            plan = self._plans.get(key)
            if plan is None:
                looked = self._looked.get(key)
                if looked is None:
                    plan = self._first(key, args, keywords)
                else:
                    exact = (key, *[repr(given[i]) for i in looked])  # of 0.0 and -0.0 each has its own
                    plan = self._plans.get(exact) or self._first(key, args, keywords)
        except TypeError:  # something is in a list
            return self._plain(*args, **keywords)
        return self._plain(*args, **keywords) if plan is _PLAIN else plan(*given)

    @property
    def _once(self) -> Fused:
        """The same, for arrays whose order is seen to."""
        if self._other is None:
            self._other = Fused(self._fusion, self._plain, self._trace)
            self._other._plans, self._other._looked = self._plans, self._looked
        return self._other

    def _first(self, key: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Make the plan for a kind of arguments: with the numbers left open, if that makes no difference."""
        hash(key)
        given = (*args, *keywords.values())
        names = tuple(keywords)
        try:
            maker, exact = Plan(self, given), Plan(self, given, exact=True)
        except Unknown:
            self._plans[key] = _PLAIN
            return _PLAIN
        open_places = {i for i, x in enumerate(maker.given) if isinstance(x, Number)}
        followed = maker.follow(self._trace, len(args), names)
        looked = maker.graph.looked
        if open_places:
            alike = exact.follow(self._trace, len(args), names)
            if not (followed and alike and same(maker.results(), exact.results())):
                self._exact += 1  # a kernel for each number would take longer than it saves
                followed = alike and self._exact <= FEW
                maker, looked = exact, open_places if followed else set()
        plan = (maker.made() if followed else None) or _PLAIN
        if len(self._plans) >= MOST:
            self._plans.clear()
        if looked:
            self._looked[key] = places = tuple(sorted(looked))
            key = (key, *[repr(given[i]) for i in places])
        self._plans[key] = plan
        return plan

    def compiled(self, inputs: str, outputs: str, lines: str) -> Any:
        """The kernel with this source."""
        return self._fusion.kernel(inputs, outputs, lines)

    def ufunc(self, name: str) -> Any:
        """CuPy's own function."""
        return getattr(self._fusion.cupy, name)


def _PLAIN(*args: Any) -> Any:  # noqa: N802
    """Stands for running a function as it is."""
    raise NotImplementedError


class Plan:
    """How a function is run for arguments of some kinds: what it does, and the code that does it at once."""

    def __init__(self, fused: Fused, given: Sequence[Any], exact: bool = False) -> None:
        self.fused = fused
        self.exact = exact
        """Whether numbers stand for themselves."""
        self.result: Any = None
        self.graph = Graph()
        self.operands: dict[int, Operand] = {}
        self.given = [self._stand_in(i, value, fused._array) for i, value in enumerate(given)]

    def _stand_in(self, place: int, value: Any, array: Any) -> Any:
        if isinstance(value, array):
            if value.dtype.name not in STORED:
                raise Unknown(value.dtype)
            line = self.graph.add("array", value.dtype, place)
            self.operands[place] = Operand(self.graph, line)
            return self.operands[place]
        if type(value) in _NUMBERS and not (self.exact or (type(value) is int and value in _SMALL)):
            return Number(self.graph, f"a{place}", value, frozenset((place,)))
        return value

    def follow(self, trace: Callable[..., Any], count: int, names: Sequence[str]) -> bool:
        """Find out what the function does with its arguments, positional ones and others, if possible."""
        try:
            self.result = trace(*self.given[:count], **dict(zip(names, self.given[count:], strict=True)))
        except Exception:  # an error of the function's own is raised when it runs as it is
            return False
        return True

    def made(self) -> Callable[..., Any] | None:
        """What does it at once, called with all arguments; None where they are to be taken as they are."""
        try:
            return self._single(self.result) or self._kernel(self.result)
        except Unknown:
            return None

    def results(self) -> tuple[Graph, list[Any]]:
        """What the function does, and the lines that it gives and writes, or what else it gives."""
        parts = self.result if isinstance(self.result, tuple) else (self.result,)
        values = [*parts, *[o for o in self.operands.values() if o.written]]
        ends = [("line", x.line) if isinstance(x, Operand) else ("value", repr(x)) for x in values]
        return self.graph, ends

    def _single(self, result: Any) -> Callable[..., Any] | None:
        """CuPy's own function, where that is all there is to do with the arguments as they are given."""
        if not isinstance(result, Operand) or result.written:
            return None
        name, _, operands = self.graph.lines[result.line]
        if name not in MANY:
            return None
        texts = []
        for line in operands:
            what, _, origin = self.graph.lines[line]
            if what == "array":
                texts.append(f"a{origin[0]}")
            elif what == "number" and origin[0].startswith("a") and origin[0][1:].isdigit():
                texts.append(origin[0])
            elif what == "constant":
                texts.append(repr(origin[0]))
            else:
                return None
        if any(o.written for o in self.operands.values()):
            return None
        function = self.fused.ufunc(name)
        if texts == [f"a{i}" for i in range(len(self.given))]:
            return function  # type: ignore[no-any-return]
        names = ", ".join(f"a{i}" for i in range(len(self.given)))
        return eval(f"lambda {names}: function({', '.join(texts)})", {"function": function})  # type: ignore[no-any-return]

    def _kernel(self, result: Any) -> Callable[..., Any] | None:
        graph = self.graph
        several = isinstance(result, tuple)
        outputs: list[int] = []  # lines
        parts = [self._part(x, outputs) for x in (result if several else (result,))]
        written = {place: o.line for place, o in self.operands.items() if o.written}
        for line in outputs:
            if several and 0 in self.operands and 0 not in graph.used[line]:
                return None  # it may be smaller than the others
        lines = self._needed([*outputs, *written.values()])
        if sum(graph.lines[i][0] not in ("array", "number", "constant") for i in lines) < 1:
            return None
        if written and outputs:
            return None
        return self._compiled(lines, outputs, written, parts, several)

    def _part(self, value: Any, outputs: list[int]) -> str:
        """The text for a part of the result."""
        if isinstance(value, Operand):
            for place, operand in self.operands.items():
                if value is operand and not operand.written:
                    return f"a{place}"
            if value.line not in outputs:
                outputs.append(value.line)
            return f"r{outputs.index(value.line)}"
        if value is None or type(value) is int:
            return repr(value)
        raise Unknown(repr(value))

    def _needed(self, ends: Sequence[int]) -> list[int]:
        """The lines that others, or the results, are made of."""
        found: set[int] = set()
        stack = list(ends)
        while stack:
            line = stack.pop()
            if line not in found:
                found.add(line)
                if self.graph.lines[line][0] not in ("array", "number", "constant"):
                    stack.extend(self.graph.lines[line][2])
        return sorted(found)

    def _compiled(
        self, lines: Sequence[int], outputs: Sequence[int], written: dict[int, int], parts: Sequence[str],
        several: bool,
    ) -> Callable[..., Any]:  # fmt: skip
        graph, inputs, given, code = self.graph, [], [], []
        for line in lines:
            name, dtype, origin = graph.lines[line]
            if name in ("array", "number"):
                text = f"a{origin[0]}" if name == "array" else origin[0]
                inputs.append(f"{dtype.name} x{line}")
                given.append(text)
                code.append(f"const {STORED[dtype.name]} t{line} = x{line};  // {dtype.name} input x{line}")
            else:
                code.append(c_line(graph.lines, line))
        ends = [*outputs, *written.values()]
        code += [f"y{k} = t{line};" for k, line in enumerate(ends)]
        results = ", ".join(f"{graph.lines[line][1].name} y{k}" for k, line in enumerate(ends))
        kernel = self.fused.compiled(", ".join(inputs), results, "\n".join(code))
        call = f"kernel({', '.join([*given, *[f'a{place}' for place in written]])})"
        body = [f"{', '.join(f'r{k}' for k in range(len(outputs)))} = {call}" if outputs else call]
        body.append(f"return ({', '.join(parts)},)" if several else f"return {parts[0]}")
        names = ", ".join(f"a{i}" for i in range(len(self.given)))
        source = f"def plan({names}):\n    " + "\n    ".join(body)
        space: dict[str, Any] = {"kernel": kernel, **_NAMES}
        exec(source, space)
        return space["plan"]  # type: ignore[no-any-return]


def same(a: tuple[Graph, list[Any]], b: tuple[Graph, list[Any]]) -> bool:
    """Whether two graphs, with the lines at their ends, do the same, but that one has numbers left open."""
    known: dict[Any, int] = {}
    found = []
    for graph, ends in (a, b):
        places: list[int] = []
        for name, dtype, operands in graph.lines:
            if name in ("number", "constant"):
                line: Any = ("number", dtype, _bits(graph, name, dtype, operands[0]))
            elif name == "array":
                line = (name, dtype, operands)
            else:
                line = (name, dtype, tuple([places[i] for i in operands]))
            places.append(known.setdefault(line, len(known)))
        found.append([places[end] if kind == "line" else end for kind, end in ends])
    return found[0] == found[1]


def _bits(graph: Graph, name: str, dtype: Any, origin: Any) -> bytes:
    """A number in a dtype, so that zeros of unlike signs are two."""
    value = graph.values[origin] if name == "number" else origin
    return bytes(numpy.asarray(value).astype(dtype).tobytes())
