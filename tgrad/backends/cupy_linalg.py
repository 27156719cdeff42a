"""Linear algebra on CuPy: products by its cuBLAS, decompositions and equations by its cuSOLVER.

CuPy says nothing of matrices that have no inverse, or no decomposition, and gives numbers without meaning,
unless it is told to look (`cupyx.errstate(linalg="raise")`), for which it waits.  It is told so here.  What
then fails is computed once more in main memory, where each matrix's code is found.

In main memory are computed, with a transfer there and one back:

- `eig`, `eigvals`: CuPy has them only for some versions of CUDA, and in an order of eigenvalues of its own;
- `ldl`, `ldl_solve`: CuPy has neither;
- `order_of`, the order of rows after their exchanges in an LU decomposition, which are made one by one.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy

from tgrad.backends import factors, linear

_LOOKED_AT = ("inv", "solve", "cholesky", "qr", "svd", "eigh", "eigvalsh")
"""Functions of `cupy.linalg` that say what failed only if they are told to."""


def own(cupy: Any) -> dict[str, dict[str, Any]]:
    """By file the functions that take the place of those in it."""
    looked_at = {name: _looking(getattr(cupy.linalg, name)) for name in _LOOKED_AT}
    looked_at["solve"] = _broadcasting(cupy, looked_at["solve"])
    on_host = _on_host(cupy, numpy.linalg.eig), _on_host(cupy, numpy.linalg.eigvals)
    return {
        "numpy.linalg": {**looked_at, "eig": on_host[0], "eigvals": on_host[1]},
        "lapack": {"cholesky": lambda a: _by_columns(cupy, looked_at["cholesky"](a))},
        "linear": _codes_from_host(cupy, looked_at),
        "factors": _factors(cupy),
        "products": _products(cupy),
    }


def _looking(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of `cupy.linalg` that raises LinAlgError where it fails."""

    def call(*args: Any, **keywords: Any) -> Any:
        with import_module("cupyx").errstate(linalg="raise"):
            return function(*args, **keywords)

    return call


def _broadcasting(cupy: Any, solve: Callable[..., Any]) -> Callable[..., Any]:
    """`solve` for batches that differ, and for no elements."""

    def call(a: Any, b: Any) -> Any:
        a, b = _with_batches(cupy, a, b)
        return solve(a, b) if b.size else cupy.empty(b.shape, b.dtype)

    return call


def _with_batches(cupy: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """Matrices with their batches broadcast to each other."""
    if a.shape[:-2] == b.shape[:-2]:
        return a, b
    batch = numpy.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return tuple(cupy.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (a, b))


def _by_columns(cupy: Any, a: Any) -> Any:
    return cupy.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2)


def _on_host(cupy: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy's arrays as one of CuPy's."""

    def call(*args: Any) -> Any:
        result = function(*[cupy.asnumpy(x) if isinstance(x, cupy.ndarray) else x for x in args])
        if isinstance(result, tuple):
            return tuple(_to_device(cupy, part) for part in result)
        return _to_device(cupy, result)

    return call


def _to_device(cupy: Any, array: Any) -> Any:
    """A NumPy array on the GPU, stored as it was: row by row, or its matrices column by column."""
    if array.ndim > 1 and not array.flags.c_contiguous:
        return cupy.asarray(numpy.ascontiguousarray(array.swapaxes(-1, -2))).swapaxes(-1, -2)
    return cupy.asarray(array)


def _codes_from_host(cupy: Any, looked_at: dict[str, Callable[..., Any]]) -> dict[str, Any]:
    """The kernels that give a code for each matrix: zeros, or what the host finds."""

    def no_codes(a: Any) -> Any:
        return cupy.zeros(a.shape[:-2], numpy.int32)

    def inverse(a: Any) -> Any:
        try:
            return _by_columns(cupy, looked_at["inv"](a)), no_codes(a)
        except numpy.linalg.LinAlgError:
            return _on_host(cupy, linear.inverse)(a)

    def solve(a: Any, b: Any) -> Any:
        try:
            x = _by_columns(cupy, looked_at["solve"](a, b))
            return x, no_codes(x)
        except numpy.linalg.LinAlgError:
            return _on_host(cupy, linear.solve)(a, b)

    def cholesky(a: Any, upper: bool) -> Any:
        lower = a.swapaxes(-1, -2).conj() if upper else a
        try:
            result = looked_at["cholesky"](lower)
            return _by_columns(cupy, result.swapaxes(-1, -2).conj() if upper else result), no_codes(a)
        except numpy.linalg.LinAlgError:
            return _on_host(cupy, linear.cholesky)(a, upper)

    return {"inverse": inverse, "solve": solve, "cholesky": cholesky}


def _factors(cupy: Any) -> dict[str, Any]:
    """Triangular decompositions, and equations with triangles, by CuPy's counterpart of SciPy."""

    def solve_triangular(a: Any, b: Any, upper: bool, unit: bool) -> Any:
        a, b = _with_batches(cupy, a, b)
        if not b.size:
            return cupy.empty(b.shape, b.dtype)
        solve = import_module("cupyx.scipy.linalg").solve_triangular
        return _by_columns(cupy, solve(a, b, lower=not upper, unit_diagonal=unit))

    def lu(a: Any) -> tuple[Any, Any]:
        m, n = a.shape[-2:]
        batch = math.prod(a.shape[:-2])
        packed = cupy.empty((batch, n, m), a.dtype)
        pivots = cupy.empty((batch, min(m, n)), numpy.int32)
        decompose = import_module("cupyx.scipy.linalg").lu_factor
        for i, matrix in enumerate(a.reshape(batch, m, n) if a.size else ()):
            with warnings.catch_warnings():  # that it is singular
                warnings.simplefilter("ignore", RuntimeWarning)
                found, pivots[i] = decompose(matrix, check_finite=False)
                packed[i] = found.T
        pivots += 1  # rows are counted from 1 here
        result = packed.reshape(*a.shape[:-2], n, m).swapaxes(-1, -2)
        return result, pivots.reshape(*a.shape[:-2], min(m, n))

    def inverse_of_triangle(a: Any, upper: bool) -> Any:
        return solve_triangular(a, cupy.eye(a.shape[-1], dtype=a.dtype), upper, False)

    return {
        "solve_triangular": solve_triangular,
        "inverse_of_triangle": inverse_of_triangle,
        "lu": lu,
        "ldl": _on_host(cupy, factors.ldl),
        "ldl_solve": _on_host(cupy, factors.ldl_solve),
        "order_of": _on_host(cupy, factors.order_of),
    }


def _products(cupy: Any) -> dict[str, Any]:
    """Products by cuBLAS, whose order of additions is PyTorch's, too."""

    def matmul(a: Any, b: Any) -> Any:
        result = cupy.matmul(a, b)
        return result if result.flags.c_contiguous else cupy.ascontiguousarray(result)

    return {"matmul": matmul, "dot": cupy.dot}
