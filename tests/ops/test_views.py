"""Views and in-place writing against what PyTorch does: `tests/golden/views`."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

import tgrad


def load() -> ModuleType:
    path = Path(__file__).resolve().parents[1] / "golden" / "views" / "harness.py"
    specification = importlib.util.spec_from_file_location("views_harness", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


harness = load()
PROGRAMS = harness.programs()
RECORDED = harness.recorded()


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    assert harness.Program(tgrad).run(PROGRAMS[name]) == RECORDED[name]


def test_nothing_is_recorded_twice_or_forgotten():
    assert list(RECORDED) == list(PROGRAMS)
