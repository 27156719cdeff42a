"""Lines that were copied along with a program."""

from __future__ import annotations

import pytest

from tgrad.errors import ProgramSyntaxError
from tgrad.lang import compile_program
from tgrad.source import Source, Span

LINE, PROMPT = "Leave the line out.", "Leave out the prompts, and the lines of output between them."


@pytest.mark.parametrize(
    ("line", "end", "message", "hint"),
    [
        (
            "%matplotlib inline",
            11,
            "`%matplotlib` is a command for notebooks",
            "Leave the line out: figures need no preparation.",
        ),
        ("%%time", 6, "`%%time` is a command for notebooks", LINE),
        ("%timeit x @ x", 7, "`%timeit` is a command for notebooks", LINE),
        ("!pip install torch", 4, "`!pip` is a command for notebooks", LINE),
        ("! nvidia-smi", 12, "`! nvidia-smi` is a command for notebooks", LINE),
        (">>> x = 1", 3, "`>>>` is a prompt and no part of the program", PROMPT),
        (">>>", 3, "`>>>` is a prompt and no part of the program", PROMPT),
        ("... x = 1", 3, "`...` is a prompt and no part of the program", PROMPT),
        ("In [3]: import torch", 7, "`In [3]:` is a prompt and no part of the program", PROMPT),
        ("?x", 2, "`?x` asks a notebook for help", LINE),
        ("torch.add??", 11, "`torch.add??` asks a notebook for help", LINE),
        ("$ python x.py", 1, "`$` is the prompt of a shell", LINE),
        ("pip install torch", 11, "`pip install` is a command for a shell", LINE),
    ],
)
def test_pasted_lines(line: str, end: int, message: str, hint: str) -> None:
    with pytest.raises(ProgramSyntaxError) as caught:
        compile_program(Source("<test>", f"x = 1\n{line}\n"), attributes=frozenset())
    error = caught.value
    assert (error.message, error.hint, error.span) == (message, hint, Span(2, 0, 2, end))
    assert not error.incomplete


@pytest.mark.parametrize(
    "text",
    ["x = (1\n%2)", "x = 1 \\\n%2", "git = 3\ngit -3", "...", "In = {}\nIn[1]: 3", "f(\n...\n)"],
)
def test_programs_that_look_like_it(text: str) -> None:
    assert compile_program(Source("<test>", text), attributes=frozenset()).statements
