"""The row `gradient`: derivatives estimated from values at given places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, DTypeError, ShapeError
from tgrad.ops.arguments import ACCEPT, REFUSED
from tgrad.ops.dimensions import wrap_dims
from tgrad.ops.table import composite


def _directions(input: Tensor, dim: Any) -> tuple[int, ...]:
    if dim is None:
        return tuple(range(input._array.ndim))
    dims = ACCEPT["ints"][0](dim)
    if dims is REFUSED:
        raise ArgumentError(f"gradient(): argument 'dim' must be int, not {type(dim).__name__}")
    return wrap_dims(dims, input._array.ndim)


def _spacings(input: Tensor, spacing: Any, dims: tuple[int, ...], dim: Any) -> Sequence[Any]:
    """The distance of neighbours, or their places, for each direction."""
    if spacing is None:
        spacing = 1
    number = ACCEPT["number"][0](spacing)
    if number is not REFUSED:
        return [number] * len(dims)
    if not isinstance(spacing, (tuple, list)):
        raise ArgumentError(
            "gradient() received an invalid combination of arguments: spacing must be a number, or a tuple "
            f"of numbers or Tensors, not {type(spacing).__name__}"
        )
    if dim is None and len(spacing) != input._array.ndim:
        raise ShapeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to "
            f"'self.dim() = {input._array.ndim}', since dim argument was not given, but got a list of "
            f"length {len(spacing)}"
        )
    if dim is not None and len(spacing) != len(dims):
        raise ShapeError(
            "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments "
            f"to have the same length, but got a spacing argument of length {len(spacing)} and a dim "
            f"argument of length {len(dims)}."
        )
    for places in spacing:
        if isinstance(places, Tensor) and places._array.ndim != 1:
            raise ShapeError(
                "torch.gradient expected each element of spacing to have one dimension, but got an element "
                f"with {places._array.ndim} dimensions!"
            )
    return spacing


def gradient(o: Any, input: Any, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> Any:
    """Estimated derivatives along dimensions, of second order inside and of edge_order at the ends."""
    if input._type.dtype is dtypes.uint8:
        raise DTypeError("torch.gradient does not support uint8 input.")
    dims = _directions(input, dim)
    spacings = _spacings(input, spacing, dims, dim)
    if edge_order not in (1, 2):
        raise ShapeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    if any(input._array.shape[d] < edge_order + 1 for d in dims):
        raise ShapeError("torch.gradient expected each dimension size to be at least edge_order+1")
    along = [(_at_places if isinstance(s, Tensor) else _evenly) for s in spacings]
    return tuple([f(o, input, d, s, edge_order) for f, d, s in zip(along, dims, spacings, strict=True)])


def _rows(o: Any, input: Any, dim: int) -> Any:
    """A function for slices of a dimension."""
    size = input._array.shape[dim]
    return lambda start, end=size: o.slice(input, dim, start, end, 1)


def _evenly(o: Any, input: Any, dim: int, spacing: Any, edge_order: int) -> Any:
    """The estimate where neighbours have the same distance."""
    at = _rows(o, input, dim)
    middle = (at(2) - at(0, -2)) / spacing / 2
    if edge_order == 1:
        first, last = (at(1, 2) - at(0, 1)) / spacing, (at(-1) - at(-2, -1)) / spacing
    else:
        first = (at(0, 1) * -1.5 + at(1, 2) * 2 - at(2, 3) * 0.5) / spacing
        last = (at(-3, -2) * 0.5 - at(-2, -1) * 2 + at(-1) * 1.5) / spacing
    return o.cat((first, middle, last), dim)


def _at_places(o: Any, input: Any, dim: int, places: Any, edge_order: int) -> Any:
    """The estimate where the places are given: the parabola through three neighbours."""
    at = _rows(o, input, dim)
    steps = o.diff(places, 1, 0)
    shape = tuple([-1 if d == dim else 1 for d in range(input._array.ndim)])
    left, right = steps[:-1], steps[1:]
    a = o.reshape(-right / (left * (left + right)), shape)
    b = o.reshape((right - left) / (left * right), shape)
    c = o.reshape(left / (right * (left + right)), shape)
    middle = a * at(0, -2) + b * at(1, -1) + c * at(2)
    if edge_order == 1:
        first, last = (at(1, 2) - at(0, 1)) / steps[0], (at(-1) - at(-2, -1)) / steps[-1]
        return o.cat((first, middle, last), dim)
    left, right = steps[0], steps[1]
    a = -(2.0 * left + right) / (left * (left + right))
    b = (left + right) / (left * right)
    c = -left / (right * (left + right))
    first = a * at(0, 1) + b * at(1, 2) + c * at(2, 3)
    left, right = steps[-2], steps[-1]
    a = right / (left * (right + left))
    b = -(right + left) / (right * left)
    c = (2.0 * right + left) / (right * (right + left))
    last = a * at(-3, -2) + b * at(-2, -1) + c * at(-1)
    return o.cat((first, middle, last), dim)


composite(
    "gradient", gradient, kinds={"spacing": "any", "dim": "any", "edge_order": "int"}, method=False,
    out=False, doc="Derivatives along dimensions, estimated from neighbouring values.",
)  # fmt: skip
