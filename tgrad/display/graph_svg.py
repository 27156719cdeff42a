"""A graph as SVG: boxes in layers, smooth arrows; light and dark as the reader's system has it.

The colours are of Okabe and Ito's palette, which the colour-blind can tell apart, and nothing is said
by colour alone: operators are boxes, leaves are round, results have a double border.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from tgrad.display.cells import text_width
from tgrad.display.graph_layout import Layout, Point, lay_out
from tgrad.display.graph_picture import Box, Picture, picture
from tgrad.display.graph_tree import TIMES, facts_of, shortened
from tgrad.runtime.graphs import Graph

CHARACTER, LINE = 6.7, 16.0
"""Width of a character and height of a line of text, at 11 px."""

MARGIN, PADDING = 20.0, 9.0
WIDEST = 34
"""Characters in a line of a box."""

STYLE = """
svg.graph { background: #ffffff; font: 11px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.graph text { fill: #1a1a1a; }
.graph .strong { font-weight: bold; font-size: 12px; }
.graph .faint { fill: #555555; }
.graph .box { fill: #e5f1fa; stroke: #0072b2; stroke-width: 1.2; }
.graph .leaf .box { fill: #fdf1d8; stroke: #b37400; }
.graph .constant .box { fill: #f2f2f2; stroke: #666666; }
.graph .root .box { stroke-width: 2; }
.graph .ring { fill: none; stroke: #0072b2; stroke-width: 1; }
.graph .arrow { fill: none; stroke: #666666; stroke-width: 1.2; }
.graph .back { stroke: #009e73; stroke-dasharray: 5 3; }
.graph .badge { fill: #009e73; }
.graph .times { fill: #ffffff; font-weight: bold; }
.graph .head { fill: #666666; }
@media (prefers-color-scheme: dark) {
svg.graph { background: #16181c; }
.graph text { fill: #ededed; }
.graph .faint { fill: #b0b0b0; }
.graph .box { fill: #12293a; stroke: #56b4e9; }
.graph .leaf .box { fill: #33270c; stroke: #e69f00; }
.graph .constant .box { fill: #26282c; stroke: #999999; }
.graph .ring { stroke: #56b4e9; }
.graph .arrow { stroke: #9a9a9a; }
.graph .back { stroke: #2fc49b; }
.graph .head { fill: #9a9a9a; }
}
"""


def svg_of(graph: Graph, *, fold: bool = True) -> str:
    """A graph as the text of an SVG file."""
    return draw(picture(graph, fold), name="graph")


def draw(found: Picture, name: str, style: bool = True) -> str:
    """An `svg` element; `name` begins the ids in it."""
    texts = [lines_of(box) for box in found.boxes]
    sizes = [_size(lines) for lines in texts]
    places = lay_out(sizes, [(a.source, a.user) for a in found.arrows if not a.back])
    notes = found.notes
    width = max(places.width, *[len(note) * CHARACTER for note in notes], 80.0) + 2 * MARGIN + 40
    height = places.height + 2 * MARGIN + len(notes) * LINE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" id="{name}" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        "<title>graph of derivatives: inputs above, results below</title>",
    ]
    if style:
        parts.append(f"<style>{STYLE}</style>")
    parts.append(
        f'<defs><marker id="{name}-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>'
    )
    parts.append(f'<g transform="translate({MARGIN:.0f} {MARGIN:.0f})">')
    parts.extend(_arrows(found, places, sizes, name))
    for index, (box, lines) in enumerate(zip(found.boxes, texts, strict=True)):
        parts.extend(_box(box, index, lines, places.centres[index], sizes[index]))
    for number, note in enumerate(notes):
        y = places.height + LINE * (number + 1)
        parts.append(f'<text class="faint" x="0" y="{y:.1f}">{escape(note)}</text>')
    return "\n".join([*parts, "</g>", "</svg>"]) + "\n"


def lines_of(box: Box) -> list[tuple[str, str]]:
    """What stands in a box: classes and lines."""
    node = box.node
    names = ", ".join(node.names[:2])
    if node.leaf:
        lines = [("strong", names or node.operator)]
        if node.operator == "constant":
            lines.append(("faint", "requires no gradient"))
    else:
        lines = [("strong", f"{node.operator}  {names}" if names else node.operator)]
    if node.kind:
        lines.append(("", node.kind))
    if node.source:
        lines.append(("faint", f"line {node.line}: {node.source}"))
    lines += [("", fact) for fact in facts_of(node)]
    return [(kind, shortened(text, WIDEST)) for kind, text in lines]


def _size(lines: Sequence[tuple[str, str]]) -> tuple[float, float]:
    widest = max(text_width(text) * (7.4 if kind == "strong" else CHARACTER) for kind, text in lines)
    return max(widest, 30.0) + 2 * PADDING, len(lines) * LINE + 2 * PADDING - 4


def _box(
    box: Box, index: int, lines: Sequence[tuple[str, str]], centre: Point, size: tuple[float, float]
) -> Iterator[str]:
    """The element of one box."""
    width, height = size
    left, top = centre[0] - width / 2, centre[1] - height / 2
    kind = box.node.operator if box.node.leaf else "operator"
    root = " root" if box.root else ""
    yield f'<g class="node {kind}{root}" data-box="{index}" data-node="{box.number}">'
    round_ = min(height / 2, 18.0) if box.node.leaf else 4.0
    yield _rectangle("box", left, top, width, height, round_)
    if box.root:
        yield _rectangle("ring", left - 3, top - 3, width + 6, height + 6, round_ + 3)
    for number, (style, text) in enumerate(lines):
        y = top + PADDING + LINE * number + 9
        yield (
            f'<text class="{style}" x="{centre[0]:.1f}" y="{y:.1f}" text-anchor="middle" '
            f'xml:space="preserve">{escape(text)}</text>'
        )
    if box.times > 1:
        text = f"{TIMES} {box.times}"
        wide = len(text) * CHARACTER + 8
        yield _rectangle("badge", left + width - wide + 6, top - 9, wide, 15, 7)
        x = left + width - wide / 2 + 6
        yield f'<text class="times" x="{x:.1f}" y="{top + 2:.1f}" text-anchor="middle">{text}</text>'
    yield "</g>"


def _rectangle(kind: str, x: float, y: float, width: float, height: float, round_: float) -> str:
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'rx="{round_:.1f}"/>'
    )


def _arrows(found: Picture, places: Layout, sizes: Sequence[tuple[float, float]], name: str) -> Iterator[str]:
    routes = iter(places.routes)
    for arrow in found.arrows:
        way = _around(arrow.source, arrow.user, places, sizes) if arrow.back else _smooth(next(routes))
        back = " back" if arrow.back else ""
        yield (
            f'<path class="arrow{back}" d="{way}" marker-end="url(#{name}-head)" '
            f'data-from="{arrow.source}" data-to="{arrow.user}"/>'
        )


def _smooth(points: Sequence[Point]) -> str:
    """A way through points from above to below, upright at each of them."""
    x, y = points[0]
    parts = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in points[1:]:
        middle = (y + to_y) / 2
        parts.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(parts)


def _around(source: int, user: int, places: Layout, sizes: Sequence[tuple[float, float]]) -> str:
    """A way back: from the side of a box, around, to the side of one above it."""
    (x, y), (to_x, to_y) = places.centres[source], places.centres[user]
    x, to_x = x + sizes[source][0] / 2, to_x + sizes[user][0] / 2
    out = max(x, to_x) + 34
    if source == user:
        y, to_y = y + 9, y - 9
    return f"M{x:.1f} {y:.1f}C{out:.1f} {y:.1f} {out:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
