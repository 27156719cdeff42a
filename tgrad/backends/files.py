"""Arrays in files of which parts are read and written: .npy, .zarr."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy

from tgrad.backends.interface import Missing
from tgrad.errors import ArgumentValueError

Array = Any
Place = tuple[slice, ...]


class Stored:
    """An array in a file; small, and known by what it is, so that it can be sent to where it is read."""

    shape: tuple[int, ...]
    dtype: Any
    chunks: tuple[int, ...] | None = None
    """The sizes in which the file itself is cut."""

    def __init__(self, path: Path) -> None:
        self.path = path
        found = os.stat(path)
        self.version = found.st_mtime_ns, found.st_size, found.st_ino
        """Another one when the file has been written to since."""

    def read(self, place: Place) -> Array:
        """The elements in a place, read from the file now; not to be written to."""
        raise NotImplementedError

    def whole(self) -> Array:
        """All elements."""
        return self.read(tuple(slice(0, size) for size in self.shape))


class Npy(Stored):
    """A .npy file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with open(path, "rb") as file:
            version = numpy.lib.format.read_magic(file)
            if version == (1, 0):
                found = numpy.lib.format.read_array_header_1_0(file)
            else:
                found = numpy.lib.format.read_array_header_2_0(file)
            self.shape, self.by_column, self.dtype = found
            self.offset = file.tell()
        if self.dtype.hasobject:  # pickled data could run code when it is read
            raise ArgumentValueError("Object arrays cannot be loaded when allow_pickle=False")
        expected = self.offset + self.dtype.itemsize * int(numpy.prod(self.shape, dtype=object))
        if self.version[1] < expected:
            raise ArgumentValueError(f"{path.name} ends before its array does: {self.version[1]} bytes")

    def read(self, place: Place) -> Array:
        """A part, in memory that is mapped to the file."""
        if self.by_column:
            return self._rows(self.shape[::-1], place[::-1]).transpose()
        return self._rows(self.shape, place)

    def _rows(self, shape: tuple[int, ...], place: Place) -> Array:
        """A part of rows that lie one after the other; no more than these is mapped."""
        if not shape or 0 in [part.stop - part.start for part in place]:
            return numpy.fromfile(self.path, self.dtype, int(not shape), offset=self.offset).reshape(
                [part.stop - part.start for part in place]
            )
        first, *rest = place
        row = self.dtype.itemsize * int(numpy.prod(shape[1:], dtype=object))
        part = (first.stop - first.start, *shape[1:])
        rows = numpy.memmap(self.path, self.dtype, "r", self.offset + first.start * row, part)
        return numpy.asarray(rows)[(slice(None), *rest)]


class Zarr(Stored):
    """A folder in Zarr's format, with one array."""

    def __init__(self, path: Path) -> None:
        _check_codecs(path)
        super().__init__(path)
        opened = _opened(str(path), self.version)
        self.shape, self.dtype, self.chunks = tuple(opened.shape), opened.dtype, tuple(opened.chunks)

    def read(self, place: Place) -> Array:
        """A part, which is decoded."""
        return numpy.asarray(_opened(str(self.path), self.version)[place])


@lru_cache(maxsize=256)
def _opened(path: str, version: Any) -> Any:
    return zarr().open_array(path, mode="r")


def zarr() -> Any:
    """The library; Missing where it isn't installed."""
    try:
        import zarr
    except ImportError:
        raise Missing(".zarr needs zarr, which isn't installed", hint="pip install 'tgrad[dask]'") from None
    return zarr


_CODECS = frozenset(
    ("bytes", "endian", "transpose", "crc32c", "sharding_indexed", "gzip", "zlib", "zstd", "blosc", "lz4",
     "lzma", "bz2", "shuffle", "delta")
)  # fmt: skip
"""Codecs that do nothing but decode; others, such as pickle, could run code."""


def _check_codecs(path: Path) -> None:
    """Refuse a folder that isn't an array of Zarr's, or whose elements are coded in another way."""
    for name, keys in (("zarr.json", ("codecs",)), (".zarray", ("filters", "compressor"))):
        file = path / name
        if not file.is_file():
            continue
        described = json.loads(file.read_text("utf-8"))
        if name == "zarr.json" and described.get("node_type") != "array":
            raise ArgumentValueError(f"{path.name} is a group of arrays: load one of those in it")
        for key in keys:
            for codec in _codecs(described.get(key)):
                if codec.removeprefix("numcodecs.") not in _CODECS:
                    raise ArgumentValueError(f"{path.name} is coded by {codec!r}, which isn't read")
        return
    if not path.exists():
        raise FileNotFoundError(2, "No such file or directory", str(path))
    raise ArgumentValueError(f"{path.name} isn't an array in Zarr's format")


def _codecs(described: Any) -> Iterator[str]:
    """The names of codecs, also of those within others."""
    if isinstance(described, list):
        for part in described:
            yield from _codecs(part)
    elif isinstance(described, dict):
        name = described.get("name", described.get("id"))
        if name is not None:
            yield str(name)
        settings = described.get("configuration") or {}
        for key in ("codecs", "index_codecs"):
            yield from _codecs(settings.get(key))


def together(files: Sequence[Stored]) -> None:
    """Check that files can be joined along their first dimension."""
    first = files[0]
    for other in files:
        if other.dtype != first.dtype:
            raise ArgumentValueError(
                f"{other.path.name} holds {other.dtype}, {first.path.name} {first.dtype}: files that are "
                "loaded together must be of one dtype"
            )
        if other.shape[1:] != first.shape[1:] or (len(files) > 1 and not other.shape):
            raise ArgumentValueError(
                f"{other.path.name} has the shape {other.shape}, {first.path.name} {first.shape}: files that "
                "are loaded together are joined along the first dimension, the others must agree"
            )


def joined(files: Sequence[Stored]) -> Array:
    """Their elements in one array, in memory."""
    if len(files) == 1:
        return numpy.array(files[0].whole())
    return numpy.concatenate([file.whole() for file in files])


# ---------------------------------------------------------------- writing

Put = Callable[[Place, Array], None]
"""Writes the elements of a place."""


@contextmanager
def npy_target(path: Path, shape: tuple[int, ...], dtype: Any) -> Iterator[Put]:
    """A .npy file that is written part by part; it is there under its name when all of it is."""
    fresh = path.with_name(f".{path.name}.new")
    row = dtype.itemsize * int(numpy.prod(shape[1:], dtype=object))
    try:
        with open(fresh, "wb") as file:
            description = {
                "descr": numpy.lib.format.dtype_to_descr(dtype),
                "fortran_order": False,
                "shape": shape,
            }
            numpy.lib.format.write_array_header_1_0(file, description)
            offset = file.tell()
            file.truncate(offset + row * (shape[0] if shape else 1))

        def put(place: Place, values: Array) -> None:
            if 0 in values.shape:
                return
            start = offset + row * (place[0].start if place else 0)
            if values.shape[1:] == shape[1:]:
                with open(fresh, "r+b") as file:
                    file.seek(start)
                    file.write(numpy.ascontiguousarray(values).data if values.ndim else values.tobytes())
                return
            rows = numpy.memmap(fresh, dtype, "r+", start, (values.shape[0], *shape[1:]))
            rows[(slice(None), *place[1:])] = values
            rows.flush()

        yield put
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def zarr_target(
    path: Path, shape: tuple[int, ...], dtype: Any, chunks: tuple[int, ...] | None
) -> Iterator[Put]:
    """The same for a folder in Zarr's format, cut into chunks of these sizes."""
    if path.exists() and not any((path / name).is_file() for name in ("zarr.json", ".zarray")):
        raise ArgumentValueError(f"{path.name} is there, and isn't an array in Zarr's format")
    fresh = path.with_name(f".{path.name}.new")
    rmtree(fresh, ignore_errors=True)
    try:
        target = zarr().create_array(str(fresh), shape=shape, dtype=dtype, chunks=chunks or "auto")

        def put(place: Place, values: Array) -> None:
            target[place or ...] = values

        yield put
        if path.exists():
            rmtree(path)
        os.replace(fresh, path)
    finally:
        rmtree(fresh, ignore_errors=True)
