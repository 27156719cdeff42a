"""The node at which a module's hooks see its gradients."""

from __future__ import annotations

from typing import Any

from tgrad.ops.custom_function import Function


class BackwardHookFunction(Function):
    """Its inputs, as results of one node."""

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """The inputs."""
        ctx.mark_non_differentiable(*[arg for arg in args if not arg.requires_grad])
        return args

    @staticmethod
    def backward(ctx: Any, *args: Any) -> Any:
        """The gradients."""
        return args
