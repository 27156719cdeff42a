"""The backend of `dask`: tensors that are computed in chunks, when a value is asked for.

A row is computed in one of these ways:

- where all arrays are known, at once, by its own kernel: Note [Known and lazy] in dask_arrays;
- elementwise rows by their own kernels in each chunk, and so are their derivatives;
- views by steps: Note [Views of lazy arrays] in dask_arrays;
- others by a form of their own (`dask_rows`), and their derivatives by their formulas, in rows' terms.

What has no form works on known arrays alone: Note [Small operands] in dask_known.  Where there are
too many elements for that it is refused by name.

Note [One pass]
    A backward pass leaves graphs in the leaves' gradients.  When it is over, `settle` computes all of
    them together with the tensor that it began from, in one pass over the data.  So the next step begins
    from values, and a training loop's graph doesn't grow.  Arrays too large to be known that are written to
    after more than one pass, as parameters and what optimisers keep are, are computed along with them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import dask.array
import numpy

from tgrad.backends import dask_arrays, dask_pass, dask_random
from tgrad.backends.constants import BY_CODE
from tgrad.backends.dask_arrays import Lazy, refused, sizes
from tgrad.backends.dask_blocks import Forward, elementwise
from tgrad.backends.dask_derivatives import by_numpy, by_parts, checked, is_large_shape
from tgrad.backends.dask_known import arrays_in, at_hand, at_once, become_known, compute, on_small
from tgrad.backends.dask_names import Names, call, wrapped
from tgrad.backends.dask_rows import BY_ELEMENT, COMPOSED, ROWS
from tgrad.backends.dask_views import SEVERAL, steps
from tgrad.backends.interface import Backend, Kernel, Shown
from tgrad.backends.narrow import is_narrow, rounded, wide
from tgrad.errors import NotAvailableError, ShapeError

if TYPE_CHECKING:
    from tgrad.backends.files import Put, Stored


class DaskBackend(Backend):
    """Lazy arrays on this machine's threads, or on a cluster."""

    lazy = True
    array_types = (Lazy,)

    def __init__(self) -> None:
        super().__init__()
        self.xp = NAMES
        self._awaited: list[Any] = []

    # ------------------------------------------------------------------ rows

    def make_kernel(self, op: Any) -> Kernel:
        """The row on arrays of this device."""

        def kernel(xp: Any, *args: Any, **keywords: Any) -> Any:
            return self._computed(op, None, args, keywords)

        return kernel

    def compute(self, op: Any, type_: Any, *args: Any, **keywords: Any) -> Any:
        """The result of a row, computed in a tensor type."""
        return self._computed(op, type_, args, keywords)

    def _computed(self, op: Any, type_: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
        if op.family in ("view", "copy"):
            views = [args[0].view_by(step) for step in steps(op, *args, **keywords)]
            return tuple(views) if op.name.removesuffix("_copy") in SEVERAL else views[0]
        if op.arrays:
            args = self._with_arrays(op, type_, args)
        narrow = type_.dtype.numpy if type_ is not None and type_.narrow and not op.narrow else None
        if "generator" in op.names:
            return dask_random.row(op, self.xp, args, keywords)
        if op.family == "creation":
            return wrapped(dask_random.LIBRARY.bound(op.forward)(self.xp, *args, **keywords))
        if at_hand(op, args, keywords):
            return at_once(Forward(op, narrow), args, keywords)
        own = ROWS.get(op.name)
        if own is None and op.name in COMPOSED:
            own = _composed
        try:
            if own is not None:
                if narrow is not None:
                    return _rounded(own(op, *map(_wide, args), **keywords), narrow)
                return own(op, *args, **keywords)
            if op.elementwise or op.name in BY_ELEMENT:
                return elementwise(Forward(op, narrow), args, keywords)
        except NotAvailableError:
            pass  # of a part of it
        if become_known(arrays_in((*args, *keywords.values()))):
            return at_once(Forward(op, narrow), args, keywords)
        raise refused(f"'{op.public}'")

    def _with_arrays(self, op: Any, type_: Any, args: Sequence[Any]) -> list[Any]:
        """Arguments with numbers among the operands as arrays of the dtype computed in."""
        dtype = next(x.dtype for x in args if type(x) is Lazy) if type_ is None else type_.dtype.numpy
        numbers = BY_CODE[dtype.char]
        return [
            numbers[x] if p.kind in ("tensor", "operand") and isinstance(x, (int, float, complex)) else x
            for p, x in zip(op.positional, args, strict=False)
        ]

    def bound(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of rows, for known arrays; what it writes to its first one is written there."""

        return partial(on_small, "picking elements by tensors", function)

    def changing(self, op: Any) -> Callable[..., Any]:
        """The row's result, written over the array."""
        kernel = self.kernel(op)

        def change(array: Lazy, *args: Any) -> None:
            count = len(op.positional) - 1
            named = dict(zip([p.name for p in op.parameters[1 + count :]], args[count:], strict=False))
            found = kernel(self.xp, array, *args[:count], **named)
            if numpy.broadcast_shapes(found.shape, array.shape) != array.shape:
                own, other = list(array.shape), list(found.shape)
                raise ShapeError(f"output with shape {own} doesn't match the broadcast shape {other}")
            array.write(found)

        return change

    def derivative(self, op: Any, plain: Any, space: Any) -> Callable[..., tuple[Any, ...]]:
        """`Node.raw` of a row: by NumPy where all is known, in each chunk, or by the formulas."""

        def raw(node: Any, g: Any, edges: Any) -> tuple[Any, ...]:
            saved = checked(node)
            arrays = [x for x in (*(g if type(g) is tuple else (g,)), *saved) if type(x) is Lazy]
            small = all(x.known for x in arrays) and sum(x.nbytes for x in arrays) <= dask_arrays.SMALL
            if small and not any(map(is_large_shape, saved)):
                return by_numpy(plain, node, g, edges, saved)
            try:
                return by_parts(op, plain, node, g, edges, space, saved)
            except NotAvailableError:
                if become_known(arrays) and not any(map(is_large_shape, saved)):
                    return by_numpy(plain, node, g, edges, saved)
                raise refused(f"the derivative of '{op.public}'") from None

        return raw

    # ------------------------------------------------------------------ backward passes

    def begin(self, array: Any) -> None:
        """The array of the tensor that a backward pass begins from is computed along with the gradients."""
        self._await(array)

    def kept(self, array: Any) -> Any:
        """A gradient as a leaf keeps it."""
        found = array.copy()
        self._await(found)
        return found

    def add_to(self, array: Any, other: Any) -> None:
        """Add a gradient to one that a leaf has."""
        array.write(call("add", array, other))
        self._await(array)

    def _await(self, array: Lazy) -> None:
        self._awaited.append(weakref.ref(array))

    def settle(self) -> None:
        """Compute what a pass has left: Note [One pass]."""
        awaited, self._awaited = [*self._awaited, *dask_arrays.changed], []
        dask_arrays.changed.clear()
        dask_arrays.passes += 1
        arrays = list({id(x): x for r in awaited if (x := r()) is not None and not x.known}.values())
        if arrays:
            compute(arrays)

    # ------------------------------------------------------------------ there and back

    def from_host(self, array: Any, chunks: Any = None) -> Any:
        """A NumPy array's elements: known where they are few and no chunks are asked for."""
        return from_array(numpy.array(array, order="C"), chunks)

    def cut(self, array: Any) -> Any:
        """The same elements in the chunks that are wanted."""
        if 0 in array.shape or not array.ndim:
            return array
        return Lazy(array.graph.rechunk(sizes(array.shape, array.dtype)))

    def from_files(self, files: Sequence[Stored]) -> Any:
        """The elements of files, joined along the first dimension, each chunk read when it is needed."""
        from tgrad.backends.dask_files import lazily

        return Lazy(lazily(files))

    def chunk_sizes(self, array: Any) -> tuple[int, ...] | None:
        """The sizes of an array's chunks, but for the last ones."""
        return None if array.known else tuple(max(sizes[0], 1) for sizes in array.graph.chunks)

    def each_part(self, array: Any, put: Put, sizes: tuple[int, ...] | None) -> None:
        """Give each chunk's place and its elements to `put`, computed one after the other."""
        if array.known:
            super().each_part(array, put, sizes)
        else:
            dask_pass.each_block(array.graph if sizes is None else array.graph.rechunk(sizes), put)

    def drawn(self, function: Callable[..., Any], *args: Any, like: Any = None) -> Any:
        """Random numbers by a function of `tgrad.core.random`'s name, in the chunks of an array."""
        return dask_random.drawn_by(function.__name__, args, like)

    def to_host(self, array: Any) -> Any:
        """The elements as a NumPy array."""
        return array.value.copy()

    def shown(self, array: Any) -> Any:
        """The elements that are printed: no others are computed."""
        return array.data if array.known else Shown(self, array)

    def picked(self, array: Any, places: Sequence[int], axis: int) -> Any:
        """The elements at some places of an axis."""
        return Lazy(dask.array.take(array.graph, places, axis))

    def check_recorded_view(self) -> None:
        """Autograd knows views by their places in memory."""
        raise refused("writing to a view while autograd records")

    def address(self, array: Any) -> int:
        """A number for the memory; pieces of it have none."""
        if array._root is not array:
            raise refused("a view's place in memory")
        return id(array)

    def strided(self, array: Any, shape: Any, strides: Any, offset: int) -> Any:
        """The array in another shape, where strides and offset say no more than that."""
        wanted = Lazy(numpy.lib.stride_tricks.as_strided(numpy.empty(1, array.dtype), shape, strides))
        if offset == 0 and strides == wanted.strides and wanted.size <= array.size:
            whole = array if wanted.size == array.size else array.reshape(-1)[: wanted.size]
            return whole.reshape(shape)
        raise refused("a view with strides of its own")


def from_array(array: Any, chunks: Any = None) -> Lazy:
    """An array on NumPy's memory, or on what can be cut like it."""
    from tgrad.backends.chunks import wanted

    chunks = wanted() if chunks is None else chunks
    if type(array) is numpy.ndarray and array.nbytes <= dask_arrays.SMALL and chunks == "auto":
        return Lazy(array)
    if chunks == "auto":
        chunks = sizes(array.shape, array.dtype)
    return Lazy(dask.array.from_array(array, chunks=chunks, name=False))


def _composed(op: Any, *args: Any, **keywords: Any) -> Any:
    return op.forward(NAMES, *args, **keywords)


NAMES = Names()


# ---------------------------------------------------------------- 16 bits


def _wide(value: Any) -> Any:
    if type(value) is Lazy and is_narrow(value.dtype):
        return value.astype(numpy.float32)
    if isinstance(value, (list, tuple)) and arrays_in(value):
        return type(value)(map(_wide, value))
    return wide(value)


def _rounded(result: Any, dtype: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(_rounded(x, dtype) for x in result)
    return (
        result.astype(dtype) if type(result) is Lazy and result.dtype.kind == "f" else rounded(result, dtype)
    )
