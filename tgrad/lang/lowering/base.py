"""What all parts of the lowering share: places, errors, names, hidden helpers, targets."""

from __future__ import annotations

import ast
from typing import NoReturn

from tgrad.errors import AccessError, ProgramSyntaxError
from tgrad.lang.names import SETTABLE_ATTRIBUTES, attribute_exists, name_exists
from tgrad.lang.parser import At
from tgrad.source import Source, Span

LOAD = ast.Load()
STORE = ast.Store()
DELETE = ast.Del()
Identifier = tuple[str, At]
"""A name that is bound or given, and where it stands."""


def at_of(node: ast.expr | ast.stmt) -> At:
    """Where a node stands."""
    return {
        "lineno": node.lineno,
        "col_offset": node.col_offset,
        "end_lineno": node.end_lineno or node.lineno,
        "end_col_offset": node.end_col_offset or 0,
    }


class Base:
    """One program being lowered.  Raises ProgramSyntaxError and AccessError with their places."""

    def __init__(self, source: Source, attributes: frozenset[str]) -> None:
        self.source = source
        self.attributes = attributes
        self.rewritten: dict[ast.expr, tuple[ast.expr, str]] = {}
        """Calls that stand for an attribute: the value and the attribute's name."""

    # -- errors

    def span(self, at: At) -> Span:
        return self.source.span_of_bytes(
            at["lineno"], at["col_offset"], at["end_lineno"], at["end_col_offset"]
        )

    def fail(self, message: str, at: At, hint: str | None = None) -> NoReturn:
        raise ProgramSyntaxError(message, source=self.source, span=self.span(at), hint=hint)

    def deny(self, message: str, at: At, hint: str | None = None) -> NoReturn:
        raise AccessError(message, source=self.source, span=self.span(at), hint=hint)

    def refuse_star(self, value: ast.expr) -> None:
        """Raises for a starred value where it would become arguments of a helper."""
        if isinstance(value, ast.Starred):
            self.fail("a starred expression cannot stand here", at_of(value), "Write `*a,`.")

    # -- names

    def checked_name(self, name: str, at: At) -> str:
        """The name, if a program may use it."""
        if name.startswith("__") and not name_exists(name):
            self.deny(
                f"'{name}' is not available",
                at,
                "Names that begin and end with two underscores belong to Python's insides.",
            )
        return name

    def checked_attribute(self, name: str, at: At) -> str:
        """The attribute's name, if its underscores allow it; `at` ends where the name ends."""
        if name.startswith("_") and not attribute_exists(name):
            where: At = {**at, "lineno": at["end_lineno"]}
            size = len(name.encode())
            where["col_offset"] = max(0, at["end_col_offset"] - size)
            self.deny(
                f"attribute '{name}' is not available",
                where,
                "Attributes that begin with an underscore don't exist for a program.",
            )
        return name

    def hidden(self, name: str, at: At, *arguments: ast.expr) -> ast.Call:
        """A call of one of the runtime's helpers, whose names begin with a dot."""
        return ast.Call(ast.Name(f".{name}", LOAD, **at), list(arguments), [], **at)

    def attribute_of(self, value: ast.expr, name: str, at: At) -> ast.expr:
        """An attribute being read: directly if it is on the allowlist, else by a helper."""
        if name == "format":
            node = self.hidden("format", at, value)
        elif name == "__class__":
            node = self.hidden("class", at, value)
        elif name in self.attributes or name.startswith("_"):
            return ast.Attribute(value, name, LOAD, **at)
        else:
            node = self.hidden("missing", at, value, ast.Constant(name, **at))
        self.rewritten[node] = (value, name)
        return node

    # -- targets

    def target(self, node: ast.expr, context: ast.Store | ast.Del, hint: str = "") -> ast.expr:
        """The expression as something to assign to or to delete.  Raises what cannot be one."""
        if isinstance(node, ast.Name):
            node.ctx = context
            return node
        result = self._target(node, context, hint)
        pending = [result]
        while pending:
            outer = pending.pop()
            if isinstance(outer, ast.Starred):
                outer.value = self._target(outer.value, context, hint)
                pending.append(outer.value)
            elif isinstance(outer, (ast.Tuple, ast.List)):
                outer.elts = [self._target(inner, context, hint) for inner in outer.elts]
                pending.extend(outer.elts)
        return result

    def _target(self, node: ast.expr, context: ast.Store | ast.Del, hint: str) -> ast.expr:
        if node in self.rewritten:
            return self._attribute_target(*self.rewritten[node], at_of(node), context)
        if isinstance(node, ast.Attribute):
            if node.attr not in SETTABLE_ATTRIBUTES:
                return self._attribute_target(node.value, node.attr, at_of(node), context)
            node.ctx = context
        elif isinstance(node, ast.Starred):
            if isinstance(context, ast.Del):
                self.fail("cannot delete a starred expression", at_of(node))
            node.ctx = context
        elif isinstance(node, (ast.Name, ast.Subscript, ast.Tuple, ast.List)):
            node.ctx = context
        else:
            verb = "delete" if isinstance(context, ast.Del) else "assign to"
            self.fail(f"cannot {verb} {what_it_is(node)}", at_of(node), hint or None)
        return node

    def _attribute_target(
        self, value: ast.expr, name: str, at: At, context: ast.Store | ast.Del
    ) -> ast.expr:
        if name in SETTABLE_ATTRIBUTES:
            return ast.Attribute(value, name, context, **at)
        if name == "__class__":
            self.deny("'__class__' can't be changed", at, "A value keeps its class.")
        # What a value lets programs assign is decided when it runs, in `.attributes(value)[name]`.
        attributes = self.hidden("attributes", at, value)
        return ast.Subscript(attributes, ast.Constant(name, **at), context, **at)


_KINDS: dict[type[ast.expr], str] = {
    ast.Call: "a function call",
    ast.BinOp: "an expression",
    ast.UnaryOp: "an expression",
    ast.BoolOp: "an expression",
    ast.Compare: "a comparison",
    ast.IfExp: "a conditional expression",
    ast.Lambda: "a lambda",
    ast.JoinedStr: "an f-string",
    ast.Dict: "a dict",
    ast.Set: "a set",
    ast.GeneratorExp: "a generator expression",
    ast.ListComp: "a list comprehension",
    ast.SetComp: "a set comprehension",
    ast.DictComp: "a dict comprehension",
    ast.NamedExpr: "a named expression",
    ast.Yield: "a yield expression",
    ast.YieldFrom: "a yield expression",
    ast.Slice: "a slice",
}


def what_it_is(node: ast.expr) -> str:
    """A noun for an expression, as an error sentence needs it."""
    if isinstance(node, ast.Constant):
        value = node.value
        if value is None or value is True or value is False:
            return str(value)
        if value is ...:
            return "'...'"
        return "a string" if isinstance(value, (str, bytes)) else "a number"
    return _KINDS.get(type(node), "this")
