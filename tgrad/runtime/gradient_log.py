"""Which lines of a program have added to which gradient, and how often."""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from tgrad.runtime.frames import innermost_place
from tgrad.runtime.inventory import place_text

if TYPE_CHECKING:
    from tgrad.runtime.session import Session


class _Addition(NamedTuple):
    version: int
    """Of the gradient when it was there; -1 where there was none."""
    place: str


class GradientLog:
    """Notes every time that a backward pass adds to a leaf's gradient.

    `watch` is called with the leaf.  A gradient that is None begins anew; one that was put back to an
    earlier version loses what was added since.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._world = session.world()
        self._additions: dict[int, tuple[weakref.ref[Any], list[_Addition]]] = {}

    def start(self) -> None:
        """Begin to watch."""
        from tgrad.core.modes import state

        state.watch = self.watch

    def stop(self) -> None:
        """Watch no longer."""
        from tgrad.core.modes import state

        state.watch = None

    def watch(self, leaf: Any) -> None:
        """Note that a gradient is about to be added to."""
        place = innermost_place(sys._getframe(1), self._world)
        text = "" if place is None else place_text(place[0], (place[1],))
        version = -1 if leaf._grad is None else leaf._grad._version
        key = id(leaf)
        known = self._additions.get(key)
        owner: Any = None if known is None else known[0]()
        if known is None or owner is not leaf:
            forget = lambda _, key=key: self._additions.pop(key, None)  # noqa: E731
            known = self._additions[key] = weakref.ref(leaf, forget), []
        kept = [each for each in known[1] if each.version < version]
        known[1][:] = [*kept, _Addition(version, text)]

    def of(self, tensor: Any) -> tuple[int, list[str]]:
        """How often the gradient of a tensor was added to since it was None, and where."""
        reference, additions = self._additions.get(id(tensor), (None, []))
        owner: Any = None if reference is None else reference()
        if owner is not tensor or tensor._grad is None:
            return 0, []
        version = tensor._grad._version
        found = [each for each in additions if each.version < version or each.version == -1]
        return len(found), list(dict.fromkeys(each.place for each in found if each.place))
