"""Functions of simpler distributions: the logarithm, absolute values, extremes."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from tgrad.distributions import constraints
from tgrad.distributions.composed import TransformedDistribution
from tgrad.distributions.continuous import EULER, Cauchy, Exponential, Normal, Uniform, epsilon, tiny
from tgrad.distributions.distribution import broadcast_all
from tgrad.distributions.names import torch
from tgrad.distributions.transforms import AbsTransform, AffineTransform, ExpTransform, PowerTransform


class LogNormal(TransformedDistribution):
    """The exponential of normal numbers."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support = constraints.positive
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    @property
    def loc(self) -> Any:
        """The mean of the logarithm."""
        return self.base_dist.loc

    @property
    def scale(self) -> Any:
        """The standard deviation of the logarithm."""
        return self.base_dist.scale

    @property
    def mean(self) -> Any:
        """The mean."""
        return (self.loc + self.scale.pow(2) / 2).exp()

    @property
    def mode(self) -> Any:
        """The likeliest value."""
        return (self.loc - self.scale.square()).exp()

    @property
    def variance(self) -> Any:
        """The variance."""
        square = self.scale.pow(2)
        return square.expm1() * (2 * self.loc + square).exp()

    def entropy(self) -> Any:
        """The entropy."""
        return self.base_dist.entropy() + self.loc


class _Half(TransformedDistribution):
    """The absolute values of a distribution around 0."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    base: ClassVar[Any]

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        base = self.base(0, scale, validate_args=False)
        super().__init__(base, AbsTransform(), validate_args=validate_args)

    @property
    def scale(self) -> Any:
        """The width."""
        return self.base_dist.scale

    @property
    def mode(self) -> Any:
        """0."""
        return torch.zeros_like(self.scale)

    def cdf(self, value: Any) -> Any:
        """The probability of what is not larger."""
        self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, prob: Any) -> Any:
        """What isn't exceeded with a probability."""
        return self.base_dist.icdf((prob + 1) / 2)

    def entropy(self) -> Any:
        """The entropy."""
        return self.base_dist.entropy() - math.log(2)


class HalfNormal(_Half):
    """The absolute values of normal numbers."""

    base = Normal

    @property
    def mean(self) -> Any:
        """The mean."""
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Any:
        """The variance."""
        return self.scale.pow(2) * (1 - 2 / math.pi)

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density."""
        self._validate_sample(value)
        found = self.base_dist.log_prob(value) + math.log(2)
        return torch.where(value >= 0, found, found.new_tensor(-math.inf))


class HalfCauchy(_Half):
    """The absolute values of Cauchy numbers."""

    base = Cauchy

    @property
    def mean(self) -> Any:
        """inf."""
        return self.scale.new_full(tuple(self._extended_shape()), math.inf)

    @property
    def variance(self) -> Any:
        """The variance, inf."""
        return self.base_dist.variance

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density."""
        self._validate_sample(value)
        found = math.log(2 / math.pi) - self.scale.log() - ((value / self.scale).pow(2)).log1p()
        return torch.where(value >= 0, found, found.new_tensor(-math.inf))


class Gumbel(TransformedDistribution):
    """The largest of many numbers."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support = constraints.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        base = Uniform(
            torch.full_like(self.loc, tiny(self.loc)),
            torch.full_like(self.loc, 1 - epsilon(self.loc)), validate_args=validate_args,
        )  # fmt: skip
        ones = torch.ones_like(self.scale)
        transforms = [
            ExpTransform().inv, AffineTransform(loc=0, scale=-ones), ExpTransform().inv,
            AffineTransform(loc=self.loc, scale=-self.scale),
        ]  # fmt: skip
        super().__init__(base, transforms, validate_args=validate_args)

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density."""
        self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return (y - y.exp()) - self.scale.log()

    @property
    def mean(self) -> Any:
        """The mean."""
        return self.loc + self.scale * EULER

    @property
    def mode(self) -> Any:
        """The likeliest value."""
        return self.loc

    @property
    def stddev(self) -> Any:
        """The standard deviation."""
        return (math.pi / math.sqrt(6)) * self.scale

    @property
    def variance(self) -> Any:
        """The variance."""
        return self.stddev.pow(2)

    def entropy(self) -> Any:
        """The entropy."""
        return self.scale.log() + (1 + EULER)


class Weibull(TransformedDistribution):
    """Times to failure, with a rate that grows or falls."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "scale": constraints.positive, "concentration": constraints.positive,
    }  # fmt: skip
    support = constraints.positive

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        self.concentration_reciprocal = self.concentration.reciprocal()
        base = Exponential(torch.ones_like(self.scale), validate_args=validate_args)
        transforms = [
            PowerTransform(exponent=self.concentration_reciprocal),
            AffineTransform(loc=0, scale=self.scale),
        ]
        super().__init__(base, transforms, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        """The mean."""
        return self.scale * (1 + self.concentration_reciprocal).lgamma().exp()

    @property
    def mode(self) -> Any:
        """The likeliest value."""
        return self.scale * ((self.concentration - 1) / self.concentration) ** (
            self.concentration.reciprocal()
        )

    @property
    def variance(self) -> Any:
        """The variance."""
        return self.scale.pow(2) * (
            (1 + 2 * self.concentration_reciprocal).lgamma().exp()
            - (2 * (1 + self.concentration_reciprocal).lgamma()).exp()
        )

    def entropy(self) -> Any:
        """The entropy."""
        return (
            EULER * (1 - self.concentration_reciprocal)
            + (self.scale * self.concentration_reciprocal).log() + 1
        )  # fmt: skip


class Pareto(TransformedDistribution):
    """Sizes above a least one, with a heavy tail."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "alpha": constraints.positive,
        "scale": constraints.positive,
    }

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        base = Exponential(self.alpha, validate_args=validate_args)
        transforms = [ExpTransform(), AffineTransform(loc=0, scale=self.scale)]
        super().__init__(base, transforms, validate_args=validate_args)

    @property
    def support(self) -> Any:
        """From the scale on."""
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Any:
        """The mean."""
        a = self.alpha.clamp(min=1)
        return a * self.scale / (a - 1)

    @property
    def mode(self) -> Any:
        """The likeliest value."""
        return self.scale

    @property
    def variance(self) -> Any:
        """The variance."""
        a = self.alpha.clamp(min=2)
        return self.scale.pow(2) * a / ((a - 1).pow(2) * (a - 2))

    def entropy(self) -> Any:
        """The entropy."""
        return (self.scale / self.alpha).log() + (1 + self.alpha.reciprocal())
