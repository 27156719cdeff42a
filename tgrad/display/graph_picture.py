"""A graph as boxes and arrows, before it is known where they stand: what all pictures have in common.

Repeated parts are rolled up: of a loop's steps the first is drawn, with the number of steps, and
what leads from one step to the next is an arrow back.  A leaf that is used in distant places is
drawn at each of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tgrad.display.graph_layout import layers_of
from tgrad.runtime.graph_outline import Branch, Item, Outline, Part, Repeat, outline, repeats
from tgrad.runtime.graphs import Graph, GraphNode

MOST_BOXES = 3000
"""A picture with more boxes than this is cut, with a note that says so."""

FAR = 3
"""A leaf is drawn again for users that are more than so many layers away."""


@dataclass(slots=True)
class Box:
    """One box: the node that it shows, and how many it stands for."""

    node: GraphNode
    number: int
    """The node's index in the graph."""
    times: int = 1
    root: bool = False


@dataclass(slots=True)
class Arrow:
    """From an input to its user, both indices of boxes; `back` leads to the next step of a loop."""

    source: int
    user: int
    back: bool = False


@dataclass(slots=True)
class Picture:
    """Boxes, users before their inputs, and arrows."""

    boxes: list[Box]
    arrows: list[Arrow]
    notes: list[str]


def picture(graph: Graph, fold: bool = True, copies: bool = True) -> Picture:
    """The boxes and arrows of a graph; with `copies`, far leaves are drawn several times."""
    shape = outline(graph, fold)
    stands_for, times = _rolled(shape)
    kept = [n for n in range(len(graph.nodes)) if stands_for.get(n, n) == n]
    notes = []
    if len(kept) > MOST_BOXES:
        notes.append(f"cut: {len(kept) - MOST_BOXES} of {len(kept)} nodes aren't drawn")
        kept = kept[:MOST_BOXES]
    if graph.left_out:
        notes.append(f"cut: {graph.left_out} inputs weren't followed")
    chosen = set(kept)
    inputs: dict[int, dict[int, None]] = {number: {} for number in kept}
    for number, node in enumerate(graph.nodes):
        user = _first(stands_for, number)
        for each in node.inputs:
            source = _first(stands_for, each)
            if user in chosen and source in chosen:
                inputs[user][source] = None
    order, back = _users_first({user: list(sources) for user, sources in inputs.items()})
    same = Counter(stands_for.values())
    for leaf in [n for n in kept if graph.nodes[n].leaf]:  # a leaf is one, however often it is used
        times[leaf] = 1 + same[leaf]
    roots = set(graph.roots)
    boxes = [Box(graph.nodes[n], n, times.get(n, 1), n in roots) for n in order]
    place = {node: index for index, node in enumerate(order)}
    arrows = [
        Arrow(place[source], place[user], (source, user) in back)
        for user, sources in inputs.items()
        for source in sources
    ]
    found = Picture(boxes, arrows, notes)
    return _with_copies(found) if copies else found


def _users_first(inputs: dict[int, list[int]]) -> tuple[list[int], set[tuple[int, int]]]:
    """An order in which users stand before inputs, but for edges that close a circle."""
    finished: list[int] = []
    state: dict[int, bool] = {}
    back: set[tuple[int, int]] = set()
    for start in inputs:
        waiting = [] if start in state else [(start, iter(inputs[start]))]
        state.setdefault(start, True)
        while waiting:
            node, rest = waiting[-1]
            for source in rest:
                if source not in state:
                    state[source] = True
                    waiting.append((source, iter(inputs[source])))
                    break
                if state[source]:  # it is on the way to where we are
                    back.add((source, node))
            else:
                state[node] = False
                finished.append(node)
                waiting.pop()
    return finished[::-1], back


def _first(stands_for: dict[int, int], number: int) -> int:
    """The node that is drawn for a node: through folds in folds."""
    while number in stands_for:
        number = stands_for[number]
    return number


def _rolled(shape: Outline) -> tuple[dict[int, int], dict[int, int]]:
    """For nodes of repeated parts the corresponding ones of the first part; how often each is run."""
    stands_for: dict[int, int] = {}
    times: dict[int, int] = {}
    visible = {item.node for item, _ in _shown(shape) if not item.reference}
    for item, count in _shown(shape):
        if not item.reference and item.node not in times:
            times[item.node] = count
    for part in repeats(shape):
        first, *others = part.blocks
        for block in others:
            for node, other in zip(first, block, strict=True):
                if other != node and other not in visible:
                    stands_for.setdefault(other, node)
    return stands_for, times


def _shown(shape: Outline) -> Iterator[tuple[Item, int]]:
    """The items that are drawn, each with the number of times that its part is repeated."""
    waiting: list[tuple[Part | Branch, int]] = [
        (part, 1) for spine in reversed(shape.spines) for part in reversed(spine.parts)
    ]
    while waiting:
        part, count = waiting.pop()
        if isinstance(part, Item):
            yield part, 1 if part.reference else count
            waiting.extend((branch, count) for branch in reversed(part.branches))
        else:
            inside = part.parts if isinstance(part, Repeat) else part.spine.parts
            waiting.extend((each, count * part.times) for each in reversed(inside))


def _with_copies(found: Picture) -> Picture:
    """The picture with a copy of each leaf in the neighbourhood of all its users."""
    edges = [(arrow.source, arrow.user) for arrow in found.arrows if not arrow.back]
    layers = layers_of(len(found.boxes), edges)
    made: dict[tuple[int, int], int] = {}
    for arrow in found.arrows:
        box = found.boxes[arrow.source]
        if not box.node.leaf or layers[arrow.source] - layers[arrow.user] <= FAR:
            continue
        key = (arrow.source, layers[arrow.user])
        if key not in made:
            made[key] = len(found.boxes)
            found.boxes.append(Box(box.node, box.number, box.times, box.root))
        arrow.source = made[key]
    return found
