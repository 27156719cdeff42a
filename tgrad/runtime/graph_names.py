"""What a graph's nodes are called in the program: names of tensors, pieces of source."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from tgrad.source import Source, Span

MOST_MEMBERS = 10_000
"""Names in a program's lists, dicts and modules are looked for in so many places."""


def named_tensors(names: Mapping[str, Any]) -> Iterator[tuple[int, tuple[Any, str]]]:
    """Tensors by id, each with the first name that the program has for it."""
    from tgrad.core.tensor import Tensor

    seen: set[int] = set()
    later: list[tuple[str, Any]] = []
    for name, value in list(names.items()):
        if name[:1] in "_.":
            continue
        if isinstance(value, Tensor):
            if id(value) not in seen:
                seen.add(id(value))
                yield id(value), (value, name)
        elif isinstance(value, (list, tuple, dict)) or _is_module(value):
            later.append((name, value))
    for name, value in later:
        for inner, member in _members(name, value):
            if id(member) not in seen:
                seen.add(id(member))
                yield id(member), (member, inner)


def _is_module(value: Any) -> bool:
    """Is it a network? If there is one, the module that defines them has been imported."""
    modules = sys.modules.get("tgrad.nn.module")
    return modules is not None and isinstance(value, modules.Module)


def _members(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Tensors in a list, a dict or a module, with the text that reads them."""
    from itertools import islice

    from tgrad.core.tensor import Tensor

    if isinstance(value, dict):
        pairs: Iterable[Any] = ((f"{name}[{key!r}]", each) for key, each in value.items())
    elif isinstance(value, (list, tuple)):
        pairs = ((f"{name}[{number}]", each) for number, each in enumerate(value))
    else:
        yield from ((f"{name}.{inner}", each) for inner, each in value.named_parameters())
        return
    for inner, each in islice(pairs, MOST_MEMBERS):
        if isinstance(each, Tensor):
            yield inner, each
        elif _is_module(each):
            yield from ((f"{inner}.{key}", p) for key, p in each.named_parameters())


@dataclass(slots=True)
class Sources:
    """Finds the pieces of source that instructions came from."""

    find: Callable[[str], Source | None]
    """The source by the file name of a code object."""
    _pieces: dict[tuple[int, int], tuple[int, str | None, int | None, str | None]] = field(
        default_factory=dict
    )
    _codes: list[CodeType] = field(default_factory=list)
    _files: dict[str, Source | None] = field(default_factory=dict)

    def piece(self, code: CodeType, instruction: int) -> tuple[int, str | None, int | None, str | None]:
        """A number for the place, its file, its line and its text."""
        key = (id(code), instruction)
        found = self._pieces.get(key)
        if found is None:
            self._codes.append(code)  # so that its id stays its own
            found = self._pieces[key] = (len(self._pieces) + 1, *self._read(code, instruction))
        return found

    def _read(self, code: CodeType, instruction: int) -> tuple[str | None, int | None, str | None]:
        from tgrad.runtime.frames import span_of

        name = code.co_filename
        if name not in self._files:
            self._files[name] = self.find(name)
        source = self._files[name]
        if source is None:
            return None, None, None
        span = span_of(code, instruction, source)
        return source.name, span.line, _text_of(source, span)


def _text_of(source: Source, span: Span) -> str:
    """The text of a span in one line."""
    lines = [source.line(number) for number in range(span.line, span.end_line + 1)]
    if not lines:
        return ""
    lines[-1] = lines[-1][: span.end_column]
    lines[0] = lines[0][span.column :]
    return " ".join(" ".join(lines).split())
