"""The live line: dtype and shape as running gives them, errors as it raises them; nothing else happens."""

from __future__ import annotations

import asyncio
import warnings
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from prompt_toolkit.document import Document

from tgrad.core.random import default_generator
from tgrad.core.tensor import Tensor
from tgrad.ops import reference
from tgrad.runtime import manual
from tgrad.runtime.diagnostic import Diagnostic
from tgrad.runtime.operands import describe
from tgrad.runtime.output import Output, TextReporter
from tgrad.runtime.preview import described, preview
from tgrad.runtime.session import Session
from tgrad.shell import warm
from tgrad.shell.preview import bottom_line
from tgrad.source import Source

PROGRAM = """
import torch
import torch.nn.functional as F
from torch import sin
X = torch.arange(320.).view(32, 10) / 320
W = torch.ones(10, 5, requires_grad=True)
b = torch.zeros(5)
i = torch.tensor([0, 2, 1])
m = X > 0.5
img = torch.ones(8, 3, 16, 16)
k = torch.ones(6, 3, 3, 3)
z = torch.tensor([1j])
n = 3
big = torch.zeros(2000, 1).expand(2000, 3000)
def step(x):
    raise ValueError("ran")
"""

FAILED: list[Diagnostic] = []


def make_session() -> Session:
    FAILED.clear()
    output = Output(StringIO())
    session = Session(TextReporter(output, output, lambda diagnostic: FAILED.append(diagnostic)))
    session.run(Source("<input 1>", PROGRAM))
    warm.warm().join()
    assert not FAILED
    return session


SESSION = make_session()
manual.load()


def said(text: str) -> str | None:
    found = preview(SESSION, text, longest=60.0)
    return None if found is None else ("! " if found.error else "") + found.text


@pytest.mark.parametrize("text", """
X @ W + b; y = X @ W; X[0]; X[:, None]; X[i]; X[i, 1]; X[1:5, ::2]; X[..., 0]; -X; X < 0.5; 2 ** X
i / 2; i // 2
X.sum(); X.sum(dim=1, keepdim=True); X.mean((0, 1)); X.std(0); X.argmax(1); X.T; X.reshape(5, -1); X.view(-1)
X.to(torch.float64); X.double(); X.long() + 1; X.half() * 2; F.softmax(X, 1); F.relu(X).flatten()
X.unsqueeze(0)
F.conv2d(img, k); F.conv2d(img, k, padding=1, stride=2); F.max_pool2d(img, 2); F.linear(X, W.T, b); sin(X)
torch.cat([X, X], 1); torch.stack([b, b]); torch.zeros(3, 4); torch.arange(10); torch.arange(10.)
torch.eye(3)
torch.where(X > 0, X, 0); torch.einsum("ij,jk->ik", X, W); torch.tensor([[1, 2], [3, 4.5]]); z * 2
z.real; abs_ * 1
torch.linspace(0, 1, 5); X.permute(1, 0); X.expand(2, 32, 10); b.repeat(2, 3); F.cross_entropy(X[:3], i)
X.clone().detach(); X.contiguous(); X.gather(1, X.argmax(1, keepdim=True)); X.cumsum(0); X.norm()
torch.outer(b, b)
F.layer_norm(X, (10,)); torch.linalg.svdvals(X); X.clamp(0, 1); X.numpy_; ones(2, 3); X.sum(1)[n:]; X * n
torch.maximum(X, X); X.abs().log1p(); X.bool(); ~m; m & m; X.to("cpu"); X.type_as(i); X @ X.T; b @ b
big + 1 > 0
""".replace("\n", ";").split(";"))  # fmt: skip
def test_it_is_what_running_gives(text: str) -> None:
    text = text.strip()
    if not text or text in ("abs_ * 1", "X.numpy_"):
        assert said(text) is None
        return
    names = SESSION.names
    SESSION.run(Source("<run>", text if "= X @" in text else f"result = {text}"))
    result = names["y"] if "= X @" in text else names["result"]
    assert said(text) == describe(result)


@pytest.mark.parametrize("text", [
    "X @ X", "X + b[:3]", "X.sum(5)", "X[40]", "torch.cat([X, b])", "X.reshape(7, -1)", "F.linear(X, W)",
    "F.conv2d(img, k[:, :2])", "X.view(3)", "torch.stack([X, b])", "X.transpose(0, 5)", "b.mm(b)", "i.mean()",
    "F.cross_entropy(X, i)", "torch.zeros(2, -3)", "X[0, 0, 0]", "X + 'a'", "X @ b", "m - m",
    "X.sum(dim=1, keepdims=3, wrong=1)",
])  # fmt: skip
def test_errors_are_those_of_running(text: str) -> None:
    FAILED.clear()
    SESSION.run(Source("<run>", text))
    assert said(text) == "! " + FAILED[0].last_line.partition("\n")[0]


@pytest.mark.parametrize("text", [
    "", "X", "3", "1 + 2", "n * 2", "'text'", "X +", "x = ", "step(X)", "X.add_(1)", "X += 1", "X[0] = 1",
    "torch.rand(3)", "torch.randn_like(X)", "F.dropout(X)", "torch.manual_seed(1)", "X[m]",
    "X.nonzero()", "X.item()",
    "X.tolist()", "W.backward()", "W.sum().backward()", "F.relu(X, inplace=True)", "torch.add(X, X, out=X)",
    "print(X)", "X if n else b", "[x for x in X]", "lambda: X", "y, z = X.max(1)", "X; b", "unknown + X",
    "10 ** 10 ** 10", "torch.zeros(10 ** 6, 10 ** 6)", "X.repeat(1000, 1000)", "torch.arange(1e12)",
    "torch.as_strided(X, (2,), (1,))", "for x in X: x", "if n:\n    X + 1", "X.unique()", "X[:i[0]]",
    "a ~= b", "(" * 300,
])  # fmt: skip
def test_what_has_no_preview(text: str) -> None:
    assert said(text) in (None, "float32[32, 10]" if text == "X" else None)


@pytest.mark.parametrize("module", sorted({found.module for found in reference.descriptions()}))
def test_examples_of_all_operators(module: str) -> None:
    """What running gives, or nothing; and no random number is drawn."""
    session = Session(SESSION._reporter)
    names = [found.name for found in reference.descriptions() if found.module == module]
    previews = 0
    for name in names:
        page = manual.page(name if module == "torch" else f"{module}.{name}", session)
        if page is None or page.example is None:
            continue
        *before, last = page.example.lines
        session.run(Source("<run>", "\n".join(["import torch", *before])))
        state = default_generator.get_state().tolist()
        found = preview(session, last, longest=60.0)
        assert default_generator.get_state().tolist() == state, last
        session.run(Source("<run>", f"result = {last}"))
        if found is not None:
            previews += 1
            assert found.text == described(session.names["result"]), last
    assert previews > 0.6 * len(names)


def test_several_results() -> None:
    assert said("X.max(1)") == "(values=float32[32], indices=int64[32])"
    assert said("X.split(8)") == "(float32[8, 10], float32[8, 10], float32[8, 10], float32[8, 10])"
    assert (
        said("X.split(4)") == "(float32[4, 10], float32[4, 10], float32[4, 10], float32[4, 10], ... 4 more)"
    )
    assert said("X.shape") == "torch.Size([32, 10])"


def test_huge_tensors_cost_nothing() -> None:
    session = make_session()
    session.run(Source("<run>", "huge = torch.zeros(1).expand(10 ** 6, 10 ** 6)"))
    found = preview(session, "(huge * 2 + 1).sin().T[5:]", longest=60.0)
    assert found is not None
    assert found.text == "float32[999995, 1000000]"


def test_the_programs_tensors_stay_as_they_are() -> None:
    names = ("X", "W", "b", "i", "m", "k", "z")
    tensors: list[Tensor] = [SESSION.names[name] for name in names]
    before = [(t._version, t.grad, t.grad_fn, t.requires_grad, t.tolist()) for t in tensors]
    state = default_generator.get_state().tolist()
    known = set(SESSION.names)
    for text in ("X @ W", "new = W * 2", "F.batch_norm(X, b, b, training=True)", "F.conv2d(img, k)", "W.T"):
        said(text)
    assert before == [(t._version, t.grad, t.grad_fn, t.requires_grad, t.tolist()) for t in tensors]
    assert default_generator.get_state().tolist() == state
    assert set(SESSION.names) == known


def test_it_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert said("X / 0") == "float32[32, 10]"
        assert said("F.mse_loss(X, X[:1])") == "float32[]"
        assert said("X + (1 is 1)") is None
        assert said(r"'\d'") is None


def test_it_is_dropped_when_it_takes_too_long() -> None:
    assert preview(SESSION, "X + 1", longest=0.0) is None


# -- the line


def line(text: str, shell: Any) -> list[tuple[str, str]] | None:
    return bottom_line(shell, Document(text))


def test_the_line() -> None:
    shell = SimpleNamespace(session=make_session(), inputs=[])
    line("X * 1; b", shell)
    said("X @ X.T")  # what is compiled at first use is there
    said("X @ X")
    assert line("X @ X.T", shell) == [("class:live", "float32[32, 32]")]
    found = line("X @ X", shell)
    assert found is not None
    assert found[0][0] == "class:live.error"
    assert line(":who", shell) is None
    assert line("X @ X?", shell) is None


def test_typing_never_waits() -> None:
    """Within an event loop the line is worked out later, when the text has stood still."""
    shell = SimpleNamespace(session=make_session(), inputs=[])

    async def typing() -> list[object]:
        said("X * 2")
        first = line("X * 2", shell)
        await asyncio.sleep(0.5)
        return [first, line("X * 2", shell)]

    assert asyncio.run(typing()) == [None, [("class:live", "float32[32, 10]")]]


def test_a_fault_costs_the_line_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TGRAD_DEBUG", raising=False)
    assert bottom_line(SimpleNamespace(session=None), Document("X + 1")) is None
