"""The program's own frames in a traceback, and where they stand in its source.

A frame belongs to the program when its globals are the session's names; those of tgrad, NumPy and
Python are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import CodeType, FrameType, TracebackType
from typing import Any, NamedTuple

from tgrad.source import Source, Span

CHAIN_HEAD, CHAIN_TAIL = 4, 4
"""How many calls of a long chain are shown at its two ends."""


class World(NamedTuple):
    """What a session knows that explains an error."""

    names: Mapping[str, Any]
    sources: Mapping[str, Source]
    executed: Sequence[tuple[CodeType, Source]]
    """The top-level statements that were started, the newest last."""
    builtins: Callable[[], frozenset[str]] = frozenset
    """The names that a program has without defining them."""


class Call(NamedTuple):
    """A frame of the program: which code, at which instruction, with which names."""

    code: CodeType
    instruction: int
    source: Source
    span: Span
    frame: FrameType
    inner: FrameType | None
    """The frame of tgrad's own that this one called, if the error came from there."""

    @property
    def operation(self) -> str:
        """The name of the instruction."""
        import dis

        return dis.opname[self.code.co_code[self.instruction]] if self.instruction >= 0 else ""


def calls_of(traceback: TracebackType | None, world: World) -> Iterator[Call]:
    """The program's frames, outermost first."""
    while traceback is not None:
        frame, after = traceback.tb_frame, traceback.tb_next
        source = world.sources.get(frame.f_code.co_filename)
        if source is not None and frame.f_globals is world.names:
            inner = None
            if after is not None and after.tb_frame.f_globals is not world.names:
                inner = after.tb_frame
            span = span_of(frame.f_code, traceback.tb_lasti, source)
            yield Call(frame.f_code, traceback.tb_lasti, source, span, frame, inner)
        traceback = after


def innermost_place(frame: FrameType | None, world: World) -> tuple[Source, int] | None:
    """The source and line of the program's own frame nearest to `frame`, looking outwards."""
    while frame is not None:
        if frame.f_globals is world.names:
            source = world.sources.get(frame.f_code.co_filename)
            if source is not None:
                return source, frame.f_lineno
        frame = frame.f_back
    return None


def span_of(code: CodeType, instruction: int, source: Source) -> Span:
    """The span of an instruction: columns as far as they are known, else its whole line."""
    positions = list(code.co_positions())
    index = instruction // 2
    if 0 <= index < len(positions):
        line, end_line, column, end_column = positions[index]
        if line is not None and column is not None:
            assert end_line is not None
            assert end_column is not None
            return source.span_of_bytes(line, column, end_line, end_column)
    else:
        line = None
    return whole_line(source, line or code.co_firstlineno)


def whole_line(source: Source, number: int) -> Span:
    text = source.line(number)
    return Span(number, len(text) - len(text.lstrip()), number, len(text.rstrip()))


def without_outer(calls: list[Call]) -> list[Call]:
    """Drop a frame whose span contains that of the frame inside it.

    A comprehension or a lambda written in place would otherwise show the same line twice.
    """
    kept = [outer for outer, inner in pairwise(calls) if not _contains(outer, inner)]
    return kept + calls[-1:]


def _contains(outer: Call, inner: Call) -> bool:
    a, b = outer.span, inner.span
    return (
        outer.source is inner.source
        and (a.line, a.column) <= (b.line, b.column)
        and (b.end_line, b.end_column) <= (a.end_line, a.end_column)
        and (a != b or inner.code.co_name.startswith("<"))
    )


def shorten(calls: list[Call]) -> list[tuple[Call, int]]:
    """The calls to show of a chain, each with the number of calls left out after it.

    Of a call that is repeated, as in a recursion, the first and the last are shown; of what is a
    long chain even so, the two ends.
    """
    shown: list[tuple[Call, int]] = []
    for call in calls:
        if len(shown) > 1 and all(
            (other.code, other.span) == (call.code, call.span) for other, _ in shown[-2:]
        ):
            shown[-2:] = [(shown[-2][0], shown[-2][1] + 1), (call, 0)]
        else:
            shown.append((call, 0))
    if len(shown) > CHAIN_HEAD + CHAIN_TAIL:
        cut = shown[CHAIN_HEAD - 1 : -CHAIN_TAIL]
        missing = sum(1 + left_out for _, left_out in cut) - 1
        shown[CHAIN_HEAD - 1 : -CHAIN_TAIL] = [(cut[0][0], missing)]
    return shown


def names_seen_by(call: Call, world: World) -> Mapping[str, Any]:
    """The names that the failing frame sees; a comprehension's frame sees its surroundings."""
    found: dict[str, Any] = {}
    frame: FrameType | None = call.frame
    while frame is not None and frame.f_globals is world.names:
        for name, value in frame.f_locals.items():
            found.setdefault(name, value)
        if not frame.f_code.co_name.startswith("<"):
            break
        frame = frame.f_back
    for name, value in world.names.items():
        found.setdefault(name, value)
    return found
