"""`torch.testing.assert_close` against what PyTorch says (`record_assert_close.py`)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import tgrad as torch
from tgrad.errors import builtin_name

RECORDED = json.loads(Path(__file__).with_name("assert_close.json").read_text("utf-8"))


@pytest.mark.parametrize(("call", "sentence"), RECORDED.items())
def test_as_recorded(call: str, sentence: str) -> None:
    said = ""
    try:
        eval(f"torch.testing.{call}", {"torch": torch, "np": np})
    except Exception as error:
        said = f"{builtin_name(error)}: {error}"
    assert said == sentence


@pytest.mark.parametrize("name", ["rtol", "atol"])
def test_negative_tolerances(name: str) -> None:
    given = {"rtol": 0.0, "atol": 0.0, name: -1.0}
    with pytest.raises(ValueError, match=f"{name} must be greater than or equal to zero"):
        torch.testing.assert_close(1.0, 1.0, **given)
