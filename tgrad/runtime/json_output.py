"""`--json`: one strict JSON object a line, for values, printed text, warnings and errors.

Every record has `version`, the format's number, and `kind`.  By kind it also has

    value     statement, line, name (null unless the statement is a name), type, and of a tensor
              dtype, shape, data, requires_grad, and grad (dtype, shape, data) when there is one;
              of other values data, or text where JSON has nothing like it
    print     statement, line, text (with its line end)
    warning   type, message, file, line
    error     type, message, file, line, column, end (line, column), hint, exit_code;
              without a place if it has none

Statements count from 1 within the program, lines and columns from 1, an end is exclusive.

NaN and the infinities, which JSON doesn't have, are the strings "NaN", "Infinity" and "-Infinity".
A number of a tensor is written with the fewest digits that give the same number back in the
tensor's dtype.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

from tgrad.runtime.output import DrawDiagnostic, Output, warning_line

if TYPE_CHECKING:
    from tgrad.lang import Statement
    from tgrad.runtime.diagnostic import Diagnostic

VERSION = 1
"""The format's number; it goes up when a reader of the old format would misread the new one."""

NAMES_OF_NUMBERS = {"nan": '"NaN"', "inf": '"Infinity"', "-inf": '"-Infinity"'}

STAND_INS = {"ClassView": "type", "Namespace": "module"}
"""What a program takes for classes and modules, and what these are called."""

CHUNK = 4096
"""So many numbers are turned into text at a time."""

DEEPEST = 100
"""Lists and dicts nested deeper than this are written as text."""

_text = json.JSONEncoder(ensure_ascii=True).encode


class JsonReporter:
    """Writes what a program does as records; the error stream keeps the error's drawing."""

    def __init__(self, output: Output, errors: Output, draw: DrawDiagnostic) -> None:
        self._output = output
        self._errors = errors
        self._draw = draw
        self._printed = _PrintedText(self)
        self._number = 0
        self._statement: Statement | None = None

    @property
    def output(self) -> _PrintedText:
        """The stream that the program's `print` writes to: every write becomes a record."""
        return self._printed

    def statement_begins(self, number: int, statement: Statement) -> None:
        """The records that follow are this statement's."""
        self._number, self._statement = number, statement

    def value(self, value: object) -> None:
        """Write a record for a value that is shown."""
        name = self._statement.name if self._statement is not None else None
        self._record("value", {**self._here(), "name": name}, _value_fields(value))

    def printed(self, text: str) -> None:
        """Write a record for text that the program printed."""
        self._record("print", {**self._here(), "text": text})

    def statement_ends(self) -> None:
        """Let a reader see what the statement wrote."""
        self._output.flush()

    def warning(self, text: str, category: str, place: str, line: int | None) -> None:
        """Write a record for a warning, and its line to the error stream."""
        head = {"type": category, "message": text, "file": place, "line": line}
        self._record("warning", head)
        self._output.flush()
        self._errors.write(warning_line(text, category, place, line))
        self._errors.flush()

    def error(self, diagnostic: Diagnostic) -> None:
        """Write a record for the error that ended the program, and draw it."""
        head: dict[str, Any] = {"type": diagnostic.kind, "message": diagnostic.message}
        if diagnostic.places:
            place = diagnostic.places[-1]
            span = place.span
            head["file"] = place.source.name
            head["line"], head["column"] = span.line, span.column + 1
            head["end"] = {"line": span.end_line, "column": span.end_column + 1}
        head["hint"] = diagnostic.hint
        head["exit_code"] = diagnostic.exit_code
        with suppress(OSError):  # the error may be that nothing can be written
            self._record("error", head)
            self._output.flush()
        self._draw(diagnostic)

    def _here(self) -> dict[str, Any]:
        line = self._statement.line if self._statement is not None else None
        return {"statement": self._number, "line": line}

    def _record(self, kind: str, head: dict[str, Any], more: Iterable[str] = ()) -> None:
        fields = {"version": VERSION, "kind": kind, **head}
        self._output.write("{" + ", ".join(f"{_text(k)}: {_text(v)}" for k, v in fields.items()))
        end = "\n"  # an interrupted record has a line of its own
        try:
            for piece in more:
                self._output.write(piece)
            end = "}\n"
        finally:
            self._output.write(end)


class _PrintedText:
    """What `print` writes to in JSON mode."""

    def __init__(self, reporter: JsonReporter) -> None:
        self._reporter = reporter

    def write(self, text: str) -> int:
        if text:
            self._reporter.printed(text)
        return len(text)

    def flush(self) -> None:
        """Records are whole lines: there is nothing to hold back."""

    def isatty(self) -> bool:
        return False


def _value_fields(value: object) -> Iterable[str]:
    """The fields of a value's record that depend on what it is, each with its leading comma.

    All but a tensor's are made at once: what fails should fail before the record is begun.
    """
    name = type(value).__name__
    kind = f', "type": {_text(STAND_INS.get(name, name))}'
    if _is_tensor(value):
        return chain([kind], _fields_of_tensor(value))
    if _is_plain(value, []):
        return [kind, ', "data": ', *_plain_pieces(value)]
    return [kind, f', "text": {_text(repr(value))}']


def _fields_of_tensor(tensor: Any) -> Iterator[str]:
    yield from _tensor_fields(tensor)
    yield f', "requires_grad": {_text(bool(tensor.requires_grad))}'
    if (tensor.is_leaf or tensor.retains_grad) and tensor.grad is not None:
        yield ', "grad": {'
        yield from _without_comma(_tensor_fields(tensor.grad))
        yield "}"


def _tensor_fields(tensor: Any) -> Iterator[str]:
    dtype = str(tensor.dtype).removeprefix("torch.")
    yield f', "dtype": {_text(dtype)}, "shape": {_text(list(tensor.shape))}, "data": '
    yield from _array_pieces(_array_of(tensor))


def _without_comma(pieces: Iterator[str]) -> Iterator[str]:
    yield next(pieces).removeprefix(", ")
    yield from pieces


def _array_of(value: Any) -> Any:
    """The NumPy array of a tensor or of an array."""
    if not hasattr(value, "detach"):
        return value
    from tgrad.core.tensor import host_array

    return host_array(value)


def _array_pieces(array: Any) -> Iterator[str]:
    """The numbers of an array as nested JSON lists, in pieces of bounded size."""
    if array.ndim == 0:
        yield _number(str(array[()]), array.dtype.kind)
    elif array.ndim == 1:
        yield "["
        for start in range(0, len(array), CHUNK):
            part = array[start : start + CHUNK]
            # The text of a NumPy scalar is the shortest that its own dtype reads back.
            numbers = ", ".join(_number(text, array.dtype.kind) for text in map(str, part))
            yield numbers if start == 0 else f", {numbers}"
        yield "]"
    else:
        yield "["
        for index, row in enumerate(array):
            if index:
                yield ", "
            yield from _array_pieces(row)
        yield "]"


def _number(text: str, kind: str) -> str:
    if kind in "fV":  # V: bfloat16
        return NAMES_OF_NUMBERS.get(text, text)
    return text.lower() if kind == "b" else text


def _is_tensor(value: object) -> bool:
    tensors = sys.modules.get("tgrad.core.tensor")
    return tensors is not None and isinstance(value, tensors.Tensor)


def _is_array(value: object) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic))


def _is_plain(value: object, path: list[int]) -> bool:
    """Can the value be written as JSON: numbers, text, arrays, and lists and dicts of these?"""
    if value is None or isinstance(value, (bool, int, float, str)):
        return True
    if _is_tensor(value):
        return True
    if _is_array(value):
        return value.dtype.kind in "fbiu"  # type: ignore[attr-defined]
    if id(value) in path or len(path) > DEEPEST:
        return False
    inside = [*path, id(value)]
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(v, inside) for key, v in value.items())
    return isinstance(value, (list, tuple)) and all(_is_plain(each, inside) for each in value)


def _plain_pieces(value: Any) -> Iterator[str]:
    if _is_tensor(value) or _is_array(value):
        yield from _array_pieces(_array_of(value))
    elif isinstance(value, float):
        plain = float(value)
        name = "nan" if isnan(plain) else "inf" if plain > 0 else "-inf"
        yield repr(plain) if isfinite(plain) else NAMES_OF_NUMBERS[name]
    elif isinstance(value, dict):
        yield "{"
        for index, (key, each) in enumerate(value.items()):
            yield f"{', ' if index else ''}{_text(key)}: "
            yield from _plain_pieces(each)
        yield "}"
    elif isinstance(value, (list, tuple)):
        yield "["
        for index, each in enumerate(value):
            if index:
                yield ", "
            yield from _plain_pieces(each)
        yield "]"
    else:
        yield _text(value)
