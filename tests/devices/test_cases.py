"""The cases of `tests/golden/ops` on the stand-in for CuPy: what the CPU gives, but for `different.txt`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.devices import cases

LISTED = {
    tuple(line.split(": ", 1))
    for line in Path(__file__).with_name("different.txt").read_text("utf-8").splitlines()[1:]
    if line and line[0] != "#"
}
"""Areas and expressions that rightly differ."""


@pytest.mark.usefixtures("cuda")
@pytest.mark.parametrize("area", cases.harness.areas())
def test_results_are_the_cpus(area: str) -> None:
    known = {expression for place, expression in LISTED if place == area}
    found = {case.expression: cases.difference(case.expression, "cuda") for case in cases.harness.cases(area)}
    different = {expression: why for expression, why in found.items() if why is not None}
    assert {expression: why for expression, why in different.items() if expression not in known} == {}
    assert known - set(different) == set(), "listed in different.txt, but they agree"
