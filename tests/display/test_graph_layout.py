"""Where boxes and edges of a graph stand."""

import random
from itertools import pairwise

import pytest

from tgrad.display.graph_layout import GAP_X, _apart, _crossings, _ordered, lay_out, layers_of


def test_layers_are_the_longest_ways_to_a_result() -> None:
    # 0 is made of 1 and 3, 1 of 2, 2 of 3
    assert layers_of(4, [(1, 0), (3, 0), (2, 1), (3, 2)]) == [0, 1, 2, 3]


def test_a_chain_stands_in_one_column_inputs_above() -> None:
    found = lay_out([(60, 20), (100, 30), (40, 20)], [(1, 0), (2, 1)])
    assert [x for x, _ in found.centres] == [50.0, 50.0, 50.0]
    assert [y for _, y in found.centres] == [132.0, 71.0, 10.0]
    assert found.routes == [[(50.0, 86.0), (50.0, 122.0)], [(50.0, 20.0), (50.0, 56.0)]]
    assert (found.width, found.height) == (100.0, 142.0)


def test_a_result_stands_below_the_middle_of_its_inputs() -> None:
    found = lay_out([(50, 20), (50, 20), (50, 20)], [(1, 0), (2, 0)])
    (x, _), (left, _), (right, _) = found.centres
    assert x == pytest.approx((left + right) / 2)
    assert right - left == pytest.approx(50 + GAP_X)


def test_edges_over_layers_run_beside_the_boxes_in_between() -> None:
    found = lay_out([(80, 20), (80, 20), (80, 20)], [(1, 0), (2, 1), (2, 0)])
    middle, *_ = found.centres[1]
    (_, top), (x, enters), (same, leaves), (_, end) = found.routes[2]
    assert x == same
    assert abs(x - middle) > 40
    assert top < enters < leaves < end


def test_crossings_are_counted_and_undone() -> None:
    edges = [(3, 0), (4, 1), (5, 2)]  # inputs 3, 4, 5 of 0, 1, 2
    rows = [[0, 1, 2], [5, 4, 3]]
    above = [[3], [4], [5], [], [], []]
    assert _crossings(rows, above) == 3
    ordered = _ordered(rows, edges, 6)
    assert _crossings(ordered, above) == 0


def test_places_nearest_to_the_wanted_ones() -> None:
    widths = [10.0, 10.0, 10.0]
    step = 10 + GAP_X
    assert _apart([0, 1, 2], [0.0, 100.0, 300.0], widths) == [0.0, 100.0, 300.0]
    assert _apart([0, 1, 2], [50.0, 50.0, 50.0], widths) == [50 - step, 50.0, 50 + step]


@pytest.mark.parametrize("seed", range(5))
def test_boxes_never_overlap(seed: int) -> None:
    rng = random.Random(seed)
    count = 60
    sizes = [(rng.uniform(20, 200), rng.uniform(20, 60)) for _ in range(count)]
    edges = sorted({(i, rng.randrange(i)) for i in range(1, count) for _ in range(2)})
    found = lay_out(sizes, edges)
    rows: dict[float, list[int]] = {}
    for box, (_, y) in enumerate(found.centres):
        rows.setdefault(y, []).append(box)
    for row in rows.values():
        row.sort(key=lambda box: found.centres[box][0])
        for left, right in pairwise(row):
            gap = found.centres[right][0] - found.centres[left][0]
            assert gap >= (sizes[left][0] + sizes[right][0]) / 2 + GAP_X / 2
    for (source, user), route in zip(edges, found.routes, strict=True):
        assert found.centres[source][1] < found.centres[user][1]
        assert all(a[1] <= b[1] for a, b in pairwise(route))


def test_nothing_and_one_box() -> None:
    assert lay_out([], []).height == 0.0
    assert lay_out([(30, 20)], []).centres == [(15.0, 10.0)]
