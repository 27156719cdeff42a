"""Results with named parts: `values, indices = x.max(dim=0)`."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, ClassVar, Final

from tgrad.core.text import named_tuple_text


class NamedResult(tuple[Any, ...]):
    """A tuple whose parts have names, printed as PyTorch prints it."""

    __slots__ = ()
    fields: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        parts = [(name, repr(value)) for name, value in zip(self.fields, self, strict=True)]
        return named_tuple_text(f"torch.return_types.{type(self).__name__}", parts)


_TYPES: Final[dict[str, type[NamedResult]]] = {}


def return_type(name: str, fields: Iterable[str]) -> type[NamedResult]:
    """The class of the results of an operator."""
    found = _TYPES.get(name)
    if found is None:
        fields = tuple(fields)
        parts: dict[str, Any] = {
            field: property(itemgetter(i)) for i, field in enumerate(fields)
        }
        parts.update(__slots__=(), __module__="torch.return_types", fields=fields)
        found = _TYPES[name] = type(name, (NamedResult,), parts)
    return found
