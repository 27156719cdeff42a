"""CuPy as the array library: what of NumPy's it lacks or does otherwise, and the device `cuda`.

`library(cupy)` gives the kernels on CuPy, or on a module with its names.  What takes the place of what is
in the files `cupy_*.py` beside this one (`AREAS`), each of which has

    def own(cupy) -> {file: {name: function}}

where a file is one of this folder (`"sums"`), another module by its full name (`"tgrad.ops.windows"`), or
`"numpy"` for the names that stand for NumPy's own, `"numpy.linalg"` and `"numpy.fft"` for its modules'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ContextDecorator
from functools import partial
from importlib import import_module
from typing import Any, Final

import numpy

from tgrad.backends import constants, numpy_
from tgrad.backends.cupy_fusion import Tracer
from tgrad.backends.cupy_machine import Gpu, check
from tgrad.backends.cupy_ufuncs import Ufunc, orders
from tgrad.backends.interface import Backend, Kernel, PlainNumbers, Shown, imported
from tgrad.backends.library import Library
from tgrad.errors import NotAvailableError

AREAS: Final = ("cupy_kernels", "cupy_special", "cupy_places", "cupy_layers", "cupy_linalg", "cupy_fusion")
"""The files with what CuPy does better in a way of its own, or must do otherwise."""


FEW_SHOWN: Final = 1000
"""Arrays of so many elements are printed as a whole, if nothing else is wished for."""


class Names:
    """CuPy's names, with those of NumPy's that it lacks or has otherwise: `_MENDED` and `own`."""

    def __init__(self, cupy: Any, own: Mapping[str, Mapping[str, Any]], module: str = "numpy") -> None:
        self._cupy = cupy
        self._own = own
        self._module = module
        self.__dict__.update(own.get(module, {}))

    def __getattr__(self, name: str) -> Any:
        mended = _MENDED.get(name) if self._module == "numpy" else None
        if mended is not None:
            found = mended(self._cupy)
        else:
            found = getattr(self._cupy, name)
            if name in _UFUNCS and not isinstance(self._cupy, Tracer):
                found = Ufunc(self._cupy, name)
            elif name in _MODULES:
                found = Names(found, self._own, f"numpy.{name}")
        setattr(self, name, found)
        return found


class _Quiet(ContextDecorator):
    """CuPy warns of nothing."""

    def __init__(self, **how: str) -> None: ...

    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None: ...


def _vecdot(cupy: Any) -> Callable[..., Any]:
    def vecdot(a: Any, b: Any, out: Any = None) -> Any:
        return cupy.sum(cupy.conj(a) * b, axis=-1, out=out)

    return vecdot


_MENDED: dict[str, Callable[[Any], Any]] = {
    "errstate": lambda cupy: _Quiet,
    "seterr": lambda cupy: lambda **how: {},
    "setbufsize": lambda cupy: lambda size: size,
    "vecdot": _vecdot,
}
"""Names that CuPy lacks, made of those it has."""

_MODULES: Final = ("linalg", "fft")
_UFUNCS: Final = frozenset(
    name
    for name in dir(numpy)
    if isinstance(found := getattr(numpy, name), numpy.ufunc) and found.signature is None
)
"""Elementwise functions: products of matrices aren't."""


def library(cupy: Any) -> Library:
    """The kernels on CuPy, or on what has its names."""
    own = _own(cupy)
    return Library("cupy", Names(cupy, own), own, ((constants.BY_CODE, _NoArrays()),))


def _own(cupy: Any) -> dict[str, dict[str, Any]]:
    """What CuPy does better in a way of its own, or must do otherwise: see the text at the top."""
    found: dict[str, dict[str, Any]] = {}
    for area in AREAS:
        for file, functions in import_module(f"tgrad.backends.{area}").own(cupy).items():
            found.setdefault(file, {}).update(functions)
    return found


class _NoArrays:
    """Numbers stay numbers, whatever the dtype."""

    def __getitem__(self, key: Any) -> PlainNumbers:
        return Backend.numbers


class Cupy(Backend):
    """The first GPU, by CuPy."""

    index = 0
    writes = True
    absent_index = "CUDA error: invalid device ordinal"

    def __init__(self, cupy: Any) -> None:
        super().__init__()
        self.cupy = cupy
        self.library = library(cupy)
        self.xp = self.library.file("numpy_")
        self.array_types = (cupy.ndarray,)
        self.fusion = self.library.file("large").fusion
        self._runs: dict[Any, Callable[..., Any]] = {}
        """Rows, and rows with a narrow type, to what computes their forwards."""
        self.machine = Gpu(cupy)  # at last: from here on CuPy tells it of memory

    def make_kernel(self, op: Any) -> Kernel:
        """The row's forward on CuPy; random numbers are drawn on the CPU, the same for every device."""
        if "generator" in op.names:
            return self._on_host(op)
        return self.library.in_place_of(op.forward)  # type: ignore[no-any-return]

    def _on_host(self, op: Any) -> Kernel:
        """A forward on the CPU; of what is only filled, or made alike, no elements are taken there."""
        forward = op.forward
        replaced = op.family in ("creation", "filling")

        def kernel(xp: Any, *args: Any, **keywords: Any) -> Any:
            given = [self.to_host(x) if isinstance(x, self.array_types) else x for x in args[replaced:]]
            if replaced:
                first = args[0]
                given.insert(0, _alike(first) if isinstance(first, self.array_types) else first)
            return self.from_host(forward(numpy_, *given, **keywords))

        return kernel

    def bound(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of rows, with CuPy for NumPy in it."""
        return self.library.in_place_of(function)  # type: ignore[no-any-return]

    def compute(self, op: Any, type_: Any, *args: Any, **keywords: Any) -> Any:
        """The result of a row's forward: Note [Narrow floats] in tgrad.backends.narrow."""
        if type_.narrow and not op.narrow:
            run = self._runs.get((op, type_)) or self._narrow_run(op, type_)
        else:
            run = self._runs.get(op) or self._run(op)
        return run(*args, **keywords)

    def _run(self, op: Any) -> Callable[..., Any]:
        kernel = self.kernel(op)
        fused = op.elementwise and "generator" not in op.names
        found = self.fusion.forward(kernel, self.xp) if fused else partial(kernel, self.xp)
        found = self._runs[op] = _on_device(op, found)
        return found

    def _narrow_run(self, op: Any, type_: Any) -> Callable[..., Any]:
        kernel = self.kernel(op)
        widened = self.library.file("narrow").widened(kernel)
        fused = op.elementwise and "generator" not in op.names
        found = self.fusion.widened(kernel, widened, type_) if fused else partial(widened, type_)
        found = self._runs[op, type_] = _on_device(op, found)
        return found

    def check_dtype(self, dtype: Any) -> None:
        """bfloat16 is there from CuPy 14 on."""
        if dtype.kind == "V" and "EE->E" not in self.cupy.add.types:
            raise NotAvailableError(
                f"torch.bfloat16 on cuda needs CuPy 14 or later, not {self.cupy.__version__}",
                hint='pip install --upgrade "tgrad[gpu]", or use float16 or float32',
            )

    def from_host(self, array: Any) -> Any:
        """A NumPy array's elements on the GPU, in the same order in memory."""
        if array.flags.c_contiguous:
            return self.cupy.asarray(array)
        order, back = orders(array)
        return self.cupy.asarray(numpy.ascontiguousarray(array.transpose(order))).transpose(back)

    def to_host(self, array: Any) -> Any:
        """An array's elements in main memory, in the same order."""
        if array.flags.c_contiguous:
            return self.cupy.asnumpy(array)
        order, back = orders(array)
        return self.cupy.asnumpy(array.transpose(order)).transpose(back)

    def shown(self, array: Any) -> Any:
        """The elements that are printed: of a large array its edges, which alone are taken across."""
        return self.to_host(array) if array.size <= FEW_SHOWN else Shown(self, array)

    def picked(self, array: Any, places: Sequence[int], axis: int) -> Any:
        """The edges of an array: as many at the beginning as at the end, or all."""
        half, size = len(places) // 2, array.shape[axis]
        if len(places) == size:
            return array
        lead = (slice(None),) * axis
        ends = [array[(*lead, slice(half))], array[(*lead, slice(size - half, None))]]
        return self.cupy.concatenate(ends, axis)

    def strided(self, array: Any, shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> Any:
        """An array in another one's memory."""
        return self.cupy.ndarray(shape, array.dtype, array.data + offset, strides)

    def address(self, array: Any) -> int:
        """The address of an array's first element on the GPU."""
        return int(array.data.ptr)


def _alike(array: Any) -> Any:
    """A NumPy array of the shape, dtype and strides of one on the GPU, whatever is in it."""
    reach = sum((size - 1) * abs(step) for size, step in zip(array.shape, array.strides, strict=True))
    memory = numpy.empty(reach + array.itemsize, numpy.uint8)
    return numpy.ndarray(array.shape, array.dtype, memory, 0, [abs(step) for step in array.strides])


def _on_device(op: Any, run: Callable[..., Any]) -> Callable[..., Any]:
    """A row's forward that refuses indices and masks in main memory, which CuPy takes across in places."""
    if op.family == "creation" or all(p.kind != "index" for p in op.parameters):
        return run  # a tensor that another one is to be like may be anywhere

    def checked(*args: Any, **keywords: Any) -> Any:
        if numpy.ndarray in map(type, args):
            raise TypeError(f"Unsupported type {numpy.ndarray}")
        return run(*args, **keywords)

    return checked


def open() -> Cupy:
    """The GPU; Missing without CuPy, or without a GPU."""
    cupy = imported("cupy", "Torch not compiled with CUDA enabled", "CuPy", "gpu")
    check(cupy)
    return Cupy(cupy)
