"""Convolutions as products of matrices: the windows of some images as columns, times the weight.

Note [Blocks of columns]
    All the columns of a batch are many times as large as the batch.  They are made for a few images
    or, of a large image, for a few rows at a time, in one buffer that stays in the processor's
    cache; the product of each block goes to its place in the result.  Blocks depend on the shapes
    alone, so that the same arrays always give the same result.

An input has the shape (N, C, *sizes); see `tgrad.backends.sliding` for the description of windows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any, Final, NamedTuple

import numpy

from tgrad.backends.sliding import Array, Sizes, padded, windows
from tgrad.backends.sliding import counts as counts_of

__all__ = ["convolve", "convolve_back_w", "convolve_back_x", "counts_of"]

_BLOCK: Final = 1 << 18
"""About how many elements the columns of a block have."""


class _Block(NamedTuple):
    """Images, and rows of windows, that are worked on at a time."""

    images: slice
    rows: slice
    shape: tuple[int, ...]
    """How many images, rows, and what follows the rows."""

    def of(self, y: Array) -> Array:
        """Its part of an array (N, O, *counts), as (O, images, rows, ...)."""
        return y[self.images, :, self.rows].swapaxes(0, 1)


def _blocks(batch: int, height: int, counts: Sizes) -> Iterator[_Block]:
    """Blocks that make up a batch; `height` is that of a column."""
    line = math.prod(counts[1:]) * height
    rows = max(1, min(counts[0], _BLOCK // max(line, 1)))
    images = max(1, min(batch, _BLOCK // max(line * counts[0], 1)))
    for image in range(0, batch, images):
        last = min(image + images, batch)
        for row in range(0, counts[0], rows):
            end = min(row + rows, counts[0])
            yield _Block(slice(image, last), slice(row, end), (last - image, end - row, *counts[1:]))


def _columns(parts: Array, groups: int) -> Iterator[tuple[_Block, Array]]:
    """The blocks, each with its columns (groups, height, columns), which the next one overwrites.

    `parts` are all windows, (N, C, *counts, *kernel).
    """
    n = (parts.ndim - 2) // 2
    channels, counts, kernel = parts.shape[1], parts.shape[2 : 2 + n], parts.shape[2 + n :]
    height = channels * math.prod(kernel)
    order = (1, *range(2 + n, 2 + 2 * n), 0, *range(2, 2 + n))
    buffer: Any = None
    for block in _blocks(parts.shape[0], height, counts):
        size = height * math.prod(block.shape)
        if buffer is None:
            buffer = numpy.empty(size, parts.dtype)
        columns = buffer[:size].reshape(channels, *kernel, *block.shape)
        numpy.copyto(columns, parts[block.images, :, block.rows].transpose(order))
        yield block, columns.reshape(groups, height // groups, math.prod(block.shape))


def convolve(
    x: Array, w: Array, counts: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int,
    bias: Array | None = None,
) -> Array:  # fmt: skip
    """The convolution of x (N, C, *sizes) with w (O, C / groups, *kernel)."""
    outputs, kernel = w.shape[0], w.shape[2:]
    result = numpy.empty((x.shape[0], outputs, *counts), x.dtype)
    rows = w.reshape(groups, outputs // groups, w.shape[1] * math.prod(kernel))
    parts = windows(padded(x, padding, padding), kernel, stride, dilation, counts)
    for block, columns in _columns(parts, groups):
        values = numpy.matmul(rows, columns).reshape(outputs, *block.shape)
        target = block.of(result)
        if bias is None:
            target[...] = values
        else:
            numpy.add(values, bias.reshape(-1, *(1 for _ in block.shape)), out=target)
    return result


def convolve_back_x(
    y: Array, w: Array, sizes: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Array:
    """What `convolve` does to a gradient of its result, for x; also transposed convolution."""
    kernel, counts = w.shape[2:], y.shape[2:]
    channels = groups * w.shape[1]
    span = [
        max(s + 2 * p, (c - 1) * st + d * (k - 1) + 1)
        for s, p, c, st, d, k in zip(sizes, padding, counts, stride, dilation, kernel, strict=True)
    ]
    result = numpy.zeros((y.shape[0], channels, *span), y.dtype)
    share = w.shape[0] // groups
    height = w.shape[1] * math.prod(kernel)
    rows = w.reshape(groups, share, height).swapaxes(1, 2)
    plain = all(st == 1 for st in stride) and bool(numpy.isfinite(w).all())
    # Where each window's element k lies: a view of the result in the shape of all windows.
    parts = windows(result, kernel, stride, dilation, counts, writeable=True)
    for block in _blocks(y.shape[0], groups * height, counts):
        given, width = block.of(y), counts[1:]
        if plain:
            given, width = _widened(given, span[1:]), span[1:]
        shape = (*block.shape[:2], *width)
        given = numpy.ascontiguousarray(given).reshape(groups, share, math.prod(shape))
        # Of one output a group the product is an outer one, for which NumPy has no BLAS.
        columns = (numpy.multiply if share == 1 else numpy.matmul)(rows, given)
        columns = columns.reshape(channels, *kernel, *shape)
        if plain:
            _add_runs(columns, result, block, dilation, counts)
            continue
        for place in product(*(range(k) for k in kernel)):
            target = block.of(parts[(..., *place)])
            target += columns[(slice(None), *place)]
    inside = tuple(slice(p, p + s) for p, s in zip(padding, sizes, strict=True))
    return numpy.ascontiguousarray(result[(slice(None), slice(None), *inside)])


def _widened(y: Array, width: Sizes) -> Array:
    """The array (O, images, rows, ...) with zeros behind the last dimensions."""
    result: Array = numpy.zeros((*y.shape[:3], *width), y.dtype)
    result[(..., *(slice(0, n) for n in y.shape[3:]))] = y
    return result


def _add_runs(columns: Array, result: Array, block: _Block, dilation: Sizes, counts: Sizes) -> None:
    """Add columns as wide as the result to it: what belongs to one place of all windows is one run.

    What the columns have beside the windows is 0, as the gradient is there.
    """
    span = result.shape[2:]
    steps = [math.prod(span[dim + 1 :]) for dim in range(len(span))]
    kernel, rows = columns.shape[1 : 1 + len(span)], block.shape[1]
    length = sum((n - 1) * step for n, step in zip((rows, *counts[1:]), steps, strict=True)) + 1
    flat = result[block.images].reshape(block.shape[0], result.shape[1], math.prod(span)).swapaxes(0, 1)
    runs = columns.reshape(*columns.shape[: 2 + len(span)], rows * steps[0])
    for place in product(*(range(k) for k in kernel)):
        begin = block.rows.start * steps[0]
        begin += sum(k * d * step for k, d, step in zip(place, dilation, steps, strict=True))
        flat[..., begin : begin + length] += runs[(slice(None), *place)][..., :length]


def convolve_back_w(
    y: Array, x: Array, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Array:
    """What `convolve` does to a gradient of its result, for w."""
    outputs, counts = y.shape[1], y.shape[2:]
    share = outputs // groups
    shape = (outputs, x.shape[1] // groups, *kernel)
    result = numpy.zeros((groups, share, math.prod(shape[1:])), y.dtype)
    parts = windows(padded(x, padding, padding), kernel, stride, dilation, counts)
    for block, columns in _columns(parts, groups):
        # Gradients of sums have strides of 0, for which NumPy's product is a loop without BLAS.
        given = numpy.ascontiguousarray(block.of(y)).reshape(groups, share, columns.shape[2])
        result += numpy.matmul(given, columns.swapaxes(1, 2))
    return result.reshape(shape)
