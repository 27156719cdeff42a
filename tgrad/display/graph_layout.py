"""Where the boxes of a graph stand: layers from the leaves at the top to the results at the bottom.

The method is Sugiyama's: every box gets a layer by the longest way to a result; an edge that passes
layers is cut into pieces; each layer is ordered by the barycentres of its neighbours, up and down
in turns, keeping the order with the fewest crossings; then boxes move as close to their
neighbours as their order allows (least squares, by pooling boxes that touch).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Edge = tuple[int, int]
Point = tuple[float, float]

GAP_X, GAP_Y = 24.0, 36.0
THIN = 6.0
"""The room that an edge takes in a layer that it passes."""

SWEEPS = 8
SETTLING = 10
MOST_COUNTED = 4000
"""In graphs with more pieces of edges than this, crossings aren't counted."""

MOST_PIECES = 30_000
"""Edges over many layers are drawn straight when there would be more pieces than this."""


@dataclass(slots=True)
class Layout:
    """Centres of the boxes, ways of the edges, and the size of the whole."""

    centres: list[Point]
    routes: list[list[Point]]
    width: float
    height: float


def layers_of(count: int, edges: Sequence[Edge]) -> list[int]:
    """For each box the longest way to a result; an edge leads from an input to its user.

    Boxes are numbered so that users come before their inputs.
    """
    inputs: list[list[int]] = [[] for _ in range(count)]
    for source, user in edges:
        inputs[user].append(source)
    layers = [0] * count
    for user in range(count):
        for source in inputs[user]:
            layers[source] = max(layers[source], layers[user] + 1)
    return layers


def lay_out(sizes: Sequence[tuple[float, float]], edges: Sequence[Edge]) -> Layout:
    """The layout of boxes of these widths and heights; users come before their inputs."""
    layers = layers_of(len(sizes), edges)
    widths = [width for width, _ in sizes]
    chains, links = _cut(edges, layers, widths)
    rows: list[list[int]] = [[] for _ in range(max(layers, default=-1) + 1)]
    for cell, layer in enumerate(layers):
        rows[layer].append(cell)
    rows = _ordered(rows, links, len(widths))
    xs = _placed(rows, links, widths)
    middles, halves, height = _heights(rows, sizes)
    left = min((xs[i] - widths[i] / 2 for i in range(len(sizes))), default=0.0)
    xs = [x - left for x in xs]
    ys = [middles[layer] for layer in layers]
    centres = [(xs[i], ys[i]) for i in range(len(sizes))]
    routes = []
    for (source, user), chain in zip(edges, chains, strict=True):
        points = [(xs[source], ys[source] + sizes[source][1] / 2)]
        for cell in chain:  # straight through a layer, so that no box is crossed
            half = halves[layers[cell]]
            points += [(xs[cell], ys[cell] - half), (xs[cell], ys[cell] + half)]
        points.append((xs[user], ys[user] - sizes[user][1] / 2))
        routes.append(points)
    right = max((x + width / 2 for x, width in zip(xs, widths, strict=True)), default=0.0)
    return Layout(centres, routes, right, height)


def _cut(edges: Sequence[Edge], layers: list[int], widths: list[float]) -> tuple[list[list[int]], list[Edge]]:
    """Give each edge cells in the layers it passes; the cells by edge, and links between neighbours.

    Cells are appended to `layers` and `widths`.
    """
    pieces = sum(layers[source] - layers[user] for source, user in edges)
    longest = len(layers) if pieces <= MOST_PIECES else 2
    chains: list[list[int]] = []
    links: list[Edge] = []
    for source, user in edges:
        chain: list[int] = []
        if layers[source] - layers[user] <= longest:
            for layer in range(layers[source] - 1, layers[user], -1):
                chain.append(len(layers))
                layers.append(layer)
                widths.append(THIN)
            path = [source, *chain, user]
            links += pairwise(path)
        chains.append(chain)
    return chains, links


# ------------------------------------------------------------------ the order in a layer


def _neighbours(links: Sequence[Edge], count: int) -> tuple[list[list[int]], list[list[int]]]:
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for source, user in links:
        above[user].append(source)
        below[source].append(user)
    return above, below


def _ordered(rows: list[list[int]], links: Sequence[Edge], count: int) -> list[list[int]]:
    """The layers with few crossings; layer 0 holds the results."""
    above, below = _neighbours(links, count)
    counted = len(links) <= MOST_COUNTED
    best, fewest = rows, _crossings(rows, above) if counted else 0
    current = [list(row) for row in rows]
    for sweep in range(SWEEPS if counted else 2):
        upwards = sweep % 2 == 0
        order = range(1, len(rows)) if upwards else range(len(rows) - 2, -1, -1)
        near = below if upwards else above
        for layer in order:
            fixed = current[layer - 1] if upwards else current[layer + 1]
            place = {cell: number for number, cell in enumerate(fixed)}
            current[layer] = _by_barycentre(current[layer], near, place)
        found = _crossings(current, above) if counted else -1
        if found < fewest or not counted:
            best, fewest = [list(row) for row in current], found
        if counted and fewest == 0:
            break
    return best


def _by_barycentre(row: Sequence[int], near: Sequence[Sequence[int]], place: dict[int, int]) -> list[int]:
    """Sorted by the mean place of the neighbours; cells without any stay where they are."""
    means = {}
    for number, cell in enumerate(row):
        places = [place[other] for other in near[cell]]
        means[cell] = sum(places) / len(places) if places else float(number)
    return sorted(row, key=lambda cell: means[cell])


def _crossings(rows: Sequence[Sequence[int]], above: Sequence[Sequence[int]]) -> int:
    """The number of links that cross, between all neighbouring layers."""
    total = 0
    for row, upper in pairwise(rows):
        place = {cell: number for number, cell in enumerate(upper)}
        seen: list[int] = []
        for cell in row:
            ends = [place[other] for other in above[cell]]
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


# ------------------------------------------------------------------ coordinates


def _placed(rows: Sequence[Sequence[int]], links: Sequence[Edge], widths: Sequence[float]) -> list[float]:
    """The x coordinates of all cells."""
    above, below = _neighbours(links, len(widths))
    xs = [0.0] * len(widths)
    for row in rows:
        at = 0.0
        for cell in row:
            xs[cell] = at + widths[cell] / 2
            at += widths[cell] + GAP_X
        for cell in row:
            xs[cell] -= (at - GAP_X) / 2
    rounds = SETTLING if len(widths) <= MOST_COUNTED else 4
    for number in range(rounds):
        order = rows if number % 2 == 0 else rows[::-1]
        for row in order:
            near = below if number % 2 == 0 else above
            if number >= rounds - 2:
                wanted = [_mean(xs, [*above[cell], *below[cell]], xs[cell]) for cell in row]
            else:
                wanted = [_mean(xs, near[cell], xs[cell]) for cell in row]
            for cell, x in zip(row, _apart(row, wanted, widths), strict=True):
                xs[cell] = x
    return xs


def _mean(xs: Sequence[float], cells: Sequence[int], otherwise: float) -> float:
    return sum(xs[cell] for cell in cells) / len(cells) if cells else otherwise


def _apart(row: Sequence[int], wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """The places nearest to the wanted ones, in least squares, that keep order and distance.

    What a box wants, less the room of all boxes before it, must not decrease along the row: runs
    that do decrease are pooled and take their mean.
    """
    offsets = [0.0]
    for left, right in pairwise(row):
        gap = GAP_X if widths[left] > THIN or widths[right] > THIN else GAP_X / 2
        offsets.append(offsets[-1] + (widths[left] + widths[right]) / 2 + gap)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=False):
        mean, size = want - offset, 1
        while pools and pools[-1][0] > mean:
            other, count = pools.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        pools.append((mean, size))
    found = [mean for mean, size in pools for _ in range(size)]
    return [base + offset for base, offset in zip(found, offsets, strict=False)]


def _heights(
    rows: Sequence[Sequence[int]], sizes: Sequence[tuple[float, float]]
) -> tuple[list[float], list[float], float]:
    """Middle and half height of each layer, and the whole height; the last layer is the top."""
    middles, halves = [0.0] * len(rows), [0.0] * len(rows)
    at = 0.0
    for layer in range(len(rows) - 1, -1, -1):
        tall = max((sizes[cell][1] for cell in rows[layer] if cell < len(sizes)), default=0.0)
        middles[layer], halves[layer] = at + tall / 2, tall / 2
        at += tall + GAP_Y
    return middles, halves, max(at - GAP_Y, 0.0)
