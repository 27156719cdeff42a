"""The parser's tables: made from the grammar by Lark, kept as JSON.

`grammar/tgrad.lark` is the only definition of the syntax.  Lark reads it and computes the LALR(1)
tables; that takes a third of a second, so the tables are shipped beside this module, keyed by the
hash of the grammar.  As long as the two agree, Lark is not even imported.  When the grammar was
edited, the tables are made anew and kept in a private folder of the user (never in a shared
temporary directory, and as JSON, which cannot run anything when it is read).

    python -m tgrad.lang.generate        writes tables.json; a test checks that it is current
"""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any, NamedTuple

FORMAT = 1
SHIPPED = Path(__file__).with_name("tables.json")
END = "$END"


class Rule(NamedTuple):
    """One production, as the parser's loop needs it.

    `method` names the lowering's method; "" passes the only part on, "+" starts or extends the
    list of a repetition.  `keep` has (index, splice) for the parts that reach the method.
    """

    left: str
    length: int
    method: str
    keep: tuple[tuple[int, bool], ...]


class Tables(NamedTuple):
    """LALR(1) tables and words.  `actions[state][terminal]` is n > 0: shift and go to state n - 1;
    n < 0: reduce by rule -n - 1.  `gotos[state][nonterminal]` is the state after a reduction."""

    start: int
    accept: int
    actions: list[dict[str, int]]
    gotos: list[dict[str, int]]
    rules: list[Rule]
    patterns: list[tuple[str, str]]
    literals: dict[str, str]
    mistakes: dict[str, str]
    chains: dict[tuple[int, int, str], int]
    """What the parser has learned about chains of reductions; it begins empty."""


def grammar_path() -> Path:
    """The grammar: beside the package in a checkout, inside of it when installed from a wheel."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "grammar" / "tgrad.lark"
    return inside if inside.exists() else package.parent / "grammar" / "tgrad.lark"


def fingerprint(grammar: str) -> str:
    """The key of the tables: a hash of the grammar, the samples of mistakes and the format."""
    import zlib

    from tgrad.lang.samples import SAMPLES

    content = f"{FORMAT}\n{SAMPLES!r}\n{grammar}".encode()
    # Two checksums of different kinds and the length: a fingerprint against edits, not attackers.
    return f"{FORMAT}-{len(content)}-{zlib.crc32(content):08x}-{zlib.adler32(content):08x}"


def load() -> Tables:
    """The tables for the grammar as it is now: shipped, else cached, else made."""
    grammar = grammar_path().read_text("utf-8")
    key = fingerprint(grammar)
    data = _read(SHIPPED, key)
    if data is None:
        cached = _cache_file(key)
        data = _read(cached, key) if cached else None
        if data is None:
            data = build(grammar)
            if cached:
                _write_private(cached, data)
    return unpack(data)


def build(grammar: str) -> dict[str, Any]:
    """The tables as JSON data.  Needs Lark.  Raises ValueError when the grammar has a conflict."""
    from tgrad.lang.generate import generate

    return generate(grammar, fingerprint(grammar))


def _read(path: Path, key: str) -> dict[str, Any] | None:
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) and data.get("key") == key else None


def unpack(data: dict[str, Any]) -> Tables:
    """Tables from their JSON form, in which equal rows are kept once."""
    action_rows, goto_rows = data["action_rows"], data["goto_rows"]
    return Tables(
        data["start"],
        data["accept"],
        [action_rows[row] for row in data["actions"]],
        [goto_rows[row] for row in data["gotos"]],
        [
            Rule(left, length, method, tuple((index, bool(splice)) for index, splice in keep))
            for left, length, method, keep in data["rules"]
        ],
        [(name, pattern) for name, pattern in data["patterns"]],
        data["literals"],
        data["mistakes"],
        {},
    )


def _cache_file(key: str) -> Path | None:
    """A place in a folder that belongs to the user alone, or None if there is none."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if not base or not os.path.isabs(base):
        return None
    folder = Path(base) / "tgrad"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return None
    if not stat.S_ISDIR(status.st_mode):
        return None
    if sys.platform != "win32":
        if status.st_uid != os.getuid() or status.st_mode & 0o022:
            return None
    return folder / f"tables-{key}.json"


def _write_private(path: Path, data: dict[str, Any]) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(data, file)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
