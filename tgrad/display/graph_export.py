"""A graph as text of a file: SVG, HTML, DOT, Mermaid, JSON.

JSON has every node; the others show repeated parts once, as the drawing in a terminal does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from math import isfinite, isnan
from typing import Any

from tgrad.display.graph_html import html_of
from tgrad.display.graph_picture import Box, picture
from tgrad.display.graph_svg import lines_of, svg_of
from tgrad.display.graph_tree import TIMES
from tgrad.runtime.graph_numbers import Numbers
from tgrad.runtime.graphs import Graph, GraphNode

VERSION = 1
"""The number of the JSON format; it goes up when a reader of the old one would misread the new."""


def text_of(graph: Graph, suffix: str, *, fold: bool = True) -> str:
    """The text of a file with the graph in it; `suffix` is one of tgrad.runtime.graphs.SUFFIXES."""
    writers: dict[str, Callable[[], str]] = {
        ".svg": lambda: svg_of(graph, fold=fold),
        ".html": lambda: html_of(graph, json_of(graph), fold=fold),
        ".dot": lambda: dot_of(graph, fold=fold),
        ".mmd": lambda: mermaid_of(graph, fold=fold),
        ".json": lambda: json.dumps(json_of(graph), indent=1) + "\n",
    }
    return writers[suffix]()


# ------------------------------------------------------------------ DOT and Mermaid


def _label(box: Box) -> list[str]:
    lines = [text for _, text in lines_of(box)]
    if box.times > 1:
        lines[0] += f"  {TIMES} {box.times}"
    return lines


def dot_of(graph: Graph, *, fold: bool = True) -> str:
    """The graph in the language of Graphviz."""
    found = picture(graph, fold, copies=False)
    lines = ["digraph {", "  rankdir=TB;"]
    lines.append('  node [fontname="monospace", fontsize=10, style=filled, shape=box, fillcolor="#e5f1fa"];')
    for number, box in enumerate(found.boxes):
        text = "\\n".join(each.replace("\\", "\\\\").replace('"', '\\"') for each in _label(box))
        more = ', shape=ellipse, fillcolor="#fdf1d8"' if box.node.leaf else ""
        more += ", peripheries=2" if box.root else ""
        lines.append(f'  n{number} [label="{text}"{more}];')
    for arrow in found.arrows:
        more = " [style=dashed, constraint=false]" if arrow.back else ""
        lines.append(f"  n{arrow.source} -> n{arrow.user}{more};")
    lines += [f"  // {note}" for note in found.notes]
    return "\n".join([*lines, "}"]) + "\n"


def mermaid_of(graph: Graph, *, fold: bool = True) -> str:
    """The graph as a flow chart in the language of Mermaid."""
    found = picture(graph, fold, copies=False)
    lines = ["flowchart TB"]
    for number, box in enumerate(found.boxes):
        text = "<br/>".join(_mermaid_text(each) for each in _label(box))
        opening, closing = ("([", "])") if box.node.leaf else ("[[", "]]") if box.root else ("[", "]")
        kind = "leaf" if box.node.leaf else "operator"
        lines.append(f'  n{number}{opening}"{text}"{closing}:::{kind}')
    for arrow in found.arrows:
        lines.append(f"  n{arrow.source} {'-.->' if arrow.back else '-->'} n{arrow.user}")
    lines += [f"  %% {note}" for note in found.notes]
    lines.append("  classDef operator fill:#e5f1fa,stroke:#0072b2,color:#1a1a1a")
    lines.append("  classDef leaf fill:#fdf1d8,stroke:#b37400,color:#1a1a1a")
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    """Text in quotes: signs with a meaning are written by their numbers."""
    return "".join(f"#{ord(sign)};" if sign in '"#<>&;`\\' else sign for sign in text)


# ------------------------------------------------------------------ JSON


def json_of(graph: Graph) -> dict[str, Any]:
    """The graph as lists and dicts; `inputs` and `roots` are indices into `nodes`."""
    return {
        "version": VERSION,
        "roots": graph.roots,
        "saved_bytes": graph.bytes,
        "left_out": graph.left_out,
        "nodes": [_node(node) for node in graph.nodes],
    }


def _node(node: GraphNode) -> dict[str, Any]:
    return {
        "operator": node.operator,
        "label": node.label or None,
        "names": list(node.names),
        "shape": None if node.shape is None else list(node.shape),
        "dtype": node.dtype,
        "inputs": list(node.inputs),
        "constants": node.constants,
        "source": node.source,
        "file": node.file,
        "line": node.line,
        "saved": [{"name": s.name, "value": s.text, "bytes": s.bytes} for s in node.saved],
        "freed": node.freed,
        "gradient_norm": _number(node.norm),
        "value": _numbers(node.value),
        "gradient": _numbers(node.gradient),
    }


def _numbers(found: Numbers | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "count": found.count,
        "first": list(found.first),
        "min": _number(found.low),
        "max": _number(found.high),
        "mean": _number(found.mean),
    }


def _number(number: float | None) -> float | str | None:
    """A number as JSON has it; the others as the text that `--json` writes for them."""
    if number is None or isfinite(number):
        return number
    return "NaN" if isnan(number) else "Infinity" if number > 0 else "-Infinity"
