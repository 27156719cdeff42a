"""Rows: reductions (sum, max, var ...) and scans (cumsum ...)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tgrad.backends import few, folds
from tgrad.backends import reductions as kernels
from tgrad.backends.rows import put_classes
from tgrad.backends.sums import without_nan
from tgrad.core import dtype as dtypes
from tgrad.core.dtype import DType
from tgrad.errors import DimensionError, DTypeError, ShapeError, UnsupportedDTypeError
from tgrad.ops.dimensions import reduced_axes, wrap_dim
from tgrad.ops.reduce_formulas import (
    amax_back,
    chosen_back,
    mean_back,
    prod_back,
    prod_dim_back,
    spread,
    spread_evenly,
)
from tgrad.ops.table import Rule, composite, operator, summed

DIMS = {"dim": "ints?"}
ANY_DIM = {"dim": "int?"}


def _averaged(operands: Sequence[Any], dtype: Any) -> DType:
    found = operands[0]._type.dtype if dtype is None else dtype
    if not found.is_differentiable:
        what = "Input" if dtype is None else "Optional"
        raise DTypeError(
            f"mean(): could not infer output dtype. {what} dtype must be either a floating point or "
            f"complex dtype. Got: {found.title}",
            hint="convert it first, e.g. x.float().mean()",
        )
    return found  # type: ignore[no-any-return]


averaged = Rule("as input, which must be floating or complex; or dtype=", "inexact", _averaged)


def _to_bool(dtype: DType) -> DType:
    return dtypes.uint8 if dtype is dtypes.uint8 else dtypes.bool_


def unsupported(kernel: str, array: Any) -> UnsupportedDTypeError:
    """The error for a dtype that an operator isn't made for."""
    dtype = dtypes.from_numpy(array.dtype)
    title = "?" if dtype is None else dtype.title
    return UnsupportedDTypeError(f'"{kernel}" not implemented for \'{title}\'')


# ---------------------------------------------------------------- sums and means


def total(xp: Any, input: Any, axes: Any, keepdim: bool) -> Any:
    """A sum in the array's own dtype, also that of small integers, which wrap around."""
    result = xp.sum(input, axes, keepdim)
    return result if result.dtype == input.dtype else result.astype(input.dtype)


operator(
    "sum", lambda xp, input, *, dtype=None: xp.sum(input) if dtype is None else total(
        xp, input, None, False
    ),
    input=lambda o, g, input_shape: o.expand(g, input_shape),
    narrow=True, dtype=summed, out=False, doc="The sum of all elements.",
)  # fmt: skip

operator(
    "sum.dim",
    lambda xp, input, dim, keepdim=False, *, dtype=None: total(
        xp, input, reduced_axes(dim, input.ndim), keepdim
    ) if dtype is not None else xp.sum(input, reduced_axes(dim, input.ndim), keepdim),
    input=lambda o, g, input_shape, dim, keepdim: spread(o, g, input_shape, dim, keepdim),
    narrow=True, dtype=summed, kinds=DIMS, index=1, doc="Sums over dimensions.",
)  # fmt: skip


def _nansum(xp: Any, input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    if input.dtype.kind == "c":
        raise DTypeError("nansum on CPU does not support complex inputs")
    return total(xp, without_nan(input), reduced_axes(dim, input.ndim), keepdim)


operator(
    "nansum", _nansum,
    input=lambda o, g, input, dim, keepdim: (
        spread(o, g, input.shape, dim, keepdim) * o.logical_not(o.isnan(input))
    ),
    narrow=True, dtype=summed, kinds=DIMS, doc="Sums, where NaN counts as 0.",
)  # fmt: skip

operator(
    "mean", lambda xp, input, *, dtype=None: xp.mean(input),
    input=lambda o, g, input_shape: mean_back(o, g, input_shape, None, False),
    dtype=averaged, doc="The mean of all elements.",
)  # fmt: skip

operator(
    "mean.dim",
    lambda xp, input, dim, keepdim=False, *, dtype=None: xp.mean(
        input, reduced_axes(dim, input.ndim), keepdim
    ),
    input=lambda o, g, input_shape, dim, keepdim: mean_back(o, g, input_shape, dim, keepdim),
    dtype=averaged, kinds=DIMS, index=1, doc="Means over dimensions.",
)  # fmt: skip


def _nanmean(o: Any, input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    if not input.dtype.is_differentiable:
        raise DTypeError(
            "nanmean(): expected input to have floating point or complex dtype but got "
            f"{input.dtype.title}"
        )
    present = o.sum_dim(o.logical_not(o.isnan(input)), dim, keepdim)
    return o.div(o.nansum(input, dim, keepdim, dtype=dtype), present)


composite("nanmean", _nanmean, kinds=DIMS, doc="Means of the elements that aren't NaN.")

# ---------------------------------------------------------------- products


def _product(xp: Any, input: Any) -> Any:
    found = few.reduced(xp.multiply, input)
    return kernels.prod(input).astype(input.dtype, copy=False) if found is None else found


operator(
    "prod", lambda xp, input, *, dtype=None: _product(xp, input),
    input=lambda o, g, input, out: prod_back(o, g, input, out),
    narrow=True, dtype=summed, out=False, doc="The product of all elements.",
)  # fmt: skip

operator(
    "prod.dim",
    lambda xp, input, dim, keepdim=False, *, dtype=None: kernels.prod(
        input, wrap_dim(dim, input.ndim) if input.ndim or wrap_dim(dim, 0) else None, keepdim
    ).astype(input.dtype, copy=False),
    input=lambda o, g, input, dim, keepdim, out: prod_dim_back(o, g, input, dim, keepdim, out),
    narrow=True, dtype=summed, index=1, doc="Products along a dimension.",
)  # fmt: skip

# ---------------------------------------------------------------- extreme elements


def _no_elements(name: str, input: Any) -> None:
    if input.size == 0:
        raise ShapeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
            "Specify the reduction dim with the 'dim' argument."
        )


def _axis(name: str, input: Any, dim: int) -> int:
    """The axis of a reduction that needs elements to choose from."""
    axis = wrap_dim(dim, input.ndim)
    if input.ndim and input.shape[axis] == 0:
        raise DimensionError(f"{name}(): Expected reduction dim {axis} to have non-zero size.")
    return axis


def _extreme(xp: Any, input: Any, name: str) -> Any:
    ufunc = xp.maximum if name == "max" else xp.minimum
    found = few.reduced(ufunc, input)
    if found is not None:
        return found
    _no_elements(name, input)
    if input.dtype.kind == "c":
        raise unsupported(f"{name}_all", input)
    return folds.spread(ufunc, input)


def _extreme_dim(input: Any, dim: int, keepdim: bool, name: str) -> Any:
    axis = _axis(name, input, dim)
    if input.dtype.kind == "c":
        raise DTypeError(f"{name}(): does not support complex input")
    return kernels.extremes(input, axis, keepdim, name == "max")


def _over_dims(xp: Any, input: Any, dim: Any, keepdim: bool, name: str) -> Any:
    axes = reduced_axes(dim, input.ndim)
    if input.size == 0:
        if axes is None:
            _no_elements(name, input)
        for given in dim or ():
            if input.ndim and input.shape[given] == 0:
                raise DimensionError(
                    f"{name}(): Expected reduction dim {given} to have non-zero size."
                )
    if input.dtype.kind == "c":
        raise unsupported(f"{name[1:]}_values_cpu", input)
    return folds.spread(xp.maximum if name == "amax" else xp.minimum, input, axes, keepdim)


operator(
    "max", lambda xp, input: _extreme(xp, input, "max"),
    input=lambda o, g, input, out: spread_evenly(o, g, input, out),
    index=1, doc="The largest element; NaN if there is one.",
)  # fmt: skip

composite("max.other", lambda o, input, other: o.maximum(input, other),
          doc="The larger of each two elements.")  # fmt: skip

operator(
    "max.dim", lambda xp, input, dim, keepdim=False: _extreme_dim(input, dim, keepdim, "max"),
    input=lambda o, g, input_shape, dim, keepdim, indices: chosen_back(
        o, g, input_shape, dim, keepdim, indices
    ),
    result=(None, dtypes.int64), fields=("values", "indices"),
    doc="The largest elements along a dimension, and their first indices.",
)  # fmt: skip

operator(
    "min", lambda xp, input: _extreme(xp, input, "min"),
    input=lambda o, g, input, out: spread_evenly(o, g, input, out),
    index=1, doc="The smallest element; NaN if there is one.",
)  # fmt: skip

composite("min.other", lambda o, input, other: o.minimum(input, other),
          doc="The smaller of each two elements.")  # fmt: skip

operator(
    "min.dim", lambda xp, input, dim, keepdim=False: _extreme_dim(input, dim, keepdim, "min"),
    input=lambda o, g, input_shape, dim, keepdim, indices: chosen_back(
        o, g, input_shape, dim, keepdim, indices
    ),
    result=(None, dtypes.int64), fields=("values", "indices"),
    doc="The smallest elements along a dimension, and their first indices.",
)  # fmt: skip

operator(
    "amax", lambda xp, input, dim=(), keepdim=False: _over_dims(xp, input, dim, keepdim, "amax"),
    input=lambda o, g, input, dim, keepdim, out: amax_back(o, g, input, dim, keepdim, out),
    kinds=DIMS, doc="The largest elements over dimensions.",
)  # fmt: skip

operator(
    "amin", lambda xp, input, dim=(), keepdim=False: _over_dims(xp, input, dim, keepdim, "amin"),
    input=lambda o, g, input, dim, keepdim, out: amax_back(o, g, input, dim, keepdim, out),
    kinds=DIMS, doc="The smallest elements over dimensions.",
)  # fmt: skip


def _aminmax(xp: Any, input: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    axis = None
    if dim is not None:
        axis = wrap_dim(dim, input.ndim)
        if input.ndim and input.shape[axis] == 0:
            raise DimensionError(
                f"aminmax: Expected reduction dim {axis} to have non-zero size."
            )
        axis = axis if input.ndim else None
    elif input.size == 0:
        raise ShapeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no "
            "identity."
        )
    if input.dtype.kind == "c":
        raise unsupported("aminmax_cpu", input)
    found = tuple(folds.spread(ufunc, input, axis, keepdim) for ufunc in (xp.minimum, xp.maximum))
    return tuple(xp.array(part, order="C") for part in found) if keepdim else found


operator(
    "aminmax", _aminmax,
    input=lambda o, g, input, dim, keepdim, min, max: (
        amax_back(o, g[0], input, dim, keepdim, min) + amax_back(o, g[1], input, dim, keepdim, max)
    ),
    kinds=ANY_DIM, fields=("min", "max"), outputs=2,
    doc="The smallest and the largest elements, of everything or along a dimension.",
)  # fmt: skip


def _index_of(input: Any, dim: Any, keepdim: bool, name: str) -> Any:
    if input.dtype.kind in "bc":
        kind = "bool" if input.dtype.kind == "b" else "complex"
        raise DTypeError(f"{name}(): does not support {kind} input")
    if dim is None:
        if input.size == 0:
            raise DimensionError(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0."
            )
        axis = None
    else:
        axis = _axis(name, input, dim)
        axis = axis if input.ndim else None
    return kernels.place_of(input, axis, keepdim, name == "argmax")


operator(
    "argmax", lambda xp, input, dim=None, keepdim=False: _index_of(input, dim, keepdim, "argmax"),
    kinds=ANY_DIM, result=dtypes.int64, differentiable=False,
    doc="The index of the (first) largest element: of all, or along a dimension.",
)  # fmt: skip

operator(
    "argmin", lambda xp, input, dim=None, keepdim=False: _index_of(input, dim, keepdim, "argmin"),
    kinds=ANY_DIM, result=dtypes.int64, differentiable=False,
    doc="The index of the (first) smallest element: of all, or along a dimension.",
)  # fmt: skip

# ---------------------------------------------------------------- truth


def _all(xp: Any, input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    if dim == ():
        return xp.not_equal(input, 0).astype(_truth(input))
    return xp.all(input, axis=reduced_axes(dim, input.ndim), keepdims=keepdim).astype(_truth(input))


def _any(xp: Any, input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    if dim == ():
        return xp.not_equal(input, 0).astype(_truth(input))
    return xp.any(input, axis=reduced_axes(dim, input.ndim), keepdims=keepdim).astype(_truth(input))


def _truth(input: Any) -> Any:
    return "uint8" if input.dtype.name == "uint8" else "bool"


operator(
    "all", lambda xp, input: _all(xp, input), result=_to_bool, differentiable=False,
    doc="Whether all elements are true (not 0).",
)  # fmt: skip
operator(
    "all.dim", _all, kinds=DIMS, result=_to_bool, differentiable=False,
    doc="Whether all elements are true (not 0), over dimensions.",
)  # fmt: skip
operator(
    "any", lambda xp, input: _any(xp, input), result=_to_bool, differentiable=False,
    doc="Whether any element is true (not 0).",
)  # fmt: skip
operator(
    "any.dim", _any, kinds=DIMS, result=_to_bool, differentiable=False,
    doc="Whether any element is true (not 0), over dimensions.",
)  # fmt: skip

for _name, _kernel in (("all", _all), ("any", _any)):
    operator(  # listed by messages; a call with one dimension fits the row before it as well
        f"{_name}.int", (lambda kernel: lambda xp, input, dim, keepdim=False: kernel(
            xp, input, (dim,), keepdim
        ))(_kernel),
        result=_to_bool, differentiable=False, doc="Along a dimension.",
    )  # fmt: skip

# ---------------------------------------------------------------- for the formulas


def _put_chosen(xp: Any, input: Any, indices: Any, size: tuple[int, ...], dim: int) -> Any:
    axis = wrap_dim(dim, len(size))
    if size and axis == len(size) - 1 and indices.shape[axis] == 1:
        return put_classes(size, indices.reshape(-1), input, input.dtype)
    result = xp.zeros(size, input.dtype)
    if len(size) == 0:
        result[()] = input
    else:
        xp.put_along_axis(result, indices, input, axis)
    return result


operator(
    "put_chosen", _put_chosen,
    input=lambda o, g, indices, dim: o.gather(g, dim, indices),
    kinds={"indices": "index"}, function=False, method=False, out=False, label="ScatterBackward",
    doc="Zeros, with elements put at indices along a dimension.",
)  # fmt: skip
