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

from tgrad.backends.ordering import FEW, by_rows, first_places, has_keys, keys_of, place_of_rank, stable_order

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


def each_row(
    array: Array,
    axis: int,
    count: int,
    find: Callable[[Array], tuple[Array, Array]],
    choose: Callable[[Items], Any],
    descending: bool = False,
    plain: bool = False,
) -> Array:
    """For each vector along the axis the `count` places that `find` gives, given keys.

    Where it isn't sure of them they are what `choose` gives, from the keys or the `plain` elements: that
    is another algorithm's choice among equal elements.
    """
    last = axis == array.ndim - 1
    moved = array if last else numpy.moveaxis(array, axis, -1)
    rows = moved.reshape(math.prod(moved.shape[:-1]), moved.shape[-1])
    places = numpy.empty((len(rows), count), numpy.int64)
    sure = numpy.empty(len(rows), bool)
    by_rows(lambda part: find(_keys(part, descending)), rows, places, sure)
    for number in numpy.flatnonzero(~sure):
        row = rows[number]
        places[number] = choose((row if plain else _keys(row, descending)).tolist())
    placed = places.reshape(*moved.shape[:-1], count)
    return placed if last else numpy.array(numpy.moveaxis(placed, -1, axis), order="C")


def _keys(array: Array, descending: bool) -> Array:
    """Integers in the order of the elements; NaN is the largest."""
    if has_keys(array.dtype):
        return keys_of(array, descending)
    ranks = numpy.unique(array, return_inverse=True)[1].reshape(array.shape)
    return ~ranks if descending else ranks


EMULATED: Final = 65536
"""Up to this many elements an unstable sort leaves equal ones in the C++ library's order."""


def argsort(array: Array, axis: int, descending: bool, stable: bool) -> Array:
    """Indices that sort along the axis; NaN is the largest.

    Equal elements keep their order if `stable`, and else come in that of `std::sort`, which differs
    from 17 elements on.
    """
    size = array.shape[axis]
    if stable or size <= 16 or array.size > EMULATED:
        return stable_order(array, axis, descending)

    def find(keys: Array) -> tuple[Array, Array]:
        order = stable_order(keys, 1, False)
        values = numpy.take_along_axis(keys, order, 1)
        return order, (values[:, 1:] != values[:, :-1]).all(1)

    def choose(keys: Items) -> Any:
        items = list(range(size))
        sort(items, 0, size, lambda a, b: keys[a] < keys[b])
        return items

    return each_row(array, axis, size, find, choose, descending)


def topk(array: Array, k: int, axis: int, largest: bool, in_order: bool) -> Array:
    """Indices of the k largest or smallest elements along the axis."""
    size = array.shape[axis]

    def find(keys: Array) -> tuple[Array, Array]:
        places, sure = first_places(keys, k)
        return places, sure if in_order or k * 64 <= size else numpy.zeros(len(keys), bool)

    def choose(keys: Items) -> Any:
        less: Less = lambda a, b: keys[a] < keys[b]  # noqa: E731
        if k * 64 <= size:
            return _first_sorted(numpy.array(keys), k, less)
        items = list(range(size))
        nth_element(items, 0, k - 1, size, less)
        if in_order:
            sort(items, 0, k - 1, less)
        return items[:k]

    if k == 0:
        return numpy.empty((*array.shape[:axis], 0, *array.shape[axis + 1 :]), numpy.int64)
    return each_row(array, axis, k, find, choose, largest)


def _first_sorted(keys: Array, k: int, less: Less) -> Items:
    """`partial_sort` of the places of keys, without a look at those that are too large for the heap."""
    items = list(range(k + 1))
    _heap_select(items, 0, k, k, less)
    done = k
    while done < len(keys):
        part = keys[done : 9 * done]
        for place in (numpy.flatnonzero(part < keys[items[0]]) + done).tolist():
            items[k] = place
            if less(place, items[0]):
                _pop_heap(items, 0, k, k, less)
        done += len(part)
    for end in range(k - 1, 0, -1):
        _pop_heap(items, 0, end, end, less)
    return items[:k]


def kthvalue(array: Array, k: int, axis: int) -> Array:
    """Index of the k-th smallest element along the axis, kept as an axis of one element."""

    def find(keys: Array) -> tuple[Array, Array]:
        place, alone = place_of_rank(keys, k - 1)
        return place[:, None], alone

    def choose(keys: Items) -> Any:
        items = list(range(len(keys)))
        quick_select(items, k - 1, lambda a, b: keys[a] > keys[b])
        return items[k - 1]

    return each_row(array, axis, 1, find, choose)


def median(array: Array, axis: int, skip_nan: bool) -> Array:
    """Index of the lower median along the axis, kept as an axis of one element.

    Of equal elements that are next to it in order it is the one that a stable sort puts there; of
    NaN, unless they are skipped, the first.
    """
    size = array.shape[axis]
    missing = array != array
    absent = missing.sum(axis, keepdims=True)
    if skip_nan and absent.any():
        order = stable_order(array, axis, False)
        return numpy.take_along_axis(order, numpy.maximum(size - absent - 1, 0) // 2, axis)
    if array.size <= FEW:
        order = stable_order(array, axis, False)
        found = numpy.take(order, [(size - 1) // 2], axis)
        return numpy.where(absent > 0, missing.argmax(axis, keepdims=True), found)

    def find(keys: Array) -> tuple[Array, Array]:
        place, _ = place_of_rank(keys, (size - 1) // 2)
        return place[:, None], numpy.ones(len(keys), bool)

    found = each_row(array, axis, 1, find, list)
    if not absent.any():
        return found
    return numpy.where(absent > 0, missing.argmax(axis, keepdims=True), found)


def mode(array: Array, axis: int) -> Array:
    """Index of the most frequent element along the axis, the smallest of several such."""
    missing = bool((array != array).any())

    def find(keys: Array) -> tuple[Array, Array]:
        ordered = numpy.sort(keys, axis=1)
        different = (ordered[:, 1:] != ordered[:, :-1]).all(1)
        return keys.argmin(axis=1)[:, None], different & (not missing)

    def choose(values: Any) -> Any:
        items = list(range(len(values)))
        sort(items, 0, len(items), lambda a, b: values[a] < values[b])
        best = most = run = 0
        for place, item in enumerate(items):
            run += 1
            if place + 1 == len(items) or values[item] != values[items[place + 1]]:
                if run > most:
                    best, most = item, run
                run = 0
        return best

    return each_row(array, axis, 1, find, choose, plain=missing)
