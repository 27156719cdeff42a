"""The language: text -> code objects.  Knows no tensors.

`compile_program` is what the rest of tgrad needs, `completeness` what a prompt asks.  The way of a
text: `scan` cuts it into tokens, `parser` runs the tables that Lark made from the grammar
(`tables`, `generate`), each reduction builds a node of Python's `ast` (`lowering`), and `program`
compiles each top-level statement; `mistakes` says in words what is wrong.
"""

from tgrad.lang.lowering.annotations import Parameter
from tgrad.lang.program import Program, Statement, compile_program, completeness

__all__ = ["Parameter", "Program", "Statement", "compile_program", "completeness"]
