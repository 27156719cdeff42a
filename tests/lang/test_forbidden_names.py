"""Names and attributes that lead out of a program don't compile, whatever they hide in."""

import pytest
from running import World, compiled, failure, marked

from tgrad.errors import AccessError, ProgramSyntaxError

FORBIDDEN_ATTRIBUTES = [
    "x.__bases__",
    "().__bases__.__bases__[0].__subclasses__()",
    "x._private",
    "x.__dict__['y']",
    "x.__bases__ = 1",
    "x.__bases__ += 1",
    "del x.__dict__",
    "x.__bases__: int = 1",
    "x.__bases__[0] = 1",
    "(y, x.__bases__) = 1, 2",
    "for x.__bases__ in y: pass",
    "with y as x.__bases__: pass",
    "[y for x.__bases__ in z]",
    "[x.__bases__ for x in z]",
    "[x for x in z if x.__bases__]",
    "(y := x.__bases__)",
    "lambda: x.__bases__",
    "lambda y=x.__bases__: y",
    "def f(y=x.__bases__): pass",
    "def f(y: x.__bases__): pass",
    "def f() -> x.__bases__: pass",
    "@x.__bases__\ndef f(): pass",
    "f'{x.__bases__}'",
    "f'{x:{y.__bases__}}'",
    "f'{x:{y:{z.__bases__}}}'",
    "f'{f\"{x.__bases__}\"}'",
    "f'{x.__bases__=}'",
    "f(*x.__bases__)",
    "f(**x.__bases__)",
    "x[y.__bases__]",
    "x[y.__bases__:]",
    "{x.__bases__: 1}",
    "assert y ~= x.__bases__",
    "assert y, x.__bases__",
    "raise x.__bases__",
    "y: x.__bases__ = 1",
    "y: float32[3] = x.__bases__",
    "param y: int = x.__bases__",
    "no_grad: x.__bases__",
    "x.gi_frame.f_back.__globals__",
    "try: pass\nexcept x.__bases__: pass",
    "x.\\\n__bases__",
    "(x\n.__bases__)",
    "x . __bases__",
    # letters that become an underscore or a Latin letter in Unicode's normal form
    "x._＿bases_＿",  # noqa: RUF001
    "x.__\U0001d41bases__",
    "x.__ｂａｓｅｓ__",  # noqa: RUF001
]


@pytest.mark.parametrize("text", FORBIDDEN_ATTRIBUTES)
def test_attribute_with_underscore(text: str) -> None:
    error = failure(text, attributes={"gi_frame", "f_back", "x"})
    assert isinstance(error, AccessError)
    assert error.message.startswith("attribute '_")


@pytest.mark.parametrize(
    "text",
    [
        "__builtins__",
        "__builtins__ = {}",
        "__import__('os')",
        "del __builtins__",
        "global __builtins__",
        "def f():\n    global __builtins__",
        "def f():\n    nonlocal __bases__",
        "def __import__(): pass",
        "def f(__bases__): pass",
        "def f(*__bases__): pass",
        "def f(**__bases__): pass",
        "def f(*, __bases__=1): pass",
        "lambda __bases__: 1",
        "f(__bases__=1)",
        "(__builtins__ := 1)",
        "[1 for __builtins__ in x]",
        "for __builtins__ in x: pass",
        "for x, (*__builtins__, y) in z: pass",
        "with x as __builtins__: pass",
        "try: pass\nexcept E as __builtins__: pass",
        "import x as __builtins__",
        "import __main__",
        "import x.__main__",
        "from x import y as __builtins__",
        "from x import __builtins__",
        "from x import _y",
        "from x import __loader__ as y",
        "f'{__builtins__}'",
        "f'{1:{__builtins__}}'",
        "param __builtins__: int = 1",
        "__builtins__: int = 1",
        "__builtins__ += 1",
        "_＿builtins_＿",  # noqa: RUF001
        "__debug__",
        "__file__",
        "__annotations__",
    ],
)
def test_name_of_the_insides(text: str) -> None:
    error = failure(text)
    assert isinstance(error, AccessError)
    assert error.message.endswith("not available") or "of module" in error.message


@pytest.mark.parametrize(
    "text",
    [".show(1)", "x = .Exception", "global .show", "f(.show=1)", "．show", "import .show"],  # noqa: RUF001
)
def test_hidden_helpers_cannot_be_spelled(text: str) -> None:
    assert isinstance(failure(text), ProgramSyntaxError)


@pytest.mark.parametrize(
    "text",
    [
        "x = __name__",
        "x = (1).__name__",
        "x = y.__version__",
        "x = y._version",
        "x = y._saved_self",
        "x = _",
        "_x = 1",
        "__x = 1",
        "x__ = 1",
        "____ = 1",
        "_, x = 1, 2",
    ],
)
def test_underscores_that_are_allowed(text: str) -> None:
    assert compiled(text, attributes=set()).statements


def test_attribute_error_marks_the_attribute() -> None:
    assert marked(failure("x = y.a.__bases__.b", attributes={"a"})) == "__bases__"


# -- attributes that are not on the list


class Thing:
    grad = None
    other = None


@pytest.mark.parametrize(
    "text",
    [
        "x.other",
        "x.other()",
        "x.other = 1",
        "x.other += 1",
        "x.other: int = 1",
        "del x.other",
        "x.other[0] = 1",
        "x.grad, x.other = 1, 2",
        "for x.other in [1]: pass",
        "[1 for x.other in [1]]",
        "f'{x.other}'",
        "f'{1:{x.other}}'",
    ],
)
def test_unlisted_attribute_does_not_exist(text: str) -> None:
    world = World()
    world.names["x"] = thing = Thing()
    with pytest.raises(AttributeError, match="'Thing' object has no attribute 'other'"):
        world.run(text, attributes={"grad"})
    assert thing.other is None


def test_readable_attribute_cannot_be_set() -> None:
    world = World()
    world.names["x"] = Thing()
    with pytest.raises(AttributeError):
        world.run("x.other = 1", attributes={"other"})


def test_settable_attribute() -> None:
    world = World()
    world.names["x"] = thing = Thing()
    world.run("x.grad = 1\nx.grad += 1", attributes={"grad"})
    assert thing.grad == 2


def test_format_is_replaced() -> None:
    world = World()
    world.names[".format"] = lambda value: lambda *arguments: ("safe", value, arguments)
    assert world.run("y = '{}'.format(1)", attributes={"format"})["y"] == ("safe", "{}", (1,))
    assert world.run("f = 'a'.format\ny = f(2)")["y"] == ("safe", "a", (2,))


def test_format_map_is_no_way_around() -> None:
    with pytest.raises(AttributeError):
        World().run("'{}'.format_map({})", attributes=set())


def test_bare_except_catches_the_hidden_class() -> None:
    class Stop(BaseException):
        pass

    world = World()
    world.names["Stop"] = Stop
    assert world.run("try: 1 / 0\nexcept: x = 1")["x"] == 1
    with pytest.raises(Stop):
        world.run("Exception = Stop\ntry: raise Stop\nexcept: x = 2")


def test_globals_of_the_program_cannot_shadow_helpers() -> None:
    world = World()
    world.run("show = no_grad = check = 1\nno_grad:\n    x = 1\n3", show=True)
    assert world.events == ["no_grad", "grad"]
    assert world.shown == [3]
