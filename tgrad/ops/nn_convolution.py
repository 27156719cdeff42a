"""Rows: convolutions.

A convolution is linear in its input and in its weight.  Three hidden rows, the convolution and what it
does backwards for each of the two, are each other's derivatives, so that all orders follow.
"""

from __future__ import annotations

from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError, ShapeError
from tgrad.ops.nn_base import functional
from tgrad.ops.table import composite, operator

Sizes = tuple[int, ...]


def several(value: Any, n: int) -> Sizes:
    """A number for each of n dimensions."""
    if isinstance(value, int):
        return (value,) * n
    return tuple(value) * n if len(value) == 1 else tuple(value)


_HIDDEN: dict[str, Any] = {"function": False, "method": False, "out": False}
_KINDS = {"grad": "tensor", "groups": "int", "weight": "tensor"}


def _sliding() -> Any:
    from tgrad.backends import sliding

    return sliding


operator(
    "_convolve",
    lambda xp, input, weight, stride, padding, dilation, groups: _sliding().convolve(
        input, weight, stride, padding, dilation, groups
    ),
    input=lambda o, g, weight, input_shape, stride, padding, dilation, groups: o._convolve_x(
        g, weight, input_shape[2:], stride, padding, dilation, groups
    ),
    weight=lambda o, g, input, weight_shape, stride, padding, dilation, groups: o._convolve_w(
        g, input, weight_shape[2:], stride, padding, dilation, groups
    ),
    kinds=_KINDS, label="ConvolutionBackward", **_HIDDEN, doc="The convolution, without a bias.",
)  # fmt: skip
operator(
    "_convolve_x",
    lambda xp, grad, weight, sizes, stride, padding, dilation, groups: _sliding().convolve_back_x(
        grad, weight, sizes, stride, padding, dilation, groups
    ),
    grad=lambda o, g, weight, stride, padding, dilation, groups: o._convolve(
        g, weight, stride, padding, dilation, groups
    ),
    weight=lambda o, g, grad, weight_shape, stride, padding, dilation, groups: o._convolve_w(
        grad, g, weight_shape[2:], stride, padding, dilation, groups
    ),
    kinds=_KINDS, label="ConvolutionBackward", **_HIDDEN,
    doc="The derivative of the convolution for its input.",
)  # fmt: skip
operator(
    "_convolve_w",
    lambda xp, grad, input, kernel, stride, padding, dilation, groups: _sliding().convolve_back_w(
        grad, input, kernel, stride, padding, dilation, groups
    ),
    grad=lambda o, g, input, stride, padding, dilation, groups: o._convolve(
        input, g, stride, padding, dilation, groups
    ),
    input=lambda o, g, grad, input_shape, stride, padding, dilation, groups: o._convolve_x(
        grad, g, input_shape[2:], stride, padding, dilation, groups
    ),
    kinds=_KINDS, label="ConvolutionBackward", **_HIDDEN,
    doc="The derivative of the convolution for its weight.",
)  # fmt: skip


def transposed_sizes(
    shape: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, more: Sizes
) -> Sizes:
    """The last sizes of a transposed convolution's result."""
    return tuple(
        (s - 1) * st - 2 * p + d * (k - 1) + 1 + m
        for s, k, st, p, d, m in zip(shape, kernel, stride, padding, dilation, more, strict=True)
    )


def _forward(
    xp: Any, input: Any, weight: Any, bias: Any, stride: Sizes, padding: Sizes, dilation: Sizes,
    transposed: bool, output_padding: Sizes, groups: int,
) -> Any:  # fmt: skip
    kernels = _sliding()
    if transposed:
        sizes = transposed_sizes(
            input.shape[2:], weight.shape[2:], stride, padding, dilation, output_padding
        )
        result = kernels.convolve_back_x(input, weight, sizes, stride, padding, dilation, groups)
    else:
        result = kernels.convolve(input, weight, stride, padding, dilation, groups)
    if bias is not None:
        result += bias.reshape((1, -1, *(1 for _ in stride)))
    return result


def convolution_input(
    o: Any, g: Any, weight: Any, shape: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes,
    transposed: bool, groups: int,
) -> Any:  # fmt: skip
    """The derivative for the input."""
    if transposed:
        return o._convolve(g, weight, stride, padding, dilation, groups)
    return o._convolve_x(g, weight, shape[2:], stride, padding, dilation, groups)


def convolution_weight(
    o: Any, g: Any, input: Any, shape: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes,
    transposed: bool, groups: int,
) -> Any:  # fmt: skip
    """The derivative for the weight."""
    first, second = (input, g) if transposed else (g, input)
    return o._convolve_w(first, second, shape[2:], stride, padding, dilation, groups)


operator(
    "convolution",
    lambda xp, input, weight, bias, stride, padding, dilation, transposed, output_padding, groups: (
        _forward(
            xp, input, weight, bias, stride, padding, dilation, transposed, output_padding, groups
        )
    ),
    input=lambda o, g, weight, input_shape, stride, padding, dilation, transposed, groups: (
        convolution_input(
            o, g, weight, input_shape, stride, padding, dilation, transposed, groups
        )
    ),
    weight=lambda o, g, input, weight_shape, stride, padding, dilation, transposed, groups: (
        convolution_weight(
            o, g, input, weight_shape, stride, padding, dilation, transposed, groups
        )
    ),
    bias=lambda o, g: o.sum_dim(g, (0, *range(2, len(g.shape))), False),
    kinds={**_KINDS, "bias": "tensor?", "transposed": "bool"}, **_HIDDEN,
    doc="A convolution or transposed convolution with a bias.",
)  # fmt: skip

# ---------------------------------------------------------------- what is refused


def _check_lists(n: int, **lists: Sizes) -> None:
    for name, values in lists.items():
        if len(values) != n:
            raise ShapeError(
                f"expected {name} to be a single integer value or a list of {n} values to match the "
                f"convolution dimensions, but got {name}={list(values)}"
            )


def _check_numbers(stride: Sizes, padding: Sizes, dilation: Sizes, groups: int) -> None:
    if any(p < 0 for p in padding):
        raise ShapeError("negative padding is not supported")
    if any(s <= 0 for s in stride):
        raise ShapeError("non-positive stride is not supported")
    if any(d <= 0 for d in dilation):
        raise ShapeError("dilation should be greater than zero")
    if groups <= 0:
        raise ShapeError("non-positive groups is not supported")


def _check_operands(
    input: Tensor, weight: Tensor, bias: Any, groups: int, transposed: bool
) -> None:
    a, w = input._array.shape, weight._array.shape
    if w[0] % groups:
        raise ShapeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but "
            f"got weight of size [{list(w)}] instead"
        )
    wanted = w[0] if transposed else w[1] * groups
    if a[1] != wanted:
        given = f"transposed={int(transposed)}" if transposed else f"groups={groups}"
        raise ShapeError(
            f"Given {given}, weight of size {list(w)}, expected input{list(a)} to have {wanted} "
            f"channels, but got {a[1]} channels instead",
            op="conv", operands=(input, weight),
        )  # fmt: skip
    outputs = w[1] * groups if transposed else w[0]
    if bias is not None and bias._array.shape != (outputs,):
        which = f"transposed={int(transposed)}, " if transposed else ""
        raise ShapeError(
            f"Given {which}weight of size {list(w)}, expected bias to be 1-dimensional with {outputs} "
            f"elements, but got bias of size {list(bias._array.shape)} instead"
        )
    for other in (weight, bias):
        if other is not None and other._type is not input._type:
            raise DTypeError(
                f"expected scalar type {input._type.dtype.title} but found "
                f"{other._type.dtype.title}"
            )


def _check_fits(shape: Sizes, kernel: Sizes, padding: Sizes, dilation: Sizes) -> None:
    inside = [s + 2 * p for s, p in zip(shape, padding, strict=True)]
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    if any(i < r for i, r in zip(inside, reach, strict=True)):
        raise ShapeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, inside))}). Kernel "
            f"size: ({' x '.join(map(str, reach))}). Kernel size can't be greater than actual input "
            "size"
        )


# ---------------------------------------------------------------- the functions


def _same(input: Any, o: Any, kernel: Sizes, dilation: Sizes) -> tuple[Any, Sizes]:
    """The input and the padding that keep its sizes; uneven padding is put on before."""
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if any(t % 2 for t in totals):
        extra = [side for t in reversed(totals) for side in (0, t % 2)]
        input = o.constant_pad_nd(input, tuple(extra), 0)
    return input, tuple(t // 2 for t in totals)


def _conv(n: int) -> Any:
    name = f"conv{n}d"

    def forward(
        o: Any, input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1,
    ) -> Any:  # fmt: skip
        if input.ndim not in (n + 1, n + 2):
            raise ShapeError(
                f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input "
                f"of size: {list(input._array.shape)}"
            )
        batched = input.ndim == n + 2
        if not batched:
            input = o.unsqueeze(input, 0)
        steps, spread = several(stride, n), several(dilation, n)
        _check_lists(weight.ndim - 2, stride=steps)
        kernel = weight._array.shape[2:]
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ShapeError(f"Invalid padding string: '{padding}'")
            if padding == "same" and any(s != 1 for s in steps):
                raise ShapeError("padding='same' is not supported for strided convolutions")
            around = (0,) * n
            if padding == "same":
                input, around = _same(input, o, kernel, spread)
        else:
            around = several(padding, n)
        _check_lists(n, padding=around, dilation=spread)
        _check_numbers(steps, around, spread, groups)
        _check_operands(input, weight, bias, groups, False)
        _check_fits(input._array.shape[2:], kernel, around, spread)
        result = o.convolution(
            input, weight, bias, steps, around, spread, False, (0,) * n, groups
        )
        return result if batched else o.squeeze_dim(result, 0)

    return forward


def _conv_transpose(n: int) -> Any:
    name = f"conv_transpose{n}d"

    def forward(
        o: Any, input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
    ) -> Any:  # fmt: skip
        if input.ndim not in (n + 1, n + 2):
            raise ShapeError(
                f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input "
                f"of size: {list(input._array.shape)}"
            )
        batched = input.ndim == n + 2
        if not batched:
            input = o.unsqueeze(input, 0)
        steps, around, more, spread = (
            several(v, n) for v in (stride, padding, output_padding, dilation)
        )
        _check_lists(n, stride=steps, padding=around, dilation=spread, output_padding=more)
        _check_numbers(steps, around, spread, groups)
        _check_operands(input, weight, bias, groups, True)
        if any(m >= s and m >= d for m, s, d in zip(more, steps, spread, strict=True)):
            raise ShapeError(
                "output padding must be smaller than either stride or dilation, but got "
                + _named("output_padding", more) + " " + _named("stride", steps) + " "
                + _named("dilation", spread)
            )
        result = o.convolution(input, weight, bias, steps, around, spread, True, more, groups)
        return result if batched else o.squeeze_dim(result, 0)

    return forward


def _named(name: str, values: Sizes) -> str:
    sides = ("depth", "height", "width")[-len(values) :] if len(values) > 1 else ("width",)
    return " ".join(f"{name}_{side}: {value}" for side, value in zip(sides, values, strict=True))


_OPTIONS = {"weight": "tensor", "bias": "tensor?", "stride": "any", "padding": "any",
            "dilation": "any", "groups": "int", "output_padding": "any"}  # fmt: skip

for _n in (1, 2, 3):
    functional(f"conv{_n}d", _conv(_n), kinds=_OPTIONS, doc=f"A convolution over {_n} dimensions.")
    functional(f"conv_transpose{_n}d", _conv_transpose(_n), kinds=_OPTIONS,
               doc=f"A transposed convolution over {_n} dimensions.")  # fmt: skip
    composite(f"conv{_n}d", _conv(_n), kinds=_OPTIONS, method=False, out=False,
              doc=f"A convolution over {_n} dimensions.")  # fmt: skip
    composite(f"conv_transpose{_n}d", _conv_transpose(_n), kinds=_OPTIONS, method=False, out=False,
              doc=f"A transposed convolution over {_n} dimensions.")  # fmt: skip
