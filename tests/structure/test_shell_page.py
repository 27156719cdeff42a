"""docs/shell.md lists the commands and settings that there are."""

import re
from pathlib import Path

from tgrad.shell import commands, registry, settings

PAGE = Path(__file__).parents[2] / "docs" / "shell.md"
assert commands  # importing it registers the commands


def listed(part: str) -> list[tuple[str, str]]:
    """The rows of a table between its marks."""
    text = PAGE.read_text(encoding="utf-8")
    (table,) = re.findall(rf"<!-- {part} -->\n(.*?)<!-- end -->", text, re.S)
    return re.findall(r"^\| `(.*?)` \| (.*?) \|$", table, re.M)


def test_commands() -> None:
    assert listed("commands") == [(c.usage, c.help) for c in registry.COMMANDS.values()]


def test_settings() -> None:
    assert listed("settings") == [(name, s.help) for name, s in settings.KNOWN.items()]
