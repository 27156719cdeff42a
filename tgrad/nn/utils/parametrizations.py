"""Parametrizations: orthogonal matrices, weights with a length, weights of norm one."""

from __future__ import annotations

from typing import Any

from tgrad.core.engine import Spaces
from tgrad.core.modes import no_grad
from tgrad.errors import ArgumentValueError
from tgrad.nn import functional as F  # noqa: N812
from tgrad.nn.layers import filled
from tgrad.nn.module import Module
from tgrad.nn.utils.parametrize import register_parametrization
from tgrad.nn.utils.rescaling import norm_except_dim, normed_weight


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Any, weight_v: Any) -> Any:
        """The weight of its length and its direction."""
        return normed_weight(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Any) -> tuple[Any, Any]:
        """Length and direction of a weight."""
        return norm_except_dim(weight, self.dim), weight


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Optimise a weight's length and direction in the weight's place."""
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    return module


class _SpectralNorm(Module):
    _u: Any
    _v: Any

    def __init__(self, weight: Any, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        if dim >= weight.ndim or dim < -weight.ndim:
            raise IndexError(
                "Dimension out of range (expected to be in range of "
                f"[-{weight.ndim}, {weight.ndim - 1}] but got {dim})"
            )
        if n_power_iterations <= 0:
            raise ArgumentValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim, self.eps = dim if dim >= 0 else dim + weight.ndim, eps
        if weight.ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._matrix(weight)
            rows, columns = matrix.shape
            u = matrix.new_empty(rows).normal_(0, 1)
            v = matrix.new_empty(columns).normal_(0, 1)
            self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _matrix(self, weight: Any) -> Any:
        if self.dim != 0:
            weight = weight.permute(self.dim, *(d for d in range(weight.ndim) if d != self.dim))
        return weight.flatten(1)

    def _iterate(self, matrix: Any, times: int) -> None:
        with no_grad():
            for _ in range(times):
                self._u = F.normalize(matrix.mv(self._v), dim=0, eps=self.eps)
                self._v = F.normalize(matrix.mH.mv(self._u), dim=0, eps=self.eps)

    def forward(self, weight: Any) -> Any:
        """The weight divided by its largest singular value."""
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        u, v = self._u.clone(), self._v.clone()
        return weight / u.vdot(matrix.mv(v))

    def right_inverse(self, value: Any) -> Any:
        """The weight itself, as if it had norm one."""
        return value


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """Divide a weight by its largest singular value."""
    weight = getattr(module, name, None)
    if weight is None:
        raise ArgumentValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))
    return module


class _Orthogonal(Module):
    """Q of a skew-symmetric or of a general matrix, times a fixed orthogonal one."""

    def __init__(self, weight: Any, orthogonal_map: str, use_trivialization: bool = True) -> None:
        super().__init__()
        if weight._type.dtype.is_complex and orthogonal_map == "householder":
            raise ArgumentValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Any) -> Any:
        """The orthogonal matrix."""
        o = Spaces.recorded
        n, k = X.shape[-2:]
        tall = n >= k
        if not tall:
            n, k = k, n
            X = X.mT
        if self.orthogonal_map == "householder":
            norms = (X.tril(diagonal=-1) ** 2).sum(dim=-2)
            tau = 2.0 / (1.0 + norms)
            A = X.tril(diagonal=-1) + _eye(X, n, k)
            Q = o.linalg_householder_product(A, tau)
            Q = Q * X.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
        else:
            X = X.tril()
            if n != k:
                X = o.cat((X, X.new_zeros((*X.shape[:-2], n, n - k))), -1)
            A = X - X.mH
            if self.orthogonal_map == "matrix_exp":
                Q = o.linalg_matrix_exp(A)
            else:
                identity = _eye(A, n, n)
                Q = o.linalg_solve(identity + A * -0.5, identity + A * 0.5)
            if n != k:
                Q = Q[..., :k]
        base = self._buffers.get("base")
        if base is not None:
            Q = base @ Q
        return Q if tall else Q.mT

    def right_inverse(self, Q: Any) -> Any:
        """What gives an orthogonal matrix; another one is made orthogonal first."""
        o = Spaces.recorded
        if Q.shape != self.shape:
            raise ArgumentValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape "
                f"{Q.shape}."
            )
        start = Q
        n, k = Q.shape[-2:]
        tall = n >= k
        if not tall:
            Q = Q.mT
            n, k = k, n
        if "base" not in self._buffers:
            if self.orthogonal_map in ("cayley", "matrix_exp"):
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley "
                    "parametrizations when use_trivialization=False."
                )
            A, tau = o.geqrf(Q)
            A.diagonal(dim1=-2, dim2=-1).sign_()
            A.diagonal(dim1=-2, dim2=-1)[tau == 0.0] *= -1
            return A if tall else A.mT
        if n == k:
            q, r = o.linalg_qr(Q)
            Q = q * r.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)
        else:
            q, r = o.linalg_qr(Q, "complete")
            sign = r.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)
            Q = o.cat((q[..., :k] * sign, q[..., k:]), -1)
        self.base = Q
        return filled(start.shape, 0.0, start.dtype, start.device) + _eye(start, *start.shape[-2:])


def _eye(like: Any, n: int, k: int) -> Any:
    result = like.new_zeros((n, k))
    result.fill_diagonal_(1.0)
    return result


def orthogonal(
    module: Any, name: str = "weight", orthogonal_map: str | None = None, *,
    use_trivialization: bool = True,
) -> Any:  # fmt: skip
    """Keep a weight orthogonal: its rows or columns of length one, at right angles."""
    weight = getattr(module, name, None)
    if weight is None:
        raise ArgumentValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if weight.ndim < 2:
        raise ArgumentValueError(
            f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions."
        )
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1] or weight._type.dtype.is_complex
        orthogonal_map = "matrix_exp" if square else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ArgumentValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    register_parametrization(module, name, made, unsafe=True)
    return module
