"""The function `graph`: what it finds, what it refuses, the files it writes."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tgrad.runtime.access import Access
from tgrad.runtime.diagnostic import Diagnostic
from tgrad.runtime.graphs import Graph, Sources, walk
from tgrad.runtime.output import Output, TextReporter
from tgrad.runtime.screen import Screen
from tgrad.runtime.session import Session
from tgrad.source import Source


class World:
    """A session that keeps the graphs it is to draw, and the error it ends in."""

    def __init__(self, access: Access | None = None) -> None:
        self.graphs: list[Graph] = []
        self.folds: list[bool] = []
        self.error: Diagnostic | None = None
        output = Output(StringIO())
        screen = Screen(graph=self._draw, graph_file=lambda graph, suffix, fold: f"{suffix} {fold}")
        self.session = Session(TextReporter(output, output, self._failed), screen=screen, access=access)

    def _draw(self, graph: Graph, fold: bool) -> None:
        self.graphs.append(graph)
        self.folds.append(fold)

    def _failed(self, diagnostic: Diagnostic) -> None:
        self.error = diagnostic

    def run(self, text: str) -> Any:
        self.session.run(Source("a.tg", text))
        return self.graphs[-1] if self.graphs else None


def kinds(program: str) -> list[str | None]:
    """Dtypes and shapes of the operators, newest first."""
    return [node.kind for node in World().run(program).nodes if not node.leaf]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("w.sum(0).exp()", ["float32[3]", "float32[3]"]),
        ("w.t().reshape(6)[::2].sin()", ["float32[3]", "float32[3]", "float32[6]", *["float32[3, 2]"] * 2]),
        ("(w + ones(4, 1, 1)).mean((0, 2))", ["float32[2]", "float32[4, 2, 3]"]),
        ("w.double().sum()", ["float64[]", "float64[2, 3]"]),
        ("(ones(4, 2) @ w).relu()", ["float32[4, 3]", "float32[4, 3]"]),
        ("stack([w, w * 2]).permute(2, 0, 1)", ["float32[3, 2, 2]", "float32[2, 2, 3]", "float32[2, 3]"]),
        ("cat([w, w.cos()], 1).max(1)[0]", ["float32[2]", "float32[2, 6]", "float32[2, 3]"]),
        (
            "w.unbind(1)[0] * w.abs().unbind(1)[1]",
            ["float32[2]", "float32[2]", "float32[2, 3]", "float32[2]"],
        ),
        ("w[None].expand(4, 2, 3).cumsum(0)", ["float32[4, 2, 3]", "float32[4, 2, 3]", "float32[1, 2, 3]"]),
        ("torch.complex(w, w).abs()", ["float32[2, 3]", "complex64[2, 3]"]),
        ("nn.functional.softmax(w, 1).log().norm()", ["float32[]", "float32[2, 3]", "float32[2, 3]"]),
        ("(w > 0).float().mul(w).prod()", ["float32[]", "float32[2, 3]"]),
    ],
)
def test_shapes_of_results_that_nobody_holds(expression: str, expected: list[str]) -> None:
    program = f"import torch\nfrom torch import nn\nw = ones(2, 3, requires_grad=True)\ngraph({expression})"
    assert kinds(program) == expected


def test_shapes_survive_a_backward_pass_where_they_can_be_concluded() -> None:
    program = """\
a, b = ones(4, 3, requires_grad=True), ones(2, 3, requires_grad=True)
y = (ones(5, 4) @ a).tanh() @ b.t()
y.sum().backward()
graph(y)
"""
    assert kinds(program) == ["float32[5, 2]", "float32[3, 2]", "float32[5, 3]", "float32[5, 3]"]


def test_names_of_variables_members_and_parameters() -> None:
    program = """\
from torch import nn
net = nn.Sequential(nn.PReLU(), nn.PReLU())
many = [ones(2, requires_grad=True)]
named = {"k": ones(2, requires_grad=True)}
layers = [nn.PReLU()]
def run(argument):
    inside = argument + many[0] + named["k"] + layers[0].weight
    graph(net(inside))
run(ones(2, requires_grad=True))
"""
    world = World()
    graph = world.run(program)
    assert world.error is None
    assert {node.names[0] for node in graph.nodes if node.names} == {
        "inside", "argument", "many[0]", "named['k']", "layers[0].weight", "net.0.weight", "net.1.weight",
    }  # fmt: skip


def test_sources_are_the_pieces_that_made_a_node() -> None:
    program = "w = ones(2, requires_grad=True)\ny = sin(mul(w,\n            2))\ngraph(y)"
    sin, mul, leaf = World().run(program).nodes
    assert (sin.source, sin.file, sin.line) == ("sin(mul(w, 2))", "a.tg", 2)
    assert (mul.source, mul.line) == ("mul(w, 2)", 2)
    assert (leaf.source, leaf.line) == (None, None)


def test_memory_that_several_nodes_keep_counts_once() -> None:
    graph = World().run("w = ones(8, requires_grad=True)\ny = w.exp()\nz = y.sin() + y.cos()\ngraph(z)")
    assert [node.saved_bytes for node in graph.nodes] == [0, 32, 32, 32, 0]
    assert graph.bytes == 32


def test_gradients_that_are_kept_on_the_way() -> None:
    graph = World().run(
        "w = ones(4, requires_grad=True)\ny = w * 3\ny.retain_grad()\n(2 * y).sum().backward()\ngraph(y)"
    )
    assert [node.norm for node in graph.nodes] == [4.0, 12.0]


def test_looking_changes_nothing() -> None:
    program = """\
w = ones(2, requires_grad=True)
x = w * 1
v = x[0]
x.mul_(3)
graph(v, x)
(v + x.sum()).backward()
"""
    world = World()
    world.run(program)
    assert world.error is None
    assert world.session.names["w"].grad.tolist() == [6.0, 3.0]


def test_fold_is_handed_on() -> None:
    world = World()
    world.run("w = ones(2, requires_grad=True)\ngraph(w)\ngraph(w, fold=False)")
    assert world.folds == [True, False]


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        ("graph()", "TypeError", "graph() takes at least one tensor"),
        ("graph(3)", "TypeError", "graph() takes tensors, not int"),
        ("graph('a.svg')", "TypeError", "graph() takes at least one tensor"),
        (
            "graph(ones(2), 'a.png')",
            "ValueError",
            "unknown format '.png' for a graph; use .svg, .html, .dot, .mmd or .json",
        ),
    ],
)
def test_refusals(
    call: str, kind: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    world = World(Access(write=(tmp_path,)))
    world.run(call)
    assert world.error is not None
    assert (world.error.kind, world.error.message) == (kind, message)


def test_files_are_written_where_the_program_may(tmp_path: Path) -> None:
    allowed, forbidden = tmp_path / "a", tmp_path / "b"
    allowed.mkdir()
    forbidden.mkdir()
    world = World(Access(write=(allowed,)))
    world.run(f"graph(ones(2), {str(allowed / 'g.SVG')!r})")
    assert world.error is None
    assert (allowed / "g.SVG").read_text() == ".svg True"
    world.run(f"graph(ones(2), {str(forbidden / 'g.svg')!r})")
    assert world.error is not None
    assert world.error.kind == "PermissionError"
    assert list(forbidden.iterdir()) == []
    assert world.graphs == []


def test_a_graph_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tgrad.runtime.graphs.MOST_NODES", 100)
    world = World()
    graph = world.run("y = ones(2, requires_grad=True)\nfor i in range(300):\n    y = y.sin()\ngraph(y)")
    assert (len(graph.nodes), graph.left_out) == (100, 1)


def test_python_code_without_source() -> None:
    import tgrad

    x = tgrad.ones(2, requires_grad=True)
    graph = walk([x.sin()], {"x": x}, Sources(lambda name: None))
    assert [(node.operator, node.source) for node in graph.nodes] == [("sin", None), ("leaf", None)]


def test_graph_in_python_reads_the_file_it_is_called_from(capsys: pytest.CaptureFixture[str]) -> None:
    import tgrad

    weight = tgrad.ones(2, requires_grad=True)
    tgrad.graph(weight.exp())
    first, line, leaf = capsys.readouterr().out.splitlines()
    assert first == "graph: 1 operator, 1 leaf; 8 bytes saved"
    assert line.split()[:5] == ["*", "exp", "float32[2]", "saves", "8"]
    assert line.endswith("  weight.exp()")
    assert leaf.split() == ["`-o", "weight", "float32[2]"]
