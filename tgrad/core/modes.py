"""Switches that hold for everything that runs: grad mode and anomaly mode.

They are plain attributes of one object, read by every operator; a program runs in one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, Self, TypeVar

from tgrad.core.device import CPU, Device, tensor_type
from tgrad.core.dtype import float32
from tgrad.errors import ArgumentError

F = TypeVar("F", bound=Callable[..., Any])


class _State:
    __slots__ = ("anomaly", "check_nan", "device", "grad", "inference", "keep_graphs", "threads", "watch")

    def __init__(self) -> None:
        self.grad = True
        self.device: Device = CPU
        """Where new tensors are that aren't told where to be."""
        self.anomaly = False
        self.check_nan = True
        self.inference = False
        self.keep_graphs = False
        """Whether passes keep what they would free, because others will follow over the same graph."""
        self.threads = True
        self.watch: Callable[[Any], None] | None = None
        """Called with a leaf before a backward pass adds to its gradient."""


state: Final = _State()


def use_device(device: Any) -> None:
    """Let new tensors be on a device, which begins to work; DeviceError where it isn't available."""
    type_ = tensor_type(float32, Device(device))
    if type_.backend is not None:
        type_.backend.machine.synchronize()
    state.device = type_.device


def is_grad_enabled() -> bool:
    """Whether operators record a graph."""
    return state.grad


class GradMode:
    """Base of `no_grad`, `enable_grad` and `set_grad_enabled`: a block, or a decorator."""

    _mode: bool
    _previous: Any = None
    """The mode before, and what stood here then: blocks of one object may be inside of each other."""

    def __enter__(self) -> None:
        self._previous = state.grad, self._previous
        state.grad = self._mode

    def __exit__(self, *error: object) -> None:
        state.grad, self._previous = self._previous

    def __call__(self, function: F) -> F:
        """`function`, run in this mode."""
        mode = self._mode

        @wraps(function)
        def run(*arguments: Any, **keywords: Any) -> Any:
            previous, state.grad = state.grad, mode
            try:
                return function(*arguments, **keywords)
            finally:
                state.grad = previous

        return run  # type: ignore[return-value]


_create: Final = object.__new__


class _Switch(GradMode):
    def __new__(cls, *function: Any) -> Self:
        self = _create(cls)
        if not function:
            return self
        # `@torch.no_grad` without a call decorates as well.
        if len(function) > 1 or not callable(function[0]):
            given = len(function) + 1
            raise TypeError(f"{cls.__name__}.__init__() takes 1 positional argument but {given} were given")
        self.__init__()  # type: ignore[misc]
        return self(function[0])  # type: ignore[no-any-return]


class no_grad(_Switch):  # noqa: N801
    """Results computed in this block, or in the decorated function, have no history."""

    _mode = False


class enable_grad(_Switch):  # noqa: N801
    """Records history again inside a `no_grad` block."""

    _mode = True


class inference_mode(_Switch):  # noqa: N801
    """`no_grad`, or with False the opposite.  Tensors made inside are ordinary ones."""

    _mode = False

    def __new__(cls, mode: Any = True) -> Self:
        return super().__new__(cls, mode) if callable(mode) else object.__new__(cls)

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self._mode = not mode
        self._outer: list[bool] = []

    def __enter__(self) -> None:
        super().__enter__()
        self._outer.append(state.inference)
        state.inference = not self._mode

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        state.inference = self._outer.pop()

    def __call__(self, function: F) -> F:
        """`function`, run in this mode."""

        @wraps(function)
        def run(*arguments: Any, **keywords: Any) -> Any:
            with self:
                return function(*arguments, **keywords)

        return run  # type: ignore[return-value]


def is_inference_mode_enabled() -> bool:
    """Whether code runs inside an `inference_mode` block."""
    return state.inference


class set_grad_enabled(GradMode):  # noqa: N801
    """Switches recording on or off: from this call on, or for a block when used with `with`."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        if not isinstance(mode, bool):
            raise ArgumentError(
                f"set_grad_enabled(): argument 'enabled' (position 1) must be bool, not {type(mode).__name__}"
            )
        self._mode = mode
        self._before = state.grad
        state.grad = mode

    def __repr__(self) -> str:
        return f"torch.autograd.grad_mode.set_grad_enabled(mode={self._mode})"

    def __enter__(self) -> None:
        state.grad = self._mode

    def __exit__(self, *error: object) -> None:
        state.grad = self._before

    def __call__(self, function: F) -> F:
        state.grad = self._before
        return super().__call__(function)


def is_multithreading_enabled() -> bool:
    """Whether backward passes were allowed several threads, of which they make no use."""
    return state.threads


class set_multithreading_enabled:  # noqa: N801
    """Allows backward passes several threads, or not: from this call on, or for a block."""

    def __init__(self, mode: bool) -> None:
        self._before = state.threads
        self.mode = state.threads = mode

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        state.threads = self._before


def is_anomaly_enabled() -> bool:
    """Whether backward passes look for NaN."""
    return state.anomaly


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode, when it is on, checks gradients for NaN."""
    return state.check_nan


class set_detect_anomaly:  # noqa: N801
    """Switches anomaly mode on or off: from this call on, or for a block when used with `with`.

    In anomaly mode a backward pass fails at the first derivative that gives NaN, and the error says
    which operator it belongs to and where that operator was called.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = (state.anomaly, state.check_nan)
        state.anomaly, state.check_nan = mode, check_nan

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        state.anomaly, state.check_nan = self._before


class detect_anomaly(set_detect_anomaly):  # noqa: N801
    """Anomaly mode for a block."""

    def __init__(self, check_nan: bool = True) -> None:
        import warnings

        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only "
            "be enabled for debugging.",
            stacklevel=2,
        )
        super().__init__(True, check_nan)


for _mode in (no_grad, enable_grad, inference_mode, set_grad_enabled, set_multithreading_enabled):
    _mode.__module__ = "torch.autograd.grad_mode"
for _anomaly in (detect_anomaly, set_detect_anomaly):
    _anomaly.__module__ = "torch.autograd.anomaly_mode"
