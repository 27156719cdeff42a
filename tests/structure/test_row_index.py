"""The index of rows: it is current, and what it is for: files of rows are read when they are needed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tgrad.ops import index_rows
from tgrad.ops.install import install
from tgrad.ops.rows import names_in_index
from tgrad.ops.table import TABLE, unary

ROOT = Path(__file__).parents[2]


MAKERS = "unary|binary|broadcast|comparison|operator|view|creation|filling|composite"


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_index_is_current() -> None:
    made = run("from tgrad.ops import index_rows; print(index_rows.text(), end='')")
    assert made == index_rows.WRITTEN.read_text("utf-8"), "run python -m tgrad.ops.index_rows"


def test_every_file_with_rows_is_listed() -> None:
    folder = ROOT / "tgrad" / "ops"
    read = "import sys; from tgrad.ops import index_rows; index_rows.read_all(); print(*sys.modules)"
    loaded = {name.removeprefix("tgrad.ops.") for name in run(read).split() if name.startswith("tgrad.ops.")}
    others = {path.stem for path in folder.glob("*.py")} - loaded - {"__init__"}
    for name in others:
        text = (folder / f"{name}.py").read_text("utf-8")
        assert re.search(rf"^({MAKERS})\(", text, re.M) is None, name


READ = """
import sys
import tgrad as torch
rows = set("{files}".split())
{program}
print(*sorted(name[10:] for name in sys.modules if name[10:] in rows and name.startswith("tgrad.ops.")))
"""


@pytest.mark.parametrize(
    ("program", "files"),
    [
        ("assert 'sin' in dir(torch.Tensor) and 'sin' in dir(torch)", {"convert"}),
        ("torch.tensor([1.]).sum()", {"convert", "reduce"}),
        ("torch.Tensor.T", {"convert", "shape"}),
    ],
)
def test_only_files_of_what_is_used_are_read(program: str, files: set[str]) -> None:
    found = run(READ.format(files=" ".join(index_rows.FILES), program=program))
    assert set(found.split()) == files


def test_a_file_that_was_interrupted_is_read_again() -> None:
    run("""
import builtins
import tgrad as torch
from tgrad.ops import table
kept = table.row
def interrupted(family, name, *rest, **parts):
    if name == "cos":
        raise KeyboardInterrupt
    return kept(family, name, *rest, **parts)
table.row = interrupted
x = torch.tensor([0.])
try:
    x.sin()
except KeyboardInterrupt:
    pass
else:
    raise AssertionError
table.row = kept
assert x.sin().tolist() == [0.0] and x.cos().tolist() == [1.0]
""")


def test_a_row_outside_of_the_index_is_a_row_as_well() -> None:
    install()
    name = "_row_of_a_test"
    op = unary(name, lambda xp, input: xp.exp(input), inplace=False, function=False, method=False, doc="")
    try:
        assert name in TABLE
        assert TABLE[name] is op
        assert TABLE.overloads(name) == [op]
        assert TABLE.of_key(name) is op
    finally:
        del TABLE[name], TABLE.heads[name]


def test_the_table_is_in_the_order_of_the_index() -> None:
    names = list(TABLE)
    assert names == [op.name for op in TABLE.values()] == [name for name, _ in TABLE.items()]
    assert len(TABLE) == len(names) == len(TABLE.keys())
    files = [index_rows.FILES.index(TABLE.heads[name].file) for name in names]
    assert files == sorted(files)


def test_names_in_the_index_are_there() -> None:
    import tgrad as torch

    names = names_in_index()
    assert {"sum", "add_", "T", "multiply", "zeros"} <= names
    assert not [name for name in names if not hasattr(torch.Tensor, name) and not hasattr(torch, name)]


def test_an_unknown_name() -> None:
    assert TABLE.get("no_such_row") is None
    assert "no_such_row" not in TABLE
    assert TABLE.overloads("no_such_row") == []
    assert TABLE.of_key("no_such_row") is None
    with pytest.raises(KeyError):
        TABLE["no_such_row"]
