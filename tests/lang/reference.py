"""Python's own `ast`, rewritten to what tgrad lowers a plain-Python program to."""

from __future__ import annotations

import ast
import re
import warnings

from tgrad.lang.parser import Parser
from tgrad.lang.program import _Lowering, tables
from tgrad.lang.scan import Scanner
from tgrad.source import Source


class _Collecting(_Lowering):
    """Keeps the nodes instead of compiling them."""

    def __init__(self, source: Source, attributes: frozenset[str]) -> None:
        super().__init__(source, attributes, False)
        self.nodes: list[ast.stmt] = []

    def _compile(self, group: list[ast.stmt]) -> None:
        self.nodes.extend(group)


def lowered(text: str) -> list[ast.stmt]:
    """What tgrad makes of a program, all of whose names are allowed attributes."""
    source = Source("test", text)
    lowering = _Collecting(source, frozenset(re.findall(r"\w+", text)))
    tokens = Scanner(tables()).scan(text.replace("\r\n", "\n").replace("\r", "\n"))
    Parser(tables(), lowering).parse(tokens)
    return lowering.nodes


def _at(node: ast.AST) -> dict[str, int]:
    return {name: getattr(node, name) for name in node._attributes}


def _hidden(name: str, at: dict[str, int], *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load(), **at), list(arguments), [], **at)


class _AsLowered(ast.NodeTransformer):
    """The differences that are meant: imports, annotations, `except:`, `.format`."""

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        for alias in node.names:
            at = _at(alias)
            bound = alias.asname or alias.name.split(".")[0]
            call = _hidden(
                ".import_module",
                at,
                ast.Constant(alias.name, **at),
                ast.Constant(alias.asname is None, **at),
            )
            result.append(ast.Assign([ast.Name(bound, ast.Store(), **at)], call, **_at(node)))
        return result

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        for alias in node.names:
            at = _at(alias)
            call = _hidden(
                ".import_from",
                at,
                ast.Constant(node.module, **at),
                ast.Constant(alias.name, **at),
            )
            name = ast.Name(alias.asname or alias.name, ast.Store(), **at)
            result.append(ast.Assign([name], call, **_at(node)))
        return result

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        self.generic_visit(node)
        if node.value is None:
            node.annotation = ast.Constant(None, **_at(node.annotation))
            return node
        return ast.Assign([node.target], node.value, **_at(node))

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        self.generic_visit(node)
        if node.type is None:
            at = _at(node)
            at["end_lineno"], at["end_col_offset"] = node.lineno, node.col_offset + 6
            node.type = ast.Name(".Exception", ast.Load(), **at)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.JoinedStr:
        self.generic_visit(node)
        # Python 3.12 leaves empty texts behind fields in formats.
        node.values = [
            part for part in node.values if not (isinstance(part, ast.Constant) and not part.value)
        ]
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        if node.attr == "format" and isinstance(node.ctx, ast.Load):
            return _hidden(".format", _at(node), node.value)
        return node


def expected(text: str) -> list[ast.stmt]:
    """What Python makes of the same program, with the differences that are meant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python finds `1if x` and "\d" odd
        module = _AsLowered().visit(ast.parse(text))
    return list(module.body)


class _WithoutStringPlaces(ast.NodeTransformer):
    """Takes the places out of f-strings, which Python 3.11 only knows roughly."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        for inner in ast.walk(node):
            for name in inner._attributes:
                setattr(inner, name, 0)
        return node


def dumped(nodes: list[ast.stmt], fstring_places: bool) -> list[str]:
    """The nodes as text, one for each statement."""
    if not fstring_places:
        nodes = [_WithoutStringPlaces().visit(node) for node in nodes]
    return [ast.dump(node, include_attributes=True) for node in nodes]
