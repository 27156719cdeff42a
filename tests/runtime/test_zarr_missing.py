"""Zarr's files without Zarr."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import tgrad as torch
from tgrad.errors import NotAvailableError
from tgrad.runtime.access import Access, file_builtins


@pytest.mark.parametrize("what", ["save", "load"])
def test_it_says_what_to_install(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    if what == "load":
        (tmp_path / "x.zarr").mkdir()
        codecs = [{"name": "bytes", "configuration": {"endian": "little"}}]
        described = {"zarr_format": 3, "node_type": "array", "data_type": "float32", "codecs": codecs}
        (tmp_path / "x.zarr" / "zarr.json").write_text(json.dumps(described))
    files = file_builtins(Access((tmp_path,), (tmp_path,)), torch.tensor)
    with pytest.raises(NotAvailableError, match="zarr, which isn't installed") as error:
        files[what](*([torch.ones(2)] if what == "save" else []), str(tmp_path / "x.zarr"))
    assert error.value.hint == "pip install 'tgrad[dask]'"
