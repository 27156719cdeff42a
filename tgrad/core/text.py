"""The text of a tensor: what PyTorch 2.13 prints, to the character.

Pure functions of an array and of what stands beside the values (dtype, device, gradient).  Only
methods of the array are used, so that this module imports no array library.

The way from array to text:

1. A tensor with more elements than `threshold` is cut down to its edges (`_edges`), so the cost
   doesn't depend on its size.
2. One notation is chosen for all elements shown: whole, fixed or scientific (`_float_cells`).
3. The cells are put into rows of nested brackets, wrapped at `linewidth` (`_Layout`).
4. The suffixes follow, each on the last line where it fits, else on a line of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite
from typing import TYPE_CHECKING, Any

from tgrad.core.print_options import (
    PrintOptions,
    current_printoptions,
    get_printoptions,
    printoptions,
    set_printoptions,
)
from tgrad.errors import ShapeError

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "PrintOptions",
    "current_printoptions",
    "get_printoptions",
    "named_tuple_text",
    "printoptions",
    "set_printoptions",
    "size_text",
    "tensor_text",
]

_OPENING = "tensor("

# Scientific notation is chosen outside of these limits on the absolute values.
_LARGEST_RATIO = 1000.0
_LARGEST = 1e8
_SMALLEST = 1e-4


def tensor_text(
    array: np.ndarray[Any, Any],
    *,
    dtype: str,
    default_dtype: str = "torch.float32",
    device: str | None = None,
    requires_grad: bool = False,
    grad_fn: str | None = None,
    options: PrintOptions | None = None,
    indent: int = 0,
) -> str:
    """The text that `print` shows for a tensor, such as `tensor([1., 2.], requires_grad=True)`.

    array: the values; any shape and strides, boolean, integer, floating or complex.  An array of a
        wider type than `dtype` says is fine, e.g. float32 values of a `torch.bfloat16` tensor.
    dtype: PyTorch's name of the tensor's dtype; it is shown where it can't be told from the values.
    default_dtype: PyTorch's name of the current default dtype.
    device: shown when given; leave it out for a tensor on the default device.
    grad_fn: the name of the graph node, such as "AddBackward0"; hides `requires_grad`.
    options: in place of those set by `set_printoptions`.
    indent: columns that something else takes up on the first line; the other lines are moved right
        by as much.
    """
    options = current_printoptions() if options is None else options
    inside = indent + len(_OPENING)
    suffixes = []
    if device is not None:
        suffixes.append(f"device='{device}'")
    if _shows_size(array, options):
        suffixes.append(f"size={array.shape}")
    if _shows_dtype(dtype, default_dtype, empty=array.size == 0):
        suffixes.append(f"dtype={dtype}")
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    return _with_suffixes(
        _OPENING + _values_text(array, options, inside), suffixes, options, inside
    )


def size_text(shape: Sequence[int]) -> str:
    """The text of a shape, such as `torch.Size([2, 3])`."""
    return f"torch.Size([{', '.join(map(str, shape))}])"


def named_tuple_text(type_name: str, fields: Sequence[tuple[str, str]]) -> str:
    """The text of a result with named parts, e.g. of `max` along a dimension.

    `type_name` is the whole name (`torch.return_types.max`), `fields` are pairs of a name and the
    text of its value.  Each field begins a line; the lines of a longer text aren't moved.
    """
    body = ",\n".join(f"{name}={text}" for name, text in fields)
    return f"{type_name}(\n{body})"


# ---- suffixes


def _shows_size(array: np.ndarray[Any, Any], options: PrintOptions) -> bool:
    if array.size == 0:
        return array.ndim != 1  # `tensor([])` says by itself that its size is (0,)
    return not options.edgeitems  # without edges a summary shows no element at all


def _shows_dtype(dtype: str, default_dtype: str, *, empty: bool) -> bool:
    if dtype == default_dtype:
        return False
    if empty:
        return True
    default_complex = "torch.complex128" if default_dtype == "torch.float64" else "torch.complex64"
    return dtype not in (default_complex, "torch.int64", "torch.bool")


def _with_suffixes(text: str, suffixes: Sequence[str], options: PrintOptions, indent: int) -> str:
    # PyTorch counts two columns more than the last line has; where lines break follows from it.
    last_line = len(text) - text.rfind("\n") + 1
    if "\n" not in text:
        last_line += indent - len(_OPENING)
    parts = [text]
    for suffix in suffixes:
        if last_line + len(suffix) + 2 > options.linewidth:
            parts.append(",\n" + " " * indent + suffix)
            last_line = indent + len(suffix)
        else:
            parts.append(", " + suffix)
            last_line += len(suffix) + 2
    parts.append(")")
    return "".join(parts)


# ---- values


def _values_text(array: np.ndarray[Any, Any], options: PrintOptions, indent: int) -> str:
    if array.size == 0:
        return "[]"
    gaps: list[int | None] = [None] * array.ndim
    if array.size > options.threshold and array.ndim:
        if not options.edgeitems:
            return "[...]"
        array, gaps = _edges(array, options.edgeitems)
    cells, width = _cells(array, options)
    if array.ndim == 0:
        return cells[0]
    inner = indent + array.ndim - 1  # the column of the innermost brackets
    per_line = max(1, floor((options.linewidth - inner) / (width + 2)))
    return _Layout(cells, array.shape, gaps, per_line).block(0, 0, indent)


def _edges(
    array: np.ndarray[Any, Any], edgeitems: int
) -> tuple[np.ndarray[Any, Any], list[int | None]]:
    """The elements that a summary shows, and for each dimension how many stand before its gap."""
    if edgeitems < 0 and array.ndim > 1:
        # A negative number means nothing; PyTorch fails in this way.
        raise ShapeError("stack expects a non-empty TensorList")
    index: list[Any] = []
    gaps: list[int | None] = []
    for axis, size in enumerate(array.shape):
        everything = range(size)
        gap = None
        if size > 2 * edgeitems:
            head = everything[:edgeitems]
            gap = len(head)
            places: list[Any] = [*head, *everything[-edgeitems:]]
        else:
            places = list(everything)
        for _ in range(array.ndim - 1 - axis):
            places = [[place] for place in places]  # an open mesh: one axis for each dimension
        index.append(places)
        gaps.append(gap)
    return array[tuple(index)], gaps


def _cells(array: np.ndarray[Any, Any], options: PrintOptions) -> tuple[list[str], int]:
    """The text of each element in row-major order, padded, and the width to reckon with."""
    kind = array.dtype.kind
    if kind == "V":  # a floating type that NumPy doesn't know itself, such as bfloat16
        array = array.astype("float64")
        kind = "f"
    values = array.reshape(-1).tolist()
    if kind == "c":
        return _complex_cells(values, options)
    if kind == "f":
        cells, width = _float_cells(values, options)
    else:
        cells = [str(value) for value in values]
        width = max(map(len, cells))
    return [cell.rjust(width) for cell in cells], width


def _complex_cells(values: list[complex], options: PrintOptions) -> tuple[list[str], int]:
    # Each part has its own notation; only the real part is padded.
    real, real_width = _float_cells([value.real for value in values], options)
    imag, imag_width = _float_cells([value.imag for value in values], options)
    cells = [
        f"{a.rjust(real_width)}{'' if b[0] == '-' else '+'}{b}j"
        for a, b in zip(real, imag, strict=True)
    ]
    return cells, real_width + imag_width + 1


def _float_cells(values: list[float], options: PrintOptions) -> tuple[list[str], int]:
    """The text of each number, not padded, and the width of the widest.

    Zeros, infinities and NaNs have no say in the notation and none in the width, even where they
    are wider than it.
    """
    telling = [value for value in values if value and isfinite(value)]
    if not telling:
        return [_whole(value) for value in values], 1
    if _is_scientific(telling, options):
        cells = list(map(f"{{:.{options.precision}e}}".format, values))
    elif all(map(float.is_integer, telling)):
        cells = [_whole(value) for value in values]
    else:
        cells = list(map(f"{{:.{options.precision}f}}".format, values))
    if len(telling) == len(values):
        return cells, max(map(len, cells))
    width = max(
        len(cell) for cell, value in zip(cells, values, strict=True) if value and isfinite(value)
    )
    return cells, width


def _is_scientific(telling: list[float], options: PrintOptions) -> bool:
    if options.sci_mode is not None:
        return options.sci_mode
    sizes = [abs(value) for value in telling]
    largest, smallest = max(sizes), min(sizes)
    return largest / smallest > _LARGEST_RATIO or largest > _LARGEST or smallest < _SMALLEST


def _whole(value: float) -> str:
    return f"{value:.0f}." if isfinite(value) else f"{value:.0f}"


class _Layout:
    """Cells in nested brackets."""

    __slots__ = ("_cells", "_gaps", "_per_line", "_shape", "_steps")

    def __init__(
        self, cells: list[str], shape: tuple[int, ...], gaps: list[int | None], per_line: int
    ) -> None:
        self._cells = cells
        self._shape = shape
        self._gaps = gaps
        self._per_line = per_line
        steps = [1]
        for size in shape[:0:-1]:
            steps.append(steps[-1] * size)
        self._steps = steps[::-1]

    def block(self, axis: int, start: int, indent: int) -> str:
        """The text of the part from dimension `axis` on whose first cell is number `start`."""
        depth = len(self._shape) - axis
        if depth == 1:
            return self._row(start, indent)
        step = self._steps[axis]
        parts = [
            self.block(axis + 1, start + i * step, indent + 1) for i in range(self._shape[axis])
        ]
        gap = self._gaps[axis]
        if gap is not None:
            parts.insert(gap, "...")
        between = "," + "\n" * (depth - 1) + " " * (indent + 1)
        return f"[{between.join(parts)}]"

    def _row(self, start: int, indent: int) -> str:
        row = self._cells[start : start + self._shape[-1]]
        gap = self._gaps[-1]
        if gap is not None:
            row.insert(gap, " ...")
        per_line = self._per_line
        lines = [", ".join(row[i : i + per_line]) for i in range(0, len(row), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
