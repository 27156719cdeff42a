"""In which precision functions of arrays are computed, and polynomials by Horner's rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any  # an ndarray


def doubled(function: Callable[..., Array]) -> Callable[..., Array]:
    """Compute in float64, whatever the floating dtype of the arrays, and round the result."""

    def rounded(*arrays: Array) -> Array:
        dtype = arrays[-1].dtype
        with np.errstate(all="ignore"):
            wide = np.broadcast_arrays(*(np.asarray(a).astype(np.float64) for a in arrays))
            result = function(*wide)
        if len(arrays) > 1:
            return result.astype(dtype)
        rounded_result = np.empty_like(arrays[0])  # in the same order in memory
        np.copyto(rounded_result, result, casting="unsafe")
        return rounded_result

    rounded.__name__ = rounded.__qualname__ = function.__name__
    rounded.__doc__ = function.__doc__
    return rounded


def native(function: Callable[..., Array]) -> Callable[..., Array]:
    """Compute in the dtype of the arrays, float32 or float64; the result lies in memory as the first one."""

    def ordered(*arrays: Array) -> Array:
        with np.errstate(all="ignore"):
            result = function(*arrays)
        if result.shape != arrays[0].shape:
            return result.astype(arrays[0].dtype, copy=False)
        made = np.empty_like(arrays[0])
        np.copyto(made, result)
        return made

    ordered.__name__ = ordered.__qualname__ = function.__name__
    ordered.__doc__ = function.__doc__
    return ordered


def rounded(function: Callable[[Array], Array], x: Array) -> Array:
    """A function in double precision, rounded once."""
    return function(x.astype(np.float64)).astype(x.dtype)


def horner(coefficients: tuple[float, ...], x: Array) -> Array:
    """The value of a polynomial whose highest coefficient comes first (Horner)."""
    total = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total *= x
        total += coefficient
    return total


def piecewise(x: Array, *pieces: tuple[Array, Callable[[Array], Array]]) -> Array:
    """A function whose pieces are computed only where their condition holds, one for each element."""
    flat = x.reshape(-1)
    result = np.empty_like(flat)
    for condition, function in pieces:
        places = np.flatnonzero(condition)
        if len(places) == flat.size:
            return function(flat).reshape(x.shape)
        if len(places):
            result[places] = function(flat.take(places))
    return result.reshape(x.shape)
