"""Rows: blocks of an image as columns, and back."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.errors import ShapeError
from tgrad.ops.dimensions import numel, wrap_dim
from tgrad.ops.nn_base import accepted, functional
from tgrad.ops.nn_convolution import Sizes
from tgrad.ops.table import operator

_HIDDEN: dict[str, Any] = {"function": False, "method": False, "out": False}


def _sliding() -> Any:
    from tgrad.backends import sliding

    return sliding


_WHOLE = (dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64, dtypes.uint8)


def _columns(input: Any, kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes) -> Any:
    if input.ndim == 3:
        return _columns(input[None], kernel, dilation, padding, stride)[0]
    counts = _sliding().counts(input.shape[2:], kernel, stride, padding, dilation)
    return _sliding().columns(input, kernel, stride, padding, dilation, counts)


def _image(input: Any, size: Sizes, kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes) -> Any:
    if input.ndim == 2:
        return _image(input[None], size, kernel, dilation, padding, stride)[0]
    counts = _sliding().counts(size, kernel, stride, padding, dilation)
    return _sliding().scattered(input, size, kernel, stride, padding, dilation, counts)


operator(
    "im2col",
    lambda xp, input, kernel_size, dilation, padding, stride: _columns(
        input, kernel_size, dilation, padding, stride
    ),
    input=lambda o, g, input_shape, kernel_size, dilation, padding, stride: o.col2im(
        g, input_shape[-2:], kernel_size, dilation, padding, stride
    ),
    label="Im2ColBackward", refuses={"im2col_out_cpu": _WHOLE}, **_HIDDEN,
    doc="Each block of an image as a column.",
)  # fmt: skip
operator(
    "col2im",
    lambda xp, input, output_size, kernel_size, dilation, padding, stride: _image(
        input, output_size, kernel_size, dilation, padding, stride
    ),
    input=lambda o, g, kernel_size, dilation, padding, stride: o.im2col(
        g, kernel_size, dilation, padding, stride
    ),
    label="Col2ImBackward", refuses={"col2im_out_cpu": _WHOLE}, **_HIDDEN,
    doc="The sum of blocks at their places in an image.",
)  # fmt: skip


def _pairs(function: str, **given: Any) -> list[Sizes]:
    """Two numbers for each parameter."""
    lists = []
    for position, (name, value) in enumerate(given.items(), 2):
        pair = value if isinstance(value, (tuple, list)) else (value, value)
        pair = accepted(function, name, position, "ints", pair)
        if len(pair) != 2:
            raise ShapeError(f"It is expected {name} equals to 2, but got size {len(pair)}")
        lists.append(pair)
    return lists


def _check_numbers(kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes) -> None:
    for title, name, values, least, words in (
        ("kernel size", "kernel", kernel, 1, "greater than zero"),
        ("stride", "stride", stride, 1, "greater than zero"),
        ("dilation", "dilation", dilation, 1, "greater than zero"),
        ("padding", "pad", padding, 0, "non-negative"),
    ):
        if min(values) < least:
            raise ShapeError(
                f"{title} should be {words}, but got {name}_height: {values[0]} {name}_width: {values[1]}"
            )


def _unfold(
    o: Any, input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    k, d, p, st = _pairs("im2col", kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)
    _check_numbers(k, d, p, st)
    shape = input._array.shape
    wrap_dim(2, input.ndim)
    if input.ndim not in (3, 4) or 0 in shape[input.ndim - 3 :]:
        raise ShapeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(shape)}"
        )
    sizes = shape[-2:]
    counts = _sliding().counts(sizes, k, st, p, d)
    if min(counts) < 1:
        raise ShapeError(
            f"Given input with spatial size {sizes}, kernel_size={k}, dilation={d}, padding={p}, "
            f"calculated shape of the array of sliding blocks as {tuple(max(c, 0) for c in counts)}, "
            "but its components must be at least one."
        )
    return o.im2col(input, k, d, p, st)


def _fold(
    o: Any, input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
    stride: Any = 1,
) -> Any:  # fmt: skip
    size, k, d, p, st = _pairs(
        "col2im", output_size=output_size, kernel_size=kernel_size, dilation=dilation,
        padding=padding, stride=stride,
    )  # fmt: skip
    _check_numbers(k, d, p, st)
    shape = input._array.shape
    if input.ndim not in (2, 3) or 0 in shape[-2:]:
        raise ShapeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero "
            f"dimensions for input, but got: {list(shape)}"
        )
    rows, blocks = shape[-2:]
    if rows % numel(k):
        raise ShapeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but "
            f"got input.size(1)={rows} and kernel_size={k}."
        )
    counts = _sliding().counts(size, k, st, p, d)
    if numel(counts) != blocks:
        raise ShapeError(
            f"Given output_size={size}, kernel_size={k}, dilation={d}, padding={p}, stride={st}, "
            "expected size of input's dimension 2 to match the calculated number of sliding blocks "
            f"{counts[0]} * {counts[1]} = {numel(counts)}, but got input.size(2)={blocks}."
        )
    return o.col2im(input, size, k, d, p, st)


_BLOCKS = {"output_size": "any", "kernel_size": "any", "dilation": "any", "padding": "any",
           "stride": "any"}  # fmt: skip
functional("unfold", _unfold, kinds=_BLOCKS, doc="Each block of an image as a column.")
functional("fold", _fold, kinds=_BLOCKS, doc="The sum of blocks at their places in an image.")
