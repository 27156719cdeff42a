"""Rows: interpolation."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, ArgumentValueError, NotAvailableError, ShapeError
from tgrad.ops.nn_base import functional
from tgrad.ops.nn_convolution import Sizes
from tgrad.ops.nn_padding import picking_row
from tgrad.ops.nn_pooling_adaptive import separable_row

_WHOLE = (dtypes.bool_, dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64, dtypes.complex64,
          dtypes.complex128)  # fmt: skip
_ALL = (*_WHOLE, dtypes.uint8)

for _n in (1, 2, 3):
    _kernel = "upsample_nearest2d_channels_last" if _n == 2 else "compute_indices_weights_nearest"
    for _exact in ("", "_exact"):
        picking_row(
            f"upsample_nearest{_exact}{_n}d",
            f"UpsampleNearest{_exact[1:].title()}{_n}DBackward",
            refuses={_kernel: _WHOLE},
        )
separable_row("_upsample_linear1d", "UpsampleLinear1DBackward",
              refuses={"compute_indices_weights_linear": _ALL})  # fmt: skip
separable_row("_upsample_linear2d", "UpsampleBilinear2DBackward",
              refuses={"upsample_bilinear2d_channels_last": _WHOLE})  # fmt: skip
separable_row("_upsample_linear3d", "UpsampleTrilinear3DBackward",
              refuses={"compute_indices_weights_linear": _ALL})  # fmt: skip
separable_row("_upsample_cubic2d", "UpsampleBicubic2DBackward",
              refuses={"compute_indices_weights_cubic": _WHOLE})  # fmt: skip
for _mode in ("Bilinear", "Bicubic", "Lanczos"):
    separable_row(f"_upsample_{_mode.lower()}_aa", f"Upsample{_mode}2DAaBackward",
                  refuses={"compute_index_ranges_weights": _WHOLE})  # fmt: skip


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


def _triangle(x: float) -> float:
    return max(1.0 - abs(x), 0.0)


def _cubic_filter(x: float) -> float:
    x, a = abs(x), -0.5
    if x < 1:
        return ((a + 2) * x - (a + 3)) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * a if x < 2 else 0.0


def _lanczos_filter(x: float) -> float:
    if x == 0:
        return 1.0
    if abs(x) >= 3:
        return 0.0
    turn = math.pi * x
    return 3 * math.sin(turn) * math.sin(turn / 3) / (turn * turn)


_FILTERS: dict[str, tuple[Callable[[float], float], int]] = {
    "bilinear": (_triangle, 1), "bicubic": (_cubic_filter, 2), "lanczos": (_lanczos_filter, 3),
}  # fmt: skip
"""For each mode with antialias=True: the filter, and how far it reaches."""


def smooth_map(xp: Any, size: int, count: int, factor: Any, align: bool, mode: str) -> Any:
    """The matrix of interpolation along a dimension with a filter as wide as the step."""
    if size == count:
        return None
    matrix = xp.zeros((count, size))
    weight, reach = _FILTERS[mode]
    scale = _scale(size, count, factor, align)
    wide = max(scale, 1.0)
    for i in range(count):
        center = scale * (i + 0.5)
        first = max(int(center - reach * wide + 0.5), 0)
        last = min(int(center + reach * wide + 0.5), size)
        weights = [weight((j - center + 0.5) / wide) for j in range(first, last)]
        matrix[i, first:last] = xp.asarray(weights) / (sum(weights) or 1.0)
    return matrix


_MODES = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"
_RANK = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}


def _interpolate(
    o: Any, input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: Any = None, recompute_scale_factor: Any = None, antialias: bool = False,
) -> Any:  # fmt: skip
    if align_corners is not None and mode in ("nearest", "area", "nearest-exact"):
        raise ArgumentValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | "
            "bicubic | trilinear"
        )
    n = input.ndim - 2
    recompute = recompute_scale_factor or (mode == "area" and size is None)
    wanted, factors = _target(input, n, size, scale_factor, recompute)
    if antialias and (mode not in _FILTERS or input.ndim != 4):
        raise ArgumentValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a "
            "4-D tensor as input"
        )
    _check_mode(input, mode, bool(align_corners), antialias)
    if mode == "area":
        key = "adaptive_avg_pool1d" if n == 1 else f"functional_adaptive_avg_pool{n}d"
        return getattr(o, key)(input, wanted)
    _check_sizes(input, wanted)
    xp = input._type.xp
    triples = list(zip(input._array.shape[2:], wanted, factors, strict=True))
    if mode in ("nearest", "nearest-exact"):
        places = tuple(nearest_places(s, w, f, mode != "nearest") for s, w, f in triples)
        exact = "" if mode == "nearest" else "_exact"
        return getattr(o, f"upsample_nearest{exact}{n}d")(input, places)
    align = bool(align_corners)
    if antialias:
        maps = tuple(smooth_map(xp, s, w, f, align, mode) for s, w, f in triples)
        return getattr(o, f"_upsample_{mode}_aa")(input, maps)
    matrix = cubic_map if mode == "bicubic" else linear_map
    maps = tuple(matrix(xp, s, w, f, align) for s, w, f in triples)
    key = "_upsample_cubic2d" if mode == "bicubic" else f"_upsample_linear{n}d"
    return getattr(o, key)(input, maps)


def _check_mode(input: Tensor, mode: str, align: bool, antialias: bool) -> None:
    """Raise PyTorch's errors for modes that the input's number of dimensions doesn't go with."""
    n = input.ndim - 2
    if mode == "lanczos" and n == 2:
        if align:
            raise ArgumentValueError("Lanczos mode does not support align_corners=True")
        if not antialias:
            raise ArgumentValueError("Lanczos mode requires antialias=True")
        return
    known = mode in _RANK or mode in ("nearest", "nearest-exact", "area")
    if n not in (1, 2, 3) or not known or (mode == "bicubic" and n != 2):
        raise NotAvailableError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.ndim}D) for the "
            f"modes: {_MODES} (got {mode})"
        )
    if mode in _RANK and input.ndim != _RANK[mode]:
        raise NotAvailableError(f"Got {input.ndim}D input, but {mode} mode needs {_RANK[mode]}D input")


def _check_sizes(input: Tensor, wanted: Sizes) -> None:
    shape = input._array.shape
    sizes, n = shape[2:], len(wanted)
    if min(sizes) <= 0 or min(wanted) <= 0:
        letters = "DHW"[-n:]
        given, found = (
            ", ".join(f"{c}: {v}" for c, v in zip(letters, values, strict=True)) for values in (sizes, wanted)
        )
        joined = " and output" if n == 1 else " output"
        raise ShapeError(
            f"Input and output sizes should be greater than 0, but got input ({given}){joined} ({found})"
        )
    if not shape[1]:
        raise ShapeError(f"Non-empty {n + 2}D data tensor expected but got a tensor with sizes {list(shape)}")


def _target(
    input: Tensor, n: int, size: Any, scale_factor: Any, recompute: Any
) -> tuple[Sizes, tuple[Any, ...]]:
    """The sizes of the result, and the factors that were given."""
    sizes = list(input._array.shape[2:])
    if size is not None and scale_factor is not None:
        raise ArgumentValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ArgumentValueError("either size or scale_factor should be defined")
    if size is not None:
        wanted = _sizes(sizes, size)
        if recompute:
            raise ArgumentValueError("recompute_scale_factor is not meaningful with an explicit size.")
        return wanted, (None,) * n
    listed = isinstance(scale_factor, (tuple, list))
    if listed and len(scale_factor) != n:
        raise ArgumentValueError(
            "Input and scale_factor must have the same number of spatial dimensions, but got input "
            f"with spatial dimensions of {sizes} and scale_factor of shape {scale_factor}. Please "
            "provide input tensor in (N, C, d1, d2, ...,dK) format and scale_factor in "
            "(s1, s2, ...,sK) format."
        )
    factors = tuple(map(float, scale_factor)) if listed else (float(scale_factor),) * n
    wanted = tuple(int(s * f) for s, f in zip(sizes, factors, strict=True))
    return wanted, (None,) * n if recompute else factors


def _sizes(sizes: list[int], size: Any) -> Sizes:
    if not isinstance(size, (tuple, list)):
        return (size,) * len(sizes)
    if len(size) != len(sizes):
        raise ArgumentValueError(
            "Input and output must have the same number of spatial dimensions, but got input with "
            f"spatial dimensions of {sizes} and output size of {size}. Please provide input tensor in "
            "(N, C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format."
        )
    if not all(hasattr(s, "__index__") for s in size):
        raise ArgumentError(
            "expected size to be one of int or Tuple[int] or Tuple[int, int] or "
            f"Tuple[int, int, int], but got size with types {[type(s) for s in size]}"
        )
    return tuple(int(s) for s in size)


_KINDS = dict.fromkeys(
    ("size", "scale_factor", "mode", "align_corners", "recompute_scale_factor", "antialias"), "any"
)
functional(
    "interpolate", _interpolate, kinds=_KINDS,
    doc="The input with other sizes: nearest, linear, bilinear, bicubic, trilinear, lanczos, area.",
)  # fmt: skip


def _old(name: str, **fixed: Any) -> None:
    """A function of earlier versions of PyTorch, which warns and calls interpolate."""

    def warn() -> None:
        warnings.warn(
            f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.",
            stacklevel=5,
        )

    def upsample(
        o: Any, input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
        align_corners: Any = None,
    ) -> Any:  # fmt: skip
        warn()
        return _interpolate(o, input, size, scale_factor, mode, align_corners)

    def of_mode(o: Any, input: Any, size: Any = None, scale_factor: Any = None) -> Any:
        warn()
        return _interpolate(o, input, size, scale_factor, **fixed)

    functional(name, of_mode if fixed else upsample, kinds=_KINDS, doc="interpolate, in older words.")


_old("upsample")
_old("upsample_nearest", mode="nearest")
_old("upsample_bilinear", mode="bilinear", align_corners=True)
