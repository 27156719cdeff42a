"""Parameters computed of others by modules: `register_parametrization`.

Note [Parametrized modules]
    A parametrized module becomes an instance of a class of its own, derived from the one before, in
    which the tensor's name is a property that computes it.  What is optimised is `original` (or
    `original0`, ...) of `module.parametrizations.NAME`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tgrad.core.modes import no_grad
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError
from tgrad.nn.containers import ModuleDict, ModuleList
from tgrad.nn.parameter import Parameter, is_parameter

_cache: dict[tuple[int, str], Any] | None = None


@contextmanager
def cached() -> Iterator[None]:
    """Compute each parametrized tensor once while it lasts."""
    global _cache
    outer = _cache
    _cache = {} if outer is None else outer
    try:
        yield
    finally:
        _cache = outer


class ParametrizationList(ModuleList):
    """The modules through which one tensor goes, and what it is computed of."""

    def __init__(self, modules: Sequence[Any], original: Any, unsafe: bool = False) -> None:
        if not modules:
            raise ArgumentValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        value = original
        with no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    value = module.right_inverse(value)
        self.is_tensor = isinstance(value, Tensor)
        self.ntensors = 1 if self.is_tensor else len(value)
        if self.is_tensor:
            self._register("original", value, original)
        else:
            for number, part in enumerate(value):
                self._register(f"original{number}", part, None)

    def _register(self, name: str, value: Any, original: Any) -> None:
        if original is not None and is_parameter(original):
            kept = original
            if value is not original:
                kept.data = value.data if isinstance(value, Tensor) else value
            self.register_parameter(name, kept)
        elif value.requires_grad or original is None:
            self.register_parameter(name, Parameter(value.detach(), value._type.inexact))
        else:
            self.register_buffer(name, value)

    def _originals(self) -> list[Any]:
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{number}") for number in range(self.ntensors)]

    def right_inverse(self, value: Any) -> None:
        """Set what the tensor is computed of, so that it gets a value."""
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement right_inverse."
                    )
                value = module.right_inverse(value)
            values = [value] if self.is_tensor else list(value)
            for original, part in zip(self._originals(), values, strict=True):
                original.data = part.clone()

    def forward(self) -> Any:
        """The tensor."""
        first, *rest = list(self)
        value = first(*self._originals())
        for module in rest:
            value = module(value)
        return value


ParametrizationList.__module__ = "torch.nn.utils.parametrize"


def _parametrized_class(module: Any) -> None:
    """Give a module a class of its own: see Note [Parametrized modules]."""
    cls = type(module)
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), {"__module__": cls.__module__})


def _property(name: str) -> property:
    def get(self: Any) -> Any:
        if _cache is None:
            return self.parametrizations[name]()
        key = id(self), name
        if key not in _cache:
            _cache[key] = self.parametrizations[name]()
        return _cache[key]

    def set_(self: Any, value: Any) -> None:
        self.parametrizations[name].right_inverse(value)

    return property(get, set_)


def register_parametrization(
    module: Any, tensor_name: str, parametrization: Any, *, unsafe: bool = False
) -> Any:
    """Compute a tensor of a module by another module from now on."""
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            with no_grad():
                before = getattr(module, tensor_name)
                after = parametrization(before)
            _check_same(before, after, parametrization)
        module.parametrizations[tensor_name].append(parametrization)
        return module
    if tensor_name not in module._parameters and tensor_name not in module._buffers:
        raise ArgumentValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with "
            f"name '{tensor_name}'"
        )
    original = getattr(module, tensor_name)
    listed = ParametrizationList([parametrization], original, unsafe=unsafe)
    if not unsafe:
        with no_grad():
            _check_same(original, listed(), parametrization)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        _parametrized_class(module)
        module.parametrizations = ModuleDict()
    setattr(type(module), tensor_name, _property(tensor_name))
    module.parametrizations[tensor_name] = listed
    return module


def _check_same(before: Any, after: Any, parametrization: Any) -> None:
    if not isinstance(after, Tensor):
        raise ArgumentValueError(f"A parametrization must return a tensor. Got {type(after).__name__}.")
    if after.dtype is not before.dtype:
        raise ArgumentValueError(
            "Registering a parametrization may not change the dtype of the tensor, unless the `unsafe` "
            f"flag is enabled.\nmodule dtype: {before.dtype!r}\n"
            f"parametrization({parametrization}) dtype: {after.dtype!r}"
        )
    if after.shape != before.shape:
        raise ArgumentValueError(
            "Registering a parametrization may not change the shape of the tensor, unless the `unsafe` "
            f"flag is enabled. original.shape: {before.shape}\n"
            f"parametrization(original).shape: {after.shape}"
        )


def is_parametrized(module: Any, tensor_name: str | None = None) -> bool:
    """Whether a module, or one of its tensors, is parametrized."""
    listed = module.__dict__.get("_modules", {}).get("parametrizations")
    if not isinstance(listed, ModuleDict):
        return False
    return len(listed) > 0 if tensor_name is None else tensor_name in listed


def remove_parametrizations(module: Any, tensor_name: str, leave_parametrized: bool = True) -> Any:
    """Make a tensor a parameter or buffer again, with its value or with what that was computed of."""
    if not is_parametrized(module, tensor_name):
        raise ArgumentValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    listed = module.parametrizations[tensor_name]
    if listed.is_tensor:
        original = listed.original
        if leave_parametrized:
            with no_grad():
                original.data = getattr(module, tensor_name).data
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value.detach()) if value.requires_grad else value
    else:
        raise ArgumentValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in "
            "terms of a sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    if not len(module.parametrizations):
        delattr(module, "parametrizations")
        module.__class__ = type(module).__bases__[0]
    if is_parameter(original):
        module.register_parameter(tensor_name, original)
    else:
        module.register_buffer(tensor_name, original)
    return module


def type_before_parametrizations(module: Any) -> Any:
    """The class that a module had."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Any, to_module: Any, tensor_name: str | None = None
) -> Any:
    """Give one module the parametrizations of another one, with their tensors."""
    names = list(from_module.parametrizations) if tensor_name is None else [tensor_name]
    for name in names:
        for parametrization in from_module.parametrizations[name]:
            register_parametrization(to_module, name, parametrization)
        for key, value in from_module.parametrizations[name].state_dict().items():
            to_module.parametrizations[name].get_parameter(key).data = value.clone()
    return to_module
