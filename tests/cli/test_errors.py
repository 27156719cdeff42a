"""What stands on the error stream when a tensor program fails, as exact text."""

from textwrap import dedent

import pytest

CASES = {
    "operands are labelled, computed ones too": (
        """\
        X = torch.tensor([[1., 2.], [3., 4.]])
        W = torch.tensor([[1., 2., 3.]])
        def double(x):
            return x * 2
        y = double(X) @ (W + 1)
        """,
        """\
        a.tg:5:5
          5 | y = double(X) @ (W + 1)
            |     ~~~~~~~~~ ^  ~~~~~
            |  double(X): float32[2, 2]    W + 1: float32[1, 3]
        """,
        "RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x2 and 1x3)",
    ),
    "a second backward shows what was freed": (
        """\
        x = torch.tensor(2., requires_grad=True)
        y = x * x
        z = y * 2
        z.backward()
        y.backward()
        """,
        """\
        a.tg:5:1
          5 | y.backward()
            | ~ ^^^^^^^^
            |  y: float32[], line 2
        a.tg:2:5
          2 | y = x * x
            |     ~ ^ ~ what this saved for the backward pass is freed
          give the first backward() retain_graph=True, or compute the result again
        """,
        "RuntimeError: Trying to backward through the graph a second time",
    ),
    "a changed value shows who needs it and who changed it": (
        """\
        x = torch.tensor(2., requires_grad=True)
        def f(a):
            return a.exp()
        y = f(x)
        z = y * 3
        y += 1
        z.backward()
        """,
        """\
        a.tg:7:1
          7 | z.backward()
            | ~ ^^^^^^^^
            |  z: float32[], line 5
        a.tg:3:12
          3 |     return a.exp()
            |            ~ ^^^ the backward pass of this needs a value that was changed since
        a.tg:6:1
          6 | y += 1
            | ~ ^^ ~ it was changed in place here
        """,
        "RuntimeError: one of the variables needed for gradient computation has been modified",
    ),
    "a condition": (
        """\
        x = torch.tensor([1., 2.])
        while x * 2:
            pass
        """,
        """\
        a.tg:2:7
          2 | while x * 2:
            |       ^^^^^
            |  x * 2: float32[2]
        """,
        "RuntimeError: Boolean value of Tensor with more than one value is ambiguous",
    ),
    "a leaf": (
        """\
        x = torch.tensor([1., 2.])
        for i in range(2):
            x.backward()
        """,
        """\
        a.tg:3:5
          3 |     x.backward()
            |     ~ ^^^^^^^^
            |  x: float32[2], line 1
        """,
        "RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn",
    ),
    "a name that is nearly torch's": (
        "torch.tensr([1.])\n",
        """\
        a.tg:1:1
          1 | torch.tensr([1.])
            | ~~~~~ ^^^^^
          did you mean `.tensor`?
        """,
        "AttributeError: module 'torch' has no attribute 'tensr'",
    ),
    "a name that is nearly torch's, without prefix": (
        "tensr([1.])\n",
        """\
        a.tg:1:1
          1 | tensr([1.])
            | ^^^^^
          did you mean `tensor`?
        """,
        "NameError: name 'tensr' is not defined",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_error_is_drawn(tgrad, write, case):
    program, drawing, sentence = CASES[case]
    run = tgrad(write("a.tg", dedent(program)))
    lines = run.err.splitlines(keepends=True)
    end = next(n for n, line in enumerate(lines) if line.startswith(sentence))
    assert "".join(lines[:end]) == dedent(drawing)
    assert end == len(lines) - 1
    assert run.code == 1


def test_mistake_of_tgrad_is_said_to_be_one():
    from tgrad.runtime.frames import World
    from tgrad.runtime.trace import diagnose
    from tgrad.source import Source

    names = {"__name__": "tgrad.core.something"}
    exec("def broken(): return None.value", names)
    program = {"f": names["broken"]}
    try:
        exec(compile("f()", "a.tg", "exec"), program)
    except AttributeError as error:
        world = World(program, {"a.tg": Source("a.tg", "f()")}, [])
        (note,) = diagnose(error, world).notes
    assert note == "this looks like a mistake in tgrad itself: please report it with the program"


def test_python_traceback_on_request(tgrad):
    run = tgrad("-c", "1 / 0", TGRAD_DEBUG="1")
    assert run.err.startswith("Traceback (most recent call last):\n")
    assert run.last == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize(
    ("program", "hint"),
    [
        ("def f(n): return f(n + 1)\nf(0)", "a function calls itself without end, or too deeply"),
        ("x = []\nfor i in range(10**5): x = [x]\nprint(x)", "the value is nested too deeply"),
        ("x = []\nfor i in range(10**5): x = [x]\nx == x[0]", "the value is nested too deeply"),
    ],
)
def test_recursion(tgrad, program, hint):
    run = tgrad(stdin=program)
    assert run.last.startswith("RecursionError: maximum recursion depth exceeded")
    assert hint in run.err
    assert run.code == 1
