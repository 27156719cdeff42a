"""Chains of elementwise operations as one kernel: what is computed block by block on NumPy is fused on CuPy.

The forward of an elementwise row, its derivative's formulas and an optimiser's step are called once with
operands that note what is done to them (`tgrad.backends.expressions`).  What they note becomes the source
of one `cupy.ElementwiseKernel`, which is kept for arguments of the same kinds: dtypes, and which are
numbers.  Numbers are handed to the kernel, so that another learning rate needs no other kernel; where a
function looks at a number's value, what it did is kept for that value.  A function that does anything else
(looks at an element, at a shape, calls what isn't known) runs as it is, operation by operation.

The functions that are called so are the same as always: their files executed once more (`Library`), with
`Tracer` for CuPy.  `cupy.fuse` isn't used for this: it gives Python numbers dtypes of their own, takes none
of them as arguments that change without another kernel, fails where this runs unfused, looks at all its
arguments for each call for longer than a kernel takes, and can't be tried without a GPU.

Kernels are compiled without contraction (`--fmad=false`), so that a fused chain gives what its operations
give one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from types import ModuleType
from typing import Any, Final

import numpy

from tgrad.backends import expressions
from tgrad.backends.cupy_plans import Fused, Kernels
from tgrad.backends.expressions import Number, Operand, Unknown
from tgrad.backends.expressions_c import MANY


class Tracer:
    """Stands for CuPy while it is noted what a function does."""

    ndarray = Operand

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy

    def __getattr__(self, name: str) -> Any:
        found = _TRACED.get(name) or (_ufunc(name) if name in MANY else None)
        if found is None:
            found = getattr(self._cupy, name)
            if callable(found) and not isinstance(found, (type, ModuleType)):
                found = _unknown(name)
        setattr(self, name, found)
        return found


def _unknown(name: str) -> Callable[..., Any]:
    def function(*args: Any, **keywords: Any) -> Any:
        if any(isinstance(x, (Operand, Number)) for x in (*args, *keywords.values())):
            raise Unknown(name)
        return getattr(numpy, name)(*args, **keywords)  # a constant

    function.__name__ = name
    return function


def _ufunc(name: str) -> Callable[..., Any]:
    def function(*args: Any, out: Any = None, dtype: Any = None, **more: Any) -> Any:
        if len(args) > getattr(numpy, name).nin:
            *args, out = args  # type: ignore[assignment]
        operand = next((x for x in args if isinstance(x, Operand)), None)
        if more or operand is None:
            return _unknown(name)(*args, **more)
        result = expressions.apply(operand.graph, name, args, dtype)
        return result if out is None else out.write(result)

    function.__name__ = name
    return function


def _asarray(value: Any, dtype: Any = None, order: Any = None) -> Any:
    if isinstance(value, Number):
        value = value.operand()
    if not isinstance(value, Operand):
        return _unknown("asarray")(value, dtype)
    return value if dtype is None else value.astype(dtype, copy=False)


def _array(value: Any, dtype: Any = None, copy: bool = True, order: Any = None) -> Any:
    return _asarray(value, dtype).copy()


def _copyto(target: Any, value: Any, casting: Any = None, where: Any = None) -> None:
    target.write(value if where is None else expressions.where(where, value, target))


def _clip(x: Any, low: Any, high: Any, out: Any = None) -> Any:
    for name, bound in (("maximum", low), ("minimum", high)):
        x = x if bound is None else _ufunc(name)(x, bound)
    return x if out is None else out.write(x)


_TRACED: Final[dict[str, Any]] = {
    "where": expressions.where, "asarray": _asarray, "ascontiguousarray": _asarray, "array": _array,
    "copyto": _copyto, "clip": _clip, "copy": _array, "real": attrgetter("real"),
    "zeros_like": lambda x, dtype=None: expressions.filled(x, 0, dtype),
    "ones_like": lambda x, dtype=None: expressions.filled(x, 1, dtype),
    "full_like": expressions.filled, "result_type": expressions.result_type,
}  # fmt: skip


def chain(cupy: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function(cupy, *arguments)`, elementwise, as one kernel of the arguments."""
    if isinstance(cupy, Tracer):
        return partial(function, cupy)
    return Fused(Kernels(cupy), partial(function, cupy), partial(function, Tracer(cupy)))


class Fusion(Kernels):
    """Functions for arrays of CuPy's, fused: each is made once."""

    def __init__(self, cupy: Any, libraries: Callable[[Any], Any]) -> None:
        super().__init__(cupy)
        self._libraries = libraries
        """The kernels on something with CuPy's names."""
        self._fused: dict[Any, Fused] = {}
        self._library: Any = None
        self._space: Any = None

    @property
    def library(self) -> Any:
        """The kernels that note what they do."""
        if self._library is None:
            self._library = self._libraries(Tracer(self.cupy))
        return self._library

    def forward(self, function: Callable[..., Any], xp: Any) -> Fused:
        """A row's forward, which is called with `xp`."""
        found = self._fused.get(function)
        if found is None:

            def trace(*args: Any, **keywords: Any) -> Any:
                library = self.library
                return library.bound(original(function))(library.file("numpy_"), *args, **keywords)

            def plain(*args: Any, **keywords: Any) -> Any:
                return function(xp, *args, **keywords)

            found = self._fused[function] = Fused(self, plain, trace, orders=True)
        return found

    def widened(self, function: Callable[..., Any], widened: Callable[..., Any], type_: Any) -> Fused:
        """A row's forward for a narrow type (Note [Narrow floats]); what it is unfused is `widened`."""
        key = function, type_
        found = self._fused.get(key)
        if found is None:

            def trace(*args: Any, **keywords: Any) -> Any:
                library = self.library
                kernel = library.file("narrow").widened(library.bound(original(function)))
                return kernel(_Narrow(library.file("numpy_"), type_.dtype), *args, **keywords)

            def plain(*args: Any, **keywords: Any) -> Any:
                return widened(type_, *args, **keywords)

            found = self._fused[key] = Fused(self, plain, trace, orders=True)
        return found

    def formulas(self, function: Callable[..., Any], o: Any) -> Fused:
        """Formulas, which are called with the operators `o`."""
        found = self._fused.get(function)
        if found is None:

            def trace(*args: Any, **keywords: Any) -> Any:
                return self.library.bound(original(function))(self.space(o), *args, **keywords)

            def plain(*args: Any, **keywords: Any) -> Any:
                return function(o, *args, **keywords)

            found = self._fused[function] = Fused(self, plain, trace)
        return found

    def space(self, o: Any) -> Any:
        """The operators that note what they do, of the class of `o`."""
        if self._space is None:
            library = self.library
            self._space = type(o)(library.file("numpy_"), lambda op: library.bound(op.forward))
        return self._space


class _Narrow:
    """What `widened` looks at in a tensor type."""

    def __init__(self, xp: Any, dtype: Any) -> None:
        self.xp = xp
        self.dtype = dtype


def original(function: Any) -> Any:
    """The function that one for a library was made of."""
    return getattr(function, "__wrapped__", function)


# ----------------------------------------------------------------------- what the kernels' files get


def own(cupy: Any) -> dict[str, dict[str, Any]]:
    """By file the functions that take the place of those in it."""
    if isinstance(cupy, Tracer):
        return {
            "large": {
                "in_blocks": lambda forward, xp, *args, **keywords: forward(xp, *args, **keywords),
                "over": lambda function, target, *others: target.write(function(target, *others)),
            },
            "fused": {"fma": expressions.fma},
            "choice": {"where_any": expressions.where},
            "special": {name: expressions.special(name) for name in ("erf", "erfc")},
            "numpy": {name: _ufunc(name) for name in MANY},
        }
    from tgrad.backends.cupy_ import library

    fusion = Fusion(cupy, library)

    def over(function: Any, target: Any, *others: Any) -> None:
        function(target, *others, out=target)

    def large_sum(a: Any, b: Any, into_first: bool) -> Any:
        return cupy.add(a, b, out=a) if into_first and a.shape == b.shape and a.dtype == b.dtype else a + b

    def derivatives(formulas: Any, o: Any, g: Any, edges: Any, *saved: Any) -> Any:
        return fusion.formulas(formulas, o)(g, tuple([None if e is None else True for e in edges]), *saved)

    def change(formula: Any, o: Any, arrays: Any, options: dict[str, Any]) -> Any:
        return fusion.formulas(formula, o)(*arrays, **options)

    multiply_add = cupy.ElementwiseKernel("T a, T b, T c", "T y", "y = fma(a, b, c)  // T fma a b c", "fma")

    def fma(a: Any, b: Any, c: Any, dtype: Any) -> Any:
        kind, class_ = numpy.dtype(dtype), cupy.ndarray
        return multiply_add(
            *[x.astype(kind, copy=False) if type(x) is class_ else kind.type(x) for x in (a, b, c)]
        )

    def in_blocks(forward: Any, xp: Any, *args: Any, **keywords: Any) -> Any:
        return fusion.forward(forward, xp)(*args, **keywords)

    return {
        "large": {
            "in_blocks": in_blocks, "derivatives": derivatives, "over": over, "large_sum": large_sum,
            "change_in_blocks": change,
            "fusion": fusion,
        },
        "fused": {"fma": fma},
        "choice": {"where_any": cupy.where},
    }  # fmt: skip
