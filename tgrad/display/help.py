"""Help pages: what `tgrad.runtime.manual` knows, laid out for a width.

help_text("sin", shell)     the page of a name, or what was probably meant
help_text("", shell)        everything by area
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from tgrad.display.cells import text_width
from tgrad.runtime import manual
from tgrad.runtime.words import WORDS

if TYPE_CHECKING:
    from tgrad.display.console import Segment
    from tgrad.runtime.manual import Page

Line = list["Segment"]

LABEL: Final = 10
"""Columns of the labels."""

_WIDEST: Final = 100


def help_text(
    name: str, shell: Any, *, width: int | None = None, commands: Mapping[str, Any] | None = None
) -> list[Line]:
    """The lines of a help page; `commands` is the shell's table: each with `usage` and `help`."""
    width = min(width or shell.console.width, _WIDEST)
    name, commands = name.strip().rstrip("?"), commands or {}
    if not name:
        return overview(width, commands)
    if name.startswith(":"):
        return _command(name[1:], commands, width)
    found = manual.page(name, shell.session)
    if found is not None:
        return page_lines(found, width)
    if name in commands:
        return _command(name, commands, width)
    meant = manual.suggestion(name, shell.session, commands)
    hint = f"; did you mean {meant}?" if meant else "; :help lists what there is"
    return _filled([("message", f"there is no help on {name}{hint}")], width)


def _command(name: str, commands: Mapping[str, Any], width: int) -> list[Line]:
    if name not in commands:
        from tgrad.runtime.hints import closest

        meant = closest(name, commands)
        hint = f"; did you mean :{meant}?" if meant else "; :help lists them"
        return _filled([("message", f"there is no command :{name}{hint}")], width)
    command = commands[name]
    return [*_filled([("name", command.usage)], width), *_filled([("plain", command.help)], width, "  ")]


def overview(width: int, commands: Mapping[str, Any]) -> list[Line]:
    """`:help` alone: commands, words of the language, operators by area."""
    lines: list[Line] = _filled([("plain", ":help NAME or NAME? explains a name.")], width)
    if commands:
        lines += [[], [("title", "Commands")]]
        for command in commands.values():
            lines += _labelled(command.usage, [command.help], width, 22 if width >= 60 else 4)
    lines += [[], [("title", "Language")], *_filled([("plain", ", ".join(WORDS))], width, "  ")]
    for title, names in manual.areas():
        lines += [[], [("title", title)], *_filled([("plain", ", ".join(names))], width, "  ")]
    more = "torch.nn, torch.optim: :help NAME of a layer, a loss or an optimiser, such as :help Linear"
    return [*lines, [], *_filled([("hint", more)], width)]


def page_lines(page: Page, width: int) -> list[Line]:
    """A page in lines no wider than `width`, as long as its words are."""
    lines: list[Line] = []
    for signature in page.signatures:
        lines += _filled([("name", signature)], width, "", "    ")
    if page.about:
        lines += [[], *_filled([("plain", page.about)], width)]
    if page.facts:
        lines.append([])
    for label, texts in page.facts:
        lines += _labelled(label, texts, width, LABEL)
    if page.example is not None:
        lines += [[], [("title", "example")]]
        for line in page.example.lines:
            prompt = "  ...> " if line.startswith(" ") else "tgrad> "
            lines += _code(prompt, line, width)
        for line in page.example.output:
            lines += _cut(line, width)
    return lines


def _labelled(label: str, texts: Iterable[str], width: int, room: int) -> list[Line]:
    """A label, and texts beside it; below it where there is little room."""
    beside = width >= 60 and text_width(label) < room
    indent = " " * (room if beside else 2)
    lines: list[Line] = [] if beside else _filled([("operand", label)], width)
    for number, text in enumerate(texts):
        rows = _filled([("plain", text)], width, indent, indent + "  ")
        if beside and number == 0:
            rows[0] = [("operand", label.ljust(room)), *rows[0][1:]]
        lines += rows
    return lines


def _filled(pieces: Sequence[Segment], width: int, indent: str = "", more: str | None = None) -> list[Line]:
    """Text broken between words; a word that is wider than a line is broken anywhere."""
    more = indent if more is None else more
    style, text = pieces[0]
    rows: list[str] = []
    row = ""
    room = width - max(len(indent), len(more))
    for word in text.split(" "):
        while text_width(word) > room:
            free = room - text_width(row) - (1 if row else 0)
            if free < room // 2:
                rows, row = [*rows, row], ""
                free = room
            row, word = (f"{row} {word[:free]}" if row else word[:free]), word[free:]
            rows, row = [*rows, row], ""
        if row and text_width(row) + 1 + text_width(word) > room:
            rows, row = [*rows, row], word
        else:
            row = f"{row} {word}" if row else word
    if row or not rows:
        rows.append(row)
    return [[("plain", more if number else indent), (style, row)] for number, row in enumerate(rows)]


def _code(prompt: str, line: str, width: int) -> list[Line]:
    """A line of an example; what doesn't fit goes on below, as the prompt itself would show it."""
    room = width - len(prompt)
    pieces = [line[at : at + room] for at in range(0, len(line), room)]
    return [
        [
            ("prompt" if not number else "plain", prompt if not number else " " * len(prompt)),
            ("source", piece),
        ]
        for number, piece in enumerate(pieces)
    ]


def _cut(line: str, width: int) -> list[Line]:
    return [[("value", line[at : at + width])] for at in range(0, max(len(line), 1), width)]
