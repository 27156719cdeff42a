"""Images read at places between their elements: what grid_sample does, and its two derivatives.

An image has the shape (N, C, *sizes), a grid (N, *places, n) with coordinates between -1 and 1, the
last dimension's first.  Every mode is a sum over taps: elements near a place, times weights that
depend on the place alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple, TypeAlias

import numpy

Array: TypeAlias = Any  # an ndarray

BILINEAR, NEAREST, BICUBIC = range(3)
ZEROS, BORDER, REFLECTION = range(3)
CUBIC = -0.75
"""The parameter of the cubic convolution of R. Keys, 1981, that PyTorch uses."""


class Tap(NamedTuple):
    """One element near each place: where it is, and its weight with its derivatives by dimensions."""

    place: Array
    inside: Array
    weight: Array
    slopes: list[Array]
    curves: list[list[Array]]


class Coordinate(NamedTuple):
    """The places along one dimension, and how they follow from the grid."""

    value: Array
    slope: Array
    size: int


class Mode(NamedTuple):
    """How an image is read."""

    kind: int
    padding: int
    align: bool


def sampled(x: Array, grid: Array, mode: Mode, along: Array | None = None) -> Array:
    """The image's values at the places of the grid; with `along` their derivative in that direction."""
    batch, channels, sizes = x.shape[0], x.shape[1], x.shape[2:]
    flat = x.reshape(batch, channels, math.prod(sizes))
    result = numpy.zeros((batch, channels, math.prod(grid.shape[1:-1])), x.dtype)
    for tap in _taps(grid, sizes, mode, along):
        result += _read(flat, tap) * tap.weight[:, None]
    return result.reshape(batch, channels, *grid.shape[1:-1])


def sampled_back_x(
    g: Array, grid: Array, sizes: Sequence[int], mode: Mode, along: Array | None = None
) -> Array:
    """What `sampled` does to a gradient, for the image."""
    batch, channels = g.shape[:2]
    result = numpy.zeros((batch, channels, math.prod(sizes)), g.dtype)
    flat = g.reshape(batch, channels, math.prod(grid.shape[1:-1]))
    rows, columns = numpy.arange(batch)[:, None, None], numpy.arange(channels)[None, :, None]
    for tap in _taps(grid, sizes, mode, along):
        share = numpy.where(tap.inside[:, None], flat * tap.weight[:, None], 0)
        numpy.add.at(result, (rows, columns, tap.place[:, None]), share)
    return result.reshape(batch, channels, *sizes)


def sampled_back_grid(g: Array, x: Array, grid: Array, mode: Mode, along: Array | None = None) -> Array:
    """What `sampled` does to a gradient, for the grid."""
    batch, channels, n = x.shape[0], x.shape[1], grid.shape[-1]
    flat = x.reshape(batch, channels, math.prod(x.shape[2:]))
    result = numpy.zeros((batch, math.prod(grid.shape[1:-1]), n), grid.dtype)
    given = g.reshape(batch, channels, result.shape[1])
    for tap in _taps(grid, x.shape[2:], mode, along):
        share = (_read(flat, tap) * given).sum(axis=1)
        for dim, slope in enumerate(tap.slopes):
            result[..., n - 1 - dim] += share * slope
    return result.reshape(grid.shape)


def _read(flat: Array, tap: Tap) -> Array:
    place = numpy.broadcast_to(tap.place[:, None], (*flat.shape[:2], tap.place.shape[1]))
    return numpy.where(tap.inside[:, None], numpy.take_along_axis(flat, place, -1), 0)


def _taps(grid: Array, sizes: Sequence[int], mode: Mode, along: Array | None) -> Iterator[Tap]:
    """The taps of all places, in the order of the elements.

    With `along`, weights and slopes are those of the derivative in that direction.
    """
    n = len(sizes)
    count = math.prod(grid.shape[1:-1])
    flat = grid.reshape(grid.shape[0], count, n)
    near = [_near(_scaled(flat[..., n - 1 - d], s, mode.align, n == 2), mode) for d, s in enumerate(sizes)]
    steps = None if along is None else along.reshape(grid.shape[0], count, n)[..., ::-1]
    for choice in product(*near):
        tap = _tap(choice, sizes)
        if steps is not None:
            parts = [steps[..., d] for d in range(n)]
            tap = tap._replace(
                weight=_weighed(parts, tap.slopes), slopes=[_weighed(parts, c) for c in tap.curves]
            )
        yield tap


def _weighed(parts: Sequence[Array], values: Sequence[Array]) -> Array:
    return sum((p * v for p, v in zip(parts[1:], values[1:], strict=True)), parts[0] * values[0])


def _tap(choice: Sequence[Any], sizes: Sequence[int]) -> Tap:
    place: Any = 0
    inside: Any = True
    for (where, *_), size in zip(choice, sizes, strict=True):
        inside = inside & (where >= 0) & (where < size)
        place = place * size + numpy.clip(where, 0, size - 1)
    dims = range(len(sizes))

    def times(orders: Sequence[int]) -> Array:
        """The product of each dimension's weight, slope or curve."""
        parts = [choice[d][1 + order] for d, order in enumerate(orders)]
        return math.prod(parts[1:], start=parts[0])

    return Tap(
        place, inside, times([0 for _ in dims]), [times([int(k == d) for k in dims]) for d in dims],
        [[times([(k == d) + (k == e) for k in dims]) for e in dims] for d in dims],
    )  # fmt: skip


def _near(c: Coordinate, mode: Mode) -> list[tuple[Array, Array, Array, Array]]:
    """The taps along one dimension: places, weights, and their first and second derivatives."""
    if mode.kind == BICUBIC:
        return _cubic(c, mode.padding, mode.align)
    return (_nearest if mode.kind == NEAREST else _linear)(_kept(c, mode.padding, mode.align))


def _scaled(c: Array, size: int, align: bool, plane: bool) -> Coordinate:
    """From -1 and 1 to the places of the outer elements, or of their outer sides.

    PyTorch rounds differently in a plane, which it has vectors for.
    """
    kind = c.dtype.type
    half = kind((size - 1 if align else size) / 2)
    moved = c + kind(1)
    if plane:
        value = moved * half if align else moved * half - kind(0.5)
    else:
        value = moved / kind(2) * kind(size - 1) if align else (moved * kind(size) - kind(1)) / kind(2)
    return Coordinate(value, numpy.full_like(c, half), size)


def _kept(c: Coordinate, padding: int, align: bool) -> Coordinate:
    """Places outside brought back, as the padding wants it."""
    value, slope, size = c
    if padding == REFLECTION:
        value, sign = _mirrored(value, size, align)
        slope = slope * sign
    if padding != ZEROS:
        value = numpy.where(numpy.isnan(value), 0, value)
        slope = numpy.where((value <= 0) | (value >= size - 1), 0, slope)
        value = numpy.clip(value, 0, size - 1)
    return Coordinate(value.astype(c.value.dtype), slope.astype(c.value.dtype), size)


def _mirrored(value: Array, size: int, align: bool) -> tuple[Array, Array]:
    low, span = (0.0, size - 1.0) if align else (-0.5, float(size))
    if span <= 0:
        return numpy.zeros_like(value), numpy.zeros_like(value)
    kind = value.dtype.type
    moved = value - kind(low)
    distance = abs(moved)
    extra = numpy.fmod(distance, kind(span))
    even = numpy.floor(distance / kind(span)) % 2 == 0
    sign = numpy.where(moved < 0, -1, 1) * numpy.where(even, 1, -1)
    return numpy.where(even, extra + kind(low), kind(span) - extra + kind(low)), sign


def _whole(value: Array) -> Array:
    """Whole numbers for indices; what is no number, or far away, is outside."""
    return numpy.where(abs(value) < 2**31, value, -(2**31)).astype(numpy.int64)


def _linear(c: Coordinate) -> list[tuple[Array, Array, Array, Array]]:
    low = numpy.floor(c.value)
    share, flat = c.value - low, numpy.zeros_like(c.value)
    place = _whole(low)
    return [(place, 1 - share, -c.slope, flat), (place + 1, share, c.slope, flat)]


def _nearest(c: Coordinate) -> list[tuple[Array, Array, Array, Array]]:
    flat = numpy.zeros_like(c.value)
    return [(_whole(numpy.rint(c.value)), flat + 1, flat, flat)]


def _cubic(c: Coordinate, padding: int, align: bool) -> list[tuple[Array, Array, Array, Array]]:
    low = numpy.floor(c.value)
    t = c.value - low
    parts = []
    curves = zip(_cubic_weights(t), _cubic_slopes(t), _cubic_curves(t), strict=True)
    for k, (weight, slope, curve) in enumerate(curves):
        place = _kept(Coordinate(low + (k - 1), c.slope, c.size), padding, align).value
        parts.append((_whole(place), weight, slope * c.slope, curve * c.slope * c.slope))
    return parts


def _cubic_weights(t: Array) -> list[Array]:
    def near(x: Array) -> Array:
        return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1

    def far(x: Array) -> Array:
        return ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


def _cubic_slopes(t: Array) -> list[Array]:
    def near(x: Array) -> Array:
        return (3 * (CUBIC + 2) * x - 2 * (CUBIC + 3)) * x

    def far(x: Array) -> Array:
        return (3 * CUBIC * x - 10 * CUBIC) * x + 8 * CUBIC

    return [far(t + 1), near(t), -near(1 - t), -far(2 - t)]


def _cubic_curves(t: Array) -> list[Array]:
    def near(x: Array) -> Array:
        return 6 * (CUBIC + 2) * x - 2 * (CUBIC + 3)

    def far(x: Array) -> Array:
        return 6 * CUBIC * x - 10 * CUBIC

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]
