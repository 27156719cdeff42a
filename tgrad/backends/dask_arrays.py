"""Arrays of the device `dask`: values in memory, or the Dask graph that would compute them.

Note [Known and lazy]
    Small arrays whose values are there are `known`: a NumPy array in this process, on which tgrad's own
    kernels work at once, as on the CPU.  All others are lazy: a Dask array, computed in chunks when a value
    is asked for.  So parameters, gradients and what optimisers keep stay in memory and make no graph,
    while data never does more than pass through.

Note [Views of lazy arrays]
    Dask's arrays share no memory.  A view holds what it is a view of and the step that leads from there to
    it; where the memory's own array was written to since, the step is taken anew.  Writing to a view
    puts the new piece into a copy of what it is a view of, and so on up to the memory's own array.
"""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NoReturn

import dask.array
import numpy

from tgrad.backends import chunks, dask_pass
from tgrad.backends.dask_geometry import FLAGS, Geometry, whole_shape
from tgrad.errors import NotAvailableError

SMALL = 1 << 24
"""Bytes up to which values are kept in this process: Note [Known and lazy]."""

passes = 1
"""How many backward passes there were, and the one that is to come."""
changed: Final[list[weakref.ref[Lazy]]] = []
"""Lazy arrays that are written to from pass to pass, as parameters are: see `Note [One pass]`."""

Data = Any
"""A NumPy array, or a Dask array."""


def refused(what: str) -> NotAvailableError:
    """The error for what can't be done on lazy tensors."""
    return NotAvailableError(
        f"{what} can't be computed lazily on device 'dask'",
        hint="bring the tensor into memory first, x.to('cpu'), or a part of it, x[:1000].to('cpu')",
    )


class Step:
    """How a view comes of what it is a view of; works on NumPy's arrays and on Dask's."""

    def forth(self, data: Data) -> Data:
        """The view of an array."""
        raise NotImplementedError

    def back(self, data: Data, piece: Data) -> Data:
        """A copy of an array where the view of it is another one."""
        raise refused("writing to this view")


class Lazy(Geometry):
    """An array on `dask`: see the module's text."""

    __slots__ = (
        "__weakref__",
        "_data",
        "_parent",
        "_root",
        "_seen",
        "_shared",
        "_step",
        "_written",
        "changes",
        "dtype",
        "shape",
    )

    __array_priority__ = 2000
    flags = FLAGS

    def __init__(self, data: Data, parent: Lazy | None = None, step: Step | None = None) -> None:
        self._data = data
        self._parent = parent
        self._step = step
        self._root: Lazy = self if parent is None else parent._root
        self.changes = 0
        """How often it was written to."""
        self._seen = self._root.changes
        self._shared = False
        """Whether a graph refers to the values in memory."""
        self._written = 0
        """After which backward pass it was written to, the first being 1; 0 if it wasn't."""
        self.shape: tuple[int, ...] = tuple(map(int, data.shape))
        self.dtype = data.dtype

    # ------------------------------------------------------------------ values

    @property
    def data(self) -> Data:
        """The values in memory, or else the graph."""
        if self._seen != self._root.changes and self._root is not self:
            assert self._parent is not None
            assert self._step is not None
            self._data = self._step.forth(self._parent.data)
            self._shared = True
            self._seen = self._root.changes
        return self._data

    @property
    def known(self) -> bool:
        """Whether the values are in memory."""
        return type(self.data) is numpy.ndarray

    @property
    def graph(self) -> Any:
        """The array as Dask's."""
        data = self.data
        if type(data) is not numpy.ndarray:
            return data
        self._shared = True
        return dask.array.from_array(data, chunks=-1, name=False, asarray=False)

    @property
    def value(self) -> Any:
        """The values as a NumPy array that mustn't be written to; computed if they aren't known."""
        data = self.data
        if type(data) is numpy.ndarray:
            return data
        found = numpy.asarray(dask_pass.computed(data)[0], self.dtype)
        self.settle(found)
        return found

    def settle(self, data: Data) -> None:
        """Keep computed values: small ones in this process, others as the chunks that a graph consists of."""
        if type(data) is not numpy.ndarray:
            self._data = data
        elif data.nbytes <= SMALL:
            self._data = data if data.flags.c_contiguous and data.flags.writeable else data.copy()

    def item(self, *index: int) -> Any:
        """An element, the only one unless an index is given, as a Python number."""
        return self.value.item(*index)

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        return self.value.tolist()

    def __bool__(self) -> bool:
        if not self.known:
            raise refused("a choice that depends on a value")
        return bool(self.data)

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        return operator.index(self.item())

    def __array__(self, *given: Any, **options: Any) -> NoReturn:
        raise refused("a function of NumPy's")

    def __array_ufunc__(self, function: numpy.ufunc, method: str, *args: Any, **options: Any) -> Any:
        name = function.__name__
        if method == "__call__" and not options and getattr(numpy, name, None) is function:
            return call(name, *args)
        raise refused(f"numpy.{name}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in READING:
            return partial(on_small, f"'{name}' of an array", READING[name], self)
        raise refused(f"'{name}' of an array")

    @property
    def base(self) -> Lazy | None:
        """The array whose memory a view is in; None for one with memory of its own."""
        return None if self._root is self else self._root

    def __repr__(self) -> str:
        return f"<{'known' if self.known else 'lazy'} {self.dtype.name} array of shape {self.shape}>"

    # ------------------------------------------------------------------ other arrays of the same elements

    def view_by(self, step: Step) -> Lazy:
        """A view of this array."""
        data = step.forth(self.data)
        self._shared = True
        result = Lazy(data, self, step)
        result._shared = True
        return result

    def reshape(self, *shape: Any) -> Lazy:
        """A view with another shape."""
        from tgrad.backends.dask_views import Shaped

        size = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return self.view_by(Shaped(whole_shape(self.size, tuple(map(int, size)))))

    def transpose(self, *axes: Any) -> Lazy:
        """A view with the dimensions in another order."""
        from tgrad.backends.dask_views import Turned

        if not axes or axes[0] is None:
            order = tuple(range(self.ndim))[::-1]
        else:
            order = tuple(axes if isinstance(axes[0], int) else axes[0])
        return self.view_by(Turned(tuple(axis % self.ndim for axis in order)))

    @property
    def T(self) -> Lazy:  # noqa: N802
        """A view with the dimensions in reverse order."""
        return self.transpose()

    def swapaxes(self, a: int, b: int) -> Lazy:
        """A view with two dimensions exchanged."""
        order = list(range(self.ndim))
        order[a], order[b] = order[b], order[a]
        return self.transpose(order)

    def squeeze(self, axis: Any = None) -> Lazy:
        """A view without dimensions of size 1."""
        gone = range(self.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        axes = {a % self.ndim for a in gone}
        return self.reshape([n for i, n in enumerate(self.shape) if not (i in axes and n == 1)])

    def ravel(self) -> Lazy:
        """All elements in one dimension."""
        return self.reshape(-1)

    def __getitem__(self, index: Any) -> Lazy:
        from tgrad.backends.dask_views import piece_of

        if type(index) is Lazy or (isinstance(index, tuple) and any(type(x) is Lazy for x in index)):
            found: Lazy = on_small("picking elements by tensors", operator.getitem, self, index)
            return found
        return self.view_by(piece_of(self.shape, index))

    def copy(self, order: str = "C") -> Lazy:
        """An array of its own with the same elements."""
        data = self.data
        return Lazy(data.copy() if type(data) is numpy.ndarray else data)

    def astype(self, dtype: Any, *given: Any, copy: bool = True, **options: Any) -> Lazy:
        """An array with the elements in another dtype."""
        dtype = numpy.dtype(dtype)
        if dtype == self.dtype:
            return self.copy() if copy else self
        found: Lazy = call("cast", self, dtype)
        return found

    # ------------------------------------------------------------------ writing

    def __setitem__(self, index: Any, value: Any) -> None:
        if type(index) is Lazy or (isinstance(index, tuple) and any(type(x) is Lazy for x in index)):
            self.write_where(index, value)
            return
        if isinstance(index, tuple) and (not index or index == (...,)):
            index = ...
        piece = self if index is ... else self[index]
        if piece is not self and piece._parent is not self:
            raise refused("writing to these places")
        piece.write(value)

    def write_where(self, index: Any, value: Any) -> None:
        """Write a number where a mask of this shape says so; where anything else does, what is small."""
        is_mask = type(index) is Lazy and index.dtype.kind == "b" and index.shape == self.shape
        if is_mask and not numpy.ndim(value):
            self.write(call("where", index, value, self))
        else:
            on_small("writing to elements that a tensor picks", operator.setitem, self, index, value)

    def write(self, value: Any) -> None:
        """Write over all elements: another array, or a number."""
        root, data = self._root, self.data
        given = value.data if isinstance(value, Lazy) else value
        whole = type(given) is dask.array.Array
        if root is self and type(data) is numpy.ndarray and not whole:
            if numpy.ndim(given) == 0:
                self._data, self._shared = numpy.broadcast_to(number(given, self.dtype), self.shape), True
                root.changes += 1
                self._seen = root.changes
                return
            if self._shared:
                data = data.copy()
            data[...] = given
            self._data, self._shared = data, False
        else:
            self.replace(spread(given, self.shape, self.dtype, type(data) is numpy.ndarray and not whole))
        root.changes += 1
        self._seen = root.changes if root is self else self._seen

    def replace(self, data: Data) -> None:
        """Put other values in the place of this array's, here and where it is a view of."""
        if self._parent is None:
            self._data, self._shared = data, True
            if self._written not in (0, passes):
                changed.append(weakref.ref(self))
            self._written = passes
            return
        assert self._step is not None
        parent = self._parent
        before = parent.data
        if type(before) is numpy.ndarray and type(data) is not numpy.ndarray:
            before = parent.graph
        elif type(before) is not numpy.ndarray and type(data) is numpy.ndarray:
            data = dask.array.from_array(data, chunks=-1, name=False)
        parent.replace(self._step.back(before, data))

    def fill(self, value: Any) -> None:
        """Write a number over all elements."""
        self.write(value)

    # ------------------------------------------------------------------ operators

    def any(self) -> Any:
        """Whether any element isn't 0."""
        return call("any", self)

    def all(self) -> Any:
        """Whether no element is 0."""
        return call("all", self)

    def sum(self, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
        """The sum."""
        found = call("sum", self, axis, keepdims)
        return found if dtype is None else found.astype(dtype, copy=False)

    @property
    def real(self) -> Lazy:
        """The real parts."""
        return self if self.dtype.kind != "c" else call("real", self)

    @property
    def imag(self) -> Lazy:
        """The imaginary parts."""
        return call("imag", self)  # type: ignore[no-any-return]

    def conj(self) -> Lazy:
        """The complex conjugates."""
        return self if self.dtype.kind != "c" else call("conjugate", self)

    conjugate = conj


def spread(value: Any, shape: tuple[int, ...], dtype: Any, known: bool) -> Data:
    """A number or an array broadcast to a shape, in a dtype."""
    if known:
        found = numpy.empty(shape, dtype)
        found[...] = value
        return found
    if type(value) is not dask.array.Array:
        value = numpy.asarray(value)
        if value.ndim == 0:
            return filled(shape, number(value, dtype), dtype)
        value = dask.array.from_array(value.astype(dtype), chunks=-1, name=False)
    elif value.dtype != dtype:
        value = value.astype(dtype)
    return value if value.shape == shape else dask.array.broadcast_to(value, shape, sizes(shape, dtype))


def sizes(shape: tuple[int, ...], dtype: Any) -> tuple[tuple[int, ...], ...]:
    """The chunks of an array that is made now."""
    from dask.array.core import normalize_chunks

    found: tuple[tuple[int, ...], ...] = normalize_chunks(chunks.wanted(), shape, dtype=dtype)
    return found


def filled(shape: tuple[int, ...], value: Any, dtype: Any) -> Any:
    """A lazy array of one number: Note [Repeated numbers] in dask_blocks."""
    found = dask.array.full(shape, value, dtype=dtype, chunks=sizes(shape, dtype))
    found.number = value
    return found


def number(value: Any, dtype: Any) -> Any:
    """A number in a dtype."""
    with numpy.errstate(all="ignore"):
        return numpy.asarray(value).astype(dtype)[()]


READING: Final = {
    name: getattr(numpy.ndarray, name)
    for name in ("min", "max", "mean", "prod", "nonzero", "argsort", "argmin", "argmax", "cumsum", "diagonal")
}
"""Methods of NumPy's arrays that these have where they are small."""


def on_small(what: str, function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """A function of NumPy's on values, where the arrays are small together; else refused by name."""
    from tgrad.backends import dask_known

    return dask_known.on_small(what, function, *args, **keywords)


def call(name: str, *args: Any, **keywords: Any) -> Any:
    """A function of NumPy's names on arrays of this device."""
    from tgrad.backends import dask_names

    return dask_names.call(name, *args, **keywords)
