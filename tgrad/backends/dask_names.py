"""NumPy's names for arrays on `dask`: `T.xp`, and what formulas on bare arrays call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from types import FunctionType, ModuleType
from typing import Any, Final

import dask.array
import numpy

from tgrad.backends import chunks, dask_arrays, dask_ranges, numpy_, places
from tgrad.backends.dask_arrays import Lazy, filled, number, refused, sizes
from tgrad.backends.dask_blocks import elementwise
from tgrad.backends.narrow import finfo, is_narrow


class Names:
    """The names of the array library; functions are elementwise ones of `numpy_`, or given here."""

    ndarray = Lazy

    def __init__(self) -> None:
        for name, function in _OWN.items():
            setattr(self, name, function)

    def __getattr__(self, name: str) -> Any:
        found = getattr(numpy_, name)
        if isinstance(found, ModuleType):
            found = Kernels(found)
        elif callable(found) and not isinstance(found, type):
            found = partial(call, name)
        setattr(self, name, found)
        return found

    def writes_over(self, name: str) -> bool:
        """No function writes into an array that it is given."""
        return False


class Kernels:
    """Another file of kernels: they work on values, where the arrays are small together."""

    def __init__(self, file: ModuleType) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._file, name)
        if isinstance(found, FunctionType):
            return partial(dask_arrays.on_small, f"'{name}'", found)
        return found


def call(name: str, *args: Any, **keywords: Any) -> Any:
    """A function by its name: at once where all arrays are known, else in the chunks if it is elementwise."""
    keywords.pop("out", None)
    lazy = [x for x in args if type(x) is Lazy and not x.known]
    own = _OWN.get(name)
    if own is not None:
        return own(*args, **keywords)
    if not lazy and _fits(args):
        function = getattr(numpy_, name)
        found = function(*map(value_of, args), **{k: value_of(v) for k, v in keywords.items()})
        return wrapped(found)
    if name in _REDUCTIONS:
        from tgrad.backends import dask_reductions

        return getattr(dask_reductions, name)(*args, **keywords)
    if name not in _ELEMENTWISE:
        raise refused(f"numpy.{name}")
    return elementwise(getattr(numpy_, name), args, keywords)


def value_of(value: Any) -> Any:
    """A known array's values; anything else as it is."""
    if type(value) is Lazy:
        return value.data
    if type(value) is list or type(value) is tuple:
        return type(value)(value_of(x) for x in value)
    return value


def wrapped(found: Any) -> Any:
    """NumPy's arrays and scalars as arrays of this device, also in a tuple; anything else as it is."""
    if isinstance(found, (numpy.ndarray, numpy.generic)):
        return Lazy(numpy.asarray(found))
    if isinstance(found, (tuple, list)):
        return type(found)(wrapped(x) for x in found)
    return found


def _fits(args: Sequence[Any]) -> bool:
    """Whether what arrays are broadcast to is small; ValueError where they can't be."""
    arrays = [x for x in args if type(x) is Lazy]
    if len(arrays) < 2:
        return True
    try:
        shape = numpy.broadcast_shapes(*[x.shape for x in arrays])
    except ValueError:
        return True
    count = 8
    for size in shape:
        count *= size
    return count <= dask_arrays.SMALL


_UFUNCS: Final = {name for name in dir(numpy_) if isinstance(getattr(numpy_, name), numpy.ufunc)}
_ELEMENTWISE: Final = _UFUNCS | {
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "asin",
    "asinh", "atan", "atan2", "atanh", "cos", "cosh", "exp", "exp2", "expm1", "log", "log1p", "log2",
    "log10", "logaddexp", "logaddexp2", "rsqrt", "sigmoid", "sin", "sinh", "sqrt", "tan", "tanh", "where",
    "power", "floor_divide", "fmod", "at_least", "at_most", "between", "clip", "cast", "fma",
    "one_minus_square", "relu_back", "round", "real", "imag", "nan_to_num", "digamma", "lgamma", "erf",
    "erfc", "erfinv", "isneginf", "isposinf",
}  # fmt: skip
"""Functions of `numpy_` that are elementwise."""
_REDUCTIONS: Final = frozenset(
    ("sum", "mean", "any", "all", "count_nonzero", "matmul", "dot", "amax", "amin")
)


class Places:
    """The file of kernels `places`: where indices are lazy, chunks are looked at when they are computed."""

    def __getattr__(self, name: str) -> Any:
        return getattr(places, name)

    def within(self, index: Lazy, low: int, high: int) -> bool:
        """Whether no entry of an index is out of range."""
        return not index.known or places.within(index.data, low, high)

    def outside(self, index: Lazy, low: int, high: int) -> int | None:
        """The first entry out of range; None if there is none."""
        return None if not index.known else places.outside(index.data, low, high)


def _is_small(shape: Sequence[int], dtype: Any) -> bool:
    count = numpy.dtype(dtype).itemsize
    for size in shape:
        count *= size
    return bool(count <= dask_arrays.SMALL and chunks.wanted() == "auto")


def _constant(value: int) -> Callable[..., Lazy]:
    def function(shape: Any, dtype: Any = float, order: str = "C") -> Lazy:
        return full(shape, value, dtype)

    return function


def full(shape: Any, value: Any, dtype: Any = None, order: str = "C") -> Lazy:
    """An array of one number."""
    size = (shape,) if isinstance(shape, int) else tuple(map(int, shape))
    if type(value) is Lazy:
        value = value.value
    kind = numpy.asarray(value).dtype if dtype is None else numpy.dtype(dtype)
    it = number(value, kind)
    if not _is_small(size, kind):
        return Lazy(filled(size, it, kind))
    found = Lazy(numpy.broadcast_to(it, size))
    found._shared = True
    return found


def _like(value: int) -> Callable[..., Lazy]:
    def function(array: Any, dtype: Any = None, order: str = "K", shape: Any = None) -> Lazy:
        return full_like(array, value, dtype, shape=shape)

    return function


def full_like(array: Lazy, value: Any, dtype: Any = None, order: str = "K", shape: Any = None) -> Lazy:
    """An array of one number, in another one's shape, dtype and chunks."""
    kind = array.dtype if dtype is None else numpy.dtype(dtype)
    if array.known or shape is not None:
        return full(array.shape if shape is None else shape, value, kind)
    number = numpy.asarray(value_of(value)).astype(kind)[()]
    return Lazy(dask.array.full(array.shape, number, dtype=kind, chunks=array.graph.chunks))


def eye(n: int, m: int | None = None, k: int = 0, dtype: Any = float) -> Lazy:
    """Ones on a diagonal."""
    shape = (n, n if m is None else m)
    if _is_small(shape, dtype):
        return Lazy(numpy.eye(*shape, k, dtype))
    rows, columns = sizes(shape, dtype)
    row = dask.array.arange(n, chunks=(rows,)).reshape(-1, 1)
    column = dask.array.arange(shape[1], chunks=(columns,))
    return Lazy((column - row == k).astype(dtype))


def asarray(value: Any, dtype: Any = None, **options: Any) -> Lazy:
    """An array of this device."""
    found = value if type(value) is Lazy else Lazy(numpy.asarray(value))
    return found if dtype is None else found.astype(dtype, copy=False)


def array(value: Any, dtype: Any = None, order: str = "K", copy: bool = True) -> Lazy:
    """The same, with memory of its own."""
    return asarray(value, dtype).copy()


def copyto(target: Lazy, source: Any, casting: str = "same_kind", where: Any = True) -> None:
    """Write one array over another one."""
    if where is not True:
        source = call("where", where, source, target)
    if type(source) is Lazy and source.dtype != target.dtype:
        source = call("cast", source, target.dtype)
    target.write(source)


def over(function: Any, target: Lazy, *others: Any) -> None:
    """`function(target, *others)` written over the target."""
    target.write(function(target, *others))


def change_in_blocks(formula: Any, o: Any, arrays: Sequence[Any], options: dict[str, Any]) -> Any:
    """A formula of an optimiser: by NumPy where all arrays are known."""
    return formula(o, *arrays, **options)


def broadcast_to(value: Any, shape: Any) -> Lazy:
    """A view with dimensions of size 1 repeated."""
    from tgrad.backends.dask_views import Repeated

    return asarray(value).view_by(Repeated(tuple(shape)))


def cast(x: Lazy, to: Any) -> Lazy:
    """The array in another dtype, always a copy."""
    if type(x) is not Lazy or x.known:
        return Lazy(numpy.asarray(numpy_.cast(value_of(x), to)))
    return elementwise(numpy_.cast, (x, numpy.dtype(to)))  # type: ignore[no-any-return]


_OWN: Final[dict[str, Any]] = {
    "zeros": _constant(0), "ones": _constant(1), "empty": _constant(0), "full": full,
    "zeros_like": _like(0), "ones_like": _like(1), "empty_like": _like(0), "full_like": full_like,
    "arange": dask_ranges.arange, "linspace": dask_ranges.linspace, "eye": eye,
    "asarray": asarray, "array": array, "ascontiguousarray": asarray, "copyto": copyto, "over": over,
    "change_in_blocks": change_in_blocks, "broadcast_to": broadcast_to, "cast": cast,
    "large_sum": lambda a, b, into_first: call("add", a, b),
    "in_blocks": lambda forward, xp, *args, **keywords: forward(xp, *args, **keywords),
    "derivatives": lambda formulas, o, g, edges, *saved: formulas(o, g, edges, *saved),
    "holds": lambda condition: not condition.known or numpy_.holds(condition.data),
    "may_share_memory": lambda a, b: False,  # what is written never changes what is read
    "places": Places(),
    "within": Places().within,
    "dtype": numpy.dtype, "finfo": finfo, "iinfo": numpy.iinfo, "errstate": numpy.errstate,
    "is_narrow": is_narrow, "broadcast_shapes": numpy.broadcast_shapes,
    "reshape": lambda array, shape: array.reshape(shape),
    "transpose": lambda array, axes=None: array.transpose(axes),
    "expand_dims": lambda array, axis: array.reshape(
        (*array.shape[: axis % (array.ndim + 1)], 1, *array.shape[axis % (array.ndim + 1) :])
    ),
    "squeeze": lambda array, axis=None: array.squeeze(axis), "ravel": lambda array: array.ravel(),
    "swapaxes": lambda array, a, b: array.swapaxes(a, b),
}  # fmt: skip
"""Functions that aren't elementwise ones of NumPy's."""


# ---------------------------------------------------------------- operators

_BINARY: Final = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "power", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
}  # fmt: skip
_OTHERS: Final = {
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal",
    "ne": "not_equal",
    "matmul": "matmul", "neg": "negative", "invert": "invert", "abs": "absolute", "pos": "positive",
}  # fmt: skip


def _operator(name: str) -> Callable[..., Any]:
    return lambda *arrays: call(name, *arrays)


def _reflected(name: str) -> Callable[..., Any]:
    return lambda a, b: call(name, b, a)


def _inplace(name: str) -> Callable[..., Lazy]:
    def function(a: Lazy, b: Any) -> Lazy:
        a.write(call(name, a, b))
        return a

    return function


for _stem, _name in _BINARY.items():
    setattr(Lazy, f"__{_stem}__", _operator(_name))
    setattr(Lazy, f"__r{_stem}__", _reflected(_name))
    setattr(Lazy, f"__i{_stem}__", _inplace(_name))
for _stem, _name in _OTHERS.items():
    setattr(Lazy, f"__{_stem}__", _operator(_name))
Lazy.__hash__ = object.__hash__  # type: ignore[method-assign]
