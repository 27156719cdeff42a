"""Python's builtins, torch's names and formatting, as programs have them."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
from worlds import World, printed, run

from tgrad.errors import ShapeError
from tgrad.lang import compile_program
from tgrad.runtime.builtins import EXCEPTIONS, PLAIN
from tgrad.runtime.modules import Modules
from tgrad.source import Source


@pytest.mark.parametrize("name", (PLAIN + EXCEPTIONS).split())
def test_harmless_builtins_are_pythons_own(name: str) -> None:
    assert run(name).shown == [getattr(builtins, name)]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("print()", "\n"),
        ("print(1, 'a', None)", "1 a None\n"),
        ("print(1, 2, sep='-', end='!')", "1-2!"),
        ("print(1, 2, sep=None, end=None, flush=True)", "1 2\n"),
        ("print(*[], sep='x')", "\n"),
        ("print('é', [1.0, (2,)], {'a': {3}})", "é [1.0, (2,)] {'a': {3}}\n"),
    ],
)
def test_print(call: str, text: str) -> None:
    assert printed(call) == text


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("print(1, sep=2)", "sep must be None or a string, not int"),
        ("print(1, end=[])", "end must be None or a string, not list"),
    ],
)
def test_print_refuses(call: str, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        run(call)
    assert str(caught.value) == message


FORMATS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("{} {}", (1, 2), {}),
    ("{1} {0} {1}", (1, 2), {}),
    ("{{}} {{{}}}", (1,), {}),
    ("{:.3f}|{:>8}|{:<8}|{:^8}|", (1.5, "a", "b", "c"), {}),
    ("{0!r} {0!s} {1!a}", ("a", "é"), {}),
    ("{:{}.{}f}", (3.14159, 10, 2), {}),
    ("{x} {y[0]} {y[1]} {z[key]}", (), {"x": 1, "y": [2, 3], "z": {"key": 4}}),
    ("{0.real} {0.imag:.1f}", (3 + 4j,), {}),
    ("{0[0].real}", ([5],), {}),
    ("{:,} {:e} {:%} {:x} {:b} {:+d}", (1234567, 0.5, 0.25, 255, 5, 3), {}),
    ("{:5d}{:<5}{:05.1f}", (42, 42, 4.25), {}),
    ("{.real} {[0]}", (1.5, [2]), {}),
    ("{!r:>5}", ("a",), {}),
    ("", (), {}),
]


@pytest.mark.parametrize(("text", "arguments", "keywords"), FORMATS)
def test_format_is_pythons(text: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    world = World()
    world.names.update(text=text, arguments=arguments, keywords=keywords)
    world.run("text.format(*arguments, **keywords)\nstr.format(text, *arguments, **keywords)")
    assert world.shown == [text.format(*arguments, **keywords)] * 2


BAD_FORMATS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("{}", (), {}),
    ("{} {}", (1,), {}),
    ("{2}", (1,), {}),
    ("{x}", (), {}),
    ("{} {0}", (1,), {}),
    ("{0} {}", (1,), {}),
    ("{", (), {}),
    ("}", (), {}),
    ("{0[0}", ([1],), {}),
    ("{:d}", ("a",), {}),
    ("{0.nothing}", (1,), {}),
    ("{0!x}", (1,), {}),
    ("{0[9]}", ([1],), {}),
    ("{:{:{}}}", (1, 2, 3), {}),
    ("{0!}", (1,), {}),
    ("{:>{}", (1, 2), {}),
]


@pytest.mark.parametrize(("text", "arguments", "keywords"), BAD_FORMATS)
def test_format_fails_as_pythons(
    text: str, arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> None:
    world = World()
    world.names.update(text=text, arguments=arguments, keywords=keywords)
    with pytest.raises((IndexError, KeyError, ValueError, AttributeError)) as expected:
        text.format(*arguments, **keywords)
    with pytest.raises((IndexError, KeyError, ValueError, AttributeError)) as caught:
        world.run("text.format(*arguments, **keywords)")
    assert type(caught.value) is type(expected.value)
    assert str(caught.value) == str(expected.value)


def test_torch_without_prefix() -> None:
    world = run("import torch\nexp is torch.exp, float32 is torch.float32, torch.exp is torch.exp")
    assert world.shown == [(True, True, True)]


@pytest.mark.parametrize(
    "name", ["sum", "abs", "max", "min", "round", "all", "any", "range", "pow"]
)
def test_pythons_names_win_over_torchs(name: str) -> None:
    assert run(name).shown == [getattr(builtins, name)]


def test_torch_is_there_without_an_import() -> None:
    assert repr(run("torch").shown[0]) == "<module 'torch'>"


def test_names_of_torch_join_when_they_are_used() -> None:
    world = World()
    assert type(world.builtins.names) is dict  # Python reads no other kind at full speed
    assert "exp" not in world.builtins.names
    assert {"exp", "torch", "print", "type", "load"} <= world.builtins.all_names()
    world.run("exp")
    assert "exp" in world.builtins.names


@pytest.mark.parametrize(
    "text",
    [
        "if False: exp = 3\nprint(exp(tensor(0.)))",
        "if False:\n    e = 3\nprint(tensor(1.))",
        "for e in []: pass\nprint(tensor(e * 0 + 1))",
        "tensor = tensor(1.)\nprint(tensor)",
        "def f(): return zeros(())\nif False: zeros = ones\nprint(f() + 1)",
        "def f(): global ones\nprint(ones(()))",
        "def f():\n    global ones\n    ones = 3\nprint(ones(()))",
        "x = 1\ndel x\nif x == 1 if False else True: print(tensor(1.))",
        "def f(): return ones(())\nones = 1\ndel ones\nprint(f())",
        "ones = 1\ndef f():\n    global ones\n    del ones\nf()\nprint(ones(()))",
        "try: ones = 1 / 0\nexcept ZeroDivisionError: pass\nprint(ones(()))",
        "def f(): return ones(())\nwhile False: ones = 1\nprint(f())",
        "try: 1 / 0\nexcept ZeroDivisionError as ones: pass\nprint(ones(()))",
    ],
)
def test_names_of_torch_stand_behind_assignments_that_were_not_made(text: str) -> None:
    assert printed(text) == "tensor(1.)\n"


def test_names_that_are_surely_assigned_are_not_asked_for_again() -> None:
    lines = ["def f(n): return n + x1 + y1", "x1 = 1", "if x1: y1 = 2", "z = f(x1)"]
    lines += [f"x{n} = x{n - 1} + abs(z)" for n in range(2, 50)]
    program = compile_program(Source("<test>", "\n".join(lines)), attributes=frozenset())
    doubtful = World().builtins.prepare([each.code for each in program.statements], {})
    assert [set(names) for names in doubtful] == [set(), set(), set(), {"y1"}, *[{"y1"}] * 48]


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\nfor i in range(3): x += i\nprint(x)",
        "if False: sum = 3\nprint(sum([4]))",
        "def f(n): return n if n < 2 else g(n - 1)\ndef g(n): return f(n - 1) + 4\nprint(f(2))",
        "print([a for a in [4]][0])",
        "print((lambda a: a)(4))",
        "import math\nx = [4.0]\nx.append(1)\nprint(int(math.sqrt(x[0] ** 2)), end='\\n'.upper())",
    ],
)
def test_a_program_without_tensors_asks_for_no_name_of_torch(text: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(Modules, "import_module", refuse_torch(Modules.import_module))
    assert printed(text) == "4\n"


def refuse_torch(import_module: Any) -> Any:
    """`import_module` for programs that should do without torch."""

    def refusing(self: Modules, path: str, bind_root: bool) -> Any:
        assert path != "torch"
        return import_module(self, path, bind_root)

    return refusing


def test_an_assignment_hides_a_builtin() -> None:
    assert printed("list = 3\nexp = 4\nprint(list, exp)") == "3 4\n"


def test_unknown_names() -> None:
    with pytest.raises(NameError, match="name 'yy' is not defined"):
        run("yy")
    with pytest.raises(NameError, match="name 'yy' is not defined"):
        run("def f(): return yy\nf()")


def test_type_of_an_error_is_the_builtin_it_stands_for() -> None:
    world = World()
    world.names["fail"] = fail
    world.run("try:\n    fail()\nexcept RuntimeError as e:\n    found = type(e), type(e).__name__")
    assert world.names["found"] == (RuntimeError, "RuntimeError")


def fail() -> None:
    raise ShapeError("no")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("getattr([1], 'append') is not None", True),
        ("getattr(1, 'nothing', 5)", 5),
        ("getattr(3, 'real')", 3),
        (
            "hasattr('', 'format'), hasattr('', 'formatter'), hasattr(1, 'real')",
            (True, False, True),
        ),
        ("getattr('{}', 'format')(1)", "1"),
        ("isinstance(1, (str, (int, list)))", True),
        ("issubclass(bool, int), issubclass(int, (str, float))", (True, False)),
        ("callable(print), callable(type), callable(1)", (True, True, False)),
        ("sorted([3, 1], key=lambda x: -x), list(map(type, [1, 'a']))", ([3, 1], [int, str])),
    ],
)
def test_looking_at_values(text: str, value: object) -> None:
    assert run(text).shown == [value]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[].nothing", "'list' object has no attribute 'nothing'"),
        ("None.zero_", "'NoneType' object has no attribute 'zero_'"),
        ("torch.no_such_function", "module 'torch' has no attribute 'no_such_function'"),
        ("getattr(torch, 'nope')", "module 'torch' has no attribute 'nope'"),
        ("int.nothing", "type object 'int' has no attribute 'nothing'"),
        ("[].nothing = 1", "'list' object has no attribute 'nothing'"),
    ],
)
def test_missing_attributes(text: str, message: str) -> None:
    with pytest.raises(AttributeError) as caught:
        run(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("call", ["exit", "quit"])
def test_leaving(call: str) -> None:
    for code in ("", "0", "3", "'bye'"):
        with pytest.raises(SystemExit) as caught:
            run(f"try:\n    {call}({code})\nexcept Exception: pass")
        assert str(caught.value.code) == (code.strip("'") or "None")


def test_parameters() -> None:
    assert run("param n: int = 2\nn").shown == [2]
    assert run("param n: int = 2\nn", n=5).shown == [5]


def test_name_is_main() -> None:
    assert printed("if __name__ == '__main__': print('main')") == "main\n"
