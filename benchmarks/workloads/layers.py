"""Matrix products and the layers of networks, forward and backward, in three sizes each."""

from __future__ import annotations

from typing import Any

from workload import Work, Workload

HEAD = """
import torch
import torch.nn.functional as F

generator = torch.Generator().manual_seed(0)

def leaf(*size):
    return torch.randn(*size, generator=generator).requires_grad_()

"""

TAIL = """
upstream = torch.randn(forward().shape, generator=generator)

def work():
    for each in leaves:
        each.grad = None
    y = forward()
    y.backward(upstream)
    return [y, *[each.grad for each in leaves]]
"""


def layer(
    name: str, group: str, aim: float, setup: str, forward: str, sizes: tuple[Any, ...], **more: Any
) -> Workload:
    """A workload of one expression over `leaves`, which the setup makes of `size`."""
    program = f"{HEAD}{setup}\n\ndef forward():\n    return {forward}\n{TAIL}"
    return Workload(
        name, group, program, tuple({"size": size} for size in sizes), aim=aim, tolerance=1e-4, **more
    )


def _product(size: Any, jit: bool = False) -> Work:
    import jax
    import jax.numpy as np

    import tgrad

    n = size
    generator = tgrad.Generator().manual_seed(0)
    a, b, upstream = (np.array(tgrad.randn(n, n, generator=generator).numpy()) for _ in range(3))

    def function(a: Any, b: Any) -> Any:
        y, pull = jax.vjp(np.matmul, a, b)
        return (y, *pull(upstream))

    if jit:
        function = jax.jit(function)
    return lambda: jax.block_until_ready(function(a, b))


def _product_numpy(size: Any) -> Work:
    import tgrad

    n = size
    generator = tgrad.Generator().manual_seed(0)
    a, b, upstream = (tgrad.randn(n, n, generator=generator).numpy() for _ in range(3))
    return lambda: (a @ b, upstream @ b.T, a.T @ upstream)


def _linalg(name: str, body: str, aim: float = 1.1) -> Workload:
    program = f"""
import torch

generator = torch.Generator().manual_seed(0)
a = torch.randn(n, n, dtype=torch.float64, generator=generator)
a = a @ a.T + n * torch.eye(n, dtype=torch.float64)
b = torch.randn(n, dtype=torch.float64, generator=generator)
a.requires_grad_()

def work():
    a.grad = None
    y = {body}
    y.backward()
    return y, a.grad
"""
    return Workload(
        name, "linear algebra", program, ({"n": 4}, {"n": 64}, {"n": 400}), aim=aim, tolerance=1e-6
    )  # fmt: skip


WORKLOADS = (
    layer(
        "matmul", "linear algebra", 1.1, "leaves = a, b = leaf(size, size), leaf(size, size)", "a @ b",
        (8, 128, 1024),
        peers={"numpy": _product_numpy, "jax": _product, "jax jit": lambda size: _product(size, jit=True)},
    ),
    layer(
        "bmm", "linear algebra", 1.1, "leaves = a, b = leaf(*size), leaf(size[0], size[2], size[1])",
        "torch.bmm(a, b)", ((16, 32, 32), (32, 64, 64), (8, 256, 256)),
    ),
    _linalg("solve", "torch.linalg.solve(a, b).sum()"),
    _linalg("cholesky", "torch.linalg.cholesky(a).sum()"),
    _linalg("inverse", "torch.linalg.inv(a).sum()"),
    _linalg("eigenvalues", "torch.linalg.eigvalsh(a).square().sum()"),
    _linalg("singular values", "torch.linalg.svdvals(a).sum()"),
    _linalg("QR", "torch.linalg.qr(a).R.abs().sum()"),
    _linalg("logdet", "torch.logdet(a)"),
    layer(
        "conv2d", "layers", 1.5,
        "n, c, h, o = size\nleaves = x, w, b = leaf(n, c, h, h), leaf(o, c, 3, 3), leaf(o)",
        "F.conv2d(x, w, b, padding=1)", ((1, 1, 8, 1), (8, 3, 32, 16), (16, 32, 56, 64)),
    ),
    layer(
        "max_pool2d", "layers", 1.5, "n, c, h = size\nleaves = (x,) = (leaf(n, c, h, h),)",
        "F.max_pool2d(x, 2)", ((1, 1, 8), (8, 16, 32), (16, 64, 56)),
    ),
    layer(
        "softmax and cross entropy", "layers", 1.5,
        "n, c = size\nleaves = (x,) = (leaf(n, c),)\ntarget = torch.randint(c, (n,), generator=generator)",
        "F.cross_entropy(torch.softmax(x, 1), target)", ((32, 10), (256, 100), (1024, 1000)),
    ),
    layer(
        "layer_norm", "layers", 1.5,
        "n, c = size\nleaves = x, w, b = leaf(n, c), leaf(c), leaf(c)",
        "F.layer_norm(x, (c,), w, b)", ((8, 16), (128, 256), (1024, 1024)),
    ),
    layer(
        "batch_norm", "layers", 1.5,
        "n, c, h = size\nleaves = x, w, b = leaf(n, c, h, h), leaf(c), leaf(c)",
        "F.batch_norm(x, None, None, w, b, training=True)", ((2, 4, 8), (8, 16, 32), (16, 64, 56)),
    ),
    layer(
        "attention", "layers", 1.5, "leaves = q, k, v = leaf(*size), leaf(*size), leaf(*size)",
        "F.scaled_dot_product_attention(q, k, v)", ((1, 1, 8, 8), (2, 4, 32, 16), (4, 8, 256, 64)),
    ),
)  # fmt: skip
