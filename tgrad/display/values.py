"""The rich form of a value: what a tensor is and holds, and its gradient likewise.

w  float32[2, 3] · 6 elements · 24 B · cpu · requires_grad · -1.2 to 0.9 · mean 0.1 · std 0.8
   0.1000  -1.2000   0.9000
  ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tgrad.core.tensor import Tensor, host_array
from tgrad.display.cells import clip, text_width
from tgrad.display.console import Segment
from tgrad.display.grid import grid
from tgrad.display.header import flags, header, type_text, value_facts, wrapped
from tgrad.display.look import Look, colors
from tgrad.display.numbers import count_text, size_text
from tgrad.display.statistics import Array, statistics

Row = list[Segment]

MOST_LINES = 20
"""So many lines of values are shown at most, however high the terminal is."""

DEEPEST = 6
"""Containers inside of each other are looked into so far."""

LINES_AROUND = 4
"""Lines of a screen that are left to the input and the prompt."""


def render(
    value: Any,
    *,
    width: int,
    color: bool | int = False,
    unicode: bool = True,
    plain: bool = False,
    name: str | None = None,
    precision: int | None = None,
    height: int = 24,
) -> list[Row]:
    """The lines of a value: tensors in the rich form, containers of them part by part, else its `repr`.

    width, height: of the terminal; no line is wider, and tensors are cut to fit.
    color: whether or how many; the lines of values have the sixteen colours of the theme.
    unicode: whether signs outside of ASCII may be used.
    plain: say in words what signs would say.
    name: what the value is called.
    precision: digits after the point; by default what `set_printoptions` says.
    """
    look = Look(width, height, colors(color), unicode, plain, precision)
    return lines_of(value, look, name)


def lines_of(value: Any, look: Look, name: str | None = None) -> list[Row]:
    """`render` for a look that is at hand."""
    if is_array(value):
        return list(_with_gradient(value, look, name))
    if _is_module(value):
        return list(_module(value, look))
    parts = list(_parts(value, name or "", 0))
    if any(is_array(part) for _, part in parts):
        return list(_container(value, parts, look, name))
    return [[("plain", line)] for line in repr(value).split("\n")]


def is_array(value: Any) -> bool:
    """Is a value a tensor or an array of numbers?  A lazy parameter, of another class, is neither yet."""
    return type(value) is Tensor or (isinstance(value, np.ndarray) and value.dtype.kind in "biufc")


def array_of(value: Any) -> Array:
    """The elements of a tensor or array as a NumPy array; copied only from another device."""
    found: Array = host_array(value) if isinstance(value, Tensor) else value
    return found


def gradient_of(value: Any) -> Tensor | None:
    """A tensor's gradient; asking for it warns of nothing."""
    return value._grad if isinstance(value, Tensor) else None


def _with_gradient(value: Any, look: Look, name: str | None) -> Iterator[Row]:
    gradient = gradient_of(value)
    lines = look.height - LINES_AROUND
    if gradient is not None:
        lines //= 2
    yield from _tensor(value, look, name, lines)
    if gradient is not None:
        yield from _tensor(gradient, look, f"{name}.grad" if name else "grad", lines)


def _tensor(value: Any, look: Look, name: str | None, lines: int) -> Iterator[Row]:
    """The header and the values, together on so many lines if at all possible."""
    array = array_of(value)
    rows = header(value, statistics(array), look, name)
    yield from rows
    yield from grid(array, look, max(1, min(lines - len(rows), MOST_LINES)))


def summary(value: Any, look: Look, name: str | None = None) -> list[Row]:
    """The header of a tensor or array alone."""
    return header(value, statistics(array_of(value)), look, name)


# ---------------------------------------------------------------------- containers


def _parts(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """What is in a container, with its path: `[0]`, `['w']`, `.values`; containers inside are opened."""
    inside: list[tuple[str, Any]]
    if depth > DEEPEST:
        inside = []
    elif isinstance(value, Mapping):
        inside = [(f"{path}[{key!r}]", part) for key, part in value.items()]
    elif isinstance(value, tuple) and (fields := _fields(value)):
        inside = [(f"{path}.{field}", part) for field, part in zip(fields, value, strict=True)]
    elif isinstance(value, (list, tuple)) and any(_may_hold(part) for part in value):
        inside = [(f"{path}[{i}]", part) for i, part in enumerate(value)]
    else:
        inside = []
    if not inside:
        yield path, value
    for place, part in inside:
        yield from _parts(part, place, depth + 1)


def _may_hold(value: Any) -> bool:
    return is_array(value) or isinstance(value, (list, tuple, Mapping))


def _fields(value: tuple[Any, ...]) -> tuple[str, ...]:
    """The names of a named tuple's parts."""
    names: tuple[str, ...] = getattr(value, "_fields", getattr(value, "fields", ()))
    return tuple(names) if len(names) == len(value) else ()


def _container(value: Any, parts: list[tuple[str, Any]], look: Look, name: str | None) -> Iterator[Row]:
    """Each part with its path; the values as well where there is room for those of all."""
    kind = type(value).__name__
    title: Row = [("name", name), ("plain", "  ")] if name else []
    yield [*title, ("type", kind), ("fact", f" of {count_text(len(value), 'part')}")]
    room = look.height - LINES_AROUND - 1
    shown = parts[: max(room, 1)]
    each = room // len(shown)
    for path, part in shown:
        if not is_array(part):
            yield _short_repr(path, part, look)
            continue
        rows = summary(part, look, path)
        yield from rows
        if each > len(rows):
            yield from grid(array_of(part), look, each - len(rows))
    if len(parts) > len(shown):
        dots = look.glyph("⋮", "...")
        yield [("index", f"{dots} {count_text(len(parts) - len(shown), 'more part')}")]


def _short_repr(path: str, part: Any, look: Look) -> Row:
    path = clip(path, look.width // 2)
    text = clip(repr(part).split("\n")[0], look.width - text_width(path) - 2)
    return [("name", path), ("plain", "  "), ("plain", text)]


# ---------------------------------------------------------------------- modules


def _is_module(value: Any) -> bool:
    """Is this an `nn.Module`?  `tgrad.nn` isn't imported for the question."""
    return not isinstance(value, type) and hasattr(value, "named_parameters") and hasattr(value, "forward")


def _module(module: Any, look: Look) -> Iterator[Row]:
    """A module's own text, then a line for each parameter and its gradient."""
    for line in repr(module).split("\n"):
        yield [("plain", line)]
    parameters = list(module.named_parameters())
    count = size = 0
    for path, parameter in parameters:
        if not is_array(parameter):
            yield [("name", path), ("fact", "  without a shape yet")]
            continue
        count, size = count + parameter._array.size, size + parameter.nbytes
        yield from _parameter(path, parameter, look)
    if parameters:
        yield [("fact", f"{count_text(count, 'parameter')}, {size_text(size)}")]


def _parameter(path: str, parameter: Tensor, look: Look) -> Iterator[Row]:
    seen = statistics(array_of(parameter))
    first: Row = [("name", path), ("plain", "  "), ("type", type_text(parameter))]
    facts = [first, *value_facts(seen, parameter, look), *flags(seen, parameter)]
    if not parameter.requires_grad:
        facts.append([("flag", "frozen")])
    if (gradient := gradient_of(parameter)) is not None:
        seen = statistics(array_of(gradient))
        inner = [[("fact", "grad")], *value_facts(seen, gradient, look), *flags(seen, gradient)]
        facts += inner
    yield from wrapped(facts, look)
