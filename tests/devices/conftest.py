"""The device `cuda` for tests: a stand-in for CuPy on the CPU."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.devices import strict
from tgrad.core import device

_KEPT: dict[str, Any] = {"backends": {}, "types": {}}
"""What the tests before made of the device: kernels are executed for it once."""


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[strict.Counts]]:
    """The device is there during a test; what was counted on it."""
    for name, module in strict.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(device.FOREIGN, "cuda", "cupy_")
    backends, types = dict(device._BACKENDS), dict(device._TYPES)
    device._BACKENDS.update(_KEPT["backends"])
    device._TYPES.update(_KEPT["types"])
    try:
        yield strict.Counts
    finally:
        _KEPT["backends"] = {name: made for name, made in device._BACKENDS.items() if name == "cuda"}
        _KEPT["types"] = {key: made for key, made in device._TYPES.items() if made.device.type == "cuda"}
        # Types on the CPU that were made meanwhile stay: others refer to them.
        for name in _KEPT["backends"]:
            del device._BACKENDS[name]
        for key in _KEPT["types"]:
            del device._TYPES[key]
        device._BACKENDS.update(backends)
        device._TYPES.update(types)
