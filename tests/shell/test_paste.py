"""Pasting: one block to edit, without the prompts that were copied along."""

from __future__ import annotations

import pytest
from driving import DOWN, END, ENTER, HOME, UP, Driven, pasted

from tgrad.shell.paste import clean


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\r\ny = 2\r\n", "x = 1\ny = 2"),
        (">>> x = 1\n>>> x\n1\n>>> y = 2", "x = 1\nx\ny = 2"),
        (">>> for i in a:\n...     i\n...\n0\n>>> 2", "for i in a:\n    i\n\n2"),
        (
            "In [3]: for i in a:\n   ...:     i\n   ...: \nOut[3]: 5\n\nIn [4]: 2",
            "for i in a:\n    i\n\n2",
        ),
        ("tgrad> for i in a:\n  ...>     i\n  ...> \n0\ntgrad> 2", "for i in a:\n    i\n\n2"),
        ("    >>> x = 1\n    >>> x\n    1", "x = 1\nx"),
        ("x = 1\n>>> y = 2\n>>> x\n1", "x = 1\ny = 2\nx"),
        (">>> x", "x"),
        ("    if x:\n        y\n    z", "if x:\n    y\nz"),
        ("x = [1, ...]", "x = [1, ...]"),
        ("def f():\n    ...", "def f():\n    ..."),
        ("a >>> b", "a >>> b"),
    ],
)
def test_clean(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_paste_is_one_block_and_runs_with_enter() -> None:
    driven = Driven(pasted("for i in range(2):\n    i\n"), ENTER)
    assert driven.texts == ["for i in range(2):\n    i"]
    assert driven.shown == "0\n1\n"
    assert driven.shell.history.entries == ["for i in range(2):\n    i"]


def test_paste_can_be_edited() -> None:
    driven = Driven(pasted("x = 12\nx"), "0 = 4", ENTER)
    assert driven.texts == ["x = 12\nx0 = 4"]


def test_up_moves_within_a_paste() -> None:
    driven = Driven(pasted("x = 12\nx"), UP, "y", DOWN, END, ENTER, history=["old"])
    assert driven.texts == ["xy = 12\nx"]


def test_lines_pasted_before_something_stay_apart() -> None:
    driven = Driven("x", HOME, pasted("x = 3\n"), END, ENTER)
    assert driven.texts == ["x = 3\nx"]


def test_paste_behind_something_typed() -> None:
    assert Driven("x = ", pasted(">>> 2"), ENTER, "x", ENTER).shown == "2\n"


def test_pasted_session_runs() -> None:
    text = ">>> import torch\n>>> x = torch.arange(3)\n>>> x * 2\ntensor([0, 2, 4])\n"
    assert Driven(pasted(text), ENTER).shown == "tensor([0, 2, 4])\n"


def test_pasted_tutorial_runs() -> None:
    text = """\
import torch

x = torch.ones(2, 2, requires_grad=True)

def f(t):
    y = t + 2

    return y * y * 3

out = f(x).mean()
out.backward()
print(x.grad)
"""
    assert Driven(pasted(text), ENTER).shown == "tensor([[4.5000, 4.5000],\n        [4.5000, 4.5000]])\n"


def test_ten_thousand_lines() -> None:
    text = "\n".join(f"x{number} = {number}" for number in range(10_000))
    driven = Driven(pasted(text), ENTER, "x9999", ENTER)
    assert driven.texts == [text, "x9999"]
    assert driven.shown == "9999\n"
