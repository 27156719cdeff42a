"""The README's pictures show what the shell draws."""

from __future__ import annotations

import importlib.util
import xml.etree.ElementTree as Tree
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "pictures.py"


def script() -> object:
    """docs/pictures.py as a module."""
    found = importlib.util.spec_from_file_location("pictures", SCRIPT)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def words(picture: str) -> list[str]:
    """The texts of a picture: rich's versions differ in the frames that they draw around them."""
    return [node.text or "" for node in Tree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("name", ["values", "graph", "pictures", "mistake"])
def test_picture_is_up_to_date(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("TERM", "COLORTERM", "COLUMNS", "LINES", "LANG", "NO_COLOR"):
        monkeypatch.setenv(variable, "")  # what the script sets is put back
    module = script()
    (picture,) = [each for each in module.PICTURES if each.name == name]  # type: ignore[attr-defined]
    kept = (ROOT / "docs" / "images" / f"{name}.svg").read_text(encoding="utf-8")
    assert words(module.drawn(picture)) == words(kept), "python docs/pictures.py"  # type: ignore[attr-defined]


def test_readme_shows_every_picture() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for picture in (ROOT / "docs" / "images").glob("*.svg"):
        assert f"docs/images/{picture.name}" in readme
