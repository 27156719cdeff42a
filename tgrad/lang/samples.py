"""Malformed programs and what is wrong with them.

An error in the same state of the parser as in a sample is the same mistake.  A sample needs no more
than what leads to the state.  After a change: `python -m tgrad.lang.generate`.
"""

from __future__ import annotations

SAMPLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "after `def` stand the function's name and its parameters: `def f(x):`",
        ("def\n", "def f\n", "def f:\n", "def 1():\n", "def (x):\n"),
    ),
    (
        "a parameter of a function is a name, with `=` a default: `def f(x, scale=1):`",
        (
            "def f(1):\n",
            "def f(x.y):\n",
            "def f((a, b)):\n",
            "def f(x, 'a'):\n",
            "def f(*1):\n",
            "def f(**1):\n",
        ),
    ),
    (
        "a parameter of a lambda is a name, with `=` a default: `lambda x, scale=1: x * scale`",
        ("lambda 1: 2\n", "lambda (a, b): a\n", "lambda x, 1: 2\n", "lambda *1: 2\n"),
    ),
    (
        "after `for` stand a name, `in` and the values: `for x in values`",
        (
            "[x for]\n",
            "[x for x]\n",
            "(x for x)\n",
            "{x: y for x}\n",
            "for\n",
            "for x\n",
            "for x:\n",
            "for x = 1:\n",
        ),
    ),
    (
        "after `import` stands the name of a module",
        (
            "import\n",
            "import 1\n",
            "import 'torch'\n",
            "import a.\n",
            "import a.b.\n",
            "import a,\n",
        ),
    ),
    (
        "after `as` stands a name",
        (
            "import a as\n",
            "import a as 1\n",
            "from a import b as 1\n",
            "try:\n 1\nexcept A as 1:\n",
        ),
    ),
    (
        "names of a module are imported by `from module import name`",
        (
            "from\n",
            "from 1 import a\n",
            "from a\n",
            "from a import\n",
            "from a import 1\n",
            "from a import ()\n",
        ),
    ),
    (
        "a trailing comma needs parentheses here: `from a import (b, c,)`",
        ("from a import b,\n", "from a import b, c,\n"),
    ),
    (
        "after `global` stand names, divided by commas",
        ("global\n", "global 1\n", "global a.b\n", "global a = 1\n"),
    ),
    (
        "after `nonlocal` stand names, divided by commas",
        ("nonlocal\n", "nonlocal 1\n"),
    ),
    (
        "after `del` stands what is to be deleted",
        ("del\n", "del for\n"),
    ),
    (
        "after a dot stands the name of an attribute",
        ("x.\n", "x.'a'\n", "x.(y)\n", "x.*\n"),
    ),
    (
        "in a dict every key has a value: `key: value`",
        (
            "{1: 2, 3}\n",
            "{1: 2, 3, 4: 5}\n",
            "{1: 2, a for a in b}\n",
            "{1:}\n",
            "{1: }\n",
            "{1: 2, 3:}\n",
            "{1: 2, 3: }\n",
            "{a:, b: 1}\n",
        ),
    ),
    (
        "a conditional expression is written `a if condition else b`",
        ("x = 1 if y\n", "x = (1 if y)\n", "x = [1 if y, 2]\n", "x = 1 if y:\n"),
    ),
    (
        "after `not` stands a value, or `in` after a value: `a not in b`",
        ("a not b\n", "a not\n", "(a not b)\n"),
    ),
    (
        "the field of an f-string ends with `}`, after an optional `!r` and `:format`",
        ("f'{x!r y}'\n", "f'{x!r!s}'\n"),
    ),
    (
        "the result of a function stands after `->`: `def f(x) -> float:`",
        ("def f() ->:\n", "def f() ->\n"),
    ),
    (
        "the parameters of the function are followed by ':'",
        ("def f() x\n", "def f() return 1\n", "def f() = 1\n"),
    ),
)
