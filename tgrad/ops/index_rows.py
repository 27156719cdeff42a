"""The files of rows -> `row_index.py`: which names each file has.

python -m tgrad.ops.index_rows        writes the index anew, after rows were added, renamed or moved
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tgrad.ops import table
from tgrad.ops.rows import Head, Table, head_of

FILES: Final = (
    "combined", "comparison", "contraction", "convert", "copies", "create", "distance", "einsum",
    "elementwise", "extremes", "fft", "filling", "finite_differences", "histograms", "index",
    "index_reduce", "joining", "layout", "linalg", "linalg_cholesky", "linalg_decompositions",
    "linalg_eigen", "linalg_inverse", "linalg_ldl", "linalg_lstsq", "linalg_lu", "linalg_norms",
    "linalg_removed", "linalg_solve", "linalg_svd", "linalg_tensors", "masking", "matmul", "memory",
    "nn_activation", "nn_activation_functions", "nn_attention", "nn_bags", "nn_base", "nn_blocks",
    "nn_convolution", "nn_ctc", "nn_dropout", "nn_grid", "nn_heads", "nn_layers", "nn_loss",
    "nn_loss_binary", "nn_loss_classes", "nn_loss_linear", "nn_loss_margin", "nn_loss_more",
    "nn_normalization", "nn_padding", "nn_pooling", "nn_pooling_adaptive", "nn_pooling_inverse",
    "nn_resize", "nn_rrelu", "nn_shuffle", "nn_softmax", "nn_standard", "nn_torch", "picking", "pointwise",
    "powers", "progressions", "random", "random_fill", "rearrange", "reduce", "rounding", "scan",
    "scattering", "segments", "sets", "shape", "sorting", "special", "spectrogram", "splitting",
    "statistics", "strided", "tensor_index", "variance", "windows",
)  # fmt: skip
"""The files of rows.  Calls are matched to overloads in the order of the files and of the rows in them."""

WRITTEN: Final = Path(__file__).with_name("row_index.py")

_TOP: Final = '''\
"""Which rows each file has, and the other names that it gives: made by `python -m tgrad.ops.index_rows`.

A row is (name, module, flags, symbol, aliases, fields): see `tgrad.ops.rows.Head`.
"""
# ruff: noqa: E501
# fmt: off
'''


class _Noting(Table):
    """A table that notes in which file each row is written, whichever file makes that one be read."""

    found: dict[str, Head]

    def __setitem__(self, name: str, op: table.Op) -> None:
        frame: Any = sys._getframe(1)
        while frame.f_code.co_name != "<module>":
            frame = frame.f_back
        if name in self.found:
            raise TypeError(f"{name}: a second row")
        self.found[name] = head_of(op, frame.f_globals["__name__"].rpartition(".")[2])
        super().__setitem__(name, op)


def read_all() -> tuple[list[Head], dict[str, Any]]:
    """The heads of all rows, and the modules; for a process in which no row has been read yet.

    Raises:
        TypeError: there are two rows of one name.
    """
    assert not dict.__len__(table.TABLE)
    table.TABLE.__class__ = _Noting
    table.TABLE.found = {}  # type: ignore[attr-defined]
    modules = {name: import_module(f"tgrad.ops.{name}") for name in FILES}
    found: dict[str, Head] = table.TABLE.found  # type: ignore[attr-defined]
    return sorted(found.values(), key=lambda head: FILES.index(head.file)), modules


def text() -> str:
    """The text of the index."""
    heads, modules = read_all()
    lines = [_TOP, "ROWS = {"]
    for file in FILES:
        rows = [(h.name, *h[3:]) for h in heads if h.file == file]
        lines += [f"    {file!r}: (", *(f"        {row!r}," for row in rows), "    ),"]
    lines.append("}")
    for title in ("FUNCTIONS", "ATTRIBUTES"):
        names = {file: tuple(getattr(module, title, ())) for file, module in modules.items()}
        lines += [f"{title} = {{", *(f"    {f!r}: {n!r}," for f, n in names.items() if n), "}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    made = text()
    WRITTEN.write_text(made, "utf-8")
    print(f"{WRITTEN.name}: {made.count('(')} entries")
