"""What pools refuse: PyTorch's sentences, in the order in which it looks at the arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tgrad.core.tensor import Tensor
from tgrad.errors import ShapeError

Sizes = tuple[int, ...]

_WORDS: Final = {2: "two", 3: "three"}


def check_lengths(name: str, n: int, kernel: Sizes, stride: Sizes, padding: Sizes) -> None:
    """A number for each dimension, or one for all; no stride at all is one, too."""
    either = "" if name == "avg_pool3d" else "either "
    ints = f"a tuple of {_WORDS[n]} ints"
    for argument, values, omitted in (
        ("kernel_size", kernel, ""), ("stride", stride, "omitted, "), ("padding", padding, ""),
    ):  # fmt: skip
        if len(values) not in ((1, n, 0) if omitted else (1, n)):
            raise ShapeError(f"{name}: {argument} must {either}be {omitted}a single int, or {ints}")


def check_dilation(name: str, n: int, dilation: Sizes) -> None:
    """The same for the dilation, in other words."""
    if len(dilation) not in (1, n):
        raise ShapeError(f"{name}: dilation must be either a single int, or a tuple of {_WORDS[n]} ints")


def check_line(input: Tensor, name: str, **lists: Sizes) -> None:
    """What pools over one dimension need before they are seen as pools over two."""
    if input.ndim not in (2, 3):
        raise ShapeError(
            f"Expected 2 to 3 dimensions, but got {input.ndim}-dimensional tensor for argument #1 "
            f"'self' (while checking arguments for {name})"
        )
    for argument, values in lists.items():
        if len(values) != 1:
            raise ShapeError(f"{name}() argument '{argument}' should contain one int (got {len(values)})")


def check_rank(input: Tensor, n: int) -> None:
    """An input has a batch or not."""
    if input.ndim not in (n + 1, n + 2):
        raise ShapeError(f"non-empty {n + 1}D or {n + 2}D (batch mode) tensor expected for input")


def check_places(kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes) -> None:
    """What is needed to count the windows."""
    for k, s, p, d in zip(kernel, stride, padding, dilation, strict=True):
        if s == 0:
            raise ShapeError("stride should not be zero")
        if p < 0:
            raise ShapeError(f"pad must be non-negative, but got pad: {p}")
        if p > (d * (k - 1) + 1) // 2:
            raise ShapeError(
                "pad should be at most half of effective kernel size, but got "
                f"pad={p}, kernel_size={k} and dilation={d}"
            )


def check_windows(
    input: Tensor, kernel: Sizes, stride: Sizes, dilation: Sizes, counts: Sizes, name: str,
    fits: bool = False,
) -> None:  # fmt: skip
    """The signs, the sizes and the number of windows."""
    n = len(kernel)
    sides = "THW"[-n:]
    for what, values, letters in (
        ("kernel size", kernel, "k"), ("stride", stride, "d"), ("dilation", dilation, "dilation"),
    ):  # fmt: skip
        if min(values) <= 0:
            raise ShapeError(f"{what} should be greater than zero, but got {_listed(letters, sides, values)}")
    _check_filled(input, n, name)
    shape = input._array.shape
    sizes = shape[-n:]
    if fits and any(s < k for s, k in zip(sizes, kernel, strict=True)):
        raise ShapeError(
            f"input image ({_listed('', sides, sizes)}) smaller than kernel size "
            f"({_listed('k', sides, kernel)})"
        )
    if min(counts) < 1:
        inside = "x".join(map(str, (shape[-n - 1], *sizes)))
        outside = "x".join(map(str, (shape[-n - 1], *counts)))
        raise ShapeError(
            f"Given input size: ({inside}). Calculated output size: ({outside}). Output size is too small"
        )


def _listed(letters: str, sides: str, values: Sequence[int]) -> str:
    return " ".join(f"{letters}{side}: {v}" for side, v in zip(sides, values, strict=True))


def _check_filled(input: Tensor, n: int, name: str) -> None:
    """Only the batch may be empty."""
    shape = input._array.shape
    if n == 2:
        if len(shape) not in (3, 4) or 0 in shape[1:] or (len(shape) == 3 and not shape[0]):
            raise ShapeError(
                "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but "
                f"got:{list(shape)}"
            )
        return
    if 0 in shape[len(shape) - n - 1 :]:
        raise ShapeError(
            f"{name}: Expected input's non-batch dimensions to have positive length, but input has a "
            f"shape of {list(shape)} and non-batch dimension 0 has length zero!"
        )


def check_max_line(
    input: Tensor, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> tuple[int, int, int, int]:
    """What max_pool1d needs; the four numbers."""
    shape = input._array.shape
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise ShapeError(
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for "
            f"input, but got:{list(shape)}"
        )
    for name, values, kinds in (
        ("kernel_size", kernel, "an int, list of ints or tuple of ints"),
        ("stride", stride, "None, an int, list of ints, or tuple of ints"),
        ("padding", padding, "an int, list of ints, or tuple of ints"),
        ("dilation", dilation, "an int, list of ints or tuple of ints"),
    ):
        if len(values) != 1 and (values or name != "stride"):
            raise ShapeError(f"max_pool1d() {name} must be {kinds} of size 1 but got size {len(values)}")
    k, s, p, d = kernel[0], (stride or kernel)[0], padding[0], dilation[0]
    for name, value in (("kernel_size", k), ("stride", s)):
        if value <= 0:
            raise ShapeError(f"max_pool1d() {name} must be greater than zero, but got {value}")
    if p < 0:
        raise ShapeError(f"max_pool1d() padding must be non-negative, but got {p}")
    if p > k // 2:
        raise ShapeError(
            "max_pool1d() padding should be at most half of kernel size, but got "
            f"padding={p} and kernel_size={k}"
        )
    if d <= 0:
        raise ShapeError(f"max_pool1d() dilation must be greater than zero, but got {d}")
    return k, s, p, d


def check_count(count: int) -> None:
    """max_pool1d has a window."""
    if count <= 0:
        raise ShapeError(f"max_pool1d() Invalid computed output size: {count}")


def check_divisor(divisor: Any) -> None:
    """A mean isn't divided by 0."""
    if divisor == 0 and divisor is not None:
        raise ShapeError("divisor must be not zero")


def check_parts(input: Tensor, n: int, name: str, first: int, colon: str) -> None:
    """What adaptive pools over n dimensions need; `first` is the first that must have elements."""
    shape = input._array.shape
    if not colon or len(shape) in (n + 1, n + 2):
        for dim in range(first % len(shape), len(shape)):
            if not shape[dim]:
                raise ShapeError(
                    f"{name}(): Expected input to have non-zero size for non-batch dimensions, but "
                    f"input has sizes {list(shape)} with dimension {dim} being empty"
                )
    if len(shape) not in (n + 1, n + 2):
        raise ShapeError(f"{name}(): Expected {n + 1}D or {n + 2}D tensor, but got{colon} {list(shape)}")
