"""No text makes the compiler fail in any other way than with an error of its own."""

import random

import pytest
from running import compiled, failure

from tgrad.errors import ProgramError, ProgramSyntaxError


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "1" + ")" * 10_000,
        "(" * 10_000,
        "[" * 10_000 + "]" * 10_000,
        "{" * 1_000,
        "f'{" * 1_000,
        "-" * 100_000 + "1",
        "not " * 20_000 + "1",
        "+".join(["x"] * 100_000),
        "x" + ".a" * 20_000,
        "x" + "()" * 20_000,
        "".join(" " * i + "if x:\n" for i in range(300)) + " " * 300 + "x",
        "".join(" " * i + "for x in y:\n" for i in range(40)) + " " * 40 + "x",
        "'" + "\\" * 100_001,
        "1" * 100_000,
    ],
    ids=range(14),
)
def test_too_much_of_it(text: str) -> None:
    assert isinstance(failure(text), ProgramSyntaxError)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 199 + "1" + ")" * 199,
        "[" * 199 + "]" * 199,
        "[" + "1," * 20_000 + "]",
        "x = '" + "a" * 1_000_000 + "'",
        "x = " + "1 + " * 300 + "1",
        "a < " * 2_000 + "b",
        "if x: 1\n" + "elif x: 1\n" * 100,
        "".join(" " * i + "if x:\n" for i in range(99)) + " " * 99 + "x",
        ";".join(["x"] * 2_000),
        "# " + "x" * 1_000_000,
        "\n" * 100_000,
    ],
    ids=range(11),
)
def test_much_of_it(text: str) -> None:
    compiled(text)


PIECES = [
    *"()[]{}:,;.\"'\\=*@+-~!#\n\t\0\r\f\ufeff é\u201c\uff3f\ud800",
    *[
        '"""',
        "f'{",
        "f'",
        "==",
        ":=",
        "->",
        "**",
        "\n    ",
        "if ",
        "else",
        "lambda ",
        "for ",
        "in ",
    ],
    *["not ", "def ", "1", "0x", ".5", "x", "param ", "no_grad:", "class ", "yield ", "{x!r:{y}}"],
    *["import ", "from ", "as ", "is ", "...", "del ", "global ", "b'", "with ", "try:", "~="],
]
PROGRAM = """\
import torch
param rate: float = 0.1
def loss(x: float32[n], *, scale=1.0):
    '''Half of the square.'''
    total = sum((x[i, ...] - 1) ** 2 for i in range(3) if i != 1)
    return f"{total / 2:{10}.{2}f}" + 'é' if scale else {**{}, "a": [1, *x]}
with torch.no_grad():
    while (y := 3) > 2:
        y -= rate; assert y ~= 3, "close"
    try: loss(torch.ones(3))
    except (TypeError, ValueError) as error: raise error from None
    else: x.grad = None
"""


def test_the_program_to_be_damaged_is_sound() -> None:
    assert len(compiled(PROGRAM, show=True).statements) == 4


@pytest.mark.parametrize("seed", range(40))
def test_damaged_programs(seed: int) -> None:
    generator = random.Random(seed)
    for _ in range(25):
        text = PROGRAM
        for _ in range(generator.choice([1, 1, 2, 4])):
            at = generator.randrange(len(text) + 1)
            choice = generator.randrange(4)
            if choice == 0:
                text = text[:at] + text[at + generator.randrange(1, 8) :]
            elif choice == 1 and at > 20:
                text = text[:at]
            else:
                text = text[:at] + generator.choice(PIECES) + text[at:]
        try:
            compiled(text, show=True)
        except ProgramError as error:
            span = error.span
            line = error.source.line(span.line)
            assert 0 <= span.column <= len(line)
            assert (span.end_line, span.end_column) >= (span.line, span.column)
