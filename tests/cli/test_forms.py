"""How a program gets to `tgrad`, what is shown of it, and the exit codes."""

import pytest


def test_command_shows_each_expression(tgrad):
    run = tgrad("-c", "1 + 1\nx = 2\nx * 2.5\nNone\n'a'\n3;")
    assert (run.out, run.err, run.code) == ("2\n5.0\n'a'\n", "", 0)


def test_standard_input_shows_each_expression(tgrad):
    assert tgrad(stdin="x = 2\nx + 1\nprint(x)\n").out == "3\n2\n"


def test_hyphen_is_standard_input(tgrad):
    assert tgrad("-", "--n", "4", stdin="param n: int = 3\nn + 1\n").out == "5\n"


def test_file_shows_what_it_prints(tgrad, write):
    run = tgrad(write("a.tg", "x = 1\nx\nprint(x + 1)\n"))
    assert (run.out, run.err, run.code) == ("2\n", "", 0)


def test_expressions_inside_of_top_level_blocks_are_shown(tgrad):
    program = "for i in range(2):\n    i\ndef f():\n    9\n    return 5\nf()\nif f():\n    'yes'\n"
    assert tgrad(stdin=program).out == "0\n1\n5\n'yes'\n"


def test_underscore_is_the_last_value_shown(tgrad):
    assert tgrad("-c", "2 + 3\n_ * 2\n_\nNone\n_").out == "5\n10\n10\n10\n"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_byte_order_mark_and_line_ends(tgrad, write, ending):
    text = "\ufeffx = 1" + ending + "print(x)"
    assert tgrad(write("a.tg", text)).out == "1\n"


def test_empty_program(tgrad):
    assert tgrad(stdin="") == tgrad("-c", "# nothing\n")


@pytest.mark.parametrize(
    ("program", "code", "last"),
    [
        ("1 / 0", 1, "ZeroDivisionError: division by zero"),
        ("x = (1,", 3, "SyntaxError: "),
        ("x = 1\nassert x == 2, 'no'", 4, "AssertionError: no"),
        ("assert 1 > 2", 4, "AssertionError"),
        ("().__bases__", 5, "PermissionError: "),
        ("import os", 5, "PermissionError: "),
        ("read('secret.txt')", 5, "PermissionError: "),
        ("exit()", 0, ""),
        ("exit(7)", 7, ""),
        ("exit('good bye')", 1, "good bye"),
        ("raise SystemExit(3)", 3, ""),
    ],
)
def test_exit_codes(tgrad, program, code, last):
    run = tgrad("-c", program)
    assert run.code == code
    assert run.last.startswith(last)
    assert bool(run.err) is bool(last)


def test_whole_text_is_compiled_before_any_of_it_runs(tgrad):
    run = tgrad(stdin="print('ran')\n1 +\n")
    assert (run.out, run.code) == ("", 3)


def test_output_before_an_error_is_kept(tgrad):
    run = tgrad("-c", "print('first')\n1 / 0\nprint('second')")
    assert (run.out, run.code) == ("first\n", 1)


def test_version_and_help(tgrad):
    from tgrad._version import __version__

    assert tgrad("--version").out == f"tgrad {__version__}\n"
    run = tgrad("--help")
    assert run.out.startswith("usage: tgrad ")
    assert (run.err, run.code) == ("", 0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--jsn"], "unknown option --jsn: did you mean --json?"),
        (["-x"], "unknown option -x: `tgrad --help` lists the options"),
        (["-c"], "-c needs a value"),
        (["--seed"], "--seed needs a value"),
        (["--seed=a", "-c", "1"], "--seed takes a whole number, not 'a'"),
        (["--time-limit", "0", "-c", "1"], "--time-limit takes a number above 0, not '0'"),
        (["--json=1", "-c", "1"], "--json takes no value"),
        (["--color", "blue"], "--color is auto, always or never, not 'blue'"),
        (["nothing.tg"], "no such file: nothing.tg"),
        (["."], ". is a directory, not a program"),
    ],
)
def test_usage_errors_are_one_line(tgrad, words, message):
    run = tgrad(*words)
    assert (run.out, run.err, run.code) == ("", f"tgrad: {message}\n", 2)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"x = 1\n\x00", "a.tg is binary data, not the text of a program"),
        (b"x = 1\ny = '\xff'\n", "a.tg is not valid UTF-8: byte 0xff in line 2"),
    ],
)
def test_file_that_is_no_text(tgrad, write, data, message):
    run = tgrad(write("a.tg", data))
    assert (run.out, run.err, run.code) == ("", f"tgrad: {message}\n", 2)


def test_missing_file_with_a_similar_name(tgrad, write):
    write("train.tg", "")
    assert tgrad("tran.tg").err == "tgrad: no such file: tran.tg: did you mean train.tg?\n"


def test_seed(tgrad):
    program = "print(torch.rand(2))"
    run = tgrad("--seed", "123", "-c", program)
    assert run.out == "tensor([0.2961, 0.5166])\n"


def test_allow_read(tgrad, write):
    write("a.txt", "text")
    assert tgrad("--allow-read", ".", "-c", "read('a.txt')").out == "'text'\n"


@pytest.mark.parametrize(
    ("words", "program", "message"),
    [
        (["--time-limit", "0.2"], "while True: pass", "time limit of 0.2 s reached"),
        (["--step-limit=50"], "i = 0\nwhile True:\n    i = i + 1", "step limit of 50 reached"),
        (["--memory-limit", "64"], "x = [0] * 10**9", "memory limit of 64 MB reached"),
        (["--memory-limit", "200"], "x = zeros(10**9)", "memory limit of 200 MB reached"),
        # One instruction, in C, that asks for no signal while it runs.
        (["--time-limit", "0.1"], "sum(range(10**12))", "time limit of 0.1 s reached"),
    ],
)
def test_limits(tgrad, words, program, message):
    run = tgrad(*words, "-c", program)
    assert (run.last, run.code) == (f"LimitReached: {message}", 6)


def test_a_limited_program_ends_as_it_would_without_limit(tgrad):
    assert tgrad("--time-limit", "50", "-c", "exit(7)").code == 7
    run = tgrad("--time-limit", "50", stdin="print(1)\n1/0")
    assert (run.out, run.last, run.code) == ("1\n", "ZeroDivisionError: division by zero", 1)
