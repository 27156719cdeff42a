"""Mean 0 and variance 1, and what that does to gradients: kernels on blocks that stay in the cache.

Note [Groups as rows]
    The kernels see (rows, parts, length): each row has a mean and a variance of its own.  Layer
    normalisation has one part to a row, group normalisation the channels of a group, and batch
    normalisation has the channels as rows and the samples as parts, in a transposed view.  Weights
    broadcast to that shape.  A part's sums are BLAS's inner products.

Derivatives, with h = g * weight and a hat for the normalised input, are
(h - mean(h) - x^ mean(h x^)) / deviation, and for the weight the sum of g x^.
(S. Ioffe and C. Szegedy, Batch Normalization, 2015.)
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

import numpy

from tgrad.backends import sums
from tgrad.backends.fused import fma
from tgrad.backends.rows import ones, over_rows, row_sums

Array: TypeAlias = Any  # an ndarray

LAYER, GROUP, BATCH = range(3)
"""What has a mean of its own: the last dimensions, groups of channels (N, groups, members, length),
or each channel of a batch."""

_KINDS: Final = ("f4", "f8")
_FEW: Final = 1 << 12
"""From how many elements of a block on the time of a fused product counts."""
_FEW_ROWS: Final = 128
"""Up to so many rows are added one by one."""


def takes(x: Array) -> bool:
    """Whether these kernels are for an array: 16 bits are rounded elsewhere and otherwise."""
    return x.dtype.str[1:] in _KINDS


def _rows(x: Array, way: int, axes: tuple[int, ...]) -> Array:
    """The array as (rows, parts, length): Note [Groups as rows]."""
    if way == LAYER:
        leading = x.ndim - len(axes)
        return x.reshape(math.prod(x.shape[:leading]), 1, math.prod(x.shape[leading:]))
    if way == GROUP:
        return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])
    if x.ndim == 2:
        return x.T[:, None, :]
    return x.reshape(*x.shape[:2], math.prod(x.shape[2:])).swapaxes(0, 1)


def _weights(weight: Array | None, rows: Array, way: int) -> Array | None:
    if weight is None or way == BATCH:
        return None if weight is None else weight.reshape(-1, 1, 1)
    if way == LAYER:
        return weight.reshape(1, 1, rows.shape[2])
    samples = len(rows) * rows.shape[1] // max(weight.size, 1)
    return numpy.tile(weight.reshape(-1, rows.shape[1], 1), (samples, 1, 1))


def _like(x: Array, way: int) -> tuple[Array, Array]:
    """The input in an order in which rows are views, and room for the result in the same order."""
    if way != BATCH or not _is_channels_last(x):
        x = numpy.ascontiguousarray(x)
    return x, numpy.empty_like(x)


def _is_channels_last(x: Array) -> bool:
    return x.ndim > 2 and bool(x.transpose(0, *range(2, x.ndim), 1).flags.c_contiguous)


def normalised(
    x: Array, weight: Array | None, bias: Array | None, axes: tuple[int, ...], eps: float, way: int
) -> tuple[Array, Array]:
    """(x - mean) / sqrt(variance + eps) * weight + bias, and of each row the mean and 1 / deviation."""
    x, result = _like(x, way)
    rows = _rows(x, way, axes)
    statistics = numpy.empty((2, len(rows), 1, 1), x.dtype)
    if x.size:
        scale, shift = _weights(weight, rows, way), _weights(bias, rows, way)
        _normalise(rows, scale, shift, eps, _rows(result, way, axes), statistics)
    return result, statistics


def normalised_back(
    g: Array, x: Array, weight: Array | None, axes: tuple[int, ...], eps: float, way: int
) -> Array:
    """What `normalised` does to a gradient of its result, for x."""
    if not x.size:
        return _like(x, way)[1]
    statistics = _statistics(_rows(_like(x, way)[0], way, axes), eps)
    return derivatives(g, x, weight, statistics, axes, way, scale=False)[0]


def together(
    g: Array, x: Array, weight: Array | None, statistics: Array, axes: tuple[int, ...], way: int
) -> tuple[Array, Array, Array] | None:
    """The same for x, weight and bias, flat, in one pass; None where these kernels aren't for x."""
    return derivatives(g, x, weight, statistics, axes, way) if takes(x) and x.size else None


def derivatives(
    g: Array, x: Array, weight: Array | None, statistics: Array, axes: tuple[int, ...], way: int,
    scale: bool = True,
) -> tuple[Array, Array | None, Array | None]:  # fmt: skip
    """The same for x, and with `scale` for the weight and the bias too, which are flat."""
    x, result = _like(x, way)
    rows, given = _rows(x, way, axes), _rows(numpy.ascontiguousarray(g), way, axes)
    out, weights = _rows(result, way, axes), _weights(weight, rows, way)
    if way == LAYER:
        return result, *_layer_back(given, rows, weights, statistics, out, scale)
    if not scale:
        _normalise_back(given, rows, weights, statistics, way, out)
        return result, None, None
    sums = numpy.empty((2, *rows.shape[:2]), x.dtype)
    _normalise_back(given, rows, weights, statistics, way, out, *sums)
    if way == BATCH:
        return result, sums[0].sum(axis=1), numpy.add.reduce(numpy.ascontiguousarray(sums[1].T), axis=0)
    return result, *(each.reshape(len(x), math.prod(x.shape[1:3])).sum(axis=0) for each in sums)


def scale_back(g: Array, x: Array, axes: tuple[int, ...], eps: float, way: int) -> Array:
    """What `normalised` does to a gradient of its result, for the weight, flat."""
    rows, given = (_rows(numpy.ascontiguousarray(a), way, axes) for a in (x, g))
    if way == LAYER:
        return _column_scale_back(given, rows, eps)
    sums = numpy.zeros(rows.shape[:2], x.dtype)
    if x.size:
        _scale_back(given, rows, eps, sums)
    if way == BATCH:
        return sums.sum(axis=1)
    return sums.reshape(len(x), math.prod(x.shape[1:3])).sum(axis=0)


def known(x: Array, scale: Array, shift: Array | None = None) -> Array:
    """x * scale + shift, which are vectors of the channels of a batch."""
    x, result = _like(x, BATCH)

    def part(x: Array, out: Array, scale: Array, *shift: Array) -> None:
        numpy.multiply(x, scale[:, None, None], out=out)
        if shift:
            out += shift[0][:, None, None]

    if x.size:
        rest = () if shift is None else (shift,)
        over_rows(part, _rows(x, BATCH, ()), _rows(result, BATCH, ()), scale, *rest)
    return result


def known_scale_back(g: Array, x: Array, mean: Array) -> Array:
    """The sums of g * (x - mean) for each channel of a batch."""
    rows, given = (_rows(numpy.ascontiguousarray(a), BATCH, ()) for a in (x, g))
    sums = numpy.zeros(rows.shape[:2], x.dtype)

    def part(g: Array, x: Array, sums: Array, mean: Array) -> None:
        numpy.vecdot(g, x - mean[:, None, None], out=sums)

    if x.size:
        over_rows(part, given, rows, sums, mean)
    return sums.sum(axis=1)


def moments(x: Array) -> tuple[Array, Array]:
    """The mean and the variance (divided by the count) of each channel of a batch."""
    rows = _rows(numpy.ascontiguousarray(x), BATCH, ())
    mean, variance = numpy.empty((2, len(rows)), x.dtype)

    def part(x: Array, mean: Array, variance: Array) -> None:
        found = _centred(x, numpy.empty(x.shape, x.dtype))
        mean[...], variance[...] = (value[:, 0, 0] for value in found)

    over_rows(part, rows, mean, variance)
    return mean, variance


def _total(products: Array) -> Array:
    """The sum over the parts of each row, in their order: (rows, parts) as (rows, 1, 1)."""
    if products.shape[1] > 1:
        products = numpy.add.reduce(products, axis=1, keepdims=True)
    return products[..., None]


def _centred(x: Array, out: Array) -> tuple[Array, Array]:
    """The mean and the variance of each row; what is left without the mean goes to `out`."""
    length = x.shape[2]
    count = x.dtype.type(x.shape[1] * length)
    mean = _total(numpy.vecdot(x, ones(length, x.dtype))) / count
    numpy.subtract(x, mean, out=out)
    return mean, _total(numpy.vecdot(out, out)) / count


def _factor(variance: Array, eps: float) -> Array:
    factor = variance + variance.dtype.type(eps)
    numpy.sqrt(factor, out=factor)
    return numpy.reciprocal(factor, out=factor)


def _statistics(rows: Array, eps: float) -> Array:
    """The mean and 1 / deviation of each row."""
    found = numpy.empty((2, len(rows), 1, 1), rows.dtype)

    def part(x: Array, mean: Array, factor: Array) -> None:
        mean[...], variance = _centred(x, numpy.empty(x.shape, x.dtype))
        factor[...] = _factor(variance, eps)

    over_rows(part, rows, *found)
    return found


def _normalise(
    x: Array, weight: Array | None, bias: Array | None, eps: float, out: Array, statistics: Array
) -> None:
    """(x - mean) / sqrt(variance + eps) * weight + bias; the last two for each row, or for all."""
    whole = weight, bias
    own = [each for each in whole if each is not None and len(each) > 1]

    def part(x: Array, out: Array, mean: Array, factor: Array, *rest: Array) -> None:
        mean[...], variance = _centred(x, out)
        factor[...] = slope = _factor(variance, eps)
        scale, shift = whole
        if rest:
            given = iter(rest)
            scale, shift = (each if each is None or len(each) == 1 else next(given) for each in whole)
        if scale is not None and scale.shape[2] == 1:
            slope = slope * scale
        out *= slope
        if scale is not None and scale.shape[2] > 1:
            out *= scale
        if shift is not None:
            out += shift

    over_rows(part, x, out, *statistics, *own)


def _normalise_back(
    g: Array, x: Array, weight: Array | None, statistics: Array, way: int, out: Array, *sums: Array
) -> None:
    """What `_normalise` does to a gradient of its result, for x, in PyTorch's order of roundings.

    What weight and bias get from each part goes to the two tables of `sums`, if they are given.
    """

    def part(g: Array, x: Array, out: Array, mean: Array, factor: Array, *rest: Array) -> None:
        count = x.dtype.type(x.shape[1] * x.shape[2])
        centred = x - mean
        along, total = numpy.vecdot(g, centred), row_sums(g)[..., 0]
        if sums:
            numpy.multiply(along, factor[..., 0], out=rest[0])
            rest[1][...] = total
        weights = rest[len(sums) :]
        own = factor
        if weights and way == GROUP:
            along, total = along * weights[0][..., 0], total * weights[0][..., 0]
            own = factor * weights[0]
        along, total = _total(along), _total(total)
        if way == BATCH:
            numpy.subtract(g, total / count, out=out)
            centred *= along * factor * factor / count
            out -= centred
            out *= factor
            if weights:
                out *= weights[0]
            return
        slope = along * factor * factor * factor / count
        numpy.multiply(g, own, out=out)
        out -= numpy.multiply(x, slope, out=centred)
        out += slope * mean - total * factor / count

    over_rows(part, g, x, out, *statistics, *sums, *(() if weight is None else (weight,)))


def _layer_back(
    g: Array, x: Array, weight: Array | None, statistics: Array, out: Array, columns: bool
) -> tuple[Array | None, Array | None]:
    """The same for (rows, 1, columns), and the sums of columns for a weight and a bias of each."""
    found: dict[int, tuple[Array, Array]] = {}

    def part(g: Array, x: Array, out: Array, mean: Array, factor: Array, numbers: range) -> None:
        count = x.dtype.type(x.shape[2])
        centred = x - mean
        h = g if weight is None else numpy.multiply(g, weight, out=out)
        along, total = numpy.vecdot(h, centred)[..., None], row_sums(h)
        slope = along * factor * factor * factor / count
        numpy.multiply(h, factor, out=out)
        if columns:
            found[numbers[0]] = _columns(g, x, centred, mean, factor)
        out -= numpy.multiply(x, slope, out=centred)
        out += slope * mean - total * factor / count

    over_rows(part, g, x, out, *statistics, range(len(x)))
    if not columns:
        return None, None
    return _in_turn(found, 0), _in_turn(found, 1)


def _columns(g: Array, x: Array, centred: Array, mean: Array, factor: Array) -> tuple[Array, Array]:
    """The sums over the rows of g * x^, and of g; `centred` serves as room for the products."""
    if x.size < _FEW and len(x) <= _FEW_ROWS:
        unit = fma(factor, x, -factor * mean, x.dtype)
        products = unit.astype(numpy.float64) * g if x.dtype == numpy.float32 else unit * g
        return _by_threads(products[:, 0], x.dtype), _by_threads(g[:, 0], x.dtype)
    every = ones(len(x), x.dtype)
    centred *= factor
    centred *= g
    return every @ centred[:, 0], every @ g[:, 0]


def _by_threads(rows: Array, dtype: Any) -> Array:
    """The sum of rows as PyTorch's threads make it, each of a range of rows, rounding after each row.

    Products of float32 are given in double, so that they are added with a single rounding.
    """
    share = -(-len(rows) // sums.threads)
    partial = numpy.zeros((-(-len(rows) // share), rows.shape[1]), dtype)
    for row in range(share):
        each = rows[row::share]  # the next row of each thread
        target = partial[: len(each)]
        numpy.add(target, each, out=target, casting="same_kind")
    total: Array = partial[0]
    for part in partial[1:]:
        total = total + part
    return total


def _in_turn(found: dict[int, tuple[Array, ...]], index: int) -> Array:
    """The sum over blocks of rows, in the same order whatever the threads did."""
    total: Any = None
    for number in sorted(found):
        part = found[number][index]
        total = part if total is None else total + part
    return total


def _scale_back(g: Array, x: Array, eps: float, sums: Array) -> None:
    """What `normalised` does to a gradient, for the weight: the sums of each part, (rows, parts)."""

    def part(g: Array, x: Array, sums: Array) -> None:
        centred = numpy.empty(x.shape, x.dtype)
        factor = _factor(_centred(x, centred)[1], eps)
        numpy.multiply(numpy.vecdot(g, centred), factor[..., 0], out=sums)

    over_rows(part, g, x, sums)


def _column_scale_back(g: Array, x: Array, eps: float) -> Array:
    """The same for a weight of each column of (rows, 1, columns)."""
    found: dict[int, tuple[Array, ...]] = {}

    def part(g: Array, x: Array, numbers: range) -> None:
        centred = numpy.empty(x.shape, x.dtype)
        mean, variance = _centred(x, centred)
        found[numbers[0]] = _columns(g, x, centred, mean, _factor(variance, eps))

    over_rows(part, g, x, range(len(x)))
    return _in_turn(found, 0) if found else numpy.zeros(x.shape[2], x.dtype)
