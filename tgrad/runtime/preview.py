"""What an expression would give, worked out without running it.

    preview(session, "y = X @ W + b")     ->  Preview("float32[32, 10]", False)

Only pure expressions have a preview: names, numbers, operators, subscripts, and calls of operators.  They are
evaluated on stand-ins (`tgrad.runtime.standins`), so no tensor of the program is touched, no random number is
drawn and no function of the program is called.  Everything else gives None.
"""

from __future__ import annotations

import ast
import time
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tgrad.core.device import CPU, FOREIGN, Device
from tgrad.core.dtype import DType
from tgrad.core.tensor import Size, Tensor
from tgrad.errors import LinAlgError, TgradError
from tgrad.runtime import callee, scope, standins
from tgrad.runtime.modules import Namespace
from tgrad.runtime.operands import describe
from tgrad.runtime.standins import Unknown
from tgrad.runtime.trace import message_of, name_of

if TYPE_CHECKING:
    from tgrad.runtime.session import Session

LONGEST: Final = 0.03
"""Seconds; what takes longer isn't shown."""

MOST_TEXT: Final = 2000
_PLAIN: Final = (int, float, complex, bool, str, type(None), type(...), DType, Device, Size, slice)
_ELEMENTWISE: Final[dict[type[ast.AST], str]] = {
    ast.Add: "__add__", ast.Sub: "__sub__", ast.Mult: "__mul__", ast.Div: "__truediv__",
    ast.FloorDiv: "__floordiv__", ast.Mod: "__mod__", ast.Pow: "__pow__", ast.BitAnd: "__and__",
    ast.BitOr: "__or__", ast.BitXor: "__xor__", ast.LShift: "__lshift__", ast.RShift: "__rshift__",
    ast.Lt: "__lt__", ast.LtE: "__le__", ast.Gt: "__gt__", ast.GtE: "__ge__", ast.Eq: "__eq__",
    ast.NotEq: "__ne__", ast.USub: "__neg__", ast.UAdd: "__pos__", ast.Invert: "__invert__",
}  # fmt: skip
_OF_TENSOR: Final = frozenset(
    {"T", "mT", "H", "mH", "shape", "dtype", "device", "ndim", "data", "real", "imag", "itemsize", "nbytes"}
)
_QUESTIONS: Final = frozenset({"size", "dim", "numel", "ndimension", "nelement", "element_size"})
_SAME: Final = frozenset({"detach", "clone", "contiguous", "cpu", "cuda"})
_CASTS: Final = frozenset(
    {"to", "type_as", "float", "double", "half", "bfloat16", "int", "long", "short", "bool", "byte"}
)
_CONSTRUCTORS: Final = frozenset({"tensor", "as_tensor"})


class Preview(NamedTuple):
    """What there is to say: `float32[3, 4]`, or an error's kind and sentence."""

    text: str
    error: bool


def preview(session: Session, text: str, longest: float = LONGEST) -> Preview | None:
    """The dtype and shape that the one statement in `text` would give, or the error it would raise."""
    expression = _parsed(text)
    if expression is None:
        return None
    import numpy

    end = time.perf_counter() + longest
    with numpy.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            said = described(_Evaluator(session, end).value(expression))
            found = None if said is None else Preview(said, False)
        except (Unknown, LinAlgError, RecursionError, MemoryError):
            return None
        except _Raised as raised:
            found = Preview(raised.text, True)
        except Exception:  # a mistake in here: say nothing
            return None
    return found if time.perf_counter() <= end else None


def _parsed(text: str) -> ast.expr | None:
    """The expression of a single `expr` or `name = expr`."""
    if len(text) > MOST_TEXT:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            body = ast.parse(text.strip().removesuffix(";")).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    if len(body) != 1:
        return None
    statement = body[0]
    if isinstance(statement, ast.Assign):
        plain = len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name)
        return statement.value if plain and not _is_simple(statement.value) else None
    if isinstance(statement, ast.Expr) and not _is_simple(statement.value):
        return statement.value
    return None


def _is_simple(node: ast.expr) -> bool:
    """A constant or a string says what it is by itself."""
    return isinstance(node, (ast.Constant, ast.JoinedStr))


def described(value: Any) -> str | None:
    """A result in a few words; None for what isn't worth a line."""
    if isinstance(value, Tensor):
        return describe(value)
    if isinstance(value, tuple) and any(isinstance(part, Tensor) for part in value):
        parts = [described(part) or type(part).__name__ for part in value[:4]]
        more = [f"... {len(value) - 4} more"] if len(value) > 4 else []
        if names := scope.fields(value):
            parts = [f"{name}={part}" for name, part in zip(names, parts, strict=False)]
        return f"({', '.join([*parts, *more])})"
    if isinstance(value, (Size, DType)):
        return str(value)
    return None


class _Raised(Exception):  # noqa: N818
    """The expression would raise an error."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.text = f"{name_of(error)}: {message_of(error)}".partition("\n")[0]


class _Evaluator:
    """Evaluates an expression on stand-ins."""

    def __init__(self, session: Session, end: float) -> None:
        self._session = session
        self._end = end

    def value(self, node: ast.AST | None) -> Any:
        """The value of a part of the expression."""
        if time.perf_counter() > self._end:
            raise Unknown
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise Unknown
        return method(node)

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _name(self, node: ast.Name) -> Any:
        return _taken(scope.value_of(self._session, [node.id]))

    def _tuple(self, node: ast.Tuple) -> Any:
        return tuple([self.value(part) for part in node.elts])

    def _list(self, node: ast.List) -> Any:
        return [self.value(part) for part in node.elts]

    def _slice(self, node: ast.Slice) -> Any:
        parts = [None if part is None else self.value(part) for part in (node.lower, node.upper, node.step)]
        if any(isinstance(part, Tensor) for part in parts):
            raise Unknown
        return slice(*parts)

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        return self._operator(node.op, self.value(node.operand))

    def _binop(self, node: ast.BinOp) -> Any:
        return self._operator(node.op, self.value(node.left), self.value(node.right))

    def _compare(self, node: ast.Compare) -> Any:
        if len(node.ops) != 1:
            raise Unknown
        return self._operator(node.ops[0], self.value(node.left), self.value(node.comparators[0]))

    def _operator(self, sign: ast.AST, *operands: Any) -> Any:
        if not any(isinstance(operand, Tensor) for operand in operands):
            return _of_numbers(sign, operands)
        if isinstance(sign, ast.MatMult):
            rows = callee.rows_of("matmul")
            return _tried(standins.call, "matmul", rows, lambda a, b: a @ b, list(operands), {})
        if type(sign) not in _ELEMENTWISE:
            raise Unknown
        return _tried(standins.elementwise, lambda *values: _applied(sign, values), operands, {})

    def _subscript(self, node: ast.Subscript) -> Any:
        value, index = self.value(node.value), self.value(node.slice)
        if not isinstance(value, (Tensor, tuple, list)):
            raise Unknown
        if isinstance(value, Tensor):
            picked = list(standins.tensors_in(index))
            if any(str(tensor.dtype) in ("torch.bool", "torch.uint8") for tensor in picked):
                raise Unknown  # its values say how many
            lists = any(isinstance(part, list) for part in (index if isinstance(index, tuple) else (index,)))
            rest = value.numel() // max(value.shape[0], 1) if value.ndim else 1
            if lists or sum(tensor.numel() for tensor in picked) * rest > standins.BUDGET:
                raise Unknown
        return standins.replaced(_tried(lambda: value[index]))

    def _attribute(self, node: ast.Attribute) -> Any:
        path = _path(node)
        found = scope.UNKNOWN if path is None else scope.value_of(self._session, path)
        if found is not scope.UNKNOWN and not (isinstance(found, Tensor) and node.attr in _OF_TENSOR):
            return _taken(found)
        value = self.value(node.value)
        if not (isinstance(value, Tensor) and node.attr in _OF_TENSOR) and node.attr not in scope.fields(
            value
        ):
            raise Unknown
        return standins.replaced(_tried(getattr, value, node.attr))

    def _call(self, node: ast.Call) -> Any:
        if any(isinstance(part, ast.Starred) for part in node.args):
            raise Unknown
        function = self._method(node) or self._function(node)
        args = [_on_cpu(self.value(part)) for part in node.args]
        named = {part.arg or "": _on_cpu(self.value(part.value)) for part in node.keywords}
        if "" in named:
            raise Unknown
        return function(args, named)

    def _method(self, node: ast.Call) -> Callable[..., Any] | None:
        """The method of a tensor that a call calls, as a function of its arguments; None if it is none."""
        if not isinstance(node.func, ast.Attribute):
            return None
        path = _path(node.func.value)
        if path is not None and isinstance(scope.value_of(self._session, path), Namespace):
            return None
        value, name = self.value(node.func.value), node.func.attr
        if not isinstance(value, Tensor):
            raise Unknown
        rows = callee.method_rows(name)
        if name in _QUESTIONS:
            return lambda args, named: _tried(lambda: getattr(value, name)(*args, **named))
        if name in _SAME:
            return lambda args, named: value
        if name in _CASTS:
            return lambda args, named: _tried(
                standins.elementwise,
                lambda *operands, **more: getattr(operands[0], name)(*operands[1:], **more),
                [value, *args],
                named,
            )
        function = getattr(type(value), name, None)
        return lambda args, named: _tried(standins.call, name, rows, function, [value, *args], named)

    def _function(self, node: ast.Call) -> Callable[..., Any]:
        path = _path(node.func)
        target = None if path is None else callee.find(self._session, path)
        if target is None or target.value is scope.UNKNOWN:
            raise Unknown
        function = target.value
        if target.module == "torch" and target.name in _CONSTRUCTORS:
            return lambda args, named: _constructed(function, args, named)
        return lambda args, named: _tried(standins.call, target.name, target.rows, function, args, named)


def _on_cpu(value: Any) -> Any:
    """An argument; for another device the CPU, where stand-ins are, so that none is woken or waited for."""
    if isinstance(value, Device):
        return CPU
    return "cpu" if isinstance(value, str) and value.partition(":")[0] in FOREIGN else value


def _path(node: ast.AST) -> list[str] | None:
    """`a.b.c` as its names."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return [node.id, *reversed(names)]


def _taken(value: Any, depth: int = 0) -> Any:
    """A value of the program as the evaluation may hold it."""
    if isinstance(value, Tensor):
        return standins.stand_in(value)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple) and len(value) <= 100 and depth < 3:
        return type(value)([_taken(part, depth + 1) for part in value])
    raise Unknown


def _tried(function: Callable[..., Any], *arguments: Any) -> Any:
    """A call whose error is what the expression would raise."""
    try:
        return function(*arguments)
    except (Unknown, LinAlgError, RecursionError, MemoryError):
        raise
    except (TgradError, RuntimeError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise _Raised(error) from None


def _constructed(function: Callable[..., Any], args: list[Any], named: dict[str, Any]) -> Any:
    """`tensor([...])`, which may be given lists of stand-ins as well."""
    if sum(tensor.numel() for tensor in standins.tensors_in(args)) > standins.BUDGET:
        raise Unknown
    return standins.replaced(_tried(lambda: function(*args, **named)))


def _applied(sign: ast.AST, values: tuple[Any, ...]) -> Any:
    """An operator of the language, with what Python does for a number on the left side."""
    import operator

    if len(values) == 1:
        return getattr(operator, _ELEMENTWISE[type(sign)])(values[0])
    return getattr(operator, _ELEMENTWISE[type(sign)])(*values)


def _of_numbers(sign: ast.AST, operands: tuple[Any, ...]) -> Any:
    """Arithmetic of Python's own numbers, where it can't take long; and tuples put together."""
    import operator

    if type(sign) is ast.Add and all(isinstance(operand, tuple) for operand in operands):
        return operands[0] + operands[1]
    if not all(isinstance(operand, (int, float)) for operand in operands):
        raise Unknown
    big = any(abs(operand) > 1e9 for operand in operands)
    if type(sign) not in _ELEMENTWISE or big or (type(sign) in (ast.Pow, ast.LShift) and operands[1] > 100):
        raise Unknown
    try:
        return getattr(operator, _ELEMENTWISE[type(sign)])(*operands)
    except ArithmeticError:
        raise Unknown from None
