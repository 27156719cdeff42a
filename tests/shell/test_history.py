"""The history file: entry by entry, private, shared, and nothing lost."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from driving import CTRL_C, ENTER, UP, Driven

from tgrad.shell.entries import suggestion
from tgrad.shell.history import HistoryFile, history_path

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tgrad" / "history"


def test_entries_come_back(path: Path) -> None:
    file = HistoryFile(path)
    entries = ["x = 1", "if x:\n    'ä'\n    2", "y"]
    for entry in entries:
        file.append(entry)
    assert HistoryFile(path).entries == entries


def test_blank_and_repeated_entries_are_left_out(path: Path) -> None:
    file = HistoryFile(path)
    for entry in ["x", "x", " \n", "y", "x"]:
        file.append(entry)
    assert HistoryFile(path).entries == ["x", "y", "x"]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_only_the_user_can_read_it(path: Path) -> None:
    HistoryFile(path).append("secret = 1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_half_an_entry_spoils_nothing(path: Path) -> None:
    HistoryFile(path).append("x = 1")
    with path.open("ab") as file:
        file.write(b'"y = 2')
    HistoryFile(path).append("z = 3")
    assert HistoryFile(path).entries == ["x = 1", "z = 3"]


def test_sessions_side_by_side_lose_nothing(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tgrad.shell.history import HistoryFile\n"
        "file = HistoryFile(Path(sys.argv[1]))\n"
        "for number in range(100): file.append(f'{sys.argv[2]}{number}' + '\\n#' * 500)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(path), name], env=environment) for name in "abc"
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    found = [entry.partition("\n")[0] for entry in HistoryFile(path).entries]
    for name in "abc":
        assert [entry for entry in found if entry[0] == name] == [f"{name}{n}" for n in range(100)]
    assert len(found) == 300


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_killed_session_has_written_its_entries(path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from tgrad.shell.history import HistoryFile\n"
        "HistoryFile(Path(sys.argv[1])).append('x = 1'); os.kill(os.getpid(), 9)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code, str(path)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert HistoryFile(path).entries == ["x = 1"]


def test_a_folder_that_cannot_be_written_costs_only_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    file = HistoryFile(tmp_path / "file" / "history")
    file.append("x")
    assert file.entries == ["x"]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the folders of Linux")
def test_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert history_path() == Path("/somewhere/tgrad/history")
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", value)
        assert history_path() == Path("/home/someone/.local/state/tgrad/history")


def test_the_next_session_recalls_the_last(path: Path) -> None:
    Driven("x = 7", ENTER, "x", ENTER, history=HistoryFile(path))
    assert Driven(UP, UP, ENTER, history=HistoryFile(path)).texts == ["x = 7"]


def test_an_entry_is_written_before_it_runs(path: Path) -> None:
    written = []

    class Watched(HistoryFile):
        def append(self, text: str) -> None:
            super().append(text)
            written.append((text, len(driven_inputs)))

    driven_inputs: list[object] = []
    Driven("x = 7", ENTER, history=Watched(path))
    assert written == [("x = 7", 0)]


def test_what_ctrl_c_clears_is_no_entry(path: Path) -> None:
    Driven("abc", CTRL_C, "1", ENTER, history=HistoryFile(path))
    assert HistoryFile(path).entries == ["1"]


def test_suggestion() -> None:
    file = HistoryFile(None)
    file.entries.extend(["alpha = 1", "for i in x:\n    beta(i)", "alp = 2"])
    assert suggestion("al", file) == "p = 2"
    assert suggestion("alph", file) == "a = 1"
    assert suggestion("for", file) == " i in x:"
    assert suggestion("if y:\n    be", file) == "ta(i)"
    assert suggestion("zzz", file) == ""
    assert suggestion("", file) == ""
