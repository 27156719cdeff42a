"""Exception -> Diagnostic: where it happened, with which operands, and what to do about it.

Only plain data comes out of here; `tgrad.display.diagnostic` draws it.  Frames of tgrad, NumPy and
Python themselves are left out: a frame belongs to the program when its globals are the session's
names.  This module is imported when something has gone wrong, not before.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import CodeType, FrameType, TracebackType
from typing import Any

from tgrad.errors import LimitReached, ProgramError, TgradError, builtin_name
from tgrad.runtime import assignments, hints, operands
from tgrad.runtime.output import BUG_NOTE
from tgrad.source import Source, Span

EXIT_ERROR, EXIT_USAGE, EXIT_SYNTAX, EXIT_ASSERTION = 1, 2, 3, 4
EXIT_DENIED, EXIT_LIMIT, EXIT_INTERRUPTED, EXIT_BROKEN_PIPE = 5, 6, 130, 141

FREED_NOTE = "what this saved for the backward pass is freed"
IN_PLACE_NOTE = "the backward pass of this needs a value that was changed since"
NODE_NOTE = "the derivative of this was being computed"

CHAIN_HEAD, CHAIN_TAIL = 4, 4
"""How many calls of a long chain are shown at its two ends."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch to underline: the failing operator or name, or one of its operands."""

    span: Span
    primary: bool


@dataclass(frozen=True, slots=True)
class Label:
    """What a name stood for: its dtype and shape, and where it was assigned."""

    name: str
    text: str
    where: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A piece of source to show, with what is underlined in it."""

    source: Source
    span: Span
    marks: tuple[Mark, ...] = ()
    labels: tuple[Label, ...] = ()
    title: str | None = None
    note: str | None = None
    left_out: int = 0
    """So many calls between this place and the next are left out."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """An error as plain data; the last place is where it happened, those before it led there."""

    kind: str
    message: str
    exit_code: int
    places: tuple[Place, ...] = ()
    related: tuple[Place, ...] = ()
    notes: tuple[str, ...] = ()
    hint: str | None = None

    @property
    def last_line(self) -> str:
        """`RuntimeError: the sentence`, what an error always ends with."""
        return f"{self.kind}: {self.message}" if self.message else self.kind


@dataclass(frozen=True, slots=True)
class World:
    """What a session knows that explains an error."""

    names: Mapping[str, Any]
    sources: Mapping[str, Source]
    executed: Sequence[tuple[CodeType, Source]]
    """The top-level statements that were started, the newest last."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A frame of the program: which code, at which instruction, with which names."""

    code: CodeType
    instruction: int
    source: Source
    span: Span
    frame: FrameType
    inner: FrameType | None
    """The frame of tgrad's own that this one called, if the error came from there."""


def diagnose(error: BaseException, world: World) -> Diagnostic:
    """Explain an error that ended a program."""
    if isinstance(error, ProgramError):
        return _of_program_text(error)
    calls = list(_calls(error.__traceback__, world))
    if isinstance(error, KeyboardInterrupt):
        return _interrupted(calls)
    if isinstance(error, LimitReached):
        calls = _stopped(error, calls, world)
    shown = [_place(*each) for each in _shorten(_without_outer(calls))]
    if shown and not isinstance(error, LimitReached):
        shown[-1] = _explained(calls, shown[-1], world, error)
    kind, message = name_of(error), message_of(error)
    return Diagnostic(
        kind,
        message,
        exit_code(error),
        places=tuple(shown),
        related=_related(error, world),
        notes=_notes(error, world),
        hint=_hint(error, calls, world),
    )


def exit_code(error: BaseException) -> int:
    """The process's exit code for an error that ended a program."""
    if isinstance(error, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    if isinstance(error, LimitReached):
        return EXIT_LIMIT
    if isinstance(error, PermissionError):
        return EXIT_DENIED
    if isinstance(error, ProgramError):
        return EXIT_SYNTAX
    return EXIT_ASSERTION if isinstance(error, AssertionError) else EXIT_ERROR


def name_of(error: BaseException) -> str:
    """The name of an error's class, as Python's traceback would end with it.

    A private subclass (NumPy's `_ArrayMemoryError`) goes by its public base.
    """
    if isinstance(error, TgradError):
        return builtin_name(error)
    kind = next(base for base in type(error).__mro__ if not base.__name__.startswith("_"))
    if kind.__module__.partition(".")[0] == "numpy":
        return f"{kind.__module__}.{kind.__qualname__}"
    return kind.__name__


def message_of(error: BaseException) -> str:
    """The error's sentence."""
    try:
        return str(error)
    except Exception:
        return "<exception str() failed>"


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
    return _whole_line(source, line or code.co_firstlineno)


def _of_program_text(error: ProgramError) -> Diagnostic:
    place = Place(error.source, error.span, (Mark(error.span, True),))
    related = tuple(
        Place(error.source, span, (Mark(span, True),), note=note) for span, note in error.notes
    )
    return Diagnostic(
        builtin_name(error),
        message_of(error),
        exit_code(error),
        places=(place,),
        related=related,
        hint=error.hint,
    )


def _interrupted(calls: list[_Call]) -> Diagnostic:
    where = ""
    if calls:
        where = f" at {calls[-1].source.name}:{calls[-1].span.line}"
    return Diagnostic("KeyboardInterrupt", f"interrupted{where}", EXIT_INTERRUPTED)


def _stopped(error: LimitReached, calls: list[_Call], world: World) -> list[_Call]:
    """The calls at the moment when a limit was reached, by line: it may be at any instruction."""
    if not calls and error.__context__ is not None:  # what the limit on memory is made of
        calls = list(_calls(error.__context__.__traceback__, world))
    return [
        *calls[:-1],
        *(replace(call, span=_whole_line(call.source, call.span.line)) for call in calls[-1:]),
    ]


def _whole_line(source: Source, number: int) -> Span:
    text = source.line(number)
    return Span(number, len(text) - len(text.lstrip()), number, len(text.rstrip()))


def _calls(traceback: TracebackType | None, world: World) -> Iterator[_Call]:
    """The program's frames, outermost first."""
    while traceback is not None:
        frame, after = traceback.tb_frame, traceback.tb_next
        source = world.sources.get(frame.f_code.co_filename)
        if source is not None and frame.f_globals is world.names:
            inner = None
            if after is not None and after.tb_frame.f_globals is not world.names:
                inner = after.tb_frame
            span = span_of(frame.f_code, traceback.tb_lasti, source)
            yield _Call(frame.f_code, traceback.tb_lasti, source, span, frame, inner)
        traceback = after


def _without_outer(calls: list[_Call]) -> list[_Call]:
    """Drop a frame whose span contains that of the frame inside it.

    A comprehension or a lambda written in place would otherwise show the same line twice.
    """
    kept = [outer for outer, inner in pairwise(calls) if not _contains(outer, inner)]
    return kept + calls[-1:]


def _contains(outer: _Call, inner: _Call) -> bool:
    a, b = outer.span, inner.span
    return (
        outer.source is inner.source
        and (a.line, a.column) <= (b.line, b.column)
        and (b.end_line, b.end_column) <= (a.end_line, a.end_column)
        and (a != b or inner.code.co_name.startswith("<"))
    )


def _place(call: _Call, left_out: int) -> Place:
    title = None if call.code.co_name.startswith("<") else f"in {call.code.co_name}"
    marks = operands.explain(call.source, call.span).marks
    return Place(call.source, call.span, _marks(marks), title=title, left_out=left_out)


def _marks(marks: Sequence[tuple[Span, bool]]) -> tuple[Mark, ...]:
    return tuple(Mark(span, primary) for span, primary in marks)


def _explained(calls: list[_Call], place: Place, world: World, error: BaseException) -> Place:
    """The place with labels that say what the operands were."""
    call = calls[-1]
    expression = operands.explain(call.source, call.span)
    values = operands.values(expression, _lookup(call, world), call.inner, error)
    labels = []
    for name, value, is_name in values:
        text = operands.describe(value)
        if text is not None:
            where = _assigned(name, calls, world) if is_name else None
            labels.append(Label(name, text, where))
    return Place(place.source, place.span, place.marks, tuple(labels), place.title)


def _lookup(call: _Call, world: World) -> Mapping[str, Any]:
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


def _assigned(name: str, calls: list[_Call], world: World) -> str | None:
    """In words, where a name was last assigned."""
    call, outermost = calls[-1], calls[0]
    if name in assignments.locals_of(call.code):
        found = assignments.in_code(call.code, call.instruction, name, call.source)
        if not found.lines and name in assignments.arguments_of(call.code):
            return f"argument of {call.code.co_name}"
        return found.text(call.source)
    found = assignments.in_statements(name, outermost.code, outermost.instruction, world.executed)
    return found.text(call.source)


def _shorten(calls: list[_Call]) -> list[tuple[_Call, int]]:
    """The calls to show of a chain, each with the number of calls left out after it.

    Of a call that is repeated, as in a recursion, the first and the last are shown; of what is a
    long chain even so, the two ends.
    """
    shown: list[tuple[_Call, int]] = []
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


def _related(error: BaseException, world: World) -> tuple[Place, ...]:
    """Where the value that an error in `backward` is about was made, if its node tells."""
    if not isinstance(error, TgradError):
        return ()
    origin = getattr(error.details.get("node"), "origin", None)
    if not origin:
        return ()
    code, instruction = origin
    source = world.sources.get(code.co_filename)
    if source is None:
        return ()
    span = span_of(code, instruction, source)
    note = FREED_NOTE if "second time" in error.message else IN_PLACE_NOTE
    note = note if "inplace" in error.message or note is FREED_NOTE else NODE_NOTE
    return (Place(source, span, _marks(operands.explain(source, span).marks), note=note),)


def _notes(error: BaseException, world: World) -> tuple[str, ...]:
    notes = [str(note) for note in getattr(error, "__notes__", ())]
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None and (calls := list(_calls(earlier.__traceback__, world))):
        words = "caused by" if error.__cause__ is earlier else "while handling"
        last_line = f"{name_of(earlier)}: {message_of(earlier)}".partition("\n")[0]
        notes.append(f"{words} {last_line} ({calls[-1].source.name}:{calls[-1].span.line})")
    if is_bug(error, world):
        notes.append(BUG_NOTE)
    return tuple(notes)


def is_bug(error: BaseException, world: World) -> bool:
    """Did a mistake of tgrad's own raise the error?

    So it is when one of these classes comes from an instruction of tgrad's other than `raise`:
    what tgrad refuses on purpose, it raises itself.
    """
    suspects = (AttributeError, NameError, AssertionError, KeyError, SystemError, ImportError)
    traceback = error.__traceback__
    if traceback is None or not isinstance(error, suspects):
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    frame = traceback.tb_frame
    if not str(frame.f_globals.get("__name__", "")).startswith("tgrad."):
        return False
    import dis

    operation = frame.f_code.co_code[traceback.tb_lasti]
    return not dis.opname[operation].startswith(("RAISE", "RERAISE"))


def _hint(error: BaseException, calls: list[_Call], world: World) -> str | None:
    if isinstance(error, TgradError) and error.hint:
        return error.hint
    if not calls:
        return None
    known = world.names.get("__builtins__", {})
    others = known.all_names() if hasattr(known, "all_names") else vars(builtins)
    return hints.suggest(error, _lookup(calls[-1], world), others)
