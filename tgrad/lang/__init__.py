"""The language: text -> code objects.  Knows no tensors.

`compiled` is what the rest of tgrad needs, `completeness` what a prompt asks.  The way of a
text: `scan` cuts it into tokens, `parser` runs the tables that Lark made from the grammar
(`tables`, `generate`), each reduction builds a node of Python's `ast` (`lowering`), and `program`
compiles each top-level statement; `mistakes` says in words what is wrong.  `kept` sees to it that a
long program is compiled once; where it finds one, nothing of the compiler is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tgrad.lang.result import Parameter, Program, Statement

if TYPE_CHECKING:
    from tgrad.lang.program import compile_program, completeness

__all__ = ["Parameter", "Program", "Statement", "compile_program", "completeness"]


def __getattr__(name: str) -> Any:
    if name not in ("compile_program", "completeness"):
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from tgrad.lang import program

    return getattr(program, name)
