"""Pools as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tgrad.errors import ArgumentValueError
from tgrad.nn import functional as F  # noqa: N812
from tgrad.nn.convolutions import as_tuple
from tgrad.nn.module import Module

Size = int | Sequence[int]


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
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
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
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
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
            as_tuple(kernel_size, 1),
            as_tuple(steps, 1),
            as_tuple(padding, 1),
            ceil_mode,
            count_include_pad,
        )

    def forward(self, input: Any) -> Any:
        """The mean of each window."""
        return F.avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
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


class _AdaptiveMax(_Adaptive):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Any) -> Any:
        """A result of the given size."""
        return getattr(F, self.function)(input, self.output_size, self.return_indices)


def _adaptive(name: str, function: str, base: type[_Adaptive] = _Adaptive) -> type[_Adaptive]:
    return type(name, (base,), {
        "function": function, "__module__": "torch.nn.modules.pooling",
        "__doc__": f"`torch.nn.functional.{function}` as a module.",
    })  # fmt: skip


AdaptiveAvgPool1d = _adaptive("AdaptiveAvgPool1d", "adaptive_avg_pool1d")
AdaptiveAvgPool2d = _adaptive("AdaptiveAvgPool2d", "adaptive_avg_pool2d")
AdaptiveAvgPool3d = _adaptive("AdaptiveAvgPool3d", "adaptive_avg_pool3d")
AdaptiveMaxPool1d = _adaptive("AdaptiveMaxPool1d", "adaptive_max_pool1d", _AdaptiveMax)
AdaptiveMaxPool2d = _adaptive("AdaptiveMaxPool2d", "adaptive_max_pool2d", _AdaptiveMax)
AdaptiveMaxPool3d = _adaptive("AdaptiveMaxPool3d", "adaptive_max_pool3d", _AdaptiveMax)


class _FractionalMaxPool(Module):
    dims: ClassVar[int] = 0

    def __init__(
        self, kernel_size: Size, output_size: Any = None, output_ratio: Any = None,
        return_indices: bool = False, _random_samples: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        n, name = self.dims, type(self).__name__
        self.kernel_size, self.return_indices = as_tuple(kernel_size, n), return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else as_tuple(output_size, n)
        ratio = (output_ratio,) * n if isinstance(output_ratio, float) else output_ratio
        self.output_ratio = ratio
        if output_size is None and output_ratio is None:
            raise ArgumentValueError(f"{name} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ArgumentValueError("only one of output_size and output_ratio may be specified")
        if ratio is not None and not all(0 < r < 1 for r in ratio):
            raise ArgumentValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input: Any) -> Any:
        """The largest element of windows that begin at random places."""
        return getattr(F, f"fractional_max_pool{self.dims}d")(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,
        )


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest element of windows of (N, C, H, W) that begin at random places."""

    dims = 2


class FractionalMaxPool3d(_FractionalMaxPool):
    """The largest element of windows of (N, C, D, H, W) that begin at random places."""

    dims = 3


class _LPPool(Module):
    function: ClassVar[str] = ""

    def __init__(
        self, norm_type: float, kernel_size: Size, stride: Size | None = None,
        ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.norm_type, self.kernel_size = norm_type, kernel_size
        self.stride, self.ceil_mode = stride, ceil_mode

    def forward(self, input: Any) -> Any:
        """The norm of each window."""
        return getattr(F, self.function)(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )

    def extra_repr(self) -> str:
        """The norm and the windows."""
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    """The p-norm of each window of (N, C, L)."""

    function = "lp_pool1d"


class LPPool2d(_LPPool):
    """The p-norm of each window of (N, C, H, W)."""

    function = "lp_pool2d"


class LPPool3d(_LPPool):
    """The p-norm of each window of (N, C, D, H, W)."""

    function = "lp_pool3d"


class _MaxUnpool(Module):
    dims: ClassVar[int] = 0

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__()
        n = self.dims
        self.kernel_size = as_tuple(kernel_size, n)
        self.stride = self.kernel_size if stride is None else as_tuple(stride, n)
        self.padding = as_tuple(padding, n)

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        """The elements at their places in the larger result, zeros elsewhere."""
        return getattr(F, f"max_unpool{self.dims}d")(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )

    def extra_repr(self) -> str:
        """The windows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """Puts back what `MaxPool1d` with `return_indices=True` took."""

    dims = 1


class MaxUnpool2d(_MaxUnpool):
    """Puts back what `MaxPool2d` with `return_indices=True` took."""

    dims = 2


class MaxUnpool3d(_MaxUnpool):
    """Puts back what `MaxPool3d` with `return_indices=True` took."""

    dims = 3
