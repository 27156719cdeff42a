"""A text as a program: statements that can be run one after the other."""

from __future__ import annotations

import ast
import warnings
from types import CodeType
from typing import Any, Literal, NoReturn

from tgrad.errors import AccessError, ProgramSyntaxError
from tgrad.lang.lowering.base import at_of
from tgrad.lang.lowering.functions import Functions
from tgrad.lang.parser import At, Parser, UnexpectedTokenError
from tgrad.lang.result import Program, Statement
from tgrad.lang.scan import Scanner
from tgrad.lang.tables import Tables, load
from tgrad.source import Source, Span

_COMPILER_SENTENCES = {
    "'break' outside loop": "`break` stands outside of a loop",
    "'continue' not properly in loop": "`continue` stands outside of a loop",
    "'return' outside function": "`return` stands outside of a function",
    "'yield' outside function": "`yield` stands outside of a function",
    "nonlocal declaration not allowed at module level": "`nonlocal` stands outside of a function",
    "too many statically nested blocks": "too many blocks inside of each other",
    "can't use starred expression here": "a starred expression cannot stand here",
    "multiple starred expressions in assignment": "only one target can have a *",
}


class _Lowering(Functions):
    """The whole of the lowering: compiles each statement as soon as it is read."""

    def __init__(self, source: Source, attributes: frozenset[str], show: bool) -> None:
        super().__init__(source, attributes)
        self.show = show
        self.done: list[Statement] = []

    def program(self, at: At, *statements: Any) -> list[Statement]:
        return self.done

    def top_statement(self, at: At, statement: Any) -> None:
        if isinstance(statement, ast.stmt):
            groups = [[statement]]
        elif statement and isinstance(statement[0], ast.stmt):
            groups = [statement]
        else:
            groups = statement
        for group in groups:
            self._compile(group)

    def _compile(self, group: list[ast.stmt]) -> None:
        first = group[0]
        span = self._extent(group)
        name, shown = None, False
        if isinstance(first, ast.Expr) and len(group) == 1:
            name = first.value.id if isinstance(first.value, ast.Name) else None
            shown = self.show and first not in self.quiet
        if self.returns:
            self.fail("`return` stands outside of a function", at_of(self.returns[0]))
        body = self._finished(group)
        self.done.append(Statement(self._code(body, span), span, span.line, name, shown))

    def _extent(self, group: list[ast.stmt]) -> Span:
        at = at_of(group[0])
        if group[0] in self.starts:
            start = self.starts[group[0]]
            at["lineno"], at["col_offset"] = start["lineno"], start["col_offset"]
        last = at_of(group[-1])
        at["end_lineno"], at["end_col_offset"] = last["end_lineno"], last["end_col_offset"]
        return self.span(at)

    def _finished(self, group: list[ast.stmt]) -> list[ast.stmt]:
        """The statements with what depends on standing outside of functions: shown values,
        annotations without a value, and texts that Python would take for a docstring."""
        body = [self._outside(statement) for statement in group]
        if not (self.show or self.bare):
            return body
        pending: list[Any] = [*body]
        while pending:
            node = pending.pop()
            for field in ("body", "orelse", "finalbody", "handlers"):
                inner = getattr(node, field, None)
                if isinstance(inner, list) and not isinstance(node, ast.FunctionDef):
                    inner[:] = [self._outside(statement) for statement in inner]
                    pending.extend(inner)
        return body

    def _outside(self, statement: Any) -> Any:
        if isinstance(statement, ast.Expr):
            if self.show and statement not in self.quiet and not self._is_helper(statement.value):
                at = at_of(statement.value)
                return ast.Expr(self.hidden("show", at, statement.value), **at_of(statement))
            if isinstance(statement.value, ast.Constant):
                return ast.Pass(**at_of(statement))
        elif statement in self.bare:
            return ast.Pass(**at_of(statement))
        return statement

    def _is_helper(self, value: ast.expr) -> bool:
        """Whether the lowering itself made this expression a statement: an assertion."""
        return (
            isinstance(value, ast.Call)
            and isinstance(value.func, ast.Name)
            and value.func.id in (".assert_close", ".show")
        )

    def _code(self, body: list[ast.stmt], span: Span) -> CodeType:
        try:
            return compile(
                ast.Module(body, []), self.source.name, "exec", dont_inherit=True, optimize=0
            )
        except (RecursionError, MemoryError):
            raise ProgramSyntaxError(
                "this statement is nested too deeply", source=self.source, span=span
            ) from None
        except SyntaxError as error:
            self._refused(error, span)
        except (ValueError, OverflowError) as error:
            raise ProgramSyntaxError(str(error), source=self.source, span=span) from None

    def _refused(self, error: SyntaxError, span: Span) -> NoReturn:
        """Reports what Python's compiler found: `break` outside of a loop and the like."""
        if error.lineno is not None and error.offset is not None:
            begin = max(error.offset - 1, 0)
            end_line, end = error.end_lineno or error.lineno, error.end_offset or 0
            if (end_line, end - 1) <= (error.lineno, begin):
                end_line, end = error.lineno, begin + 2
            span = self.source.span_of_bytes(error.lineno, begin, end_line, end - 1)
        message = error.msg or "this statement cannot be compiled"
        message = _COMPILER_SENTENCES.get(message, message)
        raise ProgramSyntaxError(message, source=self.source, span=span) from None


_tables: list[Tables] = []


def tables() -> Tables:
    """The parser's tables, read once."""
    if not _tables:
        _tables.append(load())
    return _tables[0]


def completeness(text: str) -> Literal["complete", "incomplete", "invalid"]:
    """Whether a text is a program, the beginning of one, or neither.

    A prompt asks this to decide whether Enter runs what was typed or opens another line.
    """
    try:
        compile_program(Source("<text>", text), attributes=frozenset())
    except ProgramSyntaxError as error:
        return "incomplete" if error.incomplete else "invalid"
    except AccessError:
        return "invalid"
    return "complete"


def compile_program(source: Source, *, attributes: frozenset[str], show: bool = False) -> Program:
    """Compiles a text.

    `attributes` are the names of attributes that a program may read directly; reading another
    calls the hidden helper `.missing`.  With `show`, each expression at the top level (also inside
    of its blocks, not in functions) is handed to `.show`, unless a `;` ends its line.

    Raises ProgramSyntaxError, whose `incomplete` tells whether more text could complete the
    program, and AccessError where the program names what no program may.
    """
    text = source.text.replace("\r\n", "\n").replace("\r", "\n")
    parsed = tables()
    tokens = Scanner(parsed).scan(text)
    lowering = _Lowering(source, attributes, show)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            Parser(parsed, lowering).parse(tokens)
        except UnexpectedTokenError as unexpected:
            from tgrad.lang.mistakes import explain

            raise explain(source, parsed, tokens, unexpected) from None
    return Program(source, tuple(lowering.done), tuple(lowering.program_parameters))
