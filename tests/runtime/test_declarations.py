"""Checked annotations."""

from __future__ import annotations

import pytest
from worlds import World, run

from tgrad.errors import ArgumentError, DTypeError, ShapeError


@pytest.mark.parametrize(
    "text",
    [
        "x: float32[2, 3] = ones(2, 3)",
        "x: float32 = ones(2, 3)",
        "x: torch.float64[2] = ones(2, dtype=float64)",
        "x: Tensor[2] = ones(2, dtype=int64)",
        "x: float32[n, n] = ones(2, 2)",
        "x: float32[...] = ones(2, 2)",
        "x: float32[..., 3] = ones(2, 2, 3)",
        "x: float32[2, ..., n] = ones(2, 3)",
        "x: float32[_, _] = ones(2, 3)",
        "x: float32[n] = ones(2)\ny: int64[n, 3] = ones(2, 3, dtype=int64)",
        "x: int = 'not checked'\ny: list[int] = 3",
        "def f(x: float32[n], y: float32[n]): return n_of(x)\ndef n_of(x): return 1\n"
        "f(ones(2), ones(2))\nf(ones(3), ones(3))",
    ],
)
def test_what_agrees(text: str) -> None:
    run("import torch\n" + text)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("x: float32[2] = ones(3)", ShapeError, "x is declared with shape [2] and got [3]"),
        ("x: float32[2] = ones(2, 1)", ShapeError, "x is declared with shape [2] and got [2, 1]"),
        (
            "x: float32[3, ..., 2] = ones(2)",
            ShapeError,
            "x is declared with shape [3, ..., 2] and got [2]",
        ),
        (
            "x: float32[n, n] = ones(2, 3)",
            ShapeError,
            "x is declared with shape [n, n] and got [2, 3], where n is 2",
        ),
        (
            "x: float32[batch, 3] = ones(4, 3)\ny: float32[batch] = ones(5)",
            ShapeError,
            "y is declared with shape [batch] and got [5], where batch is 4",
        ),
        (
            "x: float32 = ones(2, dtype=float64)",
            DTypeError,
            "x is declared as float32 and got float64",
        ),
        ("x: float32[2] = [1., 2.]", ArgumentError, "x is declared as float32[2] and got list"),
        ("x: Tensor[2] = None", ArgumentError, "x is declared as a tensor [2] and got None"),
        ("x: int64 = 3", ArgumentError, "x is declared as int64 and got int"),
        (
            "def f(x: float32[n], y: float32[n]): pass\nf(ones(2), ones(3))",
            ShapeError,
            "y is declared with shape [n] and got [3], where n is 2",
        ),
    ],
)
def test_what_does_not(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        run(text)
    assert str(caught.value) == message


def test_a_failed_check_binds_nothing() -> None:
    world = World()
    with pytest.raises(ShapeError):
        world.run("x: float32[n, 3] = ones(2, 4)")
    world.run("x: float32[n, 3] = ones(5, 3)")


def test_sizes_at_the_top_level_last_and_calls_have_their_own() -> None:
    world = World()
    world.run("x: float32[n] = ones(2)")
    world.run("def f(x):\n    y: float32[n] = x\n    return y\nf(ones(3))")
    with pytest.raises(ShapeError):
        world.run("x: float32[n] = ones(3)")
