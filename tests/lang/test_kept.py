"""Compiled programs that are kept: the same as those compiled anew, and read only where that is safe."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tgrad.errors import ProgramSyntaxError
from tgrad.lang import Program, compile_program, kept, private
from tgrad.source import Source

UNIX = pytest.mark.skipif(sys.platform == "win32", reason="owners and modes are Unix's")
NAMES = frozenset({"append", "upper"})
TEXT = "param rate: float = 0.5  # how fast\nparam name: str\n" + "".join(
    f"def f{n}(a, *, b={n}):\n    'text'\n    return [a ** 2 + b, -1.5e3, 2j, b'x', *({n}, 'é')]\n"
    f"x{n} = f{n}({n}); x{n}.append('é' * {n} + f'{{x{n}!r:>{n + 10}}}')\nx{n}\n"
    for n in range(40)
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.delenv("TGRAD_CACHE", raising=False)
    return tmp_path / "tgrad"


def compiled(text: str = TEXT, name: str = "long.tg", **options: bool) -> Program:
    return kept.compiled(Source(name, text), attributes=NAMES, **options)


def plain(program: Program) -> object:
    """All there is to a program, so that two can be compared."""
    positions = [list(s.code.co_positions()) for s in program.statements]
    return program.source, program.statements, program.parameters, positions


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("show", [False, True])
def test_a_kept_program_is_the_one_that_was_compiled(folder: Path, show: bool) -> None:
    wanted = plain(compile_program(Source("long.tg", TEXT), attributes=NAMES, show=show))
    assert plain(compiled(show=show)) == wanted
    assert len(files(folder)) == 1
    assert plain(compiled(show=show)) == wanted
    assert len(files(folder)) == 1


@UNIX
def test_folder_and_file_are_the_users_alone(folder: Path) -> None:
    compiled()
    (file,) = files(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def read_count(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each program from now on was found."""
    found: list[bool] = []
    read = private.read

    def noted(name: str) -> bytes | None:
        body = read(name)
        found.append(body is not None)
        return body

    monkeypatch.setattr(private, "read", noted)
    return found


def test_another_program_is_another_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled()
    found = read_count(monkeypatch)
    compiled()
    compiled(TEXT + " ")
    compiled(name="other.tg")
    compiled(show=True)
    assert found == [True, False, False, False]
    assert len(files(folder)) == 4


def test_another_compiler_is_another_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled()
    found = read_count(monkeypatch)
    monkeypatch.setattr(kept, "_compiler", lambda: iter([("program.py", 1, 2)]))
    compiled()
    monkeypatch.setattr(kept, "MAGIC_NUMBER", b"later")
    compiled()
    assert found == [False, False]


def test_other_attributes_are_another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled()
    source, fewer = Source("long.tg", TEXT), frozenset({"upper"})
    assert plain(kept.compiled(source, attributes=fewer)) == plain(compile_program(source, attributes=fewer))
    assert plain(compiled()) == plain(compile_program(source, attributes=NAMES))


def test_short_programs_and_mistakes_are_not_kept(folder: Path) -> None:
    compiled("x = 1\n")
    with pytest.raises(ProgramSyntaxError) as error:
        compiled(TEXT + "if x0:")
    assert error.value.incomplete is True
    assert files(folder) == []


def test_switched_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled(keep=False)
    for word in ("off", "OFF", "0", "no"):
        monkeypatch.setenv("TGRAD_CACHE", word)
        compiled()
    assert files(folder) == []


def test_what_is_damaged_is_replaced(folder: Path) -> None:
    wanted = plain(compiled())
    (file,) = files(folder)
    whole = file.read_bytes()
    for content in (b"", whole[:20], whole[:-1], whole + b"\0", whole[:40] + b"?" + whole[41:]):
        file.write_bytes(content)
        assert plain(compiled()) == wanted
        assert files(folder) == [file]
        assert file.read_bytes()[:32] == private.digest(file.read_bytes()[32:])


@UNIX
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_not_read(
    folder: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled()
    (file,) = files(folder)
    file.chmod(mode)
    found = read_count(monkeypatch)
    compiled()
    compiled()
    assert found == [False, True]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@UNIX
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_can_write_is_not_used(
    folder: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled()
    before = [file.stat().st_mtime_ns for file in files(folder)]
    folder.chmod(mode)
    found = read_count(monkeypatch)
    compiled()
    assert found == [False]
    assert [file.stat().st_mtime_ns for file in files(folder)] == before


@UNIX
def test_what_belongs_to_others_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled()
    found = read_count(monkeypatch)
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    compiled()
    assert found == [False]


@UNIX
def test_links_are_not_followed(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled()
    (file,) = files(folder)
    elsewhere = tmp_path / "elsewhere"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    found = read_count(monkeypatch)
    compiled()
    assert found == [False]
    assert not file.is_symlink()
    folder.rename(tmp_path / "folder")
    folder.symlink_to(tmp_path / "folder")
    compiled()
    assert found == [False, False]


@UNIX
def test_a_pipe_in_place_of_a_file_does_not_stop_anything(folder: Path) -> None:
    compiled()
    (file,) = files(folder)
    file.unlink()
    os.mkfifo(file, 0o600)
    compiled()
    assert file.is_file()


def test_without_a_place_programs_are_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = plain(compiled(keep=False))
    for place in (os.devnull, "relative", os.path.join(os.devnull, "inside")):
        monkeypatch.setenv("XDG_CACHE_HOME", place)
        monkeypatch.setenv("LOCALAPPDATA", place)
        assert plain(compiled()) == wanted


def test_the_oldest_are_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled()
    (first,) = files(folder)
    size = first.stat().st_size
    os.utime(first, (1, 1))
    monkeypatch.setattr(private, "MOST_BYTES", size * 5 // 2)
    compiled(name="2nd.tg")
    second = next(file for file in files(folder) if file != first)
    os.utime(second, (2, 2))
    assert files(folder) == sorted([first, second])
    compiled(name="3rd.tg")
    left = files(folder)
    assert len(left) == 2
    assert second in left
    assert first not in left
    monkeypatch.setattr(private, "MOST_BYTES", 0)
    compiled(name="4th.tg")
    assert len(files(folder)) == 1


RUN = (sys.executable, "-m", "tgrad")
PROGRAM = "x = 1\n" * 300 + "print('é' * 3, x)\nlist(range(3))[\n  7]\n"


def run(*words: str) -> tuple[int, str, str]:
    done = subprocess.run([*RUN, *words], capture_output=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout, done.stderr


def test_errors_have_the_same_places(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "program.tg"
    path.write_text(PROGRAM, "utf-8")
    anew = run("--no-cache", str(path))
    assert files(folder) == []
    assert anew[:2] == (1, "ééé 1\n")
    assert run(str(path)) == anew
    assert len(files(folder)) == 1
    assert run(str(path)) == anew


def test_the_compiler_is_not_loaded_for_a_kept_program() -> None:
    program = (
        "import sys; from tgrad.lang import kept; from tgrad.source import Source\n"
        f"kept.compiled(Source('x', {PROGRAM!r}), attributes=frozenset())\n"
        "print('tgrad.lang.parser' in sys.modules, 'ast' in sys.modules, 'hashlib' in sys.modules)"
    )
    for answer in ("True", "False"):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.split()[0] == answer
    assert done.stdout.split() == ["False", "False", "False"]


def test_several_processes_at_once(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "program.tg"
    path.write_text("x = 1\n" * 300 + "print(x)\n", "utf-8")
    started = [subprocess.Popen([*RUN, str(path)], stdout=subprocess.PIPE, text=True) for _ in range(6)]
    assert [process.communicate()[0] for process in started] == ["1\n"] * 6
    assert len(files(folder)) == 1
