"""Rows: pools of the largest over windows of random sizes, and pools of the largest backwards."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, DTypeError, ShapeError
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.nn_base import accepted, functional
from tgrad.ops.nn_convolution import Sizes, several
from tgrad.ops.nn_pooling import pool_back
from tgrad.ops.table import operator

_HIDDEN: dict[str, Any] = {"function": False, "method": False, "out": False}
_WHOLE = (dtypes.bool_, dtypes.uint8, dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64,
          dtypes.complex64, dtypes.complex128)  # fmt: skip


def _sliding() -> Any:
    from tgrad.backends import sliding

    return sliding


# ---------------------------------------------------------------- elements back at their places


def _check_unpool(input: Tensor, indices: Tensor, output_size: Sizes) -> None:
    n = len(output_size)
    if indices._type.dtype is not dtypes.int64:
        found = f" but got: {indices._type.dtype.title}" if n == 2 else ""
        raise DTypeError(f"elements in indices should be type int64{found}")
    shape = input._array.shape
    if input.ndim not in (n + 1, n + 2):
        raise ShapeError(
            f"Input to max_unpooling{n}d should be a {n + 1}d or {n + 2}d Tensor, but got a tensor with "
            f"{input.ndim} dimensions."
        )
    if indices._array.shape != shape:
        raise ShapeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(shape)}) but got "
            f"indices tensor with shape: {list(indices._array.shape)}"
        )
    for dim in range(1, input.ndim):
        if not shape[dim]:
            raise ShapeError(
                f"max_unpooling{n}d_forward_out_cpu(): Expected input to have non-zero size for "
                f"non-batch dimensions, but got {list(shape)} with dimension {dim} being empty."
            )
    if input._type.dtype in _WHOLE:
        return
    places, count = indices._array, 1
    for size in output_size:
        count *= size
    if not indices._type.xp.within(places, 0, count):
        wrong = places[(places < 0) | (places >= count)]
        raise ShapeError(
            f"Found an invalid max index: {int(wrong[0])} (output volumes are of size "
            f"{'x'.join(map(str, output_size))})"
        )


for _n in (2, 3):
    operator(
        f"_max_unpool{_n}d",
        lambda xp, input, indices, output_size: _sliding().placed(input, indices, output_size),
        input=lambda o, g, indices, output_size: o._pool_gather(g, indices, len(output_size)),
        kinds={"indices": "index", "output_size": "ints"}, check=_check_unpool,
        label=f"MaxUnpool{_n}DBackward", refuses={f"max_unpool{_n}d": _WHOLE}, **_HIDDEN,
        doc="Elements at given places, and zeros around them.",
    )  # fmt: skip


def _unpooled_sizes(input: Tensor, kernel: Sizes, stride: Sizes, padding: Sizes, given: Any) -> Sizes:
    n = len(kernel)
    sizes = input._array.shape
    usual = [
        (s - 1) * st + k - 2 * p
        for s, st, k, p in zip(sizes[len(sizes) - n :], stride, kernel, padding, strict=True)
    ]
    wanted: Any = usual
    if given is not None:
        wanted = given[2:] if len(given) == n + 2 else given
        if len(wanted) != n:
            raise ArgumentValueError(
                f"output_size should be a sequence containing {n} or {n + 2} elements, but it has a "
                f"length of '{len(wanted)}'"
            )
        for dim, (size, step) in enumerate(zip(usual, stride, strict=True)):
            if not size - step < wanted[dim] < size + step:
                raise ArgumentValueError(
                    f'invalid output_size "{wanted}" (dim {dim} must be between {size - step} and '
                    f"{size + step})"
                )
    for dim in range(n):
        if wanted[dim] < 0:
            raise ArgumentValueError(
                "max_unpooling: output_size must contain non-negative spatial dimensions, but got "
                f"output_size[{dim}]={wanted[dim]}"
            )
    return tuple(wanted)


def _max_unpool(n: int) -> Any:
    def forward(
        o: Any, input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
        output_size: Any = None,
    ) -> Any:  # fmt: skip
        kernel, around = several(kernel_size, n), several(padding, n)
        steps = kernel if stride is None else several(stride, n)
        sizes = _unpooled_sizes(input, kernel, steps, around, output_size)
        if n == 1:
            parts = o.unsqueeze(input, -1), o.unsqueeze(indices, -1)
            return o.squeeze_dim(o._max_unpool2d(*parts, (*sizes, 1)), -1)
        if n == 3 and min(steps) <= 0 and input.ndim in (4, 5):
            raise ShapeError(f"strides should be greater than zero, but got stride: {list(steps)}")
        return getattr(o, f"_max_unpool{n}d")(input, indices, sizes)

    return forward


_UNPOOL = {"indices": "index", **dict.fromkeys(("kernel_size", "stride", "padding", "output_size"), "any")}
for _n in (1, 2, 3):
    functional(f"max_unpool{_n}d", _max_unpool(_n), kinds=_UNPOOL,
               doc="Elements at the places that a pool took them from, and zeros around them.")  # fmt: skip

# ---------------------------------------------------------------- windows of random sizes


def _starts(xp: Any, samples: Any, size: int, count: int, kernel: int) -> Any:
    """Where `count` windows begin, for each sample: B. Graham, Fractional Max-Pooling, 2014."""
    last = xp.full((*samples.shape, min(count, 1)), size - kernel, xp.int64)
    if count < 2:
        return last
    step = xp.asarray(size - kernel, samples.dtype) / xp.asarray(count - 1, samples.dtype)
    places = xp.arange(count - 1).astype(samples.dtype)
    moved = ((places + samples[..., None]) * step).astype(xp.int64)
    first = (samples * step).astype(xp.int64)
    return xp.concatenate([moved - first[..., None], last], -1)


def _fractional_kernel(xp: Any, input: Any, kernel: Sizes, wanted: Sizes, samples: Any) -> tuple[Any, Any]:
    n = len(kernel)
    if input.ndim == n + 1:
        first, second = _fractional_kernel(xp, input[None], kernel, wanted, samples)
        return first[0], second[0]
    # In two dimensions the first sample is the width's, in three the depth's.
    order = (1, 0) if n == 2 else (0, 1, 2)
    starts = [
        _starts(xp, samples[: input.shape[0], :, column], input.shape[2 + d], wanted[d], kernel[d])
        for d, column in enumerate(order)
    ]
    values, places = _sliding().scattered_windows(input, starts, kernel)
    return values, places


for _n in (2, 3):
    operator(
        f"_fractional_max_pool{_n}d",
        lambda xp, input, kernel_size, output_size, samples: _fractional_kernel(
            xp, input, kernel_size, output_size, samples
        ),
        input=lambda o, g, input, indices, output_size: pool_back(
            o, g, input, indices, len(output_size)
        ),
        kinds={"output_size": "any", "samples": "index"}, fields=("output", "indices"), outputs=1,
        result=(None, dtypes.int64), label=f"FractionalMaxPool{_n}DBackward", **_HIDDEN,
        refuses={f"fractional_max_pool{_n}d_out_frame": _WHOLE},
        doc="The largest element of windows that begin at random places, and its place.",
    )  # fmt: skip


def _check_fractional(input: Tensor, n: int, kernel: Sizes, wanted: Sizes, samples: Tensor) -> None:
    name = "fractional_max_pool2d()" if n == 2 else "fractional_max_pool3d_out()"
    shape = input._array.shape
    if input.ndim not in (n + 1, n + 2):
        raise ShapeError(f"{name}: Expected {n + 1}D or {n + 2}D tensor, but got: {list(shape)}")
    for dim in range(input.ndim - n - 1, input.ndim):
        if not shape[dim]:
            raise ShapeError(
                f"{name}: Expected input to have non-zero size for non-batch dimensions, but got "
                f"{list(shape)} with dimension {dim} being empty."
            )
    sides = ("time", "height", "width")[-n:]
    for side, size, count, k in zip(sides, shape[-n:], wanted, kernel, strict=True):
        if count + k - 1 > size:
            raise ShapeError(f"{name}: pool {side} {k} too large relative to input {side} {size}")
    if samples._type is not input._type:
        raise DTypeError("Expect _random_samples to have the same dtype as input")
    given = samples._array.shape
    if len(given) != 3:
        raise ShapeError(f"Expect _random_samples to have 3 dimensions, got {len(given)}")
    if given[0] < (shape[0] if input.ndim == n + 2 else 1):
        raise ShapeError("Expect _random_samples.size(0) no less then input batch size.")
    if given[1] != shape[-n - 1]:
        raise ShapeError("Expect _random_samples.size(1) equals to input channel size.")
    if given[2] != n:
        raise ShapeError(f"Expect _random_samples.size(2) equals to {n}; got {given[2]}.")


def _output_size(input: Tensor, n: int, size: Any, ratio: Any) -> Any:
    if size is not None:
        return size
    name = f"fractional_max_pool{n}d"
    if ratio is None:
        raise ArgumentValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if n == 2 and len(ratio) > 2:
        raise ArgumentValueError(f"{name} requires output_ratio to either be a single Int or tuple of Ints.")
    ratios = (ratio,) * n if isinstance(ratio, (int, float)) else ratio
    sizes = [input._array.shape[wrap_dim(d - n, input.ndim)] for d in range(n)]
    return [int(s * r) for s, r in zip(sizes, ratios, strict=True)]


def _samples(input: Tensor, n: int) -> Any:
    from tgrad.ops.namespace import modules

    channels = input._array.shape[wrap_dim(-n - 1, input.ndim)]
    batch = 1 if input.ndim == n + 1 else input._array.shape[0]
    return modules()["torch"]["rand"](batch, channels, n, dtype=input._type.dtype)


def _fractional(n: int, indices: bool | None) -> Any:
    name = f"fractional_max_pool{n}d"

    def forward(
        o: Any, input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None,
        return_indices: bool = False, _random_samples: Any = None,
    ) -> Any:  # fmt: skip
        size = _output_size(input, n, output_size, output_ratio)
        samples = _samples(input, n) if _random_samples is None else _random_samples
        kernel = accepted(name, "kernel_size", 2, "ints", kernel_size)
        wanted = accepted(name, "output_size", 3, "ints", size)
        words = "tuple of Ints" if n == 2 else "tuple of three Ints"
        for what, values in (("kernel_size", kernel), ("output_size", wanted)):
            if len(values) not in (1, n):
                raise ShapeError(f"{name}: {what} must either be a single Int or {words}")
        kernel, wanted = several(kernel, n), several(wanted, n)
        _check_fractional(input, n, kernel, wanted, samples)
        values, places = getattr(o, f"_{name}")(input, kernel, wanted, samples)
        wants = return_indices if indices is None else indices
        return (values, places) if wants else values

    return forward


_ANY = dict.fromkeys(("kernel_size", "output_size", "output_ratio", "return_indices"), "any")
_KINDS = {**_ANY, "_random_samples": "tensor?"}
_DOC = "The largest element of windows that begin at random places"
for _n in (2, 3):
    functional(f"fractional_max_pool{_n}d", _fractional(_n, None), kinds=_KINDS, doc=f"{_DOC}.")
    functional(f"fractional_max_pool{_n}d_with_indices", _fractional(_n, True), kinds=_KINDS,
               doc=f"{_DOC}, and its place.")  # fmt: skip
