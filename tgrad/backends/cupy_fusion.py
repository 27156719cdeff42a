"""Elementwise work on CuPy: what is computed block by block on NumPy runs as a whole."""

from __future__ import annotations

from typing import Any


def own(cupy: Any) -> dict[str, dict[str, Any]]:
    """By file the functions that take the place of those in it."""

    def over(function: Any, target: Any, *others: Any) -> None:
        function(target, *others, out=target)

    def large_sum(a: Any, b: Any, into_first: bool) -> Any:
        return cupy.add(a, b, out=a) if into_first and a.shape == b.shape and a.dtype == b.dtype else a + b

    return {
        "large": {
            "in_blocks": lambda forward, xp, *args, **keywords: forward(xp, *args, **keywords),
            "derivatives": lambda formulas, o, g, edges, *saved: formulas(o, g, edges, *saved),
            "over": over,
            "large_sum": large_sum,
            "change_in_blocks": lambda formula, o, arrays, options: formula(o, *arrays, **options),
        },
    }
