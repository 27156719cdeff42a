"""Runs the blocks of the pages beside this file, and of `docs/language.md`.

A block marked `tgrad` is a program, run as at a prompt: bare expressions are shown.  The blocks
that follow it say what happens: `output` what it shows and prints, `error` where it ends in an
error, as `line:column` and the error's last line, and its hint if it has one.  A program with
neither must end well and say nothing.  A block marked `tgrad continued` runs in the names that the
program before it left behind.

    TGRAD_SPEC=rewrite pytest tests/spec        puts what really happens into the pages
"""

from __future__ import annotations

import os
import re
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tgrad.runtime.session import Session
from tgrad.source import Source

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = [*sorted(Path(__file__).parent.glob("*.md")), DOCS / "language.md"]
REWRITE = os.environ.get("TGRAD_SPEC") == "rewrite"
_BLOCK = re.compile(r"^```(tgrad(?: continued)?|output|error)\n(.*?)^```\n", re.M | re.S)


class Example(NamedTuple):
    """A program, the names it needs from the programs before it, and what it should do."""

    page: str
    line: int
    programs: tuple[str, ...]
    output: str
    error: str


class Collector:
    """Keeps what a session reports, as text."""

    def __init__(self) -> None:
        self.output = StringIO()
        self.problem = ""

    def statement_begins(self, number: int, statement: Any) -> None:
        pass

    def statement_ends(self) -> None:
        pass

    def value(self, value: object) -> None:
        self.output.write(f"{value!r}\n")

    def warning(self, text: str, category: str, place: str, line: int | None) -> None:
        self.output.write(f"{category}: {text}\n")

    def error(self, diagnostic: Any) -> None:
        span = diagnostic.places[-1].span
        self.problem = f"{span.line}:{span.column + 1} {diagnostic.last_line}\n"
        if diagnostic.hint:
            self.problem += f"hint: {diagnostic.hint}\n"


def examples(page: Path) -> list[Example]:
    text = page.read_text("utf-8")
    found: list[Example] = []
    programs: tuple[str, ...] = ()
    for block in _BLOCK.finditer(text):
        kind, content = block[1], block[2]
        if kind.startswith("tgrad"):
            programs = (*programs, content) if kind == "tgrad continued" else (content,)
            line = text.count("\n", 0, block.start()) + 1
            found.append(Example(f"{page.parent.name}/{page.name}", line, programs, "", ""))
        else:
            found[-1] = found[-1]._replace(**{kind: content})
    return found


def outcome(programs: tuple[str, ...]) -> tuple[str, str]:
    """What the last of the programs shows, and how it ends."""
    reporter = Collector()
    session = Session(reporter)  # type: ignore[arg-type]
    for number, program in enumerate(programs):
        reporter.output.seek(0)
        reporter.output.truncate()
        session.run(Source(f"<block {number}>", program), show=True)
    return reporter.output.getvalue(), reporter.problem


ALL = [example for page in PAGES for example in examples(page)]


@pytest.mark.parametrize("example", ALL, ids=lambda example: f"{example.page}:{example.line}")
def test_example(example: Example) -> None:
    assert outcome(example.programs) == (example.output, example.error)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_page_has_examples(page: Path) -> None:
    if REWRITE:
        _rewrite(page)
    assert examples(page)


def _rewrite(page: Path) -> None:
    text = page.read_text("utf-8")
    results = [outcome(example.programs) for example in examples(page)]
    bare = re.sub(r"\n```(?:output|error)\n.*?^```\n", "", text, flags=re.M | re.S)
    parts = re.split(r"(^```tgrad(?: continued)?\n.*?^```\n)", bare, flags=re.M | re.S)
    for index, (output, error) in enumerate(results):
        for kind, content in (("output", output), ("error", error)):
            if content:
                parts[2 * index + 1] += f"\n```{kind}\n{content}```\n"
    page.write_text("".join(parts), "utf-8")
