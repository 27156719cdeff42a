"""Networks of a few layers, trained."""

from __future__ import annotations

from typing import Any

from workload import Work, Workload

EARLY = 20
"""The step whose loss is compared: later ones magnify the last digits."""

TWO_LAYERS = """
import torch

def work():
    torch.manual_seed(0)
    x, y = torch.randn(64, 1000), torch.randn(64, 10)
    w1 = torch.randn(1000, 100, requires_grad=True)
    w2 = torch.randn(100, 10, requires_grad=True)
    for step in range(500):
        loss = (x.mm(w1).clamp(min=0).mm(w2) - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            w1 -= 1e-6 * w1.grad
            w2 -= 1e-6 * w2.grad
            w1.grad.zero_()
            w2.grad.zero_()
        if step == EARLY:
            early = loss.detach()
    return early
""".replace("EARLY", str(EARLY))


def _arrays() -> tuple[Any, ...]:
    """The random numbers that the program starts from, as arrays."""
    import tgrad

    tgrad.manual_seed(0)
    return tuple(tgrad.randn(*shape).numpy() for shape in ((64, 1000), (64, 10), (1000, 100), (100, 10)))


def _two_numpy() -> Work:
    import numpy as np

    x, y, first, second = _arrays()
    rate = np.float32(1e-6)

    def work() -> Any:
        w1, w2 = first.copy(), second.copy()
        for step in range(500):
            hidden = x @ w1
            active = np.maximum(hidden, 0)
            error = active @ w2 - y
            gradient = 2 * error
            g2 = active.T @ gradient
            back = gradient @ w2.T
            back[hidden < 0] = 0
            w1 -= rate * (x.T @ back)
            w2 -= rate * g2
            if step == EARLY:
                early = (error * error).sum()
        return early

    return work


def _two_autograd() -> Work:
    import autograd.numpy as np
    from autograd import value_and_grad

    x, y, first, second = _arrays()

    def loss(w1: Any, w2: Any) -> Any:
        return np.sum((np.dot(np.maximum(np.dot(x, w1), 0), w2) - y) ** 2)

    function = value_and_grad(loss, (0, 1))

    def work() -> Any:
        w1, w2 = first, second
        for step in range(500):
            value, (g1, g2) = function(w1, w2)
            w1, w2 = w1 - np.float32(1e-6) * g1, w2 - np.float32(1e-6) * g2
            if step == EARLY:
                early = value
        return early

    return work


def _two_jax(jit: bool = False) -> Work:
    import jax
    import jax.numpy as np

    x, y, first, second = (np.array(each) for each in _arrays())

    def loss(w1: Any, w2: Any) -> Any:
        return np.sum((np.maximum(x @ w1, 0) @ w2 - y) ** 2)

    def step(w1: Any, w2: Any) -> Any:
        value, (g1, g2) = jax.value_and_grad(loss, (0, 1))(w1, w2)
        return value, w1 - 1e-6 * g1, w2 - 1e-6 * g2

    if jit:
        step = jax.jit(step)

    def work() -> Any:
        w1, w2 = first, second
        for number in range(500):
            value, w1, w2 = step(w1, w2)
            if number == EARLY:
                early = value
        jax.block_until_ready(value)
        return early

    return work


def _two_tinygrad() -> Work:
    from tinygrad import Tensor, TinyJit

    x, y, first, second = (Tensor(each).realize() for each in _arrays())

    def work() -> Any:
        w1, w2 = first.clone().realize(), second.clone().realize()

        @TinyJit
        def step() -> Any:
            loss = (((x @ w1).relu() @ w2 - y) ** 2).sum()
            g1, g2 = loss.gradient(w1, w2)
            Tensor.realize(loss, w1.assign(w1 - 1e-6 * g1), w2.assign(w2 - 1e-6 * g2))
            return loss

        for number in range(500):
            loss = step()
            if number == EARLY:
                early = loss.item()
        return early

    return work


MODULES = """
import torch

def work():
    torch.manual_seed(0)
    x, y = torch.randn(64, 1000), torch.randn(64, 10)
    net = torch.nn.Sequential(torch.nn.Linear(1000, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9)
    criterion = torch.nn.MSELoss()
    for step in range(500):
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
        if step == EARLY:
            early = loss.detach()
    return early
""".replace("EARLY", str(EARLY))

TANH = """
import torch

def work():
    torch.manual_seed(0)
    x, y = torch.randn(256, 32), torch.randn(256, 1)
    net = torch.nn.Sequential(
        torch.nn.Linear(32, 64), torch.nn.Tanh(),
        torch.nn.Linear(64, 64), torch.nn.Tanh(),
        torch.nn.Linear(64, 1),
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for step in range(1000):
        optimizer.zero_grad()
        loss = ((net(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        if step == EARLY:
            early = loss.detach()
    return early
""".replace("EARLY", str(EARLY))

WORKLOADS = (
    Workload(
        "two-layer network", "networks", TWO_LAYERS, aim=0.9, tolerance=1e-4, memory=True,
        peers={
            "numpy": _two_numpy, "autograd": _two_autograd, "jax": _two_jax,
            "jax jit": lambda: _two_jax(jit=True), "tinygrad": _two_tinygrad,
        },
    ),
    Workload("two-layer network, modules and SGD", "networks", MODULES, aim=0.9, tolerance=1e-4),
    Workload("three-layer tanh network, Adam", "networks", TANH, aim=0.9, tolerance=1e-4),
)  # fmt: skip
