"""Files: only what was allowed, and no format that carries code."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy
import pytest
from worlds import World

from tgrad.errors import AccessDenied, ArgumentValueError
from tgrad.runtime.access import Access


def world(folder: Path) -> World:
    made = World(Access(read=(folder,), write=(folder,)))
    made.names["folder"] = str(folder)
    return made


def test_nothing_is_allowed_by_default(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("secret")
    for call in ("read(p)", "load(p)", "save('x', p)", "save([1], p + '.npy')"):
        made = World()
        made.names["p"] = str(tmp_path / "a.txt")
        with pytest.raises(AccessDenied):
            made.run(call)
    assert os.listdir(tmp_path) == ["a.txt"]


def test_reading_is_not_writing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    made = World(Access(read=(tmp_path / "a.txt",)))
    made.names["p"] = str(tmp_path / "a.txt")
    made.run("read(p), load(p)")
    assert made.shown == [("text", "text")]
    with pytest.raises(AccessDenied, match="may not write"):
        made.run("save('x', p)")
    with pytest.raises(AccessDenied, match="may not read"):
        made.run("read(p + 'b')")


def test_no_way_around(tmp_path: Path) -> None:
    allowed, outside = tmp_path / "allowed", tmp_path / "outside"
    allowed.mkdir()
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    (allowed / "link.txt").symlink_to(outside / "secret.txt")
    (allowed / "folder").symlink_to(outside)
    made = world(allowed)
    for path in (
        "/../outside/secret.txt",
        "/link.txt",
        "/folder/secret.txt",
        "-not-inside/../../outside/secret.txt",
    ):
        with pytest.raises(AccessDenied):
            made.run(f"read(folder + {path!r})")
        with pytest.raises(AccessDenied):
            made.run(f"save('x', folder + {path!r})")
    assert (outside / "secret.txt").read_text() == "secret"


@pytest.mark.parametrize("path", ["3", "None", "['a']", "b'a'"])
def test_a_path_is_text(path: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="a path must be a str"):
        world(tmp_path).run(f"read({path})")


def test_round_trips(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.run(
        """
t = tensor([[1.5, 2.], [3., 4.]], requires_grad=True)
save(t, folder + "/t.npy")
save({"a": t, "b": [1, 2]}, folder + "/t.npz")
save(t, folder + "/t.csv")
save({"x": [1, None, "é"], "t": t.detach()}, folder + "/t.json")
load(folder + "/t.npy").tolist()
found = load(folder + "/t.npz")
found["a"].tolist(), found["b"].tolist()
load(folder + "/t.csv").tolist()
load(folder + "/t.json")
read(folder + "/t.csv")
"""
    )
    rows = [[1.5, 2.0], [3.0, 4.0]]
    assert made.shown == [
        rows, (rows, [1, 2]), rows, {"x": [1, None, "é"], "t": rows}, "1.5,2.0\n3.0,4.0\n",
    ]  # fmt: skip


def test_a_table_with_a_heading(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("width,height\n1,2\n\n3,4.5\n")
    (tmp_path / "b.tsv").write_text("1\t2\n")
    (tmp_path / "c.csv").write_text("1,2\n3\n")
    made = world(tmp_path)
    made.run("load(folder + '/a.csv').tolist(), load(folder + '/b.tsv').tolist()")
    assert made.shown == [([[1.0, 2.0], [3.0, 4.5]], [[1.0, 2.0]])]
    with pytest.raises(ArgumentValueError, match="differ in length"):
        made.run("load(folder + '/c.csv')")


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("evil",))


def test_pickled_data_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numpy.save(tmp_path / "a.npy", numpy.array([Evil()], object), allow_pickle=True)
    (tmp_path / "b.npy").write_bytes(pickle.dumps(Evil()))
    (tmp_path / "c.pt").write_bytes(pickle.dumps(Evil()))
    for name in ("a.npy", "b.npy", "c.pt"):
        with pytest.raises(ValueError, match=r"pickle|pt file"):
            world(tmp_path).run(f"load(folder + '/{name}')")
    assert capsys.readouterr().out == ""
