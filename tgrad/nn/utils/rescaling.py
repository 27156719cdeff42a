"""Weights computed from others before each call: the older `weight_norm` and `spectral_norm`.

T. Salimans, D. Kingma, Weight Normalization, 2016; T. Miyato et al., Spectral Normalization for
Generative Adversarial Networks, 2018.
"""

from __future__ import annotations

from typing import Any

from tgrad.core.engine import Spaces
from tgrad.core.modes import no_grad
from tgrad.errors import ArgumentValueError, StateError
from tgrad.nn import functional as F  # noqa: N812
from tgrad.nn.parameter import Parameter


def norm_except_dim(tensor: Any, dim: int | None) -> Any:
    """The norms over all dimensions but one, which is kept."""
    o = Spaces.recorded
    if dim is None or dim == -1:
        return o.linalg_vector_norm(tensor, 2, None, False)
    others = tuple(d for d in range(tensor.ndim) if d != dim % tensor.ndim)
    return o.linalg_vector_norm(tensor, 2, others, True)


def normed_weight(direction: Any, length: Any, dim: int | None) -> Any:
    """g * v / |v|."""
    return direction * (length / norm_except_dim(direction, dim))


class WeightNorm:
    """The hook that computes a weight of its length and its direction."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Any) -> Any:
        """The weight."""
        length, direction = (getattr(module, f"{self.name}_{part}") for part in "gv")
        return normed_weight(direction, length, self.dim)

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Give a weight's length and direction to the optimiser in the weight's place."""
    if _hooks(module, WeightNorm, name):
        raise StateError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    hook = WeightNorm(name, dim)
    weight = getattr(module, name)
    del module._parameters[name]
    length = norm_except_dim(weight, hook.dim).data
    module.register_parameter(f"{name}_g", Parameter(length))
    module.register_parameter(f"{name}_v", Parameter(weight.data))
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """Make the weight a parameter again."""
    for key, hook in _hooks(module, WeightNorm, name):
        weight = hook.compute_weight(module)
        delattr(module, name)
        del module._parameters[f"{name}_g"], module._parameters[f"{name}_v"]
        setattr(module, name, Parameter(weight.data))
        del module._hooks.before[key]
        return module
    raise ArgumentValueError(f"weight_norm of '{name}' not found in {module}")


class SpectralNorm:
    """The hook that divides a weight by its largest singular value, by power iteration."""

    def __init__(self, name: str, iterations: int, dim: int, eps: float) -> None:
        self.name, self.n_power_iterations, self.dim, self.eps = name, iterations, dim, eps

    def matrix(self, weight: Any) -> Any:
        """The weight with its dimension of outputs first, as a matrix."""
        if self.dim != 0:
            others = [d for d in range(weight.ndim) if d != self.dim]
            weight = weight.permute(self.dim, *others)
        return weight.reshape(weight.shape[0], -1)

    def compute_weight(self, module: Any, iterate: bool) -> Any:
        """The weight; while training the singular vectors are made better first."""
        weight = getattr(module, f"{self.name}_orig")
        u, v = (getattr(module, f"{self.name}_{part}") for part in "uv")
        matrix = self.matrix(weight)
        if iterate:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(matrix.t().mv(u), dim=0, eps=self.eps))
                    u.copy_(F.normalize(matrix.mv(v), dim=0, eps=self.eps))
                if self.n_power_iterations > 0:
                    u, v = u.clone(), v.clone()
        return weight / u.dot(matrix.mv(v))

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """Divide a weight by its largest singular value before each call."""
    if _hooks(module, SpectralNorm, name):
        raise StateError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
    if n_power_iterations <= 0:
        raise ArgumentValueError(
            f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
        )
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    hook = SpectralNorm(name, n_power_iterations, dim, eps)
    weight = module._parameters[name]
    with no_grad():
        rows, columns = hook.matrix(weight).shape
        u = F.normalize(weight.new_empty(rows).normal_(0, 1), dim=0, eps=eps)
        v = F.normalize(weight.new_empty(columns).normal_(0, 1), dim=0, eps=eps)
    del module._parameters[name]
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.data)
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """Make the weight a parameter again."""
    for key, hook in _hooks(module, SpectralNorm, name):
        with no_grad():
            weight = hook.compute_weight(module, False)
        delattr(module, name)
        for part in ("u", "v", "orig"):
            delattr(module, f"{name}_{part}")
        module.register_parameter(name, Parameter(weight.detach()))
        del module._hooks.before[key]
        return module
    raise ArgumentValueError(f"spectral_norm of '{name}' not found in {module}")


def _hooks(module: Any, kind: type, name: str) -> list[tuple[int, Any]]:
    """The hooks of one kind on a parameter, with their keys."""
    before = module._hooks.before if module._hooks is not None else {}
    return [(k, h) for k, h in before.items() if isinstance(h, kind) and h.name == name]  # type: ignore[attr-defined]
