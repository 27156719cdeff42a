"""`o` in formulas where gradients are batches: Note [Rows as they would be] in tgrad.core.batch."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from types import SimpleNamespace
from typing import Any, Final

from tgrad.core.batch import Batch, NotBatched, apply, check_size, row_of, stacked
from tgrad.core.engine import Spaces
from tgrad.ops.table import TABLE, Op

MOVING: Final = frozenset((
    "_select", "alias", "diagonal", "diagonal_backward", "expand", "flip", "permute", "reshape_alias",
    "select", "select_backward", "slice", "slice_backward", "squeeze_dim", "squeeze_dims", "transpose",
    "unbind", "unsafe_view", "unsqueeze", "view", "zero_gradient", "zeros_like",
))  # fmt: skip
"""Rows, by their keys, that move the elements of one array: with another dimension in front, they do the
same for each row of a batch."""

_DIMENSIONS: Final = frozenset(("dim", "dim0", "dim1", "dim2", "dims"))
_SIZES: Final = frozenset(("input_sizes", "shape", "size"))


class BatchSpace:
    """Each row's forward, for batches, arrays and numbers."""

    records: Final = False

    def __init__(self) -> None:
        self.xp = SimpleNamespace(derivatives=_derivatives)

    def __getattr__(self, key: str) -> Any:
        op = TABLE.of_key(key)
        if op is None:
            raise AttributeError(key)
        if op.family == "composite":
            function = _with_space(op, self)
        elif key in MOVING:
            function = _moving(op)
        else:
            function = _by_elements(op) if op.elementwise else _by_rows(getattr(Spaces.raw, key))
        setattr(self, key, function)
        return function

    def conj(self, value: Any) -> Any:
        """The complex conjugate; a real batch itself."""
        if type(value) is not Batch:
            return Spaces.raw.conj(value)
        return apply(Spaces.raw.xp.conjugate, value) if value.dtype.kind == "c" else value

    def real(self, value: Any) -> Any:
        """The real parts."""
        return Batch(value.rows.real) if type(value) is Batch else value.real

    def is_complex_value(self, value: Any) -> bool:
        """Whether an array or a batch has complex elements."""
        return bool(value.dtype.kind == "c")

    def typed_as(self, value: Any, other: Any) -> Any:
        """The value itself: all are of one dtype already."""
        return value

    def to_type(self, value: Any, type_: Any) -> Any:
        """A batch in the dtype of a tensor type."""
        return apply(Spaces.raw.to_type, value, type_)

    def everywhere(self, value: Any, shape: tuple[int, ...]) -> Any:
        """One element for each place of an array."""
        return self.expand(value, shape)

    def reshape(self, value: Any, shape: tuple[int, ...]) -> Any:
        """The same elements with another shape."""
        if type(value) is not Batch:
            return value.reshape(shape)
        return Batch(value.rows.reshape(len(value.rows), *shape))


def _derivatives(formulas: Callable[..., Any], *args: Any) -> Any:
    """The formulas for rows that are large: there are few, and no blocks of them."""
    return formulas(*args)


def _with_space(op: Op, space: BatchSpace) -> Callable[..., Any]:
    def function(*args: Any, **keywords: Any) -> Any:
        return op.forward(space, *args, **keywords)

    return function


def _by_elements(op: Op) -> Callable[..., Any]:
    """The function of a row that works on each element by itself."""
    forward, xp = op.forward, Spaces.raw.xp

    def function(*args: Any, **keywords: Any) -> Any:
        if not _any_batch(args):
            return forward(xp, *args, **keywords)
        return apply(lambda *arrays: forward(xp, *arrays, **keywords), *args)

    return function


def _by_rows(raw: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is called for each row of its batches."""

    def function(*args: Any, **keywords: Any) -> Any:
        count = next((len(a.rows) for a in args if type(a) is Batch), None)
        if count is None:
            if _any_batch((*args, *keywords.values())):
                raise NotBatched
            return raw(*args, **keywords)
        found = [raw(*row_of(args, row), **keywords) for row in range(count)]
        if type(found[0]) is tuple:
            raise NotBatched
        return stacked(tuple(found))

    return function


def _any_batch(values: tuple[Any, ...]) -> bool:
    return any(type(v) is Batch or (type(v) is tuple and _any_batch(v)) for v in values)


def _moving(op: Op) -> Callable[..., Any]:
    """A row that moves elements, with its dimensions counted from the second one."""
    forward, xp, others = op.forward, Spaces.raw.xp, op.parameters[1:]
    more = op.key == "unsqueeze"

    def function(input: Any, *args: Any, **keywords: Any) -> Any:
        if type(input) is not Batch:
            return forward(xp, input, *args, **keywords)
        given = {p.name: p.default for p in others if not p.required}
        given.update(zip([p.name for p in others], args, strict=False), **keywords)
        rows, ndim = input.rows, len(given.get("input_sizes", input.shape)) + more
        if op.key == "expand":
            rows = rows.reshape(len(rows), *(1,) * (len(given["size"]) - ndim), *input.shape)
        for name, value in given.items():
            if name in _DIMENSIONS:
                given[name] = _shifted(value, ndim, op.key == "permute")
            elif name in _SIZES:
                if name == "input_sizes":
                    check_size(input, prod(value))
                given[name] = (len(rows), *value)
        made = forward(xp, rows, **given)
        return tuple(map(Batch, made)) if type(made) is tuple else Batch(made)

    return function


def _shifted(dims: Any, ndim: int, all_of_them: bool) -> Any:
    """Dimensions of rows as those of the batch."""
    if type(dims) is int:
        return dims % ndim + 1
    shifted = tuple([dim % ndim + 1 for dim in dims])
    return (0, *shifted) if all_of_them else shifted
