"""Starting values of parameters: `torch.nn.init`.

K. He et al., Delving Deep into Rectifiers, 2015 (kaiming); X. Glorot, Y. Bengio, Understanding the
difficulty of training deep feedforward neural networks, 2010 (xavier).
"""

from __future__ import annotations

import math
from typing import Any

from tgrad.core.modes import no_grad
from tgrad.errors import ArgumentValueError


def _fans(tensor: Any) -> tuple[int, int]:
    """How many numbers each result of a layer depends on, and how many depend on each number."""
    shape = tensor.shape
    if len(shape) < 2:
        raise ArgumentValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        )
    field = 1
    for size in shape[2:]:
        field *= size
    return shape[1] * field, shape[0] * field


def _fan(tensor: Any, mode: str) -> int:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    return _fans(tensor)[mode == "fan_out"]


def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """The factor that keeps the variance of a layer's results behind an activation function."""
    if nonlinearity in ("sigmoid", "linear") or nonlinearity.startswith("conv"):
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ArgumentValueError(f"Unsupported nonlinearity {nonlinearity}")


def uniform_(tensor: Any, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Any:
    """Numbers from [a, b), equally likely."""
    with no_grad():
        return tensor.uniform_(a, b)


def normal_(tensor: Any, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Any:
    """Normally distributed numbers."""
    with no_grad():
        return tensor.normal_(mean, std)


def constant_(tensor: Any, val: float) -> Any:
    """One number everywhere."""
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Any) -> Any:
    """Ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Any) -> Any:
    """Zeros."""
    return constant_(tensor, 0.0)


def eye_(tensor: Any) -> Any:
    """Ones on the diagonal, zeros elsewhere."""
    if tensor.ndim != 2:
        raise ArgumentValueError("Only tensors with 2 dimensions are supported")
    with no_grad():
        tensor.zero_()
        tensor.diagonal().fill_(1.0)
        return tensor


def xavier_uniform_(tensor: Any, gain: float = 1.0, generator: Any = None) -> Any:
    """Equally likely numbers whose variance is gain^2 * 2 / (inputs + outputs)."""
    inputs, outputs = _fans(tensor)
    bound = math.sqrt(3.0) * (gain * math.sqrt(2.0 / float(inputs + outputs)))
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: Any, gain: float = 1.0, generator: Any = None) -> Any:
    """Normal numbers whose variance is gain^2 * 2 / (inputs + outputs)."""
    inputs, outputs = _fans(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(inputs + outputs)))


def kaiming_uniform_(
    tensor: Any, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Any:  # fmt: skip
    """Equally likely numbers whose variance is gain^2 / inputs (or outputs)."""
    std = calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode))
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(
    tensor: Any, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Any:  # fmt: skip
    """Normal numbers whose variance is gain^2 / inputs (or outputs)."""
    std = calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode))
    return normal_(tensor, 0, std)


def trunc_normal_(
    tensor: Any, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: Any = None,
) -> Any:  # fmt: skip
    """Normal numbers between a and b; those beyond are drawn again."""
    with no_grad():
        tensor.normal_(mean, std)
        while True:
            beyond = (tensor._array < a) | (tensor._array > b)
            if not beyond.any():
                return tensor
            again = tensor.new_empty(tensor.shape).normal_(mean, std)
            tensor._array[beyond] = again._array[beyond]


def orthogonal_(tensor: Any, gain: float = 1, generator: Any = None) -> Any:
    """An orthogonal matrix, from the QR decomposition of normal numbers."""
    from tgrad.core.engine import Spaces

    if tensor.ndim < 2:
        raise ArgumentValueError("Only tensors with 2 or more dimensions are supported")
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    with no_grad():
        flat = tensor.new_empty((rows, columns)).normal_(0, 1)
        if rows < columns:
            flat = flat.t()
        q, r = Spaces.recorded.linalg_qr(flat)
        q = q * r.diagonal().sign()
        tensor.copy_((q.t() if rows < columns else q).reshape(tensor.shape))
        tensor.mul_(gain)
    return tensor


def dirac_(tensor: Any, groups: int = 1) -> Any:
    """Ones at the middle of each channel's own window: a convolution that changes nothing."""
    if tensor.ndim not in (3, 4, 5):
        raise ArgumentValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups:
        raise ArgumentValueError("dim 0 must be divisible by groups")
    size = tensor.shape[0] // groups
    middle = tuple(n // 2 for n in tensor.shape[2:])
    with no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(size, tensor.shape[1])):
                tensor[(group * size + channel, channel, *middle)] = 1
    return tensor


def sparse_(tensor: Any, sparsity: float, std: float = 0.01, generator: Any = None) -> Any:
    """Normal numbers, with a share of zeros in each column."""
    from tgrad.ops.install import modules

    if tensor.ndim != 2:
        raise ArgumentValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    randperm = modules()["torch"]["randperm"]
    with no_grad():
        tensor.normal_(0, std)
        for column in range(columns):
            tensor[randperm(rows)[:zeros], column] = 0
    return tensor
