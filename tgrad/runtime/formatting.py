"""`str.format` for programs: fields may index and read attributes, but only listed ones."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tgrad.runtime.reflection import read_attribute


class _Formatter(string.Formatter):
    """Python's `str.format`, with attribute reads checked and Python's own error sentences."""

    def get_field(
        self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[Any, Any]:
        # Splits a field such as `0.shape[1]` as Python does; `_string` is what `string` uses.
        import _string  # type: ignore[import-not-found]

        first, rest = _string.formatter_field_name_split(field_name)
        value = self.get_value(first, args, kwargs)
        for is_attribute, name in rest:
            value = read_attribute(value, name) if is_attribute else value[name]
        return value, first

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if isinstance(key, int) and key >= len(args):
            raise IndexError(
                f"Replacement index {key} out of range for positional args tuple"
            ) from None
        return super().get_value(key, args, kwargs)


_formatter = _Formatter()


def format_method(text: str) -> Callable[..., str]:
    """`text.format` as a program gets it."""
    text = str(text)  # an instance of a subclass (numpy.str_) has methods of its own

    def format(*args: Any, **kwargs: Any) -> str:
        return _formatter.vformat(text, args, kwargs)

    return format


def format_function(text: Any, /, *args: Any, **kwargs: Any) -> str:
    """`str.format` read from the class: the text comes first."""
    if not isinstance(text, str):
        kind = type(text).__name__
        raise TypeError(f"descriptor 'format' for 'str' objects doesn't apply to a '{kind}' object")
    return _formatter.vformat(str(text), args, kwargs)
