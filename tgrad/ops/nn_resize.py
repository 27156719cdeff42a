"""Rows: padding, interpolation, channels into space."""

from __future__ import annotations

import math
from typing import Any

from tgrad.errors import ArgumentValueError, NotAvailableError, ShapeError
from tgrad.ops.nn_base import functional
from tgrad.ops.nn_convolution import Sizes
from tgrad.ops.nn_pooling_adaptive import separable_row
from tgrad.ops.table import operator

_HIDDEN: dict[str, Any] = {"function": False, "method": False, "out": False}

# ---------------------------------------------------------------- padding


def _pad_kernel(xp: Any, input: Any, pad: Sizes, value: Any) -> Any:
    """`value` around the last dimensions; negative numbers cut off."""
    sides = _sides(pad, input.ndim)
    shape = [size + a + b for size, (a, b) in zip(input.shape, sides, strict=True)]
    result = xp.full(shape, value, input.dtype)
    source, target = [], []
    for size, (a, b) in zip(input.shape, sides, strict=True):
        source.append(slice(max(-a, 0), size - max(-b, 0)))
        target.append(slice(max(a, 0), max(a, 0) + size - max(-a, 0) - max(-b, 0)))
    result[tuple(target)] = input[tuple(source)]
    return result


def _sides(pad: Sizes, ndim: int) -> list[tuple[int, int]]:
    """What is added before and behind each dimension."""
    sides = [(0, 0)] * ndim
    for i in range(len(pad) // 2):
        sides[ndim - 1 - i] = (pad[2 * i], pad[2 * i + 1])
    return sides


operator(
    "constant_pad_nd", lambda xp, input, pad, value: _pad_kernel(xp, input, pad, value),
    input=lambda o, g, pad: o.constant_pad_nd(g, tuple(-p for p in pad), 0),
    **_HIDDEN, doc="A number around the last dimensions.",
)  # fmt: skip


def _reflected(size: int, a: int, b: int) -> list[int]:
    return [abs(i) if i < size else 2 * (size - 1) - i for i in range(-a, size + b)]


def _replicated(size: int, a: int, b: int) -> list[int]:
    return [min(max(i, 0), size - 1) for i in range(-a, size + b)]


def _circular(size: int, a: int, b: int) -> list[int]:
    return [i % size for i in range(-a, size + b)]


_PLACES = {"reflect": _reflected, "replicate": _replicated, "circular": _circular}


def selecting(xp: Any, places: list[int], size: int) -> Any:
    """The matrix that picks the entries at these places."""
    matrix = xp.zeros((len(places), size))
    matrix[xp.arange(len(places)), places] = 1
    return matrix


def _taken(xp: Any, input: Any, indices: tuple[Any, ...]) -> Any:
    first = input.ndim - len(indices)
    for i, places in enumerate(indices):
        if places is not None:
            input = xp.take(input, places, axis=first + i)
    return input


def _picked_back(o: Any, g: Any, indices: tuple[Any, ...], shape: Sizes) -> Any:
    """Gradients added up at the places that were picked, by matrices of zeros and ones."""
    import numpy

    last = shape[len(shape) - len(indices) :]
    maps = tuple(
        None if places is None else selecting(numpy, list(places), size).T
        for places, size in zip(indices, last, strict=True)
    )
    return o._separable(g, maps)


def _picking_row(key: str, label: str, tied: bool = False) -> None:
    def plain(o: Any, g: Any, input_shape: Any, indices: Any) -> Any:
        return _picked_back(o, g, indices, input_shape)

    def with_input(o: Any, g: Any, input: Any, indices: Any) -> Any:
        return o._tied(_picked_back(o, g, indices, tuple(input.shape)), input)

    operator(
        key, lambda xp, input, indices: _taken(xp, input, indices),
        input=with_input if tied else plain,
        kinds={"indices": "any"}, label=label, **_HIDDEN,
        doc="Entries at given places of the last dimensions.",
    )  # fmt: skip


for _n in (1, 2, 3):
    _picking_row(f"reflection_pad{_n}d", f"ReflectionPad{_n}DBackward", tied=True)
    _picking_row(f"replication_pad{_n}d", f"ReplicationPad{_n}DBackward", tied=True)
    _picking_row(f"circular_pad{_n}d", "CopySlices")
    _picking_row(f"upsample_nearest{_n}d", f"UpsampleNearest{_n}DBackward")
    _picking_row(f"upsample_nearest_exact{_n}d", f"UpsampleNearestExact{_n}DBackward")

_ROWS = {"reflect": "reflection", "replicate": "replication", "circular": "circular"}


def _check_pad(input: Any, pad: Sizes, mode: str, n: int) -> None:
    """Raise PyTorch's errors for padding with entries of the input."""
    if input.ndim not in (n + 1, n + 2):
        raise NotAvailableError(
            f"Padding size {len(pad)} is not supported for {input.ndim}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    sides = _sides(pad, input.ndim)[-n:]
    sizes = input._array.shape[-n:]
    for dim, (size, (a, b)) in enumerate(zip(sizes, sides, strict=True)):
        if mode == "reflect" and (a >= size or b >= size):
            raise ShapeError(
                f"Argument #{4 + 2 * (n - 1 - dim)}: Padding size should be less than the "
                f"corresponding input dimension, but got: padding ({a}, {b}) at dimension "
                f"{input.ndim - n + dim} of input {list(input._array.shape)}"
            )
        if mode == "circular" and (a > size or b > size):
            raise ShapeError(
                "Padding value causes wrapping around more than once."
            )


def _pad(o: Any, input: Any, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    pad = (pad,) if isinstance(pad, int) else tuple(pad)
    if len(pad) % 2:
        raise ShapeError("Padding length must be divisible by 2")
    if mode == "constant":
        if len(pad) > 2 * input.ndim:
            raise ShapeError(
                "Padding length should be less than or equal to two times the input dimension but got "
                f"padding length {len(pad)} and input of dimension {input.ndim}"
            )
        shape = zip(input._array.shape, _sides(pad, input.ndim), strict=True)
        if any(size + min(a, 0) + min(b, 0) < 0 for size, (a, b) in shape):
            raise ShapeError("narrow(): length must be non-negative.")
        return o.constant_pad_nd(input, pad, 0 if value is None else value)
    if value not in (None, 0, 0.0):
        raise ShapeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in _PLACES:
        raise NotAvailableError(f"Unrecognised padding mode {mode}")
    n = len(pad) // 2
    _check_pad(input, pad, mode, n)
    sides, sizes = _sides(pad, input.ndim)[-n:], input._array.shape[-n:]
    indices = tuple(
        _PLACES[mode](size, a, b) for size, (a, b) in zip(sizes, sides, strict=True)
    )
    return getattr(o, f"{_ROWS[mode]}_pad{n}d")(input, indices)


functional(
    "pad", _pad, kinds={"pad": "any", "mode": "str", "value": "number?"},
    doc="The input with something around its last dimensions.",
)  # fmt: skip

# ---------------------------------------------------------------- interpolation

separable_row("_upsample_linear1d", "UpsampleLinear1DBackward")
separable_row("_upsample_linear2d", "UpsampleBilinear2DBackward")
separable_row("_upsample_linear3d", "UpsampleTrilinear3DBackward")
separable_row("_upsample_cubic2d", "UpsampleBicubic2DBackward")


def _source(i: int, scale: float, align: bool, cubic: bool = False) -> float:
    """The place in the input that corresponds to one in the result."""
    if align:
        return i * scale
    place = (i + 0.5) * scale - 0.5
    return place if cubic else max(place, 0.0)


def _scale(size: int, count: int, factor: Any, align: bool) -> float:
    if align:
        return (size - 1) / (count - 1) if count > 1 else 0.0
    return 1.0 / factor if factor else size / count


def linear_map(xp: Any, size: int, count: int, factor: Any, align: bool) -> Any:
    """The matrix of linear interpolation along a dimension."""
    if size == count:
        return None
    matrix = xp.zeros((count, size))
    scale = _scale(size, count, factor, align)
    for i in range(count):
        place = _source(i, scale, align)
        low = min(int(place), size - 1)
        share = min(max(place - low, 0.0), 1.0)
        matrix[i, low] += 1 - share
        matrix[i, min(low + 1, size - 1)] += share
    return matrix


CUBIC = -0.75
"""The parameter of the cubic convolution of R. Keys, 1981, in most image libraries."""


def _cubic_weights(t: float) -> list[float]:
    def near(x: float) -> float:
        return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1

    def far(x: float) -> float:
        return ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


def cubic_map(xp: Any, size: int, count: int, factor: Any, align: bool) -> Any:
    """The matrix of cubic interpolation along a dimension."""
    matrix = xp.zeros((count, size))
    scale = _scale(size, count, factor, align)
    for i in range(count):
        place = _source(i, scale, align, cubic=True)
        low = math.floor(place)
        for k, weight in enumerate(_cubic_weights(place - low)):
            matrix[i, min(max(low - 1 + k, 0), size - 1)] += weight
    return matrix


def nearest_places(size: int, count: int, factor: Any, exact: bool) -> list[int]:
    """The places that nearest neighbour interpolation takes its entries from."""
    scale = 1.0 / factor if factor else size / count
    import numpy

    step = numpy.float32(scale)
    shift = numpy.float32(0.5 if exact else 0.0)
    return [min(math.floor((numpy.float32(i) + shift) * step), size - 1) for i in range(count)]


_MODES = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"
_RANK = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}


def _interpolate(
    o: Any, input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: Any = None, recompute_scale_factor: Any = None, antialias: bool = False,
) -> Any:  # fmt: skip
    if align_corners is not None and mode not in _RANK:
        raise ArgumentValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | "
            "bicubic | trilinear"
        )
    n = input.ndim - 2
    wanted, factors = _target(input, n, size, scale_factor, recompute_scale_factor)
    if antialias:
        raise NotAvailableError("interpolate: antialias=True is not available in tgrad")
    if n not in (1, 2, 3) or (mode not in _RANK and mode not in ("nearest", "nearest-exact", "area")):
        raise NotAvailableError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.ndim}D) for the "
            f"modes: {_MODES} (got {mode})"
        )
    if mode in _RANK and input.ndim != _RANK[mode]:
        raise NotAvailableError(
            f"Got {input.ndim}D input, but {mode} mode needs {_RANK[mode]}D input"
        )
    sizes = input._array.shape[2:]
    xp = input._type.xp
    triples = list(zip(sizes, wanted, factors, strict=True))
    if mode in ("nearest", "nearest-exact"):
        places = tuple(nearest_places(s, w, f, mode != "nearest") for s, w, f in triples)
        exact = "" if mode == "nearest" else "_exact"
        return getattr(o, f"upsample_nearest{exact}{n}d")(input, places)
    if mode == "area":
        return getattr(o, f"functional_adaptive_avg_pool{n}d")(input, wanted)
    matrix = cubic_map if mode == "bicubic" else linear_map
    maps = tuple(matrix(xp, s, w, f, bool(align_corners)) for s, w, f in triples)
    key = "_upsample_cubic2d" if mode == "bicubic" else f"_upsample_linear{n}d"
    return getattr(o, key)(input, maps)


def _target(
    input: Any, n: int, size: Any, scale_factor: Any, recompute: Any
) -> tuple[Sizes, tuple[Any, ...]]:
    """The sizes of the result, and the factors that were given."""
    if size is not None and scale_factor is not None:
        raise ArgumentValueError("only one of size or scale_factor should be defined")
    if size is not None:
        given = tuple(size) if isinstance(size, (tuple, list)) else (size,) * n
        return given, (None,) * n
    if scale_factor is None:
        raise ArgumentValueError("either size or scale_factor should be defined")
    factors = (
        tuple(map(float, scale_factor)) if isinstance(scale_factor, (tuple, list))
        else (float(scale_factor),) * n
    )
    sizes = input._array.shape[2:]
    wanted = tuple(math.floor(s * f) for s, f in zip(sizes, factors, strict=True))
    return wanted, (None,) * n if recompute else factors


functional(
    "interpolate", _interpolate,
    kinds={"size": "any", "scale_factor": "any", "mode": "str", "align_corners": "any",
           "recompute_scale_factor": "any", "antialias": "bool"},
    doc="The input with other sizes: nearest, linear, bilinear, bicubic, trilinear, area.",
)  # fmt: skip

# ---------------------------------------------------------------- channels into space


def _shuffled(input: Any, r: int) -> Any:
    *batch, c, h, w = input.shape
    k = len(batch)
    parts = input.reshape(*batch, c // (r * r), r, r, h, w)
    order = (*range(k), k, k + 3, k + 1, k + 4, k + 2)
    return parts.transpose(order).reshape(*batch, c // (r * r), h * r, w * r)


def _unshuffled(input: Any, r: int) -> Any:
    *batch, c, h, w = input.shape
    k = len(batch)
    parts = input.reshape(*batch, c, h // r, r, w // r, r)
    order = (*range(k), k, k + 2, k + 4, k + 1, k + 3)
    return parts.transpose(order).reshape(*batch, c * r * r, h // r, w // r)


def _check_shuffle(input: Any, upscale_factor: int) -> None:
    shape = input._array.shape
    if len(shape) < 3:
        raise ShapeError(
            "pixel_shuffle expects input to have at least 3 dimensions, but got input with "
            f"{len(shape)} dimension(s)"
        )
    if shape[-3] % upscale_factor**2:
        raise ShapeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
            f"upscale_factor, but input.size(-3)={shape[-3]} is not divisible by "
            f"{upscale_factor**2}"
        )


def _check_unshuffle(input: Any, downscale_factor: int) -> None:
    shape = input._array.shape
    if len(shape) < 3:
        raise ShapeError(
            "pixel_unshuffle expects input to have at least 3 dimensions, but got input with "
            f"{len(shape)} dimension(s)"
        )
    for name, dim in (("height", -2), ("width", -1)):
        if shape[dim] % downscale_factor:
            raise ShapeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but "
                f"input.size({dim})={shape[dim]} is not divisible by {downscale_factor}"
            )


operator(
    "pixel_shuffle", lambda xp, input, upscale_factor: _shuffled(input, upscale_factor),
    input=lambda o, g, upscale_factor: o.pixel_unshuffle(g, upscale_factor),
    kinds={"upscale_factor": "int"}, method=False, out=False, check=_check_shuffle,
    aliases=("nn.functional.pixel_shuffle",), doc="Groups of channels as larger images.",
)  # fmt: skip
operator(
    "pixel_unshuffle", lambda xp, input, downscale_factor: _unshuffled(input, downscale_factor),
    input=lambda o, g, downscale_factor: o.pixel_shuffle(g, downscale_factor),
    kinds={"downscale_factor": "int"}, method=False, out=False, check=_check_unshuffle,
    aliases=("nn.functional.pixel_unshuffle",), doc="Images as groups of channels.",
)  # fmt: skip
operator(
    "channel_shuffle",
    lambda xp, input, groups: input.reshape(
        input.shape[0], groups, input.shape[1] // groups, -1
    ).swapaxes(1, 2).reshape(input.shape),
    input=lambda o, g, groups: o.channel_shuffle(g, g.shape[1] // groups),
    kinds={"groups": "int"}, method=False, out=False,
    aliases=("nn.functional.channel_shuffle",), doc="Channels of groups taken in turn.",
)  # fmt: skip
