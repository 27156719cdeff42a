"""Convolutions as products of matrices: the windows of some images as columns, times the weight.

Note [Blocks of columns]
    All the columns of a batch are many times as large as the batch.  They are made for a few images
    or, of a large image, for a few rows at a time, in one buffer that stays in the processor's
    cache; the product of each block goes to its place in the result.  Blocks depend on the shapes
    alone, so that the same arrays always give the same result.

Note [Turned weights]
    With a stride of 1 the derivative for the input is itself a convolution: of the gradient, with each
    kernel turned around and inputs and outputs exchanged.  That gathers columns as high as there are
    outputs, where adding up windows works on columns as high as there are inputs.

An input has the shape (N, C, *sizes); see `tgrad.backends.sliding` for the description of windows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import Any, Final, NamedTuple

import numpy

from tgrad.backends.sliding import Array, Sizes, counts, on_memory, windows

__all__ = ["convolve", "convolve_back_w", "convolve_back_x", "counts_of"]

counts_of: Final = lru_cache(256)(counts)

_BLOCK: Final = 1 << 18
"""About how many elements the columns of a block have."""

_FEW: Final = 64
"""Images with fewer places are multiplied as one matrix."""

_SHORT: Final = 1 << 13
"""For fewer elements of columns the number of calls counts, not how high the columns are."""


class _Block(NamedTuple):
    """Images, and rows of windows, that are worked on at a time."""

    images: slice
    rows: slice
    shape: tuple[int, ...]
    """How many images, rows, and what follows the rows."""

    def of(self, y: Array) -> Array:
        """Its part of an array (N, O, *counts), as (O, images, rows, ...)."""
        return y[self.images, :, self.rows].swapaxes(0, 1)


def _blocks(batch: int, height: int, counts: Sizes, largest: int) -> list[_Block]:
    """Blocks that make up a batch, of about `largest` elements; `height` is that of a column."""
    line = math.prod(counts[1:]) * height
    rows = max(1, min(counts[0], largest // max(line, 1)))
    images = max(1, min(batch, largest // max(line * counts[0], 1)))
    return [
        _Block(slice(image, last), slice(row, end), (last - image, end - row, *counts[1:]))
        for image in range(0, batch, images)
        for last in [min(image + images, batch)]
        for row in range(0, counts[0], rows)
        for end in [min(row + rows, counts[0])]
    ]


class _Columns(NamedTuple):
    """How the windows of inputs of one shape become columns."""

    padded: Sizes | None
    """The shape of an input with its padding, None where there is none."""
    inside: tuple[Any, ...]
    """Where the input lies in that."""
    windows: Sizes
    """The shape of all windows, as columns are: (N, C, *kernel, *counts) or (C, *kernel, N, *counts)."""
    strides: Sizes
    blocks: list[_Block]
    cuts: list[tuple[slice, ...]]
    """For each block the part of the windows that it has."""
    shapes: list[Sizes]
    """For each block the shape of its columns."""

    def parts(self, x: Array) -> Iterator[tuple[_Block, Array]]:
        """The blocks, each with its columns, which the next one overwrites."""
        if self.padded is None:
            full = numpy.ascontiguousarray(x)
        else:
            full = numpy.zeros(self.padded, x.dtype)
            full[self.inside] = x
        found: Array = on_memory(self.windows, x.dtype, full, 0, self.strides)
        if len(self.blocks) == 1:
            yield self.blocks[0], found.reshape(self.shapes[0])
            return
        buffer: Any = None
        for block, cut, shape in zip(self.blocks, self.cuts, self.shapes, strict=True):
            part = found[cut]
            if buffer is None:
                buffer = numpy.empty(part.size, x.dtype)
            columns = buffer[: part.size].reshape(part.shape)
            numpy.copyto(columns, part)
            yield block, columns.reshape(shape)


@lru_cache(256)
def _columns(
    shape: Sizes, kernel: Sizes, counts: Sizes, stride: Sizes, before: Sizes, after: Sizes, dilation: Sizes,
    groups: int, apart: bool, itemsize: int, largest: int,
) -> _Columns:  # fmt: skip
    """`apart`: columns (images, groups, height, places), or else (groups, height, images and places)."""
    n, batch, height = len(kernel), shape[0], shape[1] * math.prod(kernel) // groups
    spans = [b + s + a for b, s, a in zip(before, shape[2:], after, strict=True)]
    full = (*shape[:2], *spans)
    inside = (..., *(slice(b, b + s) for b, s in zip(before, shape[2:], strict=True)))
    steps = [math.prod(full[dim + 1 :]) * itemsize for dim in range(2 + n)]
    by_place = [step * each for step, each in zip(steps[2:], stride, strict=True)]
    in_kernel = [step * each for step, each in zip(steps[2:], dilation, strict=True)]
    blocks = _blocks(batch, height * groups, counts, largest)
    cuts: list[tuple[slice, ...]] = []
    shapes: list[Sizes] = []
    for block in blocks:
        every = [slice(None)] * n
        ahead, middle = ([block.images], []) if apart else ([], [block.images])
        cuts.append((*ahead, slice(None), *every, *middle, block.rows))
        places = math.prod(block.shape[1:])
        if apart:
            shapes.append((block.shape[0], groups, height, places))
        else:
            shapes.append((groups, height, block.shape[0] * places))
    channels, images = ((shape[1], *kernel), (steps[1], *in_kernel)), ((batch,), (steps[0],))
    first, second = (images, channels) if apart else (channels, images)
    return _Columns(
        None if full == shape else full, inside, (*first[0], *second[0], *counts),
        (*first[1], *second[1], *by_place), blocks, cuts, shapes,
    )  # fmt: skip


def convolve(
    x: Array, w: Array, counts: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int,
    bias: Array | None = None, after: Sizes | None = None,
) -> Array:  # fmt: skip
    """The convolution of x (N, C, *sizes) with w (O, C / groups, *kernel); `after` is the padding behind."""
    outputs, kernel = w.shape[0], w.shape[2:]
    share, places = outputs // groups, math.prod(counts)
    result = numpy.empty((x.shape[0], outputs, *counts), x.dtype)
    rows = w.reshape(groups, share, w.shape[1] * math.prod(kernel))
    apart = places >= _FEW or len(x) == 1
    columns = _columns(
        x.shape, kernel, counts, stride, padding, padding if after is None else after, dilation, groups,
        apart, x.itemsize, _BLOCK,
    )  # fmt: skip
    if not apart:
        for block, found in columns.parts(x):
            values, target = numpy.matmul(rows, found).reshape(outputs, *block.shape), block.of(result)
            if bias is None:
                target[...] = values
            else:
                numpy.add(values, bias.reshape(-1, *(1 for _ in block.shape)), out=target)
        return result
    line = math.prod(counts[1:])
    flat = result.reshape(len(x), groups, share, places)
    for block, found in columns.parts(x):
        target = flat[block.images, :, :, block.rows.start * line : block.rows.stop * line]
        numpy.matmul(rows, found, out=target)
        if bias is not None:
            target += bias.reshape(groups, share, 1)
    return result


def convolve_back_x(
    y: Array, w: Array, sizes: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Array:
    """What `convolve` does to a gradient of its result, for x; also transposed convolution."""
    kernel, counts = w.shape[2:], y.shape[2:]
    share, channels = w.shape[0] // groups, w.shape[1]
    if stride != (1,) * len(stride) or not _is_finite(w):
        return _add_windows(y, w, sizes, stride, padding, dilation, groups)
    before = tuple([d * (k - 1) - p for d, k, p in zip(dilation, kernel, padding, strict=True)])
    after = tuple([s + p - c for s, p, c in zip(sizes, padding, counts, strict=True)])
    few = y.size * math.prod(kernel) <= _SHORT
    if min(before) < 0 or min(after) < 0 or not (few or share <= channels):
        return _add_runs(y, w, sizes, padding, dilation, groups)
    turned = w.reshape(groups, share, channels, math.prod(kernel)).swapaxes(1, 2)[..., ::-1]
    turned = turned.reshape(groups * channels, share, *kernel)
    return convolve(y, turned, tuple(sizes), stride, before, dilation, groups, None, after)


def _is_finite(w: Array) -> bool:
    """Whether all elements are; the squares of very large ones aren't, then each is looked at."""
    return math.isfinite(numpy.vdot(w, w)) or bool(numpy.isfinite(w).all())


def _rows(w: Array, groups: int) -> Array:
    """The weight as (groups, height of a column, outputs)."""
    return w.reshape(groups, w.shape[0] // groups, math.prod(w.shape[1:])).swapaxes(1, 2)


def _products(rows: Array, given: Array) -> Array:
    """Of one output a group the product is an outer one, for which NumPy has no BLAS."""
    result: Array = (numpy.multiply if rows.shape[2] == 1 else numpy.matmul)(rows, given)
    return result


def _spans(
    sizes: Sizes, counts: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Sizes:
    """The sizes that all windows and the padding reach over."""
    return tuple(
        max(s + 2 * p, (c - 1) * st + d * (k - 1) + 1)
        for s, p, c, st, d, k in zip(sizes, padding, counts, stride, dilation, kernel, strict=True)
    )


def _inside(result: Array, sizes: Sizes, padding: Sizes) -> Array:
    at = (..., *(slice(p, p + s) for p, s in zip(padding, sizes, strict=True)))
    return numpy.ascontiguousarray(result[at])


def _add_windows(
    y: Array, w: Array, sizes: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Array:
    """The sum of columns at the places of their windows."""
    kernel, counts, rows = w.shape[2:], y.shape[2:], _rows(w, groups)
    channels = groups * w.shape[1]
    spans = _spans(sizes, counts, kernel, stride, padding, dilation)
    result = numpy.zeros((y.shape[0], channels, *spans), y.dtype)
    # Where each window's element k lies: a view of the result in the shape of all windows.
    parts = windows(result, kernel, stride, dilation, counts, writeable=True)
    for block in _blocks(y.shape[0], groups * rows.shape[1], counts, _BLOCK):
        given = numpy.ascontiguousarray(block.of(y)).reshape(groups, rows.shape[2], math.prod(block.shape))
        columns = _products(rows, given).reshape(channels, *kernel, *block.shape)
        for place in product(*(range(k) for k in kernel)):
            target = block.of(parts[(..., *place)])
            target += columns[(slice(None), *place)]
    return _inside(result, sizes, padding)


def _add_runs(y: Array, w: Array, sizes: Sizes, padding: Sizes, dilation: Sizes, groups: int) -> Array:
    """The same for a stride of 1 and finite weights, by columns as wide as the result.

    What belongs to one place of all windows is one run.  What the columns have beside the windows is 0,
    as the gradient is there.
    """
    kernel, counts, rows = w.shape[2:], y.shape[2:], _rows(w, groups)
    channels = groups * w.shape[1]
    spans = _spans(sizes, counts, kernel, (1,) * len(kernel), padding, dilation)
    steps = [math.prod(spans[dim + 1 :]) for dim in range(len(spans))]
    result = numpy.zeros((y.shape[0], channels, *spans), y.dtype)
    flat = result.reshape(y.shape[0], channels, math.prod(spans)).swapaxes(0, 1)
    for block in _blocks(y.shape[0], groups * rows.shape[1], counts, _BLOCK):
        images, lines = block.shape[:2]
        given: Array = numpy.zeros((len(w), images, lines, *spans[1:]), y.dtype)
        given[(..., *(slice(0, n) for n in counts[1:]))] = block.of(y)
        columns = _products(rows, given.reshape(groups, rows.shape[2], images * lines * steps[0]))
        columns = columns.reshape(channels, *kernel, images, lines * steps[0])
        length = sum((n - 1) * step for n, step in zip((lines, *counts[1:]), steps, strict=True)) + 1
        for place in product(*(range(k) for k in kernel)):
            begin = block.rows.start * steps[0]
            begin += sum(k * d * step for k, d, step in zip(place, dilation, steps, strict=True))
            target = flat[:, block.images, begin : begin + length]
            target += columns[(slice(None), *place)][..., :length]
    return _inside(result, sizes, padding)


def convolve_back_w(
    y: Array, x: Array, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Array:
    """What `convolve` does to a gradient of its result, for w."""
    outputs, counts = y.shape[1], y.shape[2:]
    share = outputs // groups
    shape = (outputs, x.shape[1] // groups, *kernel)
    result: Any = None
    columns = _columns(
        x.shape, tuple(kernel), counts, stride, padding, padding, dilation, groups, False, x.itemsize, _BLOCK
    )
    for block, found in columns.parts(x):
        # Gradients of sums have strides of 0, for which NumPy's product is a loop without BLAS.
        given = numpy.ascontiguousarray(block.of(y)).reshape(groups, share, found.shape[2])
        products = numpy.matmul(given, found.swapaxes(1, 2))
        result = products if result is None else numpy.add(result, products, out=result)
    if result is None:
        return numpy.zeros(shape, y.dtype)
    return result.reshape(shape)
