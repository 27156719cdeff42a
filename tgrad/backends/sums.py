"""Sums in PyTorch's own order of floating point additions.

Floating point addition isn't associative: the last bits of a sum tell in which order it was made.
PyTorch's CPU kernel keeps several running sums (the lanes of a 256 bit vector, and four of those in
turn), and cascades long sums over four levels of blocks, so that numbers of like size are added.
Which elements meet in which running sum depends on the strides that are left after PyTorch has
brought reduced dimensions to the front, sorted them by stride and merged those that lie
end to end.  `tgrad.backends.geometry` repeats that analysis once for each geometry; the kernels
below repeat the additions, vectorised over whatever is independent.

How NumPy is made to add in order, and quickly, is said in `tgrad.backends.folds`.

Note [Threads]
    From 32768 elements on PyTorch splits a sum over its threads, and the split shows in the last
    bit.  `threads` says for how many threads the results are made, whatever the number that computes
    them: as many as a program or `OMP_NUM_THREADS` asks for, or else 2 on every machine, the number
    of threads for which the recordings in `tests/golden` were made.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy
from numpy import add, asarray, ascontiguousarray, concatenate, float32, zeros

from tgrad.backends import few
from tgrad.backends.choice import known
from tgrad.backends.folds import fold, in_parts, spread
from tgrad.backends.geometry import (
    GRAIN,
    INNER,
    INNER_SCALAR,
    OUTER,
    SHORT,
    SINGLE,
    VECTOR,
    Plan,
    make_plan,
)
from tgrad.backends.narrow import is_narrow
from tgrad.backends.threads import requested

Array: TypeAlias = Any  # an ndarray: the overloads of NumPy's types ask for more than is known
Axes: TypeAlias = tuple[int, ...] | None

threads = requested() or 2
"""How many threads PyTorch's sum is taken to have; see Note [Threads]."""

_PLANS: dict[Any, Plan] = {}
_PLANS_KEPT: Final = 512


def sum(array: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """The sum over the axes (all if None), as PyTorch's CPU kernel rounds it.

    16 bits are added up in float32 and rounded once; bool and integers give int64.
    The empty tuple stands for no axis, as in NumPy.
    """
    if axis is None and not keepdims:
        few_added = few.reduced(add, array, 4)  # no running sum but one
        if few_added is not None:
            return asarray(few_added + 0.0)  # from which it starts
    dtype = array.dtype
    narrow = is_narrow(dtype)
    if dtype.kind not in "fc" and not narrow:
        return _whole_numbers(array, axis, keepdims)
    if axis is None and array.flags.fnc and not keepdims:
        array = array.T  # added up in the order of the memory
    if axis is None and not keepdims and array.flags.c_contiguous and not narrow:
        size = array.size
        if size <= 4 and dtype.kind == "f":
            return add.reduce(array, None, out=..., initial=0)
        if 0 < size < GRAIN:
            return _vector(array.reshape(size))
    key = (array.shape, array.strides, axis, keepdims, dtype.num, threads)
    plan = _PLANS.get(key)
    if plan is None:
        if len(_PLANS) >= _PLANS_KEPT:
            _PLANS.clear()
        plan = _PLANS[key] = make_plan(array, axis, keepdims, threads)
    if plan.kernel == SHORT:
        return add.reduce(array, axis, out=..., keepdims=keepdims, initial=0)
    if plan.kernel == VECTOR:
        return _vector(array.reshape(-1)).reshape(plan.result_keepdims if keepdims else plan.result)
    result = _run(plan, array) if array.size else zeros(plan.result, dtype)
    if narrow:
        result = result.astype(dtype)
    return result.reshape(plan.result_keepdims if keepdims else plan.result)


def _whole_numbers(array: Array, axis: Axes, keepdims: bool) -> Array:
    """The sum of integers or truth values: it doesn't depend on the order."""
    if array.dtype == numpy.bool_ and axis is None and not keepdims:
        return numpy.array(numpy.count_nonzero(array), numpy.int64)
    return spread(add, array, axis, keepdims, numpy.int64)


def nansum(array: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """The sum of the elements that aren't NaN."""
    return sum(without_nan(array), axis, keepdims)


def without_nan(array: Array) -> Array:
    """The array, with 0 where it has NaN."""
    if array.dtype.kind not in "fcV":
        return array
    missing = numpy.isnan(array)
    return array if known(~missing.any()) else numpy.where(missing, array.dtype.type(0), array)


def mean(array: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """The sum over the axes divided by the number of elements; 16 bits are rounded at the end."""
    if is_narrow(array.dtype):
        return mean(array.astype(float32), axis, keepdims).astype(array.dtype)
    total = sum(array, axis, keepdims)
    count = array.size // total.size if total.size else 1
    if not total.ndim:
        return asarray(total[()] / total.dtype.type(count))
    return numpy.divide(total, total.dtype.type(count), out=...)


# -------------------------------------------------------------------------- running the plan


def _run(plan: Plan, array: Array) -> Array:
    """The sums, flat in the order of the result's axes."""
    view = array.transpose(plan.order).reshape(plan.shape)
    if plan.kernel == SINGLE:
        return view + array.dtype.type(0)
    if plan.kept == 0:
        if array.size >= GRAIN and threads > 1:
            return _run_threads(plan, view)
        return _serial(plan, view, 0)
    if plan.split is None or plan.split != len(plan.shape) - 2:
        return _serial(plan, view, plan.kept)  # the split leaves all sums as they are
    pieces = _pieces(view.shape[plan.split], plan.round_split, array.itemsize)
    parts: list[Array] = [None] * len(pieces)

    def work(start: int, stop: int) -> None:
        for number in range(start, stop):
            begin, end = pieces[number]
            parts[number] = _serial(plan, view[..., begin:end, :], plan.kept)

    in_parts(work, len(pieces), 1, array.nbytes)
    return concatenate(parts, axis=plan.split)


def _pieces(size: int, rounded: bool, itemsize: int) -> list[tuple[int, int]]:
    """The ranges of columns that the threads take."""
    workers = min(threads, size)
    chunk = -(-size // workers)
    multiple = 128 // itemsize if rounded else 1
    pieces = []
    for begin in range(0, size, chunk):
        end = min(begin + chunk, size)
        begin -= begin % multiple
        if end != size:
            end -= end % multiple
        if begin < end:
            pieces.append((begin, end))
    return pieces


def _serial(plan: Plan, view: Array, kept: int) -> Array:
    """One thread's part: a kernel for the two inner dimensions, then what is left to reduce."""
    if kept:
        columns = view.shape[kept:-1]
        if not columns:  # the columns are kept
            return _columns_and_rows(plan, view)
    return _add_to_result(_columns_and_rows(plan, view), kept)


def _columns_and_rows(plan: Plan, view: Array) -> Array:
    """The sums over the last axis of the view."""
    shape = view.shape
    if len(shape) != 3:
        view = view.reshape(-1, *shape[-2:])
    half = is_narrow(view.dtype)
    lanes = 32 // max(view.itemsize, 4)
    if plan.kernel == INNER and shape[-1] * view.itemsize >= 32:
        sums = _inner_half(view) if half else _inner(view, lanes)
    else:
        if half:
            view = view.astype(float32)
        if plan.kernel in (INNER, INNER_SCALAR) or view.shape[1] == 1:
            sums = _rows(view)
        else:
            # Only where the columns of this part still fill a vector does PyTorch use vectors.
            vector = plan.kernel == OUTER and shape[-2] * view.itemsize >= 32
            sums = _outer(view, 4 * lanes if vector else 4)
    return sums.reshape(shape[:-1])


def _add_to_result(sums: Array, kept: int) -> Array:
    """Add up partial sums one by one, as they are added to the result in memory."""
    flat = sums.reshape(*sums.shape[:kept], -1)
    if flat.shape[-1] == 1:
        return flat[..., 0]
    return _in_order(flat.reshape(-1, flat.shape[-1]).T).reshape(flat.shape[:-1])


def _run_threads(plan: Plan, view: Array) -> Array:
    """A sum of everything, of which each thread takes a range of elements."""
    size = view.size
    workers = min(threads, -(-size // GRAIN))
    chunk = -(-size // workers)
    partial = zeros(threads, view.dtype)

    def work(begin: int, end: int) -> None:
        partial[begin // chunk] = _range_sum(plan, view, begin, end)

    in_parts(work, size, chunk, view.nbytes)
    return sum(partial)


def _range_sum(plan: Plan, view: Array, begin: int, end: int) -> Array:
    """The sum of a range of elements in loop order: parts of rows, of planes, whole planes."""
    columns, rows = view.shape[-2:]
    if columns == 1:
        return _serial(plan, view.reshape(1, -1)[:, begin:end], 0)
    planes = view.reshape(-1, columns, rows)
    sums: list[Array] = []
    plane = columns * rows
    while begin < end:
        index, offset = divmod(begin, plane)
        column, row = divmod(offset, rows)
        if row or end - begin < rows:
            stop = min(rows, row + end - begin)
            part = planes[index : index + 1, column : column + 1, row:stop]
        elif column or end - begin < plane:
            stop = min(columns, column + (end - begin) // rows)
            part = planes[index : index + 1, column:stop]
        else:
            part = planes[index : index + (end - begin) // plane]
        sums.append(_columns_and_rows(plan, part).reshape(-1))
        begin += part.size
    return _add_to_result(concatenate(sums), 0)


# -------------------------------------------------------------------------------- the kernels


_FOUR_WAY_ORDERS: Final = {
    5: numpy.array([0, 4, 1, 2, 3]),
    6: numpy.array([0, 4, 5, 1, 2, 3]),
    7: numpy.array([0, 4, 5, 6, 1, 2, 3]),
}


def _vector(values: Array) -> Array:
    """The sum of a contiguous vector of fewer than `GRAIN` floats, a 0-dimensional array.

    `_inner` for a single row, and for speed without the axes that this doesn't need.
    """
    lanes = 32 // values.itemsize
    size = len(values)
    if size < lanes:
        if lanes == 8:  # 5 to 7 float32, of which the first takes those after the fourth
            values = values.take(_FOUR_WAY_ORDERS[size])
            return asarray(add.accumulate(values)[-1] + values.dtype.type(0))
        return _rows(values.reshape(1, 1, size)).reshape(())
    rows = size // lanes
    table = values[: rows * lanes].reshape(rows, lanes)
    if rows >= 4:
        quarter = rows // 4
        parts = table[:4]
        if quarter > 1:
            partial = table[: 4 * quarter].reshape(quarter, 4 * lanes)
            parts = _short_cascade(partial) if quarter < 256 else _cascade(partial[None])
            parts = parts.reshape(4, lanes)
        left = table[4 * quarter :]
        table = concatenate((parts[:1], left, parts[1:])) if len(left) else parts
    vector = add.reduce(table, 0) if len(table) > 1 else table[0]
    if rows * lanes != size:
        vector = concatenate((values[rows * lanes :], vector))
    return asarray(add.accumulate(vector)[-1] + values.dtype.type(0))


def _inner(view: Array, lanes: int) -> Array:
    """Sums over the last axis of (planes, columns, rows), whose elements lie side by side."""
    planes, columns, size = view.shape
    count = planes * columns
    table = view.reshape(count, size)
    whole = size // lanes * lanes
    vectors = _four_way(table[:, :whole].reshape(count, size // lanes, lanes))
    if whole == size:
        return _in_order(vectors.T)
    # What is left over comes first, then the lanes.
    return _in_order(concatenate((table[:, whole:], vectors), axis=1).T)


def _inner_half(view: Array) -> Array:
    """`_inner` for 16 bits: vectors of 16, whose halves are added to 8 lanes of float32."""
    planes, columns, size = view.shape
    count = planes * columns
    table = view.reshape(count, size)
    whole = size // 16 * 16
    halves = table[:, :whole].reshape(count, size // 16, 2, 8).astype(float32)
    vectors = _four_way(halves[:, :, 0] + halves[:, :, 1])
    return _in_order(concatenate((table[:, whole:].astype(float32), vectors), axis=1).T)


def _rows(view: Array) -> Array:
    """Sums over the last axis, each on its own in four interleaved parts."""
    planes, columns, size = view.shape
    count = planes * columns
    if size == 1:
        return view.reshape(count) + view.dtype.type(0)
    return _four_way(view.reshape(count, size).T[None])[0]


def _outer(view: Array, group: int) -> Array:
    """Sums over the last axis, for columns side by side: whole groups of columns in a single
    cascade, what is left of them four-way."""
    size = view.shape[1]
    whole = size // group * group
    table = view.transpose(0, 2, 1)
    if whole == size:
        return _cascade(_column_order(table))
    left_over = _four_way(table[:, :, whole:])
    if whole == 0:
        return left_over
    return concatenate((_cascade(_column_order(table[:, :, :whole])), left_over), axis=1)


def _four_way(table: Array) -> Array:
    """Sums over axis 1 of (planes, rows, columns): four interleaved sums, the rest to the first."""
    planes, size, columns = table.shape
    if size < 4:
        return _in_order_planes(table)
    table = _column_order(table)
    quarter = size // 4
    parts = table[:, : 4 * quarter].reshape(planes, quarter, 4, columns)
    partial = parts[:, 0] + table.dtype.type(0) if quarter == 1 else _cascade(parts)
    total: Array = partial[:, 0]
    for row in range(4 * quarter, size):
        total = total + table[:, row]
    total = total + partial[:, 1]
    total += partial[:, 2]
    total += partial[:, 3]
    return total


def _cascade(table: Array) -> Array:
    """Sums over axis 1 in blocks on four levels; the axes after it have two elements or more."""
    size = table.shape[1]
    power = max(4, (size - 1).bit_length() // 4)
    block = 1 << power
    zero = table.dtype.type(0)
    total: Array | None = None
    for _ in range(3):
        blocks = size >> power
        if size & (block - 1):
            rest = fold(add, table[:, None, blocks << power :])[:, 0]
            total = rest if total is None else total + rest
        if blocks == 0:
            return zero + total if total is not None else zero
        table = table[:, : blocks << power]
        table = fold(add, table.reshape(len(table), blocks, block, *table.shape[2:]))
        size = blocks
    rest = fold(add, table[:, None])[:, 0]
    return rest + zero if total is None else total + rest


def _short_cascade(table: Array) -> Array:
    """`_cascade` of one plane of fewer than 256 rows, which has two levels; a zero may be negative."""
    size = len(table)
    if size <= 16:
        return add.reduce(table, 0)
    whole = size & -16
    blocks = add.reduce(add.reduce(table[:whole].reshape(-1, 16, table.shape[1]), 1), 0)
    return blocks if whole == size else add(add.reduce(table[whole:], 0), blocks)


def _column_order(table: Array) -> Array:
    """The table itself if its second axis has a larger stride than what follows, else a copy."""
    inner = table.strides[2:]
    if 0 < inner[-1] < table.strides[1]:
        return table
    return ascontiguousarray(table)


def _in_order_planes(table: Array) -> Array:
    """Sums over the short axis 1 of (planes, rows, columns), row by row."""
    if table.shape[2] > 1 and 0 < table.strides[2] < table.strides[1]:
        return add.reduce(table, axis=1, initial=0)
    total: Array = table[:, 0] + table.dtype.type(0)
    for row in range(1, table.shape[1]):
        total = total + table[:, row]
    return total


def _in_order(table: Array) -> Array:
    """Sums over axis 0 of (rows, columns), one row after the other."""
    rows, columns = table.shape
    if columns == 1:
        return add.accumulate(table[:, 0])[-1:] + table.dtype.type(0)
    if rows < 16:
        return _in_order_planes(table[None])[0]
    return add.reduce(ascontiguousarray(table), axis=0) + table.dtype.type(0)
