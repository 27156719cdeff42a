"""Tensors from files and to files, part by part where their device keeps them so; and `chunks=`.

What `chunks=` says is Dask's: a size for all dimensions, a tuple with one for each (-1: all of it), sizes
of the chunks one by one, or "auto".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy

from tgrad.backends import chunks as cut
from tgrad.backends.files import Npy, Stored, Zarr, joined, npy_target, together, zarr_target
from tgrad.backends.interface import Missing
from tgrad.core.device import tensor_type
from tgrad.core.dtype import from_numpy
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ArgumentError, NotAvailableError
from tgrad.ops.factory import option, tensor

FILES: dict[str, Callable[[Path], Stored]] = {".npy": Npy, ".zarr": Zarr}
"""By suffix the files that are read part by part."""


def in_chunks(chunks: Any) -> AbstractContextManager[None]:
    """Inside, tensors are made in these chunks, on devices that have any.

    Raises:
        ArgumentError: it says no chunks.
    """
    if not _says_chunks(chunks):
        raise ArgumentError(
            f"chunks must be a size, a tuple of sizes or 'auto', not {chunks!r}",
            hint="chunks=(1_000_000, -1): a million rows in each, with all their columns",
        )
    return cut.in_chunks(chunks)


def _says_chunks(chunks: Any) -> bool:
    if isinstance(chunks, (tuple, list)):
        return all(_says_chunks(part) for part in chunks)
    if isinstance(chunks, bool):
        return False
    return chunks is None or isinstance(chunks, (int, str))


def load(paths: Sequence[Path], device: Any, chunks: Any) -> Tensor:
    """The arrays in files, joined along the first dimension, as one tensor on a device."""
    where = option("load", "device", "device", device) or state.device
    try:
        files = [FILES[path.suffix.lower()](path) for path in paths]
    except Missing as error:
        raise NotAvailableError(str(error), hint=error.hint) from None
    together(files)
    dtype = from_numpy(files[0].dtype.newbyteorder("="))
    if dtype is None:
        dtype = tensor(numpy.empty(0, files[0].dtype)).dtype  # its error says which dtypes there are
    type_ = tensor_type(dtype, where)
    with in_chunks(chunks):
        array = joined(files) if type_.backend is None else type_.backend.from_files(files)
    return new_tensor(array, type_)


def save(tensor: Tensor, path: Path) -> None:
    """Write a tensor to a file, never more of it in memory than there is already."""
    array, backend = tensor._array, tensor._type.backend
    shape, dtype = tuple(array.shape), tensor._type.dtype.numpy
    sizes = None if backend is None else backend.chunk_sizes(array)
    zarr = path.suffix.lower() == ".zarr"
    try:
        with zarr_target(path, shape, dtype, sizes) if zarr else npy_target(path, shape, dtype) as put:
            if backend is None:
                put(tuple([slice(0, size) for size in shape]), array)
            else:
                backend.each_part(array, put, sizes if zarr else None)
    except Missing as error:
        raise NotAvailableError(str(error), hint=error.hint) from None
