"""Operators against what PyTorch gave: `tests/golden/ops`."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

import tgrad

OPERATORS = Path(__file__).resolve().parents[1] / "golden" / "ops"


def load(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(
        f"operator_{name}", OPERATORS / f"{name}.py"
    )
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


harness = load("harness")
RECORDED = {area: harness.recorded(area) for area in harness.areas()}
CASES = [case for area in harness.areas() for case in harness.cases(area)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case):
    if case.area == "bfloat16":
        pytest.importorskip("ml_dtypes")
    found = harness.check(case, RECORDED[case.area].get(case.expression), tgrad)
    if found is not None:
        pytest.fail(
            f"{found}\n    python tests/golden/ops/harness.py {case.expression!r}", pytrace=False
        )


def test_no_recording_without_its_case():
    for area, entries in RECORDED.items():
        left = set(entries) - {case.expression for case in CASES if case.area == area}
        assert not left, f"{area}: run tests/golden/ops/record.py {area}"


def test_differences_are_found():
    """The comparison itself: a changed bit, sign, dtype, error or gradient isn't overlooked."""
    case = harness.Case("none", 0, "torch.exp(F(3))")
    entry = harness.evaluate(case.expression, tgrad)
    assert harness.compare(entry, entry, {}) is None
    for changed in (
        {**entry, "result": {**entry["result"], "bits": "AAAAAAAAAAAAAAAA"}},
        {**entry, "result": {**entry["result"], "t": "float64"}},
        {**entry, "result": {**entry["result"], "fn": "LogBackward0"}},
        {**entry, "grad": [None]},
        {**entry, "second": {"error": ["RuntimeError", "no"]}},
        {"error": ["RuntimeError", "no"]},
    ):
        assert harness.compare(entry, changed, {}) is not None
        assert harness.compare(changed, entry, {}) is not None
