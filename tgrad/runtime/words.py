"""What help says about the words and signs of the language: a pattern, a sentence, an example."""

from __future__ import annotations

from typing import Final

WORDS: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "param": (
        "param NAME: TYPE = DEFAULT",
        "Declares a parameter of the program: `tgrad FILE --NAME VALUE` sets it, "
        "`tgrad FILE --help` lists it. The type is int, float, bool or str.",
        ("param lr: float = 0.01", "lr * 2"),
    ),
    "no_grad": (
        "no_grad: BLOCK",
        "Runs the block without recording a graph: what is computed in it has no history. "
        "The same as `with torch.no_grad():`.",
        ("x = torch.ones(2, requires_grad=True)", "no_grad:", "    y = x * 2", "y.requires_grad"),
    ),
    "~=": (
        "a ~= b",
        "Whether two values are equal within the tolerance of their dtype, as torch.allclose has it. "
        "`assert a ~= b` explains the difference.",
        ("torch.tensor(0.1) + torch.tensor(0.2) ~= torch.tensor(0.3)",),
    ),
    ":": (
        "NAME: DTYPE[SIZE, ...] = VALUE",
        "Checks dtype and shape. A name among the sizes is bound when it is first met, and must agree "
        "afterwards.",
        ("x: float32[batch, 3] = torch.zeros(2, 3)", "x.shape"),
    ),
    ";": (
        "EXPRESSION;",
        "A semicolon at the end keeps a value from being shown.",
        ("x = torch.ones(2);", "x.add_(1);", "x"),
    ),
    "@": ("a @ b", "Matrix product; see torch.matmul.", ("torch.ones(2, 2) @ torch.ones(2)",)),
    "if": (
        "if CONDITION: BLOCK [elif CONDITION: BLOCK] [else: BLOCK]",
        "Runs the first block whose condition holds. A tensor of one element can be a condition.",
        ("x = torch.tensor(2.0)", "if x > 1:", "    print('above')", "else:", "    print('below')"),
    ),
    "for": (
        "for NAME in VALUES: BLOCK [else: BLOCK]",
        "Runs the block once for each value. A tensor is gone through along its first dimension.",
        ("for row in torch.tensor([[1, 2], [3, 4]]):", "    print(row.sum())"),
    ),
    "while": (
        "while CONDITION: BLOCK [else: BLOCK]",
        "Runs the block as long as the condition holds.",
        ("n = 3", "while n > 0:", "    n -= 1", "n"),
    ),
    "def": (
        "def NAME(PARAMETERS): BLOCK",
        "Makes a function.",
        ("def f(x, n=2):", "    return x ** n", "f(torch.tensor(3.0))"),
    ),
    "lambda": ("lambda PARAMETERS: EXPRESSION", "A function of one expression.", ("(lambda x: x + 1)(2)",)),
    "return": ("return [VALUE]", "Ends a function and gives its value.", ("def f():", "    return 1", "f()")),
    "yield": (
        "yield VALUE",
        "Gives a value of a generator and waits until the next one is asked for.",
        ("def f():", "    yield 1", "    yield 2", "list(f())"),
    ),
    "with": (
        "with CONTEXT [as NAME]: BLOCK",
        "Runs the block within a context, such as torch.no_grad().",
        ("with torch.no_grad():", "    y = torch.ones(1)", "y"),
    ),
    "try": (
        "try: BLOCK except ERROR [as NAME]: BLOCK [else: BLOCK] [finally: BLOCK]",
        "Runs the block, and another one if an error of that class is raised.",
        ("try:", "    torch.ones(2) + torch.ones(3)", "except RuntimeError:", "    print('shapes differ')"),
    ),
    "raise": (
        "raise ERROR",
        "Raises an error.",
        ("try:", "    raise ValueError('no')", "except ValueError as e:", "    print(e)"),
    ),
    "assert": (
        "assert CONDITION[, MESSAGE]",
        "Ends the program with exit code 4 if the condition doesn't hold.",
        ("assert 1 + 1 == 2", "'fine'"),
    ),
    "del": ("del NAME", "Takes away a name, or an item.", ("x = [1, 2]", "del x[0]", "x")),
    "import": (
        "import MODULE [as NAME]; from MODULE import NAME",
        "Binds a module that programs can use: torch, numpy, math, matplotlib.pyplot and a few more. "
        "All of torch's names are there without an import as well.",
        ("import math", "math.pi"),
    ),
    "global": (
        "global NAME",
        "Within a function: the name is the program's, also where it is assigned.",
        ("n = 0", "def count():", "    global n", "    n += 1", "count()", "n"),
    ),
    "break": (
        "break",
        "Ends the loop that it stands in.",
        ("for i in range(9):", "    if i == 2: break", "i"),
    ),
    "continue": (
        "continue",
        "Goes on with the next turn of a loop.",
        ("for i in range(2):", "    if i == 0: continue", "    print(i)"),
    ),
    "pass": ("pass", "Does nothing; stands where a block must not be empty.", ("if True: pass", "'fine'")),
}
_SAME: Final = {
    "elif": "if", "else": "if", "except": "try", "finally": "try", "from": "import", "nonlocal": "global",
    "no_grad:": "no_grad", "in": "for", "as": "with",
}  # fmt: skip
for _word, _of in _SAME.items():
    WORDS[_word] = WORDS[_of]
