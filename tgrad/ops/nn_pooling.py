"""Rows: pools of torch.nn.functional."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.errors import ShapeError
from tgrad.ops.dimensions import numel
from tgrad.ops.nn_base import functional
from tgrad.ops.nn_convolution import Sizes, several
from tgrad.ops.table import composite, operator

_HIDDEN: dict[str, Any] = {"function": False, "method": False, "out": False}


def _sliding() -> Any:
    from tgrad.backends import sliding

    return sliding


def counts_of(
    sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil: bool
) -> Sizes:
    """The number of windows along each dimension."""
    place = _sliding().positions
    return tuple(
        place(s, k, st, p, d, ceil)
        for s, k, st, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True)
    )


# ---------------------------------------------------------------- the largest


def _max_kernel(
    xp: Any, input: Any, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil: bool
) -> tuple[Any, Any]:
    n = len(kernel)
    if input.ndim == n + 1:
        parts = _max_kernel(xp, input[None], kernel, stride, padding, dilation, ceil)
        return parts[0][0], parts[1][0]
    counts = counts_of(input.shape[2:], kernel, stride, padding, dilation, ceil)
    values, places = _sliding().largest(input, kernel, stride, padding, dilation, counts)
    return values, places


def pool_back(o: Any, g: Any, input: Any, indices: Any, n: int) -> Any:
    """The derivative of a pool of the largest: the gradient at the places that were taken."""
    shape = tuple(input.shape)
    return o._tied(o._pool_scatter(g, indices, shape[len(shape) - n :]), input)


for _n in (2, 3):
    operator(
        f"max_pool{_n}d_with_indices",
        lambda xp, input, kernel_size, stride, padding, dilation, ceil_mode: _max_kernel(
            xp, input, kernel_size, stride, padding, dilation, ceil_mode
        ),
        input=lambda o, g, input, indices, kernel_size: pool_back(
            o, g, input, indices, len(kernel_size)
        ),
        kinds={"ceil_mode": "bool"}, fields=("output", "indices"), outputs=1,
        result=(None, dtypes.int64), label=f"MaxPool{_n}DWithIndicesBackward", **_HIDDEN,
        doc="The largest element of each window, and its place.",
    )  # fmt: skip

operator(
    "_pool_scatter",
    lambda xp, grad, places, sizes: _sliding().pool_scatter(grad, places, sizes),
    grad=lambda o, g, places, sizes: o._pool_gather(g, places, len(sizes)),
    kinds={"grad": "tensor", "places": "index"}, **_HIDDEN,
    doc="Gradients at the places that the largest elements came from.",
)  # fmt: skip
operator(
    "_pool_gather", lambda xp, input, places, n: _sliding().pool_gather(input, places, n),
    input=lambda o, g, places, input_shape, n: o._pool_scatter(
        g, places, input_shape[len(input_shape) - n :]
    ),
    kinds={"places": "index"}, **_HIDDEN, doc="The elements at given places.",
)  # fmt: skip


def _check_windows(
    input: Any, kernel: Sizes, padding: Sizes, dilation: Sizes, counts: Sizes
) -> None:
    for k, p, d in zip(kernel, padding, dilation, strict=True):
        if p > (d * (k - 1) + 1) // 2:
            raise ShapeError(
                "pad should be at most half of effective kernel size, but got "
                f"pad={p}, kernel_size={k} and dilation={d}"
            )
    if min(counts) < 1:
        shape = input._array.shape
        channels, sizes = shape[-len(kernel) - 1], shape[-len(kernel) :]
        inside = "x".join(map(str, (channels, *sizes)))
        outside = "x".join(map(str, (channels, *(max(c, 0) for c in counts))))
        raise ShapeError(
            f"Given input size: ({inside}). Calculated output size: ({outside}). Output size is too "
            "small"
        )


def _max_pool(n: int) -> Any:
    def forward(
        o: Any, input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
        dilation: Any = 1, ceil_mode: bool = False, return_indices: bool = False,
    ) -> Any:  # fmt: skip
        if input.ndim not in (n + 1, n + 2) or not numel(input._array.shape[1:]):
            raise ShapeError(
                f"non-empty {n + 1}D or {n + 2}D (batch mode) tensor expected for input"
            )
        kernel = several(kernel_size, n)
        steps = several(stride, n) if stride not in (None, (), []) else kernel
        around, spread = several(padding, n), several(dilation, n)
        row = max(n, 2)
        if n == 1:
            input = o.unsqueeze(input, -2)
            kernel, steps, around, spread = (1, *kernel), (1, *steps), (0, *around), (1, *spread)
        counts = counts_of(input._array.shape[-row:], kernel, steps, around, spread, ceil_mode)
        _check_windows(input, kernel, around, spread, counts)
        key = f"max_pool{row}d_with_indices"
        values, places = getattr(o, key)(input, kernel, steps, around, spread, ceil_mode)
        results = [o.squeeze_dim(part, -2) if n == 1 else part for part in (values, places)]
        return tuple(results) if return_indices else results[0]

    return forward


# ---------------------------------------------------------------- averages


def _average(
    xp: Any, input: Any, kernel: Sizes, stride: Sizes, padding: Sizes, ceil: bool,
    with_padding: bool, divisor: Any,
) -> Any:  # fmt: skip
    if input.ndim == len(kernel) + 1:
        single = input[None]
        return _average(xp, single, kernel, stride, padding, ceil, with_padding, divisor)[0]
    counts = counts_of(input.shape[2:], kernel, stride, padding, (1,) * len(kernel), ceil)
    sums = _sliding().window_sums(input, kernel, stride, padding, counts)
    return _divided(xp, sums, input.shape[2:], kernel, stride, padding, with_padding, divisor)


def _divided(
    xp: Any, sums: Any, sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes,
    with_padding: bool, divisor: Any,
) -> Any:  # fmt: skip
    if divisor is None:
        divisor = _sliding().divisors(sizes, kernel, stride, padding, sums.shape[2:], with_padding)
    divisor = xp.asarray(divisor)
    if sums.dtype.kind in "iu":
        return (sums // divisor).astype(sums.dtype)
    return sums / divisor.astype(sums.dtype)


_WINDOW = {"ceil_mode": "bool", "count_include_pad": "bool", "divisor_override": "int?"}

for _n in (2, 3):
    operator(
        f"avg_pool{_n}d",
        lambda xp, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override: (
            _average(
                xp, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
                divisor_override,
            )
        ),
        input=lambda o, g, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override: (  # noqa: E501
            o._tied(
                o._avg_pool_backward(
                    g, tuple(input.shape)[-len(kernel_size) :], kernel_size, stride, padding,
                    ceil_mode, count_include_pad, divisor_override,
                ),
                input,
            )
        ),
        kinds=_WINDOW, label=f"AvgPool{_n}DBackward", **_HIDDEN, doc="The mean of each window.",
    )  # fmt: skip


def _average_back(
    xp: Any, grad: Any, sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes,
    with_padding: bool, divisor: Any,
) -> Any:  # fmt: skip
    if grad.ndim == len(kernel) + 1:
        single = grad[None]
        return _average_back(
            xp, single, sizes, kernel, stride, padding, with_padding, divisor
        )[0]
    parts = _divided(xp, grad, sizes, kernel, stride, padding, with_padding, divisor)
    return _sliding().spread_sums(parts, sizes, kernel, stride, padding)


operator(
    "_avg_pool_backward",
    lambda xp, grad, sizes, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override: (
        _average_back(
            xp, grad, sizes, kernel_size, stride, padding, count_include_pad, divisor_override
        )
    ),
    grad=lambda o, g, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override: (
        getattr(o, f"avg_pool{len(kernel_size)}d")(
            g, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        )
    ),
    kinds={**_WINDOW, "grad": "tensor"}, **_HIDDEN, doc="The derivative of average pooling.",
)  # fmt: skip


def _avg_pool(n: int) -> Any:
    def forward(
        o: Any, input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
        ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: Any = None,
    ) -> Any:  # fmt: skip
        if input.ndim not in (n + 1, n + 2):
            raise ShapeError(
                f"non-empty {n + 1}D or {n + 2}D (batch mode) tensor expected for input"
            )
        kernel = several(kernel_size, n)
        steps = several(stride, n) if stride not in (None, (), []) else kernel
        around = several(padding, n)
        if n == 1:
            input = o.unsqueeze(input, -2)
            kernel, steps, around = (1, *kernel), (1, *steps), (0, *around)
        ones = (1,) * len(kernel)
        sizes = input._array.shape[-len(kernel) :]
        counts = counts_of(sizes, kernel, steps, around, ones, ceil_mode)
        _check_windows(input, kernel, around, ones, counts)
        result = getattr(o, f"avg_pool{max(n, 2)}d")(
            input, kernel, steps, around, ceil_mode, count_include_pad, divisor_override
        )
        return o.squeeze_dim(result, -2) if n == 1 else result

    return forward


_OPTIONS = {**_WINDOW, "kernel_size": "any", "stride": "any", "padding": "any", "dilation": "any",
            "output_size": "any", "return_indices": "bool"}  # fmt: skip
for _n in (1, 2, 3):
    functional(f"max_pool{_n}d", _max_pool(_n), kinds=_OPTIONS,
               doc="The largest element of each window.")  # fmt: skip
    functional(f"avg_pool{_n}d", _avg_pool(_n), kinds=_OPTIONS, doc="The mean of each window.")
    composite(f"max_pool{_n}d", _max_pool(_n), kinds=_OPTIONS, method=False, out=False,
              doc="The largest element of each window.")  # fmt: skip
composite("avg_pool1d", _avg_pool(1), kinds=_OPTIONS, method=False, out=False,
          doc="The mean of each window.")  # fmt: skip


def _lp_pool(n: int) -> Any:
    def forward(
        o: Any, input: Any, norm_type: Any, kernel_size: Any, stride: Any = None,
        ceil_mode: bool = False,
    ) -> Any:  # fmt: skip
        kernel = several(kernel_size, n)
        powers = o.pow_Tensor_Scalar(input, norm_type)
        means = getattr(o, f"functional_avg_pool{n}d")(powers, kernel, stride, 0, ceil_mode)
        sums = o.mul(o.mul(o.sign(means), o.relu(o.abs(means))), numel(kernel))
        return o.pow_Tensor_Scalar(sums, 1.0 / norm_type)

    return forward


for _n in (1, 2, 3):
    functional(f"lp_pool{_n}d", _lp_pool(_n), kinds={**_OPTIONS, "norm_type": "number"},
               doc="The p-norm of each window.")  # fmt: skip


def _local_response(
    o: Any, input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    shape = input._array.shape
    squares = o.unsqueeze(o.mul(input, input), 1)
    if input.ndim == 3:
        spread = o.constant_pad_nd(squares, (0, 0, size // 2, (size - 1) // 2), 0)
        means = o.functional_avg_pool2d(spread, (size, 1), 1)
    else:
        flat = o.view(squares, (shape[0], 1, shape[1], shape[2], -1))
        spread = o.constant_pad_nd(flat, (0, 0, 0, 0, size // 2, (size - 1) // 2), 0)
        means = o.functional_avg_pool3d(spread, (size, 1, 1), 1)
        means = o.view(means, (shape[0], 1, *shape[1:]))
    means = o.squeeze_dim(means, 1)
    return o.div(input, o.pow_Tensor_Scalar(o.add(o.mul(means, alpha), k), beta))


functional("local_response_norm", _local_response, kinds={"size": "int", "k": "number"},
           doc="The input divided by the strength of neighbouring channels.")  # fmt: skip
