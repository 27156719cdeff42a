"""Modules that hold other modules or parameters in an order or under names."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

from tgrad.errors import DimensionError
from tgrad.nn.module import Module, indented
from tgrad.nn.parameter import is_parameter, mark


class Sequential(Module):
    """Modules called one after the other.

    `Sequential(a, b)`, or with names `Sequential(OrderedDict(first=a, second=b))`.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], dict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for number, module in enumerate(args):
                self.add_module(str(number), module)

    def forward(self, input: Any) -> Any:
        """The input through all modules."""
        for module in self._modules.values():
            input = module(input)
        return input

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def _name_at(self, index: int) -> str:
        size = len(self._modules)
        if not -size <= index < size:
            raise DimensionError(f"index {index} is out of range")
        return str(list(self._modules)[index])

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._name_at(index)]

    def __setitem__(self, index: int, module: Any) -> None:
        self._modules[self._name_at(index)] = module

    def append(self, module: Any) -> Any:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Any]) -> Any:
        """Add several modules at the end."""
        for module in modules:
            self.append(module)
        return self


class ModuleList(Module):
    """A list whose modules are registered."""

    def __init__(self, modules: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self._modules.values())[index])
        size = len(self)
        if not -size <= index < size:
            raise DimensionError(f"index {index} is out of range")
        return self._modules[str(index % size)]

    def append(self, module: Any) -> Any:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Any]) -> Any:
        """Add several modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def __repr__(self) -> str:
        if not len(self):
            return f"{self._get_name()}()"
        blocks: list[tuple[str, int, int]] = []
        for number, text in enumerate(repr(module) for module in self):
            if blocks and blocks[-1][0] == text:
                blocks[-1] = (text, blocks[-1][1], number)
            else:
                blocks.append((text, number, number))
        lines = []
        for text, start, end in blocks:
            if start == end:
                lines.append(f"({start}): {indented(text)}")
            else:
                lines.append(f"({start}-{end}): {end - start + 1} x {indented(text)}")
        body = "\n  ".join(lines)
        return f"{self._get_name()}(\n  {body}\n)"


class ModuleDict(Module):
    """A dictionary whose modules are registered."""

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        for name, module in dict(modules or {}).items():
            self.add_module(name, module)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __getitem__(self, name: str) -> Any:
        return self._modules[name]

    def __setitem__(self, name: str, module: Any) -> None:
        self.add_module(name, module)

    def keys(self) -> Any:
        """The names."""
        return self._modules.keys()

    def values(self) -> Any:
        """The modules."""
        return self._modules.values()

    def items(self) -> Any:
        """The names with the modules."""
        return self._modules.items()


class ParameterList(Module):
    """A list whose tensors are registered as parameters."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        for value in values or ():
            self.append(value)

    def append(self, value: Any) -> Any:
        """Add a tensor at the end."""
        if not is_parameter(value):
            value = mark(value.detach().requires_grad_())
        self.register_parameter(str(len(self)), value)
        return self

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parameters.values())

    def __getitem__(self, index: int) -> Any:
        size = len(self)
        if not -size <= index < size:
            raise DimensionError(f"index {index} is out of range")
        return self._parameters[str(index % size)]

    def extra_repr(self) -> str:
        """A line for each parameter."""
        return "\n".join(
            f"  ({name}): Parameter containing: [{value.dtype!r} of size "
            f"{'x'.join(map(str, value.shape))}]"
            for name, value in self._parameters.items()
        )
