"""Learning rates that change from epoch to epoch: `torch.optim.lr_scheduler`.

Each scheduler computes a rate from the one before, as PyTorch's do, so that several of them can act
on one optimiser, and so that the rounding is the same.
"""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from importlib import import_module
from types import FunctionType
from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, ArgumentValueError
from tgrad.optim.optimizer import Group, Optimizer

__all__ = [  # noqa: F822 - __getattr__ knows the rest
    "ChainedScheduler", "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR",
    "ExponentialLR", "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR",
    "OneCycleLR", "PolynomialLR", "ReduceLROnPlateau", "SequentialLR", "StepLR",
]  # fmt: skip


_MORE = {
    "ChainedScheduler": "composed", "CyclicLR": "cycles", "OneCycleLR": "cycles",
    "ReduceLROnPlateau": "plateau", "SequentialLR": "composed",
}  # fmt: skip
"""Schedulers in files of their own, which are imported when they are first asked for."""


def __getattr__(name: str) -> Any:
    if name not in _MORE:
        raise AttributeError(f"module 'torch.optim.lr_scheduler' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(f"tgrad.optim.{_MORE[name]}"), name)
    return value


class LRScheduler:
    """Sets the "lr" of an optimiser's groups at each `step()`; the base of the others."""

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.check_optimizer(optimizer)
        self.optimizer = optimizer
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(RESUMED.format(number))
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._step_count = 0
        self._is_initial = False
        self._get_lr_called_within_step = False
        self._initial_step()

    @staticmethod
    def check_optimizer(optimizer: Any) -> None:
        """Raise PyTorch's error for what is no optimiser."""
        if not isinstance(optimizer, Optimizer):
            raise ArgumentError(f"{type(optimizer).__name__} is not an Optimizer")

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        self._advance(self.last_epoch + 1)
        self._is_initial = False

    def rate(self, group: Group, base: float) -> float:
        """The next rate of a group, from its present one and the one it began with."""
        raise NotImplementedError

    def closed_rate(self, base: float) -> float | None:
        """The rate at an epoch from the one that a group began with, where there is a formula."""
        return None

    def get_lr(self) -> list[float]:
        """The next rates."""
        groups = zip(self.optimizer.param_groups, self.base_lrs, strict=True)
        return [group["lr"] if self._is_initial else self.rate(group, base) for group, base in groups]

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch: call it after the optimiser's `step()`."""
        if self._step_count == 1 and not getattr(self.optimizer, "_opt_called", False):
            warnings.warn(ORDER, stacklevel=2)
        if epoch is None:
            self._advance(self.last_epoch + 1)
        else:
            warnings.warn(EPOCH, stacklevel=2)
            self._set(epoch)

    def _advance(self, epoch: int) -> None:
        self._step_count += 1
        self.last_epoch = epoch
        self._put(self.get_lr())

    def _set(self, epoch: int) -> None:
        """Go to an epoch, by the formula if there is one."""
        self._step_count += 1
        self.last_epoch = epoch
        closed = [self.closed_rate(base) for base in self.base_lrs]
        self._put(self.get_lr() if None in closed else closed)

    def _put(self, rates: list[Any]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(float(rate))
            else:
                group["lr"] = rate
        self._last_lr = [
            group["lr"].clone() if isinstance(group["lr"], Tensor) else group["lr"]
            for group in self.optimizer.param_groups
        ]

    def get_last_lr(self) -> list[float]:
        """The rates that were set last."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """Everything about the scheduler but the optimiser."""
        return {key: value for key, value in vars(self).items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        vars(self).update(state_dict)


ORDER = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you "
    "should call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to "
    "do this will result in PyTorch skipping the first value of the learning rate schedule. See more "
    "details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
)
EPOCH = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. "
    "Please use `scheduler.step()` to step the scheduler. During the deprecation, if epoch is different "
    "from None, the closed form is used instead of the new chainable form, where available. Please open "
    "an issue if you are unable to replicate your use case: "
    "https://github.com/pytorch/pytorch/issues/new/choose."
)
RESUMED = (
    "param 'initial_lr' is not specified in param_groups[{}] when resuming scheduler with last_epoch >= 0."
)


class _Functions(LRScheduler):
    """A function of the epoch for each group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1) -> None:
        self.lr_lambdas = _per_group(optimizer, lr_lambda)
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Everything about the scheduler but the optimiser; plain functions as None."""
        state = super().state_dict()
        functions = state.pop("lr_lambdas")
        kept = [None if isinstance(f, FunctionType) else dict(vars(f)) for f in functions]
        return {**state, "lr_lambdas": kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        given = dict(state_dict)
        for function, values in zip(self.lr_lambdas, given.pop("lr_lambdas"), strict=True):
            if values is not None:
                vars(function).update(values)
        vars(self).update(given)


class LambdaLR(_Functions):
    """The initial rate times a function of the epoch."""

    def get_lr(self) -> list[float]:
        """The next rates."""
        pairs = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [base * function(self.last_epoch) for base, function in pairs]


class MultiplicativeLR(_Functions):
    """The rate times a function of the epoch, each time anew."""

    def get_lr(self) -> list[float]:
        """The next rates."""
        groups = self.optimizer.param_groups
        if self._is_initial:
            return [group["lr"] for group in groups]
        pairs = zip(groups, self.lr_lambdas, strict=True)
        return [group["lr"] * function(self.last_epoch) for group, function in pairs]


def _per_group(optimizer: Optimizer, functions: Any) -> list[Callable[[int], float]]:
    groups = len(optimizer.param_groups)
    if not isinstance(functions, (list, tuple)):
        return [functions] * groups
    if len(functions) != groups:
        raise ArgumentValueError(f"Expected {groups} lr_lambdas, but got {len(functions)}")
    return list(functions)


class StepLR(LRScheduler):
    """The rate times gamma every `step_size` epochs."""

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, group: Group, base: float) -> float:
        """The next rate of a group."""
        due = self.last_epoch and self.last_epoch % self.step_size == 0
        return group["lr"] * self.gamma if due else group["lr"]  # type: ignore[no-any-return]

    def closed_rate(self, base: float) -> float | None:
        """The rate at an epoch."""
        return base * float(self.gamma ** (self.last_epoch // self.step_size))


class MultiStepLR(LRScheduler):
    """The rate times gamma at each of some epochs."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, group: Group, base: float) -> float:
        """The next rate of a group."""
        times = self.milestones.get(self.last_epoch, 0)
        return group["lr"] * self.gamma**times if times else group["lr"]  # type: ignore[no-any-return]

    def closed_rate(self, base: float) -> float | None:
        """The rate at an epoch."""
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return base * float(self.gamma**passed)


class ConstantLR(LRScheduler):
    """The initial rate times a factor for the first epochs."""

    def __init__(
        self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if not 0 <= factor <= 1.0:
            raise ArgumentValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The next rates."""
        factor = 1.0
        if self.last_epoch == 0:
            factor = self.factor
        elif self.last_epoch == self.total_iters:
            factor = 1.0 / self.factor
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def closed_rate(self, base: float) -> float | None:
        """The rate at an epoch."""
        return base * (self.factor + (self.last_epoch >= self.total_iters) * (1 - self.factor))


class LinearLR(LRScheduler):
    """The initial rate times a factor that goes from one value to another in some epochs."""

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0,
        total_iters: int = 5, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if not 0 < start_factor <= 1.0:
            raise ArgumentValueError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal to 1."
            )
        if not 0 <= end_factor <= 1.0:
            raise ArgumentValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The next rates."""
        groups = self.optimizer.param_groups
        if self.last_epoch == 0:
            return [group["lr"] * self.start_factor for group in groups]
        if self.last_epoch > self.total_iters:
            return [group["lr"] for group in groups]
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return [group["lr"] * (1.0 + rise / before) for group in groups]

    def closed_rate(self, base: float) -> float | None:
        """The rate at an epoch."""
        rise = self.end_factor - self.start_factor
        passed = min(self.total_iters, self.last_epoch)
        return base * (self.start_factor + rise * passed / self.total_iters)


class ExponentialLR(LRScheduler):
    """The rate times gamma every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, group: Group, base: float) -> float:
        """The next rate of a group."""
        return group["lr"] * self.gamma  # type: ignore[no-any-return]

    def closed_rate(self, base: float) -> float | None:
        """The rate at an epoch."""
        return base * float(self.gamma**self.last_epoch)


class PolynomialLR(LRScheduler):
    """The initial rate times (1 - epoch / total)^power."""

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def rate(self, group: Group, base: float) -> float:
        """The next rate of a group."""
        if self.last_epoch > self.total_iters:
            return group["lr"]  # type: ignore[no-any-return]
        now = 1.0 - self.last_epoch / self.total_iters
        before = 1.0 - (self.last_epoch - 1) / self.total_iters
        return group["lr"] * (now / before) ** self.power  # type: ignore[no-any-return]

    def closed_rate(self, base: float) -> float | None:
        """The rate at an epoch."""
        passed = min(self.total_iters, self.last_epoch) / self.total_iters
        return base * float((1.0 - passed) ** self.power)


class CosineAnnealingLR(LRScheduler):
    """From the initial rate to `eta_min` along half a cosine wave, and back.

    I. Loshchilov, F. Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017.
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, group: Group, base: float) -> float:
        """The next rate of a group."""
        epoch, half = self.last_epoch, self.T_max
        rate: float = group["lr"]
        if (epoch - 1 - half) % (2 * half) == 0:
            return rate + (base - self.eta_min) * (1 - math.cos(math.pi / half)) / 2
        now = 1 + math.cos(math.pi * epoch / half)
        before = 1 + math.cos(math.pi * (epoch - 1) / half)
        return now / before * (rate - self.eta_min) + self.eta_min

    def closed_rate(self, base: float) -> float | None:
        """The rate at an epoch."""
        wave = 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        return self.eta_min + (base - self.eta_min) * wave / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine wave again and again, each `T_mult` times as long as the one before."""

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ArgumentValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ArgumentValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The next rates."""
        return [
            self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
            for base in self.base_lrs
        ]

    def step(self, epoch: float | None = None) -> None:
        """Go to the next epoch, or to a point between two."""
        if epoch is None:
            self._go(self.last_epoch + 1)
        elif epoch < 0:
            raise ArgumentValueError(f"Expected non-negative epoch, but got {epoch}")
        else:
            self._set(epoch)

    def _advance(self, epoch: int) -> None:
        self._go(epoch)

    def _go(self, epoch: int) -> None:
        self.T_cur += 1
        if self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult
        self.last_epoch = epoch
        self._put(self.get_lr())

    def _set(self, epoch: float) -> None:
        self.T_i = self.T_0
        self.T_cur = epoch
        if epoch >= self.T_0 and self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        elif epoch >= self.T_0:
            times = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**times - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**times
        self.last_epoch = math.floor(epoch)
        self._put(self.get_lr())
