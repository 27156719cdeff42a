"""Files as Dask arrays: each chunk is read where it is computed, when it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dask.array
import numpy

from tgrad.backends import chunks
from tgrad.backends.files import Stored


def lazily(files: Sequence[Stored]) -> Any:
    """The files' elements, joined along the first dimension, in the wanted chunks or in the files' own."""
    arrays = [_array(file) for file in files]
    return arrays[0] if len(arrays) == 1 else dask.array.concatenate(arrays)


def _array(file: Stored) -> Any:
    native = file.dtype.newbyteorder("=")
    sizes = dask.array.core.normalize_chunks(
        _wanted(file), file.shape, dtype=native, previous_chunks=file.chunks
    )
    return dask.array.map_blocks(
        _read, file=file, kind=native, dtype=native, chunks=sizes,
        meta=numpy.empty((0,) * len(sizes), native),
        name=f"load-{dask.base.tokenize(str(file.path), file.version, sizes)}",
    )  # fmt: skip


def _wanted(file: Stored) -> Any:
    """The wanted chunks; those that aren't said are the whole of a dimension but for the first."""
    wanted = chunks.wanted()
    if wanted == "auto" and file.chunks is None and len(file.shape) > 1:
        return ("auto", *(-1 for _ in file.shape[1:]))
    return wanted


def _read(file: Stored, kind: Any, block_info: Any = None) -> Any:
    places = block_info[None]["array-location"]
    found = file.read(tuple([slice(int(start), int(stop)) for start, stop in places]))
    return numpy.asarray(found, kind)
