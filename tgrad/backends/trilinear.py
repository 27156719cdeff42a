"""Products of three arrays, summed over some of their dimensions, rounded as PyTorch rounds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from tgrad.backends.narrow import is_narrow
from tgrad.backends.products import matmul

Dims = tuple[int, ...]


def trilinear(
    first: Any, second: Any, third: Any, absent: Sequence[Dims], summed: Dims, unrolled: int = 1
) -> Any:
    """sum(first * second * third) over the dimensions `summed`.

    `absent` says for each of the three which dimensions it hasn't.  One dimension is unrolled: for
    each of its places the first two are multiplied, and the product with the third.
    """
    arrays = [numpy.expand_dims(a, dims) for a, dims in zip((first, second, third), absent, strict=True)]
    shape = [max(sizes) if 0 not in sizes else 0 for sizes in zip(*[a.shape for a in arrays], strict=True)]
    early = tuple(d for d in summed if d != unrolled and d in absent[2])
    late = tuple(d for d in summed if d != unrolled and d not in absent[2])
    size = [1 if d in summed else n for d, n in enumerate(shape)]
    result = numpy.zeros(size, first.dtype)
    for place in range(shape[unrolled]):
        parts = [_at(a, unrolled, place, unrolled in dims) for a, dims in zip(arrays, absent, strict=True)]
        value = _pair(_pair(parts[0], parts[1], early), parts[2], late)
        if unrolled in summed:
            result += value
        else:
            result[(slice(None),) * unrolled + (slice(place, place + 1),)] = value
    return result.squeeze(summed)


def _at(array: Any, dim: int, place: int, whole: bool) -> Any:
    return array if whole else array[(slice(None),) * dim + (slice(place, place + 1),)]


def _pair(a: Any, b: Any, summed: Dims) -> Any:
    """sum(a * b) over some dimensions, which keep the size 1, by one matrix product."""
    if 0 in a.shape or 0 in b.shape:
        pairs = enumerate(zip(a.shape, b.shape, strict=True))
        size = [1 if d in summed else max(n, m) * min(n, m, 1) for d, (n, m) in pairs]
        return numpy.zeros(size, a.dtype)
    dims = range(a.ndim)
    for d in summed:  # what only one of them has is summed first
        if a.shape[d] == 1 and b.shape[d] > 1:
            b = b.sum(d, keepdims=True, dtype=b.dtype)
        elif b.shape[d] == 1 and a.shape[d] > 1:
            a = a.sum(d, keepdims=True, dtype=a.dtype)
    both = [d for d in dims if d not in summed and a.shape[d] > 1 and b.shape[d] > 1]
    left = [d for d in dims if d not in summed and d not in both and b.shape[d] == 1]
    right = [d for d in dims if d not in summed and d not in both and d not in left]
    order = [*both, *left, *summed, *right]
    rows = a.transpose([*both, *left, *summed, *right]).reshape(_count(a, both), _count(a, left), -1)
    columns = b.transpose([*both, *summed, *right, *left]).reshape(_count(b, both), _count(b, summed), -1)
    product = _product(rows, columns)
    sizes = [a.shape[d] for d in [*both, *left]] + [1] * len(summed) + [b.shape[d] for d in right]
    return product.reshape(sizes).transpose([order.index(d) for d in dims])


def _count(array: Any, dims: Sequence[int]) -> int:
    count = 1
    for d in dims:
        count *= array.shape[d]
    return count


def _product(a: Any, b: Any) -> Any:
    if is_narrow(a.dtype):
        return matmul(a.astype(numpy.float32), b.astype(numpy.float32)).astype(a.dtype)
    return matmul(a, b)
