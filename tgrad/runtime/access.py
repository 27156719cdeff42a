"""Which files a program may touch, and reading and writing them.

A program has no file access but through `read`, `load` and `save`, and these touch only what
`Access` lists: by default nothing.  No format that can carry code is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from tgrad.errors import AccessDenied, ArgumentValueError

if TYPE_CHECKING:
    from pathlib import Path


class Access(NamedTuple):
    """The files and folders (with all in them) that a program may read, and may write."""

    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()

    def readable(self, path: object) -> Path:
        """`path` with symbolic links resolved.

        Raises AccessDenied if the program may not read it.
        """
        return _allowed(path, self.read, "read", "--allow-read")

    def writable(self, path: object) -> Path:
        """`path` with symbolic links resolved.

        Raises AccessDenied if the program may not write it.
        """
        return _allowed(path, self.write, "write", "--allow-write")


NO_ACCESS = Access()


def _allowed(path: object, roots: tuple[Path, ...], verb: str, option: str) -> Path:
    if not isinstance(path, str):
        raise TypeError(f"a path must be a str, not {type(path).__name__}")
    if "\0" in path:
        raise ArgumentValueError("a path may not contain a null character")
    from pathlib import Path

    real = Path(os.path.realpath(path))
    for root in roots:
        if real.is_relative_to(os.path.realpath(root)):
            return real
    raise AccessDenied(
        f"this program may not {verb} '{path}'", hint=f"allow it with `{option} {path}`"
    )


def file_builtins(access: Access, tensor: Callable[[Any, Any], Any]) -> dict[str, Any]:
    """`read`, `load` and `save` held to `access`; `tensor` makes tensors of arrays."""

    def read(path: str) -> str:
        """The text of a UTF-8 file."""
        return access.readable(path).read_text("utf-8")

    def load(path: str, *, device: Any = None, chunks: Any = None) -> Any:
        """The content of a data file, by its suffix.

        .npy, .zarr: a tensor; .npz: a dict of tensors; .csv and .tsv: a tensor of the numbers, without a
        first line that holds none; .json: lists, dicts, numbers and text; .txt: text.  "data/*.npy" is one
        tensor of all these files, in the order of their names, joined along the first dimension.

        Tensors are made on `device`.  On "dask" .npy and .zarr are read when values are computed, a
        chunk at a time: `chunks=100_000` says how long, `chunks=(100_000, -1)` for each dimension.
        """
        return _load(_matching(path, access), lambda array: tensor(array, device), device, chunks)

    def save(value: Any, path: str) -> None:
        """Write a tensor or an array to .npy, .zarr or .csv, a dict of them to .npz, data to .json.

        Tensors on "dask" are computed and written to .npy and .zarr a chunk at a time.
        """
        _save(value, access.writable(path))

    return {"read": read, "load": load, "save": save}


def _matching(path: str, access: Access) -> list[Path]:
    """The files that a path with `*`, `?` or `[` stands for, by their names; else the one of this name.

    Raises FileNotFoundError where there are none.
    """
    found = access.readable(path)
    if os.path.exists(path) or not any(sign in path for sign in "*?["):
        return [found]
    from glob import glob

    matches = [access.readable(match) for match in sorted(glob(path))]
    if not matches:
        raise FileNotFoundError(f"no file matches '{path}'")
    suffixes = {match.suffix.lower() for match in matches}
    if suffixes not in ({".npy"}, {".zarr"}):
        raise ArgumentValueError(
            f"'{path}' matches {', '.join(sorted(suffixes))}: only .npy files are loaded together, or .zarr"
        )
    return matches


def _load(paths: list[Path], tensor: Callable[[Any], Any], device: Any, chunks: Any) -> Any:
    path = paths[0]
    suffix = path.suffix.lower()
    if suffix == ".zarr" or (suffix == ".npy" and (len(paths) > 1 or _is_foreign(device))):
        from tgrad.ops import chunked

        return chunked.load(paths, device, chunks)
    if suffix == ".txt":
        return path.read_text("utf-8")
    if suffix == ".json":
        import json

        return json.loads(path.read_text("utf-8"))
    if suffix in (".csv", ".tsv"):
        return tensor(_table(path.read_text("utf-8"), "," if suffix == ".csv" else "\t"))
    if suffix in (".npy", ".npz"):
        import numpy

        # Pickled data could run code when it is read.
        found = numpy.load(path, allow_pickle=False)
        if suffix == ".npy":
            return tensor(found)
        with found:
            return {name: tensor(found[name]) for name in found.files}
    raise _unknown_format(path)


def _table(text: str, delimiter: str) -> Any:
    import numpy

    rows = [line.split(delimiter) for line in text.splitlines() if line.strip()]
    if rows and not any(_is_number(cell) for cell in rows[0]):
        del rows[0]
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        raise ArgumentValueError("the rows of the table differ in length")
    return numpy.array([[float(cell) for cell in row] for row in rows], numpy.float32)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _array(value: Any) -> Any:
    """A tensor's or an array's numbers, detached from its graph."""
    import numpy

    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    array = numpy.asarray(value)
    if array.dtype.hasobject:
        raise ArgumentValueError("only numbers can be saved in this format")
    return array


def _is_foreign(device: Any) -> bool:
    """Whether tensors on a device aren't NumPy's arrays; None is where tensors are made."""
    from tgrad.core.modes import state

    return str(state.device if device is None else device) != "cpu"


def _save(value: Any, path: Path) -> None:
    suffix = path.suffix.lower()
    if suffix == ".zarr" or (suffix == ".npy" and hasattr(value, "detach") and _is_foreign(value.device)):
        from tgrad.ops import chunked
        from tgrad.ops.factory import as_tensor

        chunked.save(value.detach() if hasattr(value, "detach") else as_tensor(_array(value)), path)
    elif suffix == ".txt":
        path.write_text(str(value), "utf-8")
    elif suffix == ".json":
        import json

        path.write_text(json.dumps(value, default=lambda item: _array(item).tolist()), "utf-8")
    elif suffix == ".csv":
        rows = _array(value)
        if rows.ndim > 2:
            raise ArgumentValueError("a table has at most 2 dimensions")
        lines = (",".join(repr(item) for item in row) for row in _rows(rows))
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    elif suffix == ".npy":
        import numpy

        numpy.save(path, _array(value), allow_pickle=False)
    elif suffix == ".npz":
        import numpy

        arrays = {str(name): _array(item) for name, item in dict(value).items()}
        numpy.savez(path, **arrays)
    else:
        raise _unknown_format(path)


def _rows(array: Any) -> list[list[Any]]:
    nested: list[list[Any]] = array.reshape(-1, array.shape[-1] if array.ndim == 2 else 1).tolist()
    return nested


def _unknown_format(path: Path) -> ArgumentValueError:
    return ArgumentValueError(
        f"unknown format '{path.suffix}'; use .npy, .npz, .zarr, .csv, .json or .txt"
        if path.suffix != ".pt"
        else "a .pt file can hold code and isn't read or written; use .npy or .npz"
    )
