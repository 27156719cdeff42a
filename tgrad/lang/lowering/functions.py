"""Functions: parameters, lambda, decorators, and the checks that annotations ask for."""

from __future__ import annotations

import ast
import sys
from typing import Any, NamedTuple

from tgrad.lang.lowering.base import LOAD, Identifier, at_of
from tgrad.lang.lowering.statements import Block, Statements
from tgrad.lang.parser import At


class FunctionParameter(NamedTuple):
    """One parameter of a function; `kind` is "", "*", "**", "star" (a bare one) or "slash"."""

    kind: str
    name: str
    at: At
    annotation: ast.expr | None = None
    default: ast.expr | None = None


class Functions(Statements):
    """Methods for functions; `parameters` gives Python's arguments and the checks at entry."""

    # -- parameters

    def parameter(self, at: At, name: Identifier) -> FunctionParameter:
        return FunctionParameter("", name[0], at)

    def parameter_default(self, at: At, name: Identifier, default: ast.expr) -> FunctionParameter:
        return FunctionParameter("", name[0], name[1], None, default)

    def parameter_annotated(
        self, at: At, name: Identifier, annotation: ast.expr
    ) -> FunctionParameter:
        return FunctionParameter("", name[0], at, annotation)

    def parameter_annotated_default(
        self, at: At, name: Identifier, annotation: ast.expr, default: ast.expr
    ) -> FunctionParameter:
        where: At = {**name[1], "end_lineno": annotation.end_lineno or annotation.lineno}
        where["end_col_offset"] = annotation.end_col_offset or 0
        return FunctionParameter("", name[0], where, annotation, default)

    def parameter_rest(
        self, at: At, name: Identifier, annotation: ast.expr | None = None
    ) -> FunctionParameter:
        where: At = {**at, "lineno": name[1]["lineno"], "col_offset": name[1]["col_offset"]}
        return FunctionParameter("*", name[0], where, annotation)

    def parameter_keywords(
        self, at: At, name: Identifier, annotation: ast.expr | None = None
    ) -> FunctionParameter:
        return self.parameter_rest(at, name, annotation)._replace(kind="**")

    def parameter_star(self, at: At) -> FunctionParameter:
        return FunctionParameter("star", "", at)

    def parameter_slash(self, at: At) -> FunctionParameter:
        return FunctionParameter("slash", "", at)

    def parameters(
        self, at: At, *parameters: FunctionParameter
    ) -> tuple[ast.arguments, tuple[FunctionParameter, ...]]:
        self._check_order(parameters)
        result = ast.arguments([], [], None, [], [], None, [])
        keyword_only = False
        for parameter in parameters:
            kind = parameter.kind
            if kind == "slash":
                result.posonlyargs, result.args = result.args, []
            elif kind in ("star", "*"):
                keyword_only = True
                result.vararg = self._arg(parameter) if kind == "*" else None
            elif kind == "**":
                result.kwarg = self._arg(parameter)
            elif keyword_only:
                result.kwonlyargs.append(self._arg(parameter))
                defaults: Any = result.kw_defaults
                defaults.append(parameter.default)
            else:
                result.args.append(self._arg(parameter))
                if parameter.default:
                    result.defaults.append(parameter.default)
        return result, parameters

    def _arg(self, parameter: FunctionParameter) -> ast.arg:
        return ast.arg(parameter.name, None, **parameter.at)

    def _check_order(self, parameters: tuple[FunctionParameter, ...]) -> None:
        names: set[str] = set()
        before = ""
        with_default = False
        for index, parameter in enumerate(parameters):
            kind, at = parameter.kind, parameter.at
            if parameter.name in names:
                self.fail(f"two parameters are named '{parameter.name}'", at)
            if parameter.name:
                names.add(parameter.name)
            if before == "**":
                self.fail("no parameter can stand after the one with **", at)
            if kind == "slash" and (before or index == 0 or _has_slash(parameters[:index])):
                self.fail("'/' stands once, after the first parameters and before '*'", at)
            if kind in ("*", "star") and before:
                self.fail("only one parameter can have a *", at)
            last = index + 1 == len(parameters)
            if kind == "star" and (last or parameters[index + 1].kind == "**"):
                self.fail("after a bare * stand parameters that are given by name", at)
            if kind == "" and not before:
                if with_default and parameter.default is None:
                    name = f"parameter '{parameter.name}'"
                    self.fail(f"{name} without a default follows one with a default", at)
                with_default = with_default or parameter.default is not None
            if kind in ("*", "star", "**"):
                before = kind

    # -- functions

    def function_expression(self, at: At, parameters: Any, value: ast.expr) -> ast.expr:
        return ast.Lambda(parameters[0], value, **at)

    def function(self, at: At, name: Identifier, parameters: Any, block: Block) -> ast.stmt:
        return self._function(at, name, parameters, block, None)

    def function_with_result(
        self, at: At, name: Identifier, parameters: Any, result: ast.expr, block: Block
    ) -> ast.stmt:
        return self._function(at, name, parameters, block, result)

    def _function(
        self, at: At, name: Identifier, parameters: Any, block: Block, result: ast.expr | None
    ) -> ast.stmt:
        arguments, listed = parameters
        returns = self._returns_since(at)
        if result is not None:
            self._check_results(returns, result, name[0])
        checks = self._checks(listed)
        if checks and _is_text(block[0]):
            checks.insert(0, block.pop(0))
        return _definition(name[0], arguments, checks + block, at)

    def _returns_since(self, at: At) -> list[ast.Return]:
        begin = (at["lineno"], at["col_offset"])
        inside = [node for node in self.returns if (node.lineno, node.col_offset) >= begin]
        self.returns = self.returns[: len(self.returns) - len(inside)]
        return inside

    def _checks(self, parameters: tuple[FunctionParameter, ...]) -> Block:
        """Statements at the beginning of a function that check its arguments."""
        checks: Block = []
        for parameter in parameters:
            if parameter.annotation is None:
                continue
            check = self.check_of(parameter.annotation)
            if check and not parameter.kind:
                value = ast.Name(parameter.name, LOAD, **parameter.at)
                call = self.checked(value, check, parameter.name, parameter.at)
                checks.append(ast.Expr(call, **parameter.at))
        return checks

    def _check_results(self, returns: list[ast.Return], result: ast.expr, name: str) -> None:
        for node in returns:
            check = self.check_of(result)
            if check and node.value is not None:
                node.value = self.checked(node.value, check, f"{name}()", at_of(node.value))

    def decorator(self, at: At, value: ast.expr) -> ast.expr:
        return value

    def decorated(self, at: At, *parts: Any) -> ast.stmt:
        function: ast.FunctionDef = parts[-1]
        function.decorator_list = [*parts[:-1]]
        self.starts[function] = at
        return function


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a function's documentation, which must stay its first."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _has_slash(parameters: tuple[FunctionParameter, ...]) -> bool:
    return any(parameter.kind == "slash" for parameter in parameters)


def _definition(name: str, arguments: ast.arguments, body: Block, at: At) -> ast.FunctionDef:
    if sys.version_info >= (3, 12):
        return ast.FunctionDef(name, arguments, body, [], None, None, [], **at)
    return ast.FunctionDef(name, arguments, body, [], None, None, **at)
