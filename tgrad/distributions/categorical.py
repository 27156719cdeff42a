"""Numbers drawn by a list of probabilities."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from tgrad.core.modes import no_grad
from tgrad.core.tensor import Size
from tgrad.distributions import constraints
from tgrad.distributions.discrete import Binomial, logits_to_probs, one_of, probs_to_logits
from tgrad.distributions.distribution import Distribution, broadcast_all, lazy_property
from tgrad.distributions.names import torch
from tgrad.errors import ArgumentValueError
from tgrad.ops.install import modules


class Categorical(Distribution):
    """A number from 0 on, by a list of probabilities."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "probs": constraints.simplex, "logits": constraints.real_vector,
    }  # fmt: skip
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        one_of(probs, logits)
        name, given = ("probs", probs) if probs is not None else ("logits", logits)
        if given.ndim < 1:
            raise ArgumentValueError(f"`{name}` parameter must be at least one-dimensional.")
        if probs is not None:
            self.probs = probs / probs.sum(-1, keepdim=True)
            self._param = self.probs
        else:
            self.logits = logits - logits.logsumexp(dim=-1, keepdim=True)
            self._param = self.logits
        self._num_events = self._param.shape[-1]
        super().__init__(self._param.shape[:-1], validate_args=validate_args)

    @lazy_property
    def logits(self) -> Any:
        """The logarithms of the probabilities."""
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self) -> Any:
        """The probabilities."""
        return logits_to_probs(self.logits)

    @property
    def support(self) -> Any:
        """From 0 to the last number."""
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def param_shape(self) -> Any:
        """The shape of the parameter."""
        return self._param.shape

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution in a larger batch."""
        new = super().expand(batch_shape)
        new._param = new.__dict__["probs" if "probs" in new.__dict__ else "logits"]
        return new

    @property
    def mean(self) -> Any:
        """nan: the numbers are names."""
        return self.probs.new_full(tuple(self._extended_shape()), math.nan)

    @property
    def mode(self) -> Any:
        """The likeliest value."""
        return self.probs.argmax(dim=-1)

    @property
    def variance(self) -> Any:
        """nan: the numbers are names."""
        return self.probs.new_full(tuple(self._extended_shape()), math.nan)

    def sample(self, sample_shape: Any = ()) -> Any:
        """Values drawn."""
        shape = Size(sample_shape)
        with no_grad():
            flat = self.probs.reshape(-1, self._num_events)
            drawn = torch.multinomial(flat, shape.numel(), True).t()
            return drawn.reshape(tuple(self._extended_shape(shape)))

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the probability."""
        self._validate_sample(value)
        value = value.long().unsqueeze(-1)
        value, logs = torch.broadcast_tensors(value, self.logits)
        return logs.gather(-1, value[..., :1]).squeeze(-1)

    def entropy(self) -> Any:
        """The entropy."""
        least = float(self.logits._type.xp.finfo(self.logits._type.dtype.numpy).min)
        logits = self.logits.clamp(min=least)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Any:
        """All numbers."""
        values = self._param.new_ones(self._num_events).long().cumsum(0) - 1
        values = values.view((-1, *(1,) * len(self._batch_shape)))
        return values.expand((-1, *self._batch_shape)) if expand else values


class OneHotCategorical(Distribution):
    """A one among zeros, by a list of probabilities."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "probs": constraints.simplex, "logits": constraints.real_vector,
    }  # fmt: skip
    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._categorical = Categorical(probs, logits)
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args)

    @property
    def probs(self) -> Any:
        """The probabilities."""
        return self._categorical.probs

    @property
    def logits(self) -> Any:
        """The logarithms of the probabilities."""
        return self._categorical.logits

    @property
    def mean(self) -> Any:
        """The probabilities."""
        return self._categorical.probs

    @property
    def mode(self) -> Any:
        """The likeliest value."""
        return self._hot(self._categorical.mode)

    @property
    def variance(self) -> Any:
        """The variance."""
        return self.probs * (1 - self.probs)

    def _hot(self, numbers: Any) -> Any:
        function = modules()["torch.nn.functional"]["one_hot"]
        return function(numbers, self._categorical._num_events).to(self.probs)

    def sample(self, sample_shape: Any = ()) -> Any:
        """Values drawn."""
        return self._hot(self._categorical.sample(sample_shape))

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the probability."""
        self._validate_sample(value)
        return self._categorical.log_prob(value.max(-1)[1])

    def entropy(self) -> Any:
        """The entropy."""
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Any:
        """All values."""
        n = self.event_shape[0]
        values = self.probs.new_zeros((n, n)).fill_diagonal_(1.0)
        values = values.view((n, *(1,) * len(self.batch_shape), n))
        return values.expand((n, *self.batch_shape, n)) if expand else values


class Multinomial(Distribution):
    """How often each number comes among some drawn from a list of probabilities."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "probs": constraints.simplex, "logits": constraints.real_vector,
    }  # fmt: skip

    def __init__(
        self, total_count: int = 1, probs: Any = None, logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        self._categorical = Categorical(probs=probs, logits=logits)
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args)

    @property
    def probs(self) -> Any:
        """The probabilities."""
        return self._categorical.probs

    @property
    def logits(self) -> Any:
        """The logarithms of the probabilities."""
        return self._categorical.logits

    @property
    def support(self) -> Any:
        """Counts that add up to the number drawn."""
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Any:
        """The mean."""
        return self.probs * self.total_count

    @property
    def variance(self) -> Any:
        """The variance."""
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Any:
        """Values drawn."""
        drawn = self._categorical.sample((self.total_count, *sample_shape))
        order = (*range(1, drawn.ndim), 0)
        drawn = drawn.permute(*order)
        counts = drawn.new_zeros(tuple(self._extended_shape(sample_shape)))
        counts.scatter_add_(-1, drawn, torch.ones_like(drawn))
        return counts.type_as(self.probs)

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the probability."""
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        logits = logits.clone()
        logits[(value == 0) & (logits == -math.inf)] = 0
        whole = (value.sum(-1) + 1).lgamma()
        return whole - (value + 1).lgamma().sum(-1) + (logits * value).sum(-1)

    def entropy(self) -> Any:
        """The entropy."""
        n = self.probs.new_full((), self.total_count)
        single = Binomial(self.total_count, self.probs)
        support = single.enumerate_support(False)[1:]
        weights = (support + 1).lgamma()
        spread = (single.log_prob(support).exp() * weights).sum((0, -1))
        return n * self._categorical.entropy() - (n + 1).lgamma() + spread
