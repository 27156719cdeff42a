"""Convolutions as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tgrad.errors import ArgumentValueError
from tgrad.nn import functional as F  # noqa: N812
from tgrad.nn.layers import new_parameter, start_values
from tgrad.nn.module import Module

Size = int | Sequence[int]


def as_tuple(value: Size, n: int) -> tuple[int, ...]:
    """A size for each of n dimensions."""
    return (value,) * n if isinstance(value, int) else tuple(value)


class _Convolution(Module):
    """What the convolutions have in common; subclasses say over how many dimensions."""

    dims: ClassVar[int] = 0
    turned: ClassVar[bool] = False

    def prepare(
        self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size, padding: Any,
        output_padding: Size, dilation: Size, groups: int, bias: bool, padding_mode: str, dtype: Any,
    ) -> None:  # fmt: skip
        """Set the options and make the parameters."""
        super().__init__()
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ArgumentValueError(f"{name} must be divisible by groups")
        n = self.dims
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = as_tuple(kernel_size, n), as_tuple(stride, n)
        self.padding = padding if isinstance(padding, str) else as_tuple(padding, n)
        self.output_padding, self.dilation = as_tuple(output_padding, n), as_tuple(dilation, n)
        self.padding_mode = padding_mode
        first, second = (in_channels, out_channels) if self.turned else (out_channels, in_channels)
        self.weight = new_parameter((first, second // groups, *self.kernel_size), dtype)
        self.register_parameter("bias", None)
        if bias:
            self.bias = new_parameter((out_channels,), dtype)
        start_values(self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes, and the options that aren't the usual ones."""
        zero, one = (0,) * self.dims, (1,) * self.dims
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        text += f", stride={self.stride}"
        if self.padding != zero:
            text += f", padding={self.padding}"
        if self.dilation != one:
            text += f", dilation={self.dilation}"
        if self.output_padding != zero:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Forward(_Convolution):
    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1,
        padding: Any = 0, dilation: Size = 1, groups: int = 1, bias: bool = True,
        padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        self.prepare(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            0,
            dilation,
            groups,
            bias,
            padding_mode,
            dtype,
        )

    def forward(self, input: Any) -> Any:
        """The convolution of the input with the weight."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            sides = [p for p in reversed(padding) for _ in range(2)]
            input, padding = F.pad(input, sides, self.padding_mode), 0
        return getattr(F, f"conv{self.dims}d")(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )


class _Transposed(_Convolution):
    turned = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1,
        padding: Size = 0, output_padding: Size = 0, groups: int = 1, bias: bool = True,
        dilation: Size = 1, padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        self.prepare(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            output_padding,
            dilation,
            groups,
            bias,
            padding_mode,
            dtype,
        )

    def forward(self, input: Any) -> Any:
        """The transposed convolution of the input with the weight."""
        return getattr(F, f"conv_transpose{self.dims}d")(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.output_padding,
            self.groups,
            self.dilation,
        )


class Conv1d(_Forward):
    """A convolution over (N, C, L)."""

    dims = 1


class Conv2d(_Forward):
    """A convolution over (N, C, H, W)."""

    dims = 2


class Conv3d(_Forward):
    """A convolution over (N, C, D, H, W)."""

    dims = 3


class ConvTranspose1d(_Transposed):
    """A transposed convolution over (N, C, L)."""

    dims = 1


class ConvTranspose2d(_Transposed):
    """A transposed convolution over (N, C, H, W)."""

    dims = 2


class ConvTranspose3d(_Transposed):
    """A transposed convolution over (N, C, D, H, W)."""

    dims = 3
