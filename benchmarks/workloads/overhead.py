"""What a call costs: sixty common operators on three elements."""

from __future__ import annotations

from workload import Workload

SETUP = """
import torch
import torch.nn.functional as F

x = torch.tensor([0.5, 1.5, 2.5], requires_grad=wanted)
y = torch.tensor([1.5, 0.5, 2.0], requires_grad=wanted)
m = torch.tensor([[0.5, 1.5, 2.5], [1.0, 2.0, 3.0], [2.0, 1.0, 0.5]], requires_grad=wanted)
b = torch.tensor([True, False, True])
i = torch.tensor([0, 2, 1])
target = torch.tensor([0, 1, 2])
buffer = torch.zeros(3)

"""

FORWARD = """
def work():
    for _ in range(1000):
        result = {}
    return result
"""

BACKWARD = """
one = torch.ones_like({0})

def work():
    for _ in range(1000):
        x.grad = y.grad = m.grad = None
        ({0}).backward(one)
    return [each.grad for each in (x, y, m) if each.grad is not None]
"""

DIFFERENTIABLE = (
    "x + y",
    "x - y",
    "x * y",
    "x / y",
    "x ** 2",
    "x ** y",
    "x * 2.0",
    "1 - x",
    "-x",
    "m @ x",
    "m @ m",
    "torch.mm(m, m)",
    "torch.matmul(m, x)",
    "F.linear(x, m)",
    "x.exp()",
    "torch.exp(x)",
    "torch.log(x)",
    "torch.sin(x)",
    "x.cos()",
    "x.tanh()",
    "x.sigmoid()",
    "torch.relu(x)",
    "F.softplus(x)",
    "x.sqrt()",
    "x.abs()",
    "x.clamp(min=1.0)",
    "torch.maximum(x, y)",
    "torch.where(b, x, y)",
    "x.sum()",
    "m.sum(0)",
    "m.sum(dim=1, keepdim=True)",
    "x.mean()",
    "m.mean(dim=0)",
    "x.var()",
    "x.norm()",
    "m.max(dim=1).values",
    "x.max()",
    "x.prod()",
    "m.cumsum(0)",
    "m.t()",
    "m.transpose(0, 1)",
    "m.reshape(9)",
    "m.view(-1)",
    "x.unsqueeze(0)",
    "m.flatten()",
    "x.expand(2, 3)",
    "x[0]",
    "x[1:]",
    "m[:, 0]",
    "x[i]",
    "x[b]",
    "torch.cat([x, y])",
    "torch.stack([x, y])",
    "torch.softmax(x, 0)",
    "F.log_softmax(m, dim=1)",
    "F.cross_entropy(m, target)",
    "F.mse_loss(x, y)",
    "x.clone()",
    "x.dot(y)",
    "torch.outer(x, y)",
)
assert len(DIFFERENTIABLE) == 60

OTHERS = (
    "x > y",
    "x == y",
    "x.detach()",
    "x.argmax()",
    "x.item() if x.dim() == 0 else x.shape",
    "x.dtype",
    "torch.tensor([1.0, 2.0, 3.0])",
    "torch.zeros(3)",
    "torch.ones_like(x)",
    "torch.arange(3)",
    "torch.randn(3)",
    "buffer.add_(1.0)",
    "buffer.zero_()",
    "buffer.copy_(x.detach())",
    "x.float()",
    "x.tolist()",
    "len(x)",
    "x.size(0)",
    "torch.allclose(x, y)",
    "m.sort(dim=1)",
)

RANDOM = {"torch.randn(3)", "buffer.add_(1.0)"}
"""Whose results differ from call to call: their values are not compared."""


def _forward(body: str) -> str:
    kept = FORWARD.format(body)
    return kept.replace("return result", "return 0") if body in RANDOM or ".dtype" in body else kept


PLAIN, GRADIENT = ({"wanted": False},), ({"wanted": True},)

WORKLOADS = (
    *(
        Workload(
            f"call: {body}",
            "60 operators on 3 elements, no gradient",
            SETUP + _forward(body),
            PLAIN,
            aim=1.0,
            gathered=True,
        )
        for body in DIFFERENTIABLE
    ),
    *(
        Workload(
            f"recorded: {body}",
            "60 operators on 3 elements, recorded",
            SETUP + _forward(body),
            GRADIENT,
            aim=1.0,
            gathered=True,
        )
        for body in DIFFERENTIABLE
    ),
    *(
        Workload(
            f"both ways: {body}",
            "60 operators on 3 elements, forward and backward",
            SETUP + BACKWARD.format(body),
            GRADIENT,
            aim=0.5,
            gathered=True,
        )
        for body in DIFFERENTIABLE
    ),
    *(
        Workload(
            f"other: {body}",
            "other calls on 3 elements",
            SETUP + _forward(body),
            PLAIN,
            aim=1.0,
            gathered=True,
        )
        for body in OTHERS
    ),
)
