"""Distributions made of other ones."""

from __future__ import annotations

from typing import Any, ClassVar

from tgrad.core.modes import no_grad
from tgrad.core.tensor import Size
from tgrad.distributions import constraints
from tgrad.distributions.distribution import Distribution
from tgrad.distributions.names import torch
from tgrad.distributions.transforms import ComposeTransform, Transform, sum_rightmost
from tgrad.errors import ArgumentValueError


class Independent(Distribution):
    """A distribution whose last batch dimensions are one event."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}

    def __init__(
        self, base_distribution: Any, reinterpreted_batch_ndims: int,
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        batch = base_distribution.batch_shape
        if reinterpreted_batch_ndims > len(batch):
            raise ArgumentValueError(
                "Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), actual "
                f"{reinterpreted_batch_ndims} vs {len(batch)}"
            )
        at = len(batch) - reinterpreted_batch_ndims
        self.base_dist = base_distribution
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        event = (*batch[at:], *base_distribution.event_shape)
        super().__init__(batch[:at], event, validate_args=validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """Whether the base distribution has."""
        return bool(self.base_dist.has_rsample)

    @property
    def support(self) -> Any:
        """The base distribution's, for all elements of an event."""
        found = self.base_dist.support
        if self.reinterpreted_batch_ndims:
            return constraints.independent(found, self.reinterpreted_batch_ndims)
        return found

    @property
    def mean(self) -> Any:
        """The mean."""
        return self.base_dist.mean

    @property
    def mode(self) -> Any:
        """The likeliest value."""
        return self.base_dist.mode

    @property
    def variance(self) -> Any:
        """The variance."""
        return self.base_dist.variance

    def sample(self, sample_shape: Any = ()) -> Any:
        """Values drawn, without a gradient."""
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Values drawn in a way that has a gradient by the parameters."""
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density or of the probability."""
        return sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Any:
        """The entropy."""
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand: bool = True) -> Any:
        """All values, if an event is one value."""
        if self.reinterpreted_batch_ndims:
            raise NotImplementedError("Enumeration over cartesian product is not implemented")
        return self.base_dist.enumerate_support(expand=expand)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution in a larger batch."""
        events = self._event_shape[: self.reinterpreted_batch_ndims]
        base = self.base_dist.expand(Size((*batch_shape, *events)))
        return Independent(base, self.reinterpreted_batch_ndims, validate_args=False)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_dist}, {self.reinterpreted_batch_ndims})"


class TransformedDistribution(Distribution):
    """Functions of random numbers."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}

    def __init__(self, base_distribution: Any, transforms: Any, validate_args: bool | None = None) -> None:
        if isinstance(transforms, Transform):
            self.transforms = [transforms]
        elif isinstance(transforms, list):
            if not all(isinstance(t, Transform) for t in transforms):
                raise ArgumentValueError("transforms must be a Transform or a list of Transforms")
            self.transforms = transforms
        else:
            raise ArgumentValueError(f"transforms must be a Transform or list, but was {transforms}")
        whole = ComposeTransform(self.transforms)
        events = max(len(base_distribution.event_shape), whole.domain.event_dim)
        more = events - len(base_distribution.event_shape)
        base: Any = Independent(base_distribution, more) if more else base_distribution
        self.base_dist = base
        shape = whole.forward_shape((*base_distribution.batch_shape, *base_distribution.event_shape))
        at = len(shape) - max(whole.codomain.event_dim, len(self.base_dist.event_shape))
        super().__init__(shape[:at], shape[at:], validate_args=validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """Whether the base distribution has."""
        return bool(self.base_dist.has_rsample)

    @property
    def support(self) -> Any:
        """The last transform's codomain."""
        if not self.transforms:
            return self.base_dist.support
        found = self.transforms[-1].codomain
        missing = len(self._event_shape) - found.event_dim
        return constraints.independent(found, missing) if missing > 0 else found

    def _through(self, value: Any) -> Any:
        for transform in self.transforms:
            value = transform(value)
        return value

    def sample(self, sample_shape: Any = ()) -> Any:
        """Values drawn, without a gradient."""
        with no_grad():
            return self._through(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Values drawn in a way that has a gradient by the parameters."""
        return self._through(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density."""
        self._validate_sample(value)
        events = len(self._event_shape)
        found: Any = 0.0
        y = value
        for transform in reversed(self.transforms):
            x = transform._inv_call(y)
            events += transform.domain.event_dim - transform.codomain.event_dim
            change = transform.log_abs_det_jacobian(x, y)
            found = found - sum_rightmost(change, events - transform.domain.event_dim)
            y = x
        base = self.base_dist.log_prob(y)
        return found + sum_rightmost(base, events - len(self.base_dist.event_shape))

    def _monotone(self, value: Any) -> Any:
        """A probability, the other way round where the transforms fall."""
        sign: Any = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        if isinstance(sign, int) and sign == 1:
            return value
        return sign * (value - 0.5) + 0.5

    def cdf(self, value: Any) -> Any:
        """The probability of what is not larger."""
        for transform in reversed(self.transforms):
            value = transform._inv_call(value)
        self.base_dist._validate_sample(value)
        return self._monotone(self.base_dist.cdf(value))

    def icdf(self, value: Any) -> Any:
        """What isn't exceeded with a probability."""
        return self._through(self.base_dist.icdf(self._monotone(value)))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution in a larger batch."""
        new = type(self).__new__(type(self))
        new.__dict__.update(self.__dict__)
        new.base_dist = self.base_dist.expand(Size(batch_shape))
        for name in self._parameters():
            new.__dict__[name] = self.__dict__[name].expand(tuple(batch_shape))
        new._batch_shape = Size(batch_shape)
        return new


class MixtureSameFamilyConstraint(constraints.Constraint):
    """What the components of a mixture may be."""

    def __init__(self, base_constraint: Any) -> None:
        self.base_constraint = base_constraint
        self.is_discrete = base_constraint.is_discrete
        self.event_dim = base_constraint.event_dim

    def check(self, value: Any) -> Any:
        """Whether a value may be one of each component."""
        at = -1 - self.event_dim
        found = self.base_constraint.check(value.unsqueeze(at))
        return found.reshape((*found.shape[:at], -1)).all(-1) if self.event_dim else found.all(-1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_constraint!r})"


class MixtureSameFamily(Distribution):
    """A distribution chosen among several of one kind, for each value."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    has_rsample = False

    def __init__(
        self, mixture_distribution: Any, component_distribution: Any,
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        from tgrad.distributions.categorical import Categorical

        if not isinstance(mixture_distribution, Categorical):
            raise ArgumentValueError(
                " The Mixture distribution needs to be an  instance of torch.distributions.Categorical"
            )
        if not isinstance(component_distribution, Distribution):
            raise ArgumentValueError(
                "The Component distribution need to be an instance of torch.distributions.Distribution"
            )
        count = mixture_distribution.logits.shape[-1]
        if count != component_distribution.batch_shape[-1]:
            raise ArgumentValueError(
                f"`mixture_distribution component` ({count}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({component_distribution.batch_shape[-1]})"
            )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        self._num_component = count
        self._events = len(component_distribution.event_shape)
        super().__init__(
            component_distribution.batch_shape[:-1],
            component_distribution.event_shape,
            validate_args=validate_args,
        )

    @property
    def support(self) -> Any:
        """The components'."""
        return MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Any:
        """How likely the components are."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Any:
        """The components."""
        return self._component_distribution

    @property
    def _shares(self) -> Any:
        probs = self._mixture_distribution.probs
        return probs.reshape((*probs.shape, *(1,) * self._events))

    @property
    def mean(self) -> Any:
        """The mean."""
        return (self._shares * self._component_distribution.mean).sum(dim=-1 - self._events)

    @property
    def variance(self) -> Any:
        """The variance."""
        at = -1 - self._events
        parts = self._component_distribution
        inner = (self._shares * parts.variance).sum(dim=at)
        away = parts.mean - self.mean.unsqueeze(at)
        return inner + (self._shares * away.pow(2.0)).sum(dim=at)

    def _spread(self, value: Any) -> Any:
        return value.unsqueeze(-1 - self._events)

    def cdf(self, x: Any) -> Any:
        """The probability of what is not larger."""
        found = self._component_distribution.cdf(self._spread(x))
        return (found * self._mixture_distribution.probs).sum(dim=-1)

    def log_prob(self, x: Any) -> Any:
        """The logarithm of the density or of the probability."""
        if self._validate_args:
            self._validate_sample(x)
        found = self._component_distribution.log_prob(self._spread(x))
        shares = torch.log_softmax(self._mixture_distribution.logits, -1)
        return (found + shares).logsumexp(dim=-1)

    def sample(self, sample_shape: Any = ()) -> Any:
        """Values drawn, without a gradient."""
        with no_grad():
            at = len(sample_shape) + len(self.batch_shape)
            chosen = self._mixture_distribution.sample(sample_shape)
            drawn = self._component_distribution.sample(sample_shape)
            index = chosen.reshape((*chosen.shape, *(1,) * (self._events + 1)))
            index = index.expand((*chosen.shape, 1, *self.event_shape))
            return drawn.gather(at, index).squeeze(at)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"
