"""A bar for each ratio, on a logarithmic scale, as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

LABEL, SCALE, STEP, HEAD = 330, 470, 20, 40
"""Widths of the labels and of the scale, height of a bar's line and of the head, in pixels."""

SMALLEST, LARGEST = 0.02, 5.0
FASTER, SLOWER, INK, FAINT = "#2f7d5b", "#b5542b", "#333333", "#bbbbbb"


class Bar(NamedTuple):
    """A name, tgrad's time over PyTorch's, and the aim."""

    name: str
    ratio: float
    aim: float | None


def _place(ratio: float) -> float:
    """Pixels from the left of the scale."""
    inside = min(max(ratio, SMALLEST), LARGEST)
    return SCALE * math.log(inside / SMALLEST) / math.log(LARGEST / SMALLEST)


def bars(rows: Sequence[Bar]) -> str:
    """Bars from 1, PyTorch's time: to the left where tgrad is faster, to the right where it is slower."""
    height = HEAD + STEP * len(rows) + 10
    one = LABEL + _place(1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LABEL + SCALE + 60}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="100%" height="100%" fill="#ffffff"/><text x="{LABEL}" y="16" fill="{INK}">'
        "tgrad's time over PyTorch's (logarithmic; the tick is the aim)</text>",
    ]
    for tick in (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5):
        x = LABEL + _place(tick)
        parts.append(
            f'<line x1="{x:.1f}" y1="{HEAD - 4}" x2="{x:.1f}" y2="{height - 8}" stroke="{FAINT}" '
            f'stroke-width="{1.5 if tick == 1 else 0.5}"/>'
            f'<text x="{x:.1f}" y="{HEAD - 8}" fill="{INK}" text-anchor="middle">{tick:g}</text>'
        )
    for number, row in enumerate(rows):
        parts.append(_bar(row, HEAD + STEP * number, one))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bar(row: Bar, top: float, one: float) -> str:
    end = LABEL + _place(row.ratio)
    colour = FASTER if row.ratio <= 1 else SLOWER
    text = (
        f'<text x="{LABEL - 8}" y="{top + 14}" fill="{INK}" text-anchor="end">{escape(row.name)}</text>'
        f'<rect x="{min(one, end):.1f}" y="{top + 4}" width="{abs(end - one):.1f}" height="12" '
        f'fill="{colour}"/>'
        f'<text x="{LABEL + SCALE + 8}" y="{top + 14}" fill="{INK}">{row.ratio:.2f}</text>'
    )
    if row.aim is None:
        return text
    x = LABEL + _place(row.aim)
    return text + (
        f'<line x1="{x:.1f}" y1="{top + 1}" x2="{x:.1f}" y2="{top + 19}" stroke="{INK}" stroke-width="2"/>'
    )
