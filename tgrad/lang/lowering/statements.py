"""Statements and blocks.

A simple statement is a list of Python statements (`import a, b` is two); a block is one list of all
of its statements.
"""

from __future__ import annotations

import ast
from typing import Any

from tgrad.lang.lowering.annotations import Annotations
from tgrad.lang.lowering.base import DELETE, LOAD, STORE, Identifier, at_of
from tgrad.lang.lowering.expressions import OPERATORS
from tgrad.lang.parser import At

Block = list[ast.stmt]
_EQUAL_HINT = "To compare, write `==`."


class Statements(Annotations):
    """Methods for the grammar's sections "Simple statements" and "Blocks"."""

    # -- lines and blocks

    def line(self, at: At, *statements: Block) -> list[Block]:
        return [*statements]

    def quiet_line(self, at: At, *statements: Block) -> list[Block]:
        self.quiet.update(statements[-1])
        return [*statements]

    def block_of_line(self, at: At, groups: list[Block]) -> Block:
        return [statement for group in groups for statement in group]

    def block_of_lines(self, at: At, *statements: Any) -> Block:
        block: Block = []
        for statement in statements:
            if isinstance(statement, list):
                for group in statement:
                    block.extend(group)
            else:
                block.append(statement)
        return block

    # -- simple statements

    def expression_statement(self, at: At, value: ast.expr) -> Block:
        self.refuse_star(value)
        return [ast.Expr(value, **at)]

    def assignment(self, at: At, *parts: ast.expr) -> Block:
        targets = [self.target(part, STORE, _EQUAL_HINT) for part in parts[:-1]]
        for target in targets:
            if isinstance(target, ast.Starred):
                self.fail(
                    "a starred target must be in a list or tuple",
                    at_of(target),
                    "Write `*a, = values`.",
                )
        return [ast.Assign(targets, parts[-1], **at)]

    def augmented_assignment(self, at: At, target: ast.expr, sign: str, value: ast.expr) -> Block:
        if isinstance(target, (ast.Tuple, ast.List, ast.Starred)):
            self.fail(f"'{sign}' changes one thing at a time", at_of(target))
        changed: Any = self.target(target, STORE)
        return [ast.AugAssign(changed, OPERATORS[sign[:-1]], value, **at)]

    def pass_statement(self, at: At) -> Block:
        return [ast.Pass(**at)]

    def break_statement(self, at: At) -> Block:
        return [ast.Break(**at)]

    def continue_statement(self, at: At) -> Block:
        return [ast.Continue(**at)]

    def return_nothing(self, at: At) -> Block:
        return self._return(ast.Return(None, **at))

    def return_value(self, at: At, value: ast.expr) -> Block:
        return self._return(ast.Return(value, **at))

    def _return(self, statement: ast.Return) -> Block:
        self.returns.append(statement)
        return [statement]

    def raise_again(self, at: At) -> Block:
        return [ast.Raise(None, None, **at)]

    def raise_error(self, at: At, error: ast.expr) -> Block:
        return [ast.Raise(error, None, **at)]

    def raise_from(self, at: At, error: ast.expr, cause: ast.expr) -> Block:
        return [ast.Raise(error, cause, **at)]

    def assert_statement(
        self, at: At, condition: ast.expr, message: ast.expr | None = None
    ) -> Block:
        close = self.operands_of_close(condition)
        if close is None:
            return [ast.Assert(condition, message, **at)]
        where = at_of(condition)
        thunk = self.thunk(message) if message else ast.Constant(None, **where)
        return [ast.Expr(self.hidden("assert_close", where, *close, thunk), **at)]

    def delete_statement(self, at: At, targets: ast.expr) -> Block:
        listed = [targets]
        if isinstance(targets, ast.Tuple) and targets in self.unbracketed:
            listed = targets.elts
        return [ast.Delete([self.target(target, DELETE) for target in listed], **at)]

    def global_statement(self, at: At, *names: Identifier) -> Block:
        return [ast.Global([name for name, _ in names], **at)]

    def nonlocal_statement(self, at: At, *names: Identifier) -> Block:
        return [ast.Nonlocal([name for name, _ in names], **at)]

    # -- targets without brackets

    def target_alone(self, at: At, target: ast.expr) -> ast.expr:
        return target

    def target_tuple(self, at: At, *targets: ast.expr) -> ast.expr:
        node = ast.Tuple([*targets], LOAD, **at)
        self.unbracketed.add(node)
        return node

    # -- imports

    def import_statement(self, at: At, *items: Any) -> Block:
        return [
            ast.Assign([ast.Name(bound, STORE, **where)], call, **at)
            for bound, call, where in items
        ]

    def import_item(self, at: At, names: list[str]) -> Any:
        return names[0], self._module(at, names, True), at

    def import_item_as(self, at: At, names: list[str], alias: Identifier) -> Any:
        return alias[0], self._module(at, names, False), at

    def _module(self, at: At, names: list[str], root: bool) -> ast.expr:
        module = ast.Constant(".".join(names), **at)
        return self.hidden("import_module", at, module, ast.Constant(root, **at))

    def dotted(self, at: At, *names: Identifier) -> list[str]:
        if names[0][0] == "__future__":
            return [name for name, _ in names]
        for name, where in names:
            if name.startswith("_"):
                self.deny(f"module '{name}' is not available", where)
        return [name for name, _ in names]

    def from_items(self, at: At, *items: Any) -> list[Any]:
        return [*items]

    def from_item(self, at: At, name: Identifier) -> Any:
        return name[0], name[0], at

    def from_item_as(self, at: At, name: Identifier, alias: Identifier) -> Any:
        return name[0], alias[0], at

    def from_import(self, at: At, names: list[str], items: list[Any]) -> Block:
        if names == ["__future__"]:
            # Old programs begin with it; all that it could switch on is on.
            return [ast.Pass(**at)]
        module = ".".join(names)
        statements: Block = []
        for name, bound, where in items:
            if name.startswith("_") and name != "__version__":
                self.deny(f"'{name}' of module '{module}' is not available", where)
            call = self.hidden(
                "import_from", where, ast.Constant(module, **where), ast.Constant(name, **where)
            )
            statements.append(ast.Assign([ast.Name(bound, STORE, **where)], call, **at))
        return statements

    def from_import_all(self, at: At, names: list[str]) -> Block:
        module = ".".join(names)
        if module != "torch":
            self.fail(
                "the names to import must be listed",
                at,
                f"Write `from {module} import a, b`, or `import {module}`.",
            )
        call = self.hidden(
            "import_module", at, ast.Constant(module, **at), ast.Constant(True, **at)
        )
        node = ast.Expr(call, **at)
        self.quiet.add(node)
        return [node]

    # -- blocks

    def if_statement(
        self, at: At, condition: ast.expr, block: Block, otherwise: Block | None = None
    ) -> ast.stmt:
        return ast.If(condition, block, otherwise or [], **at)

    def elif_clause(
        self, at: At, condition: ast.expr, block: Block, otherwise: Block | None = None
    ) -> Block:
        return [ast.If(condition, block, otherwise or [], **at)]

    def else_clause(self, at: At, block: Block) -> Block:
        return block

    def while_statement(
        self, at: At, condition: ast.expr, block: Block, otherwise: Block | None = None
    ) -> ast.stmt:
        return ast.While(condition, block, otherwise or [], **at)

    def for_statement(
        self,
        at: At,
        target: ast.expr,
        values: ast.expr,
        block: Block,
        otherwise: Block | None = None,
    ) -> ast.stmt:
        return ast.For(self.target(target, STORE), values, block, otherwise or [], **at)

    def try_except(self, at: At, block: Block, *clauses: Any) -> ast.stmt:
        return self._try(at, block, [*clauses], [], [])

    def try_except_else(self, at: At, block: Block, *clauses: Any) -> ast.stmt:
        return self._try(at, block, [*clauses[:-1]], clauses[-1], [])

    def try_except_finally(self, at: At, block: Block, *clauses: Any) -> ast.stmt:
        return self._try(at, block, [*clauses[:-1]], [], clauses[-1])

    def try_except_else_finally(self, at: At, block: Block, *clauses: Any) -> ast.stmt:
        return self._try(at, block, [*clauses[:-2]], clauses[-2], clauses[-1])

    def try_finally(self, at: At, block: Block, last: Block) -> ast.stmt:
        return self._try(at, block, [], [], last)

    def _try(self, at: At, block: Block, handlers: Any, otherwise: Any, last: Any) -> ast.stmt:
        for handler in handlers[:-1]:
            if handler in self.catch_all:
                self.fail(
                    "`except:` catches everything, so it must be the last of its kind",
                    self.catch_all[handler],
                )
        return ast.Try(block, handlers, otherwise, last, **at)

    def except_everything(self, at: At, block: Block) -> ast.ExceptHandler:
        word: At = {**at, "end_lineno": at["lineno"]}
        word["end_col_offset"] = at["col_offset"] + len("except")
        handler = ast.ExceptHandler(ast.Name(".Exception", LOAD, **word), None, block, **at)
        self.catch_all[handler] = word
        return handler

    def except_type(self, at: At, kind: ast.expr, block: Block) -> ast.ExceptHandler:
        return ast.ExceptHandler(kind, None, block, **at)

    def except_type_as(
        self, at: At, kind: ast.expr, name: Identifier, block: Block
    ) -> ast.ExceptHandler:
        return ast.ExceptHandler(kind, name[0], block, **at)

    def finally_clause(self, at: At, block: Block) -> Block:
        return block

    def with_statement(self, at: At, *parts: Any) -> ast.stmt:
        items = [part for part in parts[:-1] if isinstance(part, ast.withitem)]
        return ast.With(items, parts[-1], **at)

    def with_item(self, at: At, value: ast.expr) -> ast.withitem:
        return ast.withitem(value, None)

    def with_item_as(self, at: At, value: ast.expr, target: ast.expr) -> ast.withitem:
        return ast.withitem(value, self.target(target, STORE))

    def no_grad_statement(self, at: At, word: str, block: Block) -> ast.stmt:
        where: At = {**at, "end_lineno": at["lineno"]}
        where["end_col_offset"] = at["col_offset"] + len(word)
        return ast.With([ast.withitem(self.hidden("no_grad", where), None)], block, **at)
