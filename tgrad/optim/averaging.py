"""Averages of a model's parameters while it is trained: `torch.optim.swa_utils`.

P. Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization, 2018.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

from tgrad.core.modes import no_grad
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError
from tgrad.nn.module import Module
from tgrad.optim.lr_scheduler import LRScheduler
from tgrad.optim.optimizer import Group, Optimizer

__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn",
    "get_swa_multi_avg_fn", "update_bn",
]  # fmt: skip

Average = Callable[[Any, Any, Any], Any]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """A mean in which older values count less and less."""
    if decay < 0.0 or decay > 1.0:
        raise ArgumentValueError(
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        )

    def average(mean: Any, value: Any, number: Any) -> Any:
        with no_grad():
            return decay * mean + (1 - decay) * value

    return average


def get_swa_avg_fn() -> Average:
    """A mean in which all values count the same."""

    def average(mean: Any, value: Any, number: Any) -> Any:
        with no_grad():
            return mean + (value - mean) / (number + 1)

    return average


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[..., None]:
    """As `get_ema_avg_fn`, for lists of tensors, in place."""
    get_ema_avg_fn(decay)

    def average(means: Any, values: Any, number: Any) -> None:
        with no_grad():
            for mean, value in zip(means, values, strict=True):
                mean.lerp_(value, 1 - decay)

    return average


def get_swa_multi_avg_fn() -> Callable[..., None]:
    """As `get_swa_avg_fn`, for lists of tensors, in place."""

    def average(means: Any, values: Any, number: Any) -> None:
        with no_grad():
            for mean, value in zip(means, values, strict=True):
                mean.lerp_(value, 1 / (float(number) + 1))

    return average


class AveragedModel(Module):
    """A copy of a model whose parameters are means; `update_parameters(model)` takes one more in."""

    def __init__(
        self, model: Any, device: Any = None, avg_fn: Average | None = None,
        multi_avg_fn: Any = None, use_buffers: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        from tgrad.nn.layers import filled

        self.register_buffer("n_averaged", filled((), 0, device=device).long())
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **keywords: Any) -> Any:
        """The copy's result."""
        return self.module(*args, **keywords)

    def _values(self, module: Any) -> list[Any]:
        if self.use_buffers:
            return list(chain(module.parameters(), module.buffers()))
        return list(module.parameters())

    def update_parameters(self, model: Any) -> None:
        """Take the model's parameters into the means."""
        means, values = self._values(self.module), [v.detach() for v in self._values(model)]
        first = self.n_averaged.item() == 0
        with no_grad():
            if first:
                for mean, value in zip(means, values, strict=True):
                    mean.copy_(value)
            elif self.multi_avg_fn is not None:
                self.multi_avg_fn([m.detach() for m in means], values, self.n_averaged)
            else:
                for mean, value in zip(means, values, strict=True):
                    self._average(mean, value)
            if not self.use_buffers:
                pairs = zip(self.module.buffers(), model.buffers(), strict=True)
                for mine, other in pairs:
                    mine.detach().copy_(other.detach())
        self.n_averaged += 1

    def _average(self, mean: Any, value: Any) -> None:
        if self.avg_fn is not None:
            mean.copy_(self.avg_fn(mean.detach(), value, self.n_averaged))
        else:
            mean.detach().lerp_(value, 1 / (float(self.n_averaged.item()) + 1))


@no_grad()
def update_bn(loader: Iterable[Any], model: Any, device: Any = None) -> None:
    """Compute the running means of a model's batch normalisation anew."""
    momenta = {m: m.momentum for m in model.modules() if hasattr(m, "num_batches_tracked")}
    if not momenta:
        return
    for module in momenta:
        module.reset_running_stats()
    was_training = model.training
    model.train()
    for module in momenta:
        module.momentum = None
    for batch in loader:
        input = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(input if device is None else input.to(device))
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


def _cosine(share: float) -> float:
    return (1 - math.cos(math.pi * share)) / 2


def _linear(share: float) -> float:
    return share


class SWALR(LRScheduler):
    """From the present rates to a fixed one in some epochs."""

    def __init__(
        self, optimizer: Optimizer, swa_lr: Any, anneal_epochs: int = 10,
        anneal_strategy: str = "cos", last_epoch: int = -1,
    ) -> None:  # fmt: skip
        groups = optimizer.param_groups
        rates = list(swa_lr) if isinstance(swa_lr, (list, tuple)) else [swa_lr] * len(groups)
        for rate, group in zip(rates, groups, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._anneal = _cosine if anneal_strategy == "cos" else _linear
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ArgumentValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The next rates."""
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before = self._share(step - 1)
        share = self._share(step)
        return [self._rate(group, before, share) for group in self.optimizer.param_groups]

    def _share(self, step: int) -> float:
        return self._anneal(max(0, min(1, step / max(1, self.anneal_epochs))))

    def _rate(self, group: Group, before: float, share: float) -> float:
        target, now = group["swa_lr"], group["lr"]
        value = float(target.item() if isinstance(target, Tensor) else target)
        start = value if before == 1 else (now - before * value) / (1 - before)
        return value * share + start * (1 - share)
