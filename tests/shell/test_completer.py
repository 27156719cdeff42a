"""What completion and the signature say, and that they run nothing."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from tgrad.runtime import scope
from tgrad.runtime.output import Output, TextReporter
from tgrad.runtime.session import Session
from tgrad.shell import warm
from tgrad.shell.completer import make_completer
from tgrad.shell.cursor import read
from tgrad.shell.signature import signature_text, wait_for_descriptions
from tgrad.source import Source

PROGRAM = """
import torch, math
import torch.nn as nn
import torch.nn.functional as F
from torch import sin
x = torch.zeros(3, 4, requires_grad=True)
count = 3
net = nn.Sequential(nn.Linear(4, 2), nn.ReLU())
best = torch.max(x, 1)
def step(rate, *, times=2):
    return rate
"""


def make_shell(text: str = PROGRAM) -> Any:
    output = Output(StringIO())
    failed: list[object] = []
    session = Session(TextReporter(output, output, lambda diagnostic: failed.append(diagnostic)))
    session.run(Source("<input 1>", text))
    assert not failed
    warm.warm().join()
    return SimpleNamespace(session=session, commands={"who": SimpleNamespace(help="lists the names")})


SHELL = make_shell()


def completions(text: str, asked: bool = True, shell: Any = SHELL) -> dict[str, str]:
    event = CompleteEvent(completion_requested=asked)
    found = make_completer(shell).get_completions(Document(text), event)
    return {each.text: each.display_meta_text for each in found}


def signature(text: str) -> str | None:
    signature_text(SHELL, Document(text))
    wait_for_descriptions()
    found = signature_text(SHELL, Document(text))
    return None if found is None else "".join(piece for _, piece in found)


# -- names


def test_names_have_dtype_and_shape_beside_them() -> None:
    assert completions("x")["x"] == "float32[3, 4]"
    assert completions("cou")["count"] == "int 3"
    assert completions("ne")["net"] == "Sequential"
    assert completions("st")["step"] == "function"
    assert completions("mat")["math"] == "module"


def test_own_names_come_first_and_capitals_last() -> None:
    assert next(iter(completions("s"))) == "step"
    found = list(completions("t"))
    assert found.index("tanh") < found.index("True")


def test_operators_say_what_they_do() -> None:
    assert completions("sigm")["sigmoid"] == "1 / (1 + exp(-x))"
    assert completions("torch.linalg.de")["det"]
    assert "param" in completions("par")


def test_nothing_without_a_word_unless_asked() -> None:
    assert completions("", asked=False) == {}
    assert completions("y = ", asked=False) == {}
    assert "x" in completions("y = ")
    assert completions("step(", asked=False) == {}
    assert list(completions("step(1, t", asked=False)) == ["times="]
    assert "shape" in completions("x.", asked=False)


def test_no_menu_below_a_name_that_is_complete() -> None:
    assert completions("count", asked=False) == {}
    assert "count_nonzero" in completions("count")


@pytest.mark.parametrize("text", ["# x", "x = 1  # x", '"x', "'''x", "1.", "12", "def f(x): # to"])
def test_nothing_in_comments_texts_and_numbers(text: str) -> None:
    assert completions(text) == {}


# -- attributes


@pytest.mark.parametrize("text", ["x.", "x.T.", "net[0].", "(x + x).", "x.sum(0).", 'f"{x.'])
def test_methods_of_tensors(text: str) -> None:
    found = completions(text)
    assert found["sum"] == "The sum of all elements"
    assert found["shape"] == "attribute"
    assert "add_" in found
    assert not [name for name in found if name.startswith("_")]


def test_attributes_of_other_values() -> None:
    assert list(completions("best."))[:2] == ["values", "indices"]
    assert "upper" in completions('"abc".')
    assert "pi" in completions("math.")
    assert "training" in completions("net.")
    assert "bit_length" in completions("count.")
    assert completions("x.grad.") == {}
    assert completions("nothing.") == {}


def test_imports() -> None:
    assert completions("import nump")["numpy"] == "module"
    assert "Linear" in completions("from torch.nn import Lin")
    assert completions("from nowhere import a") == {}


# -- calls


def test_keywords_of_a_call() -> None:
    def keywords(text: str) -> dict[str, str]:
        return {name: about for name, about in completions(text).items() if name.endswith("=")}

    assert keywords("step(") == {"rate=": "keyword", "times=": "default 2"}
    assert keywords("step(1, ") == {"times=": "default 2"}
    assert keywords("step(times=1, ") == {}
    assert list(completions("step("))[:2] == ["rate=", "times="]
    assert keywords("sin(") == {"out=": "default None"}
    assert "dim=" in completions("x.sum(d")
    assert "stride=" in completions("F.conv2d(x, x, s")
    assert "bias=" in completions("nn.Linear(4, 2, b")


@pytest.mark.parametrize(
    "text", ["torch.zeros(3, dtype=flo", "y: flo", "x = 1\ny: flo", "def f(a: flo", "param a: flo"]
)
def test_dtypes(text: str) -> None:
    assert list(completions(text)) == ["float16", "float32", "float64", "float"]


def test_commands() -> None:
    assert completions(":wh") == {"who": "lists the names"}
    assert ":who" in completions(":help :w")
    assert "x" in completions(":time x")


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data.npy").write_bytes(b"")
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "deep.tg").write_text("")
    monkeypatch.chdir(tmp_path)
    assert completions('load("da') == {"data.npy": "file"}
    assert completions('load("d') == {"data.npy": "file", "dir/": "folder"}
    assert completions(":run dir/d") == {"deep.tg": "file"}
    assert completions('print("da') == {}
    assert completions('load("nowhere/') == {}


# -- nothing runs


def test_looking_runs_nothing() -> None:
    before = dict(SHELL.session.names)
    for text in (
        "step(",
        "step(1).",
        "x.grad",
        "net.forward(",
        "best.values.",
        "x.requires_grad_(",
        "torch.rand(",
    ):
        completions(text)
        signature(text)
    x = SHELL.session.names["x"]
    assert SHELL.session.names == before
    assert (x._version, x.grad) == (0, None)


def test_a_fault_costs_the_completions_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("broken")

    monkeypatch.delenv("TGRAD_DEBUG", raising=False)
    monkeypatch.setattr(scope, "own_names", fail)
    monkeypatch.setattr(scope, "value_of", fail)
    assert completions("x") == {}
    assert signature_text(SHELL, Document("sin(")) is None


def test_values_that_cannot_be_described_still_complete() -> None:
    shell = make_shell("huge = 10 ** 6000\nlong = 'a' * 100000\n")
    assert completions("hug", shell=shell)["huge"].startswith("int of")
    assert completions("lon", shell=shell)["long"] == "str of 100000 characters"


# -- signatures


def test_signature_with_what_it_does_and_the_derivative() -> None:
    assert signature("torch.sin(") == "torch.sin(input)\nSine\ngradient of input: g * cos(input)"
    assert signature("x.mul(") == (
        "Tensor.mul(other)\nProduct, element by element, with broadcasting\n"
        "gradient of input: g * other; of other: g * input"
    )
    assert str(signature("x.sum(")).endswith("gradient of input: spread(g, shape of input, dim, keepdim)")
    assert signature("y = step(1, ") == "step(rate, *, times=2)"
    assert str(signature("nn.Linear(")).startswith("torch.nn.Linear(in_features, out_features, bias=True")


@pytest.mark.parametrize("text", ["", "x", "torch.sin(x)", "nothing(", ":time sin(", "def f(", "(", "[1, "])
def test_no_signature_outside_of_calls(text: str) -> None:
    assert signature(text) is None


def test_the_argument_at_the_cursor_is_marked() -> None:
    def current(text: str) -> list[str]:
        found = signature_text(SHELL, Document(text)) or []
        return [piece for style, piece in found if "bold" in style]

    assert current("step(") == ["rate"]
    assert current("step(1, times=") == ["times=2"]
    assert current("torch.cat([x, ") == ["tensors"]
    assert current("torch.cat([x, x], ") == ["dim=0"]


def test_only_the_overloads_that_fit() -> None:
    assert str(signature("x.sum(dim=")).startswith("Tensor.sum(dim, keepdim=False, *, dtype=None)\nThe sum")


def test_long_texts_are_read_from_near_the_end() -> None:
    place = read("x = [1, 2]\n" * 20000 + "x.su")
    assert (place.kind, place.word, place.path) == ("attribute", "su", ("x",))
