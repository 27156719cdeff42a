"""Elementwise functions, sums and scans on CuPy: each by CuPy's own kernel, in the precision of its arrays.

PyTorch's kernels on a GPU compute float32 in float32 and add in an order of their own, so what the kernel
files do to round as PyTorch does on a CPU is left out here.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy

from tgrad.backends.cupy_ufuncs import Ufunc
from tgrad.backends.narrow import is_narrow
from tgrad.errors import StateError

Array = Any  # an array of CuPy's
Axes = tuple[int, ...] | int | None

_PLAIN: Final = (
    "exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin asin arccos acos arctan atan sinh cosh tanh "
    "arcsinh asinh arccosh acosh arctanh atanh sqrt arctan2 atan2 logaddexp logaddexp2"
)


def own(cupy: Any) -> dict[str, dict[str, Any]]:
    """By file the functions that take the place of those in it."""
    floor_divide, remainder = _division(cupy)
    choice = _choice(cupy)
    take = cupy.take_along_axis
    return {
        "in_double": {**{name: Ufunc(cupy, name) for name in _PLAIN.split()}, **_in_double(cupy)},
        "numpy": {
            "remainder": remainder, "mod": remainder, "floor_divide": floor_divide, "where": choice["where"],
            **_logic(cupy),
        },
        "numpy_": {"one_minus_square": lambda x: 1 - x * x, "remainder": remainder},
        "constants": {"ZERO": _Always(0), "ONE": _Always(1), "kept": lambda number, dtype: number},
        "bounds": _bounds(cupy),
        "choice": choice,
        "remainders": {"floor_divide": floor_divide, "fmod": Ufunc(cupy, "fmod")},
        "powers": {"floating_power": cupy.power, "integer_power": cupy.power},
        "few": {"is_few": lambda array, most=0: False, "reduced": lambda ufunc, array, most=0: None},
        "folds": {"LARGE": math.inf, "by_parts": lambda reduce, array, *how, **more: reduce(array)},
        "sums": _sums(cupy),
        "scans": {"WIDE": {}, "of_places": lambda values, array, places, axis: take(array, places, axis)},
        "reductions": _reductions(cupy),
        "variances": {"variance": _variance(cupy)},
        "tgrad.ops.combined": {"nearer": _nearer(cupy)},
        "tgrad.ops.elementwise": {"no_zero": _no_zero(cupy), "number_of": _number_of},
        "tgrad.ops.reduce_formulas": {"spread_evenly": _spread_evenly(choice["where"])},
    }  # fmt: skip


class _Always(dict[Any, int]):
    """A number for each dtype: itself."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def __missing__(self, dtype: Any) -> int:
        return self._number


class _Logic(Ufunc):
    """Logic of complex numbers, too, of which CuPy has none."""

    def __call__(self, *arrays: Any, **keywords: Any) -> Array:
        parts = [x != 0 if getattr(getattr(x, "dtype", None), "kind", "") == "c" else x for x in arrays]
        return super().__call__(*parts, **keywords)


def _logic(cupy: Any) -> dict[str, Any]:
    return {name: _Logic(cupy, name) for name in ("logical_and", "logical_or", "logical_xor", "logical_not")}


def _in_double(cupy: Any) -> dict[str, Any]:
    def rsqrt(x: Array) -> Array:
        return 1 / cupy.sqrt(x)

    def sigmoid(x: Array) -> Array:
        return 1 / (1 + cupy.exp(-x))

    return {"rsqrt": rsqrt, "sigmoid": sigmoid}


def _bounds(cupy: Any) -> dict[str, Any]:
    maximum, minimum = Ufunc(cupy, "maximum"), Ufunc(cupy, "minimum")
    return {
        "at_least": lambda x, bound: maximum(x, bound),
        "at_most": lambda x, bound: minimum(x, bound),
        "between": lambda x, low, high: minimum(maximum(x, low), high),
    }


def _choice(cupy: Any) -> dict[str, Any]:
    choose = Ufunc(cupy, "where")

    def where(condition: Array, a: Any, b: Any) -> Array:
        """`where`, which has no kernel for bfloat16: that comes as float32."""
        found = choose(condition, a, b)
        for x in (a, b):
            if getattr(x, "dtype", found.dtype).kind == "V":
                return found.astype(x.dtype, copy=False)
        return found

    def write(target: Array, condition: Array, value: Any) -> None:
        cupy.copyto(target, value, where=condition)

    return {"where": where, "write": write, "known": lambda truth: False}


def _division(cupy: Any) -> tuple[Any, Any]:
    """The quotient rounded down, and the remainder with the divisor's sign.

    CuPy rounds the quotient of floats first and then takes it down, which may be one too many; here it
    comes from the exact remainder, as in PyTorch.
    """

    def rest_of(a: Any, b: Any) -> tuple[Array, Array]:
        rest = cupy.fmod(a, b)
        return rest, (rest != 0) & ((rest < 0) != (b < 0))

    def floor_divide(a: Any, b: Any) -> Array:
        if cupy.result_type(a, b).kind not in "fV":
            return cupy.floor_divide(a, b)
        rest, unlike = rest_of(a, b)
        quotient = (a - rest) / b - unlike
        down = cupy.floor(quotient)
        down = down + (quotient - down > 0.5)
        down = cupy.where(quotient == 0, cupy.copysign(0.0, a / b), down)
        return cupy.where(b == 0, a / b, down).astype(quotient.dtype, copy=False)

    def remainder(a: Any, b: Any) -> Array:
        if cupy.result_type(a, b).kind not in "fV":
            return cupy.remainder(a, b)
        rest, unlike = rest_of(a, b)
        return cupy.where(unlike, rest + b, rest).astype(rest.dtype, copy=False)

    return floor_divide, remainder


def _sums(cupy: Any) -> dict[str, Any]:
    def sum(array: Array, axis: Axes = None, keepdims: bool = False) -> Array:
        dtype = array.dtype
        wide = cupy.float32 if is_narrow(dtype) else dtype if dtype.kind in "fc" else cupy.int64
        found = array.astype(wide) if axis == () else cupy.sum(array, axis, wide, keepdims=keepdims)
        return found.astype(dtype) if is_narrow(dtype) else found

    def mean(array: Array, axis: Axes = None, keepdims: bool = False) -> Array:
        if axis == ():
            return array.copy()
        return cupy.mean(array, axis, keepdims=keepdims)

    return {"sum": sum, "mean": mean}


def _reductions(cupy: Any) -> dict[str, Any]:
    def place_of(array: Array, axis: int | None, keepdims: bool, largest: bool) -> Array:
        find = cupy.argmax if largest else cupy.argmin
        return find(array, axis, keepdims=keepdims)

    def extremes(array: Array, axis: int, keepdims: bool, largest: bool) -> tuple[Array, Array]:
        if array.ndim == 0:
            return array.copy(), cupy.zeros((), cupy.int64)
        values = (cupy.max if largest else cupy.min)(array, axis, keepdims=keepdims)
        return values, place_of(array, axis, keepdims, largest)

    def prod(array: Array, axis: int | None = None, keepdims: bool = False) -> Array:
        dtype = array.dtype
        wide = cupy.float32 if is_narrow(dtype) else dtype if dtype.kind in "fc" else cupy.int64
        found = cupy.prod(array, axis if array.ndim else None, wide, keepdims=keepdims)
        return found.astype(dtype) if is_narrow(dtype) else found

    def vector_norm(array: Array, p: float, axes: Axes, keepdims: bool) -> Array:
        sizes = cupy.abs(array)
        if math.isinf(p):
            return (cupy.max if p > 0 else cupy.min)(sizes, axes, keepdims=keepdims)
        powers = sizes != 0 if p == 0 else sizes if p == 1 else sizes * sizes if p == 2 else sizes**p
        found = cupy.sum(powers, axes, sizes.dtype, keepdims=keepdims)
        if p in (0, 1):
            return found
        return cupy.sqrt(found) if p == 2 else found ** (1 / p)

    return {
        "place_of": place_of, "extremes": extremes, "prod": prod, "vector_norm": vector_norm,
        "fused_product": lambda x, y: x * y,
    }  # fmt: skip


def _variance(cupy: Any) -> Any:
    def variance(
        array: Array, axes: Axes, correction: float, keepdims: bool, root: bool, everything: bool
    ) -> tuple[Array, Array | None]:
        """Variance (or its root) and, unless `everything` is needed of the variance, the mean."""
        found = cupy.var(array, axes, keepdims=keepdims)
        size = array.size // found.size if found.size else 1
        degrees = max(size - correction, 0.0)
        found = found * (size / degrees if degrees else math.inf)
        mean = None if everything else cupy.mean(array, axes, keepdims=keepdims)
        return cupy.sqrt(found) if root else found, mean

    return variance


def _nearer(cupy: Any) -> Any:
    def nearer(xp: Any, weight: Any, input: Array, end: Array) -> tuple[Array, Array]:
        """The nearer end and the way from there, of a 0-dimensional weight, too, without waiting for it."""
        near = abs(weight) < 0.5
        return cupy.where(near, input, end), cupy.where(near, weight, -(1 - weight))

    return nearer


def _no_zero(cupy: Any) -> Any:
    def no_zero(xp: Any, input: Any, other: Any) -> None:
        """Whole numbers are not divided by the number 0; tensors aren't looked at, as in PyTorch."""
        if type(other) is not cupy.ndarray and input.dtype.kind in "iu" and input.size and not other:
            raise StateError("ZeroDivisionError")

    return no_zero


def _number_of(xp: Any, array: Array, number: Any) -> Any:
    """A number in the dtype of the array that it is combined with: kernels take it along."""
    return numpy.asarray(number).astype(array.dtype)[()]


def _spread_evenly(where: Any) -> Any:
    def spread_evenly(o: Any, g: Array, input: Array, out: Array) -> Array:
        """The gradient of an extreme element of all, shared by all that are equal to it, or NaN as it is."""
        hit = (input == out) | ((input != input) & (out != out))
        return where(hit, g / hit.sum().astype(g.dtype), 0)

    return spread_evenly
