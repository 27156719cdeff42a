"""`torch.signal.windows`: window functions of signal processing, loaded when one is first used.

Each is a function of evenly spaced numbers, so that its numbers are PyTorch's to the last bit.  A
symmetric window of M samples spans M - 1 steps, a periodic one (`sym=False`) spans M.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.dtype import DType
from tgrad.core.engine import Spaces
from tgrad.core.tensor import Layout, strided
from tgrad.errors import ArgumentError, ArgumentValueError
from tgrad.ops import factory


class _Options:
    """The options that all windows take, checked."""

    def __init__(
        self, name: str, M: int, dtype: DType | None, layout: Layout, device: Any, requires_grad: bool
    ) -> None:
        self.dtype = dtypes.default.dtype if dtype is None else dtype
        self.device = factory.option("linspace", "device", "device", device)
        self.requires_grad = requires_grad
        if M < 0:
            raise ArgumentValueError(f"{name} requires non-negative window length, got M={M}")
        if layout is not strided:
            raise ArgumentValueError(f"{name} is implemented for strided tensors only, got: {layout}")
        if self.dtype not in (dtypes.float32, dtypes.float64):
            raise ArgumentValueError(f"{name} expects float32 or float64 dtypes, got: {self.dtype}")

    @property
    def factory(self) -> dict[str, Any]:
        """The options as keywords of the functions that make tensors."""
        return {"dtype": self.dtype, "device": self.device, "requires_grad": self.requires_grad}

    def short(self, M: int) -> Any:
        """A window of no sample or of one."""
        o = Spaces.recorded
        return o.empty((0,), **self.factory) if M == 0 else o.ones((1,), **self.factory)

    def spaced(self, start: Any, end: Any, M: int) -> Any:
        """M numbers from start to end."""
        return Spaces.recorded.linspace(start, end, M, **self.factory)


def _steps(M: int, sym: bool, shortest: int) -> int:
    """How many steps a window spans; one of `shortest` samples is symmetric in any case."""
    return M if not sym and shortest < M else M - 1


def exponential(
    M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True,
    dtype: DType | None = None, layout: Layout = strided, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """exp(-abs(n - center) / tau)."""
    options = _Options("exponential", M, dtype, layout, device, requires_grad)
    if tau <= 0:
        raise ArgumentValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ArgumentValueError("Center must be None for symmetric windows")
    if M == 0:
        return options.short(M)
    middle = _steps(M, sym, 1) / 2.0 if center is None else center
    constant = 1 / tau
    o = Spaces.recorded
    k = options.spaced(-middle * constant, (-middle + (M - 1)) * constant, M)
    return o.exp(-o.abs(k))


def cosine(
    M: int, *, sym: bool = True, dtype: DType | None = None, layout: Layout = strided,
    device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """sin(pi (n + 1/2) / M)."""
    options = _Options("cosine", M, dtype, layout, device, requires_grad)
    if M == 0:
        return options.short(M)
    constant = math.pi / (_steps(M, sym, 1) + 1)
    return Spaces.recorded.sin(options.spaced(0.5 * constant, (0.5 + (M - 1)) * constant, M))


def gaussian(
    M: int, *, std: float = 1.0, sym: bool = True, dtype: DType | None = None,
    layout: Layout = strided, device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """exp(-n**2 / (2 std**2)), n counted from the middle."""
    options = _Options("gaussian", M, dtype, layout, device, requires_grad)
    if std <= 0:
        raise ArgumentValueError(f"Standard deviation must be positive, got: {std} instead.")
    if M == 0:
        return options.short(M)
    start = -_steps(M, sym, 1) / 2.0
    constant = 1 / (std * math.sqrt(2))
    o = Spaces.recorded
    k = options.spaced(start * constant, (start + (M - 1)) * constant, M)
    return o.exp(-o.pow_Tensor_Scalar(k, 2))


def kaiser(
    M: int, *, beta: float = 12.0, sym: bool = True, dtype: DType | None = None,
    layout: Layout = strided, device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """i0(beta sqrt(1 - t**2)) / i0(beta), t from -1 to 1."""
    options = _Options("kaiser", M, dtype, layout, device, requires_grad)
    if beta < 0:
        raise ArgumentValueError(f"beta must be non-negative, got: {beta} instead.")
    if M < 2:
        return options.short(M)
    o = Spaces.recorded
    top = factory.tensor(beta, dtype=options.dtype, device=device)
    step = 2.0 * top / _steps(M, sym, 0)
    k = options.spaced((-top).item(), o.minimum(top, -top + (M - 1) * step).item(), M)
    return o.i0(o.sqrt(top * top - o.pow_Tensor_Scalar(k, 2))) / o.i0(top)


def bartlett(
    M: int, *, sym: bool = True, dtype: DType | None = None, layout: Layout = strided,
    device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """1 - abs(t), t from -1 to 1: a triangle."""
    options = _Options("bartlett", M, dtype, layout, device, requires_grad)
    if M < 2:
        return options.short(M)
    constant = 2 / _steps(M, sym, 0)
    o = Spaces.recorded
    return 1 - o.abs(options.spaced(-1, -1 + (M - 1) * constant, M))


def general_cosine(
    M: int, *, a: Sequence[float], sym: bool = True, dtype: DType | None = None,
    layout: Layout = strided, device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """The sum of (-1)**i a[i] cos(2 pi i n / N)."""
    options = _Options("general_cosine", M, dtype, layout, device, requires_grad)
    if M < 2:
        return options.short(M)
    if not isinstance(a, (list, tuple)):
        raise ArgumentError("Coefficients must be a list/tuple")
    if not a:
        raise ArgumentValueError("Coefficients cannot be empty")
    o = Spaces.recorded
    k = options.spaced(0, (M - 1) * (2 * math.pi / _steps(M, sym, 0)), M)
    signed = factory.tensor([(-1) ** i * w for i, w in enumerate(a)], **options.factory)
    i = o.arange(len(a), **options.factory)
    waves = o.cos(o.unsqueeze(i, -1) * k)
    return o.sum_dim(o.unsqueeze(signed, -1) * waves, (0,), False)


def general_hamming(
    M: int, *, alpha: float = 0.54, sym: bool = True, dtype: DType | None = None,
    layout: Layout = strided, device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """alpha - (1 - alpha) cos(2 pi n / N)."""
    return _cosines(M, [alpha, 1.0 - alpha], sym, dtype, layout, device, requires_grad)


def hamming(
    M: int, *, sym: bool = True, dtype: DType | None = None, layout: Layout = strided,
    device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """Hamming's window: `general_hamming` with alpha = 0.54."""
    return _cosines(M, [0.54, 1.0 - 0.54], sym, dtype, layout, device, requires_grad)


def hann(
    M: int, *, sym: bool = True, dtype: DType | None = None, layout: Layout = strided,
    device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """Hann's window: `general_hamming` with alpha = 0.5."""
    return _cosines(M, [0.5, 0.5], sym, dtype, layout, device, requires_grad)


def blackman(
    M: int, *, sym: bool = True, dtype: DType | None = None, layout: Layout = strided,
    device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """Blackman's window: `general_cosine` with three coefficients."""
    _Options("blackman", M, dtype, layout, None, False)
    return _cosines(M, [0.42, 0.5, 0.08], sym, dtype, layout, device, requires_grad)


def nuttall(
    M: int, *, sym: bool = True, dtype: DType | None = None, layout: Layout = strided,
    device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """Nuttall's window: `general_cosine` with four coefficients, the least sidelobes."""
    coefficients = [0.3635819, 0.4891775, 0.1365995, 0.0106411]
    return _cosines(M, coefficients, sym, dtype, layout, device, requires_grad)


def _cosines(
    M: int, a: list[float], sym: bool, dtype: DType | None, layout: Layout, device: Any, requires_grad: bool
) -> Any:
    return general_cosine(
        M, a=a, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad
    )
