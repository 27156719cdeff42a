"""Words after the program set its parameters."""

import pytest

PROGRAM = """\
#!/usr/bin/env tgrad
# Fits a line.
param lr: float = 0.1  # the learning rate
param epochs: int = 3
param name: str = "a # b"
param verbose: bool = False
print(lr, epochs, name, verbose)
"""

LIST = """\
parameters:
  --lr       float  default 0.1      the learning rate
  --epochs   int    default 3
  --name     str    default "a # b"
  --verbose  bool   default False
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "0.1 3 a # b False"),
        (["--lr", "-2", "--epochs=10"], "-2.0 10 a # b False"),
        (["--verbose", "--name", "x y"], "0.1 3 x y True"),
        (["--verbose", "false", "--lr=1e-3"], "0.001 3 a # b False"),
        (["--verbose=yes", "--no-verbose"], "0.1 3 a # b False"),
        (["--verbose", "--name=--lr"], "0.1 3 --lr True"),
    ],
)
def test_words_set_parameters(tgrad, write, words, expected):
    run = tgrad(write("fit.tg", PROGRAM), *words)
    assert (run.out, run.err, run.code) == (f"{expected}\n", "", 0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--lrr", "1"], "unknown parameter --lrr: did you mean --lr?"),
        (["--momentum", "1"], "unknown parameter --momentum"),
        (["--epochs", "1.5"], "--epochs takes an int, not '1.5'"),
        (["--lr", "fast"], "--lr takes a float, not 'fast'"),
        (["--verbose=maybe"], "--verbose takes a bool, not 'maybe'"),
        (["--lr"], "--lr needs a value of type float"),
        (["--lr", "--epochs", "3"], "--lr needs a value of type float"),
        (["extra"], "unexpected argument 'extra': write --name value"),
    ],
)
def test_words_that_do_not_fit(tgrad, write, words, message):
    run = tgrad(write("fit.tg", PROGRAM), *words)
    assert (run.out, run.err, run.code) == ("", f"{LIST}tgrad: fit.tg: {message}\n", 2)


def test_help_of_a_program(tgrad, write):
    run = tgrad(write("fit.tg", PROGRAM), "--help")
    usage = "usage: tgrad fit.tg [--parameter value ...]\n\nFits a line.\n\n"
    assert (run.out, run.err, run.code) == (usage + LIST, "", 0)


def test_program_without_parameters_takes_no_words(tgrad):
    run = tgrad("-c", "1", "--json")
    assert run.code == 2
    assert run.err == (
        "it has no parameters\n"
        "tgrad: <command>: unknown parameter --json: tgrad's own options stand before the program\n"
    )


def test_default_has_its_type(tgrad):
    assert tgrad("-c", "param lr: float = 1\nlr").out == "1.0\n"
    run = tgrad("-c", "param n: int = 1.5\nn")
    assert run.last == (
        "TypeError: the parameter 'n' is declared as int and its default is of type float"
    )
    assert run.code == 1


def test_parameter_without_default_must_be_given(tgrad):
    run = tgrad("-c", "param n: int\nn")
    assert run.err == (
        "parameters:\n  --n  int  required\n"
        "tgrad: <command>: --n must be given: it has no default\n"
    )
    assert run.code == 2
    assert tgrad("-c", "param n: int\nn", "--n", "3").out == "3\n"


def test_help_takes_the_comment_above_a_parameter(tgrad, write):
    write(
        "a.tg",
        "# What it is.\nparam a: int = 1\n# of b,\n#   on two lines\nparam b: int = 2\n\n"
        "# not of c\n\nparam c: int = 3\n# above\nparam d: int = 4  # behind\n",
    )
    assert tgrad("a.tg", "--help").out == (
        "usage: tgrad a.tg [--parameter value ...]\n\nWhat it is.\n\nparameters:\n"
        "  --a  int  default 1\n"
        "  --b  int  default 2  of b, on two lines\n"
        "  --c  int  default 3\n"
        "  --d  int  default 4  behind\n"
    )
