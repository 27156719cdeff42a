"""Rates that go up and down: CyclicLR and OneCycleLR.

L. Smith, Cyclical Learning Rates for Training Neural Networks, 2017; L. Smith, N. Topin, Super-Convergence,
2018.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tgrad.errors import ArgumentValueError
from tgrad.optim.lr_scheduler import LRScheduler
from tgrad.optim.optimizer import Group, Optimizer


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """A value for each group of an optimiser."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * groups
    if len(value) != groups:
        raise ArgumentValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} "
            f"values, param_groups has {groups}."
        )
    return list(value)


def _first_beta(optimizer: Optimizer) -> bool:
    """Whether the momentum is the first of `betas`; PyTorch's error if there is none."""
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ArgumentValueError(
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
        )
    return "betas" in optimizer.defaults


def _set_momentum(group: Group, value: float, first_beta: bool) -> None:
    if first_beta:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value


class CyclicLR(LRScheduler):
    """From a lower rate to a higher one and back, again and again."""

    def __init__(
        self, optimizer: Optimizer, base_lr: Any, max_lr: Any, step_size_up: int = 2000,
        step_size_down: int | None = None, mode: str = "triangular", gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None, scale_mode: str = "cycle",
        cycle_momentum: bool = True, base_momentum: Any = 0.8, max_momentum: Any = 0.9,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self.check_optimizer(optimizer)
        self.optimizer = optimizer
        base_lrs = per_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for rate, group in zip(base_lrs, optimizer.param_groups, strict=True):
                group["lr"] = rate
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        down = float(step_size_down) if step_size_down is not None else up
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ArgumentValueError("mode is invalid and scale_fn is None")
        self.mode, self.gamma = mode, gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = _first_beta(optimizer)
            self.base_momentums = per_group("base_momentum", optimizer, base_momentum)
            self.max_momentums = per_group("max_momentum", optimizer, max_momentum)
            if last_epoch == -1:
                groups = zip(self.max_momentums, self.base_momentums, optimizer.param_groups, strict=True)
                for most, least, group in groups:
                    _set_momentum(group, most, self.use_beta1)
                    group["max_momentum"], group["base_momentum"] = most, least
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """By how much a cycle, or a step, is lower than the first one."""
        if self._scale_fn_custom is not None:
            return float(self._scale_fn_custom(x))
        if self.mode == "triangular":
            return 1.0
        if self.mode == "triangular2":
            return float(1 / (2.0 ** (x - 1)))
        return float(self.gamma**x)

    def get_lr(self) -> list[float]:
        """The next rates; sets the momenta as well."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        ratio = self.step_ratio
        scale = x / ratio if x <= ratio else (x - 1) / (ratio - 1)
        at = cycle if self.scale_mode == "cycle" else self.last_epoch
        rates = [
            base + (most - base) * scale * self.scale_fn(at)
            for base, most in zip(self.base_lrs, self.max_lrs, strict=True)
        ]
        if self.cycle_momentum:
            groups = zip(self.base_momentums, self.max_momentums, self.optimizer.param_groups, strict=True)
            for base, most, group in groups:
                value = most - (most - base) * scale * self.scale_fn(at)
                _set_momentum(group, value, self.use_beta1)
        return rates

    def state_dict(self) -> dict[str, Any]:
        """Everything about the scheduler but the optimiser and a function of the user's."""
        return {**super().state_dict(), "_scale_fn_custom": None}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave; a function of the user's stays."""
        super().load_state_dict({**state_dict, "_scale_fn_custom": self._scale_fn_custom})


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)


def _linear(start: float, end: float, share: float) -> float:
    return (end - start) * share + start


class OneCycleLR(LRScheduler):
    """Up to a highest rate, and down to a very low one, once."""

    def __init__(
        self, optimizer: Optimizer, max_lr: Any, total_steps: int | None = None,
        epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
        anneal_strategy: str = "cos", cycle_momentum: bool = True, base_momentum: Any = 0.85,
        max_momentum: Any = 0.95, div_factor: float = 25.0, final_div_factor: float = 1e4,
        three_phase: bool = False, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self.check_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise ArgumentValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._anneal_func_type = anneal_strategy
        highest = per_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for most, group in zip(highest, optimizer.param_groups, strict=True):
                group["initial_lr"] = most / div_factor
                group["max_lr"] = most
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = _first_beta(optimizer)
            mosts = per_group("max_momentum", optimizer, max_momentum)
            leasts = per_group("base_momentum", optimizer, base_momentum)
            if last_epoch == -1:
                for most, least, group in zip(mosts, leasts, optimizer.param_groups, strict=True):
                    _set_momentum(group, most, self.use_beta1)
                    group["max_momentum"], group["base_momentum"] = most, least
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The next rates; sets the momenta as well."""
        step = self.last_epoch
        if step > self.total_steps:
            raise ArgumentValueError(
                f"Tried to step {step} times. The total number of steps is {self.total_steps}"
            )
        between = _cosine if self._anneal_func_type == "cos" else _linear
        rates = []
        for group in self.optimizer.param_groups:
            start: float = 0.0
            for phase in self._schedule_phases:
                end = phase["end_step"]
                if step <= end or phase is self._schedule_phases[-1]:
                    break
                start = end
            share = (step - start) / (end - start)
            rates.append(between(group[phase["start_lr"]], group[phase["end_lr"]], share))
            if self.cycle_momentum:
                first, last = group[phase["start_momentum"]], group[phase["end_momentum"]]
                _set_momentum(group, between(first, last, share), self.use_beta1)
        return rates


def _total(total: int | None, epochs: int | None, steps: int | None) -> int:
    if total is not None:
        _positive("total_steps", total)
        return total
    if epochs is None or steps is None:
        raise ArgumentValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    _positive("epochs", epochs)
    _positive("steps_per_epoch", steps)
    return epochs * steps


def _positive(name: str, value: Any) -> None:
    if value <= 0 or not isinstance(value, int):
        raise ArgumentValueError(f"Expected positive integer {name}, but got {value}")


def _phases(total: int, share: float, three: bool) -> list[dict[str, Any]]:
    names = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
    up = ("initial_lr", "max_lr", "max_momentum", "base_momentum")
    if three:
        rows: list[tuple[Any, ...]] = [
            (float(share * total) - 1, *up),
            (float(2 * share * total) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
            (total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
        ]
    else:
        rows = [
            (float(share * total) - 1, *up),
            (total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum"),
        ]
    return [dict(zip(names, row, strict=True)) for row in rows]
