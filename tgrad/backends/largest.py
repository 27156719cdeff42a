"""The largest elements of windows and of parts, and where they lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import product
from typing import Any, Final, NamedTuple

import numpy

from tgrad.backends.rows import over_rows, row_starts
from tgrad.backends.sliding import Array, Sizes, beyond, longest, padded, parts_of, windows


@cache
def _second_of_zeros() -> bool:
    """Whether `maximum` gives the second of two zeros of unlike signs, as it does on most processors."""
    plus, minus = numpy.zeros((2, 37), numpy.float32)
    numpy.negative(minus, out=minus)
    return bool(
        numpy.signbit(numpy.maximum(plus, minus)).all()
        and not numpy.signbit(numpy.maximum(minus, plus)).any()
    )


def best(views: Sequence[Array]) -> tuple[Array, Array]:
    """The largest of several arrays at each place, and the number of the array that has it.

    Of equal ones the first counts, and of NaN, which is larger than all, the last.
    """
    code = numpy.min_scalar_type(max(len(views) - 1, 0))
    values = views[0].copy()
    floating = values.dtype.kind == "f"
    numbers = numpy.zeros(values.shape, code)
    first_of_zeros = floating and not _second_of_zeros()
    for number, found in enumerate(views[1:], 1):
        better = found > values
        if first_of_zeros:
            numpy.copyto(values, found, where=better | numpy.isnan(found))
        else:
            numpy.maximum(found, values, out=values)
        if code == numpy.uint8:
            better = better.view(numpy.uint8)
        # Later numbers are larger: one that isn't better leaves what there is.
        numpy.maximum(numbers, numpy.multiply(better, code.type(number), dtype=code), out=numbers)
    if floating and values.size and _has_nan(values):
        for number, found in enumerate(views):
            missing = numpy.isnan(found)
            values[missing], numbers[missing] = found[missing], number
    return values, numbers


class _Windows(NamedTuple):
    """Where the elements of windows lie in the flattened sizes."""

    inside: list[tuple[int, ...]]
    offsets: Array
    base: Array
    behind: list[int]
    """The padding behind the input that the last window needs."""


@lru_cache(64)
def _windows(
    sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, counts: Sizes
) -> _Windows:
    steps = [math.prod(sizes[dim + 1 :]) for dim in range(len(sizes))]
    base: Any = numpy.zeros((), numpy.int64)
    for count, st, p, step in zip(counts, stride, padding, steps, strict=True):
        base = numpy.add.outer(base, (numpy.arange(count) * st - p) * step)
    inside = list(product(*(range(k) for k in kernel)))
    offsets = [sum(k * d * s for k, d, s in zip(place, dilation, steps, strict=True)) for place in inside]
    behind = beyond(sizes, kernel, stride, padding, dilation, counts)
    return _Windows(inside, numpy.array(offsets), base, behind)


def largest(
    x: Array, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, counts: Sizes
) -> tuple[Array, Array]:
    """The largest element of each window and its place in the flattened last dimensions."""
    sizes, rows = x.shape[2:], x.shape[0] * x.shape[1]
    low = -numpy.inf if x.dtype.kind == "f" else numpy.iinfo(x.dtype).min
    given = map(tuple, (sizes, kernel, stride, padding, dilation, counts))
    inside, offsets, base, behind = _windows(*given)
    values, places = numpy.empty((rows, *counts), x.dtype), numpy.empty((rows, *counts), numpy.int64)

    def part(x: Array, values: Array, places: Array) -> None:
        full = padded(x[None], padding, behind, low)
        parts = windows(full, kernel, stride, dilation, counts)[0]
        values[...], numbers = _best_of_windows(parts, inside)
        numpy.add(offsets.take(numbers), base, out=places)

    if values.size:
        over_rows(part, x.reshape(rows, *sizes), values, places)
    shape = (*x.shape[:2], *counts)
    return values.reshape(shape), places.reshape(shape)


_FEW: Final = 16
_SHORT: Final = 1 << 10


def _best_of_windows(parts: Array, inside: list[tuple[int, ...]]) -> tuple[Array, Array]:
    """`best` of the elements of windows (rows, *counts, *kernel).

    They are put side by side if they are many, or if all windows together have so few that the number of
    calls counts.
    """
    count = len(inside)
    if count > _FEW or parts.size < _SHORT:
        shape = parts.shape[: parts.ndim // 2 + 1]
        flat = parts.reshape(math.prod(shape), count)
        numbers = flat.argmax(axis=1)
        values = flat.take(numbers + row_starts(numbers.shape, count))
        if values.dtype.kind != "f" or not _has_nan(values):
            return values.reshape(shape), numbers.reshape(shape)
    return best([parts[(..., *place)] for place in inside])


def _has_nan(values: Array) -> bool:
    largest = numpy.maximum.reduce(values, axis=None)
    return bool(largest != largest)


def largest_parts(x: Array, wanted: Sizes) -> tuple[Array, Array]:
    """The largest element of each of some parts that cover the last dimensions, and its place."""
    n, sizes = len(wanted), x.shape[2:]
    parts = [parts_of(s, w) for s, w in zip(sizes, wanted, strict=True)]
    if all(w and s % w == 0 for s, w in zip(sizes, wanted, strict=True)):
        kernel = [s // w for s, w in zip(sizes, wanted, strict=True)]
        return largest(x, kernel, kernel, [0] * n, [1] * n, wanted)
    inside = list(product(*(range(longest(s, w)) for s, w in zip(sizes, wanted, strict=True))))
    views, places = [], []
    for place in inside:
        # Where a part is shorter its last element stands in: it isn't larger than itself.
        at = [s + numpy.minimum(k, m - 1) for (s, m), k in zip(parts, place, strict=True)]
        views.append(x[(..., *numpy.ix_(*at))])
        where: Any = numpy.zeros((), numpy.int64)
        for line, size in zip(at, sizes, strict=True):
            where = numpy.add.outer(where * size, line)
        places.append(where)
    if not views or not views[0].size:
        shape = (*x.shape[:2], *wanted)
        return numpy.empty(shape, x.dtype), numpy.empty(shape, numpy.int64)
    values, numbers = best(views)
    return values, numpy.stack(places)[(numbers, *numpy.ix_(*map(numpy.arange, wanted)))]


def pool_scatter(g: Array, places: Array, sizes: Sizes) -> Array:
    """Gradients added up, in their order, at the places that the largest elements came from."""
    leading = g.shape[: g.ndim - len(sizes)]
    count, size = math.prod(leading), math.prod(sizes)
    inner = math.prod(g.shape[g.ndim - len(sizes) :])
    result = numpy.zeros((count, size), g.dtype)

    def part(g: Array, places: Array, result: Array) -> None:
        flat = places + row_starts((len(result), 1), size)
        numpy.add.at(result.reshape(-1), flat.reshape(-1), g.reshape(-1))

    over_rows(part, g.reshape(count, inner), places.reshape(count, inner), result)
    return result.reshape(*leading, *sizes)
