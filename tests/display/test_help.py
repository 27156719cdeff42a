"""Help pages: each operator has one, at every width, and what it shows is what runs."""

from __future__ import annotations

from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest

from tgrad.core.random import default_generator
from tgrad.display.cells import text_width
from tgrad.display.help import help_text, page_lines
from tgrad.display.theme import STYLES
from tgrad.ops import reference
from tgrad.runtime import manual
from tgrad.runtime.output import Output, TextReporter
from tgrad.runtime.session import Session
from tgrad.runtime.words import WORDS
from tgrad.source import Source


def shell(text: str = "") -> Any:
    output = Output(StringIO())
    session = Session(TextReporter(output, output, lambda diagnostic: None))
    session.run(Source("<input 1>", text))
    return SimpleNamespace(session=session)


def help_of(name: str, text: str = "", width: int = 80, **more: Any) -> str:
    lines = help_text(name, shell(text), width=width, **more)
    return "\n".join("".join(piece for _, piece in line) for line in lines)


manual.load()
OPERATORS = sorted({(found.module, found.name) for found in reference.descriptions()})


@pytest.mark.parametrize("module", sorted({module for module, _ in OPERATORS}))
def test_every_operator_has_a_page(module: str) -> None:
    session = shell().session
    for _, name in (pair for pair in OPERATORS if pair[0] == module):
        page = manual.page(name if module == "torch" else f"{module}.{name}", session)
        assert page is not None, name
        assert page.title.endswith(name), (name, page.title)
        assert page.about, name
        assert {"gradient"} <= {label for label, _ in page.facts}, name
        for width in (40, 80):
            for line in page_lines(page, width):
                assert text_width("".join(text for _, text in line)) <= width, (name, line)
                assert {style for style, _ in line} <= set(STYLES)


def test_most_operators_have_an_example() -> None:
    session = shell().session
    pages = [
        manual.page(name if module == "torch" else f"{module}.{name}", session)
        for module, name in OPERATORS[::10]
    ]
    found = sum(page is not None and page.example is not None for page in pages)
    assert found >= 0.85 * len(OPERATORS[::10])


@pytest.mark.parametrize("word", sorted(WORDS))
def test_words_have_a_page_with_an_example(word: str) -> None:
    page = manual.page(word, shell().session)
    assert page is not None
    assert page.example is not None


def test_sin() -> None:
    assert (
        help_of("sin")
        == """\
torch.sin(input)

Sine.

shapes    any; the result has the input's
dtype     that of the input; integers give float32, the default dtype
forms     function, method, in place, out=
forward   out = sin(input)
gradient  input: g * cos(input)
where     g is the gradient of the result out
errors    torch.sin("text"): TypeError: sin(): argument 'input' (position 1)
            must be Tensor, not str

example
tgrad> x = torch.tensor([0.5, 1.0, 2.0])
tgrad> torch.sin(x)
tensor([0.4794, 0.8415, 0.9093])"""
    )


def test_narrow() -> None:
    assert (
        help_of("torch.mul", width=40)
        == """\
torch.mul(input, other)

Product, element by element, with
broadcasting.

shapes
  any that broadcast together: sizes
    agree from the last on, or one of
    them is 1
dtype
  that of the operands together: int32
    and float32 give float32
forms
  function, method, in place, out=, *
forward
  out = multiply(input, other)
gradient
  input: g * other
  other: g * input
where
  g is the gradient of the result out
errors
  torch.mul(torch.ones(2),
    torch.ones(3)): RuntimeError: The
    size of tensor a (2) must match the
    size of tensor b (3) at
    non-singleton dimension 0

example
tgrad> x = torch.tensor([0.5, 1.0, 2.0])
tgrad> y = torch.tensor([2.0, 0.5, 1.0])
tgrad> torch.mul(x, y)
tensor([1.0000, 0.5000, 2.0000])"""
    )


def test_names_of_the_session_come_first() -> None:
    text = "sin = 3\nx = tensor([1.0, 2.0])\ndef step(a, *, b=2):\n    return a\n"
    assert help_of("sin", text) == "sin: int 3"
    assert help_of("x", text) == "x: float32[2]"
    assert help_of("step?", text).startswith(
        "step(a, *, b=2)\n\nA function of yours.\n\nmade      input 1, line 3"
    )
    assert help_of("x.sum", text).startswith("Tensor.sum(")


def test_builtins_that_are_operators_too() -> None:
    text = help_of("sum")
    assert text.startswith("torch.sum(input, *, dtype=None)")
    assert "without `torch.` it is Python's" in text


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("add_", "Tensor.add_("),
        ("uniform_", "Tensor.uniform_("),
        ("F.relu", "torch.nn.functional.relu("),
        ("torch.linalg.inv", "torch.linalg.inv("),
        ("cross_entropy", "torch.nn.functional.cross_entropy("),
        ("Linear", "torch.nn.Linear(in_features, out_features"),
        ("Adam", "torch.optim.Adam(params"),
        ("math", "import math"),
    ],
)
def test_what_else_has_a_page(name: str, title: str) -> None:
    text = "import torch, math\nimport torch.nn.functional as F"
    assert help_of(name, text, width=100).startswith(title)


def test_optimizers_and_layers_have_examples() -> None:
    assert help_of("SGD").endswith("tgrad> w\ntensor([0.8000, 0.8000], requires_grad=True)")
    assert "tgrad> layer = torch.nn.ReLU()" in help_of("ReLU")


def test_unknown_names() -> None:
    assert help_of("sinn") == "there is no help on sinn; did you mean sin?"
    assert help_of("qqqqqq") == "there is no help on qqqqqq; :help lists what there is"


def test_commands() -> None:
    commands = {"who": SimpleNamespace(usage=":who", help="lists the names")}
    assert help_of(":who", commands=commands) == ":who\n  lists the names"
    assert help_of(":zz", commands=commands) == "there is no command :zz; :help lists them"
    assert help_of(":whoo", commands=commands) == "there is no command :whoo; did you mean :who?"
    assert help_of("", commands=commands).split("\n")[2:4] == [
        "Commands",
        ":who                  lists the names",
    ]


@pytest.mark.parametrize("width", [40, 80])
def test_the_list_has_all_areas_and_all_operators(width: int) -> None:
    text = help_of("", width=width)
    assert all(text_width(line) <= width for line in text.split("\n"))
    for title, _ in reference.AREAS:
        assert f"\n{title}\n" in text
    listed = text.replace("\n", "").replace(" ", "").replace(",", " ").split()  # names may be broken
    for module, name in OPERATORS:
        prefix = module.removeprefix("torch").removeprefix(".").replace("nn.functional", "F")
        shown = f"{prefix}.{name}" if prefix else name
        assert any(each.endswith(shown) or shown in each for each in listed) or name.endswith("_")


def test_looking_things_up_draws_no_random_numbers() -> None:
    default_generator.manual_seed(3)
    before = default_generator.get_state().tolist()
    help_of("rand")
    assert default_generator.get_state().tolist() == before
