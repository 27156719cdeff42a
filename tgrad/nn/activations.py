"""Activation functions as modules."""

from __future__ import annotations

from typing import Any, ClassVar

from tgrad.errors import ArgumentValueError
from tgrad.nn import functional as F  # noqa: N812
from tgrad.nn.module import Module
from tgrad.nn.parameter import Parameter


class Activation(Module):
    """A function of `torch.nn.functional` with its options."""

    function: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}
    """The options with their defaults, in the order of the constructor's arguments."""
    hidden: ClassVar[frozenset[str]] = frozenset(("inplace",))
    """Options that the module's text shows only if they are true."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__()
        given = bind_options(type(self).__name__, self.options, args, keywords)
        for name, value in given.items():
            setattr(self, name, value)

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return getattr(F, self.function)(input, **{name: getattr(self, name) for name in self.options})

    def extra_repr(self) -> str:
        """The options."""
        shown = [
            (name, getattr(self, name)) for name in self.options
            if name not in self.hidden or getattr(self, name)
        ]  # fmt: skip
        return ", ".join(f"{name}={value!r}" for name, value in shown)


def bind_options(
    name: str, options: dict[str, Any], args: tuple[Any, ...], keywords: dict[str, Any]
) -> dict[str, Any]:
    """The values of a constructor's arguments, by Python's rules."""
    if len(args) > len(options):
        raise TypeError(f"{name}.__init__() takes {_number(len(options))} but {len(args) + 1} were given")
    given = dict(zip(options, args, strict=False))
    for key, value in keywords.items():
        if key not in options:
            raise TypeError(f"{name}.__init__() got an unexpected keyword argument '{key}'")
        if key in given:
            raise TypeError(f"{name}.__init__() got multiple values for argument '{key}'")
        given[key] = value
    return {**options, **given}


def _number(options: int) -> str:
    if not options:
        return "1 positional argument"
    return f"from 1 to {options + 1} positional arguments"


def _activation(name: str, function: str, **options: Any) -> type[Activation]:
    return type(name, (Activation,), {
        "function": function, "options": options, "__module__": "torch.nn.modules.activation",
        "__doc__": f"`torch.nn.functional.{function}` as a module.",
    })  # fmt: skip


ReLU = _activation("ReLU", "relu", inplace=False)
ReLU6 = _activation("ReLU6", "relu6", inplace=False)
Sigmoid = _activation("Sigmoid", "sigmoid")
Tanh = _activation("Tanh", "tanh")
LogSigmoid = _activation("LogSigmoid", "logsigmoid")
Tanhshrink = _activation("Tanhshrink", "tanhshrink")
Softsign = _activation("Softsign", "softsign")
LeakyReLU = _activation("LeakyReLU", "leaky_relu", negative_slope=0.01, inplace=False)
ELU = _activation("ELU", "elu", alpha=1.0, inplace=False)
CELU = _activation("CELU", "celu", alpha=1.0, inplace=False)
SELU = _activation("SELU", "selu", inplace=False)
SiLU = _activation("SiLU", "silu", inplace=False)
Mish = _activation("Mish", "mish", inplace=False)
Hardswish = _activation("Hardswish", "hardswish", inplace=False)
Hardsigmoid = _activation("Hardsigmoid", "hardsigmoid", inplace=False)
GELU = _activation("GELU", "gelu", approximate="none")
GLU = _activation("GLU", "glu", dim=-1)
Softmax = _activation("Softmax", "softmax", dim=None)
LogSoftmax = _activation("LogSoftmax", "log_softmax", dim=None)
Softmin = _activation("Softmin", "softmin", dim=None)


class RReLU(Activation):
    """`torch.nn.functional.rrelu` as a module: slopes are drawn while training."""

    function = "rrelu"
    options: ClassVar[dict[str, Any]] = {"lower": 1.0 / 8, "upper": 1.0 / 3, "inplace": False}

    def forward(self, input: Any) -> Any:
        """The input, times a slope where it is negative."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


Softplus = _activation("Softplus", "softplus", beta=1.0, threshold=20.0)
Hardtanh = _activation("Hardtanh", "hardtanh", min_val=-1.0, max_val=1.0, inplace=False)


class _Shrink(Activation):
    def extra_repr(self) -> str:
        """The bound alone."""
        return str(self.lambd)


class Hardshrink(_Shrink):
    """`torch.nn.functional.hardshrink` as a module."""

    function = "hardshrink"
    options: ClassVar[dict[str, Any]] = {"lambd": 0.5}


class Softshrink(_Shrink):
    """`torch.nn.functional.softshrink` as a module."""

    function = "softshrink"
    options: ClassVar[dict[str, Any]] = {"lambd": 0.5}


class Threshold(Module):
    """`torch.nn.functional.threshold` as a module."""

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, input: Any) -> Any:
        """The input where it is above the threshold, else the value."""
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        """The options."""
        return f"threshold={self.threshold}, value={self.value}" + (", inplace=True" if self.inplace else "")


class PReLU(Module):
    """`torch.nn.functional.prelu` with a slope that is learned."""

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        from tgrad.nn.layers import filled

        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(filled((num_parameters,), init, dtype, device))

    def forward(self, input: Any) -> Any:
        """The input, times the slope where it is negative."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """The number of slopes."""
        return f"num_parameters={self.num_parameters}"


class Softmax2d(Module):
    """softmax over the channels of (N, C, H, W) or (C, H, W)."""

    def forward(self, input: Any) -> Any:
        """The shares of the channels at each place."""
        if input.ndim not in (3, 4):
            raise ArgumentValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return F.softmax(input, -3)
