"""Rows that give the elements of lazy arrays in other shapes and places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import dask.array
import numpy

from tgrad.backends import numpy_
from tgrad.backends.dask_arrays import Lazy, refused
from tgrad.backends.dask_blocks import Row, sample, tiny
from tgrad.backends.dask_names import full, value_of
from tgrad.backends.dask_views import Diagonal
from tgrad.errors import DimensionError


def _cat(op: Any, tensors: Sequence[Lazy], dim: int = 0) -> Lazy:
    kept = [x.graph for x in tensors if x.shape != (0,)]
    return Lazy(dask.array.concatenate(kept, dim)) if kept else tensors[0].copy()


def _stack(op: Any, tensors: Sequence[Lazy], dim: int = 0) -> Lazy:
    op.forward(numpy_, [tiny(x) for x in tensors], dim)
    if not tensors[0].ndim:
        return Lazy(dask.array.concatenate([x.reshape(1).graph for x in tensors]))
    return Lazy(dask.array.stack([x.graph for x in tensors], dim % (tensors[0].ndim + 1)))


def _triangle(name: str) -> Row:
    def row(op: Any, input: Lazy, diagonal: int = 0) -> Lazy:
        sample(op, (input, diagonal), {})
        return Lazy(getattr(dask.array, name)(input.graph, diagonal))

    return row


def _flip(op: Any, input: Lazy, dims: Any) -> Lazy:
    sample(op, (input, dims), {})
    dims = dims if isinstance(dims, tuple) else (dims,)
    return (
        Lazy(dask.array.flip(input.graph, tuple(d % input.ndim for d in dims)))
        if input.ndim
        else input.copy()
    )


def _repeat(op: Any, input: Lazy, repeats: Any) -> Lazy:
    found = sample(op, (input, repeats), {})
    graph = input.graph.reshape((1,) * (found.ndim - input.ndim) + input.shape)
    return Lazy(dask.array.tile(graph, repeats))


def _put(place: Callable[..., Any]) -> Row:
    """Zeros with an array at a place: the derivative of a piece."""

    def row(op: Any, input: Lazy, input_sizes: Sequence[int], *where: Any) -> Lazy:
        result = full(tuple(input_sizes), 0, input.dtype)
        if input.size:
            place(result, *where).write(input)
        return result

    return row


def _slice_back(
    op: Any, input: Lazy, sizes: Sequence[int], dim: int, start: Any, end: Any, step: int
) -> Lazy:
    if step != 1 or not input.size:
        place: Row = _put(lambda result, dim, start, end, step: _at(result, dim, slice(start, end, step)))
        return place(op, input, sizes, dim, start, end, step)  # type: ignore[no-any-return]
    dim %= len(sizes)
    first, last, _ = slice(start, end).indices(sizes[dim])
    return _between_zeros(input, dim, first, sizes[dim] - last)


def _select_back(op: Any, input: Lazy, sizes: Sequence[int], dim: int, index: int) -> Lazy:
    if not input.size:
        return full(tuple(sizes), 0, input.dtype)
    dim %= len(sizes)
    index %= sizes[dim]
    one = input.reshape([*sizes[:dim], 1, *sizes[dim + 1 :]])
    return _between_zeros(one, dim, index, sizes[dim] - index - 1)


def _between_zeros(input: Lazy, dim: int, before: int, after: int) -> Lazy:
    graph = input.graph
    parts = [graph]
    for at, count in ((0, before), (len(parts) + 1, after)):
        if count:
            shape = (*input.shape[:dim], count, *input.shape[dim + 1 :])
            chunks = (*graph.chunks[:dim], "auto", *graph.chunks[dim + 1 :])
            parts.insert(at, dask.array.zeros(shape, dtype=input.dtype, chunks=chunks))
    return Lazy(dask.array.concatenate(parts, dim)) if len(parts) > 1 else input


def _pad(op: Any, input: Lazy, pad: Sequence[int], value: Any = 0) -> Lazy:
    sides = [(0, 0)] * (input.ndim - len(pad) // 2)
    sides += [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]
    cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(input.shape, sides, strict=True))
    widths = [(max(a, 0), max(b, 0)) for a, b in sides]
    kind = input.dtype.type
    return Lazy(dask.array.pad(input.graph[cut], widths, "constant", constant_values=kind(value)))


def _at(result: Lazy, dim: int, part: Any) -> Lazy:
    return result[(slice(None),) * (dim % result.ndim) + (part,)]


def _taken(op: Any, input: Lazy, dim: int, index: Lazy) -> Lazy:
    """The slices that a known index lists; an index that is lazy itself is for embedding."""
    if not input.ndim:
        return input.copy()
    if not index.known:
        raise refused(f"'{op.public}' by a lazy index")
    return Lazy(dask.array.take(input.graph, index.data.reshape(-1), dim % input.ndim))


def _indexed(op: Any, input: Lazy, indices: Any) -> Lazy:
    """Elements at the places that one known vector names in one dimension."""
    named = [(dim, value_of(t._array)) for dim, t in enumerate(indices) if t is not None]
    if len(named) != 1:
        raise refused("picking elements by several tensors")
    dim, places = named[0]
    if type(places) is not numpy.ndarray or places.dtype.kind == "b":
        raise refused("picking elements by a lazy tensor, or a mask")
    size = input.shape[dim]
    if places.size and not -size <= places.min() <= places.max() < size:
        wrong = places[(places < -size) | (places >= size)][0]
        raise DimensionError(f"index {wrong} is out of bounds for dimension {dim} with size {size}")
    found = dask.array.take(input.graph, places.reshape(-1) % max(size, 1), dim)
    return Lazy(found.reshape((*input.shape[:dim], *places.shape, *input.shape[dim + 1 :])))


def _roll(op: Any, input: Lazy, shifts: Any, dims: Any = ()) -> Lazy:
    sample(op, (input, shifts, dims), {})
    if not dims:
        flat = input.reshape(-1).graph
        return Lazy(dask.array.roll(flat, shifts[0] if isinstance(shifts, tuple) else shifts)).reshape(
            input.shape
        )
    return Lazy(dask.array.roll(input.graph, shifts, dims))


def _to_copy(op: Any, input: Lazy, *args: Any, **options: Any) -> Lazy:
    return input.copy()


SHAPES: Final[dict[str, Row]] = {
    "cat": _cat, "stack": _stack, "tril": _triangle("tril"), "triu": _triangle("triu"), "flip": _flip,
    "repeat": _repeat, "roll": _roll, "index_select": _taken, "index": _indexed, "constant_pad_nd": _pad,
    "select_backward": _select_back, "slice_backward": _slice_back,
    "diagonal_backward": _put(lambda result, *given: result.view_by(Diagonal(*given))),
    **dict.fromkeys(
        ("clone", "to_copy", "copy_of", "gradient_copy", "in_format", "detach_copy", "_tied"), _to_copy
    ),
}  # fmt: skip
"""By the names of rows."""
