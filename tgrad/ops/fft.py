"""Rows: Fourier transforms (`torch.fft`).

Three rows compute and have derivatives, as in PyTorch: of complex numbers, of real numbers, and back to
real numbers.  Everything public is written in them.  A transform is linear and, but for its direction,
symmetric, so each derivative is another of the three, with the same scale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from tgrad.backends import fourier
from tgrad.backends.narrow import is_narrow
from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError, ShapeError, StateError
from tgrad.ops import convert
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.progressions import known
from tgrad.ops.table import composite, creation, operator

_HIDDEN: Final = {"function": False, "method": False, "out": False}
_PLAN: Final = {"dim": "ints", "scale": "int", "onesided": "bool", "last": "int", "inverse": "bool"}

operator(
    "_fft_c2c",
    lambda xp, input, dim, scale, inverse: fourier.complex_to_complex(input, dim, scale, inverse),
    input=lambda o, g, dim, scale, inverse: o._fft_c2c(g, dim, scale, not inverse),
    label="FftC2CBackward", kinds=_PLAN, **_HIDDEN, doc="The Fourier transform of complex numbers.",
)  # fmt: skip


def _from_real(o: Any, g: Any, dim: Sequence[int], scale: int, onesided: bool, shape: Any) -> Any:
    """The gradient of the transform of real numbers: the half that isn't there gets zeros."""
    if onesided:
        last = dim[-1]
        sides = (0, 0) * (len(shape) - 1 - last)
        missing = shape[last] - g.shape[last]
        if missing:
            g = o.constant_pad_nd(g, (*sides, 0, missing), 0)
    return o.real(o._fft_c2c(g, dim, scale, True))


operator(
    "_fft_r2c",
    lambda xp, input, dim, scale, onesided: fourier.real_to_complex(input, dim, scale, onesided),
    input=lambda o, g, dim, scale, onesided, input_shape: _from_real(
        o, g, dim, scale, onesided, input_shape
    ),
    result=lambda dtype: dtype.to_complex(), label="FftR2CBackward", kinds=_PLAN, **_HIDDEN,
    doc="The Fourier transform of real numbers, or half of it.",
)  # fmt: skip


def _to_real(o: Any, g: Any, dim: Sequence[int], scale: int) -> Any:
    """The gradient of the transform to real numbers: what stands for two numbers counts twice."""
    last = dim[-1]
    found = o._fft_r2c(g, dim, scale, True)
    size = found.shape[last]
    twice = g.shape[last] - size
    if twice <= 0:
        return found
    first, middle = o.slice(found, last, 0, 1, 1), o.slice(found, last, 1, 1 + twice, 1)
    rest = o.slice(found, last, 1 + twice, size, 1)
    return o.cat((first, middle + middle, rest), last)


operator(
    "_fft_c2r",
    lambda xp, input, dim, scale, last: fourier.complex_to_real(input, dim, scale, last),
    input=lambda o, g, dim, scale: _to_real(o, g, dim, scale),
    result=lambda dtype: dtype.to_real(), label="FftC2RBackward", kinds=_PLAN, **_HIDDEN,
    doc="The real numbers with half of their Fourier transform given.",
)  # fmt: skip

# ---------------------------------------------------------------- what all have in common


def _promoted(o: Any, input: Tensor, complex_: bool = False) -> Tensor:
    """The input in a dtype that transforms are computed in."""
    type_ = input._type
    if not type_.inexact:
        type_ = type_.related[dtypes.default.dtype]
    if complex_:
        type_ = type_.related[type_.dtype.to_complex()]
    if input._type.narrow or type_.narrow:
        raise DTypeError(f"Unsupported dtype {(input if input._type.narrow else type_).dtype.title}")
    return convert.to_type(input, type_)


_NORMS: Final = ("backward", "ortho", "forward")


def _scale(norm: str | None, forward: bool) -> int:
    """The scale that a norm means for a direction."""
    norm = norm or "backward"
    if norm not in _NORMS:
        raise StateError(f'Invalid normalization mode: "{norm}"')
    scale = _NORMS.index(norm)
    return scale if forward else fourier.BY_COUNT - scale


def _resized(o: Any, input: Tensor, dims: Sequence[int], sizes: Sequence[int]) -> Tensor:
    """The input cut off, or with zeros behind, so that dimensions have the given sizes."""
    sides = [0] * (2 * input.ndim)
    for dim, size in zip(dims, sizes, strict=True):
        if size == -1:
            continue
        now = input._array.shape[dim]
        if now < size:
            sides[2 * (input.ndim - 1 - dim) + 1] = size - now
        elif now > size:
            input = o.slice(input, dim, 0, size, 1)
    return o.constant_pad_nd(input, tuple(sides), 0) if any(sides) else input


def _check_points(n: int) -> None:
    if n < 1:
        raise ShapeError(f"Invalid number of data points ({n}) specified")


# ---------------------------------------------------------------- one dimension


def _complex_1d(o: Any, input: Tensor, n: int | None, dim: int, norm: Any, forward: bool) -> Tensor:
    if not input.dtype.is_complex:
        return _real_1d(o, input, n, dim, norm, forward, False)
    dim = wrap_dim(dim, input.ndim, scalar=False)
    _check_points(input._array.shape[dim] if n is None else n)
    if n is not None:
        input = _resized(o, input, (dim,), (n,))
    return o._fft_c2c(input, (dim,), _scale(norm, forward), not forward)  # type: ignore[no-any-return]


def _real_1d(
    o: Any, input: Tensor, n: int | None, dim: int, norm: Any, forward: bool, half: bool = True
) -> Tensor:
    if input.dtype.is_complex:
        name = "rfft" if forward else "ihfft"
        raise DTypeError(f"{name} expects a real input tensor, but got {input.dtype.title}")
    input = _promoted(o, input)
    dim = wrap_dim(dim, input.ndim, scalar=False)
    _check_points(input._array.shape[dim] if n is None else n)
    if n is not None:
        input = _resized(o, input, (dim,), (n,))
    found: Tensor = o._fft_r2c(input, (dim,), _scale(norm, forward), half)
    return found if forward else o.conj(found)


def _symmetric_1d(o: Any, input: Tensor, n: int | None, dim: int, norm: Any, forward: bool) -> Tensor:
    input = _promoted(o, input, complex_=True)
    dim = wrap_dim(dim, input.ndim, scalar=False)
    last = 2 * (input._array.shape[dim] - 1) if n is None else n
    _check_points(last)
    if n is not None:
        input = _resized(o, input, (dim,), (n // 2 + 1,))
    scale = _scale(norm, forward)
    return o._fft_c2r(o.conj(input) if forward else input, (dim,), scale, last)  # type: ignore[no-any-return]


def _one_dimension(name: str, transform: Callable[..., Tensor], doc: str) -> None:
    composite(
        f"fft_{name}",
        lambda o, input, n=None, dim=-1, norm=None: transform(o, input, n, dim, norm),
        kinds={"n": "int?", "norm": "str?"}, module="torch.fft", method=False, doc=doc,
    )  # fmt: skip


_one_dimension("fft", partial(_complex_1d, forward=True), "The Fourier transform of one dimension.")
_one_dimension("ifft", partial(_complex_1d, forward=False), "The inverse of `fft`.")
_one_dimension(
    "rfft", partial(_real_1d, forward=True),
    "The first half of the Fourier transform of real numbers; symmetry gives the other.",
)  # fmt: skip
_one_dimension("irfft", partial(_symmetric_1d, forward=False), "The inverse of `rfft`.")
_one_dimension(
    "hfft", partial(_symmetric_1d, forward=True),
    "The Fourier transform, which is real, of a symmetric signal of which the first half is given.",
)  # fmt: skip
_one_dimension("ihfft", partial(_real_1d, forward=False), "The inverse of `hfft`.")

# ---------------------------------------------------------------- several dimensions

Sizes = Sequence[int] | None


def _sizes_and_dims(input: Tensor, s: Sizes, dim: Sizes) -> tuple[list[int], tuple[int, ...]]:
    """For each transformed dimension its size and its number; all, or the last ones, if not given."""
    shape = input._array.shape
    if dim is not None:
        dims = tuple([wrap_dim(d, len(shape), scalar=False) for d in dim])
        if len(set(dims)) != len(dims):
            raise ShapeError("FFT dims must be unique")
    if s is not None:
        if dim is None:
            if len(s) > len(shape):
                raise ShapeError(
                    f"Got shape with {len(s)} values but input tensor only has {len(shape)} dimensions."
                )
            dims = tuple(range(len(shape) - len(s), len(shape)))
        elif len(dim) != len(s):
            raise ShapeError("When given, dim and shape arguments must have the same length")
        sizes = [shape[d] if n == -1 else n for n, d in zip(s, dims, strict=True)]
    else:
        if dim is None:
            dims = tuple(range(len(shape)))
        sizes = [shape[d] for d in dims]
    for n in sizes:
        _check_points(n)
    return sizes, dims


def _half_sizes(name: str, input: Tensor, s: Sizes, dim: Sizes) -> tuple[list[int], Any, int]:
    """The same for a transform to real numbers, and how many of them the last dimension gets."""
    sizes, dims = _sizes_and_dims(input, s, dim)
    _check_some(name, dims)
    given = s is not None and s[-1] != -1
    last = sizes[-1] if given else 2 * (input._array.shape[dims[-1]] - 1)
    _check_points(last)
    sizes[-1] = last // 2 + 1
    return sizes, dims, last


def _check_some(name: str, dims: Sequence[int]) -> None:
    if not dims:
        raise ShapeError(f"{name} must transform at least one axis")


def _fftn(o: Any, input: Tensor, s: Sizes, dim: Sizes, norm: Any, forward: bool) -> Tensor:
    sizes, dims = _sizes_and_dims(input, s, dim)
    input = _resized(o, _promoted(o, input, complex_=True), dims, sizes)
    return o._fft_c2c(input, dims, _scale(norm, forward), not forward)  # type: ignore[no-any-return]


def _rfftn(o: Any, input: Tensor, s: Sizes, dim: Sizes, norm: Any) -> Tensor:
    if input.dtype.is_complex:
        raise DTypeError(f"rfftn expects a real-valued input tensor, but got {input.dtype.title}")
    sizes, dims = _sizes_and_dims(input, s, dim)
    _check_some("rfftn", dims)
    input = _resized(o, _promoted(o, input), dims, sizes)
    return o._fft_r2c(input, dims, _scale(norm, True), True)  # type: ignore[no-any-return]


def _irfftn(o: Any, input: Tensor, s: Sizes, dim: Sizes, norm: Any) -> Tensor:
    sizes, dims, last = _half_sizes("irfftn", input, s, dim)
    input = _resized(o, _promoted(o, input, complex_=True), dims, sizes)
    return o._fft_c2r(input, dims, _scale(norm, False), last)  # type: ignore[no-any-return]


def _hfftn(o: Any, input: Tensor, s: Sizes, dim: Sizes, norm: Any) -> Tensor:
    sizes, dims, last = _half_sizes("hfftn", input, s, dim)
    input = _resized(o, _promoted(o, input, complex_=True), dims, sizes)
    scale = _scale(norm, True)
    if dims[:-1]:
        input = o._fft_c2c(input, dims[:-1], scale, False)
    return o._fft_c2r(o.conj(input), dims[-1:], scale, last)  # type: ignore[no-any-return]


def _ihfftn(o: Any, input: Tensor, s: Sizes, dim: Sizes, norm: Any) -> Tensor:
    if input.dtype.is_complex:
        raise DTypeError(f"Only supports floating-point dtypes, but found: {input.dtype.title}")
    sizes, dims = _sizes_and_dims(input, s, dim)
    _check_some("ihfftn", dims)
    input = _resized(o, _promoted(o, input), dims, sizes)
    scale = _scale(norm, False)
    found = o._fft_r2c(input, dims[-1:], scale, True)
    if not dims[:-1]:
        return o.conj(found)  # type: ignore[no-any-return]
    return o._fft_c2c(o.conj_elements(found), dims[:-1], scale, True)  # type: ignore[no-any-return]


def _several_dimensions(name: str, transform: Callable[..., Tensor], doc: str) -> None:
    kinds = {"s": "ints?", "dim": "ints?", "norm": "str?"}
    composite(
        f"fft_{name}n",
        lambda o, input, s=None, dim=None, norm=None: transform(o, input, s, dim, norm),
        kinds=kinds, module="torch.fft", method=False, doc=f"{doc} dimensions.",
    )  # fmt: skip
    composite(
        f"fft_{name}2",
        lambda o, input, s=None, dim=(-2, -1), norm=None: transform(o, input, s, dim, norm),
        kinds=kinds, module="torch.fft", method=False, doc=f"{doc} two dimensions.",
    )  # fmt: skip


_several_dimensions("fft", partial(_fftn, forward=True), "The Fourier transform of")
_several_dimensions("ifft", partial(_fftn, forward=False), "The inverse Fourier transform of")
_several_dimensions("rfft", _rfftn, "The Fourier transform, halved in the last one, of real numbers in")
_several_dimensions("irfft", _irfftn, "The inverse of `rfftn` in")
_several_dimensions("hfft", _hfftn, "The Fourier transform of a symmetric signal in")
_several_dimensions("ihfft", _ihfftn, "The inverse of `hfftn` in")

# ---------------------------------------------------------------- frequencies


def _frequencies(xp: Any, name: str, n: int, d: float, dtype: Any) -> Any:
    """Sample frequencies for a window of `n` points that are `d` apart."""
    if dtype.kind not in "fc":
        raise DTypeError(f"{name} requires a floating point or complex dtype")
    known("arange_cpu", dtype)
    if name == "rfftfreq":
        numbers = xp.arange(int(n / 2) + 1)
    else:
        if n < 0:
            raise StateError(f"Trying to create tensor with negative dimension {n}: [{n}]")
        numbers = xp.arange(n)
        numbers[(n + 1) // 2 :] -= n
    wide = xp.float32 if is_narrow(dtype) else dtype
    step = xp.divide(xp.float64(1.0), xp.float64(n * d)).astype(wide)
    return (numbers.astype(wide) * step).astype(dtype)


def _frequency_row(name: str, doc: str) -> None:
    creation(
        f"fft_{name}",
        lambda xp, n, d=1.0, *, dtype=None: _frequencies(xp, name, n, d, dtype),
        kinds={"n": "int", "d": "float"}, module="torch.fft", doc=doc,
    )  # fmt: skip


_frequency_row("fftfreq", "The frequencies of the numbers that `fft` gives, negative ones last.")
_frequency_row("rfftfreq", "The frequencies of the numbers that `rfft` gives.")


def _shift(o: Any, input: Tensor, dim: Sizes, add: int) -> Tensor:
    dims = tuple(range(input.ndim)) if dim is None else tuple(dim)
    sizes = [input._array.shape[wrap_dim(d, input.ndim)] for d in dims] if input.ndim else []
    return o.roll(input, tuple([(size + add) // 2 for size in sizes]), dims)  # type: ignore[no-any-return]


def _shift_row(name: str, add: int, doc: str) -> None:
    composite(
        f"fft_{name}", lambda o, input, dim=None: _shift(o, input, dim, add),
        kinds={"dim": "ints?"}, module="torch.fft", method=False, out=False, doc=doc,
    )  # fmt: skip


_shift_row("fftshift", 0, "Frequencies in order: zero moved to the middle.")
_shift_row("ifftshift", 1, "The inverse of `fftshift`.")
