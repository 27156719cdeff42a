"""One line that says what a tensor is: type, size, history, range, and what is odd about it."""

from __future__ import annotations

from math import isfinite
from typing import Any

from tgrad.core.tensor import PARAMETERS, Tensor
from tgrad.display.cells import clip, text_width
from tgrad.display.console import Segment
from tgrad.display.histogram import in_words, tiny
from tgrad.display.look import Look
from tgrad.display.numbers import count_text, short, size_text
from tgrad.display.statistics import Statistics

LARGEST_REMARKABLE = 1e7
"""Beyond it float32 has no fractions, and that numbers are whole says nothing."""

Row = list[Segment]
Fact = list[Segment]


def header(value: Any, statistics: Statistics, look: Look, name: str | None = None) -> list[Row]:
    """The facts about a tensor or an array, on one line if they fit, else broken between facts."""
    facts = _identity(value, name)
    if isinstance(value, Tensor):
        facts += _history(value)
    facts += value_facts(statistics, value, look)
    facts += flags(statistics, value)
    return wrapped(facts, look)


def wrapped(facts: list[Fact], look: Look, indent: str = "    ") -> list[Row]:
    """Facts one after the other; a line that is full is continued on the next, indented."""
    rows: list[Row] = []
    separator: Segment = ("separator", look.separator)
    for fact in facts:
        if rows and _wide([*rows[-1], separator, *fact]) <= look.width:
            rows[-1] += [separator, *fact]
        else:
            begin = [("plain", indent)] if rows else []
            rows += _broken([*begin, *fact], look, indent)
    return rows


def _wide(row: Row) -> int:
    return sum(text_width(text) for _, text in row)


def _broken(row: Row, look: Look, indent: str) -> list[Row]:
    """A line that may be too long for the terminal, broken between words."""
    if _wide(row) <= look.width:
        return [row]
    rows: list[Row] = [[]]
    for style, text in row:
        for word in text.split(" ") if text.strip() else [text]:
            blank = [("plain", " ")] if rows[-1] and word.strip() else []
            piece = (style, clip(word, look.width - len(indent)))
            if _wide([*rows[-1], *blank, piece]) <= look.width:
                rows[-1] += [piece] if _ends_blank(rows[-1]) else [*blank, piece]
            else:
                rows.append([("plain", indent), piece])
    return [each for each in rows if any(text.strip() for _, text in each)]


def _ends_blank(row: Row) -> bool:
    return not row or row[-1][1].endswith(" ")


def type_text(value: Any) -> str:
    """`float32[3, 4]`"""
    kind = value.dtype.name
    return f"{kind}[{', '.join(map(str, value.shape))}]"


def _identity(value: Any, name: str | None) -> list[Fact]:
    first: Fact = [("name", name), ("plain", "  ")] if name else []
    if not isinstance(value, Tensor):
        first.append(("fact", "array "))
    first.append(("type", type_text(value)))
    size = value.nbytes
    count = value._array.size if isinstance(value, Tensor) else value.size
    facts = [first, [("fact", count_text(count, "element"))], [("fact", size_text(size))]]
    if isinstance(value, Tensor):
        facts.append([("fact", str(value.device))])
    return facts


def _history(value: Tensor) -> list[Fact]:
    facts: list[Fact] = []
    if id(value) in PARAMETERS:
        facts.append([("fact", "parameter")])
    try:
        requires, node = value.requires_grad, value.grad_fn
    except RuntimeError:  # a view whose history can't be told any more
        return facts
    if requires:
        facts.append([("fact", "requires_grad")])
    if node is not None:
        facts.append([("fact", f"from {type(node).__name__}")])
    return facts


def value_facts(statistics: Statistics, value: Any, look: Look) -> list[Fact]:
    """Range, histogram, mean, deviation."""
    if statistics.finite < 2 or statistics.constant:
        return []
    if statistics.low == statistics.high:
        return [[("fact", f"the others all {short(statistics.low)}")]]
    if value.dtype.name == "bool":
        return [[("fact", f"{statistics.finite - statistics.zeros:,} of {statistics.finite:,} True")]]
    about = "absolute values " if "complex" in value.dtype.name else ""
    facts: list[Fact] = [[("fact", f"{about}{short(statistics.low)} to {short(statistics.high)}")]]
    if look.plain:
        facts.append([("fact", in_words(statistics))])
    elif bars := tiny(statistics, look):
        facts[-1] += [("plain", " "), ("histogram", bars)]
    if isfinite(statistics.mean):
        facts.append([("fact", f"mean {short(statistics.mean)}")])
    if isfinite(statistics.deviation):
        facts.append([("fact", f"std {short(statistics.deviation)}")])
    return facts


def flags(statistics: Statistics, value: Any) -> list[Fact]:
    """What a reader should know of: NaN, Inf, all zeros, all the same, integer-valued."""
    facts: list[Fact] = []
    several = statistics.count > 1
    for count, sign, first in (
        (statistics.nans, "NaN", statistics.first_nan),
        (statistics.infs, "Inf", statistics.first_inf),
    ):
        if count:
            place = f", first at [{', '.join(map(str, first))}]" if first else ""
            facts.append([("wrong", f"{count:,} {sign}{place}")])
    if several and statistics.zeros == statistics.count:
        facts.append([("flag", "all zeros")])
    elif statistics.constant:
        low = bool(statistics.low) if value.dtype.name == "bool" else short(statistics.low)
        equal = "all of absolute value" if "complex" in value.dtype.name else "all"
        facts.append([("flag", f"{equal} {low}")])
    elif several and statistics.finite and statistics.whole and _is_remarkable(statistics, value):
        facts.append([("flag", "integer-valued")])
    return facts


def _is_remarkable(statistics: Statistics, value: Any) -> bool:
    """Could numbers of this type and size have been other than whole?"""
    if "int" in value.dtype.name or value.dtype.name == "bool":
        return False
    return bool(max(abs(statistics.low), abs(statistics.high)) < LARGEST_REMARKABLE)
