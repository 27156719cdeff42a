"""The order in which PyTorch's loops go through a reduction, found from shape and strides.

PyTorch brings the reduced dimensions to the front, sorts dimensions by stride, merges those that
one stride can walk through and then chooses among four loops; which additions meet depends on all
of that.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

from tgrad.backends.narrow import is_narrow

Array: TypeAlias = Any
Axes: TypeAlias = tuple[int, ...] | None

GRAIN: Final = 32768
"""The number of elements from which PyTorch splits a reduction over threads."""

INNER, INNER_SCALAR, OUTER, OUTER_SCALAR, SINGLE, SHORT, VECTOR = range(7)


class Plan(NamedTuple):
    """How a sum over some axes of an array of some shape and strides is made."""

    kernel: int
    order: tuple[int, ...]  # the transposition: kept axes, outer reduced axes, columns, rows
    shape: tuple[int, ...]  # after merging axes
    kept: int  # the number of leading axes of `shape` that aren't reduced
    result: tuple[int, ...]
    result_keepdims: tuple[int, ...]
    split: int | None  # the axis of `shape` that threads share, if they do
    round_split: bool


def make_plan(array: Array, axis: Axes, keepdims: bool, threads: int) -> Plan:
    """Find PyTorch's loop order for the reduction, and with it the kernel it takes."""
    ndim = array.ndim
    reduced_axes = frozenset(range(ndim)) if axis is None else frozenset(a % ndim for a in axis if ndim)
    result = tuple(n for a, n in enumerate(array.shape) if a not in reduced_axes)
    result_keepdims = tuple(1 if a in reduced_axes else n for a, n in enumerate(array.shape))
    out_strides = _result_strides(array, reduced_axes, keepdims)
    perm = _sorted_axes(array.shape, array.strides, out_strides)
    sizes, strides, outs = _merged(
        [array.shape[a] for a in perm],
        [array.strides[a] for a in perm],
        [out_strides[a] for a in perm],
    )
    reduced = [out == 0 for out in outs]
    if sizes == [1]:
        reduced = [True]
    while len(sizes) < 2:  # PyTorch's loops are always two deep
        sizes.append(1)
        strides.append(0)
        reduced.append(True)
    kept = [d for d in range(len(sizes)) if not reduced[d]]
    kernel = _choose(array, sizes, strides, reduced)
    split, round_split = _split_dimension(array, sizes, strides, reduced, threads)
    return Plan(
        kernel,
        tuple(reversed(perm)),
        tuple(reversed(sizes)),
        len(kept),
        result,
        result_keepdims,
        None if split is None else len(sizes) - 1 - split,
        round_split,
    )


def _result_strides(array: Array, reduced_axes: frozenset[int], keepdims: bool) -> list[int]:
    """Strides of the contiguous result, counted in elements, with 0 for reduced axes.

    With `keepdims` a reduced axis of one element has a stride, as any axis of the result has."""
    strides = [0] * array.ndim
    step = 1
    for a in range(array.ndim - 1, -1, -1):
        if a not in reduced_axes:
            strides[a] = step
            step *= max(array.shape[a], 1)
        elif keepdims and array.shape[a] == 1:
            strides[a] = step
    return strides


def _sorted_axes(shape: tuple[int, ...], strides: tuple[int, ...], out_strides: list[int]) -> list[int]:
    """The axes from the fastest to the slowest in PyTorch's loops: reduced ones before others,
    otherwise by stride, where strides of 0 say nothing."""

    def order(a: int, b: int) -> int:
        out_a, out_b = out_strides[a], out_strides[b]
        if (out_a == 0) != (out_b == 0):
            return 1 if out_b == 0 else -1
        for stride_a, stride_b in ((out_a, out_b), (strides[a], strides[b])):
            if stride_a == 0 or stride_b == 0:
                continue
            if stride_a != stride_b:
                return -1 if stride_a < stride_b else 1
            if shape[a] > shape[b]:
                return 1
        return 0

    perm = list(range(len(shape) - 1, -1, -1))
    for i in range(1, len(perm)):
        moving = i
        for other in range(i - 1, -1, -1):
            comparison = order(perm[other], perm[moving])
            if comparison > 0:
                perm[other], perm[moving] = perm[moving], perm[other]
                moving = other
            elif comparison < 0:
                break
    return perm


def _merged(sizes: list[int], strides: list[int], outs: list[int]) -> tuple[list[int], list[int], list[int]]:
    """Merge neighbouring dimensions that one stride can walk through."""
    if not sizes:
        return [1], [0], [0]
    merged = [(sizes[0], strides[0], outs[0])]
    for size, stride, out in zip(sizes[1:], strides[1:], outs[1:], strict=True):
        last_size, last_stride, last_out = merged[-1]
        if last_size == 1:
            merged[-1] = (size, stride, out)
        elif size == 1:
            pass
        elif last_size * last_stride == stride and last_size * last_out == out:
            merged[-1] = (last_size * size, last_stride, last_out)
        else:
            merged.append((size, stride, out))
    return [m[0] for m in merged], [m[1] for m in merged], [m[2] for m in merged]


def _choose(array: Array, sizes: list[int], strides: list[int], reduced: list[bool]) -> int:
    """PyTorch's choice among its four loops; `SINGLE` where there is one element for each sum,
    `SHORT` where there are four at most, which all loops add up in order; `VECTOR` for few enough
    elements side by side, all of them to be added up."""
    if not reduced[0]:
        return SINGLE
    short = sizes[0] <= 4 and (reduced.count(True) == 1 or 0 < array.size == sizes[0])
    if short and array.dtype.kind == "f" and not is_narrow(array.dtype):
        return SHORT
    if all(reduced) and 0 < array.size < GRAIN and array.flags.c_contiguous and not is_narrow(array.dtype):
        return VECTOR
    lanes = 32 // array.itemsize
    if strides[0] == array.itemsize and sizes[0] >= lanes:
        return INNER
    if strides[1] == array.itemsize and sizes[1] >= lanes:
        return OUTER
    return INNER_SCALAR if strides[0] < strides[1] else OUTER_SCALAR


def _split_dimension(
    array: Array, sizes: list[int], strides: list[int], reduced: list[bool], threads: int
) -> tuple[int | None, bool]:
    """The dimension that threads share among them, and whether at multiples of 128 bytes."""
    if array.size < GRAIN or threads == 1 or all(reduced):
        return None, False
    best = last = len(sizes) - 1
    if len(sizes) == 2 and sizes[1] == 1:
        best = last = 0
    for d in range(last, -1, -1):
        if reduced[d]:
            break
        if sizes[d] >= threads:
            best = d
            break
        if sizes[d] > sizes[best]:
            best = d
    return best, strides[best] == array.itemsize
