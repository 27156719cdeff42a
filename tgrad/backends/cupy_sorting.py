"""Sorting and selecting on CuPy (`tgrad.backends.cupy_`).

Note [Equal elements on the GPU]
    CuPy sorts stably.  Which of several equal elements `topk`, `kthvalue`, `mode`, or `sort` without
    `stable=True` names is the choice of an algorithm on the CPU, and in PyTorch of another one on the GPU;
    here it is the first one, of `mode` the last.  Values are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

Array: TypeAlias = Any  # a cupy.ndarray


def own(cupy: Any) -> dict[str, dict[str, Any]]:
    """By file the functions that take the place of those in it."""

    def stable_order(array: Array, axis: int, descending: bool) -> Array:
        """Indices that sort along the axis, equal elements as they were; NaN is the largest."""
        if not descending:
            return array.argsort(axis)
        backwards = cupy.flip(array, axis).argsort(axis)
        return array.shape[axis] - 1 - cupy.flip(backwards, axis)

    def topk(array: Array, k: int, axis: int, largest: bool, in_order: bool) -> Array:
        order = stable_order(array, axis, largest)
        return cupy.ascontiguousarray(order[(slice(None),) * axis + (slice(k),)])

    def kthvalue(array: Array, k: int, axis: int) -> Array:
        return topk(array, k, axis, False, True)[(slice(None),) * axis + (slice(k - 1, k),)]

    def median(array: Array, axis: int, skip_nan: bool) -> Array:
        """Index of the lower median, kept as an axis of one element; of NaN the first."""
        size = array.shape[axis]
        missing = array != array
        absent = missing.sum(axis, keepdims=True)
        order = stable_order(array, axis, False)
        if skip_nan:
            return cupy.take_along_axis(order, cupy.maximum(size - absent - 1, 0) // 2, axis)
        found = order[(slice(None),) * axis + (slice((size - 1) // 2, (size - 1) // 2 + 1),)]
        return cupy.where(absent > 0, missing.argmax(axis=axis, keepdims=True), found)

    return {
        "ordering": {"stable_order": stable_order, "places_by_counting": lambda numbers: None},
        "selection": {
            "argsort": lambda array, axis, descending, stable: stable_order(array, axis, descending),
            "topk": topk,
            "kthvalue": kthvalue,
            "median": median,
            "mode": _mode(cupy),
        },
    }


def _mode(cupy: Any) -> Callable[[Array, int], Array]:
    def mode(array: Array, axis: int) -> Array:
        """Index of the most frequent element along the axis, the smallest of several such."""
        moved = cupy.moveaxis(array, axis, -1)
        size = moved.shape[-1]
        order = moved.argsort(-1)
        values = cupy.take_along_axis(moved, order, -1)
        run = cupy.zeros(moved.shape, cupy.int64)  # numbers of the runs of equal elements
        run[..., 1:] = cupy.cumsum(values[..., 1:] != values[..., :-1], axis=-1)
        rows = run.reshape(-1, size)
        numbers = rows + cupy.arange(len(rows))[:, None] * size
        lengths = cupy.zeros(rows.size, cupy.uint32)
        cupy.add.at(lengths, numbers.reshape(-1), cupy.uint32(1))
        often = lengths[numbers]
        first = often.argmax(axis=-1, keepdims=True)
        last = first + cupy.take_along_axis(often, first, -1).astype(cupy.int64) - 1
        found = cupy.take_along_axis(order.reshape(-1, size), last, -1)
        return cupy.ascontiguousarray(cupy.moveaxis(found.reshape(*moved.shape[:-1], 1), -1, axis))

    return mode
