"""Rows: pools of torch.nn.functional."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.errors import ArgumentValueError, UnsupportedDTypeError
from tgrad.ops import nn_pooling_checks as refused
from tgrad.ops.dimensions import numel, wrap_dim
from tgrad.ops.nn_base import accepted, functional
from tgrad.ops.nn_convolution import Sizes, several
from tgrad.ops.plans import Plans
from tgrad.ops.table import composite, operator

_HIDDEN: dict[str, Any] = {"function": False, "method": False, "out": False}


@cache
def _sliding() -> Any:
    from tgrad.backends import sliding

    return sliding


@cache
def _largest() -> Any:
    from tgrad.backends import largest

    return largest


# ---------------------------------------------------------------- the largest


@lru_cache(256)
def _places_of_windows(
    sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil: bool
) -> Sizes:
    """How many places a window has along each dimension, once the numbers are found to be right."""
    refused.check_places(kernel, stride, padding, dilation)
    counts: Sizes = _sliding().counts(sizes, kernel, stride, padding, dilation, ceil)
    return counts


def _max_kernel(
    xp: Any, input: Any, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil: bool
) -> tuple[Any, Any]:
    n = len(kernel)
    if input.ndim == n + 1:
        parts = _max_kernel(xp, input[None], kernel, stride, padding, dilation, ceil)
        return parts[0][0], parts[1][0]
    counts = _places_of_windows(input.shape[2:], kernel, stride, padding, dilation, ceil)
    values, places = _largest().largest(input, kernel, stride, padding, dilation, counts)
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
        refuses={f"max_pool{_n}d": (dtypes.bool_, dtypes.complex64, dtypes.complex128)},
        doc="The largest element of each window, and its place.",
    )  # fmt: skip

operator(
    "_pool_scatter",
    lambda xp, grad, places, sizes: _largest().pool_scatter(grad, places, sizes),
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


_TITLES = ("kernel_size", "stride", "padding", "dilation")


def _max_with_indices(
    o: Any, n: int, input: Any, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes,
    ceil: bool,
) -> tuple[Any, Any]:  # fmt: skip
    """The largest elements over two or three dimensions, and their places."""
    key = (n, input._array.shape, kernel, stride, padding, dilation, ceil)
    plan = _plans.get(key) or _plans.keep(key, _looked_through(*key, input))
    row = o.max_pool2d_with_indices if n == 2 else o.max_pool3d_with_indices
    return row(input, *plan, ceil)  # type: ignore[no-any-return]


_plans = Plans()


def _looked_through(
    n: int, shape: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil: bool,
    input: Any,
) -> tuple[Sizes, Sizes, Sizes, Sizes]:  # fmt: skip
    name = f"max_pool{n}d"
    refused.check_lengths(name, n, kernel, stride, padding)
    refused.check_dilation(name, n, dilation)
    refused.check_rank(input, n)
    kernel, padding, dilation = (several(v, n) for v in (kernel, padding, dilation))
    stride = several(stride, n) if stride else kernel
    counts = _places_of_windows(shape[-n:], kernel, stride, padding, dilation, ceil)
    refused.check_windows(input, kernel, stride, dilation, counts, f"{name}_with_indices_out_cpu_template()")
    return kernel, stride, padding, dilation


def _max_line_with_indices(
    o: Any, input: Any, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil: bool
) -> tuple[Any, Any]:
    stride = stride or kernel
    refused.check_line(
        input, "max_pool1d", kernel_size=kernel, stride=stride, padding=padding, dilation=dilation
    )
    parts = _max_with_indices(
        o, 2, o.unsqueeze(input, -2), (1, *kernel), (1, *stride), (0, *padding), (1, *dilation), ceil
    )
    return o.squeeze_dim(parts[0], -2), o.squeeze_dim(parts[1], -2)


def _max_line(
    o: Any, input: Any, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil: bool
) -> Any:
    k, s, p, d = refused.check_max_line(input, kernel, stride, padding, dilation)
    count = _sliding().positions(input._array.shape[-1], k, s, p, d, ceil)
    refused.check_count(count)
    if input._type.dtype is dtypes.bool_:
        raise UnsupportedDTypeError("\"max_pool1d_impl\" not implemented for 'Bool'")
    return _max_line_with_indices(o, input, (k,), (s,), (p,), (d,), ceil)[0]


def _max_pool(n: int, indices: bool | None) -> Any:
    """The pool of the largest over n dimensions: with their places, without, or as is asked for."""
    name = f"max_pool{n}d"

    def forward(
        o: Any, input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
        dilation: Any = 1, ceil_mode: bool = False, return_indices: bool = False,
    ) -> Any:  # fmt: skip
        wanted = return_indices if indices is None else indices
        called = f"{name}_with_indices" if wanted and n != 2 else name
        stride = () if stride is None else stride
        given = zip(_TITLES, (kernel_size, stride, padding, dilation), strict=True)
        k, st, p, d = [
            (v,) if type(v) is int else accepted(called, t, i, "ints", v) for i, (t, v) in enumerate(given, 2)
        ]
        ceil = accepted(called, "ceil_mode", 6, "bool", ceil_mode)
        if n > 1:
            values, places = _max_with_indices(o, n, input, k, st, p, d, ceil)
        elif wanted:
            values, places = _max_line_with_indices(o, input, k, st, p, d, ceil)
        else:
            return _max_line(o, input, k, st, p, d, ceil)
        return (values, places) if wanted else values

    return forward


def _native(n: int, indices: bool) -> Any:
    """The function of torch: it has no return_indices."""
    pool = _max_pool(n, indices)

    def forward(
        o: Any, input: Any, kernel_size: Any, stride: Any = (), padding: Any = 0,
        dilation: Any = 1, ceil_mode: bool = False,
    ) -> Any:  # fmt: skip
        return pool(o, input, kernel_size, stride, padding, dilation, ceil_mode)

    return forward


_ANY = dict.fromkeys((*_TITLES, "ceil_mode", "return_indices"), "any")
_INTS = {**dict.fromkeys(_TITLES, "ints"), "ceil_mode": "bool", "count_include_pad": "bool",
         "divisor_override": "int?"}  # fmt: skip
_PLAIN: dict[str, Any] = {"method": False, "out": False}

for _n in (1, 2, 3):
    _doc = "The largest element of each window"
    functional(f"max_pool{_n}d", _max_pool(_n, None), kinds=_ANY, doc=f"{_doc}.")
    functional(f"max_pool{_n}d_with_indices", _max_pool(_n, True), kinds=_ANY,
               doc=f"{_doc}, and its place.")  # fmt: skip
    composite(f"max_pool{_n}d", _native(_n, False), kinds=_INTS, **_PLAIN, doc=f"{_doc}.")
composite("max_pool1d_with_indices", _native(1, True), kinds=_INTS, **_PLAIN,
          doc="The largest element of each window, and its place.")  # fmt: skip

# ---------------------------------------------------------------- averages


def _average(
    xp: Any, input: Any, kernel: Sizes, stride: Sizes, padding: Sizes, ceil: bool,
    with_padding: bool, divisor: Any,
) -> Any:  # fmt: skip
    if input.dtype == xp.float16:
        return _average(
            xp, input.astype(xp.float32), kernel, stride, padding, ceil, with_padding, divisor
        ).astype(xp.float16)
    if input.ndim == len(kernel) + 1:
        single = input[None]
        return _average(xp, single, kernel, stride, padding, ceil, with_padding, divisor)[0]
    kernels, ones = _sliding(), (1,) * len(kernel)
    counts = kernels.counts(input.shape[2:], kernel, stride, padding, ones, ceil)
    sums = kernels.window_sums(input, kernel, stride, padding, counts)
    return _divided(xp, sums, input.shape[2:], kernel, stride, padding, with_padding, divisor)


def _divided(
    xp: Any, sums: Any, sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes,
    with_padding: bool, divisor: Any,
) -> Any:  # fmt: skip
    if divisor is None:
        divisor = _sliding().divisors(sizes, kernel, stride, padding, sums.shape[2:], with_padding)
    divisor = xp.asarray(divisor)
    if sums.dtype.kind in "iu":  # towards 0, as in C
        return (xp.sign(sums) * xp.sign(divisor) * (abs(sums) // abs(divisor))).astype(sums.dtype)
    return sums / divisor.astype(sums.dtype)


_SUMMED = {"ceil_mode": "bool", "count_include_pad": "bool", "divisor_override": "int?"}
_WHOLE = (dtypes.bool_, dtypes.uint8, dtypes.int8, dtypes.int16, dtypes.int32, dtypes.complex64,
          dtypes.complex128)  # fmt: skip

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
        kinds=_SUMMED, label=f"AvgPool{_n}DBackward", **_HIDDEN, doc="The mean of each window.",
        refuses={"avg_pool2d": _WHOLE} if _n == 2 else {
            "avg_pool3d_out_frame": (*_WHOLE, dtypes.float16)
        },
    )  # fmt: skip


def _average_back(
    xp: Any, grad: Any, sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes,
    with_padding: bool, divisor: Any,
) -> Any:  # fmt: skip
    if grad.ndim == len(kernel) + 1:
        single = grad[None]
        return _average_back(xp, single, sizes, kernel, stride, padding, with_padding, divisor)[0]
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
    kinds={**_SUMMED, "grad": "tensor"}, **_HIDDEN, doc="The derivative of average pooling.",
)  # fmt: skip


def _averages(
    o: Any, n: int, input: Any, kernel: Sizes, stride: Sizes, padding: Sizes, ceil: bool,
    with_padding: bool, divisor: Any,
) -> Any:  # fmt: skip
    """The means over two or three dimensions."""
    name = f"avg_pool{n}d"
    refused.check_lengths(name, n, kernel, stride, padding)
    if n == 3:
        refused.check_rank(input, n)
    refused.check_divisor(divisor)
    wrap_dim(-n - 1, input.ndim)
    kernel, padding, ones = several(kernel, n), several(padding, n), (1,) * n
    stride = several(stride, n) if stride else kernel
    refused.check_places(kernel, stride, padding, ones)
    counts = _sliding().counts(input._array.shape[-n:], kernel, stride, padding, ones, ceil)
    refused.check_windows(input, kernel, stride, ones, counts, f"{name}()", fits=n == 3)
    return getattr(o, name)(input, kernel, stride, padding, ceil, with_padding, divisor)


def _avg_line(
    o: Any, input: Any, kernel_size: Any, stride: Any = (), padding: Any = 0,
    ceil_mode: bool = False, count_include_pad: bool = True,
) -> Any:  # fmt: skip
    kernel, around = several(kernel_size, 1), several(padding, 1)
    steps = tuple(stride or ()) or kernel
    refused.check_line(input, "avg_pool1d", kernel_size=kernel, stride=steps, padding=around)
    result = _averages(
        o, 2, o.unsqueeze(input, -2), (1, *kernel), (1, *steps), (0, *around), ceil_mode,
        count_include_pad, None,
    )  # fmt: skip
    return o.squeeze_dim(result, -2)


def _avg_pool(n: int) -> Any:
    def forward(
        o: Any, input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
        ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: Any = None,
    ) -> Any:  # fmt: skip
        kernel, around = several(kernel_size, 1), several(padding, 1)
        steps = () if stride is None else several(stride, 1)
        return _averages(o, n, input, kernel, steps, around, ceil_mode, count_include_pad, divisor_override)

    return forward


composite("avg_pool1d", _avg_line, kinds=_INTS, **_PLAIN, aliases=("nn.functional.avg_pool1d",),
          doc="The mean of each window.")  # fmt: skip
for _n in (2, 3):
    functional(f"avg_pool{_n}d", _avg_pool(_n), kinds=_INTS, doc="The mean of each window.")


def _lp_pool(n: int) -> Any:
    def forward(
        o: Any, input: Any, norm_type: Any, kernel_size: Any, stride: Any = None,
        ceil_mode: bool = False,
    ) -> Any:  # fmt: skip
        if norm_type in (float("inf"), -float("inf")):
            largest = getattr(o, f"functional_max_pool{n}d")
            sizes = o.abs(input)
            if norm_type > 0:
                return largest(sizes, kernel_size, stride, 0, 1, ceil_mode)
            return o.neg(largest(o.neg(sizes), kernel_size, stride, 0, 1, ceil_mode))
        count = kernel_size if n == 1 else numel(several(kernel_size, n))
        if n == 1 and not isinstance(count, int):
            count = several(kernel_size, 1)[0]
        powers = o.pow_Tensor_Scalar(input, norm_type)
        key = "avg_pool1d" if n == 1 else f"functional_avg_pool{n}d"
        steps = () if stride is None else several(stride, 1)
        means = getattr(o, key)(powers, several(kernel_size, 1), steps, (0,), ceil_mode)
        sums = o.mul(o.mul(o.sign(means), o.relu(o.abs(means))), count)
        return o.pow_Tensor_Scalar(sums, 1.0 / norm_type)

    return forward


for _n in (1, 2, 3):
    functional(f"lp_pool{_n}d", _lp_pool(_n), kinds={**_ANY, "norm_type": "number"},
               doc="The p-norm of each window.")  # fmt: skip


def _local_response(
    o: Any, input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    shape = input._array.shape
    if input.ndim < 3:
        raise ArgumentValueError(
            "Expected 3D or higher dimensionality                          input (got "
            f"{input.ndim} dimensions)"
        )
    if not numel(shape):
        return input
    squares = o.unsqueeze(o.mul(input, input), 1)
    if input.ndim == 3:
        spread = o.constant_pad_nd(squares, (0, 0, size // 2, (size - 1) // 2), 0)
        means = o.functional_avg_pool2d(spread, (size, 1), 1)
    else:
        flat = o.view(squares, (shape[0], 1, shape[1], shape[2], numel(shape[3:])))
        spread = o.constant_pad_nd(flat, (0, 0, 0, 0, size // 2, (size - 1) // 2), 0)
        means = o.functional_avg_pool3d(spread, (size, 1, 1), 1)
        means = o.view(means, (shape[0], 1, *shape[1:]))
    means = o.squeeze_dim(means, 1)
    return o.div(input, o.pow_Tensor_Scalar(o.add(o.mul(means, alpha), k), beta))


functional("local_response_norm", _local_response, kinds={"size": "int", "k": "number"},
           doc="The input divided by the strength of neighbouring channels.")  # fmt: skip
