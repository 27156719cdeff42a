"""An outline of a graph: a few lines of operators with side branches, repeated parts folded.

Note [Spines]
    A graph is drawn like a history: from a result one input, the one with the longest way to go,
    continues in the next line (a spine), and the others hang off it as side branches, which are
    spines again.  Level by level every operator is given to one spine, those of the lower levels
    first; where it is used again stands a reference.  So even a network of a thousand steps
    is nested a few levels deep only, and what a loop did a thousand times stands below each
    other, where it can be folded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tgrad.runtime.graphs import Graph

FEWEST = 3
"""So many equal parts in a row are folded into one."""

LONGEST = 400
"""Parts of more lines than this aren't looked for."""

TRIES = 6
"""So many lengths of a repeated part are tried at each line."""

PASSES = 4
"""Loops in loops are folded to this depth."""


@dataclass(slots=True)
class Item:
    """An operator or a leaf with its side branches; a reference has none."""

    node: int
    reference: bool = False
    branches: list[Branch] = field(default_factory=list)
    key: int = 0
    members: list[int] = field(default_factory=list)
    """The nodes in it, in the order of the drawing; of equal parts these correspond."""


@dataclass(slots=True)
class Repeat:
    """Equal parts in a row: the first one, and the nodes of all of them."""

    parts: list[Part]
    blocks: list[list[int]]
    key: int = 0
    members: list[int] = field(default_factory=list)

    @property
    def times(self) -> int:
        """How many there are."""
        return len(self.blocks)


Part = Item | Repeat


@dataclass(slots=True)
class Spine:
    """Lines below each other."""

    parts: list[Part] = field(default_factory=list)
    key: int = 0
    members: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Branch:
    """A side branch, or several equal ones next to each other, of which the first is shown."""

    spine: Spine
    blocks: list[list[int]]

    @property
    def times(self) -> int:
        """How many there are."""
        return len(self.blocks)


@dataclass(slots=True)
class Outline:
    """Spines of the graph's results, and the nodes that are referred to from elsewhere."""

    spines: list[Spine]
    shared: frozenset[int]


def outline(graph: Graph, fold: bool = True) -> Outline:
    """The outline of a graph; with `fold` repeated parts are folded."""
    drawn, spines = _claim(graph)
    keys: dict[tuple[object, ...], int] = {}
    for spine in reversed(spines):  # side branches come after what they hang off
        for part in spine.parts:
            if isinstance(part, Item):
                _finish(graph, part, keys, fold)
        if fold:
            spine.parts = _folded(spine.parts, keys)
        spine.key = _intern(keys, ("spine", *[part.key for part in spine.parts]))
        spine.members = [node for part in spine.parts for node in part.members]
    shown = [spines[number] for number in drawn]
    shared = frozenset([item.node for item in shown_items(shown) if item.reference])
    return Outline(shown, shared)


def shown_items(spines: Sequence[Spine]) -> Iterator[Item]:
    """The items that are drawn, in the order of the drawing: of repeated parts the first."""
    waiting: list[Part] = [part for spine in reversed(spines) for part in reversed(spine.parts)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Repeat):
            waiting.extend(part.parts[::-1])
            continue
        yield part
        for branch in reversed(part.branches):
            waiting.extend(branch.spine.parts[::-1])


def repeats(shape: Outline) -> Iterator[Repeat | Branch]:
    """Everything that is repeated, the outer before the inner."""
    level: list[Part | Branch] = [part for spine in shape.spines for part in spine.parts]
    while level:
        below: list[Part | Branch] = []
        for part in level:
            if isinstance(part, Item):
                below.extend(part.branches)
                continue
            if part.times > 1:
                yield part
            below.extend(part.parts if isinstance(part, Repeat) else part.spine.parts)
        level = below


def _intern(keys: dict[tuple[object, ...], int], key: tuple[object, ...]) -> int:
    return keys.setdefault(key, len(keys) + 1)


# ------------------------------------------------------------------ Note [Spines]


def _claim(graph: Graph) -> tuple[list[int], list[Spine]]:
    """Give every operator to a spine; the numbers of the results' spines, and all spines."""
    nodes = graph.nodes
    free = [not node.leaf for node in nodes]
    depth = _depths(graph, free)
    spines: list[Spine] = []
    drawn = []
    level: list[Item] = []
    for root in graph.roots:
        drawn.append(len(spines))
        level += _grow(graph, root, free, depth, spines)
    while level:
        depth = _depths(graph, free)
        below: list[Item] = []
        for item in level:
            for node in _side_inputs(graph, item):
                branch = len(spines)
                below += _grow(graph, node, free, depth, spines)
                item.branches.append(Branch(spines[branch], []))
        level = below
    return drawn, spines


def _depths(graph: Graph, free: Sequence[bool]) -> list[int]:
    """The longest way from each node over operators that no spine has yet."""
    depth = [0] * len(free)
    for number in range(len(free) - 1, -1, -1):
        if free[number]:
            ways = [depth[i] for i in graph.nodes[number].inputs]
            depth[number] = 1 + max(ways, default=0)
    return depth


def _grow(graph: Graph, node: int, free: list[bool], depth: Sequence[int], spines: list[Spine]) -> list[Item]:
    """A new spine from a node on; returns its items, whose side branches are still to come."""
    spine = Spine()
    spines.append(spine)
    if not free[node]:
        leaf = graph.nodes[node].leaf
        spine.parts.append(Item(node, reference=not leaf))
        return []
    grown: list[Item] = []
    while True:
        free[node] = False
        item = Item(node)
        grown.append(item)
        ways = [i for i in graph.nodes[node].inputs if free[i]]
        longest = max([depth[i] for i in ways], default=0)
        deepest = [i for i in ways if depth[i] == longest]
        if not ways or len(deepest) >= FEWEST:  # a join of equals has side branches only
            break
        node = deepest[0]
    spine.parts = list(grown)
    for item, after in pairwise(grown):
        item.key = after.node  # until keys are worked out: where the spine goes on
    grown[-1].key = -1
    return grown


def _side_inputs(graph: Graph, item: Item) -> list[int]:
    """The inputs of an item but the one with which its spine goes on."""
    inputs = list(graph.nodes[item.node].inputs)
    if item.key in inputs:
        inputs.remove(item.key)
    return inputs


# ------------------------------------------------------------------ folding


def _finish(graph: Graph, item: Item, keys: dict[tuple[object, ...], int], fold: bool) -> None:
    """Work out an item's key, which equal items share, and its members."""
    node = graph.nodes[item.node]
    item.branches = _folded_branches(item.branches, fold)
    hanging = [(branch.spine.key, branch.times) for branch in item.branches]
    what = "reference" if item.reference else "item"
    place = (what, node.operator, node.leaf, node.place, node.shape, node.dtype, node.saved_bytes)
    item.key = _intern(keys, (*place, *hanging))
    item.members = [item.node]
    for branch in item.branches:
        for block in branch.blocks:
            item.members.extend(block)


def _folded_branches(branches: list[Branch], fold: bool) -> list[Branch]:
    """Equal side branches in a row as one."""
    found: list[Branch] = []
    start = 0
    while start < len(branches):
        end = start + 1
        while fold and end < len(branches) and branches[end].spine.key == branches[start].spine.key:
            end += 1
        if end - start < FEWEST:
            end = start + 1
        blocks = [branch.spine.members for branch in branches[start:end]]
        found.append(Branch(branches[start].spine, blocks))
        start = end
    return found


def _folded(parts: list[Part], keys: dict[tuple[object, ...], int]) -> list[Part]:
    """The parts with equal stretches in a row folded, loops in loops too."""
    for _ in range(PASSES):
        before = len(parts)
        parts = _folded_once(parts, keys)
        if len(parts) == before:
            break
    return parts


def _folded_once(parts: list[Part], keys: dict[tuple[object, ...], int]) -> list[Part]:
    again = _next_equal(parts)
    found: list[Part] = []
    start = 0
    while start < len(parts):
        length, times = _repeated(parts, again, start)
        if times < FEWEST:
            found.append(parts[start])
            start += 1
            continue
        first = parts[start : start + length]
        blocks = [
            [node for part in parts[at : at + length] for node in part.members]
            for at in range(start, start + length * times, length)
        ]
        key = _intern(keys, ("repeat", times, *[part.key for part in first]))
        first = _folded(first, keys)  # what is repeated within; at most a third as long
        found.append(Repeat(first, blocks, key, [node for block in blocks for node in block]))
        start += length * times
    return found


def _next_equal(parts: Sequence[Part]) -> list[int]:
    """For each part the place of the next equal one; beyond the end if there is none."""
    latest: dict[int, int] = {}
    again = [len(parts)] * len(parts)
    for number in range(len(parts) - 1, -1, -1):
        again[number] = latest.get(parts[number].key, len(parts))
        latest[parts[number].key] = number
    return again


def _repeated(parts: Sequence[Part], again: Sequence[int], start: int) -> tuple[int, int]:
    """Length and number of the shortest equal stretches that begin at `start`."""
    second = start
    for _ in range(TRIES):
        second = again[second]
        length = second - start
        if second >= len(parts) or length > LONGEST:
            break
        end = second
        while end < len(parts) and parts[end].key == parts[end - length].key:
            end += 1
        times = (end - start) // length
        if times >= FEWEST:
            return length, times
    return 0, 1
