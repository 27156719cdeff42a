"""What is tgrad's own: no_grad, param, ~=, checked annotations, showing values."""

import pytest
from running import World, compiled, failure, marked

# -- no_grad


def test_no_grad_opens_a_block() -> None:
    world = World().run("no_grad:\n    x = 1\ny = 2\n")
    assert world.events == ["no_grad", "grad"]
    assert (world["x"], world["y"]) == (1, 2)


def test_no_grad_on_one_line() -> None:
    assert World().run("no_grad: x = 1; y = x").events == ["no_grad", "grad"]


def test_no_grad_in_a_function() -> None:
    assert World().run("def f():\n  no_grad:\n    return 1\nf()").events == ["no_grad", "grad"]


@pytest.mark.parametrize(
    "text",
    [
        "no_grad = 1; y = no_grad",
        "def f(no_grad): return no_grad\ny = f(1)",
        "y = [1, 2][(lambda no_grad: no_grad)(0)]",
        "no_grad = 0\ny = [1, 2][no_grad:][0]",
        "no_grad = 1\ny = {no_grad: 1}[1]",
        "for no_grad in [1]: y = no_grad",
    ],
)
def test_no_grad_is_a_name_elsewhere(text: str) -> None:
    assert World().run(text)["y"] == 1


# -- param


def test_param_has_its_default() -> None:
    assert World().run("param lr: float = 0.1 * 2\n")["lr"] == 0.2


def test_param_from_outside() -> None:
    assert World(lr=3.0).run("param lr: float = 1 / 0\n")["lr"] == 3.0


def test_parameters_are_listed() -> None:
    program = compiled("x = 1\nparam lr: float = 10 ** -2  # rate\nparam name: str\n")
    lr, name = program.parameters
    assert (lr.name, lr.type, lr.default_text) == ("lr", "float", "10 ** -2")
    assert (lr.span.line, lr.span.column, lr.span.end_column) == (2, 0, 26)
    assert (name.name, name.type, name.default_text) == ("name", "str", None)


@pytest.mark.parametrize(
    "text",
    [
        "param = 1; y = param",
        "param: int = 1\ny = param",
        "def f(param): return param\ny = f(param=1)",
        "for param in [1]: y = param",
    ],
)
def test_param_is_a_name_elsewhere(text: str) -> None:
    assert World().run(text)["y"] == 1


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("def f():\n    param x: int = 1", "`param` stands outside of blocks only", "param"),
        ("if x:\n    param x: int = 1", "`param` stands outside of blocks only", "param"),
        (
            "param x: list = 1",
            "the type of a parameter is float, int, str or bool",
            "list",
        ),
        (
            "param x: int = 1\nparam x: int = 2",
            "the parameter 'x' is declared twice",
            "x",
        ),
        (
            "param x = 1",
            "a parameter has a name, a type and a default: `param lr: float = 0.01`",
            "param",
        ),
    ],
)
def test_wrong_parameters(text: str, message: str, place: str) -> None:
    error = failure(text)
    assert (error.message, marked(error)) == (message, place)


# -- ~=


def test_close() -> None:
    world = World().run("a = 1 ~= 1.0001\nb = 1 ~= 2\nc = not 1 ~= 2 and 1 + 1 ~= 2")
    assert (world["a"], world["b"], world["c"]) == (True, False, True)


def test_assert_close() -> None:
    World().run("assert 1 ~= 1.0001\nassert 1 ~= 1, 1 / 0")
    with pytest.raises(AssertionError, match="off by 1"):
        World().run("assert 1 ~= 2, f'off by {2 - 1}'")


def test_close_does_not_chain() -> None:
    error = failure("a < b ~= c")
    assert error.message == "'~=' cannot be chained with another comparison"
    assert marked(error) == "~="


# -- annotations


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("x: float32 = 1", (1, "f32", None, "x")),
        ("x: float32[batch, 3] = 1", (1, "f32", ("batch", 3), "x")),
        ("x: float32[3] = 1", (1, "f32", (3,), "x")),
        ("x: float32[...] = 1", (1, "f32", (...,), "x")),
        ("x: float32[..., n] = 1", (1, "f32", (..., "n"), "x")),
        ("x: float32[()] = 1", (1, "f32", (), "x")),
        ("x: torch.float32[3] = 1", (1, "tf32", (3,), "x")),
        ("x: torch.float = 1", (1, "tf", None, "x")),
        ("x: Tensor[3] = 1", (1, None, (3,), "x")),
        ("x: torch.Tensor[_] = 1", (1, None, ("_",), "x")),
        ("a[0]: float32 = 1", (1, "f32", None, "a[0]")),
        ("def f(y: float32[n]):\n 'd'\n y = 2\nf(1)", (1, "f32", ("n",), "y")),
        ("def f(y: float32[n] = 1): pass\nf()", (1, "f32", ("n",), "y")),
        ("def f(*, y: float32[n]): pass\nf(y=1)", (1, "f32", ("n",), "y")),
        ("def f() -> float32[n]: return 1\nf()", (1, "f32", ("n",), "f()")),
    ],
)
def test_checked_annotation(text: str, event: object) -> None:
    class Torch:
        float32 = "tf32"
        float = "tf"

    world = World()
    world.names.update(float32="f32", torch=Torch, a=[0])
    assert world.run(text).events == [event]


@pytest.mark.parametrize(
    "text",
    [
        "x: int = 1",
        "x: float = 1",
        "x: List[int] = 1",
        "x: torch.Tensor = 1",
        "x: Tensor = 1",
        "x: np.float32 = 1",
        "x: 'anything' = 1",
        "x: undefined[1 / 0] = 1",
        "def f(y: undefined, *z: undefined) -> undefined: return y\nx = f(1)",
    ],
)
def test_ordinary_annotation_is_not_evaluated(text: str) -> None:
    world = World().run(text)
    assert world["x"] == 1
    assert world.events == []
    assert "__annotations__" not in world.names


def test_annotation_without_value() -> None:
    world = World().run("x: int\nif True:\n    y: float32[3]\n")
    assert "x" not in world.names
    with pytest.raises(UnboundLocalError):
        World().run("x = 1\ndef f():\n    x: int\n    return x\nf()")


def test_inner_function_keeps_its_results() -> None:
    text = "def f() -> float32:\n  def g(): return 1\n  return g()\nf()"
    world = World()
    world.names["float32"] = "f32"
    assert world.run(text).events == [(1, "f32", None, "f()")]


def test_docstring_stays_first() -> None:
    world = World()
    world.names["float32"] = "f32"
    assert world.run("def f(x: float32):\n    'doc'\n    x")["f"].__doc__ == "doc"


@pytest.mark.parametrize("size", ["n + 1", "1.5", "'n'", "-1", "..., ...", "n.m", "1:2"])
def test_wrong_sizes(size: str) -> None:
    message = "a size in a checked annotation is a whole number, a name or one `...`"
    assert failure(f"x: float32[{size}] = 1").message == message


# -- showing


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1\n2", [1, 2]),
        ("1; 2", [1, 2]),
        ("1; 2;", [1]),
        ("1;", []),
        ("None", [None]),
        ("'text'", ["text"]),
        ("x = 1", []),
        ("if True: 1\nelse: 2", [1]),
        ("for i in [1, 2]:\n    i\n    i;", [1, 2]),
        ("while True:\n    1\n    break", [1]),
        ("try:\n    1 / 0\nexcept: 2\nfinally: 3", [2, 3]),
        ("no_grad:\n    1", [1]),
        ("def f():\n    1\n    'a'\nf()", [None]),
        ("f = lambda: 1", []),
        ("assert 1 ~= 1", []),
        ("1 ~= 1", [True]),
        ("[1][0]  # comment", [1]),
    ],
)
def test_shown_values(text: str, shown: list[object]) -> None:
    assert World().run(text, show=True).shown == shown


def test_nothing_is_shown_in_a_file() -> None:
    world = World().run("1\n'text'\nif True: 2")
    assert world.shown == []
    assert "__doc__" not in world.names


def test_statements_tell_what_they_are() -> None:
    program = compiled("x = 1\nx; x + 1; x;\n@f\ndef g():\n    pass\nimport a, b", show=True)
    assert [(s.line, s.name, s.shown) for s in program.statements] == [
        (1, None, False),
        (2, "x", True),
        (2, None, True),
        (2, "x", False),
        (3, None, False),
        (6, None, False),
    ]
    spans = [(s.span.column, s.span.end_line, s.span.end_column) for s in program.statements]
    assert spans == [(0, 1, 5), (0, 2, 1), (3, 2, 8), (10, 2, 11), (0, 5, 8), (0, 6, 11)]


# -- imports


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("import a", "a", ("module", "a", True)),
        ("import a.b", "a", ("module", "a.b", True)),
        ("import a.b as c", "c", ("module", "a.b", False)),
        ("from a.b import c", "c", ("from", "a.b", "c")),
        ("from a import (b as c, d,)", "c", ("from", "a", "b")),
        ("import a as b, c as d", "d", ("module", "c", False)),
        ("def f():\n  import a\n  return a\nx = f()", "x", ("module", "a", True)),
        ("from __future__ import annotations\nx = 1", "x", 1),
        ("from torch import *\nx = 1", "x", 1),
    ],
)
def test_imports(text: str, name: str, value: object) -> None:
    assert World().run(text)[name] == value
