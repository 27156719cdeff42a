"""Rows: blocks of an image as columns, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tgrad.errors import ShapeError
from tgrad.ops.dimensions import numel
from tgrad.ops.nn_base import functional
from tgrad.ops.nn_convolution import Sizes, several
from tgrad.ops.table import operator

_HIDDEN: dict[str, Any] = {"function": False, "method": False, "out": False}


def _sliding() -> Any:
    from tgrad.backends import sliding

    return sliding


operator(
    "im2col",
    lambda xp, input, kernel_size, dilation, padding, stride: _sliding().columns(
        input, kernel_size, stride, padding, dilation,
        _counts(input.shape[2:], kernel_size, dilation, padding, stride),
    ),
    input=lambda o, g, input_shape, kernel_size, dilation, padding, stride: o.col2im(
        g, input_shape[2:], kernel_size, dilation, padding, stride
    ),
    label="Im2ColBackward", **_HIDDEN, doc="Each block of an image as a column.",
)  # fmt: skip
operator(
    "col2im",
    lambda xp, input, output_size, kernel_size, dilation, padding, stride: _sliding().scattered(
        input, output_size, kernel_size, stride, padding, dilation,
        _counts(output_size, kernel_size, dilation, padding, stride),
    ),
    input=lambda o, g, kernel_size, dilation, padding, stride: o.im2col(
        g, kernel_size, dilation, padding, stride
    ),
    label="Col2ImBackward", **_HIDDEN, doc="The sum of blocks at their places in an image.",
)  # fmt: skip


def _counts(
    sizes: Sequence[int], kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes
) -> list[int]:
    place = _sliding().positions
    return [
        place(s, k, st, p, d)
        for s, k, st, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True)
    ]


def _unfold(
    o: Any, input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    k, d, p, st = (several(v, 2) for v in (kernel_size, dilation, padding, stride))
    if input.ndim not in (3, 4):
        raise ShapeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(input._array.shape)}"
        )
    batched = input.ndim == 4
    if not batched:
        input = o.unsqueeze(input, 0)
    sizes = input._array.shape[2:]
    counts = _counts(sizes, k, d, p, st)
    if min(counts) < 1:
        raise ShapeError(
            f"Given input with spatial size {sizes}, kernel_size={k}, dilation={d}, padding={p}, "
            f"calculated shape of the array of sliding blocks as {tuple(max(c, 0) for c in counts)}, "
            "but its components must be at least one."
        )
    result = o.im2col(input, k, d, p, st)
    return result if batched else o.squeeze_dim(result, 0)


def _fold(
    o: Any, input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
    stride: Any = 1,
) -> Any:  # fmt: skip
    size, k, d, p, st = (
        several(v, 2) for v in (output_size, kernel_size, dilation, padding, stride)
    )
    batched = input.ndim == 3
    if not batched:
        input = o.unsqueeze(input, 0)
    rows, blocks = input._array.shape[1:]
    if rows % numel(k):
        raise ShapeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but "
            f"got input.size(1)={rows} and kernel_size={k}."
        )
    counts = _counts(size, k, d, p, st)
    if numel(counts) != blocks:
        raise ShapeError(
            f"Given output_size={size}, kernel_size={k}, dilation={d}, padding={p}, stride={st}, "
            "expected size of input's dimension 2 to match the calculated number of sliding blocks "
            f"{counts[0]} * {counts[1]} = {numel(counts)}, but got input.size(2)={blocks}."
        )
    result = o.col2im(input, size, k, d, p, st)
    return result if batched else o.squeeze_dim(result, 0)


_BLOCKS = {"output_size": "any", "kernel_size": "any", "dilation": "any", "padding": "any",
           "stride": "any"}  # fmt: skip
functional("unfold", _unfold, kinds=_BLOCKS, doc="Each block of an image as a column.")
functional("fold", _fold, kinds=_BLOCKS, doc="The sum of blocks at their places in an image.")
