"""Special functions over their whole range, against what PyTorch computed."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import numpy
import pytest

import tgrad

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden" / "numerics"))
import numeric_cases as cases
import special_cases


def test_every_special_function_has_a_bound():
    named = {name.partition("(")[0] for name in special_cases.FUNCTIONS}
    elsewhere = {"log_softmax", "logsumexp", "round", "softmax"}
    assert {n for n in dir(tgrad.special) if not n.startswith("_")} == named | elsewhere


@pytest.mark.parametrize("case", cases.load("special"), ids=lambda case: f"{case['name']}-{case['dtype']}")
def test_results_are_within_units_of_pytorchs(case):
    name, dtype = case["name"], case["dtype"]
    kind = {"float32": "<f4", "float64": "<f8"}[dtype]
    expected = numpy.frombuffer(base64.b64decode(case["result"]), kind)
    units = special_cases.distance(name, special_cases.result(tgrad, name, dtype), expected)
    function = special_cases.FUNCTIONS[name]
    bound = function.single if dtype == "float32" else function.double
    worst = int(units.argmax())
    arguments = [float(a[worst]) for a in function.arguments(numpy.dtype(dtype))]
    assert units[worst] <= bound, (
        f"{name}{tuple(arguments)}: {units[worst]:.3g} units from {expected[worst]!r}"
    )
