"""Rows: pools to a given size, and maps of each dimension."""

from __future__ import annotations

from itertools import product
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.errors import ShapeError
from tgrad.ops.nn_base import functional
from tgrad.ops.nn_convolution import Sizes
from tgrad.ops.nn_pooling import pool_back
from tgrad.ops.table import composite, operator

_HIDDEN: dict[str, Any] = {"function": False, "method": False, "out": False}


def _sliding() -> Any:
    from tgrad.backends import sliding

    return sliding


def parts_of(size: int, count: int) -> list[tuple[int, int]]:
    """`count` parts of nearly equal length that cover a dimension; they may overlap."""
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def averaging(xp: Any, size: int, count: int) -> Any:
    """The matrix whose rows average these parts; None where nothing changes."""
    if size == count:
        return None
    matrix = xp.zeros((count, size))
    for row, (start, end) in enumerate(parts_of(size, count)):
        matrix[row, start:end] = 1 / (end - start)
    return matrix


def backwards(maps: tuple[Any, ...]) -> tuple[Any, ...]:
    """The transposes of maps of dimensions."""
    return tuple(None if m is None else m.T for m in maps)


operator(
    "_separable", lambda xp, input, maps: _sliding().separable(input, maps),
    input=lambda o, g, maps: o._separable(g, backwards(maps)),
    **_HIDDEN, doc="A matrix applied along each of the last dimensions.",
)  # fmt: skip


def separable_row(key: str, label: str, tied: bool = False) -> None:
    """A row that is a map of each of the last dimensions, under a label of its own.

    With `tied` the first derivative counts as depending on the input, as it does in PyTorch.
    """

    def plain(o: Any, g: Any, maps: Any) -> Any:
        return o._separable(g, backwards(maps))

    def with_input(o: Any, g: Any, input: Any, maps: Any) -> Any:
        return o._tied(o._separable(g, backwards(maps)), input)

    operator(
        key, lambda xp, input, maps: _sliding().separable(input, maps),
        input=with_input if tied else plain, label=label, **_HIDDEN,
        doc="A matrix applied along each of the last dimensions.",
    )  # fmt: skip


separable_row("_adaptive_avg_pool2d", "AdaptiveAvgPool2DBackward", tied=True)
separable_row("_adaptive_avg_pool3d", "AdaptiveAvgPool3DBackward", tied=True)


def _wanted(input: Any, size: Any, n: int) -> Sizes:
    sizes = input._array.shape[-n:]
    given = (size,) * n if size is None or isinstance(size, int) else tuple(size)
    return tuple(s if g is None else g for s, g in zip(sizes, given, strict=True))


def _adaptive_avg(n: int) -> Any:
    def forward(o: Any, input: Any, output_size: Any) -> Any:
        if input.ndim not in (n + 1, n + 2):
            raise ShapeError(
                f"adaptive_avg_pool{n}d(): Expected {n + 1}D or {n + 2}D tensor, but got "
                f"{list(input._array.shape)}"
            )
        wanted = _wanted(input, output_size, n)
        if n > 1 and all(w == 1 for w in wanted):
            return o.mean_dim(input, tuple(range(-1, -n - 1, -1)), True)
        xp = input._type.xp
        maps = tuple(
            averaging(xp, s, w) for s, w in zip(input._array.shape[-n:], wanted, strict=True)
        )
        if n == 1:
            result = o._adaptive_avg_pool2d(o.unsqueeze(input, -2), (None, *maps))
            return o.squeeze_dim(result, -2)
        return getattr(o, f"_adaptive_avg_pool{n}d")(input, maps)

    return forward


def _adaptive_max_kernel(xp: Any, input: Any, wanted: Sizes) -> tuple[Any, Any]:
    if input.ndim == len(wanted) + 1:
        first, second = _adaptive_max_kernel(xp, input[None], wanted)
        return first[0], second[0]
    sizes = input.shape[2:]
    values = xp.empty((*input.shape[:2], *wanted), input.dtype)
    places = xp.empty(values.shape, xp.int64)
    parts = [parts_of(s, w) for s, w in zip(sizes, wanted, strict=True)]
    for place in product(*(range(w) for w in wanted)):
        spans = [parts[d][i] for d, i in enumerate(place)]
        block = input[(slice(None), slice(None), *(slice(a, b) for a, b in spans))]
        flat = block.reshape(*input.shape[:2], -1)
        best = flat.argmax(axis=-1)
        inner = xp.unravel_index(best, block.shape[2:])
        where = xp.zeros_like(best)
        for d, (start, _) in enumerate(spans):
            where = where * sizes[d] + inner[d] + start
        at = (slice(None), slice(None), *place)
        values[at] = xp.take_along_axis(flat, best[..., None], -1)[..., 0]
        places[at] = where
    return values, places


for _n in (2, 3):
    operator(
        f"_adaptive_max_pool{_n}d",
        lambda xp, input, output_size: _adaptive_max_kernel(xp, input, output_size),
        input=lambda o, g, input, indices, output_size: pool_back(
            o, g, input, indices, len(output_size)
        ),
        kinds={"output_size": "any"}, fields=("output", "indices"), outputs=1,
        result=(None, dtypes.int64), label=f"AdaptiveMaxPool{_n}DBackward", **_HIDDEN,
        doc="The largest element of each part, and its place.",
    )  # fmt: skip


def _adaptive_max(n: int) -> Any:
    def forward(o: Any, input: Any, output_size: Any, return_indices: bool = False) -> Any:
        wanted = _wanted(input, output_size, n)
        if n == 1:
            input, wanted = o.unsqueeze(input, -2), (1, *wanted)
        parts = getattr(o, f"_adaptive_max_pool{max(n, 2)}d")(input, wanted)
        results = [o.squeeze_dim(part, -2) if n == 1 else part for part in parts]
        return tuple(results) if return_indices else results[0]

    return forward


_OPTIONS = {"output_size": "any", "return_indices": "bool"}
for _n in (1, 2, 3):
    functional(f"adaptive_avg_pool{_n}d", _adaptive_avg(_n), kinds=_OPTIONS,
               doc="The mean of each of a given number of parts.")  # fmt: skip
    functional(f"adaptive_max_pool{_n}d", _adaptive_max(_n), kinds=_OPTIONS,
               doc="The largest element of each of a given number of parts.")  # fmt: skip
composite("adaptive_avg_pool1d", _adaptive_avg(1), kinds=_OPTIONS, method=False, out=False,
          doc="The mean of each of a given number of parts.")  # fmt: skip
