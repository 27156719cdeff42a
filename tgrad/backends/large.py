"""Elementwise work on large arrays: block by block, on several threads, without needless pages.

NumPy makes one pass over memory for each operation of a kernel, on one thread.  Elementwise kernels
give the same numbers when they are run on pieces, so here a kernel is run on blocks that stay in the
cache, with all its operations on one block before the next, and the blocks are shared by threads
(`tgrad.backends.threads`).  Neither rows nor kernels know of it: `in_blocks` runs the forward of any
elementwise row, `derivatives` the formulas of one.

Note [Fresh pages]
    Memory that comes from the operating system is cleared page by page when it is first touched,
    which takes longer than adding up what is in it.  The GNU C library hands memory back whenever
    much of it is free, unless it has learned that blocks of such sizes come and go: freeing a block
    that was mapped raises the size up to which it keeps memory for the next one, see "dynamic mmap
    threshold" in mallopt(3).  So one that is never touched is freed as soon as this file is read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import numpy
from numpy import may_share_memory, ndarray, ufunc

from tgrad.backends.pace import WHOLE, Pace
from tgrad.backends.threads import each

Array: TypeAlias = Any  # an ndarray

LARGE: Final = 1 << 15
"""Arrays of so many elements are worked on in blocks.  (PyTorch's threads begin there, too.)"""
BLOCK: Final = 1 << 16
"""The most elements in a block: its few temporaries stay in the cache of a core."""
SINGLE: Final = 1 << 18
"""A single operation, as quick as memory, is divided from so many elements on."""
SMALL: Final = 1 << 13
"""The least elements in a block."""

numpy.empty((32 << 20) - (64 << 10), numpy.uint8)  # Note [Fresh pages]


def in_blocks(forward: Callable[..., Any], xp: Any, *args: Any, **keywords: Any) -> Any:
    """`forward(xp, *args, **keywords)` of an elementwise row, with at least one large array."""
    pace = Pace(forward, args)
    if pace.is_light():
        result = forward(xp, *args, **keywords)
        pace.note()
        return result
    pieces = Pieces.of(args)
    if pieces is None:
        return forward(xp, *args, **keywords)
    single = _single_operation(forward, xp, args, keywords)
    if single is not None:
        return _run_single(*single, pieces, args, pace)
    parts = pieces.cut(0, pieces.block)
    block = forward(xp, *parts, **keywords)
    if not pieces.fits(block, parts):
        return forward(xp, *args, **keywords)
    result = pieces.empty(block.dtype)
    pieces.put(result, 0, block)

    def work(start: int, stop: int) -> None:
        pieces.put(result, start, forward(xp, *pieces.cut(start, stop), **keywords))

    pieces.each_but_first(work, pace)
    return result


def derivatives(formulas: Callable[..., Any], o: Any, g: Array, edges: Any, *saved: Any) -> tuple[Any, ...]:
    """`formulas(o, g, edges, *saved)`: for each operand of an elementwise row its gradient, or None.

    What a formula returns unchanged, the gradient or something saved, is returned as a whole.  Where
    nobody but the walk refers to the gradient, its memory becomes that of a result.
    """
    alone = sys.getrefcount(g) == ALONE and g.base is None
    values = (g, *saved)
    pace = Pace(formulas, values)
    if pace.is_light():
        found: tuple[Any, ...] = formulas(o, g, edges, *saved)
        pace.note()
        return found
    pieces = Pieces.of(values)
    if pieces is None:
        return formulas(o, g, edges, *saved)  # type: ignore[no-any-return]
    parts = pieces.cut(0, pieces.block)
    blocks = formulas(o, parts[0], edges, *parts[1:])
    results: list[Any] = [None] * len(blocks)
    made: list[int] = []
    for number, block in enumerate(blocks):
        if block is None:
            continue
        same = next((value for value, part in zip(values, parts, strict=True) if part is block), None)
        if same is not None:
            results[number] = same
            alone = alone and same is not g
        elif pieces.fits(block, parts):
            made.append(number)
        else:
            return formulas(o, g, edges, *saved)  # type: ignore[no-any-return]
    for number in made:
        block = blocks[number]
        own = alone and g.shape == pieces.shape and g.dtype == block.dtype and g.flags.c_contiguous
        results[number] = g if own else pieces.empty(block.dtype)
        alone = alone and not own
    for number in made:
        pieces.put(results[number], 0, blocks[number])

    def work(start: int, stop: int) -> None:
        g, *others = pieces.cut(start, stop)
        found = formulas(o, g, edges, *others)
        for number in made:
            pieces.put(results[number], start, found[number])

    if made:
        pieces.each_but_first(work, pace)
    return tuple(results)


def over(function: Any, target: Array, *others: Any) -> None:
    """`function(target, *others)` of a single elementwise operation, written over the target."""
    if target.size < SINGLE:
        if target.size == 1:  # over a single element NumPy takes three times as long as for a new array
            target[...] = function(target, *others)
        else:
            function(target, *others, out=target)
        return
    pieces = Pieces.of((target, *others))
    alone = not any(type(x) is ndarray and x is not target and may_share_memory(x, target) for x in others)
    if pieces is None or pieces.shape != target.shape or not alone:
        function(target, *others, out=target)
        return

    def work(start: int, stop: int) -> None:
        parts = pieces.cut(start, stop)
        function(*parts, out=parts[0])

    each(work, pieces.total, pieces.length(max(SINGLE >> 2, target.size >> 5)))


def change_in_blocks(formula: Any, o: Any, arrays: Sequence[Any], options: dict[str, Any]) -> Any:
    """`formula(o, *arrays, **options)` that writes to some of the arrays, element by element.

    The arrays are of one shape and stored row by row; some may be None.  Large ones are worked on block by
    block, with all of the formula's operations on one before the next.
    """
    pieces = Pieces.of(arrays) if arrays[0].size >= LARGE else None
    if pieces is None:
        return formula(o, *arrays, **options)
    pace = Pace(formula, arrays)
    if pace.is_light():
        found = formula(o, *arrays, **options)
        pace.note()
        return found
    found = formula(o, *pieces.cut(0, pieces.block), **options)
    pieces.each_but_first(lambda start, stop: formula(o, *pieces.cut(start, stop), **options), pace)
    return found


def large_sum(a: Array, b: Array, into_first: bool) -> Array:
    """a + b of large arrays of one dtype, written over a if that is allowed."""
    if not into_first or a.shape != b.shape or a.dtype != b.dtype or not a.flags.c_contiguous:
        return in_blocks(_sum, numpy, a, b)
    if not b.flags.c_contiguous:
        return numpy.add(a, b, out=a)
    x, y = a.reshape(-1), b.reshape(-1)
    each(lambda i, j: numpy.add(x[i:j], y[i:j], out=x[i:j]), a.size, max(SINGLE >> 2, a.size >> 5))
    return a


def _sum(xp: Any, a: Array, b: Array) -> Array:
    return xp.add(a, b)


def _references_of_walk() -> int:
    """What `sys.getrefcount` says in `derivatives` of a gradient that only the walk refers to."""

    class Node:
        def raw(self, g: Array, edges: Any) -> int:
            return counted(None, None, g, edges)

    def counted(formulas: Any, o: Any, g: Array, edges: Any, *saved: Any) -> int:
        return sys.getrefcount(g)

    node, gradients = Node(), [numpy.empty(0)]
    g = gradients.pop()
    return node.raw(g, ())


ALONE: Final = _references_of_walk()


# ------------------------------------------------------------------------------------- pieces


class Pieces:
    """Arrays of one shape, or broadcast to it, cut into ranges that belong together.

    The ranges are ones of elements in memory; where some arrays are broadcast, of the first axis.
    """

    __slots__ = ("along", "block", "shape", "total", "values")

    def __init__(self, largest: Array, along: bool, values: Sequence[Any]) -> None:
        self.shape = shape = largest.shape
        size = largest.size
        self.along = along
        """Whether ranges are ones of the first axis."""
        self.total = shape[0] if along else size
        self.block = self.length(SMALL if largest.nbytes < WHOLE else min(max(SMALL << 2, size >> 4), BLOCK))
        self.values = [_to_cut(value, shape, along) if type(value) is ndarray else value for value in values]

    def length(self, elements: int) -> int:
        """The length of a range of so many elements, or not many more."""
        return -(-elements // _count(self.shape[1:])) if self.along else elements

    @classmethod
    def of(cls, values: Sequence[Any]) -> Pieces | None:
        """The arrays among the values in pieces; None where that isn't possible or doesn't pay."""
        arrays = [value for value in values if type(value) is ndarray and value.size != 1]
        if not arrays or any(type(value) in (tuple, list) and _of_arrays(value) for value in values):
            return None
        largest = max(arrays, key=_size)
        shape, size = largest.shape, largest.size
        if size <= SMALL or not all(a.flags.c_contiguous or not any(a.strides) for a in arrays):
            return None
        if all(a.shape == shape for a in arrays):
            return cls(largest, False, values)
        if size > shape[0] * BLOCK or not all(_broadcasts(a.shape, shape) for a in arrays):
            return None
        return cls(largest, True, values)

    def cut(self, start: int, stop: int) -> list[Any]:
        """The values with a range of each array."""
        return [v[0][start:stop] if type(v) is list else v for v in self.values]

    def fits(self, block: Any, parts: Sequence[Any]) -> bool:
        """Whether a result for the first range, made of `parts`, is an array of its own of that shape."""
        shape = (min(self.block, self.total), *(self.shape[1:] if self.along else ()))
        return (
            type(block) is ndarray
            and block.shape == shape
            and not any(type(part) is ndarray and may_share_memory(part, block) for part in parts)
        )

    def empty(self, dtype: Any) -> Array:
        """An array for the result."""
        return numpy.empty(self.shape, dtype)

    def put(self, result: Array, start: int, block: Array) -> None:
        """Write a range of the result."""
        self.flat(result)[start : start + len(block)] = block

    def flat(self, result: Array) -> Array:
        """The result so that its ranges are slices."""
        return result if self.along else result.reshape(-1)

    def each_but_first(self, work: Callable[[int, int], None], pace: Pace) -> None:
        """`work(start, stop)` for each range except the first, by this thread if that took little time."""
        block, total = self.block, self.total
        done = min(block, total)
        if pace.rest_is_short(done / total):
            for start in range(done, total, block):
                work(start, min(start + block, total))
        else:
            each(lambda start, stop: work(start + done, stop + done), total - done, block)


def _size(array: Array) -> int:
    return int(array.size)


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _of_arrays(values: Sequence[Any]) -> bool:
    return any(type(value) is ndarray for value in values)


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether a shape is broadcast to the other without changing it."""
    pairs = zip(reversed(shape), reversed(to), strict=False)
    return len(shape) <= len(to) and all(size in (1, other) for size, other in pairs)


def _to_cut(array: Array, shape: tuple[int, ...], along: bool) -> Any:
    """An array to be cut, in a list; or one that goes with every range, as it is."""
    if array.size == 1:
        return array.reshape(()) if along else array.reshape(1)
    if along:
        return [array] if array.ndim == len(shape) and array.shape[0] == shape[0] > 1 else array
    if array.flags.c_contiguous:
        return [array.reshape(-1)]
    return [numpy.broadcast_to(array[(0,) * array.ndim], array.size)]


# ------------------------------------------------------------------------- single operations


class _Operand:
    """Stands for an array while it is looked what a kernel does."""

    __slots__ = ("dtype", "index")

    def __init__(self, index: int, dtype: Any) -> None:
        self.index = index
        self.dtype = dtype


class _Look:
    """Stands for the array library: notes which function is called with which arguments."""

    def __init__(self, xp: Any) -> None:
        self.xp = xp
        self.calls: list[tuple[Any, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        function = getattr(self.xp, name)

        def noted(*args: Any) -> Any:
            self.calls.append((function, args))
            return self.calls

        return noted


Single: TypeAlias = tuple[Callable[..., Any], list[Any]]


def _single_operation(
    forward: Callable[..., Any], xp: Any, args: Sequence[Any], keywords: dict[str, Any]
) -> Single | None:
    """The function that a kernel calls once and for all, with its arguments; None if it does more."""
    look = _Look(xp)
    operands = [_Operand(i, a.dtype) if type(a) is ndarray else a for i, a in enumerate(args)]
    try:
        result = forward(look, *operands, **keywords)
    except Exception:  # it does something with an array itself
        return None
    if result is not look.calls or len(look.calls) != 1:
        return None
    function, given = look.calls[0]
    if type(function) is not ufunc and not hasattr(function, "into"):
        return None
    return function, list(given)


def _run_single(function: Any, given: list[Any], pieces: Pieces, args: Sequence[Any], pace: Pace) -> Array:
    values = [args[v.index] if type(v) is _Operand else v for v in given]
    quick = type(function) is ufunc
    if quick and pieces.total < pieces.length(SINGLE):
        return function(*values)
    chosen = [pieces.values[v.index] if type(v) is _Operand else v for v in given]
    into = function if quick else function.into
    first = [v[0][:1] if type(v) is list else v for v in chosen]
    result = pieces.empty(function(*first).dtype)
    flat = pieces.flat(result)

    def work(start: int, stop: int) -> None:
        into(*[v[0][start:stop] if type(v) is list else v for v in chosen], out=flat[start:stop])
        if not start:
            pace.note(stop / pieces.total)

    each(work, pieces.total, pieces.length(max(1 << 16, result.size >> 5)) if quick else pieces.block)
    return result
