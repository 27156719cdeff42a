"""Rows: counts, quantiles, histograms, covariances, distances."""

from __future__ import annotations

import warnings
from typing import Any

import numpy

from tgrad.backends import reductions as kernels
from tgrad.backends.large import LARGE, in_blocks
from tgrad.core import dtype as dtypes
from tgrad.core.dtype import DType
from tgrad.core.tensor import Tensor
from tgrad.errors import DimensionError, DTypeError, ShapeError, StateError
from tgrad.ops.dimensions import reduced_axes, wrap_dim
from tgrad.ops.mixing import refuse_several
from tgrad.ops.reduce import unsupported
from tgrad.ops.reduce_formulas import logsumexp_back, norm_back, renorm_back
from tgrad.ops.table import broadcast, composite, float_result, operator

# ---------------------------------------------------------------- sums of exponentials, counts


def _powers(xp: Any, input: Any, most: Any) -> Any:
    return xp.exp(input - most)


def _logsumexp(xp: Any, input: Any, dim: Any, keepdim: bool = False) -> Any:
    axes = reduced_axes(dim, input.ndim)
    if dim == () and input.ndim and not keepdim:
        raise ShapeError(
            f"output with shape [] doesn't match the broadcast shape {[1] * input.ndim}"
        )
    if input.size == 0:
        with numpy.errstate(all="ignore"):
            return xp.log(xp.sum(xp.exp(input), axes, keepdim))
    most = xp.amax(input if input.dtype.kind != "c" else input.real, axis=axes, keepdims=True)
    most = xp.where(xp.isinf(most), most.dtype.type(0), most)
    powers = _powers(xp, input, most) if input.size < LARGE else in_blocks(_powers, xp, input, most)
    total = xp.sum(powers, axes, keepdim)
    return xp.log(total) + most.reshape(total.shape)


operator(
    "logsumexp", _logsumexp,
    input=lambda o, g, input, dim, keepdim, out: logsumexp_back(o, g, input, dim, keepdim, out),
    narrow=True, dtype=float_result, kinds={"dim": "ints"}, aliases=("special.logsumexp",),
    doc="Logarithms of sums of exponentials, without overflow.",
)  # fmt: skip

operator(
    "count_nonzero",
    lambda xp, input, dim=None: xp.asarray(
        xp.count_nonzero(input, reduced_axes(None if dim is None else (dim,), input.ndim))
    ),
    kinds={"dim": "int?"}, result=dtypes.int64, differentiable=False, out=False,
    doc="How many elements aren't 0: of all, or along a dimension.",
)  # fmt: skip
operator(
    "count_nonzero.dims",
    lambda xp, input, dim: xp.asarray(xp.count_nonzero(input, reduced_axes(dim, input.ndim))),
    kinds={"dim": "ints"}, result=dtypes.int64, differentiable=False, out=False, varargs=True,
    doc="How many elements aren't 0, over dimensions.",
)  # fmt: skip

# ---------------------------------------------------------------- hashes


def _hash_tensor(xp: Any, input: Any, dim: Any = (), *, keepdim: bool = False, mode: int = 0) -> Any:
    if mode != 0:
        raise StateError(f"Unknown hash_tensor mode: {mode}")
    axes = reduced_axes(dim, input.ndim)
    for axis in axes or ():
        if input.shape[axis] == 0:
            raise DimensionError(f"hash_tensor: Expected reduction dim {axis} to have non-zero size.")
    if input.dtype.kind == "c":
        raise unsupported("xor_sum_cpu", input)
    wide = input.astype(numpy.int64 if input.dtype.kind in "iub" else numpy.float64).view(numpy.uint64)
    return xp.bitwise_xor.reduce(wide, axis=axes, keepdims=keepdim)


operator(
    "hash_tensor", _hash_tensor, kinds={"dim": "ints", "keepdim": "bool", "mode": "int"},
    result=dtypes.uint64, differentiable=False,
    doc="The exclusive or of the elements' bits, read as 64-bit numbers.",
)  # fmt: skip

# ---------------------------------------------------------------- distances


def _dist(xp: Any, input: Any, other: Any, p: float = 2.0) -> Any:
    if input.dtype.kind not in "fc":
        title = getattr(dtypes.from_numpy(input.dtype), "title", "?")
        raise DTypeError(
            "norm(): input dtype should be either floating point or complex. "
            f"Got {title} instead."
        )
    return kernels.vector_norm(xp.subtract(input, other), p, None, False)


broadcast(
    "dist", _dist,
    input=lambda o, g, input, other, p, out: norm_back(o, g, input - other, p, None, False, out),
    other=lambda o, g, input, other, p, out: -norm_back(o, g, input - other, p, None, False, out),
    kinds={"p": "float"}, result=DType.to_real, out=False, doc="The p-norm of the difference.",
)  # fmt: skip


def _renorm(xp: Any, input: Any, p: float, dim: int, maxnorm: float) -> Any:
    if input.ndim < 2:
        raise ShapeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    if p <= 0:
        raise StateError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise StateError("renorm: expected maxnorm to be >= 0 but got " f"{maxnorm:g}")
    axis = wrap_dim(dim, input.ndim)
    others = tuple(a for a in range(input.ndim) if a != axis)
    norm = kernels.vector_norm(input, p, others, True)
    kind = norm.dtype.type
    factor = xp.where(norm > maxnorm, kind(maxnorm) / (norm + kind(1e-7)), kind(1))
    return input * factor


operator(
    "renorm", _renorm,
    input=lambda o, g, input, p, dim, maxnorm: renorm_back(o, g, input, p, dim, maxnorm),
    kinds={"p": "float", "maxnorm": "float"}, inplace=True,
    doc="Slices along a dimension, those of a p-norm above maxnorm scaled down to it.",
)  # fmt: skip

# ---------------------------------------------------------------- quantiles

_MODES = ("linear", "lower", "higher", "midpoint", "nearest")


def _check_quantile(input: Any, q: Any, dim: int | None, interpolation: str) -> None:
    if not isinstance(q, Tensor) and not 0 <= q <= 1:
        raise StateError(f"quantile() q must be in the range [0, 1] but got {q:g}")
    if interpolation not in _MODES:
        raise StateError(
            "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but "
            f"got {interpolation}"
        )
    if not input.numel():
        raise StateError("quantile() input tensor must be non-empty")
    if isinstance(q, Tensor) and q.ndim > 1:
        raise ShapeError("quantile() q must be a scalar or 1D tensor")
    if input.dtype not in (dtypes.float32, dtypes.float64):
        raise DTypeError("quantile() input tensor must be either float or double dtype")
    if isinstance(q, Tensor):
        if q.dtype is not input.dtype:
            raise DTypeError("quantile() q tensor must be same dtype as the input tensor")
        refuse_several("quantile() q tensor must be on the same device as the input tensor", q, input)
        if not bool(((q._array >= 0) & (q._array <= 1)).all()):
            raise StateError("quantile() q values must be in the range [0, 1]")
    if dim is not None:
        wrap_dim(dim, input.ndim)


def _in_line(o: Any, input: Any, dim: int | None, keepdim: bool) -> Any:
    """The input, sorted along a last dimension that wasn't there or was `dim`."""
    if dim is None:
        shape = (1,) * input.ndim if keepdim else ()
        flat = o.sort(o.flatten(input))[0]
        return o.reshape(flat, (*shape, flat.shape[0]))
    if input.ndim == 0:
        return o.reshape(input, (1,))
    dim = wrap_dim(dim, input.ndim)
    if keepdim:
        return o.sort(o.transpose(o.unsqueeze(input, -1), dim, -1))[0]
    return o.sort(o.movedim(input, (dim,), (-1,)) if dim != input.ndim - 1 else input)[0]


def _quantile(
    o: Any, name: str, input: Any, q: Any, dim: int | None, keepdim: bool, interpolation: str
) -> Any:
    _check_quantile(input, q, dim, interpolation)
    ordered = _in_line(o, input, dim, keepdim)
    if not isinstance(q, Tensor):
        q = o.full((), q, dtype=input.dtype, device=input.device)
    missing = o.isnan(ordered)
    if name == "nanquantile":
        present = o.sum_dim(o.logical_not(missing), (-1,), True)
        ranks = o.mul(q, o.sub(present, 1))
        ranks = o._where(o.lt(ranks, 0), 0.0, ranks)
    else:
        last = ordered.shape[-1] - 1
        ranks = o._where(o.any_dim(missing, (-1,), True), float(last), o.mul(q, last))
    rounding = {"lower": o.floor, "higher": o.ceil, "nearest": o.round}.get(interpolation)
    if rounding is not None:
        ranks = rounding(ranks)
    below = o.to_copy(ranks, dtypes.int64)
    result = o.gather(ordered, -1, below)
    if interpolation in ("linear", "midpoint"):
        weights = o.full_like(ranks, 0.5) if interpolation == "midpoint" else o.sub(ranks, below)
        above = o.to_copy(o.ceil(ranks), dtypes.int64)
        result = o.lerp_Tensor(result, o.gather(ordered, -1, above), weights)
    if q.ndim == 0:
        return result.squeeze_(-1)
    return o.transpose(o.unsqueeze(result, 0), 0, -1).squeeze_(-1)


for _name, _doc in (("quantile", "Quantiles"), ("nanquantile", "Quantiles of what isn't NaN")):
    composite(
        _name,
        (lambda name: lambda o, input, q, dim=None, keepdim=False, *, interpolation="linear":
         _quantile(o, name, input, q, dim, keepdim, interpolation))(_name),
        kinds={"q": "operand", "dim": "int?", "interpolation": "str"},
        doc=f"{_doc} of all elements or along a dimension, interpolated.",
    )  # fmt: skip

# ---------------------------------------------------------------- covariance


def _check_weights(name: str, kind: str, weights: Any, count: int) -> None:
    """Raise PyTorch's errors for weights of observations."""
    if weights is None:
        return
    if weights.ndim > 1:
        raise ShapeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with {weights.ndim} "
            "dimensions"
        )
    dtype = weights.dtype
    if dtype.category != (dtypes.INTEGER if kind == "integral" else dtypes.FLOATING):
        raise DTypeError(
            f"cov(): expected {name} to have {kind} dtype but got {name} with {dtype.title} dtype"
        )
    if weights.numel() != count:
        raise ShapeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input but got "
            f"{weights.numel()} != {count}"
        )
    if count and weights._array.min() < 0:
        raise StateError(f"cov(): {name} cannot be negative")


def _cov(
    o: Any, input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None
) -> Any:
    if input.ndim > 2:
        raise ShapeError(
            "cov(): expected input to have two or fewer dimensions but got an input with "
            f"{input.ndim} dimensions"
        )
    if input.dtype is dtypes.bool_:
        raise DTypeError("cov(): bool dtype is not supported for input")
    table = o.reshape(input, (1, -1)) if input.ndim < 2 else input
    _check_weights("fweights", "integral", fweights, table.shape[1])
    _check_weights("aweights", "floating point", aweights, table.shape[1])
    weights = fweights
    if aweights is not None:
        weights = aweights if fweights is None else o.mul(fweights, aweights)
    total: Any = table.shape[1]
    weighed = table
    if weights is not None:
        total = o.sum(weights)
        weighed = o.mul(table, weights)
    table = o.sub(table, o.unsqueeze(o.div(o.sum_dim(weighed, (1,)), total), 1))
    count = o.sub(total, correction) if isinstance(total, Tensor) else total - correction
    if weights is not None and aweights is not None and correction != 0:
        count = o.sub(total, o.div(o.mul(o.sum(o.mul(weights, aweights)), correction), total))
    if float(count) <= 0:
        warnings.warn(
            "cov(): degrees of freedom is <= 0. Correction should be strictly less than the number "
            "of observations.",
            stacklevel=5,
        )
        count = 0.0
    weighed = table if weights is None else o.mul(table, weights)
    product = o.mm(table, o.conj(o.t(weighed)))
    if not isinstance(count, Tensor):
        count = o.full((), count, dtype=product.dtype if product.dtype.is_differentiable else None)
    return o.squeeze(o.div(product, count))


composite(
    "cov", _cov, kinds={"correction": "int", "fweights": "tensor?", "aweights": "tensor?"}, out=False,
    doc="The covariance matrix of variables in rows with observations in columns.",
)  # fmt: skip


def _corrcoef(o: Any, input: Any) -> Any:
    if input.ndim > 2:
        raise ShapeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{input.ndim} dimensions"
        )
    found = o.cov(input)
    if found.ndim == 0:
        return o.div(found, found)
    scale = o.sqrt(o.real(o.diagonal(found)) if found.dtype.is_complex else o.diagonal(found))
    found = o.div(found, o.view(scale, (-1, 1)))
    found = o.div(found, o.view(scale, (1, -1)))
    return found if found.dtype.is_complex else o.clamp(found, -1, 1)


composite("corrcoef", _corrcoef, out=False, doc="The matrix of correlation coefficients of rows.")
