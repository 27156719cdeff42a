"""Expressions: one method for each form of the grammar's section "Expressions"."""

from __future__ import annotations

import ast
from typing import Any

from tgrad.lang.lowering.base import LOAD, STORE, Identifier, at_of
from tgrad.lang.lowering.strings import Strings
from tgrad.lang.parser import At

OPERATORS: dict[str, ast.operator] = {
    "+": ast.Add(),
    "-": ast.Sub(),
    "*": ast.Mult(),
    "/": ast.Div(),
    "//": ast.FloorDiv(),
    "%": ast.Mod(),
    "@": ast.MatMult(),
    "**": ast.Pow(),
    "<<": ast.LShift(),
    ">>": ast.RShift(),
    "&": ast.BitAnd(),
    "|": ast.BitOr(),
    "^": ast.BitXor(),
}
_UNARY: dict[str, ast.unaryop] = {"+": ast.UAdd(), "-": ast.USub(), "~": ast.Invert()}
_COMPARATORS: dict[str, ast.cmpop] = {
    "<": ast.Lt(),
    ">": ast.Gt(),
    "<=": ast.LtE(),
    ">=": ast.GtE(),
    "==": ast.Eq(),
    "!=": ast.NotEq(),
    "in": ast.In(),
    "not in": ast.NotIn(),
    "is": ast.Is(),
    "is not": ast.IsNot(),
}
_NOT, _AND, _OR = ast.Not(), ast.And(), ast.Or()
CLOSE = "~="


class Expressions(Strings):
    """Methods for expressions.  A value is the node; a place covers the whole form."""

    # -- atoms

    def name(self, at: At, text: str) -> ast.expr:
        return ast.Name(self.checked_name(text, at), LOAD, **at)

    def identifier(self, at: At, text: str) -> Identifier:
        return self.checked_name(text, at), at

    def integer(self, at: At, text: str) -> ast.expr:
        try:
            return ast.Constant(int(text, 0), **at)
        except ValueError:
            if text[0] == "0" and text[1:2].isdigit():
                self.fail(
                    "a whole number cannot begin with 0",
                    at,
                    f"Write {text.lstrip('0_') or '0'}, or 0o{text.lstrip('0_')} for an octal one.",
                )
            self.fail(f"this number has too many digits ({len(text)})", at)

    def float_number(self, at: At, text: str) -> ast.expr:
        return ast.Constant(float(text), **at)

    def imaginary(self, at: At, text: str) -> ast.expr:
        return ast.Constant(complex(text.replace("_", "")), **at)

    def ellipsis(self, at: At) -> ast.expr:
        return ast.Constant(..., **at)

    def none(self, at: At) -> ast.expr:
        return ast.Constant(None, **at)

    def true(self, at: At) -> ast.expr:
        return ast.Constant(True, **at)

    def false(self, at: At) -> ast.expr:
        return ast.Constant(False, **at)

    def parenthesized(self, at: At, value: ast.expr) -> ast.expr:
        return value

    # -- displays and comprehensions

    def tuple_display(self, at: At, *elements: ast.expr) -> ast.expr:
        return ast.Tuple(list(elements), LOAD, **at)

    def list_display(self, at: At, *elements: ast.expr) -> ast.expr:
        return ast.List(list(elements), LOAD, **at)

    def set_display(self, at: At, *elements: ast.expr) -> ast.expr:
        return ast.Set(list(elements), **at)

    def dict_display(self, at: At, *pairs: tuple[ast.expr | None, ast.expr]) -> ast.expr:
        return ast.Dict([key for key, _ in pairs], [value for _, value in pairs], **at)

    def pair(self, at: At, key: ast.expr, value: ast.expr) -> tuple[ast.expr | None, ast.expr]:
        return key, value

    def pairs_of(self, at: At, value: ast.expr) -> tuple[ast.expr | None, ast.expr]:
        return None, value

    def starred(self, at: At, value: ast.expr) -> ast.expr:
        return ast.Starred(value, LOAD, **at)

    def comprehension(self, at: At, *clauses: ast.comprehension) -> Any:
        return [*clauses]

    def comprehension_clause(
        self, at: At, target: ast.expr, iterable: ast.expr, *conditions: ast.expr
    ) -> ast.comprehension:
        return ast.comprehension(self.target(target, STORE), iterable, [*conditions], 0)

    def comprehension_condition(self, at: At, condition: ast.expr) -> ast.expr:
        return condition

    def generator(self, at: At, element: ast.expr, clauses: Any) -> ast.expr:
        return ast.GeneratorExp(element, clauses, **at)

    def list_comprehension(self, at: At, element: ast.expr, clauses: Any) -> ast.expr:
        return ast.ListComp(element, clauses, **at)

    def set_comprehension(self, at: At, element: ast.expr, clauses: Any) -> ast.expr:
        return ast.SetComp(element, clauses, **at)

    def dict_comprehension(self, at: At, key: ast.expr, value: ast.expr, clauses: Any) -> ast.expr:
        return ast.DictComp(key, value, clauses, **at)

    # -- what follows a value

    def attribute(self, at: At, value: ast.expr, name: str) -> ast.expr:
        return self.attribute_of(value, self.checked_attribute(name, at), at)

    def call(self, at: At, function: ast.expr, arguments: Any = None) -> ast.expr:
        positional, keywords = arguments or ([], [])
        return ast.Call(function, positional, keywords, **at)

    def call_with_generator(self, at: At, function: ast.expr, argument: ast.expr) -> ast.expr:
        return ast.Call(function, [argument], [], **at)

    def arguments(self, at: At, *arguments: Any) -> Any:
        positional: Any = []
        keywords: Any = []
        seen: Any = {}
        double_star = False
        for argument in arguments:
            if isinstance(argument, ast.keyword):
                if argument.arg is None:
                    double_star = True
                elif argument.arg in seen:
                    self.fail(f"the argument '{argument.arg}' is given twice", _at(argument))
                seen[argument.arg] = True
                keywords.append(argument)
            elif isinstance(argument, ast.Starred):
                if double_star:
                    self.fail("an argument with * stands after one with **", at_of(argument))
                positional.append(argument)
            elif keywords:
                what = "an argument with **" if double_star else "one with a name"
                self.fail(f"an argument without a name stands after {what}", at_of(argument))
            else:
                positional.append(argument)
        return positional, keywords

    def argument(self, at: At, value: ast.expr) -> ast.expr:
        return value

    def argument_named(self, at: At, name: Identifier, value: ast.expr) -> ast.keyword:
        return ast.keyword(name[0], value, **at)

    def argument_star(self, at: At, value: ast.expr) -> ast.expr:
        return ast.Starred(value, LOAD, **at)

    def argument_double_star(self, at: At, value: ast.expr) -> ast.keyword:
        return ast.keyword(None, value, **at)

    def subscript(self, at: At, value: ast.expr, index: ast.expr) -> ast.expr:
        return ast.Subscript(value, index, LOAD, **at)

    def subscript_alone(self, at: At, index: ast.expr) -> ast.expr:
        if isinstance(index, ast.Starred):
            return ast.Tuple([index], LOAD, **at)
        return index

    def subscript_tuple(self, at: At, *indices: ast.expr) -> ast.expr:
        return ast.Tuple([*indices], LOAD, **at)

    def slice(self, at: At, *parts: tuple[str, ast.expr]) -> ast.expr:
        given = dict(parts)
        return ast.Slice(given.get("lower"), given.get("upper"), given.get("step"), **at)

    def slice_lower(self, at: At, value: ast.expr) -> tuple[str, ast.expr]:
        return "lower", value

    def slice_upper(self, at: At, value: ast.expr) -> tuple[str, ast.expr]:
        return "upper", value

    def slice_step(self, at: At, value: ast.expr) -> tuple[str, ast.expr]:
        return "step", value

    # -- operators

    def binary(self, at: At, left: ast.expr, sign: str, right: ast.expr) -> ast.expr:
        return ast.BinOp(left, OPERATORS[sign], right, **at)

    def unary(self, at: At, sign: str, operand: ast.expr) -> ast.expr:
        return ast.UnaryOp(_UNARY[sign], operand, **at)

    def inversion(self, at: At, operand: ast.expr) -> ast.expr:
        return ast.UnaryOp(_NOT, operand, **at)

    def conjunction(self, at: At, *operands: ast.expr) -> ast.expr:
        return ast.BoolOp(_AND, [*operands], **at)

    def disjunction(self, at: At, *operands: ast.expr) -> ast.expr:
        return ast.BoolOp(_OR, [*operands], **at)

    def comparator(self, at: At, *words: str) -> tuple[str, At]:
        return " ".join(words), at

    def comparison(self, at: At, left: ast.expr, *rest: Any) -> ast.expr:
        signs, operands = rest[::2], rest[1::2]
        for sign, where in signs:
            if sign == CLOSE and len(signs) > 1:
                self.fail(
                    "'~=' cannot be chained with another comparison",
                    where,
                    "Write `a < b and b ~= c`.",
                )
        if signs[0][0] == CLOSE:
            return self.hidden("close", at, left, operands[0])
        return ast.Compare(left, [_COMPARATORS[sign] for sign, _ in signs], [*operands], **at)

    def conditional(
        self, at: At, value: ast.expr, condition: ast.expr, otherwise: ast.expr
    ) -> ast.expr:
        return ast.IfExp(condition, value, otherwise, **at)

    def named(self, at: At, name: Identifier, value: ast.expr) -> ast.expr:
        return ast.NamedExpr(ast.Name(name[0], STORE, **name[1]), value, **at)

    def yield_nothing(self, at: At) -> ast.expr:
        return ast.Yield(None, **at)

    def yield_value(self, at: At, value: ast.expr) -> ast.expr:
        return ast.Yield(value, **at)

    def yield_from(self, at: At, value: ast.expr) -> ast.expr:
        return ast.YieldFrom(value, **at)


def _at(node: ast.keyword) -> At:
    return {
        "lineno": node.lineno,
        "col_offset": node.col_offset,
        "end_lineno": node.end_lineno or node.lineno,
        "end_col_offset": node.end_col_offset or 0,
    }
