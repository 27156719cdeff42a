"""Derivatives of reductions and scans.

Each takes `o`, the operators, and `g`, the gradient of the result; see `tgrad.ops.table` for what a
formula may use.  `dim` is as the user gave it: None or empty for all, an int, or a tuple of ints.
"""

from __future__ import annotations

from typing import Any, Final

from tgrad.backends.choice import known
from tgrad.ops.dimensions import wrap_dim, wrap_dims

FEW: Final = 1024
"""Below so many elements a gradient is put where it belongs one by one."""


def restore(o: Any, g: Any, ndim: int, dim: Any, keepdim: bool) -> Any:
    """Put back, with one element each, the dimensions that a reduction removed."""
    if keepdim or ndim == 0:
        return g
    if dim is None or dim == ():
        dims: tuple[int, ...] = tuple(range(ndim))
    else:
        dims = tuple(sorted(wrap_dims(dim, ndim)))
    for d in dims:
        g = o.unsqueeze(g, d)
    return g


def count(shape: Any, dim: Any) -> int:
    """How many elements are reduced to one."""
    product = 1
    if dim is None or dim == ():
        for size in shape:
            product *= size
    elif len(shape):
        for d in wrap_dims(dim, len(shape)):
            product *= shape[d]
    return product


def part(o: Any, x: Any, dim: int, start: int, length: int) -> Any:
    """A slice of one dimension."""
    return o.slice(x, dim, start, start + length, 1)


def unrecorded(x: Any) -> Any:
    """A tensor without its history; an array itself."""
    return x.detach() if hasattr(x, "_array") else x


def spread(o: Any, g: Any, shape: Any, dim: Any, keepdim: bool) -> Any:
    """The gradient of a sum: the same for every element."""
    if dim is None or dim == ():
        return o.expand(g, tuple(shape))
    return o.expand(restore(o, g, len(shape), dim, keepdim), tuple(shape))


def mean_back(o: Any, g: Any, shape: Any, dim: Any, keepdim: bool) -> Any:
    """The gradient of a mean: an equal part for every element."""
    if not o.records and (dim is None or dim == ()):
        return o.everywhere(g / max(count(shape, None), 1), shape)
    return spread(o, g, shape, dim, keepdim) / max(count(shape, dim), 1)


# ---------------------------------------------------------------- extreme elements


def spread_evenly(o: Any, g: Any, input: Any, out: Any) -> Any:
    """The gradient of an extreme element of all: shared by all that are equal to it."""
    if not o.records and input.size < FEW and out == out:
        hit = input == out
        spread = o.xp.zeros(input.shape, g.dtype)
        spread[hit] = g / o.xp.count_nonzero(hit)
        return spread
    hit = o.isnan(input) if bool(o.isnan(out)) else o.eq(input, out)
    return o._where(hit, g / int(o.sum(hit)), 0.0)


def amax_back(o: Any, g: Any, input: Any, dim: Any, keepdim: bool, out: Any) -> Any:
    """The gradient of extreme elements over dimensions: shared by all that are equal to them."""
    ndim = len(input.shape)
    g = restore(o, g, ndim, dim, keepdim)
    hit = o.eq(input, restore(o, out, ndim, dim, keepdim))
    ones = o._where(hit, o.ones_like(g), 0.0)
    if dim is None or dim == ():
        dims: tuple[int, ...] = tuple(range(ndim))
    else:
        dims = wrap_dims(dim, ndim)
    return g * ones / o.sum_dim(ones, dims, True)


def chosen_back(o: Any, g: Any, shape: Any, dim: int, keepdim: bool, indices: Any) -> Any:
    """The gradient of elements that were chosen along a dimension: theirs, 0 for the others."""
    if len(shape) and not keepdim:
        g = o.unsqueeze(g, dim)
        indices = o.unsqueeze(indices, dim)
    return o.put_chosen(g, indices, tuple(shape), dim)


# ---------------------------------------------------------------- products


def as_gradient(o: Any, input: Any, g: Any) -> Any:
    """An operand in the dtype of the gradient, where the result had another dtype than it."""
    if hasattr(input, "_array") and input.dtype is not g.dtype:
        return o.to_copy(input, g.dtype)
    return input


def prod_back(o: Any, g: Any, input: Any, out: Any) -> Any:
    """The gradient of the product of all: for each element the product of the others."""
    input = as_gradient(o, input, g)
    if len(input.shape) == 0:
        return g
    whole = not o.records and known((out != 0) & (out == out))  # then no factor was 0
    if whole or not bool(o.any(o.eq(input, 0))):
        return g * o.conj(out / input)
    flat = o.reshape(input, (-1,))
    return o.reshape(_without_each(o, g, flat, 0), tuple(input.shape))


def prod_dim_back(o: Any, g: Any, input: Any, dim: int, keepdim: bool, out: Any) -> Any:
    """The gradient of products along a dimension."""
    input = as_gradient(o, input, g)
    if len(input.shape) == 0:
        return g
    dim = wrap_dim(dim, len(input.shape))
    if not keepdim:
        g, out = o.unsqueeze(g, dim), o.unsqueeze(out, dim)
    if not bool(o.any(o.eq(input, 0))):
        return g * o.conj(out / input)
    return _without_each(o, g, input, dim)


def _without_each(o: Any, g: Any, input: Any, dim: int) -> Any:
    """g times the product of all elements but one, without a division."""
    size = input.shape[dim]
    if size < 2:
        return o.expand(g, tuple(input.shape)) if size == 1 else o.zeros_like(input)
    one = o.ones_like(part(o, input, dim, 0, 1))
    before = o.cumprod(o.cat((one, part(o, input, dim, 0, size - 1)), dim), dim)
    reverse = o.flip(part(o, input, dim, 1, size - 1), (dim,))
    after = o.flip(o.cumprod(o.cat((one, reverse), dim), dim), (dim,))
    return g * o.conj(before * after)


# ---------------------------------------------------------------- variances and norms


def var_back(o: Any, g: Any, input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    """2 (x - mean) / (n - correction)."""
    ndim = len(input.shape)
    correction = 1 if correction is None else correction
    if ndim == 0 or dim is None:
        degrees = count(input.shape, None) - correction
        mean = o.mean(input)
        if degrees <= 0:  # PyTorch computes this without recording it
            input = unrecorded(input)
            mean = o.mean(input)
            same = o.eq(input, mean)
            return g * o._where(same, mean * float("nan"), float("inf"))
        return (2.0 / degrees) * g * (input - mean)
    g = restore(o, g, ndim, dim, keepdim) if ndim > 1 else g
    degrees = (1 if dim == () else count(input.shape, dim)) - correction
    factor = 2.0 / degrees if degrees else float("inf")
    return factor * g * (input - o.mean_dim(input, dim, True))


def std_back(o: Any, g: Any, input: Any, dim: Any, correction: Any, keepdim: bool, out: Any) -> Any:
    """The variance's over twice the deviation; 0 where that is 0."""
    g = o._where(o.eq(out, 0), 0.0, g / (out * 2))
    return var_back(o, g, input, dim, correction, keepdim)


def var_mean_back(o: Any, g: Any, input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    """The sum of those of the variance and of the mean."""
    spread_mean = mean_back(o, g[1], input.shape, dim, keepdim)
    return var_back(o, g[0], input, dim, correction, keepdim) + spread_mean


def std_mean_back(o: Any, g: Any, input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    """The sum of those of the deviation and of the mean."""
    spread_mean = mean_back(o, g[1], input.shape, dim, keepdim)
    std = o.std_correction(input, dim, correction=correction, keepdim=keepdim)
    return std_back(o, g[0], input, dim, correction, keepdim, std) + spread_mean


def norm_back(o: Any, g: Any, input: Any, p: float, dim: Any, keepdim: bool, out: Any) -> Any:
    """x |x| ** (p - 2) / norm ** (p - 1), and 0 where the norm is 0."""
    ndim = len(input.shape)
    if p == 2 and not o.records and len(out.shape) == 0 and known(out != 0):
        return g * (input / out)
    g = restore(o, g, ndim, dim, keepdim)
    out = restore(o, out, ndim, dim, keepdim)
    if p == 0:
        return None
    if p == 1:
        return o.sgn(input) * g
    if p == 2:
        return g * o._where(o.eq(out, 0), 0.0, input / out)
    size = o.abs(input)
    if p in (float("inf"), float("-inf")):
        hit = o.logical_or(o.eq(size, out), o.logical_and(o.isnan(size), o.isnan(out)))
        ones = o._where(hit, o.ones_like(size), 0.0)
        dims = tuple(range(ndim)) if dim is None or dim == () else wrap_dims(dim, ndim)
        return o.sgn(input) * (g / o.sum_dim(ones, dims, True)) * ones
    if p < 1:
        scaled = o.sgn(input) * o._where(o.eq(input, 0), 0.0, o.pow_Tensor_Scalar(size, p - 1))
        return scaled * g * o.pow_Tensor_Scalar(out, 1 - p)
    if p < 2:
        scaled = o.sgn(input) * o.pow_Tensor_Scalar(size, p - 1)
    else:
        scaled = input * o.pow_Tensor_Scalar(size, p - 2)
    return scaled * o._where(o.eq(out, 0), 0.0, g / o.pow_Tensor_Scalar(out, p - 1))


# ---------------------------------------------------------------- scans


def reversed_cumsum(o: Any, g: Any, dim: int) -> Any:
    """Sums from each element on to the end."""
    if len(g.shape) == 0 or g.shape[dim] < 2:
        return g
    if not o.records:
        turned = (slice(None),) * wrap_dim(dim, g.ndim) + (slice(None, None, -1),)
        return o.cumsum(g[turned], dim)[turned]
    return o.flip(o.cumsum(o.flip(g, (dim,)), dim), (dim,))


def cumprod_back(o: Any, g: Any, input: Any, dim: int, out: Any) -> Any:
    """The gradient of running products; without a division where an element is 0."""
    if len(input.shape) == 0 or input.shape[dim] < 2:
        return g
    other = o.conj(input)
    if not bool(o.any(o.eq(input, 0))):
        return reversed_cumsum(o, o.conj(out) * g, dim) / other
    size = input.shape[dim]
    parts = []
    for k in range(size):
        one = o.ones_like(part(o, other, dim, 0, 1))
        omitted = one if k == 0 else o.prod_dim(part(o, other, dim, 0, k), dim, True)
        if k < size - 1:
            rest = o.cumprod(part(o, other, dim, k + 1, size - k - 1), dim)
            omitted = o.cat((omitted, omitted * rest), dim)
        parts.append(o.sum_dim(part(o, g, dim, k, size - k) * omitted, (dim,), True))
    return o.cat(tuple(parts), dim)


def cummax_back(o: Any, g: Any, input: Any, dim: int, indices: Any) -> Any:
    """The gradient of running extremes: each goes to the element that it was taken from."""
    if 0 in input.shape:
        return input
    if len(g.shape) == 0:
        return g
    return o.scatter_add(o.zeros_like(g), dim, indices, g)


def logsumexp_back(o: Any, g: Any, input: Any, dim: Any, keepdim: bool, out: Any) -> Any:
    """Each element's share: exp(x - logsumexp(x))."""
    ndim = len(input.shape)
    g, out = restore(o, g, ndim, dim, keepdim), restore(o, out, ndim, dim, keepdim)
    return g * o.conj(o.exp(input - out))


def logcumsumexp_back(o: Any, g: Any, input: Any, dim: int, out: Any) -> Any:
    """Sums of g exp(x - out) from each element on, made with logarithms so that nothing overflows.

    Positive and negative gradients are summed apart.
    """
    if len(g.shape) == 0 or 0 in g.shape:
        return g
    if o.is_complex_value(g):
        part = o.flip(o.log(o.conj(g)) - out, (dim,))
        return o.conj(o.exp(o.flip(o.logcumsumexp(part, dim), (dim,)) + input))
    size = o.log(o.abs(g))
    lowest = {"float16": -65504.0, "float32": -3.4028234663852886e38}.get(
        str(g.dtype).rpartition(".")[2], -1.7976931348623157e308
    )
    parts = []
    for wanted in (o.gt(g, 0), o.lt(g, 0)):
        part = o.flip(o._where(wanted, size, lowest) - out, (dim,))
        parts.append(o.exp(o.flip(o.logcumsumexp(part, dim), (dim,)) + input))
    return parts[0] - parts[1]


def renorm_back(o: Any, g: Any, input: Any, p: float, dim: int, maxnorm: float) -> Any:
    """The gradient of slices scaled down to a norm; others pass it on."""
    ndim = len(input.shape)
    others = tuple(d for d in range(ndim) if d != dim % ndim)
    norm = o.linalg_vector_norm(input, p, others, True)
    along = o.sum_dim(o.real(o.conj(input) * g), others, True)
    inverse = o.reciprocal(norm + 1e-7)
    part_of_norm = norm_back(o, along, input, p, others, True, norm)
    scaled = maxnorm * inverse * (g - inverse * part_of_norm)
    return o._where(o.gt(norm, maxnorm), scaled, g)
