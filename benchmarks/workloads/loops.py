"""Small tensors in loops: where the cost of each call counts."""

from __future__ import annotations

from typing import Any

from workload import Work, Workload

SCALAR = """
import torch

def work():
    x = torch.tensor(10.0, dtype=torch.float64, requires_grad=True)
    for _ in range(5000):
        f = x ** 2
        x.grad = None
        f.backward()
        x.data = x.data - 0.001 * x.grad
    return x
"""


def _scalar_numpy() -> Work:
    import numpy

    def work() -> Any:
        x = numpy.array(10.0)
        for _ in range(5000):
            x = x - 0.001 * (2 * x)
        return x

    return work


def _scalar_autograd() -> Work:
    from autograd import grad

    derivative = grad(lambda x: x**2)

    def work() -> Any:
        x = 10.0
        for _ in range(5000):
            x = x - 0.001 * derivative(x)
        return x

    return work


def _scalar_jax(jit: bool = False) -> Work:
    import jax

    derivative = jax.grad(lambda x: x**2)
    if jit:
        derivative = jax.jit(derivative)

    def work() -> Any:
        x = jax.numpy.array(10.0)
        for _ in range(5000):
            x = x - 0.001 * derivative(x)
        return x

    return work


FIT = """
import torch

def work():
    x = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    y = torch.tensor([3.1, 4.9, 7.2, 8.8, 11.1])
    w = torch.zeros(1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    for _ in range(2000):
        loss = ((w * x + b - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= 0.01 * w.grad
            b -= 0.01 * b.grad
            w.grad.zero_()
            b.grad.zero_()
    return w, b
"""

X, Y = (1.0, 2.0, 3.0, 4.0, 5.0), (3.1, 4.9, 7.2, 8.8, 11.1)


def _fit_numpy() -> Work:
    import numpy

    x, y = numpy.array(X, numpy.float32), numpy.array(Y, numpy.float32)

    def work() -> Any:
        w, b = numpy.zeros(1, numpy.float32), numpy.zeros(1, numpy.float32)
        for _ in range(2000):
            error = (w * x + b - y) * (2 / 5)
            w -= 0.01 * (error * x).sum()
            b -= 0.01 * error.sum()
        return w, b

    return work


def _fit_autograd() -> Work:
    import autograd.numpy
    from autograd import grad

    np = autograd.numpy
    x, y = np.array(X, np.float32), np.array(Y, np.float32)
    derivative = grad(lambda w, b: np.mean((w * x + b - y) ** 2), (0, 1))

    def work() -> Any:
        w, b = np.zeros(1, np.float32), np.zeros(1, np.float32)
        for _ in range(2000):
            gw, gb = derivative(w, b)
            w, b = w - 0.01 * gw, b - 0.01 * gb
        return w, b

    return work


def _fit_jax(jit: bool = False) -> Work:
    import jax
    import jax.numpy as np

    x, y = np.array(X, np.float32), np.array(Y, np.float32)

    def step(w: Any, b: Any) -> Any:
        gw, gb = jax.grad(lambda w, b: np.mean((w * x + b - y) ** 2), (0, 1))(w, b)
        return w - 0.01 * gw, b - 0.01 * gb

    if jit:
        step = jax.jit(step)

    def work() -> Any:
        w, b = np.zeros(1, np.float32), np.zeros(1, np.float32)
        for _ in range(2000):
            w, b = step(w, b)
        return w, b

    return work


def _fit_tinygrad() -> Work:
    from tinygrad import Tensor, TinyJit

    x, y = Tensor(list(X)), Tensor(list(Y))

    def work() -> Any:
        w, b = Tensor.zeros(1).contiguous().realize(), Tensor.zeros(1).contiguous().realize()

        @TinyJit
        def step() -> None:
            gw, gb = ((w * x + b - y) ** 2).mean().gradient(w, b)
            Tensor.realize(w.assign(w - 0.01 * gw), b.assign(b - 0.01 * gb))

        for _ in range(2000):
            step()
        return w, b

    return work


WORKLOADS = (
    Workload(
        "scalar loop", "loops", SCALAR, aim=0.4,
        peers={
            "numpy": _scalar_numpy, "autograd": _scalar_autograd, "jax": _scalar_jax,
            "jax jit": lambda: _scalar_jax(jit=True),
        },
    ),
    Workload(
        "linear fit", "loops", FIT, aim=0.4, tolerance=1e-4,
        peers={
            "numpy": _fit_numpy, "autograd": _fit_autograd, "jax": _fit_jax,
            "jax jit": lambda: _fit_jax(jit=True), "tinygrad": _fit_tinygrad,
        },
    ),
)  # fmt: skip
