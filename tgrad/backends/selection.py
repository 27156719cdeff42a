"""Sorting and selecting by position in the order of the C++ library's algorithms.

Which of several equal elements `topk`, `kthvalue`, `median` or `mode` names is decided by the
algorithm that PyTorch calls: `std::sort` (introsort: D. Musser, Software 27, 1997), `std::nth_element`
(introselect), `std::partial_sort` (heap select), as GNU's library has them, and for `kthvalue` a
quickselect of its own.  They are repeated here on lists; `less(a, b)` compares two items.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy

Array: TypeAlias = Any  # an ndarray
Items = list[int]
Less = Callable[[int, int], bool]


# ------------------------------------------------------------------------- the C++ library


def sort(items: Items, first: int, last: int, less: Less) -> None:
    """`std::sort` of items[first:last]."""
    if last - first < 2:
        return
    _introsort(items, first, last, 2 * ((last - first).bit_length() - 1), less)
    if last - first > 16:
        _insertion_sort(items, first, first + 16, less)
        for i in range(first + 16, last):
            _insert(items, i, less)
    else:
        _insertion_sort(items, first, last, less)


def nth_element(items: Items, first: int, nth: int, last: int, less: Less) -> None:
    """`std::nth_element`: items[nth] as if sorted, smaller ones before it."""
    if first == last or nth == last:
        return
    depth = 2 * ((last - first).bit_length() - 1)
    while last - first > 3:
        if depth == 0:
            _heap_select(items, first, nth + 1, last, less)
            items[first], items[nth] = items[nth], items[first]
            return
        depth -= 1
        cut = _partition(items, first, last, less)
        if cut <= nth:
            first = cut
        else:
            last = cut
    _insertion_sort(items, first, last, less)


def partial_sort(items: Items, first: int, middle: int, last: int, less: Less) -> None:
    """`std::partial_sort`: the smallest, sorted, in items[first:middle]."""
    _heap_select(items, first, middle, last, less)
    end = middle
    while end - first > 1:
        end -= 1
        _pop_heap(items, first, end, end, less)


def _introsort(items: Items, first: int, last: int, depth: int, less: Less) -> None:
    while last - first > 16:
        if depth == 0:
            partial_sort(items, first, last, last, less)
            return
        depth -= 1
        cut = _partition(items, first, last, less)
        _introsort(items, cut, last, depth, less)
        last = cut


def _partition(items: Items, first: int, last: int, less: Less) -> int:
    """Move the median of three to the front and partition the rest around it."""
    a, b, c = first + 1, first + (last - first) // 2, last - 1
    x, y, z = items[a], items[b], items[c]
    if less(x, y):
        median = b if less(y, z) else c if less(x, z) else a
    else:
        median = a if less(x, z) else c if less(y, z) else b
    items[first], items[median] = items[median], items[first]
    pivot = items[first]
    low, high = first + 1, last
    while True:
        while less(items[low], pivot):
            low += 1
        high -= 1
        while less(pivot, items[high]):
            high -= 1
        if low >= high:
            return low
        items[low], items[high] = items[high], items[low]
        low += 1


def _insertion_sort(items: Items, first: int, last: int, less: Less) -> None:
    for i in range(first + 1, last):
        item = items[i]
        if less(item, items[first]):
            items[first + 1 : i + 1] = items[first:i]
            items[first] = item
        else:
            _insert(items, i, less)


def _insert(items: Items, at: int, less: Less) -> None:
    item = items[at]
    before = at - 1
    while less(item, items[before]):
        items[at] = items[before]
        at = before
        before -= 1
    items[at] = item


def _heap_select(items: Items, first: int, middle: int, last: int, less: Less) -> None:
    size = middle - first
    for parent in range((size - 2) // 2, -1, -1):
        _adjust_heap(items, first, parent, size, items[first + parent], less)
    for i in range(middle, last):
        if less(items[i], items[first]):
            _pop_heap(items, first, middle, i, less)


def _pop_heap(items: Items, first: int, last: int, result: int, less: Less) -> None:
    item = items[result]
    items[result] = items[first]
    _adjust_heap(items, first, 0, last - first, item, less)


def _adjust_heap(items: Items, first: int, hole: int, size: int, item: int, less: Less) -> None:
    top = hole
    child = hole
    while child < (size - 1) // 2:
        child = 2 * (child + 1)
        if less(items[first + child], items[first + child - 1]):
            child -= 1
        items[first + hole] = items[first + child]
        hole = child
    if size % 2 == 0 and child == (size - 2) // 2:
        child = 2 * (child + 1)
        items[first + hole] = items[first + child - 1]
        hole = child - 1
    parent = (hole - 1) // 2
    while hole > top and less(items[first + parent], item):
        items[first + hole] = items[first + parent]
        hole = parent
        parent = (hole - 1) // 2
    items[first + hole] = item


def quick_select(items: Items, k: int, greater: Less) -> None:
    """PyTorch's quickselect: items[k] as if sorted."""
    low, high = 0, len(items) - 1

    def swap(a: int, b: int) -> None:
        items[a], items[b] = items[b], items[a]

    while high > low:
        if high == low + 1:
            if greater(items[low], items[high]):
                swap(low, high)
            return
        swap(low + (high - low) // 2, low + 1)
        if greater(items[low + 1], items[high]):
            swap(low + 1, high)
        if greater(items[low], items[high]):
            swap(low, high)
        if greater(items[low + 1], items[low]):
            swap(low + 1, low)
        i, j = low + 1, high
        pivot = items[low]
        while True:
            i += 1
            while greater(pivot, items[i]):
                i += 1
            j -= 1
            while greater(items[j], pivot):
                j -= 1
            if j < i:
                break
            swap(i, j)
        swap(low, j)
        if j <= k:
            low = i
        if j >= k:
            high = j - 1


# ------------------------------------------------------------------------------ along an axis


def ranks(row: Array) -> list[int]:
    """For each element how many different ones are smaller; NaN is the largest of all."""
    found: list[int] = numpy.unique(row, return_inverse=True)[1].reshape(-1).tolist()
    return found


def each_row(
    array: Array,
    axis: int,
    places: Array,
    choose: Callable[[Array], Any],
    descending: bool = False,
    ordered: bool = True,
) -> Array:
    """Indices for each vector along the axis: the ones at `places` of its order.

    Where elements are equal (or always, unless `ordered`) they are what `choose` gives.
    """
    moved = numpy.moveaxis(array, axis, -1)
    rows = moved.reshape(math.prod(moved.shape[:-1]), moved.shape[-1])
    order = argsort(rows, 1, descending, True)
    chosen = order.take(places, 1)
    ambiguous = _ties(rows, order) if ordered else numpy.ones(len(rows), bool)
    for number in numpy.flatnonzero(ambiguous):
        chosen[number] = choose(rows[number])
    placed = numpy.moveaxis(chosen.reshape(*moved.shape[:-1], len(places)), -1, axis)
    return numpy.array(placed, order="C")


EMULATED: Final = 65536
"""Up to this many elements an unstable sort leaves equal ones in the C++ library's order."""


def argsort(array: Array, axis: int, descending: bool, stable: bool) -> Array:
    """Indices that sort along the axis; NaN is the largest.

    Equal elements keep their order if `stable`, and else come in that of `std::sort`, which differs
    from 17 elements on.
    """
    size = array.shape[axis]
    if descending:
        backwards = numpy.flip(array, axis).argsort(axis, kind="stable")
        indices: Array = size - 1 - numpy.flip(backwards, axis)
    else:
        indices = array.argsort(axis, kind="stable")
    if stable or size <= 16 or array.size > EMULATED:
        return indices

    def choose(row: Array) -> Any:
        rank = ranks(row)
        items = list(range(size))
        sort(items, 0, size, (lambda a, b: rank[a] > rank[b]) if descending else
             (lambda a, b: rank[a] < rank[b]))  # fmt: skip
        return items

    return each_row(array, axis, numpy.arange(size), choose, descending)


def _ties(rows: Array, order: Array) -> Array:
    """Which rows have equal elements (or several NaN), given the indices that sort them."""
    values = numpy.take_along_axis(rows, order, 1)
    first, second = values[:, :-1], values[:, 1:]
    found: Array = ((first == second) | ((first != first) & (second != second))).any(1)
    return found


def topk(array: Array, k: int, axis: int, largest: bool, in_order: bool) -> Array:
    """Indices of the k largest or smallest elements along the axis."""
    size = array.shape[axis]

    def choose(row: Array) -> Any:
        rank = ranks(row)
        items = list(range(size))
        less: Less = (lambda a, b: rank[a] > rank[b]) if largest else (lambda a, b: rank[a] < rank[b])
        if k * 64 <= size:
            partial_sort(items, 0, k, size, less)
        else:
            nth_element(items, 0, k - 1, size, less)
            if in_order:
                sort(items, 0, k - 1, less)
        return items[:k]

    if k == 0:
        return numpy.empty((*array.shape[:axis], 0, *array.shape[axis + 1 :]), numpy.int64)
    return each_row(array, axis, numpy.arange(k), choose, largest, in_order)


def kthvalue(array: Array, k: int, axis: int) -> Array:
    """Index of the k-th smallest element along the axis, kept as an axis of one element."""

    def choose(row: Array) -> Any:
        rank = ranks(row)
        items = list(range(len(row)))
        quick_select(items, k - 1, lambda a, b: rank[a] > rank[b])
        return items[k - 1]

    return each_row(array, axis, numpy.array([k - 1]), choose)


def median(array: Array, axis: int, skip_nan: bool) -> Array:
    """Index of the lower median along the axis, kept as an axis of one element.

    Of equal elements that are next to it in order it is the one that a stable sort puts there; of
    NaN, unless they are skipped, the first.
    """
    order = array.argsort(axis, kind="stable")
    size = array.shape[axis]
    missing = array != array
    absent = missing.sum(axis, keepdims=True)
    middle = numpy.maximum(size - absent - 1, 0) // 2 if skip_nan else numpy.full_like(absent, size - 1) // 2
    found = numpy.take_along_axis(order, middle, axis)
    if skip_nan:
        return found
    return numpy.where(absent > 0, missing.argmax(axis, keepdims=True), found)


def mode(array: Array, axis: int) -> Array:
    """Index of the most frequent element along the axis, the smallest of several such."""

    def choose(row: Array) -> Any:
        values = row.tolist()
        items = list(range(len(row)))
        sort(items, 0, len(items), lambda a, b: values[a] < values[b])
        best = most = run = 0
        for place, item in enumerate(items):
            run += 1
            if place + 1 == len(items) or values[item] != values[items[place + 1]]:
                if run > most:
                    best, most = item, run
                run = 0
        return best

    lonely = not bool((array != array).any())
    return each_row(array, axis, numpy.array([0]), choose, ordered=lonely)
