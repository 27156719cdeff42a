"""What convolutions refuse: PyTorch's sentences, in the order in which it looks at the arguments."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import DeviceError, DTypeError, ShapeError, UnsupportedDTypeError

Sizes = tuple[int, ...]


def check_rank(input: Tensor, n: int, name: str) -> None:
    """An input has a batch or not; nothing else."""
    if input.ndim not in (n + 1, n + 2):
        raise ShapeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input "
            f"of size: {list(input._array.shape)}"
        )


def check_weight(weight: Tensor, groups: int) -> None:
    """A weight has outputs, inputs and a kernel."""
    if weight.ndim < 3:
        raise ShapeError("weight should have at least three dimensions")
    if groups <= 0:
        raise ShapeError("non-positive groups is not supported")


def check_same(input: Tensor, weight: Tensor, stride: Sizes, dilation: Sizes) -> None:
    """What padding="same" needs."""
    _check_dimensions(input, weight, "")
    n = weight.ndim - 2
    for name, values in (("stride", stride), ("dilation", dilation)):
        if len(values) not in (1, n):
            raise ShapeError(f"{name} cannot broadcast to {n} dimensions")
    if any(s != 1 for s in stride):
        raise ShapeError("padding='same' is not supported for strided convolutions")


def check_lists(n: int, **lists: Sizes) -> None:
    """A number for each dimension, or one for all."""
    for name, values in lists.items():
        if len(values) not in (1, n):
            raise ShapeError(
                f"expected {name} to be a single integer value or a list of {n} values to match the "
                f"convolution dimensions, but got {name}={list(values)}"
            )


def check_numbers(stride: Sizes, padding: Sizes, dilation: Sizes, output_padding: Sizes) -> None:
    """The signs."""
    if min(padding) < 0:
        raise ShapeError("negative padding is not supported")
    if min(output_padding) < 0:
        raise ShapeError("negative output_padding is not supported")
    if min(stride) <= 0:
        raise ShapeError("non-positive stride is not supported")
    if min(dilation) < 0:
        raise ShapeError("dilation should be greater than zero")


def _check_dimensions(input: Tensor, weight: Tensor, gap: str) -> None:
    if input.ndim != weight.ndim:
        raise ShapeError(
            f"Expected {weight.ndim}-dimensional input for {weight.ndim}-dimensional weight{gap}"
            f"{list(weight._array.shape)}, but got {input.ndim}-dimensional input of size "
            f"{list(input._array.shape)} instead"
        )


def check_shapes(input: Tensor, weight: Tensor, bias: Any, groups: int, transposed: bool) -> None:
    """Channels and groups."""
    _check_dimensions(input, weight, " ")
    a, w = input._array.shape, weight._array.shape
    if w[0] < groups:
        raise ShapeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but "
            f"got weight of size {list(w)} instead"
        )
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


def check_fits(shape: Sizes, kernel: Sizes, padding: Sizes, dilation: Sizes) -> None:
    """The kernel isn't larger than the input."""
    inside = [s + 2 * p for s, p in zip(shape, padding, strict=True)]
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    if any(i < r for i, r in zip(inside, reach, strict=True)):
        raise ShapeError(
            f"Calculated padded input size per channel: ({_crossed(inside)}). Kernel size: "
            f"({_crossed(reach)}). Kernel size can't be greater than actual input size"
        )


def check_empty(input: Tensor) -> None:
    """Only the batch and the channels may be empty."""
    shape = input._array.shape
    if 0 in shape[2:] and shape[0] and shape[1]:
        raise ShapeError(
            f"Only zero batch or zero channel inputs are supported, but got input shape: {list(shape)}"
        )


def check_kernel(kernel: Sizes, stride: Sizes, dilation: Sizes, transposed: bool) -> None:
    """Zeros, which only the kernels themselves look at."""
    if 0 in kernel:
        sizes = _crossed(kernel)
        raise ShapeError(
            "kernel size should be greater than zero, but got"
            + (f": {sizes} (TxHxW)" if len(kernel) == 3 else f" {_named('kernel', _plane(kernel, 1))}")
        )
    if 0 in dilation:
        values = _plane(dilation, 1)
        found = _named("dilation", values, ", ") if transposed else str(list(values))
        raise ShapeError(f"dilation should be greater than zero, but got {found}")


def check_output_padding(more: Sizes, stride: Sizes, dilation: Sizes) -> None:
    """A transposed convolution's result has one shape for each output_padding."""
    if any(m >= s and m >= d for m, s, d in zip(more, stride, dilation, strict=True)):
        raise ShapeError(
            "output padding must be smaller than either stride or dilation, but got "
            + " ".join((
                _named("output_padding", _plane(more, 0)), _named("stride", _plane(stride, 1)),
                _named("dilation", _plane(dilation, 1)),
            ))
        )  # fmt: skip


def check_result(shape: Sizes, sizes: Sizes) -> None:
    """A transposed convolution's result has elements."""
    if min(sizes) < 1:
        raise ShapeError(
            f"Given input size per channel: ({_crossed(_plane(shape, 1))}). Calculated output size per "
            f"channel: ({_crossed(_plane(sizes, 1))}). Output size is too small"
        )


def check_types(input: Tensor, weight: Tensor, bias: Any, transposed: bool) -> None:
    """One dtype for all, and not bool."""
    dtype = input._type.dtype
    if weight._type.device != input._type.device:
        dense = " or input should be a MKLDNN tensor and weight is a dense tensor" if input.is_cpu else ""
        raise DeviceError(
            f"Input type ({input._type.name}) and weight type ({weight._type.name}) should be the same{dense}"
        )
    if weight._type is not input._type:
        raise DTypeError(f"expected scalar type {dtype.title} but found {weight._type.dtype.title}")
    if bias is not None and bias._type.device != input._type.device:
        raise DeviceError(
            f"Input type ({input._type.name}) and bias type ({bias._type.name}) should be the same"
        )
    if bias is not None and bias._type is not input._type:
        raise DTypeError(
            f"Input type ({dtype.c_name}) and bias type ({bias._type.dtype.c_name}) should be the same"
        )
    if dtype is dtypes.bool_:
        n = max(weight.ndim - 2, 2)
        if transposed:
            kernel = f"slow_conv_transpose{n}d_out_cpu"
        else:
            kernel = "slow_conv2d_cpu" if n == 2 else "compute_columns3d"
        raise UnsupportedDTypeError(f"\"{kernel}\" not implemented for 'Bool'")


def check_complex(input: Tensor, weight: Tensor, bias: Any) -> None:
    """One dtype for all, where the input is complex."""
    for name, other in (("weight", weight), ("bias", bias)):
        if other is not None and other._type is not input._type:
            raise DTypeError(
                f"Input type (CPU{input._type.dtype.title}Type) and {name} type "
                f"(torch.{other._type.dtype.title}Tensor) should be the same"
            )


def _crossed(values: Any) -> str:
    return " x ".join(map(str, values))


def _plane(values: Sizes, one: int) -> Sizes:
    """The numbers of a plane, which a line is taken for."""
    return (one, *values) if len(values) == 1 else tuple(values)


def _named(name: str, values: Sizes, gap: str = " ") -> str:
    sides = ("depth", "height", "width")[-len(values) :]
    return gap.join(f"{name}_{side}: {value}" for side, value in zip(sides, values, strict=True))
