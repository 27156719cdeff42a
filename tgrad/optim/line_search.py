"""A step length that fulfils the strong Wolfe conditions.

Bracketing and zooming are algorithms 3.5 and 3.6 of J. Nocedal, S. Wright, Numerical Optimization;
the trial steps are minima of cubics through two points (their equation 3.59).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SUFFICIENT, CURVATURE = 1e-4, 0.9
SMALLEST = 1e-9
"""The width of a bracket at which the search ends."""


@dataclass
class Point:
    """A step, with the loss, the gradient and the slope along the direction there."""

    step: Any
    loss: float
    gradient: Any
    slope: Any


def cubic_minimum(a: Point, b: Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """The minimum between two points of the cubic with their values and slopes."""
    if bounds is None:
        bounds = (a.step, b.step) if a.step <= b.step else (b.step, a.step)
    low, high = bounds
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.step - b.step)
    square = d1**2 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2.0
    d2 = square.sqrt()
    if a.step <= b.step:
        found = b.step - (b.step - a.step) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    else:
        found = a.step - (a.step - b.step) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2))
    return min(max(found, low), high)


def strong_wolfe(
    evaluate: Callable[[Any], tuple[float, Any]], step: Any, direction: Any, loss: float,
    gradient: Any, slope: Any, calls: int,
) -> tuple[float, Any, Any, int]:  # fmt: skip
    """Loss, gradient and length of a step along a direction, and the number of evaluations.

    Args:
        evaluate: gives loss and gradient a step along the direction.
        step: the first length to try.
        slope: the derivative of the loss along the direction at the start.
        calls: the most evaluations that are allowed after the first.
    """

    def look(t: Any) -> Point:
        value, found = evaluate(t)
        return Point(t, value, found, found.dot(direction))

    start = Point(0, loss, gradient.clone(), slope)
    before, point = start, look(step)
    bracket, done, number = _bracket(before, point, look, loss, slope, calls)
    if not done:
        number = _zoom(bracket, look, direction, loss, slope, number, calls)
    best = min(bracket, key=lambda p: p.loss)
    return best.loss, best.gradient, best.step, number + 1


def _bracket(
    before: Point, point: Point, look: Callable[[Any], Point], loss: float, slope: Any, calls: int
) -> tuple[list[Point], bool, int]:
    """Two points between which the conditions hold somewhere, or one where they do."""
    start, number = before, 0
    while number < calls:
        limit = loss + SUFFICIENT * point.step * slope
        if point.loss > limit or (number > 1 and point.loss >= before.loss):
            return [before, point], False, number
        if abs(point.slope) <= -CURVATURE * slope:
            return [point], True, number
        if point.slope >= 0:
            return [before, point], False, number
        shortest = point.step + 0.01 * (point.step - before.step)
        longer = cubic_minimum(before, point, (shortest, point.step * 10))
        before, point = point, look(longer)
        number += 1
    return [start, point], False, number


def _zoom(
    bracket: list[Point], look: Callable[[Any], Point], direction: Any, loss: float, slope: Any,
    number: int, calls: int,
) -> int:  # fmt: skip
    """Narrow the bracket until a point in it fulfils the conditions."""
    length = direction.abs().max()
    stuck = False
    low, high = (0, 1) if bracket[0].loss <= bracket[-1].loss else (1, 0)
    while number < calls:
        first, second = bracket
        if abs(second.step - first.step) * length < SMALLEST:
            break
        least, most = sorted((first.step, second.step))
        step = cubic_minimum(first, second)
        margin = 0.1 * (most - least)
        if min(most - step, step - least) < margin:
            if stuck or step >= most or step <= least:
                near_top = abs(step - most) < abs(step - least)
                step = most - margin if near_top else least + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        point = look(step)
        number += 1
        if point.loss > loss + SUFFICIENT * step * slope or point.loss >= bracket[low].loss:
            bracket[high] = point
            low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
            continue
        finished = abs(point.slope) <= -CURVATURE * slope
        if not finished and point.slope * (bracket[high].step - bracket[low].step) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = point
        if finished:
            break
    return number
