"""The device `dask`: arrays larger than memory, by Dask.  Nothing of Dask's is imported before `open`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tgrad.backends.interface import imported

if TYPE_CHECKING:
    from tgrad.backends.dask_backend import DaskBackend


def open() -> DaskBackend:
    """The device; Missing without Dask."""
    imported("dask", "device 'dask' needs Dask", "Dask", "dask")
    from tgrad.backends.dask_backend import DaskBackend

    return DaskBackend()
