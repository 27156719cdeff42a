"""Imports point one way, and heavy libraries stay where they belong."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tgrad

PACKAGE = Path(tgrad.__file__).parent

ALLOWED = {
    "source": {"source"},
    "errors": {"source", "errors"},
    "backends": {"source", "errors", "backends", "_version"},
    "core": {"source", "errors", "backends", "core"},
    "ops": {"source", "errors", "backends", "core", "ops"},
    "nn": {"source", "errors", "backends", "core", "ops", "nn"},
    "optim": {"source", "errors", "backends", "core", "ops", "optim", "nn"},
    "distributions": {"source", "errors", "backends", "core", "ops", "distributions"},
    "data": {"source", "errors", "core", "ops", "data"},
    "lang": {"source", "errors", "lang"},
    "runtime": {
        "source", "errors", "backends", "core", "ops", "nn", "optim", "lang", "runtime", "_version",
    },
    "display": {"source", "errors", "core", "runtime", "display"},
    "shell": {"source", "errors", "lang", "runtime", "display", "shell"},
    "command_line": {"runtime"},
    "sweep": {"command_line", "backends", "runtime", "display", "sweep"},
    "cli": {
        "command_line", "backends", "source", "errors", "lang", "runtime", "display", "shell", "sweep", "cli",
        "_version",
    },
    "__main__": {"cli"},
    "__init__": {"ops", "_version"},
    "_version": set(),
}  # fmt: skip
"""For each part of the package, the parts that it may import."""

HOMES = {
    "lark": "lang", "rich": "display", "prompt_toolkit": "shell", "cupy": "backends", "dask": "backends",
    "distributed": "backends",
}  # fmt: skip
"""The one part of the package in which a library may be imported."""

MODULES = sorted(PACKAGE.rglob("*.py"))


def part(path: Path) -> str:
    """The part of the package that a file belongs to: its folder, or its own name at the top."""
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports(path: Path) -> Iterator[str]:
    """The full names of the modules that a file imports, anywhere in it, types aside."""
    tree = ast.parse(path.read_text("utf-8"))
    skipped = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for child in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    for name in imports(path):
        pieces = name.split(".")
        if pieces[0] == "tgrad" and len(pieces) > 1:
            assert pieces[1] in ALLOWED[part(path)], f"{part(path)} imports {name}"
        home = HOMES.get(pieces[0])
        assert home is None or part(path) == home, f"{name} belongs in {home}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_module_is_a_drawer(path: Path) -> None:
    assert path.stem not in {"utils", "helpers", "misc", "common"}


def loaded(code: str) -> set[str]:
    """The modules that are loaded after running some Python in a process of its own."""
    text = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.rpartition("\n")[0].split("\n")[-1].split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    names = loaded("import tgrad")
    assert not names & {"numpy", "lark", "rich", "prompt_toolkit", "tgrad.ops"}


def test_the_python_api_needs_neither_language_nor_display() -> None:
    names = loaded("import tgrad as torch; torch.tensor([1.0]).sum()")
    assert "numpy" in names
    assert not names & {"lark", "rich", "prompt_toolkit", "matplotlib", "tgrad.lang"}


@pytest.mark.parametrize("name", ["torch", "scipy", "matplotlib", "typer", "click"])
def test_a_tensor_program_loads_no(name: str) -> None:
    code = "from tgrad.cli import main\ntry: main(['-c', 'tensor([1.0]).sum()'])\nexcept SystemExit: pass"
    assert name not in loaded(code)
