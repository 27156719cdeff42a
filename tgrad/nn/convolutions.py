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
        output_padding: Size, dilation: Size, groups: int, bias: bool, padding_mode: str, device: Any,
        dtype: Any,
    ) -> None:  # fmt: skip
        """Set the options and make the parameters."""
        super().__init__()
        if groups <= 0:
            raise ArgumentValueError("groups must be a positive integer")
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ArgumentValueError(f"{name} must be divisible by groups")
        n = self.dims
        self._check_padding(padding, as_tuple(stride, n), padding_mode)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = as_tuple(kernel_size, n), as_tuple(stride, n)
        self.padding = padding if isinstance(padding, str) else as_tuple(padding, n)
        self.output_padding, self.dilation = as_tuple(output_padding, n), as_tuple(dilation, n)
        self.padding_mode = padding_mode
        first, second = (in_channels, out_channels) if self.turned else (out_channels, in_channels)
        self.weight = new_parameter((first, second // groups, *self.kernel_size), dtype, device)
        self.register_parameter("bias", None)
        if bias:
            self.bias = new_parameter((out_channels,), dtype, device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the starting values."""
        start_values(self.weight, self.bias)

    def _check_padding(self, padding: Any, stride: tuple[int, ...], mode: str) -> None:
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ArgumentValueError(
                    f"Invalid padding string {padding!r}, should be one of {{'valid', 'same'}}"
                )
            if padding == "same" and any(s != 1 for s in stride):
                raise ArgumentValueError("padding='same' is not supported for strided convolutions")
        if self.turned and mode != "zeros":
            raise ArgumentValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        if mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ArgumentValueError(
                "padding_mode must be one of {'zeros', 'reflect', 'replicate', 'circular'}, but got "
                f"padding_mode='{mode}'"
            )

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
            device,
            dtype,
        )

    def forward(self, input: Any) -> Any:
        """The convolution of the input with the weight."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            sides = self._sides()
            input, padding = F.pad(input, sides, self.padding_mode), 0
        return getattr(F, f"conv{self.dims}d")(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def _sides(self) -> list[int]:
        """What is added before and behind each dimension, the last one first."""
        if not isinstance(self.padding, str):
            return [p for p in reversed(self.padding) for _ in range(2)]
        if self.padding == "valid":
            return [0, 0] * self.dims
        totals = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        return [side for t in reversed(totals) for side in (t // 2, t - t // 2)]


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
            device,
            dtype,
        )

    def forward(self, input: Any, output_size: Any = None) -> Any:
        """The transposed convolution of the input with the weight; of a size that is possible."""
        more = self.output_padding
        if output_size is not None:
            more = self._padding_for(input, output_size)
        return getattr(F, f"conv_transpose{self.dims}d")(
            input, self.weight, self.bias, self.stride, self.padding, more, self.groups, self.dilation
        )

    def _padding_for(self, input: Any, wanted: Sequence[int]) -> tuple[int, ...]:
        n = self.dims
        others = input.ndim - n
        if len(wanted) == others + n:
            wanted = wanted[others:]
        if len(wanted) != n:
            raise ArgumentValueError(
                f"ConvTranspose{n}D: for {input.ndim}D input, output_size must have {n} or {input.ndim} "
                f"elements (got {len(wanted)})"
            )
        sizes = input.shape[others:]
        reach = [d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        around: Any = self.padding
        options = zip(sizes, self.stride, around, reach, strict=True)
        least = [(s - 1) * st - 2 * p + r for s, st, p, r in options]
        most = [low + st - 1 for low, st in zip(least, self.stride, strict=True)]
        if any(not a <= w <= b for a, w, b in zip(least, wanted, most, strict=True)):
            raise ArgumentValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to {most} "
                f"(for an input of {sizes})"
            )
        return tuple(w - low for w, low in zip(wanted, least, strict=True))


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
