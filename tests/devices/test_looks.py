"""Tensors on the GPU where they are looked at: printed, shown, listed, in graphs, as JSON; and undone."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

import tgrad as torch
from tests.devices import strict
from tests.shell.driving import Driven
from tgrad.cli import main
from tgrad.runtime.journal import Journal
from tgrad.runtime.output import Output, TextReporter
from tgrad.runtime.preview import preview
from tgrad.runtime.session import Session
from tgrad.source import Source

pytestmark = pytest.mark.usefixtures("cuda")


class Desk:
    """A session with what it wrote, whose inputs can be undone."""

    def __init__(self) -> None:
        self.text = io.StringIO()
        output = Output(self.text)
        self.failed: list[str] = []
        self.session = Session(TextReporter(output, output, lambda found: self.failed.append(found.message)))
        self.journal = Journal(self.session)

    def __call__(self, text: str) -> str:
        """Run an input that can be undone; returns what it wrote."""
        self.journal.begin(text)
        written = self.look(text)
        self.journal.end()
        return written

    def look(self, text: str) -> str:
        """The same outside of the journal."""
        start = len(self.text.getvalue())
        self.session.run(Source("<input>", text), show=True)
        assert self.failed == []
        return self.text.getvalue()[start:]


# ---------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda d: torch.ones(2, device=d), "tensor([1., 1.], device='cuda:0')"),
        (lambda d: torch.tensor(1, device=d), "tensor(1, device='cuda:0')"),
        (
            lambda d: torch.ones(2, dtype=torch.float64, device=d, requires_grad=True),
            "tensor([1., 1.], device='cuda:0', dtype=torch.float64, requires_grad=True)",
        ),
        (
            lambda d: torch.ones(1, device=d).requires_grad_() * 2,
            "tensor([2.], device='cuda:0', grad_fn=<MulBackward0>)",
        ),
        (lambda d: torch.ones(0, 3, device=d), "tensor([], device='cuda:0', size=(0, 3))"),
        (
            lambda d: torch.nn.Parameter(torch.ones(1, device=d)),
            "Parameter containing:\ntensor([1.], device='cuda:0', requires_grad=True)",
        ),
        (
            lambda d: torch.arange(20.0, device=d),
            "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,\n"
            "        14., 15., 16., 17., 18., 19.], device='cuda:0')",
        ),
        (
            lambda d: torch.arange(18.0, device=d) * 1000,
            "tensor([    0.,  1000.,  2000.,  3000.,  4000.,  5000.,  6000.,  7000.,  8000.,\n"
            "         9000., 10000., 11000., 12000., 13000., 14000., 15000., 16000., 17000.],\n"
            "       device='cuda:0')",
        ),
        (
            lambda d: torch.ones(2000, device=d),
            "tensor([1., 1., 1.,  ..., 1., 1., 1.], device='cuda:0')",
        ),
    ],
)  # fmt: skip
def test_printed(make: Any, text: str) -> None:
    assert repr(make("cuda")) == text


@pytest.mark.parametrize("shape", [(2000,), (50, 60), (5, 30, 20), (1001, 1), (3, 1000), (2, 7, 300)])
def test_edges_of_large_tensors(shape: tuple[int, ...]) -> None:
    x = torch.randn(*shape)
    for tensor in (x, x.transpose(0, -1), (x * 10).long(), x > 0):
        lines = repr(tensor.cuda()).replace(", device='cuda:0'", "").replace(",\n       device='cuda:0'", "")
        assert lines == repr(tensor)


def test_only_the_edges_are_taken_across(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    get = strict.Array.get
    monkeypatch.setattr(strict.Array, "get", lambda array: sizes.append(array.size) or get(array))
    repr(torch.ones(1000, 1000, device="cuda"))
    assert sum(sizes) == 36


def test_options_of_printing() -> None:
    x = torch.arange(2500, device="cuda").reshape(50, 50)
    for options in ({"threshold": 5, "edgeitems": 1}, {"threshold": float("inf")}, {"edgeitems": 0}):
        torch.set_printoptions(profile="default", **options)
        try:
            found, expected = repr(x), repr(x.cpu())
        finally:
            torch.set_printoptions(profile="default")
        assert "".join(found.split()).replace(",device='cuda:0'", "") == "".join(expected.split())


# ---------------------------------------------------------------- a session's looks


PROGRAM = """\
x = torch.arange(12., device="cuda").reshape(3, 4).requires_grad_()
w = torch.nn.Linear(4, 2).cuda()
loss = w(x).relu().mean()
loss.backward()
"""


@pytest.mark.parametrize(
    "text",
    [
        "show(x)", "show(x[0])", "show(x > 2)", "show({'a': x, 'b': [loss, 1]})", "show(w)",
        "show(torch.randn(200, 300, device='cuda'))", "show(torch.arange(500., device='cuda'))",
    ],
)  # fmt: skip
def test_show(text: str) -> None:
    torch.manual_seed(0)
    desk = Desk()
    desk(PROGRAM)
    found = desk(text)
    torch.manual_seed(0)
    other = Desk()
    other(PROGRAM.replace('"cuda"', '"cpu"').replace(".cuda()", ""))
    assert found.replace("cuda:0", "cpu") == other(text.replace("'cuda'", "'cpu'"))


def test_json(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "-c", 'x = torch.arange(3., device="cuda")\nx\n[x[0], 1]']) == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["data"] for line in lines] == [[0.0, 1.0, 2.0], [0.0, 1]]


def test_graph_and_lists() -> None:
    driven = Driven(
        "x = torch.ones(3, device='cuda', requires_grad=True)\r", "y = (x * 2).sum()\r", "y.backward()\r",
        ":who\r", ":mem\r", ":grads\r", "graph(y)\r",
    )  # fmt: skip
    shown = driven.screen.getvalue()
    assert "float32[3] on cuda:0" in shown
    assert "failed" not in shown
    assert "Error" not in shown


def test_undo() -> None:
    desk = Desk()
    desk("x = torch.ones(3, device='cuda'); v = x[1:]")
    for change in ("x.mul_(5)", "x[0] = 7", "v += 1", "x.data = x + 1"):
        desk(change)
        assert desk.look("x") != "tensor([1., 1., 1.], device='cuda:0')\n"
        desk.journal.undo()
        assert desk.look("x") == "tensor([1., 1., 1.], device='cuda:0')\n"


def test_undo_of_a_step() -> None:
    desk = Desk()
    desk(PROGRAM + "opt = torch.optim.SGD(w.parameters(), lr=0.1, momentum=0.9)")
    before = desk.look("w.weight")
    desk("opt.step()")
    after = desk.look("w.weight")
    desk.journal.undo()
    assert desk.look("w.weight") == before != after
    desk.journal.redo()
    assert desk.look("w.weight") == after


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x + 1", "float32[3]"), ("x @ x", "float32[]"), ("x.to('cpu')", "float32[3]"),
        ("torch.zeros(3, 2, device='cuda')", "float32[3, 2]"), ("x.cuda()", "float32[3]"),
    ],
)  # fmt: skip
def test_previews_do_nothing_on_the_device(text: str, found: str, cuda: type[strict.Counts]) -> None:
    desk = Desk()
    desk("x = torch.ones(3, device='cuda')")
    before = cuda.transfers, cuda.waits
    said = preview(desk.session, text, 10.0)
    assert said is not None
    assert (said.text, said.error) == (found, False)
    assert (cuda.transfers, cuda.waits) == before
