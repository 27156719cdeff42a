"""tgrad's own: checked annotations, `param`, `~=` in an assertion."""

from __future__ import annotations

import ast
from typing import Any

from tgrad.lang.lowering.base import STORE, Identifier, at_of
from tgrad.lang.lowering.expressions import Expressions
from tgrad.lang.names import BARE_DTYPE_NAMES, DTYPE_NAMES, PARAMETER_TYPES, TENSOR_NAMES
from tgrad.lang.parser import At
from tgrad.lang.result import Parameter
from tgrad.source import Source


class Annotations(Expressions):
    """Methods for what follows a colon behind a name."""

    def __init__(self, source: Source, attributes: frozenset[str]) -> None:
        super().__init__(source, attributes)
        self.program_parameters: list[Parameter] = []
        self.quiet: set[ast.stmt] = set()
        """Expression statements whose value is not shown."""
        self.bare: set[ast.stmt] = set()
        """Annotations without a value, such as `x: int`."""
        self.returns: list[ast.Return] = []
        """Return statements of functions that are not complete yet."""
        self.unbracketed: set[ast.expr] = set()
        """Tuples of targets without brackets around them."""
        self.starts: dict[ast.stmt, At] = {}
        """Where decorated functions begin: at the first decorator."""
        self.catch_all: dict[ast.ExceptHandler, At] = {}

    # -- annotations of variables

    def annotation(self, at: At, target: ast.expr, annotation: ast.expr) -> list[ast.stmt]:
        changed: Any = self._annotated(target)
        self.check_of(annotation)
        nothing = ast.Constant(None, **at_of(annotation))
        node = ast.AnnAssign(changed, nothing, None, int(isinstance(changed, ast.Name)), **at)
        self.bare.add(node)
        return [node]

    def annotated_assignment(
        self, at: At, target: ast.expr, annotation: ast.expr, value: ast.expr
    ) -> list[ast.stmt]:
        label = self.text_of(target)
        changed = self._annotated(target)
        check = self.check_of(annotation)
        if check:
            value = self.checked(value, check, label, at_of(value))
        return [ast.Assign([changed], value, **at)]

    def _annotated(self, target: ast.expr) -> ast.expr:
        if isinstance(target, (ast.Tuple, ast.List, ast.Starred)):
            self.fail("only a single name can be annotated", at_of(target))
        return self.target(target, STORE, "An annotation stands behind a name: `x: float32[3]`.")

    # -- checked annotations

    def check_of(self, annotation: ast.expr) -> tuple[ast.expr, ast.expr] | None:
        """The dtype and the sizes that an annotation asks for, or None if it is an ordinary one."""
        base, sizes = annotation, None
        if isinstance(annotation, ast.Subscript):
            base, sizes = annotation.value, annotation.slice
        name, qualified = "", False
        if isinstance(base, ast.Name):
            name = base.id
        elif isinstance(base, ast.Attribute) and isinstance(base.value, ast.Name):
            name, qualified = base.attr, base.value.id in ("torch", "tgrad")
            if not qualified:
                return None
        at = at_of(annotation)
        if name in (DTYPE_NAMES if qualified else BARE_DTYPE_NAMES):
            dtype = base
        elif name in TENSOR_NAMES and sizes is not None:
            dtype = ast.Constant(None, **at_of(base))
        else:
            return None
        if sizes is None:
            return dtype, ast.Constant(None, **at)
        return dtype, self._sizes(sizes)

    def _sizes(self, sizes: ast.expr) -> ast.expr:
        listed = sizes.elts if isinstance(sizes, ast.Tuple) else [sizes]
        values: list[Any] = []
        for size in listed:
            if isinstance(size, ast.Name):
                values.append(size.id)
            elif isinstance(size, ast.Constant) and (
                type(size.value) is int or (size.value is ... and ... not in values)
            ):
                values.append(size.value)
            else:
                self.fail(
                    "a size in a checked annotation is a whole number, a name or one `...`",
                    at_of(size),
                )
        dimensions: Any = tuple(values)
        return ast.Constant(dimensions, **at_of(sizes))

    def checked(
        self, value: ast.expr, check: tuple[ast.expr, ast.expr], label: str, at: At
    ) -> ast.expr:
        """The value, checked when the program runs."""
        self.refuse_star(value)
        return self.hidden("check", at, value, *check, ast.Constant(label, **at))

    # -- parameters of the program

    def parameter_required(
        self, at: At, word: str, name: Identifier, annotation: ast.expr
    ) -> list[ast.stmt]:
        return self._declare(at, name, annotation, None)

    def parameter_with_default(
        self, at: At, word: str, name: Identifier, annotation: ast.expr, default: ast.expr
    ) -> list[ast.stmt]:
        return self._declare(at, name, annotation, default)

    def _declare(
        self, at: At, name: Identifier, annotation: ast.expr, default: ast.expr | None
    ) -> list[ast.stmt]:
        kind = annotation.id if isinstance(annotation, ast.Name) else ""
        if kind not in PARAMETER_TYPES:
            self.fail("the type of a parameter is float, int, str or bool", at_of(annotation))
        known = {parameter.name: parameter for parameter in self.program_parameters}
        if name[0] in known:
            self.fail(f"the parameter '{name[0]}' is declared twice", name[1])
        where = at_of(annotation) if default is None else at_of(default)
        extent: At = {
            **at,
            "end_lineno": where["end_lineno"],
            "end_col_offset": where["end_col_offset"],
        }
        text = None if default is None else self.text_of(default)
        self.program_parameters.append(Parameter(name[0], kind, text, self.span(extent)))
        thunk = ast.Constant(None, **at) if default is None else self.thunk(default)
        value = self.hidden("param", extent, ast.Constant(name[0], **at), thunk)
        return [ast.Assign([ast.Name(name[0], STORE, **name[1])], value, **extent)]

    # -- pieces

    def thunk(self, value: ast.expr) -> ast.expr:
        """A function without arguments that gives the value when it is called."""
        nothing = ast.arguments([], [], None, [], [], None, [])
        return ast.Lambda(nothing, value, **at_of(value))

    def text_of(self, node: ast.expr) -> str:
        """The piece of the program that the node was made from."""
        span = self.span(at_of(node))
        lines = [self.source.line(number) for number in range(span.line, span.end_line + 1)]
        lines[-1] = lines[-1][: span.end_column]
        lines[0] = lines[0][span.column :]
        return "\n".join(lines)

    def operands_of_close(self, condition: ast.expr) -> list[ast.expr] | None:
        """The operands of `a ~= b`, if that is what the expression is."""
        match condition:
            case ast.Call(func=ast.Name(id=".close")):
                return condition.args
        return None
