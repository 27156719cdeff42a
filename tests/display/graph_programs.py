"""Programs whose graphs the tests draw."""

from io import StringIO

from tgrad.runtime.graphs import Graph
from tgrad.runtime.output import Output, TextReporter
from tgrad.runtime.screen import Screen
from tgrad.runtime.session import Session
from tgrad.source import Source

REGRESSION = """\
x = ones(3, 4)
w = ones(4, 2, requires_grad=True)
b = zeros(2, requires_grad=True)
loss = (x @ w + b).pow(2).mean()
"""

RECURRENT = """\
w = ones(4, 4, requires_grad=True)
b = zeros(4, requires_grad=True)
h = zeros(3, 4)
for i in range(5):
    h = (h @ w + b).tanh()
"""


def graphs_of(text: str) -> list[Graph]:
    """The graphs that a program draws."""
    found: list[Graph] = []
    screen = Screen(graph=lambda graph, fold: found.append(graph))
    output = Output(StringIO())
    errors = []
    session = Session(TextReporter(output, output, errors.append), screen=screen)
    session.run(Source("a.tg", text))
    assert not errors, errors
    return found
