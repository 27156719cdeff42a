"""The commands of the shell: dispatch, what they write at fixed widths, and what they change."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import Desk

from tgrad.core.print_options import current_printoptions
from tgrad.shell.commands import COMMANDS


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A shell, whose settings don't outlive the test."""
    precision = current_printoptions().precision
    desk = Desk()
    yield desk
    while desk.shell.journal is not None and desk.shell.journal.undo() is not None:
        pass
    current_printoptions().precision = precision


# ---------------------------------------------------------------- dispatch


def test_every_command_says_what_it_does() -> None:
    for name, command in COMMANDS.items():
        assert command.usage.startswith(f":{name}")
        assert command.help
        assert command.help[0].islower()
    assert {"help", "who", "grads", "mem", "time", "timeit", "last", "edit"} <= set(COMMANDS)
    assert {"run", "load", "save", "history", "undo", "redo", "reset", "set"} <= set(COMMANDS)
    assert {"graph", "quit"} <= set(COMMANDS)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        (":", "a command's name follows the colon; :help lists them\n"),
        (":xyz", "there is no command :xyz; :help lists them\n"),
        (":unod", "there is no command :unod; did you mean :undo?\n"),
        (":s", ":s may be :save or :set\n"),
        (":ti", ":ti may be :time or :timeit\n"),
        (":un", "there is nothing to undo\n"),
        (":who", "nothing is defined yet\n"),
        (":who x", "no name has 'x' in it\n"),
        (":grads", "no tensor has a gradient; call backward() on a loss\n"),
        (":mem", "there are no tensors\n"),
        (":mem x", ":mem takes nothing after it\n"),
        (":last", "no value was shown yet\n"),
        (":redo", "there is nothing to redo\n"),
        (":run", "the name of a file is missing: :run FILE\n"),
        (":timeit", "a statement or an expression follows, as in :timeit x @ x\n"),
        (":edit nothing", "nothing is no function of yours\n"),
        (":edit", "there is no text\n"),
        (":history", "nothing was entered yet\n"),
    ],
)
def test_what_is_wrong_is_said(desk: Desk, typed: str, written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", f"{sys.executable} -c pass")
    monkeypatch.delenv("VISUAL", raising=False)
    assert desk(typed) == written


def test_an_abbreviation_is_enough(desk: Desk) -> None:
    desk("n = 1")
    assert desk(":wh") == desk(":who")
    desk(":q")
    assert desk.shell.exit_code == 0


def test_a_fault_in_a_command_ends_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TGRAD_DEBUG", raising=False)

    def fail(shell: object, argument: str) -> None:
        raise LookupError("broken")

    monkeypatch.setattr(COMMANDS["who"], "run", fail)
    assert desk(":who") == ":who failed: LookupError: broken\n"
    assert desk("1 + 1") == "2\n"


# ---------------------------------------------------------------- looking

SETUP = """torch.manual_seed(0)
w = torch.ones(3, requires_grad=True)
data = [torch.zeros(2, 2), {'deep': torch.ones(1)}]
view = data[0][0]
n = 10 ** 30
net = torch.nn.Linear(3, 2)
def f(a):
    return a;
import math
"""
LOSS = "for i in range(2):\n    loss = (w * w).sum()\n    loss.backward()\n(w * 1).sum().backward()"


def test_who(desk: Desk) -> None:
    desk(SETUP)
    desk("short = 'text'")
    assert desk(":who") == (
        "name   value                            grad  size  made at\n"
        "w      float32[3]                       yes   12 B  input 1:2\n"
        "data   list of 2                                    input 1:3\n"
        "view   float32[2]                              8 B  input 1:4\n"
        "n      1000000000000000000000000000000              input 1:5\n"
        "net    Linear                                 32 B  input 1:6\n"
        "f      function                                     input 1:7\n"
        "math   module                                       input 1:9\n"
        "short  'text'                                       input 2\n"
    )
    assert desk(":who sho") == "name   value   made at\nshort  'text'  input 2\n"


def test_who_where_it_is_narrow() -> None:
    desk = Desk(width=40)
    desk("long_name_of_a_tensor = zeros(10, 10, 10); w = ones(3, requires_grad=True)")
    assert desk(":who") == (
        "name                   value\n"
        "long_name_of_a_tensor  float32[10, 10...\n"
        "  size 3.91 KiB, made at input 1\n"
        "w                      float32[3]\n"
        "  grad yes, size 12 B, made at input 1\n"
    )


def test_grads(desk: Desk) -> None:
    desk(SETUP)
    desk(LOSS)
    assert desk(":grads") == (
        "name  shape  norm  / value  added  by\nw     [3]    8.66  5           3x  input 2:3, input 2:4\n"
    )


def row(text: str, name: str) -> list[str]:
    """The cells of a table's row, cut at blanks."""
    return next(line.split() for line in text.split("\n") if line.startswith(f"{name} "))


def test_grads_counts_from_the_last_reset(desk: Desk) -> None:
    desk("w = torch.ones(2, requires_grad=True); z = torch.zeros(2, requires_grad=True)")
    desk("(w + z).sum().backward()")
    desk("(w + z).sum().backward()")
    assert row(desk(":grads"), "w")[3:] == ["2", "2x", "input", "2,", "input", "3"]
    assert "inf" not in desk(":grads")
    desk("w.grad = None")
    desk("w.sum().backward()")
    assert row(desk(":grads"), "w")[4:] == ["1x", "input", "5"]


def test_grads_goes_back_with_undo(desk: Desk) -> None:
    desk("w = torch.ones(2, requires_grad=True)")
    desk("w.sum().backward()")
    desk("w.sum().backward()")
    desk(":undo")
    assert row(desk(":grads"), "w")[4:] == ["1x", "input", "2"]
    desk("(w * 3).sum().backward()")
    assert row(desk(":grads"), "w")[4:] == ["2x", "input", "2,", "input", "4"]


def test_grads_names_nan(desk: Desk) -> None:
    desk("w = torch.zeros(2, requires_grad=True); (w / w).sum().backward()")
    assert row(desk(":grads"), "w")[-1] == "nan"


def test_mem_counts_shared_memory_once(desk: Desk) -> None:
    desk("x = zeros(100); y = x[:10]; z = x.view(10, 10); w = ones(50, requires_grad=True)")
    desk("loss = (w.exp() * 2).sum(); loss.backward(); kept = w.exp().exp()")
    text = desk(":mem")
    assert row(text, "x,") == ["x,", "y,", "z", "400", "B", "tensors"]
    assert row(text, "kept") == ["kept", "200", "B", "tensors"]
    assert row(text, "w.grad") == ["w.grad", "200", "B", "gradients"]
    assert "kept  " in text
    assert [line.split() for line in text.split("\n") if line.startswith("all ")] == [
        ["all", "804", "B", "tensors"],
        ["all", "200", "B", "gradients"],
        ["all", "200", "B", "saved", "by", "graphs"],
    ]


def test_last_is_whole(desk: Desk) -> None:
    assert "..." in desk("torch.arange(2000)")
    text = desk(":last")
    assert "..." not in text
    assert "1999])" in text
    assert "..." in desk("torch.arange(2000)")


# ---------------------------------------------------------------- timing


def test_time_runs_once_and_keeps_what_it_does(desk: Desk) -> None:
    desk("xs = []")
    assert desk(":time xs.append(1)").startswith("took ")
    assert desk("xs") == "[1]\n"
    first, second, _ = desk(":time len(xs) + 1").split("\n")
    assert (first, second[:5]) == ("2", "took ")
    assert desk("_ + 1") == "3\n"
    assert desk(":time zzz").startswith("NameError: name 'zzz' is not defined\ntook ")


def test_timeit_leaves_everything_as_it_was(desk: Desk) -> None:
    desk("torch.manual_seed(1); x = zeros(3); n = 0")
    state = desk("torch.rand(1)")
    desk(":undo")
    text = desk(":timeit x += 1; n += 1; torch.rand(3)")
    assert text.startswith("best ")
    assert "median " in text
    assert "spread " in text
    assert desk("x, n") == "(tensor([0., 0., 0.]), 0)\n"
    assert desk("torch.rand(1)") == state
    assert desk(":timeit zzz") == "NameError: name 'zzz' is not defined\n"
    assert desk(":timeit (").endswith("nothing was run\n")


# ---------------------------------------------------------------- going back


def test_undo_and_redo_say_what_they_did(desk: Desk) -> None:
    desk("x = ones(2)")
    desk("x += 1; y = 5")
    assert desk(":undo") == "undone: x += 1; y = 5\n  gone: y\n  contents as before: x\n"
    assert desk("x") == "tensor([1., 1.])\n"
    assert desk(":redo") == (
        "done again: x += 1; y = 5\n  as it was bound before: y\n  contents as before: x\n"
    )
    assert desk("x, y") == "(tensor([2., 2.]), 5)\n"


def test_results_go_back_as_well(desk: Desk) -> None:
    desk("10")
    desk("n = 1; 20")
    desk(":undo")
    assert desk("_ + 1") == "11\n"
    assert desk("__, _") == "(10, 11)\n"


def test_results_come_again(desk: Desk) -> None:
    desk("10")
    desk("n = 1; 20")
    desk(":undo")
    desk(":redo")
    assert desk("_2 + 1") == "21\n"
    assert desk("___, __, _") == "(10, 20, 21)\n"


def test_reset_can_be_undone(desk: Desk) -> None:
    desk("torch.set_default_dtype(torch.float64)")
    desk("x = ones(2); torch.manual_seed(1)")
    desk(":reset")
    assert desk(":who") == "nothing is defined yet\n"
    assert desk("torch.get_default_dtype()") == "torch.float32\n"
    desk(":undo")
    assert desk("x, x.dtype") == "(tensor([1., 1.]), torch.float64)\n"


def test_history_lists_entries(desk: Desk) -> None:
    for text in ("a = 1", "for i in range(2):\n    a += i", "b = 2"):
        desk.shell.history.append(text)
    assert desk(":history") == "1  a = 1\n2  for i in range(2):\n       a += i\n3  b = 2\n"
    assert desk(":history 1") == "1  b = 2\n"
    assert desk(":history a =") == "1  a = 1\n"
    assert desk(":history zzz") == "no entry has 'zzz' in it\n"


# ---------------------------------------------------------------- files


def test_run_leaves_its_names(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "program.tg"
    path.write_text("a = 5\na\nprint('here')\n")
    assert desk(f":run {path}") == "here\n"
    assert desk("a") == "5\n"
    assert desk(f":run {tmp_path / 'progam.tg'}") == (
        f"no such file: {tmp_path / 'progam.tg'}; did you mean program.tg?\n"
    )
    assert desk(f":run {tmp_path}").startswith("can't read ")


def test_load_puts_the_text_at_the_prompt(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "program.tg"
    path.write_text("a = 5\nb = 6\n")
    assert desk(f":load {path}") == ""
    assert desk.shell.draft == "a = 5\nb = 6"
    assert desk(":who") == "nothing is defined yet\n"


def test_edit_gives_the_text_to_the_editor(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "editor.py"
    script.write_text(
        "import sys, pathlib\np = pathlib.Path(sys.argv[1])\np.write_text(p.read_text().replace('1', '2'))\n"
    )
    monkeypatch.setenv("VISUAL", f"'{sys.executable}' '{script}'")
    desk("x = 0\n@torch.no_grad()\ndef f(a):\n    return a + 1\ny = 1")
    desk("z = 1")
    desk(":edit")
    assert desk.shell.draft == "z = 2"
    desk(":edit f")
    assert desk.shell.draft == "@torch.no_grad()\ndef f(a):\n    return a + 2"
    monkeypatch.setenv("VISUAL", f"'{sys.executable}' -c 'raise SystemExit(3)'")
    assert desk(":edit").endswith("ended with 3; nothing is changed\n")
    monkeypatch.setenv("VISUAL", "no-such-editor")
    assert "can't open no-such-editor" in desk(":edit")


def test_a_saved_session_gives_the_same_state(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "saved.tg"
    desk("x = torch.randn(3)")
    desk("gone = 1")
    desk(":undo")
    desk("y = x * 2; z = torch.rand(1)")
    desk("q = 5\nr = torch.rand(2); 1 / 0; never = 1")
    desk("def f(a):\n    return a * x")
    desk("zzz")
    assert desk(f":save {path}") == f"saved in {path}; 2 that failed left out\n"
    lines = path.read_text().split("\n")
    assert lines[0] == "# Saved from a session of tgrad."
    assert lines[1].startswith("torch.manual_seed(")
    assert lines[2:] == [
        "x = torch.randn(3)", "y = x * 2; z = torch.rand(1)", "q = 5", "r = torch.rand(2)",
        "def f(a):", "    return a * x", "",
    ]  # fmt: skip
    look = "print(x.tolist(), y.tolist(), z.tolist(), q, r.tolist(), f(2).tolist(), torch.rand(3).tolist())"
    expected = desk(look)
    other = Desk()
    other(f":run {path}")
    assert other(look) == expected
    assert other("gone") == "NameError: name 'gone' is not defined\n"


def test_what_was_before_a_reset_is_not_saved(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "saved.tg"
    desk("x = torch.randn(3)")
    desk(":reset")
    desk("y = torch.randn(3)")
    desk(f":save {path}")
    assert path.read_text().split("\n")[2:] == ["y = torch.randn(3)", ""]
    expected = desk("print(y.tolist())")
    other = Desk()
    other(f":run {path}")
    assert other("print(y.tolist())") == expected


# ---------------------------------------------------------------- settings


def test_set_lists_shows_and_changes(desk: Desk) -> None:
    assert desk(":set").split("\n")[:3] == [
        "setting    value",
        "repr       rich   how values are shown",
        "precision  4      digits after the decimal point",
    ]
    assert desk(":set repr") == "repr is rich: how values are shown; it takes rich or torch\n"
    assert desk(":set repr=torch") == ""
    assert desk.shell.settings.repr == "torch"
    assert desk(":set reqr torch") == "there is no setting reqr; did you mean repr?\n"
    assert desk(":set keys emcas") == "keys is emacs or vi, not 'emcas'; did you mean emacs?\n"
    desk(":set precision 2")
    assert desk("torch.tensor(1 / 3)") == "tensor(0.33)\n"


def test_set_saves(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    from tgrad.shell.settings import settings_path

    path = settings_path()
    assert desk(":set keys vi --save") == f"saved in {path}\n"
    assert path is not None
    assert path.read_text() == '# Written by `:set --save`.\nkeys = "vi"\n'


def test_a_fault_in_a_help_page_leaves_the_commands(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TGRAD_DEBUG", raising=False)
    monkeypatch.setitem(sys.modules, "tgrad.display.help", None)
    first, head, *rows = desk(":help").rstrip("\n").split("\n")
    assert first.startswith("the help page failed (")
    assert head.split() == ["command", "what", "it", "does"]
    assert len(rows) == len(COMMANDS)


def test_help_knows_the_commands(desk: Desk) -> None:
    assert desk(":help :who") == f":who [PART]\n  {COMMANDS['who'].help}\n"
    assert ":grads" in desk(":help")
    assert desk("sin?") == desk(":help sin")
