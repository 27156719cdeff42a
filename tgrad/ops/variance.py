"""Rows: variances, standard deviations and norms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tgrad.backends import few
from tgrad.backends import reductions as kernels
from tgrad.backends.sums import mean
from tgrad.backends.variances import variance
from tgrad.core.dtype import DType
from tgrad.errors import DTypeError, StateError
from tgrad.ops.dimensions import reduced_axes
from tgrad.ops.reduce import DIMS
from tgrad.ops.reduce_formulas import (
    norm_back,
    std_back,
    std_mean_back,
    var_back,
    var_mean_back,
)
from tgrad.ops.table import Rule, composite, operator

# ---------------------------------------------------------------- variances


def _spread_of(
    input: Any, dim: Any, correction: Any, keepdim: bool, root: bool, both: bool = False
) -> Any:
    if input.dtype.kind not in "fc":
        name = "std and var" if not both else ("std_mean" if root else "var_mean")
        raise DTypeError(f"{name} only support floating point and complex dtypes")
    axes = reduced_axes(dim, input.ndim)
    correction = 1 if correction is None else correction
    degrees = input.size - correction
    if axes is None and degrees >= 1 and not keepdim and not both and few.is_few(input):
        return few.variance(input, mean(input), degrees, root)
    found = variance(input, axes, correction, keepdim, root, not both)
    return found if both else found[0]


composite(
    "std.dim", lambda o, input, dim, unbiased=True, keepdim=False: o.std_correction(
        input, dim, correction=int(unbiased), keepdim=keepdim
    ),
    kinds=DIMS, doc="The standard deviation over dimensions, with n - 1 for n by default.",
)  # fmt: skip
operator(
    "std.correction",
    lambda xp, input, dim=None, *, correction=None, keepdim=False: _spread_of(
        input, dim, correction, keepdim, True
    ),
    input=lambda o, g, input, dim, correction, keepdim, out: std_back(
        o, g, input, dim, correction, keepdim, out
    ),
    kinds=DIMS, result=DType.to_real,
    doc="The standard deviation, with n - correction in place of n (correction=1 by default).",
)  # fmt: skip
composite(
    "std", lambda o, input, unbiased=True: o.std_correction(input, None, correction=int(unbiased)),
    out=False, doc="The standard deviation of all elements.",
)  # fmt: skip

composite(
    "var.dim", lambda o, input, dim, unbiased=True, keepdim=False: o.var_correction(
        input, dim, correction=int(unbiased), keepdim=keepdim
    ),
    kinds=DIMS, doc="The variance over dimensions, with n - 1 for n by default.",
)  # fmt: skip
operator(
    "var.correction",
    lambda xp, input, dim=None, *, correction=None, keepdim=False: _spread_of(
        input, dim, correction, keepdim, False
    ),
    input=lambda o, g, input, dim, correction, keepdim: var_back(
        o, g, input, dim, correction, keepdim
    ),
    kinds=DIMS, result=DType.to_real,
    doc="The variance, with n - correction in place of n (correction=1 by default).",
)  # fmt: skip
composite(
    "var", lambda o, input, unbiased=True: o.var_correction(input, None, correction=int(unbiased)),
    out=False, doc="The variance of all elements.",
)  # fmt: skip

composite(
    "std_mean.dim", lambda o, input, dim, unbiased=True, keepdim=False: o.std_mean_correction(
        input, dim, correction=int(unbiased), keepdim=keepdim
    ),
    kinds=DIMS, out=False, method=False, doc="Standard deviation and mean over dimensions.",
)  # fmt: skip
operator(
    "std_mean.correction",
    lambda xp, input, dim=None, *, correction=None, keepdim=False: _spread_of(
        input, dim, correction, keepdim, True, True
    ),
    input=lambda o, g, input, dim, correction, keepdim: std_mean_back(
        o, g, input, dim, correction, keepdim
    ),
    kinds=DIMS, result=(DType.to_real, None), outputs=2, out=False, method=False,
    doc="Standard deviation and mean.",
)  # fmt: skip
composite(
    "std_mean",
    lambda o, input, unbiased=True: o.std_mean_correction(input, None, correction=int(unbiased)),
    out=False, method=False, doc="Standard deviation and mean of all elements.",
)  # fmt: skip

composite(
    "var_mean.dim", lambda o, input, dim, unbiased=True, keepdim=False: o.var_mean_correction(
        input, dim, correction=int(unbiased), keepdim=keepdim
    ),
    kinds=DIMS, out=False, method=False, doc="Variance and mean over dimensions.",
)  # fmt: skip
operator(
    "var_mean.correction",
    lambda xp, input, dim=None, *, correction=None, keepdim=False: _spread_of(
        input, dim, correction, keepdim, False, True
    ),
    input=lambda o, g, input, dim, correction, keepdim: var_mean_back(
        o, g, input, dim, correction, keepdim
    ),
    kinds=DIMS, result=(DType.to_real, None), outputs=2, out=False, method=False,
    doc="Variance and mean.",
)  # fmt: skip
composite(
    "var_mean",
    lambda o, input, unbiased=True: o.var_mean_correction(input, None, correction=int(unbiased)),
    out=False, method=False, doc="Variance and mean of all elements.",
)  # fmt: skip

# ---------------------------------------------------------------- norms


def _norm(xp: Any, input: Any, ord: float = 2, dim: Any = None, keepdim: bool = False, *,
          dtype: Any = None) -> Any:
    if isinstance(ord, complex):
        raise StateError(
            "linalg.vector_norm: Expected a non-complex scalar as the order of norm."
        )
    axes = reduced_axes(dim, input.ndim)
    if ord == 2 and axes is None and not keepdim and input.dtype.char == "f" and few.is_few(input, 3):
        return few.norm(input)
    if input.size == 0 and (ord < 0 or ord == float("inf")):
        _no_identity(input, ord, axes)
    return kernels.vector_norm(input, ord, axes, keepdim)


def _no_identity(input: Any, ord: float, axes: Any) -> None:
    """Raise PyTorch's error for the norm of no elements, where that isn't 0."""
    name = "linalg.vector_norm cannot compute the"
    if axes is None:
        raise StateError(
            f"{name} {ord:g} norm on an empty tensor because the operation does not have an identity"
        )
    for axis in axes:
        if input.shape[axis] == 0:
            raise StateError(
                f"{name} {ord:g} norm on the dimension {axis}because this dimension is empty and the "
                "operation does not have an identity"
            )


def _normed(operands: Sequence[Any], dtype: Any) -> DType:
    return norm_dtype("linalg.vector_norm", operands[0]._type.dtype, dtype)


def norm_dtype(name: str, found: DType, dtype: DType | None) -> DType:
    """The dtype in which a norm is computed; raises PyTorch's errors for what can't be."""
    if not found.is_differentiable:
        raise DTypeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {found.title}"
        )
    if dtype is None or dtype is found:
        return found
    if not dtype.is_differentiable:
        raise DTypeError(f"{name}: dtype should be floating point or complex, but got {dtype.title}")
    if dtype.is_complex != found.is_complex:
        kind = "complex" if found.is_complex else "real"
        raise DTypeError(f"{name}: dtype should be {kind} for {kind} inputs, but got {dtype.title}")
    if dtype.itemsize < found.itemsize:
        raise DTypeError(
            f"{name}: the dtype of the input ({found.title}) should be convertible without narrowing "
            f"to the specified dtype ({dtype.title})"
        )
    return dtype


operator(
    "linalg_vector_norm", _norm,
    input=lambda o, g, input, ord, dim, keepdim, out: norm_back(
        o, g, input, ord, dim, keepdim, out
    ),
    dtype=Rule("as input, which must be floating or complex; or dtype=", "inexact", _normed),
    kinds={**DIMS, "ord": "number"}, result=DType.to_real, module="torch.linalg", method=False,
    doc="(sum of |x| ** ord) ** (1 / ord) over dimensions.",
)  # fmt: skip


def _torch_norm(
    o: Any, input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Any:
    if p is None or p == "fro":
        p = 2.0
    elif isinstance(p, str):
        return o.linalg_matrix_norm(input, p, (0, 1) if dim is None else dim, keepdim, dtype=dtype)
    return o.linalg_vector_norm(input, float(p), dim, keepdim, dtype=dtype)


composite(
    "norm", _torch_norm, kinds={**DIMS, "p": "any"},
    doc="The p-norm (2 by default) of all elements, or over dimensions; p may be inf.",
)  # fmt: skip
