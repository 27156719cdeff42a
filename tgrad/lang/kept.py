"""Compiled programs that are kept: a long program is compiled once, and read from then on.

A kept program is what `compile_program` made of the same text under the same name, with the same
compiler and the same Python.  What depends on more than these are the names of attributes that may
be read directly; so the names that the program has are kept with the answers, and asked again.

Where a program is found, the compiler isn't even loaded.  A short program is compiled almost as fast as
a file is read and checked.
"""

from __future__ import annotations

import marshal
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER  # importlib.util has it, and takes milliseconds
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from tgrad.lang import private
from tgrad.lang.result import Parameter, Program, Statement
from tgrad.source import Source, Span

if TYPE_CHECKING:
    from typing import Any

SMALLEST = 1500
"""Characters of the shortest program that is kept."""


class _Asked(frozenset[str]):
    """A set of names that notes what it is asked for."""

    names: frozenset[str]
    answers: dict[str, bool]

    def __contains__(self, name: object) -> bool:
        found = self.answers[str(name)] = name in self.names
        return found


def compiled(source: Source, *, attributes: frozenset[str], show: bool = False, keep: bool = True) -> Program:
    """As `compile_program`; with `keep` a long program is looked for first, and kept."""
    keep = keep and len(source.text) >= SMALLEST
    if keep:
        name = f"program-{_key(source, show).hex()}"
        body = private.read(name)
        if body is not None and (program := _read(body, source, attributes)) is not None:
            return program
    from tgrad.lang.program import compile_program

    if not keep:
        return compile_program(source, attributes=attributes, show=show)
    asked = _Asked()
    asked.names, asked.answers = attributes, {}
    program = compile_program(source, attributes=asked, show=show)
    with suppress(ValueError):  # marshal takes no code that is nested very deeply
        private.write(name, _written(program, asked.answers))
    return program


def _key(source: Source, show: bool) -> bytes:
    """A hash of all that the code depends on but the names of attributes."""
    sample = compile("x", "", "eval")  # without positions where Python was told to make none
    python = (sys.version, MAGIC_NUMBER, [*sample.co_positions()])
    return private.digest(
        repr((python, sorted(_compiler()), source.name, show)).encode("utf-8", "surrogatepass"),
        source.text.encode("utf-8", "surrogatepass"),
    )


def _compiler() -> Iterator[tuple[str, int, int]]:
    """The files of the compiler, each with size and time: other ones are another compiler."""
    here = os.path.dirname(os.path.abspath(__file__))
    around = os.path.dirname(os.path.dirname(here))
    for folder in (here, os.path.join(here, "lowering"), os.path.join(around, "grammar")):
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith((".py", ".lark")):
                    status = entry.stat()
                    yield entry.path, status.st_size, status.st_mtime_ns


def _written(program: Program, answers: dict[str, bool]) -> bytes:
    statements = [(code, tuple(span), *rest) for code, span, *rest in program.statements]
    parameters = [(*rest, tuple(span)) for *rest, span in program.parameters]
    return marshal.dumps((answers, statements, parameters))


def _read(body: bytes, source: Source, attributes: frozenset[str]) -> Program | None:
    """The program that was kept, unless attributes are others now."""
    kept: tuple[dict[str, bool], list[Any], list[Any]] = marshal.loads(body)
    answers, statements, parameters = kept
    if any((name in attributes) != answer for name, answer in answers.items()):
        return None
    return Program(
        source,
        tuple([Statement(code, Span(*span), *rest) for code, span, *rest in statements]),
        tuple([Parameter._make((*rest, Span(*span))) for *rest, span in parameters]),
    )
