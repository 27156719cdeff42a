"""Second derivatives, and the derivatives of many outputs."""

from __future__ import annotations

from typing import Any

from workload import Work, Workload

HESSIAN = """
import torch

def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

x = torch.linspace(-1, 1, 50, dtype=torch.float64)

def work():
    return torch.autograd.functional.hessian(rosenbrock, x)
"""

FUNC_HESSIAN = HESSIAN.replace(
    "torch.autograd.functional.hessian(rosenbrock, x)", "torch.func.hessian(rosenbrock)(x)"
)

JACOBIAN = """
import torch

generator = torch.Generator().manual_seed(0)
weight = torch.randn(100, 20, dtype=torch.float64, generator=generator)
x = torch.linspace(-1, 1, 20, dtype=torch.float64)

def work():
    return torch.autograd.functional.jacobian(lambda x: torch.tanh(weight @ x), x)
"""


def _rosenbrock_jax(jit: bool = False) -> Work:
    import jax
    import jax.numpy as np

    x = np.linspace(-1, 1, 50)
    function = jax.hessian(lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())
    if jit:
        function = jax.jit(function)
    return lambda: jax.block_until_ready(function(x))


def _rosenbrock_autograd() -> Work:
    import autograd.numpy as np
    from autograd import hessian

    x = np.linspace(-1, 1, 50)
    function = hessian(lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))
    return lambda: function(x)


def _weight() -> Any:
    import tgrad

    generator = tgrad.Generator().manual_seed(0)
    return tgrad.randn(100, 20, dtype=tgrad.float64, generator=generator).numpy()


def _jacobian_autograd() -> Work:
    import autograd.numpy as np
    from autograd import jacobian

    weight, x = _weight(), np.linspace(-1, 1, 20)
    function = jacobian(lambda x: np.tanh(np.dot(weight, x)))
    return lambda: function(x)


def _jacobian_jax(jit: bool = False) -> Work:
    import jax
    import jax.numpy as np

    weight, x = np.array(_weight()), np.linspace(-1, 1, 20)
    function = jax.jacrev(lambda x: np.tanh(weight @ x))
    if jit:
        function = jax.jit(function)
    return lambda: jax.block_until_ready(function(x))


WORKLOADS = (
    Workload(
        "Hessian, 50 variables", "second derivatives", HESSIAN, aim=0.5,
        peers={
            "autograd": _rosenbrock_autograd, "jax": _rosenbrock_jax,
            "jax jit": lambda: _rosenbrock_jax(jit=True),
        },
    ),
    Workload("func.hessian, 50 variables", "second derivatives", FUNC_HESSIAN, aim=0.5),
    Workload(
        "Jacobian, 100 outputs", "second derivatives", JACOBIAN, aim=0.5,
        peers={
            "autograd": _jacobian_autograd, "jax": _jacobian_jax,
            "jax jit": lambda: _jacobian_jax(jit=True),
        },
    ),
)  # fmt: skip
