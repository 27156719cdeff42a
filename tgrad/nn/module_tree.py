"""A module as a tree: what is in it, by names and by paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError
from tgrad.nn.parameter import is_parameter


class MissingAttributeError(ArgumentError, AttributeError):
    """A module has no attribute of that name."""

    builtin = AttributeError  # type: ignore[assignment]


class Tree:
    """Walking through the modules, parameters and buffers of a module."""

    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """This module and those in it, with their paths; each once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    def modules(self) -> Iterator[Any]:
        """This module and those in it."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """The modules directly in this one, with their names."""
        seen: set[int] = set()
        for name, module in self._modules.items():
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def children(self) -> Iterator[Any]:
        """The modules directly in this one."""
        return (module for _, module in self.named_children())

    def _named_members(
        self, members: Callable[[Any], Any], prefix: str = "", recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:  # fmt: skip
        seen: set[int] = set()
        modules = (
            self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
            if recurse
            else iter([(prefix, self)])
        )
        for path, module in modules:
            for name, value in members(module):
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """All parameters with their paths."""
        return self._named_members(
            lambda module: module._parameters.items(), prefix, recurse, remove_duplicate
        )

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        """All parameters."""
        for _, value in self.named_parameters(recurse=recurse):
            yield value

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """All buffers with their paths."""
        return self._named_members(lambda module: module._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Any]:
        """All buffers."""
        for _, value in self.named_buffers(recurse=recurse):
            yield value

    # ------------------------------------------------------------------ by path

    def get_submodule(self, target: str) -> Any:
        """The module at a path."""
        module: Any = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise MissingAttributeError(f"{module._get_name()} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Tree):
                raise MissingAttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Any, strict: bool = False) -> None:
        """Put a module in the place of the one at a path."""
        from tgrad.errors import ArgumentValueError

        if target == "":
            raise ArgumentValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Tree):
            raise ArgumentValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise MissingAttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Tree):
            raise MissingAttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Any:
        """The parameter at a path."""
        found, name = self._found(target)
        if not is_parameter(found):
            raise MissingAttributeError(f"`{name}` is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Any:
        """The buffer at a path."""
        found, name = self._found(target)
        module = self.get_submodule(target.rpartition(".")[0])
        if not isinstance(found, Tensor) or name not in module._buffers:
            raise MissingAttributeError(f"`{name}` is not a buffer")
        return found

    def _found(self, target: str) -> tuple[Any, str]:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise MissingAttributeError(f"{module._get_name()} has no attribute `{name}`")
        return getattr(module, name), name
