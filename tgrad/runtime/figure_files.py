"""Figures as files: what `--plots DIR` makes of every `plt.show()`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tgrad.runtime.figures import Figure
    from tgrad.runtime.screen import Screen


class FigureFiles:
    """Writes each figure into a folder: figure-1.png, figure-2.png, ..."""

    def __init__(self, folder: str, kind: str = "png") -> None:
        self._folder = folder
        self._kind = kind
        self._count = 0

    def write(self, figure: Figure) -> str:
        """Draw a figure with matplotlib into the next file; returns the file's path.

        Raises NotAvailableError without matplotlib, OSError if the file can't be written.
        """
        from tgrad.runtime.figures import replay

        path = f"{self._folder}/figure-{self._count + 1}.{self._kind}"
        replay(figure, path, {"bbox_inches": "tight"})
        self._count += 1
        return path

    def add_to(self, screen: Screen) -> None:
        """Let a session write the figures that it shows, before they are drawn in any other way."""
        draw = screen.figure

        def write_and_draw(figure: Figure) -> None:
            self.write(figure)
            if draw is not None:
                draw(figure)

        screen.figure = write_and_draw
