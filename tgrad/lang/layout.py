"""Lines and blocks: line ends, blank lines, indentation by Python's rules."""

from __future__ import annotations

import re

from tgrad.lang.characters import ScanError
from tgrad.lang.tables import END
from tgrad.lang.tokens import Bracket, Row

MAX_INDENTS = 100
_TAB = 8
_SPACE = re.compile(r"[ \t\f]*")
_NOTHING = re.compile(r"(?:[ \t\f]*(?:#[^\n]*)?\n)*")


class Layout:
    """The part of the scanner that knows where lines and blocks begin and end."""

    def _start(self, text: str) -> None:
        self.text = text if text.endswith("\n") else text + "\n"
        self.size = len(text)
        self.rows: list[Row] = []
        self.brackets: list[Bracket] = []
        self.indents = [(0, 0)]
        self.line = 1
        self.line_start = 0

    # -- tokens

    def _add(self, kind: str, text: str, start: int, end: int) -> None:
        """Adds a token of the current line."""
        begin = self.line_start
        self.rows.append((kind, text, start, self.line, start - begin, self.line, end - begin))

    def _add_long(self, kind: str, text: str, start: int, end: int) -> None:
        """Adds a token that may go over several lines, and counts them."""
        line, column = self.line, start - self.line_start
        newlines = self.text.count("\n", start, end)
        if newlines:
            self.line += newlines
            self.line_start = self.text.rfind("\n", start, end) + 1
        end_column = end - self.line_start
        self.rows.append((kind, text, start, line, column, self.line, end_column))

    def _add_layout(self, kind: str, position: int) -> None:
        """Adds a token without extent: it ends where the token before it ends."""
        column = position - self.line_start
        end_line, end_column = self.rows[-1][5:] if self.rows else (self.line, column)
        self.rows.append((kind, "", position, self.line, column, end_line, end_column))

    # -- lines and blocks

    def _end(self) -> None:
        size = self.size
        if self.brackets:
            self._add_layout(END, size)
            return
        if self.rows and self.rows[-1][0] not in ("_NEWLINE", "_DEDENT"):
            self._add_layout("_NEWLINE", size)
        for _ in self.indents[1:]:
            self._add_layout("_DEDENT", size)
        self._add_layout(END, size)

    def _end_of_line(self, start: int, end: int) -> int:
        """At a comment or a line end; `end` is behind the line end."""
        if end > self.size:
            return end
        if self.brackets:
            self.line += 1
            self.line_start = end
            return end
        self._add_layout("_NEWLINE", start)
        self.line += 1
        self.line_start = end
        return self._line_begin(end)

    def _line_begin(self, position: int) -> int:
        """Skips lines that mean nothing, and compares the indentation of the next one."""
        found = _NOTHING.match(self.text, position)
        assert found
        if found.end() > position:
            self.line += self.text.count("\n", position, found.end())
            self.line_start = self.text.rfind("\n", 0, found.end()) + 1
            position = found.end()
        if position >= self.size:
            return position
        space = _SPACE.match(self.text, position)
        assert space
        if space.end() > position or len(self.indents) > 1:
            self._indent(space[0], position, space.end())
        return space.end()

    def _indent(self, space: str, start: int, end: int) -> None:
        wide, narrow = _widths(space)
        indents = self.indents
        if wide == indents[-1][0]:
            if narrow != indents[-1][1]:
                raise self._tabs(start, end)
        elif wide > indents[-1][0]:
            if narrow <= indents[-1][1]:
                raise self._tabs(start, end)
            if len(indents) >= MAX_INDENTS:
                raise ScanError("too many blocks inside of each other", start, end)
            indents.append((wide, narrow))
            self._add_layout("_INDENT", end)
        else:
            while wide < indents[-1][0]:
                indents.pop()
                self._add_layout("_DEDENT", end)
            if wide != indents[-1][0]:
                raise ScanError(
                    "this line is indented less than its block and more than the block around it",
                    start,
                    end,
                    "Indent it exactly as the line it belongs with.",
                )
            if narrow != indents[-1][1]:
                raise self._tabs(start, end)

    def _tabs(self, start: int, end: int) -> ScanError:
        return ScanError(
            "inconsistent use of tabs and spaces in indentation",
            start,
            end,
            "Indent with spaces only, or with tabs only.",
        )


def _widths(space: str) -> tuple[int, int]:
    """The width of an indentation with tabs to multiples of eight, and with tabs of one column.

    Two indentations are compared by both, so that how wide a tab is shown makes no difference.
    """
    wide = narrow = 0
    for character in space:
        if character == "\f":
            wide = narrow = 0
        else:
            wide = (wide // _TAB + 1) * _TAB if character == "\t" else wide + 1
            narrow += 1
    return wide, narrow
