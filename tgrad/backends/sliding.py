"""Windows that slide over the last dimensions of an array: pools, blocks as columns.

An input has the shape (N, C, *sizes).  A window is described per dimension by its kernel size, its
stride, its padding and its dilation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any, TypeAlias

import numpy
from numpy.lib.stride_tricks import as_strided

Array: TypeAlias = Any  # an ndarray
Sizes: TypeAlias = Sequence[int]

on_memory: Any = numpy.ndarray
"""An array on the memory of another one: its shape, dtype, the other one, where in it (bytes), strides."""


def positions(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool = False) -> int:
    """How many places a window has along one dimension.

    With `ceil` the last one may reach beyond the padded input, if it begins inside of it.
    """
    free = size + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil:
        return free // stride + 1
    count = -(-free // stride) + 1
    if (count - 1) * stride >= size + padding:
        count -= 1
    return count


def counts(
    sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil: bool = False
) -> tuple[int, ...]:
    """How many places a window has along each dimension."""
    return tuple(
        positions(s, k, st, p, d, ceil)
        for s, k, st, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True)
    )


def padded(x: Array, padding: Sizes, after: Sizes, value: Any = 0) -> Array:
    """The array with `value` around its last dimensions: `padding` before, `after` behind."""
    if not any(padding) and not any(after):
        return x
    sizes = x.shape[2:]
    shape = (*x.shape[:2], *(p + s + a for p, s, a in zip(padding, sizes, after, strict=True)))
    result = numpy.full(shape, value, x.dtype)
    inside = tuple(slice(p, p + s) for p, s in zip(padding, sizes, strict=True))
    result[(slice(None), slice(None), *inside)] = x
    return result


def windows(
    x: Array, kernel: Sizes, stride: Sizes, dilation: Sizes, counts: Sizes, writeable: bool = False
) -> Array:
    """A view (N, C, *counts, *kernel) of all windows of a padded array."""
    steps = x.strides[2:]
    shape = (*x.shape[:2], *counts, *kernel)
    by_place = [a * b for a, b in zip(steps, stride, strict=True)]
    in_window = [a * b for a, b in zip(steps, dilation, strict=True)]
    strides = (*x.strides[:2], *by_place, *in_window)
    if x.flags.c_contiguous:  # a tenth of the time
        return on_memory(shape, x.dtype, x, 0, strides)
    return as_strided(x, shape, strides, writeable=writeable)


def columns(x: Array, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, counts: Sizes) -> Array:
    """Each window as a column: (N, C * kernel, positions)."""
    n = len(kernel)
    parts = windows(padded(x, padding, padding), kernel, stride, dilation, counts)
    order = (0, 1, *range(2 + n, 2 + 2 * n), *range(2, 2 + n))
    shape = (x.shape[0], x.shape[1] * math.prod(kernel), math.prod(counts))
    return parts.transpose(order).reshape(shape)


def scattered(
    cols: Array, sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes,
    counts: Sizes,
) -> Array:  # fmt: skip
    """The sum of windows at their places: what `columns` does, backwards."""
    batch, n = cols.shape[0], len(sizes)
    channels = cols.shape[1] // math.prod(kernel)
    parts = cols.reshape(batch, channels, *kernel, *counts)
    span = [
        max(s + 2 * p, (c - 1) * st + d * (k - 1) + 1)
        for s, p, c, st, d, k in zip(sizes, padding, counts, stride, dilation, kernel, strict=True)
    ]
    result = numpy.zeros((batch, channels, *span), cols.dtype)
    for place in product(*(range(k) for k in kernel)):
        target = tuple(
            slice(k * d, k * d + (c - 1) * st + 1, st)
            for k, d, c, st in zip(place, dilation, counts, stride, strict=True)
        )
        result[(slice(None), slice(None), *target)] += parts[(slice(None), slice(None), *place)]
    inside = tuple(slice(p, p + s) for p, s in zip(padding, sizes, strict=True))
    assert len(inside) == n
    return numpy.ascontiguousarray(result[(slice(None), slice(None), *inside)])


# ---------------------------------------------------------------- pools


def beyond(
    sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, counts: Sizes
) -> list[int]:
    """The padding behind the input that the last window needs."""
    return [
        max((c - 1) * st + d * (k - 1) + 1 - s - p, 0)
        for s, k, st, p, d, c in zip(sizes, kernel, stride, padding, dilation, counts, strict=True)
    ]


def pool_gather(x: Array, places: Array, n: int) -> Array:
    """The elements at given places of the last n dimensions: `pool_scatter` backwards."""
    leading = x.shape[: x.ndim - n]
    flat = x.reshape(*leading, math.prod(x.shape[x.ndim - n :]))
    count = math.prod(places.shape[x.ndim - n :])
    found = numpy.take_along_axis(flat, places.reshape(*leading, count), -1)
    return found.reshape(places.shape)


def placed(x: Array, places: Array, sizes: Sizes) -> Array:
    """Elements put at given places of zeros; of several for one place the last is there."""
    n = len(sizes)
    leading = x.shape[: x.ndim - n]
    rows, inner = math.prod(leading), math.prod(x.shape[x.ndim - n :])
    result = numpy.zeros((rows, math.prod(sizes)), x.dtype)
    result[numpy.arange(rows)[:, None], places.reshape(rows, inner)] = x.reshape(rows, inner)
    return result.reshape(*leading, *sizes)


def scattered_windows(x: Array, starts: Sequence[Array], kernel: Sizes) -> tuple[Array, Array]:
    """The largest element of windows that begin at given places, and its place.

    `starts` has for each dimension an array (N, C, windows).
    """
    n, sizes = len(kernel), x.shape[2:]
    grid = [
        start.reshape(*x.shape[:2], *(start.shape[-1] if d == i else 1 for d in range(n)))
        for i, start in enumerate(starts)
    ]
    batch = numpy.arange(x.shape[0]).reshape(-1, *(1,) * (n + 1))
    channel = numpy.arange(x.shape[1]).reshape(1, -1, *(1,) * n)
    values: Any = None
    places: Any = None
    for offset in product(*(range(k) for k in kernel)):
        at = [start + k for start, k in zip(grid, offset, strict=True)]
        found = x[(batch, channel, *at)]
        where: Any = 0
        for place, size in zip(at, sizes, strict=True):
            where = where * size + place
        if values is None:
            values, places = found, numpy.broadcast_to(where, found.shape).copy()
            continue
        better = (found > values) | numpy.isnan(found)
        values = numpy.where(better, found, values)
        places = numpy.where(better, where, places)
    return values, places


def divisors(
    sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, counts: Sizes, with_padding: bool
) -> Array:
    """How many elements each window of an average has."""
    result: Any = numpy.ones((), numpy.int64)
    for s, k, st, p, c in zip(sizes, kernel, stride, padding, counts, strict=True):
        start = numpy.arange(c) * st - p
        end = numpy.minimum(start + k, s + p)
        if not with_padding:
            start, end = numpy.maximum(start, 0), numpy.minimum(end, s)
        result = numpy.multiply.outer(result, end - start)
    return result


def window_sums(x: Array, kernel: Sizes, stride: Sizes, padding: Sizes, counts: Sizes) -> Array:
    """The sum of each window, elements added up in the order of the window."""
    ones = [1] * len(kernel)
    full = padded(x, padding, beyond(x.shape[2:], kernel, stride, padding, ones, counts))
    parts = windows(full, kernel, stride, ones, counts)
    result = numpy.zeros(parts.shape[: 2 + len(kernel)], x.dtype)
    for place in product(*(range(k) for k in kernel)):
        result += parts[(..., *place)]
    return result


def spread_sums(g: Array, sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes) -> Array:
    """What `window_sums` does, backwards."""
    counts = g.shape[2:]
    copies = numpy.broadcast_to(
        g.reshape(*g.shape[:2], *(1 for _ in kernel), *counts), (*g.shape[:2], *kernel, *counts)
    )
    cols = copies.reshape(g.shape[0], g.shape[1] * math.prod(kernel), math.prod(counts))
    return scattered(cols, sizes, kernel, stride, padding, [1] * len(kernel), counts)


# ---------------------------------------------------------------- parts


def parts_of(size: int, count: int) -> tuple[Array, Array]:
    """Where `count` parts that cover a dimension begin, and how long they are."""
    places = numpy.arange(count)
    starts = places * size // max(count, 1)
    ends = -(-(places + 1) * size // max(count, 1))
    return starts, ends - starts


def longest(size: int, count: int) -> int:
    """The length of the longest of the parts."""
    if not count:
        return 0
    whole, rest = divmod(size, count)
    # A part whose ends both lie between elements has one more; none does where the ends meet them in turn.
    return whole + (0 if not rest else 1 if count % rest == 0 else 2)


def _offsets(lengths: Sequence[Array]) -> Any:
    """The places inside of the largest part, and for each the parts that have one there."""
    for place in product(*(range(int(n.max(initial=0))) for n in lengths)):
        yield place, [numpy.nonzero(n > k)[0] for n, k in zip(lengths, place, strict=True)]


def _split(x: Array, wanted: Sizes) -> Array | None:
    """A view (..., *wanted, *inside) of parts that are equally long; None if they aren't."""
    n = len(wanted)
    sizes = x.shape[x.ndim - n :]
    if not all(w and s % w == 0 for s, w in zip(sizes, wanted, strict=True)):
        return None
    halves = [size for s, w in zip(sizes, wanted, strict=True) for size in (w, s // w)]
    first = x.ndim - n
    order = (*range(first), *range(first, first + 2 * n, 2), *range(first + 1, first + 2 * n, 2))
    return x.reshape(*x.shape[:first], *halves).transpose(order)


def part_means(x: Array, wanted: Sizes) -> Array:
    """The mean of each part of the last dimensions, elements added up in the order of the part."""
    n = len(wanted)
    parts = [parts_of(s, w) for s, w in zip(x.shape[x.ndim - n :], wanted, strict=True)]
    lengths = [length for _, length in parts]
    # In three dimensions PyTorch adds up half precision as it is.
    exact = numpy.float32 if x.dtype == numpy.float16 and n == 2 else x.dtype
    result = numpy.zeros((*x.shape[: x.ndim - n], *wanted), exact)
    split = _split(numpy.ascontiguousarray(x), wanted)
    for place, present in _offsets(lengths):
        if split is not None:
            result += split[(..., *place)]
            continue
        source = [start[p] + k for (start, _), p, k in zip(parts, present, place, strict=True)]
        result[(..., *numpy.ix_(*present))] += x[(..., *numpy.ix_(*source))]
    return _by_lengths(result, lengths).astype(x.dtype, copy=False)


def part_means_back(g: Array, sizes: Sizes) -> Array:
    """What `part_means` does, backwards."""
    n = len(sizes)
    parts = [parts_of(s, w) for s, w in zip(sizes, g.shape[g.ndim - n :], strict=True)]
    lengths = [length for _, length in parts]
    shares = _by_lengths(g, lengths)
    crowded = any(len(length) > size for length, size in zip(lengths, sizes, strict=True))
    result = numpy.zeros((*g.shape[: g.ndim - n], *sizes), g.dtype)
    split = _split(result, g.shape[g.ndim - n :])
    if split is not None:
        split += shares[(..., *(None,) * n)]
        return result
    for place, present in _offsets(lengths):
        source = [start[p] + k for (start, _), p, k in zip(parts, present, place, strict=True)]
        at, share = (..., *numpy.ix_(*source)), shares[(..., *numpy.ix_(*present))]
        if crowded:
            numpy.add.at(result, at, share)
        else:  # parts overlap by one element at most: at one place inside of them no two meet
            result[at] += share
    return result


def _by_lengths(sums: Array, lengths: Sequence[Array]) -> Array:
    for i, length in enumerate(lengths):
        shape = [1] * len(lengths)
        shape[i] = -1
        sums = sums / length.reshape(shape).astype(sums.dtype)
    return sums


# ---------------------------------------------------------------- entries at given places


def _index(places: Sequence[int]) -> Array:
    return numpy.asarray(places, numpy.int64)


def picked(x: Array, indices: Sequence[Sequence[int]]) -> Array:
    """The entries at given places along each of the last dimensions."""
    first = x.ndim - len(indices)
    for i, places in enumerate(indices):
        x = numpy.take(x, _index(places), axis=first + i)
    return x


def put_back(g: Array, indices: Sequence[Sequence[int]], sizes: Sizes) -> Array:
    """What `picked` does, backwards: entries added up in their order at the places they came from."""
    leading = g.shape[: g.ndim - len(sizes)]
    result = numpy.zeros((math.prod(leading), *sizes), g.dtype)
    given = g.reshape(len(result), *g.shape[len(leading) :])
    places = numpy.ix_(numpy.arange(len(result)), *(_index(p) for p in indices))
    numpy.add.at(result, places, given)
    return result.reshape(*leading, *sizes)


# ---------------------------------------------------------------- maps of each dimension


def separable(x: Array, maps: Sequence[Array | None]) -> Array:
    """A matrix applied along each of the last dimensions, from the last on; None leaves one as it is.

    Half precision is computed in float32 and rounded once; bytes with whole weights.
    """
    kind = x.dtype
    apply = _bytes_mapped if kind == numpy.uint8 else _mapped
    if kind == numpy.float16:
        x = x.astype(numpy.float32)
    first = x.ndim - len(maps)
    for i in reversed(range(len(maps))):
        matrix = maps[i]
        if matrix is not None:
            x = numpy.moveaxis(apply(numpy.moveaxis(x, first + i, -1), matrix.T), -1, first + i)
    return numpy.ascontiguousarray(x.astype(kind, copy=False))


def _mapped(x: Array, matrix: Array) -> Array:
    return numpy.matmul(x, matrix.astype(x.dtype))


def _bytes_mapped(x: Array, matrix: Array) -> Array:
    """With weights of 15 bits, as many of them behind the point as the largest leaves."""
    largest, bits = float(matrix.max()), 0
    while bits < 22 and int(0.5 + largest * 2 ** (bits + 1)) < 2**15:
        bits += 1
    weights = numpy.trunc(matrix * 2.0**bits + numpy.copysign(0.5, matrix)).astype(numpy.int64)
    sums = numpy.matmul(x.astype(numpy.int64), weights) + (1 << bits >> 1)
    return numpy.clip(sums >> bits, 0, 255).astype(numpy.uint8)
