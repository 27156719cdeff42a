"""Layers that bring their input to mean 0 and variance 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tgrad.core.dtype import int64
from tgrad.core.tensor import new_tensor
from tgrad.errors import ArgumentValueError
from tgrad.nn import functional as F  # noqa: N812
from tgrad.nn import init
from tgrad.nn.layers import filled
from tgrad.nn.module import Module
from tgrad.nn.parameter import Parameter, type_for


class LayerNorm(Module):
    """Mean 0 and variance 1 over the last dimensions, then weight and bias."""

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float = 1e-5,
        elementwise_affine: bool = True, bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        whole = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        self.normalized_shape = tuple(whole)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.register_parameter("weight", None)
        self.register_parameter("bias", None)
        if elementwise_affine:
            self.weight = Parameter(filled(self.normalized_shape, 1.0, dtype, device))
            if bias:
                self.bias = Parameter(filled(self.normalized_shape, 0.0, dtype, device))

    def forward(self, input: Any) -> Any:
        """The normalised input."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The options."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """The input divided by the root of its mean square over the last dimensions."""

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float | None = None,
        elementwise_affine: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        whole = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        self.normalized_shape = tuple(whole)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.register_parameter("weight", None)
        if elementwise_affine:
            self.weight = Parameter(filled(self.normalized_shape, 1.0, dtype, device))

    def forward(self, input: Any) -> Any:
        """The normalised input."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The options."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(Module):
    """Each element divided by a power of a mean square over neighbouring channels."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Any) -> Any:
        """The normalised input."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """The options."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class GroupNorm(Module):
    """Mean 0 and variance 1 over groups of channels, then weight and bias."""

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True,
        device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        if num_channels % num_groups:
            raise ArgumentValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        self.register_parameter("weight", None)
        self.register_parameter("bias", None)
        if affine:
            self.weight = Parameter(filled((num_channels,), 1.0, dtype, device))
            if bias:
                self.bias = Parameter(filled((num_channels,), 0.0, dtype, device))

    def forward(self, input: Any) -> Any:
        """The normalised input."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The options."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class _Running(Module):
    """Batch and instance normalisation: options, and running means."""

    _version = 2
    dims: ClassVar[tuple[int, ...]] = ()
    affine_default: ClassVar[bool] = True
    track_default: ClassVar[bool] = True

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool | None = None, track_running_stats: bool | None = None, device: Any = None,
        dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine = self.affine_default if affine is None else affine
        track = self.track_default if track_running_stats is None else track_running_stats
        self.track_running_stats = track
        self.register_parameter("weight", None)
        self.register_parameter("bias", None)
        self.make_parameters(bias, device, dtype)
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            self.register_buffer(name, None)
        if track:
            self.make_running(device, dtype)
            self.num_batches_tracked = _zero(device)

    def make_parameters(self, bias: bool, device: Any, dtype: Any) -> None:
        """Weight and bias, where they are wanted."""
        if self.affine:
            self.weight = Parameter(filled((self.num_features,), 1.0, dtype, device))
            if bias:
                self.bias = Parameter(filled((self.num_features,), 0.0, dtype, device))

    def make_running(self, device: Any, dtype: Any) -> None:
        """The running mean and variance."""
        self.running_mean = filled((self.num_features,), 0.0, dtype, device)
        self.running_var = filled((self.num_features,), 1.0, dtype, device)

    def reset_running_stats(self) -> None:
        """Forget what was seen of the input."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """The starting values."""
        self.reset_running_stats()
        if self.affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def _check_input_dim(self, input: Any) -> None:
        if input.ndim not in self.dims:
            wanted = " or ".join(f"{n}D" for n in self.dims)
            raise ArgumentValueError(f"expected {wanted} input (got {input.ndim}D input)")

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *rest: Any) -> None:
        # States from before version 2, and those that don't tell theirs, don't count batches.
        counter = f"{prefix}num_batches_tracked"
        version = local_metadata.get("version")
        old = version is None or version < 2
        if old and self.track_running_stats and counter not in state_dict:
            known = self.num_batches_tracked
            state_dict[counter] = _zero(None) if known is None else known
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def extra_repr(self) -> str:
        """The options."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


def _zero(device: Any) -> Any:
    type_ = type_for(int64, device)
    return new_tensor(type_.xp.zeros((), int64.numpy), type_)


class _BatchNorm(_Running):
    def forward(self, input: Any) -> Any:
        """The normalised input; while training the running means are updated."""
        self._check_input_dim(input)
        share = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                share = 1.0 / float(self.num_batches_tracked.item())
        own = self.training or (self.running_mean is None and self.running_var is None)
        keep = not self.training or self.track_running_stats
        return F.batch_norm(
            input, self.running_mean if keep else None, self.running_var if keep else None,
            self.weight, self.bias, own, share, self.eps,
        )  # fmt: skip


class BatchNorm1d(_BatchNorm):
    """Mean 0 and variance 1 of each channel over a batch of shape (N, C) or (N, C, L)."""

    dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Mean 0 and variance 1 of each channel over a batch of shape (N, C, H, W)."""

    dims = (4,)


class BatchNorm3d(_BatchNorm):
    """Mean 0 and variance 1 of each channel over a batch of shape (N, C, D, H, W)."""

    dims = (5,)


class _InstanceNorm(_Running):
    affine_default = False
    track_default = False

    def forward(self, input: Any) -> Any:
        """The normalised input."""
        self._check_input_dim(input)
        single = input.ndim == self.dims[0]
        result = F.instance_norm(
            input.unsqueeze(0) if single else input, self.running_mean, self.running_var,
            self.weight, self.bias, self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum, self.eps,
        )  # fmt: skip
        return result.squeeze(0) if single else result


class InstanceNorm1d(_InstanceNorm):
    """Mean 0 and variance 1 of each channel of each sample, (N, C, L) or (C, L)."""

    dims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Mean 0 and variance 1 of each channel of each sample, (N, C, H, W) or (C, H, W)."""

    dims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Mean 0 and variance 1 of each channel of each sample, (N, C, D, H, W) or without N."""

    dims = (4, 5)
