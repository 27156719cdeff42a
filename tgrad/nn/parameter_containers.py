"""Modules that hold parameters, or other values, in an order or under names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import index as as_index
from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, DimensionError
from tgrad.nn.containers import pairs
from tgrad.nn.module import Module
from tgrad.nn.parameter import Parameter, is_parameter


def _as_parameter(value: Any) -> Any:
    """A tensor as a parameter; other values as they are."""
    if isinstance(value, Tensor) and not is_parameter(value):
        return Parameter(value)
    return value


def _line(name: Any, value: Any, dtype: str) -> str:
    """What the text of a container says about a value."""
    if not isinstance(value, Tensor):
        return f"  ({name}): Object of type: {type(value).__name__}"
    kind = "Parameter" if is_parameter(value) else "Tensor"
    size = "x".join(map(str, value.shape))
    return f"  ({name}): {kind} containing: [{dtype} of size {size}]"


class _Values(Module):
    """What both containers share: a text, and that they can't be called."""

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        raise RuntimeError(f"{type(self).__name__} should not be called.")

    def _shown(self) -> Iterable[tuple[Any, Any]]:
        raise NotImplementedError

    def extra_repr(self) -> str:
        """A line for each value."""
        return "\n".join(_line(name, value, self._dtype_text(value)) for name, value in self._shown())

    def _dtype_text(self, value: Any) -> str:
        """How the text names the dtype of a tensor."""
        return repr(value.dtype) if isinstance(value, Tensor) else ""


class ParameterList(_Values):
    """A list whose tensors are registered as parameters."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _shown(self) -> Iterable[tuple[Any, Any]]:
        return enumerate(self)

    def __len__(self) -> int:
        return int(self._size)

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, str(number)) for number in range(len(self)))

    def _name(self, index: Any) -> str:
        number, size = as_index(index), len(self)
        if not -size <= number < size:
            raise DimensionError(f"index {number} is out of range")
        return str(number % size)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return getattr(self, self._name(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        setattr(self, self._name(index), _as_parameter(value))

    def append(self, value: Any) -> Any:
        """Add a value at the end."""
        number = len(self)
        self._size += 1
        self[number] = value
        return self

    def extend(self, values: Iterable[Any]) -> Any:
        """Add several values at the end."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise ArgumentError(
                "ParameterList.extend should be called with an iterable, but got " + type(values).__name__
            )
        for value in values:
            self.append(value)
        return self

    __iadd__ = extend


class ParameterDict(_Values):
    """A dictionary whose tensors are registered as parameters."""

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def _dtype_text(self, value: Any) -> str:
        return str(value.type()) if isinstance(value, Tensor) else ""

    def _shown(self) -> Iterable[tuple[Any, Any]]:
        return self.items()

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __getitem__(self, key: str) -> Any:
        return getattr(self, self._checked(key))

    def _checked(self, key: Any) -> str:
        if not isinstance(key, str):
            raise ArgumentError(
                "Index given to ParameterDict cannot be used as a key as it is not a string "
                f"(type is '{type(key).__name__}'). Open an issue on github if you need non-string "
                "keys."
            )
        return key

    def __setitem__(self, key: str, value: Any) -> None:
        self._keys[self._checked(key)] = None
        setattr(self, key, _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value under a key, which is set first if it isn't there."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Take all values out."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Any:
        """Take a value out."""
        found = self[key]
        del self[key]
        return found

    def popitem(self) -> tuple[str, Any]:
        """Take the last value out, with its key."""
        key, _ = self._keys.popitem()
        self._keys[key] = None
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value under a key, or a default."""
        return self[key] if key in self else default  # noqa: SIM401 - this is get

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A dictionary with one value under all keys."""
        return ParameterDict((key, default) for key in keys)

    def keys(self) -> Any:
        """The keys."""
        return self._keys.keys()

    def values(self) -> Iterable[Any]:
        """The values."""
        return (self[key] for key in self._keys)

    def items(self) -> Iterable[tuple[str, Any]]:
        """The keys with the values."""
        return ((key, self[key]) for key in self._keys)

    def update(self, parameters: Any) -> None:
        """Add values, or put them in the place of those under the same keys."""
        if isinstance(parameters, ParameterDict):
            parameters = dict(parameters.items())
        elif isinstance(parameters, Mapping) and type(parameters) is dict:
            parameters = {key: parameters[key] for key in sorted(parameters)}
        for key, value in pairs(parameters, "ParameterDict"):
            self[key] = value

    def copy(self) -> ParameterDict:
        """Another dictionary of the same values."""
        return ParameterDict({key: self[key] for key in self._keys})

    def __or__(self, other: ParameterDict) -> ParameterDict:
        result = self.copy()
        result.update(other)
        return result

    def __ior__(self, other: ParameterDict) -> Any:
        self.update(other)
        return self
