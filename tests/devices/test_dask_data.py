"""Data on `dask`: chunks, files read and written by chunks, random numbers, the bar of a computation."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

pytest.importorskip("dask.array", reason="Dask isn't installed: pip install 'tgrad[dask]'")

import dask.array

import tgrad as torch
from tgrad import backends
from tgrad.backends import dask_pass, threads
from tgrad.errors import ArgumentValueError
from tgrad.runtime.access import Access, file_builtins


def chunks(tensor: Any) -> tuple[tuple[int, ...], ...]:
    found: tuple[tuple[int, ...], ...] = tensor._array.graph.chunks
    return found


# ---------------------------------------------------------------- chunks


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.zeros(5, 2, device="dask", chunks=(2, -1)),
        lambda: torch.ones((5, 2), device="dask", chunks=2),
        lambda: torch.full((5, 2), 3.0, device="dask", chunks=((2, 2, 1), 2)),
        lambda: torch.rand(5, 2, device="dask", chunks=(2, 2)),
        lambda: torch.randn(5, 2, device="dask", chunks=[2, 2]),
        lambda: torch.randint(9, (5, 2), device="dask", chunks=2),
        lambda: torch.tensor([[1.0, 2.0]] * 5, device="dask", chunks=2),
        lambda: torch.ones(5, 2).to("dask", chunks=2),
        lambda: torch.rand_like(torch.zeros(5, 2, device="dask", chunks=2)),
        lambda: torch.nn.functional.dropout(torch.zeros(5, 2, device="dask", chunks=2)),
    ],
)
def test_chunks_are_those_asked_for(make: Callable[[], Any]) -> None:
    made = make()
    assert chunks(made) == ((2, 2, 1), (2,))
    assert made.cpu().shape == (5, 2)


def test_ranges_in_chunks_have_the_same_numbers() -> None:
    for arguments in ((10,), (2, 12), (1, 20, 2), (0.0, 5.0, 0.5)):
        found = torch.arange(*arguments, device="dask", chunks=3)
        assert chunks(found) == ((3, 3, 3, 1),)
        assert found.dtype is torch.arange(*arguments).dtype
        assert found.cpu().equal(torch.arange(*arguments))
    found = torch.linspace(-1, 1, 7, device="dask", chunks=3)
    assert torch.allclose(found.cpu(), torch.linspace(-1, 1, 7), atol=1e-6)


def test_other_devices_pay_no_attention_to_chunks() -> None:
    assert torch.zeros(3, chunks=2).equal(torch.zeros(3))
    assert torch.tensor([1.0], chunks=1).to("cpu", chunks=1).device == torch.device("cpu")


@pytest.mark.parametrize("wrong", [1.5, (1, "x", None, 2.0), True, {}])
def test_what_says_no_chunks(wrong: object) -> None:
    with pytest.raises(TypeError, match="chunks must be a size, a tuple of sizes or 'auto', not"):
        torch.zeros(3, device="dask", chunks=wrong)


# ---------------------------------------------------------------- files


class Files:
    """`load` and `save` of a program that may touch a folder."""

    def __init__(self, folder: Path) -> None:
        def tensor(array: Any, device: Any = None) -> Any:
            return torch.tensor(array, device=device)

        given = file_builtins(Access((folder,), (folder,)), tensor)
        self.folder = folder
        self._load, self._save = given["load"], given["save"]

    def load(self, name: str, **options: Any) -> Any:
        return self._load(str(self.folder / name), **options)

    def save(self, value: Any, name: str) -> None:
        self._save(value, str(self.folder / name))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    torch.manual_seed(0)
    return Files(tmp_path)


DATA = numpy.arange(35.0, dtype=numpy.float32).reshape(7, 5)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("sizes", [3, (3, 2), (-1, 2), "auto", None])
@pytest.mark.parametrize(
    "array", [DATA, DATA.astype(">f8"), DATA[0].astype(numpy.int64), DATA[:0], DATA[0, 0]]
)
def test_npy_files_are_read_in_chunks(files: Files, array: Any, sizes: Any, order: Any) -> None:
    numpy.save(files.folder / "x.npy", numpy.asarray(array, order=order))
    if isinstance(sizes, tuple) and array.ndim != 2:
        sizes = 2
    found = files.load("x.npy", device="dask", chunks=sizes)
    assert not found._array.known
    assert found.cpu().numpy().dtype == array.dtype.newbyteorder("=")
    numpy.testing.assert_array_equal(found.cpu().numpy(), array)


def test_several_files_are_joined_in_the_order_of_their_names(files: Files) -> None:
    for name, number in (("b", 1), ("a", 0), ("c", 2)):
        numpy.save(files.folder / f"{name}.npy", DATA + number)
    expected = numpy.concatenate([DATA, DATA + 1, DATA + 2])
    for device in ("cpu", "dask"):
        numpy.testing.assert_array_equal(files.load("*.npy", device=device).cpu().numpy(), expected)
    assert chunks(files.load("[ab].npy", device="dask", chunks=(4, -1))) == ((4, 3, 4, 3), (5,))


def test_files_that_do_not_fit_together(files: Files) -> None:
    numpy.save(files.folder / "a.npy", DATA)
    numpy.save(files.folder / "b.npy", DATA[:, :2])
    with pytest.raises(ArgumentValueError, match=r"b.npy has the shape \(7, 2\), a.npy \(7, 5\): files that"):
        files.load("*.npy", device="dask")
    numpy.save(files.folder / "b.npy", DATA.astype(numpy.float64))
    with pytest.raises(ArgumentValueError, match=r"b.npy holds float64, a.npy float32: files that are"):
        files.load("*.npy")
    (files.folder / "b.npy").write_bytes((files.folder / "a.npy").read_bytes()[:-4])
    with pytest.raises(ArgumentValueError, match=r"b.npy ends before its array does"):
        files.load("*.npy", device="dask")
    with pytest.raises(FileNotFoundError, match="no file matches"):
        files.load("*.zarr", device="dask")


def test_a_pattern_leads_nowhere_else(files: Files, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    numpy.save(elsewhere / "x.npy", DATA)
    (files.folder / "link.npy").symlink_to(elsewhere / "x.npy")
    for name in ("*.npy", f"../{elsewhere.name}/*.npy"):
        with pytest.raises(PermissionError, match="this program may not read"):
            files.load(name, device="dask")


def test_pickled_data_is_not_read(files: Files) -> None:
    numpy.save(files.folder / "x.npy", numpy.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        files.load("x.npy", device="dask")


@pytest.mark.parametrize("sizes", [(3, 2), (-1, 2), (2, -1)])
def test_npy_files_are_written_in_chunks(files: Files, sizes: Any) -> None:
    files.save(torch.tensor(DATA, device="dask", chunks=sizes) * 2, "x.npy")
    numpy.testing.assert_array_equal(numpy.load(files.folder / "x.npy"), DATA * 2)
    again = files.load("x.npy", device="dask", chunks=3)
    files.save(again + 1, "x.npy")  # the file that is read
    numpy.testing.assert_array_equal(numpy.load(files.folder / "x.npy"), DATA * 2 + 1)
    assert [path.name for path in files.folder.iterdir()] == ["x.npy"]


def test_what_is_not_written_to_its_end_is_not_there(files: Files) -> None:
    wrong = torch.tensor(DATA, device="dask", chunks=2)
    wrong._array._data = wrong._array.graph.map_blocks(
        lambda block: 1 // 0, dtype="f4", meta=numpy.empty((0, 0), "f4")
    )
    with pytest.raises(ZeroDivisionError):
        files.save(wrong, "x.npy")
    assert list(files.folder.iterdir()) == []


@pytest.mark.parametrize("value", [2.0, DATA[0], DATA])
def test_small_tensors_are_written(files: Files, value: Any) -> None:
    files.save(torch.tensor(value, device="dask"), "x.npy")
    numpy.testing.assert_array_equal(numpy.load(files.folder / "x.npy"), value)


class TestZarr:
    """Folders in Zarr's format."""

    @pytest.fixture(autouse=True)
    def _zarr(self) -> None:
        pytest.importorskip("zarr", reason="Zarr isn't installed: pip install 'tgrad[dask]'")

    def test_round_trip(self, files: Files) -> None:
        files.save(torch.tensor(DATA, device="dask", chunks=(3, 2)), "x.zarr")
        files.save(files.load("x.zarr", device="dask") + 1, "x.zarr")
        for device in ("cpu", "dask"):
            found = files.load("x.zarr", device=device)
            numpy.testing.assert_array_equal(found.cpu().numpy(), DATA + 1)
        files.save(torch.tensor(DATA), "y.zarr")
        assert files.load("y.zarr").equal(torch.tensor(DATA))

    def test_codecs_that_could_run_code(self, files: Files) -> None:
        files.save(torch.tensor(DATA), "x.zarr")
        path = files.folder / "x.zarr" / "zarr.json"
        described = json.loads(path.read_text())
        described["codecs"].insert(0, {"name": "numcodecs.pickle", "configuration": {}})
        path.write_text(json.dumps(described))
        with pytest.raises(
            ArgumentValueError, match=r"x.zarr is coded by 'numcodecs.pickle', which isn't read"
        ):
            files.load("x.zarr", device="dask")

    def test_folders_that_are_something_else(self, files: Files) -> None:
        (files.folder / "x.zarr").mkdir()
        (files.folder / "x.zarr" / "kept").write_text("")
        with pytest.raises(ArgumentValueError, match="isn't an array in Zarr's format"):
            files.load("x.zarr")
        with pytest.raises(ArgumentValueError, match="is there, and isn't an array in Zarr's format"):
            files.save(torch.tensor(DATA), "x.zarr")
        assert (files.folder / "x.zarr" / "kept").exists()


# ---------------------------------------------------------------- random numbers


def draws() -> list[Any]:
    torch.manual_seed(5)
    options = {"device": "dask", "chunks": 100}
    x = torch.zeros(1000, **options)
    return [
        torch.rand(1000, **options), torch.randn(1000, **options), torch.randint(-3, 4, (1000,), **options),
        x.normal_(2.0, 0.5).clone(), x.uniform_(-1, 1).clone(), x.exponential_(2.0).clone(),
        torch.bernoulli(torch.full((1000,), 0.3, **options)),
        torch.poisson(torch.full((1000,), 2.5, **options)),
        torch.normal(torch.ones(1000, **options), torch.ones(1000, **options)),
        torch.nn.functional.dropout(torch.ones(1000, **options), 0.25),
    ]  # fmt: skip


MEANS = [0.5, 0.0, 0.0, 2.0, 0.0, 0.5, 0.3, 2.5, 1.0, 1.0]


def test_a_seed_gives_the_same_numbers_whatever_computes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    first = [each.cpu() for each in draws()]
    monkeypatch.setattr(threads, "count", 1)
    second = [each.cpu() for each in draws()]
    for a, b, mean in zip(first, second, MEANS, strict=True):
        assert a.equal(b)
        assert float(a.double().mean()) == pytest.approx(mean, abs=0.2)
    parts = first[1].reshape(10, 100)
    assert len({tuple(part) for part in parts.tolist()}) == 10  # no block has another one's numbers


def test_a_tensor_keeps_its_numbers() -> None:
    x = torch.randn(1000, device="dask", chunks=100)
    assert x.cpu().equal(x.cpu())
    assert not x.cpu().equal(torch.randn(1000, device="dask", chunks=100).cpu())


def test_numbers_of_16_bits_stay_below_their_bound() -> None:
    x = torch.rand(100_000, device="dask", dtype=torch.float16, chunks=50_000)
    assert (float(x.min()), bool((x < 1).all())) == (0.0, True)


def test_probabilities_are_looked_at_where_they_are_used() -> None:
    wrong = torch.bernoulli(torch.full((10,), 1.5, device="dask", chunks=5))
    with pytest.raises(RuntimeError, match="Expected p_in >= 0"):
        wrong.cpu()


# ---------------------------------------------------------------- the bar


class Bar:
    """A bar that writes down what it is told."""

    def __init__(self) -> None:
        self.totals: list[int] = []
        self.calls: list[tuple[str, int]] = []

    def begin(self, total: int) -> Bar:
        self.totals.append(total)
        return self

    def update(self, count: int, value: object) -> None:
        self.calls.append(("update", count))

    def close(self, count: int, value: object) -> None:
        self.calls.append(("close", count))


@pytest.fixture
def bar(monkeypatch: pytest.MonkeyPatch) -> Bar:
    made = Bar()
    monkeypatch.setattr(backends, "computing", made.begin)
    monkeypatch.setattr(dask_pass, "EVERY", 0.0)
    return made


def test_a_computation_tells_its_bar_how_far_it_is(bar: Bar) -> None:
    torch.ones(100, device="dask", chunks=10).exp().cpu()
    (total,) = bar.totals
    assert bar.calls == [*(("update", n) for n in range(total + 1)), ("close", total)]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_closes_the_bar(bar: Bar, error: type[BaseException]) -> None:
    def fails(block: Any) -> Any:
        raise error

    array = dask.array.ones(4, chunks=2).map_blocks(fails, meta=numpy.empty(0))
    with pytest.raises(error):
        dask_pass.computed(array)
    assert bar.calls[-1][0] == "close"


def test_the_end_of_a_program_waits_for_no_chunk() -> None:
    torch.rand(5, 2, device="dask", chunks=2).sum().item()
    computing = [thread for thread in threading.enumerate() if thread.name == "tgrad chunks"]
    assert len(computing) >= threads.count
    assert all(thread.daemon for thread in computing)
    others = {thread.name for thread in threading.enumerate() if not thread.daemon}
    assert not any(name.startswith("ThreadPoolExecutor") for name in others)
