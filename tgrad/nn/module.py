"""Modules: parameters together with what is computed from them, nested in each other."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from tgrad.core.dtype import DType
from tgrad.core.modes import no_grad
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, NotAvailableError, ShapeError
from tgrad.nn.parameter import is_parameter


class MissingAttributeError(ArgumentError, AttributeError):
    """A module has no attribute of that name."""

    builtin = AttributeError  # type: ignore[assignment]


class LoadedKeys:
    """What `load_state_dict` returns: the names that were missing, and those that were too much."""

    def __init__(self, missing_keys: list[str], unexpected_keys: list[str]) -> None:
        self.missing_keys = missing_keys
        self.unexpected_keys = unexpected_keys

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return (
            f"_IncompatibleKeys(missing_keys={self.missing_keys}, "
            f"unexpected_keys={self.unexpected_keys})"
        )


class Module:
    """The base of all modules; `module(x)` calls `forward(x)`.

    Parameters, buffers and modules that are assigned to attributes are registered under their names.
    """

    training: bool

    def __init__(self) -> None:
        object.__setattr__(self, "training", True)
        object.__setattr__(self, "_parameters", {})
        object.__setattr__(self, "_buffers", {})
        object.__setattr__(self, "_modules", {})
        object.__setattr__(self, "_unsaved", set())

    def forward(self, *args: Any, **keywords: Any) -> Any:
        """What the module computes; each kind of module has its own."""
        raise NotAvailableError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self.forward(*args, **keywords)

    # ------------------------------------------------------------------ attributes

    def __getattr__(self, name: str) -> Any:
        for place in ("_parameters", "_buffers", "_modules"):
            found = self.__dict__.get(place)
            if found is not None and name in found:
                return found[name]
        raise MissingAttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        parts = self.__dict__
        if "_parameters" not in parts:
            if is_parameter(value) or isinstance(value, Module):
                what = "parameters" if is_parameter(value) else "module"
                raise MissingAttributeError(f"cannot assign {what} before Module.__init__() call")
            object.__setattr__(self, name, value)
        elif is_parameter(value):
            self._forget(name)
            parts["_parameters"][name] = value
        elif isinstance(value, Module):
            self._forget(name)
            parts["_modules"][name] = value
        elif name in parts["_parameters"]:
            if value is not None:
                raise ArgumentError(
                    f"cannot assign '{_class_path(value)}' as parameter '{name}' "
                    "(torch.nn.Parameter or None expected)"
                )
            parts["_parameters"][name] = None
        elif name in parts["_modules"] and value is None:
            parts["_modules"][name] = None
        elif name in parts["_buffers"] and (value is None or isinstance(value, Tensor)):
            parts["_buffers"][name] = value
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for place in ("_parameters", "_buffers", "_modules"):
            if name in self.__dict__[place]:
                del self.__dict__[place][name]
                return
        object.__delattr__(self, name)

    def _forget(self, name: str) -> None:
        self.__dict__.pop(name, None)
        for place in ("_parameters", "_buffers", "_modules"):
            self.__dict__[place].pop(name, None)

    def __dir__(self) -> list[str]:
        names = [*super().__dir__(), *self._parameters, *self._buffers, *self._modules]
        return sorted(set(names))

    def register_parameter(self, name: str, param: Any) -> None:
        """Add a parameter, or None for one that isn't there."""
        if param is not None and not is_parameter(param):
            raise ArgumentError(
                f"cannot assign '{_class_path(param)}' object to parameter '{name}' "
                "(torch.nn.Parameter or None required)"
            )
        self._forget(name)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state but isn't optimised."""
        self._forget(name)
        self._buffers[name] = tensor
        if not persistent:
            self._unsaved.add(name)

    def add_module(self, name: str, module: Any) -> None:
        """Add a module under a name."""
        if module is not None and not isinstance(module, Module):
            raise ArgumentError(f"{type(module).__name__} is not a Module subclass")
        self._forget(name)
        self._modules[name] = module

    register_module = add_module

    # ------------------------------------------------------------------ walking through

    def named_modules(
        self, memo: set[int] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and those in it, with their paths; each once."""
        memo = set() if memo is None else memo
        if id(self) in memo:
            return
        if remove_duplicate:
            memo.add(id(self))
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and those in it."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly in this one, with their names."""
        seen: set[int] = set()
        for name, module in self._modules.items():
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly in this one."""
        return (module for _, module in self.named_children())

    def _named(self, place: str, prefix: str, recurse: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix) if recurse else iter([(prefix, self)])
        for path, module in modules:
            for name, value in module.__dict__[place].items():
                if value is not None and id(value) not in seen:
                    seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """All parameters with their paths."""
        return self._named("_parameters", prefix, recurse)

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        """All parameters."""
        for _, value in self.named_parameters(recurse=recurse):
            yield value

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """All buffers with their paths."""
        return self._named("_buffers", prefix, recurse)

    def buffers(self, recurse: bool = True) -> Iterator[Any]:
        """All buffers."""
        for _, value in self.named_buffers(recurse=recurse):
            yield value

    def get_submodule(self, target: str) -> Module:
        """The module at a path."""
        module: Any = self
        for name in target.split(".") if target else ():
            module = getattr(module, name)
        return module  # type: ignore[no-any-return]

    def get_parameter(self, target: str) -> Any:
        """The parameter at a path."""
        path, _, name = target.rpartition(".")
        return getattr(self.get_submodule(path), name)

    # ------------------------------------------------------------------ changing all at once

    def train(self, mode: bool = True) -> Any:
        """Set the mode in which dropout and batch normalisation behave as in training."""
        for module in self.modules():
            object.__setattr__(module, "training", mode)
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

    def _convert(self, change: Callable[[Any], Any]) -> Any:
        for module in self.modules():
            for parameter in module._parameters.values():
                if parameter is not None:
                    with no_grad():
                        parameter.data = change(parameter.data)
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    module._buffers[name] = change(buffer)
        return self

    def to(self, *args: Any, **keywords: Any) -> Any:
        """Convert floating parameters and buffers to a dtype, and all to a device."""
        dtype = keywords.get("dtype") or next((a for a in args if isinstance(a, DType)), None)
        if dtype is not None and not dtype.is_differentiable:
            raise ArgumentError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired "
                f"dtype={dtype!r}"
            )
        return self._convert(
            lambda t: t.to(*args, **keywords) if t._type.inexact or dtype is None else t
        )

    def float(self) -> Any:
        """Convert floating parameters and buffers to float32."""
        return self._convert(lambda t: t.float() if t._type.inexact else t)

    def double(self) -> Any:
        """Convert floating parameters and buffers to float64."""
        return self._convert(lambda t: t.double() if t._type.inexact else t)

    def half(self) -> Any:
        """Convert floating parameters and buffers to float16."""
        return self._convert(lambda t: t.half() if t._type.inexact else t)

    def cpu(self) -> Any:
        """Everything is in main memory already."""
        return self

    def cuda(self, device: Any = None) -> Any:
        """Move all parameters and buffers to a GPU."""
        return self._convert(lambda t: t.cuda(device))

    # ------------------------------------------------------------------ saving and loading

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> OrderedDict[str, Any]:
        """All parameters and buffers by their paths; they share the module's memory."""
        result: OrderedDict[str, Any] = OrderedDict()
        for path, module in self.named_modules(prefix=prefix.rstrip("."), remove_duplicate=False):
            for place in ("_parameters", "_buffers"):
                for name, value in module.__dict__[place].items():
                    if value is not None and name not in module._unsaved:
                        key = f"{path}.{name}" if path else name
                        result[key] = value if keep_vars else value.detach()
        return result

    def load_state_dict(
        self, state_dict: Any, strict: bool = True, assign: bool = False
    ) -> LoadedKeys:
        """Take over values that `state_dict` gave.

        Raises:
            ShapeError: a name is missing or too much (unless `strict=False`), or a shape differs.
        """
        mine = self.state_dict(keep_vars=True)
        missing = [name for name in mine if name not in state_dict]
        unexpected = [name for name in state_dict if name not in mine]
        problems = []
        if strict and unexpected:
            problems.append(f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
        if strict and missing:
            problems.append(f"Missing key(s) in state_dict: {_quoted(missing)}. ")
        for name, value in mine.items():
            if name not in state_dict:
                continue
            given = state_dict[name]
            if given.shape != value.shape:
                problems.append(
                    f"size mismatch for {name}: copying a param with shape {given.shape} from "
                    f"checkpoint, the shape in current model is {value.shape}."
                )
                continue
            with no_grad():
                value.copy_(given)
        if problems:
            text = "".join(f"\n\t{problem}" for problem in problems)
            raise ShapeError(f"Error(s) in loading state_dict for {type(self).__name__}:{text}")
        return LoadedKeys(missing, unexpected)

    # ------------------------------------------------------------------ text

    def extra_repr(self) -> str:
        """What stands in the parentheses of the module's text."""
        return ""

    def _get_name(self) -> str:
        return str(type(self).__name__)

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [
            f"({name}): {indented(repr(module))}" for name, module in self._modules.items()
        ]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        body = "\n  ".join(lines + children)
        return f"{self._get_name()}(\n  {body}\n)"


Module.__module__ = "torch.nn.modules.module"


def indented(text: str) -> str:
    """A module's text inside of another one's."""
    return text.replace("\n", "\n  ")


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _class_path(value: Any) -> str:
    if isinstance(value, Tensor):
        return str(value._type.name)
    return str(type(value).__name__)
