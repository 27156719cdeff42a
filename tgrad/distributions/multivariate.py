"""Normally distributed vectors."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from tgrad.core.tensor import Size
from tgrad.distributions import constraints
from tgrad.distributions.continuous import draw
from tgrad.distributions.distribution import Distribution, lazy_property
from tgrad.distributions.names import torch
from tgrad.errors import ArgumentValueError


def _mahalanobis(lower: Any, away: Any) -> Any:
    """|L^-1 x|^2 for each vector of a batch."""
    o = torch
    shape = Size(o.broadcast_tensors(away.unsqueeze(-1), lower)[0].shape[:-2])
    n = lower.shape[-1]
    lower = lower.expand((*shape, n, n))
    away = away.expand((*shape, n)).unsqueeze(-1)
    return o.linalg_solve_triangular(lower, away, upper=False).pow(2).sum(-2).squeeze(-1)


class MultivariateNormal(Distribution):
    """Normal vectors, by a covariance, its inverse, or the root of it that is a lower triangle."""

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "loc": constraints.real_vector, "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite, "scale_tril": constraints.lower_cholesky,
    }  # fmt: skip
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, loc: Any, covariance_matrix: Any = None, precision_matrix: Any = None,
        scale_tril: Any = None, validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        if loc.ndim < 1:
            raise ArgumentValueError("loc must be at least one-dimensional.")
        given = {
            "covariance_matrix": covariance_matrix, "scale_tril": scale_tril,
            "precision_matrix": precision_matrix,
        }  # fmt: skip
        found = {name: value for name, value in given.items() if value is not None}
        if len(found) != 1:
            raise ArgumentValueError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified."
            )
        ((name, matrix),) = found.items()
        if matrix.ndim < 2:
            raise ArgumentValueError(
                f"{name} must be at least two-dimensional, with optional leading batch dimensions"
            )
        o = torch
        batch = o.broadcast_tensors(matrix[..., 0, 0], loc[..., 0])[0].shape
        n = loc.shape[-1]
        setattr(self, name, matrix.expand((*batch, *matrix.shape[-2:])))
        self.loc = loc.expand((*batch, n))
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        if name == "scale_tril":
            self._unbroadcasted_scale_tril = matrix
        elif name == "covariance_matrix":
            self._unbroadcasted_scale_tril = o.linalg_cholesky(matrix)
        else:
            flipped = o.linalg_cholesky(o.flip(matrix, (-2, -1)))
            root = o.flip(flipped, (-2, -1)).mT
            eye = matrix.new_zeros((n, n)).fill_diagonal_(1.0)
            self._unbroadcasted_scale_tril = o.linalg_solve_triangular(root, eye, upper=False)

    @lazy_property
    def scale_tril(self) -> Any:
        """The lower triangle."""
        n = self._event_shape[0]
        return self._unbroadcasted_scale_tril.expand((*self._batch_shape, n, n))

    @lazy_property
    def covariance_matrix(self) -> Any:
        """The covariance."""
        lower, n = self._unbroadcasted_scale_tril, self._event_shape[0]
        return (lower @ lower.mT).expand((*self._batch_shape, n, n))

    @lazy_property
    def precision_matrix(self) -> Any:
        """The inverse of the covariance."""
        n = self._event_shape[0]
        found = self._unbroadcasted_scale_tril.cholesky_inverse()
        return found.expand((*self._batch_shape, n, n))

    @property
    def mean(self) -> Any:
        """The mean."""
        return self.loc

    mode = mean

    @property
    def variance(self) -> Any:
        """The variances of the elements."""
        squares = self._unbroadcasted_scale_tril.pow(2).sum(-1)
        return squares.expand((*self._batch_shape, *self._event_shape))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution in a larger batch."""
        loc = self.loc.expand((*batch_shape, *self._event_shape))
        return MultivariateNormal(loc, scale_tril=self.scale_tril, validate_args=False)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Values drawn in a way that has a gradient by the parameters."""
        noise = draw("normal_", self.loc.detach(), self._extended_shape(sample_shape))
        return self.loc + (self._unbroadcasted_scale_tril @ noise.unsqueeze(-1)).squeeze(-1)

    def _half_log_det(self) -> Any:
        return self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density."""
        self._validate_sample(value)
        square = _mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        whole = self._event_shape[0] * math.log(2 * math.pi) + square
        return -0.5 * whole - self._half_log_det()

    def entropy(self) -> Any:
        """The entropy."""
        found = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._half_log_det()
        return found if not self._batch_shape else found.expand(tuple(self._batch_shape))
