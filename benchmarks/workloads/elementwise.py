"""A chain of elementwise operators, forward and backward."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workload import Work, Workload

CHAIN = """
import torch

generator = torch.Generator().manual_seed(0)
x = torch.rand(n, dtype=getattr(torch, dtype), generator=generator).requires_grad_()

def work():
    x.grad = None
    y = (torch.sin(2 * x + 1) * torch.exp(x)).mean()
    y.backward()
    return y, x.grad
"""


def _input(n: int, dtype: str) -> Any:
    """The random numbers that the program starts from, as an array."""
    import tgrad

    generator = tgrad.Generator().manual_seed(0)
    return tgrad.rand(n, dtype=getattr(tgrad, dtype), generator=generator).numpy()


def _numpy(n: int, dtype: str) -> Work:
    import numpy as np

    x = _input(n, dtype)
    two, one, share = (np.dtype(dtype).type(each) for each in (2, 1, 1 / n))

    def work() -> Any:
        inner = two * x + one
        wave, growth = np.sin(inner), np.exp(x)
        product = wave * growth
        gradient = (two * np.cos(inner) + wave) * growth * share
        return product.mean(), gradient

    return work


BLOCK = 8192


def _bound(n: int, dtype: str) -> Work:
    """One pass over the input and the gradient, all between them in the cache.

    float32 is computed in double, as it must be for results that are nearly always rounded correctly.
    """
    import os
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    x = _input(n, dtype)
    gradient = np.empty_like(x)
    threads = len(os.sched_getaffinity(0))
    pool = ThreadPoolExecutor(threads)
    parts = [slice(n * i // threads, n * (i + 1) // threads) for i in range(threads)]

    def part(place: slice) -> Any:
        total = 0.0
        inner, wave, growth = np.empty((3, BLOCK))
        for start in range(place.start, place.stop, BLOCK):
            block = slice(start, min(start + BLOCK, place.stop))
            size = block.stop - block.start
            i, w, g = inner[:size], wave[:size], growth[:size]
            np.multiply(x[block], 2.0, out=i)
            i += 1.0
            np.sin(i, out=w)
            np.cos(i, out=i)
            np.exp(x[block], out=g, dtype=np.float64)
            i *= 2.0
            i += w
            w *= g
            total += w.sum()
            i *= g
            np.multiply(i, 1 / n, out=gradient[block], casting="same_kind")
        return total

    return lambda: (sum(pool.map(part, parts)) / n, gradient)


def _autograd(n: int, dtype: str) -> Work:
    import autograd.numpy as np
    from autograd import value_and_grad

    x = _input(n, dtype)
    function = value_and_grad(lambda x: np.mean(np.sin(2 * x + 1) * np.exp(x)))
    return lambda: function(x)


def _jax(n: int, dtype: str, jit: bool = False) -> Work:
    import jax
    import jax.numpy as np

    x = np.array(_input(n, dtype))
    function = jax.value_and_grad(lambda x: np.mean(np.sin(2 * x + 1) * np.exp(x)))
    if jit:
        function = jax.jit(function)
    return lambda: jax.block_until_ready(function(x))


def _tinygrad(n: int, dtype: str) -> Work:
    from tinygrad import Tensor, TinyJit

    x = Tensor(_input(n, dtype)).realize()

    @TinyJit
    def step(x: Any) -> Any:
        y = ((2 * x + 1).sin() * x.exp()).mean()
        (gradient,) = y.gradient(x)
        Tensor.realize(y, gradient)
        return y, gradient

    def work() -> Any:
        y, gradient = step(x)
        y.item()
        return y, gradient

    return work


def _aim(case: Mapping[str, Any]) -> float:
    return 0.4 if case["n"] <= 1000 else 0.8


def _bound_aim(case: Mapping[str, Any]) -> float | None:
    return None if case["n"] <= 1000 else 1.5


WORKLOADS = (
    Workload(
        "elementwise chain", "elementwise", CHAIN, aim=_aim, bound=_bound_aim, memory=True, tolerance=1e-5,
        cases=tuple(
            {"n": n, "dtype": dtype}
            for dtype in ("float32", "float64")
            for n in (10, 1000, 100_000, 1_000_000, 10_000_000)
        ),
        peers={
            "numpy": _numpy, "bound": _bound, "autograd": _autograd, "jax": _jax,
            "jax jit": lambda **case: _jax(**case, jit=True), "tinygrad": _tinygrad,
        },
    ),
)  # fmt: skip
