"""`torch.masked`: reductions and normalisations that leave out elements, loaded when one is first used.

Where a mask, which is brought to the input's shape, is False, the element counts as what changes
nothing: 0 in a sum, 1 in a product, -inf for a maximum.  Where every element is left out, a mean, a
variance or a median is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

from tgrad.core import dtype as dtypes
from tgrad.core.dtype import DType
from tgrad.core.engine import Spaces
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, DimensionError, StateError

Dims = int | Sequence[int] | None

_COUNTED = (dtypes.uint8, dtypes.bool_, dtypes.int8, dtypes.int16, dtypes.int32)
"""Sums and products of these are int64."""


def _dims(dim: Dims, ndim: int) -> tuple[int, ...]:
    """The dimensions as numbers from 0, in order; all where none are given."""
    if dim is None or dim == ():
        return tuple(range(ndim))
    ndim = max(ndim, 1)
    found: list[int] = []
    for d in (dim,) if isinstance(dim, int) else dim:
        if d in found:
            raise StateError(f"dim={d} appears multiple times in the list of dims")
        if not -ndim <= d < ndim:
            raise DimensionError(
                f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {d})"
            )
        found.append(d)
    return tuple(sorted(d % ndim for d in found))


def _mask_for(input: Tensor, mask: Tensor) -> Tensor:
    """The mask as booleans in the input's shape."""
    o = Spaces.recorded
    if mask.shape != input.shape:
        if mask.ndim > input.ndim:
            raise DimensionError(
                "_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)"
            )
        mask = o.broadcast_to(o.clone(mask), input.shape)
    return mask.bool()  # type: ignore[no-any-return]


def _filled(input: Tensor, mask: Tensor | None, value: Any) -> Tensor:
    """The input with a value where it is masked out."""
    if mask is None:
        return input
    o = Spaces.recorded
    return o.where(_mask_for(input, mask), input, o.full((), value, dtype=input.dtype))  # type: ignore[no-any-return]


def _lowest(input: Tensor) -> Any:
    """What changes no maximum."""
    return -math.inf if input.is_floating_point() else int(numpy.iinfo(input.dtype.numpy).min)


def _highest(input: Tensor) -> Any:
    """What changes no minimum."""
    return math.inf if input.is_floating_point() else int(numpy.iinfo(input.dtype.numpy).max)


def _counted(input: Tensor, dtype: DType | None) -> DType:
    if dtype is None:
        return dtypes.int64 if input.dtype in _COUNTED else input.dtype
    return dtype


def _typed(found: Tensor, input: Tensor, dtype: DType | None) -> Tensor:
    """The result in the dtype that is asked for, or else in the input's."""
    return found.to(input.dtype if dtype is None else dtype)  # type: ignore[no-any-return]


def sum(
    input: Tensor, dim: Dims = None, *, keepdim: bool | None = False, dtype: DType | None = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The sum of the elements that aren't masked out."""
    dtype = _counted(input, dtype)
    dims = _dims(dim, input.ndim)
    return _filled(input, mask, 0).sum(dims, bool(keepdim), dtype=dtype)  # type: ignore[no-any-return]


def prod(
    input: Tensor, dim: Dims = None, *, keepdim: bool | None = False, dtype: DType | None = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The product of the elements that aren't masked out."""
    result = _filled(input, mask, 1).to(_counted(input, dtype))
    for d in reversed(_dims(dim, input.ndim)):
        result = result.prod(dim=d, keepdim=bool(keepdim))
    return result  # type: ignore[no-any-return]


def cumsum(input: Tensor, dim: int, *, dtype: DType | None = None, mask: Tensor | None = None) -> Tensor:
    """Running sums, in which masked-out elements are 0."""
    dtype = input.dtype if dtype is None else dtype
    (d,) = _dims(dim, input.ndim)
    return _filled(input, mask, 0).cumsum(d, dtype=dtype).to(dtype)  # type: ignore[no-any-return]


def cumprod(input: Tensor, dim: int, *, dtype: DType | None = None, mask: Tensor | None = None) -> Tensor:
    """Running products, in which masked-out elements are 1."""
    dtype = input.dtype if dtype is None else dtype
    (d,) = _dims(dim, input.ndim)
    return _filled(input, mask, 1).cumprod(d, dtype=dtype).to(dtype)  # type: ignore[no-any-return]


def amax(
    input: Tensor, dim: Dims = None, *, keepdim: bool | None = False, dtype: DType | None = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The largest of the elements that aren't masked out; -inf where all are."""
    found = _filled(input, mask, _lowest(input)).amax(_dims(dim, input.ndim), bool(keepdim))
    return _typed(found, input, dtype)


def amin(
    input: Tensor, dim: Dims = None, *, keepdim: bool | None = False, dtype: DType | None = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The smallest of the elements that aren't masked out; inf where all are."""
    found = _filled(input, mask, _highest(input)).amin(_dims(dim, input.ndim), bool(keepdim))
    return _typed(found, input, dtype)


def argmax(
    input: Tensor, dim: int | None = None, *, keepdim: bool | None = False, dtype: DType | None = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Where the largest of the elements that aren't masked out is."""
    found = _filled(input, mask, _lowest(input)).argmax(dim, bool(keepdim))
    return _typed(found, input, dtype)


def argmin(
    input: Tensor, dim: int | None = None, *, keepdim: bool | None = False, dtype: DType | None = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Where the smallest of the elements that aren't masked out is."""
    found = _filled(input, mask, _highest(input)).argmin(dim, bool(keepdim))
    return _typed(found, input, dtype)


def _count(input: Tensor, dim: Dims, keepdim: bool | None, mask: Tensor | None) -> Tensor:
    """How many elements aren't masked out."""
    if mask is None:
        o = Spaces.recorded
        return sum(o.ones(input.shape, dtype=dtypes.int64), dim, keepdim=keepdim)
    return mask.sum(dim, bool(keepdim))  # type: ignore[no-any-return]


def mean(
    input: Tensor, dim: Dims = None, *, keepdim: bool | None = False, dtype: DType | None = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The mean of the elements that aren't masked out; NaN where all are."""
    wanted, source = (input.dtype, "Input") if dtype is None else (dtype, "Optional")
    if not (wanted.is_floating_point or wanted.is_complex):
        raise ArgumentValueError(
            f"mean(): Could not infer output dtype. {source} dtype must be either a floating point or "
            f"complex dtype. Got: {wanted}"
        )
    if mask is not None:
        mask = _mask_for(input, mask)
    total = sum(input, dim, keepdim=keepdim, dtype=wanted, mask=mask)
    return total / _count(input, dim, keepdim, mask)


def median(
    input: Tensor, dim: int = -1, *, keepdim: bool = False, dtype: DType | None = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The median of the elements that aren't masked out; NaN where all are."""
    (d,) = _dims(dim, input.ndim)
    wanted = input.dtype if dtype is None else dtype
    whole = not input.is_floating_point()
    values = input.to(dtypes.float32) if whole else input
    found = _filled(values, mask, math.nan).nanmedian(d, keepdim).values
    if whole and bool(found.isnan().any()):
        raise ArgumentValueError(
            "masked median expects no fully masked out rows if dtype is not floating point"
        )
    return found.to(wanted) if whole else found  # type: ignore[no-any-return]


def logsumexp(
    input: Tensor, dim: Dims = None, *, keepdim: bool = False, dtype: DType | None = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """log(sum(exp(x))) of the elements x that aren't masked out."""
    lowest = -math.inf if input.is_complex() else _lowest(input)
    found = _filled(input, mask, lowest).logsumexp(_dims(dim, input.ndim), keepdim=keepdim)
    return _typed(found, input, dtype)


def logaddexp(
    input: Tensor, other: Tensor, *, dtype: DType | None = None, input_mask: Tensor | None = None,
    other_mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """log(exp(input) + exp(other)), in which a masked-out element is -inf."""
    first, second = _filled(input, input_mask, _lowest(input)), _filled(other, other_mask, _lowest(other))
    found = Spaces.recorded.logaddexp(first, second)
    return _typed(found, input, dtype)


def norm(
    input: Tensor, ord: float | None = 2.0, dim: Dims = None, *, keepdim: bool | None = False,
    dtype: DType | None = None, mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The norm of the elements that aren't masked out."""
    filled = _filled(input, mask, math.inf if ord == -math.inf else 0)
    wanted = input.dtype if dtype is None else dtype
    dims = _dims(dim, input.ndim)
    return Spaces.recorded.linalg_vector_norm(filled, ord, dims, bool(keepdim), dtype=wanted)  # type: ignore[no-any-return]


def var(
    input: Tensor, dim: Dims = None, unbiased: bool | None = None, *, correction: float | None = None,
    keepdim: bool | None = False, dtype: DType | None = None, mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The variance of the elements that aren't masked out; NaN where all are."""
    if unbiased is not None and correction is not None:
        raise ArgumentValueError("Only one of unbiased and correction may be given")
    if correction is None:
        correction = 0.0 if unbiased is False else 1.0
    wanted = input.dtype if dtype is None else dtype
    if dtype is None and not wanted.is_differentiable:
        wanted = dtypes.float32
    inner = wanted if wanted.is_differentiable else dtypes.float32
    if mask is not None:
        mask = _mask_for(input, mask)
    count = _count(input, dim, True, mask)
    centred = input - sum(input, dim, keepdim=True, dtype=wanted, mask=mask) / count
    total = sum(centred * centred.conj(), dim, keepdim=keepdim, dtype=inner, mask=mask)
    if not keepdim:
        count = count.reshape(total.shape)
    if correction:
        count = (count.to(inner.to_real()) - correction).clamp(min=0)
    return (total / count).to(wanted)  # type: ignore[no-any-return]


def std(
    input: Tensor, dim: Dims = None, unbiased: bool | None = None, *, correction: float | None = None,
    keepdim: bool | None = False, dtype: DType | None = None, mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The standard deviation of the elements that aren't masked out; NaN where all are."""
    found = var(input, dim, unbiased, correction=correction, keepdim=keepdim, dtype=dtype, mask=mask)
    return found.sqrt()  # type: ignore[no-any-return]


def _normalised(
    name: str, lowest: bool, input: Tensor, dim: int, dtype: DType | None, mask: Tensor | None
) -> Tensor:
    (d,) = _dims(dim, input.ndim)
    filled = _filled(input, mask, _lowest(input) if lowest else _highest(input))
    function = getattr(Spaces.recorded, name)
    return function(-filled if not lowest else filled, d, dtype=input.dtype if dtype is None else dtype)  # type: ignore[no-any-return]


def softmax(input: Tensor, dim: int, *, dtype: DType | None = None, mask: Tensor | None = None) -> Tensor:
    """Softmax of the elements that aren't masked out; NaN where all are, 0 for the others."""
    return _normalised("softmax", True, input, dim, dtype, mask)


def log_softmax(input: Tensor, dim: int, *, dtype: DType | None = None, mask: Tensor | None = None) -> Tensor:
    """The logarithm of `softmax`."""
    return _normalised("log_softmax", True, input, dim, dtype, mask)


def softmin(input: Tensor, dim: int, *, dtype: DType | None = None, mask: Tensor | None = None) -> Tensor:
    """Softmax of the negative elements that aren't masked out."""
    return _normalised("softmax", False, input, dim, dtype, mask)


def normalize(
    input: Tensor, ord: float, dim: int, *, eps: float = 1e-12, dtype: DType | None = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The elements divided by the norm, of at least `eps`, of those that aren't masked out; 0 for others."""
    length = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    o = Spaces.recorded
    return _filled(input, mask, 0) / o.maximum(length, o.full((), eps, dtype=length.dtype))  # type: ignore[no-any-return]
