"""A graph of a million operators: built, walked, let go."""

from __future__ import annotations

from workload import Workload

CHAIN = """
import torch

x = torch.ones(1, requires_grad=True)

def work():
    x.grad = None
    y = x
    for _ in range(n):
        y = y * 1.0
    y.backward()
    del y
    return x.grad
"""

WORKLOADS = (
    Workload(
        "chain of operators", "depth", CHAIN, aim=0.7, memory=True, cases=({"n": 10_000}, {"n": 1_000_000})
    ),
)
