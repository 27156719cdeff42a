"""How arrays that are made now are cut, where a library keeps them in chunks: `chunks=`.

The word is the same for all devices, so that a program can go from one to another; those that keep an
array in one piece pay no attention to it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Wanted(threading.local):
    chunks: Any = None


_wanted = _Wanted()


def wanted() -> Any:
    """What `chunks=` says for arrays that are made now: Dask's own words; "auto" where it says nothing."""
    return "auto" if _wanted.chunks is None else _wanted.chunks


@contextmanager
def in_chunks(chunks: Any) -> Iterator[None]:
    """Inside, arrays are made in these chunks; None changes nothing."""
    before = _wanted.chunks
    _wanted.chunks = before if chunks is None else chunks
    try:
        yield
    finally:
        _wanted.chunks = before
