"""The kernels of networks on CuPy: on whole arrays in place of blocks that fit into a processor's cache.

Nothing here waits for the GPU, nor do the kernels that are left as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from tgrad.backends.cupy_fusion import chain
from tgrad.backends.library import Around
from tgrad.backends.sliding import longest

Array: TypeAlias = Any  # a cupy.ndarray
Functions: TypeAlias = dict[str, Any]

_CLASSES = 1024
"""Of more classes the elements are taken by index."""
_NONE, _MEAN = 0, 1
_BLOCK = 1 << 26
"""About how many elements the columns of a convolution have at a time."""


def own(cupy: Any) -> dict[str, Functions]:
    """By file the functions that take the place of those in it."""
    return {
        "rows": {"over_rows": over_rows, "row_sums": lambda x: x.sum(axis=-1, keepdims=True)},
        "softmax": _softmax(cupy),
        "normalization": {"_FEW": 0, "_centred": _centred(cupy)},
        "sliding": {**_windows(cupy), **_parts(cupy), **_places(cupy)},
        "convolution": {"_BLOCK": _BLOCK, "_is_finite": _is_finite, **_windows(cupy)},
        "tgrad.ops.nn_loss_classes": {
            "_simple": lambda *given: False,
            "_ignored": lambda target, ignore_index: target == ignore_index,
            "cascade": lambda xp, values: values.sum(),
            **_classes(cupy),
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


def _centred(cupy: Any) -> Callable[..., tuple[Array, Array]]:
    def centred(x: Array, out: Array) -> tuple[Array, Array]:
        """The mean and the variance of each row; what is left without the mean goes to `out`."""
        mean = x.mean(axis=(1, 2), keepdims=True)
        cupy.subtract(x, mean, out=out)
        return mean, cupy.square(out).mean(axis=(1, 2), keepdims=True)

    return centred


# ---------------------------------------------------------------- softmax


def _softmax(cupy: Any) -> Functions:
    less = chain(cupy, lambda cupy, x, largest: x - largest)
    powers = chain(cupy, lambda cupy, x, largest: cupy.exp(x - largest))
    logarithms = chain(cupy, lambda cupy, x, largest, total: x - largest - cupy.log(total))
    back = chain(cupy, lambda cupy, g, p, total: (g - total) * p)
    log_back = chain(cupy, lambda cupy, g, logs, total: g - cupy.exp(logs) * total)

    def softmax(x: Array, axis: int, safe: bool = False) -> Array:
        if x.ndim == 0 or x.size == 0:
            return powers(x, x)
        largest = x.max(axis=axis, keepdims=True)
        result = powers(x, largest)
        result /= result.sum(axis=axis, keepdims=True)
        return cupy.where(largest == -math.inf, x.dtype.type(0), result) if safe else result

    def log_softmax(x: Array, axis: int) -> Array:
        if x.ndim == 0 or x.size == 0:
            return less(x, x)
        wide = x.astype(cupy.float32) if x.dtype.itemsize == 2 else x
        largest = wide.max(axis=axis, keepdims=True)
        total = powers(wide, largest).sum(axis=axis, keepdims=True)
        return logarithms(wide, largest, total).astype(x.dtype, copy=False)

    def softmax_back(g: Array, p: Array, axis: int) -> Array:
        return back(g, p, _sum(g * p, axis))

    def log_softmax_back(g: Array, logs: Array, axis: int) -> Array:
        return log_back(g, logs, _sum(g, axis))

    return {
        "softmax": softmax, "log_softmax": log_softmax, "softmax_back": softmax_back,
        "log_softmax_back": log_softmax_back,
    }  # fmt: skip


def _sum(x: Array, axis: int) -> Array:
    return x.sum(axis=axis, keepdims=True) if x.ndim else x


# ---------------------------------------------------------------- losses of classes


def _classes(cupy: Any) -> Functions:
    """A loss by classes for rows of a table, as a chain over all of it: there is a kernel less to wait for.

    The rows' functions take the classes' elements by index; they see to everything else.
    """

    def here(cupy: Any, number: Array, target: Array, ignored: int) -> Array:
        return (number == target) & (target != ignored)

    def choose(cupy: Any, table: Array, number: Array, target: Array, ignored: int) -> Array:
        return cupy.where(here(cupy, number, target, ignored), -table, 0)

    def share(cupy: Any, g: Array, total: Any, number: Array, target: Array, ignored: int) -> Array:
        return cupy.where(here(cupy, number, target, ignored), -g / total, 0)

    numbers = lru_cache(64)(lambda count: cupy.arange(count)[None])
    chosen, spread = chain(cupy, choose), chain(cupy, share)
    valid = chain(cupy, lambda cupy, like, target, ignored: (target != ignored).astype(like.dtype))

    def is_table(shape: tuple[int, ...], target: Array, weight: Any, dtype: Any) -> bool:
        return (
            weight is None
            and len(shape) == 2
            and shape[1] <= _CLASSES
            and dtype.char in "fd"
            and target.size > 0
        )

    def loss(
        rest: Any, xp: Any, input: Array, target: Array, weight: Any, reduction: int, ignored: int
    ) -> Array:
        if not is_table(input.shape, target, weight, input.dtype):
            return rest(xp, input, target, weight, reduction, ignored)
        found = chosen(input, numbers(input.shape[1]), target[:, None], ignored)
        if reduction == _NONE:
            return found.sum(axis=1)
        return found.sum() / valid(input[:1, 0], target, ignored).sum() if reduction == _MEAN else found.sum()

    def back(
        rest: Any, xp: Any, g: Array, target: Array, weight: Any, size: tuple[int, ...], reduction: int,
        ignored: int,
    ) -> Array:  # fmt: skip
        if not is_table(size, target, weight, g.dtype):
            return rest(xp, g, target, weight, size, reduction, ignored)
        total: Any = valid(g.reshape(-1)[:1], target, ignored).sum() if reduction == _MEAN else 1
        return spread(g if g.ndim == 0 else g[:, None], total, numbers(size[1]), target[:, None], ignored)

    return {"_nll_kernel": Around(loss), "_nll_back_kernel": Around(back)}


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
