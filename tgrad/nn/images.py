"""Convolutions, pools and changes of size as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tgrad.errors import ArgumentValueError
from tgrad.nn import functional as F  # noqa: N812
from tgrad.nn.layers import new_parameter, start_values
from tgrad.nn.module import Module

Size = int | Sequence[int]


def _tuple(value: Size, n: int) -> tuple[int, ...]:
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
        self.kernel_size, self.stride = _tuple(kernel_size, n), _tuple(stride, n)
        self.padding = padding if isinstance(padding, str) else _tuple(padding, n)
        self.output_padding, self.dilation = _tuple(output_padding, n), _tuple(dilation, n)
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
            in_channels, out_channels, kernel_size, stride, padding, 0, dilation, groups, bias,
            padding_mode, dtype,
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
            in_channels, out_channels, kernel_size, stride, padding, output_padding, dilation,
            groups, bias, padding_mode, dtype,
        )

    def forward(self, input: Any) -> Any:
        """The transposed convolution of the input with the weight."""
        return getattr(F, f"conv_transpose{self.dims}d")(
            input, self.weight, self.bias, self.stride, self.padding, self.output_padding,
            self.groups, self.dilation,
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


class _MaxPool(Module):
    function: ClassVar[str] = ""

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
        dilation: Size = 1, return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size, self.padding, self.dilation = kernel_size, padding, dilation
        self.stride = kernel_size if stride is None else stride
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Any) -> Any:
        """The largest element of each window."""
        return getattr(F, self.function)(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )

    def extra_repr(self) -> str:
        """The windows."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest element of each window of (N, C, L)."""

    function = "max_pool1d"


class MaxPool2d(_MaxPool):
    """The largest element of each window of (N, C, H, W)."""

    function = "max_pool2d"


class MaxPool3d(_MaxPool):
    """The largest element of each window of (N, C, D, H, W)."""

    function = "max_pool3d"


class _AvgPool(Module):
    function: ClassVar[str] = ""

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Any) -> Any:
        """The mean of each window."""
        return getattr(F, self.function)(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )

    def extra_repr(self) -> str:
        """The windows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPool):
    """The mean of each window of (N, C, L)."""

    function = "avg_pool1d"

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        steps = kernel_size if stride is None else stride
        super().__init__(
            _tuple(kernel_size, 1), _tuple(steps, 1), _tuple(padding, 1), ceil_mode,
            count_include_pad,
        )


class AvgPool2d(_AvgPool):
    """The mean of each window of (N, C, H, W)."""

    function = "avg_pool2d"


class AvgPool3d(_AvgPool):
    """The mean of each window of (N, C, D, H, W)."""

    function = "avg_pool3d"


class _Adaptive(Module):
    function: ClassVar[str] = ""

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Any) -> Any:
        """A result of the given size."""
        return getattr(F, self.function)(input, self.output_size)

    def extra_repr(self) -> str:
        """The size."""
        return f"output_size={self.output_size}"


def _adaptive(name: str, function: str) -> type[_Adaptive]:
    return type(name, (_Adaptive,), {
        "function": function, "__module__": "torch.nn.modules.pooling",
        "__doc__": f"`torch.nn.functional.{function}` as a module.",
    })  # fmt: skip


AdaptiveAvgPool1d = _adaptive("AdaptiveAvgPool1d", "adaptive_avg_pool1d")
AdaptiveAvgPool2d = _adaptive("AdaptiveAvgPool2d", "adaptive_avg_pool2d")
AdaptiveAvgPool3d = _adaptive("AdaptiveAvgPool3d", "adaptive_avg_pool3d")
AdaptiveMaxPool1d = _adaptive("AdaptiveMaxPool1d", "adaptive_max_pool1d")
AdaptiveMaxPool2d = _adaptive("AdaptiveMaxPool2d", "adaptive_max_pool2d")


class Upsample(Module):
    """The input with other sizes."""

    def __init__(
        self, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
        align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if isinstance(scale_factor, (tuple, list)):
            scale_factor = tuple(float(factor) for factor in scale_factor)
        elif scale_factor is not None:
            scale_factor = float(scale_factor)
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def forward(self, input: Any) -> Any:
        """The input with other sizes."""
        return F.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners,
            recompute_scale_factor=self.recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        """The size or factor, and the mode."""
        if self.scale_factor is not None:
            return f"scale_factor={self.scale_factor}, mode={self.mode!r}"
        return f"size={self.size}, mode={self.mode!r}"


class PixelShuffle(Module):
    """Groups of channels as larger images."""

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Any) -> Any:
        """The larger images."""
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        """The factor."""
        return f"upscale_factor={self.upscale_factor}"
