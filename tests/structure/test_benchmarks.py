"""The benchmarks' workloads run, and the README's table is the one that was measured."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks"
NAMES = (
    "elementwise", "linear algebra", "layers", "second derivatives",
    "60 operators on 3 elements, no gradient",
    "60 operators on 3 elements, recorded", "60 operators on 3 elements, forward and backward",
    "other calls on 3 elements",
)  # fmt: skip
"""The groups whose first cases are small."""


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """The benchmarks' modules, which are a program of their own and no package."""
    import importlib

    monkeypatch.syspath_prepend(str(FOLDER))
    names = ("workloads", "peers", "report", "harness", "devices")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)  # a folder of tests may be called so, too
    before = set(sys.modules)
    found = {name: importlib.import_module(name) for name in names}
    for name in set(sys.modules) - before:
        if str(FOLDER) in str(getattr(sys.modules[name], "__file__", "")):
            monkeypatch.delitem(sys.modules, name)
    return found


@pytest.mark.parametrize("group", NAMES)
def test_workloads_run(group: str, benchmarks: dict[str, ModuleType]) -> None:
    chosen = [each for each in benchmarks["workloads"].ALL if each.group == group]
    assert chosen
    for workload in chosen:
        work = benchmarks["peers"].Tgrad().work(workload, workload.cases[0])
        assert all(number == number for number in benchmarks["peers"].plain(work()))


def test_another_result_is_found(benchmarks: dict[str, ModuleType]) -> None:
    harness = benchmarks["harness"]
    found = harness.Measured("group", "name", "")
    harness._compare(
        {"tgrad": [1.0, 2.1], "torch": [1.0, 2.0], "jax": [1.0], "numpy": [1.0, 2.0]}, found, 1e-3
    )
    assert set(found.problems) == {"tgrad", "jax"}


def test_ratios_are_those_of_one_round(benchmarks: dict[str, ModuleType]) -> None:
    harness = benchmarks["harness"]
    found = harness.Measured(
        "group", "name", "", figures={"tgrad": [1.0, 20.0, 3.0], "torch": [2.0, 10.0, 6.0]}
    )
    assert found.ratio() == (0.5, 0.5, 1.25)


def test_pages_are_those_of_the_results(benchmarks: dict[str, ModuleType]) -> None:
    report = benchmarks["report"]
    data, found = report.read(FOLDER)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert report.readme(readme, data, found) == readme
    assert report.page(data, found) == (FOLDER / "results.md").read_text(encoding="utf-8")
    assert report.bars(found) == (FOLDER / "results.svg").read_text(encoding="utf-8")


def test_devices_are_compared(benchmarks: dict[str, ModuleType]) -> None:
    import tgrad

    devices = benchmarks["devices"]
    twice = {"tgrad": tgrad, "torch": tgrad}
    found = [devices.measure(work, twice, "cpu", 2, 1e-4) for work in devices.workloads(100_000)]
    assert [each.problems for each in found] == [{}] * 4
    assert devices.table(found, {"device": "cpu"}).count("\n| ") == 5


def test_without_a_gpu_nothing_is_compared(benchmarks: dict[str, ModuleType]) -> None:
    import tgrad

    why = benchmarks["devices"].missing({"tgrad": tgrad, "torch": tgrad}, "cuda")
    assert why is None or why.startswith("tgrad finds no GPU")
    assert "PyTorch isn't installed" in benchmarks["devices"].missing({"tgrad": tgrad}, "cpu")
