"""The shell on a pseudo-terminal: pastes, interrupts, lost processes, two at once, odd terminals."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

from terminal import Terminal

ENTER, CTRL_C, CTRL_D, UP, DOWN = "\r", "\x03", "\x04", "\x1b[A", "\x1b[B"


def started(home: Path, *words: str, **options: object) -> Terminal:
    """A shell that waits for its first input."""
    terminal = Terminal(home, *words, **options)  # type: ignore[arg-type]
    terminal.expect("tgrad>")
    return terminal


def run(terminal: Terminal, text: str, *shown: str) -> None:
    """Type an input and wait for what it shows."""
    terminal.type(text + ENTER)
    for part in shown:
        terminal.expect(part)


def test_values_are_shown_and_ctrl_d_leaves(tmp_path: Path) -> None:
    with started(tmp_path, "--no-rc") as terminal:
        run(terminal, "1 + 1", "2\n")
        run(terminal, "_ * 21", "42\n")
        terminal.expect("tgrad>")
        terminal.type(CTRL_D)
        assert terminal.wait() == 0


def test_a_paste_is_one_input(tmp_path: Path) -> None:
    text = (
        ">>> import torch\n>>> x = torch.ones(2)\n>>> def f(x):\n...     return x * 2\n...\n>>> f(x).sum()\n"
    )
    with started(tmp_path, "--no-rc") as terminal:
        terminal.paste(text)
        terminal.type(ENTER)
        run(terminal, "f(x).tolist()", "[2.0, 2.0]")


def test_ten_thousand_lines_are_pasted(tmp_path: Path) -> None:
    text = "".join(f"v{i} = {i}\n" for i in range(10_000))
    with started(tmp_path, "--no-rc") as terminal:
        terminal.paste(text)
        terminal.type(ENTER)
        run(terminal, "v9999 + 1", "10000")


def test_ctrl_c_stops_a_computation_and_keeps_the_names(tmp_path: Path) -> None:
    with started(tmp_path, "--no-rc") as terminal:
        run(terminal, "x = 5; print('set')", "set\n")
        terminal.expect("tgrad>")
        terminal.type("print('going'); x = 6; exec_forever = [i for i in iter(int, 1)]" + ENTER)
        terminal.expect("going\n")
        terminal.type(CTRL_C)
        terminal.expect("tgrad>")
        run(terminal, "x + 100", "105")


def test_ctrl_c_during_a_matmul(tmp_path: Path) -> None:
    with started(tmp_path, "--no-rc") as terminal:
        run(terminal, "a = ones(600, 600); n = 0; print('ready')", "ready\n")
        terminal.expect("tgrad>")
        terminal.type("print('going')" + "\x1b\r" + "while True: n += 1; b = a @ a" + ENTER)
        terminal.expect("going\n")
        terminal.type(CTRL_C)
        terminal.expect("tgrad>")
        run(terminal, "n + 100", "100")


def test_ctrl_c_at_the_prompt_clears_the_line(tmp_path: Path) -> None:
    with started(tmp_path, "--no-rc") as terminal:
        terminal.type("1 +")
        terminal.type(CTRL_C)
        run(terminal, "40 + 2", "42\n")


def test_history_survives_kill_9(tmp_path: Path) -> None:
    with started(tmp_path, "--no-rc") as terminal:
        run(terminal, "kept = 111 * 3", "tgrad>")
        run(terminal, "print(kept)", "333\n")
    with started(tmp_path, "--no-rc") as terminal:
        terminal.type(UP + UP + ENTER)
        run(terminal, "kept + 1", "334")
    (path,) = (tmp_path / "state").rglob("history*")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_two_sessions_lose_no_lines(tmp_path: Path) -> None:
    with started(tmp_path, "--no-rc") as one, started(tmp_path, "--no-rc") as two:
        for number in range(3):
            run(one, f"'one{number}'", f"'one{number}'")
            one.expect("tgrad>")
            run(two, f"'two{number}'", f"'two{number}'")
            two.expect("tgrad>")
        for terminal in (one, two):  # what was typed last is written by now
            terminal.type(CTRL_D)
            assert terminal.wait() == 0
    (path,) = (tmp_path / "state").rglob("history*")
    text = path.read_text(encoding="utf-8")
    assert all(text.count(f"'{who}{number}'") == 1 for who in ("one", "two") for number in range(3))


def test_a_smaller_window(tmp_path: Path) -> None:
    with started(tmp_path, "--no-rc", columns=100) as terminal:
        terminal.resize(40, 12)
        run(terminal, "arange(400.).reshape(20, 20)", "tgrad>")
        run(terminal, "'still' + ' here'", "'still here'")


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"LANG": "C", "LC_ALL": "C"}, {"NO_COLOR": "1"}])
def test_plain_terminals(tmp_path: Path, variables: dict[str, str]) -> None:
    with started(tmp_path, "--no-rc", **variables) as terminal:
        run(terminal, "tensor([1., 2.])", "2")
        run(terminal, "6 * 7", "42")
        terminal.expect("tgrad>")
        terminal.type(CTRL_D)
        assert terminal.wait() == 0


def test_exit_code(tmp_path: Path) -> None:
    with started(tmp_path, "--no-rc") as terminal:
        terminal.type("exit(3)" + ENTER)
        assert terminal.wait() == 3
