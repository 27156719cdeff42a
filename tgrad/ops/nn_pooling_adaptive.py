"""Rows: pools to a given size, and maps of each dimension."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.errors import ArgumentValueError, ShapeError
from tgrad.ops import nn_pooling_checks as refused
from tgrad.ops.nn_base import accepted, functional
from tgrad.ops.nn_convolution import Sizes, several
from tgrad.ops.nn_pooling import pool_back
from tgrad.ops.table import composite, operator

_HIDDEN: dict[str, Any] = {"function": False, "method": False, "out": False}


def _sliding() -> Any:
    from tgrad.backends import sliding

    return sliding


def _largest() -> Any:
    from tgrad.backends import largest

    return largest


def backwards(maps: tuple[Any, ...]) -> tuple[Any, ...]:
    """The transposes of maps of dimensions."""
    return tuple(None if m is None else m.T for m in maps)


operator(
    "_separable", lambda xp, input, maps: _sliding().separable(input, maps),
    input=lambda o, g, maps: o._separable(g, backwards(maps)),
    **_HIDDEN, doc="A matrix applied along each of the last dimensions.",
)  # fmt: skip


def separable_row(key: str, label: str, **parts: Any) -> None:
    """A row that is a map of each of the last dimensions, under a label of its own."""
    operator(
        key, lambda xp, input, maps: _sliding().separable(input, maps),
        input=lambda o, g, maps: o._separable(g, backwards(maps)), label=label, **_HIDDEN, **parts,
        doc="A matrix applied along each of the last dimensions.",
    )  # fmt: skip


# ---------------------------------------------------------------- averages

_WHOLE = (dtypes.bool_, dtypes.uint8, dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64)
_COMPLEX = (dtypes.complex64, dtypes.complex128)

for _n in (2, 3):
    operator(
        f"_adaptive_avg_pool{_n}d",
        lambda xp, input, output_size: _sliding().part_means(input, output_size),
        input=lambda o, g, input, output_size: o._tied(
            o._part_means_back(g, tuple(input.shape)[-len(output_size) :]), input
        ),
        kinds={"output_size": "any"}, label=f"AdaptiveAvgPool{_n}DBackward", **_HIDDEN,
        refuses={"adaptive_avg_pool2d" if _n == 2 else "adaptive_avg_pool3d_cpu": (*_WHOLE, *_COMPLEX)},
        doc="The mean of each part.",
    )  # fmt: skip
operator(
    "_part_means_back", lambda xp, grad, sizes: _sliding().part_means_back(grad, sizes),
    grad=lambda o, g, grad_shape, sizes: getattr(o, f"_adaptive_avg_pool{len(sizes)}d")(
        g, tuple(grad_shape[len(grad_shape) - len(sizes) :])
    ),
    kinds={"grad": "tensor", "sizes": "any"}, **_HIDDEN,
    doc="The derivative of the means of parts.",
)  # fmt: skip


def _wanted(function: str, input: Any, size: Any) -> Sizes:
    """The sizes that are asked for; None stands for the input's own."""
    if not isinstance(size, int):
        sizes = input._array.shape
        if len(sizes) <= len(size):
            raise ArgumentValueError(f"Input dimension should be at least {len(size) + 1}")
        own = sizes[len(sizes) - len(size) :]
        size = [s if g is None else g for s, g in zip(own, size, strict=True)]
    return accepted(function, "output_size", 2, "ints", size)  # type: ignore[no-any-return]


def _part_means(o: Any, n: int, input: Any, wanted: Sizes) -> Any:
    """The means over two or three dimensions."""
    name = f"adaptive_avg_pool{n}d"
    if len(wanted) not in (1, n):
        raise ShapeError(f"{name}: output_size must be {n}")
    wanted = several(wanted, n)
    if min(wanted) < 0:
        listed = ", ".join(map(str, wanted[:2])) + "".join(f",{w}" for w in wanted[2:])
        raise ShapeError(
            f"{name}: elements of output_size must be greater than or equal to 0 but received {{{listed}}}"
        )
    if all(w == 1 for w in wanted):
        return o.mean_dim(input, tuple(range(-1, -n - 1, -1)), True)
    refused.check_parts(input, n, name, -n, "")
    return getattr(o, f"_{name}")(input, wanted)


def _adaptive_avg_line(o: Any, input: Any, output_size: Any) -> Any:
    wanted = several(output_size, 1)
    refused.check_line(input, "adaptive_avg_pool1d", output_size=wanted)
    return o.squeeze_dim(_part_means(o, 2, o.unsqueeze(input, -2), (1, *wanted)), -2)


def _adaptive_avg(n: int) -> Any:
    def forward(o: Any, input: Any, output_size: Any) -> Any:
        return _part_means(o, n, input, _wanted(f"adaptive_avg_pool{n}d", input, output_size))

    return forward


# ---------------------------------------------------------------- the largest


def _adaptive_max_kernel(xp: Any, input: Any, wanted: Sizes) -> tuple[Any, Any]:
    if input.ndim == len(wanted) + 1:
        first, second = _adaptive_max_kernel(xp, input[None], wanted)
        return first[0], second[0]
    values, places = _largest().largest_parts(input, wanted)
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
        refuses={"adaptive_max_pool2d" if _n == 2 else "adaptive_max_pool3d_cpu": (*_WHOLE, *_COMPLEX)},
        doc="The largest element of each part, and its place.",
    )  # fmt: skip


def _largest_parts(o: Any, n: int, input: Any, wanted: Sizes) -> Any:
    name = f"adaptive_max_pool{n}d"
    refused.check_parts(input, n, name, 1, ":")
    if len(wanted) not in (1, n):
        raise ShapeError(f"{name}(): internal error: output_size.size() must be {n}")
    wanted = several(wanted, n)
    if min(wanted) < 0:
        shape = [*input._array.shape[:-n], *wanted]
        raise ShapeError(
            f"Trying to create tensor with negative dimension {next(s for s in shape if s < 0)}: {shape}"
        )
    return getattr(o, f"_{name}")(input, wanted)


def _largest_of_line(o: Any, input: Any, wanted: Sizes) -> tuple[Any, Any]:
    wanted = several(wanted, 1)
    refused.check_line(input, "adaptive_max_pool1d", output_size=wanted)
    if not input._array.shape[-1]:
        refused.check_parts(input, 1, "adaptive_max_pool1d", 1, ":")
    values, places = _largest_parts(o, 2, o.unsqueeze(input, -2), (1, *wanted))
    return o.squeeze_dim(values, -2), o.squeeze_dim(places, -2)


def _adaptive_max(n: int, indices: bool | None) -> Any:
    name = f"adaptive_max_pool{n}d"

    def forward(o: Any, input: Any, output_size: Any, return_indices: bool = False) -> Any:
        if n == 1:
            wanted = accepted(name, "output_size", 2, "ints", output_size)
            parts = _largest_of_line(o, input, wanted)
        else:
            parts = _largest_parts(o, n, input, _wanted(name, input, output_size))
        wants = return_indices if indices is None else indices
        return tuple(parts) if wants else parts[0]

    return forward


_OPTIONS = {"output_size": "any", "return_indices": "any"}
_PARTS = "each of a given number of parts"
for _n in (1, 2, 3):
    functional(f"adaptive_max_pool{_n}d", _adaptive_max(_n, None), kinds=_OPTIONS,
               doc=f"The largest element of {_PARTS}.")  # fmt: skip
    functional(f"adaptive_max_pool{_n}d_with_indices", _adaptive_max(_n, True), kinds=_OPTIONS,
               doc=f"The largest element of {_PARTS}, and its place.")  # fmt: skip
for _n in (2, 3):
    functional(f"adaptive_avg_pool{_n}d", _adaptive_avg(_n), kinds=_OPTIONS,
               doc=f"The mean of {_PARTS}.")  # fmt: skip
composite("adaptive_avg_pool1d", _adaptive_avg_line, kinds={"output_size": "ints"}, method=False,
          out=False, aliases=("nn.functional.adaptive_avg_pool1d",),
          doc=f"The mean of {_PARTS}.")  # fmt: skip
composite("adaptive_max_pool1d", lambda o, input, output_size: _largest_of_line(o, input, output_size),
          kinds={"output_size": "ints"}, method=False, out=False,
          doc=f"The largest element of {_PARTS}, and its place.")  # fmt: skip
