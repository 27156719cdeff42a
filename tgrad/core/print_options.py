"""How tensors are written: the settings behind `set_printoptions`.

There is one current set of options.  `tgrad.core.text` reads it, unless a caller brings its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class PrintOptions:
    """What the text of a tensor depends on, beside the tensor."""

    __slots__ = ("edgeitems", "linewidth", "precision", "sci_mode", "threshold")

    def __init__(
        self,
        precision: int = 4,
        threshold: float = 1000,
        edgeitems: int = 3,
        linewidth: int = 80,
        sci_mode: bool | None = None,
    ) -> None:
        self.precision = precision
        """Digits after the decimal point, for elements that aren't all whole."""
        self.threshold = threshold
        """A tensor with more elements than this is shown in a summary; may be infinite."""
        self.edgeitems = edgeitems
        """How many items a summary keeps at each end of a dimension."""
        self.linewidth = linewidth
        """The column that the lines should not go beyond."""
        self.sci_mode = sci_mode
        """Scientific notation: always, never, or (None) where the elements' sizes ask for it."""


_current = PrintOptions()

_PROFILES: dict[str, dict[str, float]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": float("inf"), "edgeitems": 3, "linewidth": 80},
}


def current_printoptions() -> PrintOptions:
    """The options in force: the object itself, which `set_printoptions` changes in place."""
    return _current


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Change the options in force.

    What is left out stays as it is, with one exception that is PyTorch's: leaving out `sci_mode`
    sets it back to None.  `profile` is "default", "short" or "full" and is applied before the
    others; any other name is ignored, as PyTorch ignores it.
    """
    changes: dict[str, float | None] = dict(_PROFILES.get(profile or "", {}))
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    changes.update((name, value) for name, value in given.items() if value is not None)
    for name, value in changes.items():
        setattr(_current, name, value)
    _current.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The options in force as a dictionary that `set_printoptions` takes as keywords."""
    names = ("precision", "threshold", "edgeitems", "linewidth", "sci_mode")
    return {name: getattr(_current, name) for name in names}


@contextmanager
def printoptions(**changes: Any) -> Iterator[None]:
    """Change the options inside a `with` block; keywords as for `set_printoptions`."""
    before = get_printoptions()
    set_printoptions(**changes)
    try:
        yield
    finally:
        set_printoptions(**before)
