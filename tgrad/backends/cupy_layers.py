"""The kernels of networks on CuPy: on whole arrays in place of blocks that fit into a processor's cache.

Nothing here waits for the GPU, nor do the kernels that are left as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from tgrad.backends.sliding import longest

Array: TypeAlias = Any  # a cupy.ndarray
Functions: TypeAlias = dict[str, Any]

_BLOCK = 1 << 26
"""About how many elements the columns of a convolution have at a time."""


def own(cupy: Any) -> dict[str, Functions]:
    """By file the functions that take the place of those in it."""
    return {
        "rows": {"over_rows": over_rows, "row_sums": lambda x: x.sum(axis=-1, keepdims=True)},
        "softmax": _softmax(cupy),
        "normalization": {"_FEW": 0},
        "sliding": {**_windows(cupy), **_parts(cupy), **_places(cupy)},
        "convolution": {"_BLOCK": _BLOCK, "_is_finite": _is_finite, **_windows(cupy)},
        "tgrad.ops.nn_loss_classes": {
            "_simple": lambda *given: False,
            "_ignored": lambda target, ignore_index: target == ignore_index,
            "cascade": lambda xp, values: values.sum(),
        },
        "largest": {"_best_of_windows": _best(cupy), "best": _best_of_several(cupy)},
    }


def over_rows(function: Callable[..., Any], *tables: Any) -> None:
    """Call a function with all rows at once."""
    if len(tables[0]):
        function(*tables)


def _is_finite(w: Array) -> bool:
    """It isn't known before the GPU has got there."""
    return False


# ---------------------------------------------------------------- softmax


def _softmax(cupy: Any) -> Functions:
    def powers(x: Array, axis: int) -> tuple[Array, Array]:
        """What is left of x without its largest elements, and these."""
        largest = x.max(axis=axis, keepdims=True)
        return x - largest, largest

    def softmax(x: Array, axis: int, safe: bool = False) -> Array:
        if x.ndim == 0 or x.size == 0:
            return cupy.exp(x - x)
        shifted, largest = powers(x, axis)
        result = cupy.exp(shifted, out=shifted)
        result /= result.sum(axis=axis, keepdims=True)
        return cupy.where(largest == -math.inf, x.dtype.type(0), result) if safe else result

    def log_softmax(x: Array, axis: int) -> Array:
        if x.ndim == 0 or x.size == 0:
            return x - x
        wide = x.astype(cupy.float32) if x.dtype.itemsize == 2 else x
        shifted, _ = powers(wide, axis)
        shifted -= cupy.log(cupy.exp(shifted).sum(axis=axis, keepdims=True))
        return shifted.astype(x.dtype, copy=False)

    def softmax_back(g: Array, p: Array, axis: int) -> Array:
        return (g - (_sum(g * p, axis))) * p

    def log_softmax_back(g: Array, logs: Array, axis: int) -> Array:
        return g - cupy.exp(logs) * _sum(g, axis)

    return {
        "softmax": softmax, "log_softmax": log_softmax, "softmax_back": softmax_back,
        "log_softmax_back": log_softmax_back,
    }  # fmt: skip


def _sum(x: Array, axis: int) -> Array:
    return x.sum(axis=axis, keepdims=True) if x.ndim else x


# ---------------------------------------------------------------- windows and parts


def _windows(cupy: Any) -> Functions:
    def on_memory(shape: Any, dtype: Any, array: Array, offset: int, strides: Any) -> Array:
        return cupy.lib.stride_tricks.as_strided(array, shape, strides)

    def as_strided(array: Array, shape: Any, strides: Any, writeable: bool = True) -> Array:
        return cupy.lib.stride_tricks.as_strided(array, shape, strides)

    return {"on_memory": on_memory, "as_strided": as_strided}


def _best(cupy: Any) -> Callable[..., tuple[Array, Array]]:
    def best(parts: Array, inside: Sequence[Any]) -> tuple[Array, Array]:
        """The largest element of each window (..., *window), the first such, or the last NaN."""
        shape = parts.shape[: parts.ndim - len(inside[0])]
        flat = parts.reshape(*shape, len(inside))
        numbers = flat.argmax(axis=-1)
        if flat.dtype.kind == "f":
            missing = cupy.isnan(flat)
            last = len(inside) - 1 - missing[..., ::-1].argmax(axis=-1)
            numbers = cupy.where(missing.any(axis=-1), last, numbers)
        return cupy.take_along_axis(flat, numbers[..., None], -1)[..., 0], numbers

    return best


def _best_of_several(cupy: Any) -> Callable[..., tuple[Array, Array]]:
    best = _best(cupy)
    return lambda views: best(cupy.stack(views, axis=-1), [(number,) for number in range(len(views))])


def _parts(cupy: Any) -> Functions:
    """Means of parts, one dimension after the other.

    The parts that have an element are themselves parts, of as many places as there are parts, so that what
    adds up elements also adds up gradients.
    """

    def lengths(size: int, count: int) -> tuple[Array, Array]:
        places = cupy.arange(count)
        starts = places * size // count
        return starts, -(-(places + 1) * size // count) - starts

    def sums(x: Array, axis: int, count: int) -> Array:
        """The sums of parts along an axis."""
        size = x.shape[axis]
        start, length = lengths(size, count)
        across = (..., *(None,) * (x.ndim - 1 - axis))
        result: Any = 0
        for k in range(longest(size, count)):
            found = x.take(start + cupy.minimum(k, length - 1), axis=axis)
            result = result + cupy.where((k < length)[across], found, x.dtype.type(0))
        return result

    def shared(x: Array, axis: int, size: int) -> Array:
        """The elements along an axis, each divided by the length of its part of `size` places."""
        length = lengths(size, x.shape[axis])[1].astype(x.dtype)
        return x / length[(..., *(None,) * (x.ndim - 1 - axis))]

    def part_means(x: Array, wanted: Sequence[int]) -> Array:
        kind, first = x.dtype, x.ndim - len(wanted)
        sizes = x.shape[first:]
        if 0 in (*wanted, *x.shape):
            return cupy.zeros((*x.shape[:first], *wanted), kind)
        result = x.astype(cupy.float32) if kind == cupy.float16 else x
        for axis, count in enumerate(wanted, first):
            result = sums(result, axis, count)
        for axis, size in enumerate(sizes, first):
            result = shared(result, axis, size)
        return result.astype(kind, copy=False)

    def part_means_back(g: Array, sizes: Sequence[int]) -> Array:
        first = g.ndim - len(sizes)
        if 0 in (*sizes, *g.shape):
            return cupy.zeros((*g.shape[:first], *sizes), g.dtype)
        for axis, size in enumerate(sizes, first):
            g = shared(g, axis, size)
        for axis, size in enumerate(sizes, first):
            g = sums(g, axis, size)
        return g

    return {"part_means": part_means, "part_means_back": part_means_back}


# ---------------------------------------------------------------- entries at given places


def _places(cupy: Any) -> Functions:
    @lru_cache(256)
    def kept(places: tuple[int, ...]) -> Array:
        return cupy.asarray(places, cupy.int64)

    def placed(x: Array, places: Array, sizes: Sequence[int]) -> Array:
        """Elements put at given places of zeros; of several for one place the last is there."""
        first = x.ndim - len(sizes)
        rows, inner = math.prod(x.shape[:first]), math.prod(x.shape[first:])
        number = cupy.arange(1, inner + 1, dtype=cupy.uint64)
        latest = cupy.zeros((rows, math.prod(sizes)), cupy.uint64)
        where = (cupy.arange(rows)[:, None], places.reshape(rows, inner))
        cupy.maximum.at(latest, where, cupy.broadcast_to(number, (rows, inner)))
        if not inner:
            return cupy.zeros((*x.shape[:first], *sizes), x.dtype)
        last = cupy.maximum(latest, 1).astype(cupy.int64) - 1
        found = cupy.take_along_axis(x.reshape(rows, inner), last, 1)
        return cupy.where(latest > 0, found, x.dtype.type(0)).reshape(*x.shape[:first], *sizes)

    return {"_index": lambda places: kept(tuple(places)), "placed": placed}
