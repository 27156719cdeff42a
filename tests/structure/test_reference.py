"""docs/operators.md is what the operator table says."""

from pathlib import Path

import tgrad
from tgrad.ops import reference
from tgrad.ops.table import TABLE

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"


def test_page_is_up_to_date() -> None:
    tgrad.tensor(0)
    assert PAGE.read_text(encoding="utf-8") == reference.page(), (
        "python -m tgrad.ops.reference > docs/operators.md"
    )


def test_every_formula_has_a_text() -> None:
    tgrad.tensor(0)
    for op in TABLE.values():
        for parameter, formula in op.formulas.items():
            assert reference.formula_text(formula), (op.name, parameter)


def test_formulas_read_as_their_rows_have_them() -> None:
    tgrad.tensor(0)
    found = reference.describe("sin")
    assert found is not None
    assert (found.signatures, found.forms) == (("(input)",), ("function", "method", "in place", "out="))
    assert found.derivatives == (("input", "g * cos(input)"),)


def test_aliases_and_modules_are_found() -> None:
    tgrad.tensor(0)
    assert reference.describe("arccos") == reference.describe("acos")
    assert reference.describe("solve", "torch.linalg").name == "solve"  # type: ignore[union-attr]
    assert reference.describe("nothing") is None
