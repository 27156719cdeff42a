"""The gamma distribution and those made of it.

Samples are G. Marsaglia's and W. Tsang's (A Simple Method for Generating Gamma Variables, 2000).
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from tgrad.core import random as streams
from tgrad.core.modes import state
from tgrad.distributions import constraints
from tgrad.distributions.continuous import draw, tiny
from tgrad.distributions.distribution import Distribution, ExponentialFamily, broadcast_all
from tgrad.distributions.names import torch
from tgrad.errors import ArgumentValueError, NotAvailableError


def _gamma(alpha: float) -> float:
    """A number with the density x^(alpha - 1) exp(-x) / Gamma(alpha)."""
    generator = streams.default_generator

    def uniform() -> float:
        return float(streams._uniform64(generator, 1)[0])

    scale = 1.0
    if alpha < 1.0:
        if alpha == 0.0:
            return 0.0
        scale = (1 - uniform()) ** (1.0 / alpha)
        alpha += 1.0
    d = alpha - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        y = 0.0
        while y <= 0.0:
            x = float(streams._normal_pairs(generator, 1, 0.0, 1.0)[0])
            y = 1.0 + c * x
        v = y * y * y
        u = 1 - uniform()
        square = x * x
        if u < 1.0 - 0.0331 * square * square:
            return scale * d * v
        if math.log(u) < 0.5 * square + d * (1.0 - v + math.log(v)):
            return scale * d * v


def standard_gamma(concentration: Any) -> Any:
    """Gamma numbers of rate 1; they have no gradient by the concentration here."""
    if state.grad and concentration.requires_grad:
        raise NotAvailableError(
            "the gradient of gamma samples by the concentration is not available in tgrad: use sample()"
        )
    result = concentration.detach().clone()
    flat = [max(_gamma(alpha), 0.0) for alpha in result.flatten().tolist()]
    values = result._type.xp.asarray(flat, result._type.dtype.numpy).reshape(result._array.shape)
    result._array[...] = values
    return result.clamp(min=tiny(result))


class Gamma(ExponentialFamily):
    """The gamma distribution."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "concentration": constraints.positive, "rate": constraints.positive,
    }  # fmt: skip
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        """The mean."""
        return self.concentration / self.rate

    @property
    def mode(self) -> Any:
        """The likeliest value."""
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Any:
        """The variance."""
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Values drawn in a way that has a gradient by the rate."""
        shape = self._extended_shape(sample_shape)
        drawn = standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape)
        drawn.detach().clamp_(min=tiny(drawn))
        return drawn

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density."""
        self._validate_sample(value)
        return (
            self.concentration.xlogy(self.rate) + (self.concentration - 1).xlogy(value)
            - self.rate * value - self.concentration.lgamma()
        )  # fmt: skip

    def entropy(self) -> Any:
        """The entropy."""
        return (
            self.concentration - self.rate.log() + self.concentration.lgamma()
            + (1.0 - self.concentration) * self.concentration.digamma()
        )  # fmt: skip

    def cdf(self, value: Any) -> Any:
        """The probability of what is not larger."""
        self._validate_sample(value)
        return torch.special_gammainc(self.concentration, self.rate * value)


class Chi2(Gamma):
    """Sums of squares of normal numbers."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    @property
    def df(self) -> Any:
        """How many squares are added up."""
        return self.concentration * 2


class Dirichlet(ExponentialFamily):
    """Shares that add up to 1."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "concentration": constraints.independent(constraints.positive, 1),
    }  # fmt: skip
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Any, validate_args: bool | None = None) -> None:
        if concentration.ndim < 1:
            raise ArgumentValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        shape = concentration.shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Values drawn."""
        drawn = standard_gamma(self.concentration.expand(self._extended_shape(sample_shape)))
        return (drawn / drawn.sum(-1, keepdim=True)).clamp(min=tiny(drawn))

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density."""
        self._validate_sample(value)
        a = self.concentration
        return (a - 1.0).xlogy(value).sum(-1) + a.sum(-1).lgamma() - a.lgamma().sum(-1)

    @property
    def mean(self) -> Any:
        """The mean."""
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def variance(self) -> Any:
        """The variance."""
        a = self.concentration
        whole = a.sum(-1, True)
        return a * (whole - a) / (whole.pow(2) * (whole + 1))

    @property
    def mode(self) -> Any:
        """The likeliest value."""
        above = (self.concentration - 1).clamp(min=0.0)
        mode = above / above.sum(-1, True)
        corner = (self.concentration < 1).all(dim=-1)
        if corner.any():
            from tgrad.ops.install import modules

            hot = modules()["torch.nn.functional"]["one_hot"]
            size = above.shape[-1]
            mode[corner] = hot(mode[corner].argmax(dim=-1), size).to(mode)
        return mode

    def entropy(self) -> Any:
        """The entropy."""
        a = self.concentration
        k, whole = a.shape[-1], a.sum(-1)
        return (
            a.lgamma().sum(-1) - whole.lgamma() - (k - whole) * whole.digamma()
            - ((a - 1.0) * a.digamma()).sum(-1)
        )  # fmt: skip


class Beta(ExponentialFamily):
    """Shares between 0 and 1."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "concentration1": constraints.positive, "concentration0": constraints.positive,
    }  # fmt: skip
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        both = broadcast_all(concentration1, concentration0)
        self._dirichlet = Dirichlet(torch.stack(tuple(both), -1))
        super().__init__(self._dirichlet._batch_shape, validate_args=validate_args)

    @property
    def concentration1(self) -> Any:
        """The first parameter."""
        return self._dirichlet.concentration[..., 0]

    @property
    def concentration0(self) -> Any:
        """The second parameter."""
        return self._dirichlet.concentration[..., 1]

    @property
    def mean(self) -> Any:
        """The mean."""
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Any:
        """The likeliest value."""
        return self._dirichlet.mode[..., 0]

    @property
    def variance(self) -> Any:
        """The variance."""
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Values drawn."""
        return self._dirichlet.rsample(sample_shape).select(-1, 0)

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density."""
        self._validate_sample(value)
        return self._dirichlet.log_prob(torch.stack((value, 1.0 - value), -1))

    def entropy(self) -> Any:
        """The entropy."""
        return self._dirichlet.entropy()


class StudentT(Distribution):
    """Student's t distribution, with heavier tails than the normal one."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "df": constraints.positive, "loc": constraints.real, "scale": constraints.positive,
    }  # fmt: skip
    support = constraints.real
    has_rsample = True

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df)
        super().__init__(self.df.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        """The mean, nan where there is none."""
        mean = self.loc.clone()
        mean[self.df <= 1] = math.nan
        return mean

    @property
    def mode(self) -> Any:
        """The likeliest value."""
        return self.loc

    @property
    def variance(self) -> Any:
        """The variance, inf or nan where there is none."""
        v = self.df.clone()
        many = self.df > 2
        v[many] = self.scale[many].pow(2) * self.df[many] / (self.df[many] - 2)
        v[(self.df <= 2) & (self.df > 1)] = math.inf
        v[self.df <= 1] = math.nan
        return v

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Values drawn in a way that has a gradient by place and width."""
        shape = self._extended_shape(sample_shape)
        x = draw("normal_", self.df.detach(), shape)
        z = self._chi2.rsample(sample_shape)
        return self.loc + self.scale * (x * (z / self.df).rsqrt())

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density."""
        self._validate_sample(value)
        y = (value - self.loc) / self.scale
        z = (
            self.scale.log() + 0.5 * self.df.log() + 0.5 * math.log(math.pi)
            + (0.5 * self.df).lgamma() - (0.5 * (self.df + 1.0)).lgamma()
        )  # fmt: skip
        return -0.5 * (self.df + 1.0) * (y**2.0 / self.df).log1p() - z

    def entropy(self) -> Any:
        """The entropy."""
        half = 0.5 * self.df
        beta = half.lgamma() + math.lgamma(0.5) - (half + 0.5).lgamma()
        return (
            self.scale.log() + 0.5 * (self.df + 1) * ((0.5 * (self.df + 1)).digamma() - half.digamma())
            + 0.5 * self.df.log() + beta
        )  # fmt: skip
