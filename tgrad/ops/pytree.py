"""Tensors in nested tuples, lists and dictionaries: taken apart into a list, and put together again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from tgrad.core.tensor import Size


class Spec:
    """The structure of a nested value: its kind, what distinguishes it among its kind, and its parts.

    A leaf, of whatever type, has no kind.
    """

    __slots__ = ("context", "kind", "parts")

    def __init__(self, kind: type | None, context: Any, parts: Sequence[Spec]) -> None:
        self.kind = kind
        self.context = context
        self.parts = tuple(parts)

    @property
    def leaves(self) -> int:
        """How many leaves a value of this structure has."""
        return 1 if self.kind is None else sum(part.leaves for part in self.parts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Spec):
            return NotImplemented
        mine, theirs = (self.kind, self.context, self.parts), (other.kind, other.context, other.parts)
        return mine == theirs

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return self._text("")

    def _text(self, indent: str) -> str:
        """The structure as PyTorch writes it in messages."""
        if self.kind is None:
            return "*"
        inner = indent + "  "
        parts = f",\n{inner}".join([part._text(inner) for part in self.parts])
        name = "namedtuple" if hasattr(self.kind, "_fields") else self.kind.__name__
        return f"TreeSpec({name}, {self.context}, [{parts}])"

    @property
    def pretty(self) -> str:
        """The structure as a value of it with stars for its leaves is written."""
        return repr(unflatten([_STAR] * self.leaves, self))


class _Star:
    def __repr__(self) -> str:
        return "*"


_STAR = _Star()
LEAF = Spec(None, None, ())


def _children(value: Any) -> tuple[Any, list[Any]] | None:
    """What distinguishes a container of its kind, and its children; None for a leaf."""
    kind = type(value)
    if kind in (dict, OrderedDict):
        return list(value), list(value.values())
    if kind is list:
        return None, value
    if kind is tuple:
        return None, list(value)
    if isinstance(value, tuple) and not isinstance(value, Size) and hasattr(value, "_fields"):
        return kind, list(value)
    return None


def flatten(value: Any) -> tuple[list[Any], Spec]:
    """The leaves of a nested value in order, and its structure."""
    found = _children(value)
    if found is None:
        return [value], LEAF
    leaves: list[Any] = []
    parts = []
    for child in found[1]:
        more, part = flatten(child)
        leaves += more
        parts.append(part)
    return leaves, Spec(type(value), found[0], parts)


def unflatten(leaves: Sequence[Any], spec: Spec) -> Any:
    """The value of a structure with these leaves."""
    if spec.kind is None:
        return leaves[0]
    children = []
    start = 0
    for part in spec.parts:
        end = start + part.leaves
        children.append(unflatten(leaves[start:end], part))
        start = end
    if spec.kind in (dict, OrderedDict):
        return spec.kind(zip(spec.context, children, strict=True))
    if hasattr(spec.kind, "_fields"):
        return spec.kind(*children)
    return spec.kind(children)


def map_leaves(function: Callable[[Any], Any], value: Any) -> Any:
    """The same structure with the function applied to each leaf."""
    leaves, spec = flatten(value)
    return unflatten([function(leaf) for leaf in leaves], spec)


def broadcast(prefix: Any, spec: Spec) -> list[Any] | None:
    """A value for each leaf of a structure, from a value whose structure is the upper part of it."""
    found = _children(prefix)
    if found is None:
        return [prefix] * spec.leaves
    context, children = found
    if spec.kind is not type(prefix) or len(children) != len(spec.parts):
        return None
    if spec.kind in (dict, OrderedDict) and context != spec.context:
        return None
    result: list[Any] = []
    for child, part in zip(children, spec.parts, strict=True):
        more = broadcast(child, part)
        if more is None:
            return None
        result += more
    return result
