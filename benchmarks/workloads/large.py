"""A million elements: reductions, scans, sorting, moving elements."""

from __future__ import annotations

from workload import Workload

SETUP = """
import torch

generator = torch.Generator().manual_seed(0)
x = torch.randn(1000, 1000, generator=generator)
flat = x.flatten()
whole = torch.randint(1000, (1000, 1000), generator=generator)
places = torch.randint(1_000_000, (1_000_000,), generator=generator)
each = torch.randperm(1_000_000, generator=generator)
rows = torch.randint(1000, (1_000_000,), generator=generator)
mask = x > 0
values = torch.randn(1_000_000, generator=generator)
target = torch.zeros(1_000_000)

def work():
    return {}
"""

EXPRESSIONS = {
    "reductions": (
        "x.sum()",
        "x.sum(0)",
        "x.sum(1)",
        "x.mean()",
        "x.mean(0)",
        "x.mean(1)",
        "x.prod(1)",
        "x.var(0)",
        "x.std(1)",
        "x.std()",
        "x.amax(0)",
        "x.amax(1)",
        "x.max(0).values",
        "x.max(1).indices",
        "x.min()",
        "x.argmax(0)",
        "x.argmax(1)",
        "mask.all()",
        "mask.any(1)",
        "x.norm()",
        "x.norm(dim=1)",
        "x.logsumexp(1)",
        "whole.sum(1)",
        "mask.sum(0)",
    ),
    "scans": (
        "x.cumsum(0)",
        "x.cumsum(1)",
        "flat.cumsum(0)",
        "x.cumprod(1)",
        "x.cummax(1).values",
        "whole.cumsum(1)",
    ),
    "sorting": (
        "flat.sort().values",
        "flat.sort().indices",
        "x.sort(0).values",
        "x.sort(1).indices",
        "flat.argsort(descending=True, stable=True)",
        "flat.topk(100).values",
        "x.topk(5, 1).indices",
        "x.median(1).values",
        "flat.median()",
        "x.kthvalue(500, 1).values",
        "whole.unique()",
        "whole.flatten().bincount()",
        "torch.searchsorted(flat.sort().values, values)",
    ),
    "indexing": (
        "x.gather(0, whole)",
        "x.gather(1, whole)",
        "x.index_select(0, rows[:1000])",
        "flat[places]",
        "x[rows[:1000]]",
        "x[rows, rows]",
        "x[mask]",
        "x.masked_select(mask)",
        "x.take(places)",
        "x[::2, ::3]",
        "x[:, 1:]",
        "torch.where(mask, x, 0.0)",
        "x.masked_fill(mask, 0.0)",
        "mask.nonzero()",
        "target.index_put((each,), values)",
        "target.index_put((rows,), values, accumulate=True)",
        "target.index_add(0, places, values)",
        "x.scatter(1, whole, 1.0)",
        "x.scatter_add(1, whole, x)",
        "x.scatter_reduce(1, whole, x, 'amax')",
        "torch.cat([x, x])",
        "torch.cat([x, x], 1)",
        "torch.stack([x, x])",
        "x.roll(3, 1)",
        "x.flip(1)",
        "x.tril()",
        "x.t().contiguous()",
        "x.repeat(2, 2)",
        "x.repeat_interleave(2, 1)",
    ),
}

BACKWARD = """
import torch

generator = torch.Generator().manual_seed(0)
x = torch.randn(1000, 1000, generator=generator)
whole = torch.randint(1000, (1000, 1000), generator=generator)
places = torch.randint(1_000_000, (1_000_000,), generator=generator)
rows = torch.randint(1000, (1000,), generator=generator)
mask = x > 0
x.requires_grad_()

def work():
    x.grad = None
    y = {}
    y.backward(torch.ones_like(y))
    return y, x.grad
"""

BACKWARDS = (
    "x.sum(1)",
    "x.mean(0)",
    "x.var(1)",
    "x.amax(1)",
    "x.max(1).values",
    "x.norm()",
    "x.logsumexp(1)",
    "x.cumsum(1)",
    "x.cumsum(0)",
    "x.sort(1).values",
    "x.gather(1, whole)",
    "x.flatten()[places]",
    "x[rows]",
    "x[mask]",
    "x[::2, ::3]",
    "x.index_select(0, rows)",
    "torch.where(mask, x, 0.0)",
    "x.masked_fill(mask, 0.0)",
    "torch.cat([x, x], 1)",
    "x.scatter_add(1, whole, x)",
)

WORKLOADS = (
    *(
        Workload(
            f"{name}: {body}",
            f"a million elements: {name}",
            SETUP.format(body),
            aim=1.0,
            gathered=True,
            tolerance=1e-4,
        )
        for name, bodies in EXPRESSIONS.items()
        for body in bodies
    ),
    *(
        Workload(
            f"backward: {body}",
            "a million elements: forward and backward",
            BACKWARD.format(body),
            aim=1.0,
            gathered=True,
            tolerance=1e-4,
        )
        for body in BACKWARDS
    ),
)
