"""Rows: window functions of signal processing, and tensors that are made from others' values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final

from tgrad.backends.narrow import is_floating
from tgrad.core import dtype as dtypes
from tgrad.core.dtype import DType
from tgrad.core.engine import Spaces
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, DTypeError, ShapeError, StateError
from tgrad.ops.arguments import type_name
from tgrad.ops.mixing import refuse_several
from tgrad.ops.reduce import unsupported
from tgrad.ops.table import Rule, broadcast, composite, creation, operator

# ---------------------------------------------------------------- windows

def window(
    xp: Any, name: str, length: int, periodic: bool, dtype: Any, shape: Callable[[Any, int], Any]
) -> Any:
    """A window of `length` samples; a periodic one is the next longer one without its last sample.

    `shape` computes the samples from their numbers and their count.
    """
    if not is_floating(dtype):
        found = dtypes.from_numpy(dtype)
        title = "?" if found is None else found.c_name
        raise DTypeError(
            f"{name} expects floating point dtypes, got: TensorOptions(dtype={title}, "
            "device=cpu, layout=Strided (default), requires_grad=false (default), "
            "pinned_memory=false, memory_format=(nullopt))"
        )
    if length < 0:
        raise StateError(
            f"{name} requires non-negative window_length, got window_length={length}"
        )
    if length < 2:
        return xp.ones(length, dtype)
    count = length + periodic
    return shape(xp.arange(count).astype(dtype), count)[:length].astype(dtype, copy=False)


def _cosine(xp: Any, alpha: float, beta: float) -> Callable[[Any, int], Any]:
    def shape(x: Any, count: int) -> Any:
        return xp.cos(x * (math.pi * 2.0 / (count - 1))) * -beta + alpha

    return shape


def _bartlett(x: Any, count: int) -> Any:
    x = x * (2.0 / (count - 1))
    half = ((count - 1) >> 1) + 1
    x[half:] = x[half:] * -1 + 2
    return x


def _blackman(xp: Any) -> Callable[[Any, int], Any]:
    def shape(x: Any, count: int) -> Any:
        x = x * (math.pi / (count - 1))
        return xp.cos(x * 4) * 0.08 - xp.cos(x * 2) * 0.5 + 0.42

    return shape


def _kaiser(xp: Any, beta: float) -> Callable[[Any, int], Any]:
    def shape(x: Any, count: int) -> Any:
        wide = x.astype(xp.float64)
        alpha = (count - 1) / 2.0
        inside = 1.0 - ((wide - alpha) / alpha) ** 2
        top = xp.bessel.i0(beta * xp.sqrt(xp.maximum(inside, 0)))
        return top / xp.bessel.i0(xp.asarray(float(beta)))

    return shape


WINDOW: Final[dict[str, Any]] = {"kinds": {"window_length": "int", "periodic": "bool"}, "out": False}

creation(
    "hann_window", lambda xp, window_length, periodic=True, *, dtype=None: window(
        xp, "hann_window", window_length, periodic, dtype, _cosine(xp, 0.5, 0.5)
    ),
    doc="Hann's window.", **WINDOW,
)  # fmt: skip
creation(
    "hamming_window",
    lambda xp, window_length, periodic=True, alpha=0.54, beta=0.46, *, dtype=None: window(
        xp, "hamming_window", window_length, periodic, dtype, _cosine(xp, alpha, beta)
    ),
    kinds={**WINDOW["kinds"], "alpha": "float", "beta": "float"}, out=False,
    doc="Hamming's window.",
)  # fmt: skip
creation(
    "bartlett_window", lambda xp, window_length, periodic=True, *, dtype=None: window(
        xp, "bartlett_window", window_length, periodic, dtype, _bartlett
    ),
    doc="Bartlett's window, a triangle.", **WINDOW,
)  # fmt: skip
creation(
    "blackman_window", lambda xp, window_length, periodic=True, *, dtype=None: window(
        xp, "blackman_window", window_length, periodic, dtype, _blackman(xp)
    ),
    doc="Blackman's window.", **WINDOW,
)  # fmt: skip
creation(
    "kaiser_window", lambda xp, window_length, periodic=True, beta=12.0, *, dtype=None: window(
        xp, "kaiser_window", window_length, periodic, dtype, _kaiser(xp, beta)
    ),
    kinds={**WINDOW["kinds"], "beta": "float"}, out=False,
    doc="Kaiser's window, made of the modified Bessel function I0.",
)  # fmt: skip

# ---------------------------------------------------------------- complex numbers from parts


def _paired(operands: Sequence[Any], dtype: Any) -> DType:
    first: DType = operands[0]._type.dtype
    second: DType = operands[1]._type.dtype
    bad = dtypes.bfloat16 in (first, second)
    if bad or not (first.is_floating_point and second.is_floating_point):
        raise DTypeError(
            f"Expected both inputs to be Half, Float or Double tensors but got {first.title} and "
            f"{second.title}"
        )
    if first is not second:
        raise DTypeError(
            f"Expected object of scalar type {first.title} but got scalar type {second.title} for "
            "second argument"
        )
    if first is dtypes.float16:
        raise DTypeError(
            "complex numbers of two float16 parts are not available",
            hint="convert the parts to float32 first",
        )
    return first


_parts = Rule("that of both, floating", "never", _paired)


def _joined(xp: Any, real: Any, imag: Any) -> Any:
    real, imag = xp.broadcast_arrays(real, imag)
    result = xp.empty(real.shape, xp.complex64 if real.dtype == xp.float32 else xp.complex128)
    result.real, result.imag = real, imag
    return result


broadcast(
    "complex", _joined,
    real=lambda o, g: o.real(g), imag=lambda o, g: o.imag(g),
    kinds={"real": "tensor", "imag": "tensor"}, dtype=_parts, result=DType.to_complex, method=False,
    doc="Complex numbers with given real and imaginary parts.",
)  # fmt: skip
broadcast(
    "polar",
    lambda xp, abs, angle: _joined(xp, abs * xp.cos(angle), abs * xp.sin(angle)),
    abs=lambda o, g, out: o.real(o.conj(g) * o.sgn(out)),
    angle=lambda o, g, out: o.real(o.conj(g) * (out * 1j)),
    kinds={"abs": "tensor", "angle": "tensor"}, dtype=_parts, result=DType.to_complex, method=False,
    doc="Complex numbers of given magnitude and angle.",
)  # fmt: skip

# ---------------------------------------------------------------- grids and products


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Any, ...]:
    """A grid of the given coordinates: for each of them a tensor that varies along one dimension.

    With `indexing="ij"` (the default) the k-th varies along dimension k; with "xy" the first two
    dimensions are swapped.
    """
    given = tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    for position, tensor in enumerate(given):
        if not isinstance(tensor, Tensor):
            raise ArgumentError(
                f"expected Tensor as element {position} in argument 0, but got {type_name(tensor)}"
            )
    if not given:
        raise StateError("meshgrid expects a non-empty TensorList")
    for tensor in given:
        if tensor.ndim > 1:
            raise ShapeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {tensor}"
            )
    if any(tensor.dtype is not given[0].dtype for tensor in given):
        raise DTypeError("meshgrid expects all tensors to have the same dtype")
    refuse_several("meshgrid expects all tensors to have the same device", *given)
    if indexing is None:
        _warn_indexing()
    elif indexing not in ("ij", "xy"):
        raise StateError(
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    swapped = indexing == "xy" and len(given) > 1
    order = (1, 0, *range(2, len(given))) if swapped else tuple(range(len(given)))
    return _grid(given, order)


def _grid(given: Sequence[Any], order: Sequence[int]) -> tuple[Any, ...]:
    o = Spaces.recorded
    shape = tuple(max(given[place].numel(), 0) for place in order)
    grids = []
    for place, tensor in enumerate(given):
        sizes = [1] * len(given)
        sizes[order.index(place)] = tensor.numel()
        grids.append(o.expand(o.view(tensor, tuple(sizes)), shape))
    return tuple(grids)


def _warn_indexing() -> None:
    import warnings

    warnings.warn(
        "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.",
        stacklevel=3,
    )


def cartesian_prod(*tensors: Any) -> Any:
    """All combinations of one element of each tensor, one in a row."""
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise ArgumentError(
                f"expected Tensor as element {tensors.index(tensor)} in argument 0, but got "
                f"{type_name(tensor)}"
            )
        if tensor.ndim != 1:
            raise ShapeError(f"Expect a 1D vector, but got shape {list(tensor.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    o = Spaces.recorded
    return o.stack(tuple(o.flatten(grid) for grid in meshgrid(*tensors, indexing="ij")), 1)


FUNCTIONS: Final[dict[str, Any]] = {"meshgrid": meshgrid, "cartesian_prod": cartesian_prod}


def _combinations(o: Any, input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    if input.ndim != 1:
        raise ShapeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise StateError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return o.new_empty(input, (0,))
    count = input.shape[0]
    grids = _grid((input,) * r, range(r))
    places = _grid((o.arange(count, device=input.device),) * r, range(r))
    mask = o.full((count,) * r, True, dtype=dtypes.bool_, device=input.device)
    for left, right in pairwise(places):
        before = o.le(left, right) if with_replacement else o.lt(left, right)
        mask = o.logical_and(mask, before)
    return o.stack(tuple(o.masked_select(grid, mask) for grid in grids), 1)


composite(
    "combinations", _combinations, kinds={"r": "int", "with_replacement": "bool"}, out=False,
    doc="The combinations of r elements, one in a row.",
)  # fmt: skip


def _vander(o: Any, x: Any, N: int | None = None, increasing: bool = False) -> Any:
    if x.ndim != 1:
        raise ShapeError("x must be a one-dimensional tensor.")
    count = x.shape[0] if N is None else N
    if count < 0:
        raise StateError("N must be non-negative.")
    if x.dtype.category < 2:
        x = o.to_copy(x, dtypes.int64)
    result = o.new_ones(x, (x.shape[0], count))
    if count > 1:
        wide = o.expand(o.unsqueeze(x, 1), (x.shape[0], count - 1))
        o.narrow(result, 1, 1, count - 1).copy_(o.cumprod(wide, 1))
    if increasing or count == 0:
        return result
    return o.flip(result, (1,))


composite(
    "vander", _vander, kinds={"x": "tensor", "N": "int?", "increasing": "bool"}, method=False,
    out=False, doc="Powers of each element in a row, with falling exponents.",
)  # fmt: skip

# ---------------------------------------------------------------- the diagonal


def _trace(xp: Any, input: Any) -> Any:
    if input.ndim != 2:
        raise ShapeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    if input.dtype.kind == "b":
        raise unsupported("trace", input)
    diagonal = input.diagonal()
    if input.dtype.kind in "iu":
        return diagonal.sum(dtype=xp.int64)
    wide = {"float32": xp.float64, "complex64": xp.complex128}.get(
        input.dtype.name, input.dtype
    )
    total = xp.add.accumulate(diagonal, dtype=wide)[-1:] if diagonal.size else xp.zeros(1, wide)
    return total.reshape(()).astype(input.dtype)


def _whole(dtype: DType) -> DType:
    return dtype if dtype.is_differentiable else dtypes.int64


operator(
    "trace", _trace,
    input=lambda o, g, input_shape: o.diagonal_backward(
        o.expand(g, (min(input_shape),)), input_shape, 0, 0, 1
    ),
    result=_whole, out=False, doc="The sum of a matrix's diagonal.",
)  # fmt: skip
