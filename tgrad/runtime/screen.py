"""What a session can draw with: functions that the command line, the shell or a test hands in.

Programs draw through builtins of the runtime, which knows nothing of terminals; so whoever makes a
session says what becomes of a figure or of a progress bar.  `tgrad.display` has the functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tgrad.runtime.figures import Figure
    from tgrad.runtime.graphs import Graph


class Bar(Protocol):
    """A progress bar that is on the screen, or may come to be."""

    def update(self, count: int, value: object) -> None:
        """So many steps are done; `value` is shown beside the bar if it isn't None."""

    def close(self, count: int, value: object) -> None:
        """The loop has ended after so many steps, in one way or another."""


class Screen:
    """How a session draws. Where a function is None, nothing is drawn, and nothing is an error."""

    __slots__ = ("bar", "computing", "figure", "finish", "graph", "graph_file", "value")

    def __init__(
        self,
        figure: Callable[[Figure], None] | None = None,
        bar: Callable[[str, int | None, str | None], Bar] | None = None,
        graph: Callable[[Graph, bool], None] | None = None,
        graph_file: Callable[[Graph, str, bool], str] | None = None,
        value: Callable[[object, str | None], None] | None = None,
        finish: Callable[[], None] | None = None,
        computing: Callable[[int], Bar] | None = None,
    ) -> None:
        self.figure = figure
        """Called with each figure that the program shows (`plt.show()`)."""
        self.bar = bar
        """Makes the progress bar of a loop, given its label, the number of its steps if known, and the
        name of the value that is shown beside the bar, if one is."""
        self.graph = graph
        """Draws a graph; whether repeated parts are to be folded."""
        self.graph_file = graph_file
        """The text of a file with the graph in it, by the file's suffix."""
        self.value = value
        """Draws a value for `show(x)`; the second is what to call it."""
        self.computing = computing
        """Makes the bar of one computation of so many tasks, which is seen while it lasts."""
        self.finish = finish
        """Called when a run has ended: whatever still moves on the screen comes to rest."""


def shower(screen: Screen) -> Callable[..., None]:
    """The builtin `show` of a session that draws on `screen`."""

    def show(value: object, *, name: str | None = None) -> None:
        """Draw a value: numbers when it is small, a line, a heat map, or a map for each matrix in it."""
        if screen.value is not None:
            screen.value(value, name)

    return show
