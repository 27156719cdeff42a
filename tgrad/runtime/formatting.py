"""`str.format` for programs: fields may index and read attributes, but only listed ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from tgrad.runtime.reflection import read_attribute

_DEPTH = 2
"""A field's format may have fields of its own, and these have none, as in Python."""

_CONVERSIONS: dict[str, Callable[[Any], str]] = {"r": repr, "s": str, "a": ascii}


class _Arguments:
    """What the fields of one call refer to, by number, by turn or by name."""

    def __init__(self, values: tuple[Any, ...], names: dict[str, Any]) -> None:
        self._values = values
        self._names = names
        self._turns: Iterator[int] = count()
        self._numbered: bool | None = None

    def value(self, key: int | str) -> Any:
        """The argument that a field begins with; an empty key is the next one in turn."""
        if isinstance(key, str) and key:
            return self._names[key]
        numbered = key != ""
        if self._numbered is not None and self._numbered != numbered:
            manual, automatic = "manual field specification", "automatic field numbering"
            change = (automatic, manual) if numbered else (manual, automatic)
            raise ValueError("cannot switch from {} to {}".format(*change))
        self._numbered = numbered
        index = key if isinstance(key, int) else next(self._turns)
        if index >= len(self._values):
            sentence = f"Replacement index {index} out of range for positional args tuple"
            raise IndexError(sentence)
        return self._values[index]


def _formatted(text: str, arguments: _Arguments, depth: int = _DEPTH) -> str:
    # `_string` holds the parts of `str.format` that `string.Formatter` is made from.
    import _string  # type: ignore[import-not-found]

    if depth == 0:
        raise ValueError("Max string recursion exceeded")
    parts: list[str] = []
    for literal, field, spec, conversion in _string.formatter_parser(text):
        parts.append(literal)
        if field is None:
            continue
        first, rest = _string.formatter_field_name_split(field)
        value = arguments.value(first)
        for is_attribute, name in rest:
            value = read_attribute(value, name) if is_attribute else value[name]
        if conversion is not None:
            if conversion not in _CONVERSIONS:
                raise ValueError(f"Unknown conversion specifier {conversion}")
            value = _CONVERSIONS[conversion](value)
        if "{" in spec or "}" in spec:
            spec = _formatted(spec, arguments, depth - 1)
        parts.append(format(value, spec))
    return "".join(parts)


def format_method(text: str) -> Callable[..., str]:
    """`text.format` as a program gets it."""
    text = str(text)  # an instance of a subclass (numpy.str_) has methods of its own

    def format(*args: Any, **kwargs: Any) -> str:
        return _formatted(text, _Arguments(args, kwargs))

    return format


def format_function(text: Any, /, *args: Any, **kwargs: Any) -> str:
    """`str.format` read from the class: the text comes first."""
    if not isinstance(text, str):
        kind = type(text).__name__
        raise TypeError(f"descriptor 'format' for 'str' objects doesn't apply to a '{kind}' object")
    return _formatted(str(text), _Arguments(args, kwargs))
