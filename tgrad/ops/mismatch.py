"""The text of PyTorch's error for a call that fits none of several overloads.

PyTorch takes the overloads' printed signatures apart again to say why one didn't match; where its
reading of them is rough (a default's value counts as the parameter's name, `()` has one parameter
without a name), so is the message, and it is followed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

TypeName = Callable[[Any], str]

_ALSO = {"float": ("float", "int", "long"), "int": ("int", "long")}


def combination_error(
    name: str,
    signatures: Sequence[str],
    args: Sequence[Any],
    keywords: Mapping[str, Any],
    type_name: TypeName,
) -> str:
    """The message, with each signature and, where the number of arguments fits, what is wrong."""
    if len(signatures) == 1:
        return _of_one(name, signatures[0], args, keywords, type_name)
    lines = [
        f"{name}() received an invalid combination of arguments - got "
        f"{_described(args, keywords, type_name)}, but expected one of:"
    ]
    for text in signatures:
        lines.append(f" * {text}")
        reason = _reason(text, args, keywords, type_name)
        if reason is not None:
            lines.append(f"      didn't match because some of the {reason}")
    return "\n".join(lines) + "\n"


def _of_one(
    name: str, text: str, args: Sequence[Any], keywords: Mapping[str, Any], type_name: TypeName
) -> str:
    """The message where only one signature is listed, on one line."""
    head = f"{name}() received an invalid combination of arguments - got"
    parameters = _parameters(text)
    known = {name for _, name in parameters[max(len(parameters) - len(keywords), 0) :]}
    unknown = [key for key in reversed(list(keywords)) if key not in known]
    if unknown:
        return f"{head} unrecognized keyword arguments: {', '.join(unknown)}"
    got = _described(args, keywords, type_name)
    if len(parameters) == len(args) + len(keywords):
        got = _compared(parameters, args, keywords, type_name)
    return f"{head} {got}, but expected {text}"


def _parameters(text: str) -> list[tuple[str, str]]:
    """Kinds and names as PyTorch reads them: what follows the last space is the name."""
    split = [part.rpartition(" ") for part in text[1:-1].split(", ")]
    return [(kind, name) for kind, _, name in split]


def _described(args: Sequence[Any], keywords: Mapping[str, Any], type_name: TypeName) -> str:
    """`(int, dim=str)`; keywords come in the reverse order, as in PyTorch's hash table."""
    words = [type_name(value) for value in args]
    words += [f"{key}={type_name(value)}" for key, value in reversed(list(keywords.items()))]
    text = "".join(f"{word}, " for word in words)
    return f"({text[:-2] if args else text})"


def _reason(text: str, args: Sequence[Any], keywords: Mapping[str, Any], type_name: TypeName) -> str | None:
    parameters = _parameters(text)
    if len(parameters) != len(args) + len(keywords):
        return None
    first = max(len(parameters) - len(keywords), 0)
    known = {name for _, name in parameters[first:]}
    unmatched = [key for key in reversed(list(keywords)) if key not in known]
    if unmatched:
        return f"keywords were incorrect: {', '.join(unmatched)}"
    return f"arguments have invalid types: {_compared(parameters, args, keywords, type_name)}"


def _compared(
    parameters: Sequence[tuple[str, str]],
    args: Sequence[Any],
    keywords: Mapping[str, Any],
    type_name: TypeName,
) -> str:
    """The types of the arguments, with those that don't fit between exclamation marks."""
    values = list(args) + [keywords[name] for _, name in parameters[len(args) :]]
    words = []
    for place, ((kind, name), value) in enumerate(zip(parameters, values, strict=True)):
        label = f"{name}=" if place >= len(args) else ""
        mark = "" if type_name(value) in _ALSO.get(kind, (kind,)) else "!"
        words.append(f"{mark}{label}{_elements(value, type_name)}{mark}")
    listed = "".join(f"{word}, " for word in words)
    return f"({listed[:-2] if args else listed})"


def _elements(value: Any, type_name: TypeName) -> str:
    """A value's type; for a tuple or list with those of its elements."""
    if not isinstance(value, (tuple, list)):
        return type_name(value)
    inside = ", ".join(type_name(item) for item in value)
    if isinstance(value, tuple):
        return f"{type_name(value)} of ({inside}{',' if len(value) == 1 else ''})"
    return f"{type_name(value)} of [{inside}]"
