"""The plain prompt, with lines from a list in place of a terminal."""

from io import StringIO

from tgrad.display.console import Console
from tgrad.display.diagnostic import draw
from tgrad.runtime.output import Output, TextReporter
from tgrad.runtime.session import Session
from tgrad.shell.history import HistoryFile
from tgrad.shell.loop import Shell
from tgrad.shell.plain import PlainPrompt
from tgrad.shell.settings import Settings


def typed(*lines):
    """What is on the screen after the lines were typed, and the exit code; None is Ctrl-C."""
    screen = StringIO()
    waiting = list(lines)

    def read(prompt):
        screen.write(prompt)
        if not waiting:
            raise EOFError
        line = waiting.pop(0)
        if line is None:
            raise KeyboardInterrupt
        screen.write(f"{line}\n")
        return line

    output = Output(screen)
    console = Console(screen, width=80)
    session = Session(TextReporter(output, output, lambda found: draw(found, console)))
    shell = Shell(session, Settings(), console=console, history=HistoryFile(None))
    code = shell.run(PlainPrompt(output, shell.complete, read))
    return screen.getvalue(), code


def test_values_are_shown_until_the_input_ends():
    assert typed("x = 2", "x + 1", "_ * 2") == (
        "tgrad> x = 2\ntgrad> x + 1\n3\ntgrad> _ * 2\n6\ntgrad> \n",
        0,
    )


def test_open_bracket_asks_for_more():
    assert typed("x = (1,", "2)", "x")[0] == (
        "tgrad> x = (1,\n  ...> 2)\ntgrad> x\n(1, 2)\ntgrad> \n"
    )


def test_empty_line_ends_a_block():
    assert typed("for i in range(2):", "    i", "    -i", "", "1")[0] == (
        "tgrad> for i in range(2):\n  ...>     i\n  ...>     -i\n  ...> \n"
        "0\n0\n1\n-1\ntgrad> 1\n1\ntgrad> \n"
    )


def test_error_keeps_the_session():
    assert typed("x = 2", "x / 0", "x")[0] == (
        "tgrad> x = 2\n"
        "tgrad> x / 0\n"
        "<input 2>:1:1\n"
        "  1 | x / 0\n"
        "    | ~ ^ ~\n"
        "    |  x: 2, <input 1>\n"
        "ZeroDivisionError: division by zero\n"
        "tgrad> x\n"
        "2\n"
        "tgrad> \n"
    )


def test_ctrl_c_clears_what_was_typed():
    assert typed("x = (1,", None, "3")[0] == ("tgrad> x = (1,\n  ...> \ntgrad> 3\n3\ntgrad> \n")


def test_exit_leaves_with_its_code():
    assert typed("exit(4)", "1") == ("tgrad> exit(4)\n", 4)


def test_comment_and_empty_lines_are_nothing():
    assert typed("", "# so", "  ")[0] == "tgrad> \ntgrad> # so\ntgrad>   \ntgrad> \n"
