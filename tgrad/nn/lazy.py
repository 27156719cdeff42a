"""Layers that learn the sizes of their input from the first input that they get."""

from __future__ import annotations

from typing import Any, ClassVar

from tgrad.nn import convolutions, normalization
from tgrad.nn.layers import Linear, filled
from tgrad.nn.module import Module
from tgrad.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy


class Lazy(Module):
    """A layer that waits for its input: at the first call it becomes the layer that it stands for."""

    becomes: ClassVar[type[Module]]

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if hasattr(cls, "becomes"):
            cls.cls_to_become = cls.becomes  # type: ignore[attr-defined]

    def has_uninitialized_params(self) -> bool:
        """Whether the sizes aren't known yet."""
        values = [*self._parameters.values(), *self._buffers.values()]
        return any(is_lazy(value) for value in values)

    def initialize_parameters(self, input: Any) -> None:
        """Make the parameters for an input like this one, and draw their values."""
        raise NotImplementedError

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        self.initialize_parameters(*args, **keywords)
        self.__class__ = self.becomes  # type: ignore[assignment]
        return self(*args, **keywords)

    def reset_parameters(self) -> None:
        """Draw the starting values, once the sizes are known."""
        if not self.has_uninitialized_params():
            super().reset_parameters()  # type: ignore[misc]


class LazyLinear(Lazy, Linear):
    """A linear layer whose `in_features` is the last size of its first input."""

    becomes = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def initialize_parameters(self, input: Any) -> None:
        """Make the parameters for an input like this one, and draw their values."""
        if self.has_uninitialized_params():
            self.in_features = input.shape[-1]
            self.weight.materialize((self.out_features, self.in_features))
            if self.bias is not None:
                self.bias.materialize((self.out_features,))
            self.reset_parameters()


class _LazyConvolution(Lazy):
    dims: ClassVar[int]
    turned: ClassVar[bool]

    def __init__(self, out_channels: int, kernel_size: Any, *args: Any, **keywords: Any) -> None:
        # The bias is the layer's fifth (sixth, if transposed) option behind the sizes.
        at = 5
        given = list(args)
        bias = given[at] if len(given) > at else keywords.pop("bias", True)
        if len(given) > at:
            given[at] = False
        else:
            keywords["bias"] = False
        device, dtype = keywords.get("device"), keywords.get("dtype")
        super().__init__(0, 0, kernel_size, *given, **keywords)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_channels = out_channels
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def initialize_parameters(self, input: Any, *rest: Any) -> None:
        """Make the parameters for an input like this one, and draw their values."""
        if not self.has_uninitialized_params():
            return
        ranks = (self.dims + 1, self.dims + 2)
        if input.ndim not in ranks:
            raise RuntimeError(
                f"Expected {ranks[0]}D (unbatched) or {ranks[1]}D (batched) input to "
                f"{type(self).__name__}, but got input of size: {input.shape}"
            )
        self.in_channels = input.shape[1 if input.ndim == ranks[1] else 0]
        if self.in_channels % self.groups:
            raise ValueError("in_channels must be divisible by groups")
        first, second = self.out_channels, self.in_channels
        if self.turned:
            first, second = second, first
        self.weight.materialize((first, second // self.groups, *self.kernel_size))
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()


def _convolution(name: str) -> type[_LazyConvolution]:
    base = getattr(convolutions, name.removeprefix("Lazy"))
    return type(name, (_LazyConvolution, base), {
        "becomes": base, "__doc__": f"{base.__name__} whose `in_channels` its first input tells.",
    })  # fmt: skip


LazyConv1d = _convolution("LazyConv1d")
LazyConv2d = _convolution("LazyConv2d")
LazyConv3d = _convolution("LazyConv3d")
LazyConvTranspose1d = _convolution("LazyConvTranspose1d")
LazyConvTranspose2d = _convolution("LazyConvTranspose2d")
LazyConvTranspose3d = _convolution("LazyConvTranspose3d")


class _LazyNorm(Lazy):
    affine_default: ClassVar[bool]
    track_default: ClassVar[bool]

    def __init__(
        self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool | None = None,
        track_running_stats: bool | None = None, device: Any = None, dtype: Any = None, *,
        bias: bool = True,
    ) -> None:  # fmt: skip
        affine = self.affine_default if affine is None else affine
        track = self.track_default if track_running_stats is None else track_running_stats
        super().__init__(0, eps, momentum, False, False)
        self.affine, self.track_running_stats = affine, track
        if affine:
            self.weight = UninitializedParameter(device=device, dtype=dtype)
            if bias:
                self.bias = UninitializedParameter(device=device, dtype=dtype)
        if track:
            for name in ("running_mean", "running_var"):
                setattr(self, name, UninitializedBuffer(device=device, dtype=dtype))
            self.num_batches_tracked = filled((), 0, device=device).long()

    def initialize_parameters(self, input: Any) -> None:
        """Make the parameters for an input like this one."""
        if not self.has_uninitialized_params():
            return
        self.num_features = input.shape[1]
        waiting = (self.weight, self.bias, self.running_mean, self.running_var)
        for value in waiting:
            if value is not None and is_lazy(value):
                value.materialize((self.num_features,))
        self.reset_parameters()


def _norm(name: str) -> type[_LazyNorm]:
    base = getattr(normalization, name.removeprefix("Lazy"))
    return type(name, (_LazyNorm, base), {
        "becomes": base, "__doc__": f"{base.__name__} whose `num_features` its first input tells.",
    })  # fmt: skip


LazyBatchNorm1d = _norm("LazyBatchNorm1d")
LazyBatchNorm2d = _norm("LazyBatchNorm2d")
LazyBatchNorm3d = _norm("LazyBatchNorm3d")
LazyInstanceNorm1d = _norm("LazyInstanceNorm1d")
LazyInstanceNorm2d = _norm("LazyInstanceNorm2d")
LazyInstanceNorm3d = _norm("LazyInstanceNorm3d")
