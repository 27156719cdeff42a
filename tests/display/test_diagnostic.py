"""Drawn diagnostics, as exact text."""

import sys
from io import StringIO
from textwrap import dedent

from tgrad.display.console import Console
from tgrad.display.diagnostic import draw
from tgrad.errors import ProgramSyntaxError
from tgrad.runtime.diagnostic import Diagnostic, Label, Mark, Place
from tgrad.runtime.frames import World
from tgrad.runtime.trace import diagnose
from tgrad.source import Source, Span


def drawn(diagnostic: Diagnostic, width: int = 80) -> str:
    stream = StringIO()
    draw(diagnostic, Console(stream, width=width))
    return stream.getvalue()


def drawn_error(text: str, width: int = 80) -> str:
    """Run Python text as a program's only statement and draw the error it ends in."""
    source = Source("a.tg", text)
    names: dict[str, object] = {}
    code = compile(text, "a.tg", "exec")
    try:
        exec(code, names)
    except Exception as error:
        world = World(names, {"a.tg": source}, [(code, source)])
        return drawn(diagnose(error, world), width)
    raise AssertionError("the text raises no error")


def expected(text: str) -> str:
    return dedent(text).lstrip("\n")


def test_picture_of_the_design() -> None:
    source = Source("train.tg", "\n" * 6 + "loss = (X @ W + b).mean()\n")
    marks = (
        Mark(Span(7, 8, 7, 9), False),
        Mark(Span(7, 10, 7, 11), True),
        Mark(Span(7, 12, 7, 13), False),
    )
    labels = (
        Label("X", "float32[3, 4]", "line 2"),
        Label("W", "float32[5, 6]", "line 3"),
    )
    diagnostic = Diagnostic(
        "RuntimeError",
        "mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)",
        1,
        places=(Place(source, Span(7, 8, 7, 13), marks, labels),),
        hint="inner sizes differ: 4 and 5",
    )
    assert drawn(diagnostic) == expected("""
        train.tg:7:9
          7 | loss = (X @ W + b).mean()
            |         ~ ^ ~
            |  X: float32[3, 4], line 2    W: float32[5, 6], line 3
          inner sizes differ: 4 and 5
        RuntimeError: mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)
        """)


def test_labels_stand_below_each_other_where_there_is_no_room() -> None:
    text = "first_number = 1\nsecond_text = 'two'\nfirst_number + second_text\n"
    assert drawn_error(text, width=46) == expected("""
        a.tg:3:1
          3 | first_number + second_text
            | ~~~~~~~~~~~~ ^ ~~~~~~~~~~~
            |  first_number: 1, line 1
            |  second_text: 'two', line 2
        TypeError: unsupported operand type(s) for +: 'int' and 'str'
        """)


def test_calls_are_shown_outermost_first() -> None:
    text = "def half(n):\n    return n / 0\ndef twice(n):\n    return half(n) * 2\ntwice(3)\n"
    assert drawn_error(text) == expected("""
        a.tg:5:1
          5 | twice(3)
            | ^^^^^ ~
        a.tg:4:12, in twice
          4 |     return half(n) * 2
            |            ^^^^ ~
        a.tg:2:12, in half
          2 |     return n / 0
            |            ~ ^ ~
            |  n: 3, argument of half
        ZeroDivisionError: division by zero
        """)


def test_recursion_is_folded() -> None:
    text = "def f(n):\n    return f(n - 1) if n else 1 / n\nf(9)\n"
    assert drawn_error(text) == expected("""
        a.tg:3:1
          3 | f(9)
            | ^ ~
        a.tg:2:12, in f
          2 |     return f(n - 1) if n else 1 / n
            |            ^ ~~~~~
          ... 7 more calls ...
        a.tg:2:12, in f
          2 |     return f(n - 1) if n else 1 / n
            |            ^ ~~~~~
        a.tg:2:31, in f
          2 |     return f(n - 1) if n else 1 / n
            |                               ~ ^ ~
            |  n: 0, argument of f
        ZeroDivisionError: division by zero
        """)


def test_comprehension_is_one_place() -> None:
    assert drawn_error("a = 0\nb = [3 / a for x in [1]]\n") == expected("""
        a.tg:2:6
          2 | b = [3 / a for x in [1]]
            |      ~ ^ ~
            |  a: 0, line 1
        ZeroDivisionError: division by zero
        """)


def test_name_of_a_comprehension_is_not_taken_for_another() -> None:
    text = "a = 0\nx = 5\nb = [x / a for x in [1]]\n"
    own_frame = [" x: 1, line 3    a: 0, line 1"]
    inlined = [" a: 0, line 1"]
    assert labels(text) == (own_frame if sys.version_info < (3, 12) else inlined)


def test_wide_characters_keep_the_carets_in_place() -> None:
    assert drawn_error('日本 = "京都"; x = 日本 + 1') == expected("""
        a.tg:1:16
          1 | 日本 = "京都"; x = 日本 + 1
            |                    ~~~~ ^ ~
            |  日本: '京都'
        TypeError: can only concatenate str (not "int") to str
        """)


def test_tabs_keep_the_carets_in_place() -> None:
    assert drawn_error('if 1:\n\tx = 1;\ty = x + "a"') == expected("""
        a.tg:2:13
          2 |     x = 1;  y = x + "a"
            |                 ~ ^ ~~~
            |  x: 1, line 2
        TypeError: unsupported operand type(s) for +: 'int' and 'str'
        """)


def test_expression_over_several_lines() -> None:
    text = "a = 1\nb = (a +  # the @ of a comment\n  len(\n  '') + 'b')\n"
    assert drawn_error(text) == expected("""
        a.tg:2:6
          2 | b = (a +  # the @ of a comment
            |      ~~~~~~~~~~~~~~~~~~~~~~~~~
          3 |   len(
            |   ~~~~
          4 |   '') + 'b')
            |   ~~~ ^ ~~~
        TypeError: unsupported operand type(s) for +: 'int' and 'str'
        """)


def test_long_expression_is_shown_without_its_middle() -> None:
    text = "x = f(\n" + "".join(f"  {n},\n" for n in range(20)) + ")\n"
    assert drawn_error("f = 3\n" + text) == expected("""
        a.tg:2:5
           2 | x = f(
             |     ^
           3 |   0,
             |   ~
           4 |   1,
             |   ~
           5 |   2,
             |   ~
             | ...
          23 | )
             |  f: 3, line 1
        TypeError: 'int' object is not callable
        """)


def test_long_line_is_cut_around_the_caret() -> None:
    text = "a = 1; " + "b = 2; " * 30 + "c = a / 0; " + "d = 3; " * 30
    assert drawn_error(text, width=50) == expected("""
        a.tg:1:222
          1 | ... = 2; b = 2; c = a / 0; d = 3; d = 3; ...
            |                     ~ ^ ~
            |  a: 1
        ZeroDivisionError: division by zero
        """)


def test_bracket_that_was_opened_is_shown_too() -> None:
    source = Source("a.tg", "x = f(1,\ny = 2\n")
    error = ProgramSyntaxError(
        "the '(' is never closed",
        source=source,
        span=Span(2, 2, 2, 3),
        notes=((Span(1, 5, 1, 6), "opened here"),),
        hint="close it with ')'",
    )
    diagnostic = diagnose(error, World({}, {}, []))
    assert diagnostic.exit_code == 3
    assert drawn(diagnostic) == expected("""
        a.tg:2:3
          2 | y = 2
            |   ^
        a.tg:1:6
          1 | x = f(1,
            |      ^ opened here
          close it with ')'
        SyntaxError: the '(' is never closed
        """)


def test_caret_at_the_end_of_a_line() -> None:
    source = Source("a.tg", "if x\n    y")
    error = ProgramSyntaxError("expected ':'", source=source, span=Span(1, 4, 1, 4))
    assert drawn(diagnose(error, World({}, {}, []))) == expected("""
        a.tg:1:5
          1 | if x
            |     ^
        SyntaxError: expected ':'
        """)


def test_sentence_of_several_lines_is_kept_whole() -> None:
    assert drawn_error("raise ValueError('one\\n  two')", width=40) == expected("""
        a.tg:1:1
          1 | raise ValueError('one\\n  two')
            | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        ValueError: one
          two
        """)


def test_error_without_sentence_is_its_kind() -> None:
    assert drawn_error("raise ValueError").endswith("\nValueError\n")


def test_error_during_handling_names_the_first_one() -> None:
    text = "try:\n    1 / 0\nexcept ZeroDivisionError:\n    {}['k']\n"
    assert drawn_error(text) == expected("""
        a.tg:4:5
          4 |     {}['k']
            |     ~~^^^^^
          while handling ZeroDivisionError: division by zero (a.tg:2)
        KeyError: 'k'
        """)


def test_escape_sequences_of_a_program_do_not_reach_the_terminal_in_its_source() -> None:
    assert "\x1b" not in drawn_error("x = '\x1b[31m' + 1")


def test_notes_and_hints_are_broken_between_words() -> None:
    hint = "a hint of many words that is longer than\n  its line\n\nend"
    diagnostic = Diagnostic("RuntimeError", "a sentence that is longer than it", 1, hint=hint)
    assert drawn(diagnostic, width=20) == expected("""
          a hint of many
          words that is
          longer than
            its line

          end
        RuntimeError: a sentence that is longer than it
        """)


def labels(text: str) -> list[str]:
    """The lines of labels in the drawing of the error that the text ends in."""
    lines = drawn_error(text).splitlines()
    return [line[6:] for line in lines if line.startswith("    |  ") and ": " in line]


def carets(text: str) -> str:
    """The innermost place's source line and what is below it."""
    lines = drawn_error(text).splitlines()
    row = max(n for n, line in enumerate(lines) if "^" in line and line.startswith("    |"))
    return f"{lines[row - 1][6:]}\n{lines[row][6:]}"


def test_array_is_labelled_by_dtype_and_shape() -> None:
    text = "import numpy\na = numpy.ones((2, 3))\nb = numpy.ones(4, dtype='int8')\na + b\n"
    assert labels(text) == [" a: ndarray float64[2, 3], line 2    b: ndarray int8[4], line 3"]


def test_name_assigned_in_a_loop_may_come_from_two_lines() -> None:
    text = "x = 1\nfor i in range(3):\n    y = x + i\n    y / x\n    x = x - 1\n"
    assert labels(text) == [" y: 1, line 3    x: 0, line 1 or 5"]


def test_name_assigned_in_a_branch_may_come_from_two_lines() -> None:
    text = "x = 1\nif x:\n    x = 0\n1 / x\n"
    assert labels(text) == [" x: 0, line 1 or 3"]


def test_statement_itself_does_not_count_as_the_last_assignment() -> None:
    assert labels("x = 0\nx = 1 / x\n") == [" x: 0, line 1"]


def test_local_name_and_argument() -> None:
    text = "def f(a):\n    b = a - 1\n    return a / b\nf(1)\n"
    assert labels(text) == [" a: 1, argument of f    b: 0, line 2"]


def test_global_read_in_a_function() -> None:
    text = "def f():\n    return 1 / n\nn = 0\nm = f()\n"
    assert labels(text) == [" n: 0, line 3"]


def test_values_of_other_kinds_are_short() -> None:
    text = "a = 'x' * 50\nb = [1] * 3\na % b + 10 ** 60 + b\n"
    assert labels("a = [1] * 3\nb = 'x' * 50\nc = 10**60\nf = len\na + b\n") == [
        " a: list of 3, line 1    b: str of 50 characters, line 2"
    ]
    assert "int of 200 bits" in drawn_error("c = 10**60\nc + 'a'\n")
    assert labels("f = len\nf + 1\n") == []
    assert "TypeError" in drawn_error(text)


def test_call_marks_the_function_and_its_arguments() -> None:
    assert carets("y = 'a'\nprint(int(y, base = 10))") == (
        "print(int(y, base = 10))\n      ^^^ ~         ~~"
    )


def test_method_marks_its_name() -> None:
    assert carets("s = 'a b'\ns.split().index('c')") == (
        "s.split().index('c')\n~~~~~~~~~ ^^^^^ ~~~"
    )


def test_subscript_marks_the_bracket() -> None:
    assert carets("x = [1]\nx[2 + 1]") == "x[2 + 1]\n~^^^^^^^"


def test_attribute_marks_its_name() -> None:
    assert carets("x = [1]\ny = x.foo + 1") == "y = x.foo + 1\n    ~ ^^^"


def test_operator_with_brackets_around_its_operands() -> None:
    assert carets("x = 1\ny = (x) / ((0))") == "y = (x) / ((0))\n     ~  ^   ~"


def test_augmented_assignment_marks_its_operator() -> None:
    assert carets("x = [1]\nx += 1") == "x += 1\n~ ^^ ~"


def test_condition_is_what_failed() -> None:
    text = "import numpy\na = numpy.ones(2)\nif a:\n    pass\nelse:\n    pass\n"
    assert carets(text) == "if a:\n   ^"
    assert labels(text) == [" a: ndarray float64[2], line 2"]


def test_what_is_looped_over_is_what_failed() -> None:
    assert carets("x = 3\nfor i in x:\n    pass\n") == "for i in x:\n         ^"


def test_name_that_is_meant() -> None:
    assert "\n  did you mean `length`?\n" in drawn_error("length = 1\nlenght + 1\n")


def test_none_among_the_operands_is_explained() -> None:
    assert "  one of the values is None: " in drawn_error("x = None\nx * 2\n")
