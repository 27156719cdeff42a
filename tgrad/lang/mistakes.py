"""What is wrong with a text, in words of the language.

A syntax error is explained by the first of these that applies:

    a line that was copied along     a prompt, a command of a notebook
    what the scanner said            a string without end, brackets that don't match, ...
    a bracket that is never closed   names the bracket that was opened
    layout                           a block is missing, or an indentation too much
    `detectors.DETECTORS`            habits from other languages, words of Python that tgrad lacks
    `samples.SAMPLES`                malformed programs: an error in the same state of the parser
                                     is the same mistake (an idea of Lark's examples); what they
                                     teach is computed with the tables and shipped with them
    `detectors.GENERAL`              a value, a comma or a colon is missing
    what could stand there           if that is only a few things
"""

from __future__ import annotations

from typing import Any

from tgrad.errors import ProgramSyntaxError
from tgrad.lang.detectors import DETECTORS, GENERAL, Mistake
from tgrad.lang.parser import Parser, UnexpectedTokenError
from tgrad.lang.pasted import pasted
from tgrad.lang.place import Place, human_name
from tgrad.lang.samples import SAMPLES
from tgrad.lang.scan import ERROR, Scanner
from tgrad.lang.tables import END, Tables
from tgrad.lang.tokens import Tokens
from tgrad.source import Source, Span

_FEW = 3


def explain(
    source: Source, tables: Tables, tokens: Tokens, unexpected: UnexpectedTokenError
) -> ProgramSyntaxError:
    """The error to raise for a token that cannot stand where it stands."""
    place = Place(source, tables, tokens, unexpected)
    foreign = _of_pasted_line(place)
    if foreign is not None:
        return foreign
    if place.kind == ERROR:
        return _of_scanner(place)
    bracket = _open_bracket(place)
    if bracket is not None:
        return _never_closed(place, bracket)
    rest = tokens.kinds[place.index :]
    incomplete = all(kind in ("_DEDENT", END) for kind in rest)
    mistake = (
        _layout(place)
        or _first(DETECTORS, place)
        or _of_sample(place)
        or _first(GENERAL, place)
        or _expected(place)
    )
    index = place.index if mistake.token is None else mistake.token
    return ProgramSyntaxError(
        mistake.message,
        source=source,
        span=place.span_of(index),
        hint=mistake.hint,
        notes=tuple((place.span_of(token), text) for token, text in mistake.notes),
        incomplete=incomplete,
    )


def _of_pasted_line(place: Place) -> ProgramSyntaxError | None:
    """The error for a line that begins with something that was only copied along."""
    if place.tokens.open:
        return None
    number = place.tokens.lines[place.index]
    found = pasted(place.source.line(number))
    if found is None:
        return None
    span = Span(number, found.start, number, found.end)
    return ProgramSyntaxError(found.message, source=place.source, span=span, hint=found.hint)


def _first(detectors: Any, place: Place) -> Mistake | None:
    for detector in detectors:
        mistake: Mistake | None = detector(place)
        if mistake:
            return mistake
    return None


def _span_between(place: Place, start: int, end: int) -> Span:
    text = place.tokens.text
    begin = text.rfind("\n", 0, start) + 1
    last = text.rfind("\n", 0, end) + 1
    line = text.count("\n", 0, start) + 1
    return Span(line, start - begin, line + text.count("\n", start, end), end - last)


def _of_scanner(place: Place) -> ProgramSyntaxError:
    error = place.tokens.error
    assert error
    notes: tuple[tuple[Span, str], ...] = ()
    if error.note:
        start, end, text = error.note
        notes = ((_span_between(place, start, end), text),)
    return ProgramSyntaxError(
        error.message,
        source=place.source,
        span=_span_between(place, error.start, error.end),
        hint=error.hint,
        notes=notes,
        incomplete=error.incomplete,
    )


def _open_bracket(place: Place) -> int | None:
    """The bracket around the place that the text never closes, if there is one."""
    if place.tokens.error:
        return None
    for bracket in reversed(place.tokens.open):
        if bracket.token < place.index:
            return bracket.token
    return None


def _never_closed(place: Place, bracket: int) -> ProgramSyntaxError:
    sign = place.tokens.texts[bracket]
    if place.tokens.kinds[bracket] == "FIELD_START":
        message = "a field of this f-string has no closing '}'"
    else:
        message = f"'{sign}' is never closed"
    at_end = place.kind == END
    notes = () if at_end else ((place.span_of(place.index), "this cannot stand inside of it"),)
    return ProgramSyntaxError(
        message,
        source=place.source,
        span=place.span_of(bracket),
        notes=notes,
        incomplete=at_end,
    )


# -- layout


def _layout(place: Place) -> Mistake | None:
    if set(place.tables.actions[place.state]) == {"_INDENT"}:
        return _missing_block(place)
    if place.kind == "_INDENT":
        return _unexpected_indent(place)
    return None


def _missing_block(place: Place) -> Mistake:
    kinds, texts, lines = place.tokens.kinds, place.tokens.texts, place.tokens.lines
    index = place.index - 1
    while index > 0 and kinds[index - 1] not in ("_NEWLINE", "_INDENT", "_DEDENT"):
        index -= 1
    return Mistake(
        f"an indented block is missing after `{texts[index]}` on line {lines[index]}",
        hint="Indent the lines that belong to it; `pass` does nothing.",
        notes=((index, "the block belongs to this"),),
    )


def _unexpected_indent(place: Place) -> Mistake:
    kinds, texts = place.tokens.kinds, place.tokens.texts
    if kinds[: place.index][-2:] == ["NAME", "_NEWLINE"] and texts[place.index - 2] == "no_grad":
        return Mistake("':' is missing after `no_grad`", token=place.index - 1)
    return Mistake("this line is indented, but the line before it opens no block")


# -- samples


def learn(tables: Tables) -> dict[str, str]:
    """What the samples teach: "state:kind" and "state:" -> number of the mistake, as text.

    Raises ValueError for a sample that is no mistake, or that contradicts another one.
    """
    learned: dict[str, str] = {}
    vague: dict[str, set[int]] = {}
    for number, (message, samples) in enumerate(SAMPLES):
        for sample in samples:
            state, kind = _failure(tables, sample)
            actions = tables.actions[state]
            if "EQUAL" in actions or max(actions.values()) < 0:
                raise ValueError(f"the state after {sample!r} is that after any value")
            known = learned.setdefault(f"{state}:{kind}", str(number))
            if known != str(number):
                raise ValueError(f"{sample!r} is both {SAMPLES[int(known)][0]!r} and {message!r}")
            vague.setdefault(f"{state}:", set()).add(number)
    for key, numbers in vague.items():
        if len(numbers) == 1:
            learned[key] = str(*numbers)
    return learned


class _Nothing:
    """A lowering that makes nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda at, *parts: None


def _failure(tables: Tables, sample: str) -> tuple[int, str]:
    tokens = Scanner(tables).scan(sample)
    try:
        Parser(tables, _Nothing()).parse(tokens)
    except UnexpectedTokenError as unexpected:
        kind = tokens.kinds[unexpected.token]
        if kind != ERROR:
            return unexpected.states[-1], kind
    raise ValueError(f"no mistake for the parser: {sample!r}")


def _of_sample(place: Place) -> Mistake | None:
    mistakes = place.tables.mistakes
    number = mistakes.get(f"{place.state}:{place.kind}") or mistakes.get(f"{place.state}:")
    return Mistake(SAMPLES[int(number)][0]) if number else None


# -- whatever is left


def _expected(place: Place) -> Mistake:
    names = sorted({human_name(kind, place.tables) for kind in place.accepted})
    found = place.shown(place.index)
    if not names or len(names) > _FEW:
        return Mistake(f"{found} cannot stand here")
    return Mistake(f"{found} stands here instead of {' or '.join(names)}")
