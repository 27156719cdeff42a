"""Large arrays brought down to the size of a picture, strip by strip: means, and lowest and highest."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tgrad.display.statistics import Array


class Reduced(NamedTuple):
    """A matrix of means of blocks, and where a block had elements that aren't finite."""

    means: Array
    """float64; NaN where a block has no finite element."""
    marked: Array
    """bool, of the same shape."""


def block_means(array: Array, down: int, across: int) -> Reduced:
    """The means of blocks of `down` times `across` elements; the last ones may be smaller."""
    tops = [*range(0, array.shape[0], down), array.shape[0]]
    lefts = [*range(0, array.shape[1], across), array.shape[1]]
    means = np.empty((len(tops) - 1, len(lefts) - 1))
    marked = np.zeros(means.shape, bool)
    widths = np.diff(lefts)
    with np.errstate(all="ignore"):
        for i, (top, bottom) in enumerate(pairwise(tops)):
            strip = array[top:bottom]
            if strip.dtype.kind == "c":
                strip = np.abs(strip)
            total = np.add.reduceat(strip.sum(axis=0, dtype=np.float64), lefts[:-1])
            means[i] = total / (widths * (bottom - top))
            if not np.isfinite(total).all():
                means[i], marked[i] = _finite_means(strip.astype(np.float64), lefts)
    return Reduced(means, marked)


def _finite_means(strip: Array, lefts: list[int]) -> tuple[Array, Array]:
    finite = np.isfinite(strip)
    each = np.diff(lefts) * strip.shape[0]
    count = np.add.reduceat(finite.sum(axis=0), lefts[:-1])
    # Divided first: the sum of large numbers may be beyond the largest.
    parts = np.where(finite, strip, 0) / strip.shape[0]
    sums = np.add.reduceat(parts.sum(axis=0), lefts[:-1]) * strip.shape[0]
    return np.where(count, sums / np.maximum(count, 1), np.nan), count < each


def _edges(size: int, most: int) -> list[int]:
    """Where blocks begin, and the end: as many blocks as there may be, alike up to one element."""
    count = min(size, most)
    return [size * i // count for i in range(count + 1)]


class Envelope(NamedTuple):
    """For each piece of a row of numbers its lowest and highest; NaN where none is finite."""

    low: Array
    high: Array
    marked: Array
    """Which pieces have elements that aren't finite."""


def envelope(array: Array, pieces: int) -> Envelope:
    """One dimension as at most `pieces` pairs of lowest and highest."""
    edges = _edges(array.size, pieces)
    low, high = np.full(len(edges) - 1, np.nan), np.full(len(edges) - 1, np.nan)
    marked = np.zeros(len(edges) - 1, bool)
    for i, (start, end) in enumerate(pairwise(edges)):
        piece = np.abs(array[start:end]) if array.dtype.kind == "c" else array[start:end]
        piece = piece.astype(np.float64) if piece.itemsize < 4 else piece
        low[i], high[i] = piece.min(), piece.max()
        if not (np.isfinite(low[i]) and np.isfinite(high[i])):
            marked[i] = True
            piece = piece[np.isfinite(piece)]
            low[i], high[i] = (piece.min(), piece.max()) if piece.size else (np.nan, np.nan)
    return Envelope(low, high, marked)
