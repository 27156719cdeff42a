"""CuPy's linear algebra for the stand-in: `cupy.linalg`, and the parts of `cupyx` that go with it.

- Where a matrix has no inverse, or no decomposition, the result is of numbers without meaning; LinAlgError
  comes only inside of `cupyx.errstate(linalg="raise")`, which waits to know.
- `solve` and `solve_triangular` want operands of one batch shape.
- There is no `eig` in many versions of CUDA, so there is none here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy

from tests.devices import strict

FAILED = 0.5
"""What stands for a result without meaning."""

_state = {"linalg": "ignore"}


class Linalg(strict.Names):
    """`cupy.linalg`."""

    def _function(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        given = super()._function(name, function)

        def call(*args: Any, **keywords: Any) -> Any:
            arrays = [x for x in args if isinstance(x, strict.Array)]
            if any(x.dtype.char == "e" for x in arrays):
                raise TypeError("float16 is unsupported in linalg")
            if name in ("eig", "eigvals"):
                raise RuntimeError("geev is not available")
            if name == "solve" and arrays[1].ndim > 1 and arrays[0].shape[:-1] != arrays[1].shape[:-1]:
                raise ValueError("a must have (..., M, M) shape and b must have (..., M, K)")
            try:
                result = given(*args, **keywords)
            except numpy.linalg.LinAlgError:
                _refuse(arrays[0])
                return strict.made(numpy.full(arrays[-1].shape, FAILED, arrays[0].dtype))
            if _state["linalg"] == "raise":
                strict.Counts.waits += 1
            return result

        return call


def _refuse(array: strict.Array) -> None:
    """Raise where errors are to be raised; CuPy knows of them only if the array has the rows of a matrix."""
    if _state["linalg"] == "raise":
        raise numpy.linalg.LinAlgError("Error reported by cuSOLVER. devInfo = 1.")
    if array.shape[-1] != array.shape[-2]:
        raise numpy.linalg.LinAlgError("Last 2 dimensions of the array must be square")


@contextmanager
def errstate(*, linalg: str | None = None) -> Iterator[None]:
    """`cupyx.errstate`."""
    before = _state["linalg"]
    if linalg is not None:
        _state["linalg"] = linalg
    try:
        yield
    finally:
        _state["linalg"] = before


def solve_triangular(
    a: strict.Array, b: strict.Array, trans: int = 0, lower: bool = False, unit_diagonal: bool = False,
    overwrite_b: bool = False, check_finite: bool = False,
) -> strict.Array:  # fmt: skip
    """`cupyx.scipy.linalg.solve_triangular`."""
    from tgrad.backends import factors

    if a.shape[:-2] != b.shape[: a.ndim - 2] or not b.size:
        raise ValueError("incompatible batch count")
    assert trans == 0
    return strict.made(factors.solve_triangular(a._a, b._a, not lower, unit_diagonal))


def lu_factor(
    a: strict.Array, overwrite_a: bool = False, check_finite: bool = True
) -> tuple[strict.Array, strict.Array]:
    """`cupyx.scipy.linalg.lu_factor`: of one matrix, with a warning where it is singular."""
    import warnings

    from tgrad.backends import factors

    if a.ndim != 2:
        raise numpy.linalg.LinAlgError("Array must be two-dimensional")
    strict.Counts.waits += 1
    packed, pivots = factors.lu(a._a)
    if (packed.diagonal() == 0).any():
        warnings.warn("Diagonal number 1 is exactly zero. Singular matrix.", RuntimeWarning, stacklevel=2)
    return strict.made(packed), strict.made(pivots - 1)


def modules() -> dict[str, ModuleType]:
    """The modules that programs import besides `cupy`, by their names."""
    found = {name: ModuleType(name) for name in ("cupyx", "cupyx.scipy", "cupyx.scipy.linalg")}
    vars(found["cupyx"])["errstate"] = errstate
    vars(found["cupyx.scipy.linalg"]).update(solve_triangular=solve_triangular, lu_factor=lu_factor)
    return found
