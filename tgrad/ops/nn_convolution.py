"""Rows: convolutions.

A convolution is linear in its input and in its weight.  Three hidden rows, the convolution and what it
does backwards for each of the two, are each other's derivatives, so that all orders follow.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.errors import ShapeError
from tgrad.ops import nn_convolution_checks as refused
from tgrad.ops.plans import Plans
from tgrad.ops.table import composite, operator

Sizes = refused.Sizes


def several(value: Any, n: int) -> Sizes:
    """A number for each of n dimensions."""
    if isinstance(value, int):
        return (value,) * n
    return tuple(value) * n if len(value) == 1 else tuple(value)


_HIDDEN: dict[str, Any] = {"function": False, "method": False, "out": False}
_KINDS = {"grad": "tensor", "groups": "int", "weight": "tensor"}


@cache
def _kernels() -> Any:
    from tgrad.backends import convolution

    return convolution


operator(
    "_convolve",
    lambda xp, input, weight, counts, stride, padding, dilation, groups: _kernels().convolve(
        input, weight, counts, stride, padding, dilation, groups
    ),
    input=lambda o, g, weight, input_shape, stride, padding, dilation, groups: o._convolve_x(
        g, weight, input_shape[2:], stride, padding, dilation, groups
    ),
    weight=lambda o, g, input, weight_shape, stride, padding, dilation, groups: o._convolve_w(
        g, input, weight_shape[2:], stride, padding, dilation, groups
    ),
    kinds=_KINDS, label="ConvolutionBackward", **_HIDDEN,
    doc="The convolution without a bias, at the given number of places.",
)  # fmt: skip
operator(
    "_convolve_x",
    lambda xp, grad, weight, sizes, stride, padding, dilation, groups: _kernels().convolve_back_x(
        grad, weight, sizes, stride, padding, dilation, groups
    ),
    grad=lambda o, g, weight, grad_shape, stride, padding, dilation, groups: o._convolve(
        g, weight, grad_shape[2:], stride, padding, dilation, groups
    ),
    weight=lambda o, g, grad, weight_shape, stride, padding, dilation, groups: o._convolve_w(
        grad, g, weight_shape[2:], stride, padding, dilation, groups
    ),
    kinds=_KINDS, label="ConvolutionBackward", **_HIDDEN,
    doc="The derivative of the convolution for its input.",
)  # fmt: skip
operator(
    "_convolve_w",
    lambda xp, grad, input, kernel, stride, padding, dilation, groups: _kernels().convolve_back_w(
        grad, input, kernel, stride, padding, dilation, groups
    ),
    grad=lambda o, g, input, grad_shape, stride, padding, dilation, groups: o._convolve(
        input, g, grad_shape[2:], stride, padding, dilation, groups
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
    kernels = _kernels()
    sizes, kernel = input.shape[2:], weight.shape[2:]
    if transposed:
        sizes = transposed_sizes(sizes, kernel, stride, padding, dilation, output_padding)
        result = kernels.convolve_back_x(input, weight, sizes, stride, padding, dilation, groups)
    else:
        counts = kernels.counts_of(sizes, kernel, stride, padding, dilation)
        return kernels.convolve(input, weight, counts, stride, padding, dilation, groups, bias)
    if bias is not None:
        result += bias.reshape((1, -1, *(1 for _ in stride)))
    return result


def convolution_input(
    o: Any, g: Any, weight: Any, shape: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes,
    transposed: bool, groups: int,
) -> Any:  # fmt: skip
    """The derivative for the input."""
    if transposed:
        return o._convolve(g, weight, shape[2:], stride, padding, dilation, groups)
    return o._convolve_x(g, weight, shape[2:], stride, padding, dilation, groups)


def convolution_weight(
    o: Any, g: Any, input: Any, shape: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes,
    transposed: bool, groups: int,
) -> Any:  # fmt: skip
    """The derivative for the weight."""
    first, second = (input, g) if transposed else (g, input)
    return o._convolve_w(first, second, shape[2:], stride, padding, dilation, groups)


operator(
    "_convolution",
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
    bias=lambda o, g: o._channel_sums(g),
    kinds={**_KINDS, "bias": "tensor?", "transposed": "bool"}, label="ConvolutionBackward",
    **_HIDDEN, doc="A convolution or transposed convolution with a bias.",
)  # fmt: skip

# ---------------------------------------------------------------- the functions


def _convolution(
    o: Any, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any,
    transposed: bool, output_padding: Any, groups: int,
) -> Any:  # fmt: skip
    if input._type.category == dtypes.COMPLEX:
        refused.check_complex(input, weight, bias)
        return _complex(o, input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
    plan = _plan(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
    steps, around, spread, more = plan
    return o._convolution(input, weight, bias, steps, around, spread, transposed, more, groups)


def _plan(
    input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool,
    output_padding: Any, groups: int,
) -> tuple[Sizes, Sizes, Sizes, Sizes]:  # fmt: skip
    """The numbers for each dimension, once everything is found to be right; kept for calls like this one."""
    likeness: Any = None if bias is None else (bias._array.shape, bias._type)
    key = (
        input._array.shape, input._type, weight._array.shape, weight._type, likeness, stride, padding,
        dilation, transposed, output_padding, groups,
    )  # fmt: skip
    plan = _plans.get(key) or _plans.keep(
        key,
        _looked_through(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups),
    )
    return plan  # type: ignore[no-any-return]


_plans = Plans()


def _looked_through(
    input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool,
    output_padding: Any, groups: int,
) -> tuple[Sizes, Sizes, Sizes, Sizes]:  # fmt: skip
    refused.check_weight(weight, groups)
    n = weight.ndim - 2
    refused.check_lists(n, stride=stride, padding=padding, dilation=dilation, output_padding=output_padding)
    steps, around, spread, more = (several(v, n) for v in (stride, padding, dilation, output_padding))
    refused.check_numbers(steps, around, spread, more)
    refused.check_shapes(input, weight, bias, groups, transposed)
    sizes, kernel = input._array.shape[2:], weight._array.shape[2:]
    if not transposed:
        refused.check_fits(sizes, kernel, around, spread)
    refused.check_empty(input)
    if 0 not in input._array.shape:
        refused.check_kernel(kernel, steps, spread, transposed)
        if transposed:
            refused.check_output_padding(more, steps, spread)
            refused.check_result(sizes, transposed_sizes(sizes, kernel, steps, around, spread, more))
        refused.check_types(input, weight, bias, transposed)
    return steps, around, spread, more


def _complex(o: Any, input: Any, weight: Any, bias: Any, *options: Any) -> Any:
    """Three real convolutions for a complex one, as three products are enough for numbers."""
    a, b, c, d = o.real(input), o.imag(input), o.real(weight), o.imag(weight)
    e, f = (None, None) if bias is None else (o.real(bias), o.imag(bias))
    first = _convolution(o, a, c, e, *options)
    second = _convolution(o, b, d, None, *options)
    total = None if bias is None else o.add(e, f)
    both = _convolution(o, o.add(a, b), o.add(c, d), total, *options)
    return o.add(o.sub(first, second), o.mul(o.sub(o.sub(both, first), second), 1j))


def _batched(o: Any, input: Any, n: int, name: str) -> tuple[Any, bool]:
    refused.check_rank(input, n, name)
    batched = input.ndim == n + 2
    return (input if batched else o.unsqueeze(input, 0)), batched


def _conv(n: int) -> Any:
    name = f"conv{n}d"

    def forward(
        o: Any, input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1,
    ) -> Any:  # fmt: skip
        input, batched = _batched(o, input, n, name)
        steps, spread = _list(stride, n), _list(dilation, n)
        result = _convolution(
            o, input, weight, bias, steps, _list(padding, n), spread, False, (0,) * n, groups
        )
        return result if batched else o.squeeze_dim(result, 0)

    return forward


def _list(value: Any, n: int) -> Sizes:
    """One number for all dimensions counts as given for each of them."""
    values = (value,) if isinstance(value, int) else tuple(value)
    return values * n if len(values) == 1 else values


def _conv_named(n: int) -> Any:
    name = f"conv{n}d"

    def forward(
        o: Any, input: Any, weight: Any, bias: Any = None, stride: Any = 1,
        padding: str = "valid", dilation: Any = 1, groups: int = 1,
    ) -> Any:  # fmt: skip
        input, batched = _batched(o, input, n, name)
        steps, spread = _list(stride, n), _list(dilation, n)
        if padding not in ("same", "valid"):
            raise ShapeError(f"Invalid padding string: '{padding}'")
        around = (0,) * n
        if padding == "same":
            refused.check_weight(weight, groups)
            refused.check_same(input, weight, steps, spread)
            input, around = _same(o, input, weight._array.shape[2:], several(spread, n))
        result = _convolution(o, input, weight, bias, steps, around, spread, False, (0,) * n, groups)
        return result if batched else o.squeeze_dim(result, 0)

    return forward


def _same(o: Any, input: Any, kernel: Sizes, dilation: Sizes) -> tuple[Any, Sizes]:
    """The input and the padding that keep its sizes; uneven padding is put on before."""
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if any(t % 2 for t in totals):
        extra = [side for t in reversed(totals) for side in (0, t % 2)]
        input = o.constant_pad_nd(input, tuple(extra), 0)
    return input, tuple(t // 2 for t in totals)


def _conv_transpose(n: int) -> Any:
    name = f"conv_transpose{n}d"

    def forward(
        o: Any, input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
    ) -> Any:  # fmt: skip
        input, batched = _batched(o, input, n, name)
        result = _convolution(
            o, input, weight, bias, _list(stride, n), _list(padding, n), _list(dilation, n), True,
            _list(output_padding, n), groups,
        )  # fmt: skip
        return result if batched else o.squeeze_dim(result, 0)

    return forward


def _conv_tbc(o: Any, input: Any, weight: Any, bias: Any, pad: int = 0) -> Any:
    if input.ndim != 3:
        raise ShapeError("Input must have 3 dims: time, batch, in_channel")
    if weight.ndim != 3:
        raise ShapeError("Weight tensor must have 3 dims: kernel_width, in_channels, out_channels.")
    if bias.ndim != 1:
        raise ShapeError("Bias must be 1-D")
    if input._array.shape[2] != weight._array.shape[1]:
        raise ShapeError("Input dim 2 (input channels) is not == dim 1 in the weight tensor")
    if bias._array.shape[0] != weight._array.shape[2]:
        raise ShapeError("Bias size must equal dim 2 in the weight tensor (output channels).")
    return o._conv_tbc(input, weight, bias, pad)


def _tbc_forward(xp: Any, input: Any, weight: Any, bias: Any, pad: int) -> Any:
    rows, kernel = input.transpose(1, 2, 0), weight.transpose(2, 1, 0)
    result = _forward(xp, rows, kernel, bias, (1,), (pad,), (1,), False, (0,), 1)
    return xp.ascontiguousarray(result.transpose(2, 0, 1))


operator(
    "_conv_tbc", lambda xp, input, weight, bias, pad: _tbc_forward(xp, input, weight, bias, pad),
    input=lambda o, g, weight, input_shape, pad: o.permute(
        o._convolve_x(
            o.permute(g, (1, 2, 0)), o.permute(weight, (2, 1, 0)), input_shape[:1], (1,), (pad,),
            (1,), 1,
        ),
        (2, 0, 1),
    ),
    weight=lambda o, g, input, weight_shape, pad: o.permute(
        o._convolve_w(
            o.permute(g, (1, 2, 0)), o.permute(input, (1, 2, 0)), weight_shape[:1], (1,), (pad,),
            (1,), 1,
        ),
        (2, 1, 0),
    ),
    bias=lambda o, g: o.sum_dim(g, (0, 1), False),
    kinds={"bias": "tensor"}, label="ConvTbcBackward", **_HIDDEN,
    doc="A convolution over (time, batch, channels).",
)  # fmt: skip
_PLAIN = {"method": False, "out": False}
composite("conv_tbc", _conv_tbc, kinds={"bias": "tensor", "pad": "int"}, **_PLAIN,
          aliases=("nn.functional.conv_tbc",),
          doc="A convolution over (time, batch, channels).")  # fmt: skip
composite(
    "convolution", _convolution, **_PLAIN,
    kinds={"groups": "int", "transposed": "bool", "stride": "ints", "padding": "ints",
           "dilation": "ints", "output_padding": "ints"},
    doc="A convolution, transposed or not.",
)  # fmt: skip

_OPTIONS = {"stride": "ints", "dilation": "ints", "groups": "int", "output_padding": "ints"}
for _n in (1, 2, 3):
    for _overload, _function, _padding in (("", _conv, "ints"), (".padding", _conv_named, "str")):
        composite(f"conv{_n}d{_overload}", _function(_n), kinds={**_OPTIONS, "padding": _padding},
                  aliases=(f"nn.functional.conv{_n}d",), **_PLAIN,
                  doc=f"A convolution over {_n} dimensions.")  # fmt: skip
    composite(f"conv_transpose{_n}d", _conv_transpose(_n), kinds={**_OPTIONS, "padding": "ints"},
              aliases=(f"nn.functional.conv_transpose{_n}d",), **_PLAIN,
              doc=f"A transposed convolution over {_n} dimensions.")  # fmt: skip
