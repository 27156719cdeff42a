"""Indexing on CuPy, where it does it better, or must do otherwise (`tgrad.backends.cupy_`).

Note [Indices on CuPy]
    CuPy counts indices that are out of range round.  PyTorch's error on a CPU comes at once, so that an
    index that a program gives is looked at before it is used, which waits for the GPU, once for all index
    tensors of a reading or a writing: `x[index]`, `x[index] = y`, `index_put`, `gather`, `take`, `put`,
    `index_select`, `index_add`, `index_copy`, `index_fill`, `index_reduce` and `scatter` in all its forms.
    Their derivatives use indices that were looked at before; only those of `x[index] = y` and
    `index_put` read at the places again as programs do.  What a mask picks, and `nonzero`, are waited for
    since their sizes are values.

Note [Several values for one place]
    Of several values that are written to one place CuPy keeps any.  As on a CPU it is to be the last: the
    largest of the values' numbers is found for each place first, and all write the value of that number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy

from tgrad.backends import cupy_sorting

Array: TypeAlias = Any  # a cupy.ndarray
Functions: TypeAlias = dict[str, Any]


def own(cupy: Any) -> dict[str, Functions]:
    """By file the functions that take the place of those in it."""
    return {
        "places": _places(cupy),
        "scatter": {
            "add_rows": partial(add_at, cupy),
            "multiply_at": partial(combine_at, cupy, cupy.multiply),
            "maximum_at": partial(combine_at, cupy, cupy.maximum),
            "minimum_at": partial(combine_at, cupy, cupy.minimum),
            "read_where": lambda array, mask: array[mask],
            "write_where": lambda array, mask, values: array.__setitem__(mask, values),
        },
        "folds": {"spread": _spread},
        "tgrad.ops.tensor_index": {
            "_is_plain": lambda arrays: False,
            "_names_rows": lambda input, found: True,
            "_by_rows": lambda array: array,
            "index_backward": _index_backward(cupy),
        },
        "moved": {
            "copy": lambda target, source: cupy.copyto(target, source),
            "nonzero": lambda array: cupy.stack(array.nonzero()),
            "triangle": lambda array, diagonal, lower: (cupy.tril if lower else cupy.triu)(array, diagonal),
        },
        "ranges": {"_parts": lambda count: [(0, count)], "logspace": partial(_logspace, cupy)},
        **cupy_sorting.own(cupy),
        "tgrad.ops.masking": {"masked_scatter_into": partial(_masked_scatter_into, cupy)},
        "constants": {"stored": lambda number, dtype: numpy.asarray(number).astype(dtype)[()]},
    }


def _spread(ufunc: Any, array: Array, axes: Any = None, keepdims: bool = False, dtype: Any = None) -> Array:
    return ufunc.reduce(array, axis=axes, dtype=dtype, keepdims=keepdims)


def _logspace(cupy: Any, start: float, end: float, steps: int, base: float, dtype: Any) -> Array:
    """Powers of evenly spaced exponents from start to end, counted from the nearer one."""
    kind = cupy.dtype(dtype)
    first, last = float(kind.type(start)), float(kind.type(end))
    gap = (last - first) / max(steps - 1, 1)
    index = cupy.arange(steps, dtype=cupy.float64)
    exponents = cupy.where(index < steps // 2, first + gap * index, last - gap * (steps - 1 - index))
    return cupy.power(float(base), exponents if steps > 1 else cupy.zeros(steps) + start).astype(kind)


# ---------------------------------------------------------------- places


def _places(cupy: Any) -> Functions:
    unsigned = {1: cupy.uint8, 2: cupy.uint16, 4: cupy.uint32, 8: cupy.uint64}

    def within(index: Array, low: int, high: int) -> bool:
        """Whether no entry is out of range: Note [Indices on CuPy]."""
        return index.size == 0 or bool(farthest(index, low) < high - low)

    def farthest(index: Array, low: int) -> Array:
        """How far above `low` the entries go; as unsigned numbers those below are the largest."""
        if low:
            index = index - low
        return index.view(unsigned[index.itemsize]).max()

    def look(indices: Sequence[Any], sizes: Sequence[int]) -> None:
        """IndexError if an array of an index is out of range; negative ones count from the end."""
        wrong: Any = None
        for index, size in zip(indices, sizes, strict=False):
            if not isinstance(index, slice) and index.size:
                found = farthest(index, -size) >= 2 * size
                wrong = found if wrong is None else wrong | found
        if wrong is not None and bool(wrong):
            raise IndexError

    def gathered(array: Array, dim: int, index: Array) -> Array:
        parts = [slice(size) for size in index.shape]
        parts[dim] = slice(None)
        return cupy.take_along_axis(array[tuple(parts)], index, dim)

    def picked(array: Array, indices: tuple[Any, ...]) -> Array:
        look(indices, array.shape)
        return array[indices]

    def row_numbers(indices: Sequence[Array], sizes: Sequence[int]) -> Array:
        look(indices, sizes)
        numbers: Any = 0
        for index, size in zip(indices, sizes, strict=True):
            numbers = numbers * size + index.astype(cupy.int64) % max(size, 1)
        return numbers

    def put_checked(target: Array, key: tuple[Any, ...], values: Array) -> None:
        look(key, target.shape)
        put(cupy, target, key, values)

    def at_places(target: Array, dim: int, index: Array, values: Array, act: Callable[..., Any]) -> None:
        steps = [1] * target.ndim
        for d in reversed(range(target.ndim - 1)):
            steps[d] = steps[d + 1] * target.shape[d + 1]
        numbers: Any = index.astype(cupy.int64) * steps[dim]
        for d, size in enumerate(index.shape):
            if d != dim:
                own = cupy.arange(size) * steps[d]
                numbers = numbers + own.reshape((-1,) + (1,) * (index.ndim - d - 1))
        flat = target.reshape(-1)
        act(flat, numbers.reshape(-1), values.reshape(-1))
        if not cupy.may_share_memory(flat, target):
            target[...] = flat.reshape(target.shape)

    return {
        "within": within,
        "taken": lambda array, index, axis=0: array.take(index, axis),
        "gathered": gathered,
        "picked": picked,
        "row_numbers": row_numbers,
        "at_places": at_places,
        "put": lambda target, key, values: put(cupy, target, key, values),
        "put_checked": put_checked,
    }


def put(cupy: Any, target: Array, key: Any, values: Any) -> None:
    """target[key] = values; the last one of several for one place stays: Note [Several values for one place].

    The key has arrays and slices of everything.
    """
    parts = key if isinstance(key, tuple) else (key,)
    chosen = [dim for dim, part in enumerate(parts) if not isinstance(part, slice)]
    arrays = cupy.broadcast_arrays(*[parts[dim] for dim in chosen])
    shape, count = arrays[0].shape, arrays[0].size
    rest = [size for dim, size in enumerate(target.shape) if dim not in chosen]
    first = chosen[0] if chosen[-1] - chosen[0] == len(chosen) - 1 else 0
    if count < 2 or not isinstance(values, cupy.ndarray) or values.ndim <= len(rest) - first:
        target[key] = values  # there is one value for all places
        return
    while values.ndim > len(rest) + len(shape) and values.shape[0] == 1:
        values = values[0]
    whole = (*rest[:first], *shape, *rest[first:])
    lines = (*rest[:first], count, *rest[first:])
    values = cupy.broadcast_to(values, whole).reshape(lines)
    winners = _winners(cupy, arrays, [target.shape[dim] for dim in chosen])
    target[key] = values.take(winners, first).reshape(whole)


def _winners(cupy: Any, arrays: Sequence[Array], sizes: Sequence[int]) -> Array:
    """For each entry of indices the number of the last one that names the same place."""
    numbers: Any = 0
    for array, size in zip(arrays, sizes, strict=True):
        numbers = numbers * size + array.reshape(-1) % max(size, 1)
    count = len(numbers)
    kind = cupy.int32 if count < 1 << 31 else cupy.uint64
    last = cupy.zeros(math.prod(sizes), kind)
    cupy.maximum.at(last, numbers, cupy.arange(count, dtype=kind))
    return last[numbers].astype(cupy.int64, copy=False)


def _masked_scatter_into(cupy: Any, array: Array, mask: Array, source: Array) -> None:
    """Write elements of a source, in order, where a mask is set, however many these are."""
    mask = cupy.broadcast_to(mask, array.shape)
    if source.size:
        numbers = cupy.cumsum(mask, dtype=cupy.int64).reshape(mask.shape) - 1
        cupy.copyto(array, source.reshape(-1).take(numbers), where=mask)


def _index_backward(cupy: Any) -> Callable[..., Array]:
    def index_backward(xp: Any, input: Array, input_sizes: tuple[int, ...], indices: Any) -> Array:
        """Zeros to which the gradient is added; its places were looked at when they were read."""
        result = cupy.zeros(input_sizes, input.dtype)
        if input.size:
            cupy.add.at(result, tuple(indices.arrays()), input)
        return result

    return index_backward


# ---------------------------------------------------------------- combining with what is there

_ATOMIC = frozenset("iILefdFD")
"""Codes of the dtypes that CuPy adds at places at once."""


def add_at(cupy: Any, target: Array, index: Array, values: Array) -> None:
    """Add values to the rows of a target that a vector of indices names; truth values are joined by or."""
    values = cupy.broadcast_to(values, (*index.shape, *target.shape[1:]))
    kind = target.dtype
    if kind == cupy.bool_:
        combine_at(cupy, cupy.logical_or, target, index, values)
    elif kind.char in _ATOMIC:
        cupy.add.at(target, index, values)
    elif kind == cupy.int64:  # the bits of a sum are the same for numbers without signs
        cupy.add.at(target.view(cupy.uint64), index, values.astype(kind).view(cupy.uint64))
    else:
        wide = target.astype(cupy.int32 if kind.kind in "iu" else cupy.float32)
        cupy.add.at(wide, index, values.astype(wide.dtype))
        target[...] = wide.astype(kind)


def combine_at(cupy: Any, ufunc: Any, target: Array, index: Array, values: Array) -> None:
    """`ufunc.at` for a vector of indices of the first dimension.

    Values for one place, side by side, are combined over twice as many in each step, and then with what is
    there: D. Hillis and G. Steele, Data parallel algorithms, Communications of the ACM 29, 1986.
    """
    if len(index) == 0:
        return
    order = index.argsort()
    keys = index[order]
    values = cupy.broadcast_to(values, (*index.shape, *target.shape[1:]))
    values = values[order].astype(target.dtype, copy=False)
    step = 1
    while step < len(keys):
        same = (keys[step:] == keys[:-step]).reshape((-1,) + (1,) * (values.ndim - 1))
        joined = ufunc(values[:-step], values[step:]).astype(target.dtype, copy=False)
        values[step:] = cupy.where(same, joined, values[step:])
        step *= 2
    ends = cupy.searchsorted(keys, keys, side="right") - 1
    # All that name a place write there what the last of them has, so that it doesn't matter which stays.
    target[keys] = ufunc(target[keys], values[ends]).astype(target.dtype, copy=False)
