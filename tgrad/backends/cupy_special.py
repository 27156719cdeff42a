"""Special functions on CuPy: those that it has itself, one kernel each; the others are chains of operations.

CuPy's Bessel functions that are scaled by an exponential overflow, so these come from the kernel files.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

Array = Any  # an array of CuPy's


def own(cupy: Any) -> dict[str, dict[str, Any]]:
    """By file the functions that take the place of those in it."""

    def named(*names: str) -> dict[str, Callable[..., Array]]:
        return {name: of_cupy(name) for name in names}

    zeta, digamma = of_cupy("zeta"), of_cupy("digamma")

    def polygamma(n: int, x: Array) -> Array:
        """The n-th derivative of digamma (DLMF 5.15.1)."""
        if n == 0:
            return digamma(x)
        return (1 if n % 2 else -1) * _factorial(n) * zeta(cupy.full_like(x, n + 1), x)

    def xlog1py(x: Array, y: Array) -> Array:
        """CuPy's is 0 where x is, also where y is NaN."""
        return cupy.where((x == 0) & (y == y), x.dtype.type(0), x * cupy.log1p(y)).astype(x.dtype, copy=False)

    return {
        "special": {
            **named("erf", "erfc", "erfinv", "erfcx", "ndtri", "log_ndtr", "entr", "xlogy"),
            "xlog1py": xlog1py,
        },
        "gamma": {
            **named("digamma", "zeta", "gammainc", "gammaincc"), "lgamma": of_cupy("gammaln"),
            "polygamma": polygamma,
        },
        "bessel": named("i0", "i1", "j0", "j1", "y0", "y1", "k0", "k1"),
    }  # fmt: skip


def of_cupy(name: str) -> Callable[..., Array]:
    """A function of `cupyx.scipy.special`, looked up when it is called: the module takes long to load.

    What it has no loop for it computes in double precision.
    """

    def function(*arrays: Array) -> Array:
        found = getattr(import_module("cupyx.scipy.special"), name)(*arrays)
        return found.astype(arrays[-1].dtype, copy=False)

    function.__name__ = function.__qualname__ = name
    return function


def _factorial(n: int) -> float:
    try:
        return float(math.factorial(n))
    except OverflowError:
        return math.inf
