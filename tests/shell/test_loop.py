"""Typing: lines and blocks, indentation, history keys, suggestions, Ctrl-C and Ctrl-D."""

from __future__ import annotations

import pytest
from driving import (
    ALT_ENTER,
    BACKSPACE,
    CTRL_C,
    CTRL_D,
    CTRL_R,
    DOWN,
    END,
    ENTER,
    ESCAPE,
    HOME,
    LEFT,
    RIGHT,
    TAB,
    UP,
    Driven,
)

from tgrad.shell.loop import Shell, as_command

BLOCK = "for i in range(2):\n    i"


def test_enter_runs_a_complete_line() -> None:
    assert Driven("x = 2", ENTER, "x + 1", ENTER).shown == "3\n"


def test_enter_runs_from_the_middle_of_a_line() -> None:
    assert Driven("12", LEFT, ENTER).shown == "12\n"


def test_open_bracket_asks_for_another_line() -> None:
    driven = Driven("x = (1,", ENTER, "2)", ENTER, "x", ENTER)
    assert driven.texts == ["x = (1,\n    2)", "x"]
    assert driven.shown == "(1, 2)\n"


def test_block_is_indented_and_ends_with_an_empty_line() -> None:
    driven = Driven("for i in range(2):", ENTER, "if i:", ENTER, "i", ENTER, ENTER)
    assert [text.rstrip() for text in driven.texts] == ["for i in range(2):\n    if i:\n        i"]
    assert driven.shown == "1\n"


def test_else_goes_back_to_its_if() -> None:
    driven = Driven("if 0:", ENTER, "1", ENTER, "else:", ENTER, "2", ENTER, ENTER)
    assert driven.texts[0].rstrip() == "if 0:\n    1\nelse:\n    2"
    assert driven.shown == "2\n"


def test_after_return_the_next_line_is_less_indented() -> None:
    driven = Driven("def f(x):", ENTER, "if x:", ENTER, "return 1", ENTER, "return 2", ENTER, ENTER)
    assert driven.texts[0].rstrip() == "def f(x):\n    if x:\n        return 1\n    return 2"


def test_backspace_takes_a_step_of_indentation() -> None:
    driven = Driven("if 1:", ENTER, "x = 1", ENTER, BACKSPACE, "x", ENTER)
    assert driven.texts == ["if 1:\n    x = 1\nx"]


def test_tab_indents_at_the_beginning_of_a_line() -> None:
    driven = Driven("if 1:", ENTER, BACKSPACE, TAB, "7", ENTER, ENTER)
    assert driven.texts[0].rstrip() == "if 1:\n    7"


def test_alt_enter_opens_a_line() -> None:
    assert Driven("1", ALT_ENTER, "2", ENTER).texts == ["1\n2"]


def test_mistake_is_reported_and_stays_in_the_history() -> None:
    driven = Driven("x = = 2", ENTER)
    assert driven.shown.rstrip().splitlines()[-1].startswith("SyntaxError")
    assert driven.shell.history.entries == ["x = = 2"]


def test_block_comes_back_whole_with_the_cursor_at_its_end() -> None:
    driven = Driven(UP, "0", ENTER, ENTER, history=["x = 1", BLOCK])
    assert driven.texts[0].rstrip() == BLOCK + "0"


def test_recalled_block_runs_at_once() -> None:
    assert Driven(UP, ENTER, history=["x = 1", BLOCK]).texts == [BLOCK]


def test_up_passes_a_recalled_block_as_a_whole() -> None:
    assert Driven(UP, UP, ENTER, history=["x = 1", BLOCK]).texts == ["x = 1"]


def test_up_searches_by_what_was_typed() -> None:
    assert Driven("x", UP, ENTER, history=["x = 1", "y = 2", "z = 3"]).texts == ["x = 1"]


def test_up_moves_within_a_block_that_is_typed() -> None:
    driven = Driven("(1,", ENTER, "2)", UP, END, "5,", DOWN, END, ENTER, history=["x"])
    assert driven.texts == ["(1,5,\n    2)"]


def test_down_goes_to_the_entry_that_followed_the_one_that_ran() -> None:
    old = ["a = 1", "b = 2", "c = 3", "d = 4"]
    driven = Driven(UP, UP, UP, ENTER, DOWN, ENTER, DOWN, ENTER, history=old)
    assert driven.texts == ["b = 2", "c = 3", "d = 4"]


def test_down_does_nothing_after_a_typed_entry() -> None:
    assert Driven("5", ENTER, DOWN, "6", ENTER, history=["a = 1"]).texts == ["5", "6"]


def test_ctrl_r_searches() -> None:
    driven = Driven(CTRL_R, "alp", ENTER, ENTER, history=["alpha = 1", "beta = 2"])
    assert driven.texts == ["alpha = 1"]


def test_right_and_end_take_the_suggestion() -> None:
    for key in (RIGHT, END):
        assert Driven("al", key, ENTER, history=["alpha = 1", "b = 2"]).texts == ["alpha = 1"]


def test_without_the_key_the_suggestion_is_only_shown() -> None:
    assert Driven("1", ENTER, history=["1 + 2"]).texts == ["1"]


def test_ctrl_c_clears_and_ctrl_d_leaves() -> None:
    driven = Driven("abc", CTRL_C, "7", ENTER, CTRL_D)
    assert driven.texts == ["7"]
    assert driven.code == 0


def test_ctrl_c_while_searching() -> None:
    assert Driven(CTRL_R, "alp", CTRL_C, "7", ENTER, history=["alpha = 1"]).texts == ["7"]


def test_exit_gives_its_code() -> None:
    assert Driven("exit(4)", ENTER).code == 4


def test_vi_keys() -> None:
    driven = Driven("1 + 23", ESCAPE, "0x", "i", "4", ENTER, keys="vi")
    assert driven.texts == ["4 + 23"]


def test_vi_runs_from_its_navigation_mode() -> None:
    assert Driven("7", ESCAPE, ENTER, keys="vi").shown == "7\n"


def test_results_have_names() -> None:
    driven = Driven("1 + 1", ENTER, "x = 5", ENTER, "_ * 10", ENTER, "__ + _", ENTER, "_1, _3, _4", ENTER)
    assert driven.shown == "2\n20\n22\n(2, 20, 22)\n"


def test_home_goes_to_the_line_s_beginning() -> None:
    assert Driven("2", HOME, "1", ENTER).shown == "12\n"


def test_unknown_command_says_so() -> None:
    assert ":nonsense" in Driven(":nonsense", ENTER).shown


def test_error_keeps_the_session() -> None:
    driven = Driven("x = 2", ENTER, "x / 0", ENTER, "x", ENTER)
    assert driven.shown.endswith("ZeroDivisionError: division by zero\n2\n")
    assert "<input 2>" in driven.shown


def test_a_question_mark_asks_for_help_only_behind_a_name() -> None:
    assert as_command("sin?") == "help sin"
    assert as_command(" torch.relu?? ") == "help torch.relu"
    assert as_command(":who x") == "who x"
    for text in ("# why?", "'a?'", "x = 1", "f(x)?"):
        assert as_command(text) is None


def test_a_fault_of_the_prompt_is_told_and_keeps_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        monkeypatch.undo()
        raise ValueError("broken")

    monkeypatch.setattr(Shell, "complete", broken)
    driven = Driven("1 + 1", ENTER, ENTER)
    assert driven.shown == "the prompt failed and goes on: ValueError: broken\n2\n"


def test_a_fault_of_the_shell_keeps_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        monkeypatch.undo()
        raise ValueError("broken")

    monkeypatch.setattr(Shell, "_statements", broken)
    driven = Driven("1 + 1", ENTER, "5", ENTER)
    assert driven.shown == "the shell failed at this input: ValueError: broken\n5\n"


def test_ctrl_c_while_running_puts_everything_back() -> None:
    interrupt = "raise KeyboardInterrupt()"
    driven = Driven("x = [1]", ENTER, f"x.append(2); y = 3; {interrupt}", ENTER, "x", ENTER, "y", ENTER)
    assert "every variable is as before the input\n[1]\n" in driven.shown
    assert driven.shown.endswith("NameError: name 'y' is not defined\n")
