"""Rows: images read at the places of a grid, and grids of affine maps."""

from __future__ import annotations

import warnings
from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.errors import (
    ArgumentValueError,
    DTypeError,
    NotAvailableError,
    ShapeError,
    UnsupportedDTypeError,
)
from tgrad.ops.nn_base import functional
from tgrad.ops.table import composite, operator

_HIDDEN: dict[str, Any] = {"function": False, "method": False, "out": False}
_PLAIN: dict[str, Any] = {"method": False, "out": False}
Sizes = tuple[int, ...]


def _sampling() -> Any:
    from tgrad.backends import sampling

    return sampling


# ---------------------------------------------------------------- reading images


def _check_grid(input: Tensor, grid: Tensor, mode: int, padding: int, align: bool) -> None:
    a, g = input._array.shape, grid._array.shape
    if a[:1] != g[:1]:
        raise ShapeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{list(a)} and grid with sizes {list(g)}"
        )
    if g[-1] != len(a) - 2:
        raise ShapeError(
            f"grid_sampler(): expected grid to have size {len(a) - 2} in last dimension, but got grid "
            f"with sizes {list(g)}"
        )
    for dim in range(2, len(a)):
        if not a[dim]:
            raise ShapeError(
                "grid_sampler(): expected input to have non-empty spatial dimensions, but input has "
                f"sizes {list(a)} with dimension {dim} being empty"
            )
    if len(a) not in (4, 5) or len(g) != len(a):
        raise ShapeError(
            f"grid_sampler(): expected {'4D or 5D' if len(a) not in (4, 5) else f'{len(a)}D'} input and "
            f"grid with same number of dimensions, but got input with sizes {list(a)} and grid with "
            f"sizes {list(g)}"
        )
    if len(a) == 5 and mode == 2:
        raise ShapeError("grid_sampler(): bicubic interpolation only supports 4D input")
    if not input._type.inexact or input._type.dtype.is_complex:
        kernel = "grid_sampler_2d_cpu_kernel_impl" if len(a) == 4 else "grid_sampler3d_cpu"
        raise UnsupportedDTypeError(f"\"{kernel}\" not implemented for '{input._type.dtype.title}'")
    if grid._type is not input._type:
        raise DTypeError(f"expected scalar type {input._type.dtype.title} but found {grid._type.dtype.title}")


_GRID = {"grid": "tensor", "grad": "tensor", "along": "tensor", "interpolation_mode": "int",
         "padding_mode": "int", "align_corners": "bool"}  # fmt: skip


def _mode(*options: Any) -> Any:
    return _sampling().Mode(*options)


operator(
    "_grid_back_x",
    lambda xp, grad, grid, sizes, mode: _sampling().sampled_back_x(grad, grid, sizes, _mode(*mode)),
    grad=lambda o, g, grid, sizes, mode: getattr(o, f"grid_sampler_{len(sizes)}d")(g, grid, *mode),
    grid=lambda o, g, grad, grid, mode: o._grid_back_grid(grad, g, grid, mode),
    kinds=_GRID, **_HIDDEN, doc="The derivative of grid_sampler for the image.",
)  # fmt: skip
operator(
    "_grid_back_grid",
    lambda xp, grad, input, grid, mode: _sampling().sampled_back_grid(grad, input, grid, _mode(*mode)),
    grad=lambda o, g, input, grid, mode: o._grid_along(input, grid, g, mode),
    input=lambda o, g, grad, grid, input_shape, mode: o._grid_along_back_x(
        grad, grid, g, input_shape[2:], mode
    ),
    grid=lambda o, g, grad, input, grid, mode: o._grid_along_back_grid(grad, input, grid, g, mode),
    kinds=_GRID, **_HIDDEN, doc="The derivative of grid_sampler for the grid.",
)  # fmt: skip
for _name, _kernel in (
    ("_grid_along", lambda xp, input, grid, along, mode: _sampling().sampled(
        input, grid, _mode(*mode), along
    )),
    ("_grid_along_back_x", lambda xp, grad, grid, along, sizes, mode: _sampling().sampled_back_x(
        grad, grid, sizes, _mode(*mode), along
    )),
    ("_grid_along_back_grid", lambda xp, grad, input, grid, along, mode: (
        _sampling().sampled_back_grid(grad, input, grid, _mode(*mode), along)
    )),
):  # fmt: skip
    operator(_name, _kernel, kinds=_GRID, differentiable="third derivatives are not available",
             **_HIDDEN, doc="Derivatives of the derivative of grid_sampler.")  # fmt: skip


def _grid_gradient(o: Any, g: Any, input: Any, grid: Any, mode: tuple[Any, ...]) -> Any:
    if mode[0] == 1:
        return o._zeros_of(grid)
    return o._grid_back_grid(g, input, grid, mode)


for _n in (2, 3):
    operator(
        f"grid_sampler_{_n}d",
        lambda xp, input, grid, interpolation_mode, padding_mode, align_corners: _sampling().sampled(
            input, grid, _mode(interpolation_mode, padding_mode, align_corners)
        ),
        input=lambda o, g, input_shape, grid, interpolation_mode, padding_mode, align_corners: (
            o._grid_back_x(
                g, grid, input_shape[2:], (interpolation_mode, padding_mode, align_corners)
            )
        ),
        grid=lambda o, g, input, grid, interpolation_mode, padding_mode, align_corners: _grid_gradient(
            o, g, input, grid, (interpolation_mode, padding_mode, align_corners)
        ),
        kinds=_GRID, check=_check_grid, label=f"GridSampler{_n}DBackward", **_PLAIN,
        doc="The values of an image at the places of a grid.",
    )  # fmt: skip


def _grid_sampler(
    o: Any, input: Any, grid: Any, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Any:
    key = "grid_sampler_3d" if input.ndim == 5 else "grid_sampler_2d"
    return getattr(o, key)(input, grid, interpolation_mode, padding_mode, align_corners)


composite("grid_sampler", _grid_sampler, kinds=_GRID, **_PLAIN,
          doc="The values of an image at the places of a grid.")  # fmt: skip

_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def _without_align() -> None:
    warnings.warn(
        "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. "
        "Please specify align_corners=True if the old behavior is desired. See the documentation of "
        "grid_sample for details.",
        stacklevel=5,
    )


def _grid_sample(
    o: Any, input: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros",
    align_corners: Any = None,
) -> Any:  # fmt: skip
    if mode not in _MODES:
        raise ArgumentValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but "
            f"got: '{mode}'"
        )
    if padding_mode not in _PADDINGS:
        raise ArgumentValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
    if align_corners is None:
        _without_align()
    return _grid_sampler(
        o, input, grid, _MODES.index(mode), _PADDINGS.index(padding_mode), bool(align_corners)
    )


functional(
    "grid_sample", _grid_sample, kinds={"grid": "tensor", "mode": "any", "padding_mode": "any",
                                        "align_corners": "any"},
    doc="The values of an image at the places of a grid.",
)  # fmt: skip

# ---------------------------------------------------------------- grids


def _places(xp: Any, size: int, align: bool, dtype: Any) -> Any:
    if size <= 1:
        return xp.zeros(size, dtype)
    line = xp.linspace(-1.0, 1.0, size, dtype)
    return line if align else line * dtype.type(size - 1) / dtype.type(size)


def _base(xp: Any, size: Sizes, align: bool, dtype: Any) -> Any:
    """The places of all elements, and a 1 for the shift: (elements, n + 1)."""
    sizes = size[2:]
    lines = [_places(xp, s, align, dtype) for s in sizes]
    grids = xp.meshgrid(*lines, indexing="ij")
    columns = [g.reshape(-1) for g in reversed(grids)]
    return xp.stack([*columns, xp.ones(columns[0].shape, dtype)], -1)


def _affine(xp: Any, theta: Any, size: Sizes, align: bool) -> Any:
    base = _base(xp, size, align, theta.dtype)
    return xp.matmul(base, theta.swapaxes(1, 2)).reshape(size[0], *size[2:], len(size) - 2)


def _affine_back(xp: Any, grad: Any, size: Sizes, align: bool) -> Any:
    base = _base(xp, size, align, grad.dtype)
    flat = xp.ascontiguousarray(grad).reshape(size[0], len(base), len(size) - 2)
    return xp.matmul(flat.swapaxes(1, 2), base)


def _check_affine(theta: Tensor, size: Sizes, align_corners: bool) -> None:
    shape = theta._array.shape
    if len(size) not in (4, 5):
        raise ShapeError("AffineGridGenerator needs 4d (spatial) or 5d (volumetric) inputs.")
    n = len(size) - 2
    if shape != (size[0], n, n + 1):
        raise ShapeError(
            "Expected size for first two dimensions of batch2 tensor to be: "
            f"[{size[0]}, {n + 1}] but got: [{shape[0]}, {shape[-1]}]."
        )


_AFFINE = {"theta": "tensor", "align_corners": "bool"}
operator(
    "affine_grid_generator",
    lambda xp, theta, size, align_corners: _affine(xp, theta, size, align_corners),
    theta=lambda o, g, size, align_corners: o._affine_grid_back(g, size, align_corners),
    kinds=_AFFINE, check=_check_affine, label="AffineGridGeneratorBackward", **_PLAIN,
    doc="The places to which affine maps take the elements of an image.",
)  # fmt: skip
operator(
    "_affine_grid_back", lambda xp, grad, size, align_corners: _affine_back(xp, grad, size, align_corners),
    grad=lambda o, g, size, align_corners: o.affine_grid_generator(g, size, align_corners),
    kinds={**_AFFINE, "grad": "tensor"}, **_HIDDEN, doc="The derivative of a grid for the map.",
)  # fmt: skip


def _affine_grid(o: Any, theta: Any, size: Any, align_corners: Any = None) -> Any:
    if align_corners is None:
        _without_align()
    dtype = theta._type.dtype
    if not dtype.is_floating_point:
        raise ArgumentValueError(f"Expected theta to have floating point type, but got {dtype!r}")
    n, shape = len(size) - 2, theta.shape
    if n not in (2, 3):
        raise NotAvailableError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
            f"respectively. Got size {size}."
        )
    if theta.ndim != 3 or tuple(shape[1:]) != (n, n + 1):
        raise ArgumentValueError(
            f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size {size}. Got {shape!r}."
        )
    if align_corners and min(size[2:]) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when "
            "align_corners=True. This is not an intended use case of affine_grid. See the documentation "
            "of affine_grid for details.",
            stacklevel=4,
        )
    elif min(size) <= 0:
        raise ArgumentValueError(f"Expected non-zero, positive output size. Got {size}")
    return o.affine_grid_generator(theta, tuple(size), bool(align_corners))


functional(
    "affine_grid", _affine_grid, kinds={"theta": "tensor", "size": "any", "align_corners": "any"},
    doc="The places to which affine maps take the elements of an image.",
)  # fmt: skip
