"""Changing all parameters and buffers of a module at once: dtypes, devices, modes, gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tgrad.core.dtype import DType
from tgrad.core.modes import no_grad
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, ArgumentValueError
from tgrad.nn.module_tree import Tree
from tgrad.nn.parameter import is_lazy


class Conversion(Tree):
    """Everything about a module that is done to all the modules in it."""

    def train(self, mode: bool = True) -> Any:
        """Set the mode in which dropout and batch normalisation behave as in training."""
        if not isinstance(mode, bool):
            raise ArgumentValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Any:
        """The mode in which a trained module is used."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zeros."""
        for parameter in self.parameters():
            if parameter._grad is not None:
                if set_to_none:
                    parameter._grad = None
                else:
                    parameter._grad = parameter._grad.detach()
                    parameter._grad.zero_()

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Set `requires_grad` of all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def apply(self, fn: Callable[[Any], Any]) -> Any:
        """Call a function with each module, children first."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> Any:
        """Put fn(tensor) in the place of each parameter, gradient and buffer."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for parameter in self._parameters.values():
            if parameter is None:
                continue
            if is_lazy(parameter):
                parameter.convert(fn)
                continue
            with no_grad():
                parameter.data = fn(parameter)
                if parameter._grad is not None:
                    parameter._grad.data = fn(parameter._grad)
        for name, buffer in self._buffers.items():
            if buffer is not None and is_lazy(buffer):
                buffer.convert(fn)
            elif buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def _convert(self, change: Callable[[Any], Any]) -> Any:
        return self._apply(lambda t: change(t) if t._type.inexact else t)

    def to(self, *args: Any, **keywords: Any) -> Any:
        """Convert floating parameters and buffers to a dtype, and all to a device.

        `memory_format` is for the images among them, those of four or five dimensions.
        """
        given = [*args, *keywords.values()]
        likes = [value._type.dtype for value in given if isinstance(value, Tensor)]
        dtype = next((a for a in given if isinstance(a, DType)), likes[0] if likes else None)
        if dtype is not None and not dtype.is_differentiable:
            raise ArgumentError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype!r}"
            )
        wanted = keywords.pop("memory_format", None)

        def change(tensor: Any) -> Any:
            if wanted is not None and tensor._array.ndim in (4, 5):
                return tensor.to(*args, memory_format=wanted, **keywords)
            return tensor.to(*args, **keywords) if args or keywords or wanted is None else tensor

        return self._apply(change) if dtype is None else self._convert(change)

    def type(self, dst_type: Any) -> Any:
        """Convert all parameters and buffers to a dtype."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self) -> Any:
        """Convert floating parameters and buffers to float32."""
        return self._convert(lambda t: t.float())

    def double(self) -> Any:
        """Convert floating parameters and buffers to float64."""
        return self._convert(lambda t: t.double())

    def half(self) -> Any:
        """Convert floating parameters and buffers to float16."""
        return self._convert(lambda t: t.half())

    def bfloat16(self) -> Any:
        """Convert floating parameters and buffers to bfloat16."""
        return self._convert(lambda t: t.bfloat16())

    def to_empty(self, *, device: Any = None, recurse: bool = True) -> Any:
        """New memory for all parameters and buffers."""
        return self._apply(lambda t: t.new_empty(t.shape, device=device), recurse=recurse)

    def share_memory(self) -> Any:
        """Nothing: there is one process."""
        return self

    def cpu(self) -> Any:
        """Move all parameters and buffers to main memory."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device: Any = None) -> Any:
        """Move all parameters and buffers to a GPU."""
        return self._apply(lambda t: t.cuda(device))
