"""The failing expression taken apart: what to underline, and what its operands were.

Python tells which stretch of source an instruction came from.  The stretch is parsed once more to
find the operator and the operands in it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any, NamedTuple

from tgrad.source import Source, Span

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.MatMult: "@", ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&",
    ast.BitOr: "|", ast.BitXor: "^", ast.UAdd: "+", ast.USub: "-", ast.Invert: "~",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in", ast.NotIn: "not", ast.Is: "is", ast.IsNot: "is",
}  # fmt: skip

SIMPLE = (ast.Name, ast.JoinedStr, ast.BoolOp, ast.Compare, ast.IfExp, ast.Dict, ast.Set)
"""Expressions that are underlined as a whole, with labels for the names in them."""

AT_VALUE = ("TO_BOOL", "POP_JUMP", "JUMP_IF", "GET_ITER", "FOR_ITER", "FORMAT_", "BEFORE_WITH")
"""Instructions that fail at a value: is it true, can it be gone through, has it a text."""

MODULES = frozenset({"torch", "np", "numpy", "math", "plt", "nn", "F", "random", "time"})

MOST_LABELS = 6
LONGEST_LABEL = 28
LONGEST_TEXT = 40
LONGEST_NUMBER = 128
"""In bits."""


class Operand(NamedTuple):
    """An operand as it is written, and the names in it."""

    text: str
    name: str | None
    """Set when the operand is a single name."""
    inside: tuple[str, ...]
    """The names that occur in an operand that is more than a name."""


class Expression(NamedTuple):
    """What is underlined, and the operands in the order in which they are handed on."""

    span: Span
    marks: list[tuple[Span, bool]]
    operands: Sequence[Operand] = ()
    root: str | None = None
    """The name that a call's function is read from: `torch` in `torch.mm(a, b)`."""
    function: str | None = None
    """The name that is called, in `f(x)`."""


def explain(source: Source, span: Span, operation: str = "") -> Expression:
    """Take the expression at `span` apart; an expression without parts is one mark.

    `operation` is the name of the failing instruction: some fail at the value of an expression, not
    at what computes it.
    """
    parsed = _Parsed.of(source, span)
    found = _take_apart(parsed, operation.startswith(AT_VALUE)) if parsed is not None else None
    if found is not None:
        return found
    if span.line < span.end_line and source.line(span.line).rstrip().endswith(":"):
        span = Span(span.line, span.column, span.line, len(source.line(span.line).rstrip()))
    return Expression(span, [(span, True)])


def values(
    expression: Expression,
    names: Mapping[str, Any],
    inner: FrameType | None,
    error: BaseException,
) -> Iterator[tuple[str, Any, bool]]:
    """What the operands were: (text, value, is a name), each once, as far as it can be known.

    An operand that is more than a name was computed on the way and is gone, unless the function
    that raised the error still holds it among its arguments.
    """
    arguments = _arguments(inner)
    if expression.root is not None:
        arguments = arguments[-len(expression.operands) :] if arguments else []
    matching = len(arguments) == len(expression.operands)
    seen: set[str] = set()
    called = expression.function
    if called is not None and called in names and not callable(names[called]):
        seen.add(called)
        yield called, names[called], True
    for index, operand in enumerate(expression.operands):
        found: list[tuple[str, Any, bool]] = []
        if operand.name is not None:
            if operand.name in names:
                found = [(operand.name, names[operand.name], True)]
        elif matching and _is_array(arguments[index]):
            found = [(operand.text, arguments[index], False)]
        elif isinstance(error, AttributeError) and _is_array(error.obj):
            found = [(operand.text, error.obj, False)]
        else:
            found = [(n, names[n], True) for n in operand.inside if _is_array(names.get(n))]
        for text, value, is_name in found:
            if text not in seen and len(seen) < MOST_LABELS:
                seen.add(text)
                yield text, value, is_name


def describe(value: object) -> str | None:
    """A value in a few words: dtype and shape of an array, a short text of anything else."""
    if _is_array(value):
        array: Any = value
        dtype = str(array.dtype).removeprefix("torch.")
        if type(value).__name__ != "Tensor":
            return f"ndarray {dtype}{list(array.shape)}"
        where = "" if array.is_cpu else f" on {array.device}"
        return f"{dtype}{list(array.shape)}{where}"
    if callable(value) or _is_module(value):
        return None
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"str of {len(value)} characters"
    if isinstance(value, int) and value.bit_length() > LONGEST_NUMBER:
        return f"int of {value.bit_length()} bits"
    if value is None or isinstance(value, (bool, int, float, complex, str)):
        return repr(value)
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        return f"{type(value).__name__} of {len(value)}"
    return type(value).__name__


def _is_module(value: object) -> bool:
    modules = sys.modules.get("tgrad.runtime.modules")
    return modules is not None and isinstance(value, modules.Namespace)


def _is_array(value: object) -> bool:
    """Is it a tensor or a NumPy array? Neither is imported to find out."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return False
    if isinstance(value, numpy.ndarray):
        return True
    tensors = sys.modules.get("tgrad.core.tensor")
    return tensors is not None and isinstance(value, tensors.Tensor)


def _arguments(frame: FrameType | None) -> list[Any]:
    """The positional arguments of a function of tgrad's that raised the error."""
    if frame is None:
        return []
    code, held = frame.f_code, frame.f_locals
    found = [held.get(name) for name in code.co_varnames[: code.co_argcount]]
    if code.co_flags & 0x4:  # *args
        rest = held.get(code.co_varnames[code.co_argcount + code.co_kwonlyargcount])
        found.extend(rest if isinstance(rest, tuple) else ())
    if code.co_name.startswith("__r") and len(found) == 2 and code.co_name != "__repr__":
        found.reverse()
    return found


class _Parsed(NamedTuple):
    """A piece of source as Python's `ast`, with the way back from its positions."""

    source: Source
    span: Span
    text: str
    node: ast.AST
    lines_above: int

    @classmethod
    def of(cls, source: Source, span: Span) -> _Parsed | None:
        text = _text(source, span)
        found = cls._of_text(source, span, text)
        if found is None and text.startswith("{"):  # a field of an f-string, `{x:.3f}`
            inner = text[1:].partition(":")[0]
            end = span.column + 1 + len(inner)
            span = Span(span.line, span.column + 1, span.line, end)
            return cls._of_text(source, span, inner)
        return found

    @classmethod
    def _of_text(cls, source: Source, span: Span, text: str) -> _Parsed | None:
        for words in (text, text.replace("~=", "==")):  # `~=` compares, as `==` does
            with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
                body = ast.parse(f"(\n{words}\n)", mode="eval").body
                return cls(source, span, text, body, 1)
            with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
                (statement,) = ast.parse(words).body
                return cls(source, span, text, statement, 0)
        return None

    def span_of(self, node: ast.AST) -> Span:
        at: Any = node
        line, column = self._place(at.lineno, at.col_offset)
        end_line, end_column = self._place(at.end_lineno, at.end_col_offset)
        return Span(line, column, end_line, end_column)

    def _place(self, line: int, byte_column: int) -> tuple[int, int]:
        row = line - self.lines_above - 1
        text = self.text.split("\n")[row]
        column = len(text.encode()[:byte_column].decode(errors="replace"))
        return self.span.line + row, column + (self.span.column if row == 0 else 0)

    def operand(self, node: ast.AST) -> Operand:
        name = node.id if isinstance(node, ast.Name) else None
        words = " ".join(_text(self.source, self.span_of(node)).split())
        if len(words) > LONGEST_LABEL:
            words = words[: LONGEST_LABEL - 3] + "..."
        return Operand(words, name, _names_in(node))

    def between(self, left: Span, right: Span, symbol: str) -> Span | None:
        """Where `symbol` stands between two operands, comments aside."""
        for line in range(left.end_line, right.line + 1):
            text = self.source.line(line)
            start = left.end_column if line == left.end_line else 0
            end = right.column if line == right.line else len(text)
            found = text[start:end].partition("#")[0].find(symbol)
            if found >= 0:
                column = start + found
                return Span(line, column, line, column + len(symbol))
        return None


def _text(source: Source, span: Span) -> str:
    lines = [source.line(number) for number in range(span.line, span.end_line + 1)]
    lines[-1] = lines[-1][: span.end_column]
    lines[0] = lines[0][span.column :]
    return "\n".join(lines)


def _names_in(node: ast.AST) -> tuple[str, ...]:
    found = {each.id: None for each in ast.walk(node) if isinstance(each, ast.Name)}
    return tuple(found)


def _take_apart(parsed: _Parsed, at_value: bool) -> Expression | None:
    node = parsed.node
    asked = _what_a_statement_asks_of(node)
    if asked is None and at_value and isinstance(node, ast.expr):
        asked = node
    if asked is not None:
        span = parsed.span_of(asked)
        return Expression(span, [(span, True)], [parsed.operand(asked)])
    if isinstance(node, ast.Expr):
        node = node.value
    if isinstance(node, ast.BinOp):
        return _around(parsed, node.left, OPERATORS[type(node.op)], node.right)
    if isinstance(node, ast.AugAssign):
        return _around(parsed, node.target, OPERATORS[type(node.op)] + "=", node.value)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        symbol = OPERATORS[type(node.ops[0])]
        found = _around(parsed, node.left, symbol, node.comparators[0])
        return found or _around(parsed, node.left, "~=", node.comparators[0])
    if isinstance(node, ast.Call):
        return _call(parsed, node)
    if isinstance(node, ast.Subscript):
        return _subscript(parsed, node)
    if isinstance(node, ast.Attribute):
        return _attribute(parsed, node)
    if isinstance(node, ast.UnaryOp):
        return _unary(parsed, node)
    if isinstance(node, SIMPLE):
        names = [Operand(name, name, ()) for name in _names_in(node)]
        return Expression(parsed.span, [(parsed.span, True)], names)
    return None


def _what_a_statement_asks_of(node: ast.AST) -> ast.expr | None:
    """The expression that a statement as a whole fails at: is it true, can it be gone through?"""
    if isinstance(node, (ast.If, ast.While, ast.Assert)):
        return node.test
    if isinstance(node, ast.For):
        return node.iter
    return node.items[0].context_expr if isinstance(node, ast.With) else None


def _unary(parsed: _Parsed, node: ast.UnaryOp) -> Expression:
    inner, start = parsed.span_of(node.operand), parsed.span
    length = 3 if isinstance(node.op, ast.Not) else 1
    operator = Span(start.line, start.column, start.line, start.column + length)
    return Expression(start, [(operator, True), (inner, False)], [parsed.operand(node.operand)])


def _around(parsed: _Parsed, left: ast.AST, symbol: str, right: ast.AST) -> Expression | None:
    first, second = parsed.span_of(left), parsed.span_of(right)
    operator = parsed.between(first, second, symbol)
    if operator is None:
        return None
    return Expression(
        parsed.span,
        [(first, False), (operator, True), (second, False)],
        [parsed.operand(left), parsed.operand(right)],
    )


def _call(parsed: _Parsed, node: ast.Call) -> Expression:
    function = parsed.span_of(node.func)
    marks = [(function, True)]
    operands: list[Operand] = []
    root = called = None
    if isinstance(node.func, ast.Name):
        called = node.func.id
    elif isinstance(node.func, ast.Attribute):
        root = _root(node.func)
        if root is None:
            end_line, end = function.end_line, function.end_column
            name = Span(end_line, end - len(node.func.attr), end_line, end)
            marks = [(parsed.span_of(node.func.value), False), (name, True)]
            operands.append(parsed.operand(node.func.value))
    for each in (*node.args, *(keyword.value for keyword in node.keywords)):
        given = each.value if isinstance(each, ast.Starred) else each
        marks.append((parsed.span_of(given), False))
        inside = given.elts if isinstance(given, (ast.List, ast.Tuple)) else [given]
        operands.extend(parsed.operand(element) for element in inside)
    return Expression(parsed.span, marks, operands, root, called)


def _root(function: ast.Attribute) -> str | None:
    """The module that a function is read from, by its usual name: `torch` in `torch.linalg.inv`."""
    value: ast.AST = function
    while isinstance(value, ast.Attribute):
        value = value.value
    return value.id if isinstance(value, ast.Name) and value.id in MODULES else None


def _subscript(parsed: _Parsed, node: ast.Subscript) -> Expression:
    value = parsed.span_of(node.value)
    bracket = Span(value.end_line, value.end_column, parsed.span.end_line, parsed.span.end_column)
    inside = _names_in(node.slice)
    return Expression(
        parsed.span,
        [(value, False), (bracket, True)],
        [parsed.operand(node.value), *(Operand(name, name, ()) for name in inside)],
    )


def _attribute(parsed: _Parsed, node: ast.Attribute) -> Expression:
    end_line, end = parsed.span.end_line, parsed.span.end_column
    name = Span(end_line, end - len(node.attr), end_line, end)
    value = parsed.span_of(node.value)
    return Expression(parsed.span, [(value, False), (name, True)], [parsed.operand(node.value)])
