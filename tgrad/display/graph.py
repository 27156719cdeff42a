"""`tgrad.graph` for Python programs: drawn on standard output, or written to a file."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path

from tgrad.display import graph_tree
from tgrad.display.console import Console
from tgrad.display.graph_export import text_of
from tgrad.runtime.graphs import Graph, grapher
from tgrad.runtime.screen import Screen
from tgrad.source import Source


def _draw(graph: Graph, fold: bool) -> None:
    graph_tree.draw(graph, Console.on(sys.stdout), fold=fold)


def _write(graph: Graph, suffix: str, fold: bool) -> str:
    return text_of(graph, suffix, fold=fold)


def _source(name: str) -> Source | None:
    """The text of a Python file, or of what was typed where that is kept."""
    lines = linecache.getlines(name)
    return Source(name, "".join(lines)) if lines else None


graph = grapher(Screen(graph=_draw, graph_file=_write), Path, _source)
