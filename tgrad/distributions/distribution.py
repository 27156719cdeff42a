"""What all distributions have: shapes, checks, samples, densities."""

from __future__ import annotations

from numbers import Number
from typing import Any, ClassVar

from tgrad.core.dtype import default
from tgrad.core.modes import no_grad
from tgrad.core.tensor import Size, Tensor
from tgrad.distributions import constraints
from tgrad.distributions.names import torch
from tgrad.errors import ArgumentValueError
from tgrad.ops.factory import tensor


def broadcast_all(*values: Any) -> list[Any]:
    """Numbers and tensors as tensors of one shape."""
    if not all(isinstance(v, Tensor | Number) for v in values):
        raise ArgumentValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing "
            "__torch_function__."
        )
    like = next((v for v in values if isinstance(v, Tensor)), None)
    options = {"dtype": default.dtype} if like is None else {"dtype": like.dtype, "device": like.device}
    tensors = [v if isinstance(v, Tensor) else tensor(v, **options) for v in values]
    return list(torch.broadcast_tensors(*tensors))


class lazy_property:  # noqa: N801 - it is used as a decorator
    """An attribute that is computed when it is first asked for."""

    def __init__(self, compute: Any) -> None:
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return self
        value = instance.__dict__[self.name] = self.compute(instance)
        return value


class Distribution:
    """Random numbers, or vectors and matrices of them: events, in batches.

    `sample(shape)` and `log_prob(value)` have the shapes shape + batch_shape (+ event_shape).
    """

    has_rsample: ClassVar[bool] = False
    has_enumerate_support: ClassVar[bool] = False
    _validate_args: bool = True
    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support: Any = None

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether parameters and values are checked."""
        if value not in (True, False):
            raise ArgumentValueError("value must be True or False")
        Distribution._validate_args = value

    def __init__(
        self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None
    ) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            for name, constraint in self.arg_constraints.items():
                if name not in self.__dict__ or isinstance(constraint, constraints._Dependent):
                    continue
                value = getattr(self, name)
                if not constraint.check(value).all():
                    raise ArgumentValueError(
                        f"Expected parameter {name} ({type(value).__name__} of shape "
                        f"{tuple(value.shape)}) of distribution {self!r} to satisfy the constraint "
                        f"{constraint!r}, but found invalid values:\n{_shown(value)}"
                    )

    @property
    def batch_shape(self) -> Size:
        """The shape of the parameters' batch."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one event."""
        return self._event_shape

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution in a larger batch."""
        new = type(self).__new__(type(self))
        shape = Size(batch_shape)
        for name in self._parameters():
            value = self.__dict__[name]
            constraint = self.arg_constraints.get(name)
            events = constraint.event_dim if constraint is not None else 0
            tail = value.shape[value.ndim - events :] if events else ()
            new.__dict__[name] = value.expand((*shape, *tail))
        new.__dict__.update(
            (name, value) for name, value in self.__dict__.items() if name not in new.__dict__
            and name not in self._computed()
        )  # fmt: skip
        new._batch_shape = shape
        return new

    def _parameters(self) -> list[str]:
        return [
            name for name in self.arg_constraints
            if isinstance(self.__dict__.get(name), Tensor)
        ]  # fmt: skip

    def _computed(self) -> set[str]:
        return {n for n in self.__dict__ if isinstance(getattr(type(self), n, None), lazy_property)}

    @property
    def mean(self) -> Any:
        """The mean."""
        raise NotImplementedError

    @property
    def mode(self) -> Any:
        """The likeliest value."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Any:
        """The variance."""
        raise NotImplementedError

    @property
    def stddev(self) -> Any:
        """The standard deviation."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Any:
        """Values drawn, without a gradient."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Values drawn in a way that has a gradient by the parameters."""
        raise NotImplementedError

    def sample_n(self, n: int) -> Any:
        """n values drawn."""
        return self.sample((n,))

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density or of the probability."""
        raise NotImplementedError

    def cdf(self, value: Any) -> Any:
        """The probability of what is not larger."""
        raise NotImplementedError

    def icdf(self, value: Any) -> Any:
        """What isn't exceeded with a probability."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Any:
        """All values of a discrete distribution."""
        raise NotImplementedError

    def entropy(self) -> Any:
        """The expected negative log-probability."""
        raise NotImplementedError

    def perplexity(self) -> Any:
        """exp(entropy)."""
        return self.entropy().exp()

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _validate_sample(self, value: Any) -> None:
        """Raise PyTorch's errors for a value that can't be."""
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ArgumentValueError("The value argument to log_prob must be a Tensor")
        start = value.ndim - len(self._event_shape)
        if value.shape[start:] != self._event_shape:
            raise ArgumentValueError(
                f"The right-most size of value must match event_shape: {value.shape} vs {self._event_shape}."
            )
        expected = Size((*self._batch_shape, *self._event_shape))
        for i, j in zip(reversed(value.shape), reversed(expected), strict=False):
            if i != 1 and j != 1 and i != j:
                raise ArgumentValueError(
                    f"Value is not broadcastable with batch_shape+event_shape: {value.shape} vs {expected}."
                )
        support = self.support
        if support is None or isinstance(support, constraints._Dependent):
            return
        if not support.check(value).all():
            raise ArgumentValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be "
                f"within the support ({support!r}) of the distribution {self!r}, but found invalid "
                f"values:\n{_shown(value)}"
            )

    def __repr__(self) -> str:
        names = [name for name in self.arg_constraints if name in self.__dict__]
        parts = []
        for name in names:
            value = self.__dict__[name]
            plain = value.numel() == 1
            parts.append(f"{name}: {value.item() if plain and not value.ndim else _brief(value)}")
        return f"{type(self).__name__}({', '.join(parts)})"


def _brief(value: Any) -> Any:
    return value.detach() if value.numel() == 1 else value.shape


def _shown(value: Any) -> Any:
    """A value as it looks in a format string: a number where there is no dimension."""
    return value.item() if not value.ndim else value


class ExponentialFamily(Distribution):
    """Distributions whose densities are exponentials of sums of products."""
