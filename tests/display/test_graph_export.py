"""Graphs as files."""

import json
import re
from textwrap import dedent
from typing import Any
from xml.etree import ElementTree

import pytest
from graph_programs import RECURRENT, REGRESSION, graphs_of

from tgrad.display.graph_export import text_of
from tgrad.display.graph_picture import MOST_BOXES, picture
from tgrad.runtime.graphs import SUFFIXES, Graph, GraphNode, Saved

SVG = "{http://www.w3.org/2000/svg}"


def written(program: str, suffix: str, *, fold: bool = True) -> str:
    (graph,) = graphs_of(program)
    return text_of(graph, suffix, fold=fold)


def texts(svg: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in svg.iter(f"{SVG}text")]


def hostile() -> Graph:
    """A graph whose texts have a meaning in every format."""
    text = """f("a") < 1 & ']]>' </script><script>alert(1)</script> \\n #; --> é"""
    node = GraphNode("mul", "MulBackward0", False, (1,), source=text, file="<a>.tg", line=1)
    node.names, node.shape, node.dtype = ('d["k"]',), (2,), "float32"
    node.saved = (Saved("other", "</script>", 8),)
    return Graph([node, GraphNode("leaf", "AccumulateGrad", True, names=('"<&>"',))], [0])


def test_dot() -> None:
    assert written(REGRESSION + "graph(loss)", ".dot") == dedent("""\
        digraph {
          rankdir=TB;
          node [fontname="monospace", fontsize=10, style=filled, shape=box, fillcolor="#e5f1fa"];
          n0 [label="mean  loss\\nfloat32[]\\nline 4: (x @ w + b).pow(2).mean()", peripheries=2];
          n1 [label="pow\\nfloat32[3, 2]\\nline 4: (x @ w + b).pow(2)\\nsaves 24 B"];
          n2 [label="add\\nfloat32[3, 2]\\nline 4: x @ w + b"];
          n3 [label="b\\nfloat32[2]", shape=ellipse, fillcolor="#fdf1d8"];
          n4 [label="mm\\nfloat32[3, 2]\\nline 4: x @ w\\nsaves 48 B"];
          n5 [label="w\\nfloat32[4, 2]", shape=ellipse, fillcolor="#fdf1d8"];
          n1 -> n0;
          n2 -> n1;
          n4 -> n2;
          n3 -> n2;
          n5 -> n4;
        }
        """)


def test_mermaid() -> None:
    assert written(RECURRENT + "graph(h)", ".mmd") == dedent("""\
        flowchart TB
          n0[["tanh  h  × 4<br/>float32[3, 4]<br/>line 5: (h @ w + b).tanh()<br/>saves 48 B"]]:::operator
          n1["add  × 4<br/>float32[3, 4]<br/>line 5: h @ w + b"]:::operator
          n2["mm  × 4<br/>float32[3, 4]<br/>line 5: h @ w<br/>saves 112 B"]:::operator
          n3["tanh<br/>float32[3, 4]<br/>line 5: (h @ w + b).tanh()<br/>saves 48 B"]:::operator
          n4["add<br/>float32[3, 4]<br/>line 5: h @ w + b"]:::operator
          n5(["b<br/>float32[4]"]):::leaf
          n6["mm<br/>float32[3, 4]<br/>line 5: h @ w<br/>saves 48 B"]:::operator
          n7(["w<br/>float32[4, 4]"]):::leaf
          n1 --> n0
          n2 --> n1
          n5 --> n1
          n0 -.-> n2
          n7 --> n2
          n3 --> n2
          n4 --> n3
          n6 --> n4
          n5 --> n4
          n7 --> n6
          classDef operator fill:#e5f1fa,stroke:#0072b2,color:#1a1a1a
          classDef leaf fill:#fdf1d8,stroke:#b37400,color:#1a1a1a
        """)


def test_json_has_every_node() -> None:
    data = json.loads(written(RECURRENT + "graph(h)", ".json"))
    assert data["version"] == 1
    assert data["roots"] == [0]
    assert data["saved_bytes"] == 352
    assert len(data["nodes"]) == 17
    assert data["nodes"][2] == {
        "operator": "mm", "label": "MmBackward0", "names": [], "shape": [3, 4], "dtype": "float32",
        "inputs": [3, 16], "constants": 0, "source": "h @ w", "file": "a.tg", "line": 5,
        "saved": [{"name": "mat2", "value": "float32[4, 4]", "bytes": 64},
                  {"name": "input", "value": "float32[3, 4]", "bytes": 48}],
        "freed": False, "gradient_norm": None, "value": None, "gradient": None,
    }  # fmt: skip


def test_json_is_strict() -> None:
    text = written("w = ones(2, requires_grad=True)\n(w * float('nan')).sum().backward()\ngraph(w)", ".json")
    assert json.loads(text, parse_constant=pytest.fail)["nodes"][0]["gradient_norm"] == "NaN"


@pytest.mark.parametrize("program", [REGRESSION + "graph(loss)", RECURRENT + "graph(h)", "graph(ones(2))"])
def test_svg_has_a_box_for_each_operator_and_leaf(program: str) -> None:
    (graph,) = graphs_of(program)
    svg = ElementTree.fromstring(text_of(graph, ".svg", fold=False))
    boxes = [each for each in svg.iter(f"{SVG}g") if each.get("data-node") is not None]
    assert {int(box.get("data-node", "")) for box in boxes} == set(range(len(graph.nodes)))
    for box in boxes:
        node = graph.nodes[int(box.get("data-node", ""))]
        assert any((node.names or (node.operator,))[0] in text for text in texts(box))
        assert node.kind in texts(box)


def test_svg_rolls_loops_up() -> None:
    svg = ElementTree.fromstring(written(RECURRENT + "graph(h)", ".svg"))
    assert texts(svg).count("\N{MULTIPLICATION SIGN} 4") == 3
    back = [p for p in svg.iter(f"{SVG}path") if p.get("class") == "arrow back"]
    assert len(back) == 1


def test_boxes_of_svg_stand_in_the_picture_and_hold_their_text() -> None:
    svg = ElementTree.fromstring(written(RECURRENT + "graph(h)", ".svg", fold=False))
    width, height = float(svg.get("width", "")), float(svg.get("height", ""))
    for box in svg.iter(f"{SVG}rect"):
        x, y = float(box.get("x", "")), float(box.get("y", ""))
        assert -20 <= x <= x + float(box.get("width", "")) <= width - 20
        assert -20 <= y <= y + float(box.get("height", "")) <= height - 20


@pytest.mark.parametrize("suffix", [".svg", ".html"])
def test_pictures_are_well_formed_and_load_nothing(suffix: str) -> None:
    for graph in (hostile(), *graphs_of(RECURRENT + "graph(h)")):
        text = text_of(graph, suffix)
        ElementTree.fromstring(text)
        addresses = re.findall(r"(?:https?:)?//[a-z][\w./]*|url\([^)]*\)|@import|\bsrc=|\bhref=", text)
        assert set(addresses) <= {"http://www.w3.org/2000/svg", "url(#graph-head)", "url(#steps-head)"}


def test_html_holds_the_values() -> None:
    page = ElementTree.fromstring(text_of(hostile(), ".html"))
    scripts = list(page.iter("script"))
    assert len(scripts) == 2
    data: dict[str, Any] = json.loads(scripts[0].text or "")
    assert data["nodes"][0]["source"] == hostile().nodes[0].source
    assert [b.get("data-action") for b in page.iter("button")] == ["in", "out", "all", "open"]


def test_html_of_a_loop_can_show_every_step() -> None:
    page = ElementTree.fromstring(written(RECURRENT + "graph(h)", ".html"))
    assert [b.get("data-action") for b in page.iter("button")][-1] == "steps"
    rolled, steps = page.iter(f"{SVG}svg")
    assert rolled.get("class") == "graph"
    assert steps.get("class") == "graph hidden"
    assert "".join(texts(steps)).count("tanh  h") == 1
    assert sum(text.startswith("tanh") for text in texts(steps)) == 5


@pytest.mark.parametrize("suffix", [".dot", ".mmd"])
def test_text_with_a_meaning_is_escaped(suffix: str) -> None:
    text = text_of(hostile(), suffix)
    lines = text.splitlines()
    assert len(lines) == (7 if suffix == ".dot" else 6)
    for line in lines:
        assert len(re.findall(r'(?<!\\)"', line)) % 2 == 0


def chain(count: int) -> Graph:
    """Operators of which each uses the one before and one at random, all made at different places."""
    nodes = [GraphNode("add", "AddBackward0", False, (), place=n) for n in range(count)]
    for number, node in enumerate(nodes[:-1]):
        node.inputs = tuple({number + 1, min(number + 1 + number * 7 % 11, count - 1)})
    return Graph(nodes, [0])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_ten_thousand_nodes_are_cut_with_a_note(suffix: str) -> None:
    text = text_of(chain(10_000), suffix)
    assert ("cut: 7000 of 10000 nodes aren&#x27;t drawn" in text or "7000 of 10000 nodes aren't" in text) == (
        suffix != ".json"
    )
    assert MOST_BOXES == 3000


def test_a_leaf_that_is_used_far_away_is_drawn_there() -> None:
    (graph,) = graphs_of(
        "x = ones(2, requires_grad=True)\ny = x\nfor i in range(9):\n    y = y.sin() * x\ngraph(y)"
    )
    assert sum(box.node.leaf for box in picture(graph, fold=False).boxes) > 3
    assert sum(box.node.leaf for box in picture(graph, fold=False, copies=False).boxes) == 1
