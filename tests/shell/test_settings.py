"""The settings file and the start-up program: what is in them holds, and no fault in them ends the shell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from desk import Desk

from tgrad.shell import settings
from tgrad.shell.files import run_startup
from tgrad.shell.settings import SettingError, Settings, change, load, save


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty configuration folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    folder = settings.folder()
    assert folder is not None
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("name", "word", "value"),
    [
        ("repr", "torch", "torch"), ("precision", "0", 0), ("precision", "17", 17),
        ("theme", "light", "light"), ("keys", "vi", "vi"), ("echo", "off", False),
        ("echo", "true", True), ("plots", "figures", "figures"), ("plots", "off", None),
        ("undo", "64", 64),
    ],
)  # fmt: skip
def test_words_become_values(name: str, word: str, value: object) -> None:
    changed = Settings()
    change(changed, name, word)
    assert getattr(changed, name) == value


@pytest.mark.parametrize(
    ("name", "word", "sentence"),
    [
        ("repr", "toch", "repr is rich or torch, not 'toch'; did you mean torch?"),
        ("precision", "18", "precision is a whole number from 0 to 17, not '18'"),
        ("precision", "x", "precision is a whole number from 0 to 17, not 'x'"),
        ("echo", "maybe", "echo is on or off, not 'maybe'"),
        ("kyes", "vi", "there is no setting kyes; did you mean keys?"),
        ("zzz", "1", "there is no setting zzz; there are repr, precision, theme, keys, echo, plots, undo"),
    ],
)
def test_what_is_wrong_is_said(name: str, word: str, sentence: str) -> None:
    with pytest.raises(SettingError) as caught:
        change(Settings(), name, word)
    assert str(caught.value) == sentence


def test_saved_settings_are_read_again(place: Path) -> None:
    changed = Settings(repr="torch", precision=7, echo=False, plots='a "b"\\ü')
    save(changed, place / "settings.toml")
    assert load(place / "settings.toml") == (changed, [])
    save(Settings(), place / "settings.toml")
    assert (place / "settings.toml").read_text() == "# Written by `:set --save`.\n"


def test_a_missing_file_is_no_fault(place: Path) -> None:
    assert load(place / "settings.toml") == (Settings(), [])
    assert load(None) == (Settings(), [])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"repr = ", "Invalid value"),
        (b"\xff", "can't decode"),
        (b"reprr = 'rich'", "there is no setting reprr; did you mean repr?"),
        (b"precision = 'x'", "precision is a whole number from 0 to 17, not 'x'"),
        (b"precision = [1]", "precision is a whole number from 0 to 17, not '[1]'"),
        (b"[repr]\na = 1", "repr is rich or torch"),
    ],
)
def test_a_fault_in_the_file_is_one_line(place: Path, text: bytes, fault: str) -> None:
    path = place / "settings.toml"
    path.write_bytes(text + b"\n")
    found, faults = load(path)
    assert found == Settings()
    assert len(faults) == 1
    assert faults[0].startswith(f"{path}: ")
    assert fault in faults[0]
    assert "\n" not in faults[0]


def test_one_fault_leaves_the_other_settings(place: Path) -> None:
    path = place / "settings.toml"
    path.write_text("repr = 'x'\nkeys = 'vi'\n")
    found, faults = load(path)
    assert found == Settings(keys="vi")
    assert len(faults) == 1


def test_the_startup_program_runs(place: Path) -> None:
    path = place / "startup.tg"
    path.write_text("a = 5\na\n")
    desk = Desk()
    run_startup(desk.shell, path)
    assert desk("a + 1") == "6\n"
    assert desk.shell.startup == ["a = 5\na"]
    assert [each.text for each in desk.shell.inputs] == ["a + 1"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"a = 1\nb = 1 / 0\n", ":2: ZeroDivisionError: division by zero"),
        (b"a = (\n", "SyntaxError"),
        (b"\xff", "isn't text in UTF-8"),
        (b"def f():\n    return zzz\na = 1\nf()\n", ":2: NameError: name 'zzz' is not defined"),
    ],
)
def test_a_fault_in_the_startup_program_is_one_line(place: Path, text: bytes, fault: str) -> None:
    path = place / "startup.tg"
    path.write_bytes(text)
    desk = Desk()
    run_startup(desk.shell, path)
    written = desk.stream.getvalue()
    assert written.count("\n") == 1
    assert fault in written
    assert str(path) in written
    assert desk("1 + 1") == "2\n"


def test_leaving_in_the_startup_program_leaves_nothing(place: Path) -> None:
    path = place / "startup.tg"
    path.write_text("exit()\n")
    desk = Desk()
    run_startup(desk.shell, path)
    assert desk.shell.exit_code is None


def lines_of_shell(place: Path, *options: str) -> list[str]:
    """What a shell on a terminal writes for a few inputs."""
    code = (
        "import sys\nfrom tgrad import cli\ncli._on_terminal = lambda: True\n"
        f"sys.exit(cli.main({list(options)!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input="tensor(1 / 3)\nstarted\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={
            **os.environ,
            "TERM": "dumb",
            "XDG_CONFIG_HOME": str(place.parent),
            "APPDATA": str(place.parent),
        },
    )
    return [*done.stdout.split("\n"), *done.stderr.split("\n")]


def test_the_command_line_honours_both_files(place: Path) -> None:
    (place / "settings.toml").write_text("repr = 'torch'\nprecision = 2\nnothing = 1\n")
    (place / "startup.tg").write_text("started = 'so it did'\n1 / 0\n")
    text = "\n".join(lines_of_shell(place))
    assert "tensor(0.33)" in text
    assert "'so it did'" in text
    assert "there is no setting nothing" in text
    assert "startup.tg:2: ZeroDivisionError: division by zero" in text
    without = "\n".join(lines_of_shell(place, "--no-rc"))
    assert "0.3333" in without
    assert "name 'started' is not defined" in without
    assert "ZeroDivisionError" not in without
