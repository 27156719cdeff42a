"""Modules that hold other modules in an order or under names."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from operator import index as as_index
from typing import Any

from tgrad.errors import ArgumentError, ArgumentValueError, DimensionError
from tgrad.nn.module import Module, indented


class Ordered(Module):
    """Modules whose names count from 0: what Sequential and ModuleList share."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def _number(self, number: Any) -> int:
        """A position counted from the front."""
        position: int = as_index(number)
        size = len(self)
        if not -size <= position < size:
            raise DimensionError(f"index {position} is out of range")
        return position % size

    def _name_at(self, number: Any) -> str:
        """The name of the module at a position."""
        return str(list(self._modules)[self._number(number)])

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._piece(list(self._modules.items())[index])
        return self._modules[self._name_at(index)]

    def _piece(self, items: list[tuple[str, Any]]) -> Any:
        return type(self)(OrderedDict(items))

    def __setitem__(self, index: Any, module: Any) -> None:
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index: Any) -> None:
        names = list(self._modules)
        for name in names[index] if isinstance(index, slice) else [self._name_at(index)]:
            delattr(self, name)
        self._renumber(list(self._modules.values()))

    def _renumber(self, modules: list[Any]) -> None:
        self._modules.clear()
        self._modules.update((str(number), module) for number, module in enumerate(modules))

    def append(self, module: Any) -> Any:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Any]) -> Any:
        """Add several modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def pop(self, key: Any) -> Any:
        """Take a module out."""
        found = self[key]
        del self[key]
        return found


class Sequential(Ordered):
    """Modules called one after the other.

    `Sequential(a, b)`, or with names `Sequential(OrderedDict(first=a, second=b))`.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
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

    def insert(self, index: int, module: Any) -> Any:
        """Put a module before the one at an index."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        size = len(self)
        if not -size <= index <= size:
            raise DimensionError(f"Index out of range: {index}")
        modules = list(self._modules.values())
        modules.insert(index if index >= 0 else index + size, module)
        self._renumber(modules)
        return self

    def extend(self, sequential: Iterable[Any]) -> Any:
        """Add several modules at the end."""
        for module in list(sequential):
            self.append(module)
        return self

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, Sequential):
            raise ArgumentValueError(
                f"add operator supports only objects of Sequential class, but {type(other)} is given."
            )
        return Sequential(*self, *other)

    def __iadd__(self, other: Any) -> Any:
        if not isinstance(other, Sequential):
            raise ArgumentValueError(
                f"add operator supports only objects of Sequential class, but {type(other)} is given."
            )
        return self.extend(other)

    def _times(self, other: Any) -> list[Any]:
        if not isinstance(other, int):
            raise ArgumentError(f"unsupported operand type(s) for *: {type(self)} and {type(other)}")
        if other <= 0:
            raise ArgumentValueError(f"Non-positive multiplication factor {other} for {type(self)}")
        return list(self) * other

    def __mul__(self, other: Any) -> Any:
        return Sequential(*self._times(other))

    __rmul__ = __mul__

    def __imul__(self, other: Any) -> Any:
        return self.extend(self._times(other)[len(self) :])


class ModuleList(Ordered):
    """A list whose modules are registered."""

    def __init__(self, modules: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.__iadd__(modules or ())

    def _piece(self, items: list[tuple[str, Any]]) -> Any:
        return type(self)([module for _, module in items])

    def insert(self, index: int, module: Any) -> None:
        """Put a module before the one at an index."""
        modules = list(self._modules.values())
        modules.insert(index, module)
        self._renumber(modules)

    def extend(self, modules: Iterable[Any]) -> Any:
        """Add several modules at the end."""
        if not isinstance(modules, Iterable):
            raise ArgumentError(
                "ModuleList.extend should be called with an iterable, but got " + type(modules).__name__
            )
        return super().extend(modules)

    def __add__(self, other: Iterable[Any]) -> Any:
        return ModuleList([*self, *other])

    def __iadd__(self, modules: Iterable[Any]) -> Any:
        return self.extend(modules)

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
        if modules is not None:
            self.update(modules)

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

    def __delitem__(self, name: str) -> None:
        del self._modules[name]

    def clear(self) -> None:
        """Take all modules out."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Take a module out."""
        return self._modules.pop(key)

    def keys(self) -> Any:
        """The names."""
        return self._modules.keys()

    def values(self) -> Any:
        """The modules."""
        return self._modules.values()

    def items(self) -> Any:
        """The names with the modules."""
        return self._modules.items()

    def update(self, modules: Any) -> None:
        """Add modules, or put them in the place of those of the same names."""
        for name, module in pairs(modules, "ModuleDict"):
            self[name] = module


def pairs(given: Any, container: str) -> list[tuple[str, Any]]:
    """Names with values, from a mapping or from pairs, with PyTorch's errors for anything else."""
    if not isinstance(given, Iterable):
        raise ArgumentError(
            f"{container}.update should be called with an iterable of key/value pairs, but got "
            + type(given).__name__
        )
    if isinstance(given, Mapping | ModuleDict):
        return list(given.items())
    listed = list(given)
    for number, pair in enumerate(listed):
        if not isinstance(pair, Iterable):
            raise ArgumentError(
                f"{container} update sequence element #{number} should be Iterable; is" + type(pair).__name__
            )
        if len(pair) != 2:  # type: ignore[arg-type]
            raise ArgumentValueError(
                f"{container} update sequence element #{number} has length {len(pair)}; 2 is required"  # type: ignore[arg-type]
            )
    return listed
