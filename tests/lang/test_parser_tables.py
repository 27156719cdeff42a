"""The parser's tables: current, without conflicts, found without Lark."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tgrad.lang import generate, tables
from tgrad.lang.program import _Lowering

GRAMMAR = tables.grammar_text()
ROOT = Path(tables.__file__).resolve().parents[2]


def test_shipped_tables_are_current() -> None:
    made = json.loads(json.dumps(tables.build(GRAMMAR)))
    current = generate.SHIPPED.read_text("utf-8") == generate.module_text(made)
    assert current, "run python -m tgrad.lang.generate"
    assert tables.shipped() == made


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from_items_closed ", 'from_items ","? '),
        ("\n?star_item: test", "\n?star_item: test | element"),
    ],
)
def test_a_conflict_is_an_error(old: str, new: str) -> None:
    assert old in GRAMMAR
    with pytest.raises(ValueError, match=r"[Cc]onflict|[Cc]ollision|defined more than once"):
        generate.generate(GRAMMAR.replace(old, new))


def test_every_terminal_has_a_name() -> None:
    made = tables.load()
    kinds = {kind for row in made.actions for kind in row}
    assert not [kind for kind in kinds if "ANON" in kind]


def test_every_rule_has_a_method() -> None:
    for rule in tables.load().rules:
        assert rule.method in ("", "+") or callable(getattr(_Lowering, rule.method))


def run(code: str, **environment: str) -> str:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


COMPILE = """
import sys
from tgrad.lang import compile_program
from tgrad.source import Source
compile_program(Source("x", "1 + 1"), attributes=frozenset())
"""


def test_lark_is_not_imported() -> None:
    loaded = run(COMPILE + "print(*sys.modules)").split()
    assert not {"lark", "numpy", "rich", "prompt_toolkit", "unicodedata"} & set(loaded)


STALE = "import tgrad.lang.tables as t; t.shipped = lambda: {}\n" + COMPILE


@pytest.mark.skipif(sys.platform == "win32", reason="owners and modes are Unix's")
def test_stale_tables_are_made_and_kept_privately(tmp_path: Path) -> None:
    answer = run(STALE + "print('lark' in sys.modules)", XDG_CACHE_HOME=str(tmp_path))
    assert answer == "True"
    folder = tmp_path / "tgrad"
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    answer = run(STALE + "print('lark' in sys.modules)", XDG_CACHE_HOME=str(tmp_path))
    assert answer == "False"


@pytest.mark.skipif(sys.platform == "win32", reason="owners and modes are Unix's")
def test_a_folder_that_others_can_write_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "tgrad").mkdir()
    (tmp_path / "tgrad").chmod(0o777)
    run(STALE, XDG_CACHE_HOME=str(tmp_path))
    assert list((tmp_path / "tgrad").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="links are Unix's")
def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "tgrad").symlink_to(tmp_path / "elsewhere")
    run(STALE, XDG_CACHE_HOME=str(tmp_path))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_without_a_cache_the_tables_are_made_in_memory() -> None:
    assert run(STALE + "print('lark' in sys.modules)", XDG_CACHE_HOME="/dev/null") == "True"


def test_damaged_tables_are_made_anew(tmp_path: Path) -> None:
    run(STALE, XDG_CACHE_HOME=str(tmp_path))
    (file,) = (tmp_path / "tgrad").iterdir()
    whole = file.read_bytes()
    for content in (b"", whole[:-1], whole.replace(b"1", b"2", 1)):
        file.write_bytes(content)
        assert run(STALE + "print('lark' in sys.modules)", XDG_CACHE_HOME=str(tmp_path)) == "True"
        assert file.read_bytes() == whole
