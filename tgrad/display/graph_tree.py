"""A graph as lines of text: a tree that runs from the results to the leaves.

    graph of loss: 4 operators, 2 leaves; 96 bytes saved
    ● mean   loss   float32[]                      line 3  (x @ W + b).mean()
    ● add           float32[3, 2]                  line 3  x @ W + b
    ├─○ b           float32[2]       grad 1.41
    ● mm            float32[3, 2]    saves 48 B    line 3  x @ W
    └─○ W           float32[4, 2]    grad 2.83

An input that continues below its operator stands in the same column; further inputs hang off it.
Parts that are repeated are drawn once.  See Note [Spines] in `tgrad.runtime.graph_outline`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tgrad.display.cells import ELLIPSIS, lay_out, text_width, window
from tgrad.display.console import Console, Segment
from tgrad.display.look import Look
from tgrad.runtime.graph_outline import Branch, Item, Outline, Part, Repeat, outline, repeats, shown_items
from tgrad.runtime.graphs import Graph, GraphNode

Row = list[Segment]

NARROW = 72
"""Below this width, facts stand in a line of their own below the operator."""

MOST_LINES = 500
"""A drawing of more lines is cut."""

NO_GRAPH = "no graph, since nothing it was made from requires a gradient"

WIDEST_HEAD = 44
GAP = "  "
UNITS = ("KiB", "MiB", "GiB", "TiB")
TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(slots=True)
class Line:
    """One line of the drawing: how it is led to, what it is, the facts."""

    lead: str
    below: str
    """What leads to the lines below that belong to it."""
    head: Row
    kind: str = ""
    facts: tuple[str, ...] = ()
    """What it saves, and its gradient."""
    place: str = ""
    source: str = ""


@dataclass(slots=True)
class _Task:
    """Something to be drawn: its parts, where it hangs."""

    parts: list[Part]
    lead: str
    after: str


def draw(graph: Graph, console: Console, *, fold: bool = True) -> None:
    """Draw a graph on a console."""
    console.draw(lines(graph, console.look(), fold=fold))


def lines(graph: Graph, look: Look, *, fold: bool = True) -> list[Row]:
    """The lines of a graph's drawing, in styled pieces."""
    shape = outline(graph, fold)
    drawing = _Drawing(graph, shape, look)
    found = list(drawing.lines())
    cut = len(found) > MOST_LINES
    rows = list(_title(graph, look))
    rows += _rows(found[:MOST_LINES], look)
    for note in _notes(graph, len(found) - MOST_LINES if cut else 0):
        rows += [[("note", text)] for text in _wrapped(note, look.width)]
    return rows


def _title(graph: Graph, look: Look) -> Iterator[Row]:
    """What it is the graph of, and how large it is."""
    lonely = [node for node in graph.nodes if node.operator == "constant"]
    if len(lonely) == len(graph.nodes):
        alone = ", ".join([node.names[0] for node in lonely if node.names]) or "the tensor"
        yield from ([("title", piece)] for piece in _wrapped(f"{alone}: {NO_GRAPH}", look.width))
        return
    operators = sum(not node.leaf for node in graph.nodes)
    leaves = sum(node.leaf and node.operator != "constant" for node in graph.nodes)
    names = [name for root in graph.roots for name in graph.nodes[root].names[:1]]
    text = f"graph of {', '.join(names)}: " if names else "graph: "
    text += f"{_count(operators, 'operator')}, {_count(leaves, 'leaf', 'leaves')}"
    if any(node.freed for node in graph.nodes):
        unknown = any(node.shape is None for node in graph.nodes)
        text += "; what was saved is freed" + (", some shapes with it" if unknown else "")
    elif operators:
        text += f"; {size_text(graph.bytes)} saved"
    for piece in _wrapped(text, look.width):
        yield [("title", piece)]


def _notes(graph: Graph, lines_cut: int) -> Iterator[str]:
    if lines_cut:
        yield f"{ELLIPSIS} {_count(lines_cut, 'more line')}: write it to a file to see all"
    if graph.left_out:
        yield f"{ELLIPSIS} cut at {len(graph.nodes)} nodes: {_count(graph.left_out, 'input')} not followed"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def size_text(count: int) -> str:
    """Bytes in words: `96 bytes`, `1.5 KiB`, `20 MiB`."""
    if count < 1024:
        return _count(count, "byte")
    size, power = float(count), -1
    while size >= 1024 and power < len(UNITS) - 1:
        size, power = size / 1024, power + 1
    return f"{size:.3g} {UNITS[power]}" if size < 999.5 else f"{size:.0f} {UNITS[power]}"


class _Drawing:
    """Turns an outline into lines, without recursion."""

    def __init__(self, graph: Graph, shape: Outline, look: Look) -> None:
        self._graph = graph
        self._shape = shape
        self._look = look
        self._numbers: dict[int, int] = {}
        shown = Counter(item.node for item in shown_items(shape.spines) if not item.reference)
        self._visible = frozenset(shown)
        self._until = {leaf: last for leaf, last in _last_leaves(graph, shape) if shown[leaf] == 1}
        """Leaves in repeated parts, each with the one in its place in the last part."""
        self._files = {node.file for node in graph.nodes if node.file is not None}

    def lines(self) -> Iterator[Line]:
        waiting: list[_Task | Line] = [_Task(s.parts, "", "") for s in reversed(self._shape.spines)]
        while waiting:
            task = waiting.pop()
            if isinstance(task, Line):
                yield task
                continue
            found: list[_Task | Line] = []
            for number, part in enumerate(task.parts):
                lead = task.lead if number == 0 else task.after
                last = number == len(task.parts) - 1
                found.extend(self._part(part, lead, task.after, last))
            waiting.extend(reversed(found))

    def _part(self, part: Part, lead: str, after: str, last: bool) -> Iterator[_Task | Line]:
        if isinstance(part, Repeat):
            yield Line(lead, after, [("note", self._times(part.times))])
            inside = after + self._glyph("┃ ", "| ", "  ")
            yield _Task(part.parts, inside, inside)
            return
        yield self._item(part, lead, after)
        for number, branch in enumerate(part.branches):
            end = last and number == len(part.branches) - 1
            yield from self._branch(branch, after, end)

    def _branch(self, branch: Branch, after: str, end: bool) -> Iterator[_Task | Line]:
        lead = after + self._glyph("└─" if end else "├─", "`-" if end else "|-", "  ")
        inside = after + self._glyph("  " if end else "│ ", "  " if end else "| ", "  ")
        if branch.times > 1:
            yield Line(lead, inside, [("note", self._times(branch.times))])
            lead = inside = inside + self._glyph("┃ ", "| ", "  ")
        yield _Task(branch.spine.parts, lead, inside)

    def _glyph(self, fancy: str, ascii_: str, plain: str) -> str:
        if self._look.plain:
            return plain
        return fancy if self._look.unicode else ascii_

    def _times(self, times: int) -> str:
        if self._look.plain:
            return f"repeated {times} times, drawn once:"
        return f"{self._look.glyph(TIMES, 'x')} {times}:"

    def _item(self, item: Item, lead: str, after: str) -> Line:
        node = self._graph.nodes[item.node]
        if item.reference:
            return Line(lead, after, self._reference(item.node, node))
        sign = self._glyph(*(("○ ", "o ", "") if node.leaf else ("● ", "* ", "")))
        head = [("title", sign)] if sign else []
        head += self._names(item.node, node)
        place = place_of(node, len(self._files) > 1)
        return Line(lead, after, head, node.kind or "", facts_of(node), place, node.source or "")

    def _names(self, number: int, node: GraphNode) -> Row:
        words = {"leaf": "leaf " if self._look.plain else "", "constant": "constant "}
        if not node.leaf:
            row: Row = [("operand", node.operator)]
            if node.names:
                row += [("plain", "  "), ("place", ", ".join(node.names[:2]))]
        else:
            name = ", ".join(node.names[:2]) or "leaf without a name"
            last = self._graph.nodes[self._until.get(number, number)]
            if node.names and last.names and last is not node:
                name = f"{node.names[0]} to {last.names[0]}"
            row = [("place", words[node.operator] + name if node.names else name)]
        if number in self._shape.shared:
            row += [("plain", " "), ("note", self._mark(number))]
        return row

    def _mark(self, number: int) -> str:
        mark = self._numbers.setdefault(number, len(self._numbers) + 1)
        return f"number {mark}" if self._look.plain else f"#{mark}"

    def _reference(self, number: int, node: GraphNode) -> Row:
        word = "the same as " if self._look.plain else self._glyph("↳ ", "= ", "")
        name = f"  {node.names[0]}" if node.names else ""
        row = [("title", word), ("title", node.operator + name)]
        if number in self._visible:
            return [*row, ("note", f" {self._mark(number)}")]
        return [*row, ("note", " of a repeated part")]


def _last_leaves(graph: Graph, shape: Outline) -> Iterator[tuple[int, int]]:
    for part in repeats(shape):
        for first, last in zip(part.blocks[0], part.blocks[-1], strict=True):
            if first != last and graph.nodes[first].leaf:
                yield first, last


def place_of(node: GraphNode, several: bool) -> str:
    """Where a node was made; with the file's name if there are several files."""
    if node.line is None:
        return ""
    file = (node.file or "").replace("\\", "/").rpartition("/")[2]
    return f"{file}:{node.line}" if several else f"line {node.line}"


def facts_of(node: GraphNode) -> tuple[str, ...]:
    """What a node saves, and its gradient, in a few words."""
    found = []
    if node.saved_bytes:
        found.append(f"saves {size_text(node.saved_bytes)}".replace(" bytes", " B"))
    if node.norm is not None:
        found.append(f"grad {number_text(node.norm)}")
    return tuple(found)


def number_text(number: float) -> str:
    """A number with three digits; one that isn't zero is never 0."""
    return f"{number:.3g}"


# ------------------------------------------------------------------ columns


def _rows(found: Sequence[Line], look: Look) -> Iterator[Row]:
    if look.plain:
        for line in found:
            yield from _in_words(line, look.width)
    elif look.width < NARROW:
        for line in found:
            yield from _narrow(line, look.width)
    else:
        yield from _wide(found, look.width)


def _wide(found: Sequence[Line], width: int) -> Iterator[Row]:
    """One line each, in columns; the source takes what is left."""
    full = [line for line in found if line.kind or line.facts or line.source]
    heads = min(max((_head_width(line) for line in full), default=0), WIDEST_HEAD, width // 2)
    columns: list[tuple[str, int, list[str]]] = []
    for style, texts, most in (
        ("type", [line.kind for line in found], width // 4),
        ("value", [", ".join(line.facts) for line in found], width // 3),
        ("where", [line.place for line in found], width // 6),
    ):
        size = min(max(map(text_width, texts), default=0), most)
        if size and heads + size + sum(len(GAP) + each[1] for each in columns) < width - 18:
            columns.append((style, size, texts))
    for number, line in enumerate(found):
        row: Row = [("gutter", line.lead), *line.head]
        used, start = _head_width(line), heads
        for style, size, texts in columns:
            text = shortened(texts[number], size)
            row += [("plain", " " * max(start - used, 0) + GAP), (style, text)]
            used = max(used, start) + len(GAP) + text_width(text)
            start += len(GAP) + size
        room = width - max(used, start) - len(GAP)
        if line.source and room >= 8:
            row += [("plain", " " * max(start - used, 0) + GAP), ("source", shortened(line.source, room))]
        yield _trimmed(_cut(row, width))


def _head_width(line: Line) -> int:
    return text_width(line.lead) + sum(text_width(text) for _, text in line.head)


def _narrow(line: Line, width: int) -> Iterator[Row]:
    """The operator and its shape, and below it the facts and the source as far as they fit."""
    used = _head_width(line)
    row: Row = [("gutter", line.lead), *line.head]
    below = list(line.facts)
    if line.kind and used + len(GAP) + len(line.kind) <= width:
        row += [("plain", GAP), ("type", line.kind)]
    elif line.kind:
        below.insert(0, line.kind)
    yield _trimmed(_cut(row, width))
    lead = line.below + "    "
    room = max(width - text_width(lead), 8)
    for text in below:
        yield _cut([("gutter", lead), ("value", shortened(text, room))], width)
    if line.source:
        text = shortened(f"{line.place}: {line.source}", room)
        yield _cut([("gutter", lead), ("source", text)], width)


def _in_words(line: Line, width: int) -> Iterator[Row]:
    """Everything in words, broken where the line ends."""
    words = ["".join(text for _, text in line.head).replace("  ", ", "), line.kind]
    words += [text.replace("grad ", "gradient norm ") for text in line.facts]
    if line.source:
        words.append(f"{line.place}: {line.source}")
    text = ", ".join(word for word in words if word)
    lead = line.lead[: width // 2]
    for number, piece in enumerate(_wrapped(text, width - len(lead) - 4)):
        yield [("plain", lead if number == 0 else f"{lead}    "), ("plain", piece)]


def shortened(text: str, width: int) -> str:
    """A text cut to so many columns."""
    line = lay_out(text)
    if line.width <= width:
        return "".join(line.pieces)
    _, end = window(line, [], width)
    while end > 0 and line.column(end) + len(ELLIPSIS) > width:
        end -= 1
    return "".join(line.pieces[:end]) + ELLIPSIS[: max(width, 0)]


def _cut(row: Row, width: int) -> Row:
    """A row that is no wider than that."""
    found: Row = []
    room = width
    for style, text in row:
        if text_width(text) > room:
            found.append((style, shortened(text, room)))
            break
        found.append((style, text))
        room -= text_width(text)
    return found


def _trimmed(row: Row) -> Row:
    """The row without blanks at its end."""
    while row and not row[-1][1].strip():
        row.pop()
    return row


def _wrapped(text: str, width: int) -> Iterator[str]:
    """A text broken between words."""
    row = ""
    for word in text.split(" "):
        word = shortened(word, width)
        if row and text_width(row) + 1 + text_width(word) > width:
            yield row
            row = word
        else:
            row = f"{row} {word}" if row else word
    yield row
