"""What compiling a text gives: a program of statements, which are code objects, and its parameters."""

from __future__ import annotations

from types import CodeType
from typing import NamedTuple

from tgrad.source import Source, Span


class Parameter(NamedTuple):
    """A parameter of a program: `param NAME: TYPE = DEFAULT`."""

    name: str
    type: str
    default_text: str | None
    span: Span


class Statement(NamedTuple):
    """One statement at the top level of a program."""

    code: CodeType
    """Run it with `exec(code, globals)`."""
    span: Span
    line: int
    name: str | None
    """The name, where the statement is nothing but a name."""
    shown: bool
    """Whether running it shows a value directly (inside of blocks, expressions show themselves)."""


class Program(NamedTuple):
    """A program that is ready to run.  Its text may still fail in many ways when it does."""

    source: Source
    statements: tuple[Statement, ...]
    parameters: tuple[Parameter, ...]
