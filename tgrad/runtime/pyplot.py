"""`matplotlib.pyplot` without matplotlib: its functions record what they draw in figures.

Nothing here draws; `savefig` repeats a figure on matplotlib where that is installed and the program
may write the file.  See `tgrad.runtime.figures`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tgrad.errors import AccessDenied
from tgrad.runtime.figures import (
    ARTIST,
    AXES_ONLY,
    DRAWING,
    FIGURE,
    SETTERS,
    STYLING,
    Axes,
    Figure,
    replay,
)
from tgrad.runtime.screen import Screen

PYPLOT = """
    axes cla clf clim close cm colorbar draw figlegend figtext figure gca gcf get_cmap get_fignums
    fignum_exists interactive ioff ion isinteractive pause rc rcParams savefig sca set_cmap show
    style subplot subplots subplots_adjust suptitle switch_backend tight_layout twinx twiny
    use available update get_backend
"""

COLORMAPS = """
    Accent Blues BrBG BuGn BuPu Dark2 GnBu Greens Greys OrRd Oranges PRGn Paired Pastel1 Pastel2 PiYG
    PuBu PuBuGn PuOr PuRd Purples RdBu RdGy RdPu RdYlBu RdYlGn Reds Set1 Set2 Set3 Spectral Wistia
    YlGn YlGnBu YlOrBr YlOrRd afmhot autumn binary bone brg bwr cividis cool coolwarm copper
    cubehelix flag gist_gray gist_heat gray hot hsv inferno jet magma ocean pink plasma prism rainbow
    seismic spring summer tab10 tab20 tab20b tab20c terrain turbo twilight viridis winter
"""
"""The names of matplotlib's colour maps."""

_COLORMAPS = frozenset(COLORMAPS.split())

_DISPLAY = "clim draw interactive ioff ion pause rc set_cmap switch_backend"


def attribute_names() -> list[str]:
    """Every name that programs use on pyplot, figures, axes and what their calls return."""
    text = " ".join((DRAWING, STYLING, AXES_ONLY, FIGURE, PYPLOT, ARTIST, COLORMAPS))
    return [*text.split(), *SETTERS, *SETTERS.values()]


class Pyplot:
    """The state behind one session's `matplotlib.pyplot`: its figures, and which is current."""

    def __init__(self, may_write: Callable[[str], Any] | None = None, screen: Screen | None = None) -> None:
        self._may_write = may_write
        self._screen = screen or Screen()
        self._current: Figure | None = None
        self._count = 0
        self.figures: dict[int, Figure] = {}
        """Figures that weren't closed, by number."""
        self.shown: list[Figure] = []
        """Figures that the program has shown, in order."""
        self.figure_size: Any = None
        """Width and height in inches of figures that are made without a size."""

    def names(self) -> dict[str, Any]:
        """The names of the module."""
        names: dict[str, Any] = {name: self._on_axes(name) for name in f"{DRAWING} {STYLING}".split()}
        names |= {name: self._on_axes(method) for name, method in SETTERS.items()}
        for name in ("suptitle", "tight_layout", "subplots_adjust", "figtext", "figlegend"):
            names[name] = self._on_figure({"figtext": "text", "figlegend": "legend"}.get(name, name))
        for name in _DISPLAY.split():
            names[name] = _ignored
        return names | {
            "axes": self._axes,
            "cla": self._clear,
            "cm": Colormaps(),
            "get_cmap": lambda name="viridis", lut=None: name,
            "clf": self._clear,
            "close": self._close,
            "colorbar": self._on_figure("colorbar"),
            "figure": self._figure,
            "fignum_exists": lambda number: number in self.figures,
            "gca": lambda: self._now()._now(),
            "gcf": self._now,
            "get_fignums": lambda: sorted(self.figures),
            "isinteractive": lambda: False,
            "rcParams": {},
            "savefig": lambda path, **options: self.save(self._now(), path, options),
            "sca": self._set_axes,
            "show": self.show,
            "style": Style(),
            "subplot": lambda *place, **options: self._now()._add_subplot(*place, **options),
            "subplots": self._subplots,
            "twinx": lambda: self._now()._now().twinx(),
            "twiny": lambda: self._now()._now().twiny(),
        }

    def is_empty(self) -> bool:
        """Is nothing drawn on the current figure?"""
        return not any(axes._calls for axes in self._now()._axes)

    def _now(self) -> Figure:
        return self._current or self._figure()

    def _figure(self, num: Any = None, figsize: Any = None, dpi: Any = None, **rest: Any) -> Figure:
        if isinstance(num, int) and num in self.figures:
            self._current = self.figures[num]
            return self._current
        number = num if isinstance(num, int) else max(self.figures, default=0) + 1
        options = {"figsize": figsize or self.figure_size, "dpi": dpi}
        self._current = self.figures[number] = Figure(number, self, options)
        return self._current

    def _subplots(self, nrows: int = 1, ncols: int = 1, **options: Any) -> tuple[Figure, Any]:
        layout = {"squeeze": options.pop("squeeze", True)}
        figure = self._figure(figsize=options.get("figsize"), dpi=options.get("dpi"))
        return figure, figure._subplots(nrows, ncols, **layout)

    def _axes(self, *place: Any, **options: Any) -> Axes:
        return self._now()._add(Axes(self._now(), place or (1, 1, 1), **options))

    def _set_axes(self, axes: Axes) -> None:
        self._current = axes._figure
        axes._figure._current = axes

    def _clear(self) -> None:
        figure = self._now()
        figure._axes.clear()
        figure._calls.clear()
        figure._current = None

    def _close(self, figure: Any = None) -> None:
        if figure == "all":
            self.figures.clear()
        elif isinstance(figure, Figure):
            self.figures.pop(figure._number, None)
        elif isinstance(figure, int):
            self.figures.pop(figure, None)
        elif self._current is not None:
            self.figures.pop(self._current._number, None)
        self._current = next(reversed(self.figures.values()), None)

    def show(self, *arguments: Any, **keywords: Any) -> None:
        """Show all figures, on whatever screen there is, and forget them."""
        # With a display, a program goes on when its windows were closed: the figures are gone.
        figures = list(self.figures.values())
        self.shown.extend(figures)
        self.figures.clear()
        self._current = None
        for figure in figures:
            if self._screen.figure is not None:
                self._screen.figure(figure)

    def _on_axes(self, method: str) -> Callable[..., Any]:
        def function(*arguments: Any, **keywords: Any) -> Any:
            return self._now()._now()._record(method, arguments, keywords)

        return function

    def _on_figure(self, method: str) -> Callable[..., Any]:
        def function(*arguments: Any, **keywords: Any) -> Any:
            return getattr(self._now(), method)(*arguments, **keywords)

        return function

    def save(self, figure: Figure, path: Any, options: dict[str, Any]) -> None:
        """Draw a figure with matplotlib into a file.

        Raises AccessDenied if the program may not write it, NotAvailableError without matplotlib.
        """
        if self._may_write is None:
            raise AccessDenied(f"this program may not write '{path}'")
        target = self._may_write(path)
        known = ("dpi", "bbox_inches", "format", "transparent")
        replay(figure, target, {key: value for key, value in options.items() if key in known})


class Style:
    """`matplotlib.pyplot.style`: styles are accepted by name and change nothing."""

    available = ()

    def use(self, style: object) -> None:
        """Accepts the name of a style."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"attribute '{name}' can't be assigned to")


class Colormaps:
    """`matplotlib.pyplot.cm`: a colour map is its name, which drawing functions take as well."""

    def __getattr__(self, name: str) -> Any:
        if name in _COLORMAPS:
            return name
        raise AttributeError(f"module 'matplotlib.cm' has no attribute '{name}'", name=name)

    def __dir__(self) -> list[str]:
        return sorted(_COLORMAPS)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"attribute '{name}' can't be assigned to")


def _ignored(*arguments: Any, **keywords: Any) -> None:
    """Concerns a display, and there is none."""


def matplotlib_names() -> dict[str, Any]:
    """The names of `matplotlib` itself."""
    return {
        "use": _ignored, "rc": _ignored, "rcParams": {}, "style": Style(), "cm": Colormaps(),
        "get_backend": lambda: "agg",
    }  # fmt: skip
