"""Exception -> Diagnostic: where it happened, with which operands, and what to do about it.

Only plain data comes out of here; `tgrad.display.diagnostic` draws it.  This module is imported
when something has gone wrong, not before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tgrad.errors import DeviceMissingError, LimitReached, ProgramError, TgradError, builtin_name
from tgrad.runtime import assignments, hints, operands
from tgrad.runtime.diagnostic import (
    EXIT_ASSERTION,
    EXIT_DENIED,
    EXIT_ERROR,
    EXIT_INTERRUPTED,
    EXIT_LIMIT,
    EXIT_SYNTAX,
    Diagnostic,
    Label,
    Mark,
    Place,
)
from tgrad.runtime.frames import (
    Call,
    World,
    calls_of,
    names_seen_by,
    shorten,
    span_of,
    whole_line,
    without_outer,
)
from tgrad.runtime.output import BUG_NOTE
from tgrad.source import Span

FREED_NOTE = "what this saved for the backward pass is freed"
IN_PLACE_NOTE = "the backward pass of this needs a value that was changed since"
CHANGE_NOTE = "it was changed in place here"
NODE_NOTE = "the derivative of this was being computed"


def diagnose(error: BaseException, world: World) -> Diagnostic:
    """Explain an error that ended a program."""
    if isinstance(error, ProgramError):
        return _of_program_text(error)
    calls = list(calls_of(error.__traceback__, world))
    if isinstance(error, KeyboardInterrupt):
        return _interrupted(calls)
    if isinstance(error, LimitReached):
        calls = _stopped(error, calls, world)
    shown = [_place(*each) for each in shorten(without_outer(calls))]
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


def plain(error: BaseException, mistake: Exception) -> Diagnostic:
    """The diagnostic of an error whose explanation went wrong."""
    note = f"{BUG_NOTE} (its explanation failed: {type(mistake).__name__}: {mistake})"
    return Diagnostic(name_of(error), message_of(error), exit_code(error), notes=(note,))


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
    # PyTorch's error for a device that isn't there is an AssertionError, and no failed `assert`.
    failed = isinstance(error, AssertionError) and not isinstance(error, DeviceMissingError)
    return EXIT_ASSERTION if failed else EXIT_ERROR


def name_of(error: BaseException) -> str:
    """The name of an error's class, as Python's traceback would end with it.

    A private subclass (NumPy's `_ArrayMemoryError`) goes by its public base.
    """
    if isinstance(error, TgradError):
        return builtin_name(error)
    kind = next(base for base in type(error).__mro__ if _is_public(base))
    if kind.__module__.partition(".")[0] == "numpy":
        return f"{kind.__module__}.{kind.__qualname__}"
    return kind.__name__


def _is_public(kind: type) -> bool:
    return not any(part[:1] == "_" for part in f"{kind.__module__}.{kind.__qualname__}".split("."))


def message_of(error: BaseException) -> str:
    """The error's sentence."""
    try:
        return str(error)
    except Exception:
        return "<exception str() failed>"


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


def _interrupted(calls: list[Call]) -> Diagnostic:
    where = ""
    if calls:
        where = f" at {calls[-1].source.name}:{calls[-1].span.line}"
    return Diagnostic("KeyboardInterrupt", f"interrupted{where}", EXIT_INTERRUPTED)


def _stopped(error: LimitReached, calls: list[Call], world: World) -> list[Call]:
    """The calls at the moment when a limit was reached, by line: it may be at any instruction."""
    if not calls and error.__context__ is not None:  # what the limit on memory is made of
        calls = list(calls_of(error.__context__.__traceback__, world))
    return [
        *calls[:-1],
        *(call._replace(span=whole_line(call.source, call.span.line)) for call in calls[-1:]),
    ]


def _place(call: Call, left_out: int) -> Place:
    title = None if call.code.co_name.startswith("<") else f"in {call.code.co_name}"
    expression = operands.explain(call.source, call.span, call.operation)
    marks = _marks(expression.marks)
    return Place(call.source, expression.span, marks, title=title, left_out=left_out)


def _marks(marks: Sequence[tuple[Span, bool]]) -> tuple[Mark, ...]:
    return tuple(Mark(span, primary) for span, primary in marks)


def _explained(calls: list[Call], place: Place, world: World, error: BaseException) -> Place:
    """The place with labels that say what the operands were."""
    call = calls[-1]
    expression = operands.explain(call.source, call.span, call.operation)
    names = dict(names_seen_by(call, world))
    for name in assignments.lost_names(call.code, call.instruction):
        names.pop(name, None)
    values = operands.values(expression, names, call.inner, error)
    labels = []
    for name, value, is_name in values:
        text = operands.describe(value)
        if text is not None:
            where = _assigned(name, calls, world) if is_name else None
            labels.append(Label(name, text, where))
    return Place(place.source, place.span, place.marks, tuple(labels), place.title)


def _assigned(name: str, calls: list[Call], world: World) -> str | None:
    """In words, where a name was last assigned."""
    call, outermost = calls[-1], calls[0]
    if name in assignments.locals_of(call.code):
        found = assignments.in_code(call.code, call.instruction, name, call.source)
        if not found.lines and name in assignments.arguments_of(call.code):
            return f"argument of {call.code.co_name}"
        return found.text(call.source)
    found = assignments.in_statements(name, outermost.code, outermost.instruction, world.executed)
    return found.text(call.source)


def _related(error: BaseException, world: World) -> tuple[Place, ...]:
    """Where in the program the node was made that an error in `backward` is about."""
    node = error.details.get("node") if isinstance(error, TgradError) else None
    if node is None:
        return ()
    if "inplace" in message_of(error):
        places = [_origin(node, IN_PLACE_NOTE, world), _change(node, world)]
    elif "second time" in message_of(error):
        places = [_origin(node, FREED_NOTE, world)]
    else:
        places = [_origin(node, NODE_NOTE, world)]
    return tuple(place for place in places if place is not None)


def _origin(node: Any, note: str, world: World) -> Place | None:
    """The place of the operator that made a node."""
    if node.origin is None:
        return None
    code, instruction = node.origin
    source = world.sources.get(code.co_filename)
    if source is None:
        return None
    expression = operands.explain(source, span_of(code, instruction, source))
    return Place(source, expression.span, _marks(expression.marks), note=note)


def _change(node: Any, world: World) -> Place | None:
    """The place that changed what a node had saved.

    A name of the program that still shares memory with it has the history of the last change.
    """
    saved = node.saved if isinstance(node.saved, tuple) else (node.saved,)
    storages = [value._storage for value in saved if hasattr(value, "_storage")]
    changes = [
        value.grad_fn
        for value in world.names.values()
        if hasattr(value, "_storage")
        and any(value._storage is storage is not None for storage in storages)
        and value.grad_fn is not None
        and value.grad_fn.sequence > node.sequence
    ]
    if not changes:
        return None
    newest = max(changes, key=lambda change: change.sequence)
    return _origin(newest, CHANGE_NOTE, world)


def _notes(error: BaseException, world: World) -> tuple[str, ...]:
    notes = [str(note) for note in getattr(error, "__notes__", ())]
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None and (calls := list(calls_of(earlier.__traceback__, world))):
        words = "caused by" if error.__cause__ is earlier else "while handling"
        last_line = f"{name_of(earlier)}: {message_of(earlier)}".partition("\n")[0]
        notes.append(f"{words} {last_line} ({calls[-1].source.name}:{calls[-1].span.line})")
    if BUG_NOTE not in notes and is_bug(error, world):
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


def _hint(error: BaseException, calls: list[Call], world: World) -> str | None:
    if isinstance(error, TgradError) and error.hint:
        return error.hint
    if not calls:
        return None
    return hints.suggest(error, names_seen_by(calls[-1], world), world.builtins)
